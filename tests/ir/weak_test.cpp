#include "engine/ir/weak.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace engine::ir {
namespace {

using catalog::Op;

WeakValue integer(long v) { return {.kind = Weak::Int, .integer = v}; }
WeakValue apply(Op op, WeakValue x, WeakValue y) {
  const WeakValue args[] = {x, y};
  return weak_apply(op, args, {}, "");
}

TEST(WeakArithmetic, FollowsPython) {
  EXPECT_EQ(static_cast<long>(apply(Op::FloorDivide, integer(-7), integer(2)).integer), -4);
  EXPECT_EQ(static_cast<long>(apply(Op::Remainder, integer(-7), integer(2)).integer), 1);
  EXPECT_EQ(apply(Op::Divide, integer(1), integer(2)).re, 0.5);
  EXPECT_EQ(apply(Op::Power, integer(2), integer(-1)).re, 0.5);
  EXPECT_EQ(apply(Op::Power, integer(-1), integer(1L << 40)).integer, 1);
}

TEST(WeakArithmetic, RoundsTheQuotientOfIntegersOnce) {
  EXPECT_EQ(apply(Op::Divide, integer(1234567890123456), integer(8901)).re, 1234567890123456.0 / 8901.0);
  EXPECT_EQ(apply(Op::Divide, integer(9007199254740993), integer(1)).re, 9007199254740992.0);   // a tie, to even
  EXPECT_EQ(apply(Op::Divide, integer(27021597764222979), integer(3)).re, 9007199254740992.0);  // the same tie
  EXPECT_EQ(apply(Op::Divide, integer(-7), integer(2)).re, -3.5);
  EXPECT_EQ(apply(Op::Divide, integer(INT64_MIN), integer(INT64_MIN)).re, 1.0);
  EXPECT_FALSE(std::signbit(apply(Op::Divide, integer(0), integer(3)).re));
}

TEST(WeakArithmetic, TakesRootsOfNegativeFloatsInPolarForm) {
  const WeakValue root = apply(Op::Power, integer(-2), {.kind = Weak::Float, .re = 0.5});
  EXPECT_EQ(root.kind, Weak::Complex);
  EXPECT_EQ(root.re, 8.659560562354934e-17);  // what Python prints for (-2)**0.5
  EXPECT_EQ(root.im, 1.4142135623730951);
}

TEST(WeakArithmetic, EndsAt64BitsAtOnce) {
  const WeakValue largest{.kind = Weak::Int, .integer = (static_cast<Int128>(1) << 64) - 1};
  EXPECT_THROW(apply(Op::LeftShift, largest, integer(64)), LimitError);
  EXPECT_EQ(apply(Op::LeftShift, integer(1), integer(63)).integer, static_cast<Int128>(1) << 63);
  EXPECT_THROW(apply(Op::Power, integer(9), integer(387420489)), LimitError);
  EXPECT_THROW(apply(Op::LeftShift, integer(1), integer(1L << 60)), LimitError);
  EXPECT_EQ(apply(Op::Power, integer(2), integer(63)).integer, static_cast<Int128>(1) << 63);
}

TEST(WeakArithmetic, RefusesToDivideByZero) {
  EXPECT_THROW(apply(Op::Divide, integer(1), integer(0)), RangeError);
  EXPECT_THROW(apply(Op::Remainder, {.kind = Weak::Float, .re = 1}, integer(0)), RangeError);
}

TEST(WeakConvert, TellsWhatDoesNotFit) {
  Value value;
  EXPECT_FALSE(weak_convert(integer(128), DType::Int8, value));
  EXPECT_FALSE(weak_convert(integer(-1), DType::UInt64, value));
  EXPECT_TRUE(weak_convert(integer(-128), DType::Int8, value));
  EXPECT_EQ(value.as<std::int8_t>(), -128);
  EXPECT_TRUE(weak_convert(integer(300), DType::Float32, value));
  EXPECT_EQ(value.as<float>(), 300.0f);
}

}  // namespace
}  // namespace engine::ir

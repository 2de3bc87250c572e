#include "engine/ir/weak.hpp"

#include <gtest/gtest.h>

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

TEST(WeakArithmetic, EndsAt64BitsAtOnce) {
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

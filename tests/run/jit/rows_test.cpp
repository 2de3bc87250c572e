// What several rows that are computed together share, and what they do not.
#include "engine/run/jit/rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace engine::run::jit {
namespace {

using catalog::Op;
using interp::Neighbour;
using interp::Step;

Step call(Op op, std::uint32_t x, std::uint32_t y, std::uint32_t out) {
  std::uint16_t loop = 0;
  while (catalog::loops(op)[loop].out != DType::Float64) ++loop;
  return Step{.n_in = 2, .out = out, .in = {x, y, 0}, .meaning = {interp::Meaning::Kind::Apply, op, loop}};
}

std::size_t count(const JoinedRows& rows, Op op) {
  std::size_t n = 0;
  for (const Step& step : rows.steps) n += step.meaning.op == op;
  return n;
}

// Of the rows above, here and below: elements to the left and to the right.
enum : std::uint32_t {
  AboveLeft,
  AboveRight,
  Left,
  Right,
  BelowLeft,
  BelowRight,
  kRead,
  First = kRead,
  Second,
  Third,
  Fourth,
  Out,
  kValues
};

constexpr std::array<char, kValues> kUniform{};
constexpr std::array<std::uint32_t, 1> kOuts{Out};
std::vector<DType> doubles() { return std::vector<DType>(kValues, DType::Float64); }

JoinedRows joined(std::span<const Step> steps, int rows) {
  std::array<interp::Machine::Reach, kRead> ins{};
  std::array<Neighbour, kRead> neighbours{};
  for (std::uint32_t i = 0; i < kRead; ++i) {
    ins[i] = {i, 8, 1};
    neighbours[i] = {i % 2, static_cast<std::int32_t>(i / 2)};  // left ones are one array at three rows, right ones another
  }
  return join_rows({steps, doubles(), kUniform, kOuts, ins}, {}, rows, neighbours);
}

TEST(JoinedRows, ComputeOnceTheSumsThatTwoOfThemHave) {
  // (above-left + above-right)*(left + right)*(below-left + below-right)
  const std::array steps{call(Op::Add, AboveLeft, AboveRight, First), call(Op::Add, Left, Right, Second),
                         call(Op::Add, BelowLeft, BelowRight, Third), call(Op::Multiply, First, Second, Fourth),
                         call(Op::Multiply, Fourth, Third, Out)};
  EXPECT_EQ(count(joined(steps, 1), Op::Add), 3u);
  const JoinedRows four = joined(steps, 4);
  EXPECT_EQ(count(four, Op::Add), 6u) << "of the six rows that are read, once each: not of three rows for each of four";
  EXPECT_EQ(count(four, Op::Multiply), 8u);
  EXPECT_EQ(four.outs.size(), 4u);
}

TEST(JoinedRows, LeaveSumsAsTheTextGroupsThem) {
  // ((above-left + above-right) + left) + right: what the row before has as a sum is none here
  const std::array steps{call(Op::Add, AboveLeft, AboveRight, First), call(Op::Add, First, Left, Second),
                         call(Op::Add, Second, Right, Third), call(Op::Multiply, Third, BelowLeft, Out)};
  EXPECT_EQ(count(joined(steps, 4), Op::Add), 12u);
}

TEST(JoinedRows, WriteEachRowThoughTwoAreTheSame) {
  // the row above times itself, in every row the same operand: each row has a target of its own
  const std::array steps{call(Op::Multiply, AboveLeft, AboveLeft, Out)};
  const std::array<interp::Machine::Reach, 1> ins{{{AboveLeft, 8, 1}}};
  const std::array<Neighbour, 1> still{{{0, interp::kStill}}};
  const JoinedRows four = join_rows({steps, doubles(), kUniform, kOuts, ins}, {}, 4, still);
  ASSERT_EQ(four.steps.size(), 4u);
  for (std::uint32_t row = 0; row < 4; ++row) {
    EXPECT_EQ(four.steps[row].out, row * kValues + Out);
    EXPECT_EQ(four.steps[row].in[0], static_cast<std::uint32_t>(AboveLeft)) << "which is read once";
  }
}

}  // namespace
}  // namespace engine::run::jit

#include "engine/catalog/type_rule.hpp"

#include <gtest/gtest.h>

namespace engine::catalog {
namespace {

DType result(Op op, std::initializer_list<Argument> arguments) {
  const int loop = resolve(op, {arguments.begin(), arguments.size()});
  EXPECT_GE(loop, 0);
  return loop < 0 ? DType::Bool : loops(op)[static_cast<std::size_t>(loop)].out;
}
constexpr Argument kInt{DType::Int64, Weak::Int}, kFloat{DType::Float64, Weak::Float}, kComplex{DType::Complex128, Weak::Complex};

TEST(Resolve, WeakScalarsYieldToArrays) {
  EXPECT_EQ(result(Op::Add, {{DType::Int8}, kInt}), DType::Int8);
  EXPECT_EQ(result(Op::Multiply, {{DType::Float32}, kFloat}), DType::Float32);
  EXPECT_EQ(result(Op::Multiply, {{DType::Int8}, kFloat}), DType::Float64);
  EXPECT_EQ(result(Op::Add, {{DType::Float16}, kComplex}), DType::Complex64);
  EXPECT_EQ(result(Op::Add, {{DType::Bool}, kInt}), DType::Int64);
}

TEST(Resolve, TrueDivisionOfIntegersIsFloat64ButFunctionsTakeTheSmallestFloat) {
  EXPECT_EQ(result(Op::Divide, {{DType::Int8}, {DType::Int8}}), DType::Float64);
  EXPECT_EQ(result(Op::Divide, {{DType::Int8}, {DType::Float16}}), DType::Float16);
  EXPECT_EQ(result(Op::Sqrt, {{DType::Int8}}), DType::Float16);
  EXPECT_EQ(result(Op::Sqrt, {{DType::Int16}}), DType::Float32);
  EXPECT_EQ(result(Op::Sqrt, {{DType::Int32}}), DType::Float64);
}

TEST(Resolve, RefusesWhatNumPyRefuses) {
  const auto refused = [](Op op, std::initializer_list<Argument> a) { return resolve(op, {a.begin(), a.size()}) < 0; };
  EXPECT_TRUE(refused(Op::Subtract, {{DType::Bool}, {DType::Bool}}));
  EXPECT_TRUE(refused(Op::LeftShift, {{DType::UInt64}, {DType::Int64}}));
  EXPECT_TRUE(refused(Op::BitwiseAnd, {{DType::Float64}, {DType::Int64}}));
  EXPECT_TRUE(refused(Op::FloorDivide, {{DType::Complex64}, {DType::Int64}}));
  EXPECT_FALSE(refused(Op::Subtract, {{DType::Bool}, {DType::Int8}}));
}

TEST(Resolve, ComparesInt64WithUInt64WithoutFloats) {
  const Argument arguments[] = {{DType::Int64}, {DType::UInt64}};
  const Loop& loop = loops(Op::Less)[static_cast<std::size_t>(resolve(Op::Less, arguments))];
  EXPECT_EQ(loop.in[0], DType::Int64);
  EXPECT_EQ(loop.in[1], DType::UInt64);
}

TEST(ReductionTypes, WidenLikeNumPy) {
  EXPECT_EQ(reduction_types(Reduction::Sum, DType::Bool).result, DType::Int64);
  EXPECT_EQ(reduction_types(Reduction::Sum, DType::UInt8).result, DType::UInt64);
  EXPECT_EQ(reduction_types(Reduction::Sum, DType::Float16).accumulator, DType::Float32);
  EXPECT_EQ(reduction_types(Reduction::Sum, DType::Float16).result, DType::Float16);
  EXPECT_EQ(reduction_types(Reduction::Mean, DType::Int32).result, DType::Float64);
  EXPECT_EQ(reduction_types(Reduction::Any, DType::Complex64).result, DType::Bool);
}

}  // namespace
}  // namespace engine::catalog

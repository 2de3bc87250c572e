#include "engine/base/dtype.hpp"

#include <gtest/gtest.h>

namespace engine {
namespace {

TEST(DTypeTable, NamesAndCodesAreTheirOwnInverse) {
  for (std::size_t i = 0; i < kDTypes; ++i) {
    const auto dtype = static_cast<DType>(i);
    EXPECT_EQ(dtype_from_name(name(dtype)), dtype);
    EXPECT_EQ(from_code(code(dtype)), dtype);
  }
  EXPECT_FALSE(dtype_from_name("float128"));
}

TEST(Promotion, IsCommutativeAndHoldsBothSides) {
  for (std::size_t i = 0; i < kDTypes; ++i)
    for (std::size_t k = 0; k < kDTypes; ++k) {
      const auto a = static_cast<DType>(i), b = static_cast<DType>(k);
      const DType both = promote(a, b);
      EXPECT_EQ(both, promote(b, a));
      EXPECT_TRUE(can_cast_safely(a, both) && can_cast_safely(b, both)) << name(a) << " " << name(b);
    }
}

TEST(Promotion, OfMixedSignsWidensAndAt64BitsBecomesFloat) {
  EXPECT_EQ(promote(DType::Int8, DType::UInt8), DType::Int16);
  EXPECT_EQ(promote(DType::Int32, DType::UInt32), DType::Int64);
  EXPECT_EQ(promote(DType::Int64, DType::UInt64), DType::Float64);
}

TEST(Promotion, OfFloatsAndIntegersKeepsEveryInteger) {
  EXPECT_EQ(promote(DType::Float16, DType::Int8), DType::Float16);
  EXPECT_EQ(promote(DType::Float16, DType::Int16), DType::Float32);
  EXPECT_EQ(promote(DType::Float32, DType::Int32), DType::Float64);
  EXPECT_EQ(promote(DType::Complex64, DType::Float64), DType::Complex128);
}

TEST(CanCast, SameKindNarrowsButNeverTurnsSignedIntoUnsigned) {
  EXPECT_TRUE(can_cast(DType::Float64, DType::Float16, Casting::SameKind));
  EXPECT_TRUE(can_cast(DType::UInt64, DType::Int8, Casting::SameKind));
  EXPECT_FALSE(can_cast(DType::Int8, DType::UInt64, Casting::SameKind));
  EXPECT_FALSE(can_cast(DType::Float32, DType::Int64, Casting::SameKind));
  EXPECT_TRUE(can_cast(DType::Float32, DType::Int64, Casting::Unsafe));
  EXPECT_FALSE(can_cast(DType::Int8, DType::Int16, Casting::No));
}

}  // namespace
}  // namespace engine

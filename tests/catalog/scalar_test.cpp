#include "engine/catalog/scalar.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace engine::math {
namespace {

TEST(IntegerDivision, IsFloorDivisionForAllPairsOfInt8) {
  for (int x = -128; x < 128; ++x)
    for (int y = -128; y < 128; ++y) {
      const auto a = static_cast<std::int8_t>(x), b = static_cast<std::int8_t>(y);
      const int quotient = y == 0 ? 0 : static_cast<int>(std::floor(static_cast<double>(x) / y));
      EXPECT_EQ(floor_divide(a, b), static_cast<std::int8_t>(quotient)) << x << " // " << y;
      EXPECT_EQ(remainder(a, b), static_cast<std::int8_t>(y == 0 ? 0 : x - quotient * y)) << x << " % " << y;
    }
}

template <class T>
void expect_no_trap() {
  constexpr T low = std::numeric_limits<T>::min();
  EXPECT_EQ(floor_divide(low, T(-1)), low);
  EXPECT_EQ(remainder(low, T(-1)), 0);
  EXPECT_EQ(fmod(low, T(-1)), 0);
  EXPECT_EQ(floor_divide(low, T(0)), 0);
  EXPECT_EQ(negative(low), low);
  EXPECT_EQ(absolute(low), low);
}
TEST(IntegerDivision, OfTheSmallestIntegerByMinusOneDoesNotTrap) {
  expect_no_trap<std::int8_t>();
  expect_no_trap<std::int16_t>();
  expect_no_trap<std::int32_t>();
  expect_no_trap<std::int64_t>();
}

/// Any bits: every exponent is as likely as any other, so most quotients are far from 1.
template <class T>
void expect_fmod_of_the_library() {
  using U = Bits<T>;
  std::mt19937_64 random(7);
  for (int i = 0; i < 300'000; ++i) {
    const T x = bit_cast<T>(static_cast<U>(random()));
    T y = bit_cast<T>(static_cast<U>(random()));
    if (i % 3 == 0) y = x / static_cast<T>(random() % 4096);  // quotients that are integers, or nearly
    const T expected = std::fmod(x, y), found = fmod(x, y);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(found)) << x << ", " << y;
    else
      ASSERT_EQ(bit_cast<U>(found), bit_cast<U>(expected)) << x << ", " << y;
  }
}
TEST(FloatDivision, HasTheExactRestOfTheLibrary) {
  expect_fmod_of_the_library<float>();
  expect_fmod_of_the_library<double>();
}

template <class T>
void expect_division_of_long() {
  std::mt19937_64 random(11);
  for (int i = 0; i < 300'000; ++i) {
    const auto x = static_cast<T>(random() >> random() % 48), y = static_cast<T>(random() >> random() % 48);
    if (y == 0) continue;
    const long a = static_cast<long>(x), b = static_cast<long>(y), quotient = a / b - (a % b != 0 && (a < 0) != (b < 0));
    ASSERT_EQ(floor_divide(x, y), static_cast<T>(quotient)) << a << " // " << b;
    ASSERT_EQ(remainder(x, y), static_cast<T>(a - quotient * b)) << a << " % " << b;
    ASSERT_EQ(fmod(x, y), static_cast<T>(a % b)) << a << " fmod " << b;
  }
}
TEST(IntegerDivision, OfNarrowIntegersIsThatOfWideOnes) {
  expect_division_of_long<std::int16_t>();
  expect_division_of_long<std::uint16_t>();
  expect_division_of_long<std::int32_t>();
  expect_division_of_long<std::uint32_t>();
}

TEST(FloatDivision, FollowsPython) {
  EXPECT_EQ(floor_divide(6.0, 0.1), 59.0);
  EXPECT_EQ(remainder(1.0, 0.1), 0.09999999999999995);
  EXPECT_EQ(remainder(5.0, std::numeric_limits<double>::infinity()), 5.0);
  EXPECT_EQ(remainder(-5.0, std::numeric_limits<double>::infinity()), std::numeric_limits<double>::infinity());
  EXPECT_EQ(remainder(1e17, 3.0), 1.0);
  EXPECT_TRUE(std::signbit(remainder(-0.0, -3.0)));
}

TEST(Shifts, ByTheWidthOrMoreGiveZeroOrTheSign) {
  EXPECT_EQ(left_shift<std::int32_t>(1, 32), 0);
  EXPECT_EQ(left_shift<std::int32_t>(1, -1), 0);
  EXPECT_EQ(right_shift<std::int64_t>(-5, 70), -1);
  EXPECT_EQ(right_shift<std::uint8_t>(200, 8), 0);
  EXPECT_EQ(left_shift<std::int8_t>(1, 7), -128);
}

TEST(Power, WrapsLikeRepeatedMultiplication) {
  std::uint64_t expected = 1;
  for (int i = 0; i < 40; ++i) expected *= 3;
  EXPECT_EQ(power<std::int64_t>(3, 40), static_cast<std::int64_t>(expected));
  EXPECT_EQ(power<std::int8_t>(2, 7), -128);
}

TEST(Extrema, PropagateNaNAndOrderZeros) {
  const double nan = std::nan("");
  EXPECT_TRUE(std::isnan(maximum(nan, 1.0)) && std::isnan(maximum(1.0, nan)));
  EXPECT_EQ(fmax(nan, 1.0), 1.0);
  EXPECT_FALSE(std::signbit(maximum(-0.0, 0.0)));
  EXPECT_FALSE(std::signbit(maximum(0.0, -0.0)));
  EXPECT_TRUE(std::signbit(minimum(0.0, -0.0)));
}

TEST(Convert, OfFloatsOutOfRangeIsDefined) {
  constexpr std::int64_t low = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(convert<std::int64_t>(std::nan("")), low);
  EXPECT_EQ(convert<std::int64_t>(1e30), low);
  EXPECT_EQ(convert<std::int32_t>(std::nan("")), 0);
  EXPECT_EQ(convert<std::uint64_t>(0x1.8p63), 0xc000000000000000u);
  EXPECT_EQ(convert<std::int8_t>(300.7), 44);
}

TEST(Comparison, OfSignedWithUnsignedIsExact) {
  EXPECT_TRUE(less(-1L, 0ul));
  EXPECT_TRUE(less(5L, 0x8000000000000005ul));
  EXPECT_FALSE(equal(-1L, 0xfffffffffffffffful));
}

}  // namespace
}  // namespace engine::math

#include "engine/base/half.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace engine::math {
namespace {

TEST(Half, EveryValueSurvivesTheWayThroughFloat) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const Half h{static_cast<unsigned short>(bits)};
    const float f = half_to_float(h);
    if (std::isnan(f)) {
      EXPECT_GT(bits & 0x7fffu, 0x7c00u);
      continue;
    }
    EXPECT_EQ(float_to_half(f).bits, bits);
    EXPECT_EQ(double_to_half(f).bits, bits);
  }
}

TEST(Half, RoundsTiesToEvenAndOverflowsAtTheMiddle) {
  EXPECT_EQ(float_to_half(65519.996f).bits, 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f).bits, 0x7c00);
  EXPECT_EQ(float_to_half(2049.0f).bits, float_to_half(2048.0f).bits);
  EXPECT_EQ(float_to_half(2051.0f).bits, float_to_half(2052.0f).bits);
  EXPECT_EQ(float_to_half(0x1p-25f).bits, 0);  // half of the smallest: to even
  EXPECT_EQ(float_to_half(0x1.8p-25f).bits, 1);
}

TEST(Half, OfADoubleIsRoundedOnce) {
  // By way of float this lands on the tie 1 + 2^-11 and goes down.
  EXPECT_EQ(double_to_half(1.0 + 0x1p-11 + 0x1p-40).bits, 0x3c01);
  EXPECT_EQ(float_to_half(static_cast<float>(1.0 + 0x1p-11 + 0x1p-40)).bits, 0x3c00);
}

}  // namespace
}  // namespace engine::math

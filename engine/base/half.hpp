// base/half.hpp - IEEE 754 binary16 to and from float32 and float64, rounding to nearest even, in integer and exact float
// steps only: the same bits on every target, and loops over it vectorise.
#pragma once

#include "engine/base/lane.hpp"

namespace engine::math {

/// The bits of a float16.
struct Half {
  unsigned short bits;
};

ENGINE_LANE float half_to_float(Half h) noexcept {
  const unsigned magnitude = h.bits & 0x7fffu;
  const unsigned sign = (h.bits & 0x8000u) << 16;
  // The exponent is rebased by an exact multiplication, which also normalises subnormals.
  const unsigned finite = bit_cast<unsigned>(bit_cast<float>(magnitude << 13) * 0x1p112f);
  const unsigned special = (magnitude << 13) | 0x7f800000u;
  return bit_cast<float>((magnitude >= 0x7c00u ? special : finite) | sign);
}

ENGINE_LANE Half float_to_half(float value) noexcept {
  const unsigned bits = bit_cast<unsigned>(value);
  const unsigned a = bits & 0x7fffffffu;
  const unsigned sign = (bits >> 16) & 0x8000u;
  // Below 2^-14 results are multiples of 2^-24: adding 1/2 lets the adder round there.
  const unsigned tiny = bit_cast<unsigned>(bit_cast<float>(a) + 0.5f) - 0x3f000000u;
  const unsigned normal = (a - 0x38000000u + 0xfffu + ((a >> 13) & 1u)) >> 13;
  unsigned h = a < 0x38800000u ? tiny : normal;
  h = a >= 0x477ff000u ? 0x7c00u : h;
  h = a > 0x7f800000u ? 0x7e00u : h;
  return {static_cast<unsigned short>(h | sign)};
}

/// Directly: by way of float32 it would be rounded twice.
ENGINE_LANE Half double_to_half(double value) noexcept {
  const unsigned long bits = bit_cast<unsigned long>(value);
  const unsigned long a = bits & 0x7fffffffffffffffu;
  const unsigned long sign = (bits >> 48) & 0x8000u;
  const unsigned long tiny = bit_cast<unsigned long>(bit_cast<double>(a) + 0x1p28) - bit_cast<unsigned long>(0x1p28);
  const unsigned long normal = (a - (1008ul << 52) + ((1ul << 41) - 1) + ((a >> 42) & 1u)) >> 42;
  unsigned long h = a < 0x3f10000000000000u ? tiny : normal;
  h = a >= 0x40effe0000000000u ? 0x7c00u : h;
  h = a > 0x7ff0000000000000u ? 0x7e00u : h;
  return {static_cast<unsigned short>(h | sign)};
}

}  // namespace engine::math

// catalog/elementary/log.hpp - log.
//
// x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1 exactly, s = f / (2 + f); log(m) = 2 artanh(s) = f - s (f - R) with
// R = s^2 p(s^2), arranged as FDLIBM has it (Sun Microsystems, e_log.c, 1993; Tang, ACM TOMS 16, 1990):
// log(x) = k ln2High + (f - (f^2/2 - (s (f^2/2 + R) + k ln2Low))). Near 1 the sum of f and f^2/2 is the whole error.
#pragma once

#include "engine/catalog/elementary/exp_coefficients.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/log_coefficients.hpp"

namespace engine::math {

/// x = 2^k * m, m in [sqrt(1/2), sqrt(2)), for positive normal x.
template <FloatLane F>
struct Scaled {
  F m, k;
};
template <FloatLane F>
ENGINE_LANE Scaled<F> split_exponent(F x) noexcept {
  // Adding the distance from sqrt(1/2) to 1 carries into the exponent exactly where m would be beyond sqrt(2).
  if constexpr (DoubleLane<F>) {
    const LaneBits<F> shifted = bits_of(x) + LaneBits<F>(0x3ff0000000000000ul - 0x3fe6a09e667f3bcdul);
    const F k = float_of(shr<52>(shifted) | LaneBits<F>(0x4330000000000000ul)) - F(0x1p52 + 1023);
    return {float_of((shifted & LaneBits<F>(0x000ffffffffffffful)) + LaneBits<F>(0x3fe6a09e667f3bcdul)), k};
  } else {
    const LaneBits<F> shifted = bits_of(x) + LaneBits<F>(0x3f800000u - 0x3f3504f3u);
    const F k = float_of(shr<23>(shifted) | LaneBits<F>(0x4b000000u)) - F(0x1p23f + 127);
    return {float_of((shifted & LaneBits<F>(0x007fffffu)) + LaneBits<F>(0x3f3504f3u)), k};
  }
}

template <DoubleLane F>
ENGINE_LANE F log_normal(F x, F bias) noexcept {
  const Scaled<F> part = split_exponent(x);
  const F k = part.k + bias, f = part.m - F(1.0);
  const F s = f / (F(2.0) + f), z = s * s;
  const F half = f * f * F(0.5);
  const F tail = fma(s, fma(z, estrin(z, kLog64), half), k * F(kLn2Low64));
  return fma(k, F(kLn2High64), f - (half - tail));
}
template <SingleLane F>
ENGINE_LANE F log_normal(F x, F bias) noexcept {
  const Scaled<F> part = split_exponent(x);
  const F k = part.k + bias, f = part.m - F(1.0f);
  const F s = f / (F(2.0f) + f), z = s * s;
  const F half = f * f * F(0.5f);
  const F tail = fma(s, fma(z, horner(z, kLog32), half), k * F(kLn2Low32));
  return fma(k, F(kLn2High32), f - (half - tail));
}

template <FloatLane F>
ENGINE_LANE F log(F x) noexcept {
  using T = ItemOf<F>;
  constexpr T kLeast = sizeof(T) == 8 ? T(0x1p-1022) : T(0x1p-126f), kUp = sizeof(T) == 8 ? T(0x1p54) : T(0x1p25f);
  constexpr T kDown = sizeof(T) == 8 ? T(-54) : T(-25);
  const Mask<F> odd = !((x >= F(kLeast)) & (x < infinity<F>()));
  if (!any(odd)) return log_normal(x, F(T(0)));
  const Mask<F> tiny = (x < F(kLeast)) & (x > F(T(0)));
  const F y = log_normal(select(tiny, x * F(kUp), x), select(tiny, F(kDown), F(T(0))));
  return select(tiny | !odd, y, select(x == F(T(0)), -infinity<F>(), select(x > F(T(0)), x, not_a_number<F>())));
}

}  // namespace engine::math

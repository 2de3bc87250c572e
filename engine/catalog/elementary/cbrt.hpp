// catalog/elementary/cbrt.hpp - cbrt.
//
// x = 2^(3n + j) m with m in [1, 2) and j in {-1, 0, 1}. y near (2^j m)^(-1/3) comes from a polynomial and a step of
// Householder's iteration (order 3 in double, 2 in float), so that nothing divides; c = 2^j m y^2 is the root, and a last
// Newton step adds what its cube lacks: the cube's only error is that of c * c, of which a third arrives.
#pragma once

#include "engine/catalog/elementary/cbrt_coefficients.hpp"
#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/lane.hpp"

namespace engine::math {

/// The cube root of positive normal x.
template <FloatLane F>
ENGINE_LANE F cbrt_normal(F x) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  constexpr T kThird = kDouble ? T(kCbrtThird64) : T(kCbrtThird32), kHalf = kDouble ? T(kCbrtHalf64) : T(kCbrtHalf32);
  constexpr T kTwo = kDouble ? T(kCbrtTwo64) : T(kCbrtTwo32);
  F k, m, y;
  if constexpr (kDouble) {
    k = float_of(shr<52>(bits_of(x)) | LaneBits<F>(0x4330000000000000ul)) - F(0x1p52 + 1023);
    m = float_of((bits_of(x) & LaneBits<F>(0x000ffffffffffffful)) | LaneBits<F>(0x3ff0000000000000ul));
    y = estrin(m, kCbrt64);
  } else {
    k = float_of(shr<23>(bits_of(x)) | LaneBits<F>(0x4b000000u)) - F(0x1p23f + 127);
    m = float_of((bits_of(x) & LaneBits<F>(0x007fffffu)) | LaneBits<F>(0x3f800000u));
    y = horner(m, kCbrt32);
  }
  const Exponent<F> n = round_to_exponent(k, F(kThird));
  const F j = fma(n.value, F(T(-3)), k);
  const Mask<F> up = j > F(T(0)), down = j < F(T(0));
  const F z = m * select(up, F(T(2)), select(down, F(T(0.5)), F(T(1))));
  y = y * select(up, F(kHalf), select(down, F(kTwo), F(T(1))));
  const F e = fma(z * y, -(y * y), F(T(1)));
  if constexpr (kDouble)
    y = fma(y * e, fma(e, F(2.0 / 9), F(kThird)), y);
  else
    y = fma(y * e, F(kThird), y);
  const F w = y * y, c = z * w;
  return scale(fma(-fma(c * c, c, -z), w * F(kThird), c), n);
}

template <FloatLane F>
ENGINE_LANE F cbrt(F x) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  constexpr T kLeast = kDouble ? T(0x1p-1022) : T(0x1p-126f);
  constexpr T kUp = kDouble ? T(0x1p54) : T(0x1p24f), kDown = kDouble ? T(0x1p-18) : T(0x1p-8f);
  const F a = abs(x);
  const Mask<F> odd = !((a >= F(kLeast)) & (a < infinity<F>()));
  if (!any(odd)) return with_sign(cbrt_normal(a), x);
  const Mask<F> tiny = (a < F(kLeast)) & (a > F(T(0)));
  const F y = cbrt_normal(select(tiny, a * F(kUp), a)) * select(tiny, F(kDown), F(T(1)));
  return select(tiny | !odd, with_sign(y, x), x + x);
}

}  // namespace engine::math

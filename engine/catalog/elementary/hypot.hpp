// catalog/elementary/hypot.hpp - hypot.
//
// r = sqrt(s), s the rounded sum of the squares; r is corrected by (x^2 + y^2 - r^2) / 2r, the numerator summed exactly but for
// its last roundings (Borges, ACM TOMS 47, 2020). It is at most an ulp, so that five bits of 1 / 2r are enough: they come
// from the bits of r without a division. Arguments whose squares leave the range are scaled by a power of two.
#pragma once

#include "engine/catalog/elementary/lane.hpp"

namespace engine::math {

/// sqrt(a^2 + b^2), a >= b >= 0, for a neither so large nor so small that the squares' errors leave the range.
template <FloatLane F>
ENGINE_LANE F hypot_scaled(F a, F b) noexcept {
  const Two<F> p = two_product(a, a), q = two_product(b, b);
  const Two<F> sum = fast_two_sum(p.hi, q.hi);
  const F r = sqrt(sum.hi);
  const F lack = fma(-r, r, sum.hi) + (sum.lo + (p.lo + q.lo));
  // The exponent of 1 / 2r; subtracting the mantissa approximates its reciprocal to 6 % with the offset that balances it.
  F inverse;
  if constexpr (DoubleLane<F>)
    inverse = float_of(LaneBits<F>(0x7fce8a0000000000ul) - bits_of(r));
  else
    inverse = float_of(LaneBits<F>(0x7e745000u) - bits_of(r));
  return fma(lack, inverse, r);
}

template <FloatLane F>
ENGINE_LANE F hypot(F x, F y) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  constexpr T kLarge = kDouble ? T(0x1p510) : T(0x1p62f), kSmall = kDouble ? T(0x1p-450) : T(0x1p-50f);
  constexpr T kUp = kDouble ? T(0x1p600) : T(0x1p90f), kDown = kDouble ? T(0x1p-600) : T(0x1p-90f);
  const F p = abs(x), q = abs(y);
  const Mask<F> swap = p < q;
  F a = select(swap, q, p), b = select(swap, p, q);
  const Mask<F> odd = !((a < F(kLarge)) & (a > F(kSmall)) & (b >= F(T(0))));
  if (!any(odd)) return hypot_scaled(a, b);
  const Mask<F> large = a >= F(kLarge), small = a <= F(kSmall);
  const F factor = select(large, F(kDown), select(small, F(kUp), F(T(1))));
  const F back = select(large, F(kUp), select(small, F(kDown), F(T(1))));
  const F r = hypot_scaled(a * factor, b * factor) * back;
  const Mask<F> infinite = (p == infinity<F>()) | (q == infinity<F>());
  return select(infinite, infinity<F>(), select((x != x) | (y != y), x + y, r));
}

}  // namespace engine::math

// catalog/elementary/exp.hpp - exp.
//
// x = k ln 2 + r with |r| <= ln(2)/2 (Cody & Waite, Software Manual for the Elementary Functions, 1980): k ln2High is exact.
// exp(r) = 1 + r + r^2 p(r), p a minimax polynomial; the error of 1 + r is carried along (Dekker's fast two-sum). The result
// is scaled by 2^k in two steps, so that it may overflow or become subnormal with one rounding.
#pragma once

#include "engine/catalog/elementary/exp_coefficients.hpp"
#include "engine/catalog/elementary/lane.hpp"

namespace engine::math {

/// 2^n for an integer n as round_to_int leaves it, |n| < 1022 (126 in float).
template <FloatLane F>
ENGINE_LANE F power_of_two(LaneBits<F> n) noexcept {
  if constexpr (DoubleLane<F>)
    return float_of(shl<52>(n) + LaneBits<F>(0x3ff0000000000000ul));
  else
    return float_of(shl<23>(n) + LaneBits<F>(0x3f800000u));
}
/// x * 2^n for an integer n: |n| < 2044 (252 in float), rounded once where x is not subnormal and x * 2^(n/2) neither.
template <FloatLane F>
ENGINE_LANE F scale(F x, F n) noexcept {
  const Rounded<F> half = round_to_int(n * F(ItemOf<F>(0.5)));
  const Rounded<F> rest = round_to_int(n - half.value);
  return x * power_of_two<F>(half.bits) * power_of_two<F>(rest.bits);
}

template <DoubleLane F>
ENGINE_LANE F exp(F x) noexcept {
  const F k = round_to_int(x, F(kLog2E64)).value;
  const F r = fma(-k, F(kLn2Low64), fma(-k, F(kLn2High64), x));
  const Two<F> one = fast_two_sum(F(1.0), r);
  const F y = scale(one.hi + fma(r * r, estrin(r, kExp64), one.lo), k);
  const Mask<F> odd = !(abs(x) < F(1000.0));
  if (!any(odd)) return y;
  return select(odd, select(x > F(0.0), infinity<F>(), select(x < F(0.0), F(0.0), x + x)), y);
}

template <SingleLane F>
ENGINE_LANE F exp(F x) noexcept {
  const F k = round_to_int(x, F(kLog2E32)).value;
  const F r = fma(-k, F(kLn2Low32), fma(-k, F(kLn2High32), x));
  const Two<F> one = fast_two_sum(F(1.0f), r);
  const F y = scale(one.hi + fma(r * r, horner(r, kExp32), one.lo), k);
  const Mask<F> odd = !(abs(x) < F(150.0f));
  if (!any(odd)) return y;
  return select(odd, select(x > F(0.0f), infinity<F>(), select(x < F(0.0f), F(0.0f), x + x)), y);
}

}  // namespace engine::math

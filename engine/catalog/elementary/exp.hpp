// catalog/elementary/exp.hpp - exp, exp2, expm1.
//
// x = k ln 2 + r with |r| <= ln(2)/2 (Cody & Waite, Software Manual for the Elementary Functions, 1980): k ln2High is exact.
// exp(r) = 1 + r (1 + r p(r)), p a minimax polynomial; the two last steps each round once. The result is scaled by 2^k in
// two steps, so that it may overflow or become subnormal with one rounding. exp2: x = k + r exactly, 2^r = 1 + r p(r).
// expm1 = 2^k ((1 - 2^-k) + r + r^2 (1/2 + r p(r))), with the errors of r and of the first sum carried along (Dekker's fast two-sum).
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

/// An integer as round_to_int gives it, and in the low bits of `bits` the integer plus 2046 (254 in float), twice the bias of
/// an exponent: half of that is the exponent field of 2^(n/2).
template <FloatLane F>
struct Exponent {
  F value;
  LaneBits<F> bits;
};
/// x * factor rounded to an integer, to even.
template <FloatLane F>
ENGINE_LANE Exponent<F> round_to_exponent(F x, F factor) noexcept {
  const F shift = magic<F>() + F(ItemOf<F>(sizeof(ItemOf<F>) == 8 ? 2046 : 254));
  const F t = fma(x, factor, shift);
  return {t - shift, bits_of(t)};
}
/// The same of x itself.
template <FloatLane F>
ENGINE_LANE Exponent<F> round_to_exponent(F x) noexcept {
  const F shift = magic<F>() + F(ItemOf<F>(sizeof(ItemOf<F>) == 8 ? 2046 : 254));
  const F t = x + shift;
  return {t - shift, bits_of(t)};
}
/// x * 2^n as the scale above: |n| < 2044 (252 in float).
template <FloatLane F>
ENGINE_LANE F scale(F x, Exponent<F> n) noexcept {
  constexpr int kShift = DoubleLane<F> ? 52 : 23;
  const LaneBits<F> half = shr<1>(n.bits);
  return x * float_of(shl<kShift>(half)) * float_of(shl<kShift>(n.bits - half));
}

template <FloatLane F>
ENGINE_LANE F log2_e() noexcept {
  return F(DoubleLane<F> ? ItemOf<F>(kLog2E64) : ItemOf<F>(kLog2E32));
}
template <FloatLane F>
ENGINE_LANE F ln2_high() noexcept {
  return F(DoubleLane<F> ? ItemOf<F>(kLn2High64) : ItemOf<F>(kLn2High32));
}
template <FloatLane F>
ENGINE_LANE F ln2_low() noexcept {
  return F(DoubleLane<F> ? ItemOf<F>(kLn2Low64) : ItemOf<F>(kLn2Low32));
}

/// y, which is exp or exp2 of x, where |x| is below the limit; beyond, infinity or 0.
template <FloatLane F>
ENGINE_LANE F or_end(F x, F limit, F y) noexcept {
  const F zero = F(ItemOf<F>(0));
  const Mask<F> odd = !(abs(x) < limit);
  if (!any(odd)) return y;
  return select(odd, select(x > zero, infinity<F>(), select(x < zero, zero, x + x)), y);
}

template <FloatLane F>
ENGINE_LANE F exp(F x) noexcept {
  using T = ItemOf<F>;
  const Exponent<F> k = round_to_exponent(x, log2_e<F>());
  const F r = fma(k.value, -ln2_low<F>(), fma(k.value, -ln2_high<F>(), x));
  F p;
  if constexpr (DoubleLane<F>)
    p = estrin(r, kExp64);
  else
    p = horner(r, kExp32);
  return or_end(x, F(T(DoubleLane<F> ? 1000 : 150)), scale(fma(r, fma(r, p, F(T(1))), F(T(1))), k));
}

template <FloatLane F>
ENGINE_LANE F exp2(F x) noexcept {
  using T = ItemOf<F>;
  const Exponent<F> k = round_to_exponent(x);
  const F r = x - k.value;
  F p;
  if constexpr (DoubleLane<F>)
    p = fma(r, estrin(r, kExp264), F(kLn2Rounded64));
  else
    p = horner(r, kExp232);
  return or_end(x, F(T(DoubleLane<F> ? 1500 : 200)), scale(fma(r, p, F(T(1))), k));
}

template <FloatLane F>
ENGINE_LANE F expm1(F x) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  const Exponent<F> k = round_to_exponent(x, log2_e<F>());
  const F near = fma(k.value, -ln2_high<F>(), x);  // exact
  const F r = fma(k.value, -ln2_low<F>(), near);
  const F rest = fma(k.value, -ln2_low<F>(), near - r);
  F p, inverse;  // 2^-k
  if constexpr (kDouble) {
    p = fma(r, estrin(r, kExpm164), F(0.5));
    inverse = float_of(shl<52>(LaneBits<F>(3 * 1023ul) - k.bits));
  } else {
    p = fma(r, horner(r, kExpm132), F(0.5f));
    inverse = float_of(shl<23>(LaneBits<F>(3 * 127u) - k.bits));
  }
  const F square = r * r;
  const Two<F> sum = fast_two_sum(F(T(1)) - inverse, r);
  const F y = with_sign(scale(sum.hi + fma(square, p, sum.lo + fma(rest, r, rest)), k), x);
  constexpr T kExact = kDouble ? T(36) : T(16);  // up to here 1 - 2^-k is exact
  const Mask<F> odd = !(abs(x) < F(kExact));
  if (!any(odd)) return y;
  // Above, 2^-k joins the errors. It is 0 where it does not matter: for large k its exponent would wrap.
  const Two<F> one = fast_two_sum(F(T(1)), r);
  const F less = one.lo - select(x < F(T(2) * kExact), inverse, F(T(0)));
  const F large = select(x < F(T(kDouble ? 1000 : 150)), scale(one.hi + fma(square, p, less + fma(rest, r, rest)), k), infinity<F>());
  const F small = select(x > F(-T(2) * kExact), y, F(T(-1)));
  return select(odd, select(x > F(T(0)), large, select(x < F(T(0)), small, x + x)), y);
}

}  // namespace engine::math

// catalog/elementary/gamma.hpp - gamma, and lgamma: the logarithm of |gamma|.
//
// log2(gamma(x)) = (x - 1/2) log2(x / e) + log2(2 pi / e)/2 + rest(x) for x >= 1 (Stirling), with the logarithm (that of pow)
// and the sum as hi + lo and the rest a polynomial in 1 / (x + 1/2); gamma is 2 to that power. Below 1, with y = |x|:
//   gamma(y) = gamma(1 + y) / y,   gamma(-y) = -(pi / sin(pi y)) / gamma(1 + y);
// 1 + y is a sum hi + lo, and sin(pi y) comes from the distance of y to the nearest integer, which is exact.
//
// Errors: gamma at most 2 ulp. lgamma at most 2 ulp for x > 0, its zeros 1 and 2 included (there it has polynomials of its
// own); for x < 0, where it has a zero beside every integer from -3 down, at most 2 ulp or 2^-52 (float: 2^-23), whichever is more.
#pragma once

#include "engine/catalog/elementary/erf.hpp"
#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/gamma_coefficients.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/log.hpp"
#include "engine/catalog/elementary/pow.hpp"
#include "engine/catalog/elementary/quotient.hpp"

namespace engine::math {

/// log2(gamma(x.hi + x.lo)) for x >= 1.
template <FloatLane F>
ENGINE_LANE Two<F> stirling(Two<F> x) noexcept {
  const F half = number<F>(0.5), one = number<F>(1);
  const F a = x.hi - half, v = one / (x.hi + half);
  F rest, c, c_low, log2e, log2e_low;
  if constexpr (DoubleLane<F>) {
    rest = v * estrin(v, kStirling64);
    c = F(kStirlingConstant64[0]), c_low = F(kStirlingConstant64[1]);
    log2e = F(kLog2E64), log2e_low = F(kLog2ERest64);
  } else {
    rest = v * estrin(v, kStirling32);
    c = F(kStirlingConstant32[0]), c_low = F(kStirlingConstant32[1]);
    log2e = F(kLog2E32), log2e_low = F(kLog2ERest32);
  }
  // (x - 1/2) (log2(x) - log2(e)) + c; x.lo times the derivative, for which 1/x is v + v^2/2 nearly.
  const Two<F> l = log2_in_two(x.hi, number<F>(0)), m = two_sum(l.hi, -log2e);
  const F slope = fma(fma(v, -half, -half) * v, log2e, l.hi);
  const Two<F> p = two_product(a, m.hi), w = two_sum(p.hi, c);
  const F low = fma(x.lo, slope, fma(a, m.lo + (l.lo - log2e_low), p.lo)) + w.lo;
  return two_sum(w.hi, low + (rest + c_low));
}

/// What the formulas for x < 1 need, y = |x|. For other x: above is x, factor 1, d 1, sign 0.
template <FloatLane F>
struct Reflected {
  Two<F> above;      ///< 1 + y
  Two<F> factor;     ///< y; for negative x |sin(pi y)| / pi
  F d;               ///< for negative x the distance to the nearest integer: 0 at the poles
  LaneBits<F> sign;  ///< the sign bit of gamma(x)
};
template <FloatLane F>
ENGINE_LANE Reflected<F> reflect(F x) noexcept {
  const F one = number<F>(1), y = abs(x);
  const Mask<F> below = x < one, negative = x < number<F>(0);
  const Two<F> sum = two_sum(one, y);
  Reflected<F> r{
      {select(below, sum.hi, x), select(below, sum.lo, number<F>(0))}, {select(below, y, one), number<F>(0)}, one, LaneBits<F>(0)};
  if (!any(negative)) return r;
  constexpr bool kDouble = DoubleLane<F>;
  const F whole = number<F>(kDouble ? 0x1p52 : 0x1p23), rounded = y + whole;
  const F d = select(y < whole, y - (rounded - whole), number<F>(0)), z = d * d;
  F p;
  if constexpr (kDouble)
    p = estrin(z, kSinPi64);
  else
    p = estrin(z, kSinPi32);
  const F t = fma(z, p, one);
  const Two<F> sine = two_product(abs(d), t);
  r.factor = {select(negative, sine.hi, r.factor.hi), select(negative, fma(abs(d), fma(z, p, one - t), sine.lo), r.factor.lo)};
  r.d = select(negative, d, one);
  // -sin(pi y) is positive where d is, times -1 to the nearest integer, times -1.
  const LaneBits<F> odd = shl<kDouble ? 63 : 31>(bits_of(rounded));
  r.sign = select(negative, (odd ^ bits_of(d) ^ LaneBits<F>(sign_bit<F>())) & LaneBits<F>(sign_bit<F>()), r.sign);
  return r;
}

template <FloatLane F>
ENGINE_LANE F gamma(F x) noexcept {
  constexpr bool kDouble = DoubleLane<F>;
  const F one = number<F>(1), zero = number<F>(0), end = number<F>(kDouble ? 190 : 46);
  Reflected<F> r = reflect(x);
  const Mask<F> far = !(r.above.hi < end);
  Two<F> l = stirling<F>({select(far, end, r.above.hi), select(far, zero, r.above.lo)});
  const Mask<F> negative = x < zero;
  l = {select(negative, -l.hi, l.hi), select(negative, -l.lo, l.lo)};
  const Exponent<F> n = round_to_exponent(l.hi);
  const Two<F> e = exp2_of_rest((l.hi - n.value) + l.lo);
  const Two<F> value = quotient(fast_two_sum(e.hi, e.lo), r.factor);
  const F y = float_of(bits_of(scale(value.hi + value.lo, n)) | r.sign);
  const Mask<F> tiny = abs(x) < number<F>(kDouble ? 0x1p-60 : 0x1p-30), pole = r.d == zero;
  const Mask<F> odd = tiny | pole | !(x < number<F>(kDouble ? 172 : 36));
  if (!any(odd)) return y;
  return select(odd, select(tiny, one / x, select(pole, not_a_number<F>(), x * infinity<F>())), y);
}

/// c[0] + c_low + t p(t) as hi + lo.
template <FloatLane F, class T, int kCount>
ENGINE_LANE Two<F> series_in_parts(F t, const T (&c)[kCount], T c_low) noexcept {
  const F p = estrin_from_one(t, c), hi = fma(t, p, F(c[0]));
  return {hi, fma(t, p, F(c[0]) - hi) + F(c_low)};
}
/// lgamma for x in [0.75, 2.25], by a polynomial at 1, 1.5 and 2 each.
template <FloatLane F>
ENGINE_LANE F lgamma_near_zeros(F x) noexcept {
  const F t = x - number<F>(1), u = x - number<F>(1.5), v = x - number<F>(2);
  Two<F> one, middle, two;
  if constexpr (DoubleLane<F>) {
    one = series_in_parts(t, kLgammaOne64, kLgammaOneLow64);
    middle = series_in_parts(u, kLgammaMiddle64, kLgammaMiddleLow64);
    two = series_in_parts(v, kLgammaTwo64, kLgammaTwoLow64);
  } else {
    one = series_in_parts(t, kLgammaOne32, kLgammaOneLow32);
    middle = series_in_parts(u, kLgammaMiddle32, kLgammaMiddleLow32);
    two = series_in_parts(v, kLgammaTwo32, kLgammaTwoLow32);
  }
  const F at_one = fma(t, one.hi, t * one.lo), at_two = fma(v, two.hi, v * two.lo);
  const F y = select(u < number<F>(-0.25), at_one, select(u > number<F>(0.25), at_two, middle.hi + middle.lo));
  return y + number<F>(0);  // +0 at 1, where the product is -0
}

/// log2(f.hi + f.lo), of which the low part only needs its first digits.
template <FloatLane F>
ENGINE_LANE Two<F> log2_of_factor(Two<F> f) noexcept {
  const Two<F> l = log2_in_two(f.hi, number<F>(0));
  return {l.hi, fma(f.lo * rough_reciprocal(f.hi), number<F>(kLog2E64), l.lo)};
}

template <FloatLane F>
ENGINE_LANE F lgamma(F x) noexcept {
  constexpr bool kDouble = DoubleLane<F>;
  const F one = number<F>(1), zero = number<F>(0);
  const Reflected<F> r = reflect(x);
  Two<F> l = stirling(r.above);
  const Mask<F> below = x < one;
  if (any(below)) {
    const Two<F> f = log2_of_factor(r.factor);
    const Mask<F> negative = x < zero;
    l = {select(negative, -l.hi, l.hi), select(negative, -l.lo, l.lo)};
    const Two<F> difference = two_sum(l.hi, -f.hi);
    l = {select(below, difference.hi, l.hi), select(below, difference.lo + (l.lo - f.lo), l.lo)};
  }
  F ln2, ln2_rest;
  if constexpr (kDouble)
    ln2 = F(kLn264), ln2_rest = F(kLn2Rest64);
  else
    ln2 = F(kLn232), ln2_rest = F(kLn2Rest32);
  const F product = l.hi * ln2;
  F y = product + fma(l.hi, ln2_rest, fma(l.lo, ln2, fma(l.hi, ln2, -product)));
  const Mask<F> near = abs(x - number<F>(1.5)) < number<F>(0.75);
  if (any(near)) y = select(near, lgamma_near_zeros(x), y);
  const F a = abs(x);
  const Mask<F> tiny = a < number<F>(kDouble ? 0x1p-60 : 0x1p-30), pole = r.d == zero;
  const Mask<F> odd = tiny | pole | !(a < number<F>(kDouble ? 0x1p1000 : 0x1p100));
  if (!any(odd)) return y;
  const F l1 = log(a);
  return select(odd, select(tiny, -l1, select(pole, infinity<F>(), a * (l1 - one))), y);
}

}  // namespace engine::math

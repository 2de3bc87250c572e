// catalog/elementary/logaddexp.hpp - logaddexp, logaddexp2.
//
// log(e^x + e^y) = a + log(1 + e^d), a the greater of the two, d <= 0 the difference, taken with its rounding error. e^d and
// log(1 + e^d) are carried as hi + lo, so that the sum rounds once, whatever a is. Where a cancels the logarithm the error
// stays what it was: below 2^-56 (2^-27 in float), in base 2 below 2^-55 (2^-26).
#pragma once

#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/log.hpp"
#include "engine/catalog/elementary/pow.hpp"

namespace engine::math {

/// 2^k (m.hi + m.lo)
template <FloatLane F>
struct ScaledTwo {
  Two<F> m;
  Exponent<F> k;
};

/// e^(d + low) or, with kBase 2, 2^(d + low), for d <= 0 and low below an ulp of d.
template <int kBase, FloatLane F>
ENGINE_LANE ScaledTwo<F> exp_in_two(F d, F low) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  constexpr T kLog2E = kDouble ? T(kLog2E64) : T(kLog2E32), kHigh = kDouble ? T(kLn2High64) : T(kLn2High32);
  constexpr T kLow = kDouble ? T(kLn2Low64) : T(kLn2Low32), kLn2 = kDouble ? T(kLn264) : T(kLn232);
  constexpr T kRest = kDouble ? T(kLn2Rest64) : T(kLn2Rest32);
  Two<F> sum;
  F tail;
  Exponent<F> k;
  if constexpr (kBase == 2) {
    k = round_to_exponent(d);
    const F r = d - k.value;
    sum.hi = fma(r, F(kLn2), F(T(1)));
    sum.lo = fma(r, F(kRest), fma(r, F(kLn2), F(T(1)) - sum.hi));
    tail = fma(r * r, pow_exp_series(r), sum.lo);
    tail = fma(low * F(kLn2), sum.hi + tail, tail);
  } else {
    k = round_to_exponent(d, F(kLog2E));
    const F near = fma(k.value, F(-kHigh), d), r = fma(k.value, F(-kLow), near);
    const F rest = fma(k.value, F(-kLow), near - r) + low;
    sum = fast_two_sum(F(T(1)), r);
    F p;
    if constexpr (kDouble)
      p = estrin(r, kExpm164);
    else
      p = estrin(r, kExpm132);
    tail = fma(r * r, fma(r, p, F(T(0.5))), sum.lo);
    tail = fma(rest, sum.hi + tail, tail);
  }
  const F hi = sum.hi + tail;
  return {{hi, tail - (hi - sum.hi)}, k};
}

template <int kBase, FloatLane F>
ENGINE_LANE F log_add(F x, F y) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  constexpr T kLog2E = kDouble ? T(kLog2E64) : T(kLog2E32), kRest = kDouble ? T(kLog2ERest64) : T(kLog2ERest32);
  const Mask<F> less = x < y;
  const F a = select(less, y, x), b = select(less, x, y);
  const Two<F> apart = two_sum(b, -a);
  const F none = F(T(kDouble ? -1200 : -160));  // e^d is 0 from here on, and apart.lo may be NaN
  const Mask<F> near = apart.hi > none;
  const auto [m, exponent] = exp_in_two<kBase>(select(near, apart.hi, none), select(near, apart.lo, F(T(0))));
  const Two<F> e = {scale(m.hi, exponent), scale(m.lo, exponent)};
  // 1 + e = 2^k (1 + f + f_low) with k 0 or 1.
  const Mask<F> big = e.hi > F(T(0.41421356));
  const F k = select(big, F(T(1)), F(T(0))), inverse = select(big, F(T(0.5)), F(T(1)));
  const F less_one = inverse - F(T(1)), f = fma(e.hi, inverse, less_one);
  const F f_low = fma(e.lo, inverse, fma(e.hi, inverse, less_one - f));
  Two<F> l;
  if constexpr (kDouble) {
    l = log_in_two(f);
  } else {  // a small e is the logarithm itself; its powers would be subnormal numbers, which are slow
    const Mask<F> small = e.hi < F(0x1p-30f);
    l = log_in_two(select(small, F(0.0f), f));
    l.hi = select(small, f, l.hi);
  }
  const F lo = l.lo + fma(fma(f, f, -f), f_low, f_low);
  Two<F> sum;
  if constexpr (kBase == 2) {
    F hi = fma(l.hi, F(kLog2E), k);
    F rest = fma(lo, F(kLog2E), fma(l.hi, F(kRest), fma(l.hi, F(kLog2E), k - hi)));
    // A small e is multiplied before it is scaled: as a subnormal number it would be rounded twice.
    const Mask<F> small = e.hi < F(T(kDouble ? 0x1p-60 : 0x1p-30));
    const F product = m.hi * F(kLog2E);
    hi = select(small, scale(product, exponent), hi);
    rest = select(small, scale(fma(m.lo, F(kLog2E), fma(m.hi, F(kRest), fma(m.hi, F(kLog2E), -product))), exponent), rest);
    sum = two_sum(a, hi);
    sum.lo = sum.lo + rest;
  } else {
    const Two<F> high = fast_two_sum(k * ln2_high<F>(), l.hi);
    sum = two_sum(a, high.hi);
    sum.lo = sum.lo + (high.lo + fma(k, ln2_low<F>(), lo));
  }
  const F result = sum.hi + sum.lo;
  const Mask<F> odd = !((abs(x) < infinity<F>()) & (abs(y) < infinity<F>()));
  if (!any(odd)) return result;
  return select(odd, select((x != x) | (y != y), x + y, a), result);
}

template <FloatLane F>
ENGINE_LANE F logaddexp(F x, F y) noexcept {
  return log_add<1>(x, y);
}
template <FloatLane F>
ENGINE_LANE F logaddexp2(F x, F y) noexcept {
  return log_add<2>(x, y);
}

}  // namespace engine::math

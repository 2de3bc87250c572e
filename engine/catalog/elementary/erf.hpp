// catalog/elementary/erf.hpp - erf, erfc.
//
// |x| < 15/16: erf = x + x p(x^2), the series at 0 (the coefficient of x is 1 and a small rest, so that the last step rounds once).
// Beyond: erfc(x) = exp(-x^2) times a function that varies slowly, a polynomial in q = (x - c) / (x + c) (Schonfelder, Math.
// Comp. 32, 1978; Shepherd & Laframboise, Math. Comp. 36, 1981). erf = 1 - erfc needs it roughly. erfc carries x^2, the
// exponential and the product as hi + lo, and divides by 1 + 2x, which leaves a function between 1.1 and 1.3.
#pragma once

#include "engine/catalog/elementary/erf_coefficients.hpp"
#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/quotient.hpp"

namespace engine::math {

/// (erf(x) - x) / x of z = x^2, |x| <= 15/16.
template <FloatLane F>
ENGINE_LANE F erf_series(F z) noexcept {
  if constexpr (DoubleLane<F>)
    return estrin(z, kErf64);
  else
    return estrin(z, kErf32);
}

/// c[1] + c[2] x + ...
template <FloatLane F, class T, int kCount>
ENGINE_LANE F estrin_from_one(F x, const T (&c)[kCount]) noexcept {
  F powers[5] = {x, x, x, x, x};
  for (int i = 1; i < 5 && (1 << i) < kCount - 1; ++i) powers[i] = powers[i - 1] * powers[i - 1];
  return estrin_part<1, kCount - 1>(powers, c);
}

/// exp(y.hi + y.lo) = 2^k (e.hi + e.lo) for y <= 0, |y| < 1000 (150 in float); e in [0.7, 1.5].
template <FloatLane F>
struct Exponential {
  F k;
  Two<F> e;
};
template <FloatLane F>
ENGINE_LANE Exponential<F> exp_in_parts(Two<F> y) noexcept {
  F k, first, r, p;
  if constexpr (DoubleLane<F>) {
    k = round_to_int(y.hi, F(kLog2E64)).value;
    first = fma(-k, F(kLn2High64), y.hi);
    y.lo = fma(-k, F(kLn2Low64), y.lo);
    r = first + y.lo;
    p = estrin(r, kExp64);
  } else {
    k = round_to_int(y.hi, F(kLog2E32)).value;
    first = fma(-k, F(kLn2High32), y.hi);
    y.lo = fma(-k, F(kLn2Low32), y.lo);
    r = first + y.lo;
    p = estrin(r, kExp32);
  }
  const Two<F> one = fast_two_sum(number<F>(1), r);
  const F rest = y.lo - (r - first);
  return {k, fast_two_sum(one.hi, fma(r * r, p, fma(rest, one.hi, one.lo)))};
}

template <FloatLane F>
ENGINE_LANE F erf(F x) noexcept {
  const F a = abs(x), z = a * a;
  const F low = fma(a, erf_series(z), a);
  // exp(-z), as exp.hpp has it, and what its last addition lost.
  F k, e, w, p;
  if constexpr (DoubleLane<F>) {
    k = round_to_int(z, F(-kLog2E64)).value;
    const F r = fma(-k, F(kLn2Low64), fma(-k, F(kLn2High64), -z) - fma(a, a, -z));
    w = fma(r * r, estrin(r, kExp64), r);
    p = estrin((a - F(kErfCenter64)) / (a + F(kErfCenter64)), kErfTail64);
  } else {
    k = round_to_int(z, F(-kLog2E32)).value;
    const F r = fma(-k, F(kLn2Low32), fma(-k, F(kLn2High32), -z));
    w = fma(r * r, estrin(r, kExp32), r);
    p = estrin((a - F(kErfCenter32)) / (a + F(kErfCenter32)), kErfTail32);
  }
  const F one = number<F>(1), s = power_of_two<F>(bits_of(k + magic<F>()));
  e = w + one;
  // Below 2 erfc is large enough for its own roundings to show.
  const F tail = (e * s) * p, rest = fma(e * s, p, -tail) + ((w - (e - one)) * s) * p;
  const F first = one - tail, high = first + (((one - first) - tail) - rest);
  const F y = give_sign(select(a < number<F>(0.9375), low, high), x);
  const Mask<F> odd = !(a < number<F>(DoubleLane<F> ? 6 : 4));
  if (!any(odd)) return y;
  return select(odd, select(x == x, give_sign(one, x), x + x), y);
}

template <FloatLane F>
ENGINE_LANE F erfc(F x) noexcept {
  const F a = abs(x), one = number<F>(1);
  const Two<F> square = two_product(a, a);
  // 1 - erf for small x: (1 - x) - x p, the first without error.
  const Two<F> first = fast_two_sum(one, -x);
  const F low = first.hi + fma(-x, erf_series(square.hi), first.lo);
  F q, p;
  Two<F> ratio;
  if constexpr (DoubleLane<F>) {
    q = (a - F(kErfcCenter64)) / (a + F(kErfcCenter64));
    p = estrin_from_one(q, kErfc64);
    ratio.hi = fma(q, p, F(kErfc64[0]));
    ratio.lo = fma(q, p, F(kErfc64[0]) - ratio.hi) + F(kErfcFirstLow64);
  } else {
    q = (a - F(kErfcCenter32)) / (a + F(kErfcCenter32));
    p = estrin_from_one(q, kErfc32);
    ratio.hi = fma(q, p, F(kErfc32[0]));
    ratio.lo = fma(q, p, F(kErfc32[0]) - ratio.hi) + F(kErfcFirstLow32);
  }
  const auto [k, e] = exp_in_parts<F>({-square.hi, -square.lo});
  Two<F> n = two_product(e.hi, ratio.hi);
  n.lo = fma(e.lo, ratio.hi, fma(e.hi, ratio.lo, n.lo));
  const Two<F> value = quotient(n, fast_two_sum(a + a, one));
  F high = scale(value.hi + value.lo, k);
  high = select(x < number<F>(0), number<F>(2) - high, high);
  const F y = select(a < number<F>(0.625), low, high);
  const Mask<F> odd = !(a < number<F>(DoubleLane<F> ? 27.3 : 10.2));
  if (!any(odd)) return y;
  return select(odd, select(x > number<F>(0), number<F>(0), select(x < number<F>(0), number<F>(2), x + x)), y);
}

}  // namespace engine::math

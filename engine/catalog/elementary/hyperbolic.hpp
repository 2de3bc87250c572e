// catalog/elementary/hyperbolic.hpp - tanh, sinh, cosh, atanh, asinh, acosh.
//
// tanh: |x| = k ln(2)/2 + h, t = tanh(h) = h + h^3 p(h^2); by the addition theorem, as the tangent of k ln(2)/2 is
//   (2^k - 1) / (2^k + 1), tanh|x| = (2^k - 1 + (2^k + 1) t) / (2^k + 1 + (2^k - 1) t). All is kept as hi + lo until the end.
//   In float there are two cheaper ways for small and large |x|.
// sinh, cosh: |x| = k ln 2 + r; sinh = sinh(k ln 2) cosh r + cosh(k ln 2) sinh r, cosh likewise, the functions of k ln 2
//   from 2^k and 2^-k, those of r by a polynomial each. Neither needs a division, and k = 0 is the odd series itself.
// atanh, asinh, acosh: log((2 + q) / (2 - q)) = q + q^3 p(q^2) with q = 2 (E - 2^k) / (E + 2^k), where E is the number whose
//   logarithm is wanted: (1 + x) / (1 - x), x + sqrt(x^2 + 1), x + sqrt(x^2 - 1). All sums are kept as hi + lo up to the
//   last addition; for k = 0, q is written without cancellation: 2x, 2x / (1 + sqrt(x^2 + 1)), 2 sqrt(x^2 - 1) / (x + 1).
// Reduction after Cody & Waite (Software Manual for the Elementary Functions, 1980), error terms after Dekker (Numer. Math.
// 18, 1971).
#pragma once

#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/hyperbolic_coefficients.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/log.hpp"
#include "engine/catalog/elementary/quotient.hpp"

namespace engine::math {

/// x = k step + r.hi + r.lo, |r| <= step / 2, where step is ln 2 (ln(2)/2: kHalves = 2).
template <FloatLane F>
struct Reduced {
  Rounded<F> k;
  Two<F> r;
};
template <int kHalves, FloatLane F>
ENGINE_LANE Reduced<F> reduce_ln2(F x) noexcept {
  using T = ItemOf<F>;
  constexpr T kPart = T(1) / T(kHalves), kInverse = (sizeof(T) == 8 ? T(kLog2E64) : T(kLog2E32)) * T(kHalves);
  constexpr T kHigh = (sizeof(T) == 8 ? T(kLn2High64) : T(kLn2High32)) * kPart,
              kLow = (sizeof(T) == 8 ? T(kLn2Low64) : T(kLn2Low32)) * kPart;
  const Rounded<F> k = round_to_int(x, F(kInverse));
  const F first = fma(-k.value, F(kHigh), x), rest = k.value * F(kLow);
  const F r = first - rest;
  return {k, {r, (first - r) - rest}};
}

template <DoubleLane F>
ENGINE_LANE F tanh(F x) noexcept {
  const F one = F(1.0), a = abs(x);
  // Shifted, so that for k = 1 h stays above -1/8, where its rounding counts little, and the numerator above 1/2, so that its
  // error term is exact.
  const Rounded<F> k = round_to_int(a - F(kTanhShift), F(2 * kLog2E64));
  const F h = fma(-k.value, F(kLn2Low64 / 2), fma(-k.value, F(kLn2High64 / 2), a));
  const F s = power_of_two<F>(k.bits), less = s - one, more = s + one;
  const F z = h * h;
  const Two<F> t = fast_two_sum(h, h * z * estrin(z, kTanh64));
  const F n = fma(more, t.hi, less), d = fma(less, t.hi, more);
  const Two<F> q = quotient<F>({n, fma(more, t.lo, fma(more, t.hi, less - n))}, {d, fma(less, t.hi, more - d)});
  const F y = give_sign(q.hi + q.lo, x);
  // Beyond, 2^k + 1 is not exact; but there are only four results left.
  const Mask<F> odd = !(a < F(18.15));
  if (!any(odd)) return y;
  F end = F(1 - 0x1.8p-52);
  for (int i = 0; i < 3; ++i) end = select(a < F(kTanhEnds[i]), end, end + F(0x1p-53));
  return select(odd, select(x == x, give_sign(end, x), x + x), y);
}

/// In float 1 - 2 / (exp(2|x|) + 1) is accurate from about 1 on; below, the odd series reaches as far.
template <SingleLane F>
ENGINE_LANE F tanh(F x) noexcept {
  const F one = F(1.0f), a = abs(x), z = a * a;
  const F low = fma(a, z * horner(z, kTanh32), a);
  const Rounded<F> k = round_to_int(a, F(2 * kLog2E32));
  const F h = fma(-k.value, F(kHalfLn2), a);  // k is so small that one part is enough
  const F s = power_of_two<F>(k.bits);
  const F high = one - F(2.0f) / fma(s * h, horner(h, kExpTwice32), s + one);
  const F y = give_sign(select(a < F(kTanhSeries32), low, high), x);
  const Mask<F> odd = !(a < F(10.0f));
  if (!any(odd)) return y;
  return select(odd, select(x == x, give_sign(one, x), x + x), y);
}

template <FloatLane F>
ENGINE_LANE F sinh_series(F z) noexcept {
  if constexpr (DoubleLane<F>)
    return estrin(z, kSinh64);
  else
    return horner(z, kSinh32);
}
template <FloatLane F>
ENGINE_LANE F cosh_series(F z) noexcept {
  if constexpr (DoubleLane<F>)
    return estrin(z, kCosh64);
  else
    return horner(z, kCosh32);
}
/// exp(x) / 2, where exp(x) itself may overflow.
template <FloatLane F>
ENGINE_LANE F half_exp(F x) noexcept {
  const auto [k, r] = reduce_ln2<1>(x);
  const Two<F> one = fast_two_sum(number<F>(1), r.hi);
  F p;
  if constexpr (DoubleLane<F>)
    p = estrin(r.hi, kExp64);
  else
    p = horner(r.hi, kExp32);
  return scale(one.hi + (fma(r.hi * r.hi, p, one.lo) + r.lo), k.value - number<F>(1));
}
/// half_exp of a where a is large, result elsewhere; a is |x|, NaN stays NaN.
template <FloatLane F>
ENGINE_LANE F or_half_exp(Mask<F> large, F a, F result) noexcept {
  const F y = select(a < number<F>(sizeof(ItemOf<F>) == 8 ? 720 : 92), half_exp(a), a * infinity<F>());
  return select(large, y, result);
}

template <FloatLane F>
ENGINE_LANE F sinh(F x) noexcept {
  const F a = abs(x);
  const auto [k, r] = reduce_ln2<1>(a);
  const LaneBits<F> half = bits_of(number<F>(0.5)), n = bits_of(power_of_two<F>(k.bits)) - bits_of(number<F>(1));
  const F up = float_of(half + n), down = float_of(half - n);
  const F sh = up - down, ch = up + down, rest = (up - sh) - down;  // of k ln 2
  const F s = fma(ch, r.hi, sh), t = s - sh;
  const F z = r.hi * r.hi;
  const F tail = fma(z, fma(sh, cosh_series(z), t * sinh_series(z)), fma(ch, r.hi, -t) + fma(ch, r.lo, rest));
  const F y = s + tail;
  const Mask<F> odd = !(a < number<F>(sizeof(ItemOf<F>) == 8 ? 700 : 86));
  if (!any(odd)) return give_sign(y, x);
  return give_sign(or_half_exp(odd, a, y), x);
}

template <FloatLane F>
ENGINE_LANE F cosh(F x) noexcept {
  const F a = abs(x);
  const auto [k, r] = reduce_ln2<1>(a);
  const LaneBits<F> half = bits_of(number<F>(0.5)), n = bits_of(power_of_two<F>(k.bits)) - bits_of(number<F>(1));
  const F up = float_of(half + n), down = float_of(half - n);
  const F sh = up - down, ch = up + down, rest = down - (ch - up);  // of k ln 2
  const F s = fma(sh, r.hi, ch), t = s - ch;
  const F z = r.hi * r.hi;
  const F y = s + fma(z, fma(ch, cosh_series(z), t * sinh_series(z)), fma(sh, r.hi, rest - t));
  const Mask<F> odd = !(a < number<F>(sizeof(ItemOf<F>) == 8 ? 700 : 86));
  if (!any(odd)) return y;
  return or_half_exp(odd, a, y);
}

/// k ln 2 + log((2 + q) / (2 - q)) for q = q.hi + q.lo, |q| <= 0.401, k = 0 or k ln 2 > |q|; or half of it, of q twice as
/// large (kHalves = 2).
template <int kHalves, FloatLane F>
ENGINE_LANE F log_of_quotient(F k, Two<F> q) noexcept {
  using T = ItemOf<F>;
  constexpr T kHigh = (sizeof(T) == 8 ? T(kLn2High64) : T(kLn2High32)) / T(kHalves);
  constexpr T kLow = (sizeof(T) == 8 ? T(kLn2Low64) : T(kLn2Low32)) / T(kHalves);
  const F z = q.hi * q.hi;
  F p;
  if constexpr (DoubleLane<F>)
    p = estrin(z, kArtanh64[kHalves - 1]);
  else
    p = estrin(z, kArtanh32[kHalves - 1]);
  const F base = k * F(kHigh);
  const Two<F> sum = fast_two_sum(base, q.hi);
  return sum.hi + fma(q.hi * z, p, sum.lo + fma(k, F(kLow), q.lo));
}

/// For lanes outside (-1, 1) or close to its ends, where 1 + 2^k is not exact.
struct AtanhAtTheEnd {
  template <class T>
  ENGINE_LANE T operator()(T x) const noexcept {
    const T a = abs(x);
    if (!(a < T(1))) return a == T(1) ? with_sign(infinity<T>(), x) : not_a_number<T>();
    return with_sign(T(0.5) * log((T(1) + a) / (T(1) - a)), x);
  }
};

template <FloatLane F>
ENGINE_LANE F atanh(F x) noexcept {
  const F a = abs(x), one = number<F>(1);
  const LaneBits<F> unit = bits_of(one);
  // k = round(log2((1 + a) / (1 - a))), the logarithms taken as linear between powers of two (Mitchell, 1962).
  LaneBits<F> log2 = bits_of(one + a) - bits_of(one - a);
  F k, s;  // s = 2^k
  if constexpr (DoubleLane<F>) {
    log2 = log2 + LaneBits<F>(0x0008000000000000ul);
    k = float_of(shr<52>(log2) | bits_of(F(0x1p52))) - F(0x1p52);
    s = float_of((log2 & LaneBits<F>(0x7ff0000000000000ul)) + unit);
  } else {
    log2 = log2 + LaneBits<F>(0x00400000u);
    k = float_of(shr<23>(log2) | bits_of(F(0x1p23f))) - F(0x1p23f);
    s = float_of((log2 & LaneBits<F>(0x7f800000u)) + unit);
  }
  const F less = one - s, more = one + s;
  // E - 2^k and E + 2^k for E = (1 + a) / (1 - a), times 1 - a. The first is exact but for k = 1 and a < 1/4, where it is
  // wrong by 2^-3 ulp; the error of the second only counts, and only can be had so, for k <= 2.
  const F n = fma(a, more, less), d = fma(a, less, more);
  const F d_low = select(s < number<F>(8), fma(a, less, more - d), number<F>(0));
  const F y = give_sign(log_of_quotient<2>(k, quotient<F>(n, {d, d_low})), x);
  const Mask<F> odd = !(a < number<F>(sizeof(ItemOf<F>) == 8 ? 1 - 0x1p-49 : 1 - 0x1p-20));
  return patch(odd, x, y, AtanhAtTheEnd{});
}

/// log(x + r) for r = sqrt(x^2 + 1) (kSign = 1; then x >= 0) or sqrt(x^2 - 1) (-1; then x >= 1).
template <int kSign, FloatLane F>
ENGINE_LANE F log_of_sum(F x) noexcept {
  const F one = number<F>(1);
  const F radicand = fma(x, x, number<F>(kSign)), root = sqrt(radicand);
  F residual;
  if constexpr (kSign > 0) {
    residual = fma(x, x, fma(-root, root, one));
  } else {  // near 1 the rounding of x^2 - 1 counts
    const F square = x * x;
    residual = fma(-root, root, radicand) + (((square - one) - radicand) + fma(x, x, -square));
  }
  const Two<F> r = {root, residual * (rough_reciprocal(root) * number<F>(0.5))};
  const F big = kSign > 0 ? r.hi : x, small = kSign > 0 ? x : r.hi;
  const F e = x + r.hi, e_low = (small - (e - big)) + r.lo;
  const Scaled<F> part = split_exponent(e);
  const LaneBits<F> near = bits_of(e) - (bits_of(part.m) - bits_of(one));  // 2^k
  const F s = float_of(near), half = s * number<F>(0.5);
  const Mask<F> first = s == one;
  // E - 2^k over (E + 2^k)/2; for k = 0 that is x over (1 + r)/2, or r over (1 + x)/2.
  const Two<F> top = kSign > 0 ? Two<F>{select(first, x, e - s), select(first, number<F>(0), e_low)}
                               : Two<F>{select(first, r.hi, e - s), select(first, r.lo, e_low)};
  const Two<F> plus = kSign > 0 ? Two<F>{select(first, r.hi, e), select(first, r.lo, e_low)}
                                : Two<F>{select(first, x, e), select(first, number<F>(0), e_low)};
  const F d = fma(plus.hi, number<F>(0.5), half);
  const F d_low = fma(plus.hi, number<F>(0.5), half - d) + plus.lo * number<F>(0.5);
  return log_of_quotient<1>(part.k, quotient(top, {d, d_low}));
}

/// log(2 x) for normal x.
template <FloatLane F>
ENGINE_LANE F log_of_twice(F x) noexcept {
  const Scaled<F> part = split_exponent(x);
  const F k = part.k + number<F>(1);
  return log_sum(k, part.m - number<F>(1), k * ln2_low<F>());
}

template <FloatLane F>
ENGINE_LANE F asinh(F x) noexcept {
  const F a = abs(x);
  const F y = log_of_sum<1>(a);
  const Mask<F> odd = !(a < number<F>(sizeof(ItemOf<F>) == 8 ? 0x1p28 : 0x1p13));
  if (!any(odd)) return give_sign(y, x);
  return give_sign(select(odd, select(a < infinity<F>(), log_of_twice(a), a), y), x);
}

template <FloatLane F>
ENGINE_LANE F acosh(F x) noexcept {
  const F y = log_of_sum<-1>(x);
  const Mask<F> odd = !((x >= number<F>(1)) & (x < number<F>(sizeof(ItemOf<F>) == 8 ? 0x1p28 : 0x1p13)));
  if (!any(odd)) return y;
  const F far = select(x < infinity<F>(), log_of_twice(x), x);
  return select(odd, select(x >= number<F>(1), far, not_a_number<F>()), y);
}

}  // namespace engine::math

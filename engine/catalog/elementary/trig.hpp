// catalog/elementary/trig.hpp - sin, cos, tan.
//
// x = k pi/2 + r + low with |r| <= pi/4, for every finite x, and r + low right to far more than the item's digits:
//   below reduce_limit   pi/2 in three parts (Cody & Waite, Software Manual for the Elementary Functions, 1980). x - k High is
//                        exact in one fma, for all are multiples of the same last bit; the second step keeps its error
//                        (fast two-sum, exact since r0 is a multiple of k Middle's last bit: Rump, Ogita & Oishi, SIAM J.
//                        Sci. Comput. 31, 2008), and the third part goes below it.
//   above                the digits of 2/pi that matter times the mantissa in integers (Payne & Hanek, SIGNUM Newsletter 18, 1983),
//                        one lane at a time.
// sin(r) = r + r^3 p(r^2), cos(r) = 1 + r^2 (-1/2 + r^2 q(r^2)), minimax polynomials, with `low`
// where it counts; k mod 4 picks and signs.
// tan(r) = r + r^3 (c + r^2 p(r^2)) likewise; a quarter turn further -1 / tan(r), the quotient corrected by its remainder.
// fast_tan does without `low` and without that correction: r is right to some ulp, as is what is made of it.
#pragma once

#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/trig_coefficients.hpp"

namespace engine::math {

/// An angle: `quarters` pi/2 + hi + lo, the first as round_to_int leaves it, counted modulo 4. square: (hi + lo)^2.
template <FloatLane F>
struct Angle {
  F hi, lo, square;
  LaneBits<F> quarters;
};
/// Up to here reduce() is exact: k < 2^25 keeps k Middle exact in double; in float the rounding of 2/pi must not matter to k.
template <FloatLane F>
ENGINE_LANE F reduce_limit() noexcept {
  if constexpr (DoubleLane<F>)
    return F(0x1p25);
  else
    return F(0x1p17f);
}

template <FloatLane F>
ENGINE_LANE Angle<F> angle(F hi, F lo, LaneBits<F> quarters) noexcept {
  return {hi, lo, fma(hi, hi, (hi + hi) * lo), quarters};
}

/// The angle of 0 <= x < reduce_limit.
template <DoubleLane F>
ENGINE_LANE Angle<F> reduce(F x) noexcept {
  const Rounded<F> k = round_to_int(x, F(kQuartersPerOne64));
  const F r0 = fma(k.value, F(-kQuarterHigh64), x);
  const F r = fma(k.value, F(-kQuarterMiddle64), r0);
  return angle(r, fma(k.value, F(-kQuarterLow64), fma(k.value, F(-kQuarterMiddle64), r0 - r)), k.bits);
}
template <SingleLane F>
ENGINE_LANE Angle<F> reduce(F x) noexcept {
  const Rounded<F> k = round_to_int(x, F(kQuartersPerOne32));
  const F r0 = fma(k.value, F(-kQuarterHigh32), x);
  const Two<F> middle = two_product(k.value, F(-kQuarterMiddle32));
  const F r = r0 + middle.hi;
  return angle(r, fma(k.value, F(-kQuarterLow32), ((r0 - r) + middle.hi) + middle.lo), k.bits);
}

/// The upper half of a * b.
ENGINE_LANE unsigned long high_product(unsigned long a, unsigned long b) noexcept {
#if defined(__CUDACC_RTC__)
  return __umul64hi(a, b);
#else
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<unsigned long>(static_cast<Wide>(a) * b >> 64);
#endif
}
/// The number of zeros above the highest one of a, which is not 0.
ENGINE_LANE int leading_zeros(unsigned long a) noexcept {
#if defined(__CUDACC_RTC__)
  return __clzll(static_cast<long long>(a));
#else
  return __builtin_clzl(a);
#endif
}
/// 64 bits of 2/pi: the i-th word from the bit at `place` of the table on.
ENGINE_LANE unsigned long digits_of_two_over_pi(unsigned place, unsigned i) noexcept {
  const unsigned long* word = kTwoOverPi + place / 64 + i;
  return place % 64 == 0 ? word[0] : word[0] << place % 64 | word[1] >> (64 - place % 64);
}

/// The angle of a finite x >= 2^25. x = m 2^e; with w the 192 bits of 2/pi from the one of weight 2^(1 - e) on, m w mod 2^192
/// is x 2/pi mod 4, times 2^190 and short by less than m: 2^-137 of a quarter turn. No double is within 2^-62 of a multiple.
ENGINE_LANE Angle<double> reduce_huge(double x) noexcept {
  const unsigned long bits = bits_of(x), m = (bits & 0x000ffffffffffffful) | 0x0010000000000000ul;
  const unsigned place = static_cast<unsigned>(bits >> 52) - 1013;  // e + 62, as bit i of 2/pi is number 63 + i of the table
  const unsigned long w0 = digits_of_two_over_pi(place, 0), w1 = digits_of_two_over_pi(place, 1), w2 = digits_of_two_over_pi(place, 2);
  const unsigned long carried = high_product(m, w2), low = m * w2, middle = m * w1 + carried;
  const unsigned long high = m * w0 + high_product(m, w1) + (middle < carried ? 1 : 0);
  const unsigned long quarters = (high + 0x2000000000000000ul) >> 62;
  // What is left of the quarters is a signed fraction in two words; its complement is short by one more last bit.
  unsigned long head = high << 2 | middle >> 62, tail = middle << 2 | low >> 62;
  const unsigned long sign = head & 0x8000000000000000ul;
  if (sign != 0) head = ~head, tail = ~tail;
  const int zeros = head == 0 ? 63 : leading_zeros(head);
  if (zeros != 0) head = head << zeros | tail >> (64 - zeros), tail = tail << zeros;
  const double unit = float_of(static_cast<unsigned long>(1023 - 64 - zeros) << 52);  // weight of head's last bit
  const double first = static_cast<double>(head & ~0x7fful) * unit;
  const double second = static_cast<double>((head & 0x7fful) << 52 | tail >> 12) * (unit * 0x1p-52);
  const double product = first * kQuarterHigh64;
  const double rest = fma(first, kQuarterHigh64, -product) + (first * kQuarterRest64 + second * kQuarterHigh64);
  const Two<double> sum = fast_two_sum(product, rest);
  return angle(float_of(bits_of(sum.hi) ^ sign), float_of(bits_of(sum.lo) ^ sign), quarters);
}
/// The angle of a finite float x >= 2^6, in double: one word of the fraction is enough, as none is within 2^-30 of a multiple.
ENGINE_LANE Angle<double> reduce_huge(float x) noexcept {
  const unsigned bits = bits_of(x);
  const unsigned long m = (bits & 0x007fffffu) | 0x00800000u;
  const unsigned place = (bits >> 23) - 88;  // e + 62, e = exponent - 150
  const unsigned long high = m * digits_of_two_over_pi(place, 0) + high_product(m, digits_of_two_over_pi(place, 1));
  const double fraction = static_cast<double>(static_cast<long>(high << 2));
  return angle(fraction * (kQuarterHigh64 * 0x1p-64), 0.0, (high + 0x2000000000000000ul) >> 62);
}

/// sin(hi + lo) and cos(hi + lo). Where the last digits do not count hi^2 is used, which is there before `square`.
template <DoubleLane F>
ENGINE_LANE F sine(const Angle<F>& a) noexcept {
  return a.hi + fma(a.hi * a.square, even_odd(a.hi * a.hi, kSin64), a.lo);
}
template <SingleLane F>
ENGINE_LANE F sine(const Angle<F>& a) noexcept {
  return a.hi + fma(a.hi * a.square, horner(a.hi * a.hi, kSin32), a.lo);
}
template <DoubleLane F>
ENGINE_LANE F cosine(const Angle<F>& a) noexcept {
  return fma(a.square, fma(a.hi * a.hi, even_odd(a.hi * a.hi, kCos64), F(-0.5)), F(1.0));
}
template <SingleLane F>
ENGINE_LANE F cosine(const Angle<F>& a) noexcept {
  return fma(a.square, fma(a.hi * a.hi, horner(a.hi * a.hi, kCos32), F(-0.5f)), F(1.0f));
}

/// sin(hi + lo + quarters pi/2); cos is a quarter turn further.
template <FloatLane F>
ENGINE_LANE F turned_sine(const Angle<F>& a, LaneBits<F> quarters) noexcept {
  const F y = select(disjoint(quarters, LaneBits<F>(1u)), sine(a), cosine(a));
  return with_flipped_sign(y, float_of(shl<8 * sizeof(ItemOf<F>) - 2>(quarters)));
}

// What patch calls: any x that is not below the limit. For float they compute in double, and round once more at the end.
template <class T>
ENGINE_LANE T sin_huge(T x) noexcept {
  if (!(abs(x) < infinity<T>())) return not_a_number<T>();
  const Angle<double> a = reduce_huge(abs(x));
  return with_flipped_sign(static_cast<T>(turned_sine(a, a.quarters)), x);
}
template <class T>
ENGINE_LANE T cos_huge(T x) noexcept {
  if (!(abs(x) < infinity<T>())) return not_a_number<T>();
  const Angle<double> a = reduce_huge(abs(x));
  return static_cast<T>(turned_sine(a, a.quarters + 1));
}

template <FloatLane F>
ENGINE_LANE F sin(F x) noexcept {
  const F magnitude = abs(x);
  const Angle<F> a = reduce(magnitude);
  const F y = with_flipped_sign(turned_sine(a, a.quarters), x);
  return patch(!(magnitude < reduce_limit<F>()), x, y, [](ItemOf<F> huge) { return sin_huge(huge); });
}
template <FloatLane F>
ENGINE_LANE F cos(F x) noexcept {
  const F magnitude = abs(x);
  const Angle<F> a = reduce(magnitude);
  const F y = turned_sine(a, a.quarters + LaneBits<F>(1u));
  return patch(!(magnitude < reduce_limit<F>()), x, y, [](ItemOf<F> huge) { return cos_huge(huge); });
}

/// tan(hi + lo) - hi, for |hi| <= pi/4. The first term of the series gets its own step, as its error is most of all.
template <FloatLane F>
ENGINE_LANE F tangent_tail(const Angle<F>& a) noexcept {
  const F z = a.hi * a.hi, cube = a.hi * z;
  // What z lacks of (hi + lo)^2, times the slope of tan(r) / r by r^2, nearly: most counts near pi/4.
  const F square_low = fma(a.hi + a.hi, a.lo, fma(a.hi, a.hi, -z)), low = fma(square_low, a.hi * F(ItemOf<F>(0.66)), a.lo);
  if constexpr (DoubleLane<F>)
    return fma(cube, F(kThird64), fma(cube * z, even_odd(z, kTan64), low));
  else
    return fma(cube, F(kThird32), fma(cube * z, horner(z, kTan32), low));
}
/// tan(hi + lo + quarters pi/2).
template <FloatLane F>
ENGINE_LANE F turned_tangent(const Angle<F>& a) noexcept {
  using T = ItemOf<F>;
  const Two<F> t = fast_two_sum(a.hi, tangent_tail(a));
  const F inverse = F(T(1)) / t.hi;
  const F cotangent = fma(inverse, fma(-inverse, t.lo, fma(-inverse, t.hi, F(T(1)))), inverse);
  const F y = select(disjoint(a.quarters, LaneBits<F>(1u)), t.hi, cotangent);
  return with_flipped_sign(y, float_of(shl<8 * sizeof(T) - 1>(a.quarters)));
}
template <class T>
ENGINE_LANE T tan_huge(T x) noexcept {
  if (!(abs(x) < infinity<T>())) return not_a_number<T>();
  return with_flipped_sign(static_cast<T>(turned_tangent(reduce_huge(abs(x)))), x);
}
template <FloatLane F>
ENGINE_LANE F tan(F x) noexcept {
  const F magnitude = abs(x);
  const F y = with_flipped_sign(turned_tangent(reduce(magnitude)), x);
  return patch(!(magnitude < reduce_limit<F>()), x, y, [](ItemOf<F> huge) { return tan_huge(huge); });
}

// ---- within 4 ulp -----------------------------------------------------------------------------------------------------

/// r of 0 <= x < reduce_limit, rounded at each of three steps.
template <DoubleLane F>
ENGINE_LANE Rounded<F> reduce_fast(F x) noexcept {
  const Rounded<F> k = round_to_int(x, F(kQuartersPerOne64));
  return {fma(k.value, F(-kQuarterLow64), fma(k.value, F(-kQuarterMiddle64), fma(k.value, F(-kQuarterHigh64), x))), k.bits};
}
template <SingleLane F>
ENGINE_LANE Rounded<F> reduce_fast(F x) noexcept {
  const Rounded<F> k = round_to_int(x, F(kQuartersPerOne32));
  return {fma(k.value, F(-kQuarterLow32), fma(k.value, F(-kQuarterMiddle32), fma(k.value, F(-kQuarterHigh32), x))), k.bits};
}
template <FloatLane F>
ENGINE_LANE F fast_tan(F x) noexcept {
  using T = ItemOf<F>;
  const F magnitude = abs(x);
  const Rounded<F> r = reduce_fast(magnitude);
  const F z = r.value * r.value;
  F slope;
  if constexpr (DoubleLane<F>)
    slope = fma(z, even_odd(z, kTan64), F(kThird64));
  else
    slope = fma(z, horner(z, kTan32), F(kThird32));
  const F t = fma(r.value * z, slope, r.value);
  const F turned = with_flipped_sign(select(disjoint(r.bits, LaneBits<F>(1u)), t, F(T(1)) / t), float_of(shl<8 * sizeof(T) - 1>(r.bits)));
  return patch(!(magnitude < reduce_limit<F>()), x, with_flipped_sign(turned, x), [](ItemOf<F> huge) { return tan_huge(huge); });
}

}  // namespace engine::math

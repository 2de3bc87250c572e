// catalog/elementary/inverse_trig.hpp - atan, atan2, asin, acos.
//
// The angle of the slope a = y/x >= 0 is a multiple of pi/4 and the angle of a slope t of at most 3/5 (the addition theorem,
// at fewer places than FDLIBM's s_atan.c, Sun Microsystems, 1993):
//   a <= 3/5: 0 + atan(y / x)      a < 5/3: pi/4 + atan((y - x) / (y + x))      else pi/2 + atan(-x / y)
// atan(t) = t + t^3 p(t^2), a minimax polynomial. The multiple and t are added with their error kept (Dekker's fast two-sum).
// Where y - x is used it is exact (Sterbenz), and y + x off by so little that it costs a quarter ulp.//
// asin(s) = s + s^3 q(s^2) for s <= 1/2; above, asin(a) = pi/2 - 2 asin(s) with s = sqrt((1 - a) / 2) (FDLIBM, e_asin.c). acos
// needs the rounding error of s: (w - s^2) / (2 s), for which 1 / (2 s) is wanted to a few bits only: they come from w's.
#pragma once

#include "engine/catalog/elementary/inverse_trig_coefficients.hpp"
#include "engine/catalog/elementary/lane.hpp"

namespace engine::math {

/// The angle of the slope y/x, y and x >= 0: (2 + eighths) pi/4 + atan(numerator / denominator).
template <FloatLane F>
struct Slope {
  F numerator, denominator, eighths;
};
template <FloatLane F>
ENGINE_LANE Slope<F> slope(F y, F x) noexcept {
  using T = ItemOf<F>;
  const Mask<F> middle = y > x * F(T(0.6)), steep = y > x * F(T(5.0 / 3.0));
  return {select(steep, -x, select(middle, y - x, y)), select(steep, y, select(middle, y + x, x)),
          select(steep, F(T(0)), select(middle, F(T(-1)), F(T(-2))))};
}

/// eighths pi/4 + t + small + (atan(t) - t), where |t| <= 3/5.
template <DoubleLane F>
ENGINE_LANE F add_angle(F eighths, F t, F square, F small) noexcept {
  const Two<F> sum = fast_two_sum(eighths * F(kEighthHigh64), t);
  const F tail = fma(t * square, even_odd(square, kAtan64), fma(eighths, F(kEighthLow64), small));
  return sum.hi + (sum.lo + tail);
}
template <SingleLane F>
ENGINE_LANE F add_angle(F eighths, F t, F square, F small) noexcept {
  const Two<F> sum = fast_two_sum(eighths * F(kEighthHigh32), t);
  const F tail = fma(t * square, horner(square, kAtan32), fma(eighths, F(kEighthLow32), small));
  return sum.hi + (sum.lo + tail);
}

template <FloatLane F>
ENGINE_LANE F atan(F x) noexcept {
  using T = ItemOf<F>;
  const Slope<F> s = slope(abs(x), F(T(1)));
  const F t = s.numerator / s.denominator;
  return with_flipped_sign(add_angle(s.eighths + F(T(2)), t, t * t, F(T(0))), x);
}

/// atan2 of what has no extreme exponents. Here the quotient t needs its rounding error, so one division gives 1 / denominator.
/// For x < 0 the angle is pi less that of -x: the other way from pi/2.
template <FloatLane F>
ENGINE_LANE F atan2_of_slope(const Slope<F>& s, F y, F x) noexcept {
  using T = ItemOf<F>;
  const F inverse = F(T(1)) / s.denominator, numerator = with_flipped_sign(s.numerator, x);
  const F t = numerator * inverse;
  const F low = fma(-t, s.denominator, numerator) * inverse, square = t * t;
  const F small = low * fma(square, F(T(-0.74)), F(T(1)));  // times 1 / (1 + t^2), nearly
  return with_flipped_sign(add_angle(F(T(2)) + with_flipped_sign(s.eighths, x), t, square, small), y);
}

/// What patch calls: zeros, infinities, NaN, and numbers so large or small that a step above would overflow or lose digits.
template <class T>
ENGINE_LANE T atan2_rare(T y, T x) noexcept {
  constexpr T kUp = sizeof(T) == 8 ? T(0x1p600) : T(0x1p100f), kDown = sizeof(T) == 8 ? T(0x1p-600) : T(0x1p-48f);
  constexpr T kFar = sizeof(T) == 8 ? T(0x1p-60) : T(0x1p-30f);
  if (x != x || y != y) return not_a_number<T>();
  T ay = abs(y), ax = abs(x);
  if (ay == infinity<T>() && ax == ay) ay = ax = T(1);
  const bool behind = (bits_of(x) & sign_bit<T>()) != 0;
  // Flat: the quotient is the angle, and beside pi it vanishes; so does the other beside pi/2.
  if (ay <= ax * kFar) return with_sign(behind ? add_angle(T(4), T(0), T(0), T(0)) : ay == T(0) ? ay : ay / ax, y);
  if (ax <= ay * kFar) return with_sign(add_angle(T(2), T(0), T(0), T(0)), y);
  const T scale = ay > T(1) || ax > T(1) ? kDown : kUp;
  return atan2_of_slope(slope(ay * scale, ax * scale), y, x);
}

template <FloatLane F>
ENGINE_LANE F atan2(F y, F x) noexcept {
  using T = ItemOf<F>;
  constexpr T kLeast = sizeof(T) == 8 ? T(0x1p-900) : T(0x1p-70f), kMost = sizeof(T) == 8 ? T(0x1p900) : T(0x1p100f);
  const Slope<F> s = slope(abs(y), abs(x));
  const F result = atan2_of_slope(s, y, x);
  // A numerator of 0 is well: less one in its bits it is NaN, which is not below the least.
  const F n = float_of((bits_of(s.numerator) & ~sign_bit<F>()) - LaneBits<F>(1u)), d = s.denominator;
  const Mask<F> plain = (d > F(kLeast)) & (d < F(kMost)) & !(n < F(kLeast));
  return patch(!plain, y, x, result, [](T a, T b) { return atan2_rare(a, b); });
}

/// About 1 / (2 sqrt(w)), for positive normal w.
template <FloatLane F>
ENGINE_LANE F half_inverse_root(F w) noexcept {
  if constexpr (DoubleLane<F>)
    return float_of(LaneBits<F>(kRootMagic64) - shr<1>(bits_of(w)));
  else
    return float_of(LaneBits<F>(kRootMagic32) - shr<1>(bits_of(w)));
}

/// For a <= 1/2 asin(a) = s + tail; for a up to 1 asin(a) = pi/2 - 2 (s + tail), acos(a) = 2 (s + tail);
/// beyond that s is NaN.
template <FloatLane F>
struct ArcSine {
  Mask<F> large;
  F s, tail;
};
template <FloatLane F>
ENGINE_LANE ArcSine<F> arc_sine(F a) noexcept {
  using T = ItemOf<F>;
  const Mask<F> large = a > F(T(0.5));
  const F w = fma(a, F(T(-0.5)), F(T(0.5))), r = sqrt(w);  // w is exact where it is used; for a > 1 there is no root
  const F s = select(large, r, a), z = select(large, w, a * a);
  const F low = select(large, fma(-r, r, w) * half_inverse_root(w), F(T(0)));
  if constexpr (DoubleLane<F>)
    return {large, s, fma(s * z, even_odd(z, kAsin64), low)};
  else
    return {large, s, fma(s * z, horner(z, kAsin32), low)};
}
/// eighths pi/4 + factor (s + tail), where factor is a power of two.
template <FloatLane F>
ENGINE_LANE F add_arc(F eighths, F factor, const ArcSine<F>& arc) noexcept {
  if constexpr (DoubleLane<F>) {
    const Two<F> sum = fast_two_sum(eighths * F(kEighthHigh64), factor * arc.s);
    return sum.hi + (sum.lo + fma(factor, arc.tail, eighths * F(kEighthLow64)));
  } else {
    const Two<F> sum = fast_two_sum(eighths * F(kEighthHigh32), factor * arc.s);
    return sum.hi + (sum.lo + fma(factor, arc.tail, eighths * F(kEighthLow32)));
  }
}

template <FloatLane F>
ENGINE_LANE F asin(F x) noexcept {
  using T = ItemOf<F>;
  const ArcSine<F> arc = arc_sine(abs(x));
  const F y = add_arc(select(arc.large, F(T(2)), F(T(0))), select(arc.large, F(T(-2)), F(T(1))), arc);
  return with_flipped_sign(y, x);
}

template <FloatLane F>
ENGINE_LANE F acos(F x) noexcept {
  using T = ItemOf<F>;
  const ArcSine<F> arc = arc_sine(abs(x));
  // pi/2 - asin(x); 2 (s + tail) or pi less that
  const F eighths = select(arc.large, select(x < F(T(0)), F(T(4)), F(T(0))), F(T(2)));
  return add_arc(eighths, with_flipped_sign(select(arc.large, F(T(2)), F(T(-1))), x), arc);
}

}  // namespace engine::math

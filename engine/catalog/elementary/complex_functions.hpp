// catalog/elementary/complex_functions.hpp - the elementary functions of complex numbers.
//
// Branch cuts and special values are those of C99, Annex G. The error is at most 4 eps of the magnitude of the result, eps =
// 2^-52 (2^-23 in float), or of the least normal number where the result is smaller; most parts are as good by themselves.
// What is not in C99 (exp2, expm1, log2, log10, log1p) follows its neighbour there. No step overflows or underflows where
// the result does not.
//   exp, sinh, cosh    by the real functions of the parts; where exp(x) overflows its exponent is kept apart
//   log                |z|^2 - 1 = 2 d + d^2 + b^2 near |z| = 1 and |z|^2 elsewhere, as hi + lo
//   tanh               sinh x cosh x and sin y cos y over sinh^2 x + cos^2 y (Kahan, Branch Cuts for Complex Elementary Functions,
//                      1987, with sin and cos in the place of tan: there are no infinite tangents)
//   atanh              log1p(4x / ((1 - x)^2 + y^2)) / 4 and half the angle of (1 - x^2 - y^2, 2y) (Kahan, ibid.)
//   asin, acos         Hull, Fairgrieve & Tang, ACM TOMS 23, 1997; where they go to asymptotic forms, acosh and asinh of a part
//   power              see there
// The others are these turned: asinh(z) = -i asin(iz) and the like, as Annex G defines them.
#pragma once

#include "engine/catalog/elementary/complex_coefficients.hpp"
#include "engine/catalog/elementary/elementary.hpp"

namespace engine::math {

template <class T>
struct Complex {
  T re, im;
};

// ---- words ----------------------------------------------------------------------------------------------------------------

template <class T>
inline constexpr bool kIsDouble = sizeof(T) == 8;

template <class T>
ENGINE_LANE bool is_finite(T x) noexcept {
  return abs(x) < infinity<T>();
}
/// i z and -i z.
template <class T>
ENGINE_LANE Complex<T> turned_left(Complex<T> z) noexcept {
  return {-z.im, z.re};
}
template <class T>
ENGINE_LANE Complex<T> turned_right(Complex<T> z) noexcept {
  return {z.im, -z.re};
}
template <class T>
ENGINE_LANE Complex<T> both_nan() noexcept {
  return {not_a_number<T>(), not_a_number<T>()};
}

template <class T>
ENGINE_LANE T pi_over(int n) noexcept {
  return T(3.141592653589793238462643383279502884) / T(n);  // n: 1, 2, 4
}
/// ln 2 and what its rounding to T leaves.
template <class T>
ENGINE_LANE Two<T> ln2_in_two() noexcept {
  if constexpr (kIsDouble<T>)
    return {kLn2Nearest64, kLn2NearestRest64};
  else
    return {kLn2Nearest32, kLn2NearestRest32};
}

/// 2^n for normal powers.
template <class T>
ENGINE_LANE T two_to(int n) noexcept {
  if constexpr (kIsDouble<T>)
    return float_of(static_cast<unsigned long>(n + 1023) << 52);
  else
    return float_of(static_cast<unsigned>(n + 127) << 23);
}
/// floor(log2(a)) for positive normal a.
template <class T>
ENGINE_LANE int exponent_of(T a) noexcept {
  if constexpr (kIsDouble<T>)
    return static_cast<int>(bits_of(a) >> 52) - 1023;
  else
    return static_cast<int>(bits_of(a) >> 23) - 127;
}

/// The magnitudes of two parts, not both 0, finite, over 2^exponent: the larger one in [1, 2). The smaller one may underflow.
template <class T>
struct Pair {
  T x, y;
  int exponent;
};
template <class T>
ENGINE_LANE Pair<T> scaled_pair(T x, T y) noexcept {
  constexpr int kShift = kIsDouble<T> ? 60 : 30;
  constexpr T kTop = kIsDouble<T> ? T(0x1p1000) : T(0x1p120f), kBottom = kIsDouble<T> ? T(0x1p-960) : T(0x1p-90f);
  T a = abs(x), b = abs(y);
  int exponent = 0;
  if (a > kTop || b > kTop) {
    a = a * two_to<T>(-kShift), b = b * two_to<T>(-kShift), exponent = kShift;
  } else if (a < kBottom && b < kBottom) {
    a = a * two_to<T>(kShift), b = b * two_to<T>(kShift), exponent = -kShift;
  }
  const int e = exponent_of(a > b ? a : b);
  const T unit = two_to<T>(-e);
  return {a * unit, b * unit, exponent + e};
}
/// x^2 + y^2, of numbers whose squares neither overflow nor matter where they underflow.
template <class T>
ENGINE_LANE Two<T> sum_of_squares(T x, T y) noexcept {
  const Two<T> xx = two_product(x, x), yy = two_product(y, y), sum = two_sum(xx.hi, yy.hi);
  return fast_two_sum(sum.hi, sum.lo + (xx.lo + yy.lo));
}

/// |z|: infinite where a part is, even beside NaN.
template <class T>
ENGINE_LANE T absolute(Complex<T> z) noexcept {
  return hypot(z.re, z.im);
}

/// sin(y), cos(y) and cos(y) - 1.
template <class T>
struct SinCos {
  T sin, cos, cos_less_one;
};
template <class T>
ENGINE_LANE SinCos<T> sin_cos_of(const Angle<T>& a) noexcept {
  T p;
  if constexpr (kIsDouble<T>)
    p = estrin(a.hi * a.hi, kCos64);
  else
    p = horner(a.hi * a.hi, kCos32);
  const T s = sine(a), less = a.square * fma(a.hi * a.hi, p, T(-0.5)), c = cosine(a);
  switch (a.quarters & 3) {
    case 0:
      return {s, c, less};
    case 1:
      return {c, -s, -s - T(1)};
    case 2:
      return {-s, -c, -c - T(1)};
    default:
      return {-c, s, s - T(1)};
  }
}
/// Of finite y.
template <class T>
ENGINE_LANE SinCos<T> sin_cos(T y) noexcept {
  const T magnitude = abs(y);
  SinCos<T> r;
  if (magnitude < reduce_limit<T>()) {
    r = sin_cos_of(reduce(magnitude));
  } else {
    const SinCos<double> wide = sin_cos_of(reduce_huge(magnitude));
    r = {static_cast<T>(wide.sin), static_cast<T>(wide.cos), static_cast<T>(wide.cos_less_one)};
  }
  return {with_flipped_sign(r.sin, y), r.cos, r.cos_less_one};
}
/// Of y.hi + y.lo, right to T's digits while y.lo is.
template <class T>
ENGINE_LANE SinCos<T> sin_cos(Two<T> y) noexcept {
  const SinCos<T> a = sin_cos(y.hi);
  T s = y.lo, c = T(-0.5) * y.lo * y.lo;  // sin and cos - 1 of the rest
  if (!(abs(s) < (kIsDouble<T> ? T(0x1p-18) : T(0x1p-9f)))) {
    const SinCos<T> rest = sin_cos(s);
    s = rest.sin, c = rest.cos_less_one;
  }
  const T sin = a.sin + fma(a.sin, c, a.cos * s), cos = a.cos + fma(a.cos, c, -(a.sin * s));
  return {sin, cos, cos - T(1)};
}

/// m 2^k; m near 1.
template <class T>
struct Power {
  T m;
  int k;
};
/// exp(x.hi + x.lo); what is beyond all ranges is cut to where it still is.
template <class T>
ENGINE_LANE Power<T> power_in_parts(Two<T> x) noexcept {
  constexpr T kEnd = kIsDouble<T> ? T(1500) : T(200);
  if (abs(x.hi) > kEnd) x = {with_sign(kEnd, x.hi), T(0)};
  Rounded<T> k;
  if constexpr (kIsDouble<T>)
    k = round_to_int(x.hi, kLog2E64);
  else
    k = round_to_int(x.hi, kLog2E32);
  const T near = fma(-k.value, ln2_high<T>(), x.hi), rest = fma(-k.value, ln2_low<T>(), x.lo);
  const Two<T> r = two_sum(near, rest), one = fast_two_sum(T(1), r.hi);
  T p;
  if constexpr (kIsDouble<T>)
    p = estrin(r.hi, kExp64);
  else
    p = horner(r.hi, kExp32);
  if (!(x.hi == x.hi)) return {x.hi, 0};
  return {one.hi + fma(r.hi * r.hi, p, one.lo + fma(r.hi, r.lo, r.lo)), static_cast<int>(k.value)};
}
/// e (c + i s), for |c| and |s| up to 1: each part rounds once more, whatever e is.
template <class T>
ENGINE_LANE Complex<T> times(Power<T> e, T c, T s) noexcept {
  constexpr int kPlain = kIsDouble<T> ? 1020 : 124;
  if (e.k > -kPlain && e.k < kPlain) {
    const T scale = e.m * two_to<T>(e.k);
    return {scale * c, scale * s};
  }
  // In three steps, the first two of one size: with k < 0 only the last one is inexact, with k > 0 none.
  const int third = e.k / 3;
  const T first = two_to<T>(third), second = first * e.m, last = two_to<T>(e.k - 2 * third);
  return {c * first * second * last, s * first * second * last};
}

/// |1 + d + ib|^2 - 1 = 2d + d^2 + b^2, right to the last digits whatever cancels, if nothing of it is large.
template <class T>
ENGINE_LANE Two<T> square_less_one(T d, T b) noexcept {
  const Two<T> dd = two_product(d, d), bb = two_product(b, b);
  const Two<T> first = two_sum(d + d, bb.hi), second = two_sum(first.hi, dd.hi);
  return two_sum(second.hi, second.lo + (first.lo + (bb.lo + dd.lo)));
}
/// log|1 + d + ib|.
template <class T>
ENGINE_LANE T half_log1p(T d, T b) noexcept {
  return T(0.5) * log1p(square_less_one(d, b).hi);
}
/// log|x + iy|, of parts that are not NaN.
template <class T>
ENGINE_LANE T log_modulus(T x, T y) noexcept {
  T a = abs(x), b = abs(y);
  if (a < b) {
    const T t = a;
    a = b, b = t;
  }
  if (b == T(0) || a == infinity<T>()) return log(a);
  if (a > T(0.5) && a < T(2)) {
    const T square = fma(a, a, b * b);
    if (square > T(0.5) && square < T(3)) return half_log1p(a - T(1), b);
  }
  const Pair<T> p = scaled_pair(a, b);
  const Two<T> square = sum_of_squares(p.x, p.y);
  const T k = static_cast<T>(p.exponent), half = T(0.5) * log(square.hi);
  const Two<T> sum = two_sum(k * ln2_high<T>(), half);
  return sum.hi + (sum.lo + fma(k, ln2_low<T>(), T(0.5) * square.lo / square.hi));
}

// ---- functions ------------------------------------------------------------------------------------------------------------

template <class T>
ENGINE_LANE Complex<T> sqrt(Complex<T> z) noexcept {
  const T x = z.re, y = z.im;
  if (abs(y) == infinity<T>()) return {infinity<T>(), y};
  if (y != y) return abs(x) == infinity<T>() ? x > T(0) ? Complex<T>{x, y} : Complex<T>{y, infinity<T>()} : both_nan<T>();
  if (x != x) return both_nan<T>();
  if (y == T(0) || abs(x) == infinity<T>()) {
    if (x < T(0)) return {T(0), with_sign(sqrt(-x), y)};
    return {sqrt(abs(x)), with_sign(T(0), y)};
  }
  // Over an even power of two, a squared one of whose roots is (a + |.|) / 2 and the other y^2 / (2 (a + |.|)).
  Pair<T> p = scaled_pair(x, y);
  if (p.exponent & 1) p = {p.x * T(2), p.y * T(2), p.exponent - 1};
  const T r = sqrt(fma(p.x, p.x, p.y * p.y)), t = sqrt(T(0.5) * (p.x + r));
  const T large = t * two_to<T>(p.exponent / 2), small = abs(y) / large * T(0.5);
  return x < T(0) ? Complex<T>{small, with_sign(large, y)} : Complex<T>{large, with_sign(small, y)};
}

/// exp's values, and those of exp2, where the imaginary part is infinite or NaN. A NaN's sign is not asked: an operation that
/// makes one gives it another on x86 than on a GPU.
template <class T>
ENGINE_LANE Complex<T> exp_without_angle(Complex<T> z) noexcept {
  if (z.re == infinity<T>()) return {z.re, not_a_number<T>()};
  if (z.re == -infinity<T>()) return {T(0), z.im == z.im ? with_sign(T(0), z.im) : T(0)};
  return both_nan<T>();
}
template <class T>
ENGINE_LANE Complex<T> exp(Complex<T> z) noexcept {
  if (z.im == T(0)) return {exp(z.re), z.im};
  if (!is_finite(z.im)) return exp_without_angle(z);
  const SinCos<T> a = sin_cos(z.im);
  return times(power_in_parts(Two<T>{z.re, T(0)}), a.cos, a.sin);
}
/// For |im| up to 2^50 (2^22 in float) within the bound; beyond, the angle's error grows as im does.
template <class T>
ENGINE_LANE Complex<T> exp2(Complex<T> z) noexcept {
  if (z.im == T(0)) return {exp2(z.re), z.im};
  if (!is_finite(z.im)) return exp_without_angle(z);
  constexpr T kEnd = kIsDouble<T> ? T(2160) : T(288);
  const Two<T> ln2 = ln2_in_two<T>();
  const T angle = z.im * ln2.hi;
  const SinCos<T> a = sin_cos(Two<T>{angle, fma(z.im, ln2.lo, fma(z.im, ln2.hi, -angle))});
  const T x = abs(z.re) > kEnd ? with_sign(kEnd, z.re) : z.re, k = round_to_int(x).value, r = x - k, natural = r * ln2.hi;
  Power<T> e = power_in_parts(Two<T>{natural, fma(r, ln2.lo, fma(r, ln2.hi, -natural))});
  if (k == k) e.k += static_cast<int>(k);
  return times(e, a.cos, a.sin);
}
template <class T>
ENGINE_LANE Complex<T> expm1(Complex<T> z) noexcept {
  if (z.im == T(0)) return {expm1(z.re), z.im};
  if (!is_finite(z.im)) {
    const Complex<T> e = exp_without_angle(z);
    return {e.re - T(1), e.im};
  }
  const SinCos<T> a = sin_cos(z.im);
  const Complex<T> e = times(power_in_parts(Two<T>{z.re, T(0)}), a.cos, a.sin);
  if (!(abs(z.re) < T(1))) return {e.re - T(1), e.im};
  return {fma(expm1(z.re), a.cos, a.cos_less_one), e.im};
}

template <class T>
ENGINE_LANE bool has_nan(Complex<T> z) noexcept {
  return z.re != z.re || z.im != z.im;
}
/// The logarithms' values where a part is NaN.
template <class T>
ENGINE_LANE Complex<T> log_of_nan(Complex<T> z) noexcept {
  return {abs(z.re) == infinity<T>() || abs(z.im) == infinity<T>() ? infinity<T>() : not_a_number<T>(), not_a_number<T>()};
}
template <class T>
ENGINE_LANE Complex<T> log(Complex<T> z) noexcept {
  if (has_nan(z)) return log_of_nan(z);
  return {log_modulus(z.re, z.im), atan2(z.im, z.re)};
}
template <class T>
ENGINE_LANE Complex<T> log2(Complex<T> z) noexcept {
  if (has_nan(z)) return log_of_nan(z);
  constexpr T kFactor = T(1.442695040888963407359924681001892137);
  const T a = abs(z.re), b = abs(z.im);
  return {a == T(0) || b == T(0) ? log2(a + b) : kFactor * log_modulus(a, b), kFactor * atan2(z.im, z.re)};
}
template <class T>
ENGINE_LANE Complex<T> log10(Complex<T> z) noexcept {
  if (has_nan(z)) return log_of_nan(z);
  constexpr T kFactor = T(0.434294481903251827651128918916605082);
  const T a = abs(z.re), b = abs(z.im);
  return {a == T(0) || b == T(0) ? log10(a + b) : kFactor * log_modulus(a, b), kFactor * atan2(z.im, z.re)};
}
template <class T>
ENGINE_LANE Complex<T> log1p(Complex<T> z) noexcept {
  if (has_nan(z)) return log_of_nan(z);
  const T x = z.re, y = z.im, u = x + T(1);
  T re;
  if (y == T(0) && x > T(-1)) {
    re = log1p(x) + T(0);
  } else {
    const T square = fma(u, u, y * y);
    re = square > T(0.5) && square < T(3) ? half_log1p(x, y) : log_modulus(u, y);
  }
  return {re, atan2(y, u)};
}

/// exp(|x|) / 2 as m 2^k.
template <class T>
ENGINE_LANE Power<T> half_exp_in_parts(T x) noexcept {
  const Power<T> e = power_in_parts(Two<T>{abs(x), T(0)});
  return {e.m, e.k - 1};
}
template <class T>
inline constexpr T kHyperbolicLimit = kIsDouble<T> ? T(700) : T(86);  ///< up to here sinh and cosh are finite, with some room

template <class T>
ENGINE_LANE Complex<T> sinh(Complex<T> z) noexcept {
  const T x = z.re, y = z.im;
  if (y == T(0)) return {sinh(x), y};
  if (!is_finite(y)) return {x == T(0) || abs(x) == infinity<T>() ? x : not_a_number<T>(), not_a_number<T>()};
  const SinCos<T> a = sin_cos(y);
  if (abs(x) < kHyperbolicLimit<T>) return {sinh(x) * a.cos, cosh(x) * a.sin};
  const Complex<T> e = times(half_exp_in_parts(x), a.cos, a.sin);
  return {with_flipped_sign(e.re, x), e.im};
}
template <class T>
ENGINE_LANE Complex<T> cosh(Complex<T> z) noexcept {
  const T x = z.re, y = z.im;
  if (y == T(0)) return {cosh(x), with_flipped_sign(y, x)};
  if (!is_finite(y)) return {abs(x) == infinity<T>() ? abs(x) : not_a_number<T>(), x == T(0) ? T(0) : not_a_number<T>()};
  const SinCos<T> a = sin_cos(y);
  if (abs(x) < kHyperbolicLimit<T>) return {cosh(x) * a.cos, sinh(x) * a.sin};
  const Complex<T> e = times(half_exp_in_parts(x), a.cos, a.sin);
  return {e.re, with_flipped_sign(e.im, x)};
}
template <class T>
ENGINE_LANE Complex<T> tanh(Complex<T> z) noexcept {
  const T x = z.re, y = z.im;
  if (y == T(0)) return {tanh(x), y};
  if (!is_finite(y)) {
    if (abs(x) == infinity<T>()) return {with_sign(T(1), x), with_sign(T(0), y)};
    return {x == T(0) ? x : not_a_number<T>(), not_a_number<T>()};
  }
  const SinCos<T> a = sin_cos(y);
  if (abs(x) > (kIsDouble<T> ? T(22) : T(10))) return {with_sign(T(1), x), T(4) * exp(T(-2) * abs(x)) * (a.sin * a.cos)};
  const T s = sinh(x), d = fma(s, s, a.cos * a.cos);
  return {s * cosh(x) / d, a.sin * a.cos / d};
}
template <class T>
ENGINE_LANE Complex<T> sin(Complex<T> z) noexcept {
  return turned_right(sinh(turned_left(z)));
}
template <class T>
ENGINE_LANE Complex<T> cos(Complex<T> z) noexcept {
  return cosh(turned_left(z));
}
template <class T>
ENGINE_LANE Complex<T> tan(Complex<T> z) noexcept {
  return turned_right(tanh(turned_left(z)));
}

/// asin (kCosine: acos) of x + iy, both at least +0 or NaN; the imaginary part of acos without its sign.
template <bool kCosine, class T>
ENGINE_LANE Complex<T> arc(T x, T y) noexcept {
  const T half_pi = pi_over<T>(2), one = T(1), half = T(0.5);
  if (x == infinity<T>() || y == infinity<T>()) {
    if (x != x || y != y) return {not_a_number<T>(), infinity<T>()};
    return {x == y ? pi_over<T>(4) : (x < y) == kCosine ? half_pi : T(0), infinity<T>()};
  }
  if (x != x || y != y) return {x == T(0) ? kCosine ? half_pi : x : not_a_number<T>(), not_a_number<T>()};
  if (y == T(0)) {
    if (x > one) return {kCosine ? T(0) : half_pi, acosh(x)};
    return {kCosine ? acos(x) : asin(x), y};
  }
  constexpr T kTop = kIsDouble<T> ? T(0x1p509) : T(0x1p61f), kBottom = T(1) / kTop, kEpsilon = kIsDouble<T> ? T(0x1p-53) : T(0x1p-24f);
  const T more = x + one, less = x - one;
  if (x > kBottom && x < kTop && y > kBottom && y < kTop) {
    const T yy = y * y, r = sqrt(fma(more, more, yy)), s = sqrt(fma(less, less, yy));  // distances from -1 and 1
    const T a = half * (r + s), b = x / a;
    const T to_left = yy / (r + more);  // r - (x + 1)
    const T below = s - less, to_right = x < one ? yy / below : s + less;
    Complex<T> result;
    if (b <= T(0.6417)) {
      result.re = kCosine ? acos(b) : asin(b);
    } else {
      T q;  // sqrt(a^2 - x^2)
      if (x <= one)
        q = sqrt(half * (a + x) * (to_left + below));
      else
        q = y * sqrt(half * ((a + x) / (r + more) + (a + x) / (s + less)));
      result.re = kCosine ? atan(q / x) : atan(x / q);
    }
    if (a <= T(1.5)) {
      const T beyond = half * (to_left + to_right);  // a - 1
      result.im = log1p(beyond + sqrt(beyond * (a + one)));
    } else {
      result.im = log(a + sqrt(fma(a, a, -one)));
    }
    return result;
  }
  if (y <= kEpsilon * abs(less)) {  // close to the real axis
    if (x < one) return {kCosine ? acos(x) : asin(x), y / sqrt((one - x) * more)};
    return {kCosine ? x < kTop ? y / sqrt(less * more) : y / x : half_pi, acosh(x)};
  }
  if (y <= kBottom) return {kCosine ? sqrt(y) : half_pi - sqrt(y), sqrt(y)};  // x is 1
  if (x <= one && y < kTop) return {kCosine ? half_pi - x / sqrt(fma(y, y, one)) : x / sqrt(fma(y, y, one)), asinh(y)};
  // |z| is large: log(2z).
  return {kCosine ? atan2(y, x) : atan2(x, y), log_modulus(x, y) + ln2_in_two<T>().hi};
}
template <class T>
ENGINE_LANE Complex<T> asin(Complex<T> z) noexcept {
  const Complex<T> w = arc<false>(abs(z.re), abs(z.im));
  return {with_sign(w.re, z.re), with_sign(w.im, z.im)};
}
template <class T>
ENGINE_LANE Complex<T> acos(Complex<T> z) noexcept {
  const Complex<T> w = arc<true>(abs(z.re), abs(z.im));
  return {z.re < T(0) ? pi_over<T>(1) - w.re : w.re, with_sign(w.im, -z.im)};
}
template <class T>
ENGINE_LANE Complex<T> asinh(Complex<T> z) noexcept {
  const Complex<T> w = arc<false>(abs(z.im), abs(z.re));
  return {with_sign(w.im, z.re), with_sign(w.re, z.im)};
}
template <class T>
ENGINE_LANE Complex<T> acosh(Complex<T> z) noexcept {
  const Complex<T> w = arc<true>(abs(z.re), abs(z.im));
  return {w.im, with_sign(z.re < T(0) ? pi_over<T>(1) - w.re : w.re, z.im)};
}

template <class T>
ENGINE_LANE Complex<T> atanh(Complex<T> z) noexcept {
  const T x = abs(z.re), y = abs(z.im), one = T(1);
  constexpr T kFar = kIsDouble<T> ? T(0x1p54) : T(0x1p25f);
  if (x == T(0) || (y == T(0) && x <= one)) return {atanh(z.re), atan(z.im)};
  const T quarter_turn = with_sign(pi_over<T>(2), z.im);
  if (has_nan(z)) {
    const bool zero = x == infinity<T>() || y == infinity<T>();
    return {zero ? with_sign(T(0), z.re) : not_a_number<T>(), y == infinity<T>() ? quarter_turn : not_a_number<T>()};
  }
  if (x > kFar || y > kFar) {  // 1 / z beside a quarter turn
    if (x == infinity<T>() || y == infinity<T>()) return {with_sign(T(0), z.re), quarter_turn};
    const Pair<T> p = scaled_pair(x, y);
    return {with_sign(p.x / fma(p.x, p.x, p.y * p.y) * two_to<T>(-p.exponent / 2) * two_to<T>(p.exponent / 2 - p.exponent), z.re),
            quarter_turn};
  }
  const T less = one - x;
  const T re = x == one && y < T(0x1p-30) ? T(0.5) * (ln2_in_two<T>().hi - log(y)) : T(0.25) * log1p(T(4) * x / fma(less, less, y * y));
  return {with_sign(re, z.re), T(0.5) * atan2(T(2) * z.im, fma(-y, y, less * (one + x)))};
}
template <class T>
ENGINE_LANE Complex<T> atan(Complex<T> z) noexcept {
  return turned_right(atanh(turned_left(z)));
}

// ---- power ----------------------------------------------------------------------------------------------------------------
//
// z^w = exp(w log z), log z and the product as hi + lo to 2^-64 of it: within the bound while |w log z| < 2^12; beyond, where
// only the angle is still of a number, the error grows as |w log z| 2^-64. The logarithm of |z|^2 is that of pow.hpp; the angle is
// a multiple of pi/2, plus or minus atan(i/16) by a table and the angle of z turned back by it, of a slope up to 1/32. Float is
// computed in double, where 2^-53 of log z is enough.

ENGINE_LANE Two<double> sum_in_two(Two<double> a, Two<double> b) noexcept {
  const Two<double> s = two_sum(a.hi, b.hi);
  return fast_two_sum(s.hi, s.lo + (a.lo + b.lo));
}
ENGINE_LANE Two<double> product_in_two(Two<double> a, Two<double> b) noexcept {
  const Two<double> p = two_product(a.hi, b.hi);
  return fast_two_sum(p.hi, p.lo + fma(a.hi, b.lo, a.lo * b.hi));
}
ENGINE_LANE Two<double> negative_of(Two<double> a) noexcept { return {-a.hi, -a.lo}; }
/// a / b, b normal and far from the ends of the range.
ENGINE_LANE Two<double> quotient_in_two(Two<double> a, Two<double> b) noexcept {
  const double q = a.hi / b.hi;
  return fast_two_sum(q, (fma(-q, b.hi, a.hi) + fma(-q, b.lo, a.lo)) / b.hi);
}

/// log|x + iy| of a finite number that is not 0.
ENGINE_LANE Two<double> log_modulus_in_two(double x, double y) noexcept {
  const double a = abs(x) > abs(y) ? abs(x) : abs(y), b = abs(x) > abs(y) ? abs(y) : abs(x);
  // |z|^2 = 2^exponent / c (1 + f): near 1, 2^0 and c = 1.
  Two<double> f;
  double top = 0, rest = 0;
  if (a > 0.5 && a < 1.5 && abs(fma(a, a, fma(b, b, -1.0))) < 0x1p-7) {
    f = square_less_one(a - 1.0, b);
  } else {
    const Pair<double> p = scaled_pair(a, b);
    const Two<double> square = sum_of_squares(p.x, p.y);
    const PowPiece<double> piece = pow_piece(square.hi);
    f = {fma(piece.m, piece.row.a, -1.0), square.lo * two_to<double>(-static_cast<int>(piece.k)) * piece.row.a};
    top = (piece.k + 2.0 * p.exponent) + piece.row.b, rest = piece.row.c;
  }
  // As in pow.hpp; the derivative of log2(1 + f) times what f lacks.
  const double g = f.hi * 0.5, square = fma(-g, f.hi, f.hi), square_rest = fma(-g, f.hi, f.hi - square) + fma(-f.hi, f.lo, f.lo);
  const double hi = fma(square, kLog2E64, top);
  const double series = fma(f.hi * f.hi * f.hi, pow_log_series(f.hi), rest);
  const double lo = fma(square, kLog2E64, top - hi) + fma(square, kLog2ERest64, fma(square_rest, kLog2E64, series));
  const Two<double> natural = product_in_two(fast_two_sum(hi, lo), ln2_in_two<double>());
  return {0.5 * natural.hi, 0.5 * natural.lo};
}
/// The angle of the same.
ENGINE_LANE Two<double> angle_in_two(double x, double y) noexcept {
  const Pair<double> p = scaled_pair(x, y);
  const bool steep = p.y > p.x;
  const double a = steep ? p.y : p.x, b = steep ? p.x : p.y;
  const Rounded<double> i = round_to_int(b / a * 16.0);
  const int row = static_cast<int>(i.value);
  const double c = i.value * 0.0625;
  const Two<double> ac = two_product(a, c), bc = two_product(b, c);
  const Two<double> n = two_sum(b, -ac.hi), d = fast_two_sum(a, bc.hi);
  const Two<double> t = quotient_in_two(Two<double>{n.hi, n.lo - ac.lo}, Two<double>{d.hi, d.lo + bc.lo});
  const double z = t.hi * t.hi;
  // The odd series of atan; the next term is below 2^-63 of the first.
  const double p5 = fma(z, fma(z, fma(z, fma(z, -1.0 / 11, 1.0 / 9), -1.0 / 7), 1.0 / 5), -1.0 / 3);
  Two<double> angle = fast_two_sum(t.hi, fma(t.hi * z, p5, fma(-z, t.lo, t.lo)));
  angle = sum_in_two(Two<double>{kAtanOfSixteenths[row], kAtanOfSixteenthsRest[row]}, angle);
  if (steep) angle = sum_in_two(Two<double>{kHalfPi, kHalfPiRest}, negative_of(angle));
  if (x < 0) angle = sum_in_two(Two<double>{2 * kHalfPi, 2 * kHalfPiRest}, negative_of(angle));
  return (bits_of(y) & sign_bit<double>()) != 0 ? negative_of(angle) : angle;
}

/// z^w for finite z that is not 0, and finite w.
ENGINE_LANE Complex<double> power_by_log(Complex<double> z, Complex<double> w) noexcept {
  const Two<double> l = log_modulus_in_two(z.re, z.im), t = angle_in_two(z.re, z.im);
  const Complex<double> rough{w.re * l.hi - w.im * t.hi, w.im * l.hi + w.re * t.hi};
  if (!(abs(rough.re) < 4000 && abs(w.re) < 0x1p900 && abs(w.im) < 0x1p900)) return exp(rough);
  const Two<double> c{w.re, 0.0}, d{w.im, 0.0};
  const Two<double> re = sum_in_two(product_in_two(c, l), negative_of(product_in_two(d, t)));
  const Two<double> im = sum_in_two(product_in_two(d, l), product_in_two(c, t));
  const SinCos<double> a = sin_cos(im);
  return im.hi == 0 ? times(power_in_parts(re), 1.0, rough.im) : times(power_in_parts(re), a.cos, a.sin);
}
ENGINE_LANE Complex<float> power_by_log(Complex<float> z, Complex<float> w) noexcept {
  const double x = z.re, y = z.im, l = log_modulus(x, y), t = atan2(y, x), c = w.re, d = w.im;
  const Complex<double> r = exp(Complex<double>{fma(c, l, -(d * t)), fma(d, l, c * t)});
  return {static_cast<float>(r.re), static_cast<float>(r.im)};
}

/// z^n by squaring, n > 0, exact where the result and all on the way fit.
ENGINE_LANE Complex<double> power_of_whole(Complex<double> z, int n, bool inverse) noexcept {
  struct Wide {
    Two<double> re, im;
    ENGINE_LANE Wide times(const Wide& b) const noexcept {
      return {sum_in_two(product_in_two(re, b.re), negative_of(product_in_two(im, b.im))),
              sum_in_two(product_in_two(re, b.im), product_in_two(im, b.re))};
    }
  };
  Wide p{{z.re, 0.0}, {z.im, 0.0}}, result{{1.0, 0.0}, {0.0, 0.0}};
  bool first = true;
  for (;;) {
    if (n & 1) result = first ? p : result.times(p), first = false;
    n >>= 1;
    if (n == 0) break;
    p = p.times(p);
  }
  if (inverse) {
    const Two<double> size = sum_in_two(product_in_two(result.re, result.re), product_in_two(result.im, result.im));
    result = {quotient_in_two(result.re, size), quotient_in_two(negative_of(result.im), size)};
  }
  return {result.re.hi, result.im.hi};
}
ENGINE_LANE Complex<float> power_of_whole(Complex<float> z, int n, bool inverse) noexcept {
  Complex<double> p{z.re, z.im}, result{1.0, 0.0};
  for (; n != 0; n >>= 1) {
    if (n & 1) result = {result.re * p.re - result.im * p.im, result.re * p.im + result.im * p.re};
    p = {p.re * p.re - p.im * p.im, 2 * p.re * p.im};
  }
  if (inverse) {
    const double size = result.re * result.re + result.im * result.im;
    result = {result.re / size, -result.im / size};
  }
  return {static_cast<float>(result.re), static_cast<float>(result.im)};
}
/// Whether power_of_whole neither overflows nor underflows on its way.
template <class T>
ENGINE_LANE bool is_plain_power(Complex<T> z, int n) noexcept {
  constexpr int kSpare = kIsDouble<T> ? 500 : 480;
  if (!is_finite(z.re) || !is_finite(z.im)) return false;
  const int e = scaled_pair(z.re, z.im).exponent;
  return (e < 0 ? -e : e + 1) * n < kSpare;
}

}  // namespace engine::math

// catalog/complex.hpp - one-lane arithmetic of complex numbers as NumPy defines it.
#pragma once

#include "engine/catalog/elementary/complex_functions.hpp"

namespace engine::math {

template <class T>
ENGINE_LANE Complex<T> add(Complex<T> x, Complex<T> y) noexcept {
  return {x.re + y.re, x.im + y.im};
}
template <class T>
ENGINE_LANE Complex<T> subtract(Complex<T> x, Complex<T> y) noexcept {
  return {x.re - y.re, x.im - y.im};
}
/// The textbook formula, without recovery of infinities.
template <class T>
ENGINE_LANE Complex<T> multiply(Complex<T> x, Complex<T> y) noexcept {
  return {x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re};
}
/// Smith (1962), Algorithm 116, as NumPy's loops have it.
template <class T>
ENGINE_LANE Complex<T> divide(Complex<T> x, Complex<T> y) noexcept {
  const T re = abs(y.re), im = abs(y.im);
  if (re >= im) {
    if (re == 0 && im == 0) return {x.re / re, x.im / re};
    const T ratio = y.im / y.re;
    const T scale = T(1) / (y.re + y.im * ratio);
    return {(x.re + x.im * ratio) * scale, (x.im - x.re * ratio) * scale};
  }
  const T ratio = y.re / y.im;
  const T scale = T(1) / (y.im + y.re * ratio);
  return {(x.re * ratio + x.im) * scale, (x.im * ratio - x.re) * scale};
}
template <class T>
ENGINE_LANE Complex<T> negative(Complex<T> x) noexcept {
  return {-x.re, -x.im};
}
template <class T>
ENGINE_LANE Complex<T> conjugate(Complex<T> x) noexcept {
  return {x.re, -x.im};
}
template <class T>
ENGINE_LANE Complex<T> reciprocal(Complex<T> x) noexcept {
  const T re = abs(x.re), im = abs(x.im);
  if (im <= re) {
    const T ratio = x.im / x.re, d = x.re + x.im * ratio;
    return {T(1) / d, -ratio / d};
  }
  const T ratio = x.re / x.im, d = x.re * ratio + x.im;
  return {ratio / d, T(-1) / d};
}

template <class T>
ENGINE_LANE bool isnan(Complex<T> x) noexcept {
  return x.re != x.re || x.im != x.im;
}
/// Lexicographic order; a NaN in an imaginary part makes every comparison by the real parts false.
template <class T>
ENGINE_LANE bool less(Complex<T> x, Complex<T> y) noexcept {
  return (x.re < y.re && x.im == x.im && y.im == y.im) || (x.re == y.re && x.im < y.im);
}
template <class T>
ENGINE_LANE bool less_equal(Complex<T> x, Complex<T> y) noexcept {
  return (x.re < y.re && x.im == x.im && y.im == y.im) || (x.re == y.re && x.im <= y.im);
}
template <class T>
ENGINE_LANE bool equal(Complex<T> x, Complex<T> y) noexcept {
  return x.re == y.re && x.im == y.im;
}
template <class T>
ENGINE_LANE bool truth(Complex<T> x) noexcept {
  return x.re != 0 || x.im != 0;
}
template <class T>
ENGINE_LANE Complex<T> maximum(Complex<T> x, Complex<T> y) noexcept {
  return isnan(x) || less_equal(y, x) ? x : y;
}
template <class T>
ENGINE_LANE Complex<T> minimum(Complex<T> x, Complex<T> y) noexcept {
  return isnan(x) || less_equal(x, y) ? x : y;
}
template <class T>
ENGINE_LANE Complex<T> fmax(Complex<T> x, Complex<T> y) noexcept {
  return isnan(y) || less_equal(y, x) ? x : y;
}
template <class T>
ENGINE_LANE Complex<T> fmin(Complex<T> x, Complex<T> y) noexcept {
  return isnan(y) || less_equal(x, y) ? x : y;
}
/// NumPy's clip orders by the parts alone, whatever is NaN in them.
template <class T>
ENGINE_LANE Complex<T> clip(Complex<T> x, Complex<T> low, Complex<T> high) noexcept {
  const bool above = x.re > low.re || (x.re == low.re && x.im > low.im);
  const Complex<T> raised = isnan(x) || above ? x : low;
  const bool below = raised.re < high.re || (raised.re == high.re && raised.im < high.im);
  return isnan(raised) || below ? raised : high;
}
template <class T>
ENGINE_LANE bool isinf(Complex<T> x) noexcept {
  return abs(x.re) == infinity<T>() || abs(x.im) == infinity<T>();
}
template <class T>
ENGINE_LANE bool isfinite(Complex<T> x) noexcept {
  return is_finite(x.re) && is_finite(x.im);
}
template <class T>
ENGINE_LANE T real(Complex<T> x) noexcept {
  return x.re;
}
template <class T>
ENGINE_LANE T imag(Complex<T> x) noexcept {
  return x.im;
}
/// Rounded to an integer, to even; beyond 2^52 (2^23) all are integers.
template <class T>
ENGINE_LANE T to_even(T x) noexcept {
  constexpr T kWhole = sizeof(T) == 8 ? T(0x1p52) : T(0x1p23f);
  return abs(x) < kWhole ? with_sign((abs(x) + kWhole) - kWhole, x) : x;
}
template <class T>
ENGINE_LANE Complex<T> rint(Complex<T> x) noexcept {
  return {to_even(x.re), to_even(x.im)};
}

/// x / |x|; of infinite numbers the unit along the infinite part.
template <class T>
ENGINE_LANE Complex<T> sign(Complex<T> x) noexcept {
  const T size = absolute(x);
  if (size != size) return {size, size};
  if (size == infinity<T>()) {
    const bool re = abs(x.re) == size, im = abs(x.im) == size;
    if (re && im) return both_nan<T>();
    if (re) return {x.re > 0 ? T(1) : T(-1), T(0)};
    return {T(0), x.im > 0 ? T(1) : T(-1)};
  }
  if (size == 0) return {T(0), T(0)};
  return {x.re / size, x.im / size};
}

template <class T>
ENGINE_LANE Complex<T> complex(T re, T im) noexcept {
  return {re, im};
}

/// Infinities as 1, what is finite or NaN as 0; signs are kept.
template <class T>
ENGINE_LANE Complex<T> boxed(Complex<T> z) noexcept {
  return {with_sign(abs(z.re) == infinity<T>() ? T(1) : T(0), z.re), with_sign(abs(z.im) == infinity<T>() ? T(1) : T(0), z.im)};
}
/// NaN as 0.
template <class T>
ENGINE_LANE Complex<T> without_nan(Complex<T> z) noexcept {
  return {z.re == z.re ? z.re : with_sign(T(0), z.re), z.im == z.im ? z.im : with_sign(T(0), z.im)};
}
/// The product with its infinities recovered: C99, Annex G.5.1, example 1.
template <class T>
ENGINE_LANE Complex<T> multiply_recovered(Complex<T> x, Complex<T> y) noexcept {
  const Complex<T> product = multiply(x, y);
  if (product.re == product.re || product.im == product.im) return product;
  const bool x_infinite = isinf(x), y_infinite = isinf(y);
  if (x_infinite) x = boxed(x), y = without_nan(y);
  if (y_infinite) y = boxed(y), x = without_nan(x);
  if (!x_infinite && !y_infinite) {
    if (!isinf(Complex<T>{x.re * y.re, x.im * y.im}) && !isinf(Complex<T>{x.re * y.im, x.im * y.re})) return product;
    x = without_nan(x), y = without_nan(y);
  }
  const Complex<T> finite = multiply(x, y);
  return {infinity<T>() * finite.re, infinity<T>() * finite.im};
}
/// As NumPy takes it: small whole exponents by multiplication, 0 and 1 by themselves; where a part is not finite, what the
/// formulas give.
template <class T>
ENGINE_LANE Complex<T> power(Complex<T> x, Complex<T> y) noexcept {
  if (y.re == 0 && y.im == 0) return {T(1), T(0)};
  if (x.re == 0 && x.im == 0) {
    if (y.re > 0) return {T(0), T(0)};
    return both_nan<T>();
  }
  if (y.im == 0 && y.re > -100 && y.re < 100 && y.re == static_cast<T>(static_cast<int>(y.re))) {
    int n = static_cast<int>(y.re);
    if (n == 1) return x;
    if (n == 2) return multiply(x, x);
    const bool inverse = n < 0;
    if (inverse) n = -n;
    const bool finite = isfinite(x);
    constexpr int kCube = sizeof(T) == 8 ? 3 : 12;  // is_plain_power is about double's range, four times float's
    if (n == 3 && !inverse && (is_plain_power(x, kCube) || !finite)) return multiply(x, multiply(x, x));
    if (is_plain_power(x, n)) return power_of_whole(x, n, inverse);
    if (!finite) {
      Complex<T> result{T(1), T(0)}, p = x;
      for (int mask = 1;;) {
        if (n & mask) result = multiply(result, p);
        mask <<= 1;
        if (n < mask) break;
        p = multiply(p, p);
      }
      return inverse ? divide(Complex<T>{T(1), T(0)}, result) : result;
    }
  }
  if (!isfinite(x) || !isfinite(y)) return exp(multiply_recovered(y, log(x)));
  return power_by_log(x, y);
}

}  // namespace engine::math

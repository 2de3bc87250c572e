// catalog/complex.hpp - one-lane arithmetic of complex numbers as NumPy defines it.
#pragma once

#include "engine/base/lane.hpp"

namespace engine::math {

template <class T>
struct Complex {
  T re, im;
};

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
ENGINE_LANE double magnitude(double x) noexcept { return __builtin_fabs(x); }
ENGINE_LANE float magnitude(float x) noexcept { return __builtin_fabsf(x); }
/// Smith (1962), Algorithm 116, as NumPy's loops have it.
template <class T>
ENGINE_LANE Complex<T> divide(Complex<T> x, Complex<T> y) noexcept {
  const T re = magnitude(y.re), im = magnitude(y.im);
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
  const T re = magnitude(x.re), im = magnitude(x.im);
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
  return __builtin_isinf(x.re) || __builtin_isinf(x.im);
}
template <class T>
ENGINE_LANE bool isfinite(Complex<T> x) noexcept {
  return __builtin_isfinite(x.re) && __builtin_isfinite(x.im);
}
template <class T>
ENGINE_LANE T real(Complex<T> x) noexcept {
  return x.re;
}
template <class T>
ENGINE_LANE T imag(Complex<T> x) noexcept {
  return x.im;
}
template <class T>
ENGINE_LANE Complex<T> rint(Complex<T> x) noexcept {
  return {static_cast<T>(__builtin_rint(x.re)), static_cast<T>(__builtin_rint(x.im))};
}

ENGINE_LANE __complex__ double to_c(Complex<double> x) noexcept {
  __complex__ double c;
  __real__ c = x.re;
  __imag__ c = x.im;
  return c;
}
ENGINE_LANE __complex__ float to_c(Complex<float> x) noexcept {
  __complex__ float c;
  __real__ c = x.re;
  __imag__ c = x.im;
  return c;
}

// The C library's functions with C99's branch cuts.
#define ENGINE_COMPLEX_LIBM(NAME, BUILTIN)                       \
  ENGINE_LANE Complex<double> NAME(Complex<double> x) noexcept { \
    const __complex__ double r = __builtin_##BUILTIN(to_c(x));   \
    return {__real__ r, __imag__ r};                             \
  }                                                              \
  ENGINE_LANE Complex<float> NAME(Complex<float> x) noexcept {   \
    const __complex__ float r = __builtin_##BUILTIN##f(to_c(x)); \
    return {__real__ r, __imag__ r};                             \
  }
ENGINE_COMPLEX_LIBM(sqrt, csqrt)
ENGINE_COMPLEX_LIBM(exp, cexp)
ENGINE_COMPLEX_LIBM(log, clog)
ENGINE_COMPLEX_LIBM(sin, csin)
ENGINE_COMPLEX_LIBM(cos, ccos)
ENGINE_COMPLEX_LIBM(tanh, ctanh)
ENGINE_COMPLEX_LIBM(tan, ctan)
ENGINE_COMPLEX_LIBM(asin, casin)
ENGINE_COMPLEX_LIBM(acos, cacos)
ENGINE_COMPLEX_LIBM(atan, catan)
ENGINE_COMPLEX_LIBM(sinh, csinh)
ENGINE_COMPLEX_LIBM(cosh, ccosh)
ENGINE_COMPLEX_LIBM(asinh, casinh)
ENGINE_COMPLEX_LIBM(acosh, cacosh)
ENGINE_COMPLEX_LIBM(atanh, catanh)
#undef ENGINE_COMPLEX_LIBM

template <class T>
ENGINE_LANE Complex<T> scaled(Complex<T> x, T by) noexcept {
  return {x.re * by, x.im * by};
}
template <class T>
ENGINE_LANE Complex<T> exp2(Complex<T> x) noexcept {
  return exp(scaled(x, T(0.693147180559945309417232121458176568)));
}
template <class T>
ENGINE_LANE Complex<T> log2(Complex<T> x) noexcept {
  return scaled(log(x), T(1.442695040888963407359924681001892137));
}
template <class T>
ENGINE_LANE Complex<T> log10(Complex<T> x) noexcept {
  return scaled(log(x), T(0.434294481903251827651128918916605082));
}

ENGINE_LANE double absolute(Complex<double> x) noexcept { return __builtin_hypot(x.re, x.im); }
ENGINE_LANE float absolute(Complex<float> x) noexcept { return __builtin_hypotf(x.re, x.im); }

ENGINE_LANE Complex<double> expm1(Complex<double> x) noexcept {
  const double half = __builtin_sin(x.im / 2);
  return {__builtin_expm1(x.re) * __builtin_cos(x.im) - 2 * half * half, __builtin_exp(x.re) * __builtin_sin(x.im)};
}
ENGINE_LANE Complex<float> expm1(Complex<float> x) noexcept {
  const float half = __builtin_sinf(x.im / 2);
  return {__builtin_expm1f(x.re) * __builtin_cosf(x.im) - 2 * half * half, __builtin_expf(x.re) * __builtin_sinf(x.im)};
}
ENGINE_LANE Complex<double> log1p(Complex<double> x) noexcept {
  return {__builtin_log(__builtin_hypot(x.re + 1, x.im)), __builtin_atan2(x.im, x.re + 1)};
}
ENGINE_LANE Complex<float> log1p(Complex<float> x) noexcept {
  return {__builtin_logf(__builtin_hypotf(x.re + 1, x.im)), __builtin_atan2f(x.im, x.re + 1)};
}

/// x / |x|; of infinite numbers the unit along the infinite part.
template <class T>
ENGINE_LANE Complex<T> sign(Complex<T> x) noexcept {
  const T size = absolute(x);
  if (size != size) return {size, size};
  if (__builtin_isinf(size)) {
    const bool re = __builtin_isinf(x.re), im = __builtin_isinf(x.im);
    const T nan = size - size;
    if (re && im) return {nan, nan};
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

/// Small integer exponents by repeated multiplication, as NumPy takes them; others by the C library.
template <class T>
ENGINE_LANE Complex<T> power(Complex<T> x, Complex<T> y) noexcept {
  if (y.re == 0 && y.im == 0) return {T(1), T(0)};
  if (x.re == 0 && x.im == 0) {
    if (y.re > 0) return {T(0), T(0)};  // whatever turns it: its length goes to zero
    const T nan = __builtin_nanf("");
    return {nan, nan};
  }
  if (y.im == 0 && y.re > -100 && y.re < 100 && y.re == static_cast<T>(static_cast<int>(y.re))) {
    int n = static_cast<int>(y.re);
    if (n == 1) return x;
    if (n == 2) return multiply(x, x);
    if (n == 3) return multiply(x, multiply(x, x));
    const bool invert = n < 0;
    if (invert) n = -n;
    Complex<T> result{T(1), T(0)}, p = x;
    for (int mask = 1;;) {
      if (n & mask) result = multiply(result, p);
      mask <<= 1;
      if (n < mask || mask <= 0) break;
      p = multiply(p, p);
    }
    return invert ? divide(Complex<T>{T(1), T(0)}, result) : result;
  }
  if constexpr (sizeof(T) == 8) {
    const __complex__ double r = __builtin_cpow(to_c(x), to_c(y));
    return {__real__ r, __imag__ r};
  } else {
    const __complex__ float r = __builtin_cpowf(to_c(x), to_c(y));
    return {__real__ r, __imag__ r};
  }
}

}  // namespace engine::math

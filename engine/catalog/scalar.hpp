// catalog/scalar.hpp - one-lane meanings: NumPy's sense of the awkward cases, for bool, integers, float and double.
// No standard header and no function that is not inlined: NVRTC reads this file too.
#pragma once

#include "engine/base/half.hpp"
#include "engine/catalog/complex.hpp"
#include "engine/catalog/elementary/elementary.hpp"

namespace engine::math {

template <class T>
inline constexpr bool kIsBool = false;
template <>
inline constexpr bool kIsBool<bool> = true;
template <class T>
inline constexpr bool kIsFloat = false;
template <>
inline constexpr bool kIsFloat<float> = true;
template <>
inline constexpr bool kIsFloat<double> = true;
template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<Complex<T>> = true;
template <class T>
inline constexpr bool kIsHalf = false;
template <>
inline constexpr bool kIsHalf<Half> = true;
template <class T>
inline constexpr bool kIsSigned = !kIsBool<T> && T(-1) < T(0);
template <class T>
inline constexpr bool kIsSigned<Complex<T>> = true;

/// An unsigned type wide enough for T that does not promote: arithmetic in it wraps.
template <int kBytes>
struct WrappingOf {
  using type = unsigned;
};
template <>
struct WrappingOf<8> {
  using type = unsigned long;
};
template <class T>
using Wrapping = typename WrappingOf<sizeof(T)>::type;

template <class T>
ENGINE_LANE T add(T x, T y) noexcept {
  if constexpr (kIsBool<T>)
    return x | y;
  else if constexpr (kIsFloat<T>)
    return x + y;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(x) + static_cast<Wrapping<T>>(y));
}
template <class T>
ENGINE_LANE T subtract(T x, T y) noexcept {
  if constexpr (kIsFloat<T>)
    return x - y;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(x) - static_cast<Wrapping<T>>(y));
}
template <class T>
ENGINE_LANE T multiply(T x, T y) noexcept {
  if constexpr (kIsBool<T>)
    return x & y;
  else if constexpr (kIsFloat<T>)
    return x * y;
  else
    return static_cast<T>(static_cast<Wrapping<T>>(x) * static_cast<Wrapping<T>>(y));
}
template <class T>
ENGINE_LANE T divide(T x, T y) noexcept {
  return x / y;
}
template <class T>
ENGINE_LANE T negative(T x) noexcept {
  if constexpr (kIsFloat<T>)
    return -x;
  else
    return static_cast<T>(0 - static_cast<Wrapping<T>>(x));
}

/// x / y for y that is neither 0 nor -1. A double holds what a division of 32 bits or fewer comes to, and vectors divide
/// doubles; a float so of 16. (Just below an integer n, x / y is by 1 / y away from it, more than half an ulp of n.)
template <class T>
ENGINE_LANE T quotient(T x, T y) noexcept {
#if !defined(__CUDACC_RTC__)
  if constexpr (sizeof(T) <= 2)
    return static_cast<T>(static_cast<int>(static_cast<float>(x) / static_cast<float>(y)));
  else if constexpr (sizeof(T) == 4)
    return static_cast<T>(static_cast<double>(x) / static_cast<double>(y));
#endif
  return static_cast<T>(x / y);
}
template <class T>
ENGINE_LANE bool is_unsafe_divisor(T y) noexcept {
  if constexpr (kIsSigned<T>)
    return y == 0 || y == T(-1);  // INT_MIN / -1 traps on x86
  else
    return y == 0;
}

template <class T>
ENGINE_LANE T fmod(T x, T y) noexcept {
  const T divisor = is_unsafe_divisor(y) ? T(1) : y;
  return static_cast<T>(static_cast<Wrapping<T>>(x) - static_cast<Wrapping<T>>(quotient(x, divisor)) * static_cast<Wrapping<T>>(divisor));
}

template <class T>
ENGINE_LANE T copysign(T x, T y) noexcept {
  if constexpr (sizeof(T) == 8)
    return __builtin_copysign(x, y);
  else
    return __builtin_copysignf(x, y);
}
template <class T>
ENGINE_LANE T floor(T x) noexcept {
  if constexpr (!kIsFloat<T>)
    return x;
  else if constexpr (sizeof(T) == 8)
    return __builtin_floor(x);
  else
    return __builtin_floorf(x);
}
template <class T>
ENGINE_LANE T ceil(T x) noexcept {
  if constexpr (!kIsFloat<T>)
    return x;
  else if constexpr (sizeof(T) == 8)
    return __builtin_ceil(x);
  else
    return __builtin_ceilf(x);
}
template <class T>
ENGINE_LANE T trunc(T x) noexcept {
  if constexpr (!kIsFloat<T>)
    return x;
  else if constexpr (sizeof(T) == 8)
    return __builtin_trunc(x);
  else
    return __builtin_truncf(x);
}
ENGINE_LANE double rint(double x) noexcept { return __builtin_rint(x); }
ENGINE_LANE float rint(float x) noexcept { return __builtin_rintf(x); }

/// Of integers, 0 where y is 0; INT_MIN / -1 wraps.
template <class T>
ENGINE_LANE T floor_divide(T x, T y) noexcept {
  const T divisor = is_unsafe_divisor(y) ? T(1) : y;
  const T towards_zero = quotient(x, divisor);
  if constexpr (kIsSigned<T>) {
    const auto rest =
        static_cast<T>(static_cast<Wrapping<T>>(x) - static_cast<Wrapping<T>>(towards_zero) * static_cast<Wrapping<T>>(divisor));
    const T floor = static_cast<T>(towards_zero - ((rest != 0) & ((rest ^ divisor) < 0)));
    return y == 0 ? T(0) : y == T(-1) ? negative(x) : floor;
  } else {
    return y == 0 ? T(0) : towards_zero;
  }
}
template <class T>
ENGINE_LANE T remainder(T x, T y) noexcept {
  const T rest = fmod(x, y);
  if constexpr (kIsSigned<T>)
    return (rest != 0) & ((rest ^ y) < 0) ? static_cast<T>(rest + y) : rest;
  else
    return rest;
}

template <FloatLane F>
ENGINE_LANE F power(F x, F y) noexcept {
  return pow(x, y);
}
/// By squaring, wrapping. Negative exponents never come here: they are refused before.
template <class T>
ENGINE_LANE T power(T x, T y) noexcept {
  using U = Wrapping<T>;
  U base = static_cast<U>(x), result = 1;
  if constexpr (kIsSigned<T>)
    if (y < 0) return 0;
  for (U n = static_cast<U>(y); n; n >>= 1) {
    if (n & 1) result *= base;
    base *= base;
  }
  return static_cast<T>(result);
}

template <class T>
ENGINE_LANE bool isnan(T x) noexcept {
  if constexpr (kIsFloat<T>)
    return x != x;
  else
    return false;
}
template <class T>
ENGINE_LANE bool isinf(T x) noexcept {
  if constexpr (!kIsFloat<T>)
    return false;
  else if constexpr (sizeof(T) == 8)
    return (bit_cast<unsigned long>(x) & 0x7fffffffffffffffu) == 0x7ff0000000000000u;
  else
    return (bit_cast<unsigned>(x) & 0x7fffffffu) == 0x7f800000u;
}
template <class T>
ENGINE_LANE bool isfinite(T x) noexcept {
  if constexpr (!kIsFloat<T>)
    return true;
  else if constexpr (sizeof(T) == 8)
    return (bit_cast<unsigned long>(x) & 0x7fffffffffffffffu) < 0x7ff0000000000000u;
  else
    return (bit_cast<unsigned>(x) & 0x7fffffffu) < 0x7f800000u;
}
template <class T>
ENGINE_LANE bool signbit(T x) noexcept {
  if constexpr (sizeof(T) == 8)
    return bit_cast<unsigned long>(x) >> 63;
  else
    return bit_cast<unsigned>(x) >> 31;
}

template <class T>
ENGINE_LANE bool less(T x, T y) noexcept {
  return x < y;
}
template <class T>
ENGINE_LANE bool less_equal(T x, T y) noexcept {
  return x <= y;
}
template <class T>
ENGINE_LANE bool equal(T x, T y) noexcept {
  return x == y;
}
// int64 against uint64, exactly.
ENGINE_LANE bool less(long x, unsigned long y) noexcept { return x < 0 || static_cast<unsigned long>(x) < y; }
ENGINE_LANE bool less(unsigned long x, long y) noexcept { return y > 0 && x < static_cast<unsigned long>(y); }
ENGINE_LANE bool less_equal(long x, unsigned long y) noexcept { return x < 0 || static_cast<unsigned long>(x) <= y; }
ENGINE_LANE bool less_equal(unsigned long x, long y) noexcept { return y >= 0 && x <= static_cast<unsigned long>(y); }
ENGINE_LANE bool equal(long x, unsigned long y) noexcept { return x >= 0 && static_cast<unsigned long>(x) == y; }
ENGINE_LANE bool equal(unsigned long x, long y) noexcept { return equal(y, x); }

template <class T>
ENGINE_LANE bool truth(T x) noexcept {
  return x != 0;
}
ENGINE_LANE bool truth(bool x) noexcept { return x; }

template <class T>
ENGINE_LANE T absolute(T x) noexcept {
  if constexpr (kIsFloat<T>)
    return copysign(x, T(1));
  else if constexpr (kIsSigned<T>)
    return x < 0 ? negative(x) : x;
  else
    return x;
}
template <class T>
ENGINE_LANE T sign(T x) noexcept {
  if constexpr (kIsFloat<T>)
    return x > 0 ? T(1) : x < 0 ? T(-1) : x == 0 ? T(0) : x;
  else
    return static_cast<T>((x > 0) - (kIsSigned<T> ? x < T(0) : false));
}
template <class T>
ENGINE_LANE T reciprocal(T x) noexcept {
  if constexpr (kIsFloat<T>)
    return T(1) / x;
  else if constexpr (kIsSigned<T> && sizeof(T) >= 4)
    // 1/0 is what x86 makes of inf where NumPy converts it to these widths: the smallest integer.
    return x == 1 ? T(1) : x == T(-1) ? T(-1) : x == 0 ? static_cast<T>(Wrapping<T>(1) << (8 * sizeof(T) - 1)) : T(0);
  else
    return x == 1 ? T(1) : (kIsSigned<T> && x == T(-1)) ? T(-1) : T(0);
}

/// The bits of a float, in an unsigned integer of its size.
template <class T>
struct BitsOf {
  using type = unsigned long;
};
template <>
struct BitsOf<float> {
  using type = unsigned;
};
template <>
struct BitsOf<Half> {
  using type = unsigned short;
};
template <class T>
using Bits = typename BitsOf<T>::type;

/// NaN if either is; +0 > -0. Equal numbers differ at most in the sign of zero, so `and` of their bits picks +0.
template <class T>
ENGINE_LANE T maximum(T x, T y) noexcept {
  if constexpr (kIsFloat<T>) {
    const T larger = x > y ? x : y, positive = bit_cast<T>(bit_cast<Bits<T>>(x) & bit_cast<Bits<T>>(y));
    const T result = x == y ? positive : larger;
    return x != x ? x : result;  // a NaN in y has been taken by the first comparison
  } else if constexpr (kIsBool<T>) {
    return x | y;
  } else {
    return x > y ? x : y;
  }
}
template <class T>
ENGINE_LANE T minimum(T x, T y) noexcept {
  if constexpr (kIsFloat<T>) {
    const T smaller = x < y ? x : y, negative = bit_cast<T>(bit_cast<Bits<T>>(x) | bit_cast<Bits<T>>(y));
    const T result = x == y ? negative : smaller;
    return x != x ? x : result;
  } else if constexpr (kIsBool<T>) {
    return x & y;
  } else {
    return x < y ? x : y;
  }
}
/// The other where one is NaN. Comparisons with NaN are false, so the larger of NaN and y is y.
template <class T>
ENGINE_LANE T fmax(T x, T y) noexcept {
  if constexpr (kIsFloat<T>) {
    const T larger = x > y ? x : y, positive = bit_cast<T>(bit_cast<Bits<T>>(x) & bit_cast<Bits<T>>(y));
    const T result = x == y ? positive : larger;
    return y != y ? x : result;
  } else {
    return maximum(x, y);
  }
}
template <class T>
ENGINE_LANE T fmin(T x, T y) noexcept {
  if constexpr (kIsFloat<T>) {
    const T smaller = x < y ? x : y, negative = bit_cast<T>(bit_cast<Bits<T>>(x) | bit_cast<Bits<T>>(y));
    const T result = x == y ? negative : smaller;
    return y != y ? x : result;
  } else {
    return minimum(x, y);
  }
}
/// NumPy's clip to the letter: NaN wins, equal values give the bound.
template <class T>
ENGINE_LANE T clip(T x, T low, T high) noexcept {
  const T raised = isnan(x) ? x : x > low ? x : low;
  return isnan(raised) ? raised : raised < high ? raised : high;
}

template <class T>
ENGINE_LANE T select(bool condition, T x, T y) noexcept {
  if constexpr (kIsBool<T>)
    return (condition & x) | (!condition & y);
  else
    return condition ? x : y;
}

template <class T>
ENGINE_LANE T invert(T x) noexcept {
  if constexpr (kIsBool<T>)
    return !x;
  else
    return static_cast<T>(~x);
}
template <class T>
ENGINE_LANE T left_shift(T x, T y) noexcept {
  using U = Wrapping<T>;
  // As unsigned, a negative count is beyond every width.
  const U count = static_cast<U>(y);
  return count < sizeof(T) * 8 ? static_cast<T>(static_cast<U>(x) << count) : T(0);
}
template <class T>
ENGINE_LANE T right_shift(T x, T y) noexcept {
  using U = Wrapping<T>;
  const U count = static_cast<U>(y);
  const T sign_fill = kIsSigned<T> && x < T(0) ? static_cast<T>(-1) : T(0);
  return count < sizeof(T) * 8 ? static_cast<T>(x >> count) : sign_fill;
}

template <class T>
ENGINE_LANE T real(T x) noexcept {
  return x;
}
template <class T>
ENGINE_LANE T imag(T) noexcept {
  return T(0);
}
template <class T>
ENGINE_LANE T conjugate(T x) noexcept {
  return x;
}

template <class T>
ENGINE_LANE T heaviside(T x, T at_zero) noexcept {
  return x != x ? x : x == 0 ? at_zero : x < 0 ? T(0) : T(1);
}
template <class T>
ENGINE_LANE T deg2rad(T x) noexcept {
  return x * (T(3.141592653589793238462643383279502884) / T(180));
}
template <class T>
ENGINE_LANE T rad2deg(T x) noexcept {
  return x * (T(180) / T(3.141592653589793238462643383279502884));
}

/// The next number from x towards y (IEEE 754-2008, nextUp and nextDown).
template <class T>
ENGINE_LANE T nextafter(T x, T y) noexcept {
  using U = Bits<T>;
  constexpr U kSign = static_cast<U>(U(1) << (8 * sizeof(U) - 1));
  const U bits = bit_cast<U>(x);
  bool nan, equal, up;
  if constexpr (kIsHalf<T>) {
    const float a = half_to_float(x), b = half_to_float(y);
    nan = a != a || b != b;
    equal = a == b;
    up = a < b;
  } else {
    nan = x != x || y != y;
    equal = x == y;
    up = x < y;
  }
  if (nan) {
    if constexpr (kIsHalf<T>)
      return Half{0x7e00};
    else
      return x + y;
  }
  if constexpr (kIsHalf<T>)
    if (equal) return x;  // NumPy's float16 keeps the sign of its first zero, C's nextafter gives the second
  if (equal) return y;
  if (static_cast<U>(bits & static_cast<U>(~kSign)) == 0) return bit_cast<T>(static_cast<U>((up ? U(0) : kSign) | U(1)));
  const bool away = up == ((bits & kSign) == 0);
  return bit_cast<T>(static_cast<U>(away ? bits + 1 : bits - 1));
}

/// Distance to the next number away from zero, with the sign of x.
template <class T>
ENGINE_LANE T spacing(T x) noexcept {
  using U = Bits<T>;
  if (!isfinite(x)) return x - x;
  if (x == 0) return bit_cast<T>(U(1));
  const U next = static_cast<U>(bit_cast<U>(x) + 1);
  return bit_cast<T>(next) - x;
}
/// NumPy's float16 has it always positive, and towards zero below a negative power of two.
ENGINE_LANE Half spacing(Half x) noexcept {
  const unsigned exponent = x.bits & 0x7c00u;
  if (exponent == 0x7c00u) return {0x7e00};
  if (x.bits == 0x7bffu) return {0x7c00};
  const unsigned lower = (x.bits & 0x8000u) != 0 && (x.bits & 0x03ffu) == 0 ? 0x0400u : 0u;
  if (exponent > 0x2800u + lower) return {static_cast<unsigned short>(exponent - 0x2800u - lower)};
  if (exponent > 0x0400u) return {static_cast<unsigned short>(1u << ((exponent >> 10) - 1 - (lower >> 10)))};
  return {0x0001};
}

ENGINE_LANE double ldexp(double x, int n) noexcept { return __builtin_ldexp(x, n); }
ENGINE_LANE float ldexp(float x, int n) noexcept { return __builtin_ldexpf(x, n); }
template <class T>
ENGINE_LANE T ldexp(T x, long n) noexcept {
  return ldexp(x, static_cast<int>(n > 100000 ? 100000 : n < -100000 ? -100000 : n));
}
template <class T>
ENGINE_LANE T frexp_mantissa(T x) noexcept {
  int exponent;
  if constexpr (sizeof(T) == 8)
    return __builtin_frexp(x, &exponent);
  else
    return __builtin_frexpf(x, &exponent);
}
/// Of infinities and NaN the standard leaves it open; here, as with NumPy on this C library, 0.
template <class T>
ENGINE_LANE int frexp_exponent(T x) noexcept {
  int exponent = 0;
  if (!isfinite(x)) return 0;
  if constexpr (sizeof(T) == 8)
    (void)__builtin_frexp(x, &exponent);
  else
    (void)__builtin_frexpf(x, &exponent);
  return exponent;
}
template <class T>
ENGINE_LANE T modf_fraction(T x) noexcept {
  return isinf(x) ? copysign(T(0), x) : copysign(x - trunc(x), x);
}

template <class T>
ENGINE_LANE Wrapping<T> distance_from_zero(T x) noexcept {
  using U = Wrapping<T>;
  if constexpr (kIsSigned<T>)
    return x < 0 ? static_cast<U>(0) - static_cast<U>(x) : static_cast<U>(x);
  else
    return static_cast<U>(x);
}
/// Euclid's, on the magnitudes.
template <class T>
ENGINE_LANE T gcd(T x, T y) noexcept {
  auto a = distance_from_zero(x), b = distance_from_zero(y);
  while (b != 0) {
    const auto rest = a % b;
    a = b;
    b = rest;
  }
  return static_cast<T>(a);
}
template <class T>
ENGINE_LANE T lcm(T x, T y) noexcept {
  auto a = distance_from_zero(x), b = distance_from_zero(y);
  const auto first = a, second = b;
  while (b != 0) {
    const auto rest = a % b;
    a = b;
    b = rest;
  }
  return a == 0 ? T(0) : static_cast<T>(first / a * second);
}
template <class T>
ENGINE_LANE unsigned char bitwise_count(T x) noexcept {
  return static_cast<unsigned char>(__builtin_popcountl(distance_from_zero(x)));
}

/// np.round without decimals: to even.
template <class T>
ENGINE_LANE T round(T x) noexcept {
  if constexpr (kIsFloat<T>)
    return rint(x);
  else
    return x;
}
template <class T>
ENGINE_LANE Complex<T> round(Complex<T> x) noexcept {
  return {rint(x.re), rint(x.im)};
}

/// NaN to zero, infinities to the ends of the range.
template <class T>
ENGINE_LANE T nan_to_num(T x) noexcept {
  if constexpr (kIsFloat<T>) {
    constexpr T kLargest = sizeof(T) == 8 ? T(0x1.fffffffffffffp1023) : T(0x1.fffffep127);
    return x != x ? T(0) : isinf(x) ? copysign(kLargest, x) : x;
  } else {
    return x;
  }
}
template <class T>
ENGINE_LANE Complex<T> nan_to_num(Complex<T> x) noexcept {
  return {nan_to_num(x.re), nan_to_num(x.im)};
}
/// float16 is bounded by its own range.
ENGINE_LANE Half nan_to_num(Half x) noexcept {
  const unsigned magnitude = x.bits & 0x7fffu;
  return {static_cast<unsigned short>(magnitude > 0x7c00u ? 0u : magnitude == 0x7c00u ? (x.bits & 0x8000u) | 0x7bffu : x.bits)};
}

/// Float to integer (contract §3): NaN and what is beyond int64 give INT64_MIN, which is then cut to the width; uint64
/// takes values up to 2^64.
template <class F>
ENGINE_LANE long to_int64(F x) noexcept {
  return x >= F(-0x1p63) && x < F(0x1p63) ? static_cast<long>(x) : (-0x7fffffffffffffffL - 1);
}
template <class F>
ENGINE_LANE unsigned long to_uint64(F x) noexcept {
  const bool upper = x >= F(0x1p63) && x < F(0x1p64);
  const long low = to_int64(upper ? x - F(0x1p63) : x);
  return static_cast<unsigned long>(low) ^ (upper ? 0x8000000000000000u : 0u);
}

/// astype.
template <class To, class From>
ENGINE_LANE To convert(From x) noexcept {
  if constexpr (kIsHalf<From>) {
    if constexpr (kIsHalf<To>)
      return x;
    else
      return convert<To>(half_to_float(x));
  } else if constexpr (kIsComplex<From>) {
    if constexpr (kIsBool<To>)
      return truth(x);
    else if constexpr (kIsComplex<To>)
      return {static_cast<decltype(To::re)>(x.re), static_cast<decltype(To::re)>(x.im)};
    else
      return convert<To>(x.re);
  } else if constexpr (kIsComplex<To>) {
    return {static_cast<decltype(To::re)>(x), 0};
  } else if constexpr (kIsBool<To>) {
    return x != 0;
  } else if constexpr (kIsHalf<To>) {
    if constexpr (sizeof(From) == 8 && kIsFloat<From>)
      return double_to_half(x);
    else
      return float_to_half(static_cast<float>(x));
  } else if constexpr (kIsBool<From>) {
    return x ? To(1) : To(0);
  } else if constexpr (kIsFloat<From> && !kIsFloat<To>) {
    if constexpr (!kIsSigned<To> && sizeof(To) == 8)
      return to_uint64(x);
    else
      return static_cast<To>(to_int64(x));
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace engine::math

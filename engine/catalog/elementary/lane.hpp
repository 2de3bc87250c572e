// catalog/elementary/lane.hpp - the words in which elementary functions are written, and their scalar form.
//
// A function is a template over a float lane F. Lanes are float and double (this file; constant folding, tests, any CPU,
// and NVRTC) and the vectors of vector.hpp. All of them give the same bits, because nothing else is used than
//
//   F(c)  + - * /  unary -          IEEE, rounded to nearest even; F(c) from a constant of its item type
//   fma(a, b, c)                    one rounding; by the C library's exact software form where a CPU has none
//   sqrt(a)                         correctly rounded
//   < <= > >= == !=  -> Mask<F>     false beside NaN, but != true; masks combine with & | !
//   select(mask, a, b)              a where the mask is true; on F and on Bits<F>; both sides are computed
//   any(mask)                       whether it is true in some lane: for one branch around rare work
//   bits_of(F) -> Bits<F>           the bits, as unsigned integers of the same width; float_of(Bits<F>) back
//   + - & | ^ ~ == on Bits<F>       wrapping; shl<n>, shr<n> by constants, logical
//   disjoint(Bits<F>, Bits<F>)      whether they have no 1 in common: (a & b) == 0
//   gather(table, Bits<F>)          table[index], for the few tables there are
//   gather_row(rows, Bits<F>)       rows[index] of a table of rows of four, the first three of them
//   patch(mask, x, result, f)       f(x) one lane at a time where the mask is true: what is rare and long
//
// There is no min, max, conversion or rint: their NaN rules or their speed differ between instruction sets. Integers come
// from floats by the magic addition, see round_to_int. Contraction is off everywhere (-ffp-contract=off, -fmad=false).
// A function that is called per lane only (in patch) may use plain C++ on its scalars.
#pragma once

#include "engine/base/lane.hpp"

namespace engine::math {

/// Float lanes have an item type, masks and unsigned integers of their width; vectors specialise this.
template <class F>
struct LaneTraits {
  static constexpr bool kIsLane = false;
};
template <>
struct LaneTraits<double> {
  static constexpr bool kIsLane = true;
  using Item = double;
  using Bits = unsigned long;
  using Mask = bool;
};
template <>
struct LaneTraits<float> {
  static constexpr bool kIsLane = true;
  using Item = float;
  using Bits = unsigned;
  using Mask = bool;
};
template <class F>
concept FloatLane = LaneTraits<F>::kIsLane;
template <class F>
using ItemOf = typename LaneTraits<F>::Item;
template <class F>
using LaneBits = typename LaneTraits<F>::Bits;
template <class F>
using Mask = typename LaneTraits<F>::Mask;
/// Lanes of double; the others are lanes of float.
template <class F>
concept DoubleLane = FloatLane<F> && sizeof(ItemOf<F>) == 8;
template <class F>
concept SingleLane = FloatLane<F> && sizeof(ItemOf<F>) == 4;

#if defined(__CUDACC_RTC__)
ENGINE_LANE double fma(double a, double b, double c) noexcept { return __fma_rn(a, b, c); }
ENGINE_LANE float fma(float a, float b, float c) noexcept { return __fmaf_rn(a, b, c); }
ENGINE_LANE double sqrt(double a) noexcept { return __dsqrt_rn(a); }
ENGINE_LANE float sqrt(float a) noexcept { return __fsqrt_rn(a); }
#else
ENGINE_LANE double fma(double a, double b, double c) noexcept { return __builtin_fma(a, b, c); }
ENGINE_LANE float fma(float a, float b, float c) noexcept { return __builtin_fmaf(a, b, c); }
ENGINE_LANE double sqrt(double a) noexcept { return __builtin_sqrt(a); }
ENGINE_LANE float sqrt(float a) noexcept { return __builtin_sqrtf(a); }
#endif

ENGINE_LANE unsigned long bits_of(double a) noexcept { return bit_cast<unsigned long>(a); }
ENGINE_LANE unsigned bits_of(float a) noexcept { return bit_cast<unsigned>(a); }
ENGINE_LANE double float_of(unsigned long a) noexcept { return bit_cast<double>(a); }
ENGINE_LANE float float_of(unsigned a) noexcept { return bit_cast<float>(a); }

ENGINE_LANE double select(bool mask, double a, double b) noexcept { return mask ? a : b; }
ENGINE_LANE float select(bool mask, float a, float b) noexcept { return mask ? a : b; }
ENGINE_LANE unsigned long select(bool mask, unsigned long a, unsigned long b) noexcept { return mask ? a : b; }
ENGINE_LANE unsigned select(bool mask, unsigned a, unsigned b) noexcept { return mask ? a : b; }
ENGINE_LANE bool any(bool mask) noexcept { return mask; }

ENGINE_LANE bool disjoint(unsigned long a, unsigned long b) noexcept { return (a & b) == 0; }
ENGINE_LANE bool disjoint(unsigned a, unsigned b) noexcept { return (a & b) == 0; }

template <int kBits>
ENGINE_LANE unsigned long shl(unsigned long a) noexcept {
  return a << kBits;
}
template <int kBits>
ENGINE_LANE unsigned shl(unsigned a) noexcept {
  return a << kBits;
}
template <int kBits>
ENGINE_LANE unsigned long shr(unsigned long a) noexcept {
  return a >> kBits;
}
template <int kBits>
ENGINE_LANE unsigned shr(unsigned a) noexcept {
  return a >> kBits;
}
ENGINE_LANE double gather(const double* table, unsigned long index) noexcept { return table[index]; }
ENGINE_LANE float gather(const float* table, unsigned index) noexcept { return table[index]; }
template <class F>
struct Row {
  F a, b, c;
};
template <class T, int kRows>
ENGINE_LANE Row<T> gather_row(const T (&rows)[kRows][4], typename LaneTraits<T>::Bits index) noexcept {
  return {rows[index][0], rows[index][1], rows[index][2]};
}
/// The same of 32 rows that are there as columns too: some vectors hold a column in registers.
ENGINE_LANE Row<float> gather_row(const float (&rows)[32][4], const float (&)[3][32], unsigned index) noexcept {
  return {rows[index][0], rows[index][1], rows[index][2]};
}

/// result, with f(x) in the lanes where the mask is true; f takes and gives one item, and is called for those lanes alone.
template <class Function>
ENGINE_LANE double patch(bool mask, double x, double result, Function f) noexcept {
  return mask ? f(x) : result;
}
template <class Function>
ENGINE_LANE float patch(bool mask, float x, float result, Function f) noexcept {
  return mask ? f(x) : result;
}
template <class Function>
ENGINE_LANE double patch(bool mask, double x, double y, double result, Function f) noexcept {
  return mask ? f(x, y) : result;
}
template <class Function>
ENGINE_LANE float patch(bool mask, float x, float y, float result, Function f) noexcept {
  return mask ? f(x, y) : result;
}

// ---- words made of the above ----------------------------------------------------------------------------------------------

template <FloatLane F>
ENGINE_LANE LaneBits<F> sign_bit() noexcept {
  if constexpr (DoubleLane<F>)
    return LaneBits<F>(0x8000000000000000u);
  else
    return LaneBits<F>(0x80000000u);
}
template <FloatLane F>
ENGINE_LANE F abs(F x) noexcept {
  return float_of(bits_of(x) & ~sign_bit<F>());
}
/// The magnitude of x with the sign of y.
template <FloatLane F>
ENGINE_LANE F with_sign(F x, F y) noexcept {
  return float_of((bits_of(x) & ~sign_bit<F>()) | (bits_of(y) & sign_bit<F>()));
}
/// x, negated where the sign of y is set.
template <FloatLane F>
ENGINE_LANE F with_flipped_sign(F x, F y) noexcept {
  return float_of(bits_of(x) ^ (bits_of(y) & sign_bit<F>()));
}
template <FloatLane F>
ENGINE_LANE F infinity() noexcept {
  if constexpr (DoubleLane<F>)
    return F(bit_cast<double>(0x7ff0000000000000ul));
  else
    return F(bit_cast<float>(0x7f800000u));
}
template <FloatLane F>
ENGINE_LANE F not_a_number() noexcept {
  if constexpr (DoubleLane<F>)
    return F(bit_cast<double>(0x7ff8000000000000ul));
  else
    return F(bit_cast<float>(0x7fc00000u));
}

/// x rounded to an integer, to even, for |x| < 2^51 (2^22 in float): `value` as a float, and in the low bits of `bits` the
/// same integer in two's complement. The constant is 1.5 * 2^52: the addition leaves the integer in the low mantissa bits.
template <FloatLane F>
struct Rounded {
  F value;
  LaneBits<F> bits;
};
template <FloatLane F>
ENGINE_LANE F magic() noexcept {
  if constexpr (DoubleLane<F>)
    return F(0x1.8p52);
  else
    return F(0x1.8p23f);
}
template <FloatLane F>
ENGINE_LANE Rounded<F> round_to_int(F x) noexcept {
  const F t = x + magic<F>();
  return {t - magic<F>(), bits_of(t)};
}
/// The same of x * scale, in one rounding.
template <FloatLane F>
ENGINE_LANE Rounded<F> round_to_int(F x, F scale) noexcept {
  const F t = fma(x, scale, magic<F>());
  return {t - magic<F>(), bits_of(t)};
}

/// A number as an unevaluated sum: |lo| <= ulp(hi) / 2.
template <FloatLane F>
struct Two {
  F hi, lo;
};
/// a + b exactly, where |a| >= |b| or a is 0 (Dekker, Numer. Math. 18, 1971).
template <FloatLane F>
ENGINE_LANE Two<F> fast_two_sum(F a, F b) noexcept {
  const F s = a + b;
  return {s, b - (s - a)};
}
/// a + b exactly (Knuth, TAOCP 2, 4.2.2).
template <FloatLane F>
ENGINE_LANE Two<F> two_sum(F a, F b) noexcept {
  const F s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
/// a * b exactly.
template <FloatLane F>
ENGINE_LANE Two<F> two_product(F a, F b) noexcept {
  const F p = a * b;
  return {p, fma(a, b, -p)};
}

/// c[0] + c[1] x + ... by Horner's rule, each step one fma.
template <FloatLane F, class T, int kCount>
ENGINE_LANE F horner(F x, const T (&c)[kCount]) noexcept {
  F sum = F(c[kCount - 1]);
  for (int i = kCount - 2; i >= 0; --i) sum = fma(sum, x, F(c[i]));
  return sum;
}
/// The same sum with even and odd powers side by side: chains half as long for one multiplication more.
template <FloatLane F, class T, int kCount>
ENGINE_LANE F even_odd(F x, const T (&c)[kCount]) noexcept {
  const F square = x * x;
  F last = F(c[kCount - 1]), other = F(c[kCount - 2]);
  for (int i = kCount - 3; i >= 1; i -= 2) {
    last = fma(last, square, F(c[i]));
    other = fma(other, square, F(c[i - 1]));
  }
  // With an odd count `last` has the even powers, from the second on.
  return kCount % 2 == 0 ? fma(last, x, other) : fma(other, x, fma(last, square, F(c[0])));
}
template <int kFirst, int kCount, FloatLane F, class T>
ENGINE_LANE F estrin_part(const F* powers, const T* c) noexcept {
  if constexpr (kCount == 1) {
    return F(c[kFirst]);
  } else {
    constexpr int kLevel = kCount > 16 ? 4 : kCount > 8 ? 3 : kCount > 4 ? 2 : kCount > 2 ? 1 : 0;  // 2^kLevel < kCount
    constexpr int kHalf = 1 << kLevel;
    return fma(estrin_part<kFirst + kHalf, kCount - kHalf>(powers, c), powers[kLevel], estrin_part<kFirst, kHalf>(powers, c));
  }
}
/// The same sum by Estrin's scheme, of at most 32 terms: shorter chains, other roundings.
template <FloatLane F, class T, int kCount>
ENGINE_LANE F estrin(F x, const T (&c)[kCount]) noexcept {
  F powers[5] = {x, x, x, x, x};
  for (int i = 1; i < 5 && (1 << i) < kCount; ++i) powers[i] = powers[i - 1] * powers[i - 1];
  return estrin_part<0, kCount>(powers, c);
}

}  // namespace engine::math

// catalog/elementary/pow.hpp - pow.
//
// x = 2^k m, m in about [sqrt(1/2), sqrt(2)). A table gives a short c near 1/m, so that f = m c - 1 is exact (Tang, ACM TOMS 16,
// 1990), and log2(c) in two parts. log2(x) = (k - log2(c)) + log2(1 + f) is summed as hi + lo, the square term exact; y times
// it is k' + r, and 2^r = 1 + r ln 2 + r^2 p(r), whose two first terms are again summed with their error.
#pragma once

#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/pow_coefficients.hpp"

namespace engine::math {

template <FloatLane F>
struct PowPiece {
  F k, m;
  Row<F> row;  ///< c, -log2(c) and the rest of it
};
/// x = 2^k m for positive normal x, and what the table holds for m.
template <FloatLane F>
ENGINE_LANE PowPiece<F> pow_piece(F x) noexcept {
  // The difference of the starts carries into the exponent exactly where m would reach the end of the table.
  if constexpr (DoubleLane<F>) {
    const LaneBits<F> shifted = bits_of(x) + LaneBits<F>(0x3ff0000000000000ul - kPowStart64);
    return {float_of(shr<52>(shifted) | LaneBits<F>(0x4330000000000000ul)) - F(0x1p52 + 1023),
            float_of((shifted & LaneBits<F>(0x000ffffffffffffful)) + LaneBits<F>(kPowStart64)),
            gather_row(kPowRows64, shr<45>(shifted) & LaneBits<F>(127ul))};
  } else {
    const LaneBits<F> shifted = bits_of(x) + LaneBits<F>(0x3f800000u - kPowStart32);
    return {float_of(shr<23>(shifted) | LaneBits<F>(0x4b000000u)) - F(0x1p23f + 127),
            float_of((shifted & LaneBits<F>(0x007fffffu)) + LaneBits<F>(kPowStart32)),
            gather_row(kPowRows32, kPowColumns32, shr<18>(shifted) & LaneBits<F>(31u))};
  }
}
/// f^3 p(f) of log2(1 + f).
template <FloatLane F>
ENGINE_LANE F pow_log_series(F f) noexcept {
  if constexpr (DoubleLane<F>)
    return estrin(f, kPowLog64);
  else
    return estrin(f, kPowLog32);
}
template <FloatLane F>
ENGINE_LANE F pow_exp_series(F r) noexcept {
  if constexpr (DoubleLane<F>)
    return estrin(r, kPowExp64);
  else
    return estrin(r, kPowExp32);
}

/// log2(x / 2^less) as hi + lo, for positive normal x and a small integer: lo goes some 20 bits below hi's last.
template <FloatLane F>
ENGINE_LANE Two<F> log2_in_two(F x, F less) noexcept {
  using T = ItemOf<F>;
  constexpr T kLog2E = DoubleLane<F> ? T(kLog2E64) : T(kLog2E32), kRest = DoubleLane<F> ? T(kLog2ERest64) : T(kLog2ERest32);
  const PowPiece<F> piece = pow_piece(x);
  const F f = fma(piece.m, piece.row.a, F(T(-1))), top = (piece.k - less) + piece.row.b;  // both exact
  const F g = f * F(T(0.5)), square = fma(-g, f, f), square_rest = fma(-g, f, f - square);
  const F hi = fma(square, F(kLog2E), top), lo = fma(square, F(kLog2E), top - hi);
  return {hi, lo + fma(square, F(kRest), fma(square_rest, F(kLog2E), fma(f * f * f, pow_log_series(f), piece.row.c)))};
}

/// 2^r = hi + lo for |r| <= 0.54, where hi is 1 + r ln 2 rounded; lo may be larger than its last digit.
template <FloatLane F>
ENGINE_LANE Two<F> exp2_of_rest(F r) noexcept {
  using T = ItemOf<F>;
  constexpr T kLn2 = DoubleLane<F> ? T(kLn264) : T(kLn232);
  const F sum = fma(r, F(kLn2), F(T(1)));
  return {sum, fma(r * r, pow_exp_series(r), fma(r, F(kLn2), F(T(1)) - sum))};
}

/// Whether y is an integer; infinities are.
template <FloatLane F>
ENGINE_LANE Mask<F> is_integer(F y) noexcept {
  const F whole = F(DoubleLane<F> ? ItemOf<F>(0x1p52) : ItemOf<F>(0x1p23f)), a = abs(y);
  return (a >= whole) | ((a + whole) - whole == a);
}

/// What pow is where x is not positive, normal and finite, or the power is not.
/// power: |x|^y for finite |x| > 0 and finite y; logarithm: y log2|x|, rounded.
template <FloatLane F>
ENGINE_LANE F pow_special(F x, F y, F power, F logarithm) noexcept {
  using T = ItemOf<F>;
  const F zero = F(T(0)), one = F(T(1)), a = abs(x);
  const F large = F(T(DoubleLane<F> ? 1500 : 200));
  F result = select(logarithm >= large, infinity<F>(), select(logarithm <= -large, zero, power));
  result = select(((a == zero) & (y < zero)) | ((a == infinity<F>()) & (y > zero)), infinity<F>(), result);
  result = select(((a == zero) & (y > zero)) | ((a == infinity<F>()) & (y < zero)), zero, result);
  result = select(a == one, one, result);
  const Mask<F> whole = is_integer(y);
  result = select(whole & !is_integer(y * F(T(0.5))), with_sign(result, x), result);
  result = select((x < zero) & (a < infinity<F>()) & !whole, not_a_number<F>(), result);
  result = select((x != x) | (y != y), x + y, result);
  return select((y == zero) | (x == one), one, result);
}

template <FloatLane F>
ENGINE_LANE F pow(F x, F y) noexcept {
  using T = ItemOf<F>;
  constexpr bool kDouble = DoubleLane<F>;
  constexpr T kLeast = kDouble ? T(0x1p-1022) : T(0x1p-126f), kUp = kDouble ? T(0x1p54) : T(0x1p25f);
  const Mask<F> ordinary = (x >= F(kLeast)) & (x < infinity<F>());
  F base = x, down = F(T(0));
  if (any(!ordinary)) {
    base = abs(x);
    const Mask<F> tiny = base < F(kLeast);
    base = select(tiny, base * F(kUp), base);
    down = select(tiny, F(T(kDouble ? 54 : 25)), down);
  }
  const Two<F> l = log2_in_two(base, down);
  const Exponent<F> n = round_to_exponent(y, l.hi);
  const Two<F> e = exp2_of_rest(fma(y, l.lo, fma(y, l.hi, -n.value)));
  const F power = scale(e.hi + e.lo, n);
  const Mask<F> odd = !(ordinary & (abs(n.value) < F(T(kDouble ? 1500 : 200))));
  if (!any(odd)) return power;
  return select(odd, pow_special(x, y, power, n.value), power);
}

}  // namespace engine::math

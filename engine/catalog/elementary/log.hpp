// catalog/elementary/log.hpp - log, log2, log10, log1p.
//
// x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1 exactly. In double, s = f / (2 + f); log(m) = 2 artanh(s) = f - s (f - R)
// with R = s^2 p(s^2), arranged as FDLIBM has it (Sun Microsystems, e_log.c, 1993; Tang, ACM TOMS 16, 1990):
// log(x) = k ln2High + (f - (f^2/2 - (s (f^2/2 + R) + k ln2Low))). Near 1 the sum of f and f^2/2 is the whole error.
// In float, log(m) = f - f^2/2 + f^3 p(f): four more terms than p(s^2) has cost less than the division.
// log2 and log10 carry the product of log(m) and 1 / ln 2 or 1 / ln 10 with its error, so that powers of 2 and 10 come out
// exactly. log1p takes k of 1 + x, and f = 2^-k x + (2^-k - 1) with its rounding error: x itself where k = 0.
#pragma once

#include "engine/catalog/elementary/exp.hpp"
#include "engine/catalog/elementary/lane.hpp"
#include "engine/catalog/elementary/log_coefficients.hpp"

namespace engine::math {

/// x = 2^k * m, m in [sqrt(1/2), sqrt(2)), for positive normal x.
template <FloatLane F>
struct Scaled {
  F m, k;
};
template <FloatLane F>
ENGINE_LANE Scaled<F> split_exponent(F x) noexcept {
  // Adding the distance from sqrt(1/2) to 1 carries into the exponent exactly where m would be beyond sqrt(2).
  if constexpr (DoubleLane<F>) {
    const LaneBits<F> shifted = bits_of(x) + LaneBits<F>(0x3ff0000000000000ul - 0x3fe6a09e667f3bcdul);
    const F k = float_of(shr<52>(shifted) | LaneBits<F>(0x4330000000000000ul)) - F(0x1p52 + 1023);
    return {float_of((shifted & LaneBits<F>(0x000ffffffffffffful)) + LaneBits<F>(0x3fe6a09e667f3bcdul)), k};
  } else {
    const LaneBits<F> shifted = bits_of(x) + LaneBits<F>(0x3f800000u - 0x3f3504f3u);
    const F k = float_of(shr<23>(shifted) | LaneBits<F>(0x4b000000u)) - F(0x1p23f + 127);
    return {float_of((shifted & LaneBits<F>(0x007fffffu)) + LaneBits<F>(0x3f3504f3u)), k};
  }
}

/// k ln 2 + log(1 + f) + low, low being small against f.
template <DoubleLane F>
ENGINE_LANE F log_sum(F k, F f, F low) noexcept {
  const F s = f / (F(2.0) + f), z = s * s;
  const F half = f * F(0.5) * f;
  const F tail = fma(s, fma(z, estrin(z, kLog64), half), low);
  return fma(k, ln2_high<F>(), f - (half - tail));
}
template <SingleLane F>
ENGINE_LANE F log_sum(F k, F f, F low) noexcept {
  return fma(k, ln2_high<F>(), f + fma(f * f, fma(f, horner(f, kLog32), F(-0.5f)), low));
}
/// hi + lo = log(1 + f), with f - f^2/2 exact but for the rounding of lo.
template <DoubleLane F>
ENGINE_LANE Two<F> log_in_two(F f) noexcept {
  const F g = f * F(0.5), half = g * f, hi = fma(-g, f, f);
  const F s = f / (F(2.0) + f), z = s * s;
  return {hi, fma(s, fma(z, estrin(z, kLog64), half), fma(-g, f, f - hi))};
}

template <SingleLane F>
ENGINE_LANE Two<F> log_in_two(F f) noexcept {
  const F g = f * F(0.5f), hi = fma(-g, f, f);
  return {hi, fma(f * f * f, horner(f, kLog32), fma(-g, f, f - hi))};
}

/// Calls log_of(part) with the parts of x > 0, subnormals among them, and answers for all other x.
template <FloatLane F, class Function>
ENGINE_LANE F log_with_specials(F x, Function log_of) noexcept {
  using T = ItemOf<F>;
  constexpr T kLeast = sizeof(T) == 8 ? T(0x1p-1022) : T(0x1p-126f), kUp = sizeof(T) == 8 ? T(0x1p54) : T(0x1p25f);
  constexpr T kDown = sizeof(T) == 8 ? T(-54) : T(-25);
  const Mask<F> odd = !((x >= F(kLeast)) & (x < infinity<F>()));
  if (!any(odd)) return log_of(split_exponent(x));
  const Mask<F> tiny = (x < F(kLeast)) & (x > F(T(0)));
  Scaled<F> part = split_exponent(select(tiny, x * F(kUp), x));
  part.k = part.k + select(tiny, F(kDown), F(T(0)));
  const F y = log_of(part);
  return select(tiny | !odd, y, select(x == F(T(0)), -infinity<F>(), select(x > F(T(0)), x, not_a_number<F>())));
}

template <FloatLane F>
ENGINE_LANE F log(F x) noexcept {
  return log_with_specials(
      x, [](Scaled<F> part) __attribute__((always_inline)) { return log_sum(part.k, part.m - F(ItemOf<F>(1)), part.k * ln2_low<F>()); });
}

// For log2 and log10: with |a| >= 2 |b c| or a = 0, s = fma(b, c, a) has the error fma(b, c, a - s), in which a - s is exact.
template <FloatLane F>
ENGINE_LANE F log2(F x) noexcept {
  return log_with_specials(x, [](Scaled<F> part) __attribute__((always_inline)) {
    const Two<F> l = log_in_two(part.m - F(ItemOf<F>(1)));
    const F sum = fma(l.hi, log2_e<F>(), part.k);
    return sum + fma(l.lo, log2_e<F>(), fma(l.hi, log2_e<F>(), part.k - sum));
  });
}

template <FloatLane F>
ENGINE_LANE F log10(F x) noexcept {
  return log_with_specials(x, [](Scaled<F> part) __attribute__((always_inline)) {
    using T = ItemOf<F>;
    constexpr bool kDouble = DoubleLane<F>;
    constexpr T kLog10E = kDouble ? T(kLog10E64) : T(kLog10E32);
    constexpr T kTwoHigh = kDouble ? T(kLog10TwoHigh64) : T(kLog10TwoHigh32), kTwoLow = kDouble ? T(kLog10TwoLow64) : T(kLog10TwoLow32);
    const Two<F> l = log_in_two(part.m - F(T(1)));
    const F a = part.k * F(kTwoHigh), sum = fma(l.hi, F(kLog10E), a);  // a is exact
    F rest = fma(part.k, F(kTwoLow), fma(l.hi, F(kLog10E), a - sum));
    if constexpr (!kDouble) rest = fma(l.hi, F(kLog10ELow32), rest);
    return sum + fma(l.lo, F(kLog10E), rest);
  });
}

template <FloatLane F>
ENGINE_LANE F log1p(F x) noexcept {
  using T = ItemOf<F>;
  // 1 + x = 2^k (1 + f), k from the rounded sum: its exponent, as in split_exponent.
  const F u = F(T(1)) + x;
  F k, inverse;  // 2^-k
  if constexpr (DoubleLane<F>) {
    const LaneBits<F> shifted = bits_of(u) + LaneBits<F>(0x3ff0000000000000ul - 0x3fe6a09e667f3bcdul);
    k = float_of(shr<52>(shifted) | LaneBits<F>(0x4330000000000000ul)) - F(0x1p52 + 1023);
    inverse = float_of(LaneBits<F>(0x7fe0000000000000ul) - (shifted & LaneBits<F>(0x7ff0000000000000ul)));
  } else {
    const LaneBits<F> shifted = bits_of(u) + LaneBits<F>(0x3f800000u - 0x3f3504f3u);
    k = float_of(shr<23>(shifted) | LaneBits<F>(0x4b000000u)) - F(0x1p23f + 127);
    inverse = float_of(LaneBits<F>(0x7f000000u) - (shifted & LaneBits<F>(0x7f800000u)));
  }
  const F less = inverse - F(T(1)), f = fma(x, inverse, less), error = fma(x, inverse, less - f);
  const F y = with_sign(log_sum(k, f, fma(k, ln2_low<F>(), fma(-f, error, error))), x);
  const Mask<F> odd = !((x > F(T(-1))) & (x < F(T(0x1p60))));
  if (!any(odd)) return y;
  return select(odd, select(x > F(T(0)), log(x), select(x == F(T(-1)), -infinity<F>(), not_a_number<F>())), y);
}

}  // namespace engine::math

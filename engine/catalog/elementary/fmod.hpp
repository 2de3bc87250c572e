// catalog/elementary/fmod.hpp - fmod, and NumPy's remainder and floor division, which are made of it. All exact.
//
// Of magnitudes a and b with q = a / b below 2^52 (2^23 in float), t = floor(q) is the whole quotient or one more: rounding
// is monotone and integers of that size are numbers, so q is an integer only where a / b is, or lies within half an ulp
// below it. a - t b is then a multiple of b's last place below b in magnitude, hence a number, and fma gives it; where it is
// negative, t was one too large, and adding b is exact too, because the rest is a number. Larger quotients are taken off in
// steps of that size, by powers of two times b, one lane at a time.
#pragma once

#include "engine/catalog/elementary/lane.hpp"

namespace engine::math {

template <FloatLane F>
ENGINE_LANE F whole_limit() noexcept {
  if constexpr (DoubleLane<F>)
    return F(0x1p52);
  else
    return F(0x1p23f);
}
/// floor(x), with the sign of zero kept.
template <FloatLane F>
ENGINE_LANE F floor_of(F x) noexcept {
  using T = ItemOf<F>;
  const F limit = whole_limit<F>(), a = abs(x);
  const F nearest = with_sign((a + limit) - limit, x);
  const F below = select(nearest > x, nearest - F(T(1)), nearest);
  return select(a < limit, with_sign(abs(below), x), x);
}
/// a - floor(a / b) b for q = a / b below whole_limit.
template <FloatLane F>
ENGINE_LANE F rest_of_quotient(F q, F a, F b) noexcept {
  const F limit = whole_limit<F>();
  F t = (q + limit) - limit;
  t = select(t > q, t - F(ItemOf<F>(1)), t);
  const F rest = fma(-t, b, a);
  return select(rest < F(ItemOf<F>(0)), rest + b, rest);
}
/// The rest of a by b, both finite and positive, whatever the quotient.
template <class T>
ENGINE_LANE T rest_of_far(T a, T b) noexcept {
  constexpr int kDigits = sizeof(T) == 8 ? 52 : 23;
  constexpr T kLargest = sizeof(T) == 8 ? T(0x1p1022) : T(0x1p126f), kLimit = sizeof(T) == 8 ? T(0x1p52) : T(0x1p23f);
  while (a >= b) {
    T step = b;  // times a power of two, so that a / step is below the limit, and as far below as it need not be
    while (step <= kLargest / kLimit && a / step >= kLimit) step *= kLimit;
    for (int i = 0; i < kDigits && a / step >= kLimit; ++i) step += step;
    a = rest_of_quotient(a / step, a, step);
  }
  return a;
}

template <FloatLane F>
ENGINE_LANE F fmod(F x, F y) noexcept {
  using T = ItemOf<F>;
  const F a = abs(x), b = abs(y), q = a / b;
  F rest = rest_of_quotient(q, a, b);
  const Mask<F> near = q < whole_limit<F>();
  if (any(!near)) {
    const Mask<F> defined = (a < infinity<F>()) & (b > F(T(0)));
    rest = patch(defined & !near, a, b, rest, [](T u, T v) { return rest_of_far(u, v); });
    rest = select(defined, rest, not_a_number<F>());
  }
  rest = select(b < infinity<F>(), rest, select(b == infinity<F>(), a, b));  // fma(-0, inf, a) is none
  rest = select(a < infinity<F>(), rest, not_a_number<F>());
  return with_sign(rest, x);
}

template <FloatLane F>
ENGINE_LANE F remainder(F x, F y) noexcept {
  const F zero = F(ItemOf<F>(0)), rest = fmod(x, y);
  const Mask<F> other_sign = ((rest < zero) & (y > zero)) | ((rest > zero) & (y < zero));
  return select(rest == zero, with_sign(zero, y), select(other_sign, rest + y, rest));
}

/// As CPython and NumPy have it: from fmod, so that x == q*y + r holds as well as it can.
template <FloatLane F>
ENGINE_LANE F floor_divide(F x, F y) noexcept {
  using T = ItemOf<F>;
  const F zero = F(T(0)), one = F(T(1)), rest = fmod(x, y);
  const Mask<F> other_sign = ((rest < zero) & (y > zero)) | ((rest > zero) & (y < zero));
  const F quotient = (x - rest) / y;
  const F lower = select(other_sign, quotient - one, quotient);
  const F below = floor_of(lower);
  const F result = select(lower - below > F(T(0.5)), below + one, below);
  return select(y == zero, x / y, select(lower == zero, with_sign(zero, x / y), result));
}

}  // namespace engine::math

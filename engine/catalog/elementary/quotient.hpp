// catalog/elementary/quotient.hpp - quotients as hi + lo, without a second division.
//
// hi is the processor's result; its residual, which fma gives exactly (Markstein, IBM J. Res. Dev. 34, 1990), divided
// roughly, is lo. The rough reciprocal costs no division: a subtraction of bit patterns is within 5 %, a step of Newton's
// method makes that 0.3 %.
#pragma once

#include "engine/catalog/elementary/lane.hpp"

namespace engine::math {

/// A constant of the lane's item type.
template <FloatLane F>
ENGINE_LANE F number(double value) noexcept {
  return F(static_cast<ItemOf<F>>(value));
}

/// x >= +0 with the sign of y; one step less than with_sign.
template <FloatLane F>
ENGINE_LANE F give_sign(F x, F y) noexcept {
  return float_of(bits_of(x) | (bits_of(y) & sign_bit<F>()));
}

/// 1 / d to eight bits, for positive normal d with a normal reciprocal.
template <FloatLane F>
ENGINE_LANE F rough_reciprocal(F d) noexcept {
  F y;
  if constexpr (DoubleLane<F>)
    y = float_of(LaneBits<F>(0x7fde623850248534ul) - bits_of(d));
  else
    y = float_of(LaneBits<F>(0x7ef311c3u) - bits_of(d));
  return fma(-y, fma(d, y, number<F>(-1)), y);
}

/// (n.hi + n.lo) / (d.hi + d.lo), with d.hi as above and each lo below a few ulp of hi.
template <FloatLane F>
ENGINE_LANE Two<F> quotient(Two<F> n, Two<F> d) noexcept {
  const F q = n.hi / d.hi;
  return {q, (fma(-q, d.hi, n.hi) + fma(-q, d.lo, n.lo)) * rough_reciprocal(d.hi)};
}
/// The same of an exact n.
template <FloatLane F>
ENGINE_LANE Two<F> quotient(F n, Two<F> d) noexcept {
  const F q = n / d.hi;
  return {q, fma(-q, d.lo, fma(-q, d.hi, n)) * rough_reciprocal(d.hi)};
}

}  // namespace engine::math

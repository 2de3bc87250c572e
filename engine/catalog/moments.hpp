// catalog/moments.hpp - count, mean and sum of squared distances of part of a sample, and how two parts become one.
// Source: Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
// No standard header: NVRTC reads this file too.
#pragma once

#include "engine/base/lane.hpp"

namespace engine::math {

/// The mean is mean + rest, not rounded to one number: so the distance of two means keeps all its digits however large they
/// are, and a variance loses none to a large mean.
template <class T>
struct Moments {
  T count, mean, rest, squares;
};

/// From what two passes over a part find: n elements, their rounded mean, and sum and sum of squares of the distances from it.
template <class T>
ENGINE_LANE Moments<T> moments(T n, T mean, T distances, T squares) noexcept {
  const T rest = n == 0 ? T(0) : distances / n;
  const T corrected = squares - distances * rest;
  // Below zero only by rounding; not a number where both overflow, or the squares are none.
  return {n, mean, rest, corrected < 0 ? T(0) : corrected == corrected ? corrected : squares};
}

template <class T>
ENGINE_LANE Moments<T> merge(Moments<T> x, Moments<T> y) noexcept {
  const T n = x.count + y.count;
  const T share = n == 0 ? T(0) : y.count / n;
  const T apart = (y.mean - x.mean) + (y.rest - x.rest);
  const T shift = x.rest + apart * share;
  const T mean = x.mean + shift;
  const T shifted = mean - x.mean;  // Knuth's two-sum: mean + rest is x.mean + shift exactly
  const T rest = (x.mean - (mean - shifted)) + (shift - shifted);
  return {n, mean, rest, x.squares + y.squares + apart * apart * (x.count * share)};
}

}  // namespace engine::math

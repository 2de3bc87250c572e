// plan/hazard.cpp - see hazard.hpp. Exact overlap of strided sets is NP-hard (it is a bounded Diophantine problem), so
// three sufficient tests are made in turn: disjoint ranges, disjoint residues, and equal strides.
#include "engine/plan/hazard.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <engine/array.hpp>
#include <numeric>
#include <utility>

namespace engine::plan {

void cover(const Touched& t, int rank, const std::int64_t* extents, std::uintptr_t& low, std::uintptr_t& high) noexcept {
  const auto base = reinterpret_cast<std::uintptr_t>(t.base);
  low = base;
  high = base + static_cast<std::uintptr_t>(t.item);
  for (int axis = 0; axis < rank; ++axis) {
    const std::int64_t reach = (extents[axis] - 1) * t.strides[axis];
    if (reach < 0)
      low += static_cast<std::uintptr_t>(reach);
    else
      high += static_cast<std::uintptr_t>(reach);
  }
}

Hazard hazard(const Touched& store, const Touched& load, int rank, const std::int64_t* extents) noexcept {
  std::uintptr_t store_low, store_high, load_low, load_high;
  cover(store, rank, extents, store_low, store_high);
  cover(load, rank, extents, load_low, load_high);
  if (store_high <= load_low || load_high <= store_low) return Hazard::None;

  // All addresses of either are its base plus multiples of g: different residues never meet (a[::2] against a[1::2]).
  std::int64_t g = 0;
  bool same_strides = true;
  for (int axis = 0; axis < rank; ++axis) {
    if (extents[axis] == 1) continue;
    g = std::gcd(g, std::gcd(store.strides[axis], load.strides[axis]));
    same_strides = same_strides && store.strides[axis] == load.strides[axis];
  }
  const std::int64_t distance = load.base - store.base;
  if (g > 0) {
    const std::int64_t ahead = ((distance % g) + g) % g;
    if (ahead >= store.item && g - ahead >= load.item) return Hazard::None;
  }

  // Lexicographic order is address order where every axis outweighs all the axes inside it; then no address repeats.
  if (!same_strides || store.item != load.item) return Hazard::Buffer;
  std::int64_t inner = store.item;
  bool ascending = true;
  for (int axis = rank - 1; axis >= 0; --axis) {
    if (extents[axis] == 1) continue;
    if (store.strides[axis] < inner) {
      ascending = false;
      break;
    }
    inner = store.strides[axis] * (extents[axis] - 1) + inner;
  }
  if (!ascending) return Hazard::Buffer;
  if (distance == 0) return Hazard::Same;
  if (std::abs(distance) < store.item) return Hazard::Buffer;  // elements that cut into each other
  return distance > 0 ? Hazard::Forward : Hazard::Backward;
}

bool repeats(const Touched& t, int rank, const std::int64_t* extents) noexcept {
  std::array<std::pair<std::int64_t, std::int64_t>, kMaxRank> axes;  // stride, extent
  std::size_t n = 0;
  for (int axis = rank - 1; axis >= 0; --axis)
    if (extents[axis] > 1) axes[n++] = {std::abs(t.strides[axis]), extents[axis]};
  std::sort(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(n));  // as they are, as a rule
  std::int64_t inner = t.item;
  for (std::size_t i = 0; i < n; ++i) {
    const auto [stride, extent] = axes[i];
    if (stride < inner) return true;
    inner += stride * (extent - 1);
  }
  return false;
}

}  // namespace engine::plan

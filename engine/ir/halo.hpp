// ir/halo.hpp - footprints: at which offsets from an element of the result the nodes below are read.
#pragma once

#include <algorithm>
#include <memory_resource>

#include "engine/ir/graph.hpp"

namespace engine::ir {

/// A sum of offsets, no farther than kFarthest from zero. A slice that begins past the end of its array is valid, and empty, with
/// any number that int64 holds: what is farther than any array is long is only known to be far.
constexpr std::int64_t kFarthest = std::int64_t{1} << 61;
constexpr std::int64_t sum_of_offsets(std::int64_t a, std::int64_t b) {
  return std::clamp(std::clamp(a, -kFarthest, kFarthest) + std::clamp(b, -kFarthest, kFarthest), -kFarthest, kFarthest);
}

/// Offsets [low, high] along one axis, sums of offsets; `is_whole`: anywhere.
struct Footprint {
  std::int64_t low = 0, high = 0;
  bool is_read = false, is_whole = false;
  void add(const Footprint& other, std::int64_t by = 0) {
    if (!other.is_read) return;
    is_whole |= other.is_whole;
    const std::int64_t from = sum_of_offsets(other.low, by), to = sum_of_offsets(other.high, by);
    low = is_read ? std::min(low, from) : from;
    high = is_read ? std::max(high, to) : to;
    is_read = true;
  }
};

/// Of every node, by axes counted from the last.
class Footprints {
 public:
  Footprints(std::size_t n_nodes, int rank, std::pmr::memory_resource* memory)
      : width_(static_cast<std::size_t>(rank)), all_(n_nodes * width_, memory) {}
  Footprint& at(NodeId id, int axis_from_last) { return all_[id * width_ + static_cast<std::size_t>(axis_from_last)]; }

 private:
  std::size_t width_;
  std::pmr::vector<Footprint> all_;
};

/// What one element of what stands at `roots` reads.
Footprints footprints(const Graph& graph, std::span<const NodeId> roots, std::pmr::memory_resource* memory);

}  // namespace engine::ir

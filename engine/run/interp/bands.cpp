// run/interp/bands.cpp - boxes of one kernel, some rows of all of them at a time. See run_boxes() in block.hpp.
#include <algorithm>

#include "engine/run/interp/block.hpp"
#include "engine/run/interp/scratch.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::interp {
namespace {

/// Bands of the largest of several boxes, cut between rows of what the first store writes: addresses, which tell for each element of any
/// box where it belongs.
struct Bands {
  std::int64_t n = 1;
  char* base = nullptr;
  std::int64_t bytes = 0;  ///< from the start of one to the start of the next
};

Bands cut_bands(const Code& code, std::span<const plan::BoundKernel> boxes, int threads) {
  /// Elements of a band, of which there are fields enough to fill a second-level cache; and of boxes that are worth it.
  constexpr std::int64_t kBand = std::int64_t{1} << 15, kWorthwhile = 4 * kBand;
  const auto largest = std::max_element(boxes.begin(), boxes.end(), [](const auto& a, const auto& b) { return a.total < b.total; });
  if (boxes.size() < 2 || largest->rank < 2 || largest->total < kWorthwhile) return {};
  const std::uint32_t store = code.stores[0].access;
  for (const plan::BoundKernel& box : boxes)
    if (box.ordered || !box.isolated || !box.detours.empty() || (box.rank && box.accesses[store].strides[0] <= 0)) return {};
  const std::int64_t extent = largest->extents[0], row = largest->total / extent;
  // Of planes, so many that it does not matter what is read of those before and behind.
  constexpr std::int64_t kPlanes = 16;
  const std::int64_t most = std::max(kBand / row, largest->rank > 2 ? kPlanes : 1);
  std::int64_t rows = std::min(most, extent / (std::int64_t{threads} * kChunksPerThread));
  rows = std::max<std::int64_t>(rows / kMostRows, 1) * kMostRows;
  const std::int64_t n = (extent + rows - 1) / rows;
  if (threads > 1 && n < std::int64_t{threads} * kChunksPerThread) return {};  // few long rows are better cut elsewhere
  const plan::BoundAccess& to = largest->accesses[store];
  return {n, to.base, rows * to.strides[0]};
}

}  // namespace

bool run_boxes(const Code& code, std::span<const plan::BoundKernel> boxes, const Team& team) {
  const Bands bands = cut_bands(code, boxes, team.threads);
  if (bands.n < 2) return false;
  const auto run_band = [&](std::int64_t band) {
    for (const plan::BoundKernel& box : boxes) {
      const std::int64_t extent = box.rank ? box.extents[0] : 1;
      const plan::BoundAccess& to = box.accesses[code.stores[0].access];
      /// Of the box's first axis, the first index that is not before a band.
      const auto begin_of = [&](std::int64_t which) {
        if (which <= 0 || which >= bands.n) return which <= 0 ? 0 : extent;
        const std::int64_t stride = box.rank ? to.strides[0] : 1, from_here = bands.base + which * bands.bytes - to.base;
        return from_here <= 0 ? 0 : std::min(extent, (from_here + stride - 1) / stride);
      };
      const std::int64_t begin = begin_of(band), end = begin_of(band + 1), row = extent ? box.total / extent : 0;
      if (begin < end && row) store_range(code, box, begin * row, end * row, *team.watch);
    }
  };
  const Scratch* const callers = &Scratch::of_thread();  // which is kept until the last kernel has run
  parallel_for(team.threads, bands.n, [&](std::int64_t band) {
    run_band(band);
    if (Scratch& mine = Scratch::of_thread(); &mine != callers) mine.trim();
  });
  return true;
}

}  // namespace engine::run::interp

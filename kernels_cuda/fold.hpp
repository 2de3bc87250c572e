// kernels_cuda/fold.hpp - a bound kernel with folds -> its launches.
#pragma once

#include <functional>

#include "kernels_cuda/launch.hpp"

namespace engine::cuda {

struct FoldShape {
  bool lanes_kept = false;
  std::int64_t kept = 1, rows = 1, length = 1;  ///< see plan::BoundKernel
  /// That make a cell.
  double items() const { return static_cast<double>(rows) * (lanes_kept ? 1 : static_cast<double>(length)); }
};

struct Launchable {
  const LoadedKernel& kernel;
  const KernelText& text;
};
/// Gives the kernel for a layout.
using FindKernel = std::function<Launchable(const Layout&)>;

/// Where the results of each fold go on the device, and bytes of one of its parts. There are elements to fold.
struct FoldTargets {
  std::vector<DevicePointer> cells;
  std::vector<std::size_t> part_bytes;
  bool as_parts = false;  ///< parts instead of cells
};
void launch_folds(DeviceState& device, const Space& space, const FoldShape& shape, const FoldTargets& targets, const FindKernel& find);

/// Parts of cells that come one after the other, each of a subtree, and the memory in which they wait for each other.
struct FoldTree {
  std::vector<DevicePointer> parts, levels;  ///< of each fold: of all cells; of the cells of each level
  std::int64_t cells = 1;
  double items = 0;  ///< that make a cell
};
/// One more part after `before` others; the last one makes the cells of `targets`.
void launch_merge(DeviceState& device, const Space& space, const FoldTree& tree, std::uint32_t before, bool is_last,
                  const FoldTargets& targets, const FindKernel& find);

}  // namespace engine::cuda

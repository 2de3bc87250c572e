// kernels_cuda/fold.hpp - a bound kernel with folds -> its launches.
#pragma once

#include <functional>

#include "kernels_cuda/launch.hpp"

namespace engine::cuda {

struct FoldShape {
  bool lanes_kept = false;
  std::int64_t kept = 1, rows = 1, length = 1;  ///< see plan::BoundKernel
};

struct Launchable {
  const LoadedKernel& kernel;
  const KernelText& text;
};
/// Gives the kernel for a layout.
using FindKernel = std::function<Launchable(const Layout&)>;

/// cells[i]: the result of fold i on the device; parts[i]: bytes of one of its parts. There are elements to fold.
void launch_folds(DeviceState& device, const Space& space, const FoldShape& shape, std::span<const DevicePointer> cells,
                  std::span<const std::size_t> part_bytes, const FindKernel& find);

}  // namespace engine::cuda

// kernels_cuda/cub.hpp - where CUB's headers are: what sorts are compiled with.
#pragma once

#include <string>

namespace engine::cuda {

/// What was found. `reason` is empty where it can be used.
struct CubState {
  std::string reason, help;
  std::string folder;  ///< the one that holds cub/
  int version = 0;     ///< CUB_VERSION: 300500 is 3.5.0
};
const CubState& cub_state();

/// What kernels begin with that include CUB.
inline constexpr const char* kCubInclude = "#include <cub/block/block_radix_rank.cuh>\n";

}  // namespace engine::cuda

// kernels_cuda/prelude.hpp - the catalog's meanings as text for NVRTC: of everything that scalar.hpp and elementary/ declare,
// what one kernel uses.
//
// The headers are taken apart into their declarations once; a kernel gets those it names, those they name, and so on. Half a
// megabyte of tables and functions is read in 100 ms, what a kernel uses of it in a few.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace engine::cuda {

/// The files, in the order of their includes (written by embed.cmake).
extern const std::string_view kDeviceFiles[];
extern const std::size_t kDeviceFileCount;

/// Types that a kernel may do without: overloads for them are left out then.
struct PreludeTypes {
  bool complex = false, half = false;
};

/// Declarations that the identifiers of `text` need, in order, with their namespaces around them.
std::string prelude_for(std::string_view text, PreludeTypes types);

}  // namespace engine::cuda

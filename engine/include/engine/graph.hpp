// engine/graph.hpp - a call's launches on a device as one CUDA graph.
#pragma once

#include <cstdint>
#include <engine/export.hpp>
#include <engine/handle.hpp>

namespace engine ENGINE_API {

/// What became of the calls that were given a graph.
struct LaunchGraphStats {
  std::uint32_t kernels = 0;   ///< that the graph has now
  std::uint64_t captures = 0;  ///< calls that made it anew
  std::uint64_t updates = 0;   ///< that had its kernels take other addresses or numbers
  std::uint64_t replays = 0;   ///< that launched it
};

/// The kernels that a call launches on a device, kept as one CUDA graph (CUDA Driver API, Graph Management): for who calls a program of
/// many small kernels again and again. The first call with it captures them, and every call launches them at once, with its own addresses
/// and numbers. Where its kernels are other ones (of another program, dtype, shape or alignment) it captures anew. Results have the same
/// bits as without.
///
/// Programs that read values of the device between their kernels (unique, a[mask], histogram, integer powers by arrays) cannot be
/// captured, nor can calls whose arrays are the host's: BackendError then, and nothing is written. Calls with a graph are not
/// interrupted, and tell of no progress. Copies are the same graph, which threads use in turns; it keeps the memory of the program's
/// temporaries.
///
///     LaunchGraph graph;
///     program.run_into(out, {{"x", x}}, {.graph = &graph});
class LaunchGraph {
 public:
  LaunchGraph();
  LaunchGraphStats stats() const;

  struct Impl;
  Impl& impl() const noexcept { return *impl_; }

 private:
  Handle<Impl> impl_;
};
extern template class Handle<LaunchGraph::Impl>;

}  // namespace engine ENGINE_API

// kernels_cuda/graph.cpp - see graph.hpp.
#include "kernels_cuda/graph.hpp"

#include <engine/error.hpp>
#include <utility>

namespace engine::cuda {

KernelGraph::Capturing::Capturing(KernelGraph& graph) : graph_(graph) {
  graph_.key_.clear();
  graph_.captured_.clear();
  graph_.free_.merge(graph_.held_);
  graph_.device_.graph_ = &graph_;
}

KernelGraph::Capturing::~Capturing() {
  graph_.device_.graph_ = nullptr;
  for (const auto& [size, memory] : std::exchange(graph_.free_, {})) graph_.device_.release(memory, size);
}

DevicePointer KernelGraph::allocate(std::size_t size) noexcept {
  const auto found = free_.find(size);
  if (found == free_.end()) return 0;
  const DevicePointer memory = found->second;
  free_.erase(found);
  return memory;
}

void KernelGraph::add(const LoadedKernel& kernel, unsigned blocks, unsigned threads, std::span<const std::byte> parameters,
                      std::span<void*> addresses) {
  Node node{.function = kernel.function(), .blocks = blocks, .threads = threads, .parameters = {parameters.begin(), parameters.end()}};
  for (void* const address : addresses)
    node.places.push_back(static_cast<std::size_t>(static_cast<const std::byte*>(address) - parameters.data()));
  captured_.push_back(std::move(node));
}

KernelNodeParameters KernelGraph::parameters_of(Node& node, std::vector<void*>& addresses) {
  addresses.clear();
  for (const std::size_t place : node.places) addresses.push_back(node.parameters.data() + place);
  return {.function = node.function, .blocks = {node.blocks, 1, 1}, .threads = {node.threads, 1, 1}, .parameters = addresses.data()};
}

void KernelGraph::settle(std::vector<std::uint64_t> key, LaunchGraphStats& stats) {
  counters_ = device_.counters_;
  const bool is_there = executable_ && nodes_.size() == captured_.size();
  if (is_there && nodes_ == captured_) {
    key_ = std::move(key);
    return;
  }
  if (is_there && update()) {
    ++stats.updates;
  } else {
    make();
    ++stats.captures;
  }
  stats.kernels = static_cast<std::uint32_t>(nodes_.size());
  key_ = std::move(key);
}

/// False where the driver does not take other kernels in the place of what is there.
bool KernelGraph::update() {
  std::vector<void*> addresses;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i] == captured_[i]) continue;
    const KernelNodeParameters parameters = parameters_of(captured_[i], addresses);
    const Status status = driver().cuGraphExecKernelNodeSetParams_v2(executable_, nodes_[i].handle, &parameters);
    if (is_lost(status)) check(status, "updating a graph");
    if (status != kSuccess) return false;
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) captured_[i].handle = nodes_[i].handle;
  nodes_ = std::move(captured_);
  return true;
}

/// One kernel after the other, as on a stream.
void KernelGraph::make() {
  constexpr const char* kDoing = "making a graph";
  constexpr unsigned long long kNoFlags = 0;
  const Driver& d = driver();
  destroy();
  check(d.cuGraphCreate(&graph_, 0), kDoing);
  std::vector<void*> addresses;
  GraphNode before = nullptr;
  for (Node& node : captured_) {
    const KernelNodeParameters parameters = parameters_of(node, addresses);
    check(d.cuGraphAddKernelNode_v2(&node.handle, graph_, &before, before ? 1 : 0, &parameters), kDoing);
    before = node.handle;
  }
  check(d.cuGraphInstantiateWithFlags(&executable_, graph_, kNoFlags), kDoing);
  nodes_ = std::move(captured_);
}

void KernelGraph::launch() {
  if (nodes_.empty()) return;
  check(driver().cuGraphLaunch(executable_, device_.stream()), "starting a graph");
  ++device_.counts.launches;
}

void KernelGraph::destroy() noexcept {
  nodes_.clear();
  if (GraphExecutable executable = std::exchange(executable_, nullptr)) driver().cuGraphExecDestroy(executable);
  if (CudaGraph graph = std::exchange(graph_, nullptr)) driver().cuGraphDestroy(graph);
}

KernelGraph::~KernelGraph() {
  try {
    const Session session(device_);
    destroy();
    for (const auto& [size, memory] : held_) device_.release(memory, size);
  } catch (const Error&) {  // a forked child, or a lost context: all that is gone with it
  }
}

}  // namespace engine::cuda

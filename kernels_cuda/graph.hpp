// kernels_cuda/graph.hpp - launches kept instead of started: a CUDA graph of them, brought up to date and launched as one.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "engine/run/launches.hpp"
#include "kernels_cuda/device.hpp"

namespace engine::cuda {

/// Used under the device's mutex with its context current, but for its end; all throw BackendError, OutOfMemory.
class KernelGraph final : public run::Launches {
 public:
  explicit KernelGraph(DeviceState& device) : device_(device) {}
  ~KernelGraph() override;
  KernelGraph(const KernelGraph&) = delete;
  KernelGraph& operator=(const KernelGraph&) = delete;
  const DeviceState& device() const noexcept { return device_; }

  /// Whether what was captured last is what a call of that key would launch. An empty key is like no other.
  bool is_of(const std::vector<std::uint64_t>& key) const noexcept { return !key.empty() && key == key_ && counters_ == device_.counters_; }

  /// Runs a call whose launches are added here. What memory it gives back stays the graph's, and is nobody's until the next capture: the
  /// host copies at once what kernels find there later.
  template <class Call>
  void capture(Call call) {
    const Capturing capturing(*this);
    call();
  }
  DevicePointer allocate(std::size_t size) noexcept;  ///< 0: it has none of that size
  void release(DevicePointer memory, std::size_t size) { held_.emplace(size, memory); }
  void add(const LoadedKernel& kernel, unsigned blocks, unsigned threads, std::span<const std::byte> parameters,
           std::span<void*> addresses);

  /// Makes a graph of what was captured, or brings the one that is there up to date.
  void settle(std::vector<std::uint64_t> key, LaunchGraphStats& stats);
  void launch();

 private:
  struct Node {
    GraphNode handle = nullptr;
    Function function = nullptr;
    unsigned blocks = 0, threads = 0;
    std::vector<std::byte> parameters;
    std::vector<std::size_t> places;  ///< of each parameter, in bytes
    bool operator==(const Node& other) const noexcept {
      return function == other.function && blocks == other.blocks && threads == other.threads && parameters == other.parameters;
    }
  };
  class Capturing {
   public:
    explicit Capturing(KernelGraph& graph);
    ~Capturing();
    Capturing(const Capturing&) = delete;
    Capturing& operator=(const Capturing&) = delete;

   private:
    KernelGraph& graph_;
  };
  /// As the driver wants it; `addresses` lives as long as what is given.
  static KernelNodeParameters parameters_of(Node& node, std::vector<void*>& addresses);
  bool update();
  void make();
  void destroy() noexcept;

  DeviceState& device_;
  std::vector<Node> nodes_, captured_;
  std::vector<std::uint64_t> key_;
  DevicePointer counters_ = 0;  ///< the device's, when it was captured
  CudaGraph graph_ = nullptr;
  GraphExecutable executable_ = nullptr;
  std::multimap<std::size_t, DevicePointer> held_, free_;  ///< of the kernels that are there, and for those that are captured
};

}  // namespace engine::cuda

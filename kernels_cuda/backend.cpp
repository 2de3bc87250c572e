// kernels_cuda/backend.cpp - implements the backend "cuda": a bound plan -> device memory, launches, results.
#include "kernels_cuda/backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "engine/run/watch.hpp"
#include "kernels_cuda/call.hpp"
#include "kernels_cuda/cost.hpp"
#include "kernels_cuda/cub.hpp"
#include "kernels_cuda/disk_cache.hpp"
#include "kernels_cuda/graph.hpp"
#include "kernels_cuda/nvrtc_api.hpp"
#include "kernels_cuda/steps.hpp"

namespace engine::cuda {
namespace {

class CudaExecutable final : public run::Executable {
 public:
  CudaExecutable(const ir::Graph& graph, const plan::Plan& plan, int device)
      : CudaExecutable(graph, plan, DeviceState::get(std::max(device, 0))) {}
  void execute(plan::Binding& binding, const RunOptions& options) const override;
  int compile(plan::Binding& binding) const override;
  std::int64_t most_steps(const run::Advance& call, std::int64_t steps) const override;
  void advance(const run::Advance& call, const run::Advance& back, std::int64_t steps, std::int64_t passes) const override;

 private:
  void replay(plan::Binding& binding, LaunchGraph::Impl& kept) const;
  Call call(plan::Binding& binding, run::Watch& watch, Session& session, int threads, bool is_short = false) const {
    return {graph_, plan_, kernels_, device_, binding, watch, session, threads, is_short};
  }
  CudaExecutable(const ir::Graph& graph, const plan::Plan& plan, DeviceState& device)
      : graph_(graph), plan_(plan), device_(device), kernels_(device_) {}
  const ir::Graph& graph_;
  const plan::Plan& plan_;
  DeviceState& device_;
  mutable Kernels kernels_;  ///< under the device's mutex
  mutable std::atomic<bool> has_run_{false};
  // Under the device's mutex, too: of passes that make several steps.
  const DeviceInfo& rates(int device) const;
  mutable std::optional<DeviceInfo> rates_;
  mutable std::unique_ptr<KernelGraph> passes_;
};

/// Of the calling thread, for one execution.
class Patience {
 public:
  explicit Patience(bool waits) noexcept { waits_for_compiler = waits; }
  ~Patience() { waits_for_compiler = true; }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
};

void CudaExecutable::execute(plan::Binding& binding, const RunOptions& options) const {
  // Operands of the host would be brought here in vain.
  const Patience patience(options.wait);
  if (options.graph) return replay(binding, options.graph->impl());
  if (!options.wait && binding.device == kHost && !plan_.finds && !has_run_.load(std::memory_order_relaxed)) compile(binding);
  run::Watch watch(options);
  {
    Session session(device_);
    bool is_short = false;
    try {
      call(binding, watch, session, options.threads).run();
    } catch (const OutOfMemory&) {
      if (!call(binding, watch, session, options.threads).can_do_with_less()) throw;
      is_short = true;
    }
    if (is_short) call(binding, watch, session, options.threads, true).run();
  }
  has_run_.store(true, std::memory_order_relaxed);
  watch.finish();
}

void CudaExecutable::replay(plan::Binding& binding, LaunchGraph::Impl& kept) const {
  auto* graph = dynamic_cast<KernelGraph*>(kept.launches.get());
  if (!graph || &graph->device() != &device_) {
    kept.launches = std::make_unique<KernelGraph>(device_);
    graph = static_cast<KernelGraph*>(kept.launches.get());
  }
  const RunOptions nobody_asks;
  run::Watch watch(nobody_asks);
  Session session(device_);
  if (std::vector<std::uint64_t> key = call(binding, watch, session, 1).key(); !graph->is_of(key)) {
    graph->capture([&] { call(binding, watch, session, 1).run(); });
    graph->settle(std::move(key), kept.stats);
  }
  graph->launch();
  ++kept.stats.replays;
  has_run_.store(true, std::memory_order_relaxed);
}

/// By an execution that does nothing else.
int CudaExecutable::compile(plan::Binding& binding) const {
  const Rehearsing rehearsing;
  DeviceState device(DeviceState::Rehearsal{}, device_);
  const CudaExecutable as_if(graph_, plan_, device);
  const RunOptions options;
  run::Watch watch(options);
  Session session(device);
  const int before = run::compilations.kernels;
  as_if.call(binding, watch, session, 1).run();
  return run::compilations.kernels - before;
}

std::int64_t CudaExecutable::most_steps(const run::Advance& call, std::int64_t steps) const {
  const StepsCall made({graph_, plan_, *call.step.kernel}, call);
  Session session(device_);
  return made.most_steps(steps, rates(call.device), kernels_);
}

const DeviceInfo& CudaExecutable::rates(int device) const {
  if (!rates_) rates_ = info_of(device);
  return *rates_;
}

void CudaExecutable::advance(const run::Advance& call, const run::Advance& back, std::int64_t steps, std::int64_t passes) const {
  /// Passes that are over about as soon as they are launched go as a graph, so many of them.
  constexpr double kBrief = 20e-6;
  constexpr std::int64_t kWorthAGraph = 8, kMostOfGraph = 32;
  const PlannedKernel planned{graph_, plan_, *call.step.kernel};
  const StepsCall there(planned, call), again(planned, back);
  Session session(device_);
  const DeviceInfo& rates = this->rates(call.device);
  const std::optional<StepsCall::Choice> first = there.choose(steps, rates), second = again.choose(steps, rates);
  if (!first || !second)
    throw BackendError(
        {.what = "no kernel makes so many steps of these arrays", .labels = {}, .help = "ask most_steps() of them", .text = {}});
  const auto launch = [&](std::int64_t pass) {
    pass % 2 == 0 ? there.launch(*first, device_, kernels_) : again.launch(*second, device_, kernels_);
  };
  std::int64_t done = 0;
  if (passes >= kWorthAGraph && first->seconds * static_cast<double>(steps) < kBrief && there.can_be_captured(*first, kernels_) &&
      again.can_be_captured(*second, kernels_)) {
    const std::int64_t n = std::min(passes / 2 * 2, kMostOfGraph);
    if (!passes_) passes_ = std::make_unique<KernelGraph>(device_);
    passes_->capture([&] {
      for (std::int64_t pass = 0; pass < n; ++pass) launch(pass);
    });
    LaunchGraphStats stats;
    passes_->settle({}, stats);
    for (; done + n <= passes; done += n) passes_->launch();
  }
  for (; done < passes; ++done) launch(done);
}

Availability probe() {
  const DriverState& driver = driver_state();
  if (!driver.reason.empty()) return {false, driver.reason, driver.help};
  const NvrtcState& nvrtc = nvrtc_state();
  if (!nvrtc.reason.empty()) return {false, nvrtc.reason, nvrtc.help};
  return {true, "a device, a driver and NVRTC are there", {}};
}

std::string capability(int architecture) { return fmt::format("{}.{}", architecture / 10, architecture % 10); }

std::string place() {
  const DeviceState& device = DeviceState::get();
  return fmt::format("{}, compute capability {}", device.name(), capability(device.architecture()));
}

/// Asks the driver alone: a device that nobody uses is not started for it.
std::string device_line(int ordinal) {
  try {
    const DeviceInfo info = info_of(ordinal);
    return fmt::format("{}, compute capability {}, {:.1f} GiB, {}", info.name, capability(info.architecture),
                       static_cast<double>(info.bytes) / (1 << 30), info.id);
  } catch (const Error&) {
    return "does not answer";
  }
}

std::vector<std::pair<std::string, std::string>> facts() {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto missing = [](const std::string& reason, const std::string& help) { return fmt::format("{}; {}", reason, help); };
  const DriverState& driver = driver_state();
  if (driver.reason.empty()) {
    rows.emplace_back("driver", fmt::format("for CUDA {}.{} ({})", driver.version / 1000, driver.version % 1000 / 10, driver.path));
    for (int ordinal = 0; ordinal < driver.devices; ++ordinal) rows.emplace_back(fmt::format("device {}", ordinal), device_line(ordinal));
  } else {
    rows.emplace_back("driver", missing(driver.reason, driver.help));
  }
  const NvrtcState& nvrtc = nvrtc_state();
  rows.emplace_back("NVRTC", nvrtc.reason.empty()
                                 ? fmt::format("{}.{} ({}), for compute capability {} to {}", nvrtc.major, nvrtc.minor, nvrtc.path,
                                               capability(nvrtc.architectures.front()), capability(nvrtc.architectures.back()))
                                 : missing(nvrtc.reason, nvrtc.help));
  const CubState& cub = cub_state();
  rows.emplace_back("headers", cub.reason.empty()
                                   ? fmt::format("CUB {}.{}.{} ({}), for what sorts; other kernels include nothing", cub.version / 100000,
                                                 cub.version / 100 % 1000, cub.version % 100, cub.folder)
                                   : missing(cub.reason + ", and what sorts needs them", cub.help));
  const KernelCache cache = cache_state();
  rows.emplace_back("cache", cache.reason.empty() ? cache.folder : fmt::format("{} is not used: {}", cache.folder, cache.reason));
  return rows;
}

std::unique_ptr<run::Executable> compile(const ir::Graph& graph, const plan::Plan& plan, int device) {
  return std::make_unique<CudaExecutable>(graph, plan, device);
}

// ---- arrays on devices ----------------------------------------------------------------------------------------------------

constexpr run::DeviceFunctions kDeviceFunctions{
    .info = &info_of,
    .find = &find_device,
    .allocate = [](int ordinal, std::size_t bytes) -> void* {
      DeviceState& device = DeviceState::get(ordinal);
      const Session session(device);
      return pointer(device.allocate(bytes));
    },
    .release =
        [](int ordinal, void* memory, std::size_t bytes) noexcept {
          try {
            DeviceState& device = DeviceState::get(ordinal);
            const Session session(device);
            device.release(address(memory), bytes);
          } catch (const Error&) {  // a forked child, or a lost context: the memory is gone with it
          }
        },
    .copy_to_device =
        [](int ordinal, void* to, const void* from, std::size_t bytes) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.copy_to_device(address(to), from, bytes);
          device.synchronize();
        },
    .copy_to_host =
        [](int ordinal, void* to, const void* from, std::size_t bytes) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.copy_to_host(to, address(from), bytes);
          device.synchronize();
        },
    .device_of =
        [](const void* memory) {
          int ordinal = kHost;
          return driver().cuPointerGetAttribute(&ordinal, kDeviceOrdinal, address(memory)) == kSuccess ? ordinal : kHost;
        },
    .stream_of = [](int ordinal) -> void* { return DeviceState::get(ordinal).stream(); },
    .start_after =
        [](int ordinal, void* stream) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.start_after(static_cast<Stream>(stream));
        },
    .make_wait =
        [](int ordinal, void* stream) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.make_wait(static_cast<Stream>(stream));
        },
    .trim = &DeviceState::trim_all,
};

}  // namespace

const run::BackendEntry kBackend{BackendChoice::Cuda, &probe,   &place,    &facts,   &cache_state,     &clear_cache,
                                 &add_nvrtc_folders,  &compile, &estimate, &predict, &kDeviceFunctions};

}  // namespace engine::cuda

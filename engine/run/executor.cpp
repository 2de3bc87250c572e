// run/executor.cpp - see executor.hpp.
#include "engine/run/executor.hpp"

#include <fmt/format.h>

#include <engine/threads.hpp>

#include "engine/plan/traffic.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <memory_resource>
#include <new>
#include <vector>

#include "engine/catalog/evaluate.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/interp/scratch.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/pages.hpp"

namespace engine::run {
namespace {

/// bytes: 0 where nobody knows.
[[noreturn]] void out_of_memory(const ir::Graph& graph, std::size_t bytes) {
  throw OutOfMemory({.what = bytes ? fmt::format("cannot allocate {} bytes of working memory", bytes) : "out of working memory",
                     .labels = {},
                     .help = "free some memory, or give an out that does not overlap the operands",
                     .text = std::string(graph.text)});
}

/// What a kernel's store will overwrite, kept so that an error found later can be as if nothing had been written.
class Snapshot {
 public:
  Snapshot(const ir::Graph& graph, const plan::BoundKernel& kernel, const plan::BoundAccess& access)
      : kernel_(kernel), access_(access), item_(item_size(access.dtype)) {
    const std::size_t bytes = static_cast<std::size_t>(kernel.total) * item_;
    memory_.reset(new (std::nothrow) char[bytes]);
    if (!memory_) out_of_memory(graph, bytes);
    rows([&](char* at, std::int64_t stride, char* kept, std::size_t n) { interp::pack(kept, at, stride, n, item_, 0); });
  }
  void restore() const noexcept {
    rows([&](char* at, std::int64_t stride, char* kept, std::size_t n) { interp::unpack(at, stride, kept, n, item_, 0); });
  }

 private:
  template <class Visit>
  void rows(Visit visit) const {
    const int last = kernel_.rank - 1;
    const std::int64_t inner = kernel_.rank ? kernel_.extents[last] : 1;
    const std::int64_t stride = kernel_.rank ? access_.strides[last] : 0;
    for (std::int64_t first = 0; first < kernel_.total; first += inner) {
      std::int64_t rest = first / inner, offset = 0;
      for (int axis = last - 1; axis >= 0; --axis) {
        offset += rest % kernel_.extents[axis] * access_.strides[axis];
        rest /= kernel_.extents[axis];
      }
      visit(access_.base + offset, stride, memory_.get() + first * static_cast<std::int64_t>(item_), static_cast<std::size_t>(inner));
    }
  }

  const plan::BoundKernel& kernel_;
  const plan::BoundAccess& access_;
  std::size_t item_;
  std::unique_ptr<char[]> memory_;
};

/// Copies of the operands that are written before a check may still fail. Mostly none.
std::vector<Snapshot> snapshots(const ir::Graph& graph, const plan::Plan& plan, const plan::Binding& binding) {
  std::size_t last_check = 0;
  for (std::size_t i = 0; i < binding.steps.size(); ++i)
    if (binding.steps[i].action->kind == plan::Action::Kind::Check) last_check = i;
  std::vector<Snapshot> kept;
  for (std::size_t i = 0; i < last_check; ++i)
    for (const plan::BoundKernel& kernel : binding.steps[i].kernels)
      for (const plan::Store& store : plan.stores_of(*kernel.kernel))
        if (plan.buffers[plan.accesses[store.access].buffer].kind == plan::Buffer::Kind::Slot)
          kept.emplace_back(graph, kernel, kernel.accesses[store.access - kernel.kernel->first_access]);
  return kept;
}

/// Memory for the values of stores that overlap what is still to be read. All of it before the first write.
std::vector<std::unique_ptr<char[]>> make_detours(const ir::Graph& graph, plan::Binding& binding) {
  std::vector<std::unique_ptr<char[]>> memory;
  for (plan::Binding::Step& step : binding.steps)
    for (plan::BoundKernel& kernel : step.kernels)
      for (plan::Detour& detour : kernel.detours) {
        const std::size_t bytes = static_cast<std::size_t>(kernel.total) * item_size(kernel.accesses[detour.access].dtype);
        std::unique_ptr<char[]> block(new (std::nothrow) char[bytes]);
        if (!block) out_of_memory(graph, bytes);
        detour.target.base = block.get();
        memory.push_back(std::move(block));
      }
  return memory;
}

/// Element-operations that take about a microsecond, and that make a second thread worth waking.
constexpr double kPerMicrosecond = 6000;
constexpr double kWorthAThread = 20 * kPerMicrosecond;

/// `operations`: on elements.
int threads_for(double operations, int most) {
  if (most < 2) return 1;
  return static_cast<int>(std::clamp(operations / kWorthAThread, 1.0, static_cast<double>(most)));
}

double work_of(const interp::Code& code, const plan::BoundKernel& kernel) { return static_cast<double>(kernel.total) * (code.cost + 1); }

/// The rows of an operation along an axis, or along all elements.
ordered::Rows rows_of(const Shape& shape, const ir::ReduceSpec& spec) {
  if (spec.is_flat()) return {.length = n_items(shape)};
  const int axis = spec.axis();
  ordered::Rows rows{.length = shape[axis]};
  for (int k = 0; k < shape.size(); ++k) (k < axis ? rows.outer : rows.inner) *= k == axis ? 1 : shape[k];
  return rows;
}

double work_of(const plan::Action& action, const plan::Binding& binding) {
  return static_cast<double>(n_items(binding.buffers[action.source].shape)) * ordered::cost(action.ordered);
}

void run_order(const plan::Plan& plan, const plan::Action& action, const plan::Binding& binding, int threads, Watch& watch) {
  const plan::Layout& source = binding.buffers[action.source];
  ordered::run({.ordered = action.ordered,
                .dtype = plan.buffers[action.source].dtype,
                .source = source.base,
                .target = binding.buffers[action.buffer].base,
                .rows = rows_of(source.shape, action.spec),
                .exclusive = action.spec.exclusive,
                .threads = threads,
                .watch = &watch});
}

void run_kernel(const plan::Plan& plan, const interp::Code& code, const plan::BoundKernel& kernel, const plan::Binding& binding,
                const interp::Team& team) {
  if (!kernel.kernel->n_folds) return interp::run_stores(code, kernel, team);
  std::array<std::byte, 512> small;
  std::pmr::monotonic_buffer_resource memory(small.data(), small.size());
  std::pmr::vector<char*> results(&memory);
  for (const plan::Fold& fold : plan.folds_of(*kernel.kernel)) results.push_back(binding.buffers[fold.buffer].base);
  interp::run_folds(code, plan, kernel, results, team);
}

}  // namespace

int execute(const ir::Graph& graph, const plan::Plan& plan, std::span<const interp::Code> codes, plan::Binding& binding,
            const RunOptions& options) {
  trim_old_pages();
  int used = 1;
  interp::Scratch* scratch = nullptr;
  const auto trim = [&] {
    if (scratch) scratch->trim();
  };
  try {
    scratch = &interp::Scratch::of_thread();
    Watch watch(options);
    // All the memory that is needed, before the first write.
    const auto detours = make_detours(graph, binding);
    const auto kept = snapshots(graph, plan, binding);
    std::size_t working = 0;
    for (const plan::Binding::Step& step : binding.steps)
      for (const plan::BoundKernel& kernel : step.kernels)
        working = std::max(working, interp::working_bytes(codes[static_cast<std::size_t>(kernel.kernel - plan.kernels.data())], kernel));
    scratch->get(working);
    int most = 0;  // asked for once something is large enough
    const auto choose_threads = [&](double operations) {
      if (options.threads == 1 || operations < 2 * kWorthAThread) return 1;
      if (most == 0) most = options.threads ? options.threads : num_threads();
      const int threads = threads_for(operations, most);
      used = std::max(used, threads);
      return threads;
    };
    for (plan::Binding::Step& step : binding.steps) {
      if (step.action->kind == plan::Action::Kind::Check) {
        try {
          const std::uint32_t buffer = step.action->buffer;
          check_not_negative(graph, *step.action, plan.buffers[buffer].dtype, binding.buffers[buffer].base);
        } catch (...) {
          for (std::size_t i = kept.size(); i-- > 0;) kept[i].restore();
          throw;
        }
        continue;
      }
      if (step.action->kind == plan::Action::Kind::Order) {
        run_order(plan, *step.action, binding, choose_threads(work_of(*step.action, binding)), watch);
        continue;
      }
      for (plan::BoundKernel& kernel : step.kernels) {
        const interp::Code& code = codes[static_cast<std::size_t>(kernel.kernel - plan.kernels.data())];
        const interp::Team team{.threads = choose_threads(work_of(code, kernel)), .watch = &watch};
        run_kernel(plan, code, kernel, binding, team);
      }
    }
  } catch (const std::bad_alloc&) {
    trim();
    out_of_memory(graph, 0);
  } catch (...) {
    trim();
    throw;
  }
  trim();
  return used;
}

void check_not_negative(const ir::Graph& graph, const plan::Action& action, DType dtype, const void* value) {
  std::int64_t lowest = 0;
  catalog::cast_scalar(dtype, DType::Int64, value, &lowest);
  if (lowest >= 0) return;
  throw RangeError({.what = "integers to negative integer powers are not allowed",
                    .labels = {{action.span, fmt::format("the smallest exponent is {}", lowest)}},
                    .help = "make the base a float: float64(x) ** y",
                    .text = std::string(graph.text)});
}

double work(const plan::Plan& plan, std::span<const interp::Code> codes, const plan::Binding& binding) noexcept {
  double sum = 0;
  for (const plan::Binding::Step& step : binding.steps) {
    if (step.action->kind == plan::Action::Kind::Order) sum += work_of(*step.action, binding);
    for (const plan::BoundKernel& kernel : step.kernels)
      sum += work_of(codes[static_cast<std::size_t>(kernel.kernel - plan.kernels.data())], kernel);
  }
  return sum;
}

double seconds(const plan::Plan& plan, std::span<const interp::Code> codes, const plan::Binding& binding, int threads) noexcept {
  /// Bytes a second of memory beyond the caches, of one thread and of all.
  constexpr double kBytesOfThread = 10e9, kBytesOfAll = 40e9;
  const Traffic traffic = plan::traffic_of(plan, binding, {});
  const auto bytes = static_cast<double>(traffic.bytes_read + traffic.bytes_written);
  return std::max(work(plan, codes, binding) / (kPerMicrosecond * 1e6 * threads), bytes / std::min(kBytesOfThread * threads, kBytesOfAll));
}

}  // namespace engine::run

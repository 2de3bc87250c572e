// run/executor.cpp - see executor.hpp.
#include "engine/run/executor.hpp"

#include <fmt/format.h>

#include <engine/threads.hpp>

#include "engine/base/pages.hpp"
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
#include "engine/run/thread_pool.hpp"

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
    memory_ = Block(bytes);
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
  Block memory_;
};

/// Element-operations that take about a microsecond.
constexpr double kPerMicrosecond = 6000;

/// What a byte costs that comes from a second-level cache or goes there.
constexpr double kPerByte = kPerMicrosecond / 100'000;

/// In element-operations, of which those that wait for memory are done meanwhile.
double work_of(double elements, double cost, double bytes) { return elements * std::max(cost, bytes * kPerByte); }

double work_of(const interp::Code& code, const plan::BoundKernel& kernel) {
  double bytes = 0;
  for (const plan::BoundAccess& access : kernel.accesses)
    if (kernel.rank && access.strides[kernel.rank - 1] != 0) bytes += static_cast<double>(item_size(access.dtype));
  return work_of(static_cast<double>(kernel.total), code.cost, bytes);
}

double work_of(const plan::Action& action, const plan::Binding& binding) {
  return static_cast<double>(n_items(binding.buffers[action.sources[0].buffer].shape)) * catalog::form_of(action.ordered).cost;
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

/// One call's way through the steps of its binding, which may grow on the way.
class Call {
 public:
  Call(const ir::Graph& graph, const plan::Plan& plan, std::span<const interp::Code> codes, plan::Binding& binding,
       const RunOptions& options, interp::Scratch& scratch)
      : graph_(graph), plan_(plan), codes_(codes), b_(binding), options_(options), scratch_(scratch), watch_(options) {}

  void run() {
    std::size_t done = 0;
    while (done < b_.steps.size()) {
      const std::size_t end = b_.steps.size();
      or_as_before([&] { prepare(done, end); });
      while (done < end) {
        const plan::Binding::Step step = b_.steps[done++];
        switch (step.action->kind) {
          case plan::Action::Kind::Check:
            or_as_before([&] {
              const std::uint32_t buffer = step.action->buffer;
              check_not_negative(graph_, *step.action, plan_.buffers[buffer].dtype, b_.buffers[buffer].base);
            });
            break;
          case plan::Action::Kind::Order:
            order(step);
            watch_.advance(ordered_elements_of(step, b_));
            break;
          case plan::Action::Kind::Run:
            run_all(step.kernels);
            break;
        }
      }
    }
    watch_.finish();
  }

  int threads_used() const noexcept { return used_; }

 private:
  /// All the memory that steps [first, end) need, before their first write.
  void prepare(std::size_t first, std::size_t end) {
    std::size_t working = 0;
    for (std::size_t i = first; i < end; ++i) {
      const plan::Binding::Step& step = b_.steps[i];
      watch_.expect(elements_of(step, b_));
      for (plan::BoundKernel& kernel : step.kernels) {
        working = std::max(working, interp::working_bytes(code_of(kernel), kernel));
        for (plan::Detour& detour : kernel.detours) {
          const std::size_t bytes = static_cast<std::size_t>(kernel.total) * item_size(kernel.accesses[detour.access].dtype);
          detours_.emplace_back(bytes);
          if (!detours_.back()) out_of_memory(graph_, bytes);
          detour.target.base = detours_.back().get();
        }
      }
    }
    for (std::size_t i = first, n = at_risk(b_, first, end); i < n; ++i)
      for (const plan::BoundKernel& kernel : b_.steps[i].kernels)
        for (const plan::Store& store : plan_.stores_of(*kernel.kernel))
          if (plan_.buffers[plan_.accesses[store.access].buffer].kind == plan::Buffer::Kind::Slot)
            before_.emplace_back(graph_, kernel, kernel.accesses[store.access - kernel.kernel->first_access]);
    scratch_.get(working);
  }

  /// Does what may fail because of values: then operands are as if nothing had been written.
  template <class Do>
  void or_as_before(Do what) {
    try {
      what();
    } catch (...) {
      for (std::size_t i = before_.size(); i-- > 0;) before_[i].restore();
      throw;
    }
  }

  int choose_threads(double operations) {
    if (options_.threads == 1 || operations < kOfOneThread * kPerMicrosecond) return 1;
    if (most_ == 0) most_ = options_.threads ? options_.threads : num_threads();
    const int threads = worthwhile_threads(operations / kPerMicrosecond, most_);
    used_ = std::max(used_, threads);
    return threads;
  }

  const interp::Code& code_of(const plan::BoundKernel& kernel) const {
    return codes_[static_cast<std::size_t>(kernel.kernel - plan_.kernels.data())];
  }

  void run(const plan::BoundKernel& kernel) {
    const interp::Code& code = code_of(kernel);
    run_kernel(plan_, code, kernel, b_, {.threads = choose_threads(work_of(code, kernel)), .watch = &watch_});
  }

  void run_all(std::span<const plan::BoundKernel> kernels) {
    for (std::size_t first = 0, end; first < kernels.size(); first = end) {
      end = first + 1;
      while (end < kernels.size() && kernels[end].goes_on) ++end;
      const std::span<const plan::BoundKernel> boxes = kernels.subspan(first, end - first);
      if (boxes.size() > 1 && !boxes[0].kernel->n_folds && run_boxes(boxes)) continue;
      for (const plan::BoundKernel& kernel : boxes) run(kernel);
    }
  }

  bool run_boxes(std::span<const plan::BoundKernel> boxes) {
    const interp::Code& code = code_of(boxes[0]);
    double operations = 0;
    for (const plan::BoundKernel& box : boxes) operations += work_of(code, box);
    const int used = used_;
    const bool is_run = interp::run_boxes(code, boxes, {.threads = choose_threads(operations), .watch = &watch_});
    if (!is_run) used_ = used;
    return is_run;
  }

  void order(const plan::Binding::Step& step) {
    const plan::Action& action = *step.action;
    const plan::Action::Source& first = action.sources[0];
    const catalog::Form form = catalog::info(action.ordered).form;
    ordered::Work work = ordered::work_of(action, plan_, b_);
    work.watch = &watch_;
    double operations =
        form == catalog::Form::Searchsorted ? static_cast<double>(work.n_second) * catalog::info(form).cost : work_of(action, b_);
    for (const plan::BoundKernel& kernel : step.kernels) {
      const interp::Code& code = code_of(kernel);
      const bool is_first = first.kernel != plan::kNone && kernel.kernel == &plan_.kernels[first.kernel];
      const bool along = is_first && catalog::info(form).has(catalog::FormFlags::Fills) && work.rows.inner == 1 && kernel.detours.empty();
      if (along) {
        work.fill = [this, &code, &kernel, callers = &scratch_](std::int64_t from, std::int64_t to) {
          interp::store_range(code, kernel, from, to, watch_, interp::Stores::Near);
          if (interp::Scratch& mine = interp::Scratch::of_thread(); &mine != callers) mine.trim();
        };
      } else if (is_first && form == catalog::Form::Select) {
        work.stream = [this, &code, &kernel, callers = &scratch_](std::int64_t from, std::int64_t to, const ordered::Sink& sink) {
          interp::visit_range(code, kernel, from, to, watch_, sink);
          if (interp::Scratch& mine = interp::Scratch::of_thread(); &mine != callers) mine.trim();
        };
      } else {
        run(kernel);
        continue;
      }
      operations += work_of(code, kernel);
    }
    work.threads = choose_threads(operations);
    const bool is_found = catalog::info(form).extent == catalog::Extent::Found;
    if (!is_found && !catalog::info(form).has(catalog::FormFlags::Refuses)) return ordered::run(work);
    ordered::Found found;
    or_as_before([&] {
      try {
        if (is_found)
          found = ordered::find(work);
        else
          ordered::run(work);
      } catch (const ordered::Refused& refused) {
        refuse(graph_, action, refused);
      }
      if (is_found) plan::found(b_, action, found.count);
    });
    if (!is_found) return;
    work.target = b_.buffers[action.buffer].base;
    ordered::collect(work, found);
  }

  const ir::Graph& graph_;
  const plan::Plan& plan_;
  std::span<const interp::Code> codes_;
  plan::Binding& b_;
  const RunOptions& options_;
  interp::Scratch& scratch_;
  Watch watch_;
  std::vector<Block> detours_;
  std::vector<Snapshot> before_;
  int most_ = 0;  ///< threads; asked for once something is large enough
  int used_ = 1;
};

}  // namespace

int execute(const ir::Graph& graph, const plan::Plan& plan, std::span<const interp::Code> codes, plan::Binding& binding,
            const RunOptions& options) {
  trim_old_pages();
  interp::Scratch* scratch = nullptr;
  const auto trim = [&] {
    if (scratch) scratch->trim();
  };
  try {
    const bool is_watched = options.interrupted || options.progressed || options.seconds > 0;
    if (plan.simple && binding.buffers.empty() && !is_watched && interp::run_block(codes[0], binding.steps[0].kernels[0])) return 1;
    scratch = &interp::Scratch::of_thread();
    Call call(graph, plan, codes, binding, options, *scratch);
    call.run();
    trim();
    return call.threads_used();
  } catch (const std::bad_alloc&) {
    trim();
    out_of_memory(graph, 0);
  } catch (...) {
    trim();
    throw;
  }
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

std::int64_t ordered_elements_of(const plan::Binding::Step& step, const plan::Binding& binding) noexcept {
  return step.action->kind == plan::Action::Kind::Order ? n_items(binding.buffers[step.action->sources[0].buffer].shape) : 0;
}

std::int64_t elements_of(const plan::Binding::Step& step, const plan::Binding& binding) noexcept {
  std::int64_t n = ordered_elements_of(step, binding);
  for (const plan::BoundKernel& kernel : step.kernels) n += kernel.total;
  return n;
}

std::size_t at_risk(const plan::Binding& binding, std::size_t first, std::size_t end) noexcept {
  if (binding.rest) return end;
  for (std::size_t i = end; i > first; --i) {
    const plan::Action& action = *binding.steps[i - 1].action;
    if (action.kind == plan::Action::Kind::Check) return i - 1;
    if (action.kind == plan::Action::Kind::Order && catalog::form_of(action.ordered).has(catalog::FormFlags::Refuses)) return i - 1;
  }
  return first;
}

void refuse(const ir::Graph& graph, const plan::Action& action, const ordered::Refused& refused) {
  throw RangeError({.what = refused.what, .labels = {{action.span, "here"}}, .help = refused.help, .text = std::string(graph.text)});
}

double microseconds_of(double elements, double cost, double bytes) noexcept { return work_of(elements, cost, bytes) / kPerMicrosecond; }

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

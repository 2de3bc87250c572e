// on_device.cpp - calls whose arrays are a device's, or go there: run by its kernels, or answered by the host while those are compiled.
#include <engine/device.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>

#include "engine/base/pages.hpp"
#include "engine/by_rows.hpp"
#include "engine/placement.hpp"
#include "engine/plan/hazard.hpp"
#include "engine/program.hpp"
#include "engine/run/background.hpp"
#include "engine/run/executor.hpp"
#include "engine/run/launches.hpp"

namespace engine {
namespace {

/// Seconds that the host may take for what a device's kernels are not ready for: its compiler takes twice as many for the simplest.
constexpr double kWorthAnswering = 0.05;
/// Bytes a second between a device and pageable memory of the host, at least.
constexpr double kBytesOfCopies = 4e9;

/// ENGINE_WAIT=1: every first call waits.
bool always_waits() {
  static const bool answer = [] {
    const char* const text = std::getenv("ENGINE_WAIT");
    return text && *text && std::strcmp(text, "0") != 0;
  }();
  return answer;
}

/// Operands as a call had them, to be looked at after it.
struct Remembered {
  Handle<const Program::Impl> program;
  std::shared_ptr<const Compiled> compiled;
  const run::Executable* executable;
  std::vector<Operand> operands;
  std::vector<std::array<std::byte, 16>> values;  ///< of those on the host that have one, which are read
  std::optional<ArrayView> out;
  Order order;

  int compile() const {
    std::array<std::byte, 4096> stack;
    std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
    plan::Binding binding(&memory);
    const auto slots = slots_of(*compiled, operands.data(), &memory);
    plan::bind(compiled->graph, compiled->plan, slots, out ? &*out : nullptr, order, Limits{}, {&allocate_nothing, nullptr}, binding);
    set_device(binding, compiled->device, slots);
    return executable->compile(binding);
  }
};

std::shared_ptr<Remembered> remember(Handle<const Program::Impl> program, std::shared_ptr<const Compiled> compiled,
                                     const run::Executable& executable, const Operand* operands, const ArrayView* out, Order order) {
  auto kept = std::make_shared<Remembered>(
      Remembered{std::move(program), std::move(compiled), &executable, {}, {}, out ? std::optional(*out) : std::nullopt, order});
  const std::size_t n = kept->program->names.size();
  kept->operands.assign(operands, operands + n);
  kept->values.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    Operand& operand = kept->operands[i];
    if (!operand.present || operand.weak != Weak::No || operand.array.device != kHost || !operand.array.shape.empty()) continue;
    std::memcpy(kept->values[i].data(), operand.array.data, item_size(operand.array.dtype));
    operand.array.data = kept->values[i].data();
  }
  return kept;
}

/// Memory of the host that stands for an array of a device.
class Mirror {
 public:
  explicit Mirror(const ArrayView& array) : there_(array) {
    if (n_items(array.shape) == 0) return;
    plan::cover({static_cast<const char*>(array.data), array.strides.begin(), static_cast<std::int64_t>(item_size(array.dtype))},
                array.shape.size(), array.shape.begin(), low_, high_);
  }
  std::size_t bytes() const { return high_ - low_; }
  /// Whether nothing lies between the elements, which would be written back with them.
  bool is_dense() const { return bytes() == static_cast<std::size_t>(n_items(there_.shape)) * item_size(there_.dtype); }
  /// False where there is no memory.
  bool allocate() {
    memory_ = Block(std::max<std::size_t>(bytes(), 1));
    return static_cast<bool>(memory_);
  }
  ArrayView view() const {
    ArrayView view = there_;
    view.device = kHost;
    view.data = memory_.get() + (bytes() ? reinterpret_cast<std::uintptr_t>(there_.data) - low_ : 0);
    return view;
  }
  void fetch() const {
    if (bytes()) copy_to_host(there_.device, memory_.get(), start(), bytes());
  }
  void give_back() const {
    if (bytes()) copy_to_device(there_.device, start(), memory_.get(), bytes());
  }

 private:
  void* start() const { return static_cast<char*>(there_.data) - (reinterpret_cast<std::uintptr_t>(there_.data) - low_); }
  ArrayView there_;
  std::uintptr_t low_ = 0, high_ = 0;
  Block memory_;
};

/// Arrays that are nowhere, apart from each other.
ArrayView somewhere(ArrayView array, std::size_t place) {
  if (!array.data) array.data = reinterpret_cast<void*>((place + 1) << 40);  // NOLINT(performance-no-int-to-ptr)
  return array;
}

/// Whether another thread has been given what `executable` lacks. False where it was before, and it still lacks it.
bool compile_later(const Execution::State& s, const run::Executable& executable, std::uint64_t kernel) {
  const auto job = remember(Handle(s.program), s.compiled, executable, s.operands, s.out, s.order);
  return run::in_background(kernel, [job] { job->compile(); }) == run::Background::UnderWay;
}

bool is_quick_on_host(const Execution::State& s, const RunOptions& options) {
  const Compiled& c = *s.compiled;
  const Traffic traffic = plan::traffic_of(c.plan, s.binding, c.work);
  const int threads = options.threads > 0 ? options.threads : 1;
  const double copies = static_cast<double>(traffic.bytes_read + traffic.bytes_written) / kBytesOfCopies;
  return copies + run::seconds(c.plan, c.codes, s.binding, threads) < kWorthAnswering;
}

void run_there(Execution::State& s, const run::Executable& executable, const RunOptions& how) {
  if (!how.graph) return executable.execute(s.binding, how);
  LaunchGraph::Impl& graph = how.graph->impl();
  const std::lock_guard lock(graph.mutex);
  try {
    executable.execute(s.binding, how);
  } catch (...) {  // of some of its kernels the owner may be gone before the next call
    graph.launches.reset();
    throw;
  }
  graph.owner = s.compiled;
}

}  // namespace

void Execution::run_on_device(State& s, const RunOptions& options) {
  const run::Executable& executable = *s.compiled->executable;
  RunOptions how = options;
  how.wait = how.wait || s.program->options.backend != BackendChoice::Auto || always_waits();
  try {
    return run_there(s, executable, how);
  } catch (const OutOfMemory&) {
    if (!run_by_rows(s, executable, how)) throw;
    return;
  } catch (const run::NotCompiled& missing) {
    if (is_quick_on_host(s, options) && compile_later(s, executable, missing.kernel) && answer_on_host(s, options)) {
      s.is_pending = true;
      return;
    }
  }
  how.wait = true;
  run_there(s, executable, how);
}

/// By way of copies. False where results do not lie so that they can be copied back, or there is no memory: nothing has happened then.
bool Execution::answer_on_host(State& s, const RunOptions& options) {
  const Program::Impl& program = *s.program;
  if (s.compiled->plan.finds || s.compiled->aliased) return false;
  std::vector<Operand> operands(s.operands, s.operands + program.names.size());
  std::vector<Mirror> mirrors, written;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Operand& operand = operands[i];
    if (!operand.present || operand.weak != Weak::No || operand.array.device == kHost) continue;
    Mirror mirror(operand.array);
    if ((program.written[i] && !mirror.is_dense()) || !mirror.allocate()) return false;
    operand.array = mirror.view();
    (program.written[i] ? written : mirrors).push_back(std::move(mirror));
  }
  std::optional<Mirror> result;
  std::optional<ArrayView> out;
  if (s.compiled->plan.result != plan::kNone) {
    result.emplace(s.binding.result);
    if (!result->is_dense() || !result->allocate()) return false;
    out = result->view();
  }
  Execution on_host(*s.owner, operands.data(), out ? &*out : nullptr, s.order, {nullptr, nullptr});
  for (const std::vector<Mirror>* list : {&mirrors, &written})
    for (const Mirror& mirror : *list) mirror.fetch();
  const Compiled& c = *on_host.state_->compiled;
  s.threads_used = run::execute(c.graph, c.plan, c.codes, on_host.state_->binding, options);
  if (result) result->give_back();
  for (const Mirror& mirror : written) mirror.give_back();
  return true;
}

/// On a device, though operands are the host's, where backend="auto" finds that worth it.
bool Execution::run_elsewhere(State& s, const RunOptions& options) {
  const Compiled& c = *s.compiled;
  if (!s.is_large || s.program->options.backend != BackendChoice::Auto) return false;
  if (!place(c.plan, c.codes, s.binding, options.threads).is_elsewhere) return false;
  const run::Executable* executable = nullptr;
  RunOptions how = options;
  how.wait = how.wait || always_waits();
  while (true) {
    try {
      {
        const std::lock_guard lock(c.elsewhere_mutex);
        if (!c.elsewhere) c.elsewhere = run::find_backend(BackendChoice::Cuda)->compile(c.graph, c.plan, kHost);
        executable = c.elsewhere.get();
      }
      executable->execute(s.binding, how);
      break;
    } catch (const BackendError&) {  // nothing was written that anybody knows: the host computes it
      return false;
    } catch (const OutOfMemory&) {  // the device's
      return false;
    } catch (const run::NotCompiled& missing) {
      s.is_pending = compile_later(s, *executable, missing.kernel);
      if (s.is_pending) return false;
      how.wait = true;
    }
  }
  s.is_elsewhere = true;
  return true;
}

void allow_background_compilation(bool is_allowed) { run::allow_background(is_allowed); }
void wait_for_kernels() { run::wait_for_background(); }

int Program::precompile(const Operand* operands, const ArrayView* out, bool wait) const {
  try {
    std::vector<Operand> kept(operands, operands + n_names());
    for (std::size_t i = 0; i < kept.size(); ++i)
      if (kept[i].present && kept[i].weak == Weak::No) kept[i].array = somewhere(kept[i].array, i);
    std::optional<ArrayView> there;
    if (out) there = somewhere(*out, kept.size());
    const Deadline deadline(impl_->options.limits);
    const bool aliased = impl_->is_aliased(kept.data());
    const ArrayView* const target = there ? &*there : nullptr;
    const int device = impl_->device_of(kept.data(), target);
    bool is_new = false;
    std::shared_ptr<const Compiled> compiled = impl_->find_or_compile(kept.data(), target, aliased, device, deadline, is_new);
    if (!compiled->executable) return 0;
    const run::Executable& executable = *compiled->executable;
    const auto job = remember(impl_, std::move(compiled), executable, kept.data(), target, impl_->options.order);
    static std::atomic<std::uint64_t> number{0};  // small ones, which kernels do not have
    if (!wait && run::in_background(++number, [job] { job->compile(); }) == run::Background::UnderWay) return 0;
    return job->compile();
  } catch (Error& error) {
    error.attach_text(impl_->text);
    throw;
  }
}

}  // namespace engine

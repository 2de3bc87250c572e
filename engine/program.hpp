// program.hpp - what a Program and an Execution are made of, for the sources that implement them.
#pragma once

#include <engine/evaluate.hpp>

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/shared.hpp"
#include "engine/frontend/parser.hpp"
#include "engine/ir/build.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/plan/bind.hpp"
#include "engine/plan/traffic.hpp"
#include "engine/run/backend.hpp"
#include "engine/run/interp/compile.hpp"

namespace engine {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

/// Plans kept per program; scalars baked into plans may make many, so the oldest give way.
constexpr std::size_t kMaxPlans = 64;

/// Limits.seconds of one call, counted from here.
class Deadline {
 public:
  explicit Deadline(const Limits& limits) : seconds_(limits.seconds) {
    if (seconds_ > 0) start_ = Clock::now();
  }
  /// What is left; 0 where there is no limit. Throws LimitError where nothing is.
  double left() const {
    if (!(seconds_ > 0)) return 0;
    const double left = seconds_ - Seconds(Clock::now() - start_).count();
    if (left > 0) return left;
    throw LimitError({.what = fmt::format("preparing the expression took longer than the limit of {:g} s", seconds_),
                      .labels = {},
                      .help = "raise Limits.time, or take the expression apart",
                      .text = {}});
  }

 private:
  double seconds_;
  Clock::time_point start_{};
};

/// The operand's type; `with_value`: the graph is to be specialised on its value.
ir::OperandType type_of(const Operand& operand, bool with_value);
/// What plans may heed of the operands' extents: see plan::find_hoisted().
struct ExtentClass {
  std::uint32_t longer = 0;  ///< axes, counted from the last, along which some operand has more or less than one element
  /// So few elements, broadcast against each other, that another pass over some costs more than it saves; also where the text itself
  /// spreads the operands, each along axes of its own.
  bool are_few = false, are_few_spread = false;
  bool are_few_for(const plan::Plan& plan) const { return plan.spreads ? are_few_spread : are_few; }
};
ExtentClass extents_of(const Operand* operands, std::size_t n) noexcept;
/// Axes, counted from the last, along which an operand has one element, and another one has not.
std::uint32_t axes_of_one(const Operand& operand, const ExtentClass& all) noexcept;

struct Compiled;

/// A plan that is one machine over whole arrays, or one reduction of those to a number: which address of the table is whose, so that a
/// small call needs no binding and no blocks.
struct Direct {
  explicit Direct(std::pmr::memory_resource* memory) : arrays(memory), scalars(memory) {}
  static constexpr std::uint32_t kResult = plan::kNone;
  static constexpr std::size_t kMostValues = run::interp::kMostDirect, kMostScalars = 16;
  struct Place {
    std::uint32_t value;
    std::uint32_t name;  ///< the operand's, or kResult
    DType dtype;
  };
  std::pmr::vector<Place> arrays;  ///< the result's is last
  std::pmr::vector<Place> scalars;
  const plan::Fold* fold = nullptr;  ///< of the value `folded`, into the result
  std::uint32_t folded = 0;
  bool exists = false;
};
/// What last_run() says of a call that went that way.
void record_direct(const Compiled& compiled, std::uint64_t total, int threads, double seconds) noexcept;
/// The same of a pass of a device that makes several steps of a stencil.
void record_pass(const Traffic& traffic) noexcept;
Direct direct_of(const plan::Plan& plan, std::span<const run::interp::Code> codes, std::span<const std::uint32_t> slot_name,
                 std::pmr::memory_resource* memory);

/// A program made ready for one signature. One allocation holds the graph, the plan and the code of small programs.
struct Compiled {
  Compiled()
      : arena(initial.data(), initial.size()),
        graph(&arena),
        plan(&arena),
        codes(&arena),
        work(&arena),
        types(&arena),
        present(&arena),
        ones(&arena),
        slot_name(&arena),
        direct(&arena) {}
  std::array<std::byte, 12288> initial;
  std::pmr::monotonic_buffer_resource arena;
  ir::Graph graph;
  plan::Plan plan;
  std::pmr::vector<run::interp::Code> codes;
  std::pmr::vector<plan::KernelWork> work;  ///< of each kernel
  plan::SimpleWork simple;
  StageTimes stages{};
  std::pmr::vector<ir::OperandType> types;  ///< the signature: per name
  std::pmr::vector<bool> present;
  bool for_few = false;                  ///< elements; of interest where the plan heeds extents, as are
  std::pmr::vector<std::uint32_t> ones;  ///< per name, of a plan for the host: axes_of_one()
  std::optional<DType> out;
  bool aliased = false;
  int device = kHost;
  std::pmr::vector<std::uint32_t> slot_name;  ///< name of each slot, or kNone for locals
  ir::StencilTargets targets;                 ///< of a stencil: operands behind those of the names, in this order
  Direct direct;
  std::size_t calls = 0, in_machines = 0;       ///< elementwise operations, and those of them in machine code
  std::unique_ptr<run::Executable> executable;  ///< of a device
  /// Of a device, for operands of the host that it is faster for: made when that is found, by one thread at a time.
  mutable std::mutex elsewhere_mutex;
  mutable std::unique_ptr<run::Executable> elsewhere;

  bool matches(const Operand* operands, std::size_t n, const ArrayView* out_view, bool is_aliased, int on_device) const {
    if (device != on_device) return false;
    if (out_view ? out != out_view->dtype : out.has_value()) return false;
    if (is_aliased != aliased) return false;
    for (std::size_t i = 0; i < n; ++i) {
      const Operand& operand = operands[i];
      const ir::OperandType& type = types[i];
      if (operand.present != present[i]) return false;
      if (!operand.present) continue;
      if (operand.weak != type.weak) return false;
      if (operand.weak == Weak::No && (operand.array.dtype != type.dtype || operand.array.shape.size() != type.rank)) return false;
      if (type.has_value && !(type_of(operand, true) == type)) return false;
    }
    return !plan.heeds_extents || is_for_extents(operands, n);
  }
  bool is_for_extents(const Operand* operands, std::size_t n) const {
    const ExtentClass all = extents_of(operands, n);
    const bool few = all.are_few_for(plan);
    if (few || for_few) return few == for_few;
    for (std::size_t i = 0; i < n; ++i)
      if (axes_of_one(operands[i], all) != ones[i]) return false;
    return true;
  }
};

struct Program::Impl : Shared {  // by who compiles for it, too
  Impl(std::string t, const Options& o) : text(std::move(t)), options(o), ast(frontend::parse(text, o.limits)) {}
  /// Of a stencil. Every name of the text may be given then, and operands of a call go on with the new values' arrays.
  Impl(std::string t, const StencilOptions& o, bool repeats)
      : text(std::move(t)), options(o.options), stencil_options(o), ast(frontend::parse_stencil(text, o.options.limits)) {
    stencil.emplace(ir::StencilSpec{&stencil_options, repeats});
  }

  std::int64_t parse_ns = 0;
  std::string text;
  Options options;
  StencilOptions stencil_options;
  std::optional<ir::StencilSpec> stencil;
  frontend::Ast ast;
  std::vector<std::uint32_t> names;  ///< symbols that come from outside
  std::vector<bool> required, written;
  std::vector<Span> spans;
  bool may_alias = false;  ///< several statements, one of which writes an operand
  mutable std::mutex mutex;
  mutable std::vector<std::shared_ptr<const Compiled>> plans;
  mutable ProgramStats stats;  ///< under the mutex that finding a plan takes anyway
  mutable std::atomic<std::uint64_t> direct_hits = 0;

  std::shared_ptr<const Compiled> find(const Operand* operands, const ArrayView* out, bool aliased, int device) const {
    const std::lock_guard lock(mutex);
    for (auto it = plans.rbegin(); it != plans.rend(); ++it)
      if ((*it)->matches(operands, names.size(), out, aliased, device)) {
        ++stats.hits;
        return *it;
      }
    return nullptr;
  }
  void keep(std::shared_ptr<const Compiled> compiled) const {
    const std::lock_guard lock(mutex);
    ++stats.compilations;
    for (const std::int64_t time : compiled->stages) stats.compile_ns += time;
    stats.jit_operations += compiled->in_machines;
    stats.interp_operations += compiled->calls - compiled->in_machines;
    if (plans.size() >= kMaxPlans) {
      plans.erase(plans.begin());
      ++stats.evictions;
    }
    plans.push_back(std::move(compiled));
  }

  /// The plan that is there, or else a new one, which is kept: then `is_new`.
  std::shared_ptr<const Compiled> find_or_compile(const Operand* operands, const ArrayView* out, bool aliased, int device,
                                                  const Deadline& deadline, bool& is_new) const {
    std::shared_ptr<const Compiled> compiled = find(operands, out, aliased, device);
    is_new = !compiled;
    if (is_new) keep(compiled = compile(operands, out, aliased, device, deadline));
    return compiled;
  }

  bool is_aliased(const Operand* operands) const {
    if (!may_alias) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!written[i] || !operands[i].present || operands[i].weak != Weak::No) continue;
      for (std::size_t k = 0; k < names.size(); ++k) {
        if (k == i || !operands[k].present || operands[k].weak != Weak::No) continue;
        if (plan::may_share(operands[i].array, operands[k].array)) return true;
      }
    }
    return false;
  }

  std::shared_ptr<const Compiled> compile(const Operand* operands, const ArrayView* out, bool aliased, int device, const Deadline& deadline,
                                          std::vector<opt::PassReport>* report = nullptr) const;
  int device_of(const Operand* operands, const ArrayView* out) const;
};

/// What names stand for, in the order of a program's; absent where they are not given. Throws ShapeError where one that is written is
/// read-only.
std::vector<Operand> operands_of(const Program& program, const Names& names);

/// Of the arrays that are read, in the order of the slots; and that in words, a line for each that is read around an element.
std::vector<Halo> halo_of(const Program& program, const Compiled& compiled);
std::string halo_text(const std::vector<Halo>& halos);

/// The parsed text, and what it says about its names: fills what the constructor leaves.
void read_names(Program::Impl& impl);

/// operands[i] belongs to name i; given back: the operand of each slot, null for locals.
inline std::pmr::vector<const Operand*> slots_of(const Compiled& c, const Operand* operands, std::pmr::memory_resource* memory) {
  std::pmr::vector<const Operand*> slots(c.slot_name.size(), nullptr, memory);
  for (std::size_t slot = 0; slot < slots.size(); ++slot)
    if (c.slot_name[slot] != plan::kNone) slots[slot] = operands + c.slot_name[slot];
  return slots;
}

/// Tells a binding, once it is made, which device it is for.
inline void set_device(plan::Binding& binding, int device, std::span<const Operand* const> slots) {
  if (device == kHost) return;
  binding.device = binding.result.device = device;
  for (const Operand* slot : slots) binding.on_device.push_back(slot && slot->weak == Weak::No && slot->array.device != kHost);
}

/// A result that is never written: an address where no array can be, so that it overlaps none.
inline void* allocate_nothing(void*, DType, const Shape&, const Strides&, std::size_t) {
  return reinterpret_cast<void*>(std::uintptr_t{64});  // NOLINT(performance-no-int-to-ptr)
}

/// An Allocator's function whose context is an Array.
inline void* allocate_array(void* context, DType dtype, const Shape& shape, const Strides& strides, std::size_t) {
  auto* array = static_cast<Array*>(context);
  *array = Array::uninitialised(dtype, shape, strides);
  return array->view().data;
}

struct Execution::State {
  State(std::byte* memory, std::size_t size, const Limits& limits) : arena(memory, size), binding(&arena), deadline(limits) {}
  std::pmr::monotonic_buffer_resource arena;
  std::shared_ptr<const Compiled> compiled;
  plan::Binding binding;
  const Program* owner = nullptr;
  const Program::Impl* program = nullptr;
  const Operand* operands = nullptr;  ///< the caller's, until run() is done; out, too
  const ArrayView* out = nullptr;
  Order order = Order::K;
  Deadline deadline;
  bool made_plan = false;
  std::int64_t parse_ns = 0;  ///< where the text was parsed for this call
  int target_name = -1;
  int threads_used = 1;
  bool is_large = false;      ///< so much to do that asking where costs nothing that could be noticed
  bool is_elsewhere = false;  ///< ran on a device, though operands are the host's
  bool is_pending = false;    ///< ran on the host, because a device's kernels are still being compiled
};

}  // namespace engine

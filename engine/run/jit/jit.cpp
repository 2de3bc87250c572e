// run/jit/jit.cpp - select, allocate, emit, install.
#include "engine/run/jit/jit.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/cpu_features.hpp"
#include "engine/run/interp/scratch.hpp"
#include "engine/run/jit/arena.hpp"
#include "engine/run/jit/emit.hpp"
#include "engine/run/jit/rows.hpp"
#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {
namespace {

/// Code of kMostSteps steps, each of a few instructions.
constexpr std::size_t kMostBytes = std::size_t{64} << 10;

template <const Target& kTarget>
interp::Support support_on(const interp::Meaning& meaning, std::span<const DType> in, DType out) noexcept {
  return support(kTarget, meaning, in, out);
}

/// Installs what was written to the start of the buffer. What is executable is data to the language: POSIX lets the two be converted.
template <class Function>
bool put(const Emitted& emitted, std::span<const std::byte> buffer, Function& function, std::shared_ptr<const void>& memory) {
  if (emitted.size == 0) return false;
  memory = install(buffer.first(emitted.size));
  if (!memory) return false;
  function = reinterpret_cast<Function>(const_cast<char*>(static_cast<const char*>(memory.get()) + emitted.entry));
  return true;
}

/// A copy of a function, but for the one byte of each store that says how it stores.
class StreamingCopy final : public interp::Streaming {
 public:
  StreamingCopy(std::shared_ptr<const void> original, const Emitted& emitted) : original_(std::move(original)), emitted_(emitted) {
    alignment = static_cast<std::size_t>(emitted.store_bytes);
  }
  interp::MachineFunction function() const noexcept override {
    std::call_once(once_, [this]() noexcept {
      try {
        const auto* const code = static_cast<const std::byte*>(original_.get());
        std::vector<std::byte> changed(code, code + emitted_.size);
        for (const std::size_t store : std::span(emitted_.stores).first(static_cast<std::size_t>(emitted_.n_stores)))
          if (std::exchange(changed[store], kStreamOpcode) != kStoreOpcode) return;
        put(emitted_, changed, function_, memory_);
      } catch (const std::bad_alloc&) {  // then there is none
      }
    });
    return function_;
  }

 private:
  std::shared_ptr<const void> original_;
  Emitted emitted_;
  mutable std::once_flag once_;
  mutable interp::MachineFunction function_ = nullptr;
  mutable std::shared_ptr<const void> memory_;
};

using Make = bool (*)(const interp::Segment& segment, interp::Machine& machine);

/// Keeps what a machine was made of.
class OtherForms final : public interp::Variants {
 public:
  /// `memory`: of who made the machine, which lives longer.
  OtherForms(const interp::Segment& segment, const interp::Machine& machine, Make make_one, std::pmr::memory_resource* memory)
      : steps_(segment.steps.begin(), segment.steps.end(), memory),
        dtypes_(segment.dtypes.begin(), segment.dtypes.end(), memory),
        is_uniform_(segment.is_uniform.begin(), segment.is_uniform.end(), memory),
        outs_(segment.outs.begin(), segment.outs.end(), memory),
        ins_(machine.ins, memory),
        fold_(segment.fold),
        make_(make_one) {}

  OtherForms(const OtherForms&) = delete;
  OtherForms& operator=(const OtherForms&) = delete;
  ~OtherForms() override {
    for (const Form* form = forms_.load(); form;) delete std::exchange(form, form->next);
  }

  const interp::Machine* with(const interp::Lie& lie) const noexcept override { return with_rows(lie, 1, {}); }
  const interp::Machine* with_rows(const interp::Lie& lie, int rows,
                                   std::span<const interp::Neighbour> neighbours) const noexcept override {
    return of({lie, rows, false, neighbours});
  }
  const interp::Machine* walking(const interp::Lie& lie, int rows, std::span<const interp::Neighbour> neighbours) const noexcept override {
    return of({lie, rows, true, neighbours});
  }

 private:
  struct Shape {
    const interp::Lie& lie;
    int rows;
    bool walks;
    std::span<const interp::Neighbour> neighbours;
  };
  struct Form {
    interp::Lie lie;
    int rows;
    bool walks;
    std::vector<interp::Neighbour> neighbours;
    std::unique_ptr<interp::Machine> machine;
    const Form* next;
    bool has(const Shape& shape) const noexcept {
      return lie == shape.lie && rows == shape.rows && walks == shape.walks && std::ranges::equal(neighbours, shape.neighbours);
    }
  };
  static constexpr int kMostForms = 24;

  const interp::Machine* of(const Shape& shape) const noexcept {
    if (const Form* const form = find(shape)) return form->machine.get();
    // Nobody waits: who holds this may have been lost in a fork, and without the form all goes on as well.
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return nullptr;
    try {
      const Form* const form = find(shape);
      return form ? form->machine.get() : add(shape);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
  }

  const Form* find(const Shape& shape) const noexcept {
    const Form* form = forms_.load(std::memory_order_acquire);
    while (form && !form->has(shape)) form = form->next;
    return form;
  }

  const interp::Machine* add(const Shape& shape) const {
    if (n_forms_ >= kMostForms) return nullptr;
    const JoinedRows rows = join_rows({steps_, dtypes_, is_uniform_, outs_, ins_}, shape.lie, shape.rows, shape.neighbours);
    auto machine = std::make_unique<interp::Machine>(std::pmr::get_default_resource());
    const std::optional<catalog::Reduction> fold = shape.rows == 1 && !shape.walks ? fold_ : std::nullopt;
    const std::span<const bool> is_uniform(rows.is_uniform.get(), rows.dtypes.size());
    if (!make_({rows.steps, rows.dtypes, is_uniform, rows.steps_between, rows.outs, fold, shape.walks}, *machine)) return nullptr;
    const auto* const form = new Form{shape.lie,          shape.rows,
                                      shape.walks,        {shape.neighbours.begin(), shape.neighbours.end()},
                                      std::move(machine), forms_.load(std::memory_order_relaxed)};
    forms_.store(form, std::memory_order_release);
    ++n_forms_;
    return form->machine.get();
  }

  std::pmr::vector<interp::Step> steps_;
  std::pmr::vector<DType> dtypes_;
  std::pmr::vector<char> is_uniform_;
  std::pmr::vector<std::uint32_t> outs_;
  std::pmr::vector<interp::Machine::Reach> ins_;
  std::optional<catalog::Reduction> fold_;
  Make make_;
  mutable std::mutex mutex_;  ///< of who adds one
  mutable int n_forms_ = 0;
  mutable std::atomic<const Form*> forms_ = nullptr;
};

/// `is_first`: of its kind, so that others may follow.
template <const Target& kTarget, bool is_first>
bool make(const interp::Segment& segment, interp::Machine& machine) {
  static constexpr Target kFolding = folding(kTarget);
  std::array<std::byte, 8192> stack;
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  // The thread's own memory is in use where a kernel that runs finds that it wants another form.
  const std::unique_ptr<std::byte[]> own(is_first ? nullptr : new std::byte[kMostBytes]);
  const std::span buffer(is_first ? reinterpret_cast<std::byte*>(interp::Scratch::of_thread().get(kMostBytes)) : own.get(), kMostBytes);
  const Program program = select(kTarget, segment, &memory);
  const Allocation allocation = allocate(kTarget, program, &memory);
  const Emitted emitted = (segment.walks ? emit_walk : emit)(kTarget, program, allocation, buffer);
  if (!(segment.walks ? put(emitted, buffer, machine.walk, machine.memory) : put(emitted, buffer, machine.function, machine.memory)))
    return false;
  if (emitted.n_stores) machine.streaming = std::make_shared<StreamingCopy>(machine.memory, emitted);
  machine.lanes = static_cast<std::size_t>(program.lanes(kTarget));
  const auto reach = [&](std::uint32_t value) {
    return interp::Machine::Reach{value, static_cast<std::uint8_t>(item_size(segment.dtypes[value])),
                                  segment.steps_between.empty() ? std::int8_t{1} : segment.steps_between[value]};
  };
  for (const std::uint32_t value : program.ins) machine.ins.push_back(reach(value));
  for (const std::uint32_t value : segment.outs) machine.outs.push_back(reach(value));
  // Worth having, but not needed.
  const Program group = select_group(kFolding, segment, &memory);
  if (group.identity != kNone)
    put(emit_groups(kFolding, group, allocate(kFolding, group, &memory), buffer), buffer, machine.groups, machine.groups_memory);
  if constexpr (is_first)
    machine.variants = std::make_shared<OtherForms>(segment, machine, &make<kTarget, false>, machine.ins.get_allocator().resource());
  return true;
}

/// Of a call in machine code, by the time of the seed expression in the first-level cache.
constexpr double kCost = 0.25;

template <const Target& kTarget>
constexpr interp::MachineCompiler kCompiler{.support = &support_on<kTarget>, .make = &make<kTarget, true>, .cost = kCost};

struct Choice {
  const interp::MachineCompiler* compiler = nullptr;
  std::string reason;
};

Choice choose() {
  const std::string_view isa = interp::instruction_set();
  const interp::MachineCompiler* const made = compiler(isa);
  if (!made) return {nullptr, "this CPU, or ENGINE_ISA, is without AVX2"};
  // Asked of the system, which may refuse it.
  constexpr std::array<std::byte, 64> kNothing{};
  if (!install(kNothing) && !refusal().empty()) return {nullptr, refusal()};
  return {made, isa == "avx512" ? "machine code for AVX-512" : "machine code for AVX2"};
}

const Choice& chosen() noexcept {
  static const Choice the_choice = [] {
    try {
      return choose();
    } catch (...) {
      return Choice{};
    }
  }();
  return the_choice;
}

}  // namespace

const interp::MachineCompiler* compiler(std::string_view isa) noexcept {
  if (isa == "avx512") return has_avx512() ? &kCompiler<kAvx512> : nullptr;
  return isa == "avx2" && has_avx2() && __builtin_cpu_supports("f16c") ? &kCompiler<kAvx2> : nullptr;
}
const interp::MachineCompiler* compiler() noexcept { return chosen().compiler; }
const std::string& reason() noexcept { return chosen().reason; }

std::string print(std::string_view isa, const interp::Segment& segment) {
  const Target& target = isa == "avx512" ? kAvx512 : kAvx2;
  std::pmr::monotonic_buffer_resource memory;
  const Program program = select(target, segment, &memory);
  return print(program) + print(program, allocate(target, program, &memory));
}

}  // namespace engine::run::jit

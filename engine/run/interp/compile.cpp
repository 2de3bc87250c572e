// run/interp/compile.cpp - a kernel's body -> steps over registers.
// in: body in single assignment   out: steps, registers assigned by last use, uniform work moved out of the blocks
//
// float16 has no kernels of its own: a step on float16 becomes a step on float32 between conversions, which rounds the
// same (float32 has more than twice float16's digits plus two: Figueroa, 1995).
#include "engine/run/interp/compile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/catalog/type_rule.hpp"

namespace engine::run::interp {
namespace {

constexpr std::uint32_t kCell = 16;  // bytes of a cell
constexpr std::uint32_t kAlign = 64;
constexpr double kComplexCost = 50;  // of a complex function, one lane at a time, in element-operations
constexpr double kFunctionCost = 8;  // of an elementary function on vectors

struct ValueInfo {
  DType dtype;
  bool uniform;
  std::uint32_t last_use = 0;  // index of the last step that reads it
  std::uint32_t offset = kNone;
  std::uint32_t splat = kNone;    // the value that holds it spread over a register
  std::uint32_t widened = kNone;  // float16: the value that holds it as float32
  std::uint32_t uses = 0;         // how often the body, the stores and the folds read it
  std::uint32_t step = kNone;     // of a call of two elementwise arguments: the step that makes it, while it may be fused
  catalog::Op op{};
};

class Compiler {
 public:
  Compiler(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, std::pmr::memory_resource* memory,
           const MachineCompiler* machines)
      : graph_(graph),
        plan_(plan),
        kernel_(kernel),
        memory_(memory),
        machines_(machines),
        code_(memory),
        values_(memory),
        map_(memory),
        uses_(memory) {}

  /// False where there was no room for machine code.
  bool make() {
    const std::span<const plan::Instr> body = plan_.body(kernel_);
    values_.reserve(body.size() + 8);
    code_.steps.reserve(body.size());
    map_.resize(body.size(), kNone);
    count_uses(body);
    std::uint32_t position = kernel_.n_accesses;
    for (std::size_t i = 0; i < body.size(); ++i) {
      map_[i] = lower(body[i], position);
      values_[map_[i]].uses += uses_[i];
    }
    drop_fused();
    if (machines_ && !make_machines()) return false;
    for (const plan::Store& store : plan_.stores_of(kernel_)) add_store(store);
    for (const plan::Fold& fold : plan_.folds_of(kernel_)) {
      code_.fold_values.push_back(map_[fold.value]);
      const std::size_t numbers = catalog::has_moments(catalog::info(fold.reduction).kernel) ? 4 : 1;
      code_.fold_part = std::max(code_.fold_part, numbers * item_size(plan_.buffers[fold.buffer].dtype));
    }
    code_.calls = code_.in_machines +
                  static_cast<std::size_t>(std::ranges::count(code_.steps, Step::Kind::Call, [](const Step& s) { return s.kind; }));
    assign_registers();
    return true;
  }
  Code take() { return std::move(code_); }

 private:
  std::uint32_t add_value(DType dtype, bool uniform) {
    values_.push_back({dtype, uniform});
    return static_cast<std::uint32_t>(values_.size() - 1);
  }

  void count_uses(std::span<const plan::Instr> body) {
    uses_.resize(body.size(), 0);
    for (const plan::Instr& instr : body)
      for (std::uint32_t arg : instr.args)
        if (arg != plan::kNone) ++uses_[arg];
    for (const plan::Store& store : plan_.stores_of(kernel_)) ++uses_[store.value];
    for (const plan::Fold& fold : plan_.folds_of(kernel_)) ++uses_[fold.value];
  }

  std::uint32_t lower(const plan::Instr& instr, std::uint32_t& position) {
    switch (instr.kind) {
      case plan::Instr::Kind::Load: {
        const std::uint32_t value = add_value(instr.dtype, instr.uniform);
        Step step;
        step.kind = Step::Kind::Load;
        step.out = value;
        step.access = instr.payload - kernel_.first_access;
        (instr.uniform ? code_.uniform_loads : code_.steps).push_back(step);
        return value;
      }
      case plan::Instr::Kind::Constant: {
        const std::uint32_t value = add_value(instr.dtype, true);
        code_.constants.push_back({value, graph_.values[instr.payload]});
        return value;
      }
      case plan::Instr::Kind::Position: {
        const std::uint32_t value = add_value(DType::Int64, false);
        Step step;
        step.kind = Step::Kind::Position;
        step.out = value;
        step.access = position++;
        code_.steps.push_back(step);
        return value;
      }
      case plan::Instr::Kind::Cast:
        return convert(map_[instr.args[0]], instr.dtype);
      case plan::Instr::Kind::Apply:
        return apply(instr);
    }
    return kNone;
  }

  std::uint32_t convert(std::uint32_t from, DType to) {
    const DType dtype = values_[from].dtype;
    if (dtype == to) return from;
    return call(cast_kernel(dtype, to), std::array{from}, to, {.kind = Meaning::Kind::Cast});
  }

  std::uint32_t widen(std::uint32_t half) {
    if (values_[half].widened == kNone) {
      const std::uint32_t wide = convert(half, DType::Float32);
      values_[half].widened = wide;
    }
    return values_[half].widened;
  }

  std::uint32_t apply(const plan::Instr& instr) {
    const auto op = static_cast<catalog::Op>(instr.op);
    int loop = instr.loop;
    const std::span<const catalog::Loop> loops = catalog::loops(op);
    std::array<std::uint32_t, 3> args{};
    std::size_t n = 0;
    while (n < 3 && instr.args[n] != plan::kNone) {
      args[n] = map_[instr.args[n]];
      ++n;
    }
    const catalog::Loop signature = loops[static_cast<std::size_t>(loop)];
    const auto uses_half = [&] {
      for (std::size_t i = 0; i < n; ++i)
        if (signature.in[i] == DType::Float16) return true;
      return signature.out == DType::Float16;
    };
    if (!uses_half() || has(catalog::info(op).flags, catalog::Flags::Half)) {
      const Meaning meaning{Meaning::Kind::Apply, op, static_cast<std::uint16_t>(loop)};
      if (n == 2 && !machines_) {
        if (const std::uint32_t fused = fuse(op, std::span(args).first(n), signature.out); fused != kNone) return fused;
        for (int scalar = 0; scalar < 2; ++scalar) {
          if (!values_[args[static_cast<std::size_t>(scalar)]].uniform || values_[args[static_cast<std::size_t>(1 - scalar)]].uniform)
            continue;
          if (Kernel kernel = scalar_kernel(op, loop, scalar))
            return remember(op, call(kernel, std::span(args).first(n), signature.out, meaning, true));
        }
      }
      double cost = 1;
      if (is_function(op)) cost = is_complex(signature.out) ? kComplexCost : kFunctionCost;
      return remember(op, call(apply_kernel(op, loop), std::span(args).first(n), signature.out, meaning, false, cost));
    }
    catalog::Loop wide = signature;
    for (std::size_t i = 0; i < n; ++i)
      if (wide.in[i] == DType::Float16) {
        wide.in[i] = DType::Float32;
        args[i] = widen(args[i]);
      }
    if (wide.out == DType::Float16) wide.out = DType::Float32;
    loop = -1;
    for (std::size_t i = 0; i < loops.size(); ++i) {
      bool same = loops[i].out == wide.out;
      for (std::size_t k = 0; k < n; ++k) same = same && loops[i].in[k] == wide.in[k];
      if (same) loop = static_cast<int>(i);
    }
    const std::uint32_t result =
        call(apply_kernel(op, loop), std::span(args).first(n), wide.out, {Meaning::Kind::Apply, op, static_cast<std::uint16_t>(loop)});
    return signature.out == DType::Float16 ? convert(result, DType::Float16) : result;
  }

  std::uint32_t remember(catalog::Op op, std::uint32_t value) {
    if (values_[value].uniform) return value;
    values_[value].op = op;
    values_[value].step = static_cast<std::uint32_t>(code_.steps.size() - 1);
    return value;
  }

  /// One step for an operation and the one that makes an argument of it, where nothing else reads that argument.
  std::uint32_t fuse(catalog::Op op, std::span<const std::uint32_t> args, DType dtype) {
    std::size_t at = 2;
    for (std::size_t i = 0; i < 2; ++i) {
      const ValueInfo& arg = values_[args[i]];
      if (arg.step == kNone || arg.uses != 1 || !fused_kernel(arg.op, op, i == 1, dtype, 0)) continue;
      if (at == 2 || arg.step > values_[args[at]].step) at = i;
    }
    if (at == 2) return kNone;
    const ValueInfo inner = values_[args[at]];
    Step& made = code_.steps[inner.step];
    const std::array three{made.in[0], made.in[1], args[1 - at]};
    made.kernel = nullptr;
    unsigned scalars = 0;
    for (std::size_t i = 0; i < 3; ++i) scalars |= values_[three[i]].uniform ? 1u << i : 0;
    return call(fused_kernel(inner.op, op, at == 1, dtype, scalars), three, dtype, {}, true);
  }

  void drop_fused() {
    std::erase_if(code_.steps, [](const Step& step) { return step.kind == Step::Kind::Call && !step.kernel; });
  }

  Support support_of(const Meaning& meaning, std::span<const std::uint32_t> args, DType dtype) const {
    if (!machines_) return Support::None;
    std::array<DType, 3> in{};
    for (std::size_t i = 0; i < args.size(); ++i) in[i] = values_[args[i]].dtype;
    return machines_->support(meaning, std::span(in).first(args.size()), dtype);
  }

  /// Adds a call; `takes_cells`: a uniform argument is passed as one element instead of a spread register.
  std::uint32_t call(Kernel kernel, std::span<const std::uint32_t> args, DType dtype, const Meaning& meaning, bool takes_cells = false,
                     double cost = 1) {
    bool uniform = true;
    for (std::uint32_t arg : args) uniform = uniform && values_[arg].uniform;
    Step step;
    step.kernel = kernel;
    if (const Support support = uniform ? Support::None : support_of(meaning, args, dtype); support != Support::None) {
      step.meaning = meaning;
      step.is_called = support == Support::Call;
      takes_cells = true;
      if (cost == 1 && support == Support::Instructions) cost = machines_->cost;
    }
    step.n_in = static_cast<std::uint8_t>(args.size());
    for (std::size_t i = 0; i < args.size(); ++i)
      step.in[i] = uniform || takes_cells || !values_[args[i]].uniform ? args[i] : spread(args[i]);
    step.out = add_value(dtype, uniform);
    (uniform ? code_.once : code_.steps).push_back(step);
    if (!uniform) code_.cost += cost;
    return step.out;
  }

  std::uint32_t spread(std::uint32_t cell) {
    if (values_[cell].splat == kNone) {
      const DType dtype = values_[cell].dtype;
      const std::uint32_t out = add_value(dtype, false);
      values_[cell].splat = out;
      code_.splats.push_back({out, cell, static_cast<std::uint8_t>(item_size(dtype))});
    }
    return values_[cell].splat;
  }

  void add_store(const plan::Store& store) {
    std::uint32_t value = map_[store.value];
    bool direct = false;
    if (values_[value].uniform) {
      value = spread(value);
    } else if (!code_.steps.empty() && makes(code_.steps.back(), value)) {
      // A machine may write several targets: it reads before it writes, and of joined kernels nothing a store writes is read again.
      direct = std::none_of(code_.stores.begin(), code_.stores.end(), [&](const StoreSlot& other) { return other.value == value; });
    } else if (kernel_.n_stores > 1) {
      // Of joined kernels nothing a store writes is read again, so any call may write its target; but only once.
      direct = is_call(value) &&
               std::none_of(code_.stores.begin(), code_.stores.end(), [&](const StoreSlot& other) { return other.value == value; });
    }
    code_.stores.push_back({value, store.access - kernel_.first_access, direct});
  }

  bool is_call(std::uint32_t value) const {
    return std::any_of(code_.steps.begin(), code_.steps.end(), [&](const Step& step) { return makes(step, value); });
  }
  bool makes(const Step& step, std::uint32_t value) const {
    if (step.kind == Step::Kind::Call) return step.out == value;
    bool found = false;
    if (step.kind == Step::Kind::Machine) each_out(step, [&](std::uint32_t out) { found = found || out == value; });
    return found;
  }

  // ---- machine code -------------------------------------------------------------------------------------------------

  /// Puts machines in the place of calls that have a meaning: all of them that can be done by then, then the other calls, and
  /// so on. Loads and positions wait for nothing, so they come first.
  ///
  /// Of functions, one that depends on another is left to the next machine: a vector would wait for both of them, one after
  /// the other, where a loop over a block has many vectors on their way at once (log1p(exp(a)) in one machine took 1.5 times
  /// as long). For the same reason one without arithmetic beside it stays a call. Functions are all that is called.
  bool make_machines() {
    if (std::none_of(code_.steps.begin(), code_.steps.end(), is_for_machine)) return true;
    Parts p(memory_, values_.size());
    for (const ValueInfo& value : values_) p.add(value.dtype, value.uniform, value.uniform);
    for (const Splat& splat : code_.splats) p.is_ready[splat.out] = true;
    for (const Step& step : code_.steps) {
      (step.kind == Step::Kind::Call ? p.waiting : p.steps).push_back(step);
      if (step.kind != Step::Kind::Call) p.is_ready[step.out] = true;
    }
    while (!p.waiting.empty()) {
      take_for_machine(p);
      const bool is_full = p.taken.size() == kMostSteps;
      keep_lone_functions(p);
      if (!p.taken.empty() && !add_machine(p)) return false;
      p.steps.insert(p.steps.end(), p.lone.begin(), p.lone.end());
      if (!is_full) take_other_calls(p);
    }
    code_.steps = std::move(p.steps);
    return true;
  }

  /// What is on its way from calls to machines.
  struct Parts {
    Parts(std::pmr::memory_resource* memory, std::size_t n_values)
        : waiting(memory),
          taken(memory),
          lone(memory),
          steps(memory),
          dtypes(memory),
          is_ready(memory),
          function_in(memory),
          arithmetic_in(memory),
          // Each of them may be spread once.
          is_uniform(static_cast<bool*>(memory->allocate(2 * n_values, 1))) {
      dtypes.reserve(2 * n_values);
    }
    void add(DType dtype, bool uniform, bool ready) {
      is_uniform[dtypes.size()] = uniform;
      dtypes.push_back(dtype);
      is_ready.push_back(ready);
      function_in.push_back(0);
      arithmetic_in.push_back(0);
    }
    std::pmr::vector<Step> waiting, taken, lone, steps;
    // Of each value:
    std::pmr::vector<DType> dtypes;
    std::pmr::vector<bool> is_ready;
    std::pmr::vector<std::uint32_t> function_in;    ///< the machine in which it depends on a function
    std::pmr::vector<std::uint32_t> arithmetic_in;  ///< the machine in which arithmetic makes or reads it
    bool* is_uniform;
    std::uint32_t machine = 0;  ///< the one that is being put together, from 1 on
  };

  static bool is_for_machine(const Step& step) { return step.meaning.kind != Meaning::Kind::None; }
  static std::span<const std::uint32_t> ins_of(const Step& step) { return {step.in.data(), step.n_in}; }
  static bool all_ready(const Parts& p, const Step& step) {
    return std::ranges::all_of(ins_of(step), [&](std::uint32_t v) { return p.is_ready[v]; });
  }

  static void take_for_machine(Parts& p) {
    ++p.machine;
    p.taken.clear();
    std::erase_if(p.waiting, [&](const Step& step) {
      if (p.taken.size() == kMostSteps || !is_for_machine(step) || !all_ready(p, step)) return false;
      const bool depends = std::ranges::any_of(ins_of(step), [&](std::uint32_t v) { return p.function_in[v] == p.machine; });
      if (step.is_called && depends) return false;
      if (step.is_called || depends) p.function_in[step.out] = p.machine;
      if (!step.is_called) {
        p.arithmetic_in[step.out] = p.machine;
        for (const std::uint32_t v : ins_of(step)) p.arithmetic_in[v] = p.machine;
      }
      p.is_ready[step.out] = true;
      p.taken.push_back(step);
      return true;
    });
  }

  void keep_lone_functions(Parts& p) {
    p.lone.clear();
    std::erase_if(p.taken, [&](const Step& step) {
      const bool beside = p.arithmetic_in[step.out] == p.machine || std::ranges::any_of(ins_of(step), [&](std::uint32_t v) {
                            return p.arithmetic_in[v] == p.machine && !p.is_uniform[v];
                          });
      if (!step.is_called || beside) return false;
      Step alone = step;
      for (std::uint8_t i = 0; i < step.n_in; ++i)
        if (p.is_uniform[step.in[i]]) {
          alone.in[i] = spread(step.in[i]);
          while (p.dtypes.size() < values_.size()) p.add(values_[p.dtypes.size()].dtype, false, true);
        }
      p.lone.push_back(alone);
      return true;
    });
  }

  /// One level at a time, so that machines get all they can.
  static void take_other_calls(Parts& p) {
    const std::size_t first = p.steps.size();
    std::erase_if(p.waiting, [&](const Step& step) {
      if (is_for_machine(step) || !all_ready(p, step)) return false;
      p.steps.push_back(step);
      return true;
    });
    for (std::size_t i = first; i < p.steps.size(); ++i) p.is_ready[p.steps[i].out] = true;
  }

  bool add_machine(Parts& p) {
    std::pmr::vector<bool> leaves(values_.size(), false, memory_);
    const auto read_by = [&](std::span<const Step> steps) {
      for (const Step& step : steps)
        for (const std::uint32_t v : ins_of(step)) leaves[v] = true;
    };
    read_by(p.waiting);
    read_by(p.lone);
    for (const plan::Store& store : plan_.stores_of(kernel_)) leaves[map_[store.value]] = true;
    for (const plan::Fold& fold : plan_.folds_of(kernel_)) leaves[map_[fold.value]] = true;
    std::pmr::vector<std::uint32_t> outs(memory_);
    for (const Step& step : p.taken)
      if (leaves[step.out]) outs.push_back(step.out);
    Machine machine(memory_);
    std::optional<catalog::Reduction> fold;
    const std::span<const plan::Fold> folds = plan_.folds_of(kernel_);
    const bool is_all = p.waiting.empty() && p.lone.empty() && code_.machines.empty() &&
                        std::ranges::none_of(p.steps, [](const Step& step) { return step.kind == Step::Kind::Call; });
    if (is_all && folds.size() == 1 && kernel_.n_stores == 0 && outs.size() == 1) fold = catalog::info(folds[0].reduction).kernel;
    if (!machines_->make({p.taken, p.dtypes, {p.is_uniform, p.dtypes.size()}, {}, outs, fold}, machine)) return false;
    Step step;
    step.kind = Step::Kind::Machine;
    step.access = static_cast<std::uint32_t>(code_.machines.size());
    p.steps.push_back(step);
    code_.machines.push_back(std::move(machine));
    code_.in_machines += p.taken.size();
    return true;
  }

  /// Calls visit(value) for what a step reads, and for what it writes.
  template <class Visit>
  void each_in(const Step& step, Visit visit) const {
    for (std::uint8_t i = 0; i < step.n_in; ++i) visit(step.in[i]);
    if (step.kind == Step::Kind::Machine)
      for (const Machine::Reach& in : code_.machines[step.access].ins) visit(in.value);
  }
  template <class Visit>
  void each_out(const Step& step, Visit visit) const {
    if (step.kind != Step::Kind::Machine) return visit(step.out);
    for (const Machine::Reach& out : code_.machines[step.access].outs) visit(out.value);
  }

  // ---- registers ----------------------------------------------------------------------------------------------------

  void assign_registers() {
    const auto end = static_cast<std::uint32_t>(code_.steps.size());
    for (std::uint32_t s = 0; s < end; ++s) each_in(code_.steps[s], [&](std::uint32_t value) { values_[value].last_use = s; });
    for (const StoreSlot& store : code_.stores) values_[store.value].last_use = end;
    for (std::uint32_t value : code_.fold_values) values_[value].last_use = end;

    std::size_t top = 0;
    for (ValueInfo& value : values_)
      if (value.uniform) {
        value.offset = static_cast<std::uint32_t>(top);
        top += kCell;
      }
    top = (top + kAlign - 1) / kAlign * kAlign;
    const auto take = [&](std::uint32_t item) {
      const auto offset = static_cast<std::uint32_t>(top);
      top += item * kBlock;
      return offset;
    };
    for (const Splat& splat : code_.splats) values_[splat.out].offset = take(splat.item);

    std::array<std::pmr::vector<std::uint32_t>, 5> free{std::pmr::vector<std::uint32_t>(memory_), std::pmr::vector<std::uint32_t>(memory_),
                                                        std::pmr::vector<std::uint32_t>(memory_), std::pmr::vector<std::uint32_t>(memory_),
                                                        std::pmr::vector<std::uint32_t>(memory_)};
    const auto size_class = [](DType dtype) { return static_cast<std::size_t>(__builtin_ctz(static_cast<unsigned>(item_size(dtype)))); };
    std::pmr::vector<bool> returned(values_.size(), false, memory_);
    for (const Splat& splat : code_.splats) returned[splat.out] = true;  // filled once, never reused
    const auto give_back = [&](std::uint32_t value) {
      returned[value] = true;
      free[size_class(values_[value].dtype)].push_back(values_[value].offset);
    };
    for (std::uint32_t s = 0; s < end; ++s) {
      const Step& step = code_.steps[s];
      const auto dies = [&](std::uint32_t value) { return !values_[value].uniform && !returned[value] && values_[value].last_use == s; };
      // An argument that dies here may lend its register to a result of its size: kernels allow out == in exactly.
      each_in(step, [&](std::uint32_t arg) {
        bool fits = false;
        each_out(step, [&](std::uint32_t out) { fits = fits || item_size(values_[arg].dtype) == item_size(values_[out].dtype); });
        if (fits && dies(arg)) give_back(arg);
      });
      each_out(step, [&](std::uint32_t out) {
        auto& pool = free[size_class(values_[out].dtype)];
        if (pool.empty()) {
          values_[out].offset = take(static_cast<std::uint32_t>(item_size(values_[out].dtype)));
        } else {
          values_[out].offset = pool.back();
          pool.pop_back();
        }
      });
      each_in(step, [&](std::uint32_t arg) {
        if (dies(arg)) give_back(arg);
      });
    }
    code_.offsets.resize(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) code_.offsets[i] = values_[i].offset == kNone ? 0 : values_[i].offset;
    code_.scratch_bytes = top;
  }

  const ir::Graph& graph_;
  const plan::Plan& plan_;
  const plan::Kernel& kernel_;
  std::pmr::memory_resource* memory_;
  const MachineCompiler* machines_;
  Code code_;
  std::pmr::vector<ValueInfo> values_;
  std::pmr::vector<std::uint32_t> map_;   // instruction -> value
  std::pmr::vector<std::uint32_t> uses_;  // instruction -> how often it is read
};

}  // namespace

Code compile(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, std::pmr::memory_resource* memory,
             const MachineCompiler* machines) {
  Compiler compiler(graph, plan, kernel, memory, machines);
  if (compiler.make()) return compiler.take();
  Compiler without(graph, plan, kernel, memory, nullptr);
  without.make();
  return without.take();
}

std::string print(const Code& code) {
  std::string text;
  const auto line = [&](const Step& step, std::string_view when) {
    switch (step.kind) {
      case Step::Kind::Load:
        text += fmt::format("{} v{} = load [{}]\n", when, step.out, step.access);
        break;
      case Step::Kind::Position:
        text += fmt::format("{} v{} = position [{}]\n", when, step.out, step.access);
        break;
      case Step::Kind::Call:
        text += fmt::format("{} v{} = call ({})\n", when, step.out, fmt::join(step.in.begin(), step.in.begin() + step.n_in, ", "));
        break;
      case Step::Kind::Machine: {
        const Machine& machine = code.machines[step.access];
        const auto values = [](std::span<const Machine::Reach> reaches) {
          std::string list;
          for (const Machine::Reach& r : reaches) list += fmt::format("{}v{}", list.empty() ? "" : ", ", r.value);
          return list;
        };
        text += fmt::format("{} {} = machine code, {} lanes ({})\n", when, values(machine.outs), machine.lanes, values(machine.ins));
        break;
      }
    }
  };
  for (const Step& step : code.uniform_loads) line(step, "once ");
  for (const Step& step : code.once) line(step, "once ");
  for (const Splat& splat : code.splats) text += fmt::format("once  v{} = splat v{}\n", splat.out, splat.in);
  for (const Step& step : code.steps) line(step, "block");
  for (const StoreSlot& store : code.stores) text += fmt::format("block store [{}] v{}\n", store.access, store.value);
  text += fmt::format("scratch {} bytes\n", code.scratch_bytes);
  return text;
}

}  // namespace engine::run::interp

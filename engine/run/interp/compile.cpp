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
  Compiler(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, std::pmr::memory_resource* memory)
      : graph_(graph), plan_(plan), kernel_(kernel), memory_(memory), code_(memory), values_(memory), map_(memory), uses_(memory) {}

  Code make() {
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
    for (const plan::Store& store : plan_.stores_of(kernel_)) add_store(store);
    for (const plan::Fold& fold : plan_.folds_of(kernel_)) {
      code_.fold_values.push_back(map_[fold.value]);
      const std::size_t numbers = catalog::has_moments(catalog::info(fold.reduction).kernel) ? 4 : 1;
      code_.fold_part = std::max(code_.fold_part, numbers * item_size(plan_.buffers[fold.buffer].dtype));
    }
    assign_registers();
    return std::move(code_);
  }

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
    return call(cast_kernel(dtype, to), std::array{from}, to);
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
      if (n == 2) {
        if (const std::uint32_t fused = fuse(op, std::span(args).first(n), signature.out); fused != kNone) return fused;
        for (int scalar = 0; scalar < 2; ++scalar) {
          if (!values_[args[static_cast<std::size_t>(scalar)]].uniform || values_[args[static_cast<std::size_t>(1 - scalar)]].uniform)
            continue;
          if (Kernel kernel = scalar_kernel(op, loop, scalar))
            return remember(op, call(kernel, std::span(args).first(n), signature.out, true));
        }
      }
      double cost = 1;
      if (has(catalog::info(op).flags, catalog::Flags::Lanes)) cost = is_complex(signature.out) ? kComplexCost : kFunctionCost;
      return remember(op, call(apply_kernel(op, loop), std::span(args).first(n), signature.out, false, cost));
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
    const std::uint32_t result = call(apply_kernel(op, loop), std::span(args).first(n), wide.out);
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
    return call(fused_kernel(inner.op, op, at == 1, dtype, scalars), three, dtype, true);
  }

  void drop_fused() {
    std::erase_if(code_.steps, [](const Step& step) { return step.kind == Step::Kind::Call && !step.kernel; });
  }

  /// Adds a call; `takes_cells`: a uniform argument is passed as one element instead of a spread register.
  std::uint32_t call(Kernel kernel, std::span<const std::uint32_t> args, DType dtype, bool takes_cells = false, double cost = 1) {
    bool uniform = true;
    for (std::uint32_t arg : args) uniform = uniform && values_[arg].uniform;
    Step step;
    step.kernel = kernel;
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
    } else if (!code_.steps.empty() && code_.steps.back().kind == Step::Kind::Call && code_.steps.back().out == value) {
      direct = true;
    } else if (kernel_.n_stores > 1) {
      // Of joined kernels nothing a store writes is read again, so any call may write its target; but only once.
      direct = is_call(value) &&
               std::none_of(code_.stores.begin(), code_.stores.end(), [&](const StoreSlot& other) { return other.value == value; });
    }
    code_.stores.push_back({value, store.access - kernel_.first_access, direct});
  }

  bool is_call(std::uint32_t value) const {
    return std::any_of(code_.steps.begin(), code_.steps.end(),
                       [&](const Step& step) { return step.kind == Step::Kind::Call && step.out == value; });
  }

  // ---- registers ----------------------------------------------------------------------------------------------------

  void assign_registers() {
    const auto end = static_cast<std::uint32_t>(code_.steps.size());
    for (std::uint32_t s = 0; s < end; ++s)
      for (std::uint8_t i = 0; i < code_.steps[s].n_in; ++i) values_[code_.steps[s].in[i]].last_use = s;
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
    for (std::uint32_t s = 0; s < end; ++s) {
      Step& step = code_.steps[s];
      // An argument that dies here may lend its register to the result: kernels allow out == in exactly.
      for (std::uint8_t i = 0; i < step.n_in; ++i) {
        const std::uint32_t arg = step.in[i];
        if (values_[arg].uniform || returned[arg] || values_[arg].last_use != s) continue;
        if (item_size(values_[arg].dtype) != item_size(values_[step.out].dtype)) continue;
        returned[arg] = true;
        free[size_class(values_[arg].dtype)].push_back(values_[arg].offset);
      }
      auto& pool = free[size_class(values_[step.out].dtype)];
      if (pool.empty()) {
        values_[step.out].offset = take(static_cast<std::uint32_t>(item_size(values_[step.out].dtype)));
      } else {
        values_[step.out].offset = pool.back();
        pool.pop_back();
      }
      for (std::uint8_t i = 0; i < step.n_in; ++i) {
        const std::uint32_t arg = step.in[i];
        if (values_[arg].uniform || returned[arg] || values_[arg].last_use != s) continue;
        returned[arg] = true;
        free[size_class(values_[arg].dtype)].push_back(values_[arg].offset);
      }
    }
    code_.offsets.resize(values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) code_.offsets[i] = values_[i].offset == kNone ? 0 : values_[i].offset;
    code_.scratch_bytes = top;
  }

  const ir::Graph& graph_;
  const plan::Plan& plan_;
  const plan::Kernel& kernel_;
  std::pmr::memory_resource* memory_;
  Code code_;
  std::pmr::vector<ValueInfo> values_;
  std::pmr::vector<std::uint32_t> map_;   // instruction -> value
  std::pmr::vector<std::uint32_t> uses_;  // instruction -> how often it is read
};

}  // namespace

Code compile(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, std::pmr::memory_resource* memory) {
  return Compiler(graph, plan, kernel, memory).make();
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

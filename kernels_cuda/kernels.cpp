// kernels_cuda/kernels.cpp - see kernels.hpp.
#include "kernels_cuda/kernels.hpp"

#include <fmt/format.h>

#include <array>
#include <engine/error.hpp>
#include <memory_resource>

#include "kernels_cuda/cost.hpp"
#include "kernels_cuda/cub.hpp"
#include "kernels_cuda/steps.hpp"

namespace engine::cuda {
namespace {

/// A kernel that moves elements of one dtype.
struct CopyProgram {
  static PlannedKernel of(DType dtype) {
    static const auto programs = [] {  // for all devices, which have a mutex each
      std::array<std::unique_ptr<const CopyProgram>, kDTypes> all;
      for (std::size_t i = 0; i < kDTypes; ++i) all[i] = std::make_unique<const CopyProgram>(static_cast<DType>(i));
      return all;
    }();
    const CopyProgram& program = *programs[static_cast<std::size_t>(dtype)];
    return {program.graph, program.plan, program.plan.kernels[0]};
  }
  explicit CopyProgram(DType dtype) : graph(&memory), plan(&memory) {
    plan::Instr load{.kind = plan::Instr::Kind::Load, .dtype = dtype, .payload = 0};
    plan.instrs.push_back(load);
    plan.buffers.push_back({.dtype = dtype});
    plan.accesses.resize(2);
    plan.stores.push_back({.value = 0, .access = 1});
    plan.kernels.push_back({.n_instr = 1, .n_stores = 1, .n_accesses = 2});
  }
  std::pmr::monotonic_buffer_resource memory;
  ir::Graph graph;
  plan::Plan plan;
};

FoldRun run_of(const StepCall& call) {
  FoldRun run;
  run.arguments = call.arguments;
  return run;
}

}  // namespace

StepCall& StepCall::with(std::string type, std::string name, std::uint64_t value) {
  text.parameters.emplace_back(std::move(type), std::move(name));
  arguments.push_back(value);
  return *this;
}

void Kernels::load(Entry& entry) const {
  entry.loaded = device_.kernel(entry.text.text);
  entry.text.text.clear();  // the device keeps it
}

void Kernels::load(const PlannedKernel& planned, Entry& entry) const {
  const bool is_step = entry.layout.form == Form::Source;
  entry.text = is_step ? emit_source(planned.graph, planned.plan, planned.kernel, entry.layout, entry.step)
                       : emit(planned.graph, planned.plan, planned.kernel, entry.layout);
  load(entry);
}

const Kernels::Entry& Kernels::find(const PlannedKernel& planned, const Layout& layout, const StepText& step) {
  for (const std::unique_ptr<Entry>& entry : entries_)
    if (entry->kernel == &planned.kernel && entry->asked == layout && entry->step == step) return *entry;
  const auto make = [&](const Layout& with) {
    auto entry = std::make_unique<Entry>(Entry{&planned.kernel, layout, step, with, {}, {}});
    load(planned, *entry);
    return entry;
  };
  std::unique_ptr<Entry> entry = make(layout);
  while (planned.kernel.n_folds == 0 && entry->layout.unroll > 1 && entry->loaded->local_bytes() > 0) {
    Layout less = entry->layout;
    less.unroll /= 2;
    less.down &= less.unroll > 1;
    std::unique_ptr<Entry> other = make(less);
    if (other->loaded->local_bytes() >= entry->loaded->local_bytes()) break;  // its own, whatever is under way
    entry = std::move(other);
  }
  entries_.push_back(std::move(entry));
  return *entries_.back();
}

const Kernels::Entry& Kernels::find_steps(const PlannedKernel& planned, const plan::Stepped& step, const StepsShape& shape,
                                          const Layout& layout) {
  for (const std::unique_ptr<Entry>& entry : entries_)
    if (entry->kernel == &planned.kernel && entry->asked == layout) return *entry;
  const auto make = [&](const Layout& with) {
    auto entry = std::make_unique<Entry>(Entry{&planned.kernel, layout, {}, with, emit_steps(planned, step, shape, with), {}});
    load(*entry);
    return entry;
  };
  std::unique_ptr<Entry> entry = make(layout);
  if (layout.unroll > 1 && entry->loaded->local_bytes() > 0) {
    Layout alone = layout;
    alone.unroll = 1;
    entry = make(alone);
  }
  entries_.push_back(std::move(entry));
  return *entries_.back();
}

void Kernels::run(const PlannedKernel& planned, const Space& space, bool in_order) {
  const TurnedSpace turned(in_order ? Space{} : space);
  const Space& walked = in_order ? space : turned.get();
  const int bytes = bytes_at_once(cost_of(planned.plan, planned.kernel), device_.architecture());
  const Entry& entry = find(planned, layout_of(walked, in_order, bytes));
  launch(device_, *entry.loaded, entry.text, entry.layout, walked);
}

void Kernels::copy(DType dtype, int rank, const std::int64_t* extents, Strided to, Strided from) {
  std::int64_t total = 1;
  for (int axis = 0; axis < rank; ++axis) total *= extents[axis];
  if (total == 0) return;
  copy(dtype, rank, extents, total, {.base = pointer(from.memory), .strides = from.strides, .dtype = dtype},
       {.base = pointer(to.memory), .strides = to.strides, .dtype = dtype, .is_store = true}, false);
}

void Kernels::copy(DType dtype, int rank, const std::int64_t* extents, std::int64_t total, const Operand& from, const Operand& to,
                   bool in_order) {
  const std::array operands{from, to};
  run(CopyProgram::of(dtype), {rank, extents, total, operands}, in_order);
}

void Kernels::run_step(const StepCall& call, std::int64_t blocks) {
  const StepText& step = call.text;
  std::string key = step.types + step.body;
  for (const auto& [type, name] : step.parameters) key.append("\n").append(type).append(" ").append(name);
  auto found = steps_.find(key);
  if (found == steps_.end()) {
    if (step.needs_cub && !cub_state().reason.empty())
      throw BackendError({.what = fmt::format("sorts on a device are compiled with CUB: {}", cub_state().reason),
                          .labels = {},
                          .help = cub_state().help,
                          .text = {}});
    Entry entry{nullptr, {}, {}, {}, emit_step(step), {}};
    load(entry);
    found = steps_.emplace(std::move(key), std::move(entry)).first;
  }
  const Entry& entry = found->second;
  launch_blocks(device_, *entry.loaded, entry.text, entry.layout, Space{}, run_of(call), blocks);
}

void Kernels::run_step(const StepCall& call, std::int64_t blocks, const PlannedKernel& planned, const Space& space) {
  const Entry& entry = find(planned, layout_of_source(space), call.text);
  launch_blocks(device_, *entry.loaded, entry.text, entry.layout, space, run_of(call), blocks);
}

}  // namespace engine::cuda

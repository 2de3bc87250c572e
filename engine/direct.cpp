// direct.cpp - small calls of whole arrays, straight into machine code: nothing is bound, and nothing kept.
#include <algorithm>
#include <chrono>
#include <engine/threads.hpp>

#include "engine/base/pages.hpp"
#include "engine/plan/hazard.hpp"
#include "engine/program.hpp"
#include "engine/run/executor.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine {

namespace {

/// The reduction of whole operands to a number that is all a plan does, but for moving that to the result. Of values of up to eight
/// bytes that are their own accumulators: not of variances.
const plan::Fold* fold_to_number(const plan::Plan& plan) {
  if (plan.actions.size() != 2 || plan.kernels.size() != 2 || plan.finds) return nullptr;
  const plan::Kernel &folds = plan.kernels[0], &moves = plan.kernels[1];
  const std::uint8_t rank = plan.shapes[folds.space].rank;
  if (folds.n_folds != 1 || folds.n_stores != 0 || folds.shifts || folds.axes != (std::uint64_t{1} << rank) - 1) return nullptr;
  for (std::uint32_t k = 0; k < folds.n_accesses; ++k) {
    const plan::Access& access = plan.accesses[folds.first_access + k];
    if (access.n_steps != 0 || plan.buffers[access.buffer].kind != plan::Buffer::Kind::Slot) return nullptr;
  }
  const plan::Fold& fold = plan.folds_of(folds)[0];
  const DType dtype = plan.buffers[fold.buffer].dtype;
  if (catalog::has_moments(catalog::info(fold.reduction).kernel) || is_complex(dtype) || dtype == DType::Float16) return nullptr;
  const std::span<const plan::Instr> body = plan.body(moves);
  const bool is_move = body.size() == 1 && body[0].kind == plan::Instr::Kind::Load && moves.n_stores == 1 && moves.n_folds == 0 &&
                       plan.accesses[body[0].payload].buffer == fold.buffer && plan.accesses[body[0].payload].n_steps == 0 &&
                       plan.accesses[plan.stores_of(moves)[0].access].buffer == plan.result;
  const plan::Buffer& result = plan.buffers[plan.result];
  return is_move && plan.shapes[result.shape].rank == 0 && result.dtype == dtype ? &fold : nullptr;
}

}  // namespace

Direct direct_of(const plan::Plan& plan, std::span<const run::interp::Code> codes, std::span<const std::uint32_t> slot_name,
                 std::pmr::memory_resource* memory) {
  using run::interp::Step;
  Direct direct(memory);
  if (codes.empty() || plan.result == plan::kNone) return direct;
  const run::interp::Code& code = codes[0];
  direct.fold = fold_to_number(plan);
  if (direct.fold) {
    direct.folded = code.fold_values[0];
    if (code.machines.size() > 1 || (code.machines.size() == 1 && code.machines[0].outs.size() != 1)) return direct;
  } else {
    if (!plan.simple || codes.size() != 1) return direct;
    if (code.machines.size() != 1 || code.machines[0].outs.size() != 1 || code.stores.size() != 1 || !code.stores[0].direct) return direct;
  }
  if (!code.splats.empty() || code.offsets.size() > Direct::kMostValues) return direct;
  if (code.uniform_loads.size() + code.once.size() > Direct::kMostScalars) return direct;
  const plan::Kernel& kernel = plan.kernels[0];
  const auto place = [&](std::uint32_t value, std::uint32_t access) -> Direct::Place {
    const plan::Buffer& buffer = plan.buffers[plan.accesses[kernel.first_access + access].buffer];
    const bool is_result = buffer.kind == plan::Buffer::Kind::Result;
    return {value, is_result ? Direct::kResult : slot_name[buffer.slot], buffer.dtype};
  };
  for (const Step& step : code.uniform_loads) direct.scalars.push_back(place(step.out, step.access));
  for (const Step& step : code.steps) {
    if (step.kind == Step::Kind::Machine) continue;
    if (step.kind != Step::Kind::Load) return direct;
    direct.arrays.push_back(place(step.out, step.access));
  }
  if (direct.arrays.empty()) return direct;
  if (direct.fold)
    direct.arrays.push_back({direct.folded, Direct::kResult, plan.buffers[plan.result].dtype});
  else
    direct.arrays.push_back(place(code.stores[0].value, code.stores[0].access));
  direct.exists = direct.arrays.back().name == Direct::kResult;
  return direct;
}

namespace {

/// Microseconds. What takes longer may be stopped on its way.
constexpr double kMost = 100;

/// The elements that the table's addresses are of, by so many threads.
void run_machine_by(int threads, const run::interp::Code& code, void** table, std::int64_t total) {
  const run::interp::Machine& machine = code.machines[0];
  if (threads < 2) return run::interp::run_machine(machine, table, static_cast<std::size_t>(total), true);
  run::interp::in_chunks(threads, total, [&](std::int64_t first, std::int64_t end) {
    void* mine[Direct::kMostValues];
    std::copy_n(table, code.offsets.size(), mine);
    run::interp::move_on(machine, mine, first);
    run::interp::run_machine(machine, mine, static_cast<std::size_t>(end - first), true);
  });
}

}  // namespace

bool Program::run_small(const Operand* operands, const ArrayView* out, Order order, Allocator allocator, int threads,
                        void (*starts)(void* context) noexcept) const {
  trim_old_pages();
  const Impl& impl = *impl_;
  if (order == Order::F || impl.may_alias || impl.options.limits.seconds > 0 || impl.options.limits.result_bytes >= 0) return false;
  std::shared_ptr<const Compiled> compiled;
  {
    const std::lock_guard lock(impl.mutex);
    for (auto it = impl.plans.rbegin(); it != impl.plans.rend() && !compiled; ++it)
      if ((*it)->direct.exists && (*it)->matches(operands, impl.names.size(), out, false, kHost)) compiled = *it;
  }
  if (!compiled) return false;
  const Compiled& c = *compiled;
  const run::interp::Code& code = c.codes[0];

  const Shape& shape = operands[c.direct.arrays[0].name].array.shape;
  const std::int64_t total = n_items(shape);
  if (total == 0 || (c.direct.fold && out)) return false;
  const std::size_t n_read = c.direct.arrays.size() - 1;
  double bytes = 0;
  for (const Direct::Place& place : std::span(c.direct.arrays).first(c.direct.fold ? n_read : n_read + 1))
    bytes += static_cast<double>(item_size(place.dtype));
  const double microseconds = run::microseconds_of(static_cast<double>(total), code.cost, bytes);
  const bool is_short = microseconds < run::kOfOneThread;
  if (!is_short && microseconds > kMost) return false;
  void* table[Direct::kMostValues];
  for (std::size_t k = 0; k < n_read; ++k) {
    const Direct::Place& place = c.direct.arrays[k];
    const Operand& operand = operands[place.name];
    if (operand.weak != Weak::No || !(operand.array.shape == shape)) return false;
    if (!plan::is_plain(operand.array) || operand.array.device != kHost) return false;
    table[place.value] = operand.array.data;
  }
  for (const Direct::Place& place : c.direct.scalars) {
    const Operand& operand = operands[place.name];
    if (operand.weak == Weak::No && (operand.array.swapped || operand.array.device != kHost)) return false;
    const void* const number = operand.weak == Weak::No ? operand.array.data : operand.scalar;
    table[place.value] = const_cast<void*>(number);
  }
  const Direct::Place& result = c.direct.arrays.back();
  const auto item = static_cast<std::int64_t>(item_size(result.dtype));
  if (out) {
    if (!(out->shape == shape) || !plan::is_plain(*out) || out->device != kHost) return false;
    const auto is_safe = [&](const Direct::Place& place, std::int64_t stride) {
      const auto read_item = static_cast<std::int64_t>(item_size(place.dtype));
      const plan::Hazard hazard = plan::hazard({static_cast<const char*>(out->data), &item, item},
                                               {static_cast<const char*>(table[place.value]), &stride, read_item}, 1, &total);
      return hazard == plan::Hazard::None || hazard == plan::Hazard::Same;
    };
    for (std::size_t k = 0; k < n_read; ++k)
      if (!is_safe(c.direct.arrays[k], static_cast<std::int64_t>(item_size(c.direct.arrays[k].dtype)))) return false;
    for (const Direct::Place& place : c.direct.scalars)
      if (!is_safe(place, 0)) return false;
    table[result.value] = out->data;
  } else if (!c.direct.fold) {
    const Strides strides = c_strides(shape, static_cast<std::size_t>(item));
    table[result.value] = allocator.allocate(allocator.context, result.dtype, shape, strides, static_cast<std::size_t>(total * item));
  }
  for (const run::interp::Code::Constant& constant : code.constants)
    table[constant.value] = const_cast<std::byte*>(constant.bits.bytes.data());
  alignas(16) std::byte cells[Direct::kMostScalars][16];
  std::size_t n_cells = 0;
  for (const run::interp::Step& step : code.once) {
    table[step.out] = cells[n_cells++];
    const void* in[3] = {};
    for (std::uint8_t k = 0; k < step.n_in; ++k) in[k] = table[step.in[k]];
    step.kernel(table[step.out], in, 1);
  }
  const auto n = static_cast<std::size_t>(total);
  void* number = nullptr;
  if (c.direct.fold) number = allocator.allocate(allocator.context, result.dtype, Shape{}, Strides{}, static_cast<std::size_t>(item));
  const auto run_by = [&](int n_threads) {
    if (!c.direct.fold) return run_machine_by(n_threads, code, table, total);
    const run::interp::Machine* const machine = code.machines.empty() ? nullptr : &code.machines[0];
    const std::span used_table(table, code.offsets.size());
    run::interp::fold_directly(*c.direct.fold, result.dtype, machine, used_table, c.direct.folded, n, number, n_threads);
  };
  double seconds = -1;
  int used = 1;
  if (is_short) {
    run_by(1);
  } else {
    if (starts) starts(allocator.context);
    const auto start = std::chrono::steady_clock::now();
    used = run::worthwhile_threads(microseconds, threads ? threads : num_threads());
    run_by(used);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  impl.direct_hits.fetch_add(1, std::memory_order_relaxed);
  record_direct(c, static_cast<std::uint64_t>(total), used, seconds);
  return true;
}

}  // namespace engine

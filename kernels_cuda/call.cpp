// kernels_cuda/call.cpp - see call.hpp.
#include "kernels_cuda/call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/catalog/evaluate.hpp"
#include "engine/plan/hazard.hpp"
#include "engine/run/executor.hpp"
#include "engine/run/interp/block.hpp"
#include "kernels_cuda/graph.hpp"
#include "kernels_cuda/ordered.hpp"

namespace engine::cuda {

std::vector<std::uint64_t> Call::key() const {
  std::vector<std::uint64_t> key{address(&kernels_)};
  const auto put = [&](const auto* numbers, int n) {
    for (int i = 0; i < n; ++i) key.push_back(static_cast<std::uint64_t>(numbers[i]));
  };
  for (const plan::Binding::Step& step : b_.steps) {
    if (step.action->kind != plan::Action::Kind::Run) return {};
    for (const plan::BoundKernel& kernel : step.kernels) {
      const std::span<const plan::Fold> folds = plan_.folds_of(*kernel.kernel);
      if (!folds.empty() && kernel.total == 0) return {};  // their cells come from the host
      const std::int64_t numbers[] = {kernel.rank, kernel.total, kernel.lanes_kept, kernel.kept, kernel.rows, kernel.length};
      put(numbers, static_cast<int>(std::size(numbers)));
      put(kernel.extents, kernel.rank);
      for (const plan::Fold& fold : folds)
        if (is_result(fold.buffer)) key.push_back(address(b_.buffers[fold.buffer].base));
      for (std::uint32_t k = 0; k < kernel.accesses.size(); ++k) {
        const plan::BoundAccess& access = kernel.accesses[k];
        const bool is_position = k >= kernel.kernel->n_accesses;
        if (access.is_constant) return {};
        put(access.strides, kernel.rank);
        key.push_back(access.swapped);
        if (!is_position && is_value(kernel, k)) {
          std::array<std::uint64_t, 2> value{};
          std::memcpy(value.data(), access.base, item_size(access.dtype));
          key.insert(key.end(), value.begin(), value.end());
        } else if (is_position || buffer_of(kernel, k).kind != plan::Buffer::Kind::Temporary) {
          key.push_back(address(access.base));
        }
      }
    }
  }
  return key;
}

void Call::run() {
  find_direct_cells();
  by_pieces_ = choose_pieces(is_short_);
  if (plan_.finds) announce_operands();
  for (const plan::Binding::Step& step : b_.steps) announce(step);
  residency_.arrive();
  try {
    run_steps();
  } catch (...) {
    restore();
    throw;
  }
  if (is_resident() || device_.is_rehearsal()) return;  // results are where they belong, and in order with what comes after
  device_.synchronize();                                // so that faults come before the first write to the host
  poll();
  for (const plan::Binding::Step& step : b_.steps) {
    if (goes_by_pieces(step)) continue;
    if (step.action->kind != plan::Action::Kind::Order)
      for (const plan::BoundKernel& kernel : step.kernels) bring_back(kernel);
    else if (is_result(step.action->buffer))
      bring_back_buffer(step.action->buffer);  // its kernels store to nothing else
  }
  device_.synchronize();
}

void Call::poll() {
  if (device_.is_captured()) return;
  session_.aside([&] { watch_.poll(); });
}

const plan::Buffer& Call::buffer_of(const plan::BoundKernel& kernel, std::uint32_t k) const {
  return plan_.buffers[plan_.accesses[kernel.kernel->first_access + k].buffer];
}

bool Call::is_value(const plan::BoundKernel& kernel, std::uint32_t k) const {
  const plan::Buffer& buffer = buffer_of(kernel, k);
  if (buffer.kind != plan::Buffer::Kind::Slot) return false;
  const ir::Slot& slot = graph_.slots[buffer.slot];
  if (is_resident()) return !b_.on_device[buffer.slot];
  return slot.rank == 0 && (slot.weak != Weak::No || (!slot.written && !graph_.aliased));
}

bool Call::is_store(const plan::BoundKernel& kernel, std::uint32_t k) const {
  const std::span<const plan::Store> stores = plan_.stores_of(*kernel.kernel);
  return std::any_of(stores.begin(), stores.end(),
                     [&](const plan::Store& store) { return store.access - kernel.kernel->first_access == k; });
}

void Call::run_steps() {
  std::size_t done = 0;
  while (done < b_.steps.size()) {  // there may be more behind them when those are done
    const std::size_t end = b_.steps.size();
    for (std::size_t i = done; i < end; ++i) watch_.expect(run::elements_of(b_.steps[i], b_));
    keep(done, end);
    for (; done < end; ++done) {
      const plan::Binding::Step step = b_.steps[done];
      if (done > 0) poll();
      try {
        run_step(step);
      } catch (const NotCaptured&) {
        throw BackendError({.what = "what is launched after this follows from its values: the program cannot be captured",
                            .labels = {{step.action->span, "here"}},
                            .help = "call the program itself, without a graph",
                            .text = std::string(graph_.text)});
      }
      if (!goes_by_pieces(step)) watch_.advance(run::elements_of(step, b_));
    }
  }
}

void Call::run_step(const plan::Binding::Step& step) {
  switch (step.action->kind) {
    case plan::Action::Kind::Check:
      return check_exponents(*step.action);
    case plan::Action::Kind::Order:
      return order(step);
    case plan::Action::Kind::Run:
      for (const plan::BoundKernel& kernel : step.kernels)
        if (goes_by_pieces(step))
          kernel.kernel->n_folds ? stream_folds(kernel) : stream(kernel);
        else if (kernel.kernel->n_folds)
          folds(kernel);
        else if (std::none_of(direct_cells_.begin(), direct_cells_.end(), [&](const DirectCells& each) { return each.copy == &kernel; }))
          stores(kernel);
  }
}

void Call::keep(std::size_t first, std::size_t end) {
  if (!is_resident()) return;
  for (std::size_t i = first, at_risk = run::at_risk(b_, first, end); i < at_risk; ++i)
    for (const plan::BoundKernel& kernel : b_.steps[i].kernels)
      for (const plan::Store& store : plan_.stores_of(*kernel.kernel)) {
        if (plan_.buffers[plan_.accesses[store.access].buffer].kind != plan::Buffer::Kind::Slot || kernel.total == 0) continue;
        const plan::BoundAccess& access = kernel.accesses[store.access - kernel.kernel->first_access];
        Kept kept{kernel, access, Memory(device_, static_cast<std::size_t>(kernel.total) * item_size(access.dtype)),
                  c_strides(kernel, access.dtype)};
        kernels_.copy(access.dtype, kernel.rank, kernel.extents, kept.strided(), {address(access.base), access.strides});
        kept_.push_back(std::move(kept));
      }
}

void Call::restore() noexcept {
  try {
    for (; !kept_.empty(); kept_.pop_back()) {
      const Kept& kept = kept_.back();
      kernels_.copy(kept.access.dtype, kept.kernel.rank, kept.kernel.extents, {address(kept.access.base), kept.access.strides},
                    kept.strided());
    }
  } catch (...) {  // the device is lost, and what it holds; or there is no memory at all
  }
}

std::vector<std::int64_t> Call::c_strides(const plan::BoundKernel& kernel, DType dtype) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(kernel.rank));
  auto stride = static_cast<std::int64_t>(item_size(dtype));
  for (int axis = kernel.rank - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= kernel.extents[axis];
  }
  return strides;
}

void Call::stored_to(std::uint32_t buffer) const {
  const plan::Buffer::Kind kind = plan_.buffers[buffer].kind;
  if (!is_resident() || device_.is_rehearsal()) return;
  if (kind == plan::Buffer::Kind::Slot || (kind == plan::Buffer::Kind::Result && !b_.is_fresh)) waits_for_compiler = true;
}

void Call::announce_operands() {
  if (is_resident()) return;
  for (std::size_t slot = 0; slot < graph_.slots.size(); ++slot) {
    const std::uint32_t buffer = plan_.slot_buffers[slot];
    const plan::Layout& layout = b_.buffers[buffer];
    if (plan_.buffers[buffer].kind != plan::Buffer::Kind::Slot || !layout.base || n_items(layout.shape) == 0) continue;
    std::uintptr_t low = 0, high = 0;
    plan::cover({layout.base, layout.strides.begin(), static_cast<std::int64_t>(item_size(plan_.buffers[buffer].dtype))},
                layout.shape.size(), layout.shape.begin(), low, high);
    residency_.touch(low, high, true);
  }
}

void Call::announce(const plan::Binding::Step& step) {
  for (const plan::BoundKernel& kernel : step.kernels) announce(kernel);
  if (step.action->kind != plan::Action::Kind::Order) return;
  for (const plan::Action::Source& source : step.action->all_sources()) {
    if (const std::uint32_t slot = direct_slot(step, source); slot == plan::kNone)
      announce_buffer(source.buffer, false);
    else if (!is_resident() || !b_.on_device[slot])
      announce_buffer(source.buffer, true);
  }
  announce_buffer(step.action->buffer, false);
}

std::uint32_t Call::direct_slot(const plan::Binding::Step& step, const plan::Action::Source& source) const {
  if (source.kernel == plan::kNone || plan_.buffers[source.buffer].kind != plan::Buffer::Kind::Temporary) return plan::kNone;
  const plan::Kernel* const kernel = &plan_.kernels[source.kernel];
  if (std::any_of(step.kernels.begin(), step.kernels.end(), [&](const plan::BoundKernel& each) { return each.kernel == kernel; }))
    return plan::kNone;
  return plan_.buffers[plan_.accesses[plan_.body(*kernel)[0].payload].buffer].slot;
}

void Call::announce_buffer(std::uint32_t buffer, bool is_read) {
  const plan::Layout& layout = b_.buffers[buffer];
  if (!layout.base || (is_resident() && is_result(buffer))) return;
  const auto low = reinterpret_cast<std::uintptr_t>(layout.base);
  const std::size_t bytes = static_cast<std::size_t>(n_items(layout.shape)) * item_size(plan_.buffers[buffer].dtype);
  if (bytes > 0) residency_.touch(low, low + bytes, is_read);
}

void Call::announce(const plan::BoundKernel& kernel) {
  for (const plan::Fold& fold : plan_.folds_of(*kernel.kernel)) {
    const auto low = reinterpret_cast<std::uintptr_t>(b_.buffers[fold.buffer].base);
    const std::size_t bytes = static_cast<std::size_t>(cells_of(kernel)) * item_size(plan_.buffers[fold.buffer].dtype);
    if (bytes > 0) residency_.touch(low, low + bytes, false);
  }
  if (kernel.total == 0) return;
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
    if (is_value(kernel, k) || buffer_of(kernel, k).kind == plan::Buffer::Kind::Passing) continue;
    if (goes_by_pieces(kernel) && is_slab(kernel, k)) continue;
    const plan::BoundAccess& access = kernel.accesses[k];
    if (is_resident() && buffer_of(kernel, k).kind != plan::Buffer::Kind::Temporary && !access.is_constant) continue;
    std::uintptr_t low = 0, high = 0;
    plan::cover(plan::touched(access), kernel.rank, kernel.extents, low, high);
    // What lies between the elements of a store travels with them, and is not written back.
    const bool is_read = is_store(kernel, k) ? !is_dense(item_size(access.dtype), kernel.rank, kernel.extents, access.strides)
                                             : access.is_constant || buffer_of(kernel, k).kind == plan::Buffer::Kind::Slot;
    residency_.touch(low, high, is_read);
  }
}

void Call::find_direct_cells() {
  for (const plan::Action& action : plan_.actions)
    if (action.kind == plan::Action::Kind::Order) return;  // they read buffers that no access tells of
  for (std::size_t i = 0; i + 1 < b_.steps.size(); ++i) {
    const std::span<plan::BoundKernel> kernels = b_.steps[i].kernels, following = b_.steps[i + 1].kernels;
    if (kernels.size() != 1 || !kernels[0].kernel->n_folds || kernels[0].total == 0 || following.empty()) continue;
    const plan::BoundKernel& copy = following[0];  // what comes later may be after a read of the target
    if (const plan::BoundAccess* target = copy_of_cells(kernels[0], copy))
      direct_cells_.push_back({&copy, plan_.accesses[copy.kernel->first_access + load_of_copy(copy)].buffer, target->base});
  }
}

std::uint32_t Call::load_of_copy(const plan::BoundKernel& kernel) const {
  const std::span<const plan::Instr> body = plan_.body(*kernel.kernel);
  const bool is_copy = body.size() == 1 && body[0].kind == plan::Instr::Kind::Load && kernel.kernel->n_stores == 1;
  return is_copy ? body[0].payload - kernel.kernel->first_access : plan::kNone;
}

const plan::BoundAccess* Call::copy_of_cells(const plan::BoundKernel& fold, const plan::BoundKernel& copy) const {
  const std::uint32_t load = copy.kernel->n_folds ? plan::kNone : load_of_copy(copy);
  if (load == plan::kNone || copy.total != cells_of(fold) || copy.ordered || !copy.detours.empty()) return nullptr;
  const std::uint32_t buffer = plan_.accesses[copy.kernel->first_access + load].buffer;
  const std::span<const plan::Fold> folds = plan_.folds_of(*fold.kernel);
  const bool is_cell = std::any_of(folds.begin(), folds.end(), [&](const plan::Fold& each) { return each.buffer == buffer; });
  const auto readers =
      std::count_if(plan_.accesses.begin(), plan_.accesses.end(), [&](const plan::Access& a) { return a.buffer == buffer; });
  if (!is_cell || readers != 1) return nullptr;
  const plan::BoundAccess& source = copy.accesses[load];
  const plan::BoundAccess& target = copy.accesses[plan_.stores_of(*copy.kernel)[0].access - copy.kernel->first_access];
  const auto item = static_cast<std::int64_t>(item_size(target.dtype));
  const bool is_dense = copy.total == 1 || (copy.rank == 1 && source.strides[0] == item && target.strides[0] == item);
  const auto number = static_cast<std::uintptr_t>(is_complex(target.dtype) ? item / 2 : item);
  if (!is_dense || source.dtype != target.dtype || target.swapped || reinterpret_cast<std::uintptr_t>(target.base) % number != 0)
    return nullptr;
  // Cells are written while others are still made.
  const auto low = reinterpret_cast<std::uintptr_t>(target.base), high = low + static_cast<std::uintptr_t>(copy.total * item);
  for (std::uint32_t k = 0; k < fold.kernel->n_accesses; ++k) {
    std::uintptr_t begin = 0, end = 0;
    const plan::BoundAccess& access = fold.accesses[k];
    plan::cover(plan::touched(access), fold.rank, fold.extents, begin, end);
    if (begin < high && low < end) return nullptr;
  }
  return &target;
}

void Call::check_exponents(const plan::Action& action) {
  if (device_.is_rehearsal()) return;
  const plan::Layout& buffer = b_.buffers[action.buffer];
  const DType dtype = plan_.buffers[action.buffer].dtype;
  alignas(16) std::byte lowest[16];
  device_.copy_to_host(lowest, address(residency_.on_device(buffer.base)), item_size(dtype));
  device_.synchronize();
  run::check_not_negative(graph_, action, dtype, lowest);
}

void Call::order(const plan::Binding::Step& step) {
  const plan::Action& action = *step.action;
  const plan::Action::Source& first = action.sources[0];
  const catalog::Form form = catalog::info(action.ordered).form;
  const plan::BoundKernel* source = nullptr;  // what computes the source while it is read
  for (const plan::BoundKernel& kernel : step.kernels) {
    const bool is_first = first.kernel != plan::kNone && kernel.kernel == &plan_.kernels[first.kernel];
    if (is_first && (form == catalog::Form::Select || form == catalog::Form::Scan))
      source = &kernel;  // what it would store to is memory of the program's own
    else
      stores(kernel);
  }
  std::vector<std::array<std::byte, 16>> values;
  std::vector<Operand> operands;
  std::optional<ComputedSource> computed;
  if (source && source->total > 0) {
    values.resize(source->kernel->n_accesses);
    operands = operands_of(*source, values);
    computed.emplace(ComputedSource{planned(*source), {source->rank, source->extents, source->total, operands}});
  }
  Work work = run::ordered::work_of(action, plan_, b_);
  const auto on_device = [&](const void* memory, std::int64_t n) {
    return memory && n > 0 ? residency_.on_device(static_cast<const char*>(memory)) : nullptr;
  };
  work.source = source ? nullptr : on_device(work.source, n_items(b_.buffers[first.buffer].shape));
  work.second = on_device(work.second, work.n_second);
  work.third = on_device(work.third, 1);
  work.target = on_device(work.target, n_items(b_.buffers[action.buffer].shape));
  stored_to(action.buffer);  // by one after the other
  Ordering ordering(device_, kernels_, work, std::move(computed));
  try {
    if (catalog::info(form).extent != catalog::Extent::Found) return ordering.run();
    const std::int64_t count = ordering.find();
    const std::size_t known = b_.steps.size();
    session_.aside([&] { plan::found(b_, action, count); });
    announce_buffer(action.buffer, false);
    for (std::size_t i = known; i < b_.steps.size(); ++i) announce(b_.steps[i]);
    residency_.arrive();
    if (n_items(b_.buffers[action.buffer].shape) > 0) ordering.collect(address(residency_.on_device(b_.buffers[action.buffer].base)));
  } catch (const run::ordered::Refused& refused) {
    run::refuse(graph_, action, refused);
  }
}

void Call::stores(const plan::BoundKernel& kernel) {
  if (kernel.total == 0) return;
  std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
  std::vector<Operand> operands = operands_of(kernel, values);
  std::vector<Buffered> buffered = buffers_for(kernel, operands);
  kernels_.run(planned(kernel), {kernel.rank, kernel.extents, kernel.total, operands});
  for (const plan::Store& store : plan_.stores_of(*kernel.kernel)) stored_to(plan_.accesses[store.access].buffer);
  for (const Buffered& each : buffered) write_out(kernel, each);
}

void Call::folds(const plan::BoundKernel& kernel) {
  if (cells_of(kernel) == 0) return;
  const std::span<const plan::Fold> folds = plan_.folds_of(*kernel.kernel);
  if (kernel.total == 0) return device_.is_rehearsal() ? void() : empty_folds(kernel, folds);
  std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
  const std::vector<Operand> operands = operands_of(kernel, values);
  launch_folds(device_, {kernel.rank, kernel.extents, kernel.total, operands}, {kernel.lanes_kept, kernel.kept, kernel.rows, kernel.length},
               targets_of(kernel), finder(kernel));
  for (const DirectCells& each : direct_cells_)  // which may be the caller's
    for (const plan::Store& store : plan_.stores_of(*each.copy->kernel)) stored_to(plan_.accesses[store.access].buffer);
}

FoldTargets Call::targets_of(const plan::BoundKernel& kernel) const {
  FoldTargets targets;
  for (const plan::Fold& fold : plan_.folds_of(*kernel.kernel)) {
    const auto direct =
        std::find_if(direct_cells_.begin(), direct_cells_.end(), [&](const DirectCells& each) { return each.buffer == fold.buffer; });
    const char* const place = direct == direct_cells_.end() ? b_.buffers[fold.buffer].base : direct->place;
    targets.cells.push_back(address(residency_.on_device(place)));
    const bool has_moments = catalog::has_moments(catalog::info(fold.reduction).kernel);
    targets.part_bytes.push_back((has_moments ? 4 : 1) * item_size(plan_.buffers[fold.buffer].dtype));
  }
  return targets;
}

FindKernel Call::finder(const plan::BoundKernel& kernel) const {
  return [this, &kernel](const Layout& layout) {
    const Kernels::Entry& entry = kernels_.find(planned(kernel), layout);
    return Launchable{*entry.loaded, entry.text};
  };
}

void Call::empty_folds(const plan::BoundKernel& kernel, std::span<const plan::Fold> folds) {
  std::vector<char*> results;
  for (const plan::Fold& fold : folds) results.push_back(b_.buffers[fold.buffer].base);
  run::interp::fill_empty(plan_, kernel, results);
  for (const plan::Fold& fold : folds) {
    char* const base = b_.buffers[fold.buffer].base;
    const std::size_t bytes = static_cast<std::size_t>(cells_of(kernel)) * item_size(plan_.buffers[fold.buffer].dtype);
    device_.copy_to_device(address(residency_.on_device(base)), base, bytes);
  }
}

std::vector<Operand> Call::operands_of(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values) const {
  return operands_of(kernel, values, [this](const plan::BoundAccess& access) { return residency_.on_device(access.base); });
}

std::vector<Operand> Call::operands_besides_slabs(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values) const {
  return operands_of(kernel, values, [&](const plan::BoundAccess& access) -> char* {
    return is_slab(kernel, static_cast<std::uint32_t>(&access - kernel.accesses.data())) ? nullptr : residency_.on_device(access.base);
  });
}

void Call::step_besides_slabs(const plan::BoundKernel& kernel, std::int64_t first, std::vector<Operand>& operands) const {
  for (std::uint32_t k = 0; k < operands.size(); ++k)
    if (Operand& operand = operands[k]; operand.is_position || (operand.base && !is_slab(kernel, k)))
      operand.base = plan::advance(operand.base, first * operand.strides[0]);
}

void Call::read_scalar(const plan::BoundAccess& access, std::array<std::byte, 16>& value) {
  const std::size_t item = item_size(access.dtype), number = is_complex(access.dtype) ? item / 2 : item;
  std::memcpy(value.data(), access.base, item);
  if (access.swapped)
    for (std::size_t at = 0; at < item; at += number) std::reverse(value.data() + at, value.data() + at + number);
}

std::vector<Call::Buffered> Call::buffers_for(const plan::BoundKernel& kernel, std::vector<Operand>& operands) const {
  std::vector<Buffered> list;
  list.reserve(plan_.stores_of(*kernel.kernel).size());
  for (const plan::Store& store : plan_.stores_of(*kernel.kernel)) {
    const std::uint32_t k = store.access - kernel.kernel->first_access;
    const bool is_detour =
        std::any_of(kernel.detours.begin(), kernel.detours.end(), [&](const plan::Detour& detour) { return detour.access == k; });
    if (!is_detour && !kernel.ordered) continue;
    Operand& operand = operands[k];
    const std::size_t item = item_size(operand.dtype);
    list.push_back({Memory(device_, static_cast<std::size_t>(kernel.total) * item), {}, operand});
    Buffered& buffered = list.back();
    buffered.strides = c_strides(kernel, operand.dtype);
    operand.base = pointer(buffered.memory.address());
    operand.strides = buffered.strides.data();
    operand.swapped = false;
  }
  return list;
}

void Call::write_out(const plan::BoundKernel& kernel, const Buffered& buffered) {
  const Operand& target = buffered.target;
  // The bytes as they are: numbers are turned on the way, so of a swapped target only the store is.
  const Operand from{.base = pointer(buffered.memory.address()), .strides = buffered.strides.data(), .dtype = target.dtype};
  const bool in_order =
      plan::repeats({target.base, target.strides, static_cast<std::int64_t>(item_size(target.dtype))}, kernel.rank, kernel.extents);
  kernels_.copy(target.dtype, kernel.rank, kernel.extents, kernel.total, from, target, in_order);
}

void Call::bring_back_buffer(std::uint32_t buffer) {
  const std::int64_t n = n_items(b_.buffers[buffer].shape), stride = static_cast<std::int64_t>(item_size(plan_.buffers[buffer].dtype));
  if (n > 0) residency_.bring_back(b_.buffers[buffer].base, static_cast<std::size_t>(stride), 1, &n, &stride);
}

void Call::bring_back(const plan::BoundKernel& kernel) {
  if (kernel.total == 0 || kernel.kernel->n_folds) return;
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
    const plan::Buffer::Kind kind = buffer_of(kernel, k).kind;
    if (!is_store(kernel, k) || kind == plan::Buffer::Kind::Temporary || kind == plan::Buffer::Kind::Passing) continue;
    const plan::BoundAccess& access = kernel.accesses[k];
    residency_.bring_back(access.base, item_size(access.dtype), kernel.rank, kernel.extents, access.strides);
  }
}

}  // namespace engine::cuda

// plan/traffic.hpp - a bound kernel -> how much there is to do: operations on elements, bytes read and written.
#pragma once

#include <algorithm>
#include <engine/evaluate.hpp>

#include "engine/plan/bind.hpp"

namespace engine::plan {

/// What the body of a kernel says about its work, found once per plan.
struct KernelWork {
  std::uint32_t per_element = 0;  ///< operations
  std::uint32_t once = 0;         ///< operations on values that are the same for every element
  bool is_copy = false;           ///< keeps an operand as it was, for what overwrites it
};
KernelWork work_of(const Plan& plan, const Kernel& kernel);

/// What a simple plan (see Plan::simple) does, or one of a reduction to a number, for any shape: per element of its space, and once.
struct SimpleWork {
  std::uint32_t kernels = 1;
  std::uint32_t operations = 0, operations_once = 0;
  std::uint32_t bytes_read = 0, bytes_read_once = 0;
  std::uint32_t bytes_written = 0, bytes_written_once = 0;
};
SimpleWork simple_work_of(const Plan& plan);

/// Of a simple plan over `total` elements.
inline Traffic traffic_of(const SimpleWork& work, std::uint64_t total) noexcept {
  Traffic traffic;
  traffic.kernels = work.kernels;
  if (total == 0) return traffic;
  traffic.operations = total * work.operations + work.operations_once;
  traffic.bytes_read = total * work.bytes_read + work.bytes_read_once;
  traffic.bytes_written = total * work.bytes_written + work.bytes_written_once;
  return traffic;
}

/// Bytes under an access: what strides of zero repeat counts once.
inline std::uint64_t bytes_under(const BoundKernel& kernel, const BoundAccess& access) noexcept {
  auto bytes = static_cast<std::uint64_t>(item_size(access.dtype));
  for (int axis = 0; axis < kernel.rank; ++axis)
    if (access.strides[axis] != 0) bytes *= static_cast<std::uint64_t>(kernel.extents[axis]);
  return bytes;
}

/// Calls use(buffer, bytes) for each buffer that a kernel reads. Neighbours, as the slices of a stencil, are read once: as much as lies
/// between the first and the last byte of all.
template <class Use>
void each_read(const Plan& plan, const BoundKernel& bound, Use use) {
  const Kernel& kernel = *bound.kernel;
  if (bound.total == 0) return;
  const std::span<const Store> stores = plan.stores_of(kernel);
  const auto reads = [&](std::uint32_t k) {
    return !bound.accesses[k].is_constant &&
           std::none_of(stores.begin(), stores.end(), [&](const Store& store) { return store.access == kernel.first_access + k; });
  };
  const auto buffer_of = [&](std::uint32_t k) { return plan.accesses[kernel.first_access + k].buffer; };
  for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
    if (!reads(k)) continue;
    std::uint64_t bytes = 0;
    std::uintptr_t low = ~std::uintptr_t{}, high = 0;
    for (std::uint32_t l = 0; l < kernel.n_accesses; ++l) {
      if (buffer_of(l) != buffer_of(k) || !reads(l)) continue;
      if (l < k) break;  // with those of the first
      std::uintptr_t begin, end;
      cover(touched(bound.accesses[l]), bound.rank, bound.extents, begin, end);
      low = std::min(low, begin);
      high = std::max(high, end);
      bytes += bytes_under(bound, bound.accesses[l]);
    }
    if (bytes > 0) use(buffer_of(k), std::min<std::uint64_t>(bytes, high - low));
  }
}

/// Adds an operation along an axis: what is read and written at least.
inline void add_order(const Plan& plan, const Binding& binding, const Action& action, Traffic& traffic) noexcept {
  const auto items = [&](std::uint32_t buffer) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, n_items(binding.buffers[buffer].shape)));  // none where not known yet
  };
  traffic.operations += items(action.sources[0].buffer);
  for (const Action::Source& source : action.all_sources())
    if (plan.buffers[source.buffer].kind != Buffer::Kind::Passing)
      traffic.bytes_read += items(source.buffer) * item_size(plan.buffers[source.buffer].dtype);
  traffic.bytes_written += items(action.buffer) * item_size(plan.buffers[action.buffer].dtype);
}

/// Adds one kernel.
inline void add_traffic(const Plan& plan, const Binding& binding, const BoundKernel& bound, const KernelWork& work,
                        Traffic& traffic) noexcept {
  const Kernel& kernel = *bound.kernel;
  const auto total = static_cast<std::uint64_t>(bound.total);
  traffic.kernels += !bound.goes_on;
  if (total == 0) return;
  std::uint64_t stored = 0, passed = 0, folded = 0;
  each_read(plan, bound, [&](std::uint32_t, std::uint64_t bytes) { traffic.bytes_read += bytes; });
  for (const Store& store : plan.stores_of(kernel)) {
    const std::uint64_t bytes = bytes_under(bound, bound.accesses[store.access - kernel.first_access]);
    stored += bytes;
    if (plan.buffers[plan.accesses[store.access].buffer].kind == Buffer::Kind::Passing) passed += bytes;
  }
  for (const Fold& fold : plan.folds_of(kernel))
    folded += static_cast<std::uint64_t>(n_items(binding.buffers[fold.buffer].shape)) * item_size(plan.buffers[fold.buffer].dtype);
  traffic.operations += total * (work.per_element + kernel.n_folds) + work.once;
  traffic.bytes_written += stored - passed + folded;
  for (const Detour& detour : bound.detours) {
    ++traffic.copies;
    traffic.bytes_copied += total * item_size(bound.accesses[detour.access].dtype);
  }
  if (work.is_copy) {
    ++traffic.copies;
    traffic.bytes_copied += stored;
  }
}

/// Of all steps. works[i] belongs to plan.kernels[i]; none: bytes alone.
inline Traffic traffic_of(const Plan& plan, const Binding& binding, std::span<const KernelWork> works) noexcept {
  Traffic traffic;
  for (const Binding::Step& step : binding.steps) {
    if (step.action->kind == Action::Kind::Order) add_order(plan, binding, *step.action, traffic);
    for (const BoundKernel& kernel : step.kernels) {
      const auto index = static_cast<std::size_t>(kernel.kernel - plan.kernels.data());
      add_traffic(plan, binding, kernel, works.empty() ? KernelWork{} : works[index], traffic);
    }
  }
  return traffic;
}

}  // namespace engine::plan

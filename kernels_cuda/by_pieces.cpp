// kernels_cuda/by_pieces.cpp - large operands of the host go to the device and back piece by piece while kernels run: see call.hpp.
#include <algorithm>
#include <bit>
#include <utility>

#include "engine/plan/hazard.hpp"
#include "kernels_cuda/call.hpp"
#include "kernels_cuda/device/tiles.hpp"

namespace engine::cuda {
namespace {

/// Memory that is given back is used anew in the order of the device's stream: the lanes fit into it, before and after.
class LanesInOrder {
 public:
  LanesInOrder(DeviceState& device, const DeviceState::Lanes& lanes) : lanes_(lanes) {
    device.order(device.stream(), lanes.up);
    device.order(device.stream(), lanes.down);
  }
  ~LanesInOrder() {
    for (Stream stream : {lanes_.up, lanes_.down}) driver().cuStreamSynchronize(stream);
  }
  LanesInOrder(const LanesInOrder&) = delete;
  LanesInOrder& operator=(const LanesInOrder&) = delete;

 private:
  const DeviceState::Lanes& lanes_;
};

/// The lowest byte that a kernel reads or writes for index 0 of its first axis, and how many there are from there to the highest.
std::pair<char*, std::int64_t> width_of(const plan::BoundKernel& kernel, const plan::BoundAccess& access) {
  std::uintptr_t low = 0, high = 0;
  plan::Touched besides = plan::touched(access);
  ++besides.strides;
  plan::cover(besides, kernel.rank - 1, kernel.extents + 1, low, high);
  return {pointer(low), static_cast<std::int64_t>(high - low)};
}

}  // namespace

bool Call::overlap(const Streamed& a, const Streamed& b, std::int64_t extent) {
  return a.host < b.host + b.bytes(extent) && b.host < a.host + a.bytes(extent);
}

bool Call::goes_by_pieces(const plan::BoundKernel& kernel) const {
  return std::find(by_pieces_.begin(), by_pieces_.end(), &kernel) != by_pieces_.end();
}

std::int64_t Call::slab(const plan::BoundKernel& kernel, std::uint32_t k) const {
  const plan::BoundAccess& access = kernel.accesses[k];
  const plan::Buffer::Kind kind = buffer_of(kernel, k).kind;
  if (kernel.rank == 0 || is_value(kernel, k) || kind == plan::Buffer::Kind::Temporary || kind == plan::Buffer::Kind::Passing) return 0;
  if (!is_store(kernel, k)) return access.strides[0] >= width_of(kernel, access).second ? access.strides[0] : 0;
  if (plan::repeats(plan::touched(access), kernel.rank, kernel.extents)) return 0;
  return static_cast<std::int64_t>(item_size(access.dtype)) * (kernel.total / kernel.extents[0]);
}

Call::Streamed Call::streamed(const plan::BoundKernel& kernel, std::uint32_t k) const {
  const plan::BoundAccess& access = kernel.accesses[k];
  if (is_store(kernel, k)) {
    const std::int64_t bytes = slab(kernel, k);
    std::vector<std::int64_t> strides = c_strides(kernel, access.dtype);
    if (std::equal(strides.begin(), strides.end(), access.strides)) strides.clear();
    return {access.base, bytes, bytes, {k}, std::move(strides)};
  }
  const auto [low, width] = width_of(kernel, access);
  return {low, width, access.strides[0], {k}};
}

std::int64_t Call::widest_slab(const plan::BoundKernel& kernel) const {
  std::int64_t widest = 0;
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) widest = std::max(widest, slab(kernel, k));
  return widest;
}

bool Call::is_large(const plan::BoundKernel& kernel, std::int64_t slab_bytes) {
  return kernel.rank > 0 && slab_bytes * kernel.extents[0] >= 2 * kPieceBytes;
}

std::int64_t Call::unit_of(const plan::BoundKernel& kernel) const {
  if (kernel.rank == 0) return 0;
  if (kernel.kept > 1) return 2;  // rows of their own; of one alone the axis would not count
  if (kernel.rows > 1) return kernel.extents[0] == kernel.rows ? kRowGroup : 0;
  return kernel.rank == 1 && !kernel.lanes_kept ? kTreeBlock : 0;
}

std::vector<const plan::BoundKernel*> Call::choose_pieces(bool is_short) const {
  std::vector<const plan::BoundKernel*> list;
  if (is_resident() || b_.rest || plan_.finds) return {};
  bool has_stored = false;  // what lies in memory of the host is no longer what kernels are to read
  for (const plan::Binding::Step& step : b_.steps) {
    if (step.action->kind == plan::Action::Kind::Order) return {};
    for (const plan::BoundKernel& kernel : step.kernels) {
      if (kernel.total == 0) continue;
      if (has_large_besides_slabs(kernel)) return {};
      if (is_large(kernel, widest_slab(kernel))) {
        if (step.kernels.size() != 1 || has_stored || !can_go_by_pieces(kernel, is_short)) return {};
        list.push_back(&kernel);
      }
      has_stored |= !stores_are_new(kernel);
    }
  }
  if (!is_short && list.size() != 1) return {};
  return list;
}

bool Call::can_go_by_pieces(const plan::BoundKernel& kernel, bool is_short) const {
  const bool is_fold = kernel.kernel->n_folds > 0;
  const std::int64_t unit = is_fold ? unit_of(kernel) : 1;
  if (unit == 0 || (!is_short && unit * widest_slab(kernel) > kPieceBytes)) return false;
  if (!moves_memory_once(kernel)) return false;
  return is_fold || ((stores_are_new(kernel) || b_.steps.size() == 1) && stores_are_slabs(kernel));
}

bool Call::stores_are_slabs(const plan::BoundKernel& kernel) const {
  const std::span<const plan::Store> stores = plan_.stores_of(*kernel.kernel);
  return std::all_of(stores.begin(), stores.end(),
                     [&](const plan::Store& store) { return is_slab(kernel, store.access - kernel.kernel->first_access); });
}

bool Call::moves_memory_once(const plan::BoundKernel& kernel) const {
  const auto are_apart = [&](const std::vector<Streamed>& list) {
    for (std::size_t i = 0; i < list.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (overlap(list[i], list[j], kernel.extents[0])) return false;
    return true;
  };
  std::vector<Streamed> stores;
  bool have_gaps = false;
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
    if (!is_slab(kernel, k) || !is_store(kernel, k)) continue;
    stores.push_back(streamed(kernel, k));
    have_gaps |= !stores.back().strides.empty();
  }
  return are_apart(loads_of(kernel)) && (stores.size() == 1 || (!have_gaps && are_apart(stores)));
}

bool Call::has_large_besides_slabs(const plan::BoundKernel& kernel) const {
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
    if (is_value(kernel, k) || is_slab(kernel, k) || buffer_of(kernel, k).kind == plan::Buffer::Kind::Passing) continue;
    const plan::BoundAccess& access = kernel.accesses[k];
    std::uintptr_t low = 0, high = 0;
    plan::cover(plan::touched(access), kernel.rank, kernel.extents, low, high);
    if (high - low >= 2 * kPieceBytes) return true;
  }
  return false;
}

bool Call::stores_are_new(const plan::BoundKernel& kernel) const {
  const std::span<const plan::Store> stores = plan_.stores_of(*kernel.kernel);
  return std::all_of(stores.begin(), stores.end(), [&](const plan::Store& store) {
    const std::uint32_t buffer = plan_.accesses[store.access].buffer;
    if (plan_.buffers[buffer].kind == plan::Buffer::Kind::Temporary) return true;
    const auto users =
        std::count_if(plan_.accesses.begin(), plan_.accesses.end(), [&](const plan::Access& each) { return each.buffer == buffer; });
    return b_.is_fresh && is_result(buffer) && users == 1;
  });
}

void Call::gather(Streamed access, std::int64_t extent, std::vector<Streamed>& list) {
  constexpr std::int64_t kWidestRim = 4 * kPieceBytes;
  for (Streamed& each : list) {
    if (each.step != access.step || !overlap(each, access, extent)) continue;
    char* const low = std::min(each.host, access.host);
    const std::int64_t width = std::max(each.host + each.width, access.host + access.width) - low;
    if (width - each.step > kWidestRim) continue;
    each.host = low;
    each.width = width;
    each.accesses.push_back(access.accesses[0]);
    return;
  }
  list.push_back(std::move(access));
}

std::vector<Call::Streamed> Call::loads_of(const plan::BoundKernel& kernel) const {
  std::vector<Streamed> loads;
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k)
    if (is_slab(kernel, k) && !is_store(kernel, k)) gather(streamed(kernel, k), kernel.extents[0], loads);
  return loads;
}

std::int64_t Call::piece_bytes(const std::vector<Streamed>& loads) {
  constexpr std::int64_t kRimsInPiece = 8;
  std::int64_t bytes = kPieceBytes;
  for (const Streamed& each : loads) bytes = std::max(bytes, kRimsInPiece * each.rim());
  return bytes;
}

void Call::bring_piece(const plan::BoundKernel& kernel, const std::vector<Streamed>& loads, Pieces& pieces, std::size_t turn,
                       std::int64_t first, std::int64_t n, std::vector<Operand>& operands) {
  DeviceState::Lanes& lanes = device_.lanes();
  pieces.before_load(turn, lanes.up);
  for (const Streamed& each : loads) {
    const auto bytes = static_cast<std::size_t>(each.bytes(n));
    const DevicePointer to = pieces.slot(each.slots, turn);
    lanes.to_device.to_device(to, each.host + first * each.step, bytes, lanes.up, threads_);
    device_.counts.bytes_to_device += bytes;
    for (std::uint32_t k : each.accesses) operands[k].base = pointer(to) + (kernel.accesses[k].base - each.host);
  }
  device_.order(lanes.up, device_.stream());
}

void Call::stream_folds(const plan::BoundKernel& kernel) {
  DeviceState& device = device_;
  const LanesInOrder in_order(device, device.lanes());
  std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
  std::vector<Operand> operands = operands_besides_slabs(kernel, values);
  std::vector<Streamed> loads = loads_of(kernel);
  const std::int64_t all = kernel.extents[0], unit = unit_of(kernel);
  const auto units = static_cast<std::uint64_t>(std::max<std::int64_t>(piece_bytes(loads) / (unit * widest_slab(kernel)), 1));
  const std::int64_t most = unit * static_cast<std::int64_t>(std::bit_floor(units));
  Pieces pieces(device);
  for (Streamed& each : loads) each.slots = pieces.add(each.host, static_cast<std::size_t>(each.bytes(most + 1)));

  const FindKernel find = finder(kernel);
  FoldTargets cells = targets_of(kernel);
  FoldTargets parts{{}, cells.part_bytes, true};
  FoldTree tree;
  std::vector<Memory> memory;
  if (kernel.kept == 1) {
    tree.cells = cells_of(kernel);
    tree.items = FoldShape{kernel.lanes_kept, kernel.kept, kernel.rows, kernel.length}.items();
    const auto levels = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>((all + most - 1) / most)));
    for (std::size_t bytes : cells.part_bytes) {
      const std::size_t of_cells = static_cast<std::size_t>(tree.cells) * bytes;
      tree.parts.push_back(memory.emplace_back(device, of_cells).address());
      tree.levels.push_back(memory.emplace_back(device, levels * of_cells).address());
    }
    parts.cells = tree.parts;
  }
  std::vector<std::int64_t> extents(kernel.extents, kernel.extents + kernel.rank);
  std::uint32_t turn = 0;
  for (std::int64_t first = 0, n = 0; first < all; first += n, ++turn) {
    n = std::min(most, all - first);
    if (kernel.kept > 1 && all - first == most + 1) n = most + 1;  // not one row alone
    bring_piece(kernel, loads, pieces, turn, first, n, operands);
    std::vector<Operand> of_piece = operands;
    step_besides_slabs(kernel, first, of_piece);
    extents[0] = n;
    const std::int64_t total = kernel.total / all * n;
    const Space space{kernel.rank, extents.data(), total, of_piece};
    FoldShape shape{kernel.lanes_kept, kernel.kept, kernel.rows, kernel.length};
    (kernel.kept > 1 ? shape.kept : kernel.rows > 1 ? shape.rows : shape.length) = kernel.kept > 1 ? kernel.kept / all * n : n;
    if (kernel.kept == 1) {
      launch_folds(device, space, shape, parts, find);
      launch_merge(device, space, tree, turn, first + n == all, cells, find);
    } else {
      launch_folds(device, space, shape, cells, find);
      const std::int64_t made = shape.kept * (kernel.lanes_kept ? kernel.length : 1);
      for (std::size_t f = 0; f < cells.cells.size(); ++f)
        cells.cells[f] += static_cast<DevicePointer>(made) * item_size(plan_.buffers[plan_.folds_of(*kernel.kernel)[f].buffer].dtype);
    }
    pieces.after_kernel(turn, device.stream());
    watch_.advance(total);
    poll();
  }
}

void Call::stream(const plan::BoundKernel& kernel) {
  DeviceState& device = device_;
  DeviceState::Lanes& lanes = device.lanes();
  const LanesInOrder in_order(device, lanes);
  const StagedCopies results(lanes.to_host, threads_);
  std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
  std::vector<Operand> operands = operands_besides_slabs(kernel, values);
  // What is read lies as it was until all is computed: stores to what the caller knows, and may be read, come late.
  std::vector<Streamed> loads = loads_of(kernel), early, late;
  for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
    if (!is_slab(kernel, k) || !is_store(kernel, k)) continue;
    const bool is_new = b_.is_fresh && buffer_of(kernel, k).kind == plan::Buffer::Kind::Result;
    (is_new ? early : late).push_back(streamed(kernel, k));
  }
  const std::int64_t all = kernel.extents[0], in_index = kernel.total / all;
  const std::int64_t unit = kernel.rank == 1 ? kPieceUnit : 1;
  const std::int64_t most = std::max(piece_bytes(loads) / widest_slab(kernel) / unit, std::int64_t{1}) * unit;
  Pieces pieces(device);
  for (std::vector<Streamed>* list : {&loads, &early})
    for (Streamed& each : *list) each.slots = pieces.add(each.host, static_cast<std::size_t>(each.bytes(most + unit)));
  keep_whole(all, most + unit, late, early, pieces);

  const auto bring = [&](const Streamed& each, std::int64_t first, std::int64_t n, DevicePointer from, Stream stream) {
    const auto bytes = static_cast<std::size_t>(each.bytes(n));
    results.to_host((each.shadow ? each.shadow.get() : each.host) + first * each.step, from, bytes, stream);
    device.counts.bytes_to_host += bytes;
  };
  std::vector<std::int64_t> extents(kernel.extents, kernel.extents + kernel.rank);
  std::size_t turn = 0;
  for (std::int64_t first = 0, n = 0; first < all; first += n, ++turn) {
    n = all - first < most + unit ? all - first : most;
    const auto set = [&](const Streamed& each, DevicePointer to) {
      Operand& operand = operands[each.accesses[0]];
      operand.base = pointer(to);
      if (!each.strides.empty()) operand.strides = each.strides.data();
    };
    bring_piece(kernel, loads, pieces, turn, first, n, operands);
    pieces.before_store(turn, device.stream());
    for (const Streamed& each : early) set(each, pieces.slot(each.slots, turn));
    for (const Streamed& each : late) set(each, each.kept() + static_cast<DevicePointer>(first * each.step));
    std::vector<Operand> of_piece = operands;
    step_besides_slabs(kernel, first, of_piece);
    extents[0] = n;
    kernels_.run(planned(kernel), {kernel.rank, extents.data(), n * in_index, of_piece});
    pieces.after_kernel(turn, device.stream());
    watch_.advance(n * in_index);
    if (!early.empty()) {
      device.order(device.stream(), lanes.down);
      for (const Streamed& each : early) bring(each, first, n, pieces.slot(each.slots, turn), lanes.down);
      pieces.after_copies(turn, lanes.down);
    }
    poll();
  }
  results.settle();
  if (late.empty() && std::none_of(early.begin(), early.end(), [](const Streamed& each) { return each.shadow.get() != nullptr; }))
    return device.synchronize();
  device.synchronize();  // so that faults come before the first write to what the caller knows
  poll();
  for (const Streamed& each : late) bring(each, 0, all, each.kept(), device.stream());
  results.settle();
  device.synchronize();
  for (const Streamed& each : early) {
    if (!each.shadow) continue;
    const plan::BoundAccess& access = kernel.accesses[each.accesses[0]];
    if (each.strides.empty())
      copy_on_host(each.host, each.shadow.get(), static_cast<std::size_t>(each.bytes(all)), threads_);
    else
      copy_elements({access.base, access.strides}, {each.shadow.get(), each.strides.data()}, kernel.rank, kernel.extents,
                    item_size(access.dtype), threads_);
  }
}

void Call::keep_whole(std::int64_t all, std::int64_t most, std::vector<Streamed>& late, std::vector<Streamed>& early,
                      Pieces& pieces) const {
  const auto bytes = [](const Streamed& each, std::int64_t n) { return static_cast<std::size_t>(each.bytes(n)); };
  try {
    for (Streamed& each : late)
      if (each.strides.empty()) each.whole.emplace(device_, bytes(each, all) + kAlignment);
  } catch (const OutOfMemory&) {
    for (Streamed& each : late) each.whole.reset();
  }
  std::vector<Streamed> there;
  for (Streamed& each : late) {
    if (each.whole) {
      there.push_back(std::move(each));
      continue;
    }
    each.shadow = Block(bytes(each, all));
    if (!each.shadow)
      throw OutOfMemory({.what = "neither the device nor the host has room for what is stored before all is known to be right",
                         .labels = {},
                         .help = "take the arrays in smaller pieces, or give no out and no target",
                         .text = std::string(graph_.text)});
    each.slots = pieces.add(each.host, bytes(each, most));
    early.push_back(std::move(each));
  }
  late.swap(there);
}

}  // namespace engine::cuda

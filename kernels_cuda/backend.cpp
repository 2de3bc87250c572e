// kernels_cuda/backend.cpp - implements the backend "cuda": a bound plan -> device memory, launches, results.
#include "kernels_cuda/backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <engine/threads.hpp>
#include <optional>

#include "engine/catalog/evaluate.hpp"
#include "engine/plan/hazard.hpp"
#include "engine/run/executor.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/watch.hpp"
#include "kernels_cuda/cost.hpp"
#include "kernels_cuda/cub.hpp"
#include "kernels_cuda/disk_cache.hpp"
#include "kernels_cuda/fold.hpp"
#include "kernels_cuda/graph.hpp"
#include "kernels_cuda/kernels.hpp"
#include "kernels_cuda/nvrtc_api.hpp"
#include "kernels_cuda/ordered.hpp"
#include "kernels_cuda/pieces.hpp"
#include "kernels_cuda/residency.hpp"

namespace engine::cuda {
namespace {

class CudaExecutable final : public run::Executable {
 public:
  CudaExecutable(const ir::Graph& graph, const plan::Plan& plan, int device)
      : CudaExecutable(graph, plan, DeviceState::get(std::max(device, 0))) {}
  void execute(plan::Binding& binding, const RunOptions& options) const override;
  int compile(plan::Binding& binding) const override;

 private:
  friend class Call;
  void replay(plan::Binding& binding, LaunchGraph::Impl& kept) const;
  CudaExecutable(const ir::Graph& graph, const plan::Plan& plan, DeviceState& device)
      : graph_(graph), plan_(plan), device_(device), kernels_(device_) {}
  const ir::Graph& graph_;
  const plan::Plan& plan_;
  DeviceState& device_;
  mutable Kernels kernels_;  ///< under the device's mutex
  mutable std::atomic<bool> has_run_{false};
};

/// Of the calling thread, for one execution.
class Patience {
 public:
  explicit Patience(bool waits) noexcept { waits_for_compiler = waits; }
  ~Patience() { waits_for_compiler = true; }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;
};

/// One execution.
class Call {
 public:
  /// `is_short`: of memory on the device, as an execution before has found.
  Call(const CudaExecutable& executable, plan::Binding& binding, run::Watch& watch, Session& session, int threads, bool is_short = false)
      : e_(executable),
        graph_(e_.graph_),
        plan_(e_.plan_),
        b_(binding),
        watch_(watch),
        session_(session),
        threads_(threads ? threads : num_threads()),
        is_short_(is_short),
        residency_(e_.device_, b_.device != kHost, threads_) {}

  /// All that launches follow from, for kernels whose numbers and operands' places are that; else empty.
  std::vector<std::uint64_t> key() const {
    std::vector<std::uint64_t> key{address(&e_)};
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

  /// Whether an execution that finds the device short of memory may go on with less.
  bool can_do_with_less() const { return !is_short_ && !choose_pieces(true).empty(); }

  void run() {
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
    if (is_resident() || e_.device_.is_rehearsal()) return;  // results are where they belong, and in order with what comes after
    e_.device_.synchronize();                                // so that faults come before the first write to the host
    poll();
    for (const plan::Binding::Step& step : b_.steps) {
      if (goes_by_pieces(step)) continue;
      if (step.action->kind != plan::Action::Kind::Order)
        for (const plan::BoundKernel& kernel : step.kernels) bring_back(kernel);
      else if (is_result(step.action->buffer))
        bring_back_buffer(step.action->buffer);  // its kernels store to nothing else
    }
    e_.device_.synchronize();
  }

 private:
  /// Asks for Python's lock, which another thread may hold that waits for the device.
  void poll() {
    if (e_.device_.is_captured()) return;
    session_.aside([&] { watch_.poll(); });
  }
  /// Whether operands, out and the result are the device's: then only temporaries, and values, have host addresses.
  bool is_resident() const { return b_.device != kHost; }
  const plan::Buffer& buffer_of(const plan::BoundKernel& kernel, std::uint32_t k) const {
    return plan_.buffers[plan_.accesses[kernel.kernel->first_access + k].buffer];
  }
  /// Scalars go along with the parameters.
  bool is_value(const plan::BoundKernel& kernel, std::uint32_t k) const {
    const plan::Buffer& buffer = buffer_of(kernel, k);
    if (buffer.kind != plan::Buffer::Kind::Slot) return false;
    const ir::Slot& slot = graph_.slots[buffer.slot];
    if (is_resident()) return !b_.on_device[buffer.slot];
    return slot.rank == 0 && (slot.weak != Weak::No || (!slot.written && !graph_.aliased));
  }
  bool is_store(const plan::BoundKernel& kernel, std::uint32_t k) const {
    const std::span<const plan::Store> stores = plan_.stores_of(*kernel.kernel);
    return std::any_of(stores.begin(), stores.end(),
                       [&](const plan::Store& store) { return store.access - kernel.kernel->first_access == k; });
  }

  void run_steps() {
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

  void run_step(const plan::Binding::Step& step) {
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

  // ---- as if nothing had been written ----------------------------------------------------------------------------------------

  /// What operands on the device hold where steps [first, end) store before values may still be refused. Those of the host are written
  /// when nothing can be any more.
  void keep(std::size_t first, std::size_t end) {
    if (!is_resident()) return;
    for (std::size_t i = first, at_risk = run::at_risk(b_, first, end); i < at_risk; ++i)
      for (const plan::BoundKernel& kernel : b_.steps[i].kernels)
        for (const plan::Store& store : plan_.stores_of(*kernel.kernel)) {
          if (plan_.buffers[plan_.accesses[store.access].buffer].kind != plan::Buffer::Kind::Slot || kernel.total == 0) continue;
          const plan::BoundAccess& access = kernel.accesses[store.access - kernel.kernel->first_access];
          Kept kept{kernel, access, Memory(e_.device_, static_cast<std::size_t>(kernel.total) * item_size(access.dtype)),
                    c_strides(kernel, access.dtype)};
          e_.kernels_.copy(access.dtype, kernel.rank, kernel.extents, kept.strided(), {address(access.base), access.strides});
          kept_.push_back(std::move(kept));
        }
  }
  void restore() noexcept {
    try {
      for (; !kept_.empty(); kept_.pop_back()) {
        const Kept& kept = kept_.back();
        e_.kernels_.copy(kept.access.dtype, kept.kernel.rank, kept.kernel.extents, {address(kept.access.base), kept.access.strides},
                         kept.strided());
      }
    } catch (...) {  // the device is lost, and what it holds; or there is no memory at all
    }
  }
  static std::vector<std::int64_t> c_strides(const plan::BoundKernel& kernel, DType dtype) {
    std::vector<std::int64_t> strides(static_cast<std::size_t>(kernel.rank));
    auto stride = static_cast<std::int64_t>(item_size(dtype));
    for (int axis = kernel.rank - 1; axis >= 0; --axis) {
      strides[static_cast<std::size_t>(axis)] = stride;
      stride *= kernel.extents[axis];
    }
    return strides;
  }

  /// From now on what is missing is waited for: a store to memory that the caller knows has been launched.
  void stored_to(std::uint32_t buffer) const {
    const plan::Buffer::Kind kind = plan_.buffers[buffer].kind;
    if (!is_resident() || e_.device_.is_rehearsal()) return;
    if (kind == plan::Buffer::Kind::Slot || (kind == plan::Buffer::Kind::Result && !b_.is_fresh)) waits_for_compiler = true;
  }

  bool is_result(std::uint32_t buffer) const { return plan_.buffers[buffer].kind == plan::Buffer::Kind::Result; }

  static std::int64_t cells_of(const plan::BoundKernel& kernel) { return kernel.kept * (kernel.lanes_kept ? kernel.length : 1); }

  /// All of what operands lie in: for plans whose later steps are not known before others have run.
  void announce_operands() {
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

  void announce(const plan::Binding::Step& step) {
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
  /// The slot of the operand that an action reads where it lies (see plan::Binder::takes_operand), or none.
  std::uint32_t direct_slot(const plan::Binding::Step& step, const plan::Action::Source& source) const {
    if (source.kernel == plan::kNone || plan_.buffers[source.buffer].kind != plan::Buffer::Kind::Temporary) return plan::kNone;
    const plan::Kernel* const kernel = &plan_.kernels[source.kernel];
    if (std::any_of(step.kernels.begin(), step.kernels.end(), [&](const plan::BoundKernel& each) { return each.kernel == kernel; }))
      return plan::kNone;
    return plan_.buffers[plan_.accesses[plan_.body(*kernel)[0].payload].buffer].slot;
  }
  void announce_buffer(std::uint32_t buffer, bool is_read) {
    const plan::Layout& layout = b_.buffers[buffer];
    if (!layout.base || (is_resident() && is_result(buffer))) return;
    const auto low = reinterpret_cast<std::uintptr_t>(layout.base);
    const std::size_t bytes = static_cast<std::size_t>(n_items(layout.shape)) * item_size(plan_.buffers[buffer].dtype);
    if (bytes > 0) residency_.touch(low, low + bytes, is_read);
  }

  void announce(const plan::BoundKernel& kernel) {
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
      plan::cover({access.base, access.strides, static_cast<std::int64_t>(item_size(access.dtype))}, kernel.rank, kernel.extents, low,
                  high);
      // What lies between the elements of a store travels with them, and is not written back.
      const bool is_read = is_store(kernel, k) ? !is_dense(item_size(access.dtype), kernel.rank, kernel.extents, access.strides)
                                               : access.is_constant || buffer_of(kernel, k).kind == plan::Buffer::Kind::Slot;
      residency_.touch(low, high, is_read);
    }
  }

  // ---- operands of the host, piece by piece ------------------------------------------------------------------------------

  /// The bytes of a piece of the widest operand, and elements that pieces are multiples of: all of them are as aligned as the first.
  static constexpr std::int64_t kPieceBytes = Staging::kSlotBytes, kPieceUnit = 4096;
  /// Of the contract's tree (3).
  static constexpr std::int64_t kTreeBlock = 2048, kRowGroup = 8;

  /// Memory of the host that goes by pieces, and the accesses to it.
  struct Streamed {
    char* host;
    std::vector<std::uint32_t> accesses;
    std::size_t slots = 0;
    Block shadow{};                 ///< of a store: where it waits, in memory of the host
    std::optional<Memory> whole{};  ///< or of the device
    /// Of what waits on the device.
    DevicePointer kept() const { return whole->address() + offset_of(host); }
  };

  // A kernel reads and writes large memory along its first axis, in slabs; all else has room on the device, cells of reductions above
  // all. Of programs of several kernels each that is large goes by pieces of its own, between the others.

  bool goes_by_pieces(const plan::BoundKernel& kernel) const {
    return std::find(by_pieces_.begin(), by_pieces_.end(), &kernel) != by_pieces_.end();
  }
  bool goes_by_pieces(const plan::Binding::Step& step) const { return step.kernels.size() == 1 && goes_by_pieces(step.kernels[0]); }

  /// Bytes of memory of the host that a kernel reads or writes for one index of its first axis, where those of neighbouring indices
  /// follow each other without gaps; else 0.
  std::int64_t slab(const plan::BoundKernel& kernel, std::uint32_t k) const {
    const plan::BoundAccess& access = kernel.accesses[k];
    const plan::Buffer::Kind kind = buffer_of(kernel, k).kind;
    if (kernel.rank == 0 || is_value(kernel, k) || kind == plan::Buffer::Kind::Temporary || kind == plan::Buffer::Kind::Passing) return 0;
    std::int64_t bytes = static_cast<std::int64_t>(item_size(access.dtype));
    if (!is_dense(static_cast<std::size_t>(bytes), kernel.rank - 1, kernel.extents + 1, access.strides + 1)) return 0;
    for (int axis = 1; axis < kernel.rank; ++axis) {
      if (access.strides[axis] < 0) return 0;
      bytes *= kernel.extents[axis];
    }
    return access.strides[0] == bytes ? bytes : 0;
  }
  bool is_slab(const plan::BoundKernel& kernel, std::uint32_t k) const { return slab(kernel, k) > 0; }
  std::int64_t widest_slab(const plan::BoundKernel& kernel) const {
    std::int64_t widest = 0;
    for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) widest = std::max(widest, slab(kernel, k));
    return widest;
  }
  static bool is_large(const plan::BoundKernel& kernel, std::int64_t slab_bytes) {
    return kernel.rank > 0 && slab_bytes * kernel.extents[0] >= 2 * kPieceBytes;
  }

  /// Indices of the first axis that make a unit of a reduction's tree: pieces are a power of two of them. 0 where it cannot be cut there.
  std::int64_t unit_of(const plan::BoundKernel& kernel) const {
    if (kernel.rank == 0) return 0;
    if (kernel.kept > 1) return 2;  // rows of their own; of one alone the axis would not count
    if (kernel.rows > 1) return kernel.extents[0] == kernel.rows ? kRowGroup : 0;
    return kernel.rank == 1 && !kernel.lanes_kept ? kTreeBlock : 0;
  }

  /// The kernels that go by pieces: where the device is short of memory all that are large, else the one that alone is. None where
  /// another one could not.
  std::vector<const plan::BoundKernel*> choose_pieces(bool is_short) const {
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
        has_stored |= kernel.kernel->n_folds == 0 && !stores_are_new(kernel);
      }
    }
    if (!is_short && list.size() != 1) return {};
    return list;
  }
  bool can_go_by_pieces(const plan::BoundKernel& kernel, bool is_short) const {
    if (kernel.ordered || !kernel.detours.empty()) return false;
    const bool is_fold = kernel.kernel->n_folds > 0;
    const std::int64_t unit = is_fold ? unit_of(kernel) : 1;
    if (unit == 0 || (!is_short && unit * widest_slab(kernel) > kPieceBytes)) return false;
    return is_fold || ((stores_are_new(kernel) || b_.steps.size() == 1) && stores_are_slabs(kernel) && moves_memory_once(kernel));
  }
  bool stores_are_slabs(const plan::BoundKernel& kernel) const {
    const std::span<const plan::Store> stores = plan_.stores_of(*kernel.kernel);
    return std::all_of(stores.begin(), stores.end(),
                       [&](const plan::Store& store) { return is_slab(kernel, store.access - kernel.kernel->first_access); });
  }
  /// Whether no memory is moved for one access while it is read for another, at other places.
  bool moves_memory_once(const plan::BoundKernel& kernel) const {
    const auto bytes = [&](std::uint32_t k) { return slab(kernel, k) * kernel.extents[0]; };
    for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k)
      for (std::uint32_t l = 0; l < k; ++l) {
        if (bytes(k) == 0 || bytes(l) == 0) continue;
        const plan::BoundAccess &one = kernel.accesses[k], &other = kernel.accesses[l];
        if (one.base == other.base && one.dtype == other.dtype) continue;
        const std::int64_t apart = other.base - one.base;  // the upper one begins before the lower one ends
        if (apart >= 0 ? apart < bytes(k) : -apart < bytes(l)) return false;
      }
    return true;
  }
  bool has_large_besides_slabs(const plan::BoundKernel& kernel) const {
    for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
      if (is_value(kernel, k) || is_slab(kernel, k) || buffer_of(kernel, k).kind == plan::Buffer::Kind::Passing) continue;
      const plan::BoundAccess& access = kernel.accesses[k];
      std::uintptr_t low = 0, high = 0;
      plan::cover({access.base, access.strides, static_cast<std::int64_t>(item_size(access.dtype))}, kernel.rank, kernel.extents, low,
                  high);
      if (high - low >= 2 * kPieceBytes) return true;
    }
    return false;
  }
  /// Whether nobody knows what it stores to, this program included: then nothing need be undone.
  bool stores_are_new(const plan::BoundKernel& kernel) const {
    const std::span<const plan::Store> stores = plan_.stores_of(*kernel.kernel);
    return std::all_of(stores.begin(), stores.end(), [&](const plan::Store& store) {
      const std::uint32_t buffer = plan_.accesses[store.access].buffer;
      if (plan_.buffers[buffer].kind == plan::Buffer::Kind::Temporary) return true;
      const auto users =
          std::count_if(plan_.accesses.begin(), plan_.accesses.end(), [&](const plan::Access& each) { return each.buffer == buffer; });
      return b_.is_fresh && is_result(buffer) && users == 1;
    });
  }

  /// Accesses to the same memory, which moves once.
  std::vector<Streamed> loads_of(const plan::BoundKernel& kernel) const {
    std::vector<Streamed> loads;
    for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
      if (!is_slab(kernel, k)) continue;
      const auto same = std::find_if(loads.begin(), loads.end(), [&](const Streamed& each) {
        return each.host == kernel.accesses[k].base && slab(kernel, each.accesses[0]) == slab(kernel, k);
      });
      if (same == loads.end())
        loads.push_back({kernel.accesses[k].base, {k}});
      else
        same->accesses.push_back(k);
    }
    return loads;
  }

  /// Copies of operands and reductions of pieces are under way at once. Pieces are subtrees of the contract's tree: their parts are
  /// combined as they come, which gives the bits of the whole.
  void stream_folds(const plan::BoundKernel& kernel) {
    DeviceState& device = e_.device_;
    DeviceState::Lanes& lanes = device.lanes();
    const LanesInOrder in_order(device, lanes);
    std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
    std::vector<Operand> operands = operands_besides_slabs(kernel, values);
    std::vector<Streamed> loads = loads_of(kernel);
    const std::int64_t all = kernel.extents[0], unit = unit_of(kernel);
    const auto units = static_cast<std::uint64_t>(std::max<std::int64_t>(kPieceBytes / (unit * widest_slab(kernel)), 1));
    const std::int64_t most = unit * static_cast<std::int64_t>(std::bit_floor(units));
    Pieces pieces(device);
    for (Streamed& each : loads) each.slots = pieces.add(each.host, static_cast<std::size_t>(slab(kernel, each.accesses[0]) * (most + 1)));

    const FindKernel find = finder(kernel);
    FoldTargets cells = targets_of(kernel);
    FoldTargets parts{{}, cells.part_bytes, true};
    FoldTree tree;
    std::vector<Memory> memory;
    if (kernel.kept == 1) {
      tree.cells = cells_of(kernel);
      tree.items = static_cast<double>(kernel.rows) * (kernel.lanes_kept ? 1 : static_cast<double>(kernel.length));
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
      pieces.before_load(turn, lanes.up);
      for (const Streamed& each : loads) {
        const std::int64_t bytes = slab(kernel, each.accesses[0]);
        const DevicePointer to = pieces.slot(each.slots, turn);
        lanes.to_device.to_device(to, each.host + first * bytes, static_cast<std::size_t>(n * bytes), lanes.up, threads_);
        device.counts.bytes_to_device += static_cast<std::size_t>(n * bytes);
        for (std::uint32_t k : each.accesses) operands[k].base = pointer(to);
      }
      device.order(lanes.up, device.stream());
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

  /// Copies of operands, the kernel, and copies of results of several pieces are under way at once. However large the operands are,
  /// the device holds a few pieces of each; but stores to what the caller knows wait until nothing can fail but their copies, on
  /// the device where it has the room, else in memory of the host.
  void stream(const plan::BoundKernel& kernel) {
    DeviceState& device = e_.device_;
    DeviceState::Lanes& lanes = device.lanes();
    const LanesInOrder in_order(device, lanes);
    const StagedCopies results(lanes.to_host, threads_);
    std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
    std::vector<Operand> operands = operands_besides_slabs(kernel, values);
    const auto offset = [&](std::uint32_t k, std::int64_t index) { return static_cast<std::size_t>(index * slab(kernel, k)); };
    // Each memory once: of accesses to the same one, the first.
    std::vector<Streamed> loads, early, late;
    for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
      if (!is_slab(kernel, k)) continue;
      const bool is_new = b_.is_fresh && buffer_of(kernel, k).kind == plan::Buffer::Kind::Result;
      std::vector<Streamed>& list = !is_store(kernel, k) ? loads : is_new ? early : late;
      const auto same = std::find_if(list.begin(), list.end(), [&](const Streamed& each) { return each.host == kernel.accesses[k].base; });
      if (same == list.end())
        list.push_back({kernel.accesses[k].base, {k}});
      else
        same->accesses.push_back(k);
    }
    const std::int64_t all = kernel.extents[0], in_index = kernel.total / all;
    const std::int64_t unit = kernel.rank == 1 ? kPieceUnit : 1;
    const std::int64_t most = std::max(kPieceBytes / widest_slab(kernel) / unit, std::int64_t{1}) * unit;
    Pieces pieces(device);
    for (std::vector<Streamed>* list : {&loads, &early})
      for (Streamed& each : *list) each.slots = pieces.add(each.host, offset(each.accesses[0], most + unit));
    keep_whole(kernel, most + unit, late, early, pieces);

    const auto bring = [&](const Streamed& each, std::int64_t first, std::int64_t n, DevicePointer from, Stream stream) {
      const std::uint32_t k = each.accesses[0];
      results.to_host((each.shadow ? each.shadow.get() : each.host) + offset(k, first), from, offset(k, n), stream);
      device.counts.bytes_to_host += offset(k, n);
    };
    std::vector<std::int64_t> extents(kernel.extents, kernel.extents + kernel.rank);
    std::size_t turn = 0;
    for (std::int64_t first = 0, n = 0; first < all; first += n, ++turn) {
      n = all - first < most + unit ? all - first : most;
      const auto set = [&](const Streamed& each, DevicePointer to) {
        for (std::uint32_t k : each.accesses) operands[k].base = pointer(to);
      };
      pieces.before_load(turn, lanes.up);
      for (const Streamed& each : loads) {
        const std::uint32_t k = each.accesses[0];
        const DevicePointer to = pieces.slot(each.slots, turn);
        lanes.to_device.to_device(to, each.host + offset(k, first), offset(k, n), lanes.up, threads_);
        device.counts.bytes_to_device += offset(k, n);
        set(each, to);
      }
      device.order(lanes.up, device.stream());
      pieces.before_store(turn, device.stream());
      for (const Streamed& each : early) set(each, pieces.slot(each.slots, turn));
      for (const Streamed& each : late) set(each, each.kept() + offset(each.accesses[0], first));
      std::vector<Operand> of_piece = operands;
      step_besides_slabs(kernel, first, of_piece);
      extents[0] = n;
      e_.kernels_.run(planned(kernel), {kernel.rank, extents.data(), n * in_index, of_piece});
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
    for (const Streamed& each : early)
      if (each.shadow) copy_on_host(each.host, each.shadow.get(), offset(each.accesses[0], all), threads_);
  }

  /// Memory of the device for all that is stored to what the caller knows; where that is too much, of the host: then those stores
  /// are early ones, of pieces of at most `most` indices.
  void keep_whole(const plan::BoundKernel& kernel, std::int64_t most, std::vector<Streamed>& late, std::vector<Streamed>& early,
                  Pieces& pieces) const {
    const auto bytes = [&](const Streamed& each, std::int64_t n) { return static_cast<std::size_t>(n * slab(kernel, each.accesses[0])); };
    try {
      for (Streamed& each : late) each.whole.emplace(e_.device_, bytes(each, kernel.extents[0]) + kAlignment);
      return;
    } catch (const OutOfMemory&) {
      for (Streamed& each : late) each.whole.reset();
    }
    for (Streamed& each : late) {
      each.shadow = Block(bytes(each, kernel.extents[0]));
      if (!each.shadow)
        throw OutOfMemory({.what = "neither the device nor the host has room for what is stored before all is known to be right",
                           .labels = {},
                           .help = "take the arrays in smaller pieces, or give no out and no target",
                           .text = std::string(graph_.text)});
      each.slots = pieces.add(each.host, bytes(each, most));
      early.push_back(std::move(each));
    }
    late.clear();
  }

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

  /// A kernel right behind a fold that only copies cells to where they belong is left out: the fold puts them there.
  void find_direct_cells() {
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
  /// The access that a kernel loads whose body is nothing but a load, or none.
  std::uint32_t load_of_copy(const plan::BoundKernel& kernel) const {
    const std::span<const plan::Instr> body = plan_.body(*kernel.kernel);
    const bool is_copy = body.size() == 1 && body[0].kind == plan::Instr::Kind::Load && kernel.kernel->n_stores == 1;
    return is_copy ? body[0].payload - kernel.kernel->first_access : plan::kNone;
  }
  const plan::BoundAccess* copy_of_cells(const plan::BoundKernel& fold, const plan::BoundKernel& copy) const {
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
      plan::cover({access.base, access.strides, static_cast<std::int64_t>(item_size(access.dtype))}, fold.rank, fold.extents, begin, end);
      if (begin < high && low < end) return nullptr;
    }
    return &target;
  }

  void check_exponents(const plan::Action& action) {
    if (e_.device_.is_rehearsal()) return;
    const plan::Layout& buffer = b_.buffers[action.buffer];
    const DType dtype = plan_.buffers[action.buffer].dtype;
    alignas(16) std::byte lowest[16];
    e_.device_.copy_to_host(lowest, address(residency_.on_device(buffer.base)), item_size(dtype));
    e_.device_.synchronize();
    run::check_not_negative(graph_, action, dtype, lowest);
  }

  // ---- operations along an axis ----------------------------------------------------------------------------------------------

  void order(const plan::Binding::Step& step) {
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
    Ordering ordering(e_.device_, e_.kernels_, work, std::move(computed));
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

  void stores(const plan::BoundKernel& kernel) {
    if (kernel.total == 0) return;
    std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
    std::vector<Operand> operands = operands_of(kernel, values);
    std::vector<Buffered> buffered = buffers_for(kernel, operands);
    e_.kernels_.run(planned(kernel), {kernel.rank, kernel.extents, kernel.total, operands});
    for (const plan::Store& store : plan_.stores_of(*kernel.kernel)) stored_to(plan_.accesses[store.access].buffer);
    for (const Buffered& each : buffered) write_out(kernel, each);
  }

  void folds(const plan::BoundKernel& kernel) {
    if (cells_of(kernel) == 0) return;
    const std::span<const plan::Fold> folds = plan_.folds_of(*kernel.kernel);
    if (kernel.total == 0) return e_.device_.is_rehearsal() ? void() : empty_folds(kernel, folds);
    std::vector<std::array<std::byte, 16>> values(kernel.kernel->n_accesses);
    const std::vector<Operand> operands = operands_of(kernel, values);
    launch_folds(e_.device_, {kernel.rank, kernel.extents, kernel.total, operands},
                 {kernel.lanes_kept, kernel.kept, kernel.rows, kernel.length}, targets_of(kernel), finder(kernel));
    for (const DirectCells& each : direct_cells_)  // which may be the caller's
      for (const plan::Store& store : plan_.stores_of(*each.copy->kernel)) stored_to(plan_.accesses[store.access].buffer);
  }

  /// Where the cells of a kernel's folds belong on the device.
  FoldTargets targets_of(const plan::BoundKernel& kernel) const {
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
  FindKernel finder(const plan::BoundKernel& kernel) const {
    return [this, &kernel](const Layout& layout) {
      const Kernels::Entry& entry = e_.kernels_.find(planned(kernel), layout);
      return Launchable{*entry.loaded, entry.text};
    };
  }

  void empty_folds(const plan::BoundKernel& kernel, std::span<const plan::Fold> folds) {
    std::vector<char*> results;
    for (const plan::Fold& fold : folds) results.push_back(b_.buffers[fold.buffer].base);
    run::interp::fill_empty(plan_, kernel, results);
    for (const plan::Fold& fold : folds) {
      char* const base = b_.buffers[fold.buffer].base;
      const std::size_t bytes = static_cast<std::size_t>(cells_of(kernel)) * item_size(plan_.buffers[fold.buffer].dtype);
      e_.device_.copy_to_device(address(residency_.on_device(base)), base, bytes);
    }
  }

  std::vector<Operand> operands_of(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values) const {
    return operands_of(kernel, values, [this](const plan::BoundAccess& access) { return residency_.on_device(access.base); });
  }
  template <class Base>
  std::vector<Operand> operands_of(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values, Base base_of) const {
    std::vector<Operand> operands(kernel.accesses.size());
    for (std::uint32_t k = 0; k < operands.size(); ++k) {
      const plan::BoundAccess& access = kernel.accesses[k];
      Operand& operand = operands[k];
      operand.strides = access.strides;
      operand.dtype = access.dtype;
      operand.is_position = k >= kernel.kernel->n_accesses;
      if (operand.is_position) {
        operand.base = access.base;
      } else if (is_value(kernel, k)) {
        read_scalar(access, values[k]);
        operand.value = &values[k];
      } else {
        if (buffer_of(kernel, k).kind != plan::Buffer::Kind::Passing) operand.base = base_of(access);
        operand.swapped = access.swapped;
        operand.is_store = is_store(kernel, k);
      }
    }
    return operands;
  }

  std::vector<Operand> operands_besides_slabs(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values) const {
    return operands_of(kernel, values, [&](const plan::BoundAccess& access) -> char* {
      return is_slab(kernel, static_cast<std::uint32_t>(&access - kernel.accesses.data())) ? nullptr : residency_.on_device(access.base);
    });
  }

  /// What does not go by pieces, positions as well, is read from index `first` of the first axis on.
  void step_besides_slabs(const plan::BoundKernel& kernel, std::int64_t first, std::vector<Operand>& operands) const {
    for (std::uint32_t k = 0; k < operands.size(); ++k)
      if (Operand& operand = operands[k]; operand.is_position || (operand.base && !is_slab(kernel, k)))
        operand.base = plan::advance(operand.base, first * operand.strides[0]);
  }

  static void read_scalar(const plan::BoundAccess& access, std::array<std::byte, 16>& value) {
    const std::size_t item = item_size(access.dtype), number = is_complex(access.dtype) ? item / 2 : item;
    std::memcpy(value.data(), access.base, item);
    if (access.swapped)
      for (std::size_t at = 0; at < item; at += number) std::reverse(value.data() + at, value.data() + at + number);
  }

  /// A store by way of memory of its own: its target overlaps what the kernel reads, and threads have no order.
  struct Buffered {
    Memory memory;
    std::vector<std::int64_t> strides;
    Operand target;
  };
  std::vector<Buffered> buffers_for(const plan::BoundKernel& kernel, std::vector<Operand>& operands) const {
    std::vector<Buffered> list;
    list.reserve(plan_.stores_of(*kernel.kernel).size());
    for (const plan::Store& store : plan_.stores_of(*kernel.kernel)) {
      const std::uint32_t k = store.access - kernel.kernel->first_access;
      const bool is_detour =
          std::any_of(kernel.detours.begin(), kernel.detours.end(), [&](const plan::Detour& detour) { return detour.access == k; });
      if (!is_detour && !kernel.ordered) continue;
      Operand& operand = operands[k];
      const std::size_t item = item_size(operand.dtype);
      list.push_back({Memory(e_.device_, static_cast<std::size_t>(kernel.total) * item), {}, operand});
      Buffered& buffered = list.back();
      buffered.strides = c_strides(kernel, operand.dtype);
      operand.base = pointer(buffered.memory.address());
      operand.strides = buffered.strides.data();
      operand.swapped = false;
    }
    return list;
  }

  void write_out(const plan::BoundKernel& kernel, const Buffered& buffered) {
    const Operand& target = buffered.target;
    // The bytes as they are: numbers are turned on the way, so of a swapped target only the store is.
    const Operand from{.base = pointer(buffered.memory.address()), .strides = buffered.strides.data(), .dtype = target.dtype};
    const bool in_order =
        plan::repeats({target.base, target.strides, static_cast<std::int64_t>(item_size(target.dtype))}, kernel.rank, kernel.extents);
    e_.kernels_.copy(target.dtype, kernel.rank, kernel.extents, kernel.total, from, target, in_order);
  }

  PlannedKernel planned(const plan::BoundKernel& kernel) const { return {graph_, plan_, *kernel.kernel}; }

  void bring_back_buffer(std::uint32_t buffer) {
    const std::int64_t n = n_items(b_.buffers[buffer].shape), stride = static_cast<std::int64_t>(item_size(plan_.buffers[buffer].dtype));
    if (n > 0) residency_.bring_back(b_.buffers[buffer].base, static_cast<std::size_t>(stride), 1, &n, &stride);
  }

  void bring_back(const plan::BoundKernel& kernel) {
    if (kernel.total == 0 || kernel.kernel->n_folds) return;
    for (std::uint32_t k = 0; k < kernel.kernel->n_accesses; ++k) {
      const plan::Buffer::Kind kind = buffer_of(kernel, k).kind;
      if (!is_store(kernel, k) || kind == plan::Buffer::Kind::Temporary || kind == plan::Buffer::Kind::Passing) continue;
      const plan::BoundAccess& access = kernel.accesses[k];
      residency_.bring_back(access.base, item_size(access.dtype), kernel.rank, kernel.extents, access.strides);
    }
  }

  struct Kept {
    const plan::BoundKernel& kernel;
    const plan::BoundAccess& access;
    Memory memory;
    std::vector<std::int64_t> strides;
    Strided strided() const { return {memory.address(), strides.data()}; }
  };

  /// Cells that a fold puts where `copy` would: instead of `buffer`, to `place`.
  struct DirectCells {
    const plan::BoundKernel* copy;
    std::uint32_t buffer;
    char* place;
  };

  const CudaExecutable& e_;
  const ir::Graph& graph_;
  const plan::Plan& plan_;
  plan::Binding& b_;
  run::Watch& watch_;
  Session& session_;
  int threads_;
  bool is_short_;
  Residency residency_;
  std::vector<const plan::BoundKernel*> by_pieces_;
  std::vector<DirectCells> direct_cells_;
  std::vector<Kept> kept_;
};

void CudaExecutable::execute(plan::Binding& binding, const RunOptions& options) const {
  // Operands of the host would be brought here in vain.
  const Patience patience(options.wait);
  if (options.graph) return replay(binding, options.graph->impl());
  if (!options.wait && binding.device == kHost && !plan_.finds && !has_run_.load(std::memory_order_relaxed)) compile(binding);
  run::Watch watch(options);
  {
    Session session(device_);
    bool is_short = false;
    try {
      Call(*this, binding, watch, session, options.threads).run();
    } catch (const OutOfMemory&) {
      if (!Call(*this, binding, watch, session, options.threads).can_do_with_less()) throw;
      is_short = true;
    }
    if (is_short) Call(*this, binding, watch, session, options.threads, is_short).run();
  }
  has_run_.store(true, std::memory_order_relaxed);
  watch.finish();
}

void CudaExecutable::replay(plan::Binding& binding, LaunchGraph::Impl& kept) const {
  auto* graph = dynamic_cast<KernelGraph*>(kept.launches.get());
  if (!graph || &graph->device() != &device_) {
    kept.launches = std::make_unique<KernelGraph>(device_);
    graph = static_cast<KernelGraph*>(kept.launches.get());
  }
  const RunOptions nobody_asks;
  run::Watch watch(nobody_asks);
  Session session(device_);
  if (std::vector<std::uint64_t> key = Call(*this, binding, watch, session, 1).key(); !graph->is_of(key)) {
    graph->capture([&] { Call(*this, binding, watch, session, 1).run(); });
    graph->settle(std::move(key), kept.stats);
  }
  graph->launch();
  ++kept.stats.replays;
  has_run_.store(true, std::memory_order_relaxed);
}

/// By an execution that does nothing else.
int CudaExecutable::compile(plan::Binding& binding) const {
  const Rehearsing rehearsing;
  DeviceState device(DeviceState::Rehearsal{}, device_);
  const CudaExecutable as_if(graph_, plan_, device);
  const RunOptions options;
  run::Watch watch(options);
  Session session(device);
  const int before = run::compilations.kernels;
  Call(as_if, binding, watch, session, 1).run();
  return run::compilations.kernels - before;
}

Availability probe() {
  const DriverState& driver = driver_state();
  if (!driver.reason.empty()) return {false, driver.reason, driver.help};
  const NvrtcState& nvrtc = nvrtc_state();
  if (!nvrtc.reason.empty()) return {false, nvrtc.reason, nvrtc.help};
  return {true, "a device, a driver and NVRTC are there", {}};
}

std::string capability(int architecture) { return fmt::format("{}.{}", architecture / 10, architecture % 10); }

std::string place() {
  const DeviceState& device = DeviceState::get();
  return fmt::format("{}, compute capability {}", device.name(), capability(device.architecture()));
}

/// Asks the driver alone: a device that nobody uses is not started for it.
std::string device_line(int ordinal) {
  try {
    const DeviceInfo info = info_of(ordinal);
    return fmt::format("{}, compute capability {}, {:.1f} GiB, {}", info.name, capability(info.architecture),
                       static_cast<double>(info.bytes) / (1 << 30), info.id);
  } catch (const Error&) {
    return "does not answer";
  }
}

std::vector<std::pair<std::string, std::string>> facts() {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto missing = [](const std::string& reason, const std::string& help) { return fmt::format("{}; {}", reason, help); };
  const DriverState& driver = driver_state();
  if (driver.reason.empty()) {
    rows.emplace_back("driver", fmt::format("for CUDA {}.{} ({})", driver.version / 1000, driver.version % 1000 / 10, driver.path));
    for (int ordinal = 0; ordinal < driver.devices; ++ordinal) rows.emplace_back(fmt::format("device {}", ordinal), device_line(ordinal));
  } else {
    rows.emplace_back("driver", missing(driver.reason, driver.help));
  }
  const NvrtcState& nvrtc = nvrtc_state();
  rows.emplace_back("NVRTC", nvrtc.reason.empty()
                                 ? fmt::format("{}.{} ({}), for compute capability {} to {}", nvrtc.major, nvrtc.minor, nvrtc.path,
                                               capability(nvrtc.architectures.front()), capability(nvrtc.architectures.back()))
                                 : missing(nvrtc.reason, nvrtc.help));
  const CubState& cub = cub_state();
  rows.emplace_back("headers", cub.reason.empty()
                                   ? fmt::format("CUB {}.{}.{} ({}), for what sorts; other kernels include nothing", cub.version / 100000,
                                                 cub.version / 100 % 1000, cub.version % 100, cub.folder)
                                   : missing(cub.reason + ", and what sorts needs them", cub.help));
  const KernelCache cache = cache_state();
  rows.emplace_back("cache", cache.reason.empty() ? cache.folder : fmt::format("{} is not used: {}", cache.folder, cache.reason));
  return rows;
}

std::unique_ptr<run::Executable> compile(const ir::Graph& graph, const plan::Plan& plan, int device) {
  return std::make_unique<CudaExecutable>(graph, plan, device);
}

// ---- arrays on devices ----------------------------------------------------------------------------------------------------

constexpr run::DeviceFunctions kDeviceFunctions{
    .info = &info_of,
    .find = &find_device,
    .allocate = [](int ordinal, std::size_t bytes) -> void* {
      DeviceState& device = DeviceState::get(ordinal);
      const Session session(device);
      return pointer(device.allocate(bytes));
    },
    .release =
        [](int ordinal, void* memory, std::size_t bytes) noexcept {
          try {
            DeviceState& device = DeviceState::get(ordinal);
            const Session session(device);
            device.release(address(memory), bytes);
          } catch (const Error&) {  // a forked child, or a lost context: the memory is gone with it
          }
        },
    .copy_to_device =
        [](int ordinal, void* to, const void* from, std::size_t bytes) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.copy_to_device(address(to), from, bytes);
          device.synchronize();
        },
    .copy_to_host =
        [](int ordinal, void* to, const void* from, std::size_t bytes) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.copy_to_host(to, address(from), bytes);
          device.synchronize();
        },
    .device_of =
        [](const void* memory) {
          int ordinal = kHost;
          return driver().cuPointerGetAttribute(&ordinal, kDeviceOrdinal, address(memory)) == kSuccess ? ordinal : kHost;
        },
    .stream_of = [](int ordinal) -> void* { return DeviceState::get(ordinal).stream(); },
    .start_after =
        [](int ordinal, void* stream) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.start_after(static_cast<Stream>(stream));
        },
    .make_wait =
        [](int ordinal, void* stream) {
          DeviceState& device = DeviceState::get(ordinal);
          const Session session(device);
          device.make_wait(static_cast<Stream>(stream));
        },
    .trim = &DeviceState::trim_all,
};

}  // namespace

const run::BackendEntry kBackend{BackendChoice::Cuda, &probe,   &place,    &facts,           &cache_state, &clear_cache,
                                 &add_nvrtc_folders,  &compile, &estimate, &kDeviceFunctions};

}  // namespace engine::cuda

// kernels_cuda/call.hpp - one execution of a bound plan: device memory, launches, results.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <engine/threads.hpp>
#include <optional>
#include <span>
#include <vector>

#include "engine/plan/bind.hpp"
#include "engine/run/watch.hpp"
#include "kernels_cuda/fold.hpp"
#include "kernels_cuda/kernels.hpp"
#include "kernels_cuda/pieces.hpp"
#include "kernels_cuda/residency.hpp"
#include "kernels_cuda/staging.hpp"

namespace engine::cuda {

/// Under the session's mutex. Throws BackendError, OutOfMemory, and what the watch does.
class Call {
 public:
  /// `is_short`: of memory on the device, as an execution before has found.
  Call(const ir::Graph& graph, const plan::Plan& plan, Kernels& kernels, DeviceState& device, plan::Binding& binding, run::Watch& watch,
       Session& session, int threads, bool is_short = false)
      : graph_(graph),
        plan_(plan),
        kernels_(kernels),
        device_(device),
        b_(binding),
        watch_(watch),
        session_(session),
        threads_(threads ? threads : num_threads()),
        is_short_(is_short),
        residency_(device_, b_.device != kHost, threads_) {}

  /// All that launches follow from, for kernels whose numbers and operands' places are that; else empty.
  std::vector<std::uint64_t> key() const;

  /// Whether an execution that finds the device short of memory may go on with less.
  bool can_do_with_less() const { return !is_short_ && !choose_pieces(true).empty(); }

  void run();

 private:
  /// Asks for Python's lock, which another thread may hold that waits for the device.
  void poll();
  /// Whether operands, out and the result are the device's: then only temporaries, and values, have host addresses.
  bool is_resident() const { return b_.device != kHost; }
  const plan::Buffer& buffer_of(const plan::BoundKernel& kernel, std::uint32_t k) const;
  /// Scalars go along with the parameters.
  bool is_value(const plan::BoundKernel& kernel, std::uint32_t k) const;
  bool is_store(const plan::BoundKernel& kernel, std::uint32_t k) const;

  void run_steps();

  void run_step(const plan::Binding::Step& step);

  // ---- as if nothing had been written ----------------------------------------------------------------------------------------

  /// What operands on the device hold where steps [first, end) store before values may still be refused. Those of the host are written
  /// when nothing can be any more.
  void keep(std::size_t first, std::size_t end);
  void restore() noexcept;
  static std::vector<std::int64_t> c_strides(const plan::BoundKernel& kernel, DType dtype);

  /// From now on what is missing is waited for: a store to memory that the caller knows has been launched.
  void stored_to(std::uint32_t buffer) const;

  bool is_result(std::uint32_t buffer) const { return plan_.buffers[buffer].kind == plan::Buffer::Kind::Result; }

  static std::int64_t cells_of(const plan::BoundKernel& kernel) { return kernel.kept * (kernel.lanes_kept ? kernel.length : 1); }

  /// All of what operands lie in: for plans whose later steps are not known before others have run.
  void announce_operands();

  void announce(const plan::Binding::Step& step);
  /// The slot of the operand that an action reads where it lies (see plan::Binder::takes_operand), or none.
  std::uint32_t direct_slot(const plan::Binding::Step& step, const plan::Action::Source& source) const;
  void announce_buffer(std::uint32_t buffer, bool is_read);

  void announce(const plan::BoundKernel& kernel);

  // ---- operands of the host, piece by piece: by_pieces.cpp ----------------------------------------------------------------

  /// The bytes of a piece of the widest operand, and elements that pieces are multiples of: all of them are as aligned as the first.
  static constexpr std::int64_t kPieceBytes = Staging::kSlotBytes, kPieceUnit = 4096;

  /// Memory of the host that goes by pieces, and the accesses to it: neighbours, as those of a stencil, are of one memory, which moves
  /// once but for the rim of each piece.
  struct Streamed {
    char* host;          ///< the lowest byte that belongs to index 0 of the first axis
    std::int64_t width;  ///< bytes from there to the highest
    std::int64_t step;   ///< bytes from one index to the next
    std::vector<std::uint32_t> accesses;
    /// Of a store with gaps, not empty: its values go without to `shadow`.
    std::vector<std::int64_t> strides{};
    std::int64_t bytes(std::int64_t n) const { return (n - 1) * step + width; }
    std::int64_t rim() const { return std::max(width - step, std::int64_t{0}); }
    std::size_t slots = 0;
    Block shadow{};                 ///< of a store: where it waits, in memory of the host
    std::optional<Memory> whole{};  ///< or of the device
    /// Of what waits on the device.
    DevicePointer kept() const { return whole->address() + offset_of(host); }
  };

  // A kernel reads and writes large memory along its first axis, in slabs; all else has room on the device, cells of reductions above
  // all. Of programs of several kernels each that is large goes by pieces of its own, between the others.

  bool goes_by_pieces(const plan::BoundKernel& kernel) const;
  bool goes_by_pieces(const plan::Binding::Step& step) const { return step.kernels.size() == 1 && goes_by_pieces(step.kernels[0]); }

  /// Bytes of memory of the host from what a kernel reads for one index of its first axis to that for the next, where they lie one behind
  /// the other, else 0; and of what it writes.
  std::int64_t slab(const plan::BoundKernel& kernel, std::uint32_t k) const;
  bool is_slab(const plan::BoundKernel& kernel, std::uint32_t k) const { return slab(kernel, k) > 0; }
  std::int64_t widest_slab(const plan::BoundKernel& kernel) const;
  static bool is_large(const plan::BoundKernel& kernel, std::int64_t slab_bytes);

  /// Indices of the first axis that make a unit of a reduction's tree: pieces are a power of two of them. 0 where it cannot be cut there.
  std::int64_t unit_of(const plan::BoundKernel& kernel) const;

  /// The kernels that go by pieces: where the device is short of memory all that are large, else the one that alone is. None where
  /// another one could not.
  std::vector<const plan::BoundKernel*> choose_pieces(bool is_short) const;
  bool can_go_by_pieces(const plan::BoundKernel& kernel, bool is_short) const;
  bool stores_are_slabs(const plan::BoundKernel& kernel) const;
  /// Whether no memory is moved for one load and for another, too, and none written by two stores.
  bool moves_memory_once(const plan::BoundKernel& kernel) const;
  bool has_large_besides_slabs(const plan::BoundKernel& kernel) const;
  /// Whether nobody knows what it stores to, this program included: then nothing need be undone.
  bool stores_are_new(const plan::BoundKernel& kernel) const;

  /// Access k alone, which is a slab.
  Streamed streamed(const plan::BoundKernel& kernel, std::uint32_t k) const;
  /// Whether some byte belongs to both, for as many indices of the first axis.
  static bool overlap(const Streamed& a, const Streamed& b, std::int64_t extent);
  /// Adds an access to the list, or to what is there of the same memory.
  static void gather(Streamed access, std::int64_t extent, std::vector<Streamed>& list);
  std::vector<Streamed> loads_of(const plan::BoundKernel& kernel) const;
  /// Bytes of a piece of the widest operand: so many that rims are few beside them.
  static std::int64_t piece_bytes(const std::vector<Streamed>& loads);
  /// Copies what n indices from `first` on read to the slots of that turn, and has the operands read there.
  void bring_piece(const plan::BoundKernel& kernel, const std::vector<Streamed>& loads, Pieces& pieces, std::size_t turn,
                   std::int64_t first, std::int64_t n, std::vector<Operand>& operands);

  /// Copies of operands and reductions of pieces are under way at once. Pieces are subtrees of the contract's tree: their parts are
  /// combined as they come, which gives the bits of the whole.
  void stream_folds(const plan::BoundKernel& kernel);

  /// Copies of operands, the kernel, and copies of results of several pieces are under way at once. However large the operands are,
  /// the device holds a few pieces of each; but stores to what the caller knows wait until nothing can fail but their copies, on
  /// the device where it has the room, else in memory of the host.
  void stream(const plan::BoundKernel& kernel);

  /// Memory of the device for all of the `all` indices that is stored to what the caller knows; where that is too much, of the host: then
  /// those stores are early ones, of pieces of at most `most` indices.
  void keep_whole(std::int64_t all, std::int64_t most, std::vector<Streamed>& late, std::vector<Streamed>& early, Pieces& pieces) const;

  /// A kernel right behind a fold that only copies cells to where they belong is left out: the fold puts them there.
  void find_direct_cells();
  /// The access that a kernel loads whose body is nothing but a load, or none.
  std::uint32_t load_of_copy(const plan::BoundKernel& kernel) const;
  const plan::BoundAccess* copy_of_cells(const plan::BoundKernel& fold, const plan::BoundKernel& copy) const;

  void check_exponents(const plan::Action& action);

  // ---- operations along an axis ----------------------------------------------------------------------------------------------

  void order(const plan::Binding::Step& step);

  void stores(const plan::BoundKernel& kernel);

  void folds(const plan::BoundKernel& kernel);

  /// Where the cells of a kernel's folds belong on the device.
  FoldTargets targets_of(const plan::BoundKernel& kernel) const;
  FindKernel finder(const plan::BoundKernel& kernel) const;

  void empty_folds(const plan::BoundKernel& kernel, std::span<const plan::Fold> folds);

  std::vector<Operand> operands_of(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values) const;
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

  std::vector<Operand> operands_besides_slabs(const plan::BoundKernel& kernel, std::span<std::array<std::byte, 16>> values) const;

  /// What does not go by pieces, positions as well, is read from index `first` of the first axis on.
  void step_besides_slabs(const plan::BoundKernel& kernel, std::int64_t first, std::vector<Operand>& operands) const;

  static void read_scalar(const plan::BoundAccess& access, std::array<std::byte, 16>& value);

  /// A store by way of memory of its own: its target overlaps what the kernel reads, and threads have no order.
  struct Buffered {
    Memory memory;
    std::vector<std::int64_t> strides;
    Operand target;
  };
  std::vector<Buffered> buffers_for(const plan::BoundKernel& kernel, std::vector<Operand>& operands) const;

  void write_out(const plan::BoundKernel& kernel, const Buffered& buffered);

  PlannedKernel planned(const plan::BoundKernel& kernel) const { return {graph_, plan_, *kernel.kernel}; }

  void bring_back_buffer(std::uint32_t buffer);

  void bring_back(const plan::BoundKernel& kernel);

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

  const ir::Graph& graph_;
  const plan::Plan& plan_;
  Kernels& kernels_;
  DeviceState& device_;
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

}  // namespace engine::cuda

// run/interp/block.hpp - runs a kernel's code over any range of its space, at most one block at a time.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory_resource>
#include <new>
#include <span>

#include "engine/plan/bind.hpp"
#include "engine/run/interp/compile.hpp"
#include "engine/run/thread_pool.hpp"
#include "engine/run/watch.hpp"

namespace engine::run::interp {

/// Bytes that memory delivers at once.
inline constexpr std::size_t kLine = 64;
/// Kernels that touch more bytes than this fetch ahead: half of the second-level cache of the smallest machine in use.
inline constexpr std::int64_t kFetchAhead = std::int64_t{512} << 10;
/// Bytes. Stores of kernels that touch more would only push other things out of the caches.
std::int64_t last_level_cache() noexcept;

/// The machine's state for one run of one kernel: the table of addresses and where each access stands.
/// Elements are numbered in the bound kernel's order of axes. Blocks may be asked for in any order.
class BlockRunner {
 public:
  /// `scratch`: code.scratch_bytes bytes, 64-byte aligned. Uniform work is done here, once.
  BlockRunner(const Code& code, const plan::BoundKernel& kernel, char* scratch, std::pmr::memory_resource* memory);
  BlockRunner(const BlockRunner&) = delete;
  BlockRunner& operator=(const BlockRunner&) = delete;

  /// What it takes from `memory`, at most.
  static std::size_t table_bytes(const Code& code, const plan::BoundKernel& kernel) noexcept;

  /// What threads best share a kernel in, in elements.
  static std::int64_t unit_of(const Code& code, const plan::BoundKernel& kernel, int threads) noexcept;

  /// Computes elements [first, first + n), n <= most(). Stores are done when `store` is set.
  void run(std::int64_t first, std::size_t n, bool store);

  /// Longer blocks, of which all is stored, where machine code reads and writes memory as it lies: no register has to hold them.
  void widen_stores() noexcept;
  /// Elements of a block.
  std::size_t most() const noexcept { return most_; }
  /// Whether rows are whole where they lie, for one machine to go from one to the next; and elements [first, end) in that way.
  bool walks_rows() const noexcept { return walks_rows_; }
  /// Rows that are computed together where so many follow.
  std::int64_t rows_at_once() const noexcept { return together_.rows; }
  /// Whether the machine itself goes from one row to the next.
  bool machine_walks() const noexcept { return walker_ != nullptr; }
  void run_rows(std::int64_t first, std::int64_t end, Watch& watch);
  /// The accumulators of the group [first, first + kBlock) of the only fold, where there is code for that: see Machine::groups. Where
  /// `most` groups lie as the code wants them, of all of these. Gives how many.
  bool makes_groups() const noexcept { return machine_ && machine_->groups; }
  std::size_t run_groups(std::int64_t first, std::size_t most, void* accumulators);

  /// The longest block that should start there: to the end of a long row, across short ones.
  std::size_t block_at(std::int64_t first, std::int64_t end) const noexcept;

  /// Length of a first block that leaves the following ones aligned to vectors, where the order of blocks is free.
  std::size_t first_block(std::int64_t first) const noexcept;

  /// Whether an address is an operand's own and not a register, which the next block overwrites.
  bool is_memory(const void* at) const noexcept { return (at < scratch_ || at >= scratch_ + code_.scratch_bytes) && !in_panel(at); }

  /// Stores go into the caches, however much is stored.
  void keep_near() noexcept {
    for (Reach& r : reach_) r.stream = false;
    streams_ = false;
    streaming_ = nullptr;
  }

  /// To be called after the last block and before another thread reads what was stored.
  void finish() const noexcept;

  /// Element 0 of fold i where its value is an operand as it lies in memory, all of it contiguous: then nothing need be run.
  const char* operand_of_fold(std::size_t i) const noexcept;

  /// Contiguous elements of the only store after run() without storing.
  const void* store_value() const noexcept { return table_[code_.stores[0].value]; }

  /// Contiguous elements of fold i after run().
  const void* fold_value(std::size_t i) const noexcept { return table_[code_.fold_values[i]]; }

 private:
  /// Elements of a block of machine code that works on memory: so much that its start costs nothing, so little that who wants it
  /// to stop need not wait.
  static constexpr std::size_t kMostBlock = 64 * kBlock;

  template <class T>
  static std::span<T> allocate(std::pmr::memory_resource* memory, std::size_t n) {
    T* items = static_cast<T*>(memory->allocate(std::max<std::size_t>(n, 1) * sizeof(T), alignof(T)));
    for (std::size_t i = 0; i < n; ++i) new (items + i) T();
    return {items, n};
  }

  struct Reach {
    bool contiguous;  ///< along the innermost axis, aligned, in native byte order: used where it lies
    bool flat;        ///< contiguous across all axes
    std::uint8_t item;
    std::uint8_t swap;   ///< bytes of one number to be reversed, or 0
    bool detour;         ///< a store that goes elsewhere first
    bool stream;         ///< a store that goes past the caches
    bool cell;           ///< a load of one element for each row, that its machine spreads
    bool steps;          ///< a load of elements with others between them, or backward, that its machine picks
    std::uint8_t panel;  ///< a load by panels: its place in panels_ plus one; 0: none
  };
  /// Rows of an operand whose columns are contiguous (a transposed one), packed together: each line of memory is read once.
  struct Panel {
    std::uint32_t access;
    std::int64_t most;                 ///< rows at once
    std::int64_t phase;                ///< rows before the first whole line
    std::int64_t first = 0, rows = 0;  ///< what is there now, rows counted over all outer axes
    char* memory = nullptr;
    std::size_t bytes = 0;
  };
  /// Accesses that are loaded by panels.
  static constexpr std::size_t kMostPanels = 8;
  struct Panels {
    std::array<std::uint32_t, kMostPanels> access;
    std::size_t n = 0;
  };
  static Panels find_panels(const Code& code, const plan::BoundKernel& kernel) noexcept;
  static std::int64_t panel_rows(const plan::BoundKernel& kernel, std::uint32_t access) noexcept;
  static std::size_t panel_bytes(const plan::BoundKernel& kernel, std::uint32_t access) noexcept;
  /// A stream of memory that is fetched while the block before it is computed.
  struct Ahead {
    std::uint32_t access;
    const char* at;
    std::size_t lines;  ///< still to be fetched
    std::size_t share;  ///< before each call
  };
  void plan_ahead(std::pmr::memory_resource* memory);
  void plan_panels(std::pmr::memory_resource* memory);
  void plan_stream() noexcept;
  void plan_machine(std::pmr::memory_resource* memory);
  Lie plan_forms() noexcept;
  void plan_walk(const Lie& lie, std::pmr::memory_resource* memory);
  void plan_tiles() noexcept;
  void plan_rows(const Lie& lie, std::pmr::memory_resource* memory);
  void drop_forms() noexcept;
  bool lies_in_rows() const noexcept;
  std::int64_t run_whole_rows(std::int64_t whole);
  void run_tiles(std::int64_t count);
  void run_part_of_row(std::int64_t first, std::int64_t column, std::int64_t n);
  void point(std::int64_t column) noexcept;
  bool in_panel(const void* at) const noexcept;
  void fill(Panel& panel, std::int64_t row) const;
  void* from_panel(const Step& step, const Reach& reach, std::size_t n);
  void look_ahead(std::int64_t next) noexcept;
  void fetch_share() noexcept;
  void* reach(const Step& step, std::size_t n);
  void read(const Step& step, std::size_t n);
  void run_machine(const Machine& machine, std::span<void*> table, std::size_t n);
  void gather(void* out, const plan::BoundAccess& access, const Reach& reach, std::size_t n) const;
  void scatter(const plan::BoundAccess& access, const Reach& reach, const void* in, std::size_t n) const;
  void positions(std::int64_t* out, const plan::BoundAccess& access, std::size_t n) const;
  std::int64_t offset_of(const plan::BoundAccess& access) const noexcept;
  void locate(std::int64_t first) noexcept;
  template <class Visit>
  void rows(const plan::BoundAccess& access, std::size_t n, Visit visit) const;
  template <class Whole, class Part>
  void short_rows(const plan::BoundAccess& access, std::size_t n, Whole whole, Part part) const;

  const Code& code_;
  const plan::BoundKernel& kernel_;
  char* scratch_;
  std::span<void*> table_;
  std::span<Reach> reach_;
  std::span<Ahead> ahead_;
  std::span<Panel> panels_;
  std::span<char*> rows_;  ///< of each access, where its row starts
  /// A machine for several rows at once, and what it reads and writes.
  struct Together {
    struct At {
      std::uint32_t place, access;  ///< in the table; whose row
      std::int64_t offset;          ///< from the first of the rows, in bytes
    };
    const Machine* machine = nullptr;
    std::int64_t rows = 1;
    bool is_aligned = false;  ///< lines of all rows begin at the same columns
    std::span<void*> table;
    std::span<std::ptrdiff_t> steps;  ///< of the table, from these rows to the next, where it walks
    std::span<At> at;
  };
  Together together_;
  bool streams_ = false;
  bool walks_rows_ = false;
  std::int64_t row_by_row_ = 0;           ///< elements that are computed so, in this run and those before it
  const Machine* walker_ = nullptr;       ///< of single rows, where the machine itself goes from one to the next
  std::span<std::ptrdiff_t> row_steps_;   ///< of the table
  std::int64_t tile_ = 0;                 ///< columns that are packed at once
  const Machine* machine_ = nullptr;      ///< the only one, in the form for these operands
  const Streaming* streaming_ = nullptr;  ///< who stores past the caches without a copy
  std::size_t most_ = kBlock;
  std::size_t calls_ = 0;  ///< of one block
  std::int64_t inner_;     ///< extent of the innermost axis
  std::int64_t first_ = 0;
  std::int64_t at_[kMaxRank];  ///< coordinates of the block's first element
};

/// Who runs a kernel: how many threads at most, and who may stop them.
inline constexpr int kChunksPerThread = 4;
struct Team {
  int threads = 1;
  Watch* watch = nullptr;
};

/// Calls body(first, end) for each of the chunks, of whole units but for the last, that so many threads share `total` > 0 elements in.
template <class Body>
void in_chunks(int threads, std::int64_t total, Body body, std::int64_t unit = kBlock) {
  const std::int64_t parts = std::int64_t{threads} * kChunksPerThread;
  const std::int64_t units = (total + unit - 1) / unit, chunk = (units + parts - 1) / parts * unit;
  parallel_for(threads, (total + chunk - 1) / chunk, [&](std::int64_t i) { body(i * chunk, std::min(total, (i + 1) * chunk)); });
}

/// Scratch memory that a thread takes for its part of a kernel, at most: whoever has reserved as much needs no other.
std::size_t working_bytes(const Code& code, const plan::BoundKernel& kernel) noexcept;
/// Of that, what the trees of a kernel that folds take.
std::size_t fold_bytes(const Code& code, const plan::BoundKernel& kernel) noexcept;

/// Elements [0, n) of what the addresses of the table are of. Values that it reads and writes are as its code wants them.
/// `is_apart`: nothing that it writes is what it reads, but at equal addresses.
void run_machine(const Machine& machine, void** table, std::size_t n, bool is_apart);
/// Runs a kernel of at most one block that stores, and whose operands lie as its code wants them, without what a BlockRunner
/// prepares for larger ones and for others. False where it is none such: nothing has happened then. Throws std::bad_alloc.
bool run_block(const Code& code, const plan::BoundKernel& kernel);
/// Runs a kernel that stores.
void run_stores(const Code& code, const plan::BoundKernel& kernel, const Team& team);
/// Runs large boxes of one kernel that stores, band by band across all of them: what lies beside each other in memory is computed while
/// it is in a cache. False where that would gain nothing, or their order matters: nothing has happened then.
bool run_boxes(const Code& code, std::span<const plan::BoundKernel> boxes, const Team& team);
/// Stores elements [first, end), on the calling thread.
enum class Stores : std::uint8_t {
  Any,
  Near,  ///< into the caches, for what reads them next
};
void store_range(const Code& code, const plan::BoundKernel& kernel, std::int64_t first, std::int64_t end, Watch& watch,
                 Stores stores = Stores::Any);
/// Hands on what a kernel with one store would store: calls sink(values, first, n) for elements [first, end), in order, without
/// storing anything.
using Sink = std::function<void(const void* values, std::int64_t first, std::int64_t n)>;
void visit_range(const Code& code, const plan::BoundKernel& kernel, std::int64_t first, std::int64_t end, Watch& watch, const Sink& sink);
/// The values of a kernel's folds over no elements, to be computed on the host wherever it runs.
void fill_empty(const plan::Plan& plan, const plan::BoundKernel& kernel, std::span<char* const> results);
/// Runs a kernel that folds; results[i] is the buffer of fold i, contiguous, in the accumulator's dtype. The tree of
/// combinations, and so every bit, is the same for any number of threads.
void run_folds(const Code& code, const plan::Plan& plan, const plan::BoundKernel& kernel, std::span<char* const> results, const Team& team);
/// *out = the reduction of n > 0 elements, of up to eight bytes that are their own accumulators: not of variances. They follow each other
/// at table[folded], or the machine makes them of what the table's other addresses are of; these are moved. By so many threads, with
/// the same bits for any number. `table`: at most kMostDirect.
void fold_directly(const plan::Fold& fold, DType dtype, const Machine* machine, std::span<void*> table, std::uint32_t folded, std::size_t n,
                   void* out, int threads);
/// Moves the addresses that the machine reads and writes on by so many elements.
void move_on(const Machine& machine, void** table, std::ptrdiff_t n);

}  // namespace engine::run::interp

// run/interp/fold.cpp - reductions, fused with their argument, in the contract's combination tree.
//
// The tree depends on shape and axes alone. Along a reduced innermost run: lanes i mod 64 in blocks of 2,048; rows of
// lanes in order in groups of 8 (one block of the interpreter), groups pairwise, lanes by halves, blocks pairwise.
// Across outer rows: in order in groups of 8, groups pairwise. An odd one moves up a level unchanged.
// A variance makes Moments of each group (of 512 along a row, of 8 rows across) in two passes over it, and merges those in
// the places of the tree where sums are added.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/interp/scratch.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::interp {
namespace {

/// What a fold needs to know of its kind. An accumulator is a value, or of a variance a part of the sample (Moments).
struct FoldType {
  const ReduceKernels* values = nullptr;   ///< null of variances
  const MomentKernels* moments = nullptr;  ///< null of all others
  std::size_t item = 0;                    ///< bytes of one value
  std::size_t part = 0;                    ///< bytes of one accumulator
  double count = 0, ddof = 0;              ///< of variances: elements that make one value
  bool bounded = false;

  void combine(void* a, const void* b, std::size_t width) const { moments ? moments->combine(a, b, width) : values->combine(a, b, width); }
  /// Accumulators to values.
  void finish(char* out, const char* parts, std::size_t width) const {
    if (moments)
      moments->finish(out, parts, width, count, ddof, bounded);
    else
      std::memcpy(out, parts, width * item);
  }
};

constexpr std::size_t kAlignment = 64;
char* allocate(std::pmr::memory_resource* memory, std::size_t bytes) { return static_cast<char*>(memory->allocate(bytes, kAlignment)); }

/// Lanes of one pass over the rows of a cell: what follows in a row is fetched by the hardware, so long stretches of a
/// row are walked before the next. Their accumulators stay in the second-level cache.
constexpr std::int64_t kBand = 8 * static_cast<std::int64_t>(kBlock);

/// The widest row that is combined across; 1 where rows are combined along.
std::size_t widest_row(const plan::BoundKernel& kernel) noexcept {
  return kernel.lanes_kept ? std::min(kBlock, static_cast<std::size_t>(kernel.length)) : 1;
}
/// Strips of a block's width that a band has at most.
std::size_t most_strips(const plan::BoundKernel& kernel) noexcept {
  return kernel.lanes_kept ? (static_cast<std::size_t>(std::min(kBand, kernel.length)) + kBlock - 1) / kBlock : 1;
}

/// Combines accumulators of `width` elements pairwise, level by level, as they come: a binary counter whose digits are
/// accumulators. Memory changes hands instead of being copied.
class PairTree {
 public:
  PairTree(const FoldType& type, std::size_t width, std::pmr::memory_resource* memory)
      : type_(type), most_(width), width_(width), levels_(memory), memory_(memory) {}

  void reset(std::size_t width) {
    width_ = width;
    occupied_ = 0;
  }
  char* new_part() { return allocate(memory_, most_ * type_.part); }

  /// Takes `value` and gives memory for the next one in return. `level`: it is of 2^level already, and nothing smaller is waiting.
  char* push(char* value, std::size_t level = 0) {
    for (; occupied_ >> level & 1u; ++level) {
      type_.combine(levels_[level], value, width_);
      std::swap(value, levels_[level]);
      occupied_ &= ~(std::uint64_t{1} << level);
    }
    while (levels_.size() <= level) levels_.push_back(new_part());
    std::swap(value, levels_[level]);
    occupied_ |= std::uint64_t{1} << level;
    return value;
  }

  /// All of them combined, until the next push; at least one must have been pushed.
  char* finish() {
    char* all = nullptr;
    for (std::size_t level = 0; occupied_ >> level; ++level) {
      if (!(occupied_ >> level & 1u)) continue;
      if (all) type_.combine(levels_[level], all, width_);
      all = levels_[level];
    }
    occupied_ = 0;
    return all;
  }

 private:
  const FoldType& type_;
  std::size_t most_, width_;
  std::pmr::vector<char*> levels_;
  std::pmr::memory_resource* memory_;
  std::uint64_t occupied_ = 0;
};

/// Rows in order in groups of eight, then pairwise. Either rows of values are pushed, or accumulators.
class RowTree {
 public:
  RowTree(const FoldType& type, std::size_t width, std::pmr::memory_resource* memory)
      : type_(type), most_(width), pairs_(type, width, memory), sum_(pairs_.new_part()), memory_(memory) {}

  void reset(std::size_t width) {
    width_ = width;
    in_group_ = n_waiting_ = 0;
    pairs_.reset(width);
  }
  /// `lasting`: the row stays where it is until eight have come, so that they can be combined in one pass.
  void push(const char* row, bool lasting) {
    if (type_.moments && !lasting) {
      if (!copies_) copies_ = allocate(memory_, 8 * most_ * type_.item);
      char* copy = copies_ + static_cast<std::size_t>(n_waiting_) * width_ * type_.item;
      std::memcpy(copy, row, width_ * type_.item);
      row = copy;
      lasting = true;
    }
    if (lasting && n_waiting_ == in_group_) {
      waiting_[n_waiting_++] = row;
      if (++in_group_ < 8) return;
      if (type_.moments)
        type_.moments->across(sum_, waiting_, 8, width_);
      else
        type_.values->eight(sum_, waiting_, width_);
      n_waiting_ = 0;
      return end_group();
    }
    settle();
    push_part(row);
  }
  void push_part(const char* part) {
    if (in_group_ == 0)
      std::memcpy(sum_, part, width_ * type_.part);
    else
      type_.combine(sum_, part, width_);
    if (++in_group_ == 8) end_group();
  }
  /// The accumulators, until the next push.
  char* finish() {
    settle();
    if (in_group_) end_group();
    return pairs_.finish();
  }

 private:
  void end_group() {
    sum_ = pairs_.push(sum_);
    in_group_ = 0;
  }
  void settle() {
    if (n_waiting_ == 0) return;
    if (type_.moments) {
      type_.moments->across(sum_, waiting_, n_waiting_, width_);
    } else {
      std::memcpy(sum_, waiting_[0], width_ * type_.item);
      for (int i = 1; i < n_waiting_; ++i) type_.combine(sum_, waiting_[i], width_);
    }
    n_waiting_ = 0;
  }

  const FoldType& type_;
  std::size_t most_, width_ = 1;
  PairTree pairs_;
  char* sum_;
  std::pmr::memory_resource* memory_;
  char* copies_ = nullptr;  // of rows that do not last
  int in_group_ = 0;
  int n_waiting_ = 0;  // rows of the group that are not in sum_ yet
  const void* waiting_[8] = {};
};

struct Folding {
  Folding(const FoldType& type, const plan::BoundKernel& kernel, std::pmr::memory_resource* memory)
      : type(type), width(widest_row(kernel)), strips(memory), blocks(type, 1, memory), memory(memory), value(blocks.new_part()) {
    strips.reserve(most_strips(kernel));
    add_strip();
  }
  const FoldType& type;
  std::size_t width;
  char* result = nullptr;
  const char* operand = nullptr;  // what is folded, where that is memory as it lies
  std::pmr::vector<RowTree> strips;
  PairTree blocks;
  std::pmr::memory_resource* memory;
  char* value;            // of one block
  char* lanes = nullptr;  // the four groups of one block of the tree
  char* cells = nullptr;  // one accumulator per short row
  int group = 0;
  std::size_t lanes_of_group[4] = {};

  RowTree& rows() { return strips[0]; }
  void add_strip() { strips.emplace_back(type, width, memory); }
  char* short_rows() {
    if (!cells) cells = allocate(memory, kBlock * type.part);
    return cells;
  }

  /// One block of the interpreter is one group of the tree. A variance makes a part of the sample of it at once.
  void add_group(const void* values, std::size_t n) {
    if (type.moments) {
      type.moments->group(value, values, n);
      value = blocks.push(value);
      return;
    }
    type.values->group(accumulators(), values, n);
    end_group(std::min(n, kLanes));
  }
  /// For the accumulators of the next group, of which there are so many.
  char* accumulators() {
    if (!lanes) lanes = allocate(memory, 4 * kLanes * type.item);
    return lanes + static_cast<std::size_t>(group) * kLanes * type.item;
  }
  void end_group(std::size_t n) {
    lanes_of_group[group] = n;
    if (++group == 4) end_block();
  }
  /// The accumulator of the row.
  char* end_row() {
    end_block();
    return blocks.finish();
  }

 private:
  void end_block() {
    if (group == 0) return;
    if (group == 4 && lanes_of_group[3] == kLanes && type.values->end_block) {
      type.values->end_block(value, lanes);
    } else {
      char* g = lanes;
      const std::size_t step = kLanes * type.item;
      if (group > 1) type.combine(g, g + step, lanes_of_group[1]);
      if (group > 3) type.combine(g + 2 * step, g + 3 * step, lanes_of_group[3]);
      if (group > 2) type.combine(g, g + 2 * step, lanes_of_group[2]);
      type.values->fold(value, g, lanes_of_group[0]);
    }
    value = blocks.push(value);
    group = 0;
  }
};

/// One thread's share of a kernel that folds. `in_parts`: its results are accumulators, to be combined with others.
class Share {
 public:
  Share(const Code& code, const plan::BoundKernel& kernel, std::span<const FoldType> types, bool in_parts, Watch& watch)
      : scratch_(Scratch::of_thread().get(working_bytes(code, kernel))),
        memory_(scratch_ + code.scratch_bytes, working_bytes(code, kernel) - code.scratch_bytes),
        runner_(code, kernel, scratch_, &memory_),
        folds_(&memory_),
        length_(kernel.length),
        in_parts_(in_parts),
        watch_(watch) {
    folds_.reserve(types.size());
    for (const FoldType& type : types) folds_.emplace_back(type, kernel, &memory_);
    for (std::size_t i = 0; i < folds_.size(); ++i) {
      folds_[i].operand = runner_.operand_of_fold(i);
      all_operands_ = all_operands_ && folds_[i].operand;
    }
    const ReduceKernels* const only = all_operands_ && folds_.size() == 1 ? folds_[0].type.values : nullptr;
    is_picked_ = only && only->many;
    is_added_ = only && only->blocks;
    fetches_ = all_operands_ && kernel.total * static_cast<std::int64_t>(types.empty() ? 0 : types[0].item) > last_level_cache();
  }

  /// Where cell 0 of the following calls lies.
  void set_result(std::size_t fold, char* at) { folds_[fold].result = at; }

  /// `length` elements from `first` on, as groups of the tree; the value goes to cell 0.
  void along(std::int64_t first, std::int64_t length) {
    for (Folding& fold : folds_) fold.blocks.reset(1);
    fold_row(first, length);
    for (Folding& fold : folds_) store(fold, 0, fold.end_row(), 1);
  }

  /// The reduced axes include the innermost ones: cells of `rows` rows each, from row `first_row` of the kernel on.
  void cells_along(std::int64_t first_row, std::int64_t n_cells, std::int64_t rows) {
    const std::int64_t n_rows = n_cells * rows;
    std::int64_t in_cell = 0, cell = 0;
    const auto next_row = [&] {
      if (++in_cell < rows) return;
      if (rows > 1)
        for (Folding& fold : folds_) {
          store(fold, cell, fold.rows().finish(), 1);
          fold.rows().reset(1);
        }
      in_cell = 0;
      ++cell;
    };
    for (Folding& fold : folds_) {
      fold.rows().reset(1);
      fold.blocks.reset(1);
    }
    if (length_ <= static_cast<std::int64_t>(kLanes)) {
      const std::int64_t at_once = static_cast<std::int64_t>(kBlock) / length_;
      for (std::int64_t row = 0; row < n_rows; row += at_once) {
        const auto count = static_cast<std::size_t>(std::min(at_once, n_rows - row));
        run((first_row + row) * length_, count * static_cast<std::size_t>(length_));
        for (std::size_t i = 0; i < folds_.size(); ++i) short_rows(folds_[i], value_of(i), row, count, rows == 1);
        if (rows == 1) continue;
        for (std::size_t r = 0; r < count; ++r) {
          for (Folding& fold : folds_) push_short_row(fold, r, count);
          next_row();
        }
      }
      return;
    }
    if (is_added_ && rows == 1 && length_ <= static_cast<std::int64_t>(kTreeBlock)) return add_cells(first_row, n_cells);
    for (std::int64_t row = 0; row < n_rows; ++row) {
      fold_row((first_row + row) * length_, length_);
      for (Folding& fold : folds_) {
        const char* part = fold.end_row();
        if (rows == 1)
          store(fold, row, part, 1);
        else
          fold.rows().push_part(part);
      }
      next_row();
    }
  }

  /// The innermost axes are kept: lanes [lane, lane_end) of whole rows are combined.
  void cells_across(std::int64_t first_row, std::int64_t n_cells, std::int64_t rows, std::int64_t lane_begin, std::int64_t lane_end) {
    for (std::int64_t cell = 0; cell < n_cells; ++cell) {
      const std::int64_t base = first_row + cell * rows;
      for (std::int64_t lane = lane_begin; lane < lane_end; lane += kBand)
        band(cell, base, rows, lane, std::min<std::int64_t>(kBand, lane_end - lane));
    }
  }

 private:
  void band(std::int64_t cell, std::int64_t base, std::int64_t rows, std::int64_t lane, std::int64_t width) {
    const auto n_strips = static_cast<std::size_t>((width + kBlock - 1) / static_cast<std::int64_t>(kBlock));
    const auto lanes_of = [&](std::size_t strip) { return std::min(kBlock, static_cast<std::size_t>(width) - strip * kBlock); };
    for (Folding& fold : folds_) {
      while (fold.strips.size() < n_strips) fold.add_strip();
      for (std::size_t strip = 0; strip < n_strips; ++strip) fold.strips[strip].reset(lanes_of(strip));
    }
    // Narrow rows are computed many at a time.
    std::int64_t at_once = width == length_ && n_strips == 1 ? static_cast<std::int64_t>(kBlock) / width : 1;
    if (at_once > 8) at_once -= at_once % 8;  // whole groups
    const std::int64_t step = std::max<std::int64_t>(at_once, 8);
    for (std::int64_t group = 0; group < rows; group += step) {
      const std::int64_t end = std::min(rows, group + step);
      for (std::size_t strip = 0; strip < n_strips; ++strip) {
        const std::size_t lanes = lanes_of(strip);
        for (std::int64_t row = group; row < end; row += at_once) {
          const std::int64_t count = std::min(at_once, end - row);
          run((base + row) * length_ + lane + static_cast<std::int64_t>(strip * kBlock), lanes * static_cast<std::size_t>(count));
          for (std::size_t i = 0; i < folds_.size(); ++i) {
            const char* const values = value_of(i);
            const bool lasting = all_operands_ || runner_.is_memory(values) || at_once % 8 == 0;
            for (std::int64_t r = 0; r < count; ++r)
              folds_[i].strips[strip].push(values + static_cast<std::size_t>(r) * lanes * folds_[i].type.item, lasting);
          }
        }
      }
    }
    for (Folding& fold : folds_)
      for (std::size_t strip = 0; strip < n_strips; ++strip)
        store(fold, cell * length_ + lane + static_cast<std::int64_t>(strip * kBlock), fold.strips[strip].finish(), lanes_of(strip));
  }

  /// `part`: accumulators of `width` cells from `cell` on.
  void store(Folding& fold, std::int64_t cell, const char* part, std::size_t width) {
    if (in_parts_)
      std::memcpy(fold.result + static_cast<std::size_t>(cell) * fold.type.part, part, width * fold.type.part);
    else
      fold.type.finish(fold.result + static_cast<std::size_t>(cell) * fold.type.item, part, width);
  }

  /// The accumulators of `count` rows of the kernel, straight to the result where each of them is a cell.
  void short_rows(Folding& fold, const void* values, std::int64_t row, std::size_t count, bool is_result) {
    const auto length = static_cast<std::size_t>(length_);
    if (fold.type.moments) {
      fold.type.moments->rows(fold.short_rows(), values, count, length);
      if (is_result) store(fold, row, fold.cells, count);
    } else {
      char* to = is_result ? fold.result + static_cast<std::size_t>(row) * fold.type.item : fold.short_rows();
      fold.type.values->rows(to, values, count, length);
    }
  }
  static void push_short_row(Folding& fold, std::size_t row, std::size_t count) {
    if (!fold.type.moments) return fold.rows().push_part(fold.cells + row * fold.type.item);
    alignas(16) char part[4 * sizeof(double)];
    for (std::size_t plane = 0; plane < 4; ++plane)
      std::memcpy(part + plane * fold.type.item, fold.cells + (plane * count + row) * fold.type.item, fold.type.item);
    fold.rows().push_part(part);
  }

  void look(std::size_t n) {
    if (looks_++ % kBlocksPerLook == 0) watch_.poll(std::exchange(since_, 0));
    since_ += static_cast<std::int64_t>(n);
  }
  void run(std::int64_t first, std::size_t n) {
    look(n);
    if (!all_operands_) runner_.run(first, n, false);
    first_ = first;
  }
  /// Of the last run().
  const char* value_of(std::size_t i) const {
    if (!all_operands_) return static_cast<const char*>(runner_.fold_value(i));
    return folds_[i].operand + static_cast<std::size_t>(first_) * folds_[i].type.item;
  }
  /// Blocks of the tree straight from memory, many at a time.
  void add_row(std::int64_t first, std::int64_t length) {
    constexpr auto kWhole = static_cast<std::int64_t>(kTreeBlock), kMost = static_cast<std::int64_t>(ReduceKernels::kMostBlocks);
    constexpr std::size_t kLevel = std::countr_zero(ReduceKernels::kMostBlocks);
    Folding& fold = folds_[0];
    const ReduceKernels& kernels = *fold.type.values;
    for (std::int64_t done = 0; done < length;) {
      const char* const from = fold.operand + static_cast<std::size_t>(first + done) * fold.type.item;
      const bool are_many = length - done >= kMost * kWhole && done % (kMost * kWhole) == 0;
      const std::int64_t n = are_many ? kMost * kWhole : std::min(length - done, kWhole);
      look(static_cast<std::size_t>(n));
      if (are_many)
        kernels.blocks(fold.value, from, static_cast<std::size_t>(kMost));
      else
        kernels.block(fold.value, from, static_cast<std::size_t>(n));
      fold.value = fold.blocks.push(fold.value, are_many ? kLevel : 0);
      done += n;
    }
  }
  /// Rows of at most one block of the tree, each of which is a cell.
  void add_cells(std::int64_t first_row, std::int64_t n_cells) {
    Folding& fold = folds_[0];
    const auto length = static_cast<std::size_t>(length_), bytes = length * fold.type.item;
    const char* from = fold.operand + static_cast<std::size_t>(first_row) * bytes;
    char* to = fold.result;
    const std::int64_t most = std::max<std::int64_t>(1, static_cast<std::int64_t>(kBlocksPerLook * kBlock / length));
    for (std::int64_t cell = 0; cell < n_cells; cell += most) {
      const auto n = static_cast<std::size_t>(std::min(most, n_cells - cell));
      watch_.poll(std::exchange(since_, static_cast<std::int64_t>(n * length)));
      fold.type.values->cells(to, from, n, length);
      from += n * bytes;
      to += n * fold.type.item;
    }
  }
  void fold_row(std::int64_t first, std::int64_t length) {
    if (is_added_) return add_row(first, length);
    constexpr std::int64_t kWhole = static_cast<std::int64_t>(kTreeBlock);
    for (std::int64_t done = 0; done < length;) {
      // Many blocks of the tree at once, where their order does not show.
      if (is_picked_ && done % kWhole == 0 && length - done >= kWhole) {
        const std::int64_t many = std::min(length - done, 16 * kWhole) / kWhole * kWhole;
        look(static_cast<std::size_t>(many));
        Folding& fold = folds_[0];
        const char* const from = fold.operand + static_cast<std::size_t>(first + done) * fold.type.item;
        if (fold.type.values->many(fold.value, from, static_cast<std::size_t>(many))) {
          fold.value = fold.blocks.push(fold.value);
          done += many;
          continue;
        }
      }
      const auto n = static_cast<std::size_t>(std::min<std::int64_t>(kBlock, length - done));
      if (n == kBlock && runner_.makes_groups()) {
        // A block of the tree at once: while nothing is computed between groups, memory does not wait.
        const std::size_t most = done % kWhole == 0 && length - done >= kWhole ? kTreeBlock / kBlock : 1;
        const std::size_t n_groups = runner_.run_groups(first + done, most, folds_[0].accumulators());
        look(n_groups * kBlock);
        for (std::size_t i = 0; i < n_groups; ++i) folds_[0].end_group(kLanes);
        done += static_cast<std::int64_t>(n_groups * kBlock);
        continue;
      }
      run(first + done, n);
      if (fetches_ && done + static_cast<std::int64_t>(n) < length) fetch_after(n);
      for (std::size_t i = 0; i < folds_.size(); ++i) folds_[i].add_group(value_of(i), n);
      done += static_cast<std::int64_t>(n);
    }
  }

  /// The lines of the block that follows one of n elements, of operands that memory has to bring. Within the caches the
  /// processor's own prefetchers are as fast without the instructions.
  void fetch_after(std::size_t n) const noexcept {
    const char* before = nullptr;
    for (std::size_t i = 0; i < folds_.size(); ++i) {
      if (folds_[i].operand == before) continue;
      before = folds_[i].operand;
      const std::size_t bytes = n * folds_[i].type.item;
      for (std::size_t at = 0; at < bytes; at += kLine) __builtin_prefetch(value_of(i) + bytes + at, 0, 2);
    }
  }

  char* scratch_;
  std::pmr::monotonic_buffer_resource memory_;
  BlockRunner runner_;
  std::pmr::vector<Folding> folds_;
  std::int64_t length_;
  bool in_parts_;
  bool all_operands_ = true;
  bool is_picked_ = false;  ///< the only fold, and its operand lies in memory
  bool is_added_ = false;   ///< the same of a sum or product
  bool fetches_ = false;
  Watch& watch_;
  unsigned looks_ = 0;
  std::int64_t since_ = 0;  ///< elements since it looked
  std::int64_t first_ = 0;
};

/// Smallest power of two that cuts n into at most `parts` pieces: pieces of that size are subtrees of the pairwise tree.
std::int64_t subtree(std::int64_t n, std::int64_t parts) {
  std::int64_t size = 1;
  while (size * parts < n) size *= 2;
  return size;
}

/// Cuts the work where the tree allows it, and combines the pieces as the tree would have.
class Splitter {
 public:
  Splitter(const Code& code, const plan::BoundKernel& kernel, std::span<const FoldType> types, std::span<char* const> results,
           const Team& team)
      : code_(code),
        kernel_(kernel),
        types_(types),
        results_(results),
        team_(team),
        parts_(std::int64_t{team.threads} * kChunksPerThread) {}

  void run() {
    const std::int64_t groups = (kernel_.rows + 7) / 8, blocks = (kernel_.length + kWhole - 1) / kWhole;
    if (team_.threads < 2 || kernel_.kept >= 2 * team_.threads) return by_cells();
    if (!kernel_.lanes_kept && kernel_.rows == 1) return blocks > 1 ? by_blocks(blocks) : by_cells();
    if (groups >= 2 * team_.threads && partial_bytes() <= kMostPartials) return by_rows(groups);
    if (kernel_.lanes_kept && kernel_.length > static_cast<std::int64_t>(kBlock)) return by_lanes();
    by_cells();
  }

 private:
  static constexpr auto kWhole = static_cast<std::int64_t>(kTreeBlock);
  static constexpr std::int64_t kMostPartials = std::int64_t{64} << 20;

  std::int64_t width() const { return kernel_.lanes_kept ? kernel_.length : 1; }
  std::int64_t partial_bytes() const {
    std::int64_t bytes = 0;
    for (const FoldType& type : types_) bytes += parts_ * kernel_.kept * width() * static_cast<std::int64_t>(type.part);
    return bytes;
  }

  template <class Body>
  void each(std::int64_t n_chunks, bool in_parts, Body body) {
    const Scratch* const callers = &Scratch::of_thread();  // which is kept until the last kernel has run
    parallel_for(n_chunks > 1 ? team_.threads : 1, n_chunks, [&](std::int64_t chunk) {
      Share share(code_, kernel_, types_, in_parts, *team_.watch);
      body(share, chunk);
      if (Scratch& mine = Scratch::of_thread(); &mine != callers) mine.trim();
    });
  }

  void by_cells() {
    const std::int64_t chunk = team_.threads < 2 ? kernel_.kept : (kernel_.kept + parts_ - 1) / parts_;
    each((kernel_.kept + chunk - 1) / chunk, false, [&](Share& share, std::int64_t i) {
      const std::int64_t first = i * chunk, n = std::min(chunk, kernel_.kept - first);
      for (std::size_t k = 0; k < types_.size(); ++k)
        share.set_result(k, results_[k] + first * width() * static_cast<std::int64_t>(types_[k].item));
      if (kernel_.lanes_kept)
        share.cells_across(first * kernel_.rows, n, kernel_.rows, 0, kernel_.length);
      else
        share.cells_along(first * kernel_.rows, n, kernel_.rows);
    });
  }

  void by_lanes() {
    const std::int64_t strips = (kernel_.length + static_cast<std::int64_t>(kBlock) - 1) / static_cast<std::int64_t>(kBlock);
    const std::int64_t chunk = (strips + parts_ - 1) / parts_ * static_cast<std::int64_t>(kBlock);
    each((kernel_.length + chunk - 1) / chunk, false, [&](Share& share, std::int64_t i) {
      for (std::size_t k = 0; k < types_.size(); ++k) share.set_result(k, results_[k]);
      share.cells_across(0, kernel_.kept, kernel_.rows, i * chunk, std::min(kernel_.length, (i + 1) * chunk));
    });
  }

  void by_blocks(std::int64_t blocks) {
    const std::int64_t size = subtree(blocks, parts_), pieces = (blocks + size - 1) / size, span = size * kWhole;
    in_pieces(pieces, [&](Share& share, std::int64_t cell, std::int64_t piece) {
      share.along(cell * kernel_.length + piece * span, std::min(span, kernel_.length - piece * span));
    });
  }

  void by_rows(std::int64_t groups) {
    const std::int64_t size = subtree(groups, parts_), pieces = (groups + size - 1) / size, span = size * 8;
    in_pieces(pieces, [&](Share& share, std::int64_t cell, std::int64_t piece) {
      const std::int64_t first = cell * kernel_.rows + piece * span, rows = std::min(span, kernel_.rows - piece * span);
      if (kernel_.lanes_kept)
        share.cells_across(first, 1, rows, 0, kernel_.length);
      else
        share.cells_along(first, 1, rows);
    });
  }

  /// body(share, cell, piece) makes one piece of one cell, a subtree; then each cell's pieces are combined pairwise. Where
  /// there is no memory for the pieces, whole cells are made.
  template <class Body>
  void in_pieces(std::int64_t pieces, Body body) {
    try {
      make_pieces(pieces, body);
    } catch (const std::bad_alloc&) {
      by_cells();
    }
  }

  template <class Body>
  void make_pieces(std::int64_t pieces, Body body) {
    std::vector<std::vector<char>> partials;
    for (const FoldType& type : types_) partials.emplace_back(static_cast<std::size_t>(kernel_.kept * pieces * width()) * type.part);
    const auto place = [&](std::size_t k, std::int64_t cell, std::int64_t piece) {
      return partials[k].data() + static_cast<std::size_t>((cell * pieces + piece) * width()) * types_[k].part;
    };
    each(kernel_.kept * pieces, true, [&](Share& share, std::int64_t i) {
      for (std::size_t k = 0; k < types_.size(); ++k) share.set_result(k, place(k, i / pieces, i % pieces));
      body(share, i / pieces, i % pieces);
    });
    std::pmr::monotonic_buffer_resource memory;
    for (std::size_t k = 0; k < types_.size(); ++k) {
      PairTree tree(types_[k], static_cast<std::size_t>(std::min(static_cast<std::int64_t>(kBlock), width())), &memory);
      char* part = tree.new_part();
      for (std::int64_t cell = 0; cell < kernel_.kept; ++cell)
        for (std::int64_t lane = 0; lane < width(); lane += static_cast<std::int64_t>(kBlock)) {
          const auto lanes = static_cast<std::size_t>(std::min(static_cast<std::int64_t>(kBlock), width() - lane));
          tree.reset(lanes);
          for (std::int64_t piece = 0; piece < pieces; ++piece) {
            std::memcpy(part, place(k, cell, piece) + static_cast<std::size_t>(lane) * types_[k].part, lanes * types_[k].part);
            part = tree.push(part);
          }
          types_[k].finish(results_[k] + static_cast<std::size_t>(cell * width() + lane) * types_[k].item, tree.finish(), lanes);
        }
    }
  }

  const Code& code_;
  const plan::BoundKernel& kernel_;
  std::span<const FoldType> types_;
  std::span<char* const> results_;
  const Team& team_;
  std::int64_t parts_;
};

/// Sums start from -0.0, the true identity; the empty ones and NumPy's own start from +0.0: one addition at the end.
void add_zero(char* values, DType dtype, std::int64_t cells) {
  if (!is_inexact(dtype)) return;
  const std::int64_t numbers = is_complex(dtype) ? 2 * cells : cells;
  if (real_part(dtype) == DType::Float64)
    for (std::int64_t i = 0; i < numbers; ++i) reinterpret_cast<double*>(values)[i] += 0.0;
  else
    for (std::int64_t i = 0; i < numbers; ++i) reinterpret_cast<float*>(values)[i] += 0.0f;
}

/// sum / n, in the accumulator's dtype (NumPy's true_divide by the count).
void divide_by_count(char* values, DType dtype, std::int64_t cells, std::int64_t count) {
  alignas(16) std::byte divisor[16];
  const auto n = static_cast<double>(count);
  catalog::cast_scalar(DType::Float64, dtype, &n, divisor);
  const std::span<const catalog::Loop> loops = catalog::loops(catalog::Op::Divide);
  int loop = 0;
  while (loops[static_cast<std::size_t>(loop)].in[0] != dtype) ++loop;
  const std::size_t item = item_size(dtype);
  const Kernel scalar = scalar_kernel(catalog::Op::Divide, loop, 1);
  if (scalar) {
    const void* in[3] = {values, divisor, nullptr};
    return scalar(values, in, static_cast<std::size_t>(cells));
  }
  for (std::int64_t i = 0; i < cells; ++i) {
    char* value = values + i * static_cast<std::int64_t>(item);
    const void* in[3] = {value, divisor, nullptr};
    catalog::apply_scalar(catalog::Op::Divide, loop, in, value);
  }
}

/// What is left to do on the values of `cells` cells, of `count` elements each.
void finish_fold(const plan::Fold& fold, DType dtype, std::int64_t count, std::int64_t cells, void* values) {
  if (catalog::info(fold.reduction).kernel == catalog::Reduction::Sum) add_zero(static_cast<char*>(values), dtype, cells);
  if (fold.reduction == catalog::Reduction::Mean)
    divide_by_count(static_cast<char*>(values), dtype, cells, std::max<std::int64_t>(0, count - fold.ddof));
}

}  // namespace

std::size_t fold_bytes(const Code& code, const plan::BoundKernel& kernel) noexcept {
  constexpr std::size_t kItem = 16;                                         // of the widest dtype
  const auto block = [](std::size_t bytes) { return bytes + kAlignment; };  // of what is allocated, with the gap before it
  const auto levels = [](std::int64_t n) { return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(n))) + 1; };
  const auto pair_tree = [&](std::size_t n_levels, std::size_t width) {
    return (n_levels + 1) * block(width * code.fold_part) + 4 * n_levels * sizeof(char*) + kAlignment;  // its vector grows by doubling
  };
  const std::size_t width = widest_row(kernel), strips = most_strips(kernel);
  const std::size_t row_tree = sizeof(RowTree) + pair_tree(levels(kernel.rows / 8), width) + block(8 * width * kItem);
  std::size_t fold = sizeof(Folding) + strips * row_tree + pair_tree(levels(kernel.length / static_cast<std::int64_t>(kBlock)), 1);
  if (!kernel.lanes_kept) fold += block(4 * kLanes * kItem) + block(kBlock * code.fold_part);
  return kernel.kernel->n_folds * fold + 2 * kAlignment;
}

void fill_empty(const plan::Plan& plan, const plan::BoundKernel& kernel, std::span<char* const> results) {
  const std::span<const plan::Fold> specs = plan.folds_of(*kernel.kernel);
  const std::int64_t cells = kernel.kept * (kernel.lanes_kept ? kernel.length : 1);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const DType dtype = plan.buffers[specs[i].buffer].dtype;
    const catalog::ReductionInfo& row = catalog::info(specs[i].reduction);
    alignas(16) std::byte value[16];
    if (specs[i].bounded || !row.identity.empty())
      catalog::identity_scalar(row.id, dtype, value);
    else
      std::memset(value, 0, sizeof value);
    splat(results[i], value, static_cast<std::size_t>(cells), item_size(dtype));
    if (specs[i].reduction == catalog::Reduction::Mean || catalog::has_moments(specs[i].reduction))
      divide_by_count(results[i], dtype, cells, 0);
  }
}

namespace {

/// Has what fold_directly() reads begin so many elements later.
void skip(const Machine* machine, void** table, std::uint32_t folded, std::size_t item, std::size_t n) {
  if (machine)
    move_on(*machine, table, static_cast<std::ptrdiff_t>(n));
  else
    table[folded] = static_cast<char*>(table[folded]) + n * item;
}

/// The accumulator of n > 0 elements, as fold_directly() finds them: of the whole, or of a subtree.
void accumulate(const ReduceKernels& kernels, DType dtype, const Machine* machine, void** table, std::uint32_t folded, std::size_t n,
                void* accumulator) {
  alignas(kAlignment) std::byte values[kTreeBlock * 8];
  const auto few = [&](std::size_t m) {
    if (!machine) return static_cast<const char*>(table[folded]);
    table[folded] = values;
    run_machine(*machine, table, m, true);
    return reinterpret_cast<const char*>(values);
  };
  if (kernels.block && n <= kTreeBlock) return kernels.block(accumulator, few(n), n);
  const FoldType type{.values = &kernels, .item = item_size(dtype), .part = item_size(dtype)};
  constexpr std::size_t kLevels = 32, kMany = ReduceKernels::kMostBlocks;
  std::array<std::byte, 4 * kLanes * 8 + (kLevels + 8) * kAlignment> bytes;
  std::pmr::monotonic_buffer_resource memory(bytes.data(), bytes.size());
  const plan::BoundKernel flat;
  Folding folding(type, flat, &memory);
  for (std::size_t done = 0, m; done < n; done += m) {
    m = std::min(kMany * kTreeBlock, n - done) / kTreeBlock * kTreeBlock;
    if (m && !machine && kernels.many && kernels.many(folding.value, table[folded], m)) {  // their order does not show
      folding.value = folding.blocks.push(folding.value);
    } else if (m == kMany * kTreeBlock && !machine && kernels.blocks) {
      kernels.blocks(folding.value, table[folded], kMany);
      folding.value = folding.blocks.push(folding.value, std::countr_zero(kMany));
    } else {
      m = std::min(kTreeBlock, n - done);
      if (machine && machine->groups && m == kTreeBlock) {
        machine->groups(table, folding.accumulators(), kTreeBlock / kBlock);
        for (std::size_t i = 0; i < kTreeBlock / kBlock; ++i) folding.end_group(kLanes);
      } else if (kernels.block) {
        kernels.block(folding.value, few(m), m);
        folding.value = folding.blocks.push(folding.value);
      } else {
        const char* const from = few(m);
        for (std::size_t at = 0; at < m; at += kBlock) folding.add_group(from + at * type.item, std::min(kBlock, m - at));
      }
    }
    skip(machine, table, folded, type.item, m);
  }
  std::memcpy(accumulator, folding.end_row(), type.item);
}

}  // namespace

void fold_directly(const plan::Fold& fold, DType dtype, const Machine* machine, std::span<void*> table, std::uint32_t folded, std::size_t n,
                   void* out, int threads) {
  constexpr std::int64_t kMostPieces = 64;
  const ReduceKernels& kernels = *reduce_kernels(catalog::info(fold.reduction).kernel, dtype);
  const auto total = static_cast<std::int64_t>(n), whole = static_cast<std::int64_t>(kTreeBlock), blocks = (total + whole - 1) / whole;
  if (threads < 2 || blocks < 2) {
    accumulate(kernels, dtype, machine, table.data(), folded, n, out);
  } else {
    const std::int64_t size = subtree(blocks, std::min(kMostPieces, std::int64_t{threads} * kChunksPerThread));
    const FoldType type{.values = &kernels, .item = item_size(dtype), .part = item_size(dtype)};
    const std::int64_t pieces = (blocks + size - 1) / size;
    alignas(kAlignment) char parts[kMostPieces][8];
    parallel_for(threads, pieces, [&](std::int64_t i) {
      void* mine[kMostDirect];
      std::copy(table.begin(), table.end(), mine);
      const std::int64_t first = i * size * whole, count = std::min(size * whole, total - first);
      skip(machine, mine, folded, type.item, static_cast<std::size_t>(first));
      accumulate(kernels, dtype, machine, mine, folded, static_cast<std::size_t>(count), parts[i]);
    });
    std::array<std::byte, 2048> bytes;
    std::pmr::monotonic_buffer_resource memory(bytes.data(), bytes.size());
    PairTree tree(type, 1, &memory);
    for (std::int64_t i = 0; i < pieces; ++i) tree.push(parts[i]);
    std::memcpy(out, tree.finish(), type.item);
  }
  finish_fold(fold, dtype, total, 1, out);
}

void run_folds(const Code& code, const plan::Plan& plan, const plan::BoundKernel& kernel, std::span<char* const> results,
               const Team& team) {
  const plan::Kernel& k = *kernel.kernel;
  const std::span<const plan::Fold> specs = plan.folds_of(k);
  const std::int64_t cells = kernel.kept * (kernel.lanes_kept ? kernel.length : 1);
  const std::int64_t count = kernel.rows * (kernel.lanes_kept ? 1 : kernel.length);
  if (cells == 0) return;
  if (kernel.total == 0) return fill_empty(plan, kernel, results);
  std::array<std::byte, 1024> small;
  std::pmr::monotonic_buffer_resource memory(small.data(), small.size());
  std::pmr::vector<FoldType> types(&memory);
  types.reserve(specs.size());
  for (const plan::Fold& spec : specs) {
    const DType dtype = plan.buffers[spec.buffer].dtype;
    const catalog::Reduction primitive = catalog::info(spec.reduction).kernel;
    FoldType type{.item = item_size(dtype), .part = item_size(dtype)};
    if (catalog::has_moments(primitive)) {
      type.moments = moment_kernels(primitive, dtype);
      type.part = 4 * type.item;
      type.count = static_cast<double>(count);
      type.ddof = static_cast<double>(spec.ddof);
      type.bounded = spec.bounded;
    } else {
      type.values = reduce_kernels(primitive, dtype);
    }
    types.push_back(type);
  }
  Splitter(code, kernel, types, results, team).run();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    finish_fold(specs[i], plan.buffers[specs[i].buffer].dtype, count, cells, results[i]);
  }
}

}  // namespace engine::run::interp

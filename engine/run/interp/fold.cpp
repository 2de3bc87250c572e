// run/interp/fold.cpp - reductions, fused with their argument, in the contract's combination tree.
//
// The tree depends on shape and axes alone. Along a reduced innermost run: lanes i mod 64 in blocks of 2,048; rows of
// lanes in order in groups of 8 (one block of the interpreter), groups pairwise, lanes by halves, blocks pairwise.
// Across outer rows: in order in groups of 8, groups pairwise. An odd one moves up a level unchanged.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <vector>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/interp/scratch.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::interp {
namespace {

/// Combines values of `width` elements pairwise, level by level, as they come: a binary counter whose digits are values.
class PairTree {
 public:
  PairTree(const ReduceKernels& kernels, std::size_t item, std::size_t width, std::pmr::memory_resource* memory)
      : kernels_(kernels), item_(item), width_(width), levels_(memory), memory_(memory) {}

  void reset(std::size_t width) {
    width_ = width;
    occupied_ = 0;
  }

  /// `value` is clobbered.
  void push(char* value) {
    std::size_t level = 0;
    for (; occupied_ >> level & 1u; ++level) {
      kernels_.combine(levels_[level], value, width_);
      std::memcpy(value, levels_[level], width_ * item_);
      occupied_ &= ~(std::uint64_t{1} << level);
    }
    while (levels_.size() <= level) levels_.push_back(static_cast<char*>(memory_->allocate(kBlock * item_, 64)));
    std::memcpy(levels_[level], value, width_ * item_);
    occupied_ |= std::uint64_t{1} << level;
  }

  /// All of them combined; at least one must have been pushed.
  void finish(char* out) {
    bool first = true;
    for (std::size_t level = 0; occupied_ >> level; ++level) {
      if (!(occupied_ >> level & 1u)) continue;
      if (first) {
        std::memcpy(out, levels_[level], width_ * item_);
      } else {
        kernels_.combine(levels_[level], out, width_);
        std::memcpy(out, levels_[level], width_ * item_);
      }
      first = false;
    }
    occupied_ = 0;
  }

 private:
  const ReduceKernels& kernels_;
  std::size_t item_, width_;
  std::pmr::vector<char*> levels_;
  std::pmr::memory_resource* memory_;
  std::uint64_t occupied_ = 0;
};

/// Rows in order in groups of eight, then pairwise.
class RowTree {
 public:
  RowTree(const ReduceKernels& kernels, std::size_t item, std::pmr::memory_resource* memory)
      : kernels_(kernels), item_(item), pairs_(kernels, item, 1, memory), sum_(static_cast<char*>(memory->allocate(kBlock * item, 64))) {}

  void reset(std::size_t width) {
    width_ = width;
    in_group_ = n_waiting_ = 0;
    pairs_.reset(width);
  }
  /// `lasting`: the row stays where it is until eight have come, so that they can be combined in one pass.
  void push(const void* row, bool lasting) {
    if (lasting && n_waiting_ == in_group_) {
      waiting_[n_waiting_++] = row;
      if (++in_group_ == 8) {
        kernels_.eight(sum_, waiting_, width_);
        pairs_.push(sum_);
        in_group_ = n_waiting_ = 0;
      }
      return;
    }
    settle();
    if (in_group_ == 0)
      std::memcpy(sum_, row, width_ * item_);
    else
      kernels_.combine(sum_, row, width_);
    if (++in_group_ == 8) {
      pairs_.push(sum_);
      in_group_ = 0;
    }
  }
  void finish(char* out) {
    settle();
    if (in_group_) pairs_.push(sum_);
    pairs_.finish(out);
  }

 private:
  void settle() {
    if (n_waiting_ == 0) return;
    std::memcpy(sum_, waiting_[0], width_ * item_);
    for (int i = 1; i < n_waiting_; ++i) kernels_.combine(sum_, waiting_[i], width_);
    n_waiting_ = 0;
  }

  const ReduceKernels& kernels_;
  std::size_t item_, width_ = 1;
  PairTree pairs_;
  char* sum_;
  int in_group_ = 0;
  int n_waiting_ = 0;  // rows of the group that are not in sum_ yet
  const void* waiting_[8] = {};
};

struct FoldType {
  const ReduceKernels* kernels;
  std::size_t item;
};

struct Folding {
  Folding(const ReduceKernels& kernels, std::size_t item, std::pmr::memory_resource* memory)
      : kernels(kernels), item(item), rows(kernels, item, memory), blocks(kernels, item, 1, memory) {
    lanes = static_cast<char*>(memory->allocate(4 * kLanes * item, 64));
    cells = static_cast<char*>(memory->allocate(kBlock * item, 64));
  }
  const ReduceKernels& kernels;
  std::size_t item;
  char* result = nullptr;
  RowTree rows;
  PairTree blocks;
  char* lanes;  // the four groups of one block of the tree
  char* cells;  // one value per short row
  int group = 0;
  std::size_t lanes_of_group[4] = {};

  /// One block of the interpreter is one group of the tree.
  void add_group(const void* values, std::size_t n) {
    kernels.group(lanes + static_cast<std::size_t>(group) * kLanes * item, values, n);
    lanes_of_group[group] = std::min(n, kLanes);
    if (++group == 4) end_block();
  }
  void end_block() {
    if (group == 0) return;
    char* g = lanes;
    const std::size_t step = kLanes * item;
    if (group > 1) kernels.combine(g, g + step, lanes_of_group[1]);
    if (group > 3) kernels.combine(g + 2 * step, g + 3 * step, lanes_of_group[3]);
    if (group > 2) kernels.combine(g, g + 2 * step, lanes_of_group[2]);
    alignas(16) char value[16];
    kernels.fold(value, g, lanes_of_group[0]);
    blocks.push(value);
    group = 0;
  }
  void end_row(char* out) {
    end_block();
    blocks.finish(out);
  }
};

/// One thread's share of a kernel that folds.
class Share {
 public:
  Share(const Code& code, const plan::BoundKernel& kernel, std::span<const FoldType> types, Watch& watch)
      : scratch_(Scratch::of_thread().get(working_bytes(code, kernel))),
        memory_(scratch_ + code.scratch_bytes, working_bytes(code, kernel) - code.scratch_bytes),
        runner_(code, kernel, scratch_, &memory_),
        folds_(&memory_),
        length_(kernel.length),
        watch_(watch) {
    folds_.reserve(types.size());
    for (const FoldType& type : types) folds_.emplace_back(*type.kernels, type.item, &memory_);
  }

  /// Where cell 0 of the following calls lies.
  void set_result(std::size_t fold, char* at) { folds_[fold].result = at; }

  /// `length` elements from `first` on, as groups of the tree; the value goes to cell 0.
  void along(std::int64_t first, std::int64_t length) {
    for (Folding& fold : folds_) fold.blocks.reset(1);
    fold_row(first, length);
    for (Folding& fold : folds_) fold.end_row(fold.result);
  }

  /// The reduced axes include the innermost ones: cells of `rows` rows each, from row `first_row` of the kernel on.
  void cells_along(std::int64_t first_row, std::int64_t n_cells, std::int64_t rows) {
    const std::int64_t n_rows = n_cells * rows;
    std::int64_t in_cell = 0, cell = 0;
    const auto take = [&](Folding& fold, const char* value) {
      if (rows == 1)
        std::memcpy(fold.result + cell * static_cast<std::int64_t>(fold.item), value, fold.item);
      else
        fold.rows.push(value, false);
    };
    const auto next_row = [&] {
      if (++in_cell < rows) return;
      if (rows > 1)
        for (Folding& fold : folds_) {
          fold.rows.finish(fold.result + cell * static_cast<std::int64_t>(fold.item));
          fold.rows.reset(1);
        }
      in_cell = 0;
      ++cell;
    };
    for (Folding& fold : folds_) {
      fold.rows.reset(1);
      fold.blocks.reset(1);
    }
    if (length_ <= static_cast<std::int64_t>(kLanes)) {
      const std::int64_t at_once = static_cast<std::int64_t>(kBlock) / length_;
      for (std::int64_t row = 0; row < n_rows; row += at_once) {
        const std::int64_t count = std::min(at_once, n_rows - row);
        run((first_row + row) * length_, static_cast<std::size_t>(count * length_));
        for (std::size_t i = 0; i < folds_.size(); ++i)
          folds_[i].kernels.rows(rows == 1 ? folds_[i].result + row * static_cast<std::int64_t>(folds_[i].item) : folds_[i].cells,
                                 runner_.fold_value(i), static_cast<std::size_t>(count), static_cast<std::size_t>(length_));
        if (rows == 1) continue;
        for (std::int64_t r = 0; r < count; ++r) {
          for (Folding& fold : folds_) take(fold, fold.cells + r * static_cast<std::int64_t>(fold.item));
          next_row();
        }
      }
      return;
    }
    for (std::int64_t row = 0; row < n_rows; ++row) {
      fold_row((first_row + row) * length_, length_);
      for (Folding& fold : folds_) {
        alignas(16) char value[16];
        fold.end_row(value);
        take(fold, value);
      }
      next_row();
    }
  }

  /// The innermost axes are kept: lanes [lane, lane_end) of whole rows are combined.
  void cells_across(std::int64_t first_row, std::int64_t n_cells, std::int64_t rows, std::int64_t lane_begin, std::int64_t lane_end) {
    for (std::int64_t cell = 0; cell < n_cells; ++cell) {
      const std::int64_t base = first_row + cell * rows;
      for (std::int64_t lane = lane_begin; lane < lane_end; lane += kBlock) {
        const auto width = static_cast<std::size_t>(std::min<std::int64_t>(kBlock, lane_end - lane));
        for (Folding& fold : folds_) fold.rows.reset(width);
        // Narrow rows are computed many at a time.
        std::int64_t at_once = static_cast<std::int64_t>(width) == length_ ? static_cast<std::int64_t>(kBlock / width) : 1;
        if (at_once > 8) at_once -= at_once % 8;  // whole groups
        for (std::int64_t row = 0; row < rows; row += at_once) {
          const std::int64_t count = std::min(at_once, rows - row);
          run((base + row) * length_ + lane, width * static_cast<std::size_t>(count));
          for (std::size_t i = 0; i < folds_.size(); ++i) {
            const char* values = static_cast<const char*>(runner_.fold_value(i));
            const bool lasting = runner_.is_memory(values) || at_once % 8 == 0;
            for (std::int64_t r = 0; r < count; ++r)
              folds_[i].rows.push(values + r * static_cast<std::int64_t>(width * folds_[i].item), lasting);
          }
        }
        for (Folding& fold : folds_) fold.rows.finish(fold.result + (cell * length_ + lane) * static_cast<std::int64_t>(fold.item));
      }
    }
  }

 private:
  void run(std::int64_t first, std::size_t n) {
    if (looks_++ % kBlocksPerLook == 0) watch_.poll();
    runner_.run(first, n, false);
  }
  void fold_row(std::int64_t first, std::int64_t length) {
    for (std::int64_t done = 0; done < length;) {
      const auto n = static_cast<std::size_t>(std::min<std::int64_t>(kBlock, length - done));
      run(first + done, n);
      for (std::size_t i = 0; i < folds_.size(); ++i) folds_[i].add_group(runner_.fold_value(i), n);
      done += static_cast<std::int64_t>(n);
    }
  }

  char* scratch_;
  std::pmr::monotonic_buffer_resource memory_;
  BlockRunner runner_;
  std::pmr::vector<Folding> folds_;
  std::int64_t length_;
  Watch& watch_;
  unsigned looks_ = 0;
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
    const std::int64_t groups = (kernel_.rows + 7) / 8, blocks = (kernel_.length + kTreeBlock - 1) / kTreeBlock;
    if (team_.threads < 2 || kernel_.kept >= 2 * team_.threads) return by_cells();
    if (!kernel_.lanes_kept && kernel_.rows == 1) return blocks > 1 ? by_blocks(blocks) : by_cells();
    if (groups >= 2 * team_.threads && partial_bytes() <= kMostPartials) return by_rows(groups);
    if (kernel_.lanes_kept && kernel_.length > static_cast<std::int64_t>(kBlock)) return by_lanes();
    by_cells();
  }

 private:
  static constexpr std::int64_t kTreeBlock = 4 * static_cast<std::int64_t>(kBlock);
  static constexpr std::int64_t kMostPartials = std::int64_t{64} << 20;

  std::int64_t width() const { return kernel_.lanes_kept ? kernel_.length : 1; }
  std::int64_t partial_bytes() const {
    std::int64_t bytes = 0;
    for (const FoldType& type : types_) bytes += parts_ * kernel_.kept * width() * static_cast<std::int64_t>(type.item);
    return bytes;
  }

  template <class Body>
  void each(std::int64_t n_chunks, Body body) {
    const Scratch* const callers = &Scratch::of_thread();  // which is kept until the last kernel has run
    parallel_for(n_chunks > 1 ? team_.threads : 1, n_chunks, [&](std::int64_t chunk) {
      Share share(code_, kernel_, types_, *team_.watch);
      body(share, chunk);
      if (Scratch& mine = Scratch::of_thread(); &mine != callers) mine.trim();
    });
  }

  void by_cells() {
    const std::int64_t chunk = team_.threads < 2 ? kernel_.kept : (kernel_.kept + parts_ - 1) / parts_;
    each((kernel_.kept + chunk - 1) / chunk, [&](Share& share, std::int64_t i) {
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
    each((kernel_.length + chunk - 1) / chunk, [&](Share& share, std::int64_t i) {
      for (std::size_t k = 0; k < types_.size(); ++k) share.set_result(k, results_[k]);
      share.cells_across(0, kernel_.kept, kernel_.rows, i * chunk, std::min(kernel_.length, (i + 1) * chunk));
    });
  }

  void by_blocks(std::int64_t blocks) {
    const std::int64_t size = subtree(blocks, parts_), pieces = (blocks + size - 1) / size, span = size * kTreeBlock;
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
    for (const FoldType& type : types_) partials.emplace_back(static_cast<std::size_t>(kernel_.kept * pieces * width()) * type.item);
    const auto place = [&](std::size_t k, std::int64_t cell, std::int64_t piece) {
      return partials[k].data() + (cell * pieces + piece) * width() * static_cast<std::int64_t>(types_[k].item);
    };
    each(kernel_.kept * pieces, [&](Share& share, std::int64_t i) {
      for (std::size_t k = 0; k < types_.size(); ++k) share.set_result(k, place(k, i / pieces, i % pieces));
      body(share, i / pieces, i % pieces);
    });
    std::pmr::monotonic_buffer_resource memory;
    for (std::size_t k = 0; k < types_.size(); ++k) {
      const auto item = static_cast<std::int64_t>(types_[k].item);
      PairTree tree(*types_[k].kernels, types_[k].item, 1, &memory);
      for (std::int64_t cell = 0; cell < kernel_.kept; ++cell)
        for (std::int64_t lane = 0; lane < width(); lane += static_cast<std::int64_t>(kBlock)) {
          tree.reset(static_cast<std::size_t>(std::min(static_cast<std::int64_t>(kBlock), width() - lane)));
          for (std::int64_t piece = 0; piece < pieces; ++piece) tree.push(place(k, cell, piece) + lane * item);
          tree.finish(results_[k] + (cell * width() + lane) * item);
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

}  // namespace

std::size_t fold_bytes(const plan::BoundKernel& kernel) noexcept {
  constexpr std::size_t kItem = 16, kPerLevel = kBlock * kItem + 64;  // of the widest dtype, aligned
  const auto levels = [](std::int64_t n) { return static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(n))) + 1; };
  const std::size_t trees = levels(kernel.rows / 8) + levels(kernel.length / static_cast<std::int64_t>(4 * kBlock));
  const std::size_t per_fold = sizeof(Folding) + (trees + 2) * kPerLevel + 4 * kLanes * kItem + 4 * (trees + 2) * sizeof(char*) + 256;
  return kernel.kernel->n_folds * per_fold;
}

void run_folds(const Code& code, const plan::Plan& plan, const plan::BoundKernel& kernel, std::span<char* const> results,
               const Team& team) {
  const plan::Kernel& k = *kernel.kernel;
  const std::span<const plan::Fold> specs = plan.folds_of(k);
  const std::int64_t cells = kernel.kept * (kernel.lanes_kept ? kernel.length : 1);
  const std::int64_t count = kernel.rows * (kernel.lanes_kept ? 1 : kernel.length);
  if (cells == 0) return;
  if (kernel.total == 0) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const DType dtype = plan.buffers[specs[i].buffer].dtype;
      const catalog::ReductionInfo& row = catalog::info(specs[i].reduction);
      alignas(16) std::byte value[16];
      if (specs[i].bounded && row.identity.empty()) {
        catalog::limit_scalar(dtype, row.id == catalog::Reduction::Min, value);
      } else {
        const double identity = row.identity == "1" ? 1 : 0;
        catalog::cast_scalar(DType::Float64, dtype, &identity, value);
      }
      splat(results[i], value, static_cast<std::size_t>(cells), item_size(dtype));
      if (specs[i].reduction == catalog::Reduction::Mean) divide_by_count(results[i], dtype, cells, 0);
    }
    return;
  }
  std::array<std::byte, 512> small;
  std::pmr::monotonic_buffer_resource memory(small.data(), small.size());
  std::pmr::vector<FoldType> types(&memory);
  for (const plan::Fold& spec : specs) {
    const DType dtype = plan.buffers[spec.buffer].dtype;
    types.push_back({reduce_kernels(catalog::info(spec.reduction).kernel, dtype), item_size(dtype)});
  }
  Splitter(code, kernel, types, results, team).run();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const DType dtype = plan.buffers[specs[i].buffer].dtype;
    if (catalog::info(specs[i].reduction).kernel == catalog::Reduction::Sum) add_zero(results[i], dtype, cells);
    if (specs[i].reduction == catalog::Reduction::Mean)
      divide_by_count(results[i], dtype, cells, std::max<std::int64_t>(0, count - specs[i].ddof));
  }
}

}  // namespace engine::run::interp

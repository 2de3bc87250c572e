// run/interp/fold.cpp - reductions, fused with their argument, in the contract's combination tree.
//
// The tree depends on shape and axes alone. Along a reduced innermost run: lanes i mod 64 in blocks of 2,048; rows of
// lanes in order in groups of 8 (one block of the interpreter), groups pairwise, lanes by halves, blocks pairwise.
// Across outer rows: in order in groups of 8, groups pairwise. An odd one moves up a level unchanged.
#include <algorithm>
#include <cstring>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"
#include "engine/run/interp/block.hpp"

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

struct Folding {
  Folding(const ReduceKernels& kernels, std::size_t item, char* result, std::pmr::memory_resource* memory)
      : kernels(kernels), item(item), result(result), rows(kernels, item, memory), blocks(kernels, item, 1, memory) {
    lanes = static_cast<char*>(memory->allocate(4 * kLanes * item, 64));
    cells = static_cast<char*>(memory->allocate(kBlock * item, 64));
  }
  const ReduceKernels& kernels;
  std::size_t item;
  char* result;
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

/// Elements [first, first + length) of every fold, as groups of the tree.
void fold_row(BlockRunner& runner, std::span<Folding> folds, std::int64_t first, std::int64_t length) {
  for (std::int64_t done = 0; done < length;) {
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(kBlock, length - done));
    runner.run(first + done, n, false);
    for (std::size_t i = 0; i < folds.size(); ++i) folds[i].add_group(runner.fold_value(i), n);
    done += static_cast<std::int64_t>(n);
  }
}

/// The reduced axes include the innermost ones.
void fold_along(BlockRunner& runner, const plan::BoundKernel& kernel, std::span<Folding> folds) {
  const std::int64_t n_rows = kernel.kept * kernel.rows;
  std::int64_t in_cell = 0, cell = 0;
  const auto take = [&](Folding& fold, const char* value, std::int64_t at) {
    if (kernel.rows == 1) {
      std::memcpy(fold.result + at * static_cast<std::int64_t>(fold.item), value, fold.item);
      return;
    }
    fold.rows.push(value, false);
  };
  const auto next_row = [&] {
    if (++in_cell < kernel.rows) return;
    if (kernel.rows > 1)
      for (Folding& fold : folds) {
        fold.rows.finish(fold.result + cell * static_cast<std::int64_t>(fold.item));
        fold.rows.reset(1);
      }
    in_cell = 0;
    ++cell;
  };
  for (Folding& fold : folds) {
    fold.rows.reset(1);
    fold.blocks.reset(1);
  }
  if (kernel.length <= static_cast<std::int64_t>(kLanes)) {
    const std::int64_t at_once = static_cast<std::int64_t>(kBlock) / kernel.length;
    for (std::int64_t row = 0; row < n_rows; row += at_once) {
      const std::int64_t count = std::min(at_once, n_rows - row);
      runner.run(row * kernel.length, static_cast<std::size_t>(count * kernel.length), false);
      for (std::size_t i = 0; i < folds.size(); ++i)
        folds[i].kernels.rows(kernel.rows == 1 ? folds[i].result + row * static_cast<std::int64_t>(folds[i].item) : folds[i].cells,
                              runner.fold_value(i), static_cast<std::size_t>(count), static_cast<std::size_t>(kernel.length));
      if (kernel.rows == 1) continue;
      for (std::int64_t r = 0; r < count; ++r) {
        for (Folding& fold : folds) take(fold, fold.cells + r * static_cast<std::int64_t>(fold.item), cell);
        next_row();
      }
    }
    return;
  }
  for (std::int64_t row = 0; row < n_rows; ++row) {
    fold_row(runner, folds, row * kernel.length, kernel.length);
    for (Folding& fold : folds) {
      alignas(16) char value[16];
      fold.end_row(value);
      take(fold, value, cell);
    }
    next_row();
  }
}

/// The innermost axes are kept: whole rows of lanes are combined.
void fold_across(BlockRunner& runner, const plan::BoundKernel& kernel, std::span<Folding> folds) {
  for (std::int64_t cell = 0; cell < kernel.kept; ++cell) {
    const std::int64_t base = cell * kernel.rows;
    for (std::int64_t lane = 0; lane < kernel.length; lane += kBlock) {
      const auto width = static_cast<std::size_t>(std::min<std::int64_t>(kBlock, kernel.length - lane));
      for (Folding& fold : folds) fold.rows.reset(width);
      // Narrow rows are computed many at a time.
      std::int64_t at_once = static_cast<std::int64_t>(width) == kernel.length ? static_cast<std::int64_t>(kBlock / width) : 1;
      if (at_once > 8) at_once -= at_once % 8;  // whole groups
      for (std::int64_t row = 0; row < kernel.rows; row += at_once) {
        const std::int64_t count = std::min(at_once, kernel.rows - row);
        runner.run((base + row) * kernel.length + lane, width * static_cast<std::size_t>(count), false);
        for (std::size_t i = 0; i < folds.size(); ++i) {
          const char* values = static_cast<const char*>(runner.fold_value(i));
          for (std::int64_t r = 0; r < count; ++r)
            folds[i].rows.push(values + r * static_cast<std::int64_t>(width * folds[i].item), runner.is_memory(values) || at_once % 8 == 0);
        }
      }
      for (Folding& fold : folds) fold.rows.finish(fold.result + (cell * kernel.length + lane) * static_cast<std::int64_t>(fold.item));
    }
  }
}

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

void run_folds(const Code& code, const plan::Plan& plan, const plan::BoundKernel& kernel, std::span<char* const> results, char* scratch,
               std::pmr::memory_resource* memory) {
  const plan::Kernel& k = *kernel.kernel;
  const std::span<const plan::Fold> specs = plan.folds_of(k);
  const std::int64_t cells = kernel.kept * (kernel.lanes_kept ? kernel.length : 1);
  const std::int64_t count = kernel.rows * (kernel.lanes_kept ? 1 : kernel.length);
  if (cells == 0) return;
  if (kernel.total == 0) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      const DType dtype = plan.buffers[specs[i].buffer].dtype;
      const catalog::ReductionInfo& row = catalog::info(specs[i].reduction);
      const bool one = row.identity == "1";
      const double identity = one ? 1 : 0;
      alignas(16) std::byte value[16];
      catalog::cast_scalar(DType::Float64, dtype, &identity, value);
      splat(results[i], value, static_cast<std::size_t>(cells), item_size(dtype));
      if (specs[i].reduction == catalog::Reduction::Mean) divide_by_count(results[i], dtype, cells, 0);
    }
    return;
  }
  BlockRunner runner(code, kernel, scratch, memory);
  std::pmr::vector<Folding> folds(memory);
  folds.reserve(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const DType dtype = plan.buffers[specs[i].buffer].dtype;
    folds.emplace_back(*reduce_kernels(catalog::info(specs[i].reduction).kernel, dtype), item_size(dtype), results[i], memory);
  }
  if (kernel.lanes_kept)
    fold_across(runner, kernel, folds);
  else
    fold_along(runner, kernel, folds);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const DType dtype = plan.buffers[specs[i].buffer].dtype;
    if (catalog::info(specs[i].reduction).kernel == catalog::Reduction::Sum) add_zero(results[i], dtype, cells);
    if (specs[i].reduction == catalog::Reduction::Mean) divide_by_count(results[i], dtype, cells, count);
  }
}

}  // namespace engine::run::interp

// kernels_cuda/fold.cpp - see fold.hpp. Which form for which shape, and in how many pieces; the tree is always the same.
#include "kernels_cuda/fold.hpp"

#include <algorithm>
#include <bit>

namespace engine::cuda {
namespace {

constexpr std::int64_t kTreeBlock = 2048, kRowGroup = 8;
/// Bytes that a multiprocessor should have under way, and what a warp of Along has for each byte of an element: 16 loads a
/// thread. Registers allow for 24 warps, or for 32 of narrow elements; fewer pieces come out even.
constexpr std::int64_t kBytesUnderWay = std::int64_t{64} << 10, kLoadsOfWarp = 16 * 32;
constexpr std::int64_t kFewestWarps = 16, kMostWarps = 32, kThreadsPerMultiprocessor = 1024;
/// A row's pieces are combined by groups of kPieceGroup, and those by one warp; a column's by one thread.
constexpr std::int64_t kMostPiecesOfRow = std::int64_t{kPieceGroup} * kPieceGroup, kMostPiecesOfColumn = 256;
constexpr std::int64_t kMostIndices = std::int64_t{1} << 30;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// n units (tree blocks, groups of rows) in at most `most` pieces: each a subtree, so of a power of two of them.
void cut(FoldRun& run, std::int64_t n, std::int64_t most) {
  const std::int64_t size = ceil_div(n, std::max<std::int64_t>(1, most));
  run.span = static_cast<std::uint32_t>(std::bit_ceil(static_cast<std::uint64_t>(std::min(size, kMostIndices))));
  run.pieces = static_cast<std::uint32_t>(ceil_div(n, run.span));
}

class Folding {
 public:
  Folding(DeviceState& device, const Space& space, const FoldShape& shape, std::span<const DevicePointer> cells,
          std::span<const std::size_t> part_bytes, const FindKernel& find)
      : device_(device), space_(space), shape_(shape), part_bytes_(part_bytes), find_(find) {
    run_.cells.assign(cells.begin(), cells.end());
    run_.length = shape.length;
    run_.items = static_cast<double>(shape.rows) * (shape.lanes_kept ? 1 : static_cast<double>(shape.length));
    layout_.rank = space.rank;
    layout_.wide = space.total > kMostIndices;
    count_axes();
    for (const Operand& operand : space.operands) layout_.accesses.push_back(reach_of(space, operand));
    const bool ends_in_a_run = space.rank > layout_.kept_axes + layout_.row_axes;
    for (std::size_t k = 0; ends_in_a_run && k < space.operands.size(); ++k) {
      const Operand& operand = space.operands[k];
      if (layout_.accesses[k].reach == Reach::Strided && !operand.is_position &&
          operand.strides[space.rank - 1] == static_cast<std::int64_t>(item_size(operand.dtype)))
        layout_.accesses[k].reach = Reach::Row;
    }
  }

  void run() {
    if (shape_.lanes_kept) return columns(Form::Across, shape_.kept * shape_.length);
    if (shape_.rows > 1) {
      for (std::size_t bytes : part_bytes_) run_.row_parts.push_back(allocate(static_cast<std::size_t>(shape_.kept * shape_.rows) * bytes));
      layout_.in_parts = true;
    }
    rows();
    if (shape_.rows == 1) return;
    layout_.in_parts = false;
    columns(Form::Parts, shape_.kept);
  }

 private:
  /// The axes in order make up kept, rows and length; none has an extent of one.
  void count_axes() {
    int axis = 0;
    for (std::int64_t n = 1; n < shape_.kept; ++axis) n *= space_.extents[axis];
    layout_.kept_axes = axis;
    for (std::int64_t n = 1; n < shape_.rows; ++axis) n *= space_.extents[axis];
    layout_.row_axes = axis - layout_.kept_axes;
  }

  DevicePointer allocate(std::size_t bytes) {
    memory_.emplace_back(device_, bytes);
    return memory_.back().address();
  }
  /// Memory for parts of `columns` cells or rows in pieces that are combined by way of `groups`, and for who counts them.
  void make_pieces(std::int64_t columns, std::int64_t groups) {
    layout_.in_pieces = run_.pieces > 1;
    run_.partials.clear();
    if (!layout_.in_pieces) return;
    for (std::size_t bytes : part_bytes_)
      run_.partials.push_back(allocate(static_cast<std::size_t>(columns * (run_.pieces + groups)) * bytes));
    const std::size_t counters = static_cast<std::size_t>(columns * (groups + 1)) * sizeof(unsigned);
    run_.arrived = allocate(counters);
    check(driver().cuMemsetD8Async(run_.arrived, 0, counters, device_.stream()), "clearing counters");
  }
  void launch(std::int64_t threads) {
    const Launchable found = find_(layout_);
    launch_blocks(device_, found.kernel, found.text, layout_, space_, run_, ceil_div(threads, kBlock));
  }

  void rows() {
    const std::int64_t n_rows = shape_.kept * shape_.rows;
    run_.rows = n_rows;
    if (shape_.length <= kShortRow) {
      layout_.form = Form::AlongShort;
      return launch(n_rows);
    }
    layout_.form = Form::Along;
    std::int64_t bytes = 0;
    for (const Operand& operand : space_.operands)
      bytes += operand.value || operand.is_position ? 0 : static_cast<std::int64_t>(item_size(operand.dtype));
    const std::int64_t warps = device_.multiprocessors() *
                               std::clamp(kBytesUnderWay / (std::max<std::int64_t>(bytes, 1) * kLoadsOfWarp), kFewestWarps, kMostWarps);
    cut(run_, ceil_div(shape_.length, kTreeBlock), std::min(kMostPiecesOfRow, ceil_div(warps, n_rows)));
    make_pieces(n_rows, ceil_div(run_.pieces, kPieceGroup));
    launch(n_rows * run_.pieces * 32);
  }

  void columns(Form form, std::int64_t n_columns) {
    layout_.form = form;
    run_.columns = n_columns;
    run_.rows = shape_.rows;
    const std::int64_t threads = device_.multiprocessors() * kThreadsPerMultiprocessor;
    cut(run_, ceil_div(shape_.rows, kRowGroup), std::min(kMostPiecesOfColumn, ceil_div(threads, n_columns)));
    make_pieces(n_columns, 0);
    launch(n_columns * run_.pieces);
  }

  DeviceState& device_;
  const Space& space_;
  const FoldShape& shape_;
  std::span<const std::size_t> part_bytes_;
  const FindKernel& find_;
  Layout layout_;
  FoldRun run_;
  std::vector<Memory> memory_;
};

}  // namespace

void launch_folds(DeviceState& device, const Space& space, const FoldShape& shape, std::span<const DevicePointer> cells,
                  std::span<const std::size_t> part_bytes, const FindKernel& find) {
  Folding(device, space, shape, cells, part_bytes, find).run();
}

}  // namespace engine::cuda

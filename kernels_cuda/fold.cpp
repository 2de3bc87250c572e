// kernels_cuda/fold.cpp - see fold.hpp. Which form for which shape, and in how many pieces; the tree is always the same.
#include "kernels_cuda/fold.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels_cuda/device/tiles.hpp"

namespace engine::cuda {
namespace {

constexpr std::int64_t kWarpsOfBlock = kBlock / 32;
/// The parts of a row's blocks are combined by one block, of which a thread takes eight (combine_in_order).
constexpr std::int64_t kMostPiecesOfRow = std::int64_t{kBlock} * kWarpsOfBlock * 8;
/// Groups of rows that a thread combines of a column: as many as its tree holds. The blocks of a tile of columns that its last one
/// combines without going round more than once.
constexpr std::int64_t kMostSpanOfColumn = std::int64_t{1} << kColumnLevels, kFewBlocksOfTile = 512;
/// Rows for each multiprocessor, and blocks of columns, that need not be cut into pieces.
constexpr std::int64_t kWarpsForRows = 16, kBlocksForColumns = 4;
/// What decides into how many pieces rows and columns are cut (see cut): found by trying on an H200.
struct Cutting {
  double cost;  ///< what a piece takes besides its units, in units
  double tail;  ///< what the last blocks take when the device empties, in waves
};
constexpr Cutting cutting_of_rows(std::int64_t bytes) { return {0.8 / static_cast<double>(bytes), 0.1}; }
constexpr Cutting kCuttingOfColumns{1.5, 0.05};
/// The columns of a tile of Across: full lines of memory.
constexpr std::int64_t kTileWidth = 32;
/// What a thread of Across loads of one row, at most, in bytes; moments fill its registers sooner.
constexpr std::int64_t kMostRowBytes = 32, kMostRowBytesOfMoments = 8, kBytesOfMoments = 16;
/// Rows of AlongShort of more bytes are read by packs.
constexpr std::int64_t kShortRowBytes = 32;
constexpr std::int64_t kMostIndices = std::int64_t{1} << 30;

/// The nearest powers of two, for n > 0.
std::int64_t power_above(std::int64_t n) { return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n))); }
std::int64_t power_below(std::int64_t n) { return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(n))); }

/// Cuts each of `count` rows or tiles of n units (tree blocks, groups of rows) into pieces, of which a block makes `per_block`: each
/// a subtree, so of a power of two of units. What counts is how well blocks fill the device, which holds `at_once` of them, wave
/// after wave. Pieces have `least` to `most` units, powers of two.
void cut(FoldRun& run, std::int64_t n, std::int64_t count, std::int64_t per_block, std::int64_t at_once, Cutting cutting,
         std::int64_t least, std::int64_t most) {
  double best = -1;
  for (std::int64_t span = least; span <= most; span *= 2) {
    const std::int64_t pieces = ceil_div(n, span), blocks = ceil_div(pieces, per_block);
    // Rows and columns that are not cut share blocks.
    const std::int64_t all = pieces > 1 ? count * blocks : ceil_div(count, per_block);
    const double waves = static_cast<double>(all) / static_cast<double>(at_once);
    const double filled = static_cast<double>(count * pieces) / static_cast<double>(all * per_block);
    const auto units = static_cast<double>(span);
    const double rate = waves / (std::ceil(waves) + cutting.tail) * std::sqrt(filled) * units / (units + cutting.cost);
    if (rate >= best) {
      best = rate;
      run.span = static_cast<std::uint32_t>(span);
      run.pieces = static_cast<std::uint32_t>(pieces);
      run.blocks = static_cast<std::uint32_t>(blocks);
    }
    if (pieces == 1) break;
  }
}

class Folding {
 public:
  Folding(DeviceState& device, const Space& space, const FoldShape& shape, const FoldTargets& targets, const FindKernel& find)
      : device_(device), space_(space), shape_(shape), targets_(targets), find_(find) {
    run_.cells = run_.cell_parts = targets.cells;
    run_.length = shape.length;
    run_.items = shape.items();
    layout_.rank = space.rank;
    layout_.wide = space.total > kMostIndices;
    count_axes();
    for (const Operand& operand : space.operands) {
      layout_.accesses.push_back(reach_of(space, operand));
      if (layout_.accesses.back().reach == Reach::Strided && !operand.is_position)
        loaded_ += static_cast<std::int64_t>(item_size(operand.dtype));
    }
    loaded_ = std::max<std::int64_t>(loaded_, 1);
    if (ends_in_a_run()) find_rows(space, layout_);
  }

  void run() {
    layout_.in_parts = targets_.as_parts;
    if (shape_.lanes_kept) return columns(Form::Across, shape_.kept * shape_.length);
    if (shape_.rows == 1) {
      run_.row_parts = targets_.cells;
      return rows();
    }
    for (std::size_t bytes : targets_.part_bytes)
      run_.row_parts.push_back(allocate(static_cast<std::size_t>(shape_.kept * shape_.rows) * bytes));
    layout_.in_parts = true;
    rows();
    layout_.in_parts = targets_.as_parts;
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

  bool ends_in_a_run() const { return space_.rank > layout_.kept_axes + layout_.row_axes; }

  DevicePointer allocate(std::size_t bytes) {
    memory_.emplace_back(device_, bytes);
    return memory_.back().address();
  }
  /// Memory for parts of `cells` cells by `blocks` blocks each, of which `counters` many are counted.
  void make_partials(std::int64_t cells, std::int64_t counters) {
    run_.partials.assign(targets_.part_bytes.size(), 0);
    if (run_.blocks == 1) return;
    for (std::size_t f = 0; f < targets_.part_bytes.size(); ++f)
      run_.partials[f] = allocate(static_cast<std::size_t>(cells * run_.blocks) * targets_.part_bytes[f]);
    run_.arrived = device_.counters(static_cast<std::size_t>(counters));
  }
  /// Blocks of this layout that the device holds.
  std::int64_t blocks_at_once() { return std::int64_t{device_.multiprocessors()} * find_(layout_).kernel.blocks_at_once(); }
  void launch(std::int64_t blocks) {
    const Launchable found = find_(layout_);
    launch_blocks(device_, found.kernel, found.text, layout_, space_, run_, blocks);
  }

  void rows() {
    const std::int64_t n_rows = shape_.kept * shape_.rows;
    run_.rows = n_rows;
    if (shape_.length <= kShortRow) {
      layout_.form = Form::AlongShort;
      // Each thread reads a row of its own: of long rows, the warp's lines of memory outlast few loads.
      if (space_.rank == layout_.kept_axes + layout_.row_axes + 1 && shape_.length * loaded_ > kShortRowBytes)
        choose_packs_of_rows(space_, layout_, kShortRow);
      return launch(ceil_div(n_rows, kBlock));
    }
    for (std::size_t k = 0; space_.rank == layout_.kept_axes + layout_.row_axes + 1 && k < space_.operands.size(); ++k)
      if (is_pack(space_, space_.operands[k], layout_.accesses[k], 2)) layout_.accesses[k].reach = Reach::Pack;
    const auto lane_rows = static_cast<int>(power_above(std::min<std::int64_t>(ceil_div(shape_.length, 64), 8)));
    const auto at_once = static_cast<int>(power_below(std::clamp<std::int64_t>(64 / loaded_, 1, 8)));
    if (shape_.length <= kMiddleRow) {
      layout_.form = Form::AlongMany;
      layout_.width = lane_rows;
      layout_.unroll = std::max(at_once / lane_rows, 1);
      return launch(ceil_div(n_rows, kWarpsOfBlock * layout_.unroll));
    }
    layout_.form = Form::Along;
    layout_.unroll = at_once;
    // A block makes pieces of one row alone: many rows fill the device without.
    layout_.in_pieces = n_rows < device_.multiprocessors() * kWarpsForRows && shape_.length > kTreeBlock;
    if (layout_.in_pieces) {
      const std::int64_t blocks = ceil_div(shape_.length, kTreeBlock);
      cut(run_, blocks, n_rows, kWarpsOfBlock, blocks_at_once(), cutting_of_rows(loaded_), power_above(ceil_div(blocks, kMostPiecesOfRow)),
          kMostIndices);
    }
    layout_.in_pieces = run_.pieces > 1;
    if (!layout_.in_pieces) return launch(ceil_div(n_rows, kWarpsOfBlock));
    run_.chunk = static_cast<std::uint32_t>(power_above(ceil_div(run_.blocks, kBlock)));
    make_partials(n_rows, n_rows);
    launch(n_rows * run_.blocks);
  }

  void columns(Form form, std::int64_t n_columns) {
    layout_.form = form;
    layout_.width = 1;
    layout_.unroll = kRowGroup;
    if (form == Form::Across) {
      const bool has_moments = std::ranges::max(targets_.part_bytes) > kBytesOfMoments;
      const std::int64_t most = has_moments ? kMostRowBytesOfMoments : kMostRowBytes;
      if (ends_in_a_run()) choose_packs_of_rows(space_, layout_, power_below(std::clamp<std::int64_t>(most / loaded_, 1, 4)));
      layout_.unroll = static_cast<int>(std::min<std::int64_t>(shape_.rows, kRowGroup));
      layout_.one_group = shape_.rows <= kRowGroup;
    }
    run_ = {.rows = shape_.rows,
            .length = run_.length,
            .columns = n_columns / layout_.width,
            .items = run_.items,
            .cells = run_.cells,
            .row_parts = run_.row_parts,
            .cell_parts = run_.cell_parts};
    const std::int64_t tile_width = std::min(run_.columns, kTileWidth);
    const std::int64_t tile_depth = power_below(kBlock / tile_width);
    const std::int64_t tiles = ceil_div(run_.columns, tile_width);
    const std::int64_t groups = ceil_div(shape_.rows, kRowGroup);
    const bool is_narrow = ceil_div(run_.columns, kBlock) < device_.multiprocessors() * kBlocksForColumns && groups > 1;
    layout_.in_pieces = is_narrow || groups > kMostSpanOfColumn;
    if (layout_.in_pieces) {
      const std::int64_t least = power_above(ceil_div(groups, tile_depth * kFewBlocksOfTile));
      cut(run_, groups, tiles, tile_depth, blocks_at_once(), kCuttingOfColumns, std::min(least, kMostSpanOfColumn), kMostSpanOfColumn);
    }
    layout_.in_pieces = run_.pieces > 1;
    if (!layout_.in_pieces) return launch(ceil_div(run_.columns, kBlock));
    run_.tile_width = static_cast<std::uint32_t>(tile_width);
    run_.tile_depth = static_cast<std::uint32_t>(tile_depth);
    run_.tiles = static_cast<std::uint32_t>(tiles);
    make_partials(n_columns, tiles);
    launch(tiles * run_.blocks);
  }

  DeviceState& device_;
  const Space& space_;
  const FoldShape& shape_;
  const FoldTargets& targets_;
  const FindKernel& find_;
  Layout layout_;
  FoldRun run_;
  std::int64_t loaded_ = 0;  ///< bytes of one element of each operand in memory, at least one
  std::vector<Memory> memory_;
};

}  // namespace

void launch_folds(DeviceState& device, const Space& space, const FoldShape& shape, const FoldTargets& targets, const FindKernel& find) {
  Folding(device, space, shape, targets, find).run();
}

void launch_merge(DeviceState& device, const Space& space, const FoldTree& tree, std::uint32_t before, bool is_last,
                  const FoldTargets& targets, const FindKernel& find) {
  Layout layout;
  layout.form = Form::Merge;
  layout.rank = space.rank;
  for (const Operand& operand : space.operands) layout.accesses.push_back({.dtype = operand.dtype});
  const Launchable found = find(layout);
  FoldRun run;
  run.columns = tree.cells;
  run.items = tree.items;
  run.pieces = before;
  run.blocks = is_last ? 1 : 0;
  run.cells = targets.cells;
  run.partials = tree.levels;
  run.cell_parts = tree.parts;
  launch_blocks(device, found.kernel, found.text, layout, space, run, ceil_div(tree.cells, kBlock));
}

}  // namespace engine::cuda

// kernels_cuda/emit_fold.cpp - kernels that fold, in the contract's tree: see device/reduce.cuh for its parts.
#include <algorithm>

#include "kernels_cuda/writer.hpp"

namespace engine::cuda {
namespace {

using Kind = Parameter::Kind;

class FoldEmitter : KernelWriter {
 public:
  FoldEmitter(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout)
      : KernelWriter(graph, plan, kernel, layout), folds_(plan.folds_of(kernel)) {}

  KernelText emit() {
    for (std::uint32_t f = 0; f < folds_.size(); ++f) {
      types_ += type_of(f);
      const auto parts = [&](Kind kind, std::string_view name) {
        parameter(kind, fmt::format("Fold{}::Part*", f), fmt::format("{}{}", name, f), 8, f);
      };
      if (layout_.in_pieces || layout_.form == Form::Merge) parts(Kind::Partials, "partials");
      if (layout_.form == Form::Parts || (layout_.in_parts && makes_rows())) parts(Kind::RowParts, "row_parts");
      if (layout_.form == Form::Merge || (layout_.in_parts && !makes_rows())) parts(Kind::CellParts, "cell_parts");
      if (!layout_.in_parts) parameter(Kind::Result, fmt::format("Fold{}::Value*", f), fmt::format("cells{}", f), 8, f);
    }
    if (layout_.in_pieces) parameter(Kind::Arrived, "unsigned*", "arrived", 8);
    if (!layout_.in_parts) parameter(Kind::Items, "double", "items", 8);
    if (layout_.form != Form::Parts && layout_.form != Form::Merge) stride_parameters();
    if (layout_.in_pieces) {
      line("  alignas(16) __shared__ char memory[{}];", kBlock * part_bytes());
      line("  __shared__ bool is_last;");
    }
    switch (layout_.form) {
      case Form::Along:
        along();
        break;
      case Form::AlongMany:
        along_many();
        break;
      case Form::AlongShort:
        along_short();
        break;
      case Form::Across:
        across();
        break;
      case Form::Merge:
        merge();
        break;
      default:
        parts();
        break;
    }
    return assemble(types_);
  }

 private:
  /// The type that device/reduce.cuh works with.
  std::string type_of(std::uint32_t f) const {
    const plan::Fold& fold = folds_[f];
    const DType dtype = plan_.buffers[fold.buffer].dtype;
    const catalog::Reduction primitive = catalog::info(fold.reduction).kernel;
    if (catalog::has_moments(primitive))
      return fmt::format("using Fold{} = Spread<{}, {}>;\n", f, lane_name(dtype), primitive == catalog::Reduction::Nanvar);
    // Sums start from -0.0, the true identity; NumPy's own start from +0.0: one addition at the end.
    std::string value = "x";
    if (primitive == catalog::Reduction::Sum && is_complex(dtype))
      value = "Value{x.re + 0, x.im + 0}";
    else if (primitive == catalog::Reduction::Sum && is_inexact(dtype))
      value = "x + 0";
    if (fold.reduction == catalog::Reduction::Mean)
      value = fmt::format("math::divide({}, math::convert<Value>(count.items > count.ddof ? count.items - count.ddof : 0))", value);
    return fmt::format(
        "struct Fold{} {{\n"
        "  using Value = {};\n"
        "  using Part = Value;\n"
        "  static constexpr bool kHasMoments = false;\n"
        "  ENGINE_LANE static Part combine(Part x, Part y) {{ return static_cast<Part>({}); }}\n"
        "  ENGINE_LANE static Value finish(Part x, Count count) {{ return {}; }}\n"
        "}};\n",
        f, lane_name(dtype), catalog::info(primitive).combine, value);
  }
  bool makes_rows() const { return layout_.form == Form::Along || layout_.form == Form::AlongMany || layout_.form == Form::AlongShort; }
  bool has_moments(std::uint32_t f) const { return catalog::has_moments(catalog::info(folds_[f].reduction).kernel); }

  /// Of the largest part.
  std::size_t part_bytes() const {
    std::size_t most = 0;
    for (std::uint32_t f = 0; f < folds_.size(); ++f)
      most = std::max(most, (has_moments(f) ? 4 : 1) * item_size(plan_.buffers[folds_[f].buffer].dtype));
    return most;
  }

  std::string finished(std::uint32_t f, std::string_view lane = {}) const {
    return fmt::format("Fold{0}::finish(part{0}{3}, Count{{items, {1}, {2}}})", f, folds_[f].ddof, folds_[f].bounded, lane);
  }
  template <class Text>
  void each_fold(Text text) {
    for (std::uint32_t f = 0; f < folds_.size(); ++f) text(f);
  }
  int outer_axes() const { return layout_.kept_axes + layout_.row_axes; }
  int inner_axes() const { return layout_.rank - outer_axes(); }

  /// Declares i<axis> of axes [begin, end) from a number; without axes there is nothing to tell apart.
  void indices(int begin, int end, std::string_view number, std::string_view indent) {
    if (begin == end) return;
    line("{}{} i{} = {};", indent, index_type(), end - 1, number);
    take_apart(begin, end, indent);
  }
  void index_divisors(int begin, int end) {
    for (int axis = begin + 1; axis < end; ++axis) divisor_parameters(axis);
  }

  /// Evaluates the body where `from<k>` and the indices of axes [begin, end) lead; results go to result(f).
  template <class Result>
  void evaluate(std::string_view from, int begin, int end, std::string_view indent, Result result) {
    line("{}{};", indent,
         element(
             [&](std::size_t, std::uint32_t k) {
               const std::string at = place(k, fmt::format("{}{}", from, k), begin, end);
               return is_position(k) ? at : loaded(k, at);
             },
             result));
  }
  /// Calls text(i, k) for each of the body's loads that is more than one element.
  template <class Text>
  void each_load(Text text) {
    for (std::size_t i = 0; i < load_access_.size(); ++i)
      if (!is_single(load_access_[i])) text(i, load_access_[i]);
  }
  bool has_packs() const {
    return std::any_of(load_access_.begin(), load_access_.end(), [&](std::uint32_t k) { return access(k).reach == Reach::Pack; });
  }
  void bases(std::string_view name, std::string_view from, int begin, int end, std::string_view indent) {
    for (std::uint32_t k : used_)
      if (!is_single(k)) line("{}const auto {}{} = {};", indent, name, k, place(k, fmt::format("{}{}", from, k), begin, end));
  }

  // ---- rows ---------------------------------------------------------------------------------------------------------

  void row_parameters() {
    long_parameter(Kind::RowCount, "rows");
    long_parameter(Kind::Length, "length");
    index_divisors(0, outer_axes());
    index_divisors(outer_axes(), layout_.rank);
  }
  void write_row(std::string_view row) {
    each_fold([&](std::uint32_t f) {
      if (layout_.in_parts)
        line("  row_parts{0}[{1}] = part{0};", f, row);
      else
        line("  cells{}[{}] = {};", f, row, finished(f));
    });
  }

  /// Loads neighbours `first` and the next, of n from `start` on, to raw<i>[to] and [to + 1]; where n is even, packs `by_pairs`.
  /// Beyond the end the last ones stand in, and are left out later: so no load waits for a condition.
  void neighbours(std::string_view first, std::string_view n, std::string_view start, std::string_view to, bool by_pairs) {
    const auto is_pair = [&](std::uint32_t k) { return by_pairs && access(k).reach == Reach::Pack; };
    const auto here = [&](std::uint32_t k) { return place(k, fmt::format("b{}", k), outer_axes(), layout_.rank); };
    constexpr std::string_view indent = "            ";
    bool all_are_pairs = true;
    each_load([&](std::size_t, std::uint32_t k) { all_are_pairs &= is_pair(k); });
    if (by_pairs) {
      line("{0}{{\n{0}const unsigned at = {1} < {2} ? {1} : {2} - 2;", indent, first, n);
      indices(outer_axes(), layout_.rank, fmt::format("{}at", start), indent);
      each_load([&](std::size_t i, std::uint32_t k) {
        if (!is_pair(k)) return;
        line("{}const auto pair{} = load_pack<2>(reinterpret_cast<const {}*>({}));", indent, i, lane(k), here(k));
        for (int h = 0; h < 2; ++h) line("{0}raw{1}[{2} + {3}] = pair{1}.at[{3}];", indent, i, to, h);
      });
      line("{}}}", indent);
    }
    if (all_are_pairs) return;
    line("{0}for (unsigned h = 0; h < 2; ++h) {{\n{0}const unsigned at = {1} + h < {2} ? {1} + h : {2} - 1;", indent, first, n);
    indices(outer_axes(), layout_.rank, fmt::format("{}at", start), indent);
    each_load([&](std::size_t i, std::uint32_t k) {
      if (!is_pair(k)) line("{}raw{}[{} + h] = {};", indent, i, to, is_position(k) ? here(k) : loaded(k, here(k)));
    });
    line("{}}}", indent);
  }
  std::string element_of_raw(std::string_view at, std::string_view to) {
    return element([&](std::size_t i, std::uint32_t) { return fmt::format("raw{}[{}]", i, at); },
                   [&](std::size_t f) { return fmt::format("v{}{}", f, to); });
  }

  void along() {
    row_parameters();
    const std::string_view type = index_type();
    line("  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;");
    if (layout_.in_pieces) {
      unsigned_parameter(Kind::Pieces, "pieces");
      unsigned_parameter(Kind::Span, "span");
      unsigned_parameter(Kind::Blocks, "blocks");
      unsigned_parameter(Kind::Chunk, "chunk");
      line("  const unsigned piece = blockIdx.x % blocks * {} + warp;", kBlock / 32);
      line("  const auto row_length = static_cast<{0}>(length), span_length = static_cast<{0}>(span) * kTreeBlock;", type);
      line("  const {} from = piece * span_length;", type);
      line("  const {} to = piece < pieces && row_length - from > span_length ? from + span_length : row_length;", type);
    } else {
      line("  const {0} row = static_cast<{0}>(blockIdx.x) * {1} + warp;", type, kBlock / 32);
      line("  if (row >= rows) return;");
      line("  const {0} from = 0, to = static_cast<{0}>(length);", type);
    }
    each_fold([&](std::uint32_t f) { line("  WarpTree<Fold{0}> tree{0};\n  Fold{0}::Part part{0};", f); });
    if (layout_.in_pieces) line("  if (piece < pieces) {{");
    indices(0, outer_axes(), layout_.in_pieces ? "blockIdx.x / blocks" : "row", "  ");
    bases("b", "p", 0, outer_axes(), "  ");
    line("  unsigned before = 0;");
    line("  for ({} start = from; start < to; start += kTreeBlock) {{", type);
    line("    const unsigned n = to - start < kTreeBlock ? static_cast<unsigned>(to - start) : kTreeBlock;");
    each_fold([&](std::uint32_t f) { line("    {}Block<Fold{}> block{};", has_moments(f) ? "Moment" : "Value", f, f); });
    line("    for (unsigned g = 0; g * kTreeGroup < n; ++g) {{");
    each_fold([&](std::uint32_t f) { line("      Fold{0}::Value v{0}[16];", f); });
    line("#pragma unroll");
    line("      for (unsigned k = 0; k < 8; k += {}) {{", layout_.unroll);
    each_load(
        [&](std::size_t i, std::uint32_t k) { line("        {} raw{}[{}];", is_position(k) ? "long" : lane(k), i, 2 * layout_.unroll); });
    const auto rows_of_lanes = [&](auto body) {
      line("#pragma unroll");
      line("          for (unsigned j = 0; j < {}; ++j) {{", layout_.unroll);
      line("            const unsigned first = g * kTreeGroup + (k + j) * kTreeLanes + 2 * lane;");
      body();
      line("          }}");
    };
    if (has_packs()) {
      line("        if (n % 2 == 0) {{");
      rows_of_lanes([&] { neighbours("first", "n", "start + ", "2 * j", true); });
      line("        }} else {{");
    } else {
      line("        {{");
    }
    rows_of_lanes([&] { neighbours("first", "n", "start + ", "2 * j", false); });
    line("        }}");
    line("#pragma unroll");
    line("        for (unsigned j = 0; j < {}; ++j) {};", 2 * layout_.unroll, element_of_raw("j", "[2 * k + j]"));
    line("      }}");
    each_fold([&](std::uint32_t f) {
      line("      block{0}.add(v{0}, g, n - g * kTreeGroup < kTreeGroup ? n - g * kTreeGroup : kTreeGroup);", f);
    });
    line("    }}");
    each_fold([&](std::uint32_t f) { line("    part{0} = block{0}.finish(n);", f); });
    each_fold([&](std::uint32_t f) { line("    tree{0}.push(part{0}, before);", f); });
    line("    ++before;");
    line("  }}");
    each_fold([&](std::uint32_t f) { line("  part{0} = tree{0}.finish(before);", f); });
    if (layout_.in_pieces) {
      line("  }}");
      line("  const unsigned number = afresh(blockIdx.x), row = number / blocks, block_of_row = number % blocks;");
      line("  const unsigned n_here = pieces - block_of_row * {0} < {0} ? pieces - block_of_row * {0} : {0};", kBlock / 32);
      each_fold([&](std::uint32_t f) {
        line("  part{0} = combine_in_block<Fold{0}>(part{0}, lane == 0 ? warp : {1}, 1, 0, n_here, memory);", f, kBlock);
      });
      line("  if (blocks > 1) {{");
      line("    const unsigned long own = static_cast<unsigned long>(row) * blocks;");
      each_fold([&](std::uint32_t f) { line("    if (threadIdx.x == 0) partials{0}[own + block_of_row] = part{0};", f); });
      line("    if (!is_last_block(arrived + row, blocks, &is_last)) return;");
      line("    const unsigned n = (blocks + chunk - 1) / chunk, from = threadIdx.x * chunk;");
      each_fold([&](std::uint32_t f) {
        line("    if (threadIdx.x < n)");
        line("      part{0} = combine_in_order<Fold{0}>(partials{0} + own + from, blocks - from < chunk ? blocks - from : chunk);", f);
        line("    part{0} = combine_threads<Fold{0}>(part{0}, n, memory);", f);
      });
      line("  }}");
    }
    line("  if ({} != 0) return;", layout_.in_pieces ? "threadIdx.x" : "lane");
    write_row("row");
  }

  void along_many() {
    row_parameters();
    const std::string_view type = index_type();
    const int rows = layout_.unroll, lane_rows = layout_.width;
    line("  const unsigned lane = threadIdx.x % 32, n = static_cast<unsigned>(length);");
    line("  const {0} first_row = (static_cast<{0}>(blockIdx.x) * {1} + threadIdx.x / 32) * {2};", type, kBlock / 32, rows);
    line("  if (first_row >= rows) return;");
    each_load([&](std::size_t i, std::uint32_t k) { line("  {} raw{}[{}];", is_position(k) ? "long" : lane(k), i, 2 * rows * lane_rows); });
    const auto each_row = [&](auto body) {
      line("#pragma unroll");
      line("    for (unsigned r = 0; r < {}; ++r) {{", rows);
      line("      {} any_row = first_row + r < rows ? first_row + r : static_cast<{}>(rows) - 1;", type, type);
      indices(0, outer_axes(), "any_row", "      ");
      bases("b", "p", 0, outer_axes(), "      ");
      line("#pragma unroll");
      line("      for (unsigned k = 0; k < {}; ++k) {{", lane_rows);
      line("        const unsigned first = k * kTreeLanes + 2 * lane;");
      body(fmt::format("2 * (r * {} + k)", lane_rows));
      line("      }}\n    }}");
    };
    if (has_packs()) {
      line("  if (n % 2 == 0) {{");
      each_row([&](const std::string& to) { neighbours("first", "n", "", to, true); });
      line("  }} else {{");
    } else {
      line("  {{");
    }
    each_row([&](const std::string& to) { neighbours("first", "n", "", to, false); });
    line("  }}");
    each_fold([&](std::uint32_t f) { line("  Fold{0}::Value v{0}[{1}][{2}];", f, rows, 2 * lane_rows); });
    line("#pragma unroll");
    line("  for (unsigned r = 0; r < {}; ++r)", rows);
    line("#pragma unroll");
    line("    for (unsigned j = 0; j < {0}; ++j) {1};", 2 * lane_rows, element_of_raw(fmt::format("r * {} + j", 2 * lane_rows), "[r][j]"));
    each_fold([&](std::uint32_t f) { line("  const auto part{0} = fold_rows<Fold{0}, {1}, {2}>(v{0}, n);", f, rows, lane_rows); });
    line("  const {} row = first_row + lane / {};", type, 32 / rows);
    line("  if (lane % {} != 0 || row >= rows) return;", 32 / rows);
    write_row("row");
  }

  void along_short() {
    row_parameters();
    const std::string_view type = index_type();
    line("  const {0} row = static_cast<{0}>(blockIdx.x) * {1} + threadIdx.x;", type, kBlock);
    line("  if (row >= rows) return;");
    indices(0, outer_axes(), "row", "  ");
    bases("b", "p", 0, outer_axes(), "  ");
    // Zeros, though left out later: what has no value at all takes ptxas twice the registers.
    each_fold([&](std::uint32_t f) { line("  Fold{0}::Value v{0}[{1}] = {{}};", f, kShortRow); });
    const int width = layout_.width;
    line("#pragma unroll");
    line("  for (unsigned at = 0; at < {}; at += {})", kShortRow, width);
    line("    if (at < length) {{");
    indices(outer_axes(), layout_.rank, "at", "      ");
    if (width > 1) {
      const auto is_pack = [&](std::uint32_t k) { return access(k).reach == Reach::Pack; };
      each_load([&](std::size_t i, std::uint32_t k) {
        const std::string at = place(k, fmt::format("b{}", k), outer_axes(), layout_.rank);
        if (is_pack(k))
          line("      const auto raw{} = load_pack<{}>(reinterpret_cast<const {}*>({}));", i, width, lane(k), at);
        else
          line("      const auto raw{} = {};", i, loaded(k, at));
      });
      line("#pragma unroll");
      line("      for (unsigned j = 0; j < {}; ++j) {};", width,
           element([&](std::size_t i, std::uint32_t k) { return fmt::format("raw{}{}", i, is_pack(k) ? ".at[j]" : ""); },
                   [](std::size_t f) { return fmt::format("v{}[at + j]", f); }));
    } else {
      evaluate("b", outer_axes(), layout_.rank, "      ", [](std::size_t f) { return fmt::format("v{}[at]", f); });
    }
    line("    }}");
    each_fold([&](std::uint32_t f) { line("  const auto part{0} = short_row<Fold{0}>(v{0}, static_cast<unsigned>(length));", f); });
    write_row("row");
  }

  // ---- columns ------------------------------------------------------------------------------------------------------

  /// What a thread of Across and Parts is for: `width` columns (cells), and a piece of their rows. A block of those in pieces has
  /// TileDepth pieces of each of TileWidth threads' columns.
  void column_of_thread() {
    long_parameter(Kind::Columns, "columns");
    long_parameter(Kind::RowCount, "rows");
    if (layout_.in_pieces) {
      unsigned_parameter(Kind::Pieces, "pieces");
      unsigned_parameter(Kind::Span, "span");
      unsigned_parameter(Kind::Blocks, "blocks");
      unsigned_parameter(Kind::Tiles, "tiles");
      unsigned_parameter(Kind::TileWidth, "tile_width");
      unsigned_parameter(Kind::TileDepth, "tile_depth");
      line("  const unsigned tile = blockIdx.x % tiles, block = blockIdx.x / tiles;");
      line("  const unsigned q = threadIdx.x / tile_width, slot = threadIdx.x % tile_width;");
      line("  const unsigned long thread = static_cast<unsigned long>(tile) * tile_width + slot;");
      line("  const unsigned piece = block * tile_depth + q;");
      line("  const bool is_column = thread < columns && q < tile_depth;");
      line("  const long first = static_cast<long>(piece) * span * 8;");
      line("  const long end = first + static_cast<long>(span) * 8 < rows ? first + static_cast<long>(span) * 8 : rows;");
    } else {
      line("  const unsigned long thread = static_cast<unsigned long>(blockIdx.x) * {} + threadIdx.x;", kBlock);
      line("  if (thread >= columns) return;");
      line("  const long first = 0, end = rows;");
    }
    line("  const auto column = static_cast<{}>(thread) * {};", index_type(), layout_.width);
    each_fold([&](std::uint32_t f) { line("  Fold{0}::Part part{0}[{1}];", f, layout_.width); });
    line("  {}{{", layout_.in_pieces ? "if (is_column && piece < pieces) " : "");
    if (layout_.one_group) return;
    line("  unsigned groups = 0;");
    each_fold([&](std::uint32_t f) { line("  ColumnTree<Fold{0}> tree{0}[{1}];", f, layout_.width); });
  }
  void write_column() {
    const auto each_lane = [&](auto body) {
      line("#pragma unroll");
      line("  for (unsigned j = 0; j < {}; ++j) {{", layout_.width);
      each_fold(body);
      line("  }}");
    };
    if (!layout_.one_group) each_lane([&](std::uint32_t f) { line("    part{0}[j] = tree{0}[j].finish(groups);", f); });
    line("  }}");
    if (layout_.in_pieces) {
      line("  const unsigned n_here = pieces - block * tile_depth < tile_depth ? pieces - block * tile_depth : tile_depth;");
      each_lane([&](std::uint32_t f) {
        line("    part{0}[j] = combine_in_block<Fold{0}>(part{0}[j], q, tile_width, slot, n_here, memory);", f);
      });
      line("  if (blocks > 1) {{");
      const int width = layout_.width;
      each_lane([&](std::uint32_t f) {
        line("    if (is_column && q == 0) partials{0}[(block * columns + thread) * {1} + j] = part{0}[j];", f, width);
      });
      line("  if (!is_last_block(arrived + tile, blocks, &is_last)) return;");
      line("  unsigned n = 0;");
      each_fold([&](std::uint32_t f) {
        line("  n = combine_blocks<Fold{0}, {1}>(part{0}, partials{0} + thread * {1}, columns * {1}, blocks, is_column ? q : tile_depth,",
             f, width);
        line("                                 tile_depth);");
      });
      each_lane(
          [&](std::uint32_t f) { line("    part{0}[j] = combine_in_block<Fold{0}>(part{0}[j], q, tile_width, slot, n, memory);", f); });
      line("  }}");
      line("  if (!is_column || q != 0) return;");
    }
    each_lane([&](std::uint32_t f) {
      if (layout_.in_parts)
        line("    cell_parts{0}[column + j] = part{0}[j];", f);
      else
        line("    cells{}[column + j] = {};", f, finished(f, "[j]"));
    });
  }

  /// A column is numbered by the kept axes and then those of the innermost run; its rows by those between.
  void across() {
    long_parameter(Kind::Length, "length");
    index_divisors(0, layout_.kept_axes);
    index_divisors(layout_.kept_axes, outer_axes());
    index_divisors(outer_axes(), layout_.rank);
    column_of_thread();
    const std::string_view type = index_type();
    const int width = layout_.width, rows = layout_.unroll, last = layout_.rank - 1;
    if (layout_.kept_axes > 0) {
      line("  const {0} kept = column / static_cast<{0}>(length);", type);
      line("  const {0} in_row = column - kept * static_cast<{0}>(length);", type);
    } else {
      line("  const {} in_row = column;", type);
    }
    indices(0, layout_.kept_axes, "kept", "  ");
    indices(outer_axes(), layout_.rank, "in_row", "  ");
    bases("c", "p", 0, layout_.kept_axes, "  ");
    bases("b", "c", outer_axes(), layout_.rank, "  ");
    line("  for (long row = first; row < end; row += {}) {{", rows);
    line("    const unsigned n = end - row < {0} ? static_cast<unsigned>(end - row) : {0};", rows);
    each_fold([&](std::uint32_t f) { line("    Fold{0}::Value v{0}[{1}][{2}];", f, width, rows); });
    each_load(
        [&](std::size_t i, std::uint32_t k) { line("    Pack<{}, {}> raw{}[{}];", is_position(k) ? "long" : lane(k), width, i, rows); });
    line("#pragma unroll");
    line("    for (unsigned k = 0; k < {}; ++k) {{", rows);
    line("      const unsigned at = k < n ? k : n - 1;");
    indices(layout_.kept_axes, outer_axes(), "row + at", "      ");
    each_load([&](std::size_t i, std::uint32_t k) {
      const std::string here = place(k, fmt::format("b{}", k), layout_.kept_axes, outer_axes());
      if (width > 1 && access(k).reach == Reach::Pack)
        return line("      raw{0}[k] = load_pack<{1}>(reinterpret_cast<const {2}*>({3}));", i, width, lane(k), here);
      const std::string lane_at = width == 1 || outer_axes() == layout_.rank ? here
                                  : is_contiguous(k)                         ? fmt::format("{} + j * {}", here, item_size(access(k).dtype))
                                                     : fmt::format("{} + static_cast<long>(j) * s{}_{}", here, k, last);
      line("      for (unsigned j = 0; j < {}; ++j) raw{}[k].at[j] = {};", width, i, is_position(k) ? lane_at : loaded(k, lane_at));
    });
    line("    }}");
    line("#pragma unroll");
    line("    for (unsigned k = 0; k < {}; ++k)", rows);
    line("#pragma unroll");
    line("      for (unsigned j = 0; j < {}; ++j) {};", width,
         element([](std::size_t i, std::uint32_t) { return fmt::format("raw{}[k].at[j]", i); },
                 [](std::size_t f) { return fmt::format("v{}[j][k]", f); }));
    line("#pragma unroll");
    line("    for (unsigned j = 0; j < {}; ++j) {{", width);
    each_fold([&](std::uint32_t f) {
      if (layout_.one_group)
        line("      part{0}[j] = across<Fold{0}>(v{0}[j], n);", f);
      else
        line("      tree{0}[j].push(across<Fold{0}>(v{0}[j], n), groups);", f);
    });
    line("    }}");
    if (!layout_.one_group) line("    ++groups;");
    line("  }}");
    write_column();
  }

  /// Parts of rows, in order in groups of eight: each cell's follow each other.
  void parts() {
    column_of_thread();
    line("  for (long row = first; row < end; row += 8) {{");
    line("    const unsigned n = end - row < 8 ? static_cast<unsigned>(end - row) : 8;");
    each_fold([&](std::uint32_t f) {
      line("    const auto* from{0} = row_parts{0} + static_cast<long>(column) * rows + row;", f);
      line("    Fold{0}::Part each{0}[8];", f);
      line("#pragma unroll");
      line("    for (unsigned k = 0; k < 8; ++k) each{0}[k] = from{0}[k < n ? k : n - 1];", f);
      line("    auto group{0} = each{0}[0];", f);
      line("#pragma unroll");
      line("    for (unsigned k = 1; k < 8; ++k)");
      line("      if (k < n) group{0} = Fold{0}::combine(group{0}, each{0}[k]);", f);
      line("    tree{0}[0].push(group{0}, groups);", f);
    });
    line("    ++groups;");
    line("  }}");
    write_column();
  }

  /// Of parts that come one after the other, each of a power of two of units but the last: see push_part.
  void merge() {
    long_parameter(Kind::Columns, "cells");
    unsigned_parameter(Kind::Pieces, "before");
    unsigned_parameter(Kind::Blocks, "is_last");
    line("  const long cell = static_cast<long>(blockIdx.x) * {} + threadIdx.x;", kBlock);
    line("  if (cell >= cells) return;");
    each_fold([&](std::uint32_t f) {
      line("  const auto part{0} = push_part<Fold{0}>(cell_parts{0}[cell], partials{0} + cell, cells, before, is_last != 0);", f);
      line("  if (is_last != 0) cells{}[cell] = {};", f, finished(f));
    });
  }

  std::span<const plan::Fold> folds_;
  std::string types_;
};

}  // namespace

KernelText emit_folds(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout) {
  return FoldEmitter(graph, plan, kernel, layout).emit();
}

}  // namespace engine::cuda

// kernels_cuda/emit_fold.cpp - kernels that fold, in the contract's tree: see device/reduce.cuh for its parts.
#include <array>

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
      if (layout_.in_pieces) parameter(Kind::Partials, fmt::format("Fold{}::Part*", f), fmt::format("partials{}", f), 8, f);
      if (layout_.in_parts || layout_.form == Form::Parts)
        parameter(Kind::RowParts, fmt::format("Fold{}::Part*", f), fmt::format("row_parts{}", f), 8, f);
      if (!layout_.in_parts) parameter(Kind::Result, fmt::format("Fold{}::Value*", f), fmt::format("cells{}", f), 8, f);
    }
    if (layout_.in_pieces) parameter(Kind::Arrived, "unsigned*", "arrived", 8);
    if (!layout_.in_parts) parameter(Kind::Items, "double", "items", 8);
    if (layout_.form != Form::Parts) stride_parameters();
    switch (layout_.form) {
      case Form::Along:
        along();
        break;
      case Form::AlongShort:
        along_short();
        break;
      case Form::Across:
        across();
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
  bool has_moments(std::uint32_t f) const { return catalog::has_moments(catalog::info(folds_[f].reduction).kernel); }

  std::string finished(std::uint32_t f) const {
    return fmt::format("Fold{0}::finish(part{0}, Count{{items, {1}, {2}}})", f, folds_[f].ddof, folds_[f].bounded);
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

  /// Leaves the parts at `own`; the warp that is the last to do so among `n` takes them all from `all` on, the others are done.
  void combine_pieces(std::string_view own, std::string_view counter, std::string_view all, std::string_view n) {
    line("  {{\n  bool last = false;");
    line("  if (lane == 0) {{");
    each_fold([&](std::uint32_t f) { line("    partials{0}[{1}] = part{0};", f, own); });
    line("    last = is_last(arrived + {}, {});", counter, n);
    line("  }}");
    line("  if (!__shfl_sync(0xffffffffu, last, 0)) return;");
    line("  __syncwarp();  // what thread 0 has waited for is there for all of them");
    line("  __threadfence();");
    each_fold([&](std::uint32_t f) { line("  part{0} = combine_by_warp<Fold{0}>(partials{0} + {1}, {2});", f, all, n); });
    line("  }}");
  }

  void along() {
    row_parameters();
    if (layout_.in_pieces) {
      pieces_parameters();
      unsigned_parameter(Kind::Span, "span");
    }
    const std::string_view type = index_type();
    line("  const unsigned lane = threadIdx.x % 32;");
    line("  {0} row = static_cast<{0}>(blockIdx.x) * {1} + threadIdx.x / 32;", type, kBlock / 32);
    line("  const long n_blocks = (length + {}) / kTreeBlock;", 2047);
    if (layout_.in_pieces) {
      line("  {} piece = row;", type);
      line("  row = divide_index(piece, pieces{});", layout_.wide ? "" : ", pieces_m, pieces_h");
    }
    line("  if (row >= rows) return;");
    if (layout_.in_pieces) {
      line("  const long first_block = static_cast<long>(piece) * span;");
      line("  const long end_block = first_block + span < n_blocks ? first_block + span : n_blocks;");
    } else {
      line("  const long first_block = 0, end_block = n_blocks;");
    }
    indices(0, outer_axes(), "row", "  ");
    bases("b", "p", 0, outer_axes(), "  ");
    each_fold([&](std::uint32_t f) { line("  WarpTree<Fold{0}> tree{0};\n  Fold{0}::Part part{0};", f); });
    line("  for (long block = first_block; block < end_block; ++block) {{");
    line("    const long start = block * kTreeBlock;");
    line("    const unsigned n = length - start < kTreeBlock ? static_cast<unsigned>(length - start) : kTreeBlock;");
    each_fold([&](std::uint32_t f) { line("    {}Block<Fold{}> block{};", has_moments(f) ? "Moment" : "Value", f, f); });
    line("    for (unsigned g = 0; g * kTreeGroup < n; ++g) {{");
    each_fold([&](std::uint32_t f) { line("      Fold{0}::Value v{0}[16];", f); });
    line("#pragma unroll");
    line("      for (unsigned k = 0; k < 16; ++k) {{");
    // Beyond the end the last element stands in, and is left out later: so no load waits for a condition.
    line("        const unsigned here = g * kTreeGroup + k * 32 + lane, at = here < n ? here : n - 1;");
    indices(outer_axes(), layout_.rank, "start + at", "        ");
    evaluate("b", outer_axes(), layout_.rank, "        ", [](std::size_t f) { return fmt::format("v{}[k]", f); });
    line("      }}");
    each_fold([&](std::uint32_t f) {
      line("      block{0}.add(v{0}, g, n - g * kTreeGroup < kTreeGroup ? n - g * kTreeGroup : kTreeGroup);", f);
    });
    line("    }}");
    each_fold([&](std::uint32_t f) { line("    part{0} = block{0}.finish(n);", f); });
    each_fold([&](std::uint32_t f) { line("    tree{0}.push(part{0});", f); });
    line("  }}");
    each_fold([&](std::uint32_t f) { line("  part{0} = tree{0}.finish();", f); });
    if (layout_.in_pieces) {
      line("  const unsigned long groups = (pieces + {}) / {};", kPieceGroup - 1, kPieceGroup);
      line("  const unsigned long slots = row * (pieces + groups), group = piece / {}, first = group * {};", kPieceGroup, kPieceGroup);
      line("  const unsigned n_pieces = pieces - first < {0} ? static_cast<unsigned>(pieces - first) : {0};", kPieceGroup);
      combine_pieces("slots + piece", "row * (groups + 1) + group", "slots + first", "n_pieces");
      line("  if (groups > 1) {{");
      combine_pieces("slots + pieces + group", "row * (groups + 1) + groups", "slots + pieces", "static_cast<unsigned>(groups)");
      line("  }}");
    }
    line("  if (lane != 0) return;");
    write_row("row");
  }

  void along_short() {
    row_parameters();
    const std::string_view type = index_type();
    line("  const {0} row = static_cast<{0}>(blockIdx.x) * {1} + threadIdx.x;", type, kBlock);
    line("  if (row >= rows) return;");
    indices(0, outer_axes(), "row", "  ");
    bases("b", "p", 0, outer_axes(), "  ");
    each_fold([&](std::uint32_t f) { line("  Fold{0}::Value v{0}[{1}];", f, kShortRow); });
    line("#pragma unroll");
    line("  for (unsigned at = 0; at < {}; ++at)", kShortRow);
    line("    if (at < length) {{");
    indices(outer_axes(), layout_.rank, "at", "      ");
    evaluate("b", outer_axes(), layout_.rank, "      ", [](std::size_t f) { return fmt::format("v{}[at]", f); });
    line("    }}");
    each_fold([&](std::uint32_t f) { line("  const auto part{0} = short_row<Fold{0}>(v{0}, static_cast<unsigned>(length));", f); });
    write_row("row");
  }

  // ---- columns ------------------------------------------------------------------------------------------------------

  /// What a thread of Across and Parts is for: a column (a cell), and a piece of its rows.
  void column_of_thread() {
    long_parameter(Kind::Columns, "columns");
    long_parameter(Kind::RowCount, "rows");
    if (layout_.in_pieces) {
      unsigned_parameter(Kind::Pieces, "pieces");
      unsigned_parameter(Kind::Span, "span");
    }
    line("  const unsigned long thread = static_cast<unsigned long>(blockIdx.x) * {} + threadIdx.x;", kBlock);
    if (layout_.in_pieces) {
      line("  const unsigned long piece = thread / columns;");
      line("  const auto column = static_cast<{}>(thread - piece * columns);", index_type());
      line("  if (piece >= pieces) return;");
      line("  const long first = static_cast<long>(piece) * span * 8;");
      line("  const long end = first + static_cast<long>(span) * 8 < rows ? first + static_cast<long>(span) * 8 : rows;");
    } else {
      line("  const auto column = static_cast<{}>(thread);", index_type());
      line("  if (thread >= columns) return;");
      line("  const long first = 0, end = rows;");
    }
    each_fold([&](std::uint32_t f) { line("  PairTree<Fold{0}> tree{0};", f); });
  }
  void write_column() {
    each_fold([&](std::uint32_t f) { line("  auto part{0} = tree{0}.finish();", f); });
    if (layout_.in_pieces) {
      each_fold([&](std::uint32_t f) { line("  partials{0}[piece * columns + column] = part{0};", f); });
      line("  if (!is_last(arrived + column, pieces)) return;");
      each_fold([&](std::uint32_t f) { line("  part{0} = combine_in_order<Fold{0}>(partials{0} + column, columns, pieces);", f); });
    }
    each_fold([&](std::uint32_t f) { line("  cells{}[column] = {};", f, finished(f)); });
  }

  /// A column is numbered by the kept axes and then those of the innermost run; its rows by those between.
  void across() {
    column_of_thread();
    long_parameter(Kind::Length, "length");
    index_divisors(0, layout_.kept_axes);
    index_divisors(layout_.kept_axes, outer_axes());
    index_divisors(outer_axes(), layout_.rank);
    const std::string_view type = index_type();
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
    line("  for (long row = first; row < end; row += 8) {{");
    line("    const unsigned n = end - row < 8 ? static_cast<unsigned>(end - row) : 8;");
    each_fold([&](std::uint32_t f) { line("    Fold{0}::Value v{0}[8];", f); });
    line("#pragma unroll");
    line("    for (unsigned k = 0; k < 8; ++k) {{");
    line("      const unsigned at = k < n ? k : n - 1;");
    indices(layout_.kept_axes, outer_axes(), "row + at", "      ");
    evaluate("b", layout_.kept_axes, outer_axes(), "      ", [](std::size_t f) { return fmt::format("v{}[k]", f); });
    line("    }}");
    each_fold([&](std::uint32_t f) { line("    tree{0}.push(across<Fold{0}>(v{0}, n));", f); });
    line("  }}");
    write_column();
  }

  /// Parts of rows, in order in groups of eight: each cell's follow each other.
  void parts() {
    column_of_thread();
    line("  for (long row = first; row < end; row += 8) {{");
    line("    const long stop = row + 8 < end ? row + 8 : end;");
    each_fold([&](std::uint32_t f) {
      line("    const auto* from{0} = row_parts{0} + static_cast<long>(column) * rows;", f);
      line("    auto group{0} = from{0}[row];", f);
      line("    for (long k = row + 1; k < stop; ++k) group{0} = Fold{0}::combine(group{0}, from{0}[k]);", f);
      line("    tree{0}.push(group{0});", f);
    });
    line("  }}");
    write_column();
  }

  std::span<const plan::Fold> folds_;
  std::string types_;
};

}  // namespace

KernelText emit_folds(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout) {
  return FoldEmitter(graph, plan, kernel, layout).emit();
}

}  // namespace engine::cuda

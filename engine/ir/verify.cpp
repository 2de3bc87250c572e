// ir/verify.cpp - the invariants of graph.hpp. Run after each stage where ENGINE_VERIFY is set.
#include <fmt/format.h>

#include "engine/catalog/type_rule.hpp"
#include "engine/ir/graph.hpp"

namespace engine::ir {

namespace {

template <class Require>
void verify_output(const Graph& g, NodeId id, const Require& require) {
  const OutputSpec& spec = g.outputs[g[id].payload];
  const Node& value = g[g[id].args[0]];
  require(spec.kind != OutputSpec::Kind::Check || (value.rank == 0 && is_integer(value.dtype)), id, "check of what is no integer");
  require(spec.kind != OutputSpec::Kind::Store || spec.slot < g.slots.size(), id, "slot");
  require(spec.kind == OutputSpec::Kind::Store || (spec.target == kNone && !spec.returns_target), id, "target of what is no store");
  if (spec.target == kNone) return;
  require(spec.target < id && g[spec.target].kind == NodeKind::View, id, "target");
  const Node& written = g[g[spec.target].args[0]];
  require(written.kind == NodeKind::Input && written.payload == spec.slot, id, "slot of the target");
}

template <class Require>
void verify_ordered(const Graph& g, NodeId id, const Require& require) {
  using catalog::Form;
  const Node& node = g[id];
  const ReduceSpec& spec = g.reduces[node.payload];
  const auto ordered = static_cast<catalog::Ordered>(node.op);
  const Form form = catalog::info(ordered).form;
  const int most = catalog::info(form).n_arguments;
  require(
      !catalog::info(form).has(catalog::FormFlags::Composed) && node.n_args >= (form == Form::Bincount ? 1 : most) && node.n_args <= most,
      id, "arguments along an axis");
  const Node& arg = g[node.args[0]];
  const int rank = arg.rank;
  require(!is_complex(arg.dtype) || !catalog::info(form).has(catalog::FormFlags::Real), id, "real numbers");
  require(form == Form::Select || catalog::ordered_types(ordered, arg.dtype).accumulator == arg.dtype, id, "accumulator along an axis");
  const DType counted = form == Form::Bincount && node.n_args == 2 ? DType::Float64 : DType::Int64;
  require(node.dtype == (catalog::info(form).has(catalog::FormFlags::Places) ? counted : arg.dtype), id, "dtype along an axis");
  require(spec.rest == 0 || (form == Form::Select && spec.rest < rank), id, "trailing axes");
  require(spec.number >= 0 || form == Form::Partition || form == Form::Argpartition, id, "number");
  require(node.rank == rank_of(g, g.args(node), ordered, spec), id, "rank along an axis");
  const std::uint32_t all = rank == 32 ? 0xffffffffu : (1u << rank) - 1;
  require(!spec.is_flat() || spec.axes == all, id, "axes of all");
  const auto is = [&](int i, DType dtype, int of_rank) {
    const Node& other = g[node.args[static_cast<std::size_t>(i)]];
    return other.dtype == dtype && other.rank == of_rank;
  };
  switch (form) {
    case Form::Select:
      require(g[node.args[1]].dtype == DType::Bool && g[node.args[1]].rank > spec.rest && g[node.args[1]].rank >= rank, id, "condition");
      break;
    case Form::Firsts:
    case Form::Inverse:
      require(is(1, DType::Int64, 1), id, "places along an axis");
      break;
    case Form::Unique:
    case Form::Counts:
      require(rank == 1, id, "sorted elements");
      break;
    case Form::Searchsorted:
      require(rank == 1 && g[node.args[1]].dtype == arg.dtype, id, "sorted elements");
      break;
    case Form::Median:
    case Form::Quantile:
      require(kind(arg.dtype) == Kind::Float && (form == Form::Median || is(1, DType::Float64, 0)), id, "fraction");
      break;
    case Form::Bincount:
      require(arg.dtype == DType::Int64 && (node.n_args == 1 || g[node.args[1]].dtype == DType::Float64), id, "whole numbers");
      break;
    case Form::Histogram:
      require(is(1, DType::Float64, 0) && is(2, DType::Float64, 0), id, "bounds");
      break;
    case Form::Edges:
      require(kind(arg.dtype) == Kind::Float && rank == 0 && is(1, arg.dtype, 0), id, "bounds");
      break;
    default:
      break;
  }
}

}  // namespace

void verify(const Graph& g) {
  const auto require = [&](bool holds, NodeId id, std::string_view what) {
    if (holds) return;
    throw InternalError({.what = fmt::format("the graph is broken at %{}: {}", id, what), .labels = {}, .help = print(g), .text = {}});
  };
  std::size_t outputs = 0;
  for (NodeId id = 0; id < g.nodes.size(); ++id) {
    const Node& node = g[id];
    require(node.rank <= kMaxRank, id, "rank");
    for (int i = 0; i < 3; ++i) {
      require((i < node.n_args) == (node.args[static_cast<std::size_t>(i)] != kNone), id, "number of arguments");
      if (i >= node.n_args) continue;
      require(node.args[static_cast<std::size_t>(i)] < id, id, "an argument comes after its user");
      require(g[node.args[static_cast<std::size_t>(i)]].kind != NodeKind::Output, id, "an output is used as a value");
    }
    switch (node.kind) {
      case NodeKind::Input:
        require(node.payload < g.slots.size(), id, "slot");
        require(node.dtype == g.slots[node.payload].dtype && node.rank == g.slots[node.payload].rank, id, "type of the slot");
        break;
      case NodeKind::Constant:
        require(node.payload < g.values.size() && node.rank == 0 && node.op <= 1, id, "constant");
        break;
      case NodeKind::Apply: {
        const catalog::OpInfo& row = catalog::info(static_cast<catalog::Op>(node.op));
        if (has(row.flags, catalog::Flags::Position)) {
          const std::uint32_t axes = node.payload > kWholePosition ? node.payload - kWholePosition : node.payload;
          require(node.n_args == 0 && axes >= 1 && axes <= kMaxRank && node.rank == axes && node.dtype == DType::Int64, id, "position");
          break;
        }
        const auto loops = catalog::loops(row.rule);
        require(node.n_args == row.arity.count && node.loop < loops.size(), id, "arity or loop");
        require(node.dtype == loops[node.loop].out, id, "result dtype");
        int rank = 0;
        for (int i = 0; i < node.n_args; ++i) {
          const Node& arg = g[node.args[static_cast<std::size_t>(i)]];
          require(arg.dtype == loops[node.loop].in[static_cast<std::size_t>(i)], id, "argument dtype");
          rank = std::max<int>(rank, arg.rank);
        }
        require(rank == node.rank, id, "rank of the arguments");
        break;
      }
      case NodeKind::Cast:
        require(node.n_args == 1 && g[node.args[0]].dtype != node.dtype && g[node.args[0]].rank == node.rank, id, "cast");
        break;
      case NodeKind::View: {
        require(node.n_args == 1 && node.payload < g.views.size() && g[node.args[0]].dtype == node.dtype, id, "view");
        const ViewSpec& spec = g.views[node.payload];
        int consumed = 0, rank = 0;
        for (const ViewItem& item : g.items(spec)) {
          consumed += item.kind != ViewItem::Kind::New;
          rank += item.kind != ViewItem::Kind::Integer;
          require(item.step != 0, id, "step");
          require(!item.is_shift() || item.start != INT64_MIN, id, "offset");
        }
        require(
            spec.transpose ? spec.count == 0 && node.rank == g[node.args[0]].rank : consumed == g[node.args[0]].rank && rank == node.rank,
            id, "items of the view");
        break;
      }
      case NodeKind::Reduce: {
        require(node.n_args > 0 && node.payload < g.reduces.size(), id, "reduction");
        const ReduceSpec& spec = g.reduces[node.payload];
        const int rank = g[node.args[0]].rank;
        require(rank == 32 || spec.axes >> rank == 0, id, "axes");
        if (spec.ordered) {
          require(node.op < catalog::kOrdered, id, "operation along an axis");
          verify_ordered(g, id, require);
          break;
        }
        require(node.n_args == 1, id, "reduction");
        require(g[node.args[0]].dtype == node.dtype, id, "dtype of the reduction");
        require(node.rank == (spec.keepdims ? rank : rank - __builtin_popcount(spec.axes)), id, "rank of the reduction");
        break;
      }
      case NodeKind::Output:
        require(node.n_args == 1 && node.payload < g.outputs.size(), id, "output");
        require(outputs < g.output_nodes.size() && g.output_nodes[outputs] == id, id, "order of outputs");
        ++outputs;
        verify_output(g, id, require);
        break;
    }
  }
  require(outputs == g.output_nodes.size(), 0, "an output is not in the list");
}

}  // namespace engine::ir

// ir/rows.cpp - the axis of the result's rows, followed from the result down to the operands.
#include "engine/ir/rows.hpp"

#include "engine/catalog/op.hpp"

namespace engine::ir {
namespace {

constexpr int kUnknown = -2;

class Rows {
 public:
  explicit Rows(const Graph& graph) : graph_(graph), axis_(graph.nodes.size(), kUnknown), slots_(graph.slots.size(), kUnknown) {}

  std::optional<std::vector<int>> find() {
    if (graph_.output_nodes.size() != 1) return {};
    const Node& output = graph_[graph_.output_nodes[0]];
    if (graph_.outputs[output.payload].kind != OutputSpec::Kind::Result || graph_[output.args[0]].rank == 0) return {};
    want(output.args[0], 0);
    for (NodeId id = output.args[0] + 1; id-- > 0 && fits_;)
      if (axis_[id] != kUnknown) follow(graph_[id], axis_[id]);
    if (!fits_) return {};
    for (int& axis : slots_)
      if (axis == kUnknown) axis = kNoRows;
    return slots_;
  }

 private:
  void want(NodeId id, int axis) { settle(axis_[id], axis); }
  void settle(int& known, int axis) {
    if (known == kUnknown) known = axis;
    fits_ &= known == axis;
  }

  /// What the arguments of a node are wanted by whose rows lie along that axis.
  void follow(const Node& node, int axis) {
    switch (node.kind) {
      case NodeKind::Input:
        return settle(slots_[node.payload], axis);
      case NodeKind::View:
        return want(node.args[0], axis == kNoRows ? kNoRows : through(node, axis));
      case NodeKind::Reduce:
        return follow_reduction(node, axis);
      case NodeKind::Apply:
        if (axis != kNoRows && has(catalog::info(static_cast<catalog::Op>(node.op)).flags, catalog::Flags::Position)) fits_ = false;
        [[fallthrough]];
      default:  // broadcast: axes are told apart from the end
        for (const NodeId arg : graph_.args(node))
          want(arg, std::max(axis == kNoRows ? kNoRows : axis + graph_[arg].rank - node.rank, kNoRows));
    }
  }

  /// The argument's axis that is this one of the view.
  int through(const Node& view, int axis) {
    const ViewSpec& spec = graph_.views[view.payload];
    if (spec.transpose) return view.rank - 1 - axis;
    int from = 0, to = 0;
    for (const ViewItem& item : graph_.items(spec)) {
      if (item.kind == ViewItem::Kind::Integer) {
        ++from;
        continue;
      }
      if (to++ == axis) {
        if (item.kind == ViewItem::Kind::New) return kNoRows;  // of extent one
        fits_ &= item.kind == ViewItem::Kind::Slice && !item.has_start && !item.has_stop && item.step == 1;
        return from;
      }
      if (item.kind != ViewItem::Kind::New) ++from;
    }
    return kNoRows;
  }

  void follow_reduction(const Node& node, int axis) {
    const ReduceSpec& spec = graph_.reduces[node.payload];
    int of_argument = axis;
    if (axis != kNoRows && spec.ordered) {
      fits_ &= node.n_args == 1 && !spec.is_flat() && spec.axis() != axis && graph_[node.args[0]].rank == node.rank;
    } else if (axis != kNoRows && spec.keepdims) {
      if (spec.axes >> axis & 1) of_argument = kNoRows;  // of extent one
    } else if (axis != kNoRows) {
      of_argument = 0;
      for (int kept = axis; (spec.axes >> of_argument & 1) || kept-- > 0;) ++of_argument;
    }
    for (const NodeId arg : graph_.args(node)) want(arg, of_argument);
  }

  const Graph& graph_;
  std::vector<int> axis_;  ///< of each node
  std::vector<int> slots_;
  bool fits_ = true;
};

}  // namespace

std::optional<std::vector<int>> row_axes(const Graph& graph) { return Rows(graph).find(); }

}  // namespace engine::ir

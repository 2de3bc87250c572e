// opt/rewrite.hpp - a graph made anew from another: the passes say what becomes of each node, in ascending order.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <type_traits>

#include "engine/ir/graph.hpp"

namespace engine::opt {

/// Replaces nodes one by one; what nobody uses afterwards is left for prune. `change(graph, id)` is called with the
/// arguments already replaced and returns the node to use instead (itself to keep it); where it takes a third argument, that is the
/// node's number before. New nodes made on the way would
/// break the ascending order, so the graph is copied only when the first change comes.
template <class Change>
ir::Graph rewrite(ir::Graph graph, Change change) {
  using namespace ir;
  std::pmr::memory_resource* memory = graph.nodes.get_allocator().resource();
  Graph out(memory);
  out.text = graph.text;
  out.aliased = graph.aliased;
  out.apart = graph.apart;
  out.slots = graph.slots;
  out.values = graph.values;
  out.views = graph.views;
  out.view_items = graph.view_items;
  out.reduces = graph.reduces;
  std::pmr::vector<NodeId> map(graph.nodes.size(), kNone, memory);
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    std::array<NodeId, 3> args{kNone, kNone, kNone};
    for (std::size_t i = 0; i < node.n_args; ++i) args[i] = map[node.args[i]];
    switch (node.kind) {
      case NodeKind::Input:
        map[id] = out.input(node.payload, node.version, node.span);
        break;
      case NodeKind::Constant:
        map[id] = out.constant(node.dtype, graph.values[node.payload], node.span, node.op != 0);
        break;
      case NodeKind::Apply:
        map[id] = out.apply(static_cast<catalog::Op>(node.op), node.loop, {args.data(), node.n_args}, node.span, node.payload);
        break;
      case NodeKind::Cast:
        map[id] = out.cast(args[0], node.dtype, node.span);
        break;
      case NodeKind::View: {
        const ViewSpec spec = graph.views[node.payload];
        map[id] = out.view(args[0], spec.transpose, graph.items(spec), node.span);
        break;
      }
      case NodeKind::Reduce:
        if (const ReduceSpec spec = graph.reduces[node.payload]; spec.ordered) {
          map[id] = out.order({args.data(), node.n_args}, static_cast<catalog::Ordered>(node.op), spec, node.dtype, node.span);
          break;
        }
        map[id] = out.reduce(args[0], static_cast<catalog::Reduction>(node.op), graph.reduces[node.payload], node.dtype, node.span);
        break;
      case NodeKind::Output: {
        OutputSpec spec = graph.outputs[node.payload];
        if (spec.target != kNone) spec.target = map[spec.target];
        map[id] = out.output(args[0], spec, node.span);
        continue;
      }
    }
    if constexpr (std::is_invocable_v<Change, Graph&, NodeId, NodeId>)
      map[id] = change(out, map[id], id);
    else
      map[id] = change(out, map[id]);
  }
  return out;
}

/// The constant's value if `id` is one.
inline const ir::Value* constant(const ir::Graph& graph, ir::NodeId id) {
  return graph[id].kind == ir::NodeKind::Constant ? &graph.values[graph[id].payload] : nullptr;
}

/// Whether `id` is the constant `number` in its dtype, bit for bit (so 0 is not -0.0).
bool is_number(const ir::Graph& graph, ir::NodeId id, double number);

/// The number that the text has there, as float64; not one of an operand, as another call may have another.
std::optional<double> number_of_text(const ir::Graph& graph, ir::NodeId id);
/// That number, rounded to the dtype.
ir::NodeId add_number(ir::Graph& graph, DType dtype, double number, Span span);

/// The index of the loop that computes `dtype` from itself, or -1.
int loop_of(catalog::Op op, DType dtype);

/// The operation on arguments of the dtype of `like`, in its place.
ir::NodeId apply_like(ir::Graph& graph, catalog::Op op, std::initializer_list<ir::NodeId> args, const ir::Node& like);
/// x * factor for the quotient x / number.
ir::NodeId multiply_instead(ir::Graph& graph, ir::NodeId quotient, double factor);

}  // namespace engine::opt

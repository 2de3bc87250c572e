// plan/hoist.cpp - see hoist.hpp. One walk over the nodes, arguments first.
#include "engine/plan/hoist.hpp"

#include <algorithm>

namespace engine::plan {
namespace {

using ir::Node;
using ir::NodeId;
using ir::NodeKind;

/// In element-operations. A pass over few elements costs a microsecond, and memory as much as an addition.
constexpr unsigned kWorthIt = 4;

unsigned cost_of(const Node& node) {
  if (node.kind != NodeKind::Apply) return 0;
  switch (static_cast<catalog::Op>(node.op)) {
    case catalog::Op::Divide:
    case catalog::Op::Reciprocal:
    case catalog::Op::Sqrt:
      return kWorthIt;
    default:
      return catalog::info(static_cast<catalog::Op>(node.op)).lowering.kind == catalog::Lowering::ByCall ? 2 * kWorthIt : 1;
  }
}

class Finder {
 public:
  Finder(const ir::Graph& graph, std::span<const std::uint32_t> ones, std::pmr::memory_resource* memory)
      : graph_(graph), slots_(ones), found_(memory), at_(graph.nodes.size(), About{}, memory) {}

  Hoisted find() {
    for (NodeId id = 0; id < graph_.nodes.size(); ++id) visit(id);
    // Of one array alone nothing has more elements than another.
    found_.by_extents &= std::ranges::count_if(graph_.slots, [](const ir::Slot& slot) { return slot.rank > 0; }) > 1;
    return std::move(found_);
  }

 private:
  struct About {
    std::uint32_t ones = 0;         ///< axes, from the last, along which there is one element; those that it is without among them
    std::uint8_t cost = 0;          ///< of what is computed for each element
    bool depends_on_where = false;  ///< on the position in the space that it is computed in
  };

  static std::uint32_t beyond(unsigned rank) { return rank >= 32 ? 0 : ~std::uint32_t{0} << rank; }
  static std::uint32_t bit(unsigned axis) { return axis >= 32 ? 0 : std::uint32_t{1} << axis; }

  void visit(NodeId id) {
    const Node& node = graph_[id];
    About& about = at_[id];
    unsigned cost = cost_of(node);
    for (const NodeId arg : graph_.args(node)) {
      about.depends_on_where |= at_[arg].depends_on_where;
      cost += at_[arg].cost;
    }
    about.ones = beyond(node.rank);
    switch (node.kind) {
      case NodeKind::Input:
        about.ones |= slots_[node.payload];
        break;
      case NodeKind::View:
        view(node, about);
        break;
      case NodeKind::Reduce:
        reduce(node, about);
        cost = 0;
        about.depends_on_where = false;
        break;
      case NodeKind::Apply:
        if (has(catalog::info(static_cast<catalog::Op>(node.op)).flags, catalog::Flags::Position)) about.depends_on_where = true;
        [[fallthrough]];
      case NodeKind::Cast:
        cost = elementwise(node, about, cost);
        break;
      case NodeKind::Constant:
      case NodeKind::Output:
        break;
    }
    // Of rank 0 it is computed once as it is.
    about.cost = node.rank == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(cost, 255u));
  }

  unsigned elementwise(const Node& node, About& about, unsigned cost) {
    if (node.n_args) about.ones = ~std::uint32_t{0};
    for (const NodeId arg : graph_.args(node)) about.ones &= at_[arg].ones;
    const auto arrays = std::ranges::count_if(graph_.args(node), [&](NodeId arg) { return graph_[arg].rank > 0; });
    for (const NodeId arg : graph_.args(node)) {
      const About& of = at_[arg];
      if (of.cost < kWorthIt || of.depends_on_where) continue;
      if (arrays > 1) found_.by_extents = true;
      if (of.ones == about.ones) continue;
      if (found_.nodes.empty()) found_.nodes.resize(graph_.nodes.size());
      found_.nodes[arg] = true;
      cost -= of.cost;
    }
    return cost;
  }

  void view(const Node& node, About& about) {
    const ir::ViewSpec& spec = graph_.views[node.payload];
    const About& of = at_[node.args[0]];
    const unsigned from_rank = graph_[node.args[0]].rank;
    if (spec.transpose) {
      for (unsigned axis = 0; axis < node.rank; ++axis) set(about, axis, of, node.rank - 1 - axis);
      return;
    }
    unsigned from = from_rank, to = node.rank;  // axes that are left, from the first one on
    for (const ir::ViewItem& item : graph_.items(spec)) {
      if (item.kind == ir::ViewItem::Kind::New) {
        about.ones |= bit(--to);
        continue;
      }
      --from;
      if (item.kind == ir::ViewItem::Kind::Integer) continue;
      --to;
      if (!item.has_start && !item.has_stop && !item.is_shift()) set(about, to, of, from);
    }
  }
  static void set(About& about, unsigned axis, const About& of, unsigned from) {
    if (of.ones & bit(from)) about.ones |= bit(axis);
  }

  void reduce(const Node& node, About& about) {
    const ir::ReduceSpec& spec = graph_.reduces[node.payload];
    if (spec.ordered) return;
    const About& of = at_[node.args[0]];
    const unsigned rank = graph_[node.args[0]].rank;
    unsigned to = node.rank;
    for (unsigned axis = 0; axis < rank; ++axis) {
      const bool is_gone = (spec.axes & bit(axis)) != 0;
      if (is_gone && !spec.keepdims) continue;
      --to;
      if (is_gone)
        about.ones |= bit(to);
      else
        set(about, to, of, rank - 1 - axis);
    }
  }

  const ir::Graph& graph_;
  std::span<const std::uint32_t> slots_;
  Hoisted found_;
  std::pmr::vector<About> at_;
};

}  // namespace

Hoisted find_hoisted(const ir::Graph& graph, std::span<const std::uint32_t> ones, std::pmr::memory_resource* memory) {
  const auto is_costly = [](const Node& node) { return node.rank > 0 && cost_of(node) >= kWorthIt; };
  if (std::ranges::none_of(graph.nodes, is_costly)) return Hoisted(memory);
  return Finder(graph, ones, memory).find();
}

}  // namespace engine::plan

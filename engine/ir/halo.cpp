// ir/halo.cpp - from the roots downwards: a view moves what is read, everything else reads its arguments where it stands. See halo.hpp.
#include "engine/ir/halo.hpp"

#include <algorithm>

namespace engine::ir {

Footprints footprints(const Graph& graph, std::span<const NodeId> roots, std::pmr::memory_resource* memory) {
  int most = 0;
  for (const Node& node : graph.nodes) most = std::max<int>(most, node.rank);
  Footprints all(graph.nodes.size(), most, memory);
  const auto at = [&](NodeId id, int axis) -> Footprint& { return all.at(id, axis); };
  std::pmr::vector<bool> reached(graph.nodes.size(), false, memory);
  for (const NodeId root : roots) {
    reached[root] = true;
    for (int axis = 0; axis < graph[root].rank; ++axis) at(root, axis).add({.low = 0, .high = 0, .is_read = true});
  }
  constexpr Footprint kWhole{.low = 0, .high = 0, .is_read = true, .is_whole = true};
  for (NodeId id = static_cast<NodeId>(graph.nodes.size()); id-- > 0;) {
    if (!reached[id]) continue;
    const Node& node = graph[id];
    for (const NodeId arg : graph.args(node)) {
      reached[arg] = true;
      const int rank = graph[arg].rank;
      if (node.kind == NodeKind::Reduce) {
        for (int axis = 0; axis < rank; ++axis) at(arg, axis).add(kWhole);
        continue;
      }
      if (node.kind != NodeKind::View) {
        for (int axis = 0; axis < std::min<int>(rank, node.rank); ++axis) at(arg, axis).add(at(id, axis));
        continue;
      }
      const ViewSpec& spec = graph.views[node.payload];
      if (spec.transpose) {
        for (int axis = 0; axis < rank; ++axis) at(arg, axis).add(at(id, rank - 1 - axis));
        continue;
      }
      int from = 0, to = 0;  // axes of the argument and of the view, from the first
      for (const ViewItem& item : graph.items(spec)) {
        if (item.kind == ViewItem::Kind::New) {
          ++to;
          continue;
        }
        Footprint& below = at(arg, rank - 1 - from++);
        if (item.kind == ViewItem::Kind::Integer) {
          below.add(kWhole);
          continue;
        }
        const Footprint& here = at(id, node.rank - 1 - to++);
        const bool is_step = item.kind == ViewItem::Kind::Slice && (item.step != 1 || (item.has_start && item.start < 0));
        below.add(is_step ? kWhole : here, item.start);
      }
    }
  }
  return all;
}

}  // namespace engine::ir

// opt/prune.cpp - drops nodes that no output needs.
// in: verified graph   out: verified graph whose nodes are all reachable from its outputs
#include "engine/opt/pipeline.hpp"
#include "engine/opt/rewrite.hpp"

namespace engine::opt {

void prune(ir::Graph& graph, const Options&) {
  using namespace ir;
  std::pmr::memory_resource* memory = graph.nodes.get_allocator().resource();
  std::pmr::vector<std::uint8_t> live(graph.nodes.size(), 0, memory);
  std::size_t n_live = 0;
  for (NodeId id = static_cast<NodeId>(graph.nodes.size()); id-- > 0;) {
    const Node& node = graph[id];
    if (node.kind == NodeKind::Output) {
      live[id] = 1;
      const NodeId target = graph.outputs[node.payload].target;
      if (target != kNone) live[target] = 1;
    }
    if (!live[id]) continue;
    ++n_live;
    for (NodeId arg : graph.args(node)) live[arg] = 1;
  }
  if (n_live == graph.nodes.size()) return;
  Graph out(memory);
  out.text = graph.text;
  out.aliased = graph.aliased;
  out.apart = graph.apart;
  out.slots = std::move(graph.slots);
  out.values = std::move(graph.values);
  out.views = std::move(graph.views);
  out.view_items = std::move(graph.view_items);
  out.reduces = std::move(graph.reduces);
  out.outputs = std::move(graph.outputs);
  std::pmr::vector<NodeId> map(graph.nodes.size(), kNone, memory);
  out.nodes.reserve(n_live);
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    if (!live[id]) continue;
    Node node = graph[id];
    for (std::size_t i = 0; i < node.n_args; ++i) node.args[i] = map[node.args[i]];
    map[id] = static_cast<NodeId>(out.nodes.size());
    out.nodes.push_back(node);
    if (node.kind != NodeKind::Output) continue;
    out.output_nodes.push_back(map[id]);
    OutputSpec& spec = out.outputs[node.payload];
    if (spec.target != kNone) spec.target = map[spec.target];
  }
  graph = std::move(out);  // its hash table is empty: nothing is added after this
}

}  // namespace engine::opt

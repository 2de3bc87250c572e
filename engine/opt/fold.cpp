// opt/fold.cpp - replaces an operation on constants by its value.
// in: verified graph   out: verified graph, same outputs bit for bit
// Uses the scalar meaning from the catalog, so folding cannot disagree with running.
#include "engine/catalog/evaluate.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/opt/rewrite.hpp"

namespace engine::opt {

void fold(ir::Graph& graph, const Options&) {
  const auto foldable = [](const ir::Graph& g, const ir::Node& node) {
    if (node.kind != ir::NodeKind::Apply && node.kind != ir::NodeKind::Cast) return false;
    if (node.n_args == 0) return false;
    for (ir::NodeId arg : g.args(node))
      if (g[arg].kind != ir::NodeKind::Constant) return false;
    return true;
  };
  bool any = false;
  for (const ir::Node& node : graph.nodes) any = any || foldable(graph, node);
  if (!any) return;
  graph = rewrite(std::move(graph), [&](ir::Graph& g, ir::NodeId id) {
    const ir::Node node = g[id];
    if (!foldable(g, node)) return id;
    ir::Value in[3], out;
    const void* pointers[3] = {};
    bool is_given = false;
    for (std::size_t i = 0; i < node.n_args; ++i) {
      in[i] = g.values[g[node.args[i]].payload];
      pointers[i] = in[i].bytes.data();
      is_given |= g[node.args[i]].op != 0;
    }
    if (node.kind == ir::NodeKind::Cast)
      catalog::cast_scalar(g[node.args[0]].dtype, node.dtype, pointers[0], out.bytes.data());
    else
      catalog::apply_scalar(static_cast<catalog::Op>(node.op), node.loop, pointers, out.bytes.data());
    return g.constant(node.dtype, out, node.span, is_given);
  });
}

}  // namespace engine::opt

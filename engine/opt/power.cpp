// opt/power.cpp - x ** constant as NumPy takes it.
// in: verified graph   out: verified graph with the values NumPy's `array ** scalar` gives
// NumPy 2 replaces exponents 2, 1/2, 1, 0 and -1 of inexact arrays, and 2 of integer ones, by square, sqrt, x, 1 and
// reciprocal, where an operator is written and not a call of power(); the results differ from pow's (sqrt(-0.0) is -0.0), so this is
// meaning, not only speed.
#include "engine/opt/pipeline.hpp"
#include "engine/opt/rewrite.hpp"

namespace engine::opt {

void power(ir::Graph& graph, const Options&) {
  using catalog::Op;
  bool any = false;
  for (const ir::Node& node : graph.nodes)
    any = any || (node.kind == ir::NodeKind::Apply && static_cast<Op>(node.op) == Op::Power && node.payload == 1 &&
                  graph[node.args[1]].kind == ir::NodeKind::Constant);
  if (!any) return;
  graph = rewrite(std::move(graph), [](ir::Graph& g, ir::NodeId id) {
    const ir::Node node = g[id];
    if (node.kind != ir::NodeKind::Apply || static_cast<Op>(node.op) != Op::Power || node.payload != 1) return id;
    const ir::NodeId base = node.args[0], exponent = node.args[1];
    if (!constant(g, exponent)) return id;
    const auto unary = [&](Op op) { return g.apply(op, loop_of(op, node.dtype), {&base, 1}, node.span); };
    if (is_number(g, exponent, 2)) return unary(Op::Square);
    if (!is_inexact(node.dtype)) return id;
    if (is_number(g, exponent, 1)) return base;
    if (is_number(g, exponent, 0.5)) return unary(Op::Sqrt);
    if (is_number(g, exponent, -1)) return unary(Op::Reciprocal);
    return id;
  });
}

}  // namespace engine::opt

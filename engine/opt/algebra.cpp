// opt/algebra.cpp - identities that keep every bit.
// in: verified graph   out: verified graph, same outputs bit for bit (payloads of NaN aside)
#include <array>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <optional>

#include "engine/opt/pipeline.hpp"
#include "engine/opt/rewrite.hpp"

namespace engine::opt {
namespace {

using catalog::Op;

/// op(x, number) -> x. Shapes do not change: the number is a scalar.
struct Neutral {
  Op op;
  double number;
  bool also_left;  // op(number, x) -> x too
  bool floats;     // holds for floats, bit for bit
  bool integers;
  bool complexes;
};
constexpr Neutral kNeutral[] = {
    {Op::Multiply, 1, true, true, true, false},  // (a+bi)*1 makes 0*inf in the textbook formula
    {Op::Divide, 1, false, true, false, false},      {Op::Subtract, 0, false, true, true, true},  // x - 0.0 keeps -0.0
    {Op::Add, -0.0, true, true, true, false},                                                     // x + 0.0 does not
    {Op::FloorDivide, 1, false, false, true, false}, {Op::BitwiseOr, 0, true, false, true, false},
    {Op::BitwiseXor, 0, true, false, true, false},   {Op::LeftShift, 0, false, false, true, false},
    {Op::RightShift, 0, false, false, true, false},  {Op::Power, 1, false, true, true, false},
};

constexpr std::int8_t kNoRule = -1;
/// The rule of each operation.
constexpr std::array<std::int8_t, catalog::kOps> kRuleOf = [] {
  std::array<std::int8_t, catalog::kOps> table{};
  table.fill(kNoRule);
  for (std::size_t i = 0; i < std::size(kNeutral); ++i) table[static_cast<std::size_t>(kNeutral[i].op)] = static_cast<std::int8_t>(i);
  return table;
}();

ir::NodeId simplify(const ir::Graph& g, ir::NodeId id) {
  const ir::Node& node = g[id];
  if (node.kind == ir::NodeKind::Cast) {
    // Widening and narrowing back: the inner cast was exact.
    const ir::Node& inner = g[node.args[0]];
    if (inner.kind == ir::NodeKind::Cast && can_cast_safely(g[inner.args[0]].dtype, inner.dtype)) {
      const DType from = g[inner.args[0]].dtype;
      const bool exact = kind(from) == kind(inner.dtype) || info(from).size < 8;  // 64-bit integers do not fit float64
      if (exact && from == node.dtype) return inner.args[0];
    }
    return id;
  }
  if (node.kind != ir::NodeKind::Apply || node.n_args == 0) return id;
  const auto op = static_cast<Op>(node.op);
  const ir::NodeId x = node.args[0];
  if (node.n_args == 1) {
    const ir::Node& inner = g[x];
    const bool same_op = inner.kind == ir::NodeKind::Apply && inner.op == node.op;
    if (op == Op::Positive && g[x].dtype == node.dtype) return x;
    if ((op == Op::Real || op == Op::Conjugate) && !is_complex(g[x].dtype) && g[x].dtype == node.dtype) return x;
    if (same_op && (op == Op::Negative || op == Op::Invert || op == Op::Conjugate)) return inner.args[0];
    if (same_op && has(catalog::info(op).flags, catalog::Flags::Idempotent)) return x;
    return id;
  }
  if (node.n_args == 3) return id;
  const ir::NodeId y = node.args[1];
  if (x == y && has(catalog::info(op).flags, catalog::Flags::Idempotent)) return x;
  if (g[x].kind != ir::NodeKind::Constant && g[y].kind != ir::NodeKind::Constant) return id;
  const std::int8_t index = kRuleOf[node.op];
  if (index == kNoRule) return id;
  const Neutral& rule = kNeutral[index];
  const Kind k = kind(node.dtype);
  if (k == Kind::Bool || (k == Kind::Float ? !rule.floats : k == Kind::Complex ? !rule.complexes : !rule.integers)) return id;
  if (g[x].dtype == node.dtype && is_number(g, y, rule.number)) return x;
  if (rule.also_left && g[y].dtype == node.dtype && is_number(g, x, rule.number)) return y;
  return id;
}

/// The factor that x / number is the same as, to the bit: of powers of two, whose reciprocals are exact. Only where no call may have
/// another number.
std::optional<double> exact_factor(const ir::Graph& g, ir::NodeId id) {
  const ir::Node& node = g[id];
  if (node.kind != ir::NodeKind::Apply || static_cast<Op>(node.op) != Op::Divide || kind(node.dtype) != Kind::Float) return {};
  if (g[node.args[0]].kind == ir::NodeKind::Constant) return {};
  const std::optional<double> number = number_of_text(g, node.args[1]);
  if (!number) return {};
  int exponent = 0;
  const int limit = node.dtype == DType::Float16 ? 14 : node.dtype == DType::Float32 ? 126 : 1022;  // both are normal numbers then
  if (std::abs(std::frexp(*number, &exponent)) != 0.5 || std::abs(exponent - 1) > limit) return {};
  return 1 / *number;
}

}  // namespace

void algebra(ir::Graph& graph, const Options&) {
  // Simplifying a copy of a few nodes is cheap, copying the graph is not: look first whether anything would change.
  bool any = false;
  for (ir::NodeId id = 0; id < graph.nodes.size() && !any; ++id) any = simplify(graph, id) != id || exact_factor(graph, id);
  if (!any) return;
  graph = rewrite(std::move(graph), [](ir::Graph& g, ir::NodeId id) {
    const ir::NodeId simple = simplify(g, id);
    const std::optional<double> factor = exact_factor(g, simple);  // a product takes a tenth of a division's time
    return factor ? multiply_instead(g, simple, *factor) : simple;
  });
}

}  // namespace engine::opt

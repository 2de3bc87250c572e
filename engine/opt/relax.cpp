// opt/relax.cpp - what exactness="relaxed" allows: quicker operations instead of exact ones.
// in: verified graph   out: verified graph; what was replaced is within 4 ulp of its exact value, and NaN, infinities and signs of zero are
// those of that (but that a quotient within two ulp of the largest number may overflow). The bits are the same on every backend, as the
// graph alone says what is done.
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "engine/catalog/evaluate.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/opt/rewrite.hpp"

namespace engine::opt {
namespace {

using catalog::Op;
using ir::Graph;
using ir::Node;
using ir::NodeId;
using ir::NodeKind;

bool is(const Node& node, Op op) {
  return node.kind == NodeKind::Apply && static_cast<Op>(node.op) == op && (node.dtype == DType::Float32 || node.dtype == DType::Float64);
}

/// The number that a text has there: not one of an operand, as another call may have another.
std::optional<double> number(const Graph& g, NodeId id) {
  const Node& node = g[id];
  if (node.kind != NodeKind::Constant || node.op != 0) return {};
  double value = 0;
  catalog::cast_scalar(node.dtype, DType::Float64, g.values[node.payload].bytes.data(), &value);
  return value;
}

NodeId constant(Graph& g, DType dtype, double number, Span span) {
  ir::Value value{};
  catalog::cast_scalar(DType::Float64, dtype, &number, value.bytes.data());
  return g.constant(dtype, value, span);
}

NodeId apply(Graph& g, Op op, std::initializer_list<NodeId> args, const Node& like) {
  return g.apply(op, loop_of(op, like.dtype), std::span(args.begin(), args.size()), like.span);
}

// ---- powers and quotients ---------------------------------------------------------------------------------------------

/// Products for powers: n - 1 roundings of half an ulp each, of up to an ulp of the result, so 5 is the last one within 4.
constexpr double kLargestPower = 5;

/// Whether 1 / divisor can stand for it: two roundings. Reciprocals that are not normal numbers are less exact than that.
bool has_reciprocal(double divisor, DType dtype) {
  if (dtype == DType::Float32) return std::isnormal(static_cast<float>(divisor)) && std::isnormal(1.0f / static_cast<float>(divisor));
  return std::isnormal(divisor) && std::isnormal(1 / divisor);
}

bool is_power(const Graph& g, const Node& node) {
  if (!is(node, Op::Power)) return false;
  const std::optional<double> exponent = number(g, node.args[1]);
  return exponent && *exponent >= 3 && *exponent <= kLargestPower && *exponent == std::floor(*exponent);
}

bool is_quotient(const Graph& g, const Node& node) {
  if (!is(node, Op::Divide) || g[node.args[0]].kind == NodeKind::Constant) return false;
  const std::optional<double> divisor = number(g, node.args[1]);
  return divisor && has_reciprocal(*divisor, node.dtype);
}

NodeId power_by_products(Graph& g, const Node& node) {
  const NodeId x = node.args[0];
  const int exponent = static_cast<int>(*number(g, node.args[1]));
  const NodeId square = apply(g, Op::Square, {x}, node);
  if (exponent == 3) return apply(g, Op::Multiply, {square, x}, node);
  const NodeId fourth = apply(g, Op::Square, {square}, node);
  return exponent == 4 ? fourth : apply(g, Op::Multiply, {fourth, x}, node);
}

/// Of float32 the reciprocal is the divisor's as float32, as a division would have it.
NodeId product_for_quotient(Graph& g, const Node& node) {
  const double divisor = *number(g, node.args[1]);
  const double reciprocal = node.dtype == DType::Float32 ? static_cast<double>(1.0f / static_cast<float>(divisor)) : 1 / divisor;
  return apply(g, Op::Multiply, {node.args[0], constant(g, node.dtype, reciprocal, g[node.args[1]].span)}, node);
}

// ---- sums of products -------------------------------------------------------------------------------------------------

bool is_product(const Node& node) { return is(node, Op::Multiply) || is(node, Op::Square); }

NodeId minus(Graph& g, NodeId id, const Node& like) {
  if (const std::optional<double> value = number(g, id)) return constant(g, g[id].dtype, -*value, g[id].span);
  return apply(g, Op::Negative, {id}, like);
}

/// x * y + z rounded once, where nobody else needs the product.
NodeId fused(Graph& g, const Node& node, std::size_t product) {
  const Node factors = g[node.args[product]];
  NodeId x = factors.args[0], y = is(factors, Op::Square) ? x : factors.args[1], z = node.args[1 - product];
  if (is(node, Op::Subtract)) {
    if (product == 0)
      z = minus(g, z, node);
    else if (number(g, y) && !number(g, x))
      y = minus(g, y, node);
    else
      x = minus(g, x, node);
  }
  return apply(g, Op::Fma, {x, y, z}, node);
}

/// For each sum the argument that is a product of its own; the second one where both are.
std::pmr::vector<std::int8_t> find_products(const Graph& g) {
  std::pmr::memory_resource* const memory = g.nodes.get_allocator().resource();
  std::pmr::vector<std::uint32_t> uses(g.nodes.size(), 0, memory);
  for (const Node& node : g.nodes)
    for (const NodeId arg : g.args(node)) ++uses[arg];
  std::pmr::vector<std::int8_t> products(g.nodes.size(), -1, memory);
  for (NodeId id = 0; id < g.nodes.size(); ++id) {
    const Node& node = g[id];
    if (!is(node, Op::Add) && !is(node, Op::Subtract)) continue;
    for (std::int8_t i = 0; i < 2; ++i)
      if (const NodeId arg = node.args[static_cast<std::size_t>(i)]; is_product(g[arg]) && uses[arg] == 1) products[id] = i;
  }
  return products;
}

}  // namespace

void relax(Graph& graph, const Options& options) {
  if (options.exactness != Exactness::Relaxed) return;
  graph = rewrite(std::move(graph), [](Graph& g, NodeId id) {
    const Node node = g[id];
    if (is(node, Op::Tan)) return apply(g, Op::FastTan, {node.args[0]}, node);
    if (is_power(g, node)) return power_by_products(g, node);
    return is_quotient(g, node) ? product_for_quotient(g, node) : id;
  });
  prune(graph, options);
  const std::pmr::vector<std::int8_t> products = find_products(graph);
  graph = rewrite(std::move(graph), [&](Graph& g, NodeId id, NodeId before) {
    const Node node = g[id];
    const std::int8_t product = products[before];
    if (product < 0 || !is_product(g[node.args[static_cast<std::size_t>(product)]])) return id;
    return fused(g, node, static_cast<std::size_t>(product));
  });
}

}  // namespace engine::opt

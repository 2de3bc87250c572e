// opt/relax.cpp - what exactness="relaxed" allows: quicker operations instead of exact ones.
// in: verified graph   out: verified graph; what was replaced is within 4 ulp of its exact value, and NaN, infinities and signs of zero are
// those of that (but that a quotient within two ulp of the largest number may overflow). The bits are the same on every backend, as the
// graph alone says what is done.
#include <cmath>
#include <optional>
#include <vector>

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

// ---- powers and quotients ---------------------------------------------------------------------------------------------

/// Products for powers: n - 1 roundings of half an ulp each, of up to an ulp of the result, so 5 is the last one within 4.
constexpr double kLargestPower = 5;

bool is_power(const Graph& g, const Node& node) {
  if (!is(node, Op::Power)) return false;
  const std::optional<double> exponent = number_of_text(g, node.args[1]);
  return exponent && *exponent >= 3 && *exponent <= kLargestPower && *exponent == std::floor(*exponent);
}

/// What x / number is within two roundings of times x: the reciprocal in the dtype, where that is a normal number.
template <class T>
std::optional<double> reciprocal(double divisor) {
  const T number = static_cast<T>(divisor), factor = 1 / number;
  return std::isnormal(number) && std::isnormal(factor) ? std::optional<double>(factor) : std::nullopt;
}
std::optional<double> near_factor(const Graph& g, const Node& node) {
  if (!is(node, Op::Divide) || g[node.args[0]].kind == NodeKind::Constant) return {};
  const std::optional<double> divisor = number_of_text(g, node.args[1]);
  if (!divisor) return {};
  return node.dtype == DType::Float32 ? reciprocal<float>(*divisor) : reciprocal<double>(*divisor);
}

NodeId power_by_products(Graph& g, const Node& node) {
  const NodeId x = node.args[0];
  const int exponent = static_cast<int>(*number_of_text(g, node.args[1]));
  const NodeId square = apply_like(g, Op::Square, {x}, node);
  if (exponent == 3) return apply_like(g, Op::Multiply, {square, x}, node);
  const NodeId fourth = apply_like(g, Op::Square, {square}, node);
  return exponent == 4 ? fourth : apply_like(g, Op::Multiply, {fourth, x}, node);
}

// ---- sums of products -------------------------------------------------------------------------------------------------

bool is_product(const Node& node) { return is(node, Op::Multiply) || is(node, Op::Square); }

NodeId minus(Graph& g, NodeId id, const Node& like) {
  if (const std::optional<double> value = number_of_text(g, id)) return add_number(g, g[id].dtype, -*value, g[id].span);
  return apply_like(g, Op::Negative, {id}, like);
}

/// x * y + z rounded once, where nobody else needs the product.
NodeId fused(Graph& g, const Node& node, std::size_t product) {
  const Node factors = g[node.args[product]];
  NodeId x = factors.args[0], y = is(factors, Op::Square) ? x : factors.args[1], z = node.args[1 - product];
  if (is(node, Op::Subtract)) {
    if (product == 0)
      z = minus(g, z, node);
    else if (number_of_text(g, y) && !number_of_text(g, x))
      y = minus(g, y, node);
    else
      x = minus(g, x, node);
  }
  return apply_like(g, Op::Fma, {x, y, z}, node);
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
    if (is(node, Op::Tan)) return apply_like(g, Op::FastTan, {node.args[0]}, node);
    if (is_power(g, node)) return power_by_products(g, node);
    const std::optional<double> factor = near_factor(g, node);
    return factor ? multiply_instead(g, id, *factor) : id;
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

// opt/pipeline.cpp - the passes, in order, with a word on why each is there.
#include "engine/opt/pipeline.hpp"

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"
#include "engine/opt/rewrite.hpp"

namespace engine::opt {

bool is_number(const ir::Graph& graph, ir::NodeId id, double number) {
  const ir::Value* value = constant(graph, id);
  if (!value) return false;
  ir::Value expected;
  catalog::cast_scalar(DType::Float64, graph[id].dtype, &number, expected.bytes.data());
  return *value == expected;
}

std::optional<double> number_of_text(const ir::Graph& graph, ir::NodeId id) {
  const ir::Value* value = constant(graph, id);
  if (!value || graph[id].op != 0) return {};
  double number = 0;
  catalog::cast_scalar(graph[id].dtype, DType::Float64, value->bytes.data(), &number);
  return number;
}

ir::NodeId add_number(ir::Graph& graph, DType dtype, double number, Span span) {
  ir::Value value{};
  catalog::cast_scalar(DType::Float64, dtype, &number, value.bytes.data());
  return graph.constant(dtype, value, span);
}

int loop_of(catalog::Op op, DType dtype) {
  const std::span<const catalog::Loop> loops = catalog::loops(op);
  for (std::size_t i = 0; i < loops.size(); ++i)
    if (loops[i].in[0] == dtype && loops[i].out == dtype) return static_cast<int>(i);
  return -1;
}

ir::NodeId apply_like(ir::Graph& graph, catalog::Op op, std::initializer_list<ir::NodeId> args, const ir::Node& like) {
  return graph.apply(op, loop_of(op, like.dtype), std::span(args.begin(), args.size()), like.span);
}

ir::NodeId multiply_instead(ir::Graph& graph, ir::NodeId quotient, double factor) {
  const ir::Node node = graph[quotient];
  return apply_like(graph, catalog::Op::Multiply, {node.args[0], add_number(graph, node.dtype, factor, graph[node.args[1]].span)}, node);
}

namespace {

struct Pass {
  std::string_view name;
  void (*run)(ir::Graph& graph, const Options& options);
};

constexpr Pass kPasses[] = {
    {"power", power},      // first: NumPy's choice depends on the exponent as it is written
    {"fold", fold},        // then what is constant
    {"algebra", algebra},  // then what does nothing
    {"relax", relax},      // what the caller allows besides
    {"prune", prune},      // and what nobody needs
};

}  // namespace

ir::Graph optimise(ir::Graph graph, const Options& options, std::vector<PassReport>* report) {
  for (const Pass& pass : kPasses) {
    const std::size_t before = graph.nodes.size();
    const std::string old = report ? ir::print(graph) : std::string();
    pass.run(graph, options);
    if (report) report->push_back({pass.name, before, graph.nodes.size(), ir::print(graph) != old});
  }
  return graph;
}

}  // namespace engine::opt

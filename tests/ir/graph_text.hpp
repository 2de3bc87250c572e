// tests/ir/graph_text.hpp - text and operand types in, graph out: for the tests of ir, opt and plan.
#pragma once

#include <memory>

#include "engine/frontend/parser.hpp"
#include "engine/ir/build.hpp"

namespace engine::ir {

/// "a:float64[2] s:pyfloat n:3" - names with their types; a number is a Python int of that value.
struct Built {
  std::string text;
  std::unique_ptr<frontend::Ast> ast;
  Graph graph{std::pmr::get_default_resource()};
};

inline OperandType operand_type(std::string_view word) {
  OperandType type;
  if (word == "pyfloat") return {.dtype = DType::Float64, .weak = Weak::Float};
  if (word == "pycomplex") return {.dtype = DType::Complex128, .weak = Weak::Complex};
  if (word[0] == '-' || (word[0] >= '0' && word[0] <= '9')) {
    const std::int64_t value = std::stoll(std::string(word));
    return {.dtype = DType::Int64, .weak = Weak::Int, .has_value = true, .negative = value < 0, .value = Value::of(value)};
  }
  const std::size_t bracket = word.find('[');
  type.dtype = dtype_from_name(word.substr(0, bracket)).value();
  type.rank = static_cast<std::uint8_t>(std::stoi(std::string(word.substr(bracket + 1))));
  return type;
}

inline Built build_text(std::string_view text, std::string_view operands, Options options = {}, bool aliased = false) {
  Built built;
  built.text = text;
  built.ast = std::make_unique<frontend::Ast>(frontend::parse(built.text, options.limits));
  std::vector<OperandType> types(built.ast->symbols.size());
  std::unique_ptr<bool[]> present(new bool[types.size() + 1]());
  while (!operands.empty()) {
    const std::size_t space = std::min(operands.find(' '), operands.size());
    const std::string_view item = operands.substr(0, space);
    operands.remove_prefix(std::min(space + 1, operands.size()));
    const std::size_t colon = item.find(':');
    for (std::size_t s = 0; s < types.size(); ++s)
      if (built.ast->symbols[s] == item.substr(0, colon)) {
        present[s] = true;
        types[s] = operand_type(item.substr(colon + 1));
      }
  }
  built.graph = build(*built.ast, types, present.get(), options, aliased, std::pmr::get_default_resource()).graph;
  verify(built.graph);
  return built;
}

/// The dtype and rank of the program's last output.
inline std::string type_of(std::string_view text, std::string_view operands) {
  const Built built = build_text(text, operands);
  const Node& node = built.graph[built.graph.output_nodes.back()];
  return std::string(name(node.dtype)) + "[" + std::to_string(node.rank) + "]";
}

}  // namespace engine::ir

// frontend/names.cpp - the names a program needs from outside.
#include "engine/frontend/parser.hpp"

namespace engine::frontend {

std::pmr::vector<std::uint32_t> free_names(const Ast& ast, bool blitz, std::pmr::memory_resource* memory) {
  std::pmr::vector<bool> bound(ast.symbols.size(), false, memory), free(ast.symbols.size(), false, memory);
  for (const Statement& s : ast.statements) {
    for (std::uint32_t i = s.first_node; i < s.end_node; ++i) {
      const Node& node = ast.nodes[i];
      if (node.kind == Syntax::Name && !bound[node.id]) free[node.id] = true;
    }
    if (s.target == kNone) continue;
    const bool in_place = s.subscripted || s.augmented >= 0 || blitz;
    if (in_place && !bound[s.target])
      free[s.target] = true;
    else
      bound[s.target] = true;
  }
  std::pmr::vector<std::uint32_t> names(memory);
  for (std::uint32_t i = 0; i < free.size(); ++i)
    if (free[i]) names.push_back(i);
  return names;
}

}  // namespace engine::frontend

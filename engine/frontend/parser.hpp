// frontend/parser.hpp - text -> syntax tree.
#pragma once

#include <engine/options.hpp>

#include "engine/frontend/ast.hpp"

namespace engine::frontend {

/// Parses a program (grammar: contract §1, README). The tree borrows `text`.
/// Throws ParseError (text, caret at the token, what was expected), UnknownName (a called name that is no function, the
/// nearest one offered), LimitError (nesting, nodes, names, an integer beyond 64 bits). Long sums do not nest.
Ast parse(std::string_view text, const Limits& limits, std::pmr::memory_resource* memory = std::pmr::get_default_resource());
/// Of a stencil: what is called and is no function is read at an offset, `a(i-1, j)` being `a[-1, 0]`.
Ast parse_stencil(std::string_view text, const Limits& limits, std::pmr::memory_resource* memory = std::pmr::get_default_resource());

/// The names a caller must give: read before any statement binds them, or written in place (subscripted or augmented
/// target). Indices into ast.symbols, ascending. pi, e, inf, nan are left in when they occur.
std::pmr::vector<std::uint32_t> free_names(const Ast& ast, bool blitz, std::pmr::memory_resource* memory);

/// The tree as text that parses to the same tree: minimal parentheses, canonical spacing.
std::string print(const Ast& ast);
/// One subtree.
std::string print(const Ast& ast, NodeId node);
/// The tree as an indented listing, for ENGINE_DUMP=ast.
std::string dump(const Ast& ast);

}  // namespace engine::frontend

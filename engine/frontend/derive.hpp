// frontend/derive.hpp - a program's derivative, as a program.
#pragma once

#include <engine/options.hpp>
#include <string>
#include <string_view>

#include "engine/frontend/ast.hpp"

namespace engine::frontend {

/// Text of a program whose value is the derivative of `ast`'s value as every element of `wrt` grows alike: elementwise the
/// partial derivative, under a sum the sum of them. Statements before the last stay; what the derivative needs of them
/// it names. Derivatives are the catalog's cells, carried forward by the chain rule (Wengert, CACM 1964), zeros and ones
/// dropped and literals folded on the way.
/// Throws ParseError where no derivative is known (gamma), or the program writes into operands; LimitError where the
/// text would grow beyond `limits.nodes`; UnknownName where the program does not use `wrt`.
std::string gradient(const Ast& ast, std::string_view wrt, const Limits& limits);

}  // namespace engine::frontend

// ir/build.hpp - syntax tree + dtypes and ranks of the operands -> typed graph. Every type error is found here.
#pragma once

#include "engine/frontend/ast.hpp"
#include "engine/ir/graph.hpp"
#include "engine/ir/stencil.hpp"

namespace engine::ir {

/// A caller's operand as typing sees it. Python ints and bools (and NumPy integer scalars used as slice bounds or axes)
/// carry their value: the graph is specialised on it. Python floats and complexes are read at run time unless an
/// operation among weak scalars, a bound, or an axis needs the value; Signature then says so (see `needs_value`).
struct OperandType {
  DType dtype = DType::Float64;
  std::uint8_t rank = 0;
  Weak weak = Weak::No;
  bool has_value = false;  ///< `value` is known and is baked into the graph; of Int: see `negative`
  bool negative = false;   ///< Weak::Int: value holds the int64 (else the uint64)
  Value value{};
  friend bool operator==(const OperandType&, const OperandType&) = default;
};

/// Thrown (and caught by evaluate.cpp) when the value of symbol `symbol` is needed to build the graph: the caller reads
/// the scalar, sets has_value and builds again. Not an engine::Error.
struct NeedsValue {
  std::uint32_t symbol;
};

/// operands[i] belongs to ast.symbols[i]; nullptr-like absence is given by `present[i] == false` (then the name must be
/// bound by a statement, a constant, or is an UnknownName). Slots are numbered: first all present symbols that occur as
/// operands, in symbol order - slot_of_symbol[i] gives the slot or kNone - then locals.
/// `aliased`: see Graph::aliased; a Store then advances the version of every slot.
struct BuildResult {
  explicit BuildResult(std::pmr::memory_resource* memory) : graph(memory), slot_of_symbol(memory) {}
  Graph graph;
  std::pmr::vector<std::uint32_t> slot_of_symbol;
  StencilTargets targets;  ///< of a stencil; their slots follow those of the names
};
/// `stencil`: subscripts are offsets, and statements are one simultaneous update. Null otherwise.
BuildResult build(const frontend::Ast& ast, std::span<const OperandType> operands, const bool* present, const Options& options,
                  bool aliased, std::pmr::memory_resource* memory, const StencilSpec* stencil = nullptr);

}  // namespace engine::ir

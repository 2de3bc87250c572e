// ir/rows.hpp - whether a program can be taken apart along the first axis of its result.
#pragma once

#include <optional>
#include <vector>

#include "engine/ir/graph.hpp"

namespace engine::ir {

/// An operand without such an axis: each part of the result needs all of it.
inline constexpr int kNoRows = -1;

/// For each slot the axis along which a part of the first axis of the result needs that part alone, where the operand is not of extent one
/// there. Nothing where there is no such way: where operands are written, a row needs other rows, or all of an operand besides its own.
std::optional<std::vector<int>> row_axes(const Graph& graph);

}  // namespace engine::ir

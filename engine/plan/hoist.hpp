// plan/hoist.hpp - parts of an expression that many elements of a larger space have in common, which are computed once.
#pragma once

#include <memory_resource>
#include <span>
#include <vector>

#include "engine/ir/graph.hpp"

namespace engine::plan {

/// What each node is to be, and what that was found by.
struct Hoisted {
  explicit Hoisted(std::pmr::memory_resource* memory) : nodes(memory) {}
  std::pmr::vector<bool> nodes;  ///< to be computed first and kept; empty: none
  bool by_extents = false;       ///< other `ones` might give another answer
};

/// An argument is hoisted where it has one element along an axis (or is without it) along which what takes it has more, and takes long
/// enough to be worth a pass of its own: exp(x[:, None])*y. `ones`: of each slot, bit i: its axis i, counted from the last, has one
/// element where some operand has more.
Hoisted find_hoisted(const ir::Graph& graph, std::span<const std::uint32_t> ones, std::pmr::memory_resource* memory);

}  // namespace engine::plan

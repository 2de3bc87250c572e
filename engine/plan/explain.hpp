// plan/explain.hpp - a plan and its binding as JSON. The form in words is in plan.hpp: it needs no binding.
#pragma once

#include <string>

#include "engine/plan/traffic.hpp"

namespace engine::plan {

/// The members of an object that holds the figures.
std::string json_traffic(const Traffic& traffic);
/// Arrays of objects: kernels in the order they run, with instructions and figures; buffers with dtype and shape.
/// slots[i] is the operand of slot i.
std::string json_kernels(const ir::Graph& graph, const Plan& plan, const Binding& binding);
std::string json_buffers(const ir::Graph& graph, const Plan& plan, std::span<const Operand* const> slots, const Binding& binding);

}  // namespace engine::plan

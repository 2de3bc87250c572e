// run/executor.hpp - walks a bound plan: kernels in order, checks between them.
#pragma once

#include <span>

#include "engine/plan/bind.hpp"
#include "engine/run/interp/compile.hpp"
#include "engine/run/ordered/ordered.hpp"

namespace engine::run {

/// codes[i] belongs to plan.kernels[i]. Throws RangeError where a check fails, OutOfMemory; allocates no memory that
/// outlives the call. Gives the number of threads used.
int execute(const ir::Graph& graph, const plan::Plan& plan, std::span<const interp::Code> codes, plan::Binding& binding,
            const RunOptions& options);

/// Throws RangeError where the value, of that dtype, is below zero.
void check_not_negative(const ir::Graph& graph, const plan::Action& action, DType dtype, const void* value);

/// Predicted seconds by `threads` threads.
double seconds(const plan::Plan& plan, std::span<const interp::Code> codes, const plan::Binding& binding, int threads) noexcept;
/// Predicted microseconds of one thread, for so many elements of so many element-operations and bytes each.
double microseconds_of(double elements, double cost, double bytes) noexcept;
/// Predicted element-operations.
double work(const plan::Plan& plan, std::span<const interp::Code> codes, const plan::Binding& binding) noexcept;

/// Elements of all that a step does, for who wants to know how far it is; and those alone that are put in order.
std::int64_t elements_of(const plan::Binding::Step& step, const plan::Binding& binding) noexcept;
std::int64_t ordered_elements_of(const plan::Binding::Step& step, const plan::Binding& binding) noexcept;

/// Of steps [first, end), about to be done: where those end that would have to be undone if a value, or a shape, is refused.
std::size_t at_risk(const plan::Binding& binding, std::size_t first, std::size_t end) noexcept;

/// As the error of an operation along an axis.
[[noreturn]] void refuse(const ir::Graph& graph, const plan::Action& action, const ordered::Refused& refused);

}  // namespace engine::run

// kernels_cuda/body.hpp - the body of a kernel as a function of one element.
#pragma once

#include <string>
#include <vector>

#include "engine/plan/plan.hpp"

namespace engine::cuda {

/// `element`: takes what is loaded and gives what is stored or folded, by reference.
struct Body {
  std::string text;                    ///< functions of operations, and the function `element`
  std::vector<std::uint32_t> loads;    ///< instructions that are parameters, in order: Load and Position
  std::vector<std::uint32_t> given;    ///< instructions that are parameters, after those: constants that an operand gave
  std::vector<std::uint32_t> results;  ///< instructions that are results, in order: of stores, then of folds
  bool has_complex = false, has_half = false;
};

Body body_of(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel);

/// A value of that dtype as an expression.
std::string literal(DType dtype, const ir::Value& value);

}  // namespace engine::cuda

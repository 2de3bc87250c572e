// functions.cpp - the catalog as read-only data for users, and the version.
#include <engine/evaluate.hpp>

#include "engine/catalog/op.hpp"

namespace engine {

std::string_view version() noexcept { return ENGINE_VERSION; }

std::size_t n_functions() noexcept { return catalog::kOps + catalog::kReductions; }

Function function(std::size_t index) noexcept {
  if (index < catalog::kOps) {
    const catalog::OpInfo& row = catalog::operations()[index];
    return {row.name(), row.arity.names, row.sentence, row.oracle.numpy, row.oracle.ulp, "elementwise"};
  }
  const catalog::ReductionInfo& row = catalog::reductions()[index - catalog::kOps];
  return {row.name, "x, axis=None, keepdims=False", row.sentence, row.oracle.numpy, row.oracle.ulp, "reduction"};
}

}  // namespace engine

// functions.cpp - the catalog as read-only data for users, and what this build is.
#include <engine/backend.hpp>
#include <engine/functions.hpp>

#include <algorithm>
#include <vector>

#include "engine/catalog/op.hpp"
#include "engine/run/interp/kernels.hpp"

namespace engine {

std::string_view version() noexcept { return ENGINE_VERSION; }

std::string_view compiler() noexcept {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "an unknown compiler";
#endif
}

std::string_view instruction_set() noexcept { return run::interp::instruction_set(); }
bool fused_multiply_add() noexcept { return run::interp::fused_multiply_add(); }

namespace {

/// Rows in the order of the tables: operations, reductions, operations along an axis, derived functions, casts, constants.
constexpr std::size_t kReductionsFrom = catalog::kOps;
constexpr std::size_t kOrderedFrom = kReductionsFrom + catalog::kReductions;
constexpr std::size_t kDerivedFrom = kOrderedFrom + catalog::kOrdered;
constexpr std::size_t kCastsFrom = kDerivedFrom + catalog::kDerived;
constexpr std::size_t kConstantsFrom = kCastsFrom + kDTypes;

/// What follows the first of several names.
std::string_view aliases_of(std::string_view names) {
  const std::size_t bar = names.find('|');
  return bar == std::string_view::npos ? std::string_view{} : names.substr(bar + 1);
}

}  // namespace

std::size_t n_functions() noexcept { return kConstantsFrom + catalog::constants().size(); }

Function function(std::size_t index) noexcept {
  if (index < kReductionsFrom) {
    const catalog::OpInfo& row = catalog::operations()[index];
    // Of clip all three are shown: each of its bounds may be left out, but not both.
    const std::string_view arguments = row.id == catalog::Op::Clip ? row.arity.names : catalog::parameters(row);
    return {row.name(),         arguments,       row.sentence,
            row.oracle.numpy,   row.oracle.ulp,  "elementwise",
            row.oracle.low,     row.oracle.high, aliases_of(row.spelling.names),
            row.spelling.symbol};
  }
  if (index < kOrderedFrom) {
    const catalog::ReductionInfo& row = catalog::reductions()[index - kReductionsFrom];
    return {row.name,    catalog::parameters(row), row.sentence,   row.oracle.numpy, row.oracle.ulp,
            "reduction", row.oracle.low,           row.oracle.high};
  }
  if (index < kDerivedFrom) {
    const catalog::OrderedInfo& row = catalog::ordered()[index - kOrderedFrom];
    return {row.name, row.parameters, row.sentence, row.oracle.numpy, row.oracle.ulp, "ordered", row.oracle.low, row.oracle.high};
  }
  if (index < kCastsFrom) {
    const catalog::DerivedInfo& row = catalog::derived()[index - kDerivedFrom];
    const bool reduces = row.parameters.find("axis") != std::string_view::npos;
    return {row.name,       row.parameters, row.sentence, row.oracle.numpy, row.oracle.ulp, reduces ? "reduction" : "elementwise",
            row.oracle.low, row.oracle.high};
  }
  if (index < kConstantsFrom) {
    const std::string_view dtype = info(static_cast<DType>(index - kCastsFrom)).name;
    return {dtype, "x", "x converted to the dtype of that name, as astype does.", dtype, 0, "cast"};
  }
  const catalog::ConstantInfo& row = catalog::constants()[index - kConstantsFrom];
  return {row.name, "", row.sentence, row.name, 0, "constant"};
}

std::span<const Function> functions() {
  static const std::vector<Function> rows = [] {
    std::vector<Function> list;
    for (std::size_t i = 0; i < n_functions(); ++i) list.push_back(function(i));
    return list;
  }();
  return rows;
}

const Function* find_function(std::string_view name) {
  for (const Function& row : functions()) {
    if (row.name == name) return &row;
    for (std::string_view rest = row.aliases; !rest.empty();) {
      const std::size_t bar = std::min(rest.find('|'), rest.size());
      if (rest.substr(0, bar) == name) return &row;
      rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
  }
  return nullptr;
}

}  // namespace engine

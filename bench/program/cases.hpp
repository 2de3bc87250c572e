// bench/program/cases.hpp - the expressions that engine-bench measures, one row each.
#pragma once

#include <engine/engine.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engine::bench {

/// Names of operands say what they are, of about n items of the run's dtype: a b c vectors; m a vector of bools; A B squares; r a row
/// and k a column of those.
struct Case {
  std::string_view name, text, operands;
  bool only_floats;  ///< not measured over integers
};
std::span<const Case> cases();

/// An operand with its memory on the host.
struct Input {
  std::string name;
  Array array;
};
/// The same values on every run; numbers from 0.5 to 1.5, of integers from 0 to 9.
std::vector<Input> inputs(const Case& each, std::int64_t n, DType dtype);

}  // namespace engine::bench

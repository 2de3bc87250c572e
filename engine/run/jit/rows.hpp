// run/jit/rows.hpp - the steps of one row -> those of several rows that are computed together.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/run/interp/compile.hpp"

namespace engine::run::jit {

/// What machine code does with one row. Values are numbered as in interp::Segment.
struct OneRow {
  std::span<const interp::Step> steps;
  std::span<const DType> dtypes;
  std::span<const char> is_uniform;
  std::span<const std::uint32_t> outs;
  std::span<const interp::Machine::Reach> ins;  ///< what it reads
};

/// What it does with several. Value v of row r has number r * n + v, n being the values of one row; what is the same in all rows has
/// that of row 0.
struct JoinedRows {
  std::vector<interp::Step> steps;
  std::vector<DType> dtypes;
  std::vector<std::int8_t> steps_between;
  std::unique_ptr<bool[]> is_uniform;
  std::vector<std::uint32_t> outs;
};

/// Operands lie as `lie` says; `neighbours`: of each of `one.ins`, or none of a single row. What several rows read is read once, and what
/// two rows compute of the same operands, as the text groups them, is computed once.
JoinedRows join_rows(const OneRow& one, const interp::Lie& lie, int rows, std::span<const interp::Neighbour> neighbours);

}  // namespace engine::run::jit

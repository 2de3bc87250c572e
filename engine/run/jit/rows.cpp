// run/jit/rows.cpp - see rows.hpp.
#include "engine/run/jit/rows.hpp"

#include <algorithm>

namespace engine::run::jit {
namespace {

/// Gives operands of several rows that are the same memory one place. `places`: of each row's values.
void join_places(const OneRow& one, std::size_t rows, std::span<const interp::Neighbour> neighbours, std::vector<std::uint32_t>& places) {
  struct Seen {
    std::uint32_t of;
    std::int64_t row;
    std::uint32_t place;
  };
  std::vector<Seen> seen;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < one.ins.size(); ++i) {
      const auto [of, apart] = neighbours[i];
      std::uint32_t& place = places[row * one.dtypes.size() + one.ins[i].value];
      const std::int64_t at = apart == interp::kStill ? 0 : static_cast<std::int64_t>(row) + apart;
      const auto same = std::ranges::find_if(seen, [&](const Seen& s) { return s.of == of && s.row == at; });
      if (same == seen.end())
        seen.push_back({of, at, place});
      else
        place = same->place;
    }
}

}  // namespace

JoinedRows join_rows(const OneRow& one, const interp::Lie& lie, int n_rows, std::span<const interp::Neighbour> neighbours) {
  const std::size_t n = one.dtypes.size(), rows = static_cast<std::size_t>(n_rows);
  // Of what is the same along a row, cells differ from row to row.
  std::vector<char> is_cell(n, 0);
  std::vector<std::int8_t> between(n, 1);
  for (std::size_t i = 0; i < one.ins.size(); ++i) {
    const std::uint32_t value = one.ins[i].value;
    is_cell[value] = lie.cells >> i & 1u;
    if (lie.others >> i & 1u) between[value] = 2;
    if (lie.backward >> i & 1u) between[value] = -1;
  }
  const auto place = [&](std::size_t row, std::uint32_t value) {
    return static_cast<std::uint32_t>(one.is_uniform[value] ? value : row * n + value);
  };
  JoinedRows made{.steps = {}, .dtypes = {}, .steps_between = {}, .is_uniform = std::unique_ptr<bool[]>(new bool[rows * n]), .outs = {}};
  std::vector<std::uint32_t> places;
  for (std::size_t row = 0; row < rows; ++row) {
    made.dtypes.insert(made.dtypes.end(), one.dtypes.begin(), one.dtypes.end());
    made.steps_between.insert(made.steps_between.end(), between.begin(), between.end());
    for (std::uint32_t value = 0; value < n; ++value) {
      made.is_uniform[row * n + value] = one.is_uniform[value] || is_cell[value];
      places.push_back(place(row, value));
    }
    for (const std::uint32_t out : one.outs) made.outs.push_back(place(row, out));
  }
  if (rows > 1) join_places(one, rows, neighbours, places);
  for (std::size_t row = 0; row < rows; ++row)
    for (interp::Step step : one.steps) {
      for (std::uint8_t k = 0; k < step.n_in; ++k) step.in[k] = places[row * n + step.in[k]];
      const auto is_same = [&](const interp::Step& other) {
        return other.n_in == step.n_in && other.meaning == step.meaning && other.in == step.in &&
               made.dtypes[other.out] == made.dtypes[step.out];
      };
      const bool is_out = std::ranges::find(one.outs, step.out) != one.outs.end();
      const auto same = row && !is_out ? std::ranges::find_if(made.steps, is_same) : made.steps.end();
      if (same != made.steps.end()) {
        places[row * n + step.out] = same->out;
        continue;
      }
      step.out = places[row * n + step.out];
      made.steps.push_back(step);
    }
  return made;
}

}  // namespace engine::run::jit

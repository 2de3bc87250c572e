// by_rows.hpp - what has no room on a device as a whole, by rows of its result.
#pragma once

#include "engine/program.hpp"
#include "engine/run/backend.hpp"

namespace engine {

/// As many rows of the result's first axis at once as find room, each with what it needs of the operands. False, and nothing has happened,
/// where parts of the result cannot be computed one after the other. Throws what execute() throws, OutOfMemory where a few rows are too
/// much.
bool run_by_rows(Execution::State& s, const run::Executable& executable, const RunOptions& how);

}  // namespace engine

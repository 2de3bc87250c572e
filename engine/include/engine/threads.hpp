// engine/threads.hpp - how many threads evaluations use. Results are the same bits for any number.
#pragma once

#include <engine/export.hpp>

namespace engine ENGINE_API {

/// Threads an evaluation may use where its options say 0: what set_num_threads was given, else ENGINE_NUM_THREADS, else
/// the CPUs this process may use (affinity mask and control-group quota). Small work is done by the caller alone.
///
///     num_threads() == 2
int num_threads() noexcept;

/// For the whole process; 0 goes back to the default.
///
///     set_num_threads(2);
void set_num_threads(int n) noexcept;

}  // namespace engine ENGINE_API

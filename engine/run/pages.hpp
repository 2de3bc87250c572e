// run/pages.hpp - the part of the pool of pages (engine/memory.hpp) that executions see.
#pragma once

#include <cstddef>

namespace engine::run {

/// Gives back what has lain idle for long. Costs one load where nothing is idle.
void trim_old_pages() noexcept;
/// Gives back all that is idle, and says how many bytes that was.
std::size_t trim_pages() noexcept;

}  // namespace engine::run

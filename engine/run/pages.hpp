// run/pages.hpp - the part of the pool of pages (engine/memory.hpp) that executions see.
#pragma once

namespace engine::run {

/// Gives back what has lain idle for long. Costs one load where nothing is idle.
void trim_old_pages() noexcept;

}  // namespace engine::run

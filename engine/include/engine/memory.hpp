// engine/memory.hpp - memory of large results, recycled: pages fresh from the system cost more than computing what goes there.
#pragma once

#include <cstddef>
#include <engine/export.hpp>

namespace engine ENGINE_API {

/// Arrays of at least so many bytes are worth recycled pages; below, malloc recycles by itself.
inline constexpr std::size_t kRecycledBytes = std::size_t{4} << 20;

/// At least `bytes` bytes, aligned to 2 MiB and made of huge pages where the system gives them. The contents are arbitrary.
/// nullptr where there is no memory. Thread-safe, as are all of these.
///
///     void* pages = take_pages(kRecycledBytes);
///     give_pages(pages);
///     check(trim() >= kRecycledBytes);
void* take_pages(std::size_t bytes) noexcept;

/// What take_pages gave, for later: up to a quarter of the machine's memory and 1 GiB is kept, what has lain idle for 10
/// seconds goes back to the system at a later call of the engine, and all but the last 64 MiB at any time where the system runs short.
void give_pages(void* memory) noexcept;

/// As realloc. On nullptr the old memory is as it was.
void* resize_pages(void* memory, std::size_t bytes) noexcept;

/// Gives all idle memory back to the system, and that of devices in use to their drivers. Returns how many bytes that was.
std::size_t trim() noexcept;

}  // namespace engine ENGINE_API

// run/thread_pool.hpp - the threads of the process, and how many of them one piece of work gets.
//
// The caller takes part. Each has a share of the chunks, the same in every call of as many, whose memory its caches still hold, and then
// takes what the others have not claimed; nobody waits for a helper that has claimed nothing, so a pool
// whose helpers never get a CPU costs nothing but the work itself. One piece of work uses the helpers at a time; callers
// that come meanwhile work alone. Helpers start at the first need and are forgotten in a forked child.
#pragma once

#include <cstdint>
#include <type_traits>

namespace engine::run {

/// CPUs this process may use: its affinity mask, cut to the CPU quota of its control group.
int available_cpus() noexcept;

/// Microseconds of work that are one thread's alone, whoever else is awake.
inline constexpr double kOfOneThread = 7;
/// How many threads, `most` of them at most, so much work on one thread is worth: a helper that still looks for news needs
/// little of it, one that sleeps has to be woken, which is also done where such calls follow each other closely.
int worthwhile_threads(double microseconds, int most) noexcept;

/// Who begins with which chunks.
enum class Claims : std::uint8_t {
  Shares,   ///< each thread with those of its share
  InOrder,  ///< all are claimed in order: a chunk may wait for those before it
};
/// Calls body(chunk) once for each chunk in [0, n_chunks), from at most `threads` threads. Returns when all have returned;
/// an exception of any of them is thrown here, after the others have finished. A helper that throws std::bad_alloc leaves
/// its chunk to the caller, who calls body for it once more: body asks for memory before it does anything else.
void run_chunks(int threads, std::int64_t n_chunks, void (*body)(void* context, std::int64_t chunk), void* context, Claims claims);

template <class Body>
void parallel_for(int threads, std::int64_t n_chunks, Body&& body, Claims claims = Claims::Shares) {
  using B = std::remove_reference_t<Body>;
  run_chunks(
      threads, n_chunks, [](void* context, std::int64_t chunk) { (*static_cast<B*>(context))(chunk); },
      const_cast<void*>(static_cast<const void*>(&body)), claims);
}

}  // namespace engine::run

// run/watch.cpp - see watch.hpp.
#include "engine/run/watch.hpp"

#include <fmt/format.h>

namespace engine::run {
namespace {
constexpr auto kPeriod = std::chrono::milliseconds(20);
}

Watch::Watch(const RunOptions& options)
    : options_(options), idle_(!options.interrupted && options.seconds <= 0), caller_(std::this_thread::get_id()) {
  if (idle_) return;
  const Clock::time_point now = Clock::now();
  next_ = now + kPeriod;
  deadline_ = options.seconds > 0 ? now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds))
                                  : Clock::time_point::max();
}

void Watch::look() {
  if (stop_.load(std::memory_order_relaxed)) throw Interrupted();
  const Clock::time_point now = Clock::now();
  if (now >= deadline_)
    throw LimitError({.what = fmt::format("the evaluation took longer than {:g} s", options_.seconds),
                      .labels = {},
                      .help = "raise Limits.time",
                      .text = {}});
  if (!options_.interrupted || std::this_thread::get_id() != caller_ || now < next_) return;
  next_ = now + kPeriod;
  if (!options_.interrupted(options_.context)) return;
  stop_.store(true, std::memory_order_relaxed);
  throw Interrupted();
}

}  // namespace engine::run

// run/watch.cpp - see watch.hpp.
#include "engine/run/watch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace engine::run {
namespace {
constexpr auto kPeriod = std::chrono::milliseconds(20);
}

Watch::Watch(const RunOptions& options)
    : options_(options), idle_(!options.interrupted && !options.progressed && options.seconds <= 0), caller_(std::this_thread::get_id()) {
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
  if (std::this_thread::get_id() != caller_) return;
  const std::int64_t done = done_.load(std::memory_order_relaxed);
  const bool is_far = options_.progress_elements > 0 && done - told_ >= options_.progress_elements;
  if (now < next_ && !is_far) return;
  if (options_.progressed) {
    told_ = done;
    // What has yet to be announced makes no share smaller.
    if (expected_ > 0) share_ = std::max(share_, std::min(1.0, static_cast<double>(done) / static_cast<double>(expected_)));
    stop_if(!options_.progressed(options_.context, share_));
  }
  if (now < next_) return;
  next_ = now + kPeriod;
  stop_if(options_.interrupted && options_.interrupted(options_.context));
}

void Watch::finish() {
  if (options_.progressed) stop_if(!options_.progressed(options_.context, 1));
}

void Watch::stop_if(bool is_wished) {
  if (!is_wished) return;
  stop_.store(true, std::memory_order_relaxed);
  throw Interrupted();
}

}  // namespace engine::run

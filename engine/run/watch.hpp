// run/watch.hpp - whether running loops should stop: the caller's wish, or a deadline. And how far they are.
#pragma once

#include <engine/evaluate.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace engine::run {

class Watch {
 public:
  explicit Watch(const RunOptions& options);

  /// Called by the loops every few blocks, from any of the threads; `n` elements are done since they called last. Throws Interrupted or
  /// LimitError.
  void poll(std::int64_t n = 0) {
    if (idle_) return;
    advance(n);
    look();
  }
  /// So many elements more, without asking whether to stop.
  void advance(std::int64_t n) noexcept { done_.fetch_add(n, std::memory_order_relaxed); }
  /// There are so many elements to do besides those that were announced before. Of the calling thread, as finish().
  void expect(std::int64_t n) noexcept { expected_ += n; }
  /// All is done. Throws Interrupted where the caller does not like it.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  void look();
  void stop_if(bool is_wished);

  const RunOptions& options_;
  bool idle_;  ///< nothing can stop this run, and nobody wants to know how far it is
  std::thread::id caller_;
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> done_{0};
  std::int64_t expected_ = 0, told_ = 0;
  double share_ = 0;
  Clock::time_point next_, deadline_;
};

/// Blocks between two looks: some microseconds of arithmetic, some milliseconds of the slowest functions.
inline constexpr unsigned kBlocksPerLook = 16;

}  // namespace engine::run

// run/watch.hpp - whether running loops should stop: the caller's wish, or a deadline.
#pragma once

#include <engine/evaluate.hpp>

#include <atomic>
#include <chrono>
#include <thread>

namespace engine::run {

class Watch {
 public:
  explicit Watch(const RunOptions& options);

  /// Called by the loops every few blocks, from any of the threads. Throws Interrupted or LimitError.
  void poll() {
    if (idle_) return;
    look();
  }

 private:
  void look();

  using Clock = std::chrono::steady_clock;
  const RunOptions& options_;
  bool idle_;  ///< nothing can stop this run
  std::thread::id caller_;
  std::atomic<bool> stop_{false};
  Clock::time_point next_, deadline_;
};

/// Blocks between two looks: some microseconds of arithmetic, some milliseconds of the slowest functions.
inline constexpr unsigned kBlocksPerLook = 16;

}  // namespace engine::run

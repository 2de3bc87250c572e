// run/background.hpp - one thread for work that calls do not wait for: a device's compiler.
#pragma once

#include <cstdint>
#include <functional>

namespace engine::run {

enum class Background : std::uint8_t {
  UnderWay,  ///< it will be done, or is being done
  Ended,     ///< it was done before, whatever came of it; or there is no thread for it
};

/// Whether there may be such a thread: not at first. False finishes what is being done, drops what waits, and ends the thread. It has to
/// be said before the process ends: a compiler destroys its state then, also while it runs.
void allow_background(bool is_allowed);
/// Hands over `job`, to be done once under that number; what it throws is lost. In a forked child everything has ended.
Background in_background(std::uint64_t number, std::function<void()> job);
/// Waits until nothing is under way.
void wait_for_background();

}  // namespace engine::run

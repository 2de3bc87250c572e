// placement.hpp - backend="auto": a bound plan over the host's memory -> whether a device is faster, and why.
#pragma once

#include <span>
#include <string>

#include "engine/plan/bind.hpp"
#include "engine/run/interp/compile.hpp"

namespace engine {

struct Placement {
  bool is_elsewhere = false;
  double here = 0, there = 0;  ///< seconds
  std::string place;           ///< empty where no device was asked
};

/// On a device where that takes less than half the time, copies included, and a new array is all that is written. None is asked for
/// work of less than ENGINE_AUTO_SECONDS, or a quarter of a second.
Placement place(const plan::Plan& plan, std::span<const run::interp::Code> codes, const plan::Binding& binding, int threads);

}  // namespace engine

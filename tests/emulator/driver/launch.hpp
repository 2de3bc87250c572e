// driver/launch.hpp - a launch made ready: for a stream, or for a graph.
#pragma once

#include <functional>

#include "tests/emulator/driver/driver.hpp"

namespace standin {

struct Configuration {
  Dim grid, block;
  std::uint32_t dynamic_shared;
  bool cooperative = false;
};

/// Of a loaded module; Failure where there is none.
Kernel& known_kernel(Driver& driver, CUfunction function);

/// Checks it and copies the parameters; what is given back runs it, as often as wanted. Failure where it is none.
std::function<void()> prepare(Driver& driver, CUfunction function, const Configuration& configuration, void** values, void** extra);

}  // namespace standin

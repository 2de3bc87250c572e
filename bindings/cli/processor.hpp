// bindings/cli/processor.hpp - what the system calls its processor.
#pragma once

#include <fstream>
#include <string>

namespace engine::cli {

/// `machine`: the answer where it calls it nothing.
inline std::string cpu_model(const std::string& machine) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos && (line.starts_with("model name") || line.starts_with("Model") || line.starts_with("cpu model")))
      return line.substr(colon + 2);
  }
  return machine;
}

}  // namespace engine::cli

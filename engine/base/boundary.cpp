// base/boundary.cpp - boundaries by name.
#include "engine/base/boundary.hpp"

namespace engine {

std::string_view word(Boundary boundary) noexcept { return kBoundaryWords[static_cast<std::size_t>(boundary)]; }

bool find_boundary(std::string_view name, Boundary& boundary) noexcept {
  for (std::size_t i = 0; i < kBoundaryWords.size(); ++i)
    if (kBoundaryWords[i] == name) {
      boundary = static_cast<Boundary>(i);
      return true;
    }
  return false;
}

}  // namespace engine

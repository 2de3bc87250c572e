// run/launches.hpp - what a LaunchGraph keeps from one call to the next.
#pragma once

#include <engine/graph.hpp>

#include <memory>
#include <mutex>

#include "engine/base/shared.hpp"

namespace engine {

namespace run {

/// A backend's, which alone knows what they are.
class Launches {
 public:
  virtual ~Launches() = default;
};

}  // namespace run

struct LaunchGraph::Impl : Shared {
  std::mutex mutex;  ///< held while a call has it; who has it asks for no other lock but the device's
  LaunchGraphStats stats;
  std::shared_ptr<const void> owner;  ///< of the kernels
  std::unique_ptr<run::Launches> launches;
};

}  // namespace engine

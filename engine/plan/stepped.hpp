// plan/stepped.hpp - a step of a stencil as reads at offsets from the place that is made: for backends that make several steps in one pass.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "engine/plan/plan.hpp"

namespace engine::plan {

/// The most axes of a field of which several steps are made at a time.
inline constexpr int kMostSteppedAxes = 3;

/// Where a read lands along one axis: `offset` from the place that is made, and beyond a side of the axis where its boundary says.
struct Toward {
  std::int64_t offset = 0;
  Boundary low = Boundary::Nearest, high = Boundary::Nearest;
  friend bool operator==(const Toward&, const Toward&) = default;
};

/// What an access of the kernel is of.
struct Neighbour {
  std::uint32_t slot = 0;
  int rank = 0;                                     ///< of the slot; axes that it lacks are the first ones
  std::array<Toward, kMostSteppedAxes> axes{};      ///< of the space, from the first
  std::optional<ir::Value> outside = std::nullopt;  ///< what stands beyond sides of Boundary::Constant
};

/// Places that keep what they have.
struct KeptRim {
  std::int64_t low = 0, high = 0;
  friend bool operator==(const KeptRim&, const KeptRim&) = default;
};

struct Stepped {
  const Kernel* kernel = nullptr;
  int rank = 0;
  std::vector<Neighbour> accesses;  ///< as the kernel's
  std::array<KeptRim, kMostSteppedAxes> kept{};
};

/// Nothing where the plan is more than one pass over fields of one shape, or reads anything else than neighbours and single numbers.
std::optional<Stepped> find_stepped(const ir::Graph& graph, const Plan& plan);

}  // namespace engine::plan

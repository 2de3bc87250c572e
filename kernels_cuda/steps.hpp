// kernels_cuda/steps.hpp - several steps of a stencil in one launch: overlapped tiles in shared memory (Matsumura et al., "AN5D:
// Automated stencil framework for high-degree temporal blocking on GPUs", CGO 2020).
//
// A block takes a tile of the last axes, with a halo that every step narrows, and goes along the first axis. Of each step but the last
// the planes that the next one reads lie in shared memory, and what a thread reads of them again in its registers. Steps are as many
// planes apart as one reads ahead, and one more, so that there is one barrier a plane. Of one axis, where there is nothing to go along, a
// tile is two planes in turn.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "engine/plan/stepped.hpp"
#include "engine/run/backend.hpp"
#include "kernels_cuda/kernels.hpp"

namespace engine::cuda {

/// One axis of a step, in the order in which a kernel walks them.
struct StepAxis {
  int axis = 0;        ///< of the space
  int radius = 0;      ///< how far the fields are read
  int rim = 0;         ///< how near to a side places are whose reads find a boundary, or that keep what they have
  bool wraps = false;  ///< the fields go on from the other side, so that a tile does
  plan::KeptRim kept{};
};

/// A step as a kernel sees it.
struct StepsShape {
  std::vector<StepAxis> axes;                 ///< the last one's elements lie closest
  std::vector<std::uint32_t> field_of_store;  ///< for each store an access that reads what it makes anew
};

/// `sources`: for each store the slot that holds what it makes anew; `order`: the axes of the space as they are to be walked. Nothing
/// where a tile would not hold what the fields find beyond a side.
std::optional<StepsShape> shape_of_steps(const plan::Plan& plan, const plan::Stepped& step, std::span<const std::uint32_t> sources,
                                         std::span<const int> order);

/// The kernel of Form::Steps.
KernelText emit_steps(const PlannedKernel& planned, const plan::Stepped& step, const StepsShape& shape, const Layout& layout);

/// Several steps of one call.
class StepsCall {
 public:
  StepsCall(const PlannedKernel& planned, const run::Advance& call);

  /// The most that one launch makes of `steps`: as many as take the least time each by the model of steps.cpp. 0 where that is no less than
  /// by kernels that make one, or there is no kernel that makes several.
  std::int64_t most_steps(std::int64_t steps, const DeviceInfo& device, Kernels& kernels) const;

  /// How a launch makes that many, and the seconds of each by the model; nothing where there is no such kernel.
  struct Choice {
    Layout layout;
    std::vector<std::uint64_t> arguments;
    std::int64_t blocks = 0;
    double seconds = 0;
  };
  std::optional<Choice> choose(std::int64_t steps, const DeviceInfo& device) const;

  /// Makes them, or has a graph that is being captured do so.
  void launch(const Choice& choice, DeviceState& device, Kernels& kernels) const;
  bool can_be_captured(const Choice& choice, Kernels& kernels) const;

 private:
  double seconds_alone(const DeviceInfo& device) const;
  bool is_field(std::uint32_t k) const;
  std::int64_t extent(int p) const { return call_.extents[static_cast<std::size_t>(shape_->axes[static_cast<std::size_t>(p)].axis)]; }
  Layout layout_for(std::int64_t steps, int width, int height) const;
  std::int64_t shared_bytes(const Layout& layout) const;
  std::optional<Choice> choose(std::int64_t steps, const DeviceInfo& device, Layout asked) const;
  /// Along an axis of a tile: the places whose last values are its own, and those before them.
  struct Stretch {
    std::int64_t whole, lead;
  };
  Stretch stretch(const Layout& layout, int p, std::int64_t steps) const;

  PlannedKernel planned_;
  const run::Advance& call_;
  std::optional<StepsShape> shape_;  ///< nothing where there is no such kernel
  std::vector<Operand> operands_;
  std::vector<std::array<std::int64_t, plan::kMostSteppedAxes>> strides_;
  std::vector<AccessLayout> accesses_;
  std::int64_t total_ = 1;
};

}  // namespace engine::cuda

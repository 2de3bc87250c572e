// plan/stepped.cpp - see stepped.hpp.
#include "engine/plan/stepped.hpp"

#include <algorithm>

namespace engine::plan {
namespace {

constexpr std::int64_t kFar = 64;  ///< offsets further than that are no neighbours

/// Follows the views of an access; `rim`: what they leave out at the sides, of each axis. False where they do anything else than shift
/// and then leave out.
bool follow(const ir::Graph& graph, const Plan& plan, const Access& access, int rank, Neighbour& found,
            std::array<KeptRim, kMostSteppedAxes>& rim) {
  for (std::uint32_t s = 0; s < access.n_steps; ++s) {
    const ir::ViewSpec& view = graph.views[plan.access_steps[access.first_step + s].view];
    const auto items = graph.items(view);
    if (view.transpose || items.size() > static_cast<std::size_t>(rank)) return false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const ir::ViewItem& item = items[i];
      const std::size_t axis = static_cast<std::size_t>(rank) - items.size() + i;
      if (item.kind == ir::ViewItem::Kind::Slice) {
        const bool leaves_out = (!item.has_start || item.start >= 0) && (!item.has_stop || item.stop < 0);
        if (item.step != 1 || !leaves_out) return false;
        if (item.has_start) rim[axis].low += item.start;
        if (item.has_stop) rim[axis].high -= item.stop;
        continue;
      }
      if (!item.is_shift()) return false;
      Toward& toward = found.axes[axis];
      // A boundary is one of the whole axis, and one read does not shift another one.
      const bool is_whole = rim[axis] == KeptRim{} && toward.offset == 0;
      if (!is_whole || item.start > kFar || item.start < -kFar) return false;
      toward = {item.start, item.low, item.high};
      if (!item.has_constant()) continue;
      if (found.outside && !(*found.outside == item.value)) return false;
      found.outside = item.value;
    }
  }
  return true;
}

}  // namespace

std::optional<Stepped> find_stepped(const ir::Graph& graph, const Plan& plan) {
  if (plan.actions.size() != 1 || plan.actions[0].kind != Action::Kind::Run) return {};
  const Action& action = plan.actions[0];
  if (action.count != 1 && action.fused == kNone) return {};
  if (std::any_of(plan.buffers.begin(), plan.buffers.end(), [](const Buffer& b) { return b.kind != Buffer::Kind::Slot; })) return {};
  Stepped stepped;
  stepped.kernel = &plan.kernels[action.count == 1 ? action.first : action.fused];
  const Kernel& kernel = *stepped.kernel;
  stepped.rank = plan.shapes[kernel.space].rank;
  if (kernel.n_folds > 0 || stepped.rank < 1 || stepped.rank > kMostSteppedAxes) return {};
  for (const Instr& instr : plan.body(kernel))
    if (instr.kind == Instr::Kind::Position) return {};
  for (std::uint32_t k = 0; k < kernel.n_accesses; ++k) {
    const Access& access = plan.accesses[kernel.first_access + k];
    Neighbour found;
    found.slot = plan.buffers[access.buffer].slot;
    found.rank = graph.slots[found.slot].rank;
    std::array<KeptRim, kMostSteppedAxes> rim{};
    if (found.rank > stepped.rank || !follow(graph, plan, access, stepped.rank, found, rim)) return {};
    // All that is kept is kept by all: a read that left out something else would be of another place.
    if (k > 0 && !(rim == stepped.kept)) return {};
    stepped.kept = rim;
    stepped.accesses.push_back(std::move(found));
  }
  for (const Store& store : plan.stores_of(kernel)) {
    const Neighbour& target = stepped.accesses[store.access - kernel.first_access];
    if (target.rank != stepped.rank || !(target.axes == decltype(target.axes){})) return {};
  }
  return stepped;
}

}  // namespace engine::plan

// halo.cpp - how far around an element of the result the operands of a program are read.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/ir/halo.hpp"
#include "engine/program.hpp"

namespace engine {

std::vector<Halo> halo_of(const Program& program, const Compiled& c) {
  std::array<std::byte, 4096> stack;
  std::pmr::monotonic_buffer_resource memory(stack.data(), stack.size());
  const ir::Graph& g = c.graph;
  struct Found {
    std::vector<ir::Footprint> axes;  // from the last
    bool is_read = false;
  };
  std::vector<Found> found(g.slots.size());
  bool is_free = true;  // no target says where the result lies
  const bool shifts = std::any_of(g.view_items.begin(), g.view_items.end(), [](const ir::ViewItem& item) { return item.is_shift(); });
  for (const ir::NodeId id : g.output_nodes) {
    const ir::OutputSpec& spec = g.outputs[g[id].payload];
    const ir::NodeId root = g[id].args[0];
    ir::Footprints read = ir::footprints(g, {&root, 1}, &memory);
    // Where the target begins, along its axes from the last.
    std::array<std::int64_t, kMaxRank> begins{};
    if (spec.kind == ir::OutputSpec::Kind::Store) {
      is_free = false;
      for (ir::NodeId at = spec.target; at != ir::kNone && g[at].kind == ir::NodeKind::View; at = g[at].args[0]) {
        const auto items = g.items(g.views[g[at].payload]);
        if (items.size() != g[at].rank || g[g[at].args[0]].rank != g[at].rank) continue;
        for (std::size_t axis = 0; axis < items.size(); ++axis) {
          std::int64_t& begin = begins[items.size() - 1 - axis];
          begin = ir::sum_of_offsets(begin, items[axis].start);
        }
      }
    }
    for (ir::NodeId input = 0; input < g.nodes.size(); ++input) {
      const ir::Node& node = g[input];
      if (node.kind != ir::NodeKind::Input || node.rank == 0) continue;
      Found& of = found[node.payload];
      of.axes.resize(node.rank);
      for (int axis = 0; axis < node.rank; ++axis) {
        const ir::Footprint& print = read.at(input, axis);
        of.is_read |= print.is_read;
        of.axes[static_cast<std::size_t>(axis)].add(print, -begins[static_cast<std::size_t>(axis)]);
      }
    }
  }
  std::array<ir::Footprint, kMaxRank> all{};
  for (const Found& of : found)
    for (std::size_t axis = 0; axis < of.axes.size(); ++axis)
      if (!of.axes[axis].is_whole) all[axis].add(of.axes[axis]);
  std::vector<Halo> halos;
  for (std::size_t slot = 0; slot < found.size(); ++slot) {
    const std::uint32_t name = c.slot_name[slot];
    if (!found[slot].is_read || name == plan::kNone || name >= program.n_names()) continue;
    Halo halo{program.name(name), {}};
    for (std::size_t axis = found[slot].axes.size(); axis-- > 0;) {
      const ir::Footprint& print = found[slot].axes[axis];
      const std::int64_t middle = is_free && !shifts && all[axis].is_read ? (all[axis].low + all[axis].high) / 2 : 0;
      if (print.is_whole || !print.is_read)
        halo.axes.push_back({0, 0, print.is_whole});
      else
        halo.axes.push_back({std::max<std::int64_t>(0, middle - print.low), std::max<std::int64_t>(0, print.high - middle), false});
    }
    halos.push_back(std::move(halo));
  }
  return halos;
}

/// "halo of u: (1, 1), all".
std::string halo_text(const std::vector<Halo>& halos) {
  std::string text;
  for (const Halo& halo : halos) {
    if (std::none_of(halo.axes.begin(), halo.axes.end(), [](const Halo::Axis& axis) { return axis.low || axis.high; })) continue;
    text += fmt::format("halo of {}:", halo.name);
    for (std::size_t i = 0; i < halo.axes.size(); ++i)
      text +=
          (i ? ", " : " ") + (halo.axes[i].is_whole ? std::string("all") : fmt::format("({}, {})", halo.axes[i].low, halo.axes[i].high));
    text += "\n";
  }
  return text;
}

std::vector<Halo> Program::halo(const Operand* operands) const {
  try {
    bool is_new = false;
    const std::shared_ptr<const Compiled> compiled = impl_->find_or_compile(
        operands, nullptr, impl_->is_aliased(operands), impl_->device_of(operands, nullptr), Deadline(impl_->options.limits), is_new);
    return halo_of(*this, *compiled);
  } catch (Error& error) {
    error.attach_text(impl_->text);
    throw;
  } catch (const std::bad_alloc&) {
    throw OutOfMemory({.what = "out of memory while explaining the expression", .labels = {}, .help = {}, .text = impl_->text});
  }
}

}  // namespace engine

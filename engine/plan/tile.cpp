// plan/tile.cpp - pieces of axes and boxes of spaces. See tile.hpp.
#include "engine/plan/tile.hpp"

#include <algorithm>

#include "engine/base/boundary.hpp"
#include "engine/plan/space.hpp"

namespace engine::plan {
namespace {

void append(Pieces& to, const Piece& piece) {
  if (piece.count <= 0) return;
  if (!to.empty()) {
    Piece& last = to.back();
    if (piece.outside || last.outside) {
      if (piece.outside == last.outside) {
        last.count += piece.count;
        return;
      }
    } else {
      // A single element has the stride of whatever goes on from it.
      const std::int64_t stride = piece.offset - (last.offset + (last.count - 1) * last.stride);
      if ((last.count == 1 || last.stride == stride) && (piece.count == 1 || piece.stride == stride)) {
        last.stride = stride;
        last.count += piece.count;
        return;
      }
    }
  }
  to.push_back(piece);
}

/// How many of the next `most` elements from `i` on lie at equal distances, and that distance in `step`: by doubling, then halving.
std::int64_t run_from(std::int64_t i, std::int64_t most, std::int64_t extent, Boundary low, Boundary high, std::int64_t& step) {
  const std::int64_t first = mapped(i, extent, low, high);
  step = 0;
  if (most == 1) return 1;
  const std::int64_t second = mapped(i + 1, extent, low, high);
  if (first == kOutside || second == kOutside) {
    if (first != second) return 1;
  } else {
    step = second - first;
    if (step > 1 || step < -1) return 1;  // from one end to the other
  }
  const auto goes_on = [&](std::int64_t k) {
    return mapped(i + k, extent, low, high) == (first == kOutside ? kOutside : first + k * step);
  };
  std::int64_t good = 1, bad = 2;
  while (bad < most && goes_on(bad)) {
    good = bad;
    bad *= 2;
  }
  bad = std::min(bad, most);
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    (goes_on(middle) ? good : bad) = middle;
  }
  return good + 1;
}

}  // namespace

void append_slice(Pieces& to, const Pieces& from, std::int64_t start, std::int64_t step, std::int64_t count) {
  std::int64_t done = 0;
  while (done < count) {
    const std::int64_t at = start + done * step;
    std::int64_t first = 0;
    std::size_t p = 0;
    while (at >= first + from[p].count) first += from[p++].count;
    const Piece& piece = from[p];
    std::int64_t here = count - done;
    if (step > 0) here = std::min(here, (first + piece.count - 1 - at) / step + 1);
    if (step < 0) here = std::min(here, (at - first) / -step + 1);
    // Of one element no stride matters, and step * stride may overflow.
    append(to, {here, piece.offset + (at - first) * piece.stride, here > 1 ? step * piece.stride : 0, piece.outside, piece.depth});
    done += here;
  }
}

void append_shift(Pieces& to, const Pieces& from, std::int64_t extent, const ir::ViewItem& item, std::uint32_t depth) {
  // Further away than a period of every boundary, nothing new is found: offsets that large could overflow.
  constexpr std::int64_t kFar = std::int64_t{1} << 60;
  const std::int64_t offset = std::clamp(item.start, -kFar, kFar);
  std::int64_t done = 0;
  while (done < extent) {
    const std::int64_t at = offset + done;
    std::int64_t step = 1, here = extent - done;
    if (at >= 0 && at < extent)
      here = std::min(here, extent - at);
    else  // not into the inside, whose elements would go on from here one after another
      here = run_from(at, at < 0 ? std::min(here, -at) : here, extent, item.low, item.high, step);
    const std::int64_t first = mapped(at, extent, item.low, item.high);
    if (first == kOutside)
      append(to, {here, 0, 0, &item.value, depth});
    else
      append_slice(to, from, first, step, here);
    done += here;
  }
}

bool is_shifted(const ir::Graph& graph, const Plan& plan, const Access& access) noexcept {
  for (std::uint32_t s = 0; s < access.n_steps; ++s)
    for (const ir::ViewItem& item : graph.items(graph.views[plan.access_steps[access.first_step + s].view]))
      if (item.is_shift()) return true;
  return false;
}

namespace {

/// Seen through a larger shape: axes of one element repeat, and new ones stand in front.
void stretch(Reach& reach, const Shape& shape, std::pmr::memory_resource* memory) {
  const auto added = static_cast<std::size_t>(shape.size()) - reach.axes.size();
  for (std::size_t i = 0; i < added; ++i) {
    Pieces one(memory);
    one.push_back({.count = 1});
    reach.axes.insert(reach.axes.begin(), std::move(one));
  }
  for (int axis = 0; axis < shape.size(); ++axis) {
    Pieces& pieces = reach.axes[static_cast<std::size_t>(axis)];
    if (shape[axis] == 1 || pieces.size() != 1 || pieces[0].count != 1) continue;
    pieces[0].count = shape[axis];
    pieces[0].stride = 0;
  }
}

void settle(Reach& reach, const ir::Value* outside, std::uint32_t depth) {
  if (!outside || (reach.outside && reach.depth > depth)) return;
  reach.outside = outside;
  reach.depth = depth;
}

void follow(Reach& reach, const ir::Graph& graph, const ir::ViewSpec& spec, const Shape& from, std::uint32_t depth,
            std::pmr::memory_resource* memory) {
  if (spec.transpose) {
    std::reverse(reach.axes.begin(), reach.axes.end());
    return;
  }
  std::pmr::vector<Pieces> axes(memory);
  int axis = 0;
  for (const ir::ViewItem& item : graph.items(spec)) {
    Pieces made(memory);
    if (item.kind == ir::ViewItem::Kind::New) {
      made.push_back({.count = 1});
      axes.push_back(std::move(made));
      continue;
    }
    const Pieces& pieces = reach.axes[static_cast<std::size_t>(axis)];
    const std::int64_t extent = from[axis++];
    if (item.kind == ir::ViewItem::Kind::Integer) {
      append_slice(made, pieces, item.start < 0 ? item.start + extent : item.start, 0, 1);
      if (made[0].outside)
        settle(reach, made[0].outside, made[0].depth);
      else
        reach.base = advance(reach.base, made[0].offset);
      continue;
    }
    if (item.is_shift()) {
      append_shift(made, pieces, extent, item, depth);
    } else {
      std::int64_t start = 0, count = 0;
      resolve_slice(item, extent, start, count);
      append_slice(made, pieces, start, item.step, count);
    }
    axes.push_back(std::move(made));
  }
  reach.axes = std::move(axes);
}

}  // namespace

Reach reach(const ir::Graph& graph, const Plan& plan, const Access& access, const Layout& buffer, std::span<const Shape> shapes,
            const Shape& space, std::pmr::memory_resource* memory) {
  Reach reach(memory);
  reach.base = buffer.base;
  for (int axis = 0; axis < buffer.shape.size(); ++axis) {
    Pieces whole(memory);
    if (buffer.shape[axis]) whole.push_back({.count = buffer.shape[axis], .stride = buffer.strides[axis]});
    reach.axes.push_back(std::move(whole));
  }
  for (std::uint32_t s = 0; s < access.n_steps; ++s) {
    const AccessStep& step = plan.access_steps[access.first_step + s];
    stretch(reach, shapes[step.from], memory);
    follow(reach, graph, graph.views[step.view], shapes[step.from], s + 1, memory);
  }
  stretch(reach, space, memory);
  return reach;
}

std::pmr::vector<std::int64_t> cuts(std::span<const Reach> reaches, int axis, std::int64_t extent, std::pmr::memory_resource* memory) {
  std::pmr::vector<std::int64_t> at(memory);
  at.push_back(0);
  for (const Reach& reach : reaches) {
    if (reach.outside) continue;
    std::int64_t first = 0;
    for (const Piece& piece : reach.axes[static_cast<std::size_t>(axis)]) {
      if (first) at.push_back(first);
      first += piece.count;
    }
  }
  std::sort(at.begin(), at.end());
  at.erase(std::unique(at.begin(), at.end()), at.end());
  at.push_back(extent);
  return at;
}

void place(const Reach& reach, const Box& box, char*& base, std::int64_t* strides, const ir::Value*& outside) noexcept {
  outside = reach.outside;
  std::uint32_t depth = reach.depth;
  base = reach.base;
  for (int axis = 0; axis < box.first.size(); ++axis) {
    std::int64_t first = 0;
    const Piece* piece = reach.axes[static_cast<std::size_t>(axis)].data();
    while (box.first[axis] >= first + piece->count) first += (piece++)->count;
    strides[axis] = piece->stride;
    if (piece->outside) {
      if (!outside || piece->depth >= depth) {
        outside = piece->outside;
        depth = piece->depth;
      }
    } else {
      base = advance(base, piece->offset + (box.first[axis] - first) * piece->stride);
    }
  }
  if (outside) std::fill(strides, strides + box.first.size(), 0);
}

}  // namespace engine::plan

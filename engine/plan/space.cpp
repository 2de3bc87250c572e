// plan/space.cpp - broadcasting, views, axis order. See space.hpp.
#include "engine/plan/space.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace engine::plan {

std::string to_text(const Shape& shape) {
  if (shape.size() == 1) return fmt::format("({},)", shape[0]);
  return fmt::format("({})", fmt::join(shape.begin(), shape.end(), ", "));
}

bool broadcast_shapes(const Shape& a, const Shape& b, Shape& out, int& axis) noexcept {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  const int shift = longer.size() - shorter.size();
  Shape result = longer;
  for (int i = 0; i < shorter.size(); ++i) {
    std::int64_t& extent = result[i + shift];
    if (extent == shorter[i] || shorter[i] == 1) continue;
    if (extent != 1) {
      axis = shorter.size() - i;
      return false;
    }
    extent = shorter[i];
  }
  out = result;
  return true;
}

bool stretches_to(const Shape& from, const Shape& to) noexcept {
  const int shift = to.size() - from.size();
  if (shift < 0) return false;
  for (int i = 0; i < from.size(); ++i)
    if (from[i] != 1 && from[i] != to[i + shift]) return false;
  return true;
}

Layout stretch(const Layout& layout, const Shape& shape) noexcept {
  Layout out;
  out.base = layout.base;
  out.shape = shape;
  out.strides.resize(shape.size(), 0);
  const int shift = shape.size() - layout.shape.size();
  for (int i = 0; i < layout.shape.size(); ++i)
    out.strides[i + shift] = layout.shape[i] == 1 && shape[i + shift] != 1 ? 0 : layout.strides[i];
  return out;
}

void resolve_slice(const ir::ViewItem& item, std::int64_t extent, std::int64_t& start, std::int64_t& count) noexcept {
  const bool forward = item.step > 0;
  const std::int64_t low = forward ? 0 : -1;
  const std::int64_t high = forward ? extent : extent - 1;
  const auto clamp = [&](std::int64_t bound) {
    if (bound < 0) bound = bound < -extent ? low : bound + extent;
    return std::clamp(bound, low, high);
  };
  start = item.has_start ? clamp(item.start) : (forward ? 0 : extent - 1);
  const std::int64_t stop = item.has_stop ? clamp(item.stop) : (forward ? extent : -1);
  // Unsigned: steps may be as large as an int64, and |INT64_MIN| does not fit one.
  const auto magnitude = forward ? static_cast<std::uint64_t>(item.step) : 0 - static_cast<std::uint64_t>(item.step);
  const std::int64_t distance = forward ? stop - start : start - stop;
  count = distance <= 0 ? 0 : static_cast<std::int64_t>((static_cast<std::uint64_t>(distance) - 1) / magnitude) + 1;
}

Layout view(const Layout& layout, const ir::Graph& graph, const ir::ViewSpec& spec, const ir::Node& node) {
  Layout out;
  out.base = layout.base;
  if (spec.transpose) {
    for (int axis = layout.shape.size() - 1; axis >= 0; --axis) {
      out.shape.push_back(layout.shape[axis]);
      out.strides.push_back(layout.strides[axis]);
    }
    return out;
  }
  int axis = 0;
  std::int64_t offset = 0;
  bool empty = false;
  for (const ir::ViewItem& item : graph.items(spec)) {
    if (item.kind == ir::ViewItem::Kind::New) {
      out.shape.push_back(1);
      out.strides.push_back(0);
      continue;
    }
    const std::int64_t extent = layout.shape[axis];
    const std::int64_t stride = layout.strides[axis];
    if (item.kind == ir::ViewItem::Kind::Integer) {
      if (item.start >= extent || item.start < -extent)
        throw ShapeError({.what = fmt::format("index {} is out of bounds for axis {} of length {}", item.start, axis, extent),
                          .labels = {{item.span.end > item.span.begin ? item.span : node.span,
                                      fmt::format("of an array of shape {}", to_text(layout.shape))}},
                          .help = extent == 0 ? "the axis is empty" : fmt::format("valid are {} to {}", -extent, extent - 1),
                          .text = std::string(graph.text)});
      offset += (item.start < 0 ? item.start + extent : item.start) * stride;
    } else if (item.is_shift()) {  // the elements that it is centred on
      out.shape.push_back(extent);
      out.strides.push_back(stride);
    } else {
      std::int64_t start = 0, count = 0;
      resolve_slice(item, extent, start, count);
      out.shape.push_back(count);
      // Of one element no stride matters, and step * stride may overflow.
      out.strides.push_back(count > 1 ? stride * item.step : stride);
      if (count == 0) empty = true;
      offset += start * stride;
    }
    ++axis;
  }
  if (!empty) out.base += offset;
  return out;
}

void order_axes(int rank, const std::int64_t* const* strides, int n_operands, int* order) noexcept {
  // NumPy's npyiter_find_best_axis_ordering, told in our axes: `order` is kept innermost first while sorting by insertion.
  for (int i = 0; i < rank; ++i) order[i] = rank - 1 - i;
  for (int i = 1; i < rank; ++i) {
    const int axis = order[i];
    int place = i;
    for (int j = i - 1; j >= 0; --j) {
      const int other = order[j];
      bool ambiguous = true, swap = false;
      for (int k = 0; k < n_operands; ++k) {
        const std::int64_t a = std::abs(strides[k][axis]), b = std::abs(strides[k][other]);
        if (a == 0 || b == 0) continue;
        if (b <= a)
          swap = false;
        else if (ambiguous)
          swap = true;
        ambiguous = false;
      }
      if (ambiguous) continue;
      if (!swap) break;
      place = j;
    }
    for (int j = i; j > place; --j) order[j] = order[j - 1];
    order[place] = axis;
  }
  std::reverse(order, order + rank);
}

Strides strides_in_order(const Shape& shape, const int* order, std::size_t item) noexcept {
  Strides strides;
  strides.resize(shape.size(), 0);
  auto stride = static_cast<std::int64_t>(item);
  for (int i = shape.size() - 1; i >= 0; --i) {
    strides[order[i]] = stride;
    stride *= std::max<std::int64_t>(shape[order[i]], 1);
  }
  return strides;
}

}  // namespace engine::plan

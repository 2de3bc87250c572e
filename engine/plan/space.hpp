// plan/space.hpp - iteration spaces: broadcasting, views, the order of axes, and merging them.
#pragma once

#include "engine/plan/bind.hpp"

namespace engine::plan {

/// NumPy's broadcasting of two shapes; false where an axis differs and neither extent is one (then `axis`, counted from
/// the end, 1 = last, says which).
bool broadcast_shapes(const Shape& a, const Shape& b, Shape& out, int& axis) noexcept;

/// Whether `from` stretches to `to` without changing `to`.
bool stretches_to(const Shape& from, const Shape& to) noexcept;

/// The layout seen through a larger shape: strides of stretched and added axes are zero.
Layout stretch(const Layout& layout, const Shape& shape) noexcept;

/// The shape of a view, or of its layout; `base` moves to the first element. Throws ShapeError at integer indices that
/// are out of range. Of a shift: what it is centred on.
Layout view(const Layout& layout, const ir::Graph& graph, const ir::ViewSpec& spec, const ir::Node& node);

/// Python's slice.indices(), with the number of elements in place of the stop.
void resolve_slice(const ir::ViewItem& item, std::int64_t extent, std::int64_t& start, std::int64_t& count) noexcept;

/// The axis order NumPy's nditer chooses for memory order K: innermost last. `strides` are n_operands rows of `rank`.
/// Conflicts between operands are settled for C order.
void order_axes(int rank, const std::int64_t* const* strides, int n_operands, int* order) noexcept;

/// Byte strides of a fresh array whose axes lie in memory in that order, innermost last.
Strides strides_in_order(const Shape& shape, const int* order, std::size_t item) noexcept;

/// "(3, 4)", "(3,)", "()".
std::string to_text(const Shape& shape);

}  // namespace engine::plan

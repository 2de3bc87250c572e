// plan/tile.hpp - shifted reads: what they find along each axis, and the boxes of a space in which each read is one stride.
//
// Beyond a side of an axis a shifted read finds the axis again, mirrored, repeated, or one element, or a constant. Each of these is a
// run of equal strides (negative, as before, zero), so an axis falls into few pieces, and a space into boxes over which a kernel runs
// like over any other: the inside, by far the largest, and the rim.
#pragma once

#include <memory_resource>
#include <vector>

#include "engine/plan/bind.hpp"

namespace engine::plan {

/// A run of equal strides along one axis.
struct Piece {
  std::int64_t count = 0;
  std::int64_t offset = 0;  ///< bytes from the base to the first element; no matter where `outside`
  std::int64_t stride = 0;
  const ir::Value* outside = nullptr;  ///< the constant that stands here instead
  std::uint32_t depth = 0;             ///< of several constants that of the greatest depth counts
};
using Pieces = std::pmr::vector<Piece>;

/// What an access finds, along each axis of a space.
struct Reach {
  explicit Reach(std::pmr::memory_resource* memory) : axes(memory) {}
  char* base = nullptr;
  const ir::Value* outside = nullptr;  ///< everywhere
  std::uint32_t depth = 0;
  std::pmr::vector<Pieces> axes;
};

/// A box of a space: where its first element is, and its extents.
struct Box {
  Shape first, extents;
};

/// Appends elements start, start + step, … of an axis made of `from`, `count` of them, joining what goes on in equal strides.
void append_slice(Pieces& to, const Pieces& from, std::int64_t start, std::int64_t step, std::int64_t count);
/// Appends what a shift finds along an axis of `extent` elements made of `from`.
void append_shift(Pieces& to, const Pieces& from, std::int64_t extent, const ir::ViewItem& item, std::uint32_t depth);

/// Whether any step of the access shifts.
bool is_shifted(const ir::Graph& graph, const Plan& plan, const Access& access) noexcept;

/// Follows the steps of an access from the layout of its buffer to a space.
Reach reach(const ir::Graph& graph, const Plan& plan, const Access& access, const Layout& buffer, std::span<const Shape> shapes,
            const Shape& space, std::pmr::memory_resource* memory);

/// Where along `axis` the pieces of one of `reaches` begin, in ascending order, 0 first; the extent last.
std::pmr::vector<std::int64_t> cuts(std::span<const Reach> reaches, int axis, std::int64_t extent, std::pmr::memory_resource* memory);

/// The stretch of a reach that starts at a box, as an address and strides. The box lies within one piece of each axis.
void place(const Reach& reach, const Box& box, char*& base, std::int64_t* strides, const ir::Value*& outside) noexcept;

}  // namespace engine::plan

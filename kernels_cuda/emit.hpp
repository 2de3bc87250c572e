// kernels_cuda/emit.hpp - a plan's kernel -> CUDA C++. Pure: the same kernel and layout give the same characters.
//
// in: a body in single assignment, and how each of its accesses lies   out: text without includes, and its parameters
//
// Every operation is the catalog's own cell, so results are those of the other backends. A kernel is one function; what
// depends on sizes is a parameter, so a text serves every call with arrays of the same kind.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/plan/plan.hpp"

namespace engine::cuda {

/// How a kernel reaches an operand.
enum class Reach : std::uint8_t {
  Value,    ///< one element, handed over with the parameters
  Uniform,  ///< one element in memory
  Pack,     ///< contiguous; vectors start where those of the other packs do. Along rows, pairs
  Row,      ///< contiguous, but out of step with the packs
  Strided,  ///< a stride for every axis
  Turned,   ///< Tiles: contiguous along the last axis but one
};

struct AccessLayout {
  DType dtype = DType::Float64;
  Reach reach = Reach::Strided;
  bool swapped = false;    ///< the other byte order
  bool unaligned = false;  ///< not at multiples of its numbers' size
  bool whole = false;      ///< both numbers of a complex one are moved as one word
  friend bool operator==(const AccessLayout&, const AccessLayout&) = default;
};

/// How threads walk the space.
enum class Form : std::uint8_t {
  Flat,     ///< one axis, everything contiguous or uniform: vectors
  Rows,     ///< blocks take pieces of rows along the last axis; the other indices are the same for a block
  Scatter,  ///< one index per thread, taken apart by every axis: short rows
  Tiles,    ///< blocks take squares of the last two axes, and turn what lies along the other one in shared memory
  Serial,   ///< one thread, in order: a store that writes places twice
  // Folds (see plan::BoundKernel): rows of `length` elements, of which `rows` make a cell.
  Along,       ///< the innermost run is reduced: a warp makes a row, or a piece of one
  AlongMany,   ///< the same, several rows at once: rows of at most kMiddleRow elements
  AlongShort,  ///< the same by threads: rows of at most kShortRow elements
  Across,      ///< the innermost run is kept: a thread makes some of its lanes, or a piece of the rows of some
  Parts,       ///< a thread makes a cell from the parts of its rows, which Along has left in memory
  Merge,       ///< a thread adds one more part to the tree of a cell, which lies in memory, or makes the cell from it
  Source,      ///< a step of an operation along an axis asks for elements by their place in C order: see StepText
  Steps,       ///< several steps of a stencil, of tiles: see steps.hpp
};

struct Layout {
  Form form = Form::Flat;
  int rank = 1;
  /// Flat, Rows, Scatter, Across, AlongShort: elements of a pack; AlongMany: rows of 64 lanes that make a row; Tiles: the side of
  /// its squares.
  int width = 1;
  /// Elements or packs that a thread has under way at once; of AlongMany and Across rows, of Along rows of 64 lanes. Steps: blocks that
  /// registers are to suffice for.
  int unroll = 1;
  int depth = 1, height = 1;  ///< Steps: how many, and of a plane the places along the last axis but one; `width` those along the last
  std::array<std::uint8_t, 3> walk{};  ///< Steps: the axes in the order in which they are walked
  bool down = false;                   ///< Rows: what a thread has under way lies below each other, along the last axis but one
  int kept_axes = 0, row_axes = 0;     ///< of folds: the outermost axes; the others are the innermost run
  bool in_parts = false;               ///< of folds: leaves parts, of which a later kernel makes cells
  bool in_pieces = false;              ///< Along, Across, Parts: several threads or warps make a row, a cell
  bool one_group = false;              ///< Across: a cell has at most `unroll` rows
  bool wide = false;                   ///< indices have 64 bits
  std::vector<AccessLayout> accesses;  ///< the kernel's, then one per Position instruction (Strided)
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// Threads of a block.
inline constexpr int kBlock = 256;
/// The sides of the squares of Tiles: of numbers of 8 and 16 bytes, and of smaller ones.
inline constexpr int kTile = 32, kWideTile = 64;
/// Numbers from one row of such a square in shared memory to the next: columns spread over its banks.
constexpr std::size_t tile_row(int side, std::size_t item) { return static_cast<std::size_t>(side) + (item < 4 ? 4 / item : 1); }
/// What every kernel is called.
inline constexpr const char* kEntry = "engine_kernel";
/// The longest row that a thread reduces alone, and the longest of which a warp reduces several at once.
inline constexpr std::int64_t kShortRow = 16, kMiddleRow = 256;
/// Bytes of parameters that every driver takes; more go by way of memory.
inline constexpr std::size_t kMostParameterBytes = 4000;

/// One parameter of the kernel, in order.
struct Parameter {
  enum class Kind : std::uint8_t {
    Total,       ///< long, of Rows: pieces of rows; else elements
    Head,        ///< long: elements before the first pack
    Address,     ///< of access `index`; of a position its first value
    Value,       ///< the element of access `index`
    Constant,    ///< `constant`
    Stride,      ///< long: bytes, of access `index` along `axis`
    Extent,      ///< unsigned: of `axis`; of Rows that go down, of the last but one: groups of rows
    LongExtent,  ///< long: of `axis`
    Multiplier,  ///< unsigned, with Shift: division by the extent of `axis`
    Shift,
    Pieces,            ///< unsigned: of a row
    PiecesMultiplier,  ///< unsigned, with PiecesShift: division by Pieces
    PiecesShift,
    // Folds.
    Result,     ///< cells of fold `index`
    Partials,   ///< parts of fold `index`, one per block and cell
    RowParts,   ///< parts of fold `index`, one per row
    CellParts,  ///< parts of fold `index`, one per cell
    Arrived,    ///< counters, one per row or tile, all zero before and after
    Span,       ///< unsigned: tree blocks or groups of rows of a piece
    RowCount,   ///< long: rows in all; of Across and Parts rows of a cell
    Length,     ///< long: of a row
    Columns,    ///< long: threads that make cells, or pieces of them
    Items,      ///< double: elements that make a cell
    Blocks,     ///< unsigned: of a row, of a tile
    Chunk,      ///< unsigned: blocks whose parts one thread combines
    Tiles,      ///< unsigned: of columns
    TileWidth,  ///< unsigned: columns of a tile
    TileDepth,  ///< unsigned: pieces that a block makes of each
    Argument,   ///< of a step: `index`
  };
  Kind kind;
  std::uint32_t index = 0, axis = 0;
  std::uint32_t bytes = 8;
  ir::Value constant{};
  friend bool operator==(const Parameter&, const Parameter&) = default;
};

struct KernelText {
  std::string text;  ///< all of it, prelude included
  std::vector<Parameter> parameters;
  bool parameters_in_memory = false;  ///< one parameter: the address of all of them, each at a multiple of its size
};

/// Of a kernel with folds, those; else its stores.
KernelText emit(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout);

/// A step of an operation along an axis, over device/ordered.cuh and device/radix.cuh.
struct StepText {
  std::vector<std::pair<std::string, std::string>> parameters;  ///< type, of 8 bytes, and name
  std::string body;                                             ///< of the kernel; calls source(i) where it has one
  std::string types;                                            ///< declarations before the kernel
  bool has_complex = false, needs_cub = false;
  friend bool operator==(const StepText&, const StepText&) = default;
};

/// With a source: the body of a kernel that stores, whose elements the step asks for.
KernelText emit_source(const ir::Graph& graph, const plan::Plan& plan, const plan::Kernel& kernel, const Layout& layout,
                       const StepText& step);
/// Without.
KernelText emit_step(const StepText& step);

/// The name of a dtype's lane in kernels: "double", "math::Half".
std::string_view lane_name(DType dtype);

}  // namespace engine::cuda

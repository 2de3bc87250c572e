// kernels_cuda/launch.hpp - a bound kernel -> launches: layout, grid, parameters.
#pragma once

#include <span>
#include <vector>

#include "engine/plan/bind.hpp"
#include "kernels_cuda/device.hpp"
#include "kernels_cuda/emit.hpp"

namespace engine::cuda {

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// An operand of a launch: an address on the device, or a value.
struct Operand {
  char* base = nullptr;         ///< on the device; of a position, its first value
  const void* value = nullptr;  ///< Reach::Value: the element, on the host
  const std::int64_t* strides = nullptr;
  DType dtype = DType::Float64;
  bool swapped = false;
  bool is_position = false;
  bool is_store = false;
};

/// A space with its operands, one per access of the kernel and then one per position.
struct Space {
  int rank = 0;
  const std::int64_t* extents = nullptr;
  std::int64_t total = 1;
  std::span<const Operand> operands;
};

/// How one operand is reached, if not by packs or rows.
AccessLayout reach_of(const Space& space, const Operand& operand);

/// Marks what is contiguous along the last axis as Row.
void find_rows(const Space& space, Layout& layout);

/// Whether `width` neighbours of a Row can be moved together wherever the first one's index is a multiple of that.
bool is_pack(const Space& space, const Operand& operand, const AccessLayout& access, std::int64_t width);

/// Makes packs of at most `most` elements of the rows, and sets the layout's width: where all that moves along the last axis does
/// so by packs.
void choose_packs_of_rows(const Space& space, Layout& layout, std::int64_t most);

/// A space of stores whose order does not matter: where operands lie along another axis than the stores do, it is made the last
/// but one.
class TurnedSpace {
 public:
  explicit TurnedSpace(const Space& space);
  const Space& get() const { return space_; }

 private:
  Space space_;
  std::vector<Operand> operands_;
  std::vector<std::vector<std::int64_t>> numbers_;  ///< extents and strides
};

/// How the elements of a space are reached from their places in C order.
Layout layout_of_source(const Space& space);

/// How the kernel is to walk it; `in_order`: one element after the other. A thread loads about `bytes` at once.
Layout layout_of(const Space& space, bool in_order, int bytes);

/// What a launch of folds works on besides its operands.
struct FoldRun {
  std::int64_t rows = 1, length = 1, columns = 1;  ///< as the parameters of those names
  double items = 0;
  std::uint32_t pieces = 1, span = 1, blocks = 1, chunk = 1, tiles = 1, tile_width = 1, tile_depth = 1;
  std::vector<DevicePointer> cells, partials, row_parts, cell_parts;  ///< of each fold
  DevicePointer arrived = 0;
  std::span<const std::uint64_t> arguments;  ///< of a step
};

/// One launch of that many blocks.
void launch_blocks(DeviceState& device, const LoadedKernel& kernel, const KernelText& text, const Layout& layout, const Space& space,
                   const FoldRun& fold, std::int64_t blocks);

/// Runs a kernel of that text and layout over the space, in pieces below 2^31 elements where indices have 32 bits.
void launch(DeviceState& device, const LoadedKernel& kernel, const KernelText& text, const Layout& layout, const Space& space);

}  // namespace engine::cuda

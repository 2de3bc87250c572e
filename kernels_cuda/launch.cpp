// kernels_cuda/launch.cpp - see launch.hpp.
#include "kernels_cuda/launch.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <engine/error.hpp>

namespace engine::cuda {
namespace {

/// Rows at least this long are given to blocks of their own.
constexpr std::int64_t kLongRow = kBlock / 2;
/// Indices have 32 bits, and divisions by multiplication 31 (see divide_index).
constexpr std::int64_t kMostIndices = std::int64_t{1} << 30;
/// Bytes of a pack's widest and narrowest operand.
constexpr int kPackBytes = 16, kMostPackBytes = 32;
/// Bytes that a thread loads of rows that read each other's elements, and of one row of numbers of a dtype: 4 rows of float64, 8
/// of float32.
constexpr std::int64_t kBytesOfRows = 320, kBytesDown = 32;

bool is_single(const Space& space, const Operand& operand) {
  for (int axis = 0; axis < space.rank; ++axis)
    if (operand.strides[axis] != 0 && space.extents[axis] > 1) return false;
  return true;
}

std::uintptr_t address(const Operand& operand) { return reinterpret_cast<std::uintptr_t>(operand.base); }

std::size_t number_bytes(DType dtype) {
  const std::size_t item = item_size(dtype);
  return is_complex(dtype) ? item / 2 : item;
}

/// Whether all elements lie at multiples of so many bytes, a power of two.
bool is_at_multiples(const Space& space, const Operand& operand, std::size_t bytes) {
  std::uintptr_t bits = address(operand);
  for (int axis = 0; axis < space.rank; ++axis)
    if (space.extents[axis] > 1) bits |= static_cast<std::uintptr_t>(operand.strides[axis]);
  return (bits & (bytes - 1)) == 0;
}

/// Whether one axis is left and everything lies along it without gaps.
bool is_flat(const Space& space, const Layout& layout) {
  if (space.rank > 1) return false;
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    const Operand& operand = space.operands[k];
    if (layout.accesses[k].reach == Reach::Value || layout.accesses[k].reach == Reach::Uniform) continue;
    if (operand.is_position || layout.accesses[k].swapped || layout.accesses[k].unaligned) return false;
    if (space.rank == 1 && operand.strides[0] != static_cast<std::int64_t>(item_size(operand.dtype)) && space.extents[0] > 1) return false;
  }
  return true;
}

/// Elements before the first at a multiple of a pack.
std::int64_t head_of(const Operand& operand, int width) {
  const std::size_t item = item_size(operand.dtype);
  return static_cast<std::int64_t>((static_cast<std::size_t>(width) - address(operand) / item % static_cast<std::size_t>(width)) %
                                   static_cast<std::size_t>(width));
}

void choose_packs(const Space& space, Layout& layout) {
  int narrowest = kPackBytes, widest = 1;
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    if (layout.accesses[k].reach != Reach::Strided) continue;
    const auto item = static_cast<int>(item_size(space.operands[k].dtype));
    narrowest = std::min(narrowest, item);
    widest = std::max(widest, item);
  }
  layout.width = std::max(kPackBytes / widest, std::min(kPackBytes / narrowest, kMostPackBytes / widest));
  // Packs start where most bytes can be moved by packs: where the widest operand's do.
  std::int64_t head = -1;
  int item_of_head = 0;
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    const auto item = static_cast<int>(item_size(space.operands[k].dtype));
    if (layout.accesses[k].reach != Reach::Strided || item <= item_of_head) continue;
    head = head_of(space.operands[k], layout.width);
    item_of_head = item;
  }
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    const Operand& operand = space.operands[k];
    if (layout.accesses[k].reach != Reach::Strided) continue;
    // complex128 may lie at odd multiples of 8 bytes.
    const bool starts_items = address(operand) % item_size(operand.dtype) == 0;
    layout.accesses[k].reach = starts_items && head_of(operand, layout.width) == head ? Reach::Pack : Reach::Row;
  }
}

std::int64_t head_of(const Space& space, const Layout& layout) {
  for (std::size_t k = 0; k < space.operands.size(); ++k)
    if (layout.accesses[k].reach == Reach::Pack) return head_of(space.operands[k], layout.width);
  return 0;
}

bool is_contiguous(const Space& space, const Operand& operand) {
  return operand.strides[space.rank - 1] == static_cast<std::int64_t>(item_size(operand.dtype));
}

/// Bytes of shared memory that every device gives a block.
constexpr std::size_t kSharedBytes = std::size_t{48} << 10;

/// The axis along which operands lie that the stores do not follow, or -1.
int turned_axis(const Space& space, const Layout& layout) {
  constexpr std::int64_t kLeast = kTile / 2;
  if (space.rank < 2 || space.extents[space.rank - 1] < kLeast) return -1;
  int found = -1;
  std::size_t bytes = 0;
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    const Operand& operand = space.operands[k];
    if (layout.accesses[k].reach != Reach::Strided || operand.is_position) continue;
    if (operand.is_store && !is_contiguous(space, operand)) return -1;
    if (operand.is_store || is_contiguous(space, operand) || operand.strides[space.rank - 1] == 0) continue;
    for (int axis = 0; axis + 1 < space.rank; ++axis) {
      if (space.extents[axis] < kLeast || std::abs(operand.strides[axis]) != static_cast<std::int64_t>(item_size(operand.dtype))) continue;
      if (found >= 0 && found != axis) return -1;
      found = axis;
      bytes += kTile * tile_row(kTile, item_size(operand.dtype)) * item_size(operand.dtype);
      break;
    }
  }
  return bytes <= kSharedBytes ? found : -1;
}

/// See divide_index in device/elementwise.cuh.
struct Divisor {
  explicit Divisor(std::uint32_t extent)
      : shift(static_cast<std::uint32_t>(std::bit_width(extent - 1))),
        multiplier(static_cast<std::uint32_t>((((std::uint64_t{1} << shift) - extent) << 32) / extent + 1)) {}
  std::uint32_t shift, multiplier;
};

/// Of squares whose turned operands lie in shared memory: smaller numbers need more of them for as many bytes under way.
int tile_side(const Space& space, const Layout& layout) {
  std::size_t bytes = 0, widest = 0;
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    if (layout.accesses[k].reach == Reach::Value || layout.accesses[k].reach == Reach::Uniform) continue;
    const std::size_t item = space.operands[k].is_position ? sizeof(std::int64_t) : item_size(space.operands[k].dtype);
    widest = std::max(widest, item);
    if (layout.accesses[k].reach == Reach::Turned) bytes += kWideTile * tile_row(kWideTile, item) * item;
  }
  const bool fits =
      widest <= 4 && bytes <= kSharedBytes && space.extents[space.rank - 1] >= kWideTile && space.extents[space.rank - 2] >= kWideTile;
  return fits ? kWideTile : kTile;
}

/// Where a kernel reads neighbours of an element along the last axis but one (a stencil by slices): how many rows a block takes, so
/// that one row's neighbours are found in the first-level cache by the next. Otherwise 1.
int rows_in_common(const Space& space, const Layout& layout) {
  if (space.rank < 2) return 1;
  const int last = space.rank - 1;
  bool any = false;
  std::int64_t bytes = 0, widest = 1;
  for (std::size_t k = 0; k < space.operands.size(); ++k) {
    const Operand& a = space.operands[k];
    if (layout.accesses[k].reach == Reach::Value || layout.accesses[k].reach == Reach::Uniform || a.is_position || a.is_store) continue;
    const auto item = static_cast<std::int64_t>(item_size(a.dtype)) * layout.width;
    bytes += item;
    widest = std::max(widest, item);
    for (std::size_t l = 0; l < k; ++l) {
      const Operand& b = space.operands[l];
      if (b.is_position || b.is_store || b.value || a.strides[last] != b.strides[last] || a.strides[last - 1] != b.strides[last - 1])
        continue;
      const auto apart = std::abs(a.base - b.base), stride = std::abs(a.strides[last - 1]);
      any |= stride > 0 && apart > stride / 2 && apart < 4 * stride;
    }
  }
  if (!any) return 1;
  const auto n = static_cast<std::uint64_t>(std::clamp<std::int64_t>(std::min(kBytesOfRows / bytes, kBytesDown / widest), 1, 8));
  return static_cast<int>(std::min<std::int64_t>(static_cast<std::int64_t>(std::bit_floor(n)), space.extents[last - 1]));
}

/// Parameters of one launch, at the addresses cuLaunchKernel wants.
class Parameters {
 public:
  Parameters(const KernelText& text, const Layout& layout, const Space& space, const FoldRun& fold) {
    const auto place = [](std::size_t& at, const Parameter& parameter) {
      const std::size_t begin = (at + parameter.bytes - 1) / parameter.bytes * parameter.bytes;
      at = begin + parameter.bytes;
      return begin;
    };
    std::size_t n_bytes = 0, at = 0;
    for (const Parameter& parameter : text.parameters) place(n_bytes, parameter);
    if (n_bytes > sizeof few_bytes_) many_bytes_.resize(n_bytes);
    if (text.parameters.size() > few_addresses_.size()) many_addresses_.resize(text.parameters.size());
    std::byte* const bytes = many_bytes_.empty() ? few_bytes_.data() : many_bytes_.data();
    std::memset(bytes, 0, n_bytes);  // what lies between them, too: graphs compare them
    addresses_ = {many_addresses_.empty() ? few_addresses_.data() : many_addresses_.data(), text.parameters.size()};
    for (std::size_t i = 0; i < text.parameters.size(); ++i) {
      addresses_[i] = bytes + place(at, text.parameters[i]);
      write(text.parameters[i], layout, space, fold, static_cast<std::byte*>(addresses_[i]));
    }
    bytes_ = {bytes, n_bytes};
  }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;
  std::span<const std::byte> bytes() const { return bytes_; }
  std::span<void*> addresses() const { return addresses_; }

 private:
  static void write(const Parameter& parameter, const Layout& layout, const Space& space, const FoldRun& fold, std::byte* to) {
    const auto put = [&](const auto value) { std::memcpy(to, &value, sizeof value); };
    const auto extent = [&] {
      const int from_last = layout.rank - 1 - static_cast<int>(parameter.axis);
      std::int64_t n = space.extents[parameter.axis];
      if (layout.form == Form::Scatter && from_last == 0) n /= layout.width;  // packs
      if (layout.down && from_last == 1) n = ceil_div(n, layout.unroll);      // groups of rows
      return static_cast<std::uint32_t>(n);
    };
    switch (parameter.kind) {
      case Parameter::Kind::Total:
        return put(layout.form == Form::Scatter ? space.total / layout.width : space.total);
      case Parameter::Kind::Head:
        return put(std::min(space.total, head_of(space, layout)));
      case Parameter::Kind::Address:
        return put(space.operands[parameter.index].base);
      case Parameter::Kind::Value:
        if (space.operands[parameter.index].is_position) return put(space.operands[parameter.index].base);
        std::memcpy(to, space.operands[parameter.index].value, parameter.bytes);
        return;
      case Parameter::Kind::Constant:
        std::memcpy(to, parameter.constant.bytes.data(), parameter.bytes);
        return;
      case Parameter::Kind::Stride:
        return put(space.operands[parameter.index].strides[parameter.axis]);
      case Parameter::Kind::Extent:
        return put(extent());
      case Parameter::Kind::Multiplier:
        return put(Divisor(extent()).multiplier);
      case Parameter::Kind::Shift:
        return put(Divisor(extent()).shift);
      case Parameter::Kind::Pieces:
        return put(fold.pieces);
      case Parameter::Kind::PiecesMultiplier:
        return put(Divisor(fold.pieces).multiplier);
      case Parameter::Kind::PiecesShift:
        return put(Divisor(fold.pieces).shift);
      case Parameter::Kind::LongExtent:
        return put(space.extents[parameter.axis]);
      case Parameter::Kind::Result:
        return put(fold.cells[parameter.index]);
      case Parameter::Kind::Partials:
        return put(fold.partials[parameter.index]);
      case Parameter::Kind::RowParts:
        return put(fold.row_parts[parameter.index]);
      case Parameter::Kind::CellParts:
        return put(fold.cell_parts[parameter.index]);
      case Parameter::Kind::Arrived:
        return put(fold.arrived);
      case Parameter::Kind::Span:
        return put(fold.span);
      case Parameter::Kind::Blocks:
        return put(fold.blocks);
      case Parameter::Kind::Chunk:
        return put(fold.chunk);
      case Parameter::Kind::Tiles:
        return put(fold.tiles);
      case Parameter::Kind::TileWidth:
        return put(fold.tile_width);
      case Parameter::Kind::TileDepth:
        return put(fold.tile_depth);
      case Parameter::Kind::RowCount:
        return put(fold.rows);
      case Parameter::Kind::Length:
        return put(fold.length);
      case Parameter::Kind::Columns:
        return put(fold.columns);
      case Parameter::Kind::Items:
        return put(fold.items);
      case Parameter::Kind::Argument:
        return put(fold.arguments[parameter.index]);
    }
  }

  // Without the heap, as a rule: a warm call takes a few microseconds.
  alignas(16) std::array<std::byte, 512> few_bytes_;
  std::array<void*, 48> few_addresses_;
  std::vector<std::byte> many_bytes_;
  std::vector<void*> many_addresses_;
  std::span<const std::byte> bytes_;
  std::span<void*> addresses_;
};

void launch_piece(DeviceState& device, const LoadedKernel& kernel, const KernelText& text, const Layout& layout, const Space& space) {
  const std::int64_t per_block = std::int64_t{kBlock} * layout.unroll;
  std::int64_t blocks = 1, pieces = 1;
  switch (layout.form) {
    case Form::Flat:
    case Form::Scatter:
      blocks = ceil_div(space.total / layout.width, per_block);
      break;
    case Form::Rows: {
      const std::int64_t inner = space.extents[space.rank - 1];
      pieces = ceil_div(inner / layout.width, layout.down ? kBlock : per_block);
      blocks = space.total / inner * pieces;
      if (layout.down) {
        const std::int64_t rows = space.extents[space.rank - 2];
        blocks = blocks / rows * ceil_div(rows, layout.unroll);
      }
      break;
    }
    case Form::Tiles: {
      const std::int64_t x = space.extents[space.rank - 1], y = space.extents[space.rank - 2];
      blocks = ceil_div(x, layout.width) * ceil_div(y, layout.width) * (space.total / (x * y));
      break;
    }
    default:
      break;
  }
  FoldRun pieces_alone;
  pieces_alone.pieces = static_cast<std::uint32_t>(pieces);
  launch_blocks(device, kernel, text, layout, space, pieces_alone, std::max<std::int64_t>(blocks, 1));
}

}  // namespace

void launch_blocks(DeviceState& device, const LoadedKernel& kernel, const KernelText& text, const Layout& layout, const Space& space,
                   const FoldRun& fold, std::int64_t blocks) {
  const Parameters parameters(text, layout, space, fold);
  std::vector<Memory> in_memory;
  DevicePointer at = 0;
  void* only = &at;
  if (text.parameters_in_memory) {
    in_memory.emplace_back(device, parameters.bytes().size());
    at = in_memory[0].address();
    device.copy_to_device(at, parameters.bytes().data(), parameters.bytes().size());
  }
  const auto n_blocks = static_cast<unsigned>(blocks), n_threads = static_cast<unsigned>(layout.form == Form::Serial ? 1 : kBlock);
  if (text.parameters_in_memory)
    device.start(kernel, n_blocks, n_threads, std::as_bytes(std::span(&at, 1)), {&only, 1});
  else
    device.start(kernel, n_blocks, n_threads, parameters.bytes(), parameters.addresses());
  if (text.parameters_in_memory) device.synchronize();  // pageable bytes of this scope are being read
}

AccessLayout reach_of(const Space& space, const Operand& operand) {
  AccessLayout access{.dtype = operand.dtype};
  if (operand.value || (operand.is_position && is_single(space, operand))) {
    access.reach = Reach::Value;
    return access;
  }
  if (!operand.is_position) {
    access.swapped = operand.swapped && number_bytes(operand.dtype) > 1;
    access.unaligned = !is_at_multiples(space, operand, number_bytes(operand.dtype));
    access.whole = is_complex(operand.dtype) && !access.swapped && is_at_multiples(space, operand, item_size(operand.dtype));
  }
  // One element alone is read by the thread that works on it, as its place may be written, too.
  if (!operand.is_store && space.total > 1 && is_single(space, operand)) access.reach = Reach::Uniform;
  return access;
}

void find_rows(const Space& space, Layout& layout) {
  if (space.rank == 0) return;
  for (std::size_t k = 0; k < space.operands.size(); ++k)
    if (layout.accesses[k].reach == Reach::Strided && !space.operands[k].is_position && is_contiguous(space, space.operands[k]))
      layout.accesses[k].reach = Reach::Row;
}

bool is_pack(const Space& space, const Operand& operand, const AccessLayout& access, std::int64_t width) {
  if (access.reach != Reach::Row || access.swapped || access.unaligned) return false;
  auto bits = static_cast<std::int64_t>(address(operand));
  for (int axis = 0; axis + 1 < space.rank; ++axis)
    if (space.extents[axis] > 1) bits |= operand.strides[axis];
  return bits % std::min<std::int64_t>(width * static_cast<std::int64_t>(item_size(operand.dtype)), kPackBytes) == 0;
}

void choose_packs_of_rows(const Space& space, Layout& layout, std::int64_t most) {
  std::int64_t widest = 1;
  for (std::size_t k = 0; k < space.operands.size(); ++k)
    if (layout.accesses[k].reach == Reach::Row) widest = std::max(widest, static_cast<std::int64_t>(item_size(space.operands[k].dtype)));
  for (std::int64_t width = std::min(kPackBytes / widest, most); width > 1; width /= 2) {
    bool fits = space.extents[space.rank - 1] % width == 0;
    for (std::size_t k = 0; fits && k < space.operands.size(); ++k) {
      const Operand& operand = space.operands[k];
      if (layout.accesses[k].reach == Reach::Strided)
        fits = !operand.is_position && !operand.is_store && operand.strides[space.rank - 1] == 0;
      if (layout.accesses[k].reach == Reach::Row) fits = is_pack(space, operand, layout.accesses[k], width);
    }
    if (!fits) continue;
    layout.width = static_cast<int>(width);
    for (AccessLayout& access : layout.accesses)
      if (access.reach == Reach::Row) access.reach = Reach::Pack;
    return;
  }
}

Layout layout_of_source(const Space& space) {
  Layout layout;
  layout.form = Form::Source;
  layout.rank = space.rank;
  layout.wide = space.total > kMostIndices;
  for (const Operand& operand : space.operands) layout.accesses.push_back(reach_of(space, operand));
  find_rows(space, layout);
  return layout;
}

Layout layout_of(const Space& space, bool in_order, int bytes) {
  Layout layout;
  layout.rank = space.rank;
  int loaded = 0;  // of each element; what is the same for many comes from caches
  for (const Operand& operand : space.operands) {
    const AccessLayout access = reach_of(space, operand);
    layout.accesses.push_back(access);
    bool repeats = access.reach != Reach::Strided || operand.is_position || operand.is_store;
    for (int axis = 0; axis < space.rank; ++axis) repeats |= operand.strides[axis] == 0 && space.extents[axis] > 1;
    if (!repeats) loaded += static_cast<int>(item_size(operand.dtype));
  }
  const auto unrolled = [&](int width) { return std::clamp(bytes / std::max(loaded * width, 1), 1, 4); };
  if (in_order) {
    layout.form = Form::Serial;
    return layout;
  }
  if (is_flat(space, layout)) {
    layout.form = Form::Flat;
    layout.rank = 1;
    choose_packs(space, layout);
    layout.unroll = unrolled(layout.width);
    return layout;
  }
  if (space.rank == 0) {
    layout.form = Form::Scatter;
    return layout;
  }
  const int turned = turned_axis(space, layout);
  find_rows(space, layout);
  if (turned >= 0 && turned == space.rank - 2) {
    layout.form = Form::Tiles;
    for (std::size_t k = 0; k < space.operands.size(); ++k) {
      const Operand& operand = space.operands[k];
      if (layout.accesses[k].reach == Reach::Strided && !operand.is_position && operand.strides[space.rank - 1] != 0 &&
          std::abs(operand.strides[turned]) == static_cast<std::int64_t>(item_size(operand.dtype)))
        layout.accesses[k].reach = Reach::Turned;
    }
    layout.width = tile_side(space, layout);
    return layout;
  }
  choose_packs_of_rows(space, layout, kPackBytes);
  layout.unroll = unrolled(layout.width);
  const std::int64_t row = space.extents[space.rank - 1] / layout.width;
  layout.form = row >= kLongRow ? Form::Rows : Form::Scatter;
  // A row that does not fill a block so often leaves threads without work.
  if (layout.form == Form::Rows) layout.unroll = static_cast<int>(std::clamp<std::int64_t>(row / kBlock, 1, layout.unroll));
  if (const int n = layout.form == Form::Rows ? rows_in_common(space, layout) : 1; n > 1) {
    layout.down = true;
    layout.unroll = n;
  }
  return layout;
}

TurnedSpace::TurnedSpace(const Space& space) : space_(space) {
  if (space.rank < 2) return;
  Layout layout;
  for (const Operand& operand : space.operands) layout.accesses.push_back(reach_of(space, operand));
  const int axis = turned_axis(space, layout), to = space.rank - 2;
  if (axis < 0 || axis == to) return;
  operands_.assign(space.operands.begin(), space.operands.end());
  const auto move = [&](const std::int64_t* from) {
    std::vector<std::int64_t>& moved = numbers_.emplace_back(from, from + space.rank);
    std::rotate(moved.begin() + axis, moved.begin() + axis + 1, moved.begin() + to + 1);
    return moved.data();
  };
  numbers_.reserve(operands_.size() + 1);
  space_.extents = move(space.extents);
  for (Operand& operand : operands_) operand.strides = move(operand.strides);
  space_.operands = operands_;
}

void launch(DeviceState& device, const LoadedKernel& kernel, const KernelText& text, const Layout& layout, const Space& space) {
  if (layout.form == Form::Flat || space.total <= kMostIndices) return launch_piece(device, kernel, text, layout, space);
  // The outermost axis is cut; where one index of it is too much still, the next one is, with an extent of one in front.
  int axis = 0;
  std::int64_t inner = space.total;
  std::vector<std::int64_t> extents(space.extents, space.extents + space.rank);
  while (axis < space.rank && inner / extents[axis] > kMostIndices) inner /= extents[axis++];
  inner /= extents[axis];  // elements under one index of the axis that is cut
  const std::int64_t most = std::max<std::int64_t>(1, kMostIndices / inner), extent = extents[axis];
  std::int64_t outer = 1;
  for (int a = 0; a < axis; ++a) outer *= extents[a];
  std::vector<Operand> operands(space.operands.begin(), space.operands.end());
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t first = 0; first < extent; first += most) {
      for (std::size_t k = 0; k < operands.size(); ++k) {
        const Operand& whole = space.operands[k];
        std::int64_t offset = first * whole.strides[axis], rest = o;
        for (int a = axis - 1; a >= 0; --a) {
          offset += rest % space.extents[a] * whole.strides[a];
          rest /= space.extents[a];
        }
        if (!whole.value) operands[k].base = plan::advance(whole.base, offset);
      }
      for (int a = 0; a < axis; ++a) extents[a] = 1;
      extents[axis] = std::min(most, extent - first);
      launch_piece(device, kernel, text, layout, {space.rank, extents.data(), extents[axis] * inner, operands});
    }
}

}  // namespace engine::cuda

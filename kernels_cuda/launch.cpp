// kernels_cuda/launch.cpp - see launch.hpp.
#include "kernels_cuda/launch.hpp"

#include <algorithm>
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
/// Bytes that a thread should have under way: 2,048 threads on a multiprocessor then ask for 64 KiB, which is what the widest
/// memory in use needs (CUB's table for DeviceTransform: 12 KiB up to 7.x, 16 on 8.x, 32 to 48 on 9.0, 64 on 10.0).
constexpr int kBytesUnderWay = 32;

bool is_single(const Space& space, const Operand& operand) {
  for (int axis = 0; axis < space.rank; ++axis)
    if (operand.strides[axis] != 0 && space.extents[axis] > 1) return false;
  return true;
}

std::uintptr_t address(const Operand& operand) { return reinterpret_cast<std::uintptr_t>(operand.base); }

int number_bytes(DType dtype) {
  const auto item = static_cast<int>(item_size(dtype));
  return is_complex(dtype) ? item / 2 : item;
}

bool is_unaligned(const Space& space, const Operand& operand) {
  std::uintptr_t bits = address(operand);
  for (int axis = 0; axis < space.rank; ++axis)
    if (space.extents[axis] > 1) bits |= static_cast<std::uintptr_t>(operand.strides[axis]);
  return (bits & static_cast<std::uintptr_t>(number_bytes(operand.dtype) - 1)) != 0;
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

/// See divide_index in device/elementwise.cuh.
struct Divisor {
  explicit Divisor(std::uint32_t extent)
      : shift(static_cast<std::uint32_t>(std::bit_width(extent - 1))),
        multiplier(static_cast<std::uint32_t>((((std::uint64_t{1} << shift) - extent) << 32) / extent + 1)) {}
  std::uint32_t shift, multiplier;
};

/// Parameters of one launch, at the addresses cuLaunchKernel wants.
class Parameters {
 public:
  Parameters(const KernelText& text, const Layout& layout, const Space& space, const FoldRun& fold) {
    std::size_t at = 0;
    for (const Parameter& parameter : text.parameters) {
      at = (at + parameter.bytes - 1) / parameter.bytes * parameter.bytes;
      offsets_.push_back(at);
      at += parameter.bytes;
    }
    bytes_.resize(at);
    for (std::size_t i = 0; i < offsets_.size(); ++i) write(text.parameters[i], layout, space, fold, bytes_.data() + offsets_[i]);
  }
  std::span<const std::byte> bytes() const { return bytes_; }
  std::vector<void*> addresses() {
    std::vector<void*> list;
    for (std::size_t offset : offsets_) list.push_back(bytes_.data() + offset);
    return list;
  }

 private:
  static void write(const Parameter& parameter, const Layout& layout, const Space& space, const FoldRun& fold, std::byte* to) {
    const auto put = [&](const auto value) { std::memcpy(to, &value, sizeof value); };
    const auto extent = [&] { return static_cast<std::uint32_t>(space.extents[parameter.axis]); };
    switch (parameter.kind) {
      case Parameter::Kind::Total:
        return put(space.total);
      case Parameter::Kind::Head:
        return put(std::min(space.total, head_of(space, layout)));
      case Parameter::Kind::Address:
        return put(space.operands[parameter.index].base);
      case Parameter::Kind::Value:
        if (space.operands[parameter.index].is_position) return put(space.operands[parameter.index].base);
        std::memcpy(to, space.operands[parameter.index].value, parameter.bytes);
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
      case Parameter::Kind::Arrived:
        return put(fold.arrived);
      case Parameter::Kind::Span:
        return put(fold.span);
      case Parameter::Kind::RowCount:
        return put(fold.rows);
      case Parameter::Kind::Length:
        return put(fold.length);
      case Parameter::Kind::Columns:
        return put(fold.columns);
      case Parameter::Kind::Items:
        return put(fold.items);
    }
  }

  std::vector<std::byte> bytes_;
  std::vector<std::size_t> offsets_;
};

void launch_piece(DeviceState& device, const LoadedKernel& kernel, const KernelText& text, const Layout& layout, const Space& space) {
  const std::int64_t per_block = std::int64_t{kBlock} * layout.unroll;
  std::int64_t blocks = 1, pieces = 1;
  switch (layout.form) {
    case Form::Flat:
      blocks = (space.total / layout.width + per_block - 1) / per_block;
      break;
    case Form::Rows: {
      const std::int64_t inner = space.extents[space.rank - 1];
      pieces = (inner + per_block - 1) / per_block;
      blocks = space.total / inner * pieces;
      break;
    }
    case Form::Scatter:
      blocks = (space.total + per_block - 1) / per_block;
      break;
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
  Parameters parameters(text, layout, space, fold);
  std::vector<void*> addresses = parameters.addresses();
  std::vector<Memory> in_memory;
  DevicePointer at = 0;
  if (text.parameters_in_memory) {
    in_memory.emplace_back(device, parameters.bytes().size());
    at = in_memory[0].address();
    device.copy_to_device(at, parameters.bytes().data(), parameters.bytes().size());
    addresses = {&at};
  }
  check(driver().cuLaunchKernel(kernel.function(), static_cast<unsigned>(blocks), 1, 1, layout.form == Form::Serial ? 1 : kBlock, 1, 1, 0,
                                device.stream(), addresses.data(), nullptr),
        "starting a kernel");
  ++device.counts.launches;
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
    access.unaligned = is_unaligned(space, operand);
  }
  // One element alone is read by the thread that works on it, as its place may be written, too.
  if (!operand.is_store && space.total > 1 && is_single(space, operand)) access.reach = Reach::Uniform;
  return access;
}

Layout layout_of(const Space& space, bool in_order) {
  Layout layout;
  layout.rank = space.rank;
  int loaded = 0;
  for (const Operand& operand : space.operands) {
    const AccessLayout access = reach_of(space, operand);
    if (access.reach == Reach::Strided) loaded += static_cast<int>(item_size(operand.dtype));
    layout.accesses.push_back(access);
  }
  if (in_order) {
    layout.form = Form::Serial;
    return layout;
  }
  if (is_flat(space, layout)) {
    layout.form = Form::Flat;
    layout.rank = 1;
    choose_packs(space, layout);
    layout.unroll = std::clamp(kBytesUnderWay / std::max(loaded * layout.width, 1), 1, 4);
    return layout;
  }
  layout.unroll = std::clamp(kBytesUnderWay / std::max(loaded, 1), 1, 4);
  layout.form = space.rank > 0 && space.extents[space.rank - 1] >= kLongRow ? Form::Rows : Form::Scatter;
  if (layout.form == Form::Rows)
    for (std::size_t k = 0; k < space.operands.size(); ++k) {
      const Operand& operand = space.operands[k];
      AccessLayout& access = layout.accesses[k];
      if (access.reach == Reach::Strided && !operand.is_position &&
          operand.strides[space.rank - 1] == static_cast<std::int64_t>(item_size(operand.dtype)))
        access.reach = Reach::Row;
    }
  return layout;
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

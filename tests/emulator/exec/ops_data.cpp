// exec/ops_data.cpp - mov with its packing forms, and conversions of addresses between spaces.
#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin {
namespace decode {
namespace {

void move_predicate(Warp& warp, const Instruction& in) { ops::set_predicate(warp, in.reg[0], predicate(warp, in.reg[1])); }

template <class T>
T same(T value) {
  return value;
}

struct Wide {
  std::uint64_t low, high;
};

/// Bytes of a lane are gathered from n registers, or spread to them; `bytes` is the size of one part.
void pack(Warp& warp, const Instruction& in) {
  const std::uint32_t whole = std::uint32_t{in.bytes} * in.n_items;
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    std::byte value[16];
    for (std::uint32_t k = 0; k < in.n_items; ++k) std::memcpy(value + k * in.bytes, warp.frame + in.reg[1 + k] + static_cast<std::uint32_t>(i) * in.bytes, in.bytes);
    std::memcpy(warp.frame + in.reg[0] + static_cast<std::uint32_t>(i) * whole, value, whole);
  }
}

void unpack(Warp& warp, const Instruction& in) {
  const std::uint32_t whole = std::uint32_t{in.bytes} * in.n_items;
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    std::byte value[16];
    std::memcpy(value, warp.frame + in.reg[0] + static_cast<std::uint32_t>(i) * whole, whole);
    for (std::uint32_t k = 0; k < in.n_items; ++k) std::memcpy(warp.frame + in.reg[1 + k] + static_cast<std::uint32_t>(i) * in.bytes, value + k * in.bytes, in.bytes);
  }
}

void move_wide(Warp& warp, const Instruction& in) {
  const Wide* a = lanes<Wide>(warp, in.reg[1]);
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) lanes<Wide>(warp, in.reg[0])[std::countr_zero(rest)] = a[std::countr_zero(rest)];
}

Type bits_of(std::size_t bytes) {
  switch (bytes) {
    case 1: return Type::B8;
    case 2: return Type::B16;
    case 4: return Type::B32;
    case 8: return Type::B64;
    default: return Type::B128;
  }
}

/// mov.b32 d, {a, b} and mov.b32 {a, b}, d
void move_vector(Decoder& d, Type type, bool packs) {
  const auto& items = d.text.operands[packs ? 1 : 0].items;
  const auto size = static_cast<std::size_t>(ptx::size_of(type));
  if ((items.size() != 2 && items.size() != 4) || size % items.size()) d.refuse("does not fit its vector");
  const Type part = bits_of(size / items.size());
  d.out.n_items = static_cast<std::uint8_t>(items.size());
  d.out.bytes = static_cast<std::uint8_t>(size / items.size());
  for (std::size_t k = 0; k < items.size(); ++k)
    d.out.reg[1 + k] = packs ? d.assembler.source(items[k], part, d.out) : d.assembler.destination(items[k], part, d.out);
  if (packs) d.destination(0, 0, type);
  else d.source(0, 1, type);
  d.emit(packs ? &pack : &unpack);
}

}  // namespace

void mov(Decoder& d) {
  const Type type = d.type();
  d.finish(2);
  if (d.text.operands[1].kind == ptx::OperandKind::Vector) return move_vector(d, type, true);
  if (d.text.operands[0].kind == ptx::OperandKind::Vector) return move_vector(d, type, false);
  d.source(1, 1, type);
  d.destination(0, 0, type);
  if (type == Type::Pred) return d.emit(&move_predicate);
  if (type == Type::B128) return d.emit(&move_wide);
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &ops::unary<same<T>, T>; }));
}

namespace {

/// Moves an address into or out of its space's window; `offset` is the window's difference, set when the handler runs.
template <int kSign>
void shift_window(Warp& warp, const Instruction& in) {
  const Memory& memory = warp.launch->memory;
  const std::uint64_t window = in.space == ptx::Space::Shared ? memory.shared_window() : in.space == ptx::Space::Local ? memory.local_window() : memory.parameter_window();
  const std::uint64_t* a = lanes<std::uint64_t>(warp, in.reg[1]);
  ops::each_lane(warp.mask, lanes<std::uint64_t>(warp, in.reg[0]), [=](int i) { return kSign > 0 ? a[i] + window : a[i] - window; });
}

ptx::Space space_of(Decoder& d) {
  constexpr ptx::Space kSpaces[] = {ptx::Space::Global, ptx::Space::Const, ptx::Space::Shared, ptx::Space::Shared, ptx::Space::Local, ptx::Space::Param};
  return kSpaces[d.choice({"global", "const", "shared", "shared::cta", "local", "param"})];
}

void is_in_space(Warp& warp, const Instruction& in) {
  const Memory& memory = warp.launch->memory;
  const std::uint64_t* a = lanes<std::uint64_t>(warp, in.reg[1]);
  std::uint32_t found = 0;
  for (int i = 0; i < 32; ++i) {
    const bool shared = a[i] - memory.shared_window() < Memory::kWindow, local = a[i] - memory.local_window() < Memory::kWindow;
    const bool parameter = a[i] - memory.parameter_window() < Memory::kWindow;
    const bool is = in.space == ptx::Space::Shared ? shared : in.space == ptx::Space::Local ? local : in.space == ptx::Space::Param ? parameter : !shared && !local && !parameter;
    found |= static_cast<std::uint32_t>(is) << i;
  }
  ops::set_predicate(warp, in.reg[0], found);
}

}  // namespace

void cvta(Decoder& d) {
  const bool into = d.take("to");
  d.out.space = space_of(d);
  const Type type = d.type();
  if (type != Type::U64) d.refuse("is not executed for this type");
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, type);
  if (d.out.space == ptx::Space::Global || d.out.space == ptx::Space::Const) return d.emit(&ops::unary<same<std::uint64_t>, std::uint64_t>);
  d.emit(into ? &shift_window<-1> : &shift_window<1>);
}

void isspacep(Decoder& d) {
  d.out.space = space_of(d);
  d.finish(2);
  d.source(1, 1, Type::U64);
  d.destination(0, 0, Type::Pred);
  d.emit(&is_in_space);
}

}  // namespace decode

namespace ops {

void read_clock(Warp& warp, const Instruction& in) {
  const std::uint64_t now = warp.launch->counters.warp_instructions;
  const auto special = static_cast<Special>(in.option);
  const std::uint64_t value = special == Special::GlobalTimerHigh ? now >> 32 : now;
  if (in.bytes == 8) each_lane(warp.mask, lanes<std::uint64_t>(warp, in.reg[0]), [=](int) { return value; });
  else if (in.bytes == 4) each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int) { return static_cast<std::uint32_t>(value); });
  else each_lane(warp.mask, lanes<std::uint16_t>(warp, in.reg[0]), [=](int) { return static_cast<std::uint16_t>(value); });
}

void copy_local(Warp& warp, const Instruction& in) {
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    std::byte* mine = warp.local.data() + static_cast<std::size_t>(std::countr_zero(rest)) * warp.launch->program.local_bytes;
    std::memcpy(mine + in.reg[0], mine + in.reg[1], in.target);
  }
}

}  // namespace ops
}  // namespace standin

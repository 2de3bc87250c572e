// exec/ops_warp.cpp - what lanes of a warp do together. The warp has waited until all lanes of the mask are here.
#include <algorithm>

#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

enum Shuffle : std::uint8_t { kUp, kDown, kButterfly, kIndexed };

/// PTX ISA, shfl.sync: the segment mask and the clamp value lie in the upper and lower bits of c.
void shuffle(Warp& warp, const Instruction& in) {
  const std::uint32_t* a = lanes<std::uint32_t>(warp, in.reg[2]);
  const std::uint32_t* b = lanes<std::uint32_t>(warp, in.reg[3]);
  const std::uint32_t* c = lanes<std::uint32_t>(warp, in.reg[4]);
  std::uint32_t found[32], inside = 0;
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const auto lane = static_cast<std::uint32_t>(std::countr_zero(rest));
    const std::uint32_t segment = c[lane] >> 8 & 31, clamp = c[lane] & 31, n = b[lane] & 31;
    const std::uint32_t last = (lane & segment) | (clamp & ~segment), first = lane & segment;
    std::uint32_t from = lane;
    bool is_inside = false;
    switch (static_cast<Shuffle>(in.option)) {
      case kUp:
        from = lane - n, is_inside = static_cast<std::int32_t>(from) >= static_cast<std::int32_t>(last);
        break;
      case kDown:
        from = lane + n, is_inside = from <= last;
        break;
      case kButterfly:
        from = lane ^ n, is_inside = from <= last;
        break;
      case kIndexed:
        from = first | (n & ~segment), is_inside = from <= last;
        break;
    }
    if (!is_inside) from = lane;
    if (!(warp.mask >> from & 1))
      warp.fail(Defect::BadMask, static_cast<int>(lane), "shuffles a value from lane " + std::to_string(from) + ", which takes no part");
    found[lane] = a[from];
    inside |= static_cast<std::uint32_t>(is_inside) << lane;
  }
  ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [&](int i) { return found[i]; });
  if (in.n_items == 2) ops::set_predicate(warp, in.reg[1], inside);
}

void vote_of(Warp& warp, const Instruction& in) {
  const std::uint32_t yes = predicate(warp, in.reg[1]) & warp.mask;
  switch (in.option) {
    case 0:
      return ops::set_predicate(warp, in.reg[0], yes == warp.mask ? kAllLanes : 0);
    case 1:
      return ops::set_predicate(warp, in.reg[0], yes ? kAllLanes : 0);
    case 2:
      return ops::set_predicate(warp, in.reg[0], yes == 0 || yes == warp.mask ? kAllLanes : 0);
    default:
      return ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int) { return yes; });
  }
}

template <class T, bool kAll>
void match_lanes(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[2]);
  std::uint32_t found[32] = {};
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    for (std::uint32_t other = warp.mask; other; other &= other - 1)
      if (a[std::countr_zero(other)] == a[i]) found[i] |= 1u << std::countr_zero(other);
  }
  if (kAll) {
    const bool same = found[std::countr_zero(warp.mask) & 31] == warp.mask;
    const std::uint32_t value = same ? warp.mask : 0;
    ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int) { return value; });
    if (in.n_items == 2) ops::set_predicate(warp, in.reg[1], same ? kAllLanes : 0);
  } else {
    ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [&](int i) { return found[i]; });
  }
}

template <class T>
T combine(std::uint8_t operation, T a, T b) {
  switch (operation) {
    case 0:
      return static_cast<T>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
    case 1:
      return std::min(a, b);
    case 2:
      return std::max(a, b);
    case 3:
      return a & b;
    case 4:
      return a | b;
    default:
      return a ^ b;
  }
}

template <class T>
void reduce(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  T found = a[std::countr_zero(warp.mask)];
  for (std::uint32_t rest = warp.mask & (warp.mask - 1); rest; rest &= rest - 1)
    found = combine(in.option, found, a[std::countr_zero(rest)]);
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [=](int) { return found; });
}

void mask(Decoder& d, std::size_t operand) { d.source(Instruction::kMask, operand, Type::B32); }

void second_result(Decoder& d) {
  const std::uint32_t second = d.text.operands[0].predicate;
  d.out.n_items = second ? 2 : 1;
  if (second) d.out.reg[1] = d.assembler.slot_of(second - 1);
}

}  // namespace

void shfl(Decoder& d) {
  d.choice({"sync"});
  d.out.option = static_cast<std::uint8_t>(d.choice({"up", "down", "bfly", "idx"}));
  if (ptx::size_of(d.type()) != 4) d.refuse("is not executed for this type");
  d.finish(5);
  second_result(d);
  for (int i = 1; i < 4; ++i) d.source(i + 1, static_cast<std::size_t>(i), Type::B32);
  mask(d, 4);
  d.destination(0, 0, Type::B32);
  d.emit(Flow::WarpSync, &shuffle);
}

void vote(Decoder& d) {
  const bool is_said = d.take("sync");  // ptxas takes it in either place; CUB writes it in the second
  d.out.option = static_cast<std::uint8_t>(d.choice({"all", "any", "uni", "ballot"}));
  if (!is_said) d.choice({"sync"});
  const Type type = d.type();
  if (type != (d.out.option == 3 ? Type::B32 : Type::Pred)) d.refuse("is not executed for this type");
  d.finish(3);
  d.source(1, 1, Type::Pred);
  mask(d, 2);
  d.destination(0, 0, type);
  d.emit(Flow::WarpSync, &vote_of);
}

void match(Decoder& d) {
  const bool all = d.choice({"any", "all"}) == 1;
  d.choice({"sync"});
  const Type type = d.type();
  d.finish(3);
  second_result(d);
  d.source(2, 1, type);
  mask(d, 2);
  d.destination(0, 0, Type::B32);
  const bool is_wide = ptx::size_of(type) == 8;
  if (!is_wide && ptx::size_of(type) != 4) d.refuse("is not executed for this type");
  d.emit(Flow::WarpSync, is_wide ? (all ? &match_lanes<std::uint64_t, true> : &match_lanes<std::uint64_t, false>)
                                 : (all ? &match_lanes<std::uint32_t, true> : &match_lanes<std::uint32_t, false>));
}

void redux(Decoder& d) {
  d.choice({"sync"});
  d.out.option = static_cast<std::uint8_t>(d.choice({"add", "min", "max", "and", "or", "xor"}));
  const Type type = d.type();
  if ((d.out.option > 2) != (type == Type::B32)) d.refuse("is not executed for this type");
  d.finish(3);
  d.source(1, 1, type);
  mask(d, 2);
  d.destination(0, 0, type);
  d.emit(Flow::WarpSync, by_type<std::int32_t, std::uint32_t>(d, type == Type::B32 ? Type::U32 : type, []<class T> { return &reduce<T>; }));
}

void activemask(Decoder& d) {
  if (d.type() != Type::B32) d.refuse("is not executed for this type");
  d.finish(1);
  d.destination(0, 0, Type::B32);
  d.emit([](Warp& warp, const Instruction& in) {
    ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [m = warp.mask](int) { return m; });
  });
}

/// elect.sync d|p, mask: the lowest lane is elected.
void elect(Decoder& d) {
  d.choice({"sync"});
  d.finish(2);
  second_result(d);
  if (d.out.n_items != 2) d.refuse("has two results");
  mask(d, 1);
  d.destination(0, 0, Type::B32);
  d.emit(Flow::WarpSync, [](Warp& warp, const Instruction& in) {
    const auto lane = static_cast<std::uint32_t>(std::countr_zero(warp.mask));
    ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int) { return lane; });
    ops::set_predicate(warp, in.reg[1], 1u << lane);
  });
}

}  // namespace standin::decode

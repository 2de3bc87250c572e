// exec/ops.hpp - what handlers share: loops over the lanes, and the choice of one by type.
#pragma once

#include <bit>
#include <cstdint>

#include "tests/emulator/exec/warp.hpp"

namespace standin::ops {

/// to[i] = f(i) for the lanes of the mask. Operands may be the same register, never overlap otherwise: lanes are independent.
template <class T, class F>
void each_lane(std::uint32_t mask, T* to, F&& f) {
  if (mask == kAllLanes) {
#pragma GCC ivdep
    for (int i = 0; i < 32; ++i) to[i] = f(i);
  } else {
    for (; mask; mask &= mask - 1) {
      const int i = std::countr_zero(mask);
      to[i] = f(i);
    }
  }
}

template <auto F, class D, class A = D>
void unary(Warp& warp, const Instruction& in) {
  const A* a = lanes<A>(warp, in.reg[1]);
  each_lane(warp.mask, lanes<D>(warp, in.reg[0]), [=](int i) { return static_cast<D>(F(a[i])); });
}

template <auto F, class D, class A = D, class B = A>
void binary(Warp& warp, const Instruction& in) {
  const A* a = lanes<A>(warp, in.reg[1]);
  const B* b = lanes<B>(warp, in.reg[2]);
  each_lane(warp.mask, lanes<D>(warp, in.reg[0]), [=](int i) { return static_cast<D>(F(a[i], b[i])); });
}

template <auto F, class D, class A = D, class B = A, class C = D>
void ternary(Warp& warp, const Instruction& in) {
  const A* a = lanes<A>(warp, in.reg[1]);
  const B* b = lanes<B>(warp, in.reg[2]);
  const C* c = lanes<C>(warp, in.reg[3]);
  each_lane(warp.mask, lanes<D>(warp, in.reg[0]), [=](int i) { return static_cast<D>(F(a[i], b[i], c[i])); });
}

/// Replaces the lanes of the mask in a predicate.
inline void set_predicate(Warp& warp, std::uint32_t slot, std::uint32_t value) {
  std::uint32_t& to = predicate(warp, slot);
  to = (to & ~warp.mask) | (value & warp.mask);
}

// What the assembler puts in by itself.
void not_predicate(Warp& warp, const Instruction& in);
void read_clock(Warp& warp, const Instruction& in);
void copy_local(Warp& warp, const Instruction& in);
Handler resize(int to_bytes, int from_bytes, bool is_signed);

}  // namespace standin::ops

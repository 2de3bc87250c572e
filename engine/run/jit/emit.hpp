// run/jit/emit.hpp - placed instructions -> bytes.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {

/// Where the entry of the function is in the code, which starts with its constants.
struct Emitted {
  std::size_t size = 0;
  std::size_t entry = 0;
  /// Where the opcodes of the stores are, where all are of as many bytes, 16 or more; and those bytes. Else there are none.
  std::array<std::size_t, interp::kMostRows> stores{};
  int n_stores = 0;
  int store_bytes = 0;
};
/// The opcodes that store past the caches, and otherwise: all else of the instructions is the same (Intel SDM, volume 2).
inline constexpr std::byte kStoreOpcode{0x11}, kStreamOpcode{0x2b};

/// Writes a MachineFunction (System V calling convention) that may be moved to any address that is a multiple of 64. Size 0
/// where `buffer` is too small for it.
Emitted emit(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer);
/// Writes a Machine::Groups of a program that folds.
Emitted emit_groups(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer);
/// Writes a Machine::Walk.
Emitted emit_walk(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer);

}  // namespace engine::run::jit

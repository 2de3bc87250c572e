// run/jit/emit.hpp - placed instructions -> bytes.
#pragma once

#include <cstddef>
#include <span>

#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {

/// Where the entry of the function is in the code, which starts with its constants.
struct Emitted {
  std::size_t size = 0;
  std::size_t entry = 0;
};

/// Writes a Machine::Function (System V calling convention) that may be moved to any address that is a multiple of 64. Size 0
/// where `buffer` is too small for it.
Emitted emit(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer);
/// Writes a Machine::Group of a program that folds.
Emitted emit_group(const Target& target, const Program& program, const Allocation& allocation, std::span<std::byte> buffer);

}  // namespace engine::run::jit

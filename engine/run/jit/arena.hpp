// run/jit/arena.hpp - memory for machine code.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace engine::run::jit {

/// Why code cannot be run here, once that has been tried; empty: it can.
const std::string& refusal() noexcept;

/// Bytes of code that are in use, and the most there may be.
std::size_t code_bytes() noexcept;
inline constexpr std::size_t kMostCode = std::size_t{64} << 20;

/// `code` where it can be executed, at a multiple of 64 bytes, for as long as the pointer or a copy of it lives. Null where there
/// is no more room, or executable memory is refused. No memory is writable and executable at one address.
std::shared_ptr<const void> install(std::span<const std::byte> code);

}  // namespace engine::run::jit

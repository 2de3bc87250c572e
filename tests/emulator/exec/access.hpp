// exec/access.hpp - the one way from a lane's address to bytes, with every check on the way.
#pragma once

#include <cstdint>

#include "tests/emulator/exec/warp.hpp"

namespace standin {

enum class Use : std::uint8_t { Read, Write, Update };

/// Where bytes lie, checked for bounds, lifetime and alignment.
struct Place {
  std::byte* bytes;
  Shadow* shadow;  // null: memory that is neither shared nor written by others
  std::uint64_t at;  // within the shadow
  ptx::Space space;
};

/// Throws the finding where the lane may not touch [address, address + n).
Place locate(Warp& warp, const Instruction& in, int lane, std::uint64_t address, std::uint32_t n, Use use);
/// Checks values, races and .nc, and records the access.
void touch(Warp& warp, const Instruction& in, int lane, const Place& place, std::uint64_t address, std::uint32_t n, Use use);

/// The lanes' addresses of a memory instruction, and what they have in common.
struct Addresses32 {
  std::uint64_t of[32];
  bool is_row = false;  // all lanes take part, each n bytes behind the one before
};
void addresses(Warp& warp, const Instruction& in, std::uint32_t n, Addresses32& found);

/// For a row of n bytes a lane in global or shared memory: all checks at once. Null: go lane by lane.
std::byte* locate_row(Warp& warp, const Instruction& in, std::uint64_t first, std::uint32_t n, Use use);

/// Sectors or bank cycles of one request.
void count_request(Warp& warp, ptx::Space space, const std::uint64_t* address, std::uint32_t n);
void count_row(Warp& warp, ptx::Space space, std::uint64_t first, std::uint32_t n);

}  // namespace standin

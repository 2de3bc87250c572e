// device/tiles.hpp - what the host and its kernels have to agree about: threads of a block, and what a block takes. NVRTC reads this
// file too.
#pragma once

namespace engine::cuda {

inline constexpr unsigned kThreads = 256;
/// Of the contract's tree (3): elements of a block along a row, rows of a group. Levels that a thread combines of a column, groups or
/// parts of blocks: as many as have registers.
inline constexpr unsigned kTreeBlock = 2048;
inline constexpr unsigned kRowGroup = 8;
inline constexpr int kColumnLevels = 6;
/// What is picked from: elements of a thread, of a block.
inline constexpr unsigned kPickedOfThread = 8;
inline constexpr unsigned kPickTile = kThreads * kPickedOfThread;
/// Sorts: bits of a digit, its values; elements of a thread, of a block.
inline constexpr unsigned kDigitBits = 8;
inline constexpr unsigned kDigits = 256;
inline constexpr unsigned kRadixItems = 16;
inline constexpr unsigned kRadixTile = kThreads * kRadixItems;

}  // namespace engine::cuda

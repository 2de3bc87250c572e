// base/boundary.hpp - the words of boundaries, and where a shifted read lands.
#pragma once

#include <array>
#include <cstdint>
#include <engine/options.hpp>
#include <string_view>

namespace engine {

inline constexpr std::array<std::string_view, 7> kBoundaryWords{"reflect", "mirror", "nearest", "wrap", "constant", "valid", "keep"};

/// For messages: those that find something, and so leave as many elements as there are.
inline constexpr std::string_view kShiftBoundaries = "one of 'reflect', 'mirror', 'nearest', 'wrap', 'constant'";

/// Far from every position, and from what a run of positions would go on with.
inline constexpr std::int64_t kOutside = INT64_MIN;

/// The position on an axis of `extent` > 0 elements that a read at position `i`, perhaps beyond its sides, finds; kOutside where that
/// is a constant. Both sides reflecting, the axis repeats with a period, as SciPy has it; otherwise each side hands on to the other.
/// Beyond sides that nobody should read, of Valid and Keep, there is the nearest element.
constexpr std::int64_t mapped(std::int64_t i, std::int64_t extent, Boundary low, Boundary high) {
  if (i >= 0 && i < extent) return i;
  const auto wrapped = [extent](std::int64_t at) { return (at % extent + extent) % extent; };
  const auto reflects = [](Boundary side) { return side == Boundary::Reflect || side == Boundary::Mirror; };
  const std::int64_t skip_low = low == Boundary::Mirror, skip_high = high == Boundary::Mirror;
  if (reflects(low) && reflects(high)) {
    const std::int64_t period = 2 * extent - skip_low - skip_high;
    if (period == 0) return 0;
    const std::int64_t at = (i % period + period) % period;
    return at < extent ? at : 2 * extent - 1 - skip_high - at;
  }
  for (int turns = 0; turns < 3; ++turns) {
    if (i < 0) {
      if (low == Boundary::Wrap) return wrapped(i);
      if (low == Boundary::Constant) return kOutside;
      if (!reflects(low)) return 0;
      i = -1 + skip_low - i;
    } else if (i >= extent) {
      if (high == Boundary::Wrap) return wrapped(i);
      if (high == Boundary::Constant) return kOutside;
      if (!reflects(high)) return extent - 1;
      i = 2 * extent - 1 - skip_high - i;
    } else {
      break;
    }
  }
  return i;
}

}  // namespace engine

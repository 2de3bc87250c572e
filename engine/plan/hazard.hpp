// plan/hazard.hpp - output against inputs: may a kernel write while it reads?
#pragma once

#include <cstdint>

namespace engine::plan {

/// What a store means for one operand that the same kernel reads, both over the same axes in iteration order.
enum class Hazard : std::uint8_t {
  None,      ///< no element is shared
  Same,      ///< element i of one is element i of the other, and no other: safe when the store comes last
  Forward,   ///< the store trails behind the reads: safe in iteration order
  Backward,  ///< safe when every axis is walked backwards
  Buffer,    ///< anything else: the result must be finished before it is written
};

struct Touched {
  const char* base;
  const std::int64_t* strides;  ///< bytes, per axis
  std::int64_t item;            ///< bytes of one element
};

/// Bytes [low, high) that the elements cover; extents all positive.
void cover(const Touched& t, int rank, const std::int64_t* extents, std::uintptr_t& low, std::uintptr_t& high) noexcept;

/// Conservative: Buffer is always right, the others are only given when they are.
Hazard hazard(const Touched& store, const Touched& load, int rank, const std::int64_t* extents) noexcept;

/// Whether elements share an address (of a stretched or overlapping target): then the last write must win. Conservative: true is always
/// right.
bool repeats(const Touched& t, int rank, const std::int64_t* extents) noexcept;

}  // namespace engine::plan

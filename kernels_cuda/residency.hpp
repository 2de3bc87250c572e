// kernels_cuda/residency.hpp - host memory that a call touches, and its counterpart on the device.
//
// Stretches of host memory are mirrored whole, wherever operands overlap once: so strides, overlaps and alignments are on the
// device what they are on the host, and plan and hazard analysis hold there unchanged.
#pragma once

#include <vector>

#include "engine/plan/bind.hpp"
#include "kernels_cuda/device.hpp"

namespace engine::cuda {

/// Whether the elements fill what they cover, each place once.
bool is_dense(std::size_t item, int rank, const std::int64_t* extents, const std::int64_t* strides);

class Residency {
 public:
  /// `is_resident`: memory that is not announced is the device's own.
  /// `threads`: of the host, for copies (0: as many as it may).
  Residency(DeviceState& device, bool is_resident, int threads) : device_(device), is_resident_(is_resident), threads_(threads) {}

  /// Announces host memory [low, high); `is_read`: its values are needed.
  void touch(std::uintptr_t low, std::uintptr_t high, bool is_read);
  /// After all is announced: allocates. What is announced later lies within what was, or apart from it.
  void allocate();
  /// And copies what is needed and was not there before.
  void arrive();
  /// The counterpart of an address in announced memory.
  char* on_device(const char* host) const;

  /// Copies the elements at base + sum of index * strides back, and none of what lies between them.
  void bring_back(const char* base, std::size_t item, int rank, const std::int64_t* extents, const std::int64_t* strides) const;

 private:
  struct Stretch {
    std::uintptr_t low, high;
    bool is_read;
    DevicePointer device = 0;
  };
  const Stretch* look_up(std::uintptr_t address) const;

  DeviceState& device_;
  bool is_resident_;
  int threads_;
  std::vector<Stretch> stretches_;  ///< disjoint, in order
  std::vector<Stretch> announced_;  ///< since allocate(); after it those that are new
  std::vector<Memory> memory_;
};

}  // namespace engine::cuda

// kernels_cuda/pieces.hpp - device memory for pieces of operands that go through a device: a few slots for each, used in turn, so that
// copies and kernels of neighbouring pieces are under way at once and arrays may be larger than the device.
#pragma once

#include <vector>

#include "kernels_cuda/device.hpp"

namespace engine::cuda {

/// Used under the device's mutex with its context current; all throw BackendError, OutOfMemory. Turns are counted from 0 on.
class Pieces {
 public:
  explicit Pieces(DeviceState& device) : device_(device) {}
  ~Pieces();
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  /// Slots of that many bytes for memory of the host, as aligned as it is there. Gives its number.
  std::size_t add(const char* host, std::size_t bytes);
  DevicePointer slot(std::size_t memory, std::size_t turn) const {
    return memories_[memory].device.address() + turn % kSlots * memories_[memory].stride + memories_[memory].offset;
  }

  /// Work on `stream` waits until nobody needs what the slots held for an earlier turn: kernels have read it, copies taken it away.
  void before_load(std::size_t turn, Stream stream) { wait(read_[turn % kSlots], stream); }
  void before_store(std::size_t turn, Stream stream) { wait(taken_[turn % kSlots], stream); }
  /// Behind the turn's kernel, and behind the copies of what it has stored.
  void after_kernel(std::size_t turn, Stream stream) { record(read_[turn % kSlots], stream); }
  void after_copies(std::size_t turn, Stream stream) { record(taken_[turn % kSlots], stream); }

 private:
  static constexpr std::size_t kSlots = 3;
  static void wait(Event event, Stream stream);
  static void record(Event& event, Stream stream);

  struct Slots {
    Memory device;
    std::size_t stride, offset;
  };
  DeviceState& device_;
  std::vector<Slots> memories_;
  Event read_[kSlots]{}, taken_[kSlots]{};
};

}  // namespace engine::cuda

// kernels_cuda/staging.hpp - pageable memory <-> a device, by way of pinned memory: the host moves one piece while the device moves
// others. What is pinned is small and kept: pinning memory costs more than moving it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels_cuda/driver_api.hpp"

namespace engine::cuda {

/// A ring of pinned slots, for one direction. Used under the device's mutex with its context current; all throw BackendError,
/// OutOfMemory.
class Staging {
 public:
  static constexpr std::size_t kSlotBytes = std::size_t{4} << 20, kSlots = 4;
  /// Fewer bytes are left to the driver, which has pinned memory of its own.
  static constexpr std::size_t kLeastBytes = std::size_t{1} << 20;

  /// Copies to the device in the order of the stream; the memory is free when this returns. `threads`: of the host.
  void to_device(DevicePointer to, const char* from, std::size_t bytes, Stream stream, int threads);
  /// Copies to the host, of which some may be left for settle(). `owner` tells apart whose copies those are.
  void to_host(char* to, DevicePointer from, std::size_t bytes, Stream stream, int threads, const void* owner);
  /// Waits for the copies of the owner, and ends them.
  void settle(const void* owner, int threads);
  /// Of an owner that is no longer: its copies are not ended.
  void abandon(const void* owner) noexcept;
  /// All that was under way towards the device has ended.
  void arrived() noexcept;
  /// Gives the memory back: how many bytes. Waits for what is under way.
  std::size_t release() noexcept;

 private:
  struct Slot {
    char* memory = nullptr;
    Event event = nullptr;  ///< recorded behind the copy that uses the slot
    bool is_used = false;
    char* to = nullptr;  ///< of a copy to the host: where it goes at last
    std::size_t bytes = 0;
    const void* owner = nullptr;
  };
  /// The next slot, free; null where the system pins no memory for it: then copies go as they would without.
  Slot* next(int threads);
  static void wait(Slot& slot, int threads);

  std::array<Slot, kSlots> slots_;
  std::size_t at_ = 0;
};

/// Memory of the host, by several threads.
void copy_on_host(char* to, const char* from, std::size_t bytes, int threads);

/// Elements in memory of the host: base + sum of index * stride.
template <class Byte>
struct Elements {
  Byte* base;
  const std::int64_t* strides;
};
/// Of `item` bytes each, along one axis at least, by several threads. What is written shares no memory with what is read, nor do two
/// elements of it.
void copy_elements(Elements<char> to, Elements<const char> from, int rank, const std::int64_t* extents, std::size_t item, int threads);

/// The copies to the host of one piece of work; those that it does not settle are not ended.
class StagedCopies {
 public:
  StagedCopies(Staging& staging, int threads) noexcept : staging_(staging), threads_(threads) {}
  ~StagedCopies() { staging_.abandon(this); }
  StagedCopies(const StagedCopies&) = delete;
  StagedCopies& operator=(const StagedCopies&) = delete;
  void to_host(char* to, DevicePointer from, std::size_t bytes, Stream stream) const {
    staging_.to_host(to, from, bytes, stream, threads_, this);
  }
  void settle() const { staging_.settle(this, threads_); }

 private:
  Staging& staging_;
  int threads_;
};

}  // namespace engine::cuda

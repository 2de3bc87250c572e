// memory/memory.hpp - device memory: where allocations lie, what lives, what was freed.
//
// Addresses come from a range of the host's address space that nothing may touch, so that a host dereference faults; they are
// handed out upwards and never again. The bytes themselves lie elsewhere.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "tests/emulator/memory/shadow.hpp"

namespace standin {

enum class State : std::uint8_t { Pending, Live, Freed };  // Pending: asked for on a stream that has not come so far

struct Allocation {
  Allocation(std::uint64_t address, std::uint64_t size, int device);

  bool holds(std::uint64_t at, std::uint64_t n) const { return at >= address && n <= size && at - address <= size - n; }
  std::byte* at(std::uint64_t where) { return bytes.get() + (where - address); }

  std::uint64_t address, size;
  int device;
  State state = State::Live;
  bool read_only = false;
  bool is_pooled = false;  // from cuMemAllocAsync: freeing it waits for nothing
  bool is_user = true;     // counts as live memory of the program
  std::unique_ptr<std::byte[]> bytes;
  Shadow shadow;
};

class Memory {
 public:
  Memory();
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Null where the range of addresses is used up.
  Allocation* allocate(std::uint64_t size, int device);
  void free(Allocation& allocation);
  /// The allocation, live or freed, that begins at or below the address; null below the first.
  Allocation* find(std::uint64_t address);
  bool is_device_address(std::uint64_t address) const { return address - base_ < reserved_; }

  /// The windows of generic addresses that are shared and local memory, and parameters.
  std::uint64_t shared_window() const { return base_ + kWindow; }
  std::uint64_t local_window() const { return base_ + 2 * kWindow; }
  std::uint64_t parameter_window() const { return base_ + 3 * kWindow; }
  static constexpr std::uint64_t kWindow = std::uint64_t{1} << 32;

 private:
  std::uint64_t base_ = 0, reserved_ = 0, next_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Allocation>> allocations_;
};

}  // namespace standin

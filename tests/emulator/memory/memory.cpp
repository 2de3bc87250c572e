#include "tests/emulator/memory/memory.hpp"

#include <sys/mman.h>

#include <new>

namespace standin {
namespace {

constexpr std::uint64_t kAlign = 512;    // cuMemAlloc promises 256
constexpr std::uint64_t kRedZone = 256;  // at least, behind each allocation

}  // namespace

Allocation::Allocation(std::uint64_t address, std::uint64_t size, int device)
    : address(address), size(size), device(device), bytes(new std::byte[size]), shadow(size) {}

Memory::Memory() {
  for (reserved_ = std::uint64_t{1} << 42; reserved_ > 8 * kWindow; reserved_ /= 2) {
    void* range = mmap(nullptr, reserved_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    base_ = reinterpret_cast<std::uint64_t>(range);
    next_ = (base_ + 4 * kWindow + kAlign - 1) / kAlign * kAlign;
    return;
  }
  throw std::bad_alloc();
}

Memory::~Memory() { munmap(reinterpret_cast<void*>(base_), reserved_); }

Allocation* Memory::allocate(std::uint64_t size, int device) {
  if (size > reserved_ || next_ + size + kRedZone > base_ + reserved_) return nullptr;
  auto made = std::make_unique<Allocation>(next_, size, device);
  next_ = (next_ + size + kRedZone + kAlign - 1) / kAlign * kAlign;
  Allocation* found = made.get();
  allocations_.emplace(found->address, std::move(made));
  return found;
}

void Memory::free(Allocation& allocation) {
  allocation.state = State::Freed;
  allocation.bytes.reset();
  allocation.shadow = Shadow(allocation.size);
}

Allocation* Memory::find(std::uint64_t address) {
  auto next = allocations_.upper_bound(address);
  return next == allocations_.begin() ? nullptr : std::prev(next)->second.get();
}

}  // namespace standin

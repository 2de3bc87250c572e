// kernels_cuda/staging.cpp - see staging.hpp.
#include "kernels_cuda/staging.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/run/thread_pool.hpp"

namespace engine::cuda {
namespace {

/// What one thread moves at a time.
constexpr std::size_t kPiece = std::size_t{256} << 10;

}  // namespace

void copy_on_host(char* to, const char* from, std::size_t bytes, int threads) {
  const auto pieces = static_cast<std::int64_t>((bytes + kPiece - 1) / kPiece);
  run::parallel_for(threads, pieces, [&](std::int64_t piece) {
    const std::size_t begin = static_cast<std::size_t>(piece) * kPiece;
    std::memcpy(to + begin, from + begin, std::min(kPiece, bytes - begin));
  });
}

void Staging::wait(Slot& slot, int threads) {
  if (!slot.is_used) return;
  check(driver().cuEventSynchronize(slot.event), "copying between the host and the device");
  slot.is_used = false;
  if (slot.to) copy_on_host(std::exchange(slot.to, nullptr), slot.memory, slot.bytes, threads);
}

Staging::Slot* Staging::next(int threads) {
  Slot& slot = slots_[at_];
  at_ = (at_ + 1) % kSlots;
  wait(slot, threads);
  const Driver& d = driver();
  constexpr unsigned kWithoutTime = 2;
  if (!slot.event) check(d.cuEventCreate(&slot.event, kWithoutTime), "making an event");
  if (!slot.memory) {
    void* memory = nullptr;
    const Status status = d.cuMemHostAlloc(&memory, kSlotBytes, 0);
    if (status == kOutOfMemory) return nullptr;
    check(status, "pinning memory");
    slot.memory = static_cast<char*>(memory);
  }
  return &slot;
}

void Staging::to_device(DevicePointer to, const char* from, std::size_t bytes, Stream stream, int threads) {
  for (std::size_t begin = 0; begin < bytes; begin += kSlotBytes) {
    const std::size_t n = std::min(kSlotBytes, bytes - begin);
    Slot* const slot = next(threads);
    if (slot) copy_on_host(slot->memory, from + begin, n, threads);
    check(driver().cuMemcpyHtoDAsync_v2(to + begin, slot ? slot->memory : from + begin, n, stream), "copying operands to the device");
    if (!slot) continue;
    slot->is_used = true;
    check(driver().cuEventRecord(slot->event, stream), "copying operands to the device");
  }
}

void Staging::to_host(char* to, DevicePointer from, std::size_t bytes, Stream stream, int threads, const void* owner) {
  for (std::size_t begin = 0; begin < bytes; begin += kSlotBytes) {
    const std::size_t n = std::min(kSlotBytes, bytes - begin);
    Slot* const slot = next(threads);
    check(driver().cuMemcpyDtoHAsync_v2(slot ? slot->memory : to + begin, from + begin, n, stream), "copying results to the host");
    if (!slot) {
      check(driver().cuStreamSynchronize(stream), "copying results to the host");
      continue;
    }
    slot->is_used = true;
    check(driver().cuEventRecord(slot->event, stream), "copying results to the host");
    slot->to = to + begin;
    slot->bytes = n;
    slot->owner = owner;
  }
}

void Staging::settle(const void* owner, int threads) {
  for (std::size_t i = 0; i < kSlots; ++i)
    if (Slot& slot = slots_[(at_ + i) % kSlots]; slot.to && slot.owner == owner) wait(slot, threads);
}

void Staging::abandon(const void* owner) noexcept {
  for (Slot& slot : slots_)
    if (slot.owner == owner) slot.to = nullptr;
}

void Staging::arrived() noexcept {
  for (Slot& slot : slots_) slot.is_used = slot.is_used && slot.to;
}

std::size_t Staging::release() noexcept {
  std::size_t bytes = 0;
  for (Slot& slot : slots_) {
    if (slot.is_used && slot.to) continue;  // somebody waits for it
    if (slot.is_used) driver().cuEventSynchronize(slot.event);
    slot.is_used = false;
    if (slot.memory && driver().cuMemFreeHost(slot.memory) == kSuccess) {  // else another time
      bytes += kSlotBytes;
      slot.memory = nullptr;
    }
    if (slot.event) driver().cuEventDestroy_v2(std::exchange(slot.event, nullptr));
  }
  return bytes;
}

}  // namespace engine::cuda

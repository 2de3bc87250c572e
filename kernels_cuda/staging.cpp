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

void copy_elements(Elements<char> to, Elements<const char> from, int rank, const std::int64_t* extents, std::size_t item, int threads) {
  const int last = rank - 1;
  const std::int64_t inner = extents[last], to_step = to.strides[last], from_step = from.strides[last];
  const auto bytes = static_cast<std::int64_t>(item);
  const bool is_row = inner == 1 || (to_step == bytes && from_step == bytes);
  std::int64_t rows = 1;
  for (int axis = 0; axis < last; ++axis) rows *= extents[axis];
  const std::int64_t at_once = std::max(static_cast<std::int64_t>(kPiece) / (inner * bytes), std::int64_t{1});
  run::parallel_for(threads, (rows + at_once - 1) / at_once, [&](std::int64_t part) {
    for (std::int64_t row = part * at_once, end = std::min(rows, row + at_once); row < end; ++row) {
      char* into = to.base;
      const char* out_of = from.base;
      for (std::int64_t axis = last - 1, rest = row; axis >= 0; rest /= extents[axis--]) {
        into += rest % extents[axis] * to.strides[axis];
        out_of += rest % extents[axis] * from.strides[axis];
      }
      if (is_row) {
        std::memcpy(into, out_of, static_cast<std::size_t>(inner * bytes));
        continue;
      }
      for (std::int64_t i = 0; i < inner; ++i) std::memcpy(into + i * to_step, out_of + i * from_step, item);
    }
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

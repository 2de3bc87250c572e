// driver/api_copy.cpp - copies and fills. Bytes without a value stay so when copied on the device; copied to the host they are a finding.
#include <cstring>

#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

bool is_pinned(const Driver& driver, const void* memory, std::size_t bytes) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  auto next = driver.pinned.upper_bound(address);
  if (next == driver.pinned.begin()) return false;
  --next;
  return address - next->first + bytes <= next->second;
}

/// Checks when the copy runs, not when it is asked for: the memory may come and go on the stream.
std::byte* live(Driver& driver, Context& context, CUdeviceptr address, std::size_t bytes, Allocation*& found, const char* what) {
  if (context.error != kSuccess) return nullptr;
  found = driver.memory.find(address);
  if (found && found->state == State::Live && found->holds(address, bytes)) return found->at(address);
  const bool freed = found && found->state == State::Freed;
  driver.report(std::string(freed ? "use-after-free" : "out-of-bounds") + " in a copy: " + what + " " + std::to_string(bytes) + " bytes at " + std::to_string(address) +
                (found ? ", " + std::to_string(address - found->address) + " bytes into an allocation of " + std::to_string(found->size) : ""));
  context.error = kIllegalAddress;
  return nullptr;
}

void to_device(Driver& driver, Context& context, CUdeviceptr to, const void* from, std::size_t bytes) {
  Allocation* found = nullptr;
  std::byte* there = live(driver, context, to, bytes, found, "writes");
  if (!there) return;
  std::memcpy(there, from, bytes);
  found->shadow.set_initialised(to - found->address, bytes);
  driver.counters.copied_to_device += bytes;
}

void to_host(Driver& driver, Context& context, void* to, CUdeviceptr from, std::size_t bytes) {
  Allocation* found = nullptr;
  const std::byte* there = live(driver, context, from, bytes, found, "reads");
  if (!there) return;
  const std::uint64_t at = from - found->address, first = found->shadow.first_uninitialised(at, bytes);
  if (first != at + bytes) {
    driver.report("uninitialised in a copy: byte " + std::to_string(first - at) + " of " + std::to_string(bytes) + " copied to the host has never been written");
    context.error = kLaunchFailed;
    return;
  }
  std::memcpy(to, there, bytes);
  driver.counters.copied_to_host += bytes;
}

void on_device(Driver& driver, Context& context, CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  Allocation *source = nullptr, *target = nullptr;
  const std::byte* here = live(driver, context, from, bytes, source, "reads");
  std::byte* there = here ? live(driver, context, to, bytes, target, "writes") : nullptr;
  if (!there) return;
  std::memmove(there, here, bytes);
  target->shadow.copy(to - target->address, source->shadow, from - source->address, bytes);
  driver.counters.copied_on_device += bytes;
}

/// Checks the range where the memory is there already: a wrong one is an error of the call.
void check_range(Driver& driver, CUdeviceptr address, std::size_t bytes) {
  const Allocation* found = driver.memory.find(address);
  require(found && found->holds(address, bytes));
}

void copy_to_device(Driver& driver, Stream& stream, CUdeviceptr to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  require(from);
  check_range(driver, to, bytes);
  Context& context = *stream.context;
  if (is_pinned(driver, from, bytes)) return driver.enqueue(stream, [=, &driver, &context] { to_device(driver, context, to, from, bytes); });
  // Pageable memory has been read when the call returns.
  std::vector<std::byte> kept(bytes);
  std::memcpy(kept.data(), from, bytes);
  driver.enqueue(stream, [=, &driver, &context, kept = std::move(kept)] { to_device(driver, context, to, kept.data(), bytes); });
}

void copy_to_host(Driver& driver, Stream& stream, void* to, CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0) return;
  require(to);
  check_range(driver, from, bytes);
  Context& context = *stream.context;
  driver.enqueue(stream, [=, &driver, &context] { to_host(driver, context, to, from, bytes); });
  if (!is_pinned(driver, to, bytes)) driver.run(stream.tail);  // pageable memory has been written when the call returns
}

void copy_on_device(Driver& driver, Stream& stream, CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  if (bytes == 0) return;
  check_range(driver, to, bytes);
  check_range(driver, from, bytes);
  Context& context = *stream.context;
  driver.enqueue(stream, [=, &driver, &context] { on_device(driver, context, to, from, bytes); });
}

/// Unified addresses: each pointer says itself where it is.
void copy_anywhere(Driver& driver, Stream& stream, CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  const bool to_is_device = driver.memory.is_device_address(to), from_is_device = driver.memory.is_device_address(from);
  if (to_is_device && from_is_device) return copy_on_device(driver, stream, to, from, bytes);
  if (to_is_device) return copy_to_device(driver, stream, to, reinterpret_cast<const void*>(from), bytes);
  if (from_is_device) return copy_to_host(driver, stream, reinterpret_cast<void*>(to), from, bytes);
  driver.enqueue(stream, [=] { std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes); });
}

template <class T>
void fill(Driver& driver, Stream& stream, CUdeviceptr to, T value, std::size_t n) {
  if (n == 0) return;
  require(to % sizeof(T) == 0);
  check_range(driver, to, n * sizeof(T));
  Context& context = *stream.context;
  driver.enqueue(stream, [=, &driver, &context] {
    Allocation* found = nullptr;
    std::byte* there = live(driver, context, to, n * sizeof(T), found, "fills");
    if (!there) return;
    for (std::size_t i = 0; i < n; ++i) std::memcpy(there + i * sizeof(T), &value, sizeof(T));
    found->shadow.set_initialised(to - found->address, n * sizeof(T));
    driver.counters.memset_bytes += n * sizeof(T);
  });
}

void copy_2d(Driver& driver, Stream& stream, const CUmemcpy2D* copy) {
  require(copy && copy->srcMemoryType != kArrayMemory && copy->dstMemoryType != kArrayMemory);
  const auto address = [](unsigned type, const void* host, CUdeviceptr device) { return type == kHostMemory ? reinterpret_cast<CUdeviceptr>(host) : device; };
  const CUdeviceptr from = address(copy->srcMemoryType, copy->srcHost, copy->srcDevice), to = address(copy->dstMemoryType, copy->dstHost, copy->dstDevice);
  for (std::size_t row = 0; row < copy->Height; ++row)
    copy_anywhere(driver, stream, to + (copy->dstY + row) * copy->dstPitch + copy->dstXInBytes, from + (copy->srcY + row) * copy->srcPitch + copy->srcXInBytes,
                  copy->WidthInBytes);
}

template <class F>
int synchronous(const char* name, F&& work) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    Stream& stream = driver.stream(nullptr);
    work(driver, stream);
    driver.synchronise(stream);
  });
}

template <class F>
int asynchronous(const char* name, CUstream handle, F&& work) {
  return enter(name, Needs::Context, [&](Driver& driver) { work(driver, driver.stream(handle)); });
}

}  // namespace

STANDIN_API int cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t n) {
  return synchronous("cuMemcpyHtoD_v2", [&](Driver& driver, Stream& stream) { copy_to_device(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t n, CUstream handle) {
  return asynchronous("cuMemcpyHtoDAsync_v2", handle, [&](Driver& driver, Stream& stream) { copy_to_device(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t n) {
  return synchronous("cuMemcpyDtoH_v2", [&](Driver& driver, Stream& stream) { copy_to_host(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t n, CUstream handle) {
  return asynchronous("cuMemcpyDtoHAsync_v2", handle, [&](Driver& driver, Stream& stream) { copy_to_host(driver, stream, to, from, n); });
}
/// Between two places of a device the host does not wait.
STANDIN_API int cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, std::size_t n) {
  return asynchronous("cuMemcpyDtoD_v2", nullptr, [&](Driver& driver, Stream& stream) { copy_on_device(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t n, CUstream handle) {
  return asynchronous("cuMemcpyDtoDAsync_v2", handle, [&](Driver& driver, Stream& stream) { copy_on_device(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyPeerAsync(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, std::size_t n, CUstream handle) {
  return asynchronous("cuMemcpyPeerAsync", handle, [&](Driver& driver, Stream& stream) { copy_on_device(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyPeer(CUdeviceptr to, CUcontext, CUdeviceptr from, CUcontext, std::size_t n) {
  return synchronous("cuMemcpyPeer", [&](Driver& driver, Stream& stream) { copy_on_device(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpy(CUdeviceptr to, CUdeviceptr from, std::size_t n) {
  return synchronous("cuMemcpy", [&](Driver& driver, Stream& stream) { copy_anywhere(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, std::size_t n, CUstream handle) {
  return asynchronous("cuMemcpyAsync", handle, [&](Driver& driver, Stream& stream) { copy_anywhere(driver, stream, to, from, n); });
}
STANDIN_API int cuMemcpy2D_v2(const CUmemcpy2D* copy) {
  return synchronous("cuMemcpy2D_v2", [&](Driver& driver, Stream& stream) { copy_2d(driver, stream, copy); });
}
STANDIN_API int cuMemcpy2DUnaligned_v2(const CUmemcpy2D* copy) {
  return synchronous("cuMemcpy2DUnaligned_v2", [&](Driver& driver, Stream& stream) { copy_2d(driver, stream, copy); });
}
STANDIN_API int cuMemcpy2DAsync_v2(const CUmemcpy2D* copy, CUstream handle) {
  return asynchronous("cuMemcpy2DAsync_v2", handle, [&](Driver& driver, Stream& stream) { copy_2d(driver, stream, copy); });
}

// A fill does not wait either, of device memory that is.
STANDIN_API int cuMemsetD8_v2(CUdeviceptr to, unsigned char value, std::size_t n) {
  return asynchronous("cuMemsetD8_v2", nullptr, [&](Driver& driver, Stream& stream) { fill(driver, stream, to, value, n); });
}
STANDIN_API int cuMemsetD16_v2(CUdeviceptr to, unsigned short value, std::size_t n) {
  return asynchronous("cuMemsetD16_v2", nullptr, [&](Driver& driver, Stream& stream) { fill(driver, stream, to, value, n); });
}
STANDIN_API int cuMemsetD32_v2(CUdeviceptr to, unsigned value, std::size_t n) {
  return asynchronous("cuMemsetD32_v2", nullptr, [&](Driver& driver, Stream& stream) { fill(driver, stream, to, value, n); });
}
STANDIN_API int cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t n, CUstream handle) {
  return asynchronous("cuMemsetD8Async", handle, [&](Driver& driver, Stream& stream) { fill(driver, stream, to, value, n); });
}
STANDIN_API int cuMemsetD16Async(CUdeviceptr to, unsigned short value, std::size_t n, CUstream handle) {
  return asynchronous("cuMemsetD16Async", handle, [&](Driver& driver, Stream& stream) { fill(driver, stream, to, value, n); });
}
STANDIN_API int cuMemsetD32Async(CUdeviceptr to, unsigned value, std::size_t n, CUstream handle) {
  return asynchronous("cuMemsetD32Async", handle, [&](Driver& driver, Stream& stream) { fill(driver, stream, to, value, n); });
}

}  // namespace standin

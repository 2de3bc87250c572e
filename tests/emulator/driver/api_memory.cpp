// driver/api_memory.cpp - allocation: device memory, pools, page-locked host memory.
#include <cstdlib>

#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

Pool& known(Driver& driver, CUmemoryPool pool) {
  require(driver.pools.count(pool), kInvalidValue);
  return *pool;
}

Allocation& base_of(Driver& driver, CUdeviceptr address) {
  Allocation* found = driver.memory.find(address);
  if (found && found->address == address && found->state == State::Freed) driver.report("double-free: address " + std::to_string(address) + " was freed before");
  require(found && found->address == address && found->state != State::Freed && found->is_user);
  return *found;
}

void allocate(Driver& driver, CUdeviceptr* address, std::size_t bytes) {
  require(address && bytes > 0);
  *address = driver.allocate(driver.current().device, bytes, false, true)->address;
}

/// On a stream: the address is known at once, the memory is there when the stream comes to it.
void allocate_async(Driver& driver, CUdeviceptr* address, std::size_t bytes, int device, CUstream handle) {
  require(address && bytes > 0);
  require(driver.settings.pools, kNotSupported);
  Stream& stream = driver.stream(handle);
  Allocation* made = driver.allocate(device, bytes, true, true);
  made->state = State::Pending;
  *address = made->address;
  driver.enqueue(stream, [made] {
    if (made->state == State::Pending) made->state = State::Live;
  });
}

}  // namespace

STANDIN_API int cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
  return enter("cuMemAlloc_v2", Needs::Context, [&](Driver& driver) { allocate(driver, address, bytes); });
}

STANDIN_API int cuMemAllocPitch_v2(CUdeviceptr* address, std::size_t* pitch, std::size_t width, std::size_t height, unsigned) {
  return enter("cuMemAllocPitch_v2", Needs::Context, [&](Driver& driver) {
    require(pitch);
    *pitch = (width + 511) / 512 * 512;
    allocate(driver, address, *pitch * height);
  });
}

/// Waits for the device, as the driver does for memory that belongs to no pool.
STANDIN_API int cuMemFree_v2(CUdeviceptr address) {
  return enter("cuMemFree_v2", Needs::Context, [&](Driver& driver) {
    if (address == 0) return;
    Allocation& found = base_of(driver, address);
    if (!found.is_pooled) driver.synchronise(driver.current());
    driver.release(found);
  });
}

STANDIN_API int cuMemAllocAsync(CUdeviceptr* address, std::size_t bytes, CUstream stream) {
  return enter("cuMemAllocAsync", Needs::Context, [&](Driver& driver) { allocate_async(driver, address, bytes, driver.current().device, stream); });
}

STANDIN_API int cuMemAllocFromPoolAsync(CUdeviceptr* address, std::size_t bytes, CUmemoryPool pool, CUstream stream) {
  return enter("cuMemAllocFromPoolAsync", Needs::Context, [&](Driver& driver) { allocate_async(driver, address, bytes, known(driver, pool).device, stream); });
}

STANDIN_API int cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  return enter("cuMemFreeAsync", Needs::Context, [&](Driver& driver) {
    require(driver.settings.pools, kNotSupported);
    Allocation* found = &base_of(driver, address);
    driver.enqueue(driver.stream(handle), [&driver, found] { driver.release(*found); });
  });
}

STANDIN_API int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  return enter("cuMemGetInfo_v2", Needs::Context, [&](Driver& driver) {
    require(free && total);
    const Device& device = driver.device(driver.current().device);
    *total = driver.settings.memory;
    *free = driver.settings.memory - std::min(driver.settings.memory, device.used);
  });
}

STANDIN_API int cuMemGetAddressRange_v2(CUdeviceptr* base, std::size_t* size, CUdeviceptr address) {
  return enter("cuMemGetAddressRange_v2", Needs::Context, [&](Driver& driver) {
    const Allocation* found = driver.memory.find(address);
    require(found && found->state == State::Live && found->holds(address, 1), kNotFound);
    if (base) *base = found->address;
    if (size) *size = found->size;
  });
}

STANDIN_API int cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
  return enter("cuDeviceGetDefaultMemPool", Needs::Initialised, [&](Driver& driver) {
    require(pool);
    require(driver.settings.pools, kNotSupported);
    *pool = driver.device(device).pool;
  });
}

STANDIN_API int cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
  return enter("cuDeviceGetMemPool", Needs::Initialised, [&](Driver& driver) {
    require(pool);
    require(driver.settings.pools, kNotSupported);
    *pool = driver.device(device).current_pool;
  });
}

STANDIN_API int cuDeviceSetMemPool(CUdevice device, CUmemoryPool pool) {
  return enter("cuDeviceSetMemPool", Needs::Initialised, [&](Driver& driver) { driver.device(device).current_pool = &known(driver, pool); });
}

STANDIN_API int cuMemPoolCreate(CUmemoryPool* pool, const CUmemPoolProps* properties) {
  return enter("cuMemPoolCreate", Needs::Initialised, [&](Driver& driver) {
    require(pool && properties);
    require(driver.settings.pools, kNotSupported);
    driver.device(properties->location.id);
    *pool = new Pool{.device = properties->location.id};
    driver.pools.insert(*pool);
  });
}

STANDIN_API int cuMemPoolDestroy(CUmemoryPool pool) {
  return enter("cuMemPoolDestroy", Needs::Initialised, [&](Driver& driver) {
    require(!known(driver, pool).is_default);
    driver.pools.erase(pool);
    delete pool;
  });
}

STANDIN_API int cuMemPoolTrimTo(CUmemoryPool pool, std::size_t) {
  return enter("cuMemPoolTrimTo", Needs::Initialised, [&](Driver& driver) { known(driver, pool); });
}

enum PoolAttribute : int { kReleaseThreshold = 4, kReservedCurrent = 5, kReservedHigh = 6, kUsedCurrent = 7, kUsedHigh = 8 };

STANDIN_API int cuMemPoolSetAttribute(CUmemoryPool pool, int attribute, void* value) {
  return enter("cuMemPoolSetAttribute", Needs::Initialised, [&](Driver& driver) {
    require(value);
    if (attribute == kReleaseThreshold) known(driver, pool).release_threshold = *static_cast<std::uint64_t*>(value);
    else if (attribute < kReleaseThreshold) known(driver, pool).attributes[attribute] = *static_cast<int*>(value);
    else known(driver, pool);  // the high-water marks may be reset
  });
}

STANDIN_API int cuMemPoolGetAttribute(CUmemoryPool pool, int attribute, void* value) {
  return enter("cuMemPoolGetAttribute", Needs::Initialised, [&](Driver& driver) {
    require(value);
    Pool& found = known(driver, pool);
    std::uint64_t used = 0;
    for (const Allocation* allocation : driver.live)
      if (allocation->is_pooled && allocation->device == found.device) used += allocation->size;
    if (attribute == kReleaseThreshold) *static_cast<std::uint64_t*>(value) = found.release_threshold;
    else if (attribute < kReleaseThreshold) *static_cast<int*>(value) = found.attributes[attribute];
    else *static_cast<std::uint64_t*>(value) = used;
  });
}

STANDIN_API int cuMemPoolSetAccess(CUmemoryPool pool, const void*, std::size_t) {
  return enter("cuMemPoolSetAccess", Needs::Initialised, [&](Driver& driver) { known(driver, pool); });
}

static int allocate_host(const char* name, void** memory, std::size_t bytes) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    require(memory && bytes > 0);
    *memory = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    require(*memory, kOutOfMemory);
    driver.pinned[reinterpret_cast<std::uintptr_t>(*memory)] = bytes;
    driver.counters.live_host_bytes += bytes;
  });
}
STANDIN_API int cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) { return allocate_host("cuMemHostAlloc", memory, bytes); }
STANDIN_API int cuMemAllocHost_v2(void** memory, std::size_t bytes) { return allocate_host("cuMemAllocHost_v2", memory, bytes); }

STANDIN_API int cuMemFreeHost(void* memory) {
  return enter("cuMemFreeHost", Needs::Context, [&](Driver& driver) {
    const auto found = driver.pinned.find(reinterpret_cast<std::uintptr_t>(memory));
    require(found != driver.pinned.end());
    driver.synchronise(driver.current());
    driver.counters.live_host_bytes -= found->second;
    driver.pinned.erase(found);
    std::free(memory);
  });
}

STANDIN_API int cuMemHostRegister_v2(void* memory, std::size_t bytes, unsigned) {
  return enter("cuMemHostRegister_v2", Needs::Context, [&](Driver& driver) {
    require(memory && bytes > 0);
    require(driver.pinned.emplace(reinterpret_cast<std::uintptr_t>(memory), bytes).second, kHostMemoryAlreadyRegistered);
  });
}

STANDIN_API int cuMemHostUnregister(void* memory) {
  return enter("cuMemHostUnregister", Needs::Context,
               [&](Driver& driver) { require(driver.pinned.erase(reinterpret_cast<std::uintptr_t>(memory)) == 1, kHostMemoryNotRegistered); });
}

/// Kernels do not reach host memory here.
STANDIN_API int cuMemHostGetDevicePointer_v2(CUdeviceptr*, void*, unsigned) {
  return enter("cuMemHostGetDevicePointer_v2", Needs::Context, [](Driver&) { throw Failure{kNotSupported}; });
}

STANDIN_API int cuMemAllocManaged(CUdeviceptr*, std::size_t, unsigned) {
  return enter("cuMemAllocManaged", Needs::Context, [](Driver&) { throw Failure{kNotSupported}; });
}

}  // namespace standin

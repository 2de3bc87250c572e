// driver/api_device.cpp - initialisation, devices and contexts.
#include <cstdio>
#include <cstring>

#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

enum Attribute : int {
  kMaxThreadsPerBlock = 1,
  kMaxBlockX,
  kMaxBlockY,
  kMaxBlockZ,
  kMaxGridX,
  kMaxGridY,
  kMaxGridZ,
  kMaxSharedPerBlock,
  kTotalConstant,
  kWarpSize,
  kMaxPitch,
  kMaxRegistersPerBlock,
  kClockRate,
  kTextureAlignment,
  kGpuOverlap,
  kMultiprocessors,
  kKernelTimeout,
  kIntegrated,
  kCanMapHost,
  kComputeMode,
  kConcurrentKernels = 31,
  kEcc = 32,
  kPciBus = 33,
  kPciDevice = 34,
  kMemoryClock = 36,
  kMemoryBusWidth = 37,
  kL2Size = 38,
  kThreadsPerMultiprocessor = 39,
  kAsyncEngines = 40,
  kUnifiedAddressing = 41,
  kPciDomain = 50,
  kMajor = 75,
  kMinor = 76,
  kStreamPriorities = 78,
  kSharedPerMultiprocessor = 81,
  kRegistersPerMultiprocessor = 82,
  kManagedMemory = 83,
  kMultiGpuBoard = 84,
  kPageableAccess = 88,
  kConcurrentManaged = 89,
  kCooperative = 95,
  kSharedOptin = 97,
  kHostRegister = 99,
  kBlocksPerMultiprocessor = 106,
  kPersistingL2 = 108,
  kReservedShared = 111,
  kMemoryPools = 115,
};

int value_of(const Settings& settings, int attribute, int ordinal) {
  switch (attribute) {
    case kMaxThreadsPerBlock:
    case kMaxBlockX:
    case kMaxBlockY:
      return 1024;
    case kMaxBlockZ:
      return 64;
    case kMaxGridX:
      return 2147483647;
    case kMaxGridY:
    case kMaxGridZ:
      return 65535;
    case kMaxSharedPerBlock:
      return 49152;
    case kTotalConstant:
      return 65536;
    case kWarpSize:
      return 32;
    case kMaxPitch:
      return 2147483647;
    case kMaxRegistersPerBlock:
    case kRegistersPerMultiprocessor:
      return 65536;
    case kClockRate:
      return 1980000;
    case kTextureAlignment:
      return 512;
    case kGpuOverlap:
    case kConcurrentKernels:
    case kUnifiedAddressing:
    case kStreamPriorities:
    case kCooperative:
    case kHostRegister:
    case kEcc:
      return 1;
    case kMultiprocessors:
      return settings.n_multiprocessors;
    case kPciBus:
      return ordinal + 1;
    case kMemoryClock:
      return 2619000;
    case kMemoryBusWidth:
      return 5120;
    case kL2Size:
      return 52428800;
    case kThreadsPerMultiprocessor:
      return 2048;
    case kAsyncEngines:
      return 3;
    case kMajor:
      return settings.capability / 10;
    case kMinor:
      return settings.capability % 10;
    case kSharedPerMultiprocessor:
      return 233472;
    case kSharedOptin:
      return 232448;
    case kBlocksPerMultiprocessor:
      return 32;
    case kReservedShared:
      return 1024;
    case kMemoryPools:
      return settings.pools;
    default:
      return 0;
  }
}

Context* make_context(Driver& driver, int device) {
  auto* made = new Context;
  made->device = device;
  made->legacy = std::make_unique<Stream>();
  made->per_thread = std::make_unique<Stream>();
  made->legacy->context = made->per_thread->context = made;
  driver.contexts.insert(made);
  return made;
}

}  // namespace

STANDIN_API int cuInit(unsigned flags) {
  return enter("cuInit", Needs::Nothing, [&](Driver& driver) {
    require(flags == 0);
    require(driver.settings.n_devices > 0, kNoDevice);
    if (driver.is_initialised) return;
    driver.is_initialised = true;
    for (int i = 0; i < driver.settings.n_devices; ++i) {
      auto* pool = new Pool{.device = i, .is_default = true};
      driver.pools.insert(pool);
      driver.devices.push_back({.ordinal = i, .pool = pool, .current_pool = pool});
    }
  });
}

STANDIN_API int cuDriverGetVersion(int* version) {
  return enter("cuDriverGetVersion", Needs::Nothing, [&](Driver& driver) {
    require(version);
    *version = driver.settings.driver_version;
  });
}

STANDIN_API int cuDeviceGetCount(int* count) {
  return enter("cuDeviceGetCount", Needs::Initialised, [&](Driver& driver) {
    require(count);
    *count = static_cast<int>(driver.devices.size());
  });
}

STANDIN_API int cuDeviceGet(CUdevice* device, int ordinal) {
  return enter("cuDeviceGet", Needs::Initialised, [&](Driver& driver) {
    require(device);
    *device = driver.device(ordinal).ordinal;
  });
}

STANDIN_API int cuDeviceGetName(char* text, int length, CUdevice device) {
  return enter("cuDeviceGetName", Needs::Initialised, [&](Driver& driver) {
    require(text && length > 0);
    std::snprintf(text, static_cast<std::size_t>(length), driver.settings.is_mig ? "Stand-in MIG 1g.%dgb" : "Stand-in %d",
                  driver.device(device).ordinal);
  });
}

static int get_uuid(const char* name, CUuuid* uuid, CUdevice device) {
  return enter(name, Needs::Initialised, [&](Driver& driver) {
    require(uuid);
    std::memset(uuid, 0, sizeof *uuid);
    std::memcpy(uuid->bytes, "stand-in", 8);
    uuid->bytes[15] = static_cast<char>(driver.device(device).ordinal);
  });
}
STANDIN_API int cuDeviceGetUuid(CUuuid* uuid, CUdevice device) { return get_uuid("cuDeviceGetUuid", uuid, device); }
STANDIN_API int cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) { return get_uuid("cuDeviceGetUuid_v2", uuid, device); }

STANDIN_API int cuDeviceGetPCIBusId(char* text, int length, CUdevice device) {
  return enter("cuDeviceGetPCIBusId", Needs::Initialised, [&](Driver& driver) {
    require(text && length > 0);
    std::snprintf(text, static_cast<std::size_t>(length), "0000:%02x:00.0", driver.device(device).ordinal + 1);
  });
}

STANDIN_API int cuDeviceGetAttribute(int* value, int attribute, CUdevice device) {
  return enter("cuDeviceGetAttribute", Needs::Initialised, [&](Driver& driver) {
    require(value && attribute > 0);
    *value = value_of(driver.settings, attribute, driver.device(device).ordinal);
  });
}

STANDIN_API int cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
  return enter("cuDeviceTotalMem_v2", Needs::Initialised, [&](Driver& driver) {
    require(bytes);
    driver.device(device);
    *bytes = driver.settings.memory;
  });
}

STANDIN_API int cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
  return enter("cuDeviceCanAccessPeer", Needs::Initialised, [&](Driver& driver) {
    require(can);
    *can = driver.device(device).ordinal != driver.device(peer).ordinal;
  });
}

STANDIN_API int cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return enter("cuDevicePrimaryCtxRetain", Needs::Initialised, [&](Driver& driver) {
    require(context);
    Device& where = driver.device(device);
    if (!where.primary) {
      where.primary = make_context(driver, device);
      where.primary->is_primary = true;
    }
    ++where.retained;
    *context = where.primary;
  });
}

static void release_primary(Driver& driver, CUdevice device, bool reset) {
  Device& where = driver.device(device);
  require(reset || where.retained > 0, kInvalidContext);
  if (!reset && --where.retained > 0) return;
  if (where.primary) driver.destroy(*where.primary);
}
STANDIN_API int cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return enter("cuDevicePrimaryCtxRelease_v2", Needs::Initialised, [&](Driver& driver) { release_primary(driver, device, false); });
}
STANDIN_API int cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return enter("cuDevicePrimaryCtxReset_v2", Needs::Initialised, [&](Driver& driver) { release_primary(driver, device, true); });
}
STANDIN_API int cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned) {
  return enter("cuDevicePrimaryCtxSetFlags_v2", Needs::Initialised, [&](Driver& driver) { driver.device(device); });
}
STANDIN_API int cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  return enter("cuDevicePrimaryCtxGetState", Needs::Initialised, [&](Driver& driver) {
    require(flags && active);
    *flags = 0;
    *active = driver.device(device).primary != nullptr;
  });
}

STANDIN_API int cuCtxCreate_v2(CUcontext* context, unsigned, CUdevice device) {
  return enter("cuCtxCreate_v2", Needs::Initialised, [&](Driver& driver) {
    require(context);
    driver.device(device);
    *context = make_context(driver, device);
    context_stack().push_back(*context);
  });
}

STANDIN_API int cuCtxDestroy_v2(CUcontext context) {
  return enter("cuCtxDestroy_v2", Needs::Initialised, [&](Driver& driver) {
    require(driver.contexts.count(context) && !context->is_primary, kInvalidContext);
    if (auto& stack = context_stack(); !stack.empty() && stack.back() == context) stack.pop_back();
    driver.destroy(*context);
  });
}

STANDIN_API int cuCtxPushCurrent_v2(CUcontext context) {
  return enter("cuCtxPushCurrent_v2", Needs::Initialised, [&](Driver& driver) {
    require(driver.contexts.count(context), kInvalidContext);
    context_stack().push_back(context);
  });
}

STANDIN_API int cuCtxPopCurrent_v2(CUcontext* context) {
  return enter("cuCtxPopCurrent_v2", Needs::Initialised, [&](Driver&) {
    auto& stack = context_stack();
    require(!stack.empty(), kInvalidContext);
    if (context) *context = stack.back();
    stack.pop_back();
  });
}

STANDIN_API int cuCtxSetCurrent(CUcontext context) {
  return enter("cuCtxSetCurrent", Needs::Initialised, [&](Driver& driver) {
    require(!context || driver.contexts.count(context), kInvalidContext);
    auto& stack = context_stack();
    if (!stack.empty()) stack.pop_back();
    if (context) stack.push_back(context);
  });
}

STANDIN_API int cuCtxGetCurrent(CUcontext* context) {
  return enter("cuCtxGetCurrent", Needs::Initialised, [&](Driver&) {
    require(context);
    *context = context_stack().empty() ? nullptr : context_stack().back();
  });
}

STANDIN_API int cuCtxGetDevice(CUdevice* device) {
  return enter("cuCtxGetDevice", Needs::Initialised, [&](Driver& driver) {
    require(device);
    *device = driver.current().device;
  });
}

STANDIN_API int cuCtxSynchronize() {
  return enter("cuCtxSynchronize", Needs::Context, [&](Driver& driver) { driver.synchronise(driver.current()); });
}

STANDIN_API int cuCtxGetApiVersion(CUcontext, unsigned* version) {
  return enter("cuCtxGetApiVersion", Needs::Initialised, [&](Driver&) {
    require(version);
    *version = 3020;
  });
}

STANDIN_API int cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return enter("cuCtxGetStreamPriorityRange", Needs::Context, [&](Driver&) {
    if (least) *least = 0;
    if (greatest) *greatest = -5;
  });
}

STANDIN_API int cuCtxSetLimit(int limit, std::size_t value) {
  return enter("cuCtxSetLimit", Needs::Context, [&](Driver& driver) { driver.current().limits[limit] = value; });
}

STANDIN_API int cuCtxGetLimit(std::size_t* value, int limit) {
  return enter("cuCtxGetLimit", Needs::Context, [&](Driver& driver) {
    require(value);
    *value = driver.current().limits[limit];
  });
}

STANDIN_API int cuCtxEnablePeerAccess(CUcontext peer, unsigned flags) {
  return enter("cuCtxEnablePeerAccess", Needs::Context, [&](Driver& driver) {
    require(flags == 0);
    require(driver.contexts.count(peer), kInvalidContext);
    Context& context = driver.current();
    require(peer->device != context.device, kInvalidDevice);
    const std::uint64_t bit = std::uint64_t{1} << peer->device;
    require(!(context.peers & bit), kPeerAccessAlreadyEnabled);
    context.peers |= bit;
  });
}

STANDIN_API int cuCtxDisablePeerAccess(CUcontext peer) {
  return enter("cuCtxDisablePeerAccess", Needs::Context, [&](Driver& driver) {
    require(driver.contexts.count(peer), kInvalidContext);
    const std::uint64_t bit = std::uint64_t{1} << peer->device;
    require(driver.current().peers & bit, kPeerAccessNotEnabled);
    driver.current().peers &= ~bit;
  });
}

}  // namespace standin

// driver/api_query.cpp - errors by name, pointers by what they are, entry points by name.
#include <dlfcn.h>

#include <cstring>

#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

struct ErrorRow {
  int status;
  const char* name;
  const char* text;
};

constexpr ErrorRow kErrors[] = {
    {0, "CUDA_SUCCESS", "no error"},
    {1, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {4, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {34, "CUDA_ERROR_STUB_LIBRARY", "CUDA driver is a stub library"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {200, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {201, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {217, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED", "peer access is not supported between these two devices"},
    {218, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {222, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {300, "CUDA_ERROR_INVALID_SOURCE", "device kernel image is invalid"},
    {301, "CUDA_ERROR_FILE_NOT_FOUND", "file not found"},
    {304, "CUDA_ERROR_OPERATING_SYSTEM", "OS call failed or operation not supported on this OS"},
    {400, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {600, "CUDA_ERROR_NOT_READY", "device not ready"},
    {700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {702, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {704, "CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED", "peer access is already enabled"},
    {705, "CUDA_ERROR_PEER_ACCESS_NOT_ENABLED", "peer access has not been enabled"},
    {709, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {710, "CUDA_ERROR_ASSERT", "device-side assert triggered"},
    {712, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED", "part or all of the requested memory range is already mapped"},
    {713, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED", "pointer does not correspond to a registered memory region"},
    {714, "CUDA_ERROR_HARDWARE_STACK_ERROR", "hardware stack error"},
    {715, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"},
    {716, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {717, "CUDA_ERROR_INVALID_ADDRESS_SPACE", "operation not supported on global/shared address space"},
    {718, "CUDA_ERROR_INVALID_PC", "invalid program counter"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {720, "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE", "too many blocks in cooperative launch"},
    {800, "CUDA_ERROR_NOT_PERMITTED", "operation not permitted"},
    {801, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
    {999, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const ErrorRow* row_of(int status) {
  for (const ErrorRow& row : kErrors)
    if (row.status == status) return &row;
  return nullptr;
}

enum PointerAttribute : int { kContextOf = 1, kMemoryTypeOf = 2, kDevicePointerOf = 3, kHostPointerOf = 4, kIsManaged = 8, kDeviceOrdinal = 9, kRangeStart = 11, kRangeSize = 12 };

/// Writes one answer; false where the pointer is none the driver knows.
bool answer(Driver& driver, void* to, int attribute, CUdeviceptr address) {
  const Allocation* found = driver.memory.find(address);
  const bool on_device = found && found->state == State::Live && found->holds(address, 1);
  auto host = driver.pinned.upper_bound(address);
  const bool pinned = host != driver.pinned.begin() && address - std::prev(host)->first < std::prev(host)->second;
  if (!on_device && !pinned) return false;
  switch (attribute) {
    case kContextOf: *static_cast<CUcontext*>(to) = on_device ? driver.devices[static_cast<std::size_t>(found->device)].primary : driver.contexts.empty() ? nullptr : *driver.contexts.begin(); return true;
    case kMemoryTypeOf: *static_cast<unsigned*>(to) = on_device ? kDeviceMemory : kHostMemory; return true;
    case kDevicePointerOf: *static_cast<CUdeviceptr*>(to) = on_device ? address : 0; return on_device;
    case kHostPointerOf: *static_cast<void**>(to) = on_device ? nullptr : reinterpret_cast<void*>(address); return !on_device;
    case kIsManaged: *static_cast<unsigned*>(to) = 0; return true;
    case kDeviceOrdinal: *static_cast<int*>(to) = on_device ? found->device : 0; return true;
    case kRangeStart: *static_cast<CUdeviceptr*>(to) = on_device ? found->address : std::prev(host)->first; return true;
    case kRangeSize: *static_cast<std::size_t*>(to) = on_device ? found->size : std::prev(host)->second; return true;
    default: throw Failure{kNotSupported};
  }
}

/// The newest of a function's versions in this library, as cuGetProcAddress gives it.
void* address_of(const std::string& name) {
  Dl_info self;
  if (!dladdr(reinterpret_cast<void*>(&row_of), &self)) return nullptr;
  void* library = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  if (!library) return nullptr;
  void* found = nullptr;
  for (const char* version : {"_v4", "_v3", "_v2", ""})
    if (!found) found = dlsym(library, (name + version).c_str());
  dlclose(library);
  return found;
}

}  // namespace

STANDIN_API int cuGetErrorName(int status, const char** text) {
  if (!text) return kInvalidValue;
  const ErrorRow* row = row_of(status);
  *text = row ? row->name : nullptr;
  return row ? kSuccess : kInvalidValue;
}

STANDIN_API int cuGetErrorString(int status, const char** text) {
  if (!text) return kInvalidValue;
  const ErrorRow* row = row_of(status);
  *text = row ? row->text : nullptr;
  return row ? kSuccess : kInvalidValue;
}

STANDIN_API int cuPointerGetAttribute(void* to, int attribute, CUdeviceptr address) {
  return enter("cuPointerGetAttribute", Needs::Initialised, [&](Driver& driver) {
    require(to);
    require(answer(driver, to, attribute, address));
  });
}

/// What is not known is zero, and no error.
STANDIN_API int cuPointerGetAttributes(unsigned n, int* attributes, void** to, CUdeviceptr address) {
  return enter("cuPointerGetAttributes", Needs::Initialised, [&](Driver& driver) {
    require(attributes && to);
    for (unsigned i = 0; i < n; ++i)
      if (!answer(driver, to[i], attributes[i], address)) {
        if (attributes[i] == kDeviceOrdinal) *static_cast<int*>(to[i]) = -2;
        else std::memset(to[i], 0, attributes[i] == kMemoryTypeOf || attributes[i] == kIsManaged ? 4 : 8);
      }
  });
}

static int get_address(const char* entry, const char* name, void** function, int* status) {
  return enter(entry, Needs::Nothing, [&](Driver&) {
    require(name && function);
    *function = address_of(name);
    if (status) *status = *function ? 0 : 1;  // CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND
    require(*function, kNotFound);
  });
}
STANDIN_API int cuGetProcAddress(const char* name, void** function, int, std::uint64_t) { return get_address("cuGetProcAddress", name, function, nullptr); }
STANDIN_API int cuGetProcAddress_v2(const char* name, void** function, int, std::uint64_t, int* status) {
  return get_address("cuGetProcAddress_v2", name, function, status);
}

STANDIN_API int cuGetExportTable(const void**, const void*) {
  return enter("cuGetExportTable", Needs::Nothing, [](Driver&) { throw Failure{kNotSupported}; });
}

}  // namespace standin

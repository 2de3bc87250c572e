// kernels_cuda/driver_api.hpp - the CUDA driver's functions that are used, found by name at run time.
//
// The declarations are ours, after the driver API's reference (CUDA 12 and 13, which agree on all of these), so that no
// toolkit is needed to build. Names keep the versions that the driver exports (`_v2`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace engine::cuda {

/// CUresult. Those that are told apart; the driver has names for all.
enum Status : int {
  kSuccess = 0,
  kOutOfMemory = 2,
  kDeinitialized = 4,
  kNoDevice = 100,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kEccUncorrectable = 214,
  kInvalidPtx = 218,
  kNvlinkUncorrectable = 220,
  kUnsupportedPtxVersion = 222,
  kIllegalAddress = 700,
  kLaunchTimeout = 702,
  kContextIsDestroyed = 709,
  kAssert = 710,
  kHardwareStackError = 714,
  kIllegalInstruction = 715,
  kMisalignedAddress = 716,
  kInvalidAddressSpace = 717,
  kInvalidPc = 718,
  kLaunchFailed = 719,
  kUnknown = 999,
};

using Device = int;
using DevicePointer = std::uint64_t;
inline char* pointer(DevicePointer address) { return reinterpret_cast<char*>(address); }
inline DevicePointer address(const void* pointer) { return reinterpret_cast<DevicePointer>(pointer); }
using Context = struct ContextHandle*;
using Module = struct ModuleHandle*;
using Function = struct FunctionHandle*;
using Stream = struct StreamHandle*;
using Event = struct EventHandle*;
using CudaGraph = struct GraphHandle*;
using GraphNode = struct GraphNodeHandle*;
using GraphExecutable = struct GraphExecutableHandle*;

/// CUdevice_attribute.
enum DeviceAttribute : int {
  kClockKilohertz = 13,
  kMultiprocessors = 16,
  kMemoryKilohertz = 36,
  kMemoryBusBits = 37,
  kThreadsPerMultiprocessor = 39,
  kMajor = 75,
  kMinor = 76,
  kFp32ToFp64 = 87,
};

/// CUfunction_attribute.
enum FunctionAttribute : int { kLocalBytes = 3 };

/// CUpointer_attribute.
enum PointerAttribute : int { kDeviceOrdinal = 9 };

/// CUDA_KERNEL_NODE_PARAMS_v2.
struct KernelNodeParameters {
  Function function = nullptr;
  unsigned blocks[3]{}, threads[3]{}, shared_bytes = 0;
  void** parameters = nullptr;
  void** extra = nullptr;
  void* kernel = nullptr;  ///< in place of `function`
  Context context = nullptr;
};

// Name and parameters; each gives a Status.
// clang-format off
#define ENGINE_CUDA_DRIVER_FUNCTIONS(F)                                                        \
  F(cuInit, (unsigned flags))                                                                  \
  F(cuDriverGetVersion, (int* version))                                                        \
  F(cuGetErrorName, (Status, const char** text))                                               \
  F(cuGetErrorString, (Status, const char** text))                                             \
  F(cuDeviceGetCount, (int* count))                                                            \
  F(cuDeviceGet, (Device*, int ordinal))                                                       \
  F(cuDeviceGetName, (char* text, int length, Device))                                         \
  F(cuDeviceGetAttribute, (int* value, DeviceAttribute, Device))                               \
  F(cuDeviceGetUuid_v2, (unsigned char* sixteen_bytes, Device))                                \
  F(cuDeviceTotalMem_v2, (std::size_t* bytes, Device))                                         \
  F(cuDevicePrimaryCtxRetain, (Context*, Device))                                              \
  F(cuDevicePrimaryCtxRelease_v2, (Device))                                                    \
  F(cuCtxPushCurrent_v2, (Context))                                                            \
  F(cuCtxPopCurrent_v2, (Context*))                                                            \
  F(cuStreamCreate, (Stream*, unsigned flags))                                                 \
  F(cuStreamDestroy_v2, (Stream))                                                              \
  F(cuStreamSynchronize, (Stream))                                                             \
  F(cuStreamWaitEvent, (Stream, Event, unsigned flags))                                        \
  F(cuEventCreate, (Event*, unsigned flags))                                                   \
  F(cuEventDestroy_v2, (Event))                                                                \
  F(cuEventRecord, (Event, Stream))                                                            \
  F(cuEventSynchronize, (Event))                                                               \
  F(cuPointerGetAttribute, (void* value, PointerAttribute, DevicePointer))                     \
  F(cuMemAlloc_v2, (DevicePointer*, std::size_t bytes))                                        \
  F(cuMemFree_v2, (DevicePointer))                                                             \
  F(cuMemHostAlloc, (void**, std::size_t bytes, unsigned flags))                               \
  F(cuMemFreeHost, (void*))                                                                    \
  F(cuMemcpyHtoDAsync_v2, (DevicePointer to, const void* from, std::size_t bytes, Stream))     \
  F(cuMemcpyDtoHAsync_v2, (void* to, DevicePointer from, std::size_t bytes, Stream))           \
  F(cuMemsetD8Async, (DevicePointer to, unsigned char value, std::size_t bytes, Stream))       \
  F(cuModuleLoadData, (Module*, const void* image))                                            \
  F(cuModuleUnload, (Module))                                                                  \
  F(cuModuleGetFunction, (Function*, Module, const char* name))                                \
  F(cuFuncGetAttribute, (int* value, FunctionAttribute, Function))                             \
  F(cuOccupancyMaxActiveBlocksPerMultiprocessor, (int* blocks, Function, int threads, std::size_t shared_bytes)) \
  F(cuLaunchKernel, (Function, unsigned grid_x, unsigned grid_y, unsigned grid_z,              \
                     unsigned block_x, unsigned block_y, unsigned block_z,                     \
                     unsigned shared_bytes, Stream, void** parameters, void** extra))            \
  F(cuGraphCreate, (CudaGraph*, unsigned flags))                                               \
  F(cuGraphDestroy, (CudaGraph))                                                               \
  F(cuGraphAddKernelNode_v2, (GraphNode*, CudaGraph, const GraphNode* after, std::size_t n_after, const KernelNodeParameters*)) \
  F(cuGraphInstantiateWithFlags, (GraphExecutable*, CudaGraph, unsigned long long flags))      \
  F(cuGraphExecKernelNodeSetParams_v2, (GraphExecutable, GraphNode, const KernelNodeParameters*)) \
  F(cuGraphExecDestroy, (GraphExecutable))                                                     \
  F(cuGraphLaunch, (GraphExecutable, Stream))
// clang-format on

struct Driver {
#define ENGINE_MEMBER(NAME, PARAMETERS) Status(*NAME) PARAMETERS = nullptr;
  ENGINE_CUDA_DRIVER_FUNCTIONS(ENGINE_MEMBER)
#undef ENGINE_MEMBER
};

/// The driver of this process, initialised. Which library: ENGINE_CUDA_DRIVER ("none": no driver), else libcuda.so.1.
/// Throws BackendError where there is none that can be used. A driver that failed to start is asked again the next time.
const Driver& driver();

/// While it lives, driver() of this thread gives a driver that does nothing: memory has addresses and holds nothing, copies, launches and
/// streams are done at once. What its callers would have compiled is compiled all the same (see DeviceState::kernel).
class Rehearsing {
 public:
  Rehearsing();
  ~Rehearsing();
  Rehearsing(const Rehearsing&) = delete;
  Rehearsing& operator=(const Rehearsing&) = delete;

 private:
  Driver table_;
};
/// While it lives, driver() of this thread gives the real one.
class Performing {
 public:
  Performing() noexcept;
  ~Performing();
  Performing(const Performing&) = delete;
  Performing& operator=(const Performing&) = delete;

 private:
  const Driver* rehearsed_;
};

/// The same for those who only ask: why it cannot be used (empty: it can), and what would help. Valid until the calling thread
/// asks again.
struct DriverState {
  std::string reason, help;
  std::string path;  ///< of the library
  int version = 0;   ///< 13000 is 13.0
  int devices = 0;
};
const DriverState& driver_state();

/// "CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)".
std::string describe(Status status);

/// Whether nothing can be done in the process's context any more after this.
bool is_lost(Status status);

/// Throws OutOfMemory for a lack of memory, BackendError for all else; `doing` completes "while …".
void check(Status status, const char* doing);

}  // namespace engine::cuda

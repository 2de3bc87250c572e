// kernels_cuda/driver_api.cpp - see driver_api.hpp.
#include "kernels_cuda/driver_api.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <engine/error.hpp>
#include <utility>

#include "engine/base/dynamic_library.hpp"
#include "kernels_cuda/settled.hpp"

namespace engine::cuda {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";
/// Older drivers read no PTX of a compiler that is still supported.
constexpr int kOldestDriver = 12000;

struct Loaded {
  Driver table;
  DriverState state;
  bool is_final = true;  ///< false: the next try may go otherwise
};

/// A context does not outlive fork(). Told by the system, as asking for the process' number costs a system call each time.
std::atomic<bool> is_forked{false};

/// Null, or the name of a function that the library does not have.
const char* fill(Driver& table, const DynamicLibrary& library) {
#define ENGINE_FIND(NAME, PARAMETERS) \
  if (!(table.NAME = reinterpret_cast<decltype(table.NAME)>(library.symbol(#NAME)))) return #NAME;
  ENGINE_CUDA_DRIVER_FUNCTIONS(ENGINE_FIND)
#undef ENGINE_FIND
  return nullptr;
}

std::string describe_by(const Driver& table, Status status) {
  const char *name = nullptr, *text = nullptr;
  if (!table.cuGetErrorName || table.cuGetErrorName(status, &name) != kSuccess || !name)
    return fmt::format("CUDA error {}", static_cast<int>(status));
  if (table.cuGetErrorString(status, &text) != kSuccess || !text) return name;
  return fmt::format("{} ({})", name, text);
}

Loaded load() {
  Loaded loaded;
  DriverState& state = loaded.state;
  const char* chosen = std::getenv("ENGINE_CUDA_DRIVER");
  state.path = chosen && *chosen ? chosen : kLibrary;
  if (state.path == "none") {
    state.reason = "switched off by ENGINE_CUDA_DRIVER=none";
    state.help = "unset ENGINE_CUDA_DRIVER";
    return loaded;
  }
  const DynamicLibrary library = DynamicLibrary::open(state.path);
  if (!library.is_loaded()) {
    state.reason = fmt::format("there is no CUDA driver ({} could not be loaded)", state.path);
    state.help = "install NVIDIA's driver, or use backend=\"interp\"";
    return loaded;
  }
  if (const char* missing = fill(loaded.table, library)) {
    state.reason = fmt::format("the CUDA driver is too old: it has no {}", missing);
    state.help = "install a driver for CUDA 12 or later";
    return loaded;
  }
  if (const Status status = loaded.table.cuInit(0); status != kSuccess) {
    state.reason = status == kNoDevice ? "there is no CUDA device"
                                       : fmt::format("the CUDA driver does not start: {}", describe_by(loaded.table, status));
    state.help = "check nvidia-smi and CUDA_VISIBLE_DEVICES";
    loaded.is_final = status == kNoDevice;
    return loaded;
  }
  Status status = loaded.table.cuDriverGetVersion(&state.version);
  if (status == kSuccess && state.version < kOldestDriver) {
    state.reason = fmt::format("the CUDA driver is too old: it is of version {}.{}", state.version / 1000, state.version % 1000 / 10);
    state.help = "install a driver for CUDA 12 or later";
    return loaded;
  }
  if (status == kSuccess) status = loaded.table.cuDeviceGetCount(&state.devices);
  if (status == kSuccess && state.devices == 0) status = kNoDevice;
  if (status != kSuccess) {
    state.reason = status == kNoDevice ? "there is no CUDA device"
                                       : fmt::format("the CUDA driver does not answer: {}", describe_by(loaded.table, status));
    state.help = "check nvidia-smi and CUDA_VISIBLE_DEVICES";
    loaded.is_final = status == kNoDevice;
  }
  return loaded;
}

const Loaded& loaded() {
  static Settled<Loaded> the_driver;
  return the_driver.get([] {
    [[maybe_unused]] static const int watched = pthread_atfork(nullptr, nullptr, [] { is_forked = true; });
    Loaded found = load();
    if (!found.state.reason.empty()) found.state.reason.insert(0, "not usable here: ");
    return found;
  });
}

}  // namespace

const DriverState& driver_state() { return loaded().state; }

namespace {
constinit thread_local const Driver* rehearsed = nullptr;
}

Rehearsing::Rehearsing() : table_(driver()) {
  table_.cuCtxPushCurrent_v2 = [](Context) { return kSuccess; };
  table_.cuCtxPopCurrent_v2 = [](Context*) { return kSuccess; };
  table_.cuStreamCreate = [](Stream* stream, unsigned) {
    *stream = reinterpret_cast<Stream>(std::uintptr_t{1});  // NOLINT(performance-no-int-to-ptr)
    return kSuccess;
  };
  table_.cuStreamDestroy_v2 = [](Stream) { return kSuccess; };
  table_.cuStreamSynchronize = [](Stream) { return kSuccess; };
  table_.cuStreamWaitEvent = [](Stream, Event, unsigned) { return kSuccess; };
  table_.cuEventCreate = [](Event* event, unsigned) {
    *event = reinterpret_cast<Event>(std::uintptr_t{1});  // NOLINT(performance-no-int-to-ptr)
    return kSuccess;
  };
  table_.cuEventDestroy_v2 = [](Event) { return kSuccess; };
  table_.cuEventRecord = [](Event, Stream) { return kSuccess; };
  table_.cuEventSynchronize = [](Event) { return kSuccess; };
  table_.cuMemAlloc_v2 = [](DevicePointer* memory, std::size_t bytes) {
    constexpr std::size_t kUnit = 512;  // as the driver's is aligned
    static constinit thread_local DevicePointer next = DevicePointer{1} << 60;
    *memory = next;
    next += (bytes + kUnit) / kUnit * kUnit;
    return kSuccess;
  };
  table_.cuMemFree_v2 = [](DevicePointer) { return kSuccess; };
  table_.cuMemHostAlloc = [](void**, std::size_t, unsigned) { return kOutOfMemory; };  // so that nothing of the host's is read
  table_.cuMemFreeHost = [](void*) { return kSuccess; };
  table_.cuMemcpyHtoDAsync_v2 = [](DevicePointer, const void*, std::size_t, Stream) { return kSuccess; };
  table_.cuMemcpyDtoHAsync_v2 = [](void*, DevicePointer, std::size_t, Stream) { return kSuccess; };
  table_.cuMemsetD8Async = [](DevicePointer, unsigned char, std::size_t, Stream) { return kSuccess; };
  table_.cuLaunchKernel = [](Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, Stream, void**, void**) {
    return kSuccess;
  };
  rehearsed = &table_;
}
Rehearsing::~Rehearsing() { rehearsed = nullptr; }

Performing::Performing() noexcept : rehearsed_(std::exchange(rehearsed, nullptr)) {}
Performing::~Performing() { rehearsed = rehearsed_; }

const Driver& driver() {
  if (rehearsed) return *rehearsed;
  const Loaded& found = loaded();
  if (!found.state.reason.empty())
    throw BackendError({.what = "the backend \"cuda\" is " + found.state.reason, .labels = {}, .help = found.state.help, .text = {}});
  if (is_forked)
    throw BackendError({.what = "the backend \"cuda\" is not usable in a forked process: CUDA does not survive fork()",
                        .labels = {},
                        .help = "start processes by multiprocessing's \"spawn\" or \"forkserver\"",
                        .text = {}});
  return found.table;
}

std::string describe(Status status) { return describe_by(loaded().table, status); }

void check(Status status, const char* doing) {
  if (status == kSuccess) return;
  if (status == kOutOfMemory)
    throw OutOfMemory({.what = fmt::format("the device is out of memory while {}", doing),
                       .labels = {},
                       .help = "free device arrays, or evaluate smaller pieces",
                       .text = {}});
  throw BackendError({.what = fmt::format("the CUDA device failed while {}: {}", doing, describe(status)),
                      .labels = {},
                      .help = is_lost(status) ? "the device's context is lost: start a new process" : "",
                      .text = {}});
}

bool is_lost(Status status) {
  switch (status) {
    case kDeinitialized:
    case kInvalidContext:
    case kEccUncorrectable:
    case kNvlinkUncorrectable:
    case kContextIsDestroyed:
    case kIllegalAddress:
    case kLaunchFailed:
    case kIllegalInstruction:
    case kMisalignedAddress:
    case kInvalidAddressSpace:
    case kInvalidPc:
    case kHardwareStackError:
    case kLaunchTimeout:
    case kAssert:
    case kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace engine::cuda

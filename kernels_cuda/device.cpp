// kernels_cuda/device.cpp - see device.hpp.
#include "kernels_cuda/device.hpp"

#include <fmt/format.h>

#include <array>
#include <engine/error.hpp>

#include "kernels_cuda/disk_cache.hpp"
#include "kernels_cuda/emit.hpp"
#include "kernels_cuda/nvrtc_api.hpp"

namespace engine::cuda {

DeviceState& DeviceState::get(int ordinal) {
  driver();  // says why there is none
  if (ordinal < 0 || ordinal >= driver_state().devices)
    throw BackendError({.what = fmt::format("there is no CUDA device {}: {} {} visible", ordinal, driver_state().devices,
                                            driver_state().devices == 1 ? "is" : "are"),
                        .labels = {},
                        .help = "see engine.doctor(), and CUDA_VISIBLE_DEVICES",
                        .text = {}});
  static std::mutex mutex;
  static std::map<int, DeviceState*> devices;  // never destroyed: the driver may be gone before
  const std::lock_guard lock(mutex);
  DeviceState*& device = devices[ordinal];
  if (!device) device = new DeviceState(ordinal);
  return *device;
}

DeviceState::DeviceState(int ordinal) {
  const Driver& d = driver();
  Device device = 0;
  std::array<char, 256> text{};
  int major = 0, minor = 0;
  check(d.cuDeviceGet(&device, ordinal), "looking for the device");
  check(d.cuDeviceGetName(text.data(), static_cast<int>(text.size()), device), "asking for the device's name");
  check(d.cuDeviceGetAttribute(&major, kMajor, device), "asking for the compute capability");
  check(d.cuDeviceGetAttribute(&minor, kMinor, device), "asking for the compute capability");
  check(d.cuDeviceGetAttribute(&multiprocessors_, kMultiprocessors, device), "asking for the multiprocessors");
  check(d.cuDevicePrimaryCtxRetain(&context_, device), "starting the device");
  name_ = text.data();
  architecture_ = 10 * major + minor;
  check(d.cuCtxPushCurrent_v2(context_), "using the device");
  // In order with the legacy default stream, where CuPy and torch work unless told otherwise: what they have begun is done
  // before it is read here, and what they do next, as with memory that was given back meanwhile, comes after.
  constexpr unsigned kBlocking = 0, kWithoutTime = 2;
  Status status = d.cuStreamCreate(&stream_, kBlocking);
  if (status == kSuccess) status = d.cuEventCreate(&event_, kWithoutTime);
  Context popped = nullptr;
  d.cuCtxPopCurrent_v2(&popped);
  check(status, "making a stream");
}

/// Powers of two up to 1 MiB, multiples of 2 MiB beyond: few sizes, so that what was given back fits again.
std::size_t DeviceState::rounded(std::size_t bytes) noexcept {
  constexpr std::size_t kSmallest = 512, kPage = std::size_t{2} << 20;
  if (bytes > kPage / 2) return (bytes + kPage - 1) / kPage * kPage;
  std::size_t size = kSmallest;
  while (size < bytes) size *= 2;
  return size;
}

DevicePointer DeviceState::allocate(std::size_t bytes) {
  const std::size_t size = rounded(bytes);
  if (const auto found = free_.find(size); found != free_.end()) {
    const DevicePointer memory = found->second;
    free_.erase(found);
    return memory;
  }
  DevicePointer memory = 0;
  Status status = driver().cuMemAlloc_v2(&memory, size);
  if (status == kOutOfMemory && !free_.empty()) {
    trim();
    status = driver().cuMemAlloc_v2(&memory, size);
  }
  if (status == kOutOfMemory)
    throw OutOfMemory({.what = fmt::format("the device has no {} bytes of memory left", bytes),
                       .labels = {},
                       .help = "free device arrays, or evaluate smaller pieces",
                       .text = {}});
  check(status, "allocating memory");
  return memory;
}

void DeviceState::release(DevicePointer memory, std::size_t bytes) noexcept {
  try {
    free_.emplace(rounded(bytes), memory);
  } catch (const std::bad_alloc&) {
    driver().cuMemFree_v2(memory);
  }
}

DevicePointer DeviceState::counters(std::size_t n) {
  if (n <= n_counters_) return counters_;
  const std::size_t bytes = rounded(n * sizeof(unsigned));
  const DevicePointer more = allocate(bytes);
  const Status status = driver().cuMemsetD8Async(more, 0, bytes, stream_);
  if (status != kSuccess) release(more, bytes);
  check(status, "clearing counters");
  if (counters_) release(counters_, n_counters_ * sizeof(unsigned));
  counters_ = more;
  n_counters_ = bytes / sizeof(unsigned);
  return counters_;
}

void DeviceState::trim() noexcept {
  for (const auto& [size, memory] : free_) driver().cuMemFree_v2(memory);
  free_.clear();
}

void DeviceState::copy_to_device(DevicePointer to, const void* from, std::size_t bytes) {
  check(driver().cuMemcpyHtoDAsync_v2(to, from, bytes, stream_), "copying operands to the device");
  counts.bytes_to_device += bytes;
}

void DeviceState::copy_to_host(void* to, DevicePointer from, std::size_t bytes) {
  check(driver().cuMemcpyDtoHAsync_v2(to, from, bytes, stream_), "copying results to the host");
  counts.bytes_to_host += bytes;
}

void DeviceState::synchronize() { check(driver().cuStreamSynchronize(stream_), "running kernels"); }

void DeviceState::start_after(Stream stream) {
  check(driver().cuEventRecord(event_, stream), "waiting for another stream");
  check(driver().cuStreamWaitEvent(stream_, event_, 0), "waiting for another stream");
}

void DeviceState::make_wait(Stream stream) {
  check(driver().cuEventRecord(event_, stream_), "letting another stream wait");
  check(driver().cuStreamWaitEvent(stream, event_, 0), "letting another stream wait");
}

std::shared_ptr<const LoadedKernel> DeviceState::kernel(const std::string& text) {
  if (const auto found = kernel_of_text_.find(text); found != kernel_of_text_.end()) {
    kernels_.splice(kernels_.begin(), kernels_, found->second);
    return kernels_.front().second;
  }
  const Driver& d = driver();
  const std::string key = cache_key(text, architecture_);
  Image image;
  const bool found = read_cache(key, image);
  if (!found) image = compile(text, architecture_);
  Module module = nullptr;
  Status status = d.cuModuleLoadData(&module, image.bytes.data());
  if (status != kSuccess && found) {  // whatever is wrong with what was kept, it can be made again
    image = compile(text, architecture_);
    status = d.cuModuleLoadData(&module, image.bytes.data());
    write_cache(key, image);
    ++counts.kernels_compiled;
  } else if (found) {
    ++counts.kernels_from_disk;
  } else {
    ++counts.kernels_compiled;
    if (status == kSuccess) write_cache(key, image);
  }
  if (status == kUnsupportedPtxVersion)
    throw BackendError({.what = fmt::format("the CUDA driver ({}.{}) is older than NVRTC {}.{}", driver_state().version / 1000,
                                            driver_state().version % 1000 / 10, nvrtc_state().major, nvrtc_state().minor),
                        .labels = {},
                        .help = "update the driver, or install an NVRTC that is not newer than it",
                        .text = {}});
  check(status, "loading a kernel");
  Function function = nullptr;
  status = d.cuModuleGetFunction(&function, module, kEntry);
  if (status != kSuccess) d.cuModuleUnload(module);
  check(status, "loading a kernel");
  kernels_.emplace_front(text, std::make_shared<const LoadedKernel>(*this, module, function));
  kernel_of_text_.emplace(kernels_.front().first, kernels_.begin());
  if (kernels_.size() > kMostKernels) {
    kernel_of_text_.erase(kernels_.back().first);
    kernels_.pop_back();
  }
  return kernels_.front().second;
}

LoadedKernel::~LoadedKernel() {
  try {
    const Driver& d = driver();
    Context popped = nullptr;
    if (d.cuCtxPushCurrent_v2(device_.context_) != kSuccess) return;
    d.cuModuleUnload(module_);
    d.cuCtxPopCurrent_v2(&popped);
  } catch (const Error&) {  // a forked child: the module is its parent's
  }
}

Session::Session(DeviceState& device) : device_(device), lock_(device.mutex) {
  check(driver().cuCtxPushCurrent_v2(device.context_), "using the device");
}

Session::~Session() { leave(); }

void Session::leave() noexcept {
  Context popped = nullptr;
  driver().cuCtxPopCurrent_v2(&popped);
  lock_.unlock();
}

void Session::enter() noexcept {
  lock_.lock();
  driver().cuCtxPushCurrent_v2(device_.context_);  // where it fails, so does what is done next
}

}  // namespace engine::cuda

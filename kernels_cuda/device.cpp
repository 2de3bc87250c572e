// kernels_cuda/device.cpp - see device.hpp.
#include "kernels_cuda/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <engine/error.hpp>
#include <engine/threads.hpp>
#include <functional>
#include <utility>

#include "engine/run/backend.hpp"
#include "kernels_cuda/disk_cache.hpp"
#include "kernels_cuda/emit.hpp"
#include "kernels_cuda/graph.hpp"
#include "kernels_cuda/nvrtc_api.hpp"

namespace engine::cuda {

namespace {

/// The driver gives the UUID of the part, and says in the name that it is one.
std::string id_of(const std::string& name, const std::array<unsigned char, 16>& uuid) {
  std::string id = name.find(" MIG ") == std::string::npos ? "GPU" : "MIG";
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) id += '-';
    id += fmt::format("{:02x}", uuid[i]);
  }
  return id;
}

}  // namespace

int find_device(std::string_view id) {
  int found = kHost;
  const int n = driver_state().devices;
  for (int ordinal = 0; ordinal < n; ++ordinal) {
    if (!info_of(ordinal).id.starts_with(id)) continue;
    if (found != kHost)
      throw BackendError({.what = fmt::format("the ids of several CUDA devices begin with \"{}\"", id),
                          .labels = {},
                          .help = "give more of it: engine.doctor() has the ids",
                          .text = {}});
    found = ordinal;
  }
  if (found == kHost)
    throw BackendError({.what = fmt::format("there is no CUDA device of the id \"{}\"", id),
                        .labels = {},
                        .help = "see engine.doctor(), and CUDA_VISIBLE_DEVICES",
                        .text = {}});
  return found;
}

DeviceInfo info_of(int ordinal) {
  const Driver& d = driver();
  Device device = 0;
  constexpr const char* kDoing = "asking what the device is";
  check(d.cuDeviceGet(&device, ordinal), kDoing);
  const auto ask = [&](DeviceAttribute attribute) {
    int value = 0;
    check(d.cuDeviceGetAttribute(&value, attribute, device), kDoing);
    return value;
  };
  DeviceInfo info;
  std::array<char, 256> text{};
  check(d.cuDeviceGetName(text.data(), static_cast<int>(text.size()), device), kDoing);
  check(d.cuDeviceTotalMem_v2(&info.bytes, device), kDoing);
  std::array<unsigned char, 16> uuid{};
  check(d.cuDeviceGetUuid_v2(uuid.data(), device), kDoing);
  info.name = text.data();
  info.id = id_of(info.name, uuid);
  info.architecture = 10 * ask(kMajor) + ask(kMinor);
  info.multiprocessors = ask(kMultiprocessors);
  info.bytes_per_second = ask(kMemoryKilohertz) * 1e3 * 2 * ask(kMemoryBusBits) / 8;
  info.instructions_per_second = ask(kClockKilohertz) * 1e3 * info.multiprocessors * 128;
  info.fp64_per_second = fp64_rate(info.architecture, info.instructions_per_second, ask(kFp32ToFp64));
  return info;
}

double fp64_rate(int architecture, double instructions_per_second, int ratio) {
  // 7.0, 7.5 and 8.0 have 64 lanes for float32 on a multiprocessor that issues 128 threads' instructions.
  const double lanes = architecture <= 80 ? 0.5 : 1;
  return instructions_per_second * lanes / (ratio > 0 ? ratio : 2);  // 2 in data centres, up to 64 elsewhere
}

DeviceState& DeviceState::get(int ordinal) {
  driver();  // says why there is none
  if (ordinal < 0 || ordinal >= driver_state().devices)
    throw BackendError({.what = fmt::format("there is no CUDA device {}: {} {} visible", ordinal, driver_state().devices,
                                            driver_state().devices == 1 ? "is" : "are"),
                        .labels = {},
                        .help = "see engine.doctor(), and CUDA_VISIBLE_DEVICES",
                        .text = {}});
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  DeviceState*& device = all.devices[ordinal];
  if (!device) device = new DeviceState(ordinal);
  all.is_used = true;
  return *device;
}

DeviceState::Registry& DeviceState::registry() {
  static auto* const all = new Registry;
  return *all;
}

DeviceState::DeviceState(int ordinal) {
  const Driver& d = driver();
  const DeviceInfo info = info_of(ordinal);
  name_ = info.name;
  architecture_ = info.architecture;
  multiprocessors_ = info.multiprocessors;
  Device device = 0;
  check(d.cuDeviceGet(&device, ordinal), "looking for the device");
  check(d.cuDevicePrimaryCtxRetain(&context_, device), "starting the device");
  // In order with the legacy default stream, where CuPy and torch work unless told otherwise: what they have begun is done
  // before it is read here, and what they do next, as with memory that was given back meanwhile, comes after.
  constexpr unsigned kBlocking = 0, kWithoutTime = 2;
  Status status = d.cuCtxPushCurrent_v2(context_);
  if (status == kSuccess) {
    status = d.cuStreamCreate(&stream_, kBlocking);
    if (status == kSuccess) status = d.cuEventCreate(&event_, kWithoutTime);
    if (status != kSuccess && stream_) d.cuStreamDestroy_v2(stream_);
    Context popped = nullptr;
    d.cuCtxPopCurrent_v2(&popped);
  }
  if (status != kSuccess) d.cuDevicePrimaryCtxRelease_v2(device);
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
  if (graph_)
    if (const DevicePointer memory = graph_->allocate(size)) return memory;
  if (const auto found = free_.find(size); found != free_.end()) {
    const DevicePointer memory = found->second;
    free_.erase(found);
    return memory;
  }
  DevicePointer memory = 0;
  Status status = driver().cuMemAlloc_v2(&memory, size);
  if (status == kOutOfMemory && !free_.empty()) {
    free_idle();
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
    if (graph_) return graph_->release(memory, rounded(bytes));
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

std::size_t DeviceState::free_idle() noexcept {
  std::size_t bytes = 0;
  for (auto each = free_.begin(); each != free_.end();) {
    if (driver().cuMemFree_v2(each->second) != kSuccess) {
      ++each;  // another time
      continue;
    }
    bytes += each->first;
    each = free_.erase(each);
  }
  return bytes;
}

std::size_t DeviceState::trim() noexcept {
  if (counters_) release(std::exchange(counters_, 0), std::exchange(n_counters_, 0) * sizeof(unsigned));
  for (auto kernel = kernels_.begin(); kernel != kernels_.end();) {
    if (kernel->second.use_count() > 1) {
      ++kernel;
      continue;
    }
    kernel_of_text_.erase(kernel->first);
    kernel = kernels_.erase(kernel);
  }
  return lanes_.to_device.release() + lanes_.to_host.release() + free_idle();
}

std::size_t DeviceState::trim_all() noexcept {
  Registry& all = registry();
  if (!all.is_used) return 0;
  try {
    driver();
  } catch (const Error&) {  // a forked child, where nobody may give the lock back either
    return 0;
  }
  const std::lock_guard lock(all.mutex);
  std::size_t bytes = 0;
  for (const auto& [ordinal, device] : all.devices) {
    if (!device) continue;
    try {
      const Session session(*device);
      bytes += device->trim();
    } catch (const Error&) {  // the context is lost, and its memory with it
    }
  }
  return bytes;
}

void DeviceState::copy_to_device(DevicePointer to, const void* from, std::size_t bytes, int threads) {
  if (bytes < Staging::kLeastBytes)
    check(driver().cuMemcpyHtoDAsync_v2(to, from, bytes, stream_), "copying operands to the device");
  else
    lanes_.to_device.to_device(to, static_cast<const char*>(from), bytes, stream_, threads ? threads : num_threads());
  counts.bytes_to_device += bytes;
}

void DeviceState::start(const LoadedKernel& kernel, unsigned blocks, unsigned threads, std::span<const std::byte> parameters,
                        std::span<void*> addresses) {
  if (graph_) return graph_->add(kernel, blocks, threads, parameters, addresses);
  check(driver().cuLaunchKernel(kernel.function(), blocks, 1, 1, threads, 1, 1, 0, stream_, addresses.data(), nullptr),
        "starting a kernel");
  ++counts.launches;
}

void DeviceState::copy_to_host(void* to, DevicePointer from, std::size_t bytes, int threads) {
  if (graph_) throw NotCaptured{};
  if (bytes < Staging::kLeastBytes) {
    check(driver().cuMemcpyDtoHAsync_v2(to, from, bytes, stream_), "copying results to the host");
  } else {
    const StagedCopies copies(lanes_.to_host, threads ? threads : num_threads());
    copies.to_host(static_cast<char*>(to), from, bytes, stream_);
    copies.settle();
  }
  counts.bytes_to_host += bytes;
}

DeviceState::Lanes& DeviceState::lanes() {
  constexpr unsigned kNonBlocking = 1;
  for (Stream* stream : {&lanes_.up, &lanes_.down})
    if (!*stream) check(driver().cuStreamCreate(stream, kNonBlocking), "making a stream");
  return lanes_;
}

void DeviceState::order(Stream earlier, Stream later) {
  check(driver().cuEventRecord(event_, earlier), "ordering streams");
  check(driver().cuStreamWaitEvent(later, event_, 0), "ordering streams");
}

void DeviceState::synchronize() {
  check(driver().cuStreamSynchronize(stream_), "running kernels");
  lanes_.to_device.arrived();  // kernels wait for what comes by its lane
}

void DeviceState::start_after(Stream stream) { order(stream, stream_); }

void DeviceState::make_wait(Stream stream) { order(stream_, stream); }

Image DeviceState::compiled(const std::string& text) const {
  const auto start = std::chrono::steady_clock::now();
  Image image = compile(text, architecture_);
  ++run::compilations.kernels;
  run::compilations.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return image;
}

std::shared_ptr<const LoadedKernel> DeviceState::kernel(const std::string& text) {
  if (!rehearsed_) {
    std::shared_ptr<const LoadedKernel> kernel = known(text);
    return kernel ? kernel : load(text, find(text));
  }
  const Performing performing;
  {
    const Session session(*rehearsed_);
    if (std::shared_ptr<const LoadedKernel> kernel = rehearsed_->known(text)) return kernel;
  }
  Found found = find(text);
  const Session session(*rehearsed_);
  std::shared_ptr<const LoadedKernel> kernel = rehearsed_->known(text);  // another thread was faster
  return kernel ? kernel : rehearsed_->load(text, std::move(found));
}

std::shared_ptr<const LoadedKernel> DeviceState::known(const std::string& text) {
  const auto found = kernel_of_text_.find(text);
  if (found == kernel_of_text_.end()) return nullptr;
  kernels_.splice(kernels_.begin(), kernels_, found->second);
  return kernels_.front().second;
}

/// On disk, or else compiled.
DeviceState::Found DeviceState::find(const std::string& text) const {
  Found found;
  found.on_disk = read_cache(cache_key(text, architecture_), found.image);
  if (found.on_disk) return found;
  if (!waits_for_compiler) throw run::NotCompiled{std::hash<std::string>()(text)};
  found.image = compiled(text);
  return found;
}

std::shared_ptr<const LoadedKernel> DeviceState::load(const std::string& text, Found found) {
  if (!found.on_disk) ++counts.kernels_compiled;
  auto kernel = std::make_shared<LoadedKernel>(*this);
  Status status = kernel->load(found.image);
  const bool is_made_again = found.on_disk && status != kSuccess && status != kOutOfMemory && !is_lost(status);
  if (is_made_again) {  // whatever is wrong with what was kept
    found.image = compiled(text);
    ++counts.kernels_compiled;
    status = kernel->load(found.image);
  } else if (found.on_disk) {
    ++counts.kernels_from_disk;
  }
  if (is_made_again || (!found.on_disk && status == kSuccess)) write_cache(cache_key(text, architecture_), found.image);
  if (status == kUnsupportedPtxVersion)
    throw BackendError({.what = fmt::format("the CUDA driver ({}.{}) is older than NVRTC {}.{}", driver_state().version / 1000,
                                            driver_state().version % 1000 / 10, nvrtc_state().major, nvrtc_state().minor),
                        .labels = {},
                        .help = "update the driver, or install an NVRTC that is not newer than it",
                        .text = {}});
  check(status, "loading a kernel");
  kernel->find(kEntry);
  kernels_.emplace_front(text, std::move(kernel));
  try {
    kernel_of_text_.emplace(kernels_.front().first, kernels_.begin());
  } catch (...) {
    kernels_.pop_front();
    throw;
  }
  if (kernels_.size() > kMostKernels) {
    kernel_of_text_.erase(kernels_.back().first);
    kernels_.pop_back();
  }
  return kernels_.front().second;
}

/// What lies idle makes room for it where there is none.
Status LoadedKernel::load(const Image& image) {
  const Driver& d = driver();
  const Status status = d.cuModuleLoadData(&module_, image.bytes.data());
  return status == kOutOfMemory && device_.free_idle() > 0 ? d.cuModuleLoadData(&module_, image.bytes.data()) : status;
}

void LoadedKernel::find(const char* name) {
  const Driver& d = driver();
  check(d.cuModuleGetFunction(&function_, module_, name), "loading a kernel");
  check(d.cuFuncGetAttribute(&local_bytes_, kLocalBytes, function_), "asking for a kernel's memory");
  check(d.cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks_at_once_, function_, kBlock, 0), "asking for a kernel's occupancy");
  blocks_at_once_ = std::max(blocks_at_once_, 1);
}

LoadedKernel::~LoadedKernel() {
  if (!module_) return;
  const Performing performing;
  try {
    const Driver& d = driver();
    Context popped = nullptr;
    if (d.cuCtxPushCurrent_v2(device_.context_) != kSuccess) return;
    d.cuModuleUnload(module_);
    d.cuCtxPopCurrent_v2(&popped);
  } catch (const Error&) {  // a forked child: the module is its parent's
  }
}

/// A forked child is refused before it takes a lock that its parent may have held.
Session::Session(DeviceState& device) : device_(device) {
  driver();
  enter();
}

Session::~Session() { leave(); }

void Session::enter() {
  if (!lock_.owns_lock()) lock_ = std::unique_lock(device_.mutex);
  check(driver().cuCtxPushCurrent_v2(device_.context_), "using the device");
  is_current_ = true;
}

void Session::leave() noexcept {
  Context popped = nullptr;
  if (std::exchange(is_current_, false)) driver().cuCtxPopCurrent_v2(&popped);
  if (lock_.owns_lock()) lock_.unlock();
}

}  // namespace engine::cuda

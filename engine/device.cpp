// device.cpp - see engine/device.hpp: asks the backend that has devices.
#include <engine/backend.hpp>
#include <engine/device.hpp>
#include <engine/error.hpp>
#include <engine/memory.hpp>
#include <utility>

#include "engine/base/pages.hpp"
#include "engine/run/backend.hpp"

namespace engine {
namespace {

const run::DeviceFunctions& devices() {
  const run::BackendEntry* entry = run::find_backend(BackendChoice::Cuda);
  if (!entry || !entry->device)
    throw BackendError({.what = "this build reaches no device", .labels = {}, .help = "build it with ENGINE_WITH_CUDA", .text = {}});
  return *entry->device;
}

}  // namespace

DeviceMemory::DeviceMemory(int device, std::size_t bytes) : device_(device), data_(devices().allocate(device, bytes)), bytes_(bytes) {}
DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : device_(other.device_), data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}
DeviceMemory::~DeviceMemory() {
  if (data_) run::find_backend(BackendChoice::Cuda)->device->release(device_, data_, bytes_);
}

DeviceInfo device_info(int device) { return devices().info(device); }
int find_device(std::string_view id) { return devices().find(id); }
void copy_to_device(int device, void* to, const void* from, std::size_t bytes) { devices().copy_to_device(device, to, from, bytes); }
void copy_to_host(int device, void* to, const void* from, std::size_t bytes) { devices().copy_to_host(device, to, from, bytes); }
int device_of(const void* address) { return devices().device_of(address); }
void* stream_of(int device) { return devices().stream_of(device); }
void start_after(int device, void* stream) { devices().start_after(device, stream); }
void make_wait(int device, void* stream) { devices().make_wait(device, stream); }

std::size_t trim() noexcept {
  const run::BackendEntry* entry = run::find_backend(BackendChoice::Cuda);
  return trim_pages() + (entry && entry->device ? entry->device->trim() : 0);
}

}  // namespace engine

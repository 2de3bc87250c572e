// engine/device.hpp - memory of a GPU, and its place among the work of others who use it.
//
// An ArrayView whose `device` is an ordinal shows such memory; expressions over such views run there, and so do their results
// lie there. Work on a device is in the order in which it was asked for, and a call returns before it is done.
//
//     DeviceMemory memory(0, sizeof field);
//     copy_to_device(memory.device(), memory.data(), field, sizeof field);
#pragma once

#include <cstddef>
#include <engine/export.hpp>
#include <string>
#include <string_view>

namespace engine ENGINE_API {

/// What a CUDA device is, and what it does in a second by its driver's word: bytes of its memory, FP64 operations (a fused one is
/// one), and instructions of threads.
struct DeviceInfo {
  std::string name;
  std::string id;  ///< "GPU-" or, of a part of one (MIG), "MIG-" and its UUID: as nvidia-smi -L says, and CUDA_VISIBLE_DEVICES takes it
  int architecture = 0;  ///< 90 is compute capability 9.0
  int multiprocessors = 0;
  std::size_t bytes = 0;  ///< of memory
  double bytes_per_second = 0, fp64_per_second = 0, instructions_per_second = 0;
};

/// Starts no device. Throws BackendError where there is none of that ordinal.
///
///     std::puts(device_info(0).name.c_str());
DeviceInfo device_info(int device);

/// The ordinal of the device of that id, of which the beginning is enough where no other begins so. Throws BackendError.
///
///     find_device(device_info(0).id);
int find_device(std::string_view id);

/// Memory of the CUDA device of that ordinal, aligned to 512 bytes, its values not set. Given back at the end of its life, when
/// work that was asked for before may still use it.
class DeviceMemory {
 public:
  DeviceMemory() noexcept = default;
  /// Throws BackendError where there is no such device, OutOfMemory.
  ///
  ///     DeviceMemory memory(0, sizeof field);
  DeviceMemory(int device, std::size_t bytes);
  DeviceMemory(DeviceMemory&& other) noexcept;
  DeviceMemory& operator=(DeviceMemory&& other) noexcept;
  ~DeviceMemory();

  int device() const noexcept { return device_; }
  void* data() const noexcept { return data_; }  ///< on the device: for views alone, not to be read by the host
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  int device_ = 0;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Copies after all that was asked of the device before, and waits for it. Throw BackendError, also for a failure of that work.
///
///     copy_to_host(memory.device(), field, memory.data(), sizeof field);
void copy_to_device(int device, void* to, const void* from, std::size_t bytes);
void copy_to_host(int device, void* to, const void* from, std::size_t bytes);

/// The device that memory belongs to, by its address; -1 where it is none's. Throws BackendError where there is no driver.
///
///     device_of(memory.data()) == 0
int device_of(const void* address);

/// The stream (CUstream) on which the engine's work of a device is done. It keeps order with the legacy default stream by itself.
///
///     void* const stream = stream_of(0);
void* stream_of(int device);
/// Work asked for from now on waits for what `stream` was given so far; work on `stream` waits for the engine's.
///
///     start_after(0, stream);
///     make_wait(0, stream);
void start_after(int device, void* stream);
void make_wait(int device, void* stream);

/// Whether calls may leave kernels to another thread that compiles them (see RunOptions::wait), and be answered by the host meanwhile.
/// Not at first: NVRTC must not be at work when a process ends, so whoever allows it forbids it again before main() returns. That
/// waits for the kernel that is being compiled; others are dropped. Python's module does both.
///
///     allow_background_compilation(true);
void allow_background_compilation(bool is_allowed);
/// Waits until no kernel is being compiled so.
///
///     wait_for_kernels();
void wait_for_kernels();

}  // namespace engine ENGINE_API

// kernels_cuda/device.hpp - one device: its context, a stream, memory, and loaded kernels.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels_cuda/driver_api.hpp"

namespace engine::cuda {

class DeviceState;

/// A kernel on the device. Unloaded with the last one who holds it.
class LoadedKernel {
 public:
  LoadedKernel(DeviceState& device, Module module, Function function) : device_(device), module_(module), function_(function) {}
  ~LoadedKernel();
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;
  Function function() const noexcept { return function_; }

 private:
  DeviceState& device_;
  Module module_;
  Function function_;
};

/// Counts of what was done so far, for statistics and tests.
struct DeviceCounts {
  std::uint64_t kernels_compiled = 0;   ///< by NVRTC
  std::uint64_t kernels_from_disk = 0;  ///< found in the cache on disk
  std::uint64_t launches = 0;
  std::uint64_t bytes_to_device = 0, bytes_to_host = 0;
};

/// Everything below is called by one thread at a time, which holds `mutex` and has the context current: see Session.
class DeviceState {
 public:
  /// Device `ordinal`, started at its first use. Throws BackendError.
  static DeviceState& get(int ordinal = 0);

  const std::string& name() const noexcept { return name_; }
  int architecture() const noexcept { return architecture_; }  ///< 90 is compute capability 9.0
  int multiprocessors() const noexcept { return multiprocessors_; }
  Stream stream() const noexcept { return stream_; }

  /// Device memory, kept for later when it is given back. Work on it is ordered by the stream alone. Throws OutOfMemory.
  DevicePointer allocate(std::size_t bytes);
  void release(DevicePointer memory, std::size_t bytes) noexcept;
  /// At least n counters of 32 bits, all zero. Kernels leave them so; they are one after the other's, as work is in order.
  DevicePointer counters(std::size_t n);
  /// Gives all that is kept back to the driver.
  void trim() noexcept;

  void copy_to_device(DevicePointer to, const void* from, std::size_t bytes);
  void copy_to_host(void* to, DevicePointer from, std::size_t bytes);
  /// Waits; throws what any work since the last wait failed of.
  void synchronize();

  /// The engine's stream waits for all that `stream` has been given, or the other way round. Null: the legacy default stream.
  void start_after(Stream stream);
  void make_wait(Stream stream);

  /// The kernel of that text, compiled at its first use.
  std::shared_ptr<const LoadedKernel> kernel(const std::string& text);

  std::mutex mutex;
  DeviceCounts counts;

 private:
  friend class Session;
  friend class LoadedKernel;
  explicit DeviceState(int ordinal);

  /// Kernels kept besides those in use.
  static constexpr std::size_t kMostKernels = 1024;
  static std::size_t rounded(std::size_t bytes) noexcept;

  Context context_ = nullptr;
  Stream stream_ = nullptr;
  Event event_ = nullptr;  ///< recorded anew for each wait
  std::string name_;
  int architecture_ = 0, multiprocessors_ = 0;
  std::multimap<std::size_t, DevicePointer> free_;
  DevicePointer counters_ = 0;
  std::size_t n_counters_ = 0;
  std::list<std::pair<std::string, std::shared_ptr<const LoadedKernel>>> kernels_;  ///< the latest used first
  std::unordered_map<std::string_view, decltype(kernels_)::iterator> kernel_of_text_;
};

/// The device for the calling thread alone, its context current.
class Session {
 public:
  explicit Session(DeviceState& device);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Calls body() while others may have the device: for what waits for locks that are held by those who wait for it.
  template <class Body>
  void aside(Body body) {
    leave();
    const Return back{*this};
    body();
  }

 private:
  struct Return {
    Session& session;
    ~Return() { session.enter(); }
  };
  void leave() noexcept;
  void enter() noexcept;

  DeviceState& device_;
  std::unique_lock<std::mutex> lock_;
};

/// Device memory of one scope.
class Memory {
 public:
  Memory(DeviceState& device, std::size_t bytes) : device_(device), bytes_(bytes), address_(device.allocate(bytes)) {}
  ~Memory() {
    if (address_) device_.release(address_, bytes_);
  }
  Memory(Memory&& other) noexcept : device_(other.device_), bytes_(other.bytes_), address_(other.address_) { other.address_ = 0; }
  Memory& operator=(Memory&&) = delete;
  DevicePointer address() const noexcept { return address_; }

 private:
  DeviceState& device_;
  std::size_t bytes_;
  DevicePointer address_;
};

}  // namespace engine::cuda

// kernels_cuda/device.hpp - one device: its context, a stream, memory, and loaded kernels.
#pragma once

#include <atomic>
#include <engine/device.hpp>
#include <engine/error.hpp>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernels_cuda/driver_api.hpp"
#include "kernels_cuda/nvrtc_api.hpp"
#include "kernels_cuda/staging.hpp"

namespace engine::cuda {

/// See engine/device.hpp: by the driver's word.
DeviceInfo info_of(int ordinal);

/// Additions, multiplications or fused ones of float64 a second, of so many instructions of a thread; `ratio`: of float32's rate to
/// float64's.
double fp64_rate(int architecture, double instructions_per_second, int ratio);
int find_device(std::string_view id);

class DeviceState;
class KernelGraph;

/// Memory on the device that stands for the host's lies there as it does here modulo this: as aligned, for vectors and for memory's
/// sectors.
inline constexpr std::size_t kAlignment = 256;
inline std::size_t offset_of(const void* host) { return reinterpret_cast<std::uintptr_t>(host) % kAlignment; }

/// A kernel on the device. Unloaded with the last one who holds it.
class LoadedKernel {
 public:
  explicit LoadedKernel(DeviceState& device) noexcept : device_(device) {}
  ~LoadedKernel();
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;
  /// Before all else: the image, then the kernel of that name in it, which throws BackendError.
  Status load(const Image& image);
  void find(const char* name);
  Function function() const noexcept { return function_; }
  /// Blocks of kBlock threads that a multiprocessor holds at once, at least one.
  int blocks_at_once() const noexcept { return blocks_at_once_; }
  /// Bytes of memory that each thread has in place of registers.
  int local_bytes() const noexcept { return local_bytes_; }

 private:
  DeviceState& device_;
  Module module_ = nullptr;
  Function function_ = nullptr;
  int blocks_at_once_ = 1, local_bytes_ = 0;
};

/// Counts of what was done so far, for statistics and tests.
struct DeviceCounts {
  std::uint64_t kernels_compiled = 0;   ///< by NVRTC
  std::uint64_t kernels_from_disk = 0;  ///< found in the cache on disk
  std::uint64_t launches = 0;
  std::uint64_t bytes_to_device = 0, bytes_to_host = 0;
};

/// Thrown where a graph is being captured and the host asks for a value that kernels compute: it would decide by one of another call.
struct NotCaptured {};

/// Whether the calling thread waits for the compiler. Otherwise kernel() throws run::NotCompiled for what would have to be compiled.
inline constinit thread_local bool waits_for_compiler = true;

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
  /// Gives all that is kept back to the driver, kernels that no program uses among it. How many bytes of memory that was, of the
  /// host's what was pinned.
  std::size_t trim() noexcept;
  /// The same of all devices that were started.
  static std::size_t trim_all() noexcept;

  /// In the order of the stream; much memory goes by way of what is pinned, by `threads` of the host (0: as many as it may). Memory
  /// of the host that is copied from is free at once. What is copied to the host is there after synchronize().
  void copy_to_device(DevicePointer to, const void* from, std::size_t bytes, int threads = 0);
  void copy_to_host(void* to, DevicePointer from, std::size_t bytes, int threads = 0);
  /// Waits; throws what any work since the last wait failed of.
  void synchronize();

  /// Starts blocks of a kernel, or adds them to the graph that is being captured. `addresses`: of each parameter among `parameters`.
  void start(const LoadedKernel& kernel, unsigned blocks, unsigned threads, std::span<const std::byte> parameters,
             std::span<void*> addresses);
  bool is_captured() const noexcept { return graph_ != nullptr; }

  /// The engine's stream waits for all that `stream` has been given, or the other way round. Null: the legacy default stream.
  void start_after(Stream stream);
  void make_wait(Stream stream);

  /// Streams for copies beside the kernels of stream(), which know nothing of its order, and the pinned memory of each direction.
  struct Lanes {
    Stream up = nullptr, down = nullptr;
    Staging to_device, to_host;
  };
  Lanes& lanes();
  /// `later` waits for all that `earlier` has been given.
  void order(Stream earlier, Stream later);

  /// The kernel of that text, compiled at its first use.
  std::shared_ptr<const LoadedKernel> kernel(const std::string& text);

  /// Stands for that device where nothing but its kernels is wanted, for a thread that is Rehearsing. It has a mutex of its own, and
  /// what is compiled the device keeps, whose mutex is not held meanwhile.
  struct Rehearsal {};
  DeviceState(Rehearsal, DeviceState& device)
      : rehearsed_(&device), name_(device.name_), architecture_(device.architecture_), multiprocessors_(device.multiprocessors_) {}
  bool is_rehearsal() const noexcept { return rehearsed_ != nullptr; }

  std::mutex mutex;
  DeviceCounts counts;

 private:
  friend class Session;
  friend class LoadedKernel;
  friend class KernelGraph;
  explicit DeviceState(int ordinal);
  /// Those in use, never destroyed: the driver may be gone before.
  struct Registry {
    std::mutex mutex;
    std::map<int, DeviceState*> devices;
    std::atomic<bool> is_used{false};
  };
  static Registry& registry();

  /// Kernels kept besides those in use.
  static constexpr std::size_t kMostKernels = 1024;
  struct Found {
    Image image;
    bool on_disk;
  };
  std::shared_ptr<const LoadedKernel> known(const std::string& text);
  Found find(const std::string& text) const;
  std::shared_ptr<const LoadedKernel> load(const std::string& text, Found found);
  Image compiled(const std::string& text) const;
  static std::size_t rounded(std::size_t bytes) noexcept;
  std::size_t free_idle() noexcept;

  DeviceState* rehearsed_ = nullptr;
  KernelGraph* graph_ = nullptr;  ///< that launches are added to
  Context context_ = nullptr;
  Stream stream_ = nullptr;
  Event event_ = nullptr;  ///< recorded anew for each wait
  std::string name_;
  int architecture_ = 0, multiprocessors_ = 0;
  Lanes lanes_;
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
  /// Throws what body() throws, and BackendError where the context is not to be had again.
  template <class Body>
  void aside(Body body) {
    leave();
    try {
      body();
    } catch (...) {
      try {
        enter();                // for what the caller still has to give back, or to undo
      } catch (const Error&) {  // the context is lost; the lock is held
      }
      throw;
    }
    enter();
  }

 private:
  void enter();
  void leave() noexcept;

  DeviceState& device_;
  std::unique_lock<std::mutex> lock_;
  bool is_current_ = false;  ///< the device's context, of this thread
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

// run/backend.hpp - what a backend besides the interpreter implements: it gets plans, and runs them once they are bound.
#pragma once

#include <engine/backend.hpp>
#include <engine/device.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "engine/plan/bind.hpp"
#include "engine/plan/stepped.hpp"

namespace engine::run {

/// Thrown by Executable::execute where that was not to wait for a compiler. Nothing has happened then that anybody knows of.
struct NotCompiled {
  std::uint64_t kernel;  ///< a number for the kernel that is missing
};

/// Steps of a stencil, of which one may make several at once.
struct Advance {
  const plan::Stepped& step;
  std::span<const engine::Operand* const> slots;  ///< of the graph: what the first step reads, and where the last one's values go
  std::span<const std::uint32_t> sources;         ///< for each store of the kernel the slot whose next value it makes
  std::span<const std::int64_t> extents;          ///< of the fields
  int device = kHost;
};

/// A plan made ready for one backend. Many threads may run it at once.
class Executable {
 public:
  virtual ~Executable() = default;
  /// Throws what run::execute() throws, and BackendError, OutOfMemory for the device. Operands and `out` are written at the
  /// very end, so that whatever is found before leaves them untouched.
  /// Without RunOptions::wait: throws NotCompiled where a kernel has yet to be compiled, unless others have stored to operands or `out`.
  virtual void execute(plan::Binding& binding, const RunOptions& options) const = 0;
  /// Has compiled what execute() would launch, on the calling thread, and keeps it: nothing is computed, and of arrays only the
  /// addresses are looked at. How many kernels that were. Throws BackendError, OutOfMemory.
  virtual int compile(plan::Binding& binding) const = 0;

  /// The most steps, of `steps`, that advance() would make at once of arrays like these; 0 where execute() is better. What they need is
  /// compiled then. Throws what execute() does.
  virtual std::int64_t most_steps(const Advance& call, std::int64_t steps) const = 0;
  /// Makes so many by each of some passes: those of `call`, then those of `back`, which go on from there to what the first ones read, and
  /// so on. They may be under way when it returns.
  virtual void advance(const Advance& call, const Advance& back, std::int64_t steps, std::int64_t passes) const = 0;
};

/// What the calling thread has had compiled for a device since it was asked to count.
struct Compilations {
  int kernels = 0;
  double seconds = 0;
};
inline thread_local Compilations compilations;

/// What device.hpp promises, for the devices of a backend.
struct DeviceFunctions {
  DeviceInfo (*info)(int device);
  int (*find)(std::string_view id);
  void* (*allocate)(int device, std::size_t bytes);
  void (*release)(int device, void* memory, std::size_t bytes) noexcept;
  void (*copy_to_device)(int device, void* to, const void* from, std::size_t bytes);
  void (*copy_to_host)(int device, void* to, const void* from, std::size_t bytes);
  int (*device_of)(const void* address);
  void* (*stream_of)(int device);
  void (*start_after)(int device, void* stream);
  void (*make_wait)(int device, void* stream);
  std::size_t (*trim)() noexcept;  ///< gives idle memory of all devices back: how many bytes
};

/// What a bound plan would take, before it runs.
struct Estimate {
  double seconds = 0;           ///< of the kernels
  double copy_seconds = 0;      ///< of operands and results that are the host's
  double bytes = 0;             ///< that the kernels move
  double bytes_per_second = 0;  ///< of the device's memory
  std::string place;            ///< "cuda:0"; of a device that need not be there, its name
  std::string text;             ///< a line for each kernel: what an element takes, and which of it decides
};

/// The answers a backend gives.
struct BackendEntry {
  BackendChoice choice;
  Availability (*probe)();
  /// One line about where it runs: the device's name.
  std::string (*place)();
  std::vector<std::pair<std::string, std::string>> (*facts)();
  KernelCache (*cache)();
  std::size_t (*clear_cache)();
  void (*add_library_folders)(std::span<const std::string> folders);
  /// `graph` and `plan` outlive what is made. `device`: where the arrays are, kHost or an ordinal.
  std::unique_ptr<Executable> (*compile)(const ir::Graph& graph, const plan::Plan& plan, int device);
  /// Of the device, or of the first one for operands of the host. Starts no device. Throws BackendError.
  Estimate (*estimate)(const plan::Plan& plan, const plan::Binding& binding, int device);
  /// Of a device that need not be there: "sm_90". Throws BackendError for what it does not know.
  Estimate (*predict)(const plan::Plan& plan, const plan::Binding& binding, std::string_view architecture);
  const DeviceFunctions* device;  ///< null where its arrays are the host's
};

/// Null where this build has none of that name, or needs none (the interpreter).
const BackendEntry* find_backend(BackendChoice choice) noexcept;

}  // namespace engine::run

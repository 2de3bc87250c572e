// driver/driver.hpp - the state behind the API: devices, contexts, streams, what was asked of them, and the settings of tests.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tests/emulator/driver/types.hpp"
#include "tests/emulator/exec/warp.hpp"

namespace standin {

/// Thrown inside an entry point; becomes its result.
struct Failure {
  Status status;
};

/// Work on a stream: runs once, after all that it waits for.
struct Operation {
  std::vector<std::shared_ptr<Operation>> after;
  std::function<void()> work;
  bool is_done = false;
};
using OperationRef = std::shared_ptr<Operation>;

struct Device {
  int ordinal = 0;
  std::uint64_t used = 0;
  Context* primary = nullptr;
  int retained = 0;
  Pool* pool = nullptr;  // of its own, the default
  Pool* current_pool = nullptr;
};

struct Context {
  int device = 0;
  bool is_primary = false;
  Status error = kSuccess;  // sticky: every later call gives it
  std::uint64_t peers = 0;  // bit for each device whose memory is open to this one
  std::unique_ptr<Stream> legacy, per_thread;
  std::unordered_set<Stream*> streams;
  std::unordered_set<Module*> modules;
  std::unordered_set<Event*> events;
  std::unordered_map<int, std::size_t> limits;
};

struct Stream {
  Context* context = nullptr;
  unsigned flags = 0;
  int priority = 0;
  OperationRef tail;
};

struct Event {
  Context* context = nullptr;
  unsigned flags = 0;
  OperationRef recorded;
  std::shared_ptr<std::uint64_t> time;  ///< instructions until it was reached; of the last record alone
};

struct Pool {
  int device = 0;
  bool is_default = false;
  std::uint64_t used = 0, used_high = 0, release_threshold = 0;
  std::map<int, int> attributes;
};

struct Kernel {
  Program program;
  Module* module = nullptr;
  std::map<int, int> attributes;  // set by the program
};

struct Module {
  Context* context = nullptr;
  std::vector<std::unique_ptr<Kernel>> kernels;
  std::map<std::string, Allocation*> variables;
};

struct Fault {
  std::string api;
  std::uint64_t nth;  // 0: each
  Status status;
  std::uint64_t seen = 0;
};

struct Settings {
  int n_devices = 1;
  int capability = 130;  // newer than any NVRTC knows, so that PTX is what runs
  bool takes_cubins = false;
  std::string cubins;  // a folder of HASH.ptx
  bool defer = false;
  std::uint64_t memory = std::uint64_t{16} << 30;  // of each device
  int n_multiprocessors = 8;
  int driver_version = 13000;
  int n_registers = 0;  // that a thread may have, 0: as many as it wants; what a kernel wants beyond them is local memory
  bool quiet = false;
  bool zeroed = false;  // new memory is written with zeros: for kernels that do nothing
  bool is_mig = false;  // devices are parts of one
  bool pools = true;
  Schedule schedule{.spin_limit = std::uint64_t{1} << 24};
};

struct Driver {
  static Driver& get();
  Driver();

  /// False where there is no such setting or the value is none.
  bool set(const std::string& key, const std::string& value);
  bool inject(const std::string& specification);
  void report(const std::string& text);

  Context& current();
  Device& device(int ordinal);
  Stream& stream(Stream* handle, bool per_thread = false);
  /// Puts work behind what the stream has; at once where streams are not deferred.
  void enqueue(Stream& stream, std::function<void()> work);
  void run(const OperationRef& operation);
  void synchronise(Stream& stream);
  void synchronise(Context& context);

  Allocation* allocate(int device, std::uint64_t size, bool pooled, bool user);
  void release(Allocation& allocation);
  /// The live allocation that holds the range; Failure otherwise.
  Allocation& range(CUdeviceptr address, std::uint64_t size);
  void destroy(Context& context);
  void finding(Context& context, const Finding& finding);

  std::recursive_mutex mutex;
  Settings settings;
  bool is_initialised = false;
  Memory memory;
  Clock clock;
  StandinCounters counters{};
  std::vector<Device> devices;
  std::unordered_set<Context*> contexts;
  std::unordered_set<Allocation*> live;
  std::unordered_set<Pool*> pools;
  std::unordered_set<Graph*> graphs;
  std::unordered_set<GraphExecutable*> graph_executables;
  std::map<std::uintptr_t, std::size_t> pinned;
  std::map<std::string, std::uint64_t> calls;
  std::vector<Fault> faults;
  std::map<std::uint64_t, std::string> cubins;  // by hash, in this process
  std::string findings;
  std::uint64_t n_launches = 0;
};

/// What an entry point needs before its own work.
enum class Needs { Nothing, Initialised, Context };

/// Counts the call, gives injected and sticky errors, turns exceptions into results.
int enter(const char* name, Needs needs, const std::function<void(Driver&)>& work);

/// The stack of contexts of this thread.
std::vector<Context*>& context_stack();

void require(bool holds, Status status = kInvalidValue);

#define STANDIN_API extern "C" __attribute__((visibility("default")))

}  // namespace standin

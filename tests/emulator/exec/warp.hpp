// exec/warp.hpp - the state of a launch: grid, resident blocks, warps of 32 lanes, each lane with its own place in the code.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/emulator/exec/clock.hpp"
#include "tests/emulator/exec/counters.hpp"
#include "tests/emulator/exec/program.hpp"
#include "tests/emulator/memory/finding.hpp"
#include "tests/emulator/memory/memory.hpp"

namespace standin {

constexpr std::uint32_t kAllLanes = 0xffffffff;

struct Dim {
  std::uint32_t x, y, z;
  std::uint64_t count() const { return std::uint64_t{x} * y * z; }
};

struct Machine;
struct Block;

/// One kernel running.
struct Launch {
  const Program& program;
  Dim grid, block;
  std::uint32_t dynamic_shared = 0;
  std::vector<std::byte> parameters;
  int device = 0;
  std::uint32_t block_threads = 0, n_warps = 0;
  std::uint64_t id = 0;
  int n_multiprocessors = 1;
  Memory& memory;
  StandinCounters& counters;
  Clock& clock;
  std::uint64_t visible_devices = 0;  // bit for each device whose memory the kernel may touch
  std::uint64_t writes = 0;           // of memory, and threads that ended: no spin is endless while this moves
  std::vector<Allocation*> hints;     // by instruction: what it touched last
};

struct Warp {
  std::byte* frame = nullptr;
  std::uint32_t mask = 0;     // lanes that the instruction at hand acts on
  std::uint32_t active = 0;   // lanes at its address
  std::uint32_t live = 0;     // lanes that have not exited
  std::uint32_t waiting = 0;  // ... that wait at a .sync instruction for others of its mask
  std::uint32_t at_barrier = 0;
  std::uint32_t sync_time = 0;  // of the last synchronisation of the warp
  std::uint32_t pc[32] = {};
  std::uint32_t index = 0;         // in the block
  std::uint32_t first_thread = 0;  // counted through the grid
  const Instruction* at = nullptr;
  Block* block = nullptr;
  Launch* launch = nullptr;
  std::vector<std::byte> local;  // the lanes' own memory, one after the other
  std::unique_ptr<std::byte[]> frame_bytes;

  /// Runs until the warp has ended, waits at a barrier or has used up its quantum.
  void run(std::uint64_t quantum);
  bool is_runnable() const { return (live & ~at_barrier) != 0; }

  [[noreturn]] void fail(Defect defect, int lane, const std::string& what) const;
  std::string thread_name(int lane) const;

 private:
  bool pick(std::uint32_t& next);
  void stuck() const;
  void move_to(std::uint32_t lanes, std::uint32_t where);
  bool synchronise(const Instruction& instruction);
  void reach(const Instruction& barrier);
  std::uint32_t guarded(const Instruction& instruction);
};

struct Barrier {
  struct Waiter {
    Warp* warp;
    std::uint32_t lanes;
    const Instruction* at;
  };
  std::uint32_t arrived = 0, expected = 0, n_true = 0;
  std::vector<Waiter> waiters;
};

struct Block {
  Block(Launch& launch);
  void start(std::uint64_t index);
  bool is_finished() const;
  /// Runs one warp for a quantum; false where none can run.
  bool step(std::uint32_t choice, std::uint64_t quantum);
  void arrive(Warp& warp, const Instruction& instruction);
  void release(Barrier& barrier);
  /// No warp can run and some wait: says why.
  [[noreturn]] void report_deadlock() const;
  std::uint32_t n_live() const;

  Launch& launch;
  std::uint64_t index = 0;
  Dim position{};
  std::uint32_t first_thread = 0, sync_time = 0, start_time = 0;
  std::vector<Warp> warps;
  std::vector<std::byte> shared;
  Shadow shared_shadow{0};
  Barrier barriers[16];
  std::uint32_t next_warp = 0;
};

/// How blocks take turns.
struct Schedule {
  std::uint64_t seed = 0;        // 0: in order, each to its end
  std::uint32_t n_resident = 8;  // with a seed: blocks that take turns
  std::uint64_t spin_limit = 0;  // instructions of a launch without a change of memory before a spin counts as endless
};

/// Runs the whole grid. Throws Finding.
void run_grid(Launch& launch, const Schedule& schedule, std::uint32_t max_resident);

template <class T>
T* lanes(Warp& warp, std::uint32_t slot) {
  return reinterpret_cast<T*>(warp.frame + slot);
}

inline std::uint32_t& predicate(Warp& warp, std::uint32_t slot) { return *reinterpret_cast<std::uint32_t*>(warp.frame + slot); }

}  // namespace standin

// exec/clock.hpp - what is ordered before what inside a launch: barriers, and release and acquire through memory.
//
// One time runs through the launch and moves at each synchronisation. Barriers order all of a block, bar.warp.sync the lanes of
// a warp (masks that name a part of it count as the whole). A release at a location stores what its thread knows: all its own
// accesses, its block's up to the last barrier, and what it acquired; an acquire of that location adds it to the reader's
// knowledge, and a barrier to its whole block's. Fences turn relaxed accesses around them into releases and acquires
// (PTX ISA, memory consistency model, release and acquire patterns).
#pragma once

#include <cstdint>
#include <unordered_map>

#include "tests/emulator/memory/shadow.hpp"

namespace standin {

struct Warp;

/// What a thread knows of others: everything before a time, by thread and by block (its first thread).
struct Knowledge {
  std::unordered_map<std::uint32_t, std::uint32_t> threads, blocks;

  bool empty() const { return threads.empty() && blocks.empty(); }
  void join(const Knowledge& other);
  bool covers(std::uint32_t thread, std::uint32_t block_first, std::uint32_t time) const;
};

class Clock {
 public:
  std::uint32_t now() const { return now_; }
  std::uint32_t launch() const { return launch_; }
  /// True where the time came to its end and starts anew: every record of old accesses must go.
  void begin_launch();
  std::uint32_t advance() { return ++now_; }

  void fence(const Warp& warp, std::uint32_t lanes);
  void barrier(const Warp& first, std::uint32_t block_first, std::uint32_t n_threads);
  void warp_sync(Warp& warp);
  /// A strong access of a lane to the location; `is_store` alone starts a new chain of releases.
  void strong_write(const Warp& warp, int lane, std::uint64_t address, bool release, bool is_update);
  void strong_read(const Warp& warp, int lane, std::uint64_t address, bool acquire);

  bool knows(std::uint32_t own_thread, std::uint32_t own_block, std::uint32_t thread, std::uint32_t block, std::uint32_t time) const;
  bool knows_block(std::uint32_t own_thread, std::uint32_t own_block, std::uint32_t block, std::uint32_t time) const;

 private:
  Knowledge message(const Warp& warp, int lane) const;

  std::uint32_t now_ = 1, launch_ = 1;
  std::unordered_map<std::uint32_t, Knowledge> thread_, block_;      // acquired; by thread, by block's first thread
  std::unordered_map<std::uint32_t, Knowledge> released_, pending_;  // by thread: at its last fence; read, not fenced so far
  std::unordered_map<std::uint64_t, Knowledge> location_;
};

/// The order as one lane sees it.
class LaneOrder final : public Order {
 public:
  LaneOrder(const Warp& warp, int lane) : warp_(warp), lane_(lane) {}
  bool is_before(std::uint32_t thread, std::uint32_t time) const override;
  bool is_group_before(std::uint32_t first, std::uint32_t n, std::uint32_t time) const override;

 private:
  const Warp& warp_;
  int lane_;
};

}  // namespace standin

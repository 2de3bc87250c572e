#include "tests/emulator/exec/clock.hpp"

#include <algorithm>

#include "tests/emulator/exec/warp.hpp"

namespace standin {
namespace {

void join_into(std::unordered_map<std::uint32_t, std::uint32_t>& to, const std::unordered_map<std::uint32_t, std::uint32_t>& from) {
  for (const auto& [key, time] : from) {
    std::uint32_t& known = to[key];
    known = std::max(known, time);
  }
}

bool has(const std::unordered_map<std::uint32_t, std::uint32_t>& map, std::uint32_t key, std::uint32_t time) {
  const auto found = map.find(key);
  return found != map.end() && time < found->second;
}

}  // namespace

void Knowledge::join(const Knowledge& other) {
  join_into(threads, other.threads);
  join_into(blocks, other.blocks);
}

bool Knowledge::covers(std::uint32_t thread, std::uint32_t block_first, std::uint32_t time) const {
  return has(blocks, block_first, time) || has(threads, thread, time);
}

void Clock::begin_launch() {
  launch_ = ++now_;
  thread_.clear();
  block_.clear();
  released_.clear();
  pending_.clear();
  location_.clear();
}

/// What the lane's thread would hand on now.
Knowledge Clock::message(const Warp& warp, int lane) const {
  const std::uint32_t thread = warp.first_thread + static_cast<std::uint32_t>(lane);
  Knowledge found;
  if (const auto known = block_.find(warp.block->first_thread); known != block_.end()) found.join(known->second);
  if (const auto known = thread_.find(thread); known != thread_.end()) found.join(known->second);
  std::uint32_t& block = found.blocks[warp.block->first_thread];
  block = std::max(block, warp.block->sync_time);
  if (warp.sync_time > warp.block->sync_time)
    for (std::uint32_t i = 0; i < 32; ++i) found.threads[warp.first_thread + i] = std::max(found.threads[warp.first_thread + i], warp.sync_time);
  found.threads[thread] = now_ + 1;
  return found;
}

void Clock::fence(const Warp& warp, std::uint32_t lanes) {
  for (int lane = 0; lane < 32; ++lane) {
    if (!(lanes >> lane & 1)) continue;
    const std::uint32_t thread = warp.first_thread + static_cast<std::uint32_t>(lane);
    if (const auto pending = pending_.find(thread); pending != pending_.end()) {
      thread_[thread].join(pending->second);
      pending_.erase(pending);
    }
    released_[thread] = message(warp, lane);
  }
  advance();
}

void Clock::barrier(const Warp& first, std::uint32_t block_first, std::uint32_t n_threads) {
  advance();
  if (thread_.empty()) return;
  Knowledge& block = block_[block_first];
  for (std::uint32_t i = 0; i < n_threads; ++i) {
    const auto known = thread_.find(first.first_thread + i);
    if (known == thread_.end()) continue;
    block.join(known->second);
    thread_.erase(known);
  }
}

void Clock::warp_sync(Warp& warp) {
  warp.sync_time = advance();
  if (thread_.empty()) return;
  Knowledge all;
  for (std::uint32_t i = 0; i < 32; ++i)
    if (const auto known = thread_.find(warp.first_thread + i); known != thread_.end()) all.join(known->second);
  if (all.empty()) return;
  for (std::uint32_t i = 0; i < 32; ++i) thread_[warp.first_thread + i] = all;
}

void Clock::strong_write(const Warp& warp, int lane, std::uint64_t address, bool release, bool is_update) {
  const std::uint32_t thread = warp.first_thread + static_cast<std::uint32_t>(lane);
  if (release) {
    const Knowledge sent = message(warp, lane);
    if (is_update) location_[address].join(sent);
    else location_[address] = sent;
    advance();
    return;
  }
  const auto fenced = released_.find(thread);
  if (fenced != released_.end()) {
    if (is_update) location_[address].join(fenced->second);
    else location_[address] = fenced->second;
  } else if (!is_update) {
    location_.erase(address);
  }
}

void Clock::strong_read(const Warp& warp, int lane, std::uint64_t address, bool acquire) {
  const auto found = location_.find(address);
  if (found == location_.end()) return;
  const std::uint32_t thread = warp.first_thread + static_cast<std::uint32_t>(lane);
  (acquire ? thread_ : pending_)[thread].join(found->second);
}

bool Clock::knows(std::uint32_t own_thread, std::uint32_t own_block, std::uint32_t thread, std::uint32_t block, std::uint32_t time) const {
  if (const auto known = block_.find(own_block); known != block_.end() && known->second.covers(thread, block, time)) return true;
  const auto known = thread_.find(own_thread);
  return known != thread_.end() && known->second.covers(thread, block, time);
}

bool Clock::knows_block(std::uint32_t own_thread, std::uint32_t own_block, std::uint32_t block, std::uint32_t time) const {
  if (const auto known = block_.find(own_block); known != block_.end() && has(known->second.blocks, block, time)) return true;
  const auto known = thread_.find(own_thread);
  return known != thread_.end() && has(known->second.blocks, block, time);
}

bool LaneOrder::is_before(std::uint32_t thread, std::uint32_t time) const {
  const Block& block = *warp_.block;
  const std::uint32_t own = warp_.first_thread + static_cast<std::uint32_t>(lane_);
  if (thread == own) return true;
  const std::uint32_t n = warp_.launch->block_threads;
  const bool same_block = thread - block.first_thread < n;
  if (same_block && time < block.sync_time) return true;
  if (same_block && thread - warp_.first_thread < 32 && time < warp_.sync_time) return true;
  return warp_.launch->clock.knows(own, block.first_thread, thread, thread - thread % n, time);
}

bool LaneOrder::is_group_before(std::uint32_t first, std::uint32_t n, std::uint32_t time) const {
  const Block& block = *warp_.block;
  const std::uint32_t block_threads = warp_.launch->block_threads;
  if (first - block.first_thread < block_threads) {
    if (time < block.sync_time) return true;
    if (n <= 32 && first == warp_.first_thread && time < warp_.sync_time) return true;
  }
  const std::uint32_t own = warp_.first_thread + static_cast<std::uint32_t>(lane_);
  if (warp_.launch->clock.knows_block(own, block.first_thread, first - first % block_threads, time)) return true;
  if (n > 32) return false;
  for (std::uint32_t i = 0; i < n; ++i)
    if (first + i != own && !warp_.launch->clock.knows(own, block.first_thread, first + i, first - first % block_threads, time)) return false;
  return true;
}

}  // namespace standin

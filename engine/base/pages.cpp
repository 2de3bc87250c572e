// base/pages.cpp - the pool of large blocks. See engine/memory.hpp.
// A block is mapped once and handed around. Fresh pages cost 20 ms for 240 MB each time, twice what an expression takes.
#include "engine/base/pages.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <engine/memory.hpp>
#include <mutex>
#include <new>
#include <vector>

#include <time.h>

namespace engine {
namespace {

constexpr std::size_t kHuge = std::size_t{2} << 20;
constexpr std::int64_t kIdleSeconds = 10;
/// Idle bytes that the system is not told of: telling it interrupts the other threads' CPUs, which costs as much as a pass
/// over some megabytes, and malloc keeps as much to itself.
constexpr std::size_t kMostKept = std::size_t{64} << 20;

std::int64_t seconds_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

struct Pages {
  char* at;
  std::size_t bytes;
  std::int64_t since;  ///< when it was given back
  bool is_offered;     ///< the system may have it when it runs short
};

char* map(std::size_t bytes) noexcept {
  void* const raw = mmap(nullptr, bytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* const start = static_cast<char*>(raw);
  const std::size_t skew = (kHuge - reinterpret_cast<std::uintptr_t>(start) % kHuge) % kHuge;
  if (skew) munmap(start, skew);
  munmap(start + skew + bytes, kHuge - skew);
#ifdef MADV_HUGEPAGE
  madvise(start + skew, bytes, MADV_HUGEPAGE);
#endif
  return start + skew;
}

class Pool {
 public:
  Pool() {
    const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    const std::size_t memory = pages > 0 && size > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) : 0;
    most_idle_ = std::min(std::size_t{1} << 30, memory / 4);
  }

  void* take(std::size_t bytes) noexcept {
    if (bytes > SIZE_MAX - 2 * kHuge) return nullptr;
    bytes = std::max(kHuge, (bytes + kHuge - 1) / kHuge * kHuge);
    const std::lock_guard lock(mutex_);
    drop_old(seconds_now());
    try {  // so that neither this nor giving back can fail later
      used_.reserve(used_.size() + 1);
      idle_.reserve(idle_.size() + used_.size() + 1);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    // The smallest that is large enough, but not much larger than asked for.
    auto best = idle_.end();
    for (auto it = idle_.begin(); it != idle_.end(); ++it)
      if (it->bytes >= bytes && it->bytes - bytes <= bytes / 4 && (best == idle_.end() || it->bytes < best->bytes)) best = it;
    if (best != idle_.end()) {
      Pages block = *best;
      idle_.erase(best);
      count_idle();
      used_.push_back(block);
      return block.at;
    }
    char* at = map(bytes);
    if (!at && !idle_.empty()) {
      drop(0);
      at = map(bytes);
    }
    if (at) used_.push_back({at, bytes, 0, false});
    return at;
  }

  void give(void* memory) noexcept {
    const std::lock_guard lock(mutex_);
    const auto it = find(memory);
    if (it == used_.end()) return;
    Pages block = *it;
    *it = used_.back();
    used_.pop_back();
    if (block.bytes > most_idle_) {
      munmap(block.at, block.bytes);
      return;
    }
    drop(most_idle_ - block.bytes);
    block.since = seconds_now();
    block.is_offered = false;
    idle_.push_back(block);
    offer();
    count_idle();
    drop_old(block.since);
  }

  /// Bytes of a block in use.
  std::size_t size_of(void* memory) noexcept {
    const std::lock_guard lock(mutex_);
    const auto it = find(memory);
    return it == used_.end() ? 0 : it->bytes;
  }

  std::size_t trim() noexcept {
    const std::lock_guard lock(mutex_);
    return drop(0);
  }

  void trim_old() noexcept {
    if (idle_bytes_.load(std::memory_order_relaxed) == 0) return;
    const std::int64_t now = seconds_now();
    if (now - oldest_.load(std::memory_order_relaxed) < kIdleSeconds) return;
    const std::lock_guard lock(mutex_);
    drop_old(now);
  }

  std::mutex& mutex() noexcept { return mutex_; }

 private:
  std::vector<Pages>::iterator find(void* memory) noexcept {
    return std::find_if(used_.begin(), used_.end(), [&](const Pages& block) { return block.at == memory; });
  }

  /// Of what is idle, all but the kMostKept bytes that were given back last.
  void offer() noexcept {
#ifdef MADV_FREE
    std::size_t kept = 0;
    for (std::size_t i = idle_.size(); i-- > 0;) {
      Pages& block = idle_[i];
      kept += block.bytes;
      if (kept > kMostKept && !block.is_offered) block.is_offered = madvise(block.at, block.bytes, MADV_FREE) == 0;
    }
#endif
  }

  /// Unmaps the blocks that were given back first until no more than `most` bytes are idle.
  std::size_t drop(std::size_t most) noexcept {
    std::size_t bytes = 0, dropped = 0, n = 0;
    for (const Pages& block : idle_) bytes += block.bytes;
    for (; bytes - dropped > most; ++n) {
      munmap(idle_[n].at, idle_[n].bytes);
      dropped += idle_[n].bytes;
    }
    idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(n));
    count_idle();
    return dropped;
  }

  void drop_old(std::int64_t now) noexcept {
    std::size_t young = 0;
    for (const Pages& block : idle_)
      if (now - block.since < kIdleSeconds) young += block.bytes;
    drop(young);
  }

  void count_idle() noexcept {
    std::size_t bytes = 0;
    for (const Pages& block : idle_) bytes += block.bytes;
    idle_bytes_.store(bytes, std::memory_order_relaxed);
    oldest_.store(idle_.empty() ? 0 : idle_.front().since, std::memory_order_relaxed);
  }

  std::mutex mutex_;
  std::vector<Pages> used_;
  std::vector<Pages> idle_;  ///< in the order in which they were given back
  std::size_t most_idle_ = 0;
  std::atomic<std::size_t> idle_bytes_{0};
  std::atomic<std::int64_t> oldest_{0};
};

/// Kept for the life of the process: arrays may outlive static destruction.
Pool& pool() noexcept {
  alignas(Pool) static char memory[sizeof(Pool)];
  static Pool* const made = [] {
    auto* const created = new (memory) Pool();
    // Nobody else holds the lock while the process forks, so the child can use it.
    pthread_atfork([] { pool().mutex().lock(); }, [] { pool().mutex().unlock(); }, [] { pool().mutex().unlock(); });
    return created;
  }();
  return *made;
}

}  // namespace

void* take_pages(std::size_t bytes) noexcept { return pool().take(bytes); }
void give_pages(void* memory) noexcept {
  if (memory) pool().give(memory);
}
void* resize_pages(void* memory, std::size_t bytes) noexcept {
  if (!memory) return take_pages(bytes);
  const std::size_t size = pool().size_of(memory);
  if (bytes <= size && bytes > size / 2) return memory;
  void* const moved = take_pages(bytes);
  if (!moved) return nullptr;
  std::memcpy(moved, memory, std::min(bytes, size));
  give_pages(memory);
  return moved;
}

std::size_t trim_pages() noexcept { return pool().trim(); }
void trim_old_pages() noexcept { pool().trim_old(); }

}  // namespace engine

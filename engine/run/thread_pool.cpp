// run/thread_pool.cpp - see thread_pool.hpp. Measured reasons for each choice: shared notes on the CPU path, DECISIONS.md.
#include "engine/run/thread_pool.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <engine/threads.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace engine {
namespace run {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a thread looks for news before it sleeps: a wake-up through the kernel costs 4 to 7 us on either side.
constexpr auto kSpin = std::chrono::microseconds(40);
/// Calls whose beginnings are so many times their work apart follow each other: where memory is slow, work takes a few times as long as
/// is foretold.
constexpr double kFollows = 8;
/// How long after a helper was woken for short work, and sleeps again, the next one is.
constexpr auto kWakeAgain = std::chrono::nanoseconds(500'000);
constexpr int kMaxThreads = 256;
/// Work on one thread, in microseconds, that makes one more worth its while: while it looks for news, or asleep.
constexpr double kWorthAwake = kOfOneThread / 2, kWorthAsleep = 20;

void relax() noexcept {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

/// Whether `changed()` became true within kSpin.
template <class Changed>
bool is_seen(Changed changed) {
  const auto until = Clock::now() + kSpin;
  for (int i = 0;; ++i) {
    if (changed()) return true;
    relax();
    if ((i & 63) == 63 && Clock::now() > until) return false;
  }
}

/// Waits until `changed()` is true: spinning first, then asleep on `word`.
template <class Changed>
void await(std::atomic<std::uint32_t>& word, Changed changed) {
  if (is_seen(changed)) return;
  while (true) {
    const std::uint32_t seen = word.load(std::memory_order_acquire);
    if (changed()) return;
    word.wait(seen, std::memory_order_acquire);
  }
}

/// What a control group's files allow, in CPUs; 0 where they set no limit.
double quota_of(const std::string& folder) {
  const auto read = [&](const char* name, char* text, std::size_t size) {
    std::FILE* file = std::fopen((folder + "/" + name).c_str(), "re");
    if (!file) return false;
    const std::size_t n = std::fread(text, 1, size - 1, file);
    std::fclose(file);
    text[n] = 0;
    return n > 0;
  };
  char text[128], period_text[64];
  double quota = 0, period = 0;
  if (read("cpu.max", text, sizeof text)) {  // version 2: "max 100000" or "150000 100000"
    if (std::sscanf(text, "%lf %lf", &quota, &period) == 2 && period > 0) return quota / period;
    return 0;
  }
  if (read("cpu.cfs_quota_us", text, sizeof text) && read("cpu.cfs_period_us", period_text, sizeof period_text)) {
    quota = std::atof(text);
    period = std::atof(period_text);
    if (quota > 0 && period > 0) return quota / period;
  }
  return 0;
}

/// The least quota on the way from this process's control group to the root.
double cgroup_quota() {
  double least = 0;
  const auto take = [&](double quota) {
    if (quota > 0 && (least == 0 || quota < least)) least = quota;
  };
  const auto walk = [&](std::string root, std::string path) {
    while (true) {
      take(quota_of(root + path));
      const std::size_t slash = path.rfind('/');
      if (path.empty() || slash == std::string::npos) return;
      path.resize(slash);
    }
  };
  if (std::FILE* file = std::fopen("/proc/self/cgroup", "re")) {
    char line[4096];
    while (std::fgets(line, sizeof line, file)) {
      std::string_view text(line);
      while (!text.empty() && (text.back() == '\n' || text.back() == '/')) text.remove_suffix(1);
      const std::size_t second = text.find(':', text.find(':') + 1);
      if (second == std::string_view::npos) continue;
      const std::string path(text.substr(second + 1));
      if (text.substr(0, 3) == "0::")
        walk("/sys/fs/cgroup", path);
      else if (text.find(":cpu,") != std::string_view::npos || text.find(":cpu:") != std::string_view::npos ||
               text.find(",cpu:") != std::string_view::npos)
        walk("/sys/fs/cgroup/cpu", path);
    }
    std::fclose(file);
  }
  return least;
}

int count_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  int n = sched_getaffinity(0, sizeof mask, &mask) == 0 ? CPU_COUNT(&mask) : static_cast<int>(std::thread::hardware_concurrency());
  const double quota = cgroup_quota();
  if (quota > 0) n = std::min(n, static_cast<int>(std::ceil(quota)));
  return std::clamp(n, 1, kMaxThreads);
}

/// Threads that wait for work. Never destroyed: a thread must not be joined while the process ends.
class Pool {
 public:
  /// False, and nothing done, when the helpers are at other work.
  bool run(int threads, std::int64_t n_chunks, void (*body)(void*, std::int64_t), void* context, Claims claims) {
    std::unique_lock busy(busy_, std::try_to_lock);
    if (!busy) return false;
    start(threads - 1);
    body_ = body;
    context_ = context;
    const auto n = static_cast<std::uint32_t>(n_chunks);
    n_chunks_.store(n, std::memory_order_relaxed);
    done_.store(0, std::memory_order_relaxed);
    n_left_ = 0;
    caller_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
    failure_ = nullptr;
    const std::uint32_t generation = static_cast<std::uint32_t>(seats_.load(std::memory_order_relaxed) >> 32) + 1;
    const int n_shares = claims == Claims::InOrder ? 1 : threads;
    n_shares_.store(n_shares, std::memory_order_relaxed);
    for (int s = 0; s < n_shares; ++s) {
      const auto start_of = [&](int share) { return static_cast<std::uint32_t>(n_chunks * share / n_shares); };
      shares_[static_cast<std::size_t>(s)].end.store(start_of(s + 1), std::memory_order_relaxed);
      shares_[static_cast<std::size_t>(s)].next.store(std::uint64_t{generation} << 32 | start_of(s), std::memory_order_release);
    }
    seats_.store(std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(threads - 1), std::memory_order_seq_cst);
    news_.fetch_add(1, std::memory_order_seq_cst);
    wake(threads - 1 - awake());
    work(generation, 0, n);
    // From here on no chunk can be claimed: late helpers see closed counters and leave what follows alone.
    for (int s = 0; s < n_shares; ++s)
      shares_[static_cast<std::size_t>(s)].next.store(std::uint64_t{generation} << 32 | kClosed, std::memory_order_release);
    await(done_, [&] { return done_.load(std::memory_order_acquire) == n; });
    for (std::uint32_t i = 0; i < n_left_ && !failure_; ++i) body(context, left_[i]);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));  // of which nothing is to be kept
    return true;
  }

  /// Helpers that look for news.
  int awake() const noexcept { return n_awake_.load(std::memory_order_seq_cst); }

 private:
  static constexpr std::uint32_t kClosed = 0x80000000u;

  /// Of the helpers that sleep. One that is about to has read an older count of news, so that its sleep ends at once.
  void wake(int helpers) noexcept {
    if (helpers > 0) syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&news_), FUTEX_WAKE_PRIVATE, helpers, nullptr, nullptr, 0);
  }

  /// Returns when there is more news than `seen`.
  void await_news(std::uint32_t seen) noexcept {
    const auto is_news = [&] { return news_.load(std::memory_order_seq_cst) != seen; };
    n_awake_.fetch_add(1, std::memory_order_seq_cst);
    while (!is_seen(is_news)) {
      n_awake_.fetch_sub(1, std::memory_order_seq_cst);
      syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&news_), FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
      n_awake_.fetch_add(1, std::memory_order_seq_cst);
    }
    n_awake_.fetch_sub(1, std::memory_order_seq_cst);
  }

  /// The generation that one more helps with, or 0.
  std::uint32_t take_seat() noexcept {
    std::uint64_t seats = seats_.load(std::memory_order_acquire);
    while (static_cast<std::uint32_t>(seats) > 0)
      if (seats_.compare_exchange_weak(seats, seats - 1, std::memory_order_acq_rel, std::memory_order_acquire))
        return static_cast<std::uint32_t>(seats >> 32);
    return 0;
  }

  void start(int helpers) {
    for (; n_helpers_ < std::min(helpers, kMaxThreads); ++n_helpers_) {
      sigset_t all, old;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &old);  // signals belong to the program's own threads
      bool started = true;
      try {
        std::thread([this, number = n_helpers_ + 1] { help(number); }).detach();
      } catch (const std::exception&) {  // no more threads or no memory for one: fewer will do
        started = false;
      }
      pthread_sigmask(SIG_SETMASK, &old, nullptr);
      if (!started) return;
    }
  }

  /// The chunks of one generation that are claimed one after another.
  struct Share {
    alignas(64) std::atomic<std::uint64_t> next{kClosed};  ///< generation, then the next chunk
    std::atomic<std::uint32_t> end{0};
  };

  /// Claims chunks of one generation until there are none, of its own share first, or until a helper has no memory to work in. `who`:
  /// 0 of the caller.
  void work(std::uint32_t generation, int who, std::uint32_t n) {
    std::uint32_t finished = 0;
    const int n_shares = n_shares_.load(std::memory_order_relaxed);
    const int own = who && n_shares > 1 ? 1 + (who - 1) % (n_shares - 1) : 0;  // there may be more helpers than are wanted
    bool is_going_on = true;
    for (int k = 0; k < n_shares && is_going_on; ++k)
      is_going_on = work_on(shares_[static_cast<std::size_t>((own + k) % n_shares)], generation, who != 0, finished);
    if (finished == 0) return;
    if (done_.fetch_add(finished, std::memory_order_acq_rel) + finished == n) done_.notify_all();
  }

  /// False where a helper lacks memory.
  bool work_on(Share& share, std::uint32_t generation, bool helps, std::uint32_t& finished) {
    bool lacks_memory = false;
    std::uint64_t claim = share.next.load(std::memory_order_acquire);
    while (claim >> 32 == generation && !(claim & kClosed) && !lacks_memory) {
      const auto chunk = static_cast<std::uint32_t>(claim);
      if (chunk >= share.end.load(std::memory_order_relaxed)) break;
      if (!share.next.compare_exchange_weak(claim, claim + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      try {
        body_(context_, chunk);
      } catch (const std::bad_alloc&) {
        const std::lock_guard lock(failure_mutex_);
        lacks_memory = helps;
        if (helps)
          left_[n_left_++] = chunk;
        else if (!failure_)
          failure_ = std::current_exception();
      } catch (...) {
        const std::lock_guard lock(failure_mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
      ++finished;  // or left, which is counted alike
      claim = share.next.load(std::memory_order_acquire);
    }
    return !lacks_memory;
  }

  /// `number`: from 1 on.
  void help(int number) {
    pthread_setname_np(pthread_self(), "engine");
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    const bool pinned = sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2;
    int avoided = -1;
    std::uint32_t seen = 0;
    while (true) {
      await_news(seen);
      seen = news_.load(std::memory_order_acquire);
      // A helper that wakes on the caller's own CPU would trade time slices of milliseconds with it.
      const int cpu = caller_cpu_.load(std::memory_order_relaxed);
      if (!pinned && cpu >= 0 && cpu != avoided && sched_getcpu() == cpu && cpu < CPU_SETSIZE) {
        cpu_set_t others = allowed;
        CPU_CLR(cpu, &others);
        if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0) avoided = cpu;
      }
      if (const std::uint32_t generation = take_seat()) work(generation, number, n_chunks_.load(std::memory_order_relaxed));
    }
  }

  std::mutex busy_;
  int n_helpers_ = 0;
  // Of the work at hand; written while the counters are closed, read by whoever has seen one open.
  void (*body_)(void*, std::int64_t) = nullptr;
  void* context_ = nullptr;
  std::atomic<std::uint32_t> n_chunks_{0};
  std::atomic<int> n_shares_{1};
  std::atomic<int> caller_cpu_{-1};
  std::exception_ptr failure_;
  std::array<std::uint32_t, kMaxThreads> left_;  ///< chunks that helpers had no memory for: the caller runs them at the end
  std::uint32_t n_left_ = 0;
  std::mutex failure_mutex_;  ///< for the three above
  std::array<Share, kMaxThreads> shares_;
  alignas(64) std::atomic<std::uint32_t> done_{0};
  alignas(64) std::atomic<std::uint64_t> seats_{0};  ///< generation, then how many helpers may still join
  alignas(64) std::atomic<std::uint32_t> news_{0};
  alignas(64) std::atomic<int> n_awake_{0};
};

std::atomic<Pool*> the_pool{nullptr};
std::atomic<int> cpus{0};
/// When work that helpers would have been worth, had they been awake, was last asked about, and when one was woken for it;
/// nanoseconds.
std::atomic<std::int64_t> last_asked{0}, last_woken{0};

/// In a forked child the helpers do not exist and a lock may be held for ever: both are left behind.
void forget() noexcept {
  the_pool.store(nullptr, std::memory_order_relaxed);
  cpus.store(0, std::memory_order_relaxed);
}

/// At load, so that no lock of its own can be held when somebody forks.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, forget);

/// Null where there is no memory for it.
Pool* pool() {
  Pool* found = the_pool.load(std::memory_order_acquire);
  if (found) return found;
  std::unique_ptr<Pool> made(new (std::nothrow) Pool);
  if (!made) return nullptr;
  if (the_pool.compare_exchange_strong(found, made.get(), std::memory_order_acq_rel)) found = made.release();
  return found;
}

}  // namespace

int available_cpus() noexcept {
  int n = cpus.load(std::memory_order_relaxed);
  if (n) return n;
  try {
    cpus.store(n = count_cpus(), std::memory_order_relaxed);
  } catch (const std::bad_alloc&) {
    n = 1;  // for now: the next call looks again
  }
  return n;
}

int worthwhile_threads(double microseconds, int most) noexcept {
  if (most < 2 || microseconds < kOfOneThread) return 1;
  const auto share = [&](double worth) { return static_cast<int>(std::min(microseconds / worth, static_cast<double>(most))); };
  const std::int64_t now = std::chrono::nanoseconds(Clock::now().time_since_epoch()).count();
  const std::int64_t since = now - last_asked.exchange(now, std::memory_order_relaxed);
  const int asleep = share(kWorthAsleep);
  if (asleep >= most) return asleep;
  const Pool* const found = the_pool.load(std::memory_order_acquire);
  const int awake = found ? found->awake() : 0;
  if (awake == 0 && asleep < 2) {
    // Where one such call follows another, the wake-up is paid once for many of them, unless no CPU is free for the helper.
    const bool is_next = static_cast<double>(since) * 1e-3 < kFollows * microseconds + kSpin.count();
    if (!is_next || now - last_woken.load(std::memory_order_relaxed) < kWakeAgain.count()) return 1;
    last_woken.store(now, std::memory_order_relaxed);
    return 2;
  }
  return std::max(asleep, std::min(share(kWorthAwake), 1 + awake));
}

void run_chunks(int threads, std::int64_t n_chunks, void (*body)(void*, std::int64_t), void* context, Claims claims) {
  threads = static_cast<int>(std::min<std::int64_t>(std::min(threads, kMaxThreads), n_chunks));
  if (threads > 1 && n_chunks < (std::int64_t{1} << 31) - 1)
    if (Pool* helpers = pool(); helpers && helpers->run(threads, n_chunks, body, context, claims)) return;
  for (std::int64_t chunk = 0; chunk < n_chunks; ++chunk) body(context, chunk);
}

}  // namespace run

namespace {
std::atomic<int> wished{0};
}

int num_threads() noexcept {
  if (const int n = wished.load(std::memory_order_relaxed)) return n;
  static const int from_environment = [] {
    const char* text = std::getenv("ENGINE_NUM_THREADS");
    int n = 0;
    if (text) std::from_chars(text, text + std::char_traits<char>::length(text), n);
    return n > 0 ? n : 0;
  }();
  return from_environment ? from_environment : run::available_cpus();
}

void set_num_threads(int n) noexcept { wished.store(std::max(n, 0), std::memory_order_relaxed); }

}  // namespace engine

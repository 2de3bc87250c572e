#include "engine/run/thread_pool.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <engine/threads.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace engine::run {
namespace {

TEST(ThreadPool, RunsEachChunkOnce) {
  for (int threads : {1, 2, 3, 8})
    for (std::int64_t n : {0, 1, 2, 3, 7, 64, 1000}) {
      std::vector<std::atomic<int>> times(static_cast<std::size_t>(n));
      parallel_for(threads, n, [&](std::int64_t i) { ++times[static_cast<std::size_t>(i)]; });
      for (const auto& t : times) EXPECT_EQ(t.load(), 1);
    }
}

/// A chunk that waits for the one before it is no reason to wait for ever, whoever comes late.
TEST(ThreadPool, ClaimsInOrderWhatIsToBe) {
  for (int round = 0; round < 2000; ++round) {
    std::atomic<std::int64_t> ready{0};
    const auto body = [&](std::int64_t i) {
      while (ready.load() != i) std::this_thread::yield();
      ready.store(i + 1);
    };
    parallel_for(3, 7, body, Claims::InOrder);
    ASSERT_EQ(ready.load(), 7);
  }
}

TEST(ThreadPool, HasEachThreadBeginWithTheSameShareInEveryCall) {
  if (available_cpus() < 2) GTEST_SKIP() << "one CPU";
  constexpr std::int64_t kChunks = 8;
  const std::thread::id caller = std::this_thread::get_id();
  int helped = 0;
  for (int round = 0; round < 200 && helped < 20; ++round) {
    std::atomic<std::int64_t> first{-1};  // of the helper, who comes while the caller is at its own first one
    const auto body = [&](std::int64_t i) {
      std::int64_t none = -1;
      if (std::this_thread::get_id() != caller) first.compare_exchange_strong(none, i);
      const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
      while (i == 0 && first == -1 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    };
    parallel_for(2, kChunks, body);
    if (first == -1) continue;
    EXPECT_EQ(first, kChunks / 2);
    ++helped;
  }
  EXPECT_GT(helped, 0);
}

TEST(ThreadPool, ShowsTheCallerWhatItsHelpersWrote) {
  std::vector<long> cells(64);
  for (long round = 1; round < 20'000; ++round) {
    parallel_for(4, 64, [&](std::int64_t i) { cells[static_cast<std::size_t>(i)] = round * i; });
    for (long i = 0; i < 64; ++i) ASSERT_EQ(cells[static_cast<std::size_t>(i)], round * i);
  }
}

TEST(ThreadPool, ServesManyCallersAtOnceAndFromWithinItself) {
  std::atomic<long> sum{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round)
        parallel_for(3, 8, [&](std::int64_t) { parallel_for(2, 4, [&](std::int64_t i) { sum += i; }); });
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum.load(), 8L * 500 * 8 * 6);
}

TEST(ThreadPool, ThrowsWhatAChunkThrewAfterAllAreDone) {
  for (int threads : {1, 4}) {
    std::atomic<int> inside{0};
    const auto body = [&](std::int64_t i) {
      ++inside;
      if (i == 3) {
        --inside;
        throw std::runtime_error("three");
      }
      --inside;
    };
    EXPECT_THROW(parallel_for(threads, 16, body), std::runtime_error);
    EXPECT_EQ(inside.load(), 0);
  }
}

TEST(ThreadPool, HasNoMoreThreadsAtWorkThanAskedFor) {
  parallel_for(8, 64, [](std::int64_t) {});  // so that there are more of them
  std::atomic<int> inside{0}, most{0};
  for (int round = 0; round < 2000; ++round)
    parallel_for(3, 24, [&](std::int64_t) {
      const int now = ++inside;
      int seen = most.load();
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      --inside;
    });
  EXPECT_LE(most.load(), 3);
}

TEST(ThreadPool, HelpersThatSleepAreWoken) {
  std::atomic<bool> helped{false};
  const std::thread::id caller = std::this_thread::get_id();
  for (int round = 0; round < 100 && !helped; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    parallel_for(2, 8, [&](std::int64_t) {
      if (std::this_thread::get_id() != caller) helped = true;
      for (int i = 0; i < 100 && !helped; ++i) std::this_thread::sleep_for(std::chrono::microseconds(20));
    });
  }
  EXPECT_TRUE(helped);
}

TEST(WorthwhileThreads, GrowWithTheWorkAndAreNoMoreThanAllowed) {
  EXPECT_EQ(worthwhile_threads(1e6, 8), 8);
  EXPECT_EQ(worthwhile_threads(1e6, 1), 1);
  EXPECT_EQ(worthwhile_threads(6.9, 8), 1);
  EXPECT_GE(worthwhile_threads(60, 8), 3);
}

TEST(WorthwhileThreads, AreFewerForShortWorkUnlessItComesAgainAtOnce) {
  const auto any = [](auto is_so) {  // this thread may be kept waiting at any time
    for (int round = 0; round < 1000; ++round)
      if (is_so()) return true;
    return false;
  };
  const auto sleep = [] { std::this_thread::sleep_for(std::chrono::milliseconds(2)); };
  EXPECT_TRUE(any([&] { return sleep(), worthwhile_threads(9, 8) == 1; }));
  EXPECT_TRUE(any([&] { return sleep(), worthwhile_threads(9, 8), worthwhile_threads(9, 8) == 2; }));
  // A helper that looks for news needs no such reason.
  EXPECT_TRUE(any([&] {
    parallel_for(2, 8, [](std::int64_t) { std::this_thread::sleep_for(std::chrono::microseconds(50)); });
    const auto since = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - since < std::chrono::microseconds(10)) {
    }
    return worthwhile_threads(9, 8) == 2;
  }));
}

#if !ENGINE_SANITIZED_THREADS
TEST(ThreadPool, WorksInAForkedChild) {
  parallel_for(2, 8, [](std::int64_t) {});
  for (int round = 0; round < 20; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      std::atomic<int> sum{0};
      for (int i = 0; i < 20; ++i) parallel_for(3, 8, [&](std::int64_t chunk) { sum += static_cast<int>(chunk); });
      _exit(sum == 20 * 28 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}
#endif

TEST(NumThreads, IsWhatWasSetOrTheCpusOfThisProcess) {
  set_num_threads(3);
  EXPECT_EQ(num_threads(), 3);
  set_num_threads(0);
  EXPECT_GE(available_cpus(), 1);
  EXPECT_GE(num_threads(), 1);
}

}  // namespace
}  // namespace engine::run

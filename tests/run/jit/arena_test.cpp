#include "engine/run/jit/arena.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace engine::run::jit {
namespace {

/// A function that gives `number`, filled up to `size` bytes.
std::vector<std::byte> giving(int number, std::size_t size) {
  std::vector<std::byte> code(size, std::byte{0x90});
  code[0] = std::byte{0xb8};  // mov eax, number
  std::memcpy(code.data() + 1, &number, sizeof number);
  code[5] = std::byte{0xc3};  // ret
  return code;
}
int call(const std::shared_ptr<const void>& code) { return reinterpret_cast<int (*)()>(const_cast<void*>(code.get()))(); }

TEST(Arena, RunsWhatWasInstalled) {
  const auto code = install(giving(42, 64));
  ASSERT_TRUE(code);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(code.get()) % 64, 0u);
  EXPECT_EQ(call(code), 42);
}

TEST(Arena, KeepsCodeThatIsUsedAndUsesAgainWhatIsNot) {
  std::mt19937 random(3);
  const std::size_t before = code_bytes();
  {
    std::vector<std::pair<int, std::shared_ptr<const void>>> kept;
    for (int i = 0; i < 20000; ++i) {
      if (kept.size() > 300) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(random() % kept.size()));
      kept.emplace_back(i, install(giving(i, 64 + random() % 3000)));
      ASSERT_TRUE(kept.back().second);
      const auto& [number, code] = kept[random() % kept.size()];
      ASSERT_EQ(call(code), number);
    }
    EXPECT_LT(code_bytes() - before, std::size_t{2} << 20);
    for (const auto& [number, code] : kept) ASSERT_EQ(call(code), number);
  }
  EXPECT_EQ(code_bytes(), before);
}

TEST(Arena, IsBounded) {
  std::vector<std::shared_ptr<const void>> kept;
  while (auto code = install(giving(1, std::size_t{512} << 10))) kept.push_back(code);
  EXPECT_LE(code_bytes(), kMostCode);
  EXPECT_GT(kept.size(), 100u);
  EXPECT_FALSE(install(giving(1, std::size_t{2} << 20)));
  kept.clear();
  EXPECT_TRUE(install(giving(1, 64)));
}

/// Parent and child have the same pages: neither may change what the other runs.
TEST(Arena, LeavesCodeAloneThatAForkShares) {
  auto shared = install(giving(1, 4096));
  const auto other = install(giving(2, 64));
  std::array<int, 2> go{};
  ASSERT_EQ(pipe(go.data()), 0);
  const auto overwrite = [&](int number) {  // gives back the place, and fills what is free
    shared.reset();
    std::vector<std::shared_ptr<const void>> all;
    for (int i = 0; i < 1000; ++i) all.push_back(install(giving(number, 4096)));
    return all;
  };
  const void* const address = shared.get();
  const auto at_address = [&] { return reinterpret_cast<int (*)()>(const_cast<void*>(address))(); };
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    bool right = read(go[0], &byte, 1) == 1 && call(shared) == 1 && call(other) == 2;  // after the parent's writes
    const auto keep = shared;
    const auto mine = overwrite(5);
    right = right && call(mine.back()) == 5 && call(keep) == 1;
    _exit(right ? 0 : 1);
  }
  const auto keep = shared;
  const auto mine = overwrite(3);
  EXPECT_EQ(call(mine.back()), 3);
  EXPECT_EQ(at_address(), 1);
  ASSERT_EQ(write(go[1], "g", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(call(other), 2);
  for (const int end : go) close(end);
}

TEST(Arena, ServesManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto code = install(giving(t * 10000 + i, 64 + static_cast<std::size_t>(i % 7) * 64));
        if (!code || call(code) != t * 10000 + i) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace engine::run::jit

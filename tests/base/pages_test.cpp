#include "engine/base/pages.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace engine {
namespace {

constexpr std::size_t kBytes = std::size_t{40} << 20;

/// Bytes of this process that the system may take when it runs short; negative where it does not say.
std::ptrdiff_t offered() {
  std::FILE* const file = std::fopen("/proc/self/smaps_rollup", "re");
  if (!file) return -1;
  char line[256];
  long kilobytes = -1;
  while (std::fgets(line, sizeof line, file))
    if (std::sscanf(line, "LazyFree: %ld kB", &kilobytes) == 1) break;
  std::fclose(file);
  return kilobytes < 0 ? -1 : std::ptrdiff_t{kilobytes} << 10;
}

char* filled() {
  auto* const memory = static_cast<char*>(take_pages(kBytes));
  if (memory) std::memset(memory, 1, kBytes);
  return memory;
}

TEST(Pages, ABlockGivenBackServesTheNextThatWantsAsMuch) {
  trim_pages();
  char* const memory = filled();
  ASSERT_TRUE(memory);
  give_pages(memory);
  EXPECT_EQ(take_pages(kBytes - 1), memory);
  give_pages(memory);
  EXPECT_EQ(trim_pages(), kBytes);
}

TEST(Pages, WhatIsIdleIsOfferedToTheSystemButForTheLastMegabytes) {
  trim_pages();
  const std::ptrdiff_t before = offered();
  ASSERT_GE(before, 0) << "/proc/self/smaps_rollup does not tell";
  std::vector<char*> blocks{filled(), filled(), filled()};
  for (char* block : blocks) ASSERT_TRUE(block);
  give_pages(blocks[0]);
  EXPECT_LT(offered() - before, std::ptrdiff_t{kBytes} / 2) << "the system is told of a block that was in use just now";
  give_pages(blocks[1]);
  give_pages(blocks[2]);
  EXPECT_GT(offered() - before, std::ptrdiff_t{kBytes} * 3 / 2) << "older ones are kept from it";
  EXPECT_LT(offered() - before, std::ptrdiff_t{kBytes} * 5 / 2);
  trim_pages();
}

}  // namespace
}  // namespace engine

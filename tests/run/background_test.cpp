// Work that calls do not wait for.
#include "engine/run/background.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace engine::run {
namespace {

class BackgroundTest : public testing::Test {
 protected:
  BackgroundTest() { allow_background(true); }
  ~BackgroundTest() override { allow_background(false); }
  std::uint64_t number() {
    static std::uint64_t last = 0;
    return ++last;
  }
};

TEST_F(BackgroundTest, DoesAJobOnceByAnotherThread) {
  std::atomic<int> done{0};
  std::thread::id by;
  const std::uint64_t mine = number();
  EXPECT_EQ(in_background(mine,
                          [&] {
                            by = std::this_thread::get_id();
                            ++done;
                          }),
            Background::UnderWay);
  wait_for_background();
  EXPECT_EQ(in_background(mine, [&] { ++done; }), Background::Ended);
  wait_for_background();
  EXPECT_EQ(done, 1);
  EXPECT_NE(by, std::this_thread::get_id());
}

TEST_F(BackgroundTest, KeepsTheOrderAndSaysWhatWaits) {
  std::atomic<bool> may_end{false};
  std::vector<int> order;
  const std::uint64_t first = number(), second = number();
  in_background(first, [&] {
    while (!may_end) std::this_thread::yield();
    order.push_back(1);
  });
  EXPECT_EQ(in_background(second, [&] { order.push_back(2); }), Background::UnderWay);
  EXPECT_EQ(in_background(second, [&] { order.push_back(3); }), Background::UnderWay);
  EXPECT_EQ(in_background(first, [&] { order.push_back(4); }), Background::UnderWay);
  may_end = true;
  wait_for_background();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST_F(BackgroundTest, OutlivesJobsThatThrow) {
  const std::uint64_t mine = number();
  in_background(mine, [] { throw std::runtime_error("lost"); });
  wait_for_background();
  EXPECT_EQ(in_background(mine, [] {}), Background::Ended);
  bool done = false;
  in_background(number(), [&] { done = true; });
  wait_for_background();
  EXPECT_TRUE(done);
}

TEST_F(BackgroundTest, FinishesOneJobAndDropsTheOthersWhenForbidden) {
  std::atomic<int> begun{0}, done{0};
  for (int i = 0; i < 50; ++i)
    in_background(number(), [&] {
      ++begun;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ++done;
    });
  while (begun == 0) std::this_thread::yield();
  allow_background(false);
  EXPECT_EQ(begun, done);
  EXPECT_LT(done, 50);
  const int before = done;
  EXPECT_EQ(in_background(number(), [&] { ++done; }), Background::Ended);
  wait_for_background();
  EXPECT_EQ(done, before);
  allow_background(true);
  in_background(number(), [&] { ++done; });
  wait_for_background();
  EXPECT_EQ(done, before + 1);
}

TEST_F(BackgroundTest, RefusesMoreThanItHasRoomFor) {
  std::atomic<bool> may_end{false};
  in_background(number(), [&] {
    while (!may_end) std::this_thread::yield();
  });
  int refused = 0;
  for (int i = 0; i < 1000; ++i) refused += in_background(number(), [] {}) == Background::Ended;
  may_end = true;
  wait_for_background();
  EXPECT_GT(refused, 500);
}

TEST_F(BackgroundTest, HasEndedInAForkedChild) {
  std::atomic<bool> may_end{false};
  in_background(number(), [&] {
    while (!may_end) std::this_thread::yield();
  });
  const pid_t child = fork();
  if (child == 0) {
    wait_for_background();
    const bool ended = in_background(number(), [] {}) == Background::Ended;
    allow_background(false);
    _exit(ended ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  may_end = true;
  wait_for_background();
}

}  // namespace
}  // namespace engine::run

#include "engine/plan/hazard.hpp"

#include <gtest/gtest.h>

namespace engine::plan {
namespace {

char memory[4096];

Hazard of(std::int64_t store, std::int64_t load, std::vector<std::int64_t> strides, std::vector<std::int64_t> extents,
          std::vector<std::int64_t> load_strides = {}) {
  if (load_strides.empty()) load_strides = strides;
  return hazard({memory + store, strides.data(), 8}, {memory + load, load_strides.data(), 8}, static_cast<int>(extents.size()),
                extents.data());
}

TEST(Hazard, IsNoneForRangesAndResiduesThatNeverMeet) {
  EXPECT_EQ(of(0, 800, {8}, {100}), Hazard::None);
  EXPECT_EQ(of(0, 8, {16}, {100}), Hazard::None);  // a[::2] against a[1::2]
}

TEST(Hazard, TellsTheSafeDirection) {
  EXPECT_EQ(of(0, 0, {8}, {100}), Hazard::Same);
  EXPECT_EQ(of(0, 8, {8}, {100}), Hazard::Forward);
  EXPECT_EQ(of(8, 0, {8}, {100}), Hazard::Backward);
  EXPECT_EQ(of(0, 88, {80, 8}, {9, 9}), Hazard::Forward);
}

TEST(Hazard, IsBufferWhereNoOrderIsSafe) {
  EXPECT_EQ(of(0, 792, {8}, {100}, {-8}), Hazard::Buffer);          // reversed
  EXPECT_EQ(of(0, 0, {80, 8}, {10, 10}, {8, 80}), Hazard::Buffer);  // transposed
  EXPECT_EQ(of(0, 4, {8}, {100}), Hazard::Buffer);                  // elements that cut into each other
}

}  // namespace
}  // namespace engine::plan

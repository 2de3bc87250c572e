#include "engine/plan/space.hpp"

#include <gtest/gtest.h>

namespace engine::plan {
namespace {

TEST(Broadcast, StretchesAxesOfLengthOneAndRefusesOthers) {
  Shape out;
  int axis = 0;
  EXPECT_TRUE(broadcast_shapes({3, 1}, {4}, out, axis));
  EXPECT_EQ(out, (Shape{3, 4}));
  EXPECT_TRUE(broadcast_shapes({0}, {1}, out, axis));
  EXPECT_EQ(out, (Shape{0}));
  EXPECT_FALSE(broadcast_shapes({3, 4}, {4, 3}, out, axis));
}

TEST(Stretch, GivesAnAxisOfLengthOneStrideZero) {
  const Layout out = stretch({nullptr, {3, 1}, {8, 8}}, {2, 3, 4});
  EXPECT_EQ(out.strides, (Strides{0, 8, 0}));
}

std::string order(int rank, std::vector<std::vector<std::int64_t>> strides) {
  std::vector<const std::int64_t*> rows;
  for (const auto& row : strides) rows.push_back(row.data());
  int axes[kMaxRank];
  order_axes(rank, rows.data(), static_cast<int>(rows.size()), axes);
  std::string text;
  for (int i = 0; i < rank; ++i) text += std::to_string(axes[i]);
  return text;
}

TEST(AxisOrder, FollowsTheOperandsMemory) {
  EXPECT_EQ(order(2, {{80, 8}}), "01");
  EXPECT_EQ(order(2, {{8, 80}}), "10");
  EXPECT_EQ(order(3, {{8, -800, 80}}), "120");
}

TEST(AxisOrder, IsCWhereOperandsDisagree) { EXPECT_EQ(order(2, {{8, 80}, {80, 8}}), "01"); }

TEST(AxisOrder, AsksStretchedOperandsNothing) { EXPECT_EQ(order(2, {{0, 8}, {8, 80}}), "10"); }

}  // namespace
}  // namespace engine::plan

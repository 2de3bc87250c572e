#include "engine/base/boundary.hpp"

#include <gtest/gtest.h>

#include <string>

namespace engine {
namespace {

/// What is found around (a b c d), from so many places before to so many behind.
std::string around(Boundary low, Boundary high, std::int64_t extent = 4, std::int64_t reach = 9) {
  std::string text;
  for (std::int64_t i = -reach; i < extent + reach; ++i) {
    const std::int64_t at = mapped(i, extent, low, high);
    text += at == kOutside ? '.' : static_cast<char>('a' + at);
  }
  return text;
}

TEST(Boundary, HasSciPysIndexMeaning) {
  EXPECT_EQ(around(Boundary::Reflect, Boundary::Reflect), "aabcddcbaabcddcbaabcdd");
  EXPECT_EQ(around(Boundary::Mirror, Boundary::Mirror), "dcbabcdcbabcdcbabcdcba");
  EXPECT_EQ(around(Boundary::Nearest, Boundary::Nearest), "aaaaaaaaaabcdddddddddd");
  EXPECT_EQ(around(Boundary::Wrap, Boundary::Wrap), "dabcdabcdabcdabcdabcda");
  EXPECT_EQ(around(Boundary::Constant, Boundary::Constant), ".........abcd.........");
}

TEST(Boundary, OfOneSideHandsOnToTheOther) {
  EXPECT_EQ(around(Boundary::Reflect, Boundary::Constant), ".....dcbaabcd.........");
  EXPECT_EQ(around(Boundary::Nearest, Boundary::Mirror), "aaaaaaaaaabcdcbaaaaaaa");
  EXPECT_EQ(around(Boundary::Wrap, Boundary::Reflect), "dabcdabcdabcddcbadcbad");
}

TEST(Boundary, OfOneElementFindsIt) {
  for (const Boundary side : {Boundary::Reflect, Boundary::Mirror, Boundary::Nearest, Boundary::Wrap})
    EXPECT_EQ(around(side, side, 1, 3), "aaaaaaa");
  EXPECT_EQ(around(Boundary::Mirror, Boundary::Reflect, 1, 3), "aaaaaaa");
}

TEST(Boundary, FarAwayIsFoundWithoutWalkingThere) {
  EXPECT_EQ(mapped(std::int64_t{1} << 60, 3, Boundary::Wrap, Boundary::Wrap), (std::int64_t{1} << 60) % 3);
  EXPECT_EQ(mapped(-(std::int64_t{1} << 60), 5, Boundary::Mirror, Boundary::Mirror), (std::int64_t{1} << 60) % 8);
}

TEST(Boundary, WordsNameAllOfThem) {
  for (const std::string_view name : kBoundaryWords) {
    Boundary found{};
    ASSERT_TRUE(find_boundary(name, found));
    EXPECT_EQ(word(found), name);
  }
  Boundary none{};
  EXPECT_FALSE(find_boundary("mirrored", none));
}

}  // namespace
}  // namespace engine

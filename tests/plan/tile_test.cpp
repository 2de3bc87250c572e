#include "engine/plan/tile.hpp"

#include <gtest/gtest.h>

#include "engine/base/boundary.hpp"

namespace engine::plan {
namespace {

ir::ViewItem shift(std::int64_t by, Boundary low, Boundary high) {
  ir::ViewItem item{.kind = ir::ViewItem::Kind::Shift};
  item.low = low;
  item.high = high;
  item.start = by;
  return item;
}

/// The offset of every element, in elements; -1 where a constant stands.
std::vector<std::int64_t> offsets(const Pieces& pieces) {
  std::vector<std::int64_t> all;
  for (const Piece& piece : pieces)
    for (std::int64_t i = 0; i < piece.count; ++i) all.push_back(piece.outside ? -1 : piece.offset + i * piece.stride);
  return all;
}

Pieces axis(std::int64_t extent) { return {{.count = extent, .stride = 1}}; }

TEST(Pieces, OfAShiftAreTheInsideAndWhatTheBoundariesFind) {
  Pieces found;
  append_shift(found, axis(6), 6, shift(-2, Boundary::Reflect, Boundary::Wrap), 1);
  EXPECT_EQ(offsets(found), (std::vector<std::int64_t>{1, 0, 0, 1, 2, 3}));
  EXPECT_EQ(found.size(), 2u);
  found.clear();
  append_shift(found, axis(6), 6, shift(2, Boundary::Reflect, Boundary::Nearest), 1);
  EXPECT_EQ(offsets(found), (std::vector<std::int64_t>{2, 3, 4, 5, 5, 5}));
}

TEST(Pieces, AgreeWithEveryPositionOfEveryPairOfBoundaries) {
  for (std::int64_t extent = 1; extent <= 7; ++extent)
    for (int low = 0; low < 5; ++low)
      for (int high = 0; high < 5; ++high)
        for (std::int64_t by = -20; by <= 20; ++by) {
          const ir::ViewItem item = shift(by, static_cast<Boundary>(low), static_cast<Boundary>(high));
          Pieces found;
          append_shift(found, axis(extent), extent, item, 1);
          std::vector<std::int64_t> wanted;
          for (std::int64_t i = 0; i < extent; ++i) {
            const std::int64_t at = mapped(i + by, extent, item.low, item.high);
            wanted.push_back(at == kOutside ? -1 : at);
          }
          ASSERT_EQ(offsets(found), wanted) << extent << " " << by << " " << low << " " << high;
        }
}

TEST(Pieces, OfALongAxisAreFewHoweverFarItIsShifted) {
  const std::int64_t extent = std::int64_t{1} << 40;
  for (const Boundary side : {Boundary::Reflect, Boundary::Mirror, Boundary::Nearest, Boundary::Wrap, Boundary::Constant})
    for (const std::int64_t by : {extent / 2, -extent / 2, 5 * extent + 3, INT64_MAX, -INT64_MAX}) {
      Pieces found;
      append_shift(found, axis(extent), extent, shift(by, side, side), 1);
      EXPECT_LE(found.size(), 3u);
    }
}

TEST(Pieces, AreSlicedInBothDirections) {
  Pieces turned, found;
  append_shift(turned, axis(6), 6, shift(3, Boundary::Wrap, Boundary::Wrap), 1);  // 3 4 5 0 1 2
  append_slice(found, turned, 5, -2, 3);
  EXPECT_EQ(offsets(found), (std::vector<std::int64_t>{2, 0, 4}));
}

TEST(Cuts, AreWhereAnyOfTheReadsTurns) {
  std::pmr::vector<Reach> reaches;
  for (const std::int64_t by : {-1, 2}) {
    Reach reach(std::pmr::get_default_resource());
    Pieces found;
    append_shift(found, axis(8), 8, shift(by, Boundary::Reflect, Boundary::Reflect), 1);
    reach.axes.push_back(found);
    reaches.push_back(std::move(reach));
  }
  const auto at = cuts(reaches, 0, 8, std::pmr::get_default_resource());
  EXPECT_EQ(std::vector<std::int64_t>(at.begin(), at.end()), (std::vector<std::int64_t>{0, 1, 6, 8}));
}

}  // namespace
}  // namespace engine::plan

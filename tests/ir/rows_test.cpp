#include "engine/ir/rows.hpp"

#include <gtest/gtest.h>

#include "graph_text.hpp"

namespace engine::ir {
namespace {

/// "a:0 b:- c:1", or "none".
std::string rows_of(std::string_view text, std::string_view operands) {
  const Built built = build_text(text, operands);
  const auto axes = row_axes(built.graph);
  if (!axes) return "none";
  std::string found;
  for (std::size_t slot = 0; slot < axes->size(); ++slot)
    found += (slot ? " " : "") + std::string(built.graph.slots[slot].name) + ":" +
             ((*axes)[slot] == kNoRows ? "-" : std::to_string((*axes)[slot]));
  return found;
}

TEST(RowAxes, AreThoseThatBroadcastToTheFirstOfTheResult) {
  EXPECT_EQ(rows_of("a + b*2", "a:float64[2] b:float64[2]"), "a:0 b:0");
  EXPECT_EQ(rows_of("a + b", "a:float64[3] b:float64[1]"), "a:0 b:-");
  EXPECT_EQ(rows_of("a * s", "a:float64[1] s:float64[0]"), "a:0 s:-");
  EXPECT_EQ(rows_of("float32(a) < b", "a:float64[1] b:float64[1]"), "a:0 b:0");
}

TEST(RowAxes, PassThroughReductionsOfOtherAxes) {
  EXPECT_EQ(rows_of("sum(a, axis=1)", "a:float64[2]"), "a:0");
  EXPECT_EQ(rows_of("sum(a, axis=0)", "a:float64[2]"), "a:1");
  EXPECT_EQ(rows_of("sum(a, axis=(0, 2))", "a:float64[4]"), "a:1");
  EXPECT_EQ(rows_of("(a - mean(a, axis=1, keepdims=True)) / std(a, axis=1, keepdims=True)", "a:float64[2]"), "a:0");
  EXPECT_EQ(rows_of("max(a, axis=-1)[:, None] - a", "a:float64[2]"), "a:0");
  EXPECT_EQ(rows_of("cumsum(a, axis=1)", "a:float64[2]"), "a:0");
  EXPECT_EQ(rows_of("sum(a, axis=0) + b", "a:float64[2] b:float64[2]"), "a:- b:0");
  EXPECT_EQ(rows_of("b + mean(a, axis=0, keepdims=True)", "a:float64[2] b:float64[2]"), "b:0 a:-");
}

TEST(RowAxes, PassThroughViewsOfOtherAxes) {
  EXPECT_EQ(rows_of("a.T", "a:float64[3]"), "a:2");
  EXPECT_EQ(rows_of("a[:, 1:-1] + a[:, 2:]", "a:float64[2]"), "a:0");
  EXPECT_EQ(rows_of("a[3] + b[0]", "a:float64[2] b:float64[2]"), "a:1 b:1");
  EXPECT_EQ(rows_of("a[None] + b", "a:float64[1] b:float64[2]"), "a:- b:0");
  EXPECT_EQ(rows_of("b * a[::2]", "a:float64[1] b:float64[2]"), "b:0 a:-");
  EXPECT_EQ(rows_of("shift(a, 1, axis=1) - a", "a:float64[2]"), "a:0");
}

TEST(RowAxes, AreNoneWhereARowNeedsOthers) {
  EXPECT_EQ(rows_of("a - mean(a)", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("a[1:] + a[:-1]", "a:float64[1]"), "none");
  EXPECT_EQ(rows_of("a[::-1]", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("a + a.T", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("shift(a, 1, axis=0)", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("cumsum(a, axis=0)", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("sort(a, axis=None)", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("a + index(0)", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("unique(a)", "a:float64[1]"), "none");
}

TEST(RowAxes, AreNoneWhereThereAreNoRowsOrOperandsAreWritten) {
  EXPECT_EQ(rows_of("sum(a)", "a:float64[2]"), "none");
  EXPECT_EQ(rows_of("b[...] = a", "a:float64[1] b:float64[1]"), "none");
  EXPECT_EQ(rows_of("b[0] = 1; a + b", "a:float64[1] b:float64[1]"), "none");
}

}  // namespace
}  // namespace engine::ir

#include "engine/ir/halo.hpp"

#include <gtest/gtest.h>

#include <memory_resource>

#include "graph_text.hpp"

namespace engine::ir {
namespace {

/// Where one element of the only output reads the first operand, along its last axis.
Footprint footprint_of(const char* text, const char* slots) {
  const Built built = build_text(text, slots);
  const NodeId root = built.graph[built.graph.output_nodes[0]].args[0];
  Footprints all = footprints(built.graph, {&root, 1}, std::pmr::get_default_resource());
  for (NodeId id = 0; id < built.graph.nodes.size(); ++id)
    if (built.graph[id].kind == NodeKind::Input) return all.at(id, 0);
  return {};
}

TEST(Footprints, AddTheStartsOfViews) {
  const Footprint print = footprint_of("a[5:][3:] + a[1:]", "a:float64[1]");
  EXPECT_TRUE(print.is_read && !print.is_whole);
  EXPECT_EQ(print.low, 1);
  EXPECT_EQ(print.high, 8);
}

TEST(Footprints, OfSlicesPastAnyEndAreFarAndNotBefore) {
  const Footprint print = footprint_of("a[9223372036854775807:][9223372036854775807:] + a[1:]", "a:float64[1]");
  EXPECT_EQ(print.low, 1);
  EXPECT_EQ(print.high, kFarthest);
}

TEST(Footprints, OfStepsAndReductionsAreWhole) {
  EXPECT_TRUE(footprint_of("a[::2]", "a:float64[1]").is_whole);
  EXPECT_TRUE(footprint_of("sum(a)", "a:float64[1]").is_whole);
}

}  // namespace
}  // namespace engine::ir

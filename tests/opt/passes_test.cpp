#include <gtest/gtest.h>

#include "../ir/graph_text.hpp"
#include "engine/opt/pipeline.hpp"

namespace engine::opt {
namespace {

/// Operations left after all passes, in order: "Add Multiply".
std::string operations(std::string_view text, std::string_view operands) {
  ir::Built built = ir::build_text(text, operands);
  const ir::Graph graph = optimise(std::move(built.graph), {});
  ir::verify(graph);
  std::string result;
  for (const ir::Node& node : graph.nodes) {
    if (node.kind == ir::NodeKind::Apply) result += std::string(catalog::info(static_cast<catalog::Op>(node.op)).identifier) + " ";
    if (node.kind == ir::NodeKind::Cast) result += "Cast ";
  }
  return result;
}

TEST(Power, BecomesWhatNumPyComputes) {
  EXPECT_EQ(operations("a**2", "a:float64[1]"), "Square ");
  EXPECT_EQ(operations("a**0.5", "a:float32[1]"), "Sqrt ");
  EXPECT_EQ(operations("a**-1", "a:float64[1]"), "Reciprocal ");
  EXPECT_EQ(operations("a**1", "a:float64[1]"), "");
  EXPECT_EQ(operations("a**3", "a:float64[1]"), "Power ");
  EXPECT_EQ(operations("power(a, 0.5)", "a:float64[1]"), "Power ");
}

TEST(Fold, ComputesConstantsOnce) {
  EXPECT_EQ(operations("sqrt(4.0)*a", "a:float64[1]"), "Multiply ");
  EXPECT_EQ(operations("sin(0.5) + cos(0.5)", ""), "");
}

TEST(Algebra, DropsWhatKeepsEveryBit) {
  EXPECT_EQ(operations("1*a/1 - 0", "a:float64[1]"), "");
  EXPECT_EQ(operations("--a", "a:float64[1]"), "");
  EXPECT_EQ(operations("~~a | 0", "a:int32[1]"), "");
  EXPECT_EQ(operations("floor(floor(a))", "a:float64[1]"), "Floor ");
}

TEST(Algebra, KeepsWhatChangesABit) {
  EXPECT_EQ(operations("a + 0.0", "a:float64[1]"), "Add ");     // -0.0 + 0.0 is 0.0
  EXPECT_EQ(operations("a - a", "a:float64[1]"), "Subtract ");  // inf - inf is NaN
  EXPECT_EQ(operations("0*a", "a:float64[1]"), "Multiply ");
  EXPECT_EQ(operations("1*a", "a:complex128[1]"), "Multiply ");  // (inf+0j)*(1+0j) has a NaN in it
  EXPECT_EQ(operations("int64(float64(a))", "a:int64[1]"), "Cast Cast ");
}

TEST(Algebra, MultipliesWhereADivisionHasAnExactReciprocal) {
  EXPECT_EQ(operations("a / 2", "a:float64[1]"), "Multiply ");
  EXPECT_EQ(operations("a / -0.25", "a:float32[1]"), "Multiply ");
  EXPECT_EQ(operations("a / 2", "a:int32[1]"), "Cast Multiply ");
  EXPECT_EQ(operations("a / 3", "a:float64[1]"), "Divide ");
  EXPECT_EQ(operations("a / 0", "a:float64[1]"), "Divide ");
  EXPECT_EQ(operations("a / 2.0**1023", "a:float64[1]"), "Divide ");  // whose reciprocal is subnormal
  EXPECT_EQ(operations("2 / a", "a:float64[1]"), "Divide ");
  EXPECT_EQ(operations("a / 2", "a:complex128[1]"), "Divide ");
}

TEST(Prune, DropsValuesNobodyReads) { EXPECT_EQ(operations("t = exp(a); a + 1", "a:float64[1]"), "Add "); }

}  // namespace
}  // namespace engine::opt

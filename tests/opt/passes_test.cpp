#include <gtest/gtest.h>

#include "../ir/graph_text.hpp"
#include "engine/opt/pipeline.hpp"

namespace engine::opt {
namespace {

/// Operations left after all passes, in order: "Add Multiply".
std::string operations(std::string_view text, std::string_view operands, Exactness exactness = Exactness::Strict) {
  ir::Built built = ir::build_text(text, operands);
  Options options;
  options.exactness = exactness;
  const ir::Graph graph = optimise(std::move(built.graph), options);
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

std::string relaxed(std::string_view text,
                    std::string_view operands = "a:float64[1] b:float64[1] c:float64[1] n:int64[1] z:complex128[1]") {
  return operations(text, operands, Exactness::Relaxed);
}

TEST(Relax, TakesProductsForPowersUpToTheFifth) {
  EXPECT_EQ(relaxed("a**3"), "Square Multiply ");
  EXPECT_EQ(relaxed("power(a, 4.0)"), "Square Square ");
  EXPECT_EQ(relaxed("a**5"), "Square Square Multiply ");
  EXPECT_EQ(relaxed("a**3", "a:float32[1]"), "Square Multiply ");
  EXPECT_EQ(relaxed("a**6"), "Power ");
  EXPECT_EQ(relaxed("a**-3"), "Power ");
  EXPECT_EQ(relaxed("a**2.5"), "Power ");
  EXPECT_EQ(relaxed("n**3"), "Power ");
  EXPECT_EQ(relaxed("z**3"), "Power ");
  EXPECT_EQ(operations("a**3", "a:float64[1]"), "Power ");
}

TEST(Relax, TakesAProductForAQuotientByANumber) {
  EXPECT_EQ(relaxed("a / 3"), "Multiply ");
  EXPECT_EQ(relaxed("a / 0"), "Divide ");
  EXPECT_EQ(relaxed("a / 1e-309"), "Divide ");  // whose reciprocal is infinite
  EXPECT_EQ(relaxed("a / 1e308"), "Divide ");   // subnormal
  EXPECT_EQ(relaxed("a / 3e38", "a:float32[1]"), "Divide ");
  EXPECT_EQ(relaxed("a / b"), "Divide ");
  EXPECT_EQ(relaxed("3 / a"), "Divide ");
  EXPECT_EQ(operations("a / 3", "a:float64[1]"), "Divide ");
}

TEST(Relax, RoundsSumsOfProductsOnce) {
  EXPECT_EQ(relaxed("a*b + c"), "Fma ");
  EXPECT_EQ(relaxed("c + a*a"), "Fma ");
  EXPECT_EQ(relaxed("a*b - 2"), "Fma ");
  EXPECT_EQ(relaxed("1 - 2*a"), "Fma ");
  EXPECT_EQ(relaxed("a*b - c"), "Negative Fma ");
  EXPECT_EQ(relaxed("c - a*b"), "Negative Fma ");
  EXPECT_EQ(relaxed("4*a + 5*a*b + 6*b*c"), "Multiply Multiply Fma Multiply Fma ");
  EXPECT_EQ(relaxed("n*n + n"), "Multiply Add ");
  EXPECT_EQ(relaxed("z*z + z"), "Multiply Add ");
  EXPECT_EQ(operations("a*b + a", "a:float64[1] b:float64[1]"), "Multiply Add ");
}

TEST(Relax, TakesFastFormsOfFunctionsWhereTheyGain) {
  EXPECT_EQ(relaxed("tan(a)"), "FastTan ");
  EXPECT_EQ(relaxed("tan(a)", "a:float32[1]"), "FastTan ");
  EXPECT_EQ(relaxed("sin(a) + cos(a)"), "Sin Cos Add ");
  EXPECT_EQ(relaxed("tan(z)"), "Tan ");
  EXPECT_EQ(operations("tan(a)", "a:float64[1]"), "Tan ");
}

TEST(Relax, LeavesAProductThatIsNeededItself) { EXPECT_EQ(relaxed("p = a*b; (p + c) * p"), "Multiply Add Multiply "); }

}  // namespace
}  // namespace engine::opt

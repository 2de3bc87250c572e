// Which arguments are computed once, before what is broadcast against them.
#include "engine/plan/hoist.hpp"

#include <gtest/gtest.h>

#include "../ir/graph_text.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/plan/plan.hpp"

namespace engine::plan {
namespace {

/// Passes of a plan; `ones`: of the operands in the order in which they are named.
struct Made {
  std::size_t passes;
  bool heeds_extents, spreads;
};
Made made(std::string_view text, std::string_view operands, std::vector<std::uint32_t> ones, bool are_few = false,
          bool are_few_spread = false) {
  ir::Built built = ir::build_text(text, operands);
  built.graph = opt::optimise(std::move(built.graph), {});
  std::vector<std::uint32_t> of_slots(built.graph.slots.size());
  for (std::size_t slot = 0; slot < of_slots.size(); ++slot) {
    const std::size_t place = std::string_view("abc").find(built.graph.slots[slot].name);
    of_slots[slot] = place < ones.size() ? ones[place] : 0;
  }
  const Plan plan = make_plan(built.graph, nullptr, {}, std::pmr::get_default_resource(), {of_slots, are_few, are_few_spread});
  return {plan.actions.size(), plan.heeds_extents, plan.spreads};
}
std::size_t passes(std::string_view text, std::string_view operands, std::vector<std::uint32_t> ones = {0, 0, 0}) {
  return made(text, operands, std::move(ones)).passes;
}

constexpr std::string_view kMatrixAndRow = "a:float64[2] b:float64[1]", kMatrices = "a:float64[2] b:float64[2] c:float64[2]";
constexpr std::uint32_t kColumn = 1, kRow = 2;  // axes of one element: the last, the first

TEST(Hoist, ComputesWhatHasFewerAxesOnce) {
  EXPECT_EQ(passes("a * exp(b)", kMatrixAndRow), 2u);
  EXPECT_EQ(passes("a * exp(b*2 + 1)", kMatrixAndRow), 2u) << "the whole argument, in one pass";
  EXPECT_EQ(passes("exp(a) * exp(b) + sin(b)", kMatrixAndRow), 2u) << "both in one pass";
  EXPECT_EQ(passes("exp(a) * b", kMatrixAndRow), 1u);
}

TEST(Hoist, ComputesWhatHasOneElementAlongAnAxisOnce) {
  EXPECT_EQ(passes("a * exp(b)", kMatrices), 1u);
  EXPECT_EQ(passes("a * exp(b)", kMatrices, {0, kColumn, 0}), 2u);
  EXPECT_EQ(passes("a * exp(b)", kMatrices, {0, kRow, 0}), 2u);
  EXPECT_EQ(passes("exp(a) * exp(b)", kMatrices, {kRow, kColumn, 0}), 3u);
  EXPECT_EQ(passes("exp(a) * exp(b)", kMatrices, {kColumn, kColumn, 0}), 1u) << "as small as the whole";
  EXPECT_EQ(passes("exp(b.T) * a", kMatrices, {0, kColumn, 0}), 2u);
  EXPECT_EQ(passes("exp(b[::2]) * a", kMatrices, {0, kColumn, 0}), 2u);
  EXPECT_EQ(passes("exp(b[:, 1]) * a", kMatrices), 2u);
}

TEST(Hoist, ComputesWhatTheTextSpreadsOnce) {
  EXPECT_EQ(passes("exp(a[:, None]) * cos(b)", "a:float64[1] b:float64[1]"), 3u);
  EXPECT_EQ(passes("a / sqrt(mean(a, axis=1, keepdims=True))", kMatrices), 3u) << "the mean, its root, the quotient";
  EXPECT_EQ(passes("a / sqrt(mean(a))", kMatrices), 2u) << "a number is computed once as it is";
}

TEST(Hoist, LeavesWhatIsSoonDone) {
  EXPECT_EQ(passes("a * (b + 1)", kMatrixAndRow), 1u);
  EXPECT_EQ(passes("a * (b*2 - b)", kMatrices, {0, kColumn, 0}), 1u);
}

TEST(Hoist, LeavesWhatDependsOnWhereItIs) { EXPECT_EQ(passes("a * exp(b + index(0))", kMatrixAndRow), 1u); }

TEST(Hoist, LeavesAllForFewElements) {
  EXPECT_EQ(made("a * exp(b)", kMatrixAndRow, {}, true, false).passes, 1u);
  EXPECT_EQ(made("a[:, None] * exp(b)", "a:float64[1] b:float64[1]", {}, true, false).passes, 2u) << "there may be many";
  EXPECT_EQ(made("a[:, None] * exp(b)", "a:float64[1] b:float64[1]", {}, true, true).passes, 1u);
}

TEST(Hoist, HeedsExtentsWhereTheyMatter) {
  EXPECT_TRUE(made("a * exp(b)", kMatrices, {}).heeds_extents);
  EXPECT_TRUE(made("a * exp(b)", kMatrixAndRow, {}).heeds_extents);
  EXPECT_FALSE(made("4*a + 5*a*b + 6*b*c", kMatrices, {}).heeds_extents);
  EXPECT_FALSE(made("exp(a) * a", kMatrices, {}).heeds_extents) << "one array has no other's extents";
}

}  // namespace
}  // namespace engine::plan

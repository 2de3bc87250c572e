#include <gtest/gtest.h>

#include "../ir/graph_text.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/plan/plan.hpp"

namespace engine::plan {
namespace {

Plan plan_of(std::string_view text, std::string_view operands) {
  static std::vector<std::unique_ptr<ir::Built>> keep;
  keep.push_back(std::make_unique<ir::Built>(ir::build_text(text, operands)));
  ir::Built& built = *keep.back();
  built.graph = opt::optimise(std::move(built.graph), {});
  return make_plan(built.graph, nullptr, {}, std::pmr::get_default_resource());
}
std::size_t temporaries(const Plan& plan) {
  std::size_t n = 0;
  for (const Buffer& buffer : plan.buffers) n += buffer.kind == Buffer::Kind::Temporary;
  return n;
}

TEST(Fuse, MakesOneKernelOfAnElementwiseProgram) {
  const Plan plan = plan_of("t = 4*a + 5*a*b; t + 6*b*c", "a:float64[2] b:float64[2] c:float64[2]");
  EXPECT_EQ(plan.kernels.size(), 1u);
  EXPECT_EQ(temporaries(plan), 0u);
  EXPECT_TRUE(plan.simple);
}

TEST(Fuse, SharesOnePassAmongReductionsOfOneSpace) {
  const Plan plan = plan_of("(max(a) - min(a))/mean(a)", "a:float64[1]");
  std::size_t folds = 0;
  for (const Kernel& kernel : plan.kernels) folds = std::max<std::size_t>(folds, kernel.n_folds);
  EXPECT_EQ(folds, 3u);
  EXPECT_EQ(plan.actions.size(), 2u);
}

TEST(Fuse, RunsAReductionBeforeWhatReadsIt) {
  const Plan plan = plan_of("mean((a - mean(a))**2)", "a:float64[1]");
  EXPECT_EQ(plan.actions.size(), 3u);
}

TEST(Fuse, JoinsStoresThatDoNotReadEachOther) {
  const Plan joined = plan_of("x[:] = a + b; y[:] = a - b", "x:float64[1] y:float64[1] a:float64[1] b:float64[1]");
  ASSERT_EQ(joined.actions.size(), 1u);
  EXPECT_NE(joined.actions[0].fused, kNone);  // taken where x and y have one length: known when they are bound
  EXPECT_EQ(joined.kernels[joined.actions[0].fused].n_stores, 2u);
  const Plan nothing_shared = plan_of("x[:] = a + 1; y[:] = b - 1", "x:float64[1] y:float64[1] a:float64[1] b:float64[1]");
  EXPECT_EQ(nothing_shared.actions.size(), 2u);
  const Plan apart = plan_of("x[...] = a; y[...] = x", "x:float64[1] y:float64[1] a:float64[1]");
  EXPECT_EQ(apart.actions.size(), 2u);
}

TEST(Fuse, WritesAFewOperandsAtOnceAtMost) {
  std::string text, operands = "a:float64[1]";
  for (int i = 0; i < 20; ++i) {
    text += "x" + std::to_string(i) + "[...] = a + 1\n";
    operands += " x" + std::to_string(i) + ":float64[1]";
  }
  const Plan plan = plan_of(text, operands);
  ASSERT_EQ(plan.actions.size(), 3u);
  for (const Action& action : plan.actions) EXPECT_LE(plan.kernels[action.fused].n_stores, 8u);
}

TEST(Fuse, CopiesAnOperandThatIsNeededAsItWas) {
  EXPECT_EQ(temporaries(plan_of("t = a*2; a[0] = 1; t", "a:float64[1]")), 1u);
  EXPECT_EQ(temporaries(plan_of("a[0] = 1; a*2", "a:float64[1]")), 0u);
}

TEST(Fuse, ReadsAllSlicesOfOneArrayInOnePass) {
  const Plan plan = plan_of("a[1:-1] + 0.5*(a[:-2] + a[2:])", "a:float64[1]");
  EXPECT_EQ(plan.kernels.size(), 1u);
  EXPECT_EQ(temporaries(plan), 0u);
}

TEST(Fuse, ComputesExponentChecksBeforeTheFirstWrite) {
  const Plan plan = plan_of("x[0] = 1; y[...] = a**b", "x:int64[1] y:int64[1] a:int64[1] b:int64[1]");
  std::size_t check = 0, store = 0;
  for (std::size_t i = 0; i < plan.actions.size(); ++i) {
    if (plan.actions[i].kind == Action::Kind::Check) check = i;
    if (plan.actions[i].kind == Action::Kind::Run && plan.kernels[plan.actions[i].first].n_stores && !store) store = i;
  }
  EXPECT_LT(check, store);
}

}  // namespace
}  // namespace engine::plan

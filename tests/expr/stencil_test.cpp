// Stencils from C++: steps one by one and several at a time.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <cstring>
#include <optional>
#include <vector>

namespace engine {
namespace {

constexpr const char* kText = "0.25*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1]) + 0.001*u[-2,1]";
/// More than the caches that steps are kept in, of rows that are a part of them.
const Shape kLarge{300, 2000};

std::vector<double> field() {
  std::vector<double> values(static_cast<std::size_t>(n_items(kLarge)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * 7919 % 1000) / 1000;
  return values;
}

bool same_bits(const Array& x, const Array& y) {
  return x.dtype() == y.dtype() && x.shape() == y.shape() &&
         std::memcmp(x.view().data, y.view().data, static_cast<std::size_t>(x.size()) * item_size(x.dtype())) == 0;
}

/// Runs of the calling thread, which makes all of them where it is alone.
std::uint64_t runs_of(const Stencil& stencil, const Names& names, const Steps& steps) {
  const std::uint64_t before = last_run().runs;
  stencil.run(names, steps);
  return last_run().runs - before;
}

TEST(Steps, SeveralAtATimeHaveTheBitsOfSingleOnes) {
  const std::vector<double> values = field();
  const Names names{{"u", view(values, kLarge)}};
  for (const Beyond& beyond : {Beyond(Boundary::Reflect), Beyond(Boundary::Mirror), Beyond(Boundary::Nearest), Beyond(Boundary::Keep),
                               Beyond(Boundary::Constant, 0.5), Beyond({Sides(Boundary::Keep, Boundary::Constant), Boundary::Wrap})}) {
    const auto stencil = Stencil::compile(kText, {.beyond = beyond});
    for (const std::int64_t steps : {2, 7, 20}) {
      const Array single = stencil.run(names, {.steps = steps, .is_blocked = false})[0];
      for (const int threads : {1, 2, 5})
        EXPECT_TRUE(same_bits(stencil.run(names, {.steps = steps, .run = {.threads = threads}})[0], single)) << steps << " " << threads;
    }
  }
}

TEST(Steps, AreTakenSeveralAtATimeWhereNobodyAsksInBetweenAndNothingWrapsAround) {
  const std::vector<double> values = field();
  const Names names{{"u", view(values, kLarge)}};
  const auto reflects = Stencil::compile(kText), wraps = Stencil::compile(kText, {.beyond = Boundary::Wrap});
  const RunOptions alone{.threads = 1};
  EXPECT_EQ(runs_of(reflects, names, {.steps = 8, .is_blocked = false, .run = alone}), 8u);
  EXPECT_GT(runs_of(reflects, names, {.steps = 8, .run = alone}), 3 * 8u);  // parts of each
  EXPECT_EQ(runs_of(wraps, names, {.steps = 8, .run = alone}), 8u);
  const auto go_on = [](void*, std::int64_t, std::span<const ArrayView>) { return true; };
  EXPECT_EQ(runs_of(reflects, names, {.steps = 8, .stepped = go_on, .run = alone}), 8u);
}

TEST(Steps, OfWideFootprintsAreTakenSeveralAtATimeOnSmallerGridsToo) {
  const Shape few{600, 2000};
  std::vector<double> values(static_cast<std::size_t>(n_items(few)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i * 7919 % 1000);
  const Names names{{"u", view(values, few)}};
  const auto wide = Stencil::compile("0.25*(u[-5,0] + u[5,0] + u[0,-1] + u[0,1])");
  const RunOptions alone{.threads = 1};
  EXPECT_GT(runs_of(wide, names, {.steps = 8, .run = alone}), 3 * 8u);
  EXPECT_TRUE(same_bits(wide.run(names, {.steps = 8})[0], wide.run(names, {.steps = 8, .is_blocked = false})[0]));
}

TEST(Steps, AreToldTheFieldsAndEndWhereTheyAreTo) {
  std::vector<double> values{0, 0, 8, 0};
  std::vector<double> heard;
  const auto hear = [](void* context, std::int64_t step, std::span<const ArrayView> fields) {
    static_cast<std::vector<double>*>(context)->push_back(static_cast<const double*>(fields[0].data)[2]);
    return step < 3;
  };
  const auto heat = Stencil::compile("u += 0.25*(u[-1] + u[1] - 2*u)", {.beyond = Boundary::Wrap});
  EXPECT_THROW(heat.run({{"u", view(values)}}, {.steps = 9, .stepped = hear, .context = &heard}), Interrupted);
  EXPECT_EQ(heard, (std::vector<double>{4, 3, 2.5}));
  EXPECT_EQ(values[2], 8);
  const Array settled = heat.run({{"u", view(values)}}, {.steps = 999, .until = "max(abs(u - u_old)) < 1e-9"})[0];
  EXPECT_NEAR(settled.at<double>(0), 2, 1e-8);
}

TEST(Stencil, IsAValueWhoseCopiesOutliveIt) {
  const std::vector<double> values{1, 2, 3};
  std::optional<Stencil> first = Stencil::compile("u[-1]", {.beyond = Boundary::Wrap});
  Stencil copy = Stencil::compile("u[1]");
  copy = *first;
  first.reset();
  EXPECT_EQ(copy.text(), "u[-1]");
  EXPECT_EQ(copy.run({{"u", view(values)}})[0].at<double>(0), 3);
}

TEST(Stencil, RefusesTargetsThatAreNotItsFields) {
  std::vector<double> values(6), other(6);
  std::vector<float> narrow(6);
  const auto stencil = Stencil::compile("u[1]");
  const Operand operands[] = {view(values)};
  const ArrayView good[] = {view(other)}, wrong[] = {view(narrow)};
  EXPECT_EQ(stencil.run(operands, good, {}), 1);
  EXPECT_THROW(stencil.run(operands, wrong, {}), ShapeError);
  EXPECT_THROW(stencil.run(operands, {}, {}), ShapeError);
  EXPECT_THROW(stencil.run(operands, good, {.steps = -1}), ShapeError);
  EXPECT_THROW(stencil.run(operands, good, {.every = 0}), ShapeError);
  EXPECT_THROW(engine::stencil("u = u[1]; v = v[1]", {{"u", view(values)}, {"v", view(other)}}), ShapeError);
}

}  // namespace
}  // namespace engine

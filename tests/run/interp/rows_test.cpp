// Which kernels go from row to row, and how many rows at once: what results do not show.
#include <gtest/gtest.h>

#include <memory_resource>
#include <vector>

#include "engine/frontend/parser.hpp"
#include "engine/ir/build.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/run/interp/block.hpp"
#include "engine/run/interp/scratch.hpp"
#include "engine/run/jit/jit.hpp"

namespace engine::run::interp {
namespace {

struct Found {
  bool walks_rows = false, by_machine = false;
  std::int64_t rows_at_once = 0;
};

/// Of the value of a text over views of (rows, 400) doubles whose elements lie `step` elements apart.
/// `before`: runs before.
Found find(std::string_view text, std::int64_t step = 1, std::int64_t rows = 300, int before = 0) {
  constexpr std::int64_t kColumns = 400;
  std::vector<double> data(static_cast<std::size_t>(3 * rows * kColumns)), result(static_cast<std::size_t>(rows * kColumns));
  ArrayView view{.data = data.data(), .shape = {rows, kColumns}, .strides = {24 * kColumns, 8 * step}};
  if (step < 0) view.data = data.data() + kColumns - 1;
  const Operand operand(view);
  std::pmr::monotonic_buffer_resource memory;
  const Options options;
  const frontend::Ast ast = frontend::parse(text, options.limits, &memory);
  const std::vector<ir::OperandType> types(ast.symbols.size(), {DType::Float64, 2});
  const bool present[] = {true, true};
  ir::BuildResult built = ir::build(ast, types, present, options, false, &memory);
  built.graph = opt::optimise(std::move(built.graph), options);
  const plan::Plan plan = plan::make_plan(built.graph, nullptr, options, &memory);
  const Operand* const slots[] = {&operand, &operand};
  const auto allocate = [](void* context, DType, const Shape&, const Strides&, std::size_t) -> void* {
    return static_cast<std::vector<double>*>(context)->data();
  };
  plan::Binding binding(&memory);
  plan::bind(built.graph, plan, std::span(slots, built.graph.slots.size()), nullptr, Order::K, options.limits, {allocate, &result},
             binding);
  const Code code = compile(built.graph, plan, plan.kernels[0], &memory, jit::compiler());
  const plan::BoundKernel& kernel = binding.steps[0].kernels[0];
  for (int run = 0; run < before; ++run) BlockRunner(code, kernel, Scratch::of_thread().get(working_bytes(code, kernel)), &memory);
  const BlockRunner runner(code, kernel, Scratch::of_thread().get(working_bytes(code, kernel)), &memory);
  return {runner.walks_rows(), runner.machine_walks(), runner.rows_at_once()};
}

class Rows : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!jit::compiler()) GTEST_SKIP() << jit::reason();
  }
};

TEST_F(Rows, ThatShareWhatTheyReadAreComputedFourAtATime) {
  for (const std::int64_t step : {1, 2, -1}) {
    const Found found = find("a[2:] + 2*a[1:-1] - a[:-2]", step);
    EXPECT_TRUE(found.walks_rows) << step;
    EXPECT_EQ(found.rows_at_once, 4) << step;
  }
}

TEST_F(Rows, OfLongProgramsAreComputedTwoAtATime) {
  std::string text = "a[2:] + 2*a[1:-1] - a[:-2]";
  for (int i = 3; i < 14; ++i) text += " + " + std::to_string(i) + "*a[2:]*a[1:-1]*a[:-2]";
  EXPECT_EQ(find(text).rows_at_once, 2);
}

TEST_F(Rows, ThatShareARowAreComputedFourAtATimeWhereTheirStoresGoPastTheCaches) {
  EXPECT_EQ(find("a * a[0]", 1, 8000).rows_at_once, 4);
  EXPECT_EQ(find("a * a[0]").rows_at_once, 1) << "it stays in a cache, and the machine goes from row to row";
  EXPECT_EQ(find("a[2:] * a[0] + a[1:-1] - a[:-2]").rows_at_once, 4) << "of what is shared with neighbours";
  EXPECT_EQ(find("a * a[:, :1]").rows_at_once, 1) << "a number of each row is no row";
}

TEST_F(Rows, ThatShareNothingAreComputedOneByOne) {
  EXPECT_EQ(find("a[:, 2:] + a[:, 1:-1]").rows_at_once, 1);
  EXPECT_EQ(find("a[40:] + a[:-40]").rows_at_once, 1) << "too far apart to be read again soon";
}

TEST_F(Rows, AreLeftToTheMachineWhereTheirStoresGoIntoTheCaches) {
  EXPECT_TRUE(find("a[:, 1:] * 2").by_machine);
  EXPECT_TRUE(find("a[2:] + 2*a[1:-1] - a[:-2]").by_machine);
  EXPECT_FALSE(find("a[:, 1:] * 2", 1, 8).by_machine) << "too few for the time that its code takes";
  EXPECT_TRUE(find("a[:, 1:] * 2", 1, 8, 2).by_machine) << "unless they come again";
  EXPECT_FALSE(find("a[:, 1:] * 2", 1, 8000).by_machine) << "more than the caches hold";
}

TEST_F(Rows, OfElementsThatLieOtherwiseArePacked) {
  EXPECT_TRUE(find("a[:, 2:] + a[:, 1:-1]", 2).walks_rows);
  EXPECT_FALSE(find("a[:, ::3] + a[:, ::3]*2").walks_rows);
}

}  // namespace
}  // namespace engine::run::interp

// The whole way from C++: text and arrays in, array out.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <cmath>
#include <thread>
#include <vector>

namespace engine {
namespace {

struct Caller {
  std::vector<double> result;
  static void* allocate(void* context, DType, const Shape& shape, const Strides&, std::size_t) {
    auto* self = static_cast<Caller*>(context);
    self->result.resize(static_cast<std::size_t>(n_items(shape)) + 1);
    return self->result.data();
  }
};

Operand array(std::vector<double>& data, Shape shape) {
  Operand operand;
  operand.present = true;
  operand.array.data = data.data();
  operand.array.shape = shape;
  std::int64_t stride = 8;
  operand.array.strides.resize(shape.size(), 0);
  for (int axis = shape.size() - 1; axis >= 0; --axis) {
    operand.array.strides[axis] = stride;
    stride *= shape[axis];
  }
  return operand;
}

std::vector<double> evaluate(const Program& program, std::vector<Operand> operands) {
  Caller caller;
  Execution execution(program, operands.data(), nullptr, Order::K, {&Caller::allocate, &caller});
  execution.run();
  caller.result.pop_back();
  return caller.result;
}

TEST(Evaluate, ComputesTheSeedExpression) {
  std::vector<double> a(1000), b(1000), c(1000);
  for (std::size_t i = 0; i < 1000; ++i)
    a[i] = 0.1 * static_cast<double>(i), b[i] = 1.0 / (1.0 + static_cast<double>(i)), c[i] = std::sqrt(static_cast<double>(i));
  const auto program = Program::compile("4*a + 5*a*b + 6*b*c");
  const auto d = evaluate(*program, {array(a, {1000}), array(b, {1000}), array(c, {1000})});
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(d[i], 4 * a[i] + 5 * a[i] * b[i] + 6 * b[i] * c[i]);
}

TEST(Evaluate, WritesASliceAndLeavesTheBorder) {
  std::vector<double> a(16), b(16, -1);
  for (std::size_t i = 0; i < 16; ++i) a[i] = static_cast<double>(i);
  const auto program = Program::compile("b[1:-1, 1:-1] = a[:-2, 1:-1] + a[2:, 1:-1]");
  std::vector<Operand> operands{array(b, {4, 4}), array(a, {4, 4})};
  Execution execution(*program, operands.data(), nullptr, Order::K, {nullptr, nullptr});
  execution.run();
  EXPECT_EQ(execution.target_name(), 0);
  EXPECT_EQ(execution.result().shape, (Shape{2, 2}));
  EXPECT_EQ(b[5], a[1] + a[9]);
  EXPECT_EQ(b[0], -1);
  EXPECT_EQ(b[15], -1);
}

TEST(Evaluate, ReducesBeforeItReads) {
  std::vector<double> a{1, 2, 3, 6};
  EXPECT_EQ(evaluate(*Program::compile("a - mean(a)"), {array(a, {4})}), (std::vector<double>{-2, -1, 0, 3}));
  EXPECT_EQ(evaluate(*Program::compile("sum(a, axis=0)"), {array(a, {2, 2})}), (std::vector<double>{4, 8}));
}

TEST(Evaluate, TakesNoShapeFromAnOperandThatIsNotRead) {
  std::vector<double> a{1, 2, 3};
  EXPECT_EQ(evaluate(*Program::compile("a; v = float64(8); v[None]"), {array(a, {3})}), std::vector<double>{8});
}

TEST(Evaluate, LeavesTargetsUntouchedOnErrors) {
  std::vector<double> a(4, 1), b(3, 2);
  const auto program = Program::compile("a[...] = b");
  std::vector<Operand> operands{array(a, {4}), array(b, {3})};
  EXPECT_THROW(Execution(*program, operands.data(), nullptr, Order::K, {nullptr, nullptr}), ShapeError);
  EXPECT_EQ(a, std::vector<double>(4, 1));
}

TEST(Evaluate, OneProgramServesSixtyFourThreads) {
  const auto program = Program::compile("sum(a*s) + n");
  std::vector<std::thread> threads;
  std::vector<double> results(64);
  for (std::size_t t = 0; t < 64; ++t)
    threads.emplace_back([&, t] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<double> a(100 + t, 2.0);
        std::vector<Operand> operands{array(a, {static_cast<std::int64_t>(a.size())}), {}, {}};
        operands[1].present = operands[2].present = true;
        operands[1].weak = Weak::Float;
        const double half = 0.5;
        __builtin_memcpy(operands[1].scalar, &half, 8);
        operands[2].weak = Weak::Int;
        const auto n = static_cast<std::uint64_t>(t % 7);
        __builtin_memcpy(operands[2].scalar, &n, 8);
        results[t] = evaluate(*program, operands)[0];
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < 64; ++t) EXPECT_EQ(results[t], 100.0 + static_cast<double>(t) + static_cast<double>(t % 7));
}

TEST(Evaluate, SharesOnePlanAmongCallsAndBoundsTheirNumber) {
  const auto program = Program::compile("a[n:]*2");
  std::vector<double> a(300);
  for (std::uint64_t n = 0; n < 300; ++n) {
    std::vector<Operand> operands{array(a, {300}), {}};
    operands[1].present = true;
    operands[1].weak = Weak::Int;
    __builtin_memcpy(operands[1].scalar, &n, 8);
    EXPECT_EQ(evaluate(*program, operands).size(), 300 - n);
  }
}

}  // namespace
}  // namespace engine

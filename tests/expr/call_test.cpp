// Texts with named operands, in one call.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <complex>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace engine {
namespace {

TEST(Call, TakesNumbersAsPythonDoes) {
  std::vector<float> a{1, 2};
  std::vector<std::int8_t> b{1, 2};
  EXPECT_EQ(evaluate("a*t", {{"a", view(a)}, {"t", 2.0}}).dtype(), DType::Float32);
  EXPECT_EQ(evaluate("b + t", {{"b", view(b)}, {"t", 100}}).dtype(), DType::Int8);
  EXPECT_THROW(evaluate("b + t", {{"b", view(b)}, {"t", 200}}), RangeError);
  EXPECT_EQ(evaluate("b + t", {{"b", view(b)}, {"t", true}}).dtype(), DType::Int8);
  EXPECT_EQ(evaluate("a + t", {{"a", view(a)}, {"t", std::complex<double>(0, 1)}}).dtype(), DType::Complex64);
  const Array strong(Shape{}, {2.0});
  EXPECT_EQ(evaluate("a*t", {{"a", view(a)}, {"t", strong}}).dtype(), DType::Float64);
}

TEST(Call, KeepsTheValueOfEveryNumber) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(evaluate("uint64(t)", {{"t", kMost}}).item<std::uint64_t>(), kMost);
  EXPECT_EQ(evaluate("int64(t)", {{"t", kLeast}}).item<std::int64_t>(), kLeast);
  EXPECT_EQ(evaluate("int64(t)", {{"t", static_cast<unsigned char>(200)}}).item<std::int64_t>(), 200);
  EXPECT_EQ(evaluate("bool(t)", {{"t", true}}).item<bool>(), true);
  EXPECT_EQ(evaluate("float64(t)", {{"t", 0.1f}}).item<double>(), static_cast<double>(0.1f));
  const std::complex<float> z{1.5f, -2};
  EXPECT_EQ(evaluate("complex64(t)", {{"t", z}}).item<std::complex<float>>(), z);
}

TEST(Call, NeedsTheNamesOfTheTextAndNoOthers) {
  EXPECT_EQ(evaluate("a + 1", {{"a", 2}, {"unused", 3}, {"a", 5}}).item<std::int64_t>(), 6);  // the last one counts
  try {
    evaluate("a + speed", {{"a", 2}, {"sped", 3}});
    FAIL();
  } catch (const UnknownName& error) {
    EXPECT_NE(std::string(error.what()).find("| a + speed\n  |     ^^^^^"), std::string::npos) << error.what();
  }
}

TEST(Call, ReturnsACopyOfWhatItWroteInPlace) {
  std::vector<double> a{1, 2, 3, 4};
  Array written = evaluate("a[1:-1] = 0; a[1:-1] += 5", {{"a", view(a)}});
  EXPECT_EQ(a, (std::vector<double>{1, 5, 5, 4}));
  EXPECT_EQ(written.shape(), Shape{2});
  written.at<double>(0) = 9;
  EXPECT_EQ(a[1], 5);
  execute("a *= 2", {{"a", view(a)}});
  EXPECT_EQ(a, (std::vector<double>{2, 10, 10, 8}));
}

TEST(Call, WritesIntoTheCallersArrayThroughOverlap) {
  std::vector<double> a{0, 1, 2, 3, 4, 5};
  evaluate_into(view(a.data() + 5, {5}, {-8}), "a + 10", {{"a", view(a.data(), {5})}});
  EXPECT_EQ(a, (std::vector<double>{0, 14, 13, 12, 11, 10}));
  std::vector<int> narrow(3);
  EXPECT_THROW(evaluate_into(view(narrow), "a/2", {{"a", view(narrow)}}), DTypeError);
  Options unsafe;
  unsafe.casting = Casting::Unsafe;
  narrow = {2, 4, 6};
  evaluate_into(view(narrow), "a/2", {{"a", view(narrow)}}, unsafe);
  EXPECT_EQ(narrow, (std::vector<int>{1, 2, 3}));
}

TEST(Call, DoesNotMixUpOptionsOfOneText) {
  std::vector<double> a(6);
  const Named name{"a", view(a, {2, 3})};
  Options fortran;
  fortran.order = Order::F;
  for (int repeat = 0; repeat < 3; ++repeat) {
    EXPECT_EQ(evaluate("a + 1", {name}).strides(), (Strides{24, 8}));
    EXPECT_EQ(evaluate("a + 1", {name}, fortran).strides(), (Strides{8, 16}));
  }
}

TEST(Call, AnswersAfterMoreTextsThanItKeeps) {
  for (int round = 0; round < 2; ++round)
    for (int n = 0; n < 700; ++n) ASSERT_EQ(evaluate("a + " + std::to_string(n), {{"a", 1}}).item<std::int64_t>(), n + 1);
}

TEST(Call, IsSafeFromManyThreads) {
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int n = 0; n < 600; ++n)  // beyond what is kept, in other orders
        wrong[static_cast<std::size_t>(t)] +=
            evaluate("a*" + std::to_string((n * (2 * t + 1)) % 300), {{"a", 2}}).item<std::int64_t>() != 2 * ((n * (2 * t + 1)) % 300);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(Call, UsesAsManyThreadsAsItMay) {
  const Array a(DType::Float64, {1'000'000});
  Options options;
  options.threads = 2;
  evaluate("sqrt(a)*sqrt(a + 1)", {{"a", a}}, options);
  EXPECT_EQ(last_run().threads, 2);
  options.threads = 1;
  evaluate("sqrt(a)*sqrt(a + 1)", {{"a", a}}, options);
  EXPECT_EQ(last_run().threads, 1);
}

TEST(Call, AllocatesNoMoreThanTheLimit) {
  const Array a(DType::Float64, {1000});
  Options options;
  options.limits.result_bytes = 7999;
  EXPECT_THROW(evaluate("a + 1", {{"a", a}}, options), LimitError);
  options.limits.result_bytes = 8000;
  EXPECT_EQ(evaluate("a + 1", {{"a", a}}, options).size(), 1000);
}

TEST(Call, ExplainsWithNames) {
  std::vector<double> a(3);
  EXPECT_NE(compile("2*a + b").explain({{"a", view(a)}, {"b", 1.0}}).find("1 fused pass"), std::string::npos);
  EXPECT_THROW(compile("2*a + b").explain({{"a", view(a)}}), UnknownName);
}

}  // namespace
}  // namespace engine

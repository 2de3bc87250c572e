// The whole way from C++: text and arrays in, array out.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
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
  const auto d = evaluate(program, {array(a, {1000}), array(b, {1000}), array(c, {1000})});
  for (std::size_t i = 0; i < 1000; ++i) EXPECT_EQ(d[i], 4 * a[i] + 5 * a[i] * b[i] + 6 * b[i] * c[i]);
}

TEST(Evaluate, GivesTheSameBitsByOneBlockAsByTheLoopOverBlocks) {
  std::vector<double> a(1100), b(1100), number{-0.25};
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = 0.1 * static_cast<double>(i) - 20, b[i] = 1.0 / (1.0 + static_cast<double>(i));
  RunOptions watched;  // which only the loop looks at
  watched.interrupted = [](void*) { return false; };
  // Numbers, an operand of rank 0, what is computed once, a value that is an operand's own, casts, positions, one array as both.
  for (const char* text : {"4*a + 5*a*b + 6*b*s", "where(a > 0, sqrt(s*s) + a, s)", "a", "float32(a) * 2", "int64(a) // 3", "a > b",
                           "a*0 + 7", "index(0) + a*b", "exp(s) - a", "abs(a - 1j*b)"}) {
    const auto program = Program::compile(text);
    for (const std::int64_t n : {0, 1, 7, 8, 63, 500, 511, 512, 513, 1024}) {
      for (const std::int64_t skew : {0, 1, 4}) {  // bytes
        std::vector<Operand> operands;
        for (std::size_t i = 0; i < program.n_names(); ++i) {
          const std::string_view name = program.name(i);
          operands.push_back(array(name == "a" ? a : name == "b" ? b : number, name == "s" ? Shape{} : Shape{n}));
          if (name == "a") operands.back().array.data = reinterpret_cast<std::byte*>(a.data()) + skew;
        }
        std::vector<std::byte> results[2];
        for (const RunOptions& options : {RunOptions{}, watched}) {
          std::vector<std::byte>& bytes = results[options.interrupted ? 1 : 0];
          const Allocator allocator{[](void* context, DType, const Shape&, const Strides&, std::size_t size) -> void* {
                                      auto* memory = static_cast<std::vector<std::byte>*>(context);
                                      memory->assign(size + 1, std::byte{0xA5});
                                      return memory->data();
                                    },
                                    &bytes};
          Execution execution(program, operands.data(), nullptr, Order::K, allocator);
          execution.run(options);
        }
        EXPECT_EQ(results[0], results[1]) << text << ", " << n << " elements, a " << skew << " bytes off";
      }
    }
    std::vector<double> here[2] = {a, a};  // out is an operand
    for (const RunOptions& options : {RunOptions{}, watched}) {
      std::vector<double>& mine = here[options.interrupted ? 1 : 0];
      std::vector<Operand> operands;
      for (std::size_t i = 0; i < program.n_names(); ++i) {
        const std::string_view name = program.name(i);
        operands.push_back(array(name == "a" ? mine : name == "b" ? b : number, name == "s" ? Shape{} : Shape{300}));
      }
      const ArrayView out = array(mine, {300}).array;
      if (std::string_view(text).find('j') != std::string_view::npos) continue;
      Execution execution(program, operands.data(), &out, Order::K, {nullptr, nullptr});
      execution.run(options);
    }
    EXPECT_EQ(std::memcmp(here[0].data(), here[1].data(), a.size() * 8), 0) << text;
  }
}

TEST(Evaluate, TellsHowMuchIsDoneAndStopsWhereThatIsWished) {
  std::vector<double> a(1 << 20, 0.5), told;
  const auto program = Program::compile("sum(exp(a)*sin(a)) + a");
  Caller caller;
  const Operand operands[] = {array(a, {1 << 20})};
  RunOptions options{.threads = 1};
  options.context = &told;
  options.progress_elements = 100'000;
  options.progressed = [](void* context, double share) {
    static_cast<std::vector<double>*>(context)->push_back(share);
    return true;
  };
  const auto run = [&] {
    Execution execution(program, operands, nullptr, Order::K, {&Caller::allocate, &caller});
    execution.run(options);
  };
  run();
  EXPECT_GE(told.size(), 15u);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 1);
  for (std::size_t i = 0; i + 1 < told.size(); ++i) EXPECT_LT(told[i + 1] - told[i], 0.2);

  told.clear();
  options.progressed = [](void* context, double share) {
    static_cast<std::vector<double>*>(context)->push_back(share);
    return share < 0.4;
  };
  EXPECT_THROW(run(), Interrupted);
  EXPECT_LT(told.back(), 0.6);
}

TEST(Evaluate, WritesASliceAndLeavesTheBorder) {
  std::vector<double> a(16), b(16, -1);
  for (std::size_t i = 0; i < 16; ++i) a[i] = static_cast<double>(i);
  const auto program = Program::compile("b[1:-1, 1:-1] = a[:-2, 1:-1] + a[2:, 1:-1]");
  std::vector<Operand> operands{array(b, {4, 4}), array(a, {4, 4})};
  Execution execution(program, operands.data(), nullptr, Order::K, {nullptr, nullptr});
  execution.run();
  EXPECT_EQ(execution.target_name(), 0);
  EXPECT_EQ(execution.result().shape, (Shape{2, 2}));
  EXPECT_EQ(b[5], a[1] + a[9]);
  EXPECT_EQ(b[0], -1);
  EXPECT_EQ(b[15], -1);
}

TEST(Evaluate, ReducesBeforeItReads) {
  std::vector<double> a{1, 2, 3, 6};
  EXPECT_EQ(evaluate(Program::compile("a - mean(a)"), {array(a, {4})}), (std::vector<double>{-2, -1, 0, 3}));
  EXPECT_EQ(evaluate(Program::compile("sum(a, axis=0)"), {array(a, {2, 2})}), (std::vector<double>{4, 8}));
}

TEST(Evaluate, TakesNoShapeFromAnOperandThatIsNotRead) {
  std::vector<double> a{1, 2, 3};
  EXPECT_EQ(evaluate(Program::compile("a; v = float64(8); v[None]"), {array(a, {3})}), std::vector<double>{8});
}

TEST(Evaluate, LeavesTargetsUntouchedOnErrors) {
  std::vector<double> a(4, 1), b(3, 2);
  const auto program = Program::compile("a[...] = b");
  std::vector<Operand> operands{array(a, {4}), array(b, {3})};
  EXPECT_THROW(Execution(program, operands.data(), nullptr, Order::K, {nullptr, nullptr}), ShapeError);
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
        results[t] = evaluate(program, operands)[0];
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
    EXPECT_EQ(evaluate(program, operands).size(), 300 - n);
  }
}

TEST(Evaluate, RefusesSpacesWithMoreElementsThanCanBeCounted) {
  double one = 1;
  std::vector<Operand> operands(2);
  constexpr std::int64_t kMany = std::int64_t{1} << 40;
  for (Operand& operand : operands) {
    operand.present = true;
    operand.array.data = &one;
    operand.array.strides = {0, 0};
  }
  operands[0].array.shape = {kMany, 1};
  operands[1].array.shape = {1, kMany};
  for (const char* text : {"sum(a*b)", "a*b", "max(a + b) - min(a)", "a*b + index()"}) {
    EXPECT_THROW(evaluate(Program::compile(text), operands), ShapeError) << text;
  }
}

// ---- what is said about it -------------------------------------------------------------------------------------------

TEST(LastRun, CountsWhatThereWasToDo) {
  std::vector<double> a(10, 1.0), b(10, 2.0);
  const auto program = Program::compile("2*a + b - 1001");
  evaluate(program, {array(a, {10}), array(b, {10})});
  const RunInfo first = last_run();
  EXPECT_TRUE(first.compiled);
  for (const std::int64_t time : first.stages) EXPECT_GT(time, 0);
  EXPECT_EQ(first.traffic.kernels, 1u);
  EXPECT_EQ(first.traffic.operations, 30u);
  EXPECT_EQ(first.traffic.bytes_read, 160u);
  EXPECT_EQ(first.traffic.bytes_written, 80u);
  evaluate(program, {array(a, {5}), array(b, {5})});
  EXPECT_FALSE(last_run().compiled);
  EXPECT_EQ(last_run().runs, first.runs + 1);
  EXPECT_EQ(last_run().traffic.operations, 15u);
  std::thread([] { EXPECT_EQ(last_run().runs, 0u); }).join();
}

TEST(LastRun, IsThatOfTheLastRunWhateverKindItWas) {
  std::vector<double> a(12, 1.0);
  const auto simple = Program::compile("a + 1"), fold = Program::compile("sum(a)");
  for (int i = 0; i < 2; ++i) {
    evaluate(simple, {array(a, {12})});
    evaluate(fold, {array(a, {3, 4})});
    EXPECT_EQ(last_run().traffic.kernels, 2u);
    evaluate(simple, {array(a, {12})});
    EXPECT_EQ(last_run().traffic.kernels, 1u);
    EXPECT_EQ(last_run().traffic.operations, 12u);
  }
}

TEST(Program, IsAValueWhoseCopiesAreTheSameProgram) {
  std::vector<double> a(4, 1.0);
  std::optional<Program> first = Program::compile("a*2");
  Program copy = *first;
  evaluate(copy, {array(a, {4})});
  EXPECT_EQ(first->stats().compilations, 1u);
  EXPECT_EQ(&first->text(), &copy.text());
  first.reset();
  EXPECT_EQ(evaluate(copy, {array(a, {4})})[3], 2);
  Program other = Program::compile("a*3");
  copy = std::move(other);
  EXPECT_EQ(evaluate(copy, {array(a, {4})})[3], 3);
  other = copy;  // one that was moved from
  EXPECT_EQ(other.text(), "a*3");
}

TEST(ProgramStats, CountHitsAndCompilations) {
  std::vector<double> a(4, 1.0);
  const auto program = Program::compile("a*2");
  for (int i = 0; i < 3; ++i) evaluate(program, {array(a, {4})});
  evaluate(program, {array(a, {2, 2})});
  const ProgramStats stats = program.stats();
  EXPECT_EQ(stats.hits, 2u);
  EXPECT_EQ(stats.compilations, 2u);
  EXPECT_EQ(stats.plans, 2u);
  EXPECT_GT(stats.parse_ns, 0);
  EXPECT_GT(stats.compile_ns, 0);
}

TEST(Describe, NeedsNoMemoryForTheResultAndNeverReadsOperands) {
  Operand a;
  a.present = true;
  a.array.shape = {1 << 20, 1 << 20};
  a.array.strides = {8 << 20, 8};
  const Explanation explanation = Program::compile("2*a + a.T").describe(&a);
  EXPECT_NE(explanation.text.find("1 fused pass"), std::string::npos);
  EXPECT_NE(explanation.json.find("\"bytes_written\": 8796093022208"), std::string::npos);
}

TEST(Limits, OfTimeEndPreparingBeforeAnythingIsWritten) {
  std::vector<double> a(4, 1.0);
  Options options;
  options.limits.seconds = 1e-12;
  EXPECT_THROW(Program::compile("a*2 + 1", options), LimitError);
}

TEST(Predictions, CountBytesOnceAndKnowDataSheets) {
  Array a(DType::Float64, {1000, 1000});
  const auto predict = [&](const char* text, std::string_view architecture) {
    return Program::compile(text).predict({{"a", a}}, architecture);
  };
  const auto rows = backends();
  const auto cuda = std::find_if(rows.begin(), rows.end(), [](const Backend& row) { return row.name == "cuda"; });
  if (cuda->reason == "not part of this build") {
    EXPECT_THROW(predict("a + 1", "sm_90"), BackendError);
    return;
  }
  const Prediction sum = predict("a + 1", "sm_90"), slices = predict("a[:-1] + a[1:]", "sm_90");
  EXPECT_EQ(sum.bytes, 16e6);
  EXPECT_EQ(sum.device, "NVIDIA H100 SXM");
  EXPECT_GT(sum.seconds, sum.bytes / sum.bytes_per_second);
  EXPECT_LT(sum.seconds, predict("a + 1", "sm_75").seconds);
  EXPECT_EQ(slices.bytes, 8e6 + 8.0 * 999 * 1000) << "what two slices share is read once";
  const std::string text = predict("sum(a[::-1], axis=0) + a", "sm_90").text;
  EXPECT_NE(text.find("kernel 2 on NVIDIA H100 SXM: "), std::string::npos) << text;
  EXPECT_EQ(text.find("kernel 3"), std::string::npos) << text;
  EXPECT_EQ(predict("a[:0] + a[:0]", "sm_90").bytes, 0);
  for (const char* wrong : {"sm_91", "90", ""}) EXPECT_THROW(predict("a + 1", wrong), BackendError);
  try {
    predict("2*a[a > 0]", "sm_90");
    ADD_FAILURE() << "how much there is to do is not known";
  } catch (const BackendError& error) {
    EXPECT_NE(std::string_view(error.what()).find("follows from values"), std::string_view::npos) << error.what();
  }
}

TEST(Backends, SayWhyTheyAreNotUsable) {
  for (const Backend& backend : backends()) {
    EXPECT_FALSE(backend.reason.empty());
    Options options;
    options.backend = backend.choice;
    if (backend.usable)
      EXPECT_NO_THROW(Program::compile("a", options));
    else
      EXPECT_THROW(Program::compile("a", options), BackendError);
  }
}

}  // namespace
}  // namespace engine

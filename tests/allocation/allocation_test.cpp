// Memory that runs out at every place where some is asked for. Each scenario is run with its first allocation failing, its
// second, and so on until it runs through untouched; once with that allocation alone failing, once with all that follow.
// Each time: an OutOfMemory (or the scenario's own outcome, where the memory was not needed), no block leaked, operands and
// out as they were, and the next run right.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <engine/engine.h>
#include <engine/engine.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "failing_malloc.hpp"

namespace engine {
namespace {

/// An operand with memory of its own: numbers from 1 to 5 in a row-major block, at an offset and byte strides if wanted.
struct Input {
  DType dtype = DType::Float64;
  Shape shape;
  bool swapped = false;
  bool transposed = false;
  int offset = 0;  ///< bytes from an aligned address
};

struct Memory {
  std::vector<std::byte> bytes;
  ArrayView view;
};

template <class T>
void fill(std::byte* at, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T value = static_cast<T>(1 + i * 7 % 5);
    std::memcpy(at + i * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
  }
}

Memory make(const Input& input) {
  Memory memory;
  const auto item = static_cast<std::int64_t>(item_size(input.dtype));
  const std::int64_t n = n_items(input.shape);
  memory.bytes.resize(static_cast<std::size_t>(n * item + input.offset));
  std::byte* at = memory.bytes.data() + input.offset;
  switch (input.dtype) {
    case DType::Bool:
    case DType::Int8:
      fill<std::int8_t>(at, input.dtype == DType::Bool ? 0 : n);
      break;
    case DType::Int64:
      fill<std::int64_t>(at, n);
      break;
    case DType::Float32:
      fill<float>(at, n);
      break;
    case DType::Float64:
      fill<double>(at, n);
      break;
    case DType::Complex128:
      fill<double>(at, 2 * n);
      break;
    default:
      ADD_FAILURE() << "no numbers of that dtype";
  }
  if (input.swapped)
    for (std::int64_t i = 0; i < n; ++i) std::reverse(at + i * item, at + (i + 1) * item);
  memory.view.data = at;
  memory.view.dtype = input.dtype;
  memory.view.shape = input.shape;
  memory.view.swapped = input.swapped;
  memory.view.strides.resize(input.shape.size(), 0);
  std::int64_t stride = item;
  for (int axis = input.shape.size() - 1; axis >= 0; --axis) {
    memory.view.strides[axis] = stride;
    stride *= input.shape[axis];
  }
  if (input.transposed) {
    std::reverse(memory.view.shape.begin(), memory.view.shape.end());
    std::reverse(memory.view.strides.begin(), memory.view.strides.end());
  }
  return memory;
}

/// Where fresh results go: memory that is there beforehand, so that what fails is the engine's.
struct Fresh {
  std::vector<std::byte> bytes = std::vector<std::byte>(std::size_t{2} << 20);
  static void* allocate(void* context, DType, const Shape&, const Strides&, std::size_t n) {
    auto* self = static_cast<Fresh*>(context);
    if (n > self->bytes.size()) throw std::bad_alloc();
    return self->bytes.data();
  }
};

/// out: none, an array of its own, or operand 0 shifted by one element against itself.
enum class Out { None, Own, Shifted };

struct Scenario {
  const char* name;
  std::string text;
  std::vector<Input> inputs;
  Out out = Out::None;
  int threads = 1;
  ErrorKind error{};           ///< what it ends in where nothing fails; 0: in a result
  double seconds = 0;          ///< the time it has
  std::function<void()> call;  ///< instead of all that
};

std::string many(const char* term, int n, const char* joint) {
  std::string text;
  for (int i = 0; i < n; ++i) text += (i ? joint : "") + std::string(term) + (std::strcmp(term, "x") == 0 ? std::to_string(i) : "");
  return text;
}

std::vector<Input> repeat(const Input& input, int n) { return std::vector<Input>(static_cast<std::size_t>(n), input); }

const std::vector<Scenario>& scenarios() {
  const Input line{.shape = {1000}}, grid{.shape = {40, 30}}, large{.shape = {700, 300}}, whole{.dtype = DType::Int64, .shape = {50}};
  static const std::vector<Scenario> all{
      {"Seed", "4*a + 5*a*b + 6*b*c", repeat(line, 3)},
      {"IntoOut", "2*a + b", repeat(line, 2), Out::Own},
      {"OutShiftedAgainstItsOperand", "a[:-1] + a[1:] + a[0]", {line}, Out::Shifted},
      {"OutReversedAgainstItsOperand", "a[:-1] + a[-2::-1]", {line}, Out::Shifted},
      {"Sum", "sum(a)", {line}},
      {"SumOverOuterAxis", "sum(a, axis=0)", {grid}},
      {"SumOverInnerAxisKept", "sum(a*b, axis=1, keepdims=True)", repeat(grid, 2)},
      {"Normalised", "(a - mean(a, axis=0)) / std(a, axis=0)", {grid}},
      {"Variance", "var(a, ddof=1)", {grid}},
      {"PositionOfTheLargest", "argmax(a, axis=1)", {grid}},
      {"SeveralReductionsOfOneOperand", "mean(a) + var(a) + max(a) - min(a)", {line}},
      {"ReductionIntoALargeBuffer", "a - cumulative; 1", {grid}, Out::None, 1, ErrorKind::UnknownName},
      {"Locals", "t = a*b; u = t + sum(t); u/(1 + t)", repeat(line, 2)},
      {"StoreIntoASlice", "b[1:-1, 1:-1] = a[:-2, 1:-1] + a[2:, 1:-1]", repeat(grid, 2)},
      {"Augmented", "a += b; a *= sum(b)", repeat(line, 2)},
      {"OldValuesKept", "a[1:] = a[:-1]; b[...] = a + b; a[...] = b", repeat(line, 2)},
      {"LateCheck", "a -= 1; a **= b", repeat(whole, 2)},
      {"LateCheckThatFails", "a -= 1; a[...] = a**(a - b - 1)", repeat(whole, 2), Out::None, 1, ErrorKind::Range},
      {"SyntaxError", "a + (b * 3", {}, Out::None, 1, ErrorKind::Parse},
      {"MisspeltFunction", "squrt(a) + b", {}, Out::None, 1, ErrorKind::UnknownName},
      {"ShapesThatDoNotFit", "a + b[:3]", repeat(line, 2), Out::None, 1, ErrorKind::Shape},
      {"TypesThatDoNotCombine", "a << 2", {line}, Out::None, 1, ErrorKind::DType},
      {"ThreeHundredNames", many("x", 300, " + "), repeat({.shape = {7}}, 300)},
      {"DeepNesting", std::string(200, '(') + "a" + std::string(200, ')') + " + " + many("sqrt(a)", 90, " * "), {line}},
      {"UnalignedAndSwapped", "a*2 + b", {{.shape = {300}, .offset = 1}, {.shape = {300}, .swapped = true}}},
      {"TransposedAgainstBroadcast", "a + b*c", {{.shape = {20, 30}, .transposed = true}, {.shape = {30, 20}}, {.shape = {20}}}},
      {"Sort", "sort(a) - argsort(a)", {line}},
      {"Scan", "cumsum(a*b) + cummax(a)", repeat(line, 2)},
      {"Pick", "a[a > 2] * 2", {line}},
      {"Unique", "unique(a) + sum(a)", {line}},
      {"Middle", "median(a, axis=0) - quantile(a, 0.3, axis=0)", {grid}},
      {"Part", "partition(a, 7) + topk(a, 1000)", {line}},
      {"Count", "bincount(a) * 2", {whole}},
      {"Histogram", "histogram(a, 5)", {line}},
      {"LargeSortInThreads", "sort(a)", {{.shape = {300'000}}}, Out::Own, 3},
      {"LargeScanInThreads", "cumsum(a)", {{.shape = {300'000}}}, Out::Own, 3},
      {"LargePickInThreads", "a[a > 2]", {{.shape = {200'000}}}, Out::None, 3},
      {"Complex", "abs(a*a + conj(a))", {{.dtype = DType::Complex128, .shape = {200}}}},
      {"MixedTypes",
       "where(a > 2, b, c) + float16(a)",
       {{.dtype = DType::Int8, .shape = {400}}, {.dtype = DType::Float32, .shape = {400}}, {.dtype = DType::Int64, .shape = {400}}}},
      {"Functions", "exp(-a*a/2) + log1p(b) + sinc(a) + isclose(a, b)", repeat(line, 2)},
      {"Masked", "mean(a, where=b > 2) + sum(a, initial=5, where=b > 2)", repeat(grid, 2)},
      {"LargeStoresInThreads", "4*a + sqrt(a)*exp(a)", {large}, Out::Own, 3},
      {"LargeSumInThreads", "sum(sqrt(a)*exp(a))", {large}, Out::None, 3},
      {"LargeSumOverRowsInThreads", "sum(sqrt(a)*exp(a), axis=0) + max(exp(a), axis=0)", {large}, Out::None, 3},
      {"LargeStoresInPlaceInThreads", "t = sum(exp(a)*sqrt(a)); a += exp(a)/t; a *= sum(sqrt(a)*exp(a), axis=0)", {large}, Out::None, 3},
      {"TimeUp", "sqrt(exp(sin(a)))", {large}, Out::None, 3, ErrorKind::Limit, 1e-9},
      {.name = "Explanation",
       .text = "",
       .call =
           [] {
             Memory a = make({.shape = {40, 30}});
             Operand operand;
             operand.present = true;
             operand.array = a.view;
             const Explanation e = Program::compile("(a - mean(a, axis=0)) / std(a)").describe(&operand);
             if (e.text.empty() || e.json.empty()) throw std::runtime_error("no explanation");
           }},
      {.name = "Gradient",
       .text = "",
       .call =
           [] {
             if (gradient("exp(-x*x/2)*sin(x) + arctan2(x, y)", "x").empty()) throw std::runtime_error("no derivative");
           }},
  };
  return all;
}

enum class Outcome { AsExpected, NoMemory, Wrong };

/// Runs a scenario on memory that is there already, with allocations failing from `first` on, `count` of them.
class Attempt {
 public:
  explicit Attempt(const Scenario& scenario) : scenario_(scenario) {
    for (const Input& input : scenario.inputs) memory_.push_back(make(input));
    if (scenario.out == Out::Own) out_ = make(scenario.inputs[0]);
    if (scenario.out == Out::Shifted) {
      out_view_ = memory_[0].view;
      out_view_.shape[0] -= 1;
      out_view_.data = static_cast<std::byte*>(out_view_.data) + item_size(out_view_.dtype);
    } else if (scenario.out == Out::Own) {
      out_view_ = out_.view;
    }
    operands_.resize(memory_.size());
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      operands_[i].present = true;
      operands_[i].array = memory_[i].view;
    }
    before_ = state();
  }

  /// What is left in all the memory the scenario may write to.
  std::vector<std::vector<std::byte>> state() const {
    std::vector<std::vector<std::byte>> all;
    for (const Memory& memory : memory_) all.push_back(memory.bytes);
    all.push_back(out_.bytes);
    return all;
  }
  bool is_untouched() const { return state() == before_; }
  std::vector<std::byte> result() const { return {fresh_.bytes.begin(), fresh_.bytes.begin() + (1 << 16)}; }

  Outcome go(std::string& said) noexcept {
    try {
      if (scenario_.call) {
        scenario_.call();
        return Outcome::AsExpected;
      }
      const auto program = Program::compile(scenario_.text);
      if (program.n_names() > operands_.size()) operands_.resize(program.n_names());
      Execution execution(program, operands_.data(), scenario_.out == Out::None ? nullptr : &out_view_, Order::K,
                          {&Fresh::allocate, &fresh_});
      execution.run({.threads = scenario_.threads, .seconds = scenario_.seconds});
      return scenario_.error == ErrorKind{} ? Outcome::AsExpected : Outcome::Wrong;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::OutOfMemory) return Outcome::NoMemory;
      if (error.kind() == scenario_.error) return Outcome::AsExpected;
      copy(said, error.what());
    } catch (const std::bad_alloc&) {  // where there is not even memory for the message
      return Outcome::NoMemory;
    } catch (const std::exception& error) {
      copy(said, error.what());
    } catch (...) {
      copy(said, "something else");
    }
    return Outcome::Wrong;
  }

 private:
  /// `said` has room: nothing is allocated here, where memory is short.
  static void copy(std::string& said, const char* text) noexcept { said.assign(text, std::min(std::strlen(text), said.capacity())); }

  const Scenario& scenario_;
  std::vector<Memory> memory_;
  Memory out_;
  ArrayView out_view_;
  static inline Fresh fresh_;
  std::vector<Operand> operands_;
  std::vector<std::vector<std::byte>> before_;
};

class Allocation : public testing::TestWithParam<std::size_t> {};

/// Gives the number of allocations there are to fail.
long sweep(const Scenario& scenario, long count) {
  std::vector<std::vector<std::byte>> state;
  std::vector<std::byte> result;
  const auto once = [&](const char* when, long first) {
    Attempt attempt(scenario);
    std::string said;
    EXPECT_EQ(attempt.go(said), Outcome::AsExpected) << when << ' ' << first << ": " << said;
    if (state.empty()) state = attempt.state(), result = attempt.result();
    EXPECT_TRUE(attempt.state() == state && attempt.result() == result) << when << ' ' << first << ": another result";
  };
  once("before", 0);
  once("before", 0);  // now all that is kept from call to call is there
  for (long first = 1;; ++first) {
    std::string said(200, ' ');
    long failed = 0;
    {
      Attempt attempt(scenario);
      const long live = failing_malloc_live();
      failing_malloc_arm(first, count);
      const Outcome outcome = attempt.go(said);
      failed = failing_malloc_disarm();
      if (failed == 0) {
        EXPECT_EQ(outcome, Outcome::AsExpected);
        return first - 1;
      }
      EXPECT_NE(outcome, Outcome::Wrong) << "allocation " << first << ": " << said;
      EXPECT_LE(failing_malloc_live(), live) << "leaked at allocation " << first;
      if (outcome == Outcome::NoMemory) {
        EXPECT_TRUE(attempt.is_untouched()) << "written to at allocation " << first;
      }
    }
    once("after", first);
    if (testing::Test::HasFailure()) return first;
  }
}

TEST_P(Allocation, FailsOnceAndIsReported) { EXPECT_GT(sweep(scenarios()[GetParam()], 1), 0); }
TEST_P(Allocation, FailsFromThenOnAndIsReported) { EXPECT_GT(sweep(scenarios()[GetParam()], -1), 0); }

INSTANTIATE_TEST_SUITE_P(Scenarios, Allocation, testing::Range<std::size_t>(0, scenarios().size()),
                         [](const auto& info) { return scenarios()[info.param].name; });

TEST(AllocationFailure, IsInjectedIntoThirtyScenariosAtLeast) { EXPECT_GE(scenarios().size(), 30u); }

/// Threads, texts of derived functions, what is found out once about the machine: they come with the first use, so each
/// number is tried in a process that has had none.
void sweep_first_uses(const Scenario& scenario) {
  for (long count : {1L, -1L})
    for (long first = 1;; ++first) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        Attempt attempt(scenario);
        std::string said(200, ' ');
        failing_malloc_arm(first, count);
        const Outcome outcome = attempt.go(said);
        const long failed = failing_malloc_disarm();
        if (failed == 0) _exit(outcome == Outcome::AsExpected ? 0 : 2);
        if (outcome == Outcome::Wrong) _exit(3);
        if (outcome == Outcome::NoMemory && !attempt.is_untouched()) _exit(4);
        Attempt again(scenario);
        _exit(again.go(said) == Outcome::AsExpected ? 1 : 5);
      }
      int status = -1;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFEXITED(status)) << "allocation " << first << " ended the process by signal " << WTERMSIG(status);
      if (WEXITSTATUS(status) == 0) break;
      ASSERT_EQ(WEXITSTATUS(status), 1) << "allocation " << first;
    }
}

// First in the file, before anything has been used: gtest runs parameterised suites last.
TEST(AllocationFailure, FailsWhileThreadsAreStartedAndFewerDoTheWork) {
  sweep_first_uses({"", "sum(sqrt(a)*exp(a)) + a*b", repeat({.shape = {700, 300}}, 2), Out::Own, 4});
}
TEST(AllocationFailure, FailsWhileDerivedFunctionsAreReadForTheFirstTime) {
  sweep_first_uses({"", "nanstd(a, axis=0) + isclose(b, a) + sinc(a)", repeat({.shape = {30, 20}}, 2), Out::Own});
  sweep_first_uses({.name = "", .text = "squrt(a)", .error = ErrorKind::UnknownName});
}

/// Each number is tried in a thread that has had no error of the C interface before.
TEST(AllocationFailure, FailsAtAThreadsFirstErrorsInCAndTheyKeepTheirCode) {
  for (long count : {1L, -1L}) {
    bool is_done = false;
    for (long first = 1; !is_done; ++first) {
      engine_code code = ENGINE_OK, again = ENGINE_OK;
      bool has_words = false, has_all = false;
      std::thread([&] {
        engine_program* program = nullptr;
        failing_malloc_arm(first, count);
        code = engine_compile("a + (b", 6, nullptr, &program);
        const engine_error* error = engine_last_error();
        has_words = error->code == code && *error->message != 0;
        is_done = failing_malloc_disarm() == 0;
        again = engine_compile("a + (b", 6, nullptr, &program);
        error = engine_last_error();
        has_all = error->code == ENGINE_PARSE_ERROR && error->n_spans > 0 && std::strstr(error->message, "^");
      }).join();
      EXPECT_TRUE(code == ENGINE_PARSE_ERROR || code == ENGINE_OUT_OF_MEMORY) << code;
      EXPECT_TRUE(has_words) << first;
      EXPECT_EQ(again, ENGINE_PARSE_ERROR);
      EXPECT_TRUE(has_all) << first;
    }
  }
}

}  // namespace
}  // namespace engine

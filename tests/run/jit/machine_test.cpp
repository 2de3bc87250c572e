// Machine code against the interpreter's kernels, for each instruction set this CPU has.
#include <gtest/gtest.h>

#include <array>
#include <memory_resource>
#include <random>

#include "../samples.hpp"
#include "engine/run/jit/jit.hpp"

namespace engine::run::jit {
namespace {

using interp::Machine;
using interp::Meaning;
using interp::Step;

constexpr std::size_t kItems = 192;

/// Calls over values, each of which is memory of kItems elements.
class Sketch {
 public:
  std::uint32_t operand(DType dtype, bool is_uniform = false) {
    const std::uint32_t value = add(dtype, is_uniform);
    memory_[value] = sample(dtype, kItems, 7 * value + 3);
    return value;
  }
  /// One whose elements lie so many elements apart: 2 or -1.
  std::uint32_t operand_apart(DType dtype, std::int8_t step) {
    const std::uint32_t value = operand(dtype);
    steps_between_[value] = step;
    memory_[value] = sample(dtype, step == 2 ? 2 * kItems - 1 : kItems, 7 * value + 3);
    return value;
  }
  /// Of these numbers, over and over.
  template <class T>
  std::uint32_t operand_of(DType dtype, const std::vector<T>& numbers) {
    const std::uint32_t value = operand(dtype);
    for (std::size_t i = 0; i < kItems; ++i) std::memcpy(memory_[value].data() + i * sizeof(T), &numbers[i % numbers.size()], sizeof(T));
    return value;
  }
  std::uint32_t apply(catalog::Op op, std::size_t loop, std::vector<std::uint32_t> in) {
    return call({Meaning::Kind::Apply, op, static_cast<std::uint16_t>(loop)}, in, catalog::loops(op)[loop].out,
                interp::apply_kernel(op, static_cast<int>(loop)));
  }
  std::uint32_t apply_to_doubles(catalog::Op op, std::vector<std::uint32_t> in) {
    std::size_t loop = 0;
    while (catalog::loops(op)[loop].out != DType::Float64) ++loop;
    return apply(op, loop, std::move(in));
  }
  std::uint32_t cast(std::uint32_t from, DType to) {
    return call({.kind = Meaning::Kind::Cast}, {from}, to, interp::cast_kernel(dtypes_[from], to));
  }
  std::string text(std::string_view isa, std::vector<std::uint32_t> outs) const {
    const std::unique_ptr<bool[]> uniform(new bool[dtypes_.size()]);
    for (std::size_t v = 0; v < dtypes_.size(); ++v) uniform[v] = is_uniform_[v];
    return print(isa, {steps_, dtypes_, {uniform.get(), dtypes_.size()}, steps_between_, outs, {}});
  }
  static inline int streams = 0;  ///< machines that could
  DType dtype(std::uint32_t value) const { return dtypes_[value]; }
  bool is_known(const interp::MachineCompiler& compiler) const {
    return std::all_of(steps_.begin(), steps_.end(), [&](const Step& step) {
      std::vector<DType> in;
      for (std::uint8_t i = 0; i < step.n_in; ++i) in.push_back(dtypes_[step.in[i]]);
      return compiler.support(step.meaning, in, dtypes_[step.out]) != interp::Support::None;
    });
  }

  /// Runs the calls one by one, and as one machine that gives `outs`; then both are to be the same.
  ::testing::AssertionResult agrees(const interp::MachineCompiler& compiler, std::vector<std::uint32_t> outs) {
    for (const Step& step : steps_) {
      const void* in[3] = {};
      std::vector<std::byte> spread[3];
      for (std::uint8_t i = 0; i < step.n_in; ++i) {
        in[i] = memory_[step.in[i]].data();
        const std::size_t item = item_size(dtypes_[step.in[i]]);
        const std::int8_t apart = steps_between_[step.in[i]];
        if (!is_uniform_[step.in[i]] && apart == 1) continue;
        spread[i].resize(kItems * 16);
        if (apart != 1) {
          for (std::size_t k = 0; k < kItems; ++k)
            std::memcpy(spread[i].data() + k * item, memory_[step.in[i]].data() + (apart == 2 ? 2 * k : kItems - 1 - k) * item, item);
          in[i] = spread[i].data();
          continue;
        }
        interp::splat(spread[i].data(), in[i], kItems, item_size(dtypes_[step.in[i]]));
        in[i] = spread[i].data();
      }
      memory_[step.out].resize(kItems * item_size(dtypes_[step.out]));
      step.kernel(memory_[step.out].data(), in, kItems);
    }
    std::pmr::monotonic_buffer_resource memory;
    Machine machine(&memory);
    const std::unique_ptr<bool[]> uniform(new bool[dtypes_.size()]);
    for (std::size_t v = 0; v < dtypes_.size(); ++v) uniform[v] = is_uniform_[v];
    if (!compiler.make({steps_, dtypes_, {uniform.get(), dtypes_.size()}, steps_between_, outs, {}}, machine))
      return ::testing::AssertionFailure() << "no code";
    std::vector<void*> table(dtypes_.size(), nullptr);
    for (std::size_t v = 0; v < table.size(); ++v)
      table[v] = memory_[v].data() + (steps_between_[v] < 0 ? (kItems - 1) * item_size(dtypes_[v]) : 0);
    constexpr std::byte kGuard{0x5a};
    std::vector<std::vector<std::byte>> got;
    for (const std::uint32_t out : outs) {
      got.emplace_back(kItems * item_size(dtypes_[out]) + 1, kGuard);
      table[out] = got.back().data();
    }
    machine.function(table.data(), kItems);
    if (machine.streaming) {
      alignas(64) static std::array<std::array<std::byte, kItems * 16>, interp::kMostRows> aligned;
      for (std::size_t k = 0; k < outs.size(); ++k) table[outs[k]] = aligned[k].data();
      aligned = {};
      const interp::MachineFunction past_caches = machine.streaming->function();
      if (!past_caches) return ::testing::AssertionFailure() << "no code that streams";
      past_caches(table.data(), kItems);
      interp::end_stream();
      for (std::size_t k = 0; k < outs.size(); ++k)
        if (std::memcmp(aligned[k].data(), got[k].data(), kItems * item_size(dtypes_[outs[k]])) != 0)
          return ::testing::AssertionFailure() << "streams something else";
      ++streams;
    }
    for (std::size_t k = 0; k < outs.size(); ++k) {
      const DType dtype = dtypes_[outs[k]];
      const std::size_t item = item_size(dtype);
      if (got[k].back() != kGuard) return ::testing::AssertionFailure() << "writes beyond its end";
      for (std::size_t i = 0; i < kItems; ++i)
        if (!same(dtype, got[k].data() + i * item, memory_[outs[k]].data() + i * item))
          return ::testing::AssertionFailure() << "value " << outs[k] << " differs at " << i;
    }
    return ::testing::AssertionSuccess();
  }

 private:
  std::uint32_t add(DType dtype, bool is_uniform) {
    dtypes_.push_back(dtype);
    is_uniform_.push_back(is_uniform);
    steps_between_.push_back(1);
    memory_.emplace_back();
    return static_cast<std::uint32_t>(dtypes_.size() - 1);
  }
  std::uint32_t call(const Meaning& meaning, const std::vector<std::uint32_t>& in, DType to, interp::Kernel kernel) {
    Step step;
    step.meaning = meaning;
    step.kernel = kernel;
    step.n_in = static_cast<std::uint8_t>(in.size());
    std::copy(in.begin(), in.end(), step.in.begin());
    step.out = add(to, false);
    steps_.push_back(step);
    return step.out;
  }

  std::vector<Step> steps_;
  std::vector<DType> dtypes_;
  std::vector<bool> is_uniform_;
  std::vector<std::int8_t> steps_between_;
  std::vector<std::vector<std::byte>> memory_;
};

class MachineCode : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    compiler_ = compiler(GetParam());
    if (!compiler_) GTEST_SKIP() << "this CPU has no " << GetParam();
  }
  const interp::MachineCompiler* compiler_ = nullptr;
};

/// visit(op, loop, arity) for each loop that a machine knows.
template <class Visit>
void each_loop(const interp::MachineCompiler& compiler, Visit visit) {
  for (const catalog::OpInfo& row : catalog::operations()) {
    const auto loops = catalog::loops(row.id);
    const std::size_t arity = row.arity.count;
    for (std::size_t loop = 0; loop < loops.size() && !has(row.flags, catalog::Flags::Position); ++loop) {
      const Meaning meaning{Meaning::Kind::Apply, row.id, static_cast<std::uint16_t>(loop)};
      const std::span in = std::span(loops[loop].in).first(arity);
      if (compiler.support(meaning, in, loops[loop].out) != interp::Support::None) visit(row, loop, arity);
    }
  }
}

TEST_P(MachineCode, KnowsAllThatHasAKernel) {
  for (const catalog::OpInfo& row : catalog::operations()) {
    const auto loops = catalog::loops(row.id);
    for (std::size_t loop = 0; loop < loops.size() && !has(row.flags, catalog::Flags::Position); ++loop) {
      const Meaning meaning{Meaning::Kind::Apply, row.id, static_cast<std::uint16_t>(loop)};
      EXPECT_EQ(compiler_->support(meaning, std::span(loops[loop].in).first(row.arity.count), loops[loop].out) == interp::Support::None,
                !interp::apply_kernel(row.id, static_cast<int>(loop)))
          << row.identifier << "." << loop;
    }
  }
}

TEST_P(MachineCode, OfEachOperationGivesTheKernelsBits) {
  int checked = 0;
  Sketch::streams = 0;
  each_loop(*compiler_, [&](const catalog::OpInfo& row, std::size_t loop, std::size_t arity) {
    for (const bool beside_doubles : {false, true})
      for (std::size_t uniform = 0; uniform <= (arity > 1 ? arity : 0); ++uniform) {
        Sketch sketch;
        std::vector<std::uint32_t> in, outs;
        for (std::size_t k = 0; k < arity; ++k) in.push_back(sketch.operand(catalog::loops(row.id)[loop].in[k], k + 1 == uniform));
        outs.push_back(sketch.apply(row.id, loop, in));
        // Lanes are as many as the widest numbers fit, so narrower ones fill a part of a register.
        if (beside_doubles) outs.push_back(sketch.cast(sketch.operand(DType::Int8), DType::Float64));
        EXPECT_TRUE(sketch.agrees(*compiler_, outs))
            << row.identifier << "." << loop << " beside " << beside_doubles << " uniform " << uniform;
        ++checked;
      }
  });
  EXPECT_GT(checked, 500);
  EXPECT_GT(Sketch::streams, 200);
}

TEST_P(MachineCode, OfEachCastGivesTheKernelsBits) {
  int checked = 0;
  for (std::size_t from = 0; from < kDTypes; ++from)
    for (std::size_t to = 0; to < kDTypes; ++to) {
      const std::array in{static_cast<DType>(from)};
      if (from == to) continue;
      for (const bool beside_doubles : {false, true}) {
        Sketch sketch;
        std::vector<std::uint32_t> outs{sketch.cast(sketch.operand(in[0]), static_cast<DType>(to))};
        if (beside_doubles) outs.push_back(sketch.cast(sketch.operand(DType::Int8), DType::Float64));
        EXPECT_TRUE(sketch.agrees(*compiler_, outs)) << name(in[0]) << " to " << name(static_cast<DType>(to));
        ++checked;
      }
    }
  EXPECT_GT(checked, 100);
}

/// Just beside the middle between two numbers of the result, by less than a number between the two dtypes would show.
TEST_P(MachineCode, OfCastsRoundsOnce) {
  std::vector<double> numbers;
  std::vector<std::int64_t> integers{(std::int64_t{1} << 53) - 1, (std::int64_t{1} << 53) + 1, 0x7fffffffffffffff};
  std::vector<std::uint64_t> naturals{~std::uint64_t{0}, std::uint64_t{1} << 63};
  for (const double sign : {1.0, -1.0})
    for (const double beside : {-0x1p-40, 0.0, 0x1p-40})
      for (const double middle : {0x1.002p0, 0x1.006p3, 0x1.ffep15, 0x1p-25, 0x1.8p-24}) numbers.push_back(sign * middle * (1 + beside));
  for (const std::int64_t beside : {-1, 0, 1})
    for (const int exponent : {54, 60, 62})
      for (const std::int64_t last : {1, 3}) {
        integers.push_back((std::int64_t{1} << exponent) + (last << (exponent - 24)) + beside);
        integers.push_back(-integers.back());
        naturals.push_back(2 * static_cast<std::uint64_t>(integers[integers.size() - 2]) + static_cast<std::uint64_t>(beside));
      }
  for (const bool beside_doubles : {false, true}) {
    Sketch sketch;
    std::vector<std::uint32_t> outs;
    for (const std::uint32_t of : {sketch.operand_of(DType::Int64, integers), sketch.operand_of(DType::UInt64, naturals)})
      for (const DType to : {DType::Float32, DType::Float64}) outs.push_back(sketch.cast(of, to));
    outs.push_back(sketch.cast(sketch.operand_of(DType::Float64, numbers), DType::Float16));
    if (beside_doubles) outs.push_back(sketch.cast(sketch.operand(DType::Int8), DType::Float64));
    EXPECT_TRUE(sketch.agrees(*compiler_, outs)) << beside_doubles;
  }
}

/// Random calls, most of whose values live long: more than there are registers, of both kinds, across calls of functions.
TEST_P(MachineCode, OfLongProgramsGivesTheKernelsBits) {
  struct Choice {
    catalog::Op op;
    std::size_t loop, arity;
  };
  std::vector<Choice> choices;
  each_loop(*compiler_, [&](const catalog::OpInfo& row, std::size_t loop, std::size_t arity) { choices.push_back({row.id, loop, arity}); });
  std::mt19937 random(12);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  for (int round = 0; round < 60; ++round) {
    Sketch sketch;
    std::vector<std::uint32_t> values;
    for (const DType dtype :
         {DType::Float64, DType::Float32, DType::Int32, DType::Int64, DType::UInt8, DType::Bool, DType::Complex64, DType::Complex128})
      for (int k = 0; k < 3; ++k) values.push_back(sketch.operand(dtype, k == 2));
    for (const DType dtype : {DType::Float64, DType::Float32, DType::Int32, DType::Int64})
      for (const std::int8_t step : {std::int8_t{2}, std::int8_t{-1}}) values.push_back(sketch.operand_apart(dtype, step));
    std::vector<std::uint32_t> made;
    for (std::size_t tries = 0; made.size() < interp::kMostSteps - 1 && tries < 200000; ++tries) {
      const Choice& choice = choices[below(choices.size())];
      std::vector<std::uint32_t> in;
      bool fits = true;
      for (std::size_t k = 0; k < choice.arity; ++k) {
        const std::uint32_t value = values[below(values.size())];
        fits = fits && sketch.dtype(value) == catalog::loops(choice.op)[choice.loop].in[k];
        in.push_back(value);
      }
      if (!fits) continue;
      made.push_back(sketch.apply(choice.op, choice.loop, in));
      values.push_back(made.back());
    }
    ASSERT_TRUE(sketch.is_known(*compiler_));
    std::vector<std::uint32_t> outs;
    for (std::size_t k = 0; k < made.size(); k += 1 + below(12)) outs.push_back(made[k]);
    EXPECT_TRUE(sketch.agrees(*compiler_, outs)) << "round " << round;
  }
}

/// Where an argument is out of the ordinary a function is called behind the machine's back: no register may tell.
TEST_P(MachineCode, KeepsAllRegistersWhereAFunctionIsCalledForFewElements) {
  for (const catalog::Op op : {catalog::Op::Exp, catalog::Op::Exp2, catalog::Op::Log})
    for (const DType dtype : {DType::Float64, DType::Float32})
      for (const std::size_t period : {std::size_t{3}, std::size_t{29}, std::size_t{64}}) {
        std::vector<double> numbers(period, 1.25);
        numbers[period / 2] = op == catalog::Op::Log ? -1 : 1e4;
        numbers.back() = op == catalog::Op::Log ? 0x1p-1070 : -1e4;
        const std::vector<float> singles(numbers.begin(), numbers.end());
        const auto loop_of = [&](catalog::Op of, DType out) {
          std::size_t loop = 0;
          while (catalog::loops(of)[loop].out != out || catalog::loops(of)[loop].in[0] != dtype) ++loop;
          return loop;
        };
        Sketch sketch;
        const std::uint32_t x = dtype == DType::Float64 ? sketch.operand_of(dtype, numbers) : sketch.operand_of(dtype, singles);
        std::vector<std::uint32_t> sums, masks;
        for (int k = 0; k < 20; ++k)
          sums.push_back(sketch.apply(catalog::Op::Add, loop_of(catalog::Op::Add, dtype), {sketch.operand(dtype), x}));
        for (std::size_t k = 0; k < 4; ++k)
          masks.push_back(sketch.apply(catalog::Op::Less, loop_of(catalog::Op::Less, DType::Bool), {sums[k], sums[k + 1]}));
        std::uint32_t value = sketch.apply(op, loop_of(op, dtype), {x});
        for (const std::uint32_t sum : sums) value = sketch.apply(catalog::Op::Maximum, loop_of(catalog::Op::Maximum, dtype), {value, sum});
        std::vector<std::uint32_t> outs = masks;
        outs.push_back(value);
        EXPECT_TRUE(sketch.agrees(*compiler_, outs)) << catalog::info(op).name() << " " << name(dtype) << " one in " << period;
      }
}

TEST_P(MachineCode, PicksElementsThatLieApart) {
  for (const bool beside_doubles : {false, true})
    each_loop(*compiler_, [&](const catalog::OpInfo& row, std::size_t loop, std::size_t arity) {
      for (const std::int8_t step : {std::int8_t{2}, std::int8_t{-1}}) {
        Sketch sketch;
        std::vector<std::uint32_t> in, outs;
        for (std::size_t k = 0; k < arity; ++k) {
          const DType dtype = catalog::loops(row.id)[loop].in[k];
          if (is_complex(dtype) || item_size(dtype) < 4) return;
          in.push_back(sketch.operand_apart(dtype, step));
        }
        outs.push_back(sketch.apply(row.id, loop, in));
        if (beside_doubles) outs.push_back(sketch.cast(sketch.operand(DType::Int8), DType::Float64));
        EXPECT_TRUE(sketch.agrees(*compiler_, outs))
            << row.identifier << "." << loop << " step " << int{step} << " beside " << beside_doubles;
      }
    });
}

/// out = (above + here)*below + cell over a grid, whose operands are one array at three rows, and one number for each row.
TEST_P(MachineCode, OfSeveralRowsReadsNeighboursOnce) {
  constexpr std::size_t kRows = 4;
  const auto of_doubles = [](catalog::Op op) {
    std::uint16_t loop = 0;
    while (catalog::loops(op)[loop].out != DType::Float64) ++loop;
    return Meaning{Meaning::Kind::Apply, op, loop};
  };
  enum : std::uint32_t { Above, Here, Below, Cell, Sum, Product, Out, kValues };
  const auto call = [&](catalog::Op op, std::uint32_t x, std::uint32_t y, std::uint32_t out) {
    return Step{.n_in = 2, .out = out, .in = {x, y, 0}, .meaning = of_doubles(op)};
  };
  const std::array steps{call(catalog::Op::Add, Above, Here, Sum), call(catalog::Op::Multiply, Sum, Below, Product),
                         call(catalog::Op::Add, Product, Cell, Out)};
  const std::array<DType, kValues> dtypes{DType::Float64, DType::Float64, DType::Float64, DType::Float64,
                                          DType::Float64, DType::Float64, DType::Float64};
  const std::array<bool, kValues> is_uniform{};
  const std::array<std::uint32_t, 1> outs{Out};
  std::pmr::monotonic_buffer_resource memory;
  Machine machine(&memory);
  ASSERT_TRUE(compiler_->make({steps, dtypes, is_uniform, {}, outs, {}}, machine));
  ASSERT_EQ(machine.ins.size(), 4u);
  std::array<interp::Neighbour, 4> neighbours;
  interp::Lie lie;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const std::uint32_t value = machine.ins[i].value;
    neighbours[i] = {i, 0};
    if (value == Cell) lie.cells |= std::uint64_t{1} << i;
    for (std::uint32_t before = 0; before < i && value != Cell; ++before)
      if (machine.ins[before].value != Cell && neighbours[before].of == before)
        neighbours[i] = {before, static_cast<std::int32_t>(value) - static_cast<std::int32_t>(machine.ins[before].value)};
  }
  const Machine* const together = machine.variants->with_rows(lie, kRows, neighbours);
  ASSERT_NE(together, nullptr);
  EXPECT_EQ(together, machine.variants->with_rows(lie, kRows, neighbours)) << "is made once";
  EXPECT_EQ(together->ins.size(), kRows + 2) << "each row of the grid once";
  EXPECT_EQ(together->outs.size(), kRows);
  EXPECT_EQ(machine.variants->with_rows(lie, 2, neighbours)->ins.size(), 4u);

  const std::vector<std::byte> bytes = sample(DType::Float64, (kRows + 2) * kItems, 5);
  std::vector<double> grid((kRows + 2) * kItems), cells(kRows), got(kRows * kItems);
  std::memcpy(grid.data(), bytes.data(), bytes.size());
  for (std::size_t r = 0; r < kRows; ++r) cells[r] = static_cast<double>(r) + 0.5;
  std::vector<void*> table(kRows * kValues, nullptr);
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::uint32_t value : {Above, Here, Below}) table[r * kValues + value] = &grid[(r + value) * kItems];
    table[r * kValues + Cell] = &cells[r];
    table[r * kValues + Out] = &got[r * kItems];
  }
  const auto check = [&](std::size_t n_rows, std::size_t n) {
    for (std::size_t r = 0; r < n_rows; ++r)
      for (std::size_t i = 0; i < kItems; ++i) {
        const double value = (grid[r * kItems + i] + grid[(r + 1) * kItems + i]) * grid[(r + 2) * kItems + i] + cells[r];
        const double want = i < n ? value : 0;
        ASSERT_TRUE(
            same(DType::Float64, reinterpret_cast<const std::byte*>(&got[r * kItems + i]), reinterpret_cast<const std::byte*>(&want)))
            << "row " << r << " at " << i << " of " << n;
      }
  };
  together->function(table.data(), kItems);
  check(kRows, kItems);

  // The same in one call that goes from row to row: one at a time, and two.
  const std::vector<void*> first = table;
  for (const std::size_t at_once : {1u, 2u}) {
    std::span<const interp::Neighbour> shared;
    if (at_once > 1) shared = neighbours;
    const Machine* const walking = machine.variants->walking(lie, static_cast<int>(at_once), shared);
    ASSERT_NE(walking, nullptr);
    EXPECT_EQ(walking->function, nullptr);
    std::vector<std::ptrdiff_t> steps(at_once * kValues, static_cast<std::ptrdiff_t>(at_once * kItems * sizeof(double)));
    for (std::size_t r = 0; r < at_once; ++r) steps[r * kValues + Cell] = static_cast<std::ptrdiff_t>(at_once * sizeof(double));
    for (const std::size_t n : {walking->lanes, walking->lanes + 1, kItems - 1, kItems}) {
      table = first;
      std::fill(got.begin(), got.end(), 0.0);
      walking->walk(table.data(), n, kRows / at_once, steps.data());
      check(kRows, n);
    }
  }
}

TEST(MachineText, ShowsVirtualRegistersThenRealOnes) {
  Sketch sketch;
  const std::uint32_t two = sketch.operand(DType::Float64, true), a = sketch.operand(DType::Float64), b = sketch.operand(DType::Float64);
  const std::uint32_t product = sketch.apply_to_doubles(catalog::Op::Multiply, {two, a});
  const std::uint32_t sum = sketch.apply_to_doubles(catalog::Op::Add, {product, b});
  EXPECT_EQ(sketch.text("avx512", {sum}), R"(head %0 = Splat.8 [0]
loop %1 = Load.8 [1]
loop %2 = MulF.8 %0, %1
loop %3 = Load.8 [2]
loop %4 = AddF.8 %2, %3
loop Store.8 %4 [4]
head v28 = Splat.8 [0]
loop v0 = Load.8 [1]
loop v0 = MulF.8 v28, v0
loop v1 = Load.8 [2]
loop v0 = AddF.8 v0, v1
loop Store.8 v0 [4]
0 slots
)");
}

TEST(MachineText, PutsInstructionsInThePlaceOfSomeFunctions) {
  const std::string_view isa = interp::instruction_set();  // whose functions are called; others come to kernels
  const bool has_functions = isa == "avx512" || isa == "avx2";
  for (const catalog::Op op : {catalog::Op::Exp, catalog::Op::Exp2, catalog::Op::Log, catalog::Op::Sin}) {
    Sketch sketch;
    const std::uint32_t x = sketch.operand(DType::Float64);
    const std::string text = sketch.text(has_functions ? isa : "avx2", {sketch.apply_to_doubles(op, {x})});
    const bool is_inlined = op == catalog::Op::Log || (isa == "avx512" && op != catalog::Op::Sin);
    const std::string_view expected = !has_functions ? "CallKernel" : is_inlined ? "Guard.8" : "Call.8";
    for (const std::string_view word : {"CallKernel", "Guard.8", "Call.8"})
      EXPECT_EQ(text.find(word) != std::string::npos, word == expected) << catalog::info(op).name() << " " << word;
  }
}

/// x * y + z with x and z, or none of them, taken with the other sign; and the changed x, where that is wanted, too.
std::vector<std::uint32_t> sum_of_product(Sketch& sketch, bool minus_x, bool minus_z, bool gives_x = false) {
  const auto minus = [&](std::uint32_t value) { return sketch.apply_to_doubles(catalog::Op::Negative, {value}); };
  std::uint32_t x = sketch.operand(DType::Float64), y = sketch.operand(DType::Float64), z = sketch.operand(DType::Float64);
  if (minus_x) x = minus(x);
  if (minus_z) z = minus(z);
  std::vector<std::uint32_t> outs{sketch.apply_to_doubles(catalog::Op::Fma, {x, y, z})};
  if (gives_x) outs.push_back(x);
  return outs;
}

TEST(MachineText, TakesSignsIntoSumsOfProducts) {
  const auto text = [](bool minus_x, bool minus_z, bool gives_x = false) {
    Sketch sketch;
    const std::vector<std::uint32_t> outs = sum_of_product(sketch, minus_x, minus_z, gives_x);
    return sketch.text("avx2", outs);
  };
  for (const bool minus_x : {false, true})
    for (const bool minus_z : {false, true}) EXPECT_EQ(text(minus_x, minus_z).find("Xor"), std::string::npos) << minus_x << minus_z;
  EXPECT_NE(text(true, false).find(" minus product"), std::string::npos);
  EXPECT_NE(text(false, true).find(" minus summand"), std::string::npos);
  EXPECT_NE(text(true, true).find(" minus both"), std::string::npos);
  EXPECT_NE(text(true, false, true).find("Xor"), std::string::npos);  // it is a value of its own there
}

TEST_P(MachineCode, OfSumsOfProductsWithEitherSignGivesTheKernelsBits) {
  for (const bool minus_x : {false, true})
    for (const bool minus_z : {false, true})
      for (const bool gives_x : {false, true}) {
        Sketch sketch;
        const std::vector<std::uint32_t> outs = sum_of_product(sketch, minus_x, minus_z, gives_x && minus_x);
        EXPECT_TRUE(sketch.agrees(*compiler_, outs)) << minus_x << minus_z << gives_x;
      }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, MachineCode, ::testing::Values("avx2", "avx512"));

}  // namespace
}  // namespace engine::run::jit

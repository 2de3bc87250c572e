// Time of each stage from text to plan for the seed expression, process warm. Budget: 3 µs for all of them, 7 µs with machine code.
#include <benchmark/benchmark.h>

#include <array>
#include <memory_resource>
#include <string>

#include "engine/frontend/parser.hpp"
#include "engine/ir/build.hpp"
#include "engine/opt/pipeline.hpp"
#include "engine/plan/plan.hpp"
#include "engine/run/interp/compile.hpp"
#include "engine/run/jit/jit.hpp"

namespace {

using namespace engine;

constexpr std::string_view kSeed = "4*a + 5*a*b + 6*b*c";

struct Arena {
  std::array<std::byte, 65536> bytes;
  std::pmr::monotonic_buffer_resource memory{bytes.data(), bytes.size()};
};

constexpr int kParse = 1, kBuild = 2, kOptimise = 3, kPlan = 4, kCode = 5, kMachine = 6;

/// 200 operations on three operands, no two of them the same.
const std::string& long_text() {
  static const std::string text = [] {
    std::string sum = "a";
    for (int i = 1; i <= 66; ++i) sum += " + " + std::to_string(i) + "*" + "abc"[i % 3] + "*" + "abc"[i / 3 % 3];
    return sum;
  }();
  return text;
}

/// Runs the stages up to `last`, each on the value of the one before.
void through(benchmark::State& state, int last, std::string_view text = kSeed) {
  const std::array<ir::OperandType, 3> types{{{DType::Float64, 1}, {DType::Float64, 1}, {DType::Float64, 1}}};
  const bool present[3] = {true, true, true};
  const Options options;
  Arena arena;
  for (auto _ : state) {
    arena.memory.release();
    const frontend::Ast ast = frontend::parse(text, options.limits, &arena.memory);
    if (last == kParse) {
      benchmark::DoNotOptimize(ast.nodes.data());
      continue;
    }
    ir::BuildResult built = ir::build(ast, types, present, options, false, &arena.memory);
    if (last >= kOptimise) built.graph = opt::optimise(std::move(built.graph), options);
    if (last >= kPlan) {
      const plan::Plan plan = plan::make_plan(built.graph, nullptr, options, &arena.memory);
      benchmark::DoNotOptimize(plan.kernels.data());
      if (last >= kCode) {
        const run::interp::Code code =
            run::interp::compile(built.graph, plan, plan.kernels[0], &arena.memory, last >= kMachine ? run::jit::compiler() : nullptr);
        benchmark::DoNotOptimize(code.steps.data());
      }
    }
    benchmark::DoNotOptimize(built.graph.nodes.data());
  }
}

void Parse(benchmark::State& state) { through(state, kParse); }
void ParseBuild(benchmark::State& state) { through(state, kBuild); }
void ParseBuildOptimise(benchmark::State& state) { through(state, kOptimise); }
void TextToPlan(benchmark::State& state) { through(state, kPlan); }
void TextToCode(benchmark::State& state) { through(state, kCode); }
void TextToMachineCode(benchmark::State& state) { through(state, kMachine); }
void LongTextToPlan(benchmark::State& state) { through(state, kPlan, long_text()); }
void LongTextToMachineCode(benchmark::State& state) { through(state, kMachine, long_text()); }
BENCHMARK(Parse);
BENCHMARK(ParseBuild);
BENCHMARK(ParseBuildOptimise);
BENCHMARK(TextToPlan);
BENCHMARK(TextToCode);
BENCHMARK(TextToMachineCode);
BENCHMARK(LongTextToPlan);
BENCHMARK(LongTextToMachineCode);

}  // namespace

// What a warm call over device arrays costs the host, of the seed expression: launches are stubbed (ENGINE_HOST_IDLE), so this is the
// engine's own share. Budget: 1.7 µs. From a text of Python's: bench/device_calls.py. On a real driver: set ENGINE_CUDA_DRIVER and
// ENGINE_NVRTC.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <engine/engine.hpp>
#include <vector>

namespace {

using namespace engine;

constexpr std::int64_t kItems = 1000;

ArrayView view_of(const DeviceMemory& memory) {
  ArrayView view;
  view.data = memory.data();
  view.dtype = DType::Float64;
  view.shape = {kItems};
  view.strides = {8};
  view.device = memory.device();
  return view;
}

void* never(void*, DType, const Shape&, const Strides&, std::size_t) { return nullptr; }

void WarmCallOverDeviceArrays(benchmark::State& state) {
  setenv("ENGINE_CUDA_DRIVER", ENGINE_HOST_DRIVER, 0);
  setenv("ENGINE_NVRTC", ENGINE_HOST_DRIVER, 0);
  setenv("ENGINE_CACHE_DIR", "/dev/null/none", 0);
  setenv("ENGINE_HOST_IDLE", "1", 0);
  const auto program = Program::compile("4*a + 5*a*b + 6*b*c");
  std::vector<DeviceMemory> memory;
  for (int i = 0; i < 4; ++i) memory.emplace_back(0, kItems * sizeof(double));
  std::vector<Operand> operands(3);
  for (std::size_t i = 0; i < 3; ++i) {
    operands[i].present = true;
    operands[i].weak = Weak::No;
    operands[i].array = view_of(memory[i]);
  }
  const ArrayView out = view_of(memory[3]);
  for (auto _ : state) {
    Execution execution(program, operands.data(), &out, Order::K, {&never, nullptr});
    execution.run();
  }
}
BENCHMARK(WarmCallOverDeviceArrays);

}  // namespace

// driver/api_launch.cpp - attributes of kernels, occupancy, launches.
#include <algorithm>
#include <cstring>

#include "tests/emulator/driver/launch.hpp"

namespace standin {

namespace {

enum FunctionAttribute : int {
  kMaxThreads = 0,
  kSharedBytes,
  kConstBytes,
  kLocalBytes,
  kRegisters,
  kPtxVersion,
  kBinaryVersion,
  kCacheMode,
  kMaxDynamicShared,
  kCarveout,
};

constexpr std::uint32_t kSharedPerBlock = 49152, kSharedOptin = 232448, kSharedPerMultiprocessor = 233472;

/// Of the declared ones a quarter is taken to live at once: an order of magnitude, no more, between the hardware's limits.
/// Most of PTX's registers do not live at the same time.
int registers_wanted(const Program& program) { return std::clamp(program.n_registers / 4, 16, 255); }
int registers_of(const Program& program) {
  const int most = Driver::get().settings.n_registers;
  return most ? std::min(registers_wanted(program), most) : registers_wanted(program);
}
int spilled_bytes(const Program& program) { return 4 * (registers_wanted(program) - registers_of(program)); }

std::uint32_t dynamic_limit(const Kernel& kernel) {
  const auto found = kernel.attributes.find(kMaxDynamicShared);
  const auto used = static_cast<std::uint32_t>(kernel.program.shared_bytes);
  return found != kernel.attributes.end() ? static_cast<std::uint32_t>(found->second) : kSharedPerBlock - std::min(used, kSharedPerBlock);
}

int blocks_per_multiprocessor(const Kernel& kernel, int threads, std::size_t dynamic) {
  const Program& program = kernel.program;
  if (threads <= 0 || threads > program.max_threads || dynamic > dynamic_limit(kernel)) return 0;
  const int warps = (threads + 31) / 32;
  const int by_threads = 64 / warps;
  const int by_registers = 65536 / ((registers_of(program) + 7) / 8 * 8 * 32 * warps);
  const auto shared = program.shared_bytes + dynamic + 1024;
  return static_cast<int>(std::min<std::uint64_t>(
      {32, static_cast<std::uint64_t>(by_threads), static_cast<std::uint64_t>(by_registers), kSharedPerMultiprocessor / shared}));
}

/// Copies the parameters now: the program may change them as soon as the launch returns.
std::vector<std::byte> collect(const Program& program, void** values, void** extra) {
  std::vector<std::byte> found(program.parameter_bytes);
  if (extra) {
    const std::byte* buffer = nullptr;
    std::size_t size = 0;
    for (; *extra; extra += 2) {  // CU_LAUNCH_PARAM_BUFFER_POINTER 1, CU_LAUNCH_PARAM_BUFFER_SIZE 2
      if (*extra == reinterpret_cast<void*>(1)) buffer = static_cast<const std::byte*>(extra[1]);
      if (*extra == reinterpret_cast<void*>(2)) size = *static_cast<const std::size_t*>(extra[1]);
    }
    require(buffer && size >= found.size());
    std::memcpy(found.data(), buffer, found.size());
  } else {
    require(values || program.parameters.empty());
    for (std::size_t i = 0; i < program.parameters.size(); ++i) {
      require(values[i]);
      std::memcpy(found.data() + program.parameters[i].offset, values[i], program.parameters[i].size);
    }
  }
  return found;
}

void check(const Driver& driver, const Kernel& kernel, const Configuration& configuration) {
  const auto& [grid, block, dynamic, cooperative] = configuration;
  require(grid.x && grid.y && grid.z && block.x && block.y && block.z);
  require(grid.x <= 2147483647 && grid.y <= 65535 && grid.z <= 65535);
  require(block.x <= 1024 && block.y <= 1024 && block.z <= 64 && block.count() <= 1024);
  require(block.count() <= static_cast<std::uint64_t>(kernel.program.max_threads), kInvalidValue);
  const int* wanted = kernel.program.required_threads;
  require(!wanted[0] || (block.x == static_cast<std::uint32_t>(wanted[0]) && block.y == static_cast<std::uint32_t>(wanted[1]) &&
                         block.z == static_cast<std::uint32_t>(wanted[2])));
  require(dynamic <= dynamic_limit(kernel));
  // Threads of a launch are told apart by 32 bits.
  require(grid.count() * block.count() < std::uint64_t{0xfffffff0}, kNotSupported);
  const auto resident = static_cast<std::uint64_t>(blocks_per_multiprocessor(kernel, static_cast<int>(block.count()), dynamic)) *
                        static_cast<std::uint64_t>(driver.settings.n_multiprocessors);
  require(resident > 0, kLaunchOutOfResources);
  require(!cooperative || grid.count() <= resident, kCooperativeLaunchTooLarge);
}

void execute(Driver& driver, Context& context, const Kernel& kernel, const Configuration& configuration,
             std::vector<std::byte> parameters) {
  if (context.error != kSuccess) return;
  driver.clock.begin_launch();
  ++driver.counters.launches;
  const auto threads = static_cast<std::uint32_t>(configuration.block.count());
  Launch launch{.program = kernel.program,
                .grid = configuration.grid,
                .block = configuration.block,
                .dynamic_shared = configuration.dynamic_shared,
                .parameters = std::move(parameters),
                .device = context.device,
                .block_threads = threads,
                .n_warps = (threads + 31) / 32,
                .id = ++driver.n_launches,
                .n_multiprocessors = driver.settings.n_multiprocessors,
                .memory = driver.memory,
                .counters = driver.counters,
                .clock = driver.clock,
                .visible_devices = std::uint64_t{1} << context.device | context.peers,
                .hints = std::vector<Allocation*>(kernel.program.code.size())};
  const int resident =
      blocks_per_multiprocessor(kernel, static_cast<int>(threads), configuration.dynamic_shared) * driver.settings.n_multiprocessors;
  try {
    run_grid(launch, driver.settings.schedule, static_cast<std::uint32_t>(resident));
  } catch (const Finding& finding) {
    driver.finding(context, finding);
  }
}

int launch(const char* name, CUfunction function, const Configuration& configuration, CUstream handle, void** values, void** extra) {
  return enter(name, Needs::Context, [&](Driver& driver) {
    std::function<void()> work = prepare(driver, function, configuration, values, extra);
    driver.enqueue(driver.stream(handle), std::move(work));
  });
}

}  // namespace

std::function<void()> prepare(Driver& driver, CUfunction function, const Configuration& configuration, void** values, void** extra) {
  Kernel& kernel = known_kernel(driver, function);
  Context& context = driver.current();
  require(kernel.module->context == &context, kInvalidContext);
  check(driver, kernel, configuration);
  return [&driver, &context, &kernel, configuration, parameters = collect(kernel.program, values, extra)] {
    execute(driver, context, kernel, configuration, parameters);
  };
}

STANDIN_API int cuFuncGetAttribute(int* value, int attribute, CUfunction function) {
  return enter("cuFuncGetAttribute", Needs::Context, [&](Driver& driver) {
    require(value);
    const Kernel& kernel = known_kernel(driver, function);
    const Program& program = kernel.program;
    switch (attribute) {
      case kMaxThreads:
        *value = program.max_threads;
        break;
      case kSharedBytes:
        *value = static_cast<int>(program.shared_bytes);
        break;
      case kConstBytes:
        *value = 0;
        break;
      case kLocalBytes:
        *value = static_cast<int>(program.local_bytes) + spilled_bytes(program);
        break;
      case kRegisters:
        *value = registers_of(program);
        break;
      case kPtxVersion:
      case kBinaryVersion:
        *value = driver.settings.capability;
        break;
      case kMaxDynamicShared:
        *value = static_cast<int>(dynamic_limit(kernel));
        break;
      default: {
        const auto found = kernel.attributes.find(attribute);
        *value = found == kernel.attributes.end() ? 0 : found->second;
      }
    }
  });
}

STANDIN_API int cuFuncSetAttribute(CUfunction function, int attribute, int value) {
  return enter("cuFuncSetAttribute", Needs::Context, [&](Driver& driver) {
    Kernel& kernel = known_kernel(driver, function);
    require(attribute >= kMaxDynamicShared);
    if (attribute == kMaxDynamicShared)
      require(value >= 0 && static_cast<std::uint64_t>(value) + kernel.program.shared_bytes <= kSharedOptin);
    kernel.attributes[attribute] = value;
  });
}

STANDIN_API int cuFuncSetCacheConfig(CUfunction function, int) {
  return enter("cuFuncSetCacheConfig", Needs::Context, [&](Driver& driver) { known_kernel(driver, function); });
}

STANDIN_API int cuFuncGetModule(CUmodule* module, CUfunction function) {
  return enter("cuFuncGetModule", Needs::Context, [&](Driver& driver) {
    require(module);
    *module = known_kernel(driver, function).module;
  });
}

STANDIN_API int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int threads, std::size_t dynamic) {
  return enter("cuOccupancyMaxActiveBlocksPerMultiprocessor", Needs::Context, [&](Driver& driver) {
    require(blocks && threads > 0);
    *blocks = blocks_per_multiprocessor(known_kernel(driver, function), threads, dynamic);
  });
}

STANDIN_API int cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function, int threads, std::size_t dynamic,
                                                                     unsigned) {
  return enter("cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", Needs::Context, [&](Driver& driver) {
    require(blocks && threads > 0);
    *blocks = blocks_per_multiprocessor(known_kernel(driver, function), threads, dynamic);
  });
}

STANDIN_API int cuOccupancyMaxPotentialBlockSize(int* min_grid, int* threads, CUfunction function, std::size_t (*shared_of)(int),
                                                 std::size_t dynamic, int limit) {
  return enter("cuOccupancyMaxPotentialBlockSize", Needs::Context, [&](Driver& driver) {
    require(min_grid && threads);
    const Kernel& kernel = known_kernel(driver, function);
    int best = 0;
    for (int n = 32; n <= (limit > 0 ? std::min(limit, 1024) : 1024); n += 32) {
      const int blocks = blocks_per_multiprocessor(kernel, n, shared_of ? shared_of(n) : dynamic);
      if (blocks * n < best) continue;
      best = blocks * n;
      *threads = n;
      *min_grid = blocks * driver.settings.n_multiprocessors;
    }
    require(best > 0);
  });
}

STANDIN_API int cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                               unsigned block_z, unsigned shared, CUstream stream, void** parameters, void** extra) {
  return launch("cuLaunchKernel", function, {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared}, stream, parameters, extra);
}

STANDIN_API int cuLaunchCooperativeKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                          unsigned block_y, unsigned block_z, unsigned shared, CUstream stream, void** parameters) {
  return launch("cuLaunchCooperativeKernel", function, {{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, true}, stream,
                parameters, nullptr);
}

STANDIN_API int cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
  if (!config) return kInvalidValue;
  constexpr int kCooperative = 2;  // CU_LAUNCH_ATTRIBUTE_COOPERATIVE; the others change no result
  bool cooperative = false;
  for (unsigned i = 0; i < config->numAttrs; ++i) cooperative |= config->attrs[i].id == kCooperative && config->attrs[i].value.cooperative;
  return launch("cuLaunchKernelEx", function,
                {{config->gridDimX, config->gridDimY, config->gridDimZ},
                 {config->blockDimX, config->blockDimY, config->blockDimZ},
                 config->sharedMemBytes,
                 cooperative},
                config->hStream, parameters, extra);
}

STANDIN_API int cuLaunchHostFunc(CUstream stream, CUhostFn function, void* data) {
  return enter("cuLaunchHostFunc", Needs::Context, [&](Driver& driver) {
    require(function);
    driver.enqueue(driver.stream(stream), [=] { function(data); });
  });
}

}  // namespace standin

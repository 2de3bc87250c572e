// The driver itself: faults, sticky errors, deferred streams and events, memory, counters, several devices, cubins.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include <numeric>

#include "tests/emulator/machine.hpp"

extern "C" {
int cuStreamCreate(void**, unsigned);
int cuStreamSynchronize(void*);
int cuStreamQuery(void*);
int cuStreamWaitEvent(void*, void*, unsigned);
int cuStreamDestroy_v2(void*);
int cuEventCreate(void**, unsigned);
int cuEventRecord(void*, void*);
int cuEventSynchronize(void*);
int cuEventDestroy_v2(void*);
int cuMemcpyHtoDAsync_v2(std::uint64_t, const void*, std::size_t, void*);
int cuMemcpyDtoHAsync_v2(void*, std::uint64_t, std::size_t, void*);
int cuMemcpyDtoDAsync_v2(std::uint64_t, std::uint64_t, std::size_t, void*);
int cuMemsetD32Async(std::uint64_t, unsigned, std::size_t, void*);
int cuMemAllocAsync(std::uint64_t*, std::size_t, void*);
int cuMemFreeAsync(std::uint64_t, void*);
int cuMemHostAlloc(void**, std::size_t, unsigned);
int cuMemFreeHost(void*);
int cuMemGetInfo_v2(std::size_t*, std::size_t*);
int cuLaunchHostFunc(void*, void (*)(void*), void*);
int cuGetErrorName(int, const char**);
int cuGetProcAddress_v2(const char*, void**, int, std::uint64_t, int*);
int cuPointerGetAttribute(void*, int, std::uint64_t);
int cuDeviceGetAttribute(int*, int, int);
int cuFuncGetAttribute(int*, int, void*);
int cuFuncSetAttribute(void*, int, int);
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int*, void*, int, std::size_t);
int cuLaunchCooperativeKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**);
int cuModuleGetGlobal_v2(std::uint64_t*, std::size_t*, void*, const char*);
}

namespace standin_test {
namespace {

using ::testing::HasSubstr;

constexpr unsigned kNonBlocking = 1;

StandinCounters counters() {
  StandinCounters found;
  standin_counters(&found);
  return found;
}

/// Adds 1 to the word of each thread.
const char* kIncrement = "mad.wide.u32 %o, %i, 4, %a0; ld.global.u32 %r0, [%o]; add.u32 %r0, %r0, 1; st.global.u32 [%o], %r0;";

class Stream : public ::testing::Test {
 protected:
  Stream() {
    increment_ = machine_.function(machine_.load(kernel(1, kIncrement)));
    words_ = machine_.upload(std::vector<std::uint32_t>(32, 5));
    EXPECT_EQ(cuMemHostAlloc(reinterpret_cast<void**>(&host_), 128, 0), 0);
    std::fill(host_, host_ + 32, 0);
    EXPECT_EQ(cuStreamCreate(&stream_, kNonBlocking), 0);
    standin_set("defer", "1");
  }
  ~Stream() override {
    standin_set("defer", "0");
    cuMemFreeHost(host_);
  }

  int launch(void* stream) {
    void* parameters[] = {&words_};
    return cuLaunchKernel(increment_, 1, 1, 1, 32, 1, 1, 0, stream, parameters, nullptr);
  }

  Machine machine_;
  void *increment_ = nullptr, *stream_ = nullptr;
  std::uint64_t words_ = 0;
  std::uint32_t* host_ = nullptr;
};

TEST_F(Stream, RunsOnlyAtASynchronisation) {
  ASSERT_EQ(launch(stream_), 0);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(host_, words_, 128, stream_), 0);
  EXPECT_EQ(host_[0], 0u) << "nothing has waited so far";
  EXPECT_EQ(counters().launches, 0u);
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  EXPECT_EQ(host_[0], 6u);
}

TEST_F(Stream, ReadsPinnedMemoryWhenItsTurnComesAndPageableMemoryAtOnce) {
  std::vector<std::uint32_t> pageable(32, 40);
  const auto other = machine_.allocate(128);
  host_[0] = 70;
  ASSERT_EQ(cuMemcpyHtoDAsync_v2(words_, host_, 128, stream_), 0);
  ASSERT_EQ(cuMemcpyHtoDAsync_v2(other, pageable.data(), 128, stream_), 0);
  host_[0] = 71;
  pageable[0] = 41;
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  EXPECT_EQ(machine_.download<std::uint32_t>(words_, 1)[0], 71u) << "overwritten while the copy was under way";
  EXPECT_EQ(machine_.download<std::uint32_t>(other, 1)[0], 40u);
}

TEST_F(Stream, DoesNotWaitForAnotherWithoutAnEvent) {
  void* other = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, kNonBlocking), 0);
  ASSERT_EQ(launch(stream_), 0);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(host_, words_, 128, other), 0);
  ASSERT_EQ(cuStreamSynchronize(other), 0);
  EXPECT_EQ(host_[0], 5u) << "the kernel of the other stream has not run";
}

TEST_F(Stream, WaitsForAnEventOfAnother) {
  void *other = nullptr, *event = nullptr;
  ASSERT_EQ(cuStreamCreate(&other, kNonBlocking), 0);
  ASSERT_EQ(cuEventCreate(&event, 0), 0);
  ASSERT_EQ(launch(stream_), 0);
  ASSERT_EQ(cuEventRecord(event, stream_), 0);
  ASSERT_EQ(launch(stream_), 0);  // behind the event
  ASSERT_EQ(cuStreamWaitEvent(other, event, 0), 0);
  ASSERT_EQ(cuEventDestroy_v2(event), 0);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(host_, words_, 128, other), 0);
  ASSERT_EQ(cuStreamSynchronize(other), 0);
  EXPECT_EQ(host_[0], 6u);
}

TEST_F(Stream, RunsOnWithEventsThatWereRecordedTwiceAndAreGone) {
  void* event = nullptr;
  ASSERT_EQ(cuEventCreate(&event, 0), 0);
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(launch(stream_), 0);
    ASSERT_EQ(cuEventRecord(event, stream_), 0);
  }
  ASSERT_EQ(cuEventDestroy_v2(event), 0);
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  EXPECT_EQ(machine_.download<std::uint32_t>(words_, 1)[0], 7u);
}

TEST_F(Stream, LegacyStreamOrdersBlockingStreamsAlone) {
  void* blocking = nullptr;
  ASSERT_EQ(cuStreamCreate(&blocking, 0), 0);
  ASSERT_EQ(launch(blocking), 0);
  EXPECT_EQ(machine_.download<std::uint32_t>(words_, 1)[0], 6u);
  ASSERT_EQ(launch(stream_), 0);
  EXPECT_EQ(machine_.download<std::uint32_t>(words_, 1)[0], 6u);
  ASSERT_EQ(cuCtxSynchronize(), 0);
  EXPECT_EQ(machine_.download<std::uint32_t>(words_, 1)[0], 7u);
}

TEST_F(Stream, QuerySaysNotReadyBeforeItIs) {
  ASSERT_EQ(launch(stream_), 0);
  EXPECT_EQ(cuStreamQuery(stream_), 600);
  EXPECT_EQ(cuStreamQuery(stream_), 0);
}

TEST_F(Stream, HostFunctionsRunInTheirPlace) {
  ASSERT_EQ(cuMemsetD32Async(words_, 9, 32, stream_), 0);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(host_, words_, 128, stream_), 0);
  ASSERT_EQ(cuLaunchHostFunc(stream_, [](void* data) { *static_cast<std::uint32_t*>(data) += 100; }, host_), 0);
  EXPECT_EQ(host_[0], 0u);
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  EXPECT_EQ(host_[0], 109u);
}

TEST_F(Stream, PoolMemoryLivesFromItsPlaceOnTheStreamOn) {
  void* other = nullptr;
  std::uint64_t address = 0;
  ASSERT_EQ(cuStreamCreate(&other, kNonBlocking), 0);
  ASSERT_EQ(cuMemAllocAsync(&address, 128, stream_), 0);
  ASSERT_EQ(cuMemsetD32Async(address, 3, 32, stream_), 0);
  ASSERT_EQ(cuMemcpyDtoHAsync_v2(host_, address, 128, stream_), 0);
  ASSERT_EQ(cuMemFreeAsync(address, stream_), 0);
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  EXPECT_EQ(host_[0], 3u);
  EXPECT_EQ(counters().live_allocations, 1u);
  ASSERT_EQ(cuMemAllocAsync(&address, 128, stream_), 0);
  ASSERT_EQ(cuMemsetD32Async(address, 3, 32, other), 0);  // no event between the two
  EXPECT_EQ(cuStreamSynchronize(other), 700);
  EXPECT_THAT(standin_report(), HasSubstr("fills 128 bytes"));
  machine_.reset();
}

TEST_F(Stream, FreeingPoolMemoryWaitsForNothing) {
  void* other = nullptr;
  std::uint64_t address = 0;
  ASSERT_EQ(cuStreamCreate(&other, kNonBlocking), 0);
  ASSERT_EQ(cuMemAllocAsync(&address, 128, stream_), 0);
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  ASSERT_EQ(cuMemsetD32Async(address, 3, 32, other), 0);
  ASSERT_EQ(cuMemFreeAsync(address, stream_), 0);
  ASSERT_EQ(cuStreamSynchronize(stream_), 0);
  EXPECT_EQ(cuStreamSynchronize(other), 700);
  EXPECT_THAT(standin_report(), HasSubstr("use-after-free"));
  machine_.reset();
}

TEST(Fault, FailsTheNthCallAlone) {
  Machine machine;
  ASSERT_EQ(standin_inject("cuMemAlloc_v2:2:2,cuLaunchKernel:1:719"), 1);
  std::uint64_t address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 0);
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 2);
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 0);
  EXPECT_EQ(standin_calls("cuMemAlloc_v2"), 3u);
  EXPECT_EQ(standin_inject("cuMemAlloc_v2"), 0) << "nth and code are missing";
}

TEST(Fault, FailsEveryCallForZero) {
  Machine machine;
  standin_inject("cuMemAlloc_v2:0:2");
  std::uint64_t address = 0;
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 2);
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 2);
  standin_inject("");
  EXPECT_EQ(cuMemAlloc_v2(&address, 64), 0);
}

TEST(Fault, StickyErrorsStayUntilTheContextIsReset) {
  for (const int code : {214, 700, 702, 710, 714, 715, 716, 717, 718, 719}) {
    Machine machine;
    standin_inject(("cuStreamCreate:1:" + std::to_string(code)).c_str());
    void* stream = nullptr;
    std::uint64_t address = 0;
    EXPECT_EQ(cuStreamCreate(&stream, 0), code);
    EXPECT_EQ(cuMemAlloc_v2(&address, 64), code);
    EXPECT_EQ(cuCtxSynchronize(), code);
    machine.reset();
    EXPECT_EQ(cuMemAlloc_v2(&address, 64), 0);
  }
}

TEST(Fault, OtherErrorsPass) {
  Machine machine;
  standin_inject("cuModuleLoadDataEx:1:200");
  void* module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module, kernel(0, "").c_str(), 0, nullptr, nullptr), 200);
  EXPECT_EQ(cuModuleLoadDataEx(&module, kernel(0, "").c_str(), 0, nullptr, nullptr), 0);
}

TEST(Module, RefusesUnknownInstructionsWithTheLineInTheLog) {
  Machine machine;
  char log[256] = "";
  int options[] = {5, 6};  // CU_JIT_ERROR_LOG_BUFFER and its size
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  void* module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module, kernel(0, "\nfrobnicate.s32 %r0;").c_str(), 2, options, values), 218);
  EXPECT_STREQ(log, "PTX line 9: opcode 'frobnicate' is not known");
  EXPECT_THAT(standin_report(), HasSubstr(log));
}

TEST(Module, RefusesWhatIsNeitherPtxNorElf) {
  Machine machine;
  void* module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module, "garbage", 0, nullptr, nullptr), 200);
}

TEST(Module, RefusesNewerPtxThanItsDeviceAndVersion) {
  Machine machine;
  void* module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module, ".version 99.0\n.target sm_90\n.address_size 64\n.entry k() { ret; }", 0, nullptr, nullptr), 222);
  EXPECT_EQ(cuModuleLoadDataEx(&module, ".version 9.0\n.target sm_200\n.address_size 64\n.entry k() { ret; }", 0, nullptr, nullptr), 209);
}

TEST(Module, VariablesHaveAddressesAndValues) {
  Machine machine;
  void* module = machine.load(std::string(kHeader) + ".visible .global .align 4 .u32 table[3] = {4, 5, 6};\n");
  std::uint64_t address = 0;
  std::size_t bytes = 0;
  ASSERT_EQ(cuModuleGetGlobal_v2(&address, &bytes, module, "table"), 0);
  EXPECT_EQ(bytes, 12u);
  EXPECT_EQ(machine.download<std::uint32_t>(address, 3)[2], 6u);
  EXPECT_EQ(counters().live_bytes, 0u) << "a module's memory is not the program's";
}

TEST(Memory, EndsAtTheLimit) {
  Machine machine;
  standin_set("memory", "1M");
  std::uint64_t first = 0, second = 0;
  EXPECT_EQ(cuMemAlloc_v2(&first, 700 << 10), 0);
  EXPECT_EQ(cuMemAlloc_v2(&second, 700 << 10), 2);
  std::size_t free = 0, total = 0;
  EXPECT_EQ(cuMemGetInfo_v2(&free, &total), 0);
  EXPECT_EQ(free, 324u << 10);
  EXPECT_EQ(cuMemFree_v2(first), 0);
  EXPECT_EQ(cuMemAlloc_v2(&second, 700 << 10), 0);
  standin_set("memory", "16G");
}

TEST(Memory, CountsWhatLives) {
  Machine machine;
  const auto address = machine.allocate(100);
  EXPECT_EQ(counters().live_bytes, 100u);
  EXPECT_EQ(counters().live_allocations, 1u);
  EXPECT_EQ(cuMemFree_v2(address), 0);
  EXPECT_EQ(counters().live_bytes, 0u);
  EXPECT_EQ(cuMemFree_v2(address), 1);
  EXPECT_THAT(standin_report(), HasSubstr("double-free"));
}

TEST(Memory, CopiesToTheHostOnlyWhatWasWritten) {
  Machine machine;
  const auto from = machine.upload(std::vector<std::uint32_t>(4, 1)), to = machine.allocate(32);
  EXPECT_EQ(cuMemcpyDtoDAsync_v2(to, from, 16, nullptr), 0);
  EXPECT_EQ(machine.download<std::uint32_t>(to, 4)[3], 1u);
  std::uint32_t host[8];
  EXPECT_EQ(cuMemcpyDtoH_v2(host, to, 32), 719);
  EXPECT_THAT(standin_report(), HasSubstr("byte 16 of 32 copied to the host has never been written"));
  machine.reset();
}

TEST(Memory, IsWrittenWithZerosWhereAsked) {
  Machine machine;
  standin_set("zeroed", "1");
  const auto from = machine.allocate(64);
  standin_set("zeroed", "0");
  EXPECT_EQ(machine.download<std::uint32_t>(from, 16), std::vector<std::uint32_t>(16));
}

TEST(Memory, CopiesInsideAllocationsAlone) {
  Machine machine;
  const auto address = machine.allocate(16);
  std::uint32_t host[8] = {};
  EXPECT_EQ(cuMemcpyHtoD_v2(address, host, 32), 1);
  EXPECT_EQ(cuMemcpyHtoD_v2(address + 8, host, 8), 0);
}

TEST(Pointer, SaysWhereItLies) {
  Machine machine;
  const auto address = machine.allocate(64);
  unsigned type = 0;
  int device = -1, on_stack = 0;
  EXPECT_EQ(cuPointerGetAttribute(&type, 2, address + 5), 0);
  EXPECT_EQ(type, 2u);
  EXPECT_EQ(cuPointerGetAttribute(&device, 9, address), 0);
  EXPECT_EQ(device, 0);
  EXPECT_EQ(cuPointerGetAttribute(&type, 2, reinterpret_cast<std::uint64_t>(&on_stack)), 1);
}

TEST(Counter, CountsSectorsAgainstTheIdeal) {
  Machine machine;
  const auto words = machine.upload(std::vector<std::uint32_t>(4096, 1));
  const auto measure = [&](const std::string& index, unsigned threads) {
    void* loaded = machine.load(kernel(1, index + "mad.wide.u32 %o, %r1, 4, %a0; ld.global.u32 %r0, [%o];"));
    standin_reset_counters();
    EXPECT_EQ(machine.launch(machine.function(loaded), 1, threads, {words}), 0) << standin_report();
    return std::pair(counters().global_sectors, counters().global_ideal_sectors);
  };
  EXPECT_EQ(measure("mov.u32 %r1, %t;", 64), std::pair(std::uint64_t{8}, std::uint64_t{8}));
  EXPECT_EQ(measure("mov.u32 %r1, %t;", 40), std::pair(std::uint64_t{5}, std::uint64_t{5}));
  EXPECT_EQ(measure("add.u32 %r1, %t, 1;", 32), std::pair(std::uint64_t{5}, std::uint64_t{4}));
  EXPECT_EQ(measure("mul.lo.u32 %r1, %t, 32;", 32), std::pair(std::uint64_t{32}, std::uint64_t{4}));
  EXPECT_EQ(measure("mov.u32 %r1, 7;", 32), std::pair(std::uint64_t{1}, std::uint64_t{1}));
  EXPECT_EQ(measure("sub.u32 %r1, 63, %t;", 32), std::pair(std::uint64_t{4}, std::uint64_t{4}));
}

TEST(Counter, CountsBankCycles) {
  Machine machine;
  const auto measure = [&](const std::string& stride, const std::string& type) {
    void* loaded =
        machine.load(kernel(0,
                            "mov.u32 %r1, s; mad.lo.u32 %r2, %t, " + stride + ", %r1; mov.u64 %q0, 0; mov.u32 %r3, 0; st.shared." + type +
                                " [%r2], " + (type == "u64" ? "%q0;" : "%r3;"),
                            ".shared .align 8 .b8 s[8192];\n"));
    standin_reset_counters();
    EXPECT_EQ(machine.launch(machine.function(loaded), 1, 32, {}), 0) << standin_report();
    EXPECT_EQ(counters().shared_requests, 1u);
    return counters().shared_cycles;
  };
  EXPECT_EQ(measure("4", "u32"), 1u);
  EXPECT_EQ(measure("8", "u32"), 2u);
  EXPECT_EQ(measure("128", "u32"), 32u);
  EXPECT_EQ(measure("132", "u32"), 1u) << "a padded row meets no bank twice";
  EXPECT_EQ(measure("8", "u64"), 2u);
}

TEST(Counter, CountsInstructionsExactly) {
  Machine machine;
  void* loaded =
      machine.load(std::string(kHeader) +
                   ".entry k() { .reg .b32 %r; .reg .pred %p; mov.u32 %r, %tid.x; setp.lt.u32 %p, %r, 8; @%p add.u32 %r, %r, 1; ret; }");
  standin_reset_counters();
  ASSERT_EQ(machine.launch(machine.function(loaded), 2, 48, {}), 0);
  EXPECT_EQ(counters().warp_instructions, 2u * 2 * 4);
  EXPECT_EQ(counters().lane_instructions, 2u * (48 * 3 + 8));
  EXPECT_EQ(counters().launches, 1u);
}

TEST(Launch, RefusesWhatTheDeviceCannot) {
  Machine machine;
  void* module = machine.load(std::string(kHeader) + ".entry k() .maxntid 64, 1, 1 { ret; }\n.entry r() .reqntid 32, 1, 1 { ret; }");
  void* function = machine.function(module);
  EXPECT_EQ(machine.launch(function, 1, 65, {}), 1);
  EXPECT_EQ(machine.launch(function, 0, 1, {}), 1);
  EXPECT_EQ(cuLaunchKernel(function, 1, 70000, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr), 1);
  EXPECT_EQ(machine.launch(machine.function(module, "r"), 1, 31, {}), 1);
  EXPECT_EQ(machine.launch(function, 1, 1, {}, 100000), 1) << "more dynamic shared memory than was asked for";
  EXPECT_EQ(cuFuncSetAttribute(function, 8, 100000), 0);
  EXPECT_EQ(machine.launch(function, 1, 1, {}, 100000), 0);
  EXPECT_EQ(cuLaunchCooperativeKernel(function, 1 << 20, 1, 1, 32, 1, 1, 0, nullptr, nullptr), 720);
}

struct NodeParameters {
  void* function;
  unsigned grid[3], block[3], shared;
  void** parameters;
  void** extra;
  void* kernel;
  void* context;
};
extern "C" {
int cuGraphCreate(void**, unsigned);
int cuGraphDestroy(void*);
int cuGraphAddKernelNode_v2(void**, void*, void* const*, std::size_t, const NodeParameters*);
int cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
int cuGraphExecKernelNodeSetParams_v2(void*, void*, const NodeParameters*);
int cuGraphExecDestroy(void*);
int cuGraphLaunch(void*, void*);
}

/// 10 x + n at an address: which of two came last shows.
class GraphTest : public ::testing::Test {
 protected:
  NodeParameters node(std::uint64_t& address, std::uint64_t& number) {
    pointers_ = {&address, &number};
    return {function_, {1, 1, 1}, {1, 1, 1}, 0, pointers_.data(), nullptr, nullptr, nullptr};
  }
  std::uint32_t run(void* executable) {
    const std::uint32_t zero = 0;
    EXPECT_EQ(cuMemcpyHtoD_v2(at_, &zero, sizeof zero), 0);
    EXPECT_EQ(cuGraphLaunch(executable, nullptr), 0);
    return machine_.download<std::uint32_t>(at_, 1)[0];
  }
  Machine machine_;
  void* module_ =
      machine_.load(kernel(2, "ld.global.u32 %r0, [%a0]; cvt.u32.u64 %r1, %a1; mad.lo.u32 %r0, %r0, 10, %r1; st.global.u32 [%a0], %r0;"));
  void* function_ = machine_.function(module_);
  std::uint64_t at_ = machine_.upload(std::vector<std::uint32_t>(1, 0));
  std::vector<void*> pointers_;
};

TEST_F(GraphTest, RunsANodeAfterThoseThatItWaitsForAndElseTheLatestFirst) {
  for (const bool waits : {true, false}) {
    void *graph = nullptr, *executable = nullptr, *first = nullptr, *second = nullptr;
    ASSERT_EQ(cuGraphCreate(&graph, 0), 0);
    std::uint64_t number = 1;
    NodeParameters parameters = node(at_, number);
    ASSERT_EQ(cuGraphAddKernelNode_v2(&first, graph, nullptr, 0, &parameters), 0);
    number = 2;  // the first has a copy
    ASSERT_EQ(cuGraphAddKernelNode_v2(&second, graph, &first, waits, &parameters), 0);
    ASSERT_EQ(cuGraphInstantiateWithFlags(&executable, graph, 0), 0);
    EXPECT_EQ(run(executable), waits ? 12u : 21u);
    EXPECT_EQ(run(executable), waits ? 12u : 21u);
    number = 7;
    ASSERT_EQ(cuGraphExecKernelNodeSetParams_v2(executable, second, &parameters), 0);
    EXPECT_EQ(run(executable), waits ? 17u : 71u);
    EXPECT_EQ(cuGraphExecDestroy(executable), 0);
    EXPECT_EQ(cuGraphDestroy(graph), 0);
  }
}

TEST_F(GraphTest, RefusesWhatIsGoneAndNodesOfOthers) {
  void *graph = nullptr, *other = nullptr, *executable = nullptr, *mine = nullptr, *others = nullptr;
  ASSERT_EQ(cuGraphCreate(&graph, 0), 0);
  ASSERT_EQ(cuGraphCreate(&other, 0), 0);
  std::uint64_t number = 1;
  const NodeParameters parameters = node(at_, number);
  ASSERT_EQ(cuGraphAddKernelNode_v2(&others, other, nullptr, 0, &parameters), 0);
  EXPECT_EQ(cuGraphAddKernelNode_v2(&mine, graph, &others, 1, &parameters), 1);
  ASSERT_EQ(cuGraphAddKernelNode_v2(&mine, graph, nullptr, 0, &parameters), 0);
  ASSERT_EQ(cuGraphInstantiateWithFlags(&executable, graph, 0), 0);
  EXPECT_EQ(cuGraphExecKernelNodeSetParams_v2(executable, others, &parameters), 1);
  EXPECT_EQ(cuModuleUnload(module_), 0);
  EXPECT_NE(cuGraphLaunch(executable, nullptr), 0) << "its kernel is unloaded";
  EXPECT_EQ(cuGraphExecDestroy(executable), 0);
  EXPECT_NE(cuGraphLaunch(executable, nullptr), 0);
  EXPECT_EQ(cuGraphDestroy(graph), 0);
  EXPECT_EQ(cuGraphDestroy(graph), 1);
  EXPECT_EQ(cuGraphDestroy(other), 0);
}

TEST(Launch, OccupancyFallsWithSharedMemory) {
  Machine machine;
  void* function = machine.function(machine.load(std::string(kHeader) + ".entry k() { ret; }"));
  int few = 0, many = 0;
  ASSERT_EQ(cuFuncSetAttribute(function, 8, 200000), 0);
  ASSERT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&many, function, 256, 0), 0);
  ASSERT_EQ(cuOccupancyMaxActiveBlocksPerMultiprocessor(&few, function, 256, 100000), 0);
  EXPECT_GT(many, few);
  EXPECT_EQ(few, 2);
}

TEST(Launch, InterleavesBlocksBySeed) {
  // Each thread takes a ticket; in order they come block by block, by seed they do not.
  std::vector<std::vector<std::uint32_t>> orders;
  for (const char* seed : {"0", "1", "1", "2"}) {
    Machine machine;
    standin_set("seed", seed);
    const auto tickets = machine.allocate(8 * 64 * 4), next = machine.upload(std::vector<std::uint32_t>(1, 0));
    void* loaded = machine.load(kernel(2, "atom.global.add.u32 %r0, [%a1], 1; mad.wide.u32 %o, %i, 4, %a0; st.global.u32 [%o], %r0;"));
    ASSERT_EQ(machine.launch(machine.function(loaded), 8, 64, {tickets, next}), 0) << standin_report();
    orders.push_back(machine.download<std::uint32_t>(tickets, 512));
  }
  std::vector<std::uint32_t> in_order(512);
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(orders[0], in_order);
  EXPECT_NE(orders[1], in_order);
  EXPECT_EQ(orders[1], orders[2]) << "a seed stands for one order";
  EXPECT_NE(orders[1], orders[3]);
}

TEST(Launch, BlocksThatMeetInOneBarrierAllRun) {
  // A barrier of the grid: every block is to be resident, in order too.
  for (const char* seed : {"0", "7"}) {
    Machine machine;
    standin_set("seed", seed);
    standin_set("resident", "16");
    const auto words = machine.upload(std::vector<std::uint32_t>(16, 0));
    void* loaded = machine.load(kernel(1,
                                       "mov.u32 %r1, %nctaid.x; atom.release.gpu.global.add.u32 %r0, [%a0], 1; W: "
                                       "ld.acquire.gpu.global.u32 %r2, [%a0]; setp.lt.u32 %p0, %r2, %r1; @%p0 bra W;"));
    EXPECT_EQ(machine.launch(machine.function(loaded), 16, 1, {words}), 0) << standin_report();
    standin_set("resident", "8");
  }
}

TEST(Device, ReportsACapabilityNewerThanTheCompilers) {
  Machine machine;
  int major = 0, pools = 0;
  EXPECT_EQ(cuDeviceGetAttribute(&major, 75, 0), 0);
  EXPECT_EQ(major, 13);
  EXPECT_EQ(cuDeviceGetAttribute(&pools, 115, 0), 0);
  EXPECT_EQ(pools, 1);
}

TEST(Entry, IsFoundByNameInItsNewestVersion) {
  Machine machine;
  void* found = nullptr;
  int status = -1;
  EXPECT_EQ(cuGetProcAddress_v2("cuMemAlloc", &found, 12000, 0, &status), 0);
  EXPECT_EQ(found, reinterpret_cast<void*>(&cuMemAlloc_v2));
  EXPECT_EQ(status, 0);
  EXPECT_EQ(cuGetProcAddress_v2("cuNoSuchThing", &found, 12000, 0, &status), 500);
  EXPECT_EQ(status, 1);
}

TEST(Entry, ErrorsHaveNames) {
  const char* name = nullptr;
  EXPECT_EQ(cuGetErrorName(716, &name), 0);
  EXPECT_STREQ(name, "CUDA_ERROR_MISALIGNED_ADDRESS");
  EXPECT_EQ(cuGetErrorName(12345, &name), 1);
}

/// The least of an ELF file that says what it is: header and no sections.
std::vector<char> cubin_of(int architecture) {
  std::vector<char> bytes(64);
  std::memcpy(bytes.data(),
              "\x7f"
              "ELF\2\1\1\x41\x8",
              9);
  bytes[18] = static_cast<char>(190);
  const std::uint32_t flags = static_cast<std::uint32_t>(architecture) << 8;
  std::memcpy(bytes.data() + 48, &flags, 4);
  const std::uint64_t end = 64;
  std::memcpy(bytes.data() + 40, &end, 8);
  return bytes;
}

TEST(Cubin, RunsThePtxOfTheSameSource) {
  Machine machine;
  const std::vector<char> cubin = cubin_of(90), older = cubin_of(80);
  void* module = nullptr;
  EXPECT_EQ(cuModuleLoadDataEx(&module, cubin.data(), 0, nullptr, nullptr), 209) << "not asked for";
  standin_set("cubin", "1");
  standin_set("capability", "90");
  EXPECT_EQ(cuModuleLoadDataEx(&module, cubin.data(), 0, nullptr, nullptr), 200) << "not registered";
  ASSERT_EQ(standin_register_cubin(cubin.data(), cubin.size(), kernel(1, kIncrement).c_str()), 1);
  ASSERT_EQ(cuModuleLoadDataEx(&module, cubin.data(), 0, nullptr, nullptr), 0);
  const auto words = machine.upload(std::vector<std::uint32_t>(32, 5));
  EXPECT_EQ(machine.launch(machine.function(module), 1, 32, {words}), 0);
  EXPECT_EQ(machine.download<std::uint32_t>(words, 1)[0], 6u);
  ASSERT_EQ(standin_register_cubin(older.data(), older.size(), kernel(1, kIncrement).c_str()), 1);
  EXPECT_EQ(cuModuleLoadDataEx(&module, older.data(), 0, nullptr, nullptr), 209) << "of another major architecture";
  EXPECT_EQ(standin_register_cubin("text", 4, ""), 0);
  standin_set("cubin", "0");
  standin_set("capability", "130");
}

}  // namespace
}  // namespace standin_test

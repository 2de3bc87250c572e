// tests/kernels_cuda/host/driver.cpp - a driver and an NVRTC that hand kernels to g++ and run them on the CPU, one thread or warp
// after the other: the second oracle for generated text (ENGINE_CUDA_DRIVER and ENGINE_NVRTC name this library).
//
// Kernels with barriers cannot run here; the stand-in driver of tests/emulator runs those. With ENGINE_HOST_IDLE set nothing is
// compiled and launches do nothing: for bench/device_calls.py.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "kernels_cuda/driver_api.hpp"
#include "kernels_cuda/nvrtc_api.hpp"

namespace engine::cuda {
namespace {

/// A capability that no compiler knows, so that "PTX" is asked for.
constexpr int kMajorVersion = 9, kMinorVersion = 9;

struct Compiled {
  void* library = nullptr;
  void (*run)(unsigned blocks, unsigned threads, void** parameters) = nullptr;
};

constexpr const char* kCall = R"(
void** kernel_parameters;
void run_lane() {
  call_kernel(&engine::cuda::engine_kernel, kernel_parameters);
  block->threads[block->current].state = State::Done;
  setcontext(&block->scheduler);
}
extern "C" void run_kernel(unsigned blocks, unsigned threads, void** parameters) {
  gridDim = {blocks, 1, 1};
  blockDim = {threads, 1, 1};
  kernel_parameters = parameters;
  if (kExchanges && !block) block = new Block;
  for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) {
    if (kExchanges) run_block(threads, &run_lane);
    for (threadIdx.x = 0; !kExchanges && threadIdx.x < threads; ++threadIdx.x) call_kernel(&engine::cuda::engine_kernel, parameters);
  }
}
)";

/// Whether threads exchange values or wait for each other is known from the text.
bool needs_fibers(const char* text) { return std::strstr(text, "__shfl_sync") || std::strstr(text, "__syncthreads"); }

Compiled* compile_on_host(const char* text) {
  char folder[] = "/tmp/engine-host-XXXXXX";
  if (!mkdtemp(folder)) return nullptr;
  const std::string source = std::string(folder) + "/kernel.cpp", library = std::string(folder) + "/kernel.so";
  // Where the device has an instruction, the host does what it means.
  std::string body = text;
  constexpr std::string_view kAsm = "#define ENGINE_WORD(meaning, ...) asm volatile(__VA_ARGS__)";
  if (const std::size_t at = body.find(kAsm); at != std::string::npos)
    body.replace(at, kAsm.size(), "#define ENGINE_WORD(meaning, ...) meaning");
  std::ofstream(source) << "#include \"" ENGINE_HOST_WORDS "\"\n"
                        << body << "constexpr bool kExchanges = " << (needs_fibers(text) ? "true" : "false") << ";" << kCall;
  const std::string command =
      "g++ -std=c++20 -O0 -w -fPIC -shared -ffp-contract=off -fno-math-errno -fno-strict-aliasing -o " + library + " " + source;
  auto* compiled = new Compiled;
  if (std::system(command.c_str()) == 0) compiled->library = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::remove(source.c_str());
  std::remove(library.c_str());
  rmdir(folder);
  if (compiled->library) compiled->run = reinterpret_cast<void (*)(unsigned, unsigned, void**)>(dlsym(compiled->library, "run_kernel"));
  if (compiled->run) return compiled;
  delete compiled;
  return nullptr;
}

bool is_idle() { return std::getenv("ENGINE_HOST_IDLE") != nullptr; }
constexpr Status kNotSupported = static_cast<Status>(801);
Status graph_status() { return is_idle() ? kSuccess : kNotSupported; }

struct Text {
  std::string text;
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

// ---- driver -----------------------------------------------------------------------------------------------------------

Status cuInit(unsigned) { return kSuccess; }
Status cuDriverGetVersion(int* version) { return *version = 13000, kSuccess; }
Status cuGetErrorName(Status, const char** text) { return *text = "CUDA_ERROR", kSuccess; }
Status cuGetErrorString(Status, const char** text) { return *text = "an error", kSuccess; }
Status cuDeviceGetCount(int* count) { return *count = 1, kSuccess; }
Status cuDeviceGet(Device* device, int) { return *device = 0, kSuccess; }
Status cuDeviceGetName(char* text, int length, Device) { return std::snprintf(text, static_cast<std::size_t>(length), "host"), kSuccess; }
Status cuDeviceGetAttribute(int* value, DeviceAttribute attribute, Device) {
  *value = attribute == kMajor ? kMajorVersion : attribute == kMinor ? kMinorVersion : 1;
  return kSuccess;
}
Status cuDeviceGetUuid_v2(unsigned char* uuid, Device) { return std::memset(uuid, 0, 16), kSuccess; }
Status cuDeviceTotalMem_v2(std::size_t* bytes, Device) { return *bytes = std::size_t{1} << 30, kSuccess; }
Status cuDevicePrimaryCtxRetain(Context* context, Device) { return *context = nullptr, kSuccess; }
Status cuDevicePrimaryCtxRelease_v2(Device) { return kSuccess; }
Status cuCtxPushCurrent_v2(Context) { return kSuccess; }
Status cuCtxPopCurrent_v2(Context*) { return kSuccess; }
Status cuStreamCreate(Stream* stream, unsigned) { return *stream = nullptr, kSuccess; }
Status cuStreamDestroy_v2(Stream) { return kSuccess; }
Status cuStreamSynchronize(Stream) { return kSuccess; }
Status cuStreamWaitEvent(Stream, Event, unsigned) { return kSuccess; }
Status cuEventCreate(Event* event, unsigned) { return *event = nullptr, kSuccess; }
Status cuEventDestroy_v2(Event) { return kSuccess; }
Status cuEventRecord(Event, Stream) { return kSuccess; }
Status cuEventSynchronize(Event) { return kSuccess; }
Status cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) { return (*memory = std::malloc(bytes)) ? kSuccess : kOutOfMemory; }
Status cuMemFreeHost(void* memory) { return std::free(memory), kSuccess; }
Status cuPointerGetAttribute(void* value, PointerAttribute, DevicePointer) { return *static_cast<int*>(value) = 0, kSuccess; }
Status cuMemAlloc_v2(DevicePointer* memory, std::size_t bytes) {
  void* block = std::aligned_alloc(512, (bytes + 511) / 512 * 512);
  if (!block) return kOutOfMemory;
  std::memset(block, 0xcd, bytes);  // nothing may rest on fresh memory
  *memory = reinterpret_cast<DevicePointer>(block);
  return kSuccess;
}
Status cuMemFree_v2(DevicePointer memory) { return std::free(reinterpret_cast<void*>(memory)), kSuccess; }
Status cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, std::size_t bytes, Stream) {
  return std::memcpy(reinterpret_cast<void*>(to), from, bytes), kSuccess;
}
Status cuMemcpyDtoHAsync_v2(void* to, DevicePointer from, std::size_t bytes, Stream) {
  return std::memcpy(to, reinterpret_cast<void*>(from), bytes), kSuccess;
}
Status cuMemsetD8Async(DevicePointer to, unsigned char value, std::size_t bytes, Stream) {
  return std::memset(reinterpret_cast<void*>(to), value, bytes), kSuccess;
}
Status cuModuleLoadData(Module* module, const void* image) {
  if (is_idle()) return *module = reinterpret_cast<Module>(new Compiled), kSuccess;
  *module = reinterpret_cast<Module>(compile_on_host(static_cast<const char*>(image)));
  return *module ? kSuccess : kInvalidPtx;
}
Status cuModuleUnload(Module module) {
  auto* compiled = reinterpret_cast<Compiled*>(module);
  if (compiled->library) dlclose(compiled->library);
  delete compiled;
  return kSuccess;
}
Status cuModuleGetFunction(Function* function, Module module, const char*) {
  *function = reinterpret_cast<Function>(module);
  return kSuccess;
}
Status cuFuncGetAttribute(int* value, FunctionAttribute, Function) { return *value = 0, kSuccess; }
Status cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function, int, std::size_t) { return *blocks = 2, kSuccess; }
Status cuLaunchKernel(Function function, unsigned blocks, unsigned, unsigned, unsigned threads, unsigned, unsigned, unsigned, Stream,
                      void** parameters, void**) {
  if (const auto* compiled = reinterpret_cast<Compiled*>(function); compiled->run) compiled->run(blocks, threads, parameters);
  return kSuccess;
}

// ---- graphs: only those that do nothing, as nobody here knows how many bytes a parameter has -------------------------------

Status cuGraphCreate(CudaGraph*, unsigned) { return graph_status(); }
Status cuGraphDestroy(CudaGraph) { return graph_status(); }
Status cuGraphAddKernelNode_v2(GraphNode*, CudaGraph, const GraphNode*, std::size_t, const KernelNodeParameters*) { return graph_status(); }
Status cuGraphInstantiateWithFlags(GraphExecutable* executable, CudaGraph, unsigned long long) {
  *executable = reinterpret_cast<GraphExecutable>(std::uintptr_t{1});
  return graph_status();
}
Status cuGraphExecKernelNodeSetParams_v2(GraphExecutable, GraphNode, const KernelNodeParameters*) { return graph_status(); }
Status cuGraphExecDestroy(GraphExecutable) { return graph_status(); }
Status cuGraphLaunch(GraphExecutable, Stream) { return graph_status(); }

// ---- NVRTC: the text is the image ---------------------------------------------------------------------------------------

NvrtcStatus nvrtcVersion(int* major, int* minor) { return *major = 13, *minor = 0, kNvrtcSuccess; }
NvrtcStatus nvrtcGetNumSupportedArchs(int* count) { return *count = 1, kNvrtcSuccess; }
NvrtcStatus nvrtcGetSupportedArchs(int* architectures) { return *architectures = 90, kNvrtcSuccess; }
NvrtcStatus nvrtcCreateProgram(NvrtcProgram* program, const char* text, const char*, int, const char* const*, const char* const*) {
  *program = reinterpret_cast<NvrtcProgram>(new Text{text});
  return kNvrtcSuccess;
}
NvrtcStatus nvrtcDestroyProgram(NvrtcProgram* program) { return delete reinterpret_cast<Text*>(*program), kNvrtcSuccess; }
NvrtcStatus nvrtcCompileProgram(NvrtcProgram, int, const char* const*) { return kNvrtcSuccess; }
NvrtcStatus nvrtcGetProgramLogSize(NvrtcProgram, std::size_t* bytes) { return *bytes = 1, kNvrtcSuccess; }
NvrtcStatus nvrtcGetProgramLog(NvrtcProgram, char* text) { return *text = 0, kNvrtcSuccess; }
NvrtcStatus nvrtcGetPTXSize(NvrtcProgram program, std::size_t* bytes) {
  return *bytes = reinterpret_cast<Text*>(program)->text.size() + 1, kNvrtcSuccess;
}
NvrtcStatus nvrtcGetPTX(NvrtcProgram program, char* text) {
  const std::string& kept = reinterpret_cast<Text*>(program)->text;
  return std::memcpy(text, kept.c_str(), kept.size() + 1), kNvrtcSuccess;
}
NvrtcStatus nvrtcGetCUBINSize(NvrtcProgram, std::size_t*) { return kNvrtcCompilation; }
NvrtcStatus nvrtcGetCUBIN(NvrtcProgram, char*) { return kNvrtcCompilation; }

}  // extern "C"
#pragma GCC visibility pop

}  // namespace engine::cuda

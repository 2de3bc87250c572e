// proxy/nvrtc.cpp - stands between the engine and the NVRTC that PROXY_NVRTC names: hands all on, but for calls that are to fail.
//
// With PROXY_PTX_AS_CUBIN set it gives PTX where a cubin is asked for, so that the stand-in driver can run what was compiled for
// a device that NVRTC knows. The texts and the cubins themselves are then written to the folder that it names: 0.cu, 0.cubin, 1.cu, …
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <string>

#include "kernels_cuda/nvrtc_api.hpp"

namespace engine::cuda {
namespace {

struct State {
  std::mutex mutex;
  std::map<std::string, unsigned> calls;
  std::map<std::string, std::pair<unsigned, int>> faults;  ///< the number of the call that fails, and its code
  int live = 0;                                            ///< programs
};
State& state() {
  static State the_state;
  return the_state;
}

/// What the call is to fail with, or 0.
int fault_of(const char* function) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const auto found = s.faults.find(function);
  return ++s.calls[function] && found != s.faults.end() && s.calls[function] == found->second.first ? found->second.second : 0;
}

void count_live(int change) {
  const std::lock_guard lock(state().mutex);
  state().live += change;
}

template <class Function>
Function* find(const char* name) {
  static void* const library = [] {
    const char* path = std::getenv("PROXY_NVRTC");
    return path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  }();
  void* found = library ? dlsym(library, name) : nullptr;
  if (found) return reinterpret_cast<Function*>(found);
  std::fprintf(stderr, "PROXY_NVRTC names no library with %s\n", name);
  std::abort();
}

const char* cubin_folder() { return std::getenv("PROXY_PTX_AS_CUBIN"); }

std::string file_name(int serial, const char* ending) { return std::string(cubin_folder()) + "/" + std::to_string(serial) + ending; }

using Size = NvrtcStatus(NvrtcProgram, std::size_t*);
using Get = NvrtcStatus(NvrtcProgram, char*);

void keep_cubin(NvrtcProgram program) {
  static std::atomic<int> serial{0};
  std::size_t n = 0;
  if (find<Size>("nvrtcGetCUBINSize")(program, &n) != kNvrtcSuccess) return;
  std::string bytes(n, '\0');
  if (find<Get>("nvrtcGetCUBIN")(program, bytes.data()) != kNvrtcSuccess) return;
  std::ofstream(file_name(serial++, ".cubin"), std::ios::binary) << bytes;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

#define FORWARD(NAME, AS, PARAMETERS, ARGUMENTS)                                   \
  NvrtcStatus NAME PARAMETERS {                                                    \
    if (const int fault = fault_of(#NAME)) return static_cast<NvrtcStatus>(fault); \
    return find<NvrtcStatus PARAMETERS>(AS) ARGUMENTS;                             \
  }
FORWARD(nvrtcVersion, "nvrtcVersion", (int* major, int* minor), (major, minor))
FORWARD(nvrtcGetNumSupportedArchs, "nvrtcGetNumSupportedArchs", (int* count), (count))
FORWARD(nvrtcGetSupportedArchs, "nvrtcGetSupportedArchs", (int* architectures), (architectures))
FORWARD(nvrtcCompileProgram, "nvrtcCompileProgram", (NvrtcProgram program, int n, const char* const* words), (program, n, words))
FORWARD(nvrtcGetProgramLogSize, "nvrtcGetProgramLogSize", (NvrtcProgram program, std::size_t* bytes), (program, bytes))
FORWARD(nvrtcGetProgramLog, "nvrtcGetProgramLog", (NvrtcProgram program, char* text), (program, text))
FORWARD(nvrtcGetPTXSize, "nvrtcGetPTXSize", (NvrtcProgram program, std::size_t* bytes), (program, bytes))
FORWARD(nvrtcGetPTX, "nvrtcGetPTX", (NvrtcProgram program, char* text), (program, text))
FORWARD(nvrtcGetCUBINSize, cubin_folder() ? "nvrtcGetPTXSize" : "nvrtcGetCUBINSize", (NvrtcProgram program, std::size_t* bytes),
        (program, bytes))
#undef FORWARD

NvrtcStatus nvrtcGetCUBIN(NvrtcProgram program, char* text) {
  if (const int fault = fault_of("nvrtcGetCUBIN")) return static_cast<NvrtcStatus>(fault);
  if (!cubin_folder()) return find<Get>("nvrtcGetCUBIN")(program, text);
  keep_cubin(program);
  return find<Get>("nvrtcGetPTX")(program, text);
}
NvrtcStatus nvrtcCreateProgram(NvrtcProgram* program, const char* text, const char* name, int n, const char* const* texts,
                               const char* const* names) {
  if (const int fault = fault_of("nvrtcCreateProgram")) return static_cast<NvrtcStatus>(fault);
  using Create = NvrtcStatus(NvrtcProgram*, const char*, const char*, int, const char* const*, const char* const*);
  const NvrtcStatus status = find<Create>("nvrtcCreateProgram")(program, text, name, n, texts, names);
  if (status == kNvrtcSuccess) count_live(1);
  static std::atomic<int> serial{0};
  if (status == kNvrtcSuccess && cubin_folder()) std::ofstream(file_name(serial++, ".cu")) << text;
  return status;
}
NvrtcStatus nvrtcDestroyProgram(NvrtcProgram* program) {
  if (const int fault = fault_of("nvrtcDestroyProgram")) return static_cast<NvrtcStatus>(fault);
  const NvrtcStatus status = find<NvrtcStatus(NvrtcProgram*)>("nvrtcDestroyProgram")(program);
  if (status == kNvrtcSuccess) count_live(-1);
  return status;
}

/// "function:n:code[,...]": the nth call from now fails so. "" ends all faults. 0 where it is not understood.
int proxy_inject(const char* faults) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  s.calls.clear();
  s.faults.clear();
  std::istringstream list(faults);
  for (std::string each; std::getline(list, each, ',');) {
    char function[64];
    unsigned nth = 0;
    int code = 0;
    if (std::sscanf(each.c_str(), "%63[^:]:%u:%d", function, &nth, &code) != 3) return 0;
    s.faults[function] = {nth, code};
  }
  return 1;
}
unsigned proxy_calls(const char* function) {
  const std::lock_guard lock(state().mutex);
  return state().calls[function];
}
int proxy_live() {
  const std::lock_guard lock(state().mutex);
  return state().live;
}

}  // extern "C"
#pragma GCC visibility pop

}  // namespace engine::cuda

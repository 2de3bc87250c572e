// proxy/nvrtc.cpp - stands between the engine and the NVRTC that PROXY_NVRTC names: hands all on, but for calls that are to fail.
//
// With PROXY_PTX_AS_CUBIN set it gives PTX where a cubin is asked for, so that the stand-in driver can run what was compiled for
// a device that NVRTC knows. The texts and the cubins themselves are then written to the folder that it names: 0.cu, 0.cubin, 1.cu, …
//
// With PROXY_GROUPS set, texts are looked for in the folder that it names, where groups.py leaves the PTX of many that were compiled
// together. What is not there is compiled alone and its text left in the folder or, with PROXY_STUBS set, is a kernel that does nothing.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>

#include "kernels_cuda/nvrtc_api.hpp"

namespace engine::cuda {
namespace {

struct State {
  std::mutex mutex;
  std::map<NvrtcProgram, std::string> texts;  ///< what each is to be compiled from, and
  std::map<NvrtcProgram, std::string> made;   ///< its PTX, where that was not compiled now
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

const char* group_folder() { return std::getenv("PROXY_GROUPS"); }

constexpr std::string_view kStub = ".version 8.0\n.target sm_75\n.address_size 64\n.visible .entry engine_kernel()\n{\nret;\n}\n";

/// Whether its PTX is in the folder of groups, or stands for it. Texts with CUB's headers are no part of groups.
bool is_made(NvrtcProgram program, int n, const char* const* words) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  std::string text;
  for (int i = 0; i < n; ++i) text.append(i ? " " : "//").append(words[i]);
  text.append("\n").append(s.texts[program]);
  const bool stubs = std::getenv("PROXY_STUBS");
  if (text.find("#include") != std::string::npos) {
    if (stubs) s.made[program] = kStub;
    return stubs;
  }
  const std::string file = std::string(group_folder()) + "/" + std::to_string(std::hash<std::string>{}(text));
  if (const std::ifstream ptx(file + ".ptx"); ptx) {
    std::ostringstream read;
    read << ptx.rdbuf();
    s.made[program] = read.str();
    return true;
  }
  std::ofstream(file + ".cu") << text;
  if (stubs) s.made[program] = kStub;
  return stubs;
}

/// The PTX that was not compiled now; null where it was.
const std::string* made(NvrtcProgram program) {
  State& s = state();
  const std::lock_guard lock(s.mutex);
  const auto found = s.made.find(program);
  return found == s.made.end() ? nullptr : &found->second;
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
FORWARD(nvrtcGetProgramLogSize, "nvrtcGetProgramLogSize", (NvrtcProgram program, std::size_t* bytes), (program, bytes))
FORWARD(nvrtcGetProgramLog, "nvrtcGetProgramLog", (NvrtcProgram program, char* text), (program, text))
FORWARD(nvrtcGetCUBINSize, cubin_folder() ? "nvrtcGetPTXSize" : "nvrtcGetCUBINSize", (NvrtcProgram program, std::size_t* bytes),
        (program, bytes))
#undef FORWARD

NvrtcStatus nvrtcCompileProgram(NvrtcProgram program, int n, const char* const* words) {
  if (const int fault = fault_of("nvrtcCompileProgram")) return static_cast<NvrtcStatus>(fault);
  if (group_folder() && is_made(program, n, words)) return kNvrtcSuccess;
  return find<NvrtcStatus(NvrtcProgram, int, const char* const*)>("nvrtcCompileProgram")(program, n, words);
}
NvrtcStatus nvrtcGetPTXSize(NvrtcProgram program, std::size_t* bytes) {
  if (const int fault = fault_of("nvrtcGetPTXSize")) return static_cast<NvrtcStatus>(fault);
  const std::string* ptx = made(program);
  if (!ptx) return find<Size>("nvrtcGetPTXSize")(program, bytes);
  *bytes = ptx->size() + 1;
  return kNvrtcSuccess;
}
NvrtcStatus nvrtcGetPTX(NvrtcProgram program, char* text) {
  if (const int fault = fault_of("nvrtcGetPTX")) return static_cast<NvrtcStatus>(fault);
  const std::string* ptx = made(program);
  if (!ptx) return find<Get>("nvrtcGetPTX")(program, text);
  std::memcpy(text, ptx->c_str(), ptx->size() + 1);
  return kNvrtcSuccess;
}
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
  if (status == kNvrtcSuccess && group_folder()) {
    const std::lock_guard lock(state().mutex);
    state().texts[*program] = text;
  }
  static std::atomic<int> serial{0};
  if (status == kNvrtcSuccess && cubin_folder()) std::ofstream(file_name(serial++, ".cu")) << text;
  return status;
}
NvrtcStatus nvrtcDestroyProgram(NvrtcProgram* program) {
  if (const int fault = fault_of("nvrtcDestroyProgram")) return static_cast<NvrtcStatus>(fault);
  {
    const std::lock_guard lock(state().mutex);
    state().texts.erase(*program);
    state().made.erase(*program);
  }
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

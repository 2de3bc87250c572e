// kernels_cuda/nvrtc_api.cpp - see nvrtc_api.hpp.
#include "kernels_cuda/nvrtc_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <engine/error.hpp>
#include <mutex>

#include "engine/base/dynamic_library.hpp"
#include "kernels_cuda/cub.hpp"
#include "kernels_cuda/settled.hpp"

namespace engine::cuda {
namespace {

constexpr const char* kSonames[] = {"libnvrtc.so.13", "libnvrtc.so.12"};
constexpr const char* kHelp =
    "pip install nvidia-cuda-nvrtc (the extra engine[cuda13] or engine[cuda12]), or set ENGINE_NVRTC to libnvrtc.so";

struct Nvrtc {
#define ENGINE_MEMBER(NAME, PARAMETERS) NvrtcStatus(*NAME) PARAMETERS = nullptr;
  ENGINE_NVRTC_FUNCTIONS(ENGINE_MEMBER)
#undef ENGINE_MEMBER
};

struct Loaded {
  Nvrtc table;
  NvrtcState state;
  bool is_final = true;
};

std::vector<std::string>& extra_folders() {
  static std::vector<std::string> folders;
  return folders;
}

std::mutex& mutex_of_folders() {
  static std::mutex mutex;
  return mutex;
}

/// Where it may be, in order: what the user says, wheels, the system's search, toolkits.
std::vector<std::string> candidates() {
  if (const char* chosen = std::getenv("ENGINE_NVRTC"); chosen && *chosen) return {chosen};
  std::vector<std::string> paths;
  const auto add = [&](const std::string& folder) {
    for (const char* soname : kSonames) paths.push_back(folder.empty() ? soname : folder + "/" + soname);
  };
  for (const std::string& folder : nvrtc_folders()) add(folder);
  add("");
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* toolkit = std::getenv(variable); toolkit && *toolkit) add(fmt::format("{}/lib64", toolkit));
  add("/usr/local/cuda/lib64");
  return paths;
}

const char* fill(Nvrtc& table, const DynamicLibrary& library) {
#define ENGINE_FIND(NAME, PARAMETERS) \
  if (!(table.NAME = reinterpret_cast<decltype(table.NAME)>(library.symbol(#NAME)))) return #NAME;
  ENGINE_NVRTC_FUNCTIONS(ENGINE_FIND)
#undef ENGINE_FIND
  return nullptr;
}

Loaded load() {
  Loaded loaded;
  NvrtcState& state = loaded.state;
  const std::vector<std::string> paths = candidates();
  for (const std::string& path : paths) {
    const DynamicLibrary library = DynamicLibrary::open(path);
    if (!library.is_loaded()) continue;
    state.path = path;
    if (const char* missing = fill(loaded.table, library)) {
      state.reason = fmt::format("{} has no {}: it is no NVRTC of CUDA 12 or 13", path, missing);
      state.help = kHelp;
      return loaded;
    }
    int count = 0;
    if (loaded.table.nvrtcVersion(&state.major, &state.minor) == kNvrtcSuccess &&
        loaded.table.nvrtcGetNumSupportedArchs(&count) == kNvrtcSuccess) {
      state.architectures.resize(static_cast<std::size_t>(count));
      if (count > 0 && loaded.table.nvrtcGetSupportedArchs(state.architectures.data()) == kNvrtcSuccess) {
        std::sort(state.architectures.begin(), state.architectures.end());
        return loaded;
      }
    }
    state.reason = fmt::format("{} does not answer", path);
    state.help = kHelp;
    loaded.is_final = false;
    return loaded;
  }
  state.reason =
      paths.size() == 1 ? fmt::format("the compiler NVRTC could not be loaded from {}", paths[0]) : "the compiler NVRTC was not found";
  state.help = kHelp;
  return loaded;
}

const Loaded& loaded() {
  static Settled<Loaded> the_compiler;
  return the_compiler.get([] {
    Loaded found = load();
    if (!found.state.reason.empty()) found.state.reason.insert(0, "not usable here: ");
    return found;
  });
}

const Nvrtc& nvrtc() {
  const Loaded& found = loaded();
  if (!found.state.reason.empty())
    throw BackendError({.what = "the backend \"cuda\" is " + found.state.reason, .labels = {}, .help = found.state.help, .text = {}});
  return found.table;
}

void check(NvrtcStatus status, const char* doing) {
  if (status == kNvrtcSuccess) return;
  if (status == kNvrtcOutOfMemory)
    throw OutOfMemory({.what = fmt::format("out of memory while {}", doing), .labels = {}, .help = {}, .text = {}});
  throw BackendError(
      {.what = fmt::format("NVRTC failed while {}: error {}", doing, static_cast<int>(status)), .labels = {}, .help = kHelp, .text = {}});
}

std::string text_of(NvrtcStatus (*size)(NvrtcProgram, std::size_t*), NvrtcStatus (*get)(NvrtcProgram, char*), NvrtcProgram program) {
  std::size_t length = 0;
  check(size(program, &length), "asking for what it made");
  std::string text(length, '\0');
  check(get(program, text.data()), "giving what it made");
  return text;
}

struct Program {
  explicit Program(const Nvrtc& table, const std::string& text) : nvrtc(table) {
    check(nvrtc.nvrtcCreateProgram(&handle, text.c_str(), "kernel.cu", 0, nullptr, nullptr), "reading a kernel");
  }
  ~Program() { nvrtc.nvrtcDestroyProgram(&handle); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  const Nvrtc& nvrtc;
  NvrtcProgram handle = nullptr;
};

/// The latest architecture that NVRTC knows and whose code runs on this one; 0 where there is none.
int known_architecture(int architecture) {
  int best = 0;
  for (int known : nvrtc_state().architectures)
    if (known <= architecture) best = known;
  return best;
}

}  // namespace

void add_nvrtc_folders(std::span<const std::string> folders) {
  const std::lock_guard lock(mutex_of_folders());
  extra_folders().insert(extra_folders().end(), folders.begin(), folders.end());
}

std::vector<std::string> nvrtc_folders() {
  const std::lock_guard lock(mutex_of_folders());
  return extra_folders();
}

const NvrtcState& nvrtc_state() { return loaded().state; }

std::vector<std::string> compile_options(const std::string& text, int architecture) {
  const int known = known_architecture(architecture);
  // Bits are part of the contract: no contraction; division, square root and subnormals as IEEE 754 has them are the default.
  std::vector<std::string> options = {"--std=c++20", "--fmad=false", "--device-as-default-execution-space",
                                      fmt::format("--gpu-architecture={}_{}", known == architecture ? "sm" : "compute", known)};
  if (text.starts_with(kCubInclude)) {
    options.push_back("--include-path=" + cub_state().folder);
    options.push_back(fmt::format("--define-macro=ENGINE_CUB={}", cub_state().version));  // another version is another kernel
  } else if (nvrtc_state().major >= 13) {
    // Without textures, surfaces and the device run-time, which no kernel uses: 10 ms less of 45 to 60.
    options.emplace_back("--minimal");
  }
  return options;
}

Image compile(const std::string& text, int architecture) {
  const Nvrtc& table = nvrtc();
  if (known_architecture(architecture) == 0)
    throw BackendError({.what = fmt::format("NVRTC {}.{} makes no code for compute capability {}.{}", nvrtc_state().major,
                                            nvrtc_state().minor, architecture / 10, architecture % 10),
                        .labels = {},
                        .help = "install the NVRTC of CUDA 12 for devices before 7.5",
                        .text = {}});
  const Program program(table, text);
  const std::vector<std::string> options = compile_options(text, architecture);
  std::vector<const char*> words;
  for (const std::string& option : options) words.push_back(option.c_str());
  const NvrtcStatus status = table.nvrtcCompileProgram(program.handle, static_cast<int>(words.size()), words.data());
  if (status == kNvrtcCompilation)
    throw InternalError({.what = fmt::format("a kernel does not compile:\n{}\n{}",
                                             text_of(table.nvrtcGetProgramLogSize, table.nvrtcGetProgramLog, program.handle), text),
                         .labels = {},
                         .help = {},
                         .text = {}});
  check(status, "compiling a kernel");
  Image image;
  image.is_cubin = known_architecture(architecture) == architecture;
  image.bytes = image.is_cubin ? text_of(table.nvrtcGetCUBINSize, table.nvrtcGetCUBIN, program.handle)
                               : text_of(table.nvrtcGetPTXSize, table.nvrtcGetPTX, program.handle);
  return image;
}

}  // namespace engine::cuda

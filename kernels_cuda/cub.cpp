// kernels_cuda/cub.cpp - see cub.hpp.
#include "kernels_cuda/cub.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "kernels_cuda/nvrtc_api.hpp"
#include "kernels_cuda/settled.hpp"

namespace engine::cuda {
namespace {

constexpr int kOldest = 200200;  ///< where ranks of digits are as they are called here
constexpr const char* kHelp =
    "pip install nvidia-cuda-cccl (the extra engine[cuda13] or engine[cuda12]), or set ENGINE_CCCL to the folder that holds cub/";

/// In order: what the user says, wheels, NVRTC's own toolkit, other toolkits.
std::vector<std::string> candidates() {
  if (const char* chosen = std::getenv("ENGINE_CCCL"); chosen && *chosen) return {chosen};
  std::vector<std::string> folders;
  const auto add = [&](const std::string& include) {
    folders.push_back(include + "/cccl");
    folders.push_back(include);
  };
  // Beside the folder of libraries, which need not be there.
  const auto beside = [&](const std::string& libraries) { add(libraries.substr(0, libraries.rfind('/')) + "/include"); };
  for (const std::string& libraries : nvrtc_folders()) beside(libraries);
  const std::string& path = nvrtc_state().path;
  if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) beside(path.substr(0, slash));
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* toolkit = std::getenv(variable); toolkit && *toolkit) add(fmt::format("{}/include", toolkit));
  add("/usr/local/cuda/include");
  return folders;
}

/// 0: there is none.
int version_in(const std::string& folder) {
  constexpr std::string_view kDefine = "#define CUB_VERSION ";
  std::ifstream file(folder + "/cub/version.cuh");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(kDefine)) return std::atoi(line.c_str() + kDefine.size());
  return 0;
}

struct Found {
  CubState state;
  bool is_final = true;
};

Found look() {
  Found found;
  CubState& state = found.state;
  for (const std::string& folder : candidates()) {
    const int version = version_in(folder);
    if (version == 0) continue;
    state.folder = folder;
    state.version = version;
    if (version >= kOldest) return found;
    state.reason = fmt::format("CUB {}.{} in {} is too old", version / 100000, version / 100 % 1000, folder);
    state.help = kHelp;
    return found;
  }
  state.reason = "CUB's headers were not found";
  state.help = kHelp;
  return found;
}

}  // namespace

const CubState& cub_state() {
  static Settled<Found> the_headers;
  return the_headers.get(&look).state;
}

}  // namespace engine::cuda

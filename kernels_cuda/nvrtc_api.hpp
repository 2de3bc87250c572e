// kernels_cuda/nvrtc_api.hpp - the run-time compiler NVRTC, found by name at run time: text in, cubin or PTX out.
//
// The declarations are ours, after NVRTC's reference (CUDA 12 and 13). NVRTC needs neither a device nor a driver.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engine::cuda {

using NvrtcProgram = struct NvrtcProgramHandle*;
enum NvrtcStatus : int { kNvrtcSuccess = 0, kNvrtcOutOfMemory = 1, kNvrtcCompilation = 6 };

// Name and parameters; each gives a NvrtcStatus.
// clang-format off
#define ENGINE_NVRTC_FUNCTIONS(F)                                                                      \
  F(nvrtcVersion, (int* major, int* minor))                                                            \
  F(nvrtcGetNumSupportedArchs, (int* count))                                                           \
  F(nvrtcGetSupportedArchs, (int* architectures))                                                      \
  F(nvrtcCreateProgram, (NvrtcProgram*, const char* text, const char* name, int headers,               \
                         const char* const* header_texts, const char* const* header_names))            \
  F(nvrtcDestroyProgram, (NvrtcProgram*))                                                              \
  F(nvrtcCompileProgram, (NvrtcProgram, int options, const char* const* words))                        \
  F(nvrtcGetProgramLogSize, (NvrtcProgram, std::size_t*))                                              \
  F(nvrtcGetProgramLog, (NvrtcProgram, char*))                                                         \
  F(nvrtcGetPTXSize, (NvrtcProgram, std::size_t*))                                                     \
  F(nvrtcGetPTX, (NvrtcProgram, char*))                                                                \
  F(nvrtcGetCUBINSize, (NvrtcProgram, std::size_t*))                                                   \
  F(nvrtcGetCUBIN, (NvrtcProgram, char*))
// clang-format on

/// What was found. `reason` is empty where it can be used. Valid until the calling thread asks again: a compiler that failed to
/// answer is asked another time.
struct NvrtcState {
  std::string reason, help;
  std::string path;
  int major = 0, minor = 0;
  std::vector<int> architectures;  ///< 75, 80, …, 120: those it makes code for
};
const NvrtcState& nvrtc_state();

/// Folders where libnvrtc.so.13 or .12 may be, besides those that are always looked at: the `nvidia-cuda-nvrtc` wheel's,
/// which only Python knows. Without effect once NVRTC was asked for.
void add_nvrtc_folders(std::span<const std::string> folders);
std::vector<std::string> nvrtc_folders();

/// A compiled kernel: a cubin for one architecture, or PTX for it and later ones.
struct Image {
  std::string bytes;
  bool is_cubin = false;
  friend bool operator==(const Image&, const Image&) = default;
};

/// Code for compute capability `architecture` (90 is 9.0): a cubin where NVRTC knows it, else PTX for the latest it knows.
/// Throws BackendError without NVRTC, OutOfMemory, InternalError with the log for text that does not compile.
Image compile(const std::string& text, int architecture);

/// What compile() tells NVRTC: part of a cached image's identity.
std::vector<std::string> compile_options(const std::string& text, int architecture);

}  // namespace engine::cuda

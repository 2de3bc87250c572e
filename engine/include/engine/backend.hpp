// engine/backend.hpp - where expressions can run on this machine, why not, and what would help; and what this build is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <engine/export.hpp>
#include <engine/options.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace engine ENGINE_API {

/// Where expressions can run, and why not.
struct Backend {
  BackendChoice choice;
  std::string_view name;
  bool usable;
  std::string_view reason;  ///< "not part of this build"
};

/// Every backend there could be, but for "auto".
///
///     for (const Backend& backend : backends()) std::printf("%s\n", backend.name.data());
std::span<const Backend> backends() noexcept;

/// Whether Options::backend may be set to this, why or why not, and what to do instead.
struct Availability {
  bool usable;
  std::string_view reason;
  std::string_view help;  ///< empty where it is usable
};

/// Auto is usable where any backend is; compile() throws a BackendError for whatever is not.
///
///     probe(BackendChoice::Interp).usable
Availability probe(BackendChoice choice) noexcept;

/// What a backend found on this machine: its driver, devices, compiler, cache; what is missing and what would help.
///
///     for (const auto& [name, value] : facts(BackendChoice::Cuda)) std::printf("%s: %s\n", name.c_str(), value.c_str());
std::vector<std::pair<std::string, std::string>> facts(BackendChoice choice);

/// A kernel that was compiled for a device and kept on disk.
struct CachedKernel {
  std::string name;         ///< of its file
  std::uint64_t bytes = 0;  ///< of it
  std::int64_t used = 0;    ///< last, in seconds since 1970
  std::string made_by;      ///< versions and options: "engine 0.1.0; NVRTC 13.0; …"; empty where the file is damaged
};
/// Compiled kernels that outlive processes, the one unused for longest first. `reason`: why the folder is not used; empty where it is.
struct KernelCache {
  std::string folder, reason;
  std::vector<CachedKernel> kernels;
};
/// Empty for backends that keep nothing.
///
///     for (const CachedKernel& kernel : kernel_cache(BackendChoice::Cuda).kernels) std::printf("%s\n", kernel.name.c_str());
KernelCache kernel_cache(BackendChoice choice);
/// Removes all of them, whoever uses them: how many. Kernels that a process has loaded stay with it.
///
///     clear_kernel_cache(BackendChoice::Cuda);
std::size_t clear_kernel_cache(BackendChoice choice);

/// Folders where the run-time compiler's library may be, besides those that are always looked at. To be called before a
/// backend is first asked for; the Python package tells the folders of its wheels.
///
///     add_library_folders(std::array<std::string, 1>{"/opt/nvrtc/lib"});
void add_library_folders(std::span<const std::string> folders);

/// "0.1.0"
std::string_view version() noexcept;
/// What built the library: "GCC 12.2.0".
std::string_view compiler() noexcept;
/// What its kernels use on this machine: "avx512", "avx2" or "generic".
std::string_view instruction_set() noexcept;
/// Whether they multiply and add in one instruction. Where not, elementary functions do so in software: the same bits, many
/// times slower.
bool fused_multiply_add() noexcept;

}  // namespace engine ENGINE_API

// engine/backend.hpp - where expressions can run on this machine, why not, and what would help; and what this build is.
#pragma once

#include <engine/export.hpp>
#include <engine/options.hpp>
#include <span>
#include <string_view>

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

// backends.cpp - the backends of this build, each registered in one line, and whether they can be used here.
#include <array>
#include <string>

#include "engine/run/backend.hpp"
#include "engine/run/jit/jit.hpp"
#ifdef ENGINE_WITH_CUDA
#include "kernels_cuda/backend.hpp"
#endif

namespace engine {
namespace run {

const BackendEntry* find_backend(BackendChoice choice) noexcept {
#ifdef ENGINE_WITH_CUDA
  if (choice == BackendChoice::Cuda) return &cuda::kBackend;
#endif
  (void)choice;
  return nullptr;
}

}  // namespace run

Availability probe(BackendChoice choice) noexcept {
  switch (choice) {
    case BackendChoice::Auto:
      return {true, "chooses among the backends of this build", {}};
    case BackendChoice::Interp:
      return {true, "runs everywhere", {}};
    case BackendChoice::Jit:
      if (run::jit::compiler()) return {true, run::jit::reason(), {}};
      return {false, run::jit::reason(), "use backend=\"auto\" or \"interp\""};
    default:
      break;
  }
  if (const run::BackendEntry* entry = run::find_backend(choice)) return entry->probe();
  return {false, "not part of this build", "use backend=\"auto\" or \"interp\""};
}

std::span<const Backend> backends() noexcept {
  // Asked once: looking for a device takes a driver a while, and what was found does not change.
  static const std::array<Backend, 3> list = [] {
    std::array<Backend, 3> rows{
        {{BackendChoice::Interp, "interp", true, {}}, {BackendChoice::Jit, "jit", false, {}}, {BackendChoice::Cuda, "cuda", false, {}}}};
    for (Backend& row : rows) {
      const Availability found = probe(row.choice);
      row.usable = found.usable;
      row.reason = found.reason;
    }
    return rows;
  }();
  return list;
}

std::vector<std::pair<std::string, std::string>> facts(BackendChoice choice) {
  const run::BackendEntry* entry = run::find_backend(choice);
  return entry ? entry->facts() : std::vector<std::pair<std::string, std::string>>{};
}

KernelCache kernel_cache(BackendChoice choice) {
  const run::BackendEntry* entry = run::find_backend(choice);
  return entry ? entry->cache() : KernelCache{};
}

std::size_t clear_kernel_cache(BackendChoice choice) {
  const run::BackendEntry* entry = run::find_backend(choice);
  return entry ? entry->clear_cache() : 0;
}

void add_library_folders(std::span<const std::string> folders) {
  for (const BackendChoice choice : {BackendChoice::Jit, BackendChoice::Cuda})
    if (const run::BackendEntry* entry = run::find_backend(choice)) entry->add_library_folders(folders);
}

}  // namespace engine

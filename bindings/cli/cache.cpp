// bindings/cli/cache.cpp - kernels that were compiled for devices and kept on disk.
#include <fmt/format.h>

#include <ctime>
#include <engine/engine.hpp>
#include <string>

#include "commands.hpp"
#include "print.hpp"

namespace engine::cli {
namespace {

std::string counted(std::size_t n) { return fmt::format("{} kernel{}", n, n == 1 ? "" : "s"); }

std::string date_text(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm local{};
  char text[32] = "";
  if (localtime_r(&time, &local)) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  return text;
}

}  // namespace

void show_cache(bool json) {
  const KernelCache cache = kernel_cache(BackendChoice::Cuda);
  std::uint64_t total = 0;
  for (const CachedKernel& kernel : cache.kernels) total += kernel.bytes;
  if (json) {
    Json report{{"folder", cache.folder}, {"reason", cache.reason}, {"bytes", total}, {"kernels", Json::array()}};
    for (const CachedKernel& kernel : cache.kernels)
      report["kernels"].push_back({{"name", kernel.name}, {"bytes", kernel.bytes}, {"used", kernel.used}, {"made_by", kernel.made_by}});
    return print(json_text(report) + "\n");
  }
  std::string text;
  for (const CachedKernel& kernel : cache.kernels)
    text += fmt::format("{}  {:>9} bytes  {}  {}\n", date_text(kernel.used), kernel.bytes, kernel.name,
                        kernel.made_by.empty() ? "damaged" : kernel.made_by);
  const std::string unused = cache.reason.empty() ? "" : fmt::format(" (not used: {})", cache.reason);
  print(text + fmt::format("{}, {} bytes in {}{}\n", counted(cache.kernels.size()), total, cache.folder, unused));
}

void show_cache_path(bool json) {
  const KernelCache cache = kernel_cache(BackendChoice::Cuda);
  print(json ? json_text(Json{{"folder", cache.folder}, {"reason", cache.reason}}) + "\n" : cache.folder + "\n");
}

void clear_cache(bool json) {
  const std::size_t n = clear_kernel_cache(BackendChoice::Cuda);
  print(json ? json_text(Json{{"removed", n}}) + "\n" : fmt::format("removed {}\n", counted(n)));
}

}  // namespace engine::cli

// bindings/cli/doctor.cpp - what this engine is and where it runs; what it knows.
#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <engine/engine.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "failures.hpp"
#include "print.hpp"
#include "processor.hpp"

extern char** environ;

namespace engine::cli {
namespace {

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Bytes of each cache of the first CPU, by name: "L1d", "L2", …
std::vector<std::pair<std::string, std::uint64_t>> caches() {
  std::vector<std::pair<std::string, std::uint64_t>> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/cpu/cpu0/cache", error)) {
    const std::string size = file_text(entry.path() / "size"), kind = file_text(entry.path() / "type");
    if (size.size() < 2 || size.back() != 'K') continue;
    const char* suffix = kind == "Data" ? "d" : kind == "Instruction" ? "i" : "";
    found.emplace_back(fmt::format("L{}{}", file_text(entry.path() / "level"), suffix), std::stoull(size) << 10);
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> found;
  for (char** at = environ; at && *at; ++at) {
    const std::string_view entry = *at;
    const std::size_t equals = entry.find('=');
    if (entry.starts_with("ENGINE_") && equals != std::string_view::npos)
      found.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

int affinity() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

std::string size_text(std::uint64_t n_bytes) {
  return n_bytes >= 1 << 20 ? fmt::format("{:g} MiB", static_cast<double>(n_bytes) / (1 << 20))
                            : fmt::format("{:g} KiB", static_cast<double>(n_bytes) / (1 << 10));
}

Json function_json(const Function& row) {
  Json json{{"name", row.name},         {"kind", row.kind},     {"arguments", row.arguments},
            {"sentence", row.sentence}, {"oracle", row.oracle}, {"ulp", row.ulp},
            {"low", row.low},           {"high", row.high}};
  return json;
}

std::string signature(const Function& row) {
  return row.kind == "constant" ? std::string(row.name) : fmt::format("{}({})", row.name, row.arguments);
}

std::string accuracy(const Function& row) {
  if (row.oracle.empty()) return "has no counterpart in NumPy";
  if (row.ulp == 0) return fmt::format("the bits of NumPy's {}", row.oracle);
  return fmt::format("within {:g} units in the last place of NumPy's {}, for arguments from {:g} to {:g}", row.ulp, row.oracle, row.low,
                     row.high);
}

}  // namespace

void doctor(bool json) {
  struct utsname system = {};
  uname(&system);
  const std::string platform = fmt::format("{} {}, {}", system.sysname, system.release, system.machine);
  const std::string cpu = cpu_model(system.machine);
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  if (json) {
    Json report{{"version", version()},
                {"compiler", compiler()},
                {"instruction_set", instruction_set()},
                {"fused_multiply_add", fused_multiply_add()},
                {"platform", platform},
                {"cpu", cpu},
                {"caches", Json::object()},
                {"cpus", {{"online", online}, {"affinity", affinity()}}},
                {"threads", num_threads()},
                {"backends", Json::array()},
                {"environment", Json::object()}};
    for (const auto& [level, n_bytes] : caches()) report["caches"][level] = n_bytes;
    for (const Backend& row : backends())
      report["backends"].push_back({{"name", row.name}, {"usable", row.usable}, {"reason", row.reason}});
    report["cuda"] = Json::object();
    for (const auto& [name, value] : facts(BackendChoice::Cuda)) report["cuda"][name] = value;
    for (const auto& [name, value] : environment()) report["environment"][name] = value;
    print(json_text(report) + "\n");
    return;
  }
  const char* const without_fma =
      fused_multiply_add() ? "" : ", without fused multiply-add: elementary functions give the same bits many times slower";
  std::vector<std::pair<std::string, std::string>> rows{{"engine", fmt::format("{}, built by {}", version(), compiler())},
                                                        {"instruction set", std::string(instruction_set()) + without_fma},
                                                        {"platform", platform},
                                                        {"CPU", cpu}};
  std::string list;
  for (const auto& [level, n_bytes] : caches()) list += fmt::format("{}{} {}", list.empty() ? "" : ", ", level, size_text(n_bytes));
  rows.emplace_back("caches", list.empty() ? "unknown" : list);
  rows.emplace_back("CPUs", fmt::format("{} online, {} by affinity", online, affinity()));
  rows.emplace_back("threads", fmt::format("{}", num_threads()));
  for (const Backend& row : backends())
    rows.emplace_back(fmt::format("backend {}", row.name), fmt::format("{}: {}", row.usable ? "yes" : "no", row.reason));
  for (const auto& [name, value] : facts(BackendChoice::Cuda)) rows.emplace_back("cuda " + name, value);
  list.clear();
  for (const auto& [name, value] : environment()) list += fmt::format("{}{}={}", list.empty() ? "" : ", ", name, value);
  rows.emplace_back("environment", list.empty() ? "nothing set" : list);
  std::size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  for (const auto& [name, value] : rows) print(fmt::format("{:{}}  {}\n", name, width, value));
}

void list_functions(bool json) {
  if (json) {
    Json all = Json::array();
    for (std::size_t i = 0; i < n_functions(); ++i) all.push_back(function_json(function(i)));
    print(json_text(all) + "\n");
    return;
  }
  std::size_t width = 0;
  for (std::size_t i = 0; i < n_functions(); ++i)
    if (const std::size_t size = signature(function(i)).size(); size <= 32) width = std::max(width, size);
  for (const std::string_view kind : {"elementwise", "reduction", "ordered", "cast", "constant"}) {
    print(fmt::format("{}{}\n", kind == "elementwise" ? "" : "\n", kind));
    for (std::size_t i = 0; i < n_functions(); ++i)
      if (const Function row = function(i); row.kind == kind) print(fmt::format("  {:{}}  {}\n", signature(row), width, row.sentence));
  }
}

void describe_function(const std::string& name, bool json) {
  for (std::size_t i = 0; i < n_functions(); ++i) {
    const Function row = function(i);
    if (row.name != name) continue;
    if (json)
      print(json_text(function_json(row)) + "\n");
    else
      print(fmt::format("{}\n\n{}\n\n{}; {}\n", signature(row), row.sentence, row.kind, accuracy(row)));
    return;
  }
  const bool is_name = !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
                       std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  if (is_name) Program::compile(name + "(x)");  // says which names are near
  throw UnknownName(
      {.what = fmt::format("there is no function '{}'", name), .labels = {}, .help = "engine functions lists them", .text = {}});
}

}  // namespace engine::cli

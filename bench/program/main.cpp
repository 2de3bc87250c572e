// bench/program/main.cpp - engine-bench: cases x sizes x dtypes x backends.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <engine/device.hpp>
#include <engine/threads.hpp>
#include <fstream>
#include <stdexcept>

#include "bench/program/report.hpp"
#include "bindings/cli/processor.hpp"

namespace engine::bench {
namespace {

constexpr const char* kFooter =
    "Times are of one call, a warm one, its result written into memory that is there: medians of rounds in which all backends take turns.\n"
    "\"of limit\": bytes a second, of those that copying large arrays moves (the host) or that the driver promises (a device); \"of "
    "copy\": of\n"
    "the case \"copy\" of the same size, dtype and backend. On the stand-in driver nothing is timed: its counters are printed instead.\n"
    "Exit codes: 0 done; 1 a result is wrong, or a file cannot be read or written; 2 the command cannot be; 17 no such backend.";
constexpr int kExitFailed = 1, kExitUsage = 2, kExitBackend = 17;

struct CommandLine {
  CLI::App app{"Measures the engine's expressions on the host and on a GPU.", "engine-bench"};
  std::vector<std::string> names, dtypes{"float64"}, backend_names;
  std::vector<double> sizes{1e3, 1e5, 1e7};
  std::string json_path, csv_path, html_path, before_path, architecture;
  bool is_list = false;
  Settings settings;

  CommandLine() {
    app.add_option("cases", names, "Cases to measure: all, if none is named; see --list");
    app.add_flag("--list", is_list, "Print the cases and their expressions");
    app.add_option("--sizes", sizes, "Items of the operands, about")->delimiter(',')->check(CLI::Range(1.0, 1e10).description("1 to 1e10"));
    app.add_option("--dtypes", dtypes, "NumPy's names of dtypes, real numbers")->delimiter(',');
    app.add_option("--backends", backend_names, "interp, jit, cuda: those that can be used, if none is named")->delimiter(',');
    app.add_option("--device", settings.device, "The device's ordinal")->check(CLI::NonNegativeNumber);
    app.add_option("--threads", settings.threads, "Threads of the host")->check(CLI::Range(1, 1 << 16).description(""));
    app.add_option("--min-time", settings.min_time, "Seconds for each measurement")->check(CLI::PositiveNumber);
    app.add_option("--noise", settings.noise, "Stop when rounds differ by less than this share")->check(CLI::PositiveNumber);
    app.add_option("--json", json_path, "Write a file that Google Benchmark's compare.py reads; - is standard output");
    app.add_option("--csv", csv_path, "Write a table; - is standard output");
    app.add_option("--html", html_path, "Write a page with pictures");
    app.add_option("--compare", before_path, "A file of --json: how many times as fast as then each case is");
    app.add_option("--predict", architecture, "Measure nothing: print what a static model says of a GPU, \"sm_90\"")
        ->excludes("--backends", "--compare", "--csv", "--html");
    app.set_version_flag("--version", std::string("engine-bench ") + std::string(version()));
    app.footer(kFooter);
  }
};

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

DType dtype_of(const std::string& text) {
  for (int i = static_cast<int>(DType::Int8); i <= static_cast<int>(DType::Float64); ++i)
    if (name(static_cast<DType>(i)) == text) return static_cast<DType>(i);
  throw Usage(fmt::format("there is no dtype '{}' to measure; try float64, float32 or int32", text));
}

std::vector<const Case*> chosen(const std::vector<std::string>& names) {
  std::vector<const Case*> found;
  for (const Case& each : cases())
    if (names.empty() || std::find(names.begin(), names.end(), each.name) != names.end()) found.push_back(&each);
  for (const std::string& wanted : names)
    if (std::none_of(cases().begin(), cases().end(), [&](const Case& each) { return each.name == wanted; }))
      throw Usage(fmt::format("there is no case '{}'; see engine-bench --list", wanted));
  return found;
}

void complete_operands(CommandLine& line) {
  for (const double size : line.sizes) line.settings.sizes.push_back(static_cast<std::int64_t>(size));
  for (const std::string& text : line.dtypes) line.settings.dtypes.push_back(dtype_of(text));
}

/// Calls visit(case, n, dtype) for all that the line asks for.
template <class Visit>
void for_each(const Settings& settings, const std::vector<const Case*>& wanted, Visit visit) {
  for (const std::int64_t n : settings.sizes)
    for (const DType dtype : settings.dtypes)
      for (const Case* each : wanted)
        if (!each->only_floats || dtype >= DType::Float16) visit(*each, n, dtype);
}

void complete_backends(CommandLine& line) {
  for (const std::string& text : line.backend_names) {
    const auto rows = backends();
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Backend& row) { return row.name == text; });
    if (found == rows.end()) throw Usage(fmt::format("there is no backend '{}'", text));
    if (!found->usable)
      throw BackendError(
          {.what = fmt::format("the backend \"{}\" cannot be used: {}", text, found->reason), .labels = {}, .help = {}, .text = {}});
    line.settings.backends.push_back(found->choice);
  }
  if (line.backend_names.empty())
    for (const Backend& row : backends())
      if (row.usable) line.settings.backends.push_back(row.choice);
  if (line.settings.threads) set_num_threads(line.settings.threads);
}

Machine machine_of(const Settings& settings) {
  Machine machine;
  machine.processor = cli::cpu_model("an unknown processor");
  machine.threads = settings.threads ? settings.threads : num_threads();
  machine.copy_rate = host_copy_rate(machine.threads);
  if (std::find(settings.backends.begin(), settings.backends.end(), BackendChoice::Cuda) != settings.backends.end()) {
    const DeviceInfo info = device_info(settings.device);
    machine.device = info.name;
    machine.device_rate = info.bytes_per_second;
    machine.device_fp64 = info.fp64_per_second;
    machine.is_stand_in = is_stand_in();
  }
  return machine;
}

/// Rates of what fits the caches are none of memory's: shares are given for more than those have.
void add_shares(std::vector<Row>& rows, const Machine& machine) {
  constexpr double kLeastBytes = 1 << 26;
  for (Row& row : rows) {
    if (row.is_counted() || row.bytes < kLeastBytes) continue;
    const double limit = row.backend == "cuda" ? machine.device_rate : machine.copy_rate;
    if (limit > 0) row.of_limit = row.bytes / row.seconds / limit;
    for (const Row& copy : rows)
      if (copy.name == "copy" && copy.dtype == row.dtype && copy.n == row.n && copy.backend == row.backend)
        row.of_copy = row.bytes / row.seconds / (copy.bytes / copy.seconds);
  }
}

void write(const std::string& path, const std::string& text) {
  if (path.empty()) return;
  if (path == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  if (!file) throw std::runtime_error(fmt::format("{} cannot be written", path));
}

/// So many bytes and instructions over rates of a data sheet: of a device that need not be there.
void predict_all(CommandLine& line) {
  const std::vector<const Case*> wanted = chosen(line.names);
  complete_operands(line);
  std::vector<Row> rows;
  for_each(line.settings, wanted,
           [&](const Case& each, std::int64_t n, DType dtype) { rows.push_back(predict(each, n, dtype, line.architecture)); });
  const Prediction device = Program::compile("a + a").predict({{"a", Array(DType::Float64, {1})}}, line.architecture);
  Machine machine;
  machine.device = fmt::format("{} ({}, {:.2f} TB/s by its data sheet)", line.architecture, device.device, device.bytes_per_second / 1e12);
  machine.device_rate = device.bytes_per_second;
  machine.is_prediction = true;
  if (line.json_path != "-") {
    fmt::print("A PREDICTION for {}: by a static model, nothing was measured.\n", machine.device);
    write("-", predictions(rows));
  }
  write(line.json_path, json(rows, machine));
}

void measure_all(CommandLine& line) {
  const std::vector<const Case*> wanted = chosen(line.names);
  const std::map<std::string, double> before = line.before_path.empty() ? std::map<std::string, double>{} : read_times(line.before_path);
  complete_operands(line);
  complete_backends(line);
  const Machine machine = machine_of(line.settings);
  const bool is_quiet = line.json_path == "-" || line.csv_path == "-", shows_progress = !is_quiet && isatty(STDERR_FILENO);
  std::vector<Row> rows;
  for_each(line.settings, wanted, [&](const Case& each, std::int64_t n, DType dtype) {
    for (Row& row : measure(each, n, dtype, line.settings)) rows.push_back(std::move(row));
    if (shows_progress) std::fprintf(stderr, "\r\033[K%zu measured", rows.size());
  });
  if (shows_progress) std::fprintf(stderr, "\r\033[K");
  add_shares(rows, machine);
  if (!is_quiet) {
    fmt::print("{}, {} threads, copies {:.1f} GB/s\n", machine.processor, machine.threads, machine.copy_rate / 1e9);
    if (!machine.device.empty())
      fmt::print("{}{}\n", machine.device,
                 machine.is_stand_in ? ": a stand-in, on which nothing is timed"
                                     : fmt::format(", {:.2f} TB/s by its driver", machine.device_rate / 1e12));
    write("-", table(rows, before));
  }
  write(line.json_path, json(rows, machine));
  write(line.csv_path, csv(rows));
  write(line.html_path, page(rows, machine));
}

int run(int argc, char** argv) {
  CommandLine line;
  try {
    line.app.parse(argc, argv);
    if (line.is_list)
      for (const Case& each : cases()) fmt::print("{:<12} {}\n", each.name, each.text);
    else if (!line.architecture.empty())
      predict_all(line);
    else
      measure_all(line);
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw std::runtime_error("standard output cannot be written");
    return 0;
  } catch (const CLI::ParseError& error) {
    return error.get_exit_code() == 0 ? line.app.exit(error) : (line.app.exit(error), kExitUsage);
  } catch (const Usage& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kExitUsage;
  } catch (const BackendError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kExitBackend;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kExitFailed;
  }
}

}  // namespace
}  // namespace engine::bench

int main(int argc, char** argv) { return engine::bench::run(argc, argv); }

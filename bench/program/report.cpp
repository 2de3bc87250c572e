// bench/program/report.cpp - see report.hpp; the page is in page.cpp.
#include "bench/program/report.hpp"

#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace engine::bench {
namespace {

double rate(const Row& row) { return row.seconds > 0 ? row.bytes / row.seconds : 0; }

std::string share(const std::optional<double>& value) { return value ? fmt::format("{:.0f} %", 100 * *value) : ""; }

}  // namespace

std::string time_text(double seconds) {
  if (seconds < 1e-6) return fmt::format("{:.0f} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

std::string table(const std::vector<Row>& rows, const std::map<std::string, double>& before) {
  std::string text = fmt::format("{:<12} {:<9} {:>9} {:<7} {:>9} {:>7} {:>9} {:>8} {:>8} {:>10}{}\n", "case", "dtype", "n", "backend",
                                 "time", "+-", "GB/s", "of limit", "of copy", "first call", before.empty() ? "" : "   before/now");
  for (const Row& row : rows) {
    text += fmt::format("{:<12} {:<9} {:>9} {:<7} ", row.name, row.dtype, row.n, row.backend);
    if (row.is_counted()) {
      text += "counted:";
      for (const auto& [name, value] : row.counters) text += fmt::format(" {} {:.3g}", name, value);
    } else {
      text += fmt::format("{:>9} {:>6.1f}% {:>9.2f} {:>8} {:>8} {:>10}", time_text(row.seconds), 100 * row.noise, rate(row) / 1e9,
                          share(row.of_limit), share(row.of_copy), time_text(row.first_call));
      if (const auto found = before.find(row.id()); found != before.end()) text += fmt::format("   {:.2f}", found->second / row.seconds);
    }
    text += "\n";
  }
  return text;
}

std::string predictions(const std::vector<Row>& rows) {
  std::string text =
      fmt::format("{:<12} {:<9} {:>9} {:<7} {:>9} {:>9} {:>8}\n", "case", "dtype", "n", "device", "predicted", "GB/s", "of peak");
  for (const Row& row : rows)
    text += fmt::format("{:<12} {:<9} {:>9} {:<7} {:>9} {:>9.2f} {:>8}\n", row.name, row.dtype, row.n, row.backend, time_text(row.seconds),
                        rate(row) / 1e9, share(row.of_limit));
  return text;
}

std::string csv(const std::vector<Row>& rows) {
  std::string text =
      "case,dtype,n,backend,seconds,least_seconds,noise,rounds,calls,bytes,operations,bytes_per_second,of_limit,of_copy,first_call_"
      "seconds\n";
  const auto optional = [](const std::optional<double>& value) { return value ? fmt::format("{:.6g}", *value) : std::string(); };
  for (const Row& row : rows)
    if (!row.is_counted())
      text += fmt::format("{},{},{},{},{:.9g},{:.9g},{:.4g},{},{},{:.0f},{:.0f},{:.6g},{},{},{:.6g}\n", row.name, row.dtype, row.n,
                          row.backend, row.seconds, row.least, row.noise, row.rounds, row.calls, row.bytes, row.operations, rate(row),
                          optional(row.of_limit), optional(row.of_copy), row.first_call);
  return text;
}

std::string json(const std::vector<Row>& rows, const Machine& machine) {
  nlohmann::ordered_json all;
  const std::time_t now = std::time(nullptr);
  char date[32];
  std::strftime(date, sizeof date, "%FT%TZ", std::gmtime(&now));
  all["context"] = {{"date", date},
                    {"executable", "engine-bench"},
                    {"library_version", std::string(version())},
                    {"num_cpus", machine.threads},
                    {"cpu", machine.processor},
                    {"copy_bytes_per_second", machine.copy_rate},
                    {"device", machine.device},
                    {"device_bytes_per_second", machine.device_rate},
                    {"device_is_stand_in", machine.is_stand_in},
                    {"is_prediction", machine.is_prediction}};
  all["benchmarks"] = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    nlohmann::ordered_json entry = {{"name", row.id()}, {"run_name", row.id()}, {"run_type", "iteration"},     {"label", row.text},
                                    {"repetitions", 1}, {"bytes", row.bytes},   {"operations", row.operations}};
    if (row.is_counted()) {
      for (const auto& [name, value] : row.counters) entry[name] = value;
    } else if (row.is_prediction) {
      entry["is_prediction"] = true;
      entry["predicted_time"] = row.seconds * 1e9;
      entry["time_unit"] = "ns";
      entry["predicted_of_limit"] = *row.of_limit;
    } else {
      entry["iterations"] = row.rounds * row.calls;
      entry["real_time"] = row.seconds * 1e9;
      entry["cpu_time"] = row.seconds * 1e9;  // Google Benchmark's tools want one; it is the same clock
      entry["time_unit"] = "ns";
      entry["least_time"] = row.least * 1e9;
      entry["noise"] = row.noise;
      entry["bytes_per_second"] = rate(row);
      entry["items_per_second"] = static_cast<double>(row.n) / row.seconds;
      entry["first_call_time"] = row.first_call * 1e9;
      if (row.of_limit) entry["of_limit"] = *row.of_limit;
      if (row.of_copy) entry["of_copy"] = *row.of_copy;
    }
    all["benchmarks"].push_back(std::move(entry));
  }
  return all.dump(2) + "\n";
}

std::map<std::string, double> read_times(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(fmt::format("{} cannot be read", path));
  std::map<std::string, double> found;
  try {
    const nlohmann::json all = nlohmann::json::parse(file);
    for (const nlohmann::json& entry : all.at("benchmarks"))
      if (entry.contains("real_time")) found[entry.at("name").get<std::string>()] = entry.at("real_time").get<double>() * 1e-9;
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(fmt::format("{} is no file of engine-bench --json: {}", path, error.what()));
  }
  return found;
}

}  // namespace engine::bench

// bench/program/measure.hpp - one case on one backend, timed or, on the stand-in driver, counted.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/program/cases.hpp"

namespace engine::bench {

struct Settings {
  std::vector<std::int64_t> sizes;
  std::vector<DType> dtypes;
  std::vector<BackendChoice> backends;
  int device = 0, threads = 0;
  double min_time = 0.2;  ///< seconds of each measurement, all its rounds together
  double noise = 0.02;    ///< of the median: below it no more rounds are made
};

struct Row {
  std::string name, text, dtype, backend;
  std::int64_t n = 0;
  double first_call = 0;          ///< seconds, compilation among it
  double seconds = 0, least = 0;  ///< of one call: the median of the rounds, and the least
  double noise = 0;               ///< median distance of rounds from their median, as a share of it
  std::int64_t rounds = 0, calls = 0;
  double bytes = 0, operations = 0;         ///< of one call
  std::optional<double> of_copy, of_limit;  ///< rates as shares of the run's own copy, and of the machine's limit
  std::map<std::string, double> counters;   ///< of the stand-in driver, in place of times
  bool is_prediction = false;               ///< `seconds` and `of_limit` are a static model's, of the device that `backend` names
  bool is_counted() const { return !counters.empty(); }
  std::string id() const { return name + "/" + dtype + "/" + std::to_string(n) + "/" + backend; }
};

/// All backends in turn, round by round. Throws engine::Error, and std::runtime_error where results are not the interpreter's bits.
std::vector<Row> measure(const Case& each, std::int64_t n, DType dtype, const Settings& settings);

/// By the static model, for "sm_90" and the like; computes nothing. Throws engine::Error.
Row predict(const Case& each, std::int64_t n, DType dtype, const std::string& architecture);

/// Whether the driver is the one that executes PTX on the host: then nothing that is timed means anything.
bool is_stand_in();

/// Bytes a second of copying large arrays of the host by so many threads, by loops of our own.
double host_copy_rate(int threads);

std::string_view backend_name(BackendChoice backend);

}  // namespace engine::bench

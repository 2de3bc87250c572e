// bench/program/report.hpp - rows -> text for people, JSON that Google Benchmark's tools read, CSV, a page.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/program/measure.hpp"

namespace engine::bench {

/// What the rows are held against, and where they were measured.
struct Machine {
  std::string processor;
  int threads = 1;
  double copy_rate = 0;  ///< bytes a second
  std::string device;    ///< empty: none
  double device_rate = 0, device_fp64 = 0;
  bool is_stand_in = false;
  bool is_prediction = false;  ///< by a static model, of a device that need not be there
};

std::string table(const std::vector<Row>& rows, const std::map<std::string, double>& before);
/// Of rows that are predictions.
std::string predictions(const std::vector<Row>& rows);
std::string csv(const std::vector<Row>& rows);
std::string json(const std::vector<Row>& rows, const Machine& machine);
/// One file, without scripts and without anything from elsewhere: rooflines, times over sizes, the table.
std::string page(const std::vector<Row>& rows, const Machine& machine);

/// Seconds of a call by Row::id(), from a file that json() made. Throws std::runtime_error.
std::map<std::string, double> read_times(const std::string& path);

/// "12.3 us".
std::string time_text(double seconds);

}  // namespace engine::bench

// tests/accuracy/command.hpp - what both programs that measure accuracy share: their command line, their threads, and the
// file of measured errors, docs/accuracy.json, of which the function reference is made.
#pragma once

#include <mpfr.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace engine::accuracy {

struct Command {
  std::uint64_t points = 0;
  std::uint64_t seed = 20'261'125;
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool exhaustive = false, points_given = false;
  std::string json;                 ///< the file that gets the largest errors; empty: none does
  std::vector<std::string> wanted;  ///< functions; empty: all

  bool wants(std::string_view name) const { return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end(); }
};

/// The command given; ends the program with 2 where it is not understood. `points` where no --points is given.
inline Command parse(int argc, char** argv, std::uint64_t points, bool may_be_exhaustive) {
  Command result;
  result.points = points;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto number = [&] { return std::strtoull(argv[++i], nullptr, 10); };
    if (word == "--points" && i + 1 < argc)
      result.points = number(), result.points_given = true;
    else if (word == "--seed" && i + 1 < argc)
      result.seed = number();
    else if (word == "--threads" && i + 1 < argc)
      result.threads = static_cast<unsigned>(std::max(1ull, number()));
    else if (word == "--json" && i + 1 < argc)
      result.json = argv[++i];
    else if (word == "--exhaustive" && may_be_exhaustive)
      result.exhaustive = true;
    else if (word.starts_with("--")) {
      std::fprintf(stderr, "%s [--points N] %s[--json FILE] [--seed N] [--threads N] [FUNCTION...]\n", argv[0],
                   may_be_exhaustive ? "[--exhaustive] " : "");
      std::exit(2);
    } else
      result.wanted.push_back(word);
  }
  return result;
}

/// The worst of work(t, n) for t < n, each on a thread of its own. Worst has take(other).
template <class Worst, class Work>
Worst worst_of_threads(unsigned n, Work work) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  Worst all;
  for (unsigned t = 0; t < n; ++t)
    threads.emplace_back([&, t] {
      const Worst part = work(t, n);
      mpfr_free_cache();
      const std::lock_guard lock(mutex);
      all.take(part);
    });
  for (std::thread& thread : threads) thread.join();
  return all;
}

/// Puts {"points": …, "ulp": …} under "name.dtype" into the file; what else it holds stays, so that runs over some functions
/// or dtypes add up.
inline void record(const std::string& path, std::string_view name, std::string_view dtype, double ulp, std::uint64_t points) {
  if (path.empty()) return;
  nlohmann::json all = nlohmann::json::object();
  if (std::ifstream file(path); file) file >> all;
  // Rounded up, so that what is written is a bound.
  all[std::string(name) + "." + std::string(dtype)] = {{"ulp", std::ceil(ulp * 1e4) / 1e4}, {"points", points}};
  std::ofstream(path) << all.dump(1) << "\n";
}

}  // namespace engine::accuracy

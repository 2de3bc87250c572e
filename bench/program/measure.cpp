// bench/program/measure.cpp - see measure.hpp.
#include "bench/program/measure.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <engine/device.hpp>
#include <optional>
#include <stdexcept>
#include <thread>

#include "tests/emulator/standin.h"

namespace engine::bench {
namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The stand-in's own functions, null where the driver is another.
struct StandIn {
  void (*counters)(StandinCounters*) = nullptr;
  void (*reset)() = nullptr;
};
const StandIn& stand_in() {
  static const StandIn found = [] {
    StandIn functions;
    const char* const path = std::getenv("ENGINE_CUDA_DRIVER");
    void* const library = path && std::strchr(path, '/') ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (!library) return functions;
    functions.counters = reinterpret_cast<void (*)(StandinCounters*)>(dlsym(library, "standin_counters"));
    functions.reset = reinterpret_cast<void (*)()>(dlsym(library, "standin_reset_counters"));
    return functions;
  }();
  return found;
}

/// What one backend needs to be called: operands and a result where it works.
class Contender {
 public:
  Contender(const Case& each, const std::vector<Input>& inputs, const Array& want, BackendChoice backend, const Settings& settings)
      : backend_(backend), device_(backend == BackendChoice::Cuda ? settings.device : kHost), out_(want.dtype(), want.shape()) {
    std::vector<Named> names;
    for (const Input& input : inputs) names.emplace_back(input.name, place(input.array.view()));
    names_ = Names(std::move(names));
    target_ = place(out_.view());
    Options options;
    options.backend = backend == BackendChoice::Cuda ? BackendChoice::Auto : backend;  // where the operands are
    options.threads = settings.threads;
    const Clock::time_point start = Clock::now();
    program_ = Program::compile(std::string(each.text), options);
    call();
    wait();
    first_call_ = since(start);
    if (device_ != kHost) copy_to_host(device_, out_.view().data, target_.data, bytes_of(target_));
    if (std::memcmp(out_.view().data, want.view().data, bytes_of(want.view())) != 0)
      throw std::runtime_error(
          fmt::format("{} of {} on {} does not have the interpreter's bits", each.name, engine::name(want.dtype()), backend_name(backend)));
    traffic_ = last_run().traffic;
  }

  void call() const { program_->run_into(target_, names_); }
  /// Of a device: until all calls are done.
  void wait() const {
    char byte = 0;
    if (device_ != kHost) copy_to_host(device_, &byte, target_.data, 1);
  }
  double seconds_of(std::int64_t calls) const {
    const Clock::time_point start = Clock::now();
    for (std::int64_t i = 0; i < calls; ++i) call();
    wait();
    return since(start);
  }
  /// So many that one round takes about `seconds`.
  std::int64_t calls_for(double seconds) const {
    std::int64_t calls = 1;
    for (double took = seconds_of(calls); took < seconds / 2 && calls < (std::int64_t{1} << 30); took = seconds_of(calls))
      calls = std::max(calls + 1, static_cast<std::int64_t>(static_cast<double>(calls) * std::min(10.0, seconds / std::max(took, 1e-9))));
    return calls;
  }
  double first_call() const { return first_call_; }
  const Traffic& traffic() const { return traffic_; }
  BackendChoice backend() const { return backend_; }

 private:
  static std::size_t bytes_of(const ArrayView& view) { return static_cast<std::size_t>(n_items(view.shape)) * item_size(view.dtype); }
  /// The view itself, or one of a copy on the device.
  ArrayView place(ArrayView view) {
    if (device_ == kHost) return view;
    const std::size_t bytes = bytes_of(view);
    memory_.emplace_back(device_, std::max<std::size_t>(bytes, 1));
    copy_to_device(device_, memory_.back().data(), view.data, bytes);
    view.data = memory_.back().data();
    view.device = device_;
    view.writable = true;
    return view;
  }

  BackendChoice backend_;
  int device_;
  Array out_;
  std::vector<DeviceMemory> memory_;
  Names names_;
  ArrayView target_;
  std::optional<Program> program_;
  double first_call_ = 0;
  Traffic traffic_;
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

double spread(const std::vector<double>& values) {
  const double middle = median(values);
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value - middle));
  return median(distances) / middle;
}

void count(const Contender& contender, Row& row) {
  contender.wait();
  stand_in().reset();
  contender.call();
  contender.wait();
  StandinCounters counters{};
  stand_in().counters(&counters);
  const auto per = [](std::uint64_t a, double b) { return static_cast<double>(a) / std::max(b, 1.0); };
  row.counters = {{"launches", static_cast<double>(counters.launches)},
                  {"ptx_instructions_per_item", per(counters.lane_instructions, static_cast<double>(row.n))},
                  {"sectors_per_ideal_sector", per(counters.global_sectors, static_cast<double>(counters.global_ideal_sectors))},
                  {"bytes_asked_per_item", per(counters.global_bytes, static_cast<double>(row.n))}};
}

}  // namespace

bool is_stand_in() { return stand_in().counters && stand_in().reset; }

std::string_view backend_name(BackendChoice backend) {
  for (const Backend& row : backends())
    if (row.choice == backend) return row.name;
  return "auto";
}

std::vector<Row> measure(const Case& each, std::int64_t n, DType dtype, const Settings& settings) {
  constexpr std::size_t kLeastRounds = 5, kMostRounds = 100;
  const std::vector<Input> operands = inputs(each, n, dtype);
  std::vector<Named> names;
  for (const Input& input : operands) names.emplace_back(input.name, input.array);
  Options options;
  options.backend = BackendChoice::Interp;
  const Array want = evaluate(each.text, Names(std::move(names)), options);

  std::vector<std::unique_ptr<Contender>> contenders;
  std::vector<Row> rows;
  for (const BackendChoice backend : settings.backends) {
    contenders.push_back(std::make_unique<Contender>(each, operands, want, backend, settings));
    const Traffic& traffic = contenders.back()->traffic();
    Row& row = rows.emplace_back();
    row.name = each.name;
    row.text = each.text;
    row.dtype = engine::name(dtype);
    row.backend = backend_name(backend);
    row.n = n;
    row.first_call = contenders.back()->first_call();
    row.bytes = static_cast<double>(traffic.bytes_read + traffic.bytes_written);
    row.operations = static_cast<double>(traffic.operations);
    if (backend == BackendChoice::Cuda && is_stand_in()) {
      count(*contenders.back(), row);
    } else {
      row.calls = contenders.back()->calls_for(settings.min_time / kLeastRounds);
    }
  }
  // Round by round, so that whatever disturbs the machine disturbs all.
  std::vector<std::vector<double>> times(rows.size());
  for (std::size_t round = 0; round < kMostRounds; ++round) {
    bool is_done = round >= kLeastRounds;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!rows[i].is_counted()) is_done &= !times[i].empty() && spread(times[i]) <= settings.noise;
    if (is_done) break;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!rows[i].is_counted()) times[i].push_back(contenders[i]->seconds_of(rows[i].calls) / static_cast<double>(rows[i].calls));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].is_counted()) continue;
    rows[i].rounds = static_cast<std::int64_t>(times[i].size());
    rows[i].seconds = median(times[i]);
    rows[i].least = *std::min_element(times[i].begin(), times[i].end());
    rows[i].noise = spread(times[i]);
  }
  return rows;
}

Row predict(const Case& each, std::int64_t n, DType dtype, const std::string& architecture) {
  const std::vector<Input> operands = inputs(each, n, dtype);
  std::vector<Named> names;
  for (const Input& input : operands) names.emplace_back(input.name, input.array);
  const Prediction found = Program::compile(std::string(each.text)).predict(Names(std::move(names)), architecture);
  Row row;
  row.name = each.name;
  row.text = each.text;
  row.dtype = engine::name(dtype);
  row.backend = architecture;
  row.n = n;
  row.bytes = found.bytes;
  row.is_prediction = true;
  row.seconds = found.seconds;
  row.of_limit = found.bytes / found.seconds / found.bytes_per_second;
  return row;
}

double host_copy_rate(int threads) {
  constexpr std::size_t kItems = std::size_t{1} << 24, kRounds = 7;
  std::vector<double> from(kItems, 1), to(kItems, 2);
  double least = 1e9;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Clock::time_point start = Clock::now();
    std::vector<std::thread> team;
    for (int t = 0; t < threads; ++t)
      team.emplace_back([&, t] {
        const std::size_t first = kItems * static_cast<std::size_t>(t) / static_cast<std::size_t>(threads);
        const std::size_t last = kItems * static_cast<std::size_t>(t + 1) / static_cast<std::size_t>(threads);
        std::memcpy(to.data() + first, from.data() + first, (last - first) * sizeof(double));
      });
    for (std::thread& thread : team) thread.join();
    least = std::min(least, since(start));
  }
  return 2 * kItems * sizeof(double) / least;
}

}  // namespace engine::bench

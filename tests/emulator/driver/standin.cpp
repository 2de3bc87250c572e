#include "tests/emulator/standin.h"

#include "tests/emulator/driver/cubin.hpp"
#include "tests/emulator/driver/driver.hpp"

namespace standin {
namespace {

struct Locked {
  Driver& driver = Driver::get();
  std::lock_guard<std::recursive_mutex> lock{driver.mutex};
  Driver* operator->() { return &driver; }
};

}  // namespace

STANDIN_API const char* standin_report() {
  static std::string kept;
  Locked driver;
  kept = driver->findings;
  return kept.c_str();
}

STANDIN_API void standin_clear() { Locked()->findings.clear(); }
STANDIN_API int standin_set(const char* key, const char* value) { return Locked()->set(key, value); }
STANDIN_API int standin_inject(const char* faults) { return Locked()->inject(faults); }
STANDIN_API void standin_counters(StandinCounters* counters) { *counters = Locked()->counters; }

STANDIN_API void standin_reset_counters() {
  Locked driver;
  const StandinCounters before = driver->counters;
  driver->counters = {.live_bytes = before.live_bytes, .live_allocations = before.live_allocations, .live_host_bytes = before.live_host_bytes};
  driver->calls.clear();
}

STANDIN_API uint64_t standin_calls(const char* api) {
  Locked driver;
  const auto found = driver->calls.find(api);
  return found == driver->calls.end() ? 0 : found->second;
}

STANDIN_API const char* standin_called() {
  static std::string kept;
  Locked driver;
  kept.clear();
  for (const auto& [name, n] : driver->calls) kept += (kept.empty() ? "" : ",") + name;
  return kept.c_str();
}

STANDIN_API int standin_register_cubin(const void* cubin, uint64_t size, const char* ptx) {
  Locked driver;
  return register_cubin(driver.driver, static_cast<const char*>(cubin), size, ptx);
}

}  // namespace standin

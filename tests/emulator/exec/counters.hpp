// exec/counters.hpp - what kernels did, exactly: fit for regression gates. Part of the library's C interface (standin.h).
#pragma once

#include <cstdint>

extern "C" {

typedef struct StandinCounters {
  uint64_t launches;
  uint64_t warp_instructions;    // as PTX, one for each instruction a warp ran
  uint64_t lane_instructions;    // ... one for each lane that took part
  uint64_t global_requests;      // warp loads, stores and atomics of global memory
  uint64_t global_sectors;       // 32-byte sectors they touched
  uint64_t global_ideal_sectors; // sectors the distinct bytes would fill if they lay together
  uint64_t global_bytes;         // bytes the lanes asked for
  uint64_t shared_requests;
  uint64_t shared_cycles;        // passes over the 32 banks of 4 bytes
  uint64_t live_bytes;           // allocated by the program and not freed, all devices
  uint64_t live_allocations;
  uint64_t live_host_bytes;      // page-locked
  uint64_t copied_to_device, copied_to_host, copied_on_device;  // bytes
  uint64_t memset_bytes;
  uint64_t module_loads;
} StandinCounters;
}

/* standin.h - what tests ask of the stand-in driver beside the driver API. Plain C, for ctypes. All of it is thread-safe. */
#pragma once

#include <stdint.h>

#include "tests/emulator/exec/counters.hpp"

#ifdef __cplusplus
extern "C" {
#endif

/* Everything found wrong since the last standin_clear, one line each; "" where nothing was. Valid until the next call. */
const char* standin_report(void);
void standin_clear(void);

/* The same keys as the environment's STANDIN_DEVICES and so on. 0 where it is not understood. Devices count until cuInit.
     devices, multiprocessors, memory (bytes of each device; 64M), mig, pools: what there is; 1, 8, 16G, 0, 1
     capability (90: 9.0), version (of the driver), cubin (1: cubins are taken, of `cubins` or registered): 130, 13000, 0
     seed: in which order warps and blocks take turns; 0: blocks one after the other
     defer: 1: streams run when somebody waits for them
     resident: blocks at once; spin: instructions after which nothing new is an endless loop
     registers: of a thread at most; what a kernel wants beyond them is local memory
     zeroed: 1: new memory is written with zeros, for kernels that do nothing
     quiet: 1: findings go to no stderr */
int standin_set(const char* key, const char* value);

/* "api:n:code[,...]": the nth call from now fails (0: each does). "" ends all faults. 0 where it is not understood. */
int standin_inject(const char* faults);

void standin_counters(StandinCounters* counters);
void standin_reset_counters(void); /* all but what lives */
/* How often an entry point was called since the last reset. */
uint64_t standin_calls(const char* api);
/* The names of all entry points called since the last reset, with ',' between. Valid until the next call. */
const char* standin_called(void);

/* What to run for a cubin. 0 where it is none. */
int standin_register_cubin(const void* cubin, uint64_t size, const char* ptx);

#ifdef __cplusplus
}
#endif

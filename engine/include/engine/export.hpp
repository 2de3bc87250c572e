// engine/export.hpp - what the shared library shows: the public headers' declarations and nothing else.
#pragma once

#if defined(__GNUC__)
#define ENGINE_API __attribute__((visibility("default")))
#else
#define ENGINE_API
#endif

// A thread_local of the library lives in the block that comes with each thread. Left to itself, a library that is loaded at
// run time makes that block at a thread's first touch, and where there is no memory then glibc ends the process.
#if defined(__linux__)
#define ENGINE_THREAD_LOCAL __attribute__((tls_model("initial-exec"))) thread_local
#else
#define ENGINE_THREAD_LOCAL thread_local
#endif

// tests/kernels_cuda/host/words.hpp - CUDA's words for g++: with this in front, a kernel that needs no barrier is a function that
// is called for one thread after the other. Warps that exchange values are fibers, each running up to its next exchange.
#pragma once

#include <math.h>  // nothing larger: every kernel reads this
#include <stdlib.h>
#include <ucontext.h>

#define __device__
#define __global__
#define __forceinline__ inline  // compiled without optimisation: calls are quicker made than inlined
#define __launch_bounds__(...)
#define __shared__ static  // blocks run one after the other

struct uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct Index {
  unsigned x, y, z;
};
inline Index threadIdx, blockIdx, blockDim, gridDim;

inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double __dsqrt_rn(double a) { return __builtin_sqrt(a); }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<unsigned long>(a) * b >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
inline int __clzll(long long a) { return __builtin_clzll(static_cast<unsigned long long>(a)); }
inline int __popcll(unsigned long long a) { return __builtin_popcountll(a); }

inline int __ffs(int a) { return __builtin_ffs(a); }
inline void __threadfence() {}
inline void __syncwarp() {}
inline unsigned atomicAdd(unsigned* at, unsigned value) {
  const unsigned before = *at;
  *at += value;
  return before;
}
inline unsigned atomicExch(unsigned* at, unsigned value) {
  const unsigned before = *at;
  *at = value;
  return before;
}

// ---- blocks -----------------------------------------------------------------------------------------------------------------

enum class State { Ready, AtBarrier, Done };
struct Fiber {
  ucontext_t context{};
  void* stack = nullptr;
  State state = State::Ready;
  unsigned given = 0;
};
struct Block {
  Fiber threads[1024];
  ucontext_t scheduler{};
  unsigned current = 0;
  unsigned exchanged[32] = {};
};
inline Block* block = nullptr;

/// Of words, with the whole warp taking part.
template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  Fiber& me = block->threads[block->current];
  me.given = static_cast<unsigned>(value);
  swapcontext(&me.context, &block->scheduler);
  return static_cast<T>(block->exchanged[lane & 31]);
}
inline void __syncthreads() {
  Fiber& me = block->threads[block->current];
  me.state = State::AtBarrier;
  swapcontext(&me.context, &block->scheduler);
}

/// Runs a warp until all its threads are done or at a barrier.
inline void run_warp(unsigned first) {
  for (bool any = true; any;) {
    any = false;
    for (unsigned lane = 0; lane < 32; ++lane) {
      Fiber& fiber = block->threads[first + lane];
      if (fiber.state != State::Ready) continue;
      any = true;
      block->current = threadIdx.x = first + lane;
      swapcontext(&block->scheduler, &fiber.context);
    }
    for (unsigned lane = 0; lane < 32; ++lane) block->exchanged[lane] = block->threads[first + lane].given;
  }
}

/// Runs a block; `body` is called by each thread.
inline void run_block(unsigned threads, void (*body)()) {
  for (unsigned thread = 0; thread < threads; ++thread) {
    Fiber& fiber = block->threads[thread];
    getcontext(&fiber.context);
    constexpr unsigned long kStack = 1ul << 17;
    if (!fiber.stack) fiber.stack = malloc(kStack);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = kStack;
    fiber.context.uc_link = nullptr;
    fiber.state = State::Ready;
    makecontext(&fiber.context, body, 0);
  }
  for (bool any = true; any;) {
    for (unsigned first = 0; first < threads; first += 32) run_warp(first);
    any = false;
    for (unsigned thread = 0; thread < threads; ++thread) {
      if (block->threads[thread].state != State::AtBarrier) continue;
      any = true;
      block->threads[thread].state = State::Ready;
    }
  }
}

/// Calls a kernel with parameters as cuLaunchKernel takes them.
template <int... kIndex>
struct Indices {};
template <class... Parameters, int... kIndex>
void call_kernel(void (*kernel)(Parameters...), void** values, Indices<kIndex...>) {
  kernel(*static_cast<Parameters*>(values[kIndex])...);
}
template <class... Parameters>
void call_kernel(void (*kernel)(Parameters...), void** values) {
  call_kernel(kernel, values, Indices<__integer_pack(static_cast<int>(sizeof...(Parameters)))...>{});
}

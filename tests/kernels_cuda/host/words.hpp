// tests/kernels_cuda/host/words.hpp - CUDA's words for g++: with this in front, a kernel that needs no barrier is a function that
// is called for one thread after the other.
#pragma once

#include <cmath>
#include <cstddef>
#include <type_traits>
#include <utility>

#define __device__
#define __global__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

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

/// Calls a kernel with parameters as cuLaunchKernel takes them.
template <class... Parameters, std::size_t... kIndex>
void call_kernel(void (*kernel)(Parameters...), void** values, std::index_sequence<kIndex...>) {
  kernel(*static_cast<std::remove_const_t<Parameters>*>(values[kIndex])...);
}
template <class... Parameters>
void call_kernel(void (*kernel)(Parameters...), void** values) {
  call_kernel(kernel, values, std::index_sequence_for<Parameters...>{});
}

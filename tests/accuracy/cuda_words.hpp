// tests/accuracy/cuda_words.hpp - CUDA's words for g++: with this in front, the device form of the elementary functions is an
// ordinary program, whose bits the harness holds against the others.
#pragma once

#define __CUDACC_RTC__ 1
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double __dsqrt_rn(double a) { return __builtin_sqrt(a); }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
  __extension__ typedef unsigned __int128 Wide;
  return static_cast<unsigned long long>(static_cast<Wide>(a) * b >> 64);
}
inline int __clzll(long long a) { return __builtin_clzll(static_cast<unsigned long long>(a)); }

// tests/accuracy/cuda_words.hpp - CUDA's words for g++: with this in front, the device form of the elementary functions is an
// ordinary program, whose bits the harness holds against the others.
#pragma once

#define __CUDACC__ 1
#define __device__
#define __forceinline__ inline __attribute__((always_inline))
inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double __dsqrt_rn(double a) { return __builtin_sqrt(a); }
inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }

// base/cpu_features.hpp - the instruction sets of x86-64 that the engine has code for.
#pragma once

namespace engine {

/// AVX2 with what came along with it.
inline bool has_avx2() noexcept {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

/// AVX-512 as servers have had it from the first.
inline bool has_avx512() noexcept {
#if defined(__x86_64__)
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

}  // namespace engine

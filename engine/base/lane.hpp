// base/lane.hpp - the words in which one-lane meanings are written. No standard header: NVRTC reads these files too.
#pragma once

// Meanings are always inlined, so that a kernel compiled for one instruction set never leaves a function behind that the
// linker could give to code compiled for another.
#if defined(__CUDACC_RTC__)
#define ENGINE_LANE __device__ __forceinline__
#else
#define ENGINE_LANE inline __attribute__((always_inline))
#endif

namespace engine::math {

template <class To, class From>
ENGINE_LANE constexpr To bit_cast(From from) noexcept {
  return __builtin_bit_cast(To, from);
}

}  // namespace engine::math

#include <vector>

#include "tests/accuracy/kernels.hpp"

namespace engine::accuracy {

std::span<const Kernel> kernels_scalar();
std::span<const Kernel> kernels_cuda();
std::span<const Kernel> kernels_vector16();
#if defined(__x86_64__)
std::span<const Kernel> kernels_vector32();
std::span<const Kernel> kernels_vector64();
#endif

std::span<const Form> forms() {
  static const std::vector<Form> all = [] {
    std::vector<Form> found{{"scalar", kernels_scalar()}, {"cuda", kernels_cuda()}, {"vector16", kernels_vector16()}};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back({"vector32", kernels_vector32()});
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) found.push_back({"vector64", kernels_vector64()});
#endif
    return found;
  }();
  return all;
}

}  // namespace engine::accuracy

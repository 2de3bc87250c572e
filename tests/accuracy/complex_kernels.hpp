// tests/accuracy/complex_kernels.hpp - the complex functions of the catalog as loops, once per form: complex_kernels.cpp is
// compiled once for each. There are no vectors of complex numbers.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace engine::accuracy {

/// result[i] = f(x[i], y[i]), real and imaginary parts side by side, n numbers; y is not read by functions of one argument.
struct ComplexKernel {
  std::string_view name;
  int arity;
  void (*f64)(double* result, const double* x, const double* y, std::size_t n);
  void (*f32)(float* result, const float* x, const float* y, std::size_t n);
};

std::span<const ComplexKernel> complex_kernels_scalar();
/// What NVRTC reads, by g++.
std::span<const ComplexKernel> complex_kernels_cuda();

}  // namespace engine::accuracy

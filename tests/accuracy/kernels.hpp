// tests/accuracy/kernels.hpp - the elementary functions of the catalog as loops, once per form: scalar, and vectors of 16, 32
// and 64 bytes. kernels.cpp is compiled once for each.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace engine::accuracy {

/// result[i] = f(x[i], y[i]); y is not read by functions of one argument.
struct Kernel {
  std::string_view name;
  int arity;
  void (*f64)(double* result, const double* x, const double* y, std::size_t n);
  void (*f32)(float* result, const float* x, const float* y, std::size_t n);
};

/// "scalar", "cuda" (what NVRTC reads, by g++), "vector16", "vector32", "vector64".
struct Form {
  std::string_view name;
  std::span<const Kernel> kernels;
};
/// Those this machine can run; scalar first.
std::span<const Form> forms();

}  // namespace engine::accuracy

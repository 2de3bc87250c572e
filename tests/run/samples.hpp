// Values for kernels, and when two of them are the same.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/type_rule.hpp"

namespace engine::run {

/// Random and special bits of a dtype; exponents stay small enough that integer powers end.
inline std::vector<std::byte> sample(DType dtype, std::size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  const std::size_t item = item_size(dtype);
  std::vector<std::byte> bytes(n * item);
  for (std::size_t i = 0; i < n; ++i) {
    static constexpr double specials[] = {0.0,   -0.0,  1.0, -1.0, 2.5, -3.0, __builtin_inf(), -__builtin_inf(), __builtin_nan(""),
                                          1e300, 5e-324};
    // Most are small; a fourth have any size that casts tell apart, and few digits, so that halves have to be rounded.
    const auto number = [&] {
      const auto digits = static_cast<std::int64_t>(random());
      if (i % 4) return std::ldexp(static_cast<double>(digits), -58);
      return std::ldexp(static_cast<double>(digits >> 40), static_cast<int>(random() % 100) - 60);
    };
    const double values[2] = {i < 11 ? specials[i] : number(), i < 11 ? specials[10 - i] : number()};
    if (is_inexact(dtype)) {
      catalog::cast_scalar(is_complex(dtype) ? DType::Complex128 : DType::Float64, dtype, values, bytes.data() + i * item);
    } else if (dtype == DType::Bool) {
      bytes[i] = static_cast<std::byte>(random() & 1);
    } else {
      const std::uint64_t bits = random();
      std::memcpy(bytes.data() + i * item, &bits, item);
      if (i % 5 == 0) std::memset(bytes.data() + i * item, i % 10 ? 0xff : 0, item);
    }
  }
  return bytes;
}

/// Equal bits, or both NaN, part by part.
inline bool same(DType dtype, const std::byte* a, const std::byte* b) {
  if (std::memcmp(a, b, item_size(dtype)) == 0) return true;
  const auto nan = [](double x) { return x != x; };
  double x[2] = {}, y[2] = {};
  if (!is_inexact(dtype)) return false;
  catalog::cast_scalar(dtype, DType::Complex128, a, x);
  catalog::cast_scalar(dtype, DType::Complex128, b, y);
  return (nan(x[0]) || std::memcmp(&x[0], &y[0], 8) == 0) && (nan(x[1]) || std::memcmp(&x[1], &y[1], 8) == 0) && nan(x[0]) == nan(y[0]) &&
         nan(x[1]) == nan(y[1]);
}

}  // namespace engine::run

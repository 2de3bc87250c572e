// run/ordered/vqsort.hpp - vectorised quicksorts of unsigned integers (Highway's VQSort).
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine::run::ordered {

/// A key of 64 bits with where it came from: in order by key, then by place.
struct Pair {
  std::uint64_t place, key;
  friend bool operator<(const Pair& x, const Pair& y) noexcept { return x.key != y.key ? x.key < y.key : x.place < y.place; }
};

/// In ascending order. Equal ones are the same, so there is no order among them. Null where this processor, or this build, has none.
struct VectorSorts {
  void (*of16)(std::uint16_t* keys, std::size_t n) = nullptr;
  void (*of32)(std::uint32_t* keys, std::size_t n) = nullptr;
  void (*of64)(std::uint64_t* keys, std::size_t n) = nullptr;
  void (*of_pairs)(Pair* pairs, std::size_t n) = nullptr;
};
const VectorSorts& vector_sorts() noexcept;

}  // namespace engine::run::ordered

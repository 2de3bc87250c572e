// run/ordered/keys.hpp - numbers as unsigned integers in the same order: NaN last, both zeros one key. The order of complex numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

#include "engine/catalog/meaning.hpp"
#include "engine/run/ordered/vqsort.hpp"

namespace engine::run::ordered {

/// Real part first, then the imaginary one, NaN after all numbers in each part; but a number with NaN in any part stands
/// after all without: [x + yi, x + nan i, nan + yi, nan + nan i], as NumPy's.
struct ComplexLess {
  template <class T>
  static bool before(T x, T y) {
    return x < y || (y != y && x == x);
  }
  template <class T>
  static int nans(const math::Complex<T>& x) {
    return 2 * (x.re != x.re) + (x.im != x.im);
  }
  template <class T>
  bool operator()(const math::Complex<T>& x, const math::Complex<T>& y) const {
    if (const int n = nans(x), m = nans(y); n != m) return n < m;
    return before(x.re, y.re) || (!before(y.re, x.re) && before(x.im, y.im));
  }
};

template <class T>
using Bits =
    std::conditional_t<sizeof(T) == 1, std::uint8_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;

/// Without a branch, so that loops of it become vectors.
template <class T>
Bits<T> key_of(T x) {
  using Key = Bits<T>;
  if constexpr (std::is_unsigned_v<T>) {
    return x;
  } else {
    constexpr auto kTop = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
    if constexpr (std::is_floating_point_v<T>) {
      const auto bits = math::bit_cast<Key>(x + T{0});  // of -0: +0
      const auto negative = static_cast<Key>(static_cast<std::make_signed_t<Key>>(bits) >> (8 * sizeof(T) - 1));
      return static_cast<Key>((bits ^ (negative | kTop)) | (x != x ? static_cast<Key>(~Key{0}) : Key{0}));
    } else {
      return static_cast<Key>(math::bit_cast<Key>(x) ^ kTop);
    }
  }
}

/// Of complex numbers themselves.
template <class T>
math::Complex<T> key_of(math::Complex<T> x) {
  return x;
}
/// The order of keys.
template <class Key>
using KeyLess = std::conditional_t<math::kIsComplex<Key>, ComplexLess, std::less<Key>>;

template <class T>
T value_of(Bits<T> key) {
  using Key = Bits<T>;
  if constexpr (std::is_unsigned_v<T>) {
    return key;
  } else {
    constexpr auto kTop = static_cast<Key>(Key{1} << (8 * sizeof(T) - 1));
    if constexpr (std::is_floating_point_v<T>) {
      const auto positive = static_cast<Key>(static_cast<std::make_signed_t<Key>>(key) >> (8 * sizeof(T) - 1));
      return math::bit_cast<T>(static_cast<Key>(key ^ (static_cast<Key>(~positive) | kTop)));
    } else {
      return math::bit_cast<T>(static_cast<Key>(key ^ kTop));
    }
  }
}

/// By key, then by place.
void sort_pairs(Pair* pairs, std::int64_t n);

}  // namespace engine::run::ordered

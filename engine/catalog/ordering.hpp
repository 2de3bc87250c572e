// catalog/ordering.hpp - what depends on order means: the tree of scans; numbers as unsigned integers (NaN last, both zeros one key), the
// order of complex numbers, and what lies between two elements. No standard header: NVRTC reads this file too.
#pragma once

#include "engine/catalog/scalar.hpp"

namespace engine::math {

// The tree of scans, see run/ordered/ordered.hpp: elements of a segment, segments of a tile, tiles of a span.
inline constexpr unsigned kScanSegment = 32;
inline constexpr unsigned kScanSegments = 64;
inline constexpr unsigned kScanTile = kScanSegment * kScanSegments;
inline constexpr unsigned kScanSpan = 64;

template <int kBytes>
struct KeyBits {
  using type = unsigned char;
  using signed_type = signed char;
};
template <>
struct KeyBits<2> {
  using type = unsigned short;
  using signed_type = short;
};
template <>
struct KeyBits<4> {
  using type = unsigned;
  using signed_type = int;
};
template <>
struct KeyBits<8> {
  using type = unsigned long;
  using signed_type = long;
};
template <class T>
using KeyOf = typename KeyBits<sizeof(T)>::type;
template <class T>
using SignedKeyOf = typename KeyBits<sizeof(T)>::signed_type;
template <class Key>
inline constexpr auto kTopBit = static_cast<Key>(Key{1} << (8 * sizeof(Key) - 1));

/// Of complex numbers themselves. Without a branch, so that loops of it become vectors.
template <class T>
ENGINE_LANE auto key_of(T x) noexcept {
  using Key = KeyOf<T>;
  if constexpr (kIsComplex<T>) {
    return x;
  } else if constexpr (kIsFloat<T>) {
    const auto bits = bit_cast<Key>(x + T{0});  // of -0: +0
    const auto negative = static_cast<Key>(static_cast<SignedKeyOf<T>>(bits) >> (8 * sizeof(T) - 1));
    return static_cast<Key>((bits ^ (negative | kTopBit<Key>)) | (x != x ? static_cast<Key>(~Key{0}) : Key{0}));
  } else if constexpr (kIsSigned<T>) {
    return static_cast<Key>(bit_cast<Key>(x) ^ kTopBit<Key>);
  } else {
    return static_cast<Key>(x);
  }
}

/// The number of a key; of those of both zeros +0.
template <class T>
ENGINE_LANE T value_of_key(KeyOf<T> key) noexcept {
  using Key = KeyOf<T>;
  if constexpr (kIsFloat<T>) {
    const auto positive = static_cast<Key>(static_cast<SignedKeyOf<T>>(key) >> (8 * sizeof(T) - 1));
    return bit_cast<T>(static_cast<Key>(key ^ (static_cast<Key>(~positive) | kTopBit<Key>)));
  } else if constexpr (kIsSigned<T>) {
    return bit_cast<T>(static_cast<Key>(key ^ kTopBit<Key>));
  } else {
    return static_cast<T>(key);
  }
}

/// How the parts of a complex number stand to NaN: elements are ordered by that first.
template <class T>
ENGINE_LANE int nans_of(Complex<T> x) noexcept {
  return 2 * (x.re != x.re) + (x.im != x.im);
}

/// Whether x stands before y. Complex numbers go by the real part first, then by the imaginary one, NaN after all numbers in each; but
/// a number with NaN in any part stands after all without: [x + yi, x + nan i, nan + yi, nan + nan i], as NumPy's.
template <class T>
ENGINE_LANE bool goes_before(T x, T y) noexcept {
  if constexpr (kIsComplex<T>) {
    const auto before = [](auto a, auto b) { return a < b || (b != b && a == a); };
    if (nans_of(x) != nans_of(y)) return nans_of(x) < nans_of(y);
    return before(x.re, y.re) || (!before(y.re, x.re) && before(x.im, y.im));
  } else {
    return key_of(x) < key_of(y);
  }
}

/// Whether np.unique takes them for one: NaN is equal to NaN.
template <class T>
ENGINE_LANE bool is_same_element(T x, T y) noexcept {
  if constexpr (kIsComplex<T>)
    return (x.re == y.re && x.im == y.im) || (nans_of(x) != 0 && nans_of(y) != 0);
  else if constexpr (kIsFloat<T>)
    return x == y || (x != x && y != y);
  else
    return x == y;
}

/// How many of n sorted elements go before x; with `kEqual` those equal to it, too. Without a branch that could be guessed wrongly.
template <bool kEqual, class T>
ENGINE_LANE long places_before(const T* sorted, long n, const T& x) noexcept {
  const T* at = sorted;
  const auto before = [&](const T& element) { return kEqual ? !goes_before(x, element) : goes_before(element, x); };
  while (n > 1) {
    const long half = n / 2;
    at += before(at[half - 1]) ? half : 0;
    n -= half;
  }
  return at - sorted + (n == 1 && before(*at));
}

template <class T>
ENGINE_LANE T quiet_nan() noexcept {
  if constexpr (sizeof(T) == 8)
    return bit_cast<T>(0x7ff8000000000000ul);
  else
    return bit_cast<T>(0x7fc00000u);
}

/// The mean of two neighbours, or what lies between them in proportion: NumPy's linear method. `both`: there is a second one.
template <class T>
ENGINE_LANE T between(T low, T high, bool both, bool is_median, double fraction) noexcept {
  const T difference = high - low;
  if (!both) return low;
  if (is_median) return (low + high) / 2;
  return fraction >= 0.5 ? high - difference * static_cast<T>(1 - fraction) : low + difference * static_cast<T>(fraction);
}

/// The bin of x, or -1 beyond all: by proportion, which lies from 0 to 1 whatever the bounds, and then as the edges have it, which are
/// rounded.
template <class E>
ENGINE_LANE long bin_of(E x, const E* edges, long bins) noexcept {
  const E first = edges[0], last = edges[bins];
  if (!(x >= first && x <= last)) return -1;
  long bin = static_cast<long>((x - first) / (last - first) * static_cast<E>(bins));
  if (bin > bins - 1) bin = bins - 1;
  while (bin > 0 && x < edges[bin]) --bin;
  while (bin + 1 < bins && x >= edges[bin + 1]) ++bin;
  return bin;
}

}  // namespace engine::math

// run/interp/reducer.hpp - loops of the reduction tree over values, for files that are compiled once per instruction set
// (kernels.cmake). See ReduceKernels in kernels.hpp for what each does.
#pragma once

#include <type_traits>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#include "engine/catalog/meaning.hpp"
#include "engine/run/interp/table.hpp"

// Element i of the result depends on elements i alone, so overlap of `out` with an input it equals is harmless.
#if defined(__clang__)
#define ENGINE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define ENGINE_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace engine::run::interp::ENGINE_ISA {

using catalog::Lane;
using catalog::Reduction;

#if defined(__AVX512F__)
inline constexpr std::size_t kRegisterBytes = 64;
#elif defined(__AVX__)
inline constexpr std::size_t kRegisterBytes = 32;
#else
inline constexpr std::size_t kRegisterBytes = 16;
#endif

/// Eight rows of kLanes items that follow each other, combined row by row: memory is read in the order in which it lies, which
/// is what its prefetchers and banks are made for, while the lanes stay in registers. Reading the eight rows abreast took
/// two to five times as long, in every cache and beyond.
template <class T>
struct Rows {
  using Item = std::conditional_t<std::is_same_v<T, std::int64_t>, std::uint64_t, T>;  // sums wrap
  typedef Item V __attribute__((vector_size(kRegisterBytes)));
  static constexpr std::size_t kItems = kRegisterBytes / sizeof(T);
  static constexpr std::size_t kVectors = kLanes / kItems;
  static constexpr std::size_t kHeld = kVectors < 16 ? kVectors : 16;

  ENGINE_LANE static V load(const T* from) {
    V v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
  }
  ENGINE_LANE static void save(T* to, V v) { __builtin_memcpy(to, &v, sizeof v); }

  template <class Combine, std::size_t... i>
  ENGINE_LANE static void combine(T* r, const T* x, std::size_t n_rows, Combine combine, std::index_sequence<i...>) {
    V a[kHeld] = {load(x + i * kItems)...};
    for (std::size_t row = 1; row < n_rows; ++row) ((a[i] = combine(a[i], load(x + row * kLanes + i * kItems))), ...);
    (save(r + i * kItems, a[i]), ...);
  }
  template <class Combine>
  ENGINE_LANE static void combine(T* r, const T* x, std::size_t n_rows, Combine combine_two) {
    for (std::size_t i = 0; i < kVectors; i += kHeld)
      combine(r + i * kItems, x + i * kItems, n_rows, combine_two, std::make_index_sequence<kHeld>{});
  }

  // ---- blocks of the tree ---------------------------------------------------------------------------------------------

  /// Lanes by halves, down to one vector.
  template <class Combine, std::size_t... i>
  ENGINE_LANE static V halved(V* a, Combine combine, std::index_sequence<i...>) {
    ((a[i] = combine(a[i], a[i + sizeof...(i)])), ...);
    if constexpr (sizeof...(i) > 1) return halved(a, combine, std::make_index_sequence<sizeof...(i) / 2>{});
    return a[0];
  }
  template <class Combine>
  ENGINE_LANE static V halved(V* a, Combine combine) {
    if constexpr (kVectors > 1) return halved(a, combine, std::make_index_sequence<kVectors / 2>{});
    return a[0];
  }
  /// The rest of the way.
  template <class Combine>
  ENGINE_LANE static T folded(V a, Combine combine) {
    Item lanes[kItems];
    __builtin_memcpy(lanes, &a, sizeof lanes);
#pragma GCC unroll 8
    for (std::size_t half = kItems / 2; half > 0; half /= 2)
#pragma GCC unroll 16
      for (std::size_t i = 0; i < half; ++i) lanes[i] = combine(lanes[i], lanes[i + half]);
    return static_cast<T>(lanes[0]);
  }
  template <std::size_t kHalf, bool kHigh, std::size_t... i>
  ENGINE_LANE static V halves_of(V x, V y, std::index_sequence<i...>) {
    return __builtin_shufflevector(x, y, static_cast<int>(i / kHalf * 2 * kHalf + i % kHalf + (kHigh ? kHalf : 0))...);
  }
  /// The same of kItems vectors at once, each of which gives one lane: no addition waits for the one before.
  template <std::size_t kHalf = kItems / 2, class Combine>
  ENGINE_LANE static V all_folded(V* v, Combine combine) {
    if constexpr (kHalf > 0) {
#pragma GCC unroll 16
      for (std::size_t k = 0; k < kHalf; ++k) {
        const V low = halves_of<kHalf, false>(v[2 * k], v[2 * k + 1], std::make_index_sequence<kItems>{});
        const V high = halves_of<kHalf, true>(v[2 * k], v[2 * k + 1], std::make_index_sequence<kItems>{});
        v[k] = combine(low, high);
      }
      return all_folded<kHalf / 2>(v, combine);
    }
    return v[0];
  }
  template <class Combine>
  ENGINE_LANE static V end_block(const T* lanes, Combine combine) {
    V a[kVectors];
#pragma GCC unroll 32
    for (std::size_t i = 0; i < kVectors; ++i) {
      const T* const at = lanes + i * kItems;
      a[i] = combine(combine(load(at), load(at + kLanes)), combine(load(at + 2 * kLanes), load(at + 3 * kLanes)));
    }
    return halved(a, combine);
  }
  template <class Combine, std::size_t... i>
  ENGINE_LANE static void group(T* r, const T* x, T identity, Combine combine, std::index_sequence<i...>) {
    V a[sizeof...(i)];
    ((a[i] = spread(identity)), ...);
#pragma GCC unroll 1
    for (std::size_t row = 0; row < 8; ++row) ((a[i] = combine(a[i], load(x + row * kLanes + i * kItems))), ...);
    (save(r + i * kItems, a[i]), ...);
  }
  template <class Combine>
  ENGINE_LANE static void whole_group(T* r, const T* x, T identity, Combine combine_two) {
    for (std::size_t i = 0; i < kVectors; i += kHeld)
      group(r + i * kItems, x + i * kItems, identity, combine_two, std::make_index_sequence<kHeld>{});
  }
  /// One loop for all rows: instructions that come back teach the first cache's prefetcher their strides. Unrolled, this took a
  /// fifth longer in the second-level cache.
  template <class Combine>
  ENGINE_LANE static V whole_block(const T* x, T identity, Combine combine_two) {
    constexpr std::size_t kGroup = 8 * kLanes;
    alignas(kRegisterBytes) T lanes[4 * kLanes];
#pragma GCC unroll 1
    for (std::size_t g = 0; g < 4; ++g) whole_group(lanes + g * kLanes, x + g * kGroup, identity, combine_two);
    return end_block(lanes, combine_two);
  }
  ENGINE_LANE static V spread(T value) { return static_cast<Item>(value) - V{}; }  // a sum with zeros would lose the sign of -0.0
#if defined(__AVX512F__)
  /// The items whose bits are set, and the identity.
  ENGINE_LANE static V load_some(const T* from, std::uint64_t mask, T identity) {
    const V all = spread(identity);
    if constexpr (sizeof(T) == 8)
      return (V)_mm512_mask_loadu_epi64((__m512i)all, static_cast<__mmask8>(mask), from);
    else
      return (V)_mm512_mask_loadu_epi32((__m512i)all, static_cast<__mmask16>(mask), from);
  }
#else
  /// `n` items, less than a vector, and the identity.
  ENGINE_LANE static V load_some(const T* from, std::size_t n, T identity) {
    T items[kItems];
    for (std::size_t i = 0; i < kItems; ++i) items[i] = i < n ? from[i] : identity;
    return load(items);
  }
#endif
  /// A group of n items. Where one is missing the identity takes its place, which changes no bit.
  template <class Combine, std::size_t... i>
  ENGINE_LANE static void part_of_group(V* a, const T* x, std::size_t n, T identity, Combine combine, std::index_sequence<i...>) {
    const std::size_t n_rows = n / kLanes, rest = n % kLanes;
    ((a[i] = n_rows ? load(x + i * kItems) : spread(identity)), ...);
    for (std::size_t row = 1; row < n_rows; ++row) ((a[i] = combine(a[i], load(x + row * kLanes + i * kItems))), ...);
    x += n_rows * kLanes;
#if defined(__AVX512F__)
    const std::uint64_t mask = (std::uint64_t{1} << rest) - 1;
    const auto add = [&](std::size_t k) {
      if (k * kItems < rest) a[k] = combine(a[k], load_some(x + k * kItems, mask >> k * kItems, identity));
    };
    (add(i), ...);
#else
    const std::size_t whole = rest / kItems;
    ((a[i] = i < whole ? combine(a[i], load(x + i * kItems)) : a[i]), ...);
    if (const std::size_t some = rest % kItems) {
      const V last = load_some(x + whole * kItems, some, identity);
      ((a[i] = i == whole ? combine(a[i], last) : a[i]), ...);
    }
#endif
  }
  template <class Combine>
  ENGINE_LANE static V one_group(const T* x, std::size_t n, T identity, Combine combine) {
    V a[kVectors];
    part_of_group(a, x, n, identity, combine, std::make_index_sequence<kVectors>{});
    return halved(a, combine);
  }
  template <class Combine>
  ENGINE_LANE static V part_of_block(const T* x, std::size_t n, T identity, Combine combine) {
    constexpr std::size_t kGroup = 8 * kLanes;
    using Each = std::make_index_sequence<kVectors>;
    if (n <= kGroup) return one_group(x, n, identity, combine);
    V a[kVectors];
    alignas(kRegisterBytes) T lanes[4 * kLanes];
    std::size_t g = 0;
#pragma GCC unroll 1
    for (; n >= kGroup; n -= kGroup, x += kGroup) whole_group(lanes + g++ * kLanes, x, identity, combine);
    const std::size_t n_groups = g + (n != 0);
#pragma GCC unroll 1
    for (const std::size_t end = n_groups > 2 ? 4 : 2; g < end; ++g, n = 0) {
      part_of_group(a, x, n, identity, combine, Each{});
      for (std::size_t i = 0; i < kVectors; ++i) save(lanes + g * kLanes + i * kItems, a[i]);
    }
    if (n_groups > 2) return end_block(lanes, combine);
#pragma GCC unroll 32
    for (std::size_t i = 0; i < kVectors; ++i) a[i] = combine(load(lanes + i * kItems), load(lanes + kLanes + i * kItems));
    return halved(a, combine);
  }
  /// out[r] = the value of the block of the tree of `n` elements that starts at x + r * n.
  template <class Combine>
  ENGINE_LANE static void blocks(T* out, const T* x, std::size_t n_blocks, std::size_t n, T identity, Combine combine) {
    if (n == kTreeBlock) return blocks(out, x, n_blocks, n, combine, [&](const T* at) { return whole_block(at, identity, combine); });
    if (n <= 8 * kLanes) return blocks(out, x, n_blocks, n, combine, [&](const T* at) { return one_group(at, n, identity, combine); });
    blocks(out, x, n_blocks, n, combine, [&](const T* at) { return part_of_block(at, n, identity, combine); });
  }
  template <class Combine, class One>
  ENGINE_LANE static void blocks(T* out, const T* x, std::size_t n_blocks, std::size_t n, Combine combine, One one) {
    std::size_t b = 0;
    for (V v[kItems]; b + kItems <= n_blocks; b += kItems) {
#pragma GCC unroll 1
      for (std::size_t k = 0; k < kItems; ++k) v[k] = one(x + (b + k) * n);
      save(out + b, all_folded(v, combine));
    }
    for (; b < n_blocks; ++b) out[b] = folded(one(x + b * n), combine);
  }
  template <class Combine>
  ENGINE_LANE static T tree(const T* x, std::size_t n_blocks, T identity, Combine combine) {
    T values[ReduceKernels::kMostBlocks];
    blocks(values, x, n_blocks, kTreeBlock, identity, combine);
    for (; n_blocks > 1; n_blocks /= 2)
      for (std::size_t i = 0; i < n_blocks / 2; ++i)
        values[i] = static_cast<T>(combine(static_cast<Item>(values[2 * i]), static_cast<Item>(values[2 * i + 1])));
    return values[0];
  }

  /// The larger (kSign = 1) or smaller (-1) ones of all 512, lane j and j + 32 together, both lanes getting the same: the
  /// order of picking shows in nothing but NaN and zeros. Gives whether neither was seen, as Reducer::guess does.
  template <int kSign, std::size_t... i>
  ENGINE_LANE static bool pick(T* r, const T* x, std::index_sequence<i...>) {
    constexpr std::size_t kHalf = sizeof...(i);
    constexpr std::size_t kSums = kHalf < 4 ? kHalf : 4;
    V a[kHalf] = {load(x + i * kItems)...}, sum[kSums] = {};
    for (std::size_t half = 0; half < 16; ++half) {
      const T* const from = x + half * (kLanes / 2);
      ((a[i] = better<kSign>(a[i], load(from + i * kItems))), ...);
      ((sum[i % kSums] += load(from + i * kItems)), ...);
    }
    auto doubt = sum[0] != sum[0];
    for (std::size_t k = 1; k < kSums; ++k) doubt |= sum[k] != sum[k];
    ((doubt |= a[i] == V{}), ...);
    ((save(r + i * kItems, a[i]), save(r + kLanes / 2 + i * kItems, a[i])), ...);
    bool found = false;
    for (std::size_t k = 0; k < kItems; ++k) found |= doubt[k] != 0;
    return !found;
  }
  template <int kSign>
  ENGINE_LANE static bool pick(T* r, const T* x) {
    return pick<kSign>(r, x, std::make_index_sequence<kVectors / 2>{});
  }

  /// The larger or smaller of two, the second where either is NaN or both are zeros: one instruction.
  template <int kSign>
  ENGINE_LANE static V better(V a, V b) {
#if defined(__AVX512F__)
    constexpr auto kAll = static_cast<unsigned short>(kItems == 8 ? 0xff : 0xffff);  // GCC 12 warns of what the plain forms leave open
    if constexpr (std::is_same_v<T, double>)
      return (V)(kSign > 0 ? _mm512_maskz_max_pd(kAll, (__m512d)a, (__m512d)b) : _mm512_maskz_min_pd(kAll, (__m512d)a, (__m512d)b));
    if constexpr (std::is_same_v<T, float>)
      return (V)(kSign > 0 ? _mm512_maskz_max_ps(kAll, (__m512)a, (__m512)b) : _mm512_maskz_min_ps(kAll, (__m512)a, (__m512)b));
#elif defined(__AVX__)
    if constexpr (std::is_same_v<T, double>)
      return (V)(kSign > 0 ? _mm256_max_pd((__m256d)a, (__m256d)b) : _mm256_min_pd((__m256d)a, (__m256d)b));
    if constexpr (std::is_same_v<T, float>)
      return (V)(kSign > 0 ? _mm256_max_ps((__m256)a, (__m256)b) : _mm256_min_ps((__m256)a, (__m256)b));
#endif
    return kSign > 0 ? (a > b ? a : b) : (a < b ? a : b);
  }

  /// The largest or smallest of `n` items, a multiple of 16 vectors, in any order. False where NaN was seen, or a zero won.
  template <int kSign>
  ENGINE_LANE static bool pick_all(T* out, const T* x, std::size_t n) {
    constexpr std::size_t kAtOnce = 8;
    V a[kAtOnce], sum[kAtOnce] = {};
    for (std::size_t i = 0; i < kAtOnce; ++i) a[i] = load(x + i * kItems);
    for (std::size_t at = 0; at < n; at += kAtOnce * kItems) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kAtOnce; ++i) {
        const V v = load(x + at + i * kItems);
        a[i] = better<kSign>(a[i], v);
        sum[i] += v;
      }
    }
    V best = a[0], all = sum[0];
    for (std::size_t i = 1; i < kAtOnce; ++i) {
      best = better<kSign>(best, a[i]);
      all += sum[i];
    }
    T value = best[0];
    bool doubt = false;
    for (std::size_t k = 0; k < kItems; ++k) {
      value = kSign > 0 ? (best[k] > value ? best[k] : value) : (best[k] < value ? best[k] : value);
      doubt |= all[k] != all[k];
    }
    *out = value;
    return !doubt && value != 0;
  }
};

template <Reduction kReduction, class T>
struct Reducer {
  using C = catalog::Combination<kReduction>;

  static constexpr bool kPicks = kReduction == Reduction::Min || kReduction == Reduction::Max;
  static constexpr bool kHasVectors = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
  static constexpr bool kHasBlocks = kHasVectors && (kReduction == Reduction::Sum || kReduction == Reduction::Prod);
  static constexpr auto kCombine = [](auto a, auto b) { return kReduction == Reduction::Sum ? a + b : a * b; };  ///< of those
  static constexpr bool kCanGuess = kPicks && (std::is_same_v<T, float> || std::is_same_v<T, double>);

  /// Eight rows, element by element in order: all loads are independent, so this runs at memory speed.
  /// For floats one comparison picks the larger of two numbers; it is wrong only beside NaN and among zeros. A NaN would
  /// show in the sum, which costs one addition an element (infinities of both signs look like one); a zero wins only
  /// where nothing better was there. Gives whether neither was seen, so that the guess stands.
  template <class Row>
  ENGINE_LANE static bool guess(T* r, Row row, std::size_t n) {
    using Bits = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
    Bits doubt = 0;
    ENGINE_INDEPENDENT
    for (std::size_t j = 0; j < n; ++j) {
      T a = row(0)[j], sum = a;
      for (int k = 1; k < 8; ++k) {
        const T x = row(k)[j];
        if constexpr (kReduction == Reduction::Max)
          a = a > x ? a : x;
        else
          a = a < x ? a : x;
        sum += x;
      }
      doubt |= (sum != sum) | (a == T{});
      r[j] = a;
    }
    return doubt == 0;
  }
  template <class Row>
  ENGINE_LANE static void in_order(T* r, Row row, std::size_t n) {
    if constexpr (kCanGuess)
      if (guess(r, row, n)) return;
    ENGINE_INDEPENDENT
    for (std::size_t j = 0; j < n; ++j) {
      T a = row(0)[j];
      a = C::apply(a, row(1)[j]);
      a = C::apply(a, row(2)[j]);
      a = C::apply(a, row(3)[j]);
      a = C::apply(a, row(4)[j]);
      a = C::apply(a, row(5)[j]);
      a = C::apply(a, row(6)[j]);
      a = C::apply(a, row(7)[j]);
      r[j] = a;
    }
  }

  static void eight(void* out, const void* const* rows, std::size_t n) {
    const T* row[8];
    for (int k = 0; k < 8; ++k) row[k] = static_cast<const T*>(rows[k]);
    in_order(static_cast<T*>(out), [&](int k) { return row[k]; }, n);
  }

  static void group(void* lanes, const void* in, std::size_t n) {
    auto* r = static_cast<T*>(lanes);
    const auto* x = static_cast<const T*>(in);
    if (n == kBlock) return whole_group(r, x);
    std::size_t done = n < kLanes ? n : kLanes;
    if constexpr (kHasBlocks) {
      if (n >= 2 * kLanes) {
        done = n - n % kLanes;
        Rows<T>::combine(r, x, done / kLanes, kCombine);
      }
    }
    if (done <= kLanes)
      for (std::size_t j = 0; j < done; ++j) r[j] = x[j];
    for (std::size_t row = done; row < n; row += kLanes) {
      const std::size_t width = n - row < kLanes ? n - row : kLanes;
      ENGINE_INDEPENDENT
      for (std::size_t j = 0; j < width; ++j) r[j] = C::apply(r[j], x[row + j]);
    }
  }

  ENGINE_LANE static void whole_group(T* r, const T* x) {
    if constexpr (kHasBlocks) return Rows<T>::combine(r, x, 8, kCombine);
    if constexpr (kCanGuess) {
      constexpr int kSign = kReduction == Reduction::Max ? 1 : -1;
      if (Rows<T>::template pick<kSign>(r, x)) return;
    }
    in_order(r, [x](int k) { return x + static_cast<std::size_t>(k) * kLanes; }, kLanes);
  }

  static void combine(void* a, const void* b, std::size_t n) {
    auto* x = static_cast<T*>(a);
    const auto* y = static_cast<const T*>(b);
    if (n == kLanes) return join<kLanes>(x, y);
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) x[i] = C::apply(x[i], y[i]);
  }
  /// Constant counts: most rows are whole.
  template <std::size_t kCount>
  ENGINE_LANE static void join(T* x, const T* y) {
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < kCount; ++i) x[i] = C::apply(x[i], y[i]);
  }

  static void fold(void* out, void* lanes, std::size_t n) {
    auto* v = static_cast<T*>(lanes);
    if (n == kLanes) {
      join<32>(v, v + 32);
      join<16>(v, v + 16);
      join<8>(v, v + 8);
      join<4>(v, v + 4);
      *static_cast<T*>(out) = C::apply(C::apply(v[0], v[2]), C::apply(v[1], v[3]));
      return;
    }
    for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
      if (n <= half) continue;
      const std::size_t pairs = n - half < half ? n - half : half;
      ENGINE_INDEPENDENT
      for (std::size_t j = 0; j < pairs; ++j) v[j] = C::apply(v[j], v[j + half]);
      n = half;
    }
    *static_cast<T*>(out) = v[0];
  }

  static void rows(void* out, const void* in, std::size_t rows, std::size_t length) {
    auto* r = static_cast<T*>(out);
    const auto* x = static_cast<const T*>(in);
    if (length == 1) {
      for (std::size_t i = 0; i < rows; ++i) r[i] = x[i];
    } else if (length == 2) {
      for (std::size_t i = 0; i < rows; ++i) r[i] = C::apply(x[2 * i], x[2 * i + 1]);
    } else if (length == 3) {
      for (std::size_t i = 0; i < rows; ++i) r[i] = C::apply(C::apply(x[3 * i], x[3 * i + 2]), x[3 * i + 1]);
    } else if (length == 4) {
      for (std::size_t i = 0; i < rows; ++i) r[i] = C::apply(C::apply(x[4 * i], x[4 * i + 2]), C::apply(x[4 * i + 1], x[4 * i + 3]));
    } else {
      if constexpr (kHasBlocks) return Rows<T>::blocks(r, x, rows, length, kIdentity, kCombine);
      if constexpr (kCanGuess) return guess_rows(r, x, rows, length);
      for (std::size_t i = 0; i < rows; ++i, x += length) short_row(r + i, x, length);
    }
  }
  ENGINE_LANE static void short_row(T* r, const T* x, std::size_t length) {
    T v[kLanes];
    for (std::size_t j = 0; j < length; ++j) v[j] = x[j];
    fold(r, v, length);
  }
  /// The same by guess(), of many rows: those that hold NaN, or whose value is a zero, are done again.
  ENGINE_LANE static void guess_rows(T* r, const T* x, std::size_t rows, std::size_t length) {
    constexpr int kSign = kReduction == Reduction::Max ? 1 : -1;
    constexpr std::size_t kAtOnce = 64;
    const auto better = [](auto a, auto b) {
      if constexpr (std::is_same_v<decltype(a), T>)
        return kSign > 0 ? (a > b ? a : b) : (a < b ? a : b);
      else
        return Rows<T>::template better<kSign>(a, b);
    };
    const auto add = [](auto a, auto b) { return a + b; };
    T sums[kAtOnce];
    for (std::size_t first = 0; first < rows; first += kAtOnce, x += kAtOnce * length) {
      const std::size_t n = rows - first < kAtOnce ? rows - first : kAtOnce;
      Rows<T>::blocks(r + first, x, n, length, static_cast<T>(-kSign * __builtin_inf()), better);
      Rows<T>::blocks(sums, x, n, length, T(-0.0), add);
      for (std::size_t i = 0; i < n; ++i)
        if (sums[i] != sums[i] || r[first + i] == 0) short_row(r + first + i, x + i * length, length);
    }
  }

  static bool many(void* out, const void* in, std::size_t n) {
    return Rows<T>::template pick_all < kReduction == Reduction::Max ? 1 : -1 > (static_cast<T*>(out), static_cast<const T*>(in), n);
  }

  // ---- blocks of the tree, of sums and products -------------------------------------------------------------------------

  // -0.0 + x is x, also where x is -0.0.
  static constexpr T kIdentity = kReduction == Reduction::Prod ? T(1) : std::is_floating_point_v<T> ? T(-0.0) : T(0);
  static void blocks(void* out, const void* in, std::size_t n) {
    *static_cast<T*>(out) = Rows<T>::tree(static_cast<const T*>(in), n, kIdentity, kCombine);
  }
  static void block(void* out, const void* in, std::size_t n) {
    const auto* x = static_cast<const T*>(in);
    const auto lanes = n == kTreeBlock ? Rows<T>::whole_block(x, kIdentity, kCombine) : Rows<T>::part_of_block(x, n, kIdentity, kCombine);
    *static_cast<T*>(out) = Rows<T>::folded(lanes, kCombine);
  }
  static void cells(void* out, const void* in, std::size_t rows, std::size_t length) {
    Rows<T>::blocks(static_cast<T*>(out), static_cast<const T*>(in), rows, length, kIdentity, kCombine);
  }
  static void end_block(void* out, const void* lanes) {
    *static_cast<T*>(out) = Rows<T>::folded(Rows<T>::end_block(static_cast<const T*>(lanes), kCombine), kCombine);
  }

  static constexpr ReduceKernels make() {
    ReduceKernels made{&group, &combine, &eight, &fold, &rows};
    if constexpr (kCanGuess) made.many = &many;
    if constexpr (kHasBlocks) {
      made.blocks = &blocks;
      made.block = &block;
      made.cells = &cells;
      made.end_block = &end_block;
    }
    return made;
  }
  static constexpr ReduceKernels kernels = make();
};

template <Reduction kReduction, DType... kDType>
void fill_reduction(KernelTable& table) {
  ((table.reduce[static_cast<std::size_t>(kReduction)][static_cast<std::size_t>(kDType)] = Reducer<kReduction, Lane<kDType>>::kernels),
   ...);
}

}  // namespace engine::run::interp::ENGINE_ISA

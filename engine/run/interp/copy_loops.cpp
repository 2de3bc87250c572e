// run/interp/copy_loops.cpp - copies that arrange memory for the loops: transposed panels, many short rows, streams past the
// caches. Compiled once per instruction set.
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <utility>

#include "engine/base/lane.hpp"
#include "engine/run/interp/table.hpp"

namespace engine::run::interp::ENGINE_ISA {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t kVector = 64;
#elif defined(__AVX__)
constexpr std::size_t kVector = 32;
#else
constexpr std::size_t kVector = 16;
#endif

// ---- transposed panels ----------------------------------------------------------------------------------------------------

/// Squares of kSide x kSide numbers in registers. Each of log2(kSide) steps exchanges halves of pairs of rows.
template <class T>
struct Square {
  static constexpr std::size_t kSide = kVector / sizeof(T) < 8 ? kVector / sizeof(T) : 8;
  typedef T V __attribute__((vector_size(kSide * sizeof(T))));

  template <std::size_t kHalf, bool kHigh, std::size_t... i>
  ENGINE_LANE static V exchanged(V x, V y, std::index_sequence<i...>) {
    // Blocks of kHalf: low takes the even ones of x and of y in turn, high the odd ones.
    return __builtin_shufflevector(
        x, y, (static_cast<int>((i & ~(2 * kHalf - 1)) + (i & (kHalf - 1)) + (kHigh ? kHalf : 0) + (i & kHalf ? kSide : 0)))...);
  }
  template <std::size_t kHalf>
  ENGINE_LANE static void step(V* v) {
    for (std::size_t i = 0; i < kSide; ++i) {
      if (i & kHalf) continue;
      const V x = v[i], y = v[i + kHalf];
      v[i] = exchanged<kHalf, false>(x, y, std::make_index_sequence<kSide>{});
      v[i + kHalf] = exchanged<kHalf, true>(x, y, std::make_index_sequence<kSide>{});
    }
  }
  ENGINE_LANE static void transpose(V* v) {
    if constexpr (kSide >= 2) step<1>(v);
    if constexpr (kSide >= 4) step<2>(v);
    if constexpr (kSide >= 8) step<4>(v);
  }
};

/// out[r * n + c] = the number r of column c, which starts at base + c * stride. Columns are fetched ahead: they lie on pages
/// of their own, where no hardware looks.
template <class T>
void panel_of(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t rows, std::size_t n_after) {
  using S = Square<T>;
  using V = typename S::V;
  constexpr std::size_t kSide = S::kSide, kAhead = 16;
  auto* const r = static_cast<T*>(out);
  const auto* const from = static_cast<const char*>(base);
  const auto column = [&](std::size_t c) { return from + static_cast<std::ptrdiff_t>(c) * stride; };
  std::size_t c = 0;
  for (; c + kSide <= n; c += kSide) {
    if (c + kSide + kAhead <= n + n_after)
      for (std::size_t i = 0; i < kSide; ++i)
        for (std::size_t byte = 0; byte < rows * sizeof(T); byte += 64) __builtin_prefetch(column(c + kAhead + i) + byte, 0, 2);
    std::size_t row = 0;
    for (; row + kSide <= rows; row += kSide) {
      V v[kSide];
      for (std::size_t i = 0; i < kSide; ++i) __builtin_memcpy(&v[i], column(c + i) + row * sizeof(T), sizeof(V));
      S::transpose(v);
      for (std::size_t i = 0; i < kSide; ++i) __builtin_memcpy(r + (row + i) * n + c, &v[i], sizeof(V));
    }
    for (; row < rows; ++row)
      for (std::size_t i = 0; i < kSide; ++i) __builtin_memcpy(r + row * n + c + i, column(c + i) + row * sizeof(T), sizeof(T));
  }
  for (; c < n; ++c)
    for (std::size_t row = 0; row < rows; ++row) __builtin_memcpy(r + row * n + c, column(c) + row * sizeof(T), sizeof(T));
}

/// 16 bytes have no vector type of their own.
struct Pair {
  std::uint64_t first, second;
};
void panel_of_pairs(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t rows, std::size_t n_after) {
  auto* const r = static_cast<Pair*>(out);
  for (std::size_t c = 0; c < n; ++c) {
    const char* const column = static_cast<const char*>(base) + static_cast<std::ptrdiff_t>(c) * stride;
    if (c + 16 < n + n_after)
      for (std::size_t byte = 0; byte < rows * sizeof(Pair); byte += 64) __builtin_prefetch(column + 16 * stride + byte, 0, 2);
    for (std::size_t row = 0; row < rows; ++row) __builtin_memcpy(r + row * n + c, column + row * sizeof(Pair), sizeof(Pair));
  }
}

void panel(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t rows, std::size_t item, std::size_t n_after) {
  switch (item) {
    case 1:
      return panel_of<std::uint8_t>(out, base, stride, n, rows, n_after);
    case 2:
      return panel_of<std::uint16_t>(out, base, stride, n, rows, n_after);
    case 4:
      return panel_of<std::uint32_t>(out, base, stride, n, rows, n_after);
    case 8:
      return panel_of<std::uint64_t>(out, base, stride, n, rows, n_after);
    default:
      return panel_of_pairs(out, base, stride, n, rows, n_after);
  }
}

// ---- short rows -----------------------------------------------------------------------------------------------------------

/// kN: items of a row where known, or 0. kDense: they follow each other in memory.
template <class T, std::size_t kN, bool kDense>
ENGINE_LANE void move_rows(char* packed, char* spread, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, std::size_t n,
                           bool to_spread) {
  const std::size_t count = kN ? kN : n;
  const std::ptrdiff_t step = kDense ? static_cast<std::ptrdiff_t>(sizeof(T)) : stride;
  for (std::size_t r = 0; r < rows; ++r, spread += row_stride, packed += count * sizeof(T)) {
    char* at = spread;
    for (std::size_t i = 0; i < count; ++i, at += step) {
      T item;
      __builtin_memcpy(&item, to_spread ? packed + i * sizeof(T) : at, sizeof(T));
      __builtin_memcpy(to_spread ? at : packed + i * sizeof(T), &item, sizeof(T));
    }
  }
}
template <class T, bool kTo>
void move_items(char* packed, char* spread, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, std::size_t n) {
  const bool dense = stride == static_cast<std::ptrdiff_t>(sizeof(T));
  if (dense && n == 2) return move_rows<T, 2, true>(packed, spread, row_stride, rows, stride, n, kTo);
  if (dense && n == 3) return move_rows<T, 3, true>(packed, spread, row_stride, rows, stride, n, kTo);
  if (dense && n == 4) return move_rows<T, 4, true>(packed, spread, row_stride, rows, stride, n, kTo);
  if (dense) return move_rows<T, 0, true>(packed, spread, row_stride, rows, stride, n, kTo);
  move_rows<T, 0, false>(packed, spread, row_stride, rows, stride, n, kTo);
}
template <bool kTo>
void move(char* packed, char* spread, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, std::size_t n, std::size_t item) {
  switch (item) {
    case 1:
      return move_items<std::uint8_t, kTo>(packed, spread, row_stride, rows, stride, n);
    case 2:
      return move_items<std::uint16_t, kTo>(packed, spread, row_stride, rows, stride, n);
    case 4:
      return move_items<std::uint32_t, kTo>(packed, spread, row_stride, rows, stride, n);
    case 8:
      return move_items<std::uint64_t, kTo>(packed, spread, row_stride, rows, stride, n);
    default:
      return move_items<Pair, kTo>(packed, spread, row_stride, rows, stride, n);
  }
}
void pack_rows(void* out, const void* base, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, std::size_t n,
               std::size_t item) {
  move<false>(static_cast<char*>(out), const_cast<char*>(static_cast<const char*>(base)), row_stride, rows, stride, n, item);
}
void unpack_rows(void* base, std::ptrdiff_t row_stride, std::size_t rows, std::ptrdiff_t stride, const void* in, std::size_t n,
                 std::size_t item) {
  move<true>(const_cast<char*>(static_cast<const char*>(in)), static_cast<char*>(base), row_stride, rows, stride, n, item);
}

// ---- streams --------------------------------------------------------------------------------------------------------------

void stream(void* out, const void* in, std::size_t n_bytes) {
#if defined(__SSE2__)
  auto* to = static_cast<char*>(out);
  const auto* from = static_cast<const char*>(in);
  std::size_t head = (64 - reinterpret_cast<std::uintptr_t>(to) % 64) % 64;
  if (head > n_bytes) head = n_bytes;
  __builtin_memcpy(to, from, head);
  to += head, from += head, n_bytes -= head;
  for (; n_bytes >= 64; to += 64, from += 64, n_bytes -= 64) {
#if defined(__AVX512F__)
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(__AVX__)
    for (int i = 0; i < 64; i += 32)
      _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)));
#else
    for (int i = 0; i < 64; i += 16)
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
#endif
  }
  __builtin_memcpy(to, from, n_bytes);
#else
  __builtin_memcpy(out, in, n_bytes);
#endif
}

void end_stream() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace

void fill_copies(KernelTable& table) {
  table.panel = &panel;
  table.pack_rows = &pack_rows;
  table.unpack_rows = &unpack_rows;
  table.stream = &stream;
  table.end_stream = &end_stream;
}

}  // namespace engine::run::interp::ENGINE_ISA

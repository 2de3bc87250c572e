// run/interp/reducer.hpp - loops of the reduction tree over values, for files that are compiled once per instruction set
// (kernels.cmake). See ReduceKernels in kernels.hpp for what each does.
#pragma once

#include <type_traits>

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

template <Reduction kReduction, class T>
struct Reducer {
  using C = catalog::Combination<kReduction>;

  static constexpr bool kPicks = kReduction == Reduction::Min || kReduction == Reduction::Max;
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
    if (n == kBlock) return in_order(r, [x](int k) { return x + static_cast<std::size_t>(k) * kLanes; }, kLanes);
    const std::size_t first = n < kLanes ? n : kLanes;
    for (std::size_t j = 0; j < first; ++j) r[j] = x[j];
    for (std::size_t row = kLanes; row < n; row += kLanes) {
      const std::size_t width = n - row < kLanes ? n - row : kLanes;
      ENGINE_INDEPENDENT
      for (std::size_t j = 0; j < width; ++j) r[j] = C::apply(r[j], x[row + j]);
    }
  }

  static void combine(void* a, const void* b, std::size_t n) {
    auto* x = static_cast<T*>(a);
    const auto* y = static_cast<const T*>(b);
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) x[i] = C::apply(x[i], y[i]);
  }

  static void fold(void* out, void* lanes, std::size_t n) {
    auto* v = static_cast<T*>(lanes);
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
      T v[kLanes];
      for (std::size_t i = 0; i < rows; ++i, x += length) {
        for (std::size_t j = 0; j < length; ++j) v[j] = x[j];
        fold(r + i, v, length);
      }
    }
  }

  static constexpr ReduceKernels kernels{&group, &combine, &eight, &fold, &rows};
};

template <Reduction kReduction, DType... kDType>
void fill_reduction(KernelTable& table) {
  ((table.reduce[static_cast<std::size_t>(kReduction)][static_cast<std::size_t>(kDType)] = Reducer<kReduction, Lane<kDType>>::kernels),
   ...);
}

}  // namespace engine::run::interp::ENGINE_ISA

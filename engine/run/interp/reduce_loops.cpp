// run/interp/reduce_loops.cpp - reductions of everything but complex numbers, which need flags of their own (loops.cpp).
// Compiled once per instruction set, as loops.cpp is.
#include "engine/run/interp/reducer.hpp"

namespace engine::run::interp::ENGINE_ISA {
namespace {

/// Variances. A part of the sample is four planes of `width` numbers: count, mean, rest of the mean, squares (see
/// catalog/moments.hpp). Each leaf is passed over twice while it is in the first-level cache: for the mean, then for the
/// distances from it. `kSkipsNan`: NaN is not there.
template <class T, bool kSkipsNan>
struct Spread {
  using M = math::Moments<T>;

  ENGINE_LANE static T counted(T x) { return kSkipsNan ? (x == x ? T(1) : T(0)) : T(1); }
  ENGINE_LANE static T value(T x) { return kSkipsNan ? (x == x ? x : T(0)) : x; }
  ENGINE_LANE static T distance(T x, T mean) { return kSkipsNan ? (x == x ? x - mean : T(0)) : x - mean; }
  ENGINE_LANE static T mean_of(T sum, T n) { return kSkipsNan && n == 0 ? T(0) : sum / n; }

  ENGINE_LANE static M load(const T* planes, std::size_t width, std::size_t j) {
    return {planes[j], planes[width + j], planes[2 * width + j], planes[3 * width + j]};
  }
  ENGINE_LANE static void save(T* planes, std::size_t width, std::size_t j, M m) {
    planes[j] = m.count;
    planes[width + j] = m.mean;
    planes[2 * width + j] = m.rest;
    planes[3 * width + j] = m.squares;
  }

  /// Lanes by halves.
  ENGINE_LANE static T folded(T* v) {
    for (std::size_t j = 0; j < 32; ++j) v[j] += v[j + 32];
    for (std::size_t j = 0; j < 16; ++j) v[j] += v[j + 16];
    for (std::size_t j = 0; j < 8; ++j) v[j] += v[j + 8];
    for (std::size_t j = 0; j < 4; ++j) v[j] += v[j + 4];
    return (v[0] + v[2]) + (v[1] + v[3]);
  }

  /// The n lanes there are; for few the halves above them are left out.
  ENGINE_LANE static T folded(T* v, std::size_t n) {
    if (n == kLanes) return folded(v);
    for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
      if (n <= half) continue;
      for (std::size_t j = 0; j < n - half; ++j) v[j] += v[j + half];
      n = half;
    }
    return v[0];
  }

  /// Eight rows of 64 lanes.
  static M whole_group(const T* x) {
    alignas(64) T sum[kLanes], more[kLanes];
    T n = kBlock;
    for (std::size_t j = 0; j < kLanes; ++j) {
      T a = value(x[j]), c = counted(x[j]);
      for (std::size_t k = 1; k < 8; ++k) {
        a += value(x[k * kLanes + j]);
        c += counted(x[k * kLanes + j]);
      }
      sum[j] = a;
      if constexpr (kSkipsNan) more[j] = c;
    }
    if constexpr (kSkipsNan) n = folded(more);
    const T mean = mean_of(folded(sum), n);
    for (std::size_t j = 0; j < kLanes; ++j) {
      const T first = distance(x[j], mean);
      T d = first, q = first * first;
      for (std::size_t k = 1; k < 8; ++k) {
        const T next = distance(x[k * kLanes + j], mean);
        d += next;
        q += next * next;
      }
      sum[j] = d;
      more[j] = q;
    }
    return math::moments(n, mean, folded(sum), folded(more));
  }

  static M part_of_group(const T* x, std::size_t length) {
    const std::size_t lanes = length < kLanes ? length : kLanes;
    alignas(64) T sum[kLanes], more[kLanes];
    T n = static_cast<T>(length);
    for (std::size_t j = 0; j < lanes; ++j) {
      sum[j] = value(x[j]);
      more[j] = counted(x[j]);
    }
    for (std::size_t row = kLanes; row < length; row += kLanes) {
      const std::size_t width = length - row < kLanes ? length - row : kLanes;
      for (std::size_t j = 0; j < width; ++j) {
        sum[j] += value(x[row + j]);
        more[j] += counted(x[row + j]);
      }
    }
    if constexpr (kSkipsNan) n = folded(more, lanes);
    const T mean = mean_of(folded(sum, lanes), n);
    for (std::size_t j = 0; j < lanes; ++j) {
      const T d = distance(x[j], mean);
      sum[j] = d;
      more[j] = d * d;
    }
    for (std::size_t row = kLanes; row < length; row += kLanes) {
      const std::size_t width = length - row < kLanes ? length - row : kLanes;
      for (std::size_t j = 0; j < width; ++j) {
        const T d = distance(x[row + j], mean);
        sum[j] += d;
        more[j] += d * d;
      }
    }
    return math::moments(n, mean, folded(sum, lanes), folded(more, lanes));
  }

  static void group(void* out, const void* in, std::size_t n) {
    const auto* x = static_cast<const T*>(in);
    save(static_cast<T*>(out), 1, 0, n == kBlock ? whole_group(x) : part_of_group(x, n));
  }

  static void rows(void* out, const void* in, std::size_t rows, std::size_t length) {
    const auto* x = static_cast<const T*>(in);
    for (std::size_t i = 0; i < rows; ++i, x += length) save(static_cast<T*>(out), rows, i, part_of_group(x, length));
  }

  template <class Rows>
  ENGINE_LANE static void across(T* planes, Rows row, int n_rows, std::size_t width) {
    ENGINE_INDEPENDENT
    for (std::size_t j = 0; j < width; ++j) {
      T sum = value(row(0)[j]), n = counted(row(0)[j]);
      for (int k = 1; k < n_rows; ++k) {
        sum += value(row(k)[j]);
        n += counted(row(k)[j]);
      }
      const T mean = mean_of(sum, n);
      const T first = distance(row(0)[j], mean);
      T d = first, q = first * first;
      for (int k = 1; k < n_rows; ++k) {
        const T next = distance(row(k)[j], mean);
        d += next;
        q += next * next;
      }
      save(planes, width, j, math::moments(n, mean, d, q));
    }
  }
  static void across_rows(void* out, const void* const* in, int n_rows, std::size_t width) {
    const T* row[8];
    for (int k = 0; k < n_rows; ++k) row[k] = static_cast<const T*>(in[k]);
    auto* planes = static_cast<T*>(out);
    if (n_rows == 8)
      across(planes, [&](int k) { return row[k]; }, 8, width);
    else
      across(planes, [&](int k) { return row[k]; }, n_rows, width);
  }

  static void combine(void* a, const void* b, std::size_t width) {
    auto* x = static_cast<T*>(a);
    const auto* y = static_cast<const T*>(b);
    ENGINE_INDEPENDENT
    for (std::size_t j = 0; j < width; ++j)
      save(x, width, j, catalog::Combination<Reduction::Var>::apply(load(x, width, j), load(y, width, j)));
  }

  static void finish(void* out, const void* in, std::size_t width, double count, double ddof, bool bounded) {
    auto* r = static_cast<T*>(out);
    const auto* planes = static_cast<const T*>(in);
    const double rest = count - ddof;
    const auto divisor = static_cast<T>(rest > 0 ? rest : 0);
    const T none = static_cast<T>(__builtin_nan(""));
    for (std::size_t j = 0; j < width; ++j) {
      const T squares = planes[3 * width + j];
      if constexpr (kSkipsNan) {
        const T left = planes[j] - static_cast<T>(ddof);
        r[j] = left > 0 ? squares / left : bounded ? squares / T(0) : none;
      } else {
        r[j] = squares / divisor;
      }
    }
  }

  static constexpr MomentKernels kernels{&group, &rows, &across_rows, &combine, &finish};
};

}  // namespace

void fill_reductions(KernelTable& table) {
  fill_reduction<Reduction::Sum, DType::Int64, DType::UInt64, DType::Float32, DType::Float64>(table);
  fill_reduction<Reduction::Prod, DType::Int64, DType::UInt64, DType::Float32, DType::Float64>(table);
  fill_reduction<Reduction::Min, DType::Bool, DType::Int8, DType::UInt8, DType::Int16, DType::UInt16, DType::Int32, DType::UInt32,
                 DType::Int64, DType::UInt64, DType::Float32, DType::Float64>(table);
  fill_reduction<Reduction::Max, DType::Bool, DType::Int8, DType::UInt8, DType::Int16, DType::UInt16, DType::Int32, DType::UInt32,
                 DType::Int64, DType::UInt64, DType::Float32, DType::Float64>(table);
  // Of what cannot be NaN they are the smallest and the largest.
  fill_reduction<Reduction::Nanmin, DType::Float32, DType::Float64>(table);
  fill_reduction<Reduction::Nanmax, DType::Float32, DType::Float64>(table);
  for (std::size_t dtype = 0; dtype < kDTypes; ++dtype)
    if (!is_inexact(static_cast<DType>(dtype))) {
      table.reduce[static_cast<std::size_t>(Reduction::Nanmin)][dtype] = table.reduce[static_cast<std::size_t>(Reduction::Min)][dtype];
      table.reduce[static_cast<std::size_t>(Reduction::Nanmax)][dtype] = table.reduce[static_cast<std::size_t>(Reduction::Max)][dtype];
    }
  table.moments[0][0] = Spread<float, false>::kernels;
  table.moments[0][1] = Spread<float, true>::kernels;
  table.moments[1][0] = Spread<double, false>::kernels;
  table.moments[1][1] = Spread<double, true>::kernels;
}

}  // namespace engine::run::interp::ENGINE_ISA

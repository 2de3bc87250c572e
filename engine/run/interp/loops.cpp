// run/interp/loops.cpp - the loops over blocks. Compiled once per instruction set and part (see kernels.cmake):
//   ENGINE_ISA    the namespace everything is instantiated in, so that no symbol is shared between instruction sets
//   ENGINE_PART   which share of the kernels this object holds (the compiler needs minutes for all of them at once)
// The bodies are the meanings of the catalog; the compiler's vectoriser makes vectors of them.
#include "engine/catalog/meaning.hpp"
#include "engine/run/interp/table.hpp"

namespace engine::run::interp::ENGINE_ISA {

using catalog::Lane;
using catalog::Loop;
using catalog::Meaning;
using catalog::Op;
using catalog::Reduction;
using catalog::Rule;

constexpr bool has_half(const Loop& loop, int arity) {
  bool half = loop.out == DType::Float16;
  for (int i = 0; i < arity; ++i) half = half || loop.in[static_cast<std::size_t>(i)] == DType::Float16;
  return half;
}

// Element i of the result depends on elements i alone, so overlap of `out` with an input it equals is harmless.
#if defined(__clang__)
#define ENGINE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define ENGINE_INDEPENDENT _Pragma("GCC ivdep")
#endif

template <Op kOp, std::size_t kLoop>
void apply(void* out, const void* const* in, std::size_t n) {
  using M = Meaning<kOp>;
  constexpr Loop kSignature = catalog::loops(M::kRule)[kLoop];
  using X = Lane<kSignature.in[0]>;
  using Y = Lane<kSignature.in[1]>;
  using Z = Lane<kSignature.in[2]>;
  using R = Lane<kSignature.out>;
  auto* r = static_cast<R*>(out);
  const auto* x = static_cast<const X*>(in[0]);
  if constexpr (M::kArity == 1) {
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<R>(M::apply(x[i], x[i], x[i]));
  } else if constexpr (M::kArity == 2) {
    const auto* y = static_cast<const Y*>(in[1]);
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<R>(M::apply(x[i], y[i], x[i]));
  } else {
    const auto* y = static_cast<const Y*>(in[1]);
    const auto* z = static_cast<const Z*>(in[2]);
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<R>(M::apply(x[i], y[i], z[i]));
  }
}

template <Op kOp, std::size_t kLoop, int kScalar>
void apply_with_scalar(void* out, const void* const* in, std::size_t n) {
  using M = Meaning<kOp>;
  constexpr Loop kSignature = catalog::loops(M::kRule)[kLoop];
  using T = Lane<kSignature.in[0]>;
  using R = Lane<kSignature.out>;
  auto* r = static_cast<R*>(out);
  const auto* v = static_cast<const T*>(in[1 - kScalar]);
  const T s = *static_cast<const T*>(in[kScalar]);
  ENGINE_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (kScalar == 0)
      r[i] = math::convert<R>(M::apply(s, v[i], s));
    else
      r[i] = math::convert<R>(M::apply(v[i], s, s));
  }
}

constexpr bool takes_scalar(Op op) {
  switch (op) {
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Divide:
    case Op::Maximum:
    case Op::Minimum:
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
    case Op::Equal:
    case Op::NotEqual:
      return true;
    default:
      return false;
  }
}
constexpr bool is_common(DType dtype) {
  return dtype == DType::Float64 || dtype == DType::Float32 || dtype == DType::Int64 || dtype == DType::Int32;
}

/// GCC 12 makes fused multiply-adds of the alternating sums of complex products (IFN_VEC_FMADDSUB) although contraction is
/// off. All complex arithmetic is therefore in a part of its own that is compiled without the vectoriser.
constexpr bool is_complex_loop(const Loop& loop) { return is_complex(loop.in[0]) || is_complex(loop.in[1]) || is_complex(loop.out); }
inline constexpr bool kComplexPart = ENGINE_PART == 6;

template <Op kOp, std::size_t kLoop>
void fill_loop(KernelTable& table) {
  using M = Meaning<kOp>;
  constexpr Loop kSignature = catalog::loops(M::kRule)[kLoop];
  constexpr auto kRow = static_cast<std::size_t>(kOp);
  constexpr bool kElsewhere = M::kLanes && (kSignature.out == DType::Float32 || kSignature.out == DType::Float64);  // functions.cpp
  if constexpr ((!has_half(kSignature, M::kArity) || M::kHalf) && is_complex_loop(kSignature) == kComplexPart && !kElsewhere) {
    table.apply[kRow][kLoop] = &apply<kOp, kLoop>;
    if constexpr (takes_scalar(kOp) && is_common(kSignature.in[0]) && kSignature.in[0] == kSignature.in[1]) {
      table.scalar[kRow][kLoop][0] = &apply_with_scalar<kOp, kLoop, 0>;
      table.scalar[kRow][kLoop][1] = &apply_with_scalar<kOp, kLoop, 1>;
    }
  }
}

template <Op kOp, std::size_t... kLoop>
void fill_loops(KernelTable& table, std::index_sequence<kLoop...>) {
  (fill_loop<kOp, kLoop>(table), ...);
}

template <Op kOp>
void fill_op(KernelTable& table) {
  if constexpr (Meaning<kOp>::kRule != Rule::Position)
    fill_loops<kOp>(table, std::make_index_sequence<catalog::loops(Meaning<kOp>::kRule).size()>{});
}

// ---- casts --------------------------------------------------------------------------------------------------------------

template <DType kFrom, DType kTo>
void cast(void* out, const void* const* in, std::size_t n) {
  auto* r = static_cast<Lane<kTo>*>(out);
  const auto* x = static_cast<const Lane<kFrom>*>(in[0]);
  // Not independent: with out == in the sizes differ, but then the registers are different ones.
  ENGINE_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<Lane<kTo>>(x[i]);
}

template <std::size_t... kPair>
void fill_casts(KernelTable& table, std::index_sequence<kPair...>) {
  ((table.cast[kPair / kDTypes][kPair % kDTypes] = &cast<static_cast<DType>(kPair / kDTypes), static_cast<DType>(kPair % kDTypes)>), ...);
}

// ---- two operations in one pass ----------------------------------------------------------------------------------------

template <Op kFirst, Op kSecond, bool kReversed, unsigned kScalars, class T>
void fused(void* out, const void* const* in, std::size_t n) {
  auto* r = static_cast<T*>(out);
  const auto* x = static_cast<const T*>(in[0]);
  const auto* y = static_cast<const T*>(in[1]);
  const auto* z = static_cast<const T*>(in[2]);
  const T x0 = x[0], y0 = y[0], z0 = z[0];
  ENGINE_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    const T xi = kScalars & 1 ? x0 : x[i];
    const T yi = kScalars & 2 ? y0 : y[i];
    const T zi = kScalars & 4 ? z0 : z[i];
    const T inner = Meaning<kFirst>::apply(xi, yi, xi);
    r[i] = kReversed ? Meaning<kSecond>::apply(zi, inner, zi) : Meaning<kSecond>::apply(inner, zi, inner);
  }
}

template <Op kFirst, Op kSecond, bool kReversed, class T>
void fill_fused(KernelTable& table) {
  auto& row = table.fused[sizeof(T) == 8][fusable(kFirst)][fusable(kSecond)][kReversed];
  row[0] = &fused<kFirst, kSecond, kReversed, 0, T>;
  row[1] = &fused<kFirst, kSecond, kReversed, 1, T>;
  row[2] = &fused<kFirst, kSecond, kReversed, 2, T>;
  row[4] = &fused<kFirst, kSecond, kReversed, 4, T>;
  row[5] = &fused<kFirst, kSecond, kReversed, 5, T>;
  row[6] = &fused<kFirst, kSecond, kReversed, 6, T>;
}

template <Op kFirst, Op kSecond>
void fill_fused(KernelTable& table) {
  fill_fused<kFirst, kSecond, false, float>(table);
  fill_fused<kFirst, kSecond, true, float>(table);
  fill_fused<kFirst, kSecond, false, double>(table);
  fill_fused<kFirst, kSecond, true, double>(table);
}

template <Op... kOp>
void fill_all_fused(KernelTable& table) {
  const auto with = [&]<Op kFirst>() { (fill_fused<kFirst, kOp>(table), ...); };
  (with.template operator()<kOp>(), ...);
}

// ---- reductions ---------------------------------------------------------------------------------------------------------

template <Reduction kReduction, class T>
struct Reducer {
  using C = catalog::Combination<kReduction>;

  static constexpr bool kPicks = kReduction == Reduction::Min || kReduction == Reduction::Max;
  static constexpr bool kCanGuess = kPicks && (std::is_same_v<T, float> || std::is_same_v<T, double>);

  /// Eight rows, element by element in order: all loads are independent, so this runs at memory speed.
  /// For floats one comparison picks the larger of two numbers; it is wrong only beside NaN and among zeros, so the guess
  /// stands unless either has been seen. Gives whether it stands.
  template <class Row>
  ENGINE_LANE static bool guess(T* r, Row row, std::size_t n) {
    using Bits = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
    Bits doubt = 0;
    ENGINE_INDEPENDENT
    for (std::size_t j = 0; j < n; ++j) {
      T a = row(0)[j];
      Bits seen = a != a;
      for (int k = 1; k < 8; ++k) {
        const T x = row(k)[j];
        if constexpr (kReduction == Reduction::Max)
          a = a > x ? a : x;
        else
          a = a < x ? a : x;
        seen |= x != x;
      }
      doubt |= seen | (a == T{});
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

// ---- memory -------------------------------------------------------------------------------------------------------------

template <class T, std::size_t kSwap>
ENGINE_LANE T reversed(T value) {
  if constexpr (kSwap == 0)
    return value;
  else if constexpr (sizeof(T) == 2)
    return __builtin_bswap16(value);
  else if constexpr (sizeof(T) == 4)
    return __builtin_bswap32(value);
  else
    return __builtin_bswap64(value);
}

struct Pair {
  std::uint64_t first, second;
};
template <class T, std::size_t kSwap>
ENGINE_LANE T fetch(const char* from) {
  T value;
  __builtin_memcpy(&value, from, sizeof value);
  if constexpr (sizeof(T) == 16) {
    value.first = reversed<std::uint64_t, kSwap>(value.first);
    value.second = reversed<std::uint64_t, kSwap>(value.second);
    return value;
  } else if constexpr (kSwap != 0 && kSwap != sizeof(T)) {  // two halves
    const auto low = reversed<std::uint32_t, kSwap>(static_cast<std::uint32_t>(value));
    const auto high = reversed<std::uint32_t, kSwap>(static_cast<std::uint32_t>(value >> 32));
    return static_cast<T>(low) | static_cast<T>(high) << 32;
  } else {
    return reversed<T, kSwap>(value);
  }
}

template <class T, std::size_t kSwap>
void pack_items(void* out, const void* base, std::ptrdiff_t stride, std::size_t n) {
  auto* r = static_cast<T*>(out);
  const auto* from = static_cast<const char*>(base);
  constexpr auto kItem = static_cast<std::ptrdiff_t>(sizeof(T));
  if (stride == 2 * kItem) {  // compiled with a constant stride these two become permutes
    for (std::size_t i = 0; i < n; ++i) r[i] = fetch<T, kSwap>(from + static_cast<std::ptrdiff_t>(i) * 2 * kItem);
  } else if (stride == -kItem) {
    for (std::size_t i = 0; i < n; ++i) r[i] = fetch<T, kSwap>(from - static_cast<std::ptrdiff_t>(i) * kItem);
  } else if (stride == kItem) {
    for (std::size_t i = 0; i < n; ++i) r[i] = fetch<T, kSwap>(from + static_cast<std::ptrdiff_t>(i) * kItem);
  } else if (stride == 0 && n > 0) {
    const T value = fetch<T, kSwap>(from);
    for (std::size_t i = 0; i < n; ++i) r[i] = value;
  } else {
    for (std::size_t i = 0; i < n; ++i, from += stride) r[i] = fetch<T, kSwap>(from);
  }
}

template <class T, std::size_t kSwap>
void unpack_items(void* base, std::ptrdiff_t stride, const void* in, std::size_t n) {
  auto* to = static_cast<char*>(base);
  const auto* from = static_cast<const char*>(in);
  for (std::size_t i = 0; i < n; ++i, to += stride, from += sizeof(T)) {
    const T value = fetch<T, kSwap>(from);
    __builtin_memcpy(to, &value, sizeof value);
  }
}

[[maybe_unused]] static void pack(void* out, const void* base, std::ptrdiff_t stride, std::size_t n, std::size_t item, std::size_t swap) {
  switch (item) {
    case 1:
      return pack_items<std::uint8_t, 0>(out, base, stride, n);
    case 2:
      return swap ? pack_items<std::uint16_t, 2>(out, base, stride, n) : pack_items<std::uint16_t, 0>(out, base, stride, n);
    case 4:
      return swap ? pack_items<std::uint32_t, 4>(out, base, stride, n) : pack_items<std::uint32_t, 0>(out, base, stride, n);
    case 8:
      return swap == 8   ? pack_items<std::uint64_t, 8>(out, base, stride, n)
             : swap == 4 ? pack_items<std::uint64_t, 4>(out, base, stride, n)
                         : pack_items<std::uint64_t, 0>(out, base, stride, n);
    default:
      return swap ? pack_items<Pair, 8>(out, base, stride, n) : pack_items<Pair, 0>(out, base, stride, n);
  }
}

[[maybe_unused]] static void unpack(void* base, std::ptrdiff_t stride, const void* in, std::size_t n, std::size_t item, std::size_t swap) {
  if (!swap && stride == static_cast<std::ptrdiff_t>(item)) {
    __builtin_memmove(base, in, n * item);
    return;
  }
  switch (item) {
    case 1:
      return unpack_items<std::uint8_t, 0>(base, stride, in, n);
    case 2:
      return swap ? unpack_items<std::uint16_t, 2>(base, stride, in, n) : unpack_items<std::uint16_t, 0>(base, stride, in, n);
    case 4:
      return swap ? unpack_items<std::uint32_t, 4>(base, stride, in, n) : unpack_items<std::uint32_t, 0>(base, stride, in, n);
    case 8:
      return swap == 8   ? unpack_items<std::uint64_t, 8>(base, stride, in, n)
             : swap == 4 ? unpack_items<std::uint64_t, 4>(base, stride, in, n)
                         : unpack_items<std::uint64_t, 0>(base, stride, in, n);
    default:
      return swap ? unpack_items<Pair, 8>(base, stride, in, n) : unpack_items<Pair, 0>(base, stride, in, n);
  }
}

[[maybe_unused]] static void splat(void* out, const void* value, std::size_t n, std::size_t item) { pack(out, value, 0, n, item, 0); }

[[maybe_unused]] static void iota(std::int64_t* out, std::int64_t first, std::int64_t step, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = first + static_cast<std::int64_t>(i) * step;
}

// ---- the parts ------------------------------------------------------------------------------------------------------------

#define ENGINE_JOIN_(a, b) a##b
#define ENGINE_JOIN(a, b) ENGINE_JOIN_(a, b)

/// Parts 0 … kOpParts-1 share the operations; then come casts, reductions and memory, all that is complex, and pairs.
inline constexpr std::size_t kOpParts = 4;

void ENGINE_JOIN(fill_, ENGINE_PART)(KernelTable& table) {
  if constexpr (ENGINE_PART < kOpParts || kComplexPart) {
#define OP(NAME, ...) \
  if constexpr (static_cast<std::size_t>(Op::NAME) % kOpParts == ENGINE_PART || kComplexPart) fill_op<Op::NAME>(table);
    [&]<class>() {
#include "engine/catalog/elementwise.def"
    }.template operator()<void>();
#undef OP
    if constexpr (kComplexPart) {
      fill_reduction<Reduction::Sum, DType::Complex64, DType::Complex128>(table);
      fill_reduction<Reduction::Prod, DType::Complex64, DType::Complex128>(table);
      fill_reduction<Reduction::Min, DType::Complex64, DType::Complex128>(table);
      fill_reduction<Reduction::Max, DType::Complex64, DType::Complex128>(table);
      fill_reduction<Reduction::Nanmin, DType::Complex64, DType::Complex128>(table);
      fill_reduction<Reduction::Nanmax, DType::Complex64, DType::Complex128>(table);
    }
  } else if constexpr (ENGINE_PART == kOpParts) {
    fill_casts(table, std::make_index_sequence<kDTypes * kDTypes>{});
  } else if constexpr (ENGINE_PART == 7) {
    fill_all_fused<Op::Add, Op::Subtract, Op::Multiply>(table);
  } else {
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
    table.iota = &iota;
    table.pack = &pack;
    table.unpack = &unpack;
    table.splat = &splat;
  }
}

}  // namespace engine::run::interp::ENGINE_ISA

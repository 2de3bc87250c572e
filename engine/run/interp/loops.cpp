// run/interp/loops.cpp - the loops over blocks. Compiled once per instruction set and part (see kernels.cmake):
//   ENGINE_ISA    the namespace everything is instantiated in, so that no symbol is shared between instruction sets
//   ENGINE_PART   which share of the kernels this object holds (the compiler needs minutes for all of them at once)
// The bodies are the meanings of the catalog; the compiler's vectoriser makes vectors of them.
#include "engine/catalog/meaning.hpp"
#include "engine/run/interp/reducer.hpp"
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

/// x[i]. GCC 12 makes no vectors where a bool is loaded, but does where a byte is compared with 0.
template <class T>
ENGINE_LANE T item(const T* x, std::size_t i) {
  if constexpr (std::is_same_v<T, bool>)
    return reinterpret_cast<const unsigned char*>(x)[i] != 0;
  else
    return x[i];
}

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
    for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<R>(M::apply(item(x, i), item(x, i), item(x, i)));
  } else if constexpr (M::kArity == 2) {
    const auto* y = static_cast<const Y*>(in[1]);
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<R>(M::apply(item(x, i), item(y, i), item(x, i)));
  } else {
    const auto* y = static_cast<const Y*>(in[1]);
    const auto* z = static_cast<const Z*>(in[2]);
    ENGINE_INDEPENDENT
    for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<R>(M::apply(item(x, i), item(y, i), item(z, i)));
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
      r[i] = math::convert<R>(M::apply(s, item(v, i), s));
    else
      r[i] = math::convert<R>(M::apply(item(v, i), s, s));
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

/// What differs between parts is a parameter: else two objects would define one function in two ways, and the linker take either.
template <Op kOp, std::size_t kLoop, bool kOfComplex>
void fill_loop(KernelTable& table) {
  using M = Meaning<kOp>;
  constexpr Loop kSignature = catalog::loops(M::kRule)[kLoop];
  constexpr auto kRow = static_cast<std::size_t>(kOp);
  constexpr bool kElsewhere = M::kLanes && (kSignature.out == DType::Float32 || kSignature.out == DType::Float64);  // functions.cpp
  if constexpr ((!has_half(kSignature, M::kArity) || M::kHalf) && is_complex_loop(kSignature) == kOfComplex && !kElsewhere) {
    table.apply[kRow][kLoop] = &apply<kOp, kLoop>;
    if constexpr (takes_scalar(kOp) && is_common(kSignature.in[0]) && kSignature.in[0] == kSignature.in[1]) {
      table.scalar[kRow][kLoop][0] = &apply_with_scalar<kOp, kLoop, 0>;
      table.scalar[kRow][kLoop][1] = &apply_with_scalar<kOp, kLoop, 1>;
    }
  }
}

template <Op kOp, bool kOfComplex, std::size_t... kLoop>
void fill_loops(KernelTable& table, std::index_sequence<kLoop...>) {
  (fill_loop<kOp, kLoop, kOfComplex>(table), ...);
}

template <Op kOp, bool kOfComplex>
void fill_op(KernelTable& table) {
  if constexpr (Meaning<kOp>::kRule != Rule::Position)
    fill_loops<kOp, kOfComplex>(table, std::make_index_sequence<catalog::loops(Meaning<kOp>::kRule).size()>{});
}

// ---- casts --------------------------------------------------------------------------------------------------------------

/// Floats to integers by what AVX2 has instructions for: conversion to int32 where all fit that, and to 64 bits, below 2^51,
/// by the bits of a sum with 1.5 * 2^52. Gives false, with nothing written, where some item is larger or NaN.
template <class To, class From>
bool cast_small(To* r, const From* x, std::size_t n) {
  constexpr From kLimit = sizeof(To) == 8 ? From(0x1p51) : From(0x1p31);
  constexpr double kMagic = 0x1.8p52;
  using Bits = std::conditional_t<sizeof(From) == 8, std::int64_t, std::int32_t>;
  Bits large = 0;
  for (std::size_t i = 0; i < n; ++i) large |= !(math::absolute(x[i]) < kLimit);
  if (large) return false;
  ENGINE_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) {
    if constexpr (sizeof(To) == 8)
      r[i] = static_cast<To>(math::bit_cast<long>(math::trunc(x[i]) + kMagic) - math::bit_cast<long>(kMagic));
    else
      r[i] = static_cast<To>(static_cast<std::int32_t>(x[i]));
  }
  return true;
}

template <DType kFrom, DType kTo>
void cast(void* out, const void* const* in, std::size_t n) {
  auto* r = static_cast<Lane<kTo>*>(out);
  const auto* x = static_cast<const Lane<kFrom>*>(in[0]);
  if constexpr (math::kIsFloat<Lane<kFrom>> && !is_inexact(kTo) && kTo != DType::Bool)
    if (cast_small(r, x, n)) return;
  // Not independent: with out == in the sizes differ, but then the registers are different ones.
  ENGINE_INDEPENDENT
  for (std::size_t i = 0; i < n; ++i) r[i] = math::convert<Lane<kTo>>(item(x, i));
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

/// Parts 0 … kOpParts-1 share the operations; then come casts, memory, all that is complex, and pairs.
inline constexpr std::size_t kOpParts = 4;

void ENGINE_JOIN(fill_, ENGINE_PART)(KernelTable& table) {
  if constexpr (ENGINE_PART < kOpParts || kComplexPart) {
#define OP(NAME, ...) \
  if constexpr (static_cast<std::size_t>(Op::NAME) % kOpParts == ENGINE_PART || kComplexPart) fill_op<Op::NAME, kComplexPart>(table);
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
    table.iota = &iota;
    table.pack = &pack;
    table.unpack = &unpack;
    table.splat = &splat;
  }
}

}  // namespace engine::run::interp::ENGINE_ISA

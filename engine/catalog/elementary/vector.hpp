// catalog/elementary/vector.hpp - vectors of float and double as lanes: Vector<T, N> is N items that go through the same
// steps as one. Written over the compilers' vector extension (GCC, clang), which has arithmetic, integers and shifts for
// any width; what it lacks (fma, square root, masks) is chosen by the instruction set this file is compiled for.
//   AVX-512: 64 bytes, masks in mask registers.   AVX2 with FMA: 32 bytes.   otherwise 16 bytes, fma one lane at a time.
// Everything is inlined or local to its object file: two objects may be compiled for different instruction sets.
#pragma once

#include "engine/catalog/elementary/lane.hpp"

#if defined(__AVX2__) || defined(__SSE4_1__)
#include <immintrin.h>
#endif

namespace engine::math {

#if defined(__AVX512F__) && defined(__AVX512DQ__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__) && defined(__FMA__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

template <FloatLane F>
struct Exponent;

template <class T, int kN>
struct RawVector {
  typedef T type __attribute__((vector_size(kN * sizeof(T))));
};

/// N unsigned integers.
template <class T, int kN>
struct VectorBits {
  using Raw = typename RawVector<T, kN>::type;
  Raw raw;
  VectorBits() = default;
  ENGINE_LANE explicit VectorBits(Raw r) noexcept : raw(r) {}
  ENGINE_LANE explicit VectorBits(T value) noexcept : raw(value - Raw{}) {}
  friend ENGINE_LANE VectorBits operator+(VectorBits a, VectorBits b) noexcept { return VectorBits(a.raw + b.raw); }
  friend ENGINE_LANE VectorBits operator-(VectorBits a, VectorBits b) noexcept { return VectorBits(a.raw - b.raw); }
  friend ENGINE_LANE VectorBits operator&(VectorBits a, VectorBits b) noexcept { return VectorBits(a.raw & b.raw); }
  friend ENGINE_LANE VectorBits operator|(VectorBits a, VectorBits b) noexcept { return VectorBits(a.raw | b.raw); }
  friend ENGINE_LANE VectorBits operator^(VectorBits a, VectorBits b) noexcept { return VectorBits(a.raw ^ b.raw); }
  ENGINE_LANE VectorBits operator~() const noexcept { return VectorBits(~raw); }
};
template <int kBits, class T, int kN>
ENGINE_LANE VectorBits<T, kN> shl(VectorBits<T, kN> a) noexcept {
  return VectorBits<T, kN>(a.raw << kBits);
}
template <int kBits, class T, int kN>
ENGINE_LANE VectorBits<T, kN> shr(VectorBits<T, kN> a) noexcept {
  return VectorBits<T, kN>(a.raw >> kBits);
}

/// N truth values, for items of kSize bytes. In a mask register where there are such, else all bits of each item.
template <int kSize, int kN>
struct VectorMask;

#if defined(__AVX512F__) && defined(__AVX512DQ__)
template <int kSize, int kN>
struct VectorMask {
  static_assert(kSize * kN == 64);
  unsigned short raw;
  friend ENGINE_LANE VectorMask operator&(VectorMask a, VectorMask b) noexcept { return {static_cast<unsigned short>(a.raw & b.raw)}; }
  friend ENGINE_LANE VectorMask operator|(VectorMask a, VectorMask b) noexcept { return {static_cast<unsigned short>(a.raw | b.raw)}; }
  ENGINE_LANE VectorMask operator!() const noexcept { return {static_cast<unsigned short>(~raw & ((1u << kN) - 1))}; }
  ENGINE_LANE bool at(int lane) const noexcept { return (raw >> lane & 1) != 0; }
};
template <int kSize, int kN>
ENGINE_LANE bool any(VectorMask<kSize, kN> mask) noexcept {
  return mask.raw != 0;
}
#else
template <int kSize>
struct SignedOf {
  using type = long;
};
template <>
struct SignedOf<4> {
  using type = int;
};
template <int kSize, int kN>
struct VectorMask {
  using Raw = typename RawVector<typename SignedOf<kSize>::type, kN>::type;
  Raw raw;
  friend ENGINE_LANE VectorMask operator&(VectorMask a, VectorMask b) noexcept { return {a.raw & b.raw}; }
  friend ENGINE_LANE VectorMask operator|(VectorMask a, VectorMask b) noexcept { return {a.raw | b.raw}; }
  ENGINE_LANE VectorMask operator!() const noexcept { return {~raw}; }
  ENGINE_LANE bool at(int lane) const noexcept { return raw[lane] != 0; }
};
template <int kSize, int kN>
ENGINE_LANE bool any(VectorMask<kSize, kN> mask) noexcept {
#if defined(__AVX__)
  if constexpr (kSize * kN == 32) return _mm256_movemask_epi8((__m256i)mask.raw) != 0;
#endif
#if defined(__SSE4_1__)
  if constexpr (kSize * kN == 16) return _mm_movemask_epi8((__m128i)mask.raw) != 0;
#endif
  bool found = false;
  for (int i = 0; i < kN; ++i) found = found || mask.raw[i] != 0;
  return found;
}
#endif

/// N floats.
template <class T, int kN>
struct Vector {
  using Raw = typename RawVector<T, kN>::type;
  using Item = T;
  using Uint = typename LaneTraits<T>::Bits;
  using Bits = VectorBits<Uint, kN>;
  using Mask = VectorMask<sizeof(T), kN>;
  static constexpr int kCount = kN;
  Raw raw;
  Vector() = default;
  ENGINE_LANE explicit Vector(Raw r) noexcept : raw(r) {}
  ENGINE_LANE explicit Vector(T value) noexcept : raw(value - Raw{}) {}
  static ENGINE_LANE Vector load(const T* from) noexcept {
    Vector v;
    __builtin_memcpy(&v.raw, from, sizeof v.raw);
    return v;
  }
  ENGINE_LANE void store(T* to) const noexcept { __builtin_memcpy(to, &raw, sizeof raw); }

  friend ENGINE_LANE Vector operator+(Vector a, Vector b) noexcept { return Vector(a.raw + b.raw); }
  friend ENGINE_LANE Vector operator-(Vector a, Vector b) noexcept { return Vector(a.raw - b.raw); }
  friend ENGINE_LANE Vector operator*(Vector a, Vector b) noexcept { return Vector(a.raw * b.raw); }
  friend ENGINE_LANE Vector operator/(Vector a, Vector b) noexcept { return Vector(a.raw / b.raw); }
  ENGINE_LANE Vector operator-() const noexcept { return Vector(-raw); }

#if defined(__AVX512F__) && defined(__AVX512DQ__)
  template <int kPredicate>
  static ENGINE_LANE Mask compare(Vector a, Vector b) noexcept {
    if constexpr (sizeof(T) == 8)
      return {_mm512_cmp_pd_mask(a.raw, b.raw, kPredicate)};
    else
      return {_mm512_cmp_ps_mask(a.raw, b.raw, kPredicate)};
  }
  friend ENGINE_LANE Mask operator<(Vector a, Vector b) noexcept { return compare<_CMP_LT_OQ>(a, b); }
  friend ENGINE_LANE Mask operator<=(Vector a, Vector b) noexcept { return compare<_CMP_LE_OQ>(a, b); }
  friend ENGINE_LANE Mask operator>(Vector a, Vector b) noexcept { return compare<_CMP_GT_OQ>(a, b); }
  friend ENGINE_LANE Mask operator>=(Vector a, Vector b) noexcept { return compare<_CMP_GE_OQ>(a, b); }
  friend ENGINE_LANE Mask operator==(Vector a, Vector b) noexcept { return compare<_CMP_EQ_OQ>(a, b); }
  friend ENGINE_LANE Mask operator!=(Vector a, Vector b) noexcept { return compare<_CMP_NEQ_UQ>(a, b); }
#else
  friend ENGINE_LANE Mask operator<(Vector a, Vector b) noexcept { return {a.raw < b.raw}; }
  friend ENGINE_LANE Mask operator<=(Vector a, Vector b) noexcept { return {a.raw <= b.raw}; }
  friend ENGINE_LANE Mask operator>(Vector a, Vector b) noexcept { return {a.raw > b.raw}; }
  friend ENGINE_LANE Mask operator>=(Vector a, Vector b) noexcept { return {a.raw >= b.raw}; }
  friend ENGINE_LANE Mask operator==(Vector a, Vector b) noexcept { return {a.raw == b.raw}; }
  friend ENGINE_LANE Mask operator!=(Vector a, Vector b) noexcept { return {a.raw != b.raw}; }
#endif
};

template <class T, int kN>
struct LaneTraits<Vector<T, kN>> {
  static constexpr bool kIsLane = true;
  using Item = T;
  using Bits = typename Vector<T, kN>::Bits;
  using Mask = typename Vector<T, kN>::Mask;
};

template <class T, int kN>
ENGINE_LANE VectorBits<typename LaneTraits<T>::Bits, kN> bits_of(Vector<T, kN> a) noexcept {
  using B = VectorBits<typename LaneTraits<T>::Bits, kN>;
  return B((typename B::Raw)a.raw);
}
template <int kN>
ENGINE_LANE Vector<double, kN> float_of(VectorBits<unsigned long, kN> a) noexcept {
  return Vector<double, kN>((typename Vector<double, kN>::Raw)a.raw);
}
template <int kN>
ENGINE_LANE Vector<float, kN> float_of(VectorBits<unsigned, kN> a) noexcept {
  return Vector<float, kN>((typename Vector<float, kN>::Raw)a.raw);
}

template <class T, int kN>
ENGINE_LANE VectorMask<sizeof(T), kN> operator==(VectorBits<T, kN> a, VectorBits<T, kN> b) noexcept {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 8)
    return {_mm512_cmpeq_epi64_mask((__m512i)a.raw, (__m512i)b.raw)};
  else
    return {_mm512_cmpeq_epi32_mask((__m512i)a.raw, (__m512i)b.raw)};
#else
  return {a.raw == b.raw};
#endif
}
template <class T, int kN>
ENGINE_LANE VectorMask<sizeof(T), kN> operator!=(VectorBits<T, kN> a, VectorBits<T, kN> b) noexcept {
  return !(a == b);
}
template <class T, int kN>
ENGINE_LANE VectorMask<sizeof(T), kN> disjoint(VectorBits<T, kN> a, VectorBits<T, kN> b) noexcept {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 8)
    return {_mm512_testn_epi64_mask((__m512i)a.raw, (__m512i)b.raw)};
  else
    return {_mm512_testn_epi32_mask((__m512i)a.raw, (__m512i)b.raw)};
#else
  return (a & b) == VectorBits<T, kN>(T(0));
#endif
}

template <class T, int kN>
ENGINE_LANE Vector<T, kN> select(VectorMask<sizeof(T), kN> mask, Vector<T, kN> a, Vector<T, kN> b) noexcept {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 8)
    return Vector<T, kN>(_mm512_mask_blend_pd(static_cast<__mmask8>(mask.raw), b.raw, a.raw));
  else
    return Vector<T, kN>(_mm512_mask_blend_ps(mask.raw, b.raw, a.raw));
#else
#if defined(__AVX__)
  if constexpr (kN * sizeof(T) == 32) {
    if constexpr (sizeof(T) == 8)
      return Vector<T, kN>(_mm256_blendv_pd(b.raw, a.raw, (__m256d)mask.raw));
    else
      return Vector<T, kN>(_mm256_blendv_ps(b.raw, a.raw, (__m256)mask.raw));
  }
#endif
  using Raw = typename Vector<T, kN>::Raw;
  using Bits = typename Vector<T, kN>::Bits::Raw;
  const Bits m = (Bits)mask.raw;
  return Vector<T, kN>((Raw)(((Bits)a.raw & m) | ((Bits)b.raw & ~m)));
#endif
}
template <class T, int kN>
ENGINE_LANE VectorBits<T, kN> select(VectorMask<sizeof(T), kN> mask, VectorBits<T, kN> a, VectorBits<T, kN> b) noexcept {
  return bits_of(select(mask, float_of(a), float_of(b)));
}

template <class T, int kN>
ENGINE_LANE Vector<T, kN> fma(Vector<T, kN> a, Vector<T, kN> b, Vector<T, kN> c) noexcept {
  using V = Vector<T, kN>;
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 8)
    return V(_mm512_fmadd_pd(a.raw, b.raw, c.raw));
  else
    return V(_mm512_fmadd_ps(a.raw, b.raw, c.raw));
#else
#if defined(__FMA__)
  if constexpr (kN * sizeof(T) == 32) {
    if constexpr (sizeof(T) == 8)
      return V(_mm256_fmadd_pd(a.raw, b.raw, c.raw));
    else
      return V(_mm256_fmadd_ps(a.raw, b.raw, c.raw));
  } else if constexpr (kN * sizeof(T) == 16) {
    if constexpr (sizeof(T) == 8)
      return V(_mm_fmadd_pd(a.raw, b.raw, c.raw));
    else
      return V(_mm_fmadd_ps(a.raw, b.raw, c.raw));
  }
#endif
  V r;
  for (int i = 0; i < kN; ++i) r.raw[i] = fma(a.raw[i], b.raw[i], c.raw[i]);
  return r;
#endif
}
template <class T, int kN>
ENGINE_LANE Vector<T, kN> sqrt(Vector<T, kN> a) noexcept {
  using V = Vector<T, kN>;
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 8)
    return V(_mm512_maskz_sqrt_pd(0xff, a.raw));  // all of them: without a mask GCC 12 warns (its bug 105593)
  else
    return V(_mm512_maskz_sqrt_ps(0xffff, a.raw));
#else
#if defined(__AVX__)
  if constexpr (kN * sizeof(T) == 32) {
    if constexpr (sizeof(T) == 8)
      return V(_mm256_sqrt_pd(a.raw));
    else
      return V(_mm256_sqrt_ps(a.raw));
  }
#endif
  V r;
  for (int i = 0; i < kN; ++i) r.raw[i] = sqrt(a.raw[i]);
  return r;
#endif
}

#if defined(__AVX512F__) && defined(__AVX512DQ__)
/// Exact overrides of exp.hpp's scale: x * 2^n rounded once is what vscalef gives, whatever n is.
/// (The unmasked intrinsics read an undefined vector, of which GCC warns.)
template <class T, int kN>
ENGINE_LANE Vector<T, kN> scale(Vector<T, kN> x, Vector<T, kN> n) noexcept {
  if constexpr (sizeof(T) == 8)
    return Vector<T, kN>(_mm512_maskz_scalef_pd(0xff, x.raw, n.raw));
  else
    return Vector<T, kN>(_mm512_maskz_scalef_ps(0xffff, x.raw, n.raw));
}
template <class T, int kN>
ENGINE_LANE Vector<T, kN> scale(Vector<T, kN> x, Exponent<Vector<T, kN>> n) noexcept {
  return scale(x, n.value);
}
#endif

template <class T, int kN>
ENGINE_LANE Vector<T, kN> gather(const T* table, VectorBits<typename LaneTraits<T>::Bits, kN> index) noexcept {
  using V = Vector<T, kN>;
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  if constexpr (sizeof(T) == 8)
    return V(_mm512_i64gather_pd((__m512i)index.raw, table, 8));
  else
    return V(_mm512_i32gather_ps((__m512i)index.raw, table, 4));
#else
#if defined(__AVX2__)
  if constexpr (kN * sizeof(T) == 32) {
    if constexpr (sizeof(T) == 8)
      return V(_mm256_i64gather_pd(table, (__m256i)index.raw, 8));
    else
      return V(_mm256_i32gather_ps(table, (__m256i)index.raw, 4));
  }
#endif
  V r;
  for (int i = 0; i < kN; ++i) r.raw[i] = table[index.raw[i]];
  return r;
#endif
}

// Rows are loaded one by one and transposed: hardware gathers are slower, several times so where the processor is kept from
// leaking by them (Intel, Gather Data Sampling, 2023).
template <class T, int kN, int kRows>
ENGINE_LANE Row<Vector<T, kN>> gather_row(const T (&rows)[kRows][4], VectorBits<typename LaneTraits<T>::Bits, kN> index) noexcept {
  using V = Vector<T, kN>;
  typename LaneTraits<T>::Bits at[kN];
  __builtin_memcpy(at, &index.raw, sizeof at);
#if defined(__AVX__)
  if constexpr (sizeof(T) == 8 && kN >= 4) {
    // {row i, row i + 2} and {row i + 1, row i + 3}, of each the first half and the second.
    const auto pair = [&](int i, int j) __attribute__((always_inline)) {
      return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_load_pd(&rows[at[i]][j])), _mm_load_pd(&rows[at[i + 2]][j]), 1);
    };
#if defined(__AVX512F__) && defined(__AVX512DQ__)
    const auto four = [&](int i, int j) __attribute__((always_inline)) {
      return __builtin_shufflevector(pair(i, j), pair(i + 4, j), 0, 1, 2, 3, 4, 5, 6, 7);
    };
    const __m512d even = four(0, 0), odd = four(1, 0);
    using Raw = typename V::Raw;
    return {V(__builtin_shufflevector((Raw)even, (Raw)odd, 0, 8, 2, 10, 4, 12, 6, 14)),
            V(__builtin_shufflevector((Raw)even, (Raw)odd, 1, 9, 3, 11, 5, 13, 7, 15)),
            V(__builtin_shufflevector((Raw)four(0, 2), (Raw)four(1, 2), 0, 8, 2, 10, 4, 12, 6, 14))};
#else
    const __m256d even = pair(0, 0), odd = pair(1, 0);
    return {V(_mm256_unpacklo_pd(even, odd)), V(_mm256_unpackhi_pd(even, odd)), V(_mm256_unpacklo_pd(pair(0, 2), pair(1, 2)))};
#endif
  }
  if constexpr (sizeof(T) == 4 && kN == 8) {
    const auto pair = [&](int i) __attribute__((always_inline)) {
      return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(rows[at[i]])), _mm_load_ps(rows[at[i + 4]]), 1);
    };
    const __m256 r0 = pair(0), r1 = pair(1), r2 = pair(2), r3 = pair(3);
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(r0, r1)), low23 = _mm256_castps_pd(_mm256_unpacklo_ps(r2, r3));
    const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(r0, r1)), high23 = _mm256_castps_pd(_mm256_unpackhi_ps(r2, r3));
    return {V(_mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23))), V(_mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23))),
            V(_mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23)))};
  }
#endif
  Row<V> result;
  for (int i = 0; i < kN; ++i) {
    result.a.raw[i] = rows[at[i]][0];
    result.b.raw[i] = rows[at[i]][1];
    result.c.raw[i] = rows[at[i]][2];
  }
  return result;
}
template <int kN>
ENGINE_LANE Row<Vector<float, kN>> gather_row([[maybe_unused]] const float (&rows)[32][4], [[maybe_unused]] const float (&columns)[3][32],
                                              VectorBits<unsigned, kN> index) noexcept {
#if defined(__AVX512F__) && defined(__AVX512DQ__)
  const auto look_up = [&](const float(&column)[32]) __attribute__((always_inline)) {
    return Vector<float, kN>(_mm512_maskz_permutex2var_ps(0xffff, _mm512_load_ps(column), (__m512i)index.raw, _mm512_load_ps(column + 16)));
  };
  return {look_up(columns[0]), look_up(columns[1]), look_up(columns[2])};
#else
  return gather_row<float, kN>(rows, index);
#endif
}

// Out of line: what is rare must not make the loop around it large. `static`: local to the object file.
template <class T, int kN, class Function>
static __attribute__((noinline, cold)) void patch_lanes(const VectorMask<sizeof(T), kN>& mask, const T* x, T* result, Function f) noexcept {
  for (int i = 0; i < kN; ++i)
    if (mask.at(i)) result[i] = f(x[i]);
}
template <class T, int kN, class Function>
static __attribute__((noinline, cold)) void patch_lanes(const VectorMask<sizeof(T), kN>& mask, const T* x, const T* y, T* result,
                                                        Function f) noexcept {
  for (int i = 0; i < kN; ++i)
    if (mask.at(i)) result[i] = f(x[i], y[i]);
}
template <class T, int kN, class Function>
ENGINE_LANE Vector<T, kN> patch(VectorMask<sizeof(T), kN> mask, Vector<T, kN> x, Vector<T, kN> result, Function f) noexcept {
  if (__builtin_expect(!any(mask), 1)) return result;
  T from[kN], to[kN];
  x.store(from);
  result.store(to);
  patch_lanes<T, kN>(mask, from, to, f);
  return Vector<T, kN>::load(to);
}
template <class T, int kN, class Function>
ENGINE_LANE Vector<T, kN> patch(VectorMask<sizeof(T), kN> mask, Vector<T, kN> x, Vector<T, kN> y, Vector<T, kN> result,
                                Function f) noexcept {
  if (__builtin_expect(!any(mask), 1)) return result;
  T from[kN], other[kN], to[kN];
  x.store(from);
  y.store(other);
  result.store(to);
  patch_lanes<T, kN>(mask, from, other, to, f);
  return Vector<T, kN>::load(to);
}

}  // namespace engine::math

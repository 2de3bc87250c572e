// run/interp/complex_loops.cpp - complex + - *, conjugate and magnitude in vectors written out, since the compiler may not make
// them (see loops.cpp): the same products and sums as the meanings of the catalog, each rounded on its own.
// Compiled once per instruction set, without the vectoriser. Takes the places that part 6 of loops.cpp has filled.
#include "engine/catalog/elementary/vector.hpp"
#include "engine/catalog/meaning.hpp"
#include "engine/run/interp/table.hpp"

namespace engine::run::interp::ENGINE_ISA {
namespace {

using catalog::Lane;
using catalog::Meaning;
using catalog::Op;

constexpr std::size_t kVector = math::kVectorBytes;

template <class T>
struct Vectors {
  static constexpr std::size_t kNumbers = kVector / sizeof(T);
  static constexpr std::size_t kItems = kNumbers / 2;
  using Bits = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
  typedef T V __attribute__((vector_size(kVector)));
  typedef Bits B __attribute__((vector_size(kVector)));

  ENGINE_LANE static V load(const T* at) {
    V v;
    __builtin_memcpy(&v, at, sizeof v);
    return v;
  }
  ENGINE_LANE static void save(T* at, V v) { __builtin_memcpy(at, &v, sizeof v); }

  /// Every number takes the place of `kFrom` within its pair: 0, 0 the real parts, 1, 1 the imaginary ones, 1, 0 swapped.
  template <int kEven, int kOdd, std::size_t... i>
  ENGINE_LANE static V pick(V v, std::index_sequence<i...>) {
    return __builtin_shufflevector(v, v, (static_cast<int>(i & ~std::size_t{1}) + (i % 2 ? kOdd : kEven))...);
  }
  template <int kEven, int kOdd>
  ENGINE_LANE static V pick(V v) {
    return pick<kEven, kOdd>(v, std::make_index_sequence<kNumbers>{});
  }
  template <std::size_t... i>
  ENGINE_LANE static V flip(V v, std::size_t odd, std::index_sequence<i...>) {
    const B sign = {(i % 2 == odd ? Bits{1} << (8 * sizeof(T) - 1) : Bits{0})...};
    return reinterpret_cast<V>(reinterpret_cast<B>(v) ^ sign);
  }
  /// Negates the real parts (odd = 0) or the imaginary ones (1).
  ENGINE_LANE static V flip(V v, std::size_t odd) { return flip(v, odd, std::make_index_sequence<kNumbers>{}); }

  ENGINE_LANE static V apply(V x, V y, std::integral_constant<Op, Op::Add>) { return x + y; }
  ENGINE_LANE static V apply(V x, V y, std::integral_constant<Op, Op::Subtract>) { return x - y; }
  ENGINE_LANE static V apply(V x, V y, std::integral_constant<Op, Op::Multiply>) {
    const V straight = pick<0, 0>(x) * y, crossed = pick<1, 1>(x) * pick<1, 0>(y);
    return straight + flip(crossed, 0);  // a - b is a + (-b), but for the sign of a NaN
  }
  ENGINE_LANE static V apply(V x, V, std::integral_constant<Op, Op::Conjugate>) { return flip(x, 1); }
};

template <Op kOp, class T>
void apply(void* out, const void* const* in, std::size_t n) {
  using Of = Vectors<T>;
  constexpr bool kBinary = Meaning<kOp>::kArity == 2;
  auto* r = static_cast<T*>(out);
  const auto* x = static_cast<const T*>(in[0]);
  const auto* y = kBinary ? static_cast<const T*>(in[1]) : x;
  std::size_t i = 0;
  for (; i + Of::kItems <= n; i += Of::kItems)
    Of::save(r + 2 * i, Of::apply(Of::load(x + 2 * i), Of::load(y + 2 * i), std::integral_constant<Op, kOp>{}));
  if (i == n) return;
  // The rest as a vector, too: the sign of a NaN must not depend on where blocks end.
  T last[3][Of::kNumbers] = {};
  const std::size_t bytes = (n - i) * 2 * sizeof(T);
  __builtin_memcpy(last[0], x + 2 * i, bytes);
  __builtin_memcpy(last[1], y + 2 * i, bytes);
  Of::save(last[2], Of::apply(Of::load(last[0]), Of::load(last[1]), std::integral_constant<Op, kOp>{}));
  __builtin_memcpy(r + 2 * i, last[2], bytes);
}

/// Real parts (kOdd = 0) or imaginary ones (1) of two vectors of complex numbers.
template <int kOdd, class V, std::size_t... i>
ENGINE_LANE V parts(V low, V high, std::index_sequence<i...>) {
  return __builtin_shufflevector(low, high, (2 * static_cast<int>(i) + kOdd)...);
}

template <class T>
ENGINE_LANE void magnitude_of_vector(T* r, const T* x) {
  constexpr std::size_t kCount = Vectors<T>::kNumbers;
  using Lanes = math::Vector<T, static_cast<int>(kCount)>;
  using Each = std::make_index_sequence<kCount>;
  const auto low = Vectors<T>::load(x), high = Vectors<T>::load(x + kCount);
  math::hypot(Lanes(parts<0>(low, high, Each{})), Lanes(parts<1>(low, high, Each{}))).store(r);
}

template <class T>
void magnitude(void* out, const void* const* in, std::size_t n) {
  constexpr std::size_t kCount = Vectors<T>::kNumbers;
  auto* r = static_cast<T*>(out);
  const auto* x = static_cast<const T*>(in[0]);
  std::size_t i = 0;
  for (; i + kCount <= n; i += kCount) magnitude_of_vector(r + i, x + 2 * i);
  if (i == n) return;
  T last[2 * kCount] = {}, result[kCount];
  __builtin_memcpy(last, x + 2 * i, (n - i) * 2 * sizeof(T));
  magnitude_of_vector(result, last);
  __builtin_memcpy(r + i, result, (n - i) * sizeof(T));
}

void fill_magnitude(KernelTable& table) {
  const auto loops = catalog::loops(Meaning<Op::Absolute>::kRule);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    auto& kernel = table.apply[static_cast<std::size_t>(Op::Absolute)][i];
    if (loops[i].in[0] == DType::Complex64) kernel = &magnitude<float>;
    if (loops[i].in[0] == DType::Complex128) kernel = &magnitude<double>;
  }
}

template <Op kOp>
void fill(KernelTable& table) {
  const auto loops = catalog::loops(Meaning<kOp>::kRule);
  for (std::size_t i = 0; i < loops.size(); ++i) {
    if (loops[i].in[0] == DType::Complex64 && loops[i].out == DType::Complex64)
      table.apply[static_cast<std::size_t>(kOp)][i] = &apply<kOp, float>;
    if (loops[i].in[0] == DType::Complex128 && loops[i].out == DType::Complex128)
      table.apply[static_cast<std::size_t>(kOp)][i] = &apply<kOp, double>;
  }
}

}  // namespace

void fill_complex(KernelTable& table) {
  fill<Op::Add>(table);
  fill<Op::Subtract>(table);
  fill<Op::Multiply>(table);
  fill<Op::Conjugate>(table);
  fill_magnitude(table);
}

}  // namespace engine::run::interp::ENGINE_ISA

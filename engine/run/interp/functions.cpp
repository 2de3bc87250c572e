// run/interp/functions.cpp - the loops of the elementary functions, whose meanings are written over lanes: vectors of the
// width of the instruction set instead of what a compiler makes of a loop. Compiled once per instruction set and part:
//   ENGINE_ISA    the namespace, as in loops.cpp
//   ENGINE_PART   which share of the functions this object holds
#include "engine/catalog/elementary/vector.hpp"
#include "engine/catalog/meaning.hpp"
#include "engine/run/interp/table.hpp"

namespace engine::run::interp::ENGINE_ISA {

using catalog::Lane;
using catalog::Loop;
using catalog::Meaning;
using catalog::Op;

template <class T>
using Lanes = math::Vector<T, math::kVectorBytes / static_cast<int>(sizeof(T))>;

template <Op kOp, class T>
void function(void* out, const void* const* in, std::size_t n) {
  using M = Meaning<kOp>;
  using V = Lanes<T>;
  constexpr std::size_t kCount = V::kCount;
  auto* r = static_cast<T*>(out);
  const auto* x = static_cast<const T*>(in[0]);
  const auto* y = static_cast<const T*>(in[M::kArity > 1 ? 1 : 0]);
  const auto* z = static_cast<const T*>(in[M::kArity > 2 ? 2 : 0]);
  const std::size_t whole = n - n % kCount;
  for (std::size_t i = 0; i < whole; i += kCount) {
    const V a = V::load(x + i);
    M::apply(a, M::kArity > 1 ? V::load(y + i) : a, M::kArity > 2 ? V::load(z + i) : a).store(r + i);
  }
  if (whole == n) return;
  // The rest, padded with its own first item: what is computed beside it is as ordinary as it is.
  T a[kCount], b[kCount], c[kCount], d[kCount];
  for (std::size_t k = 0; k < kCount; ++k) {
    const std::size_t i = whole + (whole + k < n ? k : 0);
    a[k] = x[i];
    b[k] = y[i];
    d[k] = z[i];
  }
  M::apply(V::load(a), V::load(b), V::load(d)).store(c);
  for (std::size_t k = 0; whole + k < n; ++k) r[whole + k] = c[k];
}

/// For machine code, which needs none of three arguments. Raw vectors, and not Vector, which the convention would pass in memory where it
/// has constructors.
template <Op kOp, class T>
typename Lanes<T>::Raw of_one(typename Lanes<T>::Raw x) {
  const Lanes<T> a(x);
  return Meaning<kOp>::apply(a, a, a).raw;
}
template <Op kOp, class T>
typename Lanes<T>::Raw of_two(typename Lanes<T>::Raw x, typename Lanes<T>::Raw y) {
  const Lanes<T> a(x);
  return Meaning<kOp>::apply(a, Lanes<T>(y), a).raw;
}
template <Op kOp, class T>
VectorFunction vector_function() {
  if constexpr (Meaning<kOp>::kArity > 2)
    return nullptr;
  else if constexpr (Meaning<kOp>::kArity > 1)
    return reinterpret_cast<VectorFunction>(&of_two<kOp, T>);
  else
    return reinterpret_cast<VectorFunction>(&of_one<kOp, T>);
}

template <Op kOp>
void fill_function(KernelTable& table) {
  if constexpr (Meaning<kOp>::kLanes) {
    constexpr auto kLoops = catalog::loops(Meaning<kOp>::kRule);
    for (std::size_t loop = 0; loop < kLoops.size(); ++loop) {
      auto& kernel = table.apply[static_cast<std::size_t>(kOp)][loop];
      auto& vector = table.vector[static_cast<std::size_t>(kOp)];
      if (kLoops[loop].out == DType::Float64) {
        kernel = &function<kOp, double>;
        vector[1] = vector_function<kOp, double>();
      }
      if (kLoops[loop].out == DType::Float32) {
        kernel = &function<kOp, float>;
        vector[0] = vector_function<kOp, float>();
      }
    }
  }
}

/// The place of a row among those written over lanes.
constexpr std::size_t place(Op op) {
  std::size_t count = 0;
#define OP(NAME, ...) \
  if (Op::NAME < op && Meaning<Op::NAME>::kLanes) ++count;
#include "engine/catalog/elementwise.def"
#undef OP
  return count;
}

#define ENGINE_JOIN_(a, b) a##b
#define ENGINE_JOIN(a, b) ENGINE_JOIN_(a, b)

void ENGINE_JOIN(fill_functions_, ENGINE_PART)(KernelTable& table) {
#define OP(NAME, ...) \
  if constexpr (place(Op::NAME) % kFunctionParts == ENGINE_PART) fill_function<Op::NAME>(table);
  [&]<class>() {
#include "engine/catalog/elementwise.def"
  }.template operator()<void>();
#undef OP
}

}  // namespace engine::run::interp::ENGINE_ISA

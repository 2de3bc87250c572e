// run/ordered/vqsort.cpp - see vqsort.hpp. Highway includes this file once for each instruction set. Its headers alone are used: what
// would need its library (its choice of instruction set, its seeds) is done here.
#include "engine/run/ordered/vqsort.hpp"

#include <string_view>

#include "engine/run/interp/kernels.hpp"

#if ENGINE_SORT_AVX2
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3 | HWY_AVX3_DL)
#else
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#endif
#define VQSORT_ONLY_STATIC 1
#define HWY_IS_DEBUG_BUILD 0  // whose assertions, on under sanitizers, end in its library
#define HWY_TARGET_INCLUDE "engine/run/ordered/vqsort.cpp"
#include "hwy/foreach_target.h"
// After foreach_target, as Highway wants it.
#include "hwy/highway.h"
#if HWY_MAJOR == 1 && HWY_MINOR == 0
#include "hwy/contrib/sort/traits-inl.h"
#include "hwy/contrib/sort/traits128-inl.h"
#else
#include "hwy/contrib/sort/order.h"
#endif
#include "hwy/contrib/sort/vqsort-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engine::run::ordered::HWY_NAMESPACE {
#if VQSORT_ENABLED  // not of scalars
namespace {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_MAJOR == 1 && HWY_MINOR == 0  // where its sort needs its library: the same with a seed of our own

template <class Traits, class T>
void sort(T* keys, std::size_t n) {
  if (n < 2) return;
  const hn::SortTag<T> d;
  HWY_ALIGN T buffer[hwy::SortConstants::BufNum<T>(HWY_LANES(T))] = {};
  hn::detail::Generator random(0x9E3779B97F4A7C15u);
  hn::detail::Recurse(d, Traits(), keys, keys + n, n, buffer, random, 2 * hwy::CeilLog2(n) + 4);
}
template <class T>
void sort_keys(T* keys, std::size_t n) {
  sort<hn::detail::SharedTraits<hn::detail::TraitsLane<hn::detail::OrderAscending<T>>>>(keys, n);
}
void sort_pairs(Pair* pairs, std::size_t n) {
  sort<hn::detail::SharedTraits<hn::detail::Traits128<hn::detail::OrderAscending128>>>(reinterpret_cast<std::uint64_t*>(pairs), 2 * n);
}

#else

template <class T>
void sort_keys(T* keys, std::size_t n) {
  if (n > 1) hn::VQSortStatic(keys, n, hwy::SortAscending());
}
void sort_pairs(Pair* pairs, std::size_t n) {
  if (n > 1) hn::VQSortStatic(reinterpret_cast<hwy::uint128_t*>(pairs), n, hwy::SortAscending());
}

#endif
static_assert(sizeof(Pair) == 16 && offsetof(Pair, place) == 0);

}  // namespace

VectorSorts sorts() { return {&sort_keys<std::uint16_t>, &sort_keys<std::uint32_t>, &sort_keys<std::uint64_t>, &sort_pairs}; }
#endif

}  // namespace engine::run::ordered::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engine::run::ordered {

const VectorSorts& vector_sorts() noexcept {
  static const VectorSorts found = []() -> VectorSorts {
    [[maybe_unused]] const std::string_view isa = interp::instruction_set();  // of this machine, or less where the user wishes so
#if HWY_TARGETS & HWY_AVX3
    // AVX-512's compressing store, which the partition lives on, is slower than AVX2's shuffles on others' processors.
    if (isa == "avx512" && __builtin_cpu_is("intel") && __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("aes") &&
        __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("f16c"))
      return N_AVX3::sorts();
#endif
#if HWY_TARGETS & HWY_AVX2
    if (isa != "generic" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("fma") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") &&
        __builtin_cpu_supports("f16c"))
      return N_AVX2::sorts();
#endif
#if HWY_TARGETS & HWY_SSE4
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul")) return N_SSE4::sorts();
#endif
    return {};
  }();
  return found;
}

}  // namespace engine::run::ordered
#endif

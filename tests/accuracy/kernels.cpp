// One form of every function; see kernels.hpp. ENGINE_FORM names it: `scalar`, `cuda` (the scalar form in CUDA's words), or a
// vector of the width that the instruction set of this object gives.
#include "tests/accuracy/kernels.hpp"

#include "engine/catalog/elementary/elementary.hpp"
#if !ENGINE_FORM_SCALAR
#include "engine/catalog/elementary/vector.hpp"
#endif

#define ENGINE_JOIN_(a, b) a##b
#define ENGINE_JOIN(a, b) ENGINE_JOIN_(a, b)
#define ENGINE_TEXT_(a) #a
#define ENGINE_TEXT(a) ENGINE_TEXT_(a)

namespace engine::accuracy::ENGINE_FORM {

#if ENGINE_FORM_SCALAR
template <class T, class Function>
static void loop(T* result, const T* x, const T* y, std::size_t n, Function f) {
  for (std::size_t i = 0; i < n; ++i) result[i] = f(x[i], y[i]);
}
#else
template <class T, class Function>
static void loop(T* result, const T* x, const T* y, std::size_t n, Function f) {
  constexpr int kWidth = math::kVectorBytes / sizeof(T);
  using V = math::Vector<T, kWidth>;
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) f(V::load(x + i), V::load(y + i)).store(result + i);
  if (i == n) return;
  T a[kWidth] = {}, b[kWidth] = {}, r[kWidth];
  for (std::size_t k = 0; i + k < n; ++k) a[k] = x[i + k], b[k] = y[i + k];
  f(V::load(a), V::load(b)).store(r);
  for (std::size_t k = 0; i + k < n; ++k) result[i + k] = r[k];
}
#endif

#define ENGINE_CALL_1(name) math::name(x)
#define ENGINE_CALL_2(name) math::name(x, y)
#define FUNCTION(name, arity, ...)                                                                                                     \
  template <class T>                                                                                                                   \
  static void name(T* result, const T* x_, const T* y_, std::size_t n) {                                                               \
    loop(result, x_, y_, n, [](auto x, [[maybe_unused]] auto y) __attribute__((always_inline)) { return ENGINE_CALL_##arity(name); }); \
  }
#include "tests/accuracy/functions.inc"
#undef FUNCTION

static constexpr Kernel kKernels[] = {
#define FUNCTION(name, arity, ...) {#name, arity, &name<double>, &name<float>},
#include "tests/accuracy/functions.inc"
#undef FUNCTION
};

}  // namespace engine::accuracy::ENGINE_FORM

namespace engine::accuracy {
std::span<const Kernel> ENGINE_JOIN(kernels_, ENGINE_FORM)() { return ENGINE_FORM::kKernels; }
}  // namespace engine::accuracy

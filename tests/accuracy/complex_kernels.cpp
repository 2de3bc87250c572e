// One form of every complex function, named by ENGINE_FORM: `scalar` or `cuda`.
#include "tests/accuracy/complex_kernels.hpp"

#include "engine/catalog/complex.hpp"

#define ENGINE_JOIN_(a, b) a##b
#define ENGINE_JOIN(a, b) ENGINE_JOIN_(a, b)

namespace engine::accuracy::ENGINE_FORM {

template <class T>
ENGINE_LANE static math::Complex<T> whole(math::Complex<T> z) {
  return z;
}
template <class T>
ENGINE_LANE static math::Complex<T> whole(T x) {
  return {x, T(0)};
}

#define ENGINE_CALL_1(name) math::name(x)
#define ENGINE_CALL_2(name) math::name(x, y)
#define FUNCTION(name, arity, ...)                                                        \
  template <class T>                                                                      \
  static void name(T* result, const T* x_, [[maybe_unused]] const T* y_, std::size_t n) { \
    for (std::size_t i = 0; i < n; ++i) {                                                 \
      const math::Complex<T> x{x_[2 * i], x_[2 * i + 1]};                                 \
      [[maybe_unused]] const math::Complex<T> y{y_[2 * i], y_[2 * i + 1]};                \
      const math::Complex<T> r = whole<T>(ENGINE_CALL_##arity(name));                     \
      result[2 * i] = r.re, result[2 * i + 1] = r.im;                                     \
    }                                                                                     \
  }
#include "tests/accuracy/complex_functions.inc"
#undef FUNCTION

static constexpr ComplexKernel kKernels[] = {
#define FUNCTION(name, arity, ...) {#name, arity, &name<double>, &name<float>},
#include "tests/accuracy/complex_functions.inc"
#undef FUNCTION
};

}  // namespace engine::accuracy::ENGINE_FORM

namespace engine::accuracy {
std::span<const ComplexKernel> ENGINE_JOIN(complex_kernels_, ENGINE_FORM)() { return ENGINE_FORM::kKernels; }
}  // namespace engine::accuracy

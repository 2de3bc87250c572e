// catalog/meaning.hpp - the second reading of the table: every row's meaning, compiled.
#pragma once

#include <cstdint>

#include "engine/catalog/moments.hpp"
#include "engine/catalog/scalar.hpp"
#include "engine/catalog/type_rule.hpp"

namespace engine::catalog {

template <Op kOp>
struct Meaning;

#define OP(NAME, SPELLING, ARITY, RULE, MEANING, LOWERING, GRADIENT, ORACLE, SENTENCE, ...)                    \
  template <>                                                                                                  \
  struct Meaning<Op::NAME> {                                                                                   \
    static constexpr Rule kRule = RULE;                                                                        \
    static constexpr int kArity = ARITY.count;                                                                 \
    static constexpr bool kHalf = has(Flags::None __VA_OPT__(| __VA_ARGS__), Flags::Half);                     \
    static constexpr bool kLanes = has(Flags::None __VA_OPT__(| __VA_ARGS__), Flags::Lanes);                   \
    template <class X, class Y, class Z>                                                                       \
    static ENGINE_LANE auto apply([[maybe_unused]] X x, [[maybe_unused]] Y y, [[maybe_unused]] Z z) noexcept { \
      return MEANING;                                                                                          \
    }                                                                                                          \
  };
#include "engine/catalog/elementwise.def"
#undef OP

template <Reduction kReduction>
struct Combination;

#define REDUCTION(NAME, CALL, KERNEL, ACCUMULATOR, IDENTITY, COMBINE, ...) \
  template <>                                                              \
  struct Combination<Reduction::NAME> {                                    \
    template <class T>                                                     \
    static ENGINE_LANE T apply(T x, T y) noexcept {                        \
      return static_cast<T>(COMBINE);                                      \
    }                                                                      \
  };
#include "engine/catalog/reduction.def"
#undef REDUCTION

/// The lane that holds a dtype. float16 is computed in float: see Widened.
template <DType kDType>
struct LaneOf;
template <>
struct LaneOf<DType::Bool> {
  using type = bool;
};
template <>
struct LaneOf<DType::Int8> {
  using type = std::int8_t;
};
template <>
struct LaneOf<DType::UInt8> {
  using type = std::uint8_t;
};
template <>
struct LaneOf<DType::Int16> {
  using type = std::int16_t;
};
template <>
struct LaneOf<DType::UInt16> {
  using type = std::uint16_t;
};
template <>
struct LaneOf<DType::Int32> {
  using type = std::int32_t;
};
template <>
struct LaneOf<DType::UInt32> {
  using type = std::uint32_t;
};
template <>
struct LaneOf<DType::Int64> {
  using type = std::int64_t;
};
template <>
struct LaneOf<DType::UInt64> {
  using type = std::uint64_t;
};
template <>
struct LaneOf<DType::Float16> {
  using type = math::Half;
};
template <>
struct LaneOf<DType::Float32> {
  using type = float;
};
template <>
struct LaneOf<DType::Float64> {
  using type = double;
};
template <>
struct LaneOf<DType::Complex64> {
  using type = math::Complex<float>;
};
template <>
struct LaneOf<DType::Complex128> {
  using type = math::Complex<double>;
};
template <DType kDType>
using Lane = typename LaneOf<kDType>::type;

/// The lane in which a value is computed: half as float, others as they are.
template <class T>
struct WidenedOf {
  using type = T;
};
template <>
struct WidenedOf<math::Half> {
  using type = float;
};
template <class T>
using Widened = typename WidenedOf<T>::type;

}  // namespace engine::catalog

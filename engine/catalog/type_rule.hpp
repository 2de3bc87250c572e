// catalog/type_rule.hpp - argument dtypes -> the loop that computes them, as NumPy's ufunc of that name resolves them.
//
// A loop is one signature: the dtypes the arguments are converted to, and the dtype of the result. A rule is an ordered
// list of loops; NumPy takes the first to which every argument casts safely. Python scalars are weak (NEP 50).
#pragma once

#include <cstdint>
#include <span>

#include "engine/catalog/op.hpp"

namespace engine::catalog {

struct Loop {
  std::array<DType, 3> in;  ///< as many as the operation has arguments count
  DType out;
};

namespace rules {

template <std::size_t kSize>
consteval auto uniform(const char (&codes)[kSize], int result) {
  // result: 0 the same dtype, 1 bool, 2 the real dtype
  std::array<Loop, kSize - 1> loops{};
  for (std::size_t i = 0; i + 1 < kSize; ++i) {
    const DType dtype = from_code(codes[i]);
    loops[i] = {{dtype, dtype, dtype}, result == 0 ? dtype : result == 1 ? DType::Bool : real_part(dtype)};
  }
  return loops;
}
template <std::size_t kA, std::size_t kB>
consteval auto join(const std::array<Loop, kA>& a, const std::array<Loop, kB>& b) {
  std::array<Loop, kA + kB> loops{};
  for (std::size_t i = 0; i < kA; ++i) loops[i] = a[i];
  for (std::size_t i = 0; i < kB; ++i) loops[kA + i] = b[i];
  return loops;
}
consteval auto select() {
  auto loops = uniform("?bBhHiIqQefdFD", 0);
  for (Loop& loop : loops) loop.in[0] = DType::Bool;
  return loops;
}

inline constexpr auto kSame = uniform("?bBhHiIqQefdFD", 0);
inline constexpr auto kNumeric = uniform("bBhHiIqQefdFD", 0);
inline constexpr auto kOrdered = uniform("bBhHiIqQefd", 0);
inline constexpr auto kIntegral = uniform("?bBhHiIqQefd", 0);
inline constexpr auto kFloating = uniform("efdFD", 0);
inline constexpr auto kRealFloating = uniform("efd", 0);
inline constexpr auto kPredicate = uniform("?bBhHiIqQefdFD", 1);
inline constexpr auto kRealPredicate = uniform("efd", 1);
// NumPy compares int64 with uint64 exactly, by loops of their own that come before the floats.
inline constexpr auto kComparison =
    join(join(uniform("?bBhHiIqQ", 1), std::array<Loop, 2>{{{{DType::Int64, DType::UInt64, DType::Bool}, DType::Bool},
                                                            {{DType::UInt64, DType::Int64, DType::Bool}, DType::Bool}}}),
         uniform("efdFD", 1));
inline constexpr auto kBitwise = uniform("?bBhHiIqQ", 0);
inline constexpr auto kShift = uniform("bBhHiIqQ", 0);
inline constexpr auto kReal = uniform("?bBhHiIqQefdFD", 2);
inline constexpr auto kSelect = select();
inline constexpr auto kBits = [] {
  auto loops = uniform("bBhHiIqQ", 0);
  for (Loop& loop : loops) loop.out = DType::UInt8;
  return loops;
}();
inline constexpr auto kExponent = [] {
  auto loops = uniform("efd", 0);
  for (Loop& loop : loops) loop.out = DType::Int32;
  return loops;
}();
inline constexpr auto kScale = [] {
  std::array<Loop, 6> loops{};
  constexpr std::array<std::array<DType, 2>, 6> kPairs{{{DType::Float16, DType::Int32},
                                                        {DType::Float32, DType::Int32},
                                                        {DType::Float16, DType::Int64},
                                                        {DType::Float32, DType::Int64},
                                                        {DType::Float64, DType::Int32},
                                                        {DType::Float64, DType::Int64}}};
  for (std::size_t i = 0; i < kPairs.size(); ++i) loops[i] = {{kPairs[i][0], kPairs[i][1], kPairs[i][0]}, kPairs[i][0]};
  return loops;
}();
inline constexpr std::array<Loop, 2> kComplex{{{{DType::Float32, DType::Float32, DType::Float32}, DType::Complex64},
                                               {{DType::Float64, DType::Float64, DType::Float64}, DType::Complex128}}};
inline constexpr std::array<Loop, 1> kPosition{{{{DType::Int64, DType::Int64, DType::Int64}, DType::Int64}}};

}  // namespace rules

/// The longest list of loops.
inline constexpr std::size_t kMaxLoops = rules::kComparison.size();

/// The loops of a rule in NumPy's order. constexpr, so that kernels are instantiated from it.
constexpr std::span<const Loop> loops(Rule rule) noexcept {
  switch (rule) {
    case Rule::Same:
      return rules::kSame;
    case Rule::Arithmetic:
    case Rule::Numeric:
      return rules::kNumeric;
    case Rule::Ordered:
      return rules::kOrdered;
    case Rule::Integral:
      return rules::kIntegral;
    case Rule::Divide:
    case Rule::Floating:
      return rules::kFloating;
    case Rule::RealFloating:
      return rules::kRealFloating;
    case Rule::Predicate:
    case Rule::Logical:
      return rules::kPredicate;
    case Rule::RealPredicate:
      return rules::kRealPredicate;
    case Rule::Comparison:
      return rules::kComparison;
    case Rule::Bitwise:
      return rules::kBitwise;
    case Rule::Shift:
    case Rule::Integer:
      return rules::kShift;
    case Rule::Bits:
      return rules::kBits;
    case Rule::Scale:
      return rules::kScale;
    case Rule::Exponent:
      return rules::kExponent;
    case Rule::Magnitude:
    case Rule::RealPart:
      return rules::kReal;
    case Rule::Select:
      return rules::kSelect;
    case Rule::Complex:
      return rules::kComplex;
    case Rule::Position:
      return rules::kPosition;
  }
  return {};
}
/// Loops of one operation.
std::span<const Loop> loops(Op op) noexcept;

/// One argument as the typing rules see it.
struct Argument {
  DType dtype;  ///< of weak ones: Bool, Int64, Float64 or Complex128
  Weak weak = Weak::No;
};

/// Index into loops(op), or -1 where NumPy raises a TypeError. At least one argument must not be weak.
/// The condition of a Select may be of any dtype: it is taken as truth.
int resolve(Op op, std::span<const Argument> arguments) noexcept;

/// The dtype a weak scalar takes beside strong dtypes whose promotion is `strong` (NEP 50).
DType weak_dtype(Weak weak, DType strong) noexcept;

/// np.result_type of mixed strong and weak arguments. All weak: bool, int64, float64 or complex128.
DType result_type(std::span<const Argument> arguments) noexcept;

/// A reduction's accumulator and result for an argument of that dtype.
struct ReductionTypes {
  bool truth;         ///< the argument is first cast to bool
  DType accumulator;  ///< then to this, in which it is combined
  DType result;       ///< what the combined value is cast to
};
ReductionTypes reduction_types(Reduction reduction, DType argument) noexcept;
/// The same of an operation along an axis; of Argsort the accumulator is what is compared.
ReductionTypes ordered_types(Ordered ordered, DType argument) noexcept;

}  // namespace engine::catalog

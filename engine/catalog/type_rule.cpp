// catalog/type_rule.cpp - see type_rule.hpp.
#include "engine/catalog/type_rule.hpp"

#include <array>
#include <atomic>

namespace engine::catalog {

std::span<const Loop> loops(Op op) noexcept { return loops(info(op).rule); }

DType weak_dtype(Weak weak, DType strong) noexcept {
  switch (weak) {
    case Weak::Int:
      return strong == DType::Bool ? DType::Int64 : strong;
    case Weak::Float:
      return is_inexact(strong) ? strong : DType::Float64;
    case Weak::Complex:
      return is_complex(strong) ? strong : is_inexact(strong) ? complex_of(strong) : DType::Complex128;
    case Weak::Bool:
    case Weak::No:
      break;
  }
  return DType::Bool;
}

namespace {

/// Promotion of the strong arguments; false if there are none.
bool strong_type(std::span<const Argument> arguments, DType& dtype) noexcept {
  bool any = false;
  for (const Argument& argument : arguments) {
    if (argument.weak != Weak::No) continue;
    dtype = any ? promote(dtype, argument.dtype) : argument.dtype;
    any = true;
  }
  return any;
}

}  // namespace

DType result_type(std::span<const Argument> arguments) noexcept {
  DType strong = DType::Bool;
  const bool any = strong_type(arguments, strong);
  DType result = strong;
  bool first = !any;
  for (const Argument& argument : arguments) {
    if (argument.weak == Weak::No) continue;
    const DType dtype = any ? weak_dtype(argument.weak, strong) : argument.dtype;
    result = first ? dtype : promote(result, dtype);
    first = false;
  }
  return result;
}

int resolve(Op op, std::span<const Argument> arguments) noexcept {
  const Rule rule = info(op).rule;
  const std::span<const Loop> list = loops(rule);
  std::array<DType, 3> dtypes{};
  const std::size_t skip = rule == Rule::Select ? 1 : 0;
  DType strong = DType::Bool;
  const bool any_strong = strong_type(rule == Rule::Scale ? arguments.first(1) : arguments.subspan(skip), strong);
  bool all_bool = true, all_exact = true;
  for (std::size_t i = skip; i < arguments.size(); ++i) {
    const Argument& argument = arguments[i];
    dtypes[i] = argument.weak == Weak::No ? argument.dtype : any_strong ? weak_dtype(argument.weak, strong) : argument.dtype;
    all_bool = all_bool && dtypes[i] == DType::Bool;
    all_exact = all_exact && !is_inexact(dtypes[i]);
  }
  if (rule == Rule::Scale && arguments[1].weak == Weak::Int) dtypes[1] = DType::Int64;
  // NumPy has type resolvers of its own for these.
  if ((rule == Rule::Arithmetic || rule == Rule::Integer) && all_bool) return -1;
  if (rule == Rule::Divide && all_exact)
    for (std::size_t i = skip; i < arguments.size(); ++i) dtypes[i] = DType::Float64;
  // Mostly all arguments have one dtype, for which the answer is always the same.
  static std::array<std::array<std::array<std::atomic<std::int8_t>, kDTypes>, 4>, static_cast<std::size_t>(Rule::Position) + 1> answers{};
  constexpr std::int8_t kFirst = 2;  // of loop 0; 1: none fits; 0: not known yet
  bool is_one = arguments.size() > skip;
  for (std::size_t i = skip + 1; i < arguments.size(); ++i) is_one = is_one && dtypes[i] == dtypes[skip];
  std::atomic<std::int8_t>* const answer =
      is_one ? &answers[static_cast<std::size_t>(rule)][arguments.size()][static_cast<std::size_t>(dtypes[skip])] : nullptr;
  if (answer)
    if (const std::int8_t known = answer->load(std::memory_order_relaxed)) return known - kFirst;
  int found = -1;
  for (std::size_t loop = 0; loop < list.size() && found < 0; ++loop) {
    bool fits = true;
    for (std::size_t i = skip; fits && i < arguments.size(); ++i) fits = can_cast_safely(dtypes[i], list[loop].in[i]);
    if (fits) found = static_cast<int>(loop);
  }
  if (answer) answer->store(static_cast<std::int8_t>(found + kFirst), std::memory_order_relaxed);
  return found;
}

namespace {

ReductionTypes accumulator_types(Accumulator accumulator, DType argument) noexcept {
  const auto widened = [&](DType exact) {
    const DType wide = argument == DType::Float16 ? DType::Float32 : is_inexact(argument) ? argument : exact;
    return ReductionTypes{false, wide, argument == DType::Float16 ? DType::Float16 : wide};
  };
  switch (accumulator) {
    case Accumulator::Widen:
      return widened(kind(argument) == Kind::Unsigned ? DType::UInt64 : DType::Int64);
    case Accumulator::Mean:
      return widened(DType::Float64);
    case Accumulator::Same: {
      return {false, argument == DType::Float16 ? DType::Float32 : argument, argument};
    }
    case Accumulator::Truth:
      return {true, DType::Bool, DType::Bool};
    case Accumulator::Count:
      return {true, DType::Int64, DType::Int64};
  }
  return {};
}

}  // namespace

ReductionTypes reduction_types(Reduction reduction, DType argument) noexcept {
  return accumulator_types(info(reduction).accumulator, argument);
}

ReductionTypes ordered_types(Ordered ordered, DType argument) noexcept {
  ReductionTypes types = accumulator_types(info(ordered).accumulator, argument);
  if (form_of(ordered).has(FormFlags::Places)) types.result = DType::Int64;
  return types;
}

}  // namespace engine::catalog

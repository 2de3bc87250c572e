// base/dtype.cpp - see dtype.hpp.
#include "engine/base/dtype.hpp"

namespace engine {

std::string_view name(DType dtype) noexcept { return info(dtype).name; }
static_assert([] {
  for (std::size_t i = 0; i < kDTypes; ++i)
    if (kDTypeInfo[i].size != item_size(static_cast<DType>(i))) return false;
  return true;
}());

std::optional<DType> dtype_from_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kDTypes; ++i)
    if (kDTypeInfo[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

bool can_cast(DType from, DType to, Casting casting) noexcept {
  switch (casting) {
    case Casting::No:
    case Casting::Equiv:
      return from == to;
    case Casting::Safe:
      return can_cast_safely(from, to);
    case Casting::SameKind: {
      if (can_cast_safely(from, to)) return true;
      // Within a kind, and upwards: bool < integers < floats < complex; but signed never to unsigned.
      const Kind a = kind(from), b = kind(to);
      if (a == b) return true;
      if (a == Kind::Unsigned) return b == Kind::Signed || b >= Kind::Float;
      if (a == Kind::Signed) return b >= Kind::Float;
      return a == Kind::Float && b == Kind::Complex;
    }
    case Casting::Unsafe:
      return true;
  }
  return false;
}

DType promote(DType a, DType b) noexcept {
  if (a == b || can_cast_safely(b, a)) return a;
  if (can_cast_safely(a, b)) return b;
  // Neither holds the other: the smallest that holds both. Signed against unsigned looks among the signed first.
  static constexpr DType kCandidates[] = {DType::Int16,   DType::Int32,   DType::Int64,     DType::Float16,
                                          DType::Float32, DType::Float64, DType::Complex64, DType::Complex128};
  for (DType candidate : kCandidates)
    if (can_cast_safely(a, candidate) && can_cast_safely(b, candidate)) return candidate;
  return DType::Complex128;
}

}  // namespace engine

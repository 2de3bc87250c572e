// base/dtype.hpp - kinds, sizes, casts and promotion of the fourteen dtypes (NEP 50).
#pragma once

#include <engine/array.hpp>
#include <engine/options.hpp>
#include <optional>

namespace engine {

enum class Kind : std::uint8_t { Bool, Signed, Unsigned, Float, Complex };

struct DTypeInfo {
  const char* name;  ///< NumPy's name
  char code;         ///< one-letter code of the loop lists: ?bBhHiIqQefdFD
  Kind kind;
  std::uint8_t size;  ///< bytes
};

inline constexpr std::array<DTypeInfo, kDTypes> kDTypeInfo{{
    {"bool", '?', Kind::Bool, 1},
    {"int8", 'b', Kind::Signed, 1},
    {"uint8", 'B', Kind::Unsigned, 1},
    {"int16", 'h', Kind::Signed, 2},
    {"uint16", 'H', Kind::Unsigned, 2},
    {"int32", 'i', Kind::Signed, 4},
    {"uint32", 'I', Kind::Unsigned, 4},
    {"int64", 'q', Kind::Signed, 8},
    {"uint64", 'Q', Kind::Unsigned, 8},
    {"float16", 'e', Kind::Float, 2},
    {"float32", 'f', Kind::Float, 4},
    {"float64", 'd', Kind::Float, 8},
    {"complex64", 'F', Kind::Complex, 8},
    {"complex128", 'D', Kind::Complex, 16},
}};

constexpr const DTypeInfo& info(DType dtype) noexcept { return kDTypeInfo[static_cast<std::size_t>(dtype)]; }
constexpr Kind kind(DType dtype) noexcept { return info(dtype).kind; }
constexpr bool is_integer(DType dtype) noexcept { return kind(dtype) == Kind::Signed || kind(dtype) == Kind::Unsigned; }
constexpr bool is_inexact(DType dtype) noexcept { return kind(dtype) >= Kind::Float; }
constexpr bool is_complex(DType dtype) noexcept { return kind(dtype) == Kind::Complex; }
constexpr char code(DType dtype) noexcept { return info(dtype).code; }

/// The dtype of a loop code; `code` is one of ?bBhHiIqQefdFD.
constexpr DType from_code(char code) noexcept {
  for (std::size_t i = 0; i < kDTypes; ++i)
    if (kDTypeInfo[i].code == code) return static_cast<DType>(i);
  return DType::Bool;
}
/// The dtype of NumPy's name ("float32"), or nothing.
std::optional<DType> dtype_from_name(std::string_view name) noexcept;

/// The real dtype of a complex one's parts; any other dtype itself.
constexpr DType real_part(DType dtype) noexcept {
  return dtype == DType::Complex64 ? DType::Float32 : dtype == DType::Complex128 ? DType::Float64 : dtype;
}
/// The complex dtype that holds values of a float dtype (float16 and float32: complex64).
constexpr DType complex_of(DType dtype) noexcept {
  return is_complex(dtype) ? dtype : dtype == DType::Float16 || dtype == DType::Float32 ? DType::Complex64 : DType::Complex128;
}

/// Whether every value of `from` is kept by `to`, as np.can_cast(from, to, "safe").
constexpr bool can_cast_safely(DType from, DType to) noexcept {
  if (from == to || from == DType::Bool) return true;
  const DTypeInfo& a = info(from);
  const DTypeInfo& b = info(to);
  switch (a.kind) {
    case Kind::Bool:
      return true;
    case Kind::Signed:
      if (b.kind == Kind::Signed) return a.size <= b.size;
      break;
    case Kind::Unsigned:
      if (b.kind == Kind::Unsigned) return a.size <= b.size;
      if (b.kind == Kind::Signed) return a.size < b.size;
      break;
    case Kind::Float:
      return b.kind == Kind::Float ? a.size <= b.size : b.kind == Kind::Complex && 2 * a.size <= b.size;
    case Kind::Complex:
      return b.kind == Kind::Complex && a.size <= b.size;
  }
  // Integers into floats: the mantissa must hold them, except that 64-bit integers go to float64 (NumPy's choice).
  const int bytes = b.kind == Kind::Float ? b.size : b.kind == Kind::Complex ? b.size / 2 : 0;
  return bytes >= 8 || (a.size < 8 && bytes > a.size);
}

/// np.can_cast(from, to, casting).
bool can_cast(DType from, DType to, Casting casting) noexcept;

/// np.promote_types(a, b): the smallest dtype to which both cast safely.
DType promote(DType a, DType b) noexcept;

}  // namespace engine

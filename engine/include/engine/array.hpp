// engine/array.hpp - dtypes, shapes and borrowed or owned strided arrays.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <engine/export.hpp>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace engine ENGINE_API {

/// The fourteen element types, in the order of NumPy's kinds. The enumerators double as indices of tables.
enum class DType : std::uint8_t {
  Bool,
  Int8,
  UInt8,
  Int16,
  UInt16,
  Int32,
  UInt32,
  Int64,
  UInt64,
  Float16,
  Float32,
  Float64,
  Complex64,
  Complex128
};
inline constexpr std::size_t kDTypes = 14;

/// What a value is before it meets an array: of its dtype, or a Python scalar whose dtype yields to its partner's (NEP 50).
enum class Weak : std::uint8_t { No, Bool, Int, Float, Complex };

/// NumPy's name of a dtype: "bool", "int8", … "complex128".
std::string_view name(DType dtype) noexcept;
/// Bytes of one element.
constexpr std::size_t item_size(DType dtype) noexcept {
  constexpr std::uint8_t kSize[] = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8, 8, 16};
  return kSize[static_cast<std::size_t>(dtype)];
}

/// NumPy's limit since 1.x is 32 in the engine's contract (64 in NumPy 2 itself).
inline constexpr int kMaxRank = 32;

/// Extents per axis, or byte strides per axis: at most kMaxRank numbers, kept in place, no allocation.
class Extents {
 public:
  Extents() noexcept = default;
  Extents(std::initializer_list<std::int64_t> values) noexcept {
    for (std::int64_t value : values) push_back(value);
  }
  explicit Extents(std::span<const std::int64_t> values) noexcept {
    for (std::int64_t value : values) push_back(value);
  }
  Extents(const Extents& other) noexcept { *this = other; }
  Extents& operator=(const Extents& other) noexcept {
    size_ = other.size_;
    for (int axis = 0; axis < size_; ++axis) values_[axis] = other.values_[axis];  // only what is used
    return *this;
  }

  int size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::int64_t& operator[](int axis) noexcept { return values_[axis]; }
  std::int64_t operator[](int axis) const noexcept { return values_[axis]; }
  std::int64_t* begin() noexcept { return values_; }
  std::int64_t* end() noexcept { return values_ + size_; }
  const std::int64_t* begin() const noexcept { return values_; }
  const std::int64_t* end() const noexcept { return values_ + size_; }
  std::int64_t back() const noexcept { return values_[size_ - 1]; }
  void push_back(std::int64_t value) noexcept { values_[size_++] = value; }
  void resize(int size, std::int64_t value = 0) noexcept {
    for (int axis = size_; axis < size; ++axis) values_[axis] = value;
    size_ = size;
  }
  friend bool operator==(const Extents& a, const Extents& b) noexcept {
    if (a.size_ != b.size_) return false;
    for (int axis = 0; axis < a.size_; ++axis)
      if (a.values_[axis] != b.values_[axis]) return false;
    return true;
  }

 private:
  int size_ = 0;
  std::int64_t values_[kMaxRank];
};

using Shape = Extents;    ///< extents, in elements
using Strides = Extents;  ///< distances between neighbours along each axis, in bytes; any sign, zero allowed

/// Product of the extents; 1 for rank 0.
inline std::int64_t n_items(const Shape& shape) noexcept {
  std::int64_t count = 1;
  for (std::int64_t extent : shape) count *= extent;
  return count;
}

/// A borrowed strided array: `data` is the address of element (0, …, 0).
/// Any strides, any alignment; `swapped` marks elements in the other byte order.
struct ArrayView {
  void* data = nullptr;
  DType dtype = DType::Float64;
  bool swapped = false;
  bool writable = true;
  Shape shape;
  Strides strides;
};

}  // namespace engine ENGINE_API

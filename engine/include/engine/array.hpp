// engine/array.hpp - dtypes, shapes and borrowed or owned strided arrays.
//
// A view borrows the caller's memory and says how it is laid out; an Array owns its memory.
//
//     std::vector<double> field(12, 1.0);
//     const ArrayView a = view(field, {3, 4});
//     Array zeros(DType::Float32, {3, 4});
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <engine/export.hpp>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>
#include <type_traits>

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
///
///     name(DType::Float32) == "float32"
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

/// ArrayView::device of memory that the CPU reads.
inline constexpr int kHost = -1;

/// A borrowed strided array: `data` is the address of element (0, …, 0).
/// Any strides, any alignment; `swapped` marks elements in the other byte order.
struct ArrayView {
  void* data = nullptr;
  DType dtype = DType::Float64;
  bool swapped = false;
  bool writable = true;
  Shape shape;
  Strides strides;
  int device = kHost;  ///< or the ordinal of a CUDA device, in whose memory `data` is: see device.hpp
};

/// The bits of an IEEE binary16 number: C++20 has no type for them.
struct Float16 {
  std::uint16_t bits = 0;
  friend bool operator==(const Float16&, const Float16&) = default;  ///< of the bits
};

/// The value, exactly, and the nearest float16, ties to even.
///
///     to_float(to_float16(0.1)) == 0.0999755859375f
float to_float(Float16 value) noexcept;
Float16 to_float16(double value) noexcept;

/// Types with real(), imag() and a value_type, such as std::complex, whose header this one leaves to those who use it.
template <class T>
concept ComplexLike = requires(const T& z) {
  typename T::value_type;
  { z.real() } -> std::convertible_to<typename T::value_type>;
  { z.imag() } -> std::convertible_to<typename T::value_type>;
};

/// The dtype of a C++ type as a number, -1 where there is none: char and its kin are characters, long double is no dtype.
template <class T>
constexpr int dtype_index() noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    return static_cast<int>(DType::Bool);
  } else if constexpr (std::is_same_v<T, Float16>) {
    return static_cast<int>(DType::Float16);
  } else if constexpr (std::is_same_v<T, float>) {
    return static_cast<int>(DType::Float32);
  } else if constexpr (std::is_same_v<T, double>) {
    return static_cast<int>(DType::Float64);
  } else if constexpr (std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> || std::is_same_v<T, char16_t> ||
                       std::is_same_v<T, char32_t> || std::is_pointer_v<T>) {
    return -1;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) <= 8) {
    constexpr int kLog = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return static_cast<int>(DType::Int8) + 2 * kLog + std::is_unsigned_v<T>;
  } else if constexpr (ComplexLike<T>) {
    if constexpr (std::is_same_v<typename T::value_type, float> && sizeof(T) == 8) return static_cast<int>(DType::Complex64);
    if constexpr (std::is_same_v<typename T::value_type, double> && sizeof(T) == 16) return static_cast<int>(DType::Complex128);
    return -1;
  } else {
    return -1;
  }
}

/// C++ types that have a dtype.
template <class T>
concept Element = dtype_index<T>() >= 0;

/// The dtype of a C++ type.
///
///     dtype_of<float> == DType::Float32
template <Element T>
inline constexpr DType dtype_of = static_cast<DType>(dtype_index<T>());

/// Byte strides of a C-ordered array without gaps.
///
///     c_strides({3, 4}, 8) == Strides{32, 8}
inline Strides c_strides(const Shape& shape, std::size_t item_bytes) noexcept {
  Strides strides;
  strides.resize(shape.size());
  auto step = static_cast<std::int64_t>(item_bytes);
  for (int axis = shape.size(); axis-- > 0;) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

/// A view of the caller's memory, of element (0, …, 0) at `data`, with any byte strides. Read-only where T is const.
///
///     view(data, {2, 3}, {8, 16})   // Fortran order
template <class T>
  requires Element<std::remove_const_t<T>>
ArrayView view(T* data, const Shape& shape, const Strides& strides) noexcept {
  using Value = std::remove_const_t<T>;
  return {const_cast<Value*>(data), dtype_of<Value>, false, !std::is_const_v<T>, shape, strides};
}

/// As above, in C order without gaps.
///
///     view(data, {2, 3})
template <class T>
  requires Element<std::remove_const_t<T>>
ArrayView view(T* data, const Shape& shape) noexcept {
  return view(data, shape, c_strides(shape, sizeof(T)));
}

template <class T>
inline constexpr bool is_span = false;
template <class T, std::size_t kExtent>
inline constexpr bool is_span<std::span<T, kExtent>> = true;

/// Containers of elements in one piece that outlive the view: spans, and others unless they are temporaries.
template <class C>
concept Contiguous = (std::is_lvalue_reference_v<C> || is_span<std::remove_cv_t<C>>) && requires(C&& container) {
  std::size(container);
  requires Element<std::remove_cvref_t<decltype(*std::data(container))>>;
};

/// Throws ShapeError unless an array of that shape has at most `n` elements.
void check_fits(const Shape& shape, std::size_t n);

/// A view of a std::vector, std::array, std::span or C array, as one axis.
///
///     view(field)
template <Contiguous C>
ArrayView view(C&& container) noexcept {
  return view(std::data(container), Shape{static_cast<std::int64_t>(std::size(container))});
}

/// As above, seen in that shape, in C order. Throws ShapeError where the container is too small for it.
///
///     view(field, {3, 4})
template <Contiguous C>
  requires(!std::is_array_v<std::remove_reference_t<C>>)
ArrayView view(C&& container, const Shape& shape) {
  check_fits(shape, std::size(container));
  return view(std::data(container), shape);
}

/// An array that owns its memory, aligned to 64 bytes. A value: copies copy the elements (in the same layout), moves are
/// cheap and leave an array of no elements behind.
class Array {
 public:
  /// Of no elements: float64, shape {0}.
  Array() noexcept;
  /// Of zeros, in C order. Throws OutOfMemory, ShapeError where an extent is negative.
  ///
  ///     Array zeros(DType::Float32, {3, 4});
  Array(DType dtype, const Shape& shape);
  /// A copy of whatever the view shows, in C order and in this machine's byte order.
  ///
  ///     const Array copy(view(field));
  explicit Array(const ArrayView& source);
  /// Of these values, in C order. Throws ShapeError unless there are as many as the shape asks for.
  ///
  ///     Array table({2, 2}, {1.0, 2.0, 3.0, 4.0});
  template <Element T>
  Array(const Shape& shape, std::initializer_list<T> values) : Array(dtype_of<T>, shape, values.begin(), values.size()) {}
  template <Element T>
  Array(const Shape& shape, std::span<const T> values) : Array(dtype_of<T>, shape, values.data(), values.size()) {}

  /// Memory whose values are not set, of byte strides without negative ones and with every element at its own place.
  static Array uninitialised(DType dtype, const Shape& shape, const Strides& strides);

  Array(const Array& other);
  Array(Array&& other) noexcept;
  Array& operator=(Array other) noexcept;
  ~Array();

  DType dtype() const noexcept { return view_.dtype; }
  const Shape& shape() const noexcept { return view_.shape; }
  const Strides& strides() const noexcept { return view_.strides; }  ///< in bytes
  int rank() const noexcept { return view_.shape.size(); }
  std::int64_t size() const noexcept { return n_items(view_.shape); }  ///< in elements
  bool is_c_contiguous() const noexcept;

  /// Valid while the array lives and is not assigned to. Of a const array: read-only.
  ///
  ///     evaluate_into(zeros.view(), "2*a", {{"a", a}});
  ArrayView view() noexcept { return view_; }
  ArrayView view() const noexcept;

  /// The elements of a C-ordered array as T. Throws DTypeError where the dtype is another, ShapeError in another order.
  ///
  ///     for (double x : table.span<double>()) total += x;
  template <Element T>
  std::span<T> span() {
    return {static_cast<T*>(checked_span(dtype_of<T>)), static_cast<std::size_t>(size())};
  }
  template <Element T>
  std::span<const T> span() const {
    return {static_cast<const T*>(checked_span(dtype_of<T>)), static_cast<std::size_t>(size())};
  }

  /// One element, whatever the order. Throws DTypeError, and ShapeError unless there is one index in range for each axis.
  ///
  ///     table.at<double>(1, 0) == 3.0
  template <Element T, class... Indices>
  T& at(Indices... indices) {
    return *static_cast<T*>(checked_at(dtype_of<T>, {static_cast<std::int64_t>(indices)...}));
  }
  template <Element T, class... Indices>
  const T& at(Indices... indices) const {
    return *static_cast<const T*>(checked_at(dtype_of<T>, {static_cast<std::int64_t>(indices)...}));
  }

  /// The only element of an array that has one. Throws DTypeError, ShapeError.
  ///
  ///     evaluate("sum(a)", {{"a", a}}).item<double>()
  template <Element T>
  T item() const {
    return *static_cast<const T*>(checked_item(dtype_of<T>));
  }

 private:
  Array(DType dtype, const Shape& shape, const void* values, std::size_t n);
  void* checked_span(DType dtype) const;
  void* checked_at(DType dtype, std::initializer_list<std::int64_t> indices) const;
  void* checked_item(DType dtype) const;
  ArrayView view_;
};

}  // namespace engine ENGINE_API

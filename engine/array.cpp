// array.cpp - owned arrays: memory, copies, checked access.
#include <engine/array.hpp>
#include <engine/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "engine/base/dtype.hpp"
#include "engine/base/half.hpp"

namespace engine {
namespace {

constexpr std::align_val_t kAlignment{64};

std::string text(const Shape& shape) {
  std::string list;
  for (int axis = 0; axis < shape.size(); ++axis) list += fmt::format("{}{}", axis ? ", " : "", shape[axis]);
  return fmt::format("({}{})", list, shape.size() == 1 ? "," : "");
}

[[noreturn]] void fail_shape(std::string what, std::string help = {}) {
  throw ShapeError({.what = std::move(what), .labels = {}, .help = std::move(help), .text = {}});
}

void* allocate(std::size_t n_bytes) {
  void* memory = ::operator new(std::max<std::size_t>(n_bytes, 1), kAlignment, std::nothrow);
  if (!memory)
    throw OutOfMemory({.what = fmt::format("no memory for an array of {} bytes", n_bytes), .labels = {}, .help = {}, .text = {}});
  return memory;
}

/// Bytes of an array of that shape without gaps. Throws where there can be no such array.
std::size_t n_bytes(DType dtype, const Shape& shape) {
  std::size_t bytes = item_size(dtype);
  for (std::int64_t extent : shape)
    if (extent < 0) fail_shape(fmt::format("an array cannot have the shape {}", text(shape)), "extents are 0 or more");
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  for (std::int64_t extent : shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(extent), &bytes) || bytes > PTRDIFF_MAX)
      throw OutOfMemory({.what = fmt::format("no memory for an array of shape {}", text(shape)), .labels = {}, .help = {}, .text = {}});
  return bytes;
}

/// Distance from the first byte to the end of the last element; strides are not negative.
std::size_t extent_of(const ArrayView& view) {
  std::size_t extent = item_size(view.dtype);
  for (int axis = 0; axis < view.shape.size(); ++axis) {
    if (view.shape[axis] == 0) return 0;
    extent += static_cast<std::size_t>((view.shape[axis] - 1) * view.strides[axis]);
  }
  return extent;
}

/// Elements in C order, one axis at a time. `to` has no gaps.
void copy_axis(const ArrayView& from, int axis, const std::byte* source, std::byte*& to) {
  const std::size_t size = item_size(from.dtype);
  if (axis == from.shape.size()) {
    if (!from.swapped) {
      std::memcpy(to, source, size);
    } else {
      const std::size_t part = is_complex(from.dtype) ? size / 2 : size;  // each part in an order of its own
      for (std::size_t at = 0; at < size; at += part) std::reverse_copy(source + at, source + at + part, to + at);
    }
    to += size;
    return;
  }
  const bool is_dense = axis + 1 == from.shape.size() && from.strides[axis] == static_cast<std::int64_t>(size) && !from.swapped;
  if (is_dense) {
    const std::size_t bytes = size * static_cast<std::size_t>(from.shape[axis]);
    std::memcpy(to, source, bytes);
    to += bytes;
    return;
  }
  for (std::int64_t i = 0; i < from.shape[axis]; ++i) copy_axis(from, axis + 1, source + i * from.strides[axis], to);
}

}  // namespace

float to_float(Float16 value) noexcept { return math::half_to_float({value.bits}); }
Float16 to_float16(double value) noexcept { return {math::double_to_half(value).bits}; }

void check_fits(const Shape& shape, std::size_t n) {
  std::size_t items = 1;
  for (std::int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(items, static_cast<std::size_t>(extent), &items)) items = n + 1;
  if (items > n) fail_shape(fmt::format("{} elements are too few for the shape {}", n, text(shape)));
}

Array::Array() noexcept {
  view_.shape.push_back(0);
  view_.strides.push_back(8);
}

Array::Array(DType dtype, const Shape& shape) {
  const std::size_t bytes = n_bytes(dtype, shape);
  view_ = {allocate(bytes), dtype, false, true, shape, c_strides(shape, item_size(dtype))};
  std::memset(view_.data, 0, bytes);
}

Array::Array(const ArrayView& source) : Array(uninitialised(source.dtype, source.shape, c_strides(source.shape, item_size(source.dtype)))) {
  auto* to = static_cast<std::byte*>(view_.data);
  if (size() > 0) copy_axis(source, 0, static_cast<const std::byte*>(source.data), to);
}

Array::Array(DType dtype, const Shape& shape, const void* values, std::size_t n)
    : Array(uninitialised(dtype, shape, c_strides(shape, item_size(dtype)))) {
  if (static_cast<std::size_t>(size()) != n) fail_shape(fmt::format("{} values do not fill the shape {}", n, text(shape)));
  if (n > 0) std::memcpy(view_.data, values, n * item_size(dtype));
}

Array Array::uninitialised(DType dtype, const Shape& shape, const Strides& strides) {
  n_bytes(dtype, shape);  // refuses impossible shapes
  Array array;
  array.view_ = {nullptr, dtype, false, true, shape, strides};
  array.view_.data = allocate(extent_of(array.view_));
  return array;
}

Array::Array(const Array& other) : Array() {
  if (!other.view_.data) return;
  *this = uninitialised(other.dtype(), other.shape(), other.strides());
  std::memcpy(view_.data, other.view_.data, extent_of(view_));
}

Array::Array(Array&& other) noexcept : Array() { std::swap(view_, other.view_); }

Array& Array::operator=(Array other) noexcept {
  std::swap(view_, other.view_);
  return *this;
}

Array::~Array() { ::operator delete(view_.data, kAlignment); }

ArrayView Array::view() const noexcept {
  ArrayView view = view_;
  view.writable = false;
  return view;
}

bool Array::is_c_contiguous() const noexcept {
  auto step = static_cast<std::int64_t>(item_size(dtype()));
  if (size() == 0) return true;
  for (int axis = rank(); axis-- > 0;) {
    if (shape()[axis] > 1 && strides()[axis] != step) return false;
    step *= shape()[axis];
  }
  return true;
}

namespace {

void check_dtype(DType is, DType asked) {
  if (is != asked)
    throw DTypeError({.what = fmt::format("the array holds {}, not {}", name(is), name(asked)),
                      .labels = {},
                      .help = "convert it: evaluate(cast(array, dtype))",
                      .text = {}});
}

}  // namespace

void* Array::checked_span(DType dtype) const {
  check_dtype(this->dtype(), dtype);
  if (!is_c_contiguous()) fail_shape("the array is not in C order", "use at(), or copy it: Array(array.view())");
  return view_.data;
}

void* Array::checked_at(DType dtype, std::initializer_list<std::int64_t> indices) const {
  check_dtype(this->dtype(), dtype);
  if (static_cast<int>(indices.size()) != rank())
    fail_shape(fmt::format("{} indices for an array of shape {}", indices.size(), text(shape())));
  auto* at = static_cast<std::byte*>(view_.data);
  int axis = 0;
  for (std::int64_t index : indices) {
    const std::int64_t extent = shape()[axis];
    if (index < -extent || index >= extent)
      fail_shape(fmt::format("index {} is out of range: axis {} has {} elements", index, axis, extent));
    at += (index < 0 ? index + extent : index) * strides()[axis++];
  }
  return at;
}

void* Array::checked_item(DType dtype) const {
  check_dtype(this->dtype(), dtype);
  if (size() != 1) fail_shape(fmt::format("item() of an array of shape {}", text(shape())), "it is for arrays of one element");
  return view_.data;
}

}  // namespace engine

// Views and owned arrays.
#include <gtest/gtest.h>
#include <engine/engine.hpp>

#include <array>
#include <cmath>
#include <complex>
#include <vector>

#include "engine/base/half.hpp"

namespace engine {
namespace {

static_assert(dtype_of<bool> == DType::Bool && dtype_of<signed char> == DType::Int8 && dtype_of<unsigned char> == DType::UInt8);
static_assert(dtype_of<short> == DType::Int16 && dtype_of<unsigned> == DType::UInt32 && dtype_of<long> == DType::Int64);
static_assert(dtype_of<long long> == DType::Int64 && dtype_of<unsigned long long> == DType::UInt64 && dtype_of<Float16> == DType::Float16);
static_assert(dtype_of<std::complex<float>> == DType::Complex64 && dtype_of<std::complex<double>> == DType::Complex128);
static_assert(!Element<char> && !Element<wchar_t> && !Element<long double> && !Element<int*> && !Element<std::complex<long double>>);

// What would dangle, or has no elements in memory, makes no view.
static_assert(Contiguous<std::vector<double>&> && Contiguous<const std::array<int, 3>&> && Contiguous<std::span<float>>);
static_assert(!Contiguous<std::vector<double>> && !Contiguous<std::vector<bool>&> && !Contiguous<std::vector<char*>&>);

TEST(View, TakesShapeAndStridesFromTheContainer) {
  const std::vector<float> values(6);
  const ArrayView line = view(values);
  EXPECT_EQ(line.shape, Shape{6});
  EXPECT_EQ(line.strides, Strides{4});
  EXPECT_EQ(line.dtype, DType::Float32);
  EXPECT_FALSE(line.writable);
  int raw[4] = {};
  EXPECT_EQ(view(raw).shape, Shape{4});
  EXPECT_TRUE(view(raw).writable);
  EXPECT_EQ(view(std::span<int>(raw)).data, raw);
}

TEST(View, RefusesAShapeThatReachesBeyondTheContainer) {
  std::vector<double> values(6);
  EXPECT_EQ(view(values, {2, 3}).strides, (Strides{24, 8}));
  EXPECT_NO_THROW(view(values, {2, 2}));
  EXPECT_THROW(view(values, {2, 4}), ShapeError);
  EXPECT_THROW(view(values, {-1, 6}), ShapeError);
  EXPECT_THROW(view(values, {std::int64_t{1} << 40, std::int64_t{1} << 40}), ShapeError);
}

TEST(Float16, RoundTripsEveryPattern) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const Float16 half{static_cast<std::uint16_t>(bits)};
    const float value = to_float(half);
    EXPECT_TRUE(std::isnan(value) || to_float16(value) == half) << bits;
  }
  EXPECT_EQ(to_float16(1.0 + 0x1p-11).bits, 0x3c00);  // ties to even
  EXPECT_EQ(to_float16(1.0 + 0x1p-11 + 0x1p-40).bits, 0x3c01);
}

TEST(Array, OfAShapeIsZero) {
  const Array zeros(DType::Complex128, {2, 3});
  EXPECT_EQ(zeros.size(), 6);
  for (std::complex<double> z : zeros.span<std::complex<double>>()) EXPECT_EQ(z, 0.0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(zeros.view().data) % 64, 0u);
}

TEST(Array, CopiesWhatAViewShows) {
  std::vector<std::int16_t> values{0, 1, 2, 3, 4, 5};
  ArrayView turned = view(values.data() + 5, {3, 2}, {-2, -6});
  EXPECT_EQ(Array(turned).at<std::int16_t>(0, 1), 2);
  EXPECT_EQ(Array(turned).at<std::int16_t>(2, 0), 3);
  turned.swapped = true;
  EXPECT_EQ(Array(turned).at<std::int16_t>(0, 0), 0x0500);
  const std::complex<float> z{1, 2};
  ArrayView swapped = view(&z, Shape{});
  swapped.swapped = true;
  const Array once(swapped);
  ArrayView back = once.view();
  back.swapped = true;
  EXPECT_EQ(Array(back).item<std::complex<float>>(), z);  // each part in its own order: not the parts exchanged
  EXPECT_EQ(Array(view(values.data(), {0, 3})).size(), 0);
  EXPECT_EQ(Array(view(values.data(), {4}, {0})).at<std::int16_t>(3), 0);
}

TEST(Array, IsAValue) {
  Array a({2}, {1, 2});
  const Array b = a;
  a.at<int>(0) = 7;
  EXPECT_EQ(b.at<int>(0), 1);
  const Array c = std::move(a);
  EXPECT_EQ(c.at<int>(0), 7);
  EXPECT_EQ(a.size(), 0);  // NOLINT(bugprone-use-after-move)
  Array d({1}, {5});
  d = c;
  d = static_cast<const Array&>(d);
  EXPECT_EQ(d.at<int>(1), 2);
}

TEST(Array, KeepsItsLayoutWhenCopied) {
  Array columns = Array::uninitialised(DType::Int32, {2, 3}, {4, 8});
  for (int i = 0; i < 2; ++i)
    for (int k = 0; k < 3; ++k) columns.at<int>(i, k) = 10 * i + k;
  const Array copy = columns;
  EXPECT_EQ(copy.strides(), (Strides{4, 8}));
  EXPECT_EQ(copy.at<int>(1, 2), 12);
  EXPECT_FALSE(copy.is_c_contiguous());
  EXPECT_THROW(copy.span<int>(), ShapeError);
  EXPECT_EQ(Array(copy.view()).span<int>()[5], 12);
}

TEST(Array, RefusesAccessThatDoesNotFit) {
  Array a({2, 2}, {1.0, 2.0, 3.0, 4.0});
  EXPECT_EQ(a.at<double>(-1, -2), 3);
  EXPECT_THROW(a.at<double>(2, 0), ShapeError);
  EXPECT_THROW(a.at<double>(0, -3), ShapeError);
  EXPECT_THROW(a.at<double>(0), ShapeError);
  EXPECT_THROW(a.at<float>(0, 0), DTypeError);
  EXPECT_THROW(a.span<std::int64_t>(), DTypeError);
  EXPECT_THROW(a.item<double>(), ShapeError);
  EXPECT_EQ(Array(Shape{}, {3.5}).item<double>(), 3.5);
}

TEST(Array, RefusesShapesThatCannotBe) {
  EXPECT_THROW(Array(DType::Float64, {-1}), ShapeError);
  EXPECT_THROW(Array(DType::Float64, {std::int64_t{1} << 40, std::int64_t{1} << 40}), OutOfMemory);
  EXPECT_EQ(Array(DType::Float64, {std::int64_t{1} << 40, 0}).size(), 0);
  EXPECT_THROW(Array({3}, {1, 2}), ShapeError);
}

TEST(Array, ThatIsConstIsNotWritten) {
  const Array a({2}, {1.0, 2.0});
  EXPECT_FALSE(a.view().writable);
  EXPECT_THROW(evaluate_into(a.view(), "1.0"), ShapeError);
  EXPECT_THROW(execute("a += 1", {{"a", a}}), ShapeError);
  EXPECT_EQ(a.at<double>(0), 1);
}

}  // namespace
}  // namespace engine

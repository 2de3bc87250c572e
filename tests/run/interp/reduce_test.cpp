#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "../samples.hpp"
#include "engine/catalog/type_rule.hpp"
#include "engine/run/interp/kernels.hpp"

namespace engine::run::interp {
namespace {

/// The tree of one group, told plainly: lanes in order, then halves.
double plain(const std::vector<double>& x) {
  std::vector<double> lanes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i < kLanes)
      lanes.push_back(x[i]);
    else
      lanes[i % kLanes] += x[i];
  }
  for (std::size_t half = kLanes / 2; half; half /= 2)
    for (std::size_t j = 0; j < half; ++j)
      if (j + half < lanes.size() && lanes.size() > half)
        lanes[j] += lanes[j + half];
      else
        continue;
  return lanes[0];
}

TEST(ReduceKernels, FollowTheTree) {
  std::mt19937_64 random(1);
  const ReduceKernels* k = reduce_kernels(catalog::Reduction::Sum, DType::Float64);
  ASSERT_NE(k, nullptr);
  for (std::size_t n : {1u, 2u, 3u, 5u, 31u, 32u, 33u, 63u, 64u, 65u, 127u, 128u, 200u, 511u, 512u}) {
    std::vector<double> x(n);
    for (double& v : x) v = std::ldexp(static_cast<double>(random()), -static_cast<int>(random() % 60));
    std::vector<double> lanes(kLanes);
    double result = 0;
    k->group(lanes.data(), x.data(), n);
    k->fold(&result, lanes.data(), std::min(n, kLanes));
    EXPECT_EQ(result, plain(x)) << n;
    if (n <= kLanes) {
      k->rows(&result, x.data(), 1, n);
      EXPECT_EQ(result, plain(x)) << n;
    }
  }
}

/// The tree of a block by the kernels of its groups, and of blocks pairwise.
std::vector<std::byte> by_groups(const ReduceKernels& k, std::size_t item, const std::byte* x, std::size_t n) {
  std::vector<std::vector<std::byte>> groups;
  std::vector<std::size_t> widths;
  for (std::size_t done = 0; done < n; done += kBlock) {
    widths.push_back(std::min({n - done, kLanes}));
    k.group(groups.emplace_back(kLanes * item).data(), x + done * item, std::min(n - done, kBlock));
  }
  if (groups.size() > 1) k.combine(groups[0].data(), groups[1].data(), widths[1]);
  if (groups.size() > 3) k.combine(groups[2].data(), groups[3].data(), widths[3]);
  if (groups.size() > 2) k.combine(groups[0].data(), groups[2].data(), widths[2]);
  std::vector<std::byte> value(item);
  k.fold(value.data(), groups[0].data(), widths[0]);
  return value;
}

TEST(ReduceKernels, MakeBlocksAtOnceThatHaveTheBitsOfTheirGroups) {
  for (const catalog::Reduction primitive : {catalog::Reduction::Sum, catalog::Reduction::Prod})
    for (const DType dtype : {DType::Int64, DType::UInt64, DType::Float32, DType::Float64}) {
      const ReduceKernels& k = *reduce_kernels(primitive, dtype);
      ASSERT_NE(k.blocks, nullptr);
      const std::size_t item = item_size(dtype);
      std::vector<std::byte> x = sample(dtype, 16 * kTreeBlock, 7), value(item);
      if (dtype == DType::Float64)  // without NaN, in which a sum would end
        for (std::size_t i = 0; i < 16 * kTreeBlock; ++i) {
          const double number = -1.5 + static_cast<double>(i % 1000) * 1e-3;
          std::memcpy(x.data() + i * item, &number, item);
        }
      for (std::size_t n = 1; n <= kTreeBlock; n += n < 600 ? 1 : 37) {
        k.block(value.data(), x.data(), n);
        EXPECT_TRUE(same(dtype, value.data(), by_groups(k, item, x.data(), n).data())) << name(dtype) << " " << n;
      }
      for (const std::size_t length : {std::size_t{1}, std::size_t{65}, std::size_t{316}, std::size_t{1000}, kTreeBlock})
        for (const std::size_t rows : {1, 7, 8, 9, 15}) {
          std::vector<std::byte> cells(rows * item);
          k.cells(cells.data(), x.data(), rows, length);
          for (std::size_t r = 0; r < rows; ++r)
            EXPECT_TRUE(same(dtype, cells.data() + r * item, by_groups(k, item, x.data() + r * length * item, length).data()))
                << name(dtype) << " row " << r << " of " << rows << " of " << length;
        }
      for (std::size_t n = 1; n <= ReduceKernels::kMostBlocks; n *= 2) {
        std::vector<std::vector<std::byte>> values;
        for (std::size_t b = 0; b < n; ++b) values.push_back(by_groups(k, item, x.data() + b * kTreeBlock * item, kTreeBlock));
        for (std::size_t apart = 1; apart < n; apart *= 2)
          for (std::size_t b = 0; b + apart < n; b += 2 * apart) k.combine(values[b].data(), values[b + apart].data(), 1);
        k.blocks(value.data(), x.data(), n);
        EXPECT_TRUE(same(dtype, value.data(), values[0].data())) << name(dtype) << " blocks " << n;
      }
    }
}

TEST(ReduceKernels, PickInShortRowsWhatTheLanesOfEachPick) {
  for (const catalog::Reduction primitive : {catalog::Reduction::Min, catalog::Reduction::Max})
    for (const DType dtype : {DType::Float32, DType::Float64, DType::Int32}) {
      const ReduceKernels& k = *reduce_kernels(primitive, dtype);
      const std::size_t item = item_size(dtype);
      for (const std::size_t length : {3u, 5u, 8u, 10u, 33u, 64u}) {
        constexpr std::size_t kRows = 150;
        std::vector<std::byte> x = sample(dtype, kRows * length, 9), values(kRows * item), value(item);
        for (std::size_t i = 11; i < kRows * length; i += 7)  // NaN, infinities and zeros, which are the first, in other rows, too
          std::memcpy(x.data() + i * item, x.data() + i % 11 * item, item);
        k.rows(values.data(), x.data(), kRows, length);
        for (std::size_t r = 0; r < kRows; ++r) {
          std::vector<std::byte> lanes(x.begin() + static_cast<std::ptrdiff_t>(r * length * item),
                                       x.begin() + static_cast<std::ptrdiff_t>((r + 1) * length * item));
          lanes.resize(kLanes * item);
          k.fold(value.data(), lanes.data(), length);
          EXPECT_TRUE(same(dtype, values.data() + r * item, value.data())) << name(dtype) << " row " << r << " of " << length;
        }
      }
    }
}

TEST(ReduceKernels, KeepTheSignOfZerosInPartsOfBlocks) {
  const ReduceKernels& k = *reduce_kernels(catalog::Reduction::Sum, DType::Float64);
  const std::vector<double> zeros(kTreeBlock, -0.0);
  for (const std::size_t n : {std::size_t{1}, std::size_t{63}, std::size_t{65}, std::size_t{512}, std::size_t{700}, kTreeBlock}) {
    double sum = 1;
    k.block(&sum, zeros.data(), n);
    EXPECT_TRUE(sum == 0 && std::signbit(sum)) << n;
  }
}

TEST(ReduceKernels, TakeEightRowsInOrder) {
  std::mt19937_64 random(2);
  for (const catalog::Reduction primitive :
       {catalog::Reduction::Sum, catalog::Reduction::Prod, catalog::Reduction::Min, catalog::Reduction::Max})
    for (const double odd : {1.0, 0.0, -0.0, __builtin_nan("")}) {
      const ReduceKernels* k = reduce_kernels(primitive, DType::Float64);
      std::vector<double> x(8 * 100);
      for (double& v : x) v = -1 - std::ldexp(static_cast<double>(random()), -63);
      x[433] = odd;
      const void* rows[8];
      for (std::size_t r = 0; r < 8; ++r) rows[r] = x.data() + 100 * r;
      std::vector<double> out(100), expected(x.begin(), x.begin() + 100);
      for (std::size_t r = 1; r < 8; ++r) k->combine(expected.data(), rows[r], 100);
      k->eight(out.data(), rows, 100);
      for (std::size_t i = 0; i < 100; ++i)
        EXPECT_TRUE(out[i] == expected[i] ? std::signbit(out[i]) == std::signbit(expected[i]) : out[i] != out[i]) << i;
    }
}

TEST(ReduceKernels, ExistForEveryAccumulatorTheRowsName) {
  for (const catalog::ReductionInfo& row : catalog::reductions())
    for (std::size_t i = 0; i < kDTypes; ++i) {
      const DType dtype = catalog::reduction_types(row.id, static_cast<DType>(i)).accumulator;
      if (!catalog::has_moments(row.kernel)) {
        EXPECT_NE(reduce_kernels(row.kernel, dtype), nullptr) << row.name << " " << name(dtype);
      } else if (!is_complex(dtype)) {  // complex variances are taken of the parts
        EXPECT_NE(moment_kernels(row.kernel, dtype), nullptr) << row.name << " " << name(dtype);
      }
    }
}

}  // namespace
}  // namespace engine::run::interp

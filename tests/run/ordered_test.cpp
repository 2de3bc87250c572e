// Operations along an axis over plain memory: the tree of scans, stable sorts, one answer for any number of threads.
#include "engine/run/ordered/ordered.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

namespace engine::run::ordered {
namespace {

using catalog::Ordered;

std::vector<double> numbers(std::size_t n) {
  std::vector<double> x(n);
  std::uint64_t state = 88172645463325252u;
  for (double& v : x) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    v = std::ldexp(static_cast<double>(static_cast<std::int64_t>(state)), -static_cast<int>(40 + state % 30));
  }
  return x;
}

template <class To = double>
std::vector<To> along(Ordered ordered, const std::vector<double>& x, Rows rows, int threads, bool exclusive = false) {
  std::vector<To> out(x.size());
  const RunOptions options;
  Watch watch(options);
  run({.ordered = ordered,
       .dtype = DType::Float64,
       .source = x.data(),
       .target = out.data(),
       .rows = rows,
       .exclusive = exclusive,
       .threads = threads,
       .watch = &watch});
  return out;
}

template <class T>
bool same_bits(const std::vector<T>& x, const std::vector<T>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(T)) == 0;
}

TEST(Scan, HasTheSameBitsForAnyNumberOfThreads) {
  for (const std::size_t n : {1u, 33u, 2049u, 40'000u, 140'001u, 300'000u}) {
    const std::vector<double> x = numbers(n);
    const Rows line{.length = static_cast<std::int64_t>(n)};
    const std::vector<double> one = along(Ordered::Cumsum, x, line, 1);
    for (const int threads : {2, 5}) EXPECT_TRUE(same_bits(one, along(Ordered::Cumsum, x, line, threads))) << n;
  }
}

TEST(Scan, CombinesSegmentsOfThirtyTwoAndThenTheirTotals) {
  const std::vector<double> x = numbers(70);
  const std::vector<double> out = along(Ordered::Cumsum, x, {.length = 70}, 1);
  const auto sum = [&](std::size_t first, std::size_t end) { return std::accumulate(x.begin() + first + 1, x.begin() + end, x[first]); };
  EXPECT_EQ(out[40], sum(0, 32) + sum(32, 41));
  EXPECT_EQ(out[69], sum(0, 32) + sum(32, 64) + sum(64, 70));
}

TEST(Scan, AlongAnOuterAxisIsTheScanOfEachColumn) {
  const std::int64_t n = 5000, inner = 70;
  const std::vector<double> x = numbers(static_cast<std::size_t>(n * inner));
  const std::vector<double> out = along(Ordered::Cumsum, x, {.length = n, .inner = inner}, 3);
  for (const std::int64_t column : {std::int64_t{0}, std::int64_t{63}, inner - 1}) {
    std::vector<double> line, wanted;
    for (std::int64_t i = 0; i < n; ++i) line.push_back(x[static_cast<std::size_t>(i * inner + column)]);
    for (std::int64_t i = 0; i < n; ++i) wanted.push_back(out[static_cast<std::size_t>(i * inner + column)]);
    EXPECT_TRUE(same_bits(along(Ordered::Cumsum, line, {.length = n}, 1), wanted)) << column;
  }
}

TEST(Scan, ExclusiveBeginsWithTheIdentity) {
  const std::vector<double> x = {3, 1, 2};
  EXPECT_EQ(along(Ordered::Cumsum, x, {.length = 3}, 1, true), (std::vector<double>{0, 3, 4}));
  EXPECT_EQ(along(Ordered::Cumprod, x, {.length = 3}, 1, true), (std::vector<double>{1, 3, 3}));
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(along(Ordered::Cummin, x, {.length = 3}, 1, true), (std::vector<double>{inf, 3, 1}));
  EXPECT_EQ(along(Ordered::Cummax, x, {.length = 3}, 1, true), (std::vector<double>{-inf, 3, 3}));
}

TEST(Sort, OfLongRowsIsMergedByManyThreads) {
  for (const std::size_t n : {1'048'576u, 1'048'577u, 2'500'001u}) {
    std::vector<double> x = numbers(n);
    for (double& v : x) v = std::floor(std::fmod(v, 500.0));
    const Rows line{.length = static_cast<std::int64_t>(n)};
    std::vector<std::int64_t> places(n);
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(),
                     [&](std::int64_t i, std::int64_t j) { return x[static_cast<std::size_t>(i)] < x[static_cast<std::size_t>(j)]; });
    EXPECT_EQ(along<std::int64_t>(Ordered::Argsort, x, line, 3), places) << n;
    const std::vector<double> sorted = along(Ordered::Sort, x, line, 3);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(std::signbit(sorted[i]), std::signbit(x[static_cast<std::size_t>(places[i])])) << i;
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
  }
}

TEST(Sort, PutsNanLastAndLeavesZerosInTheirOrder) {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const std::vector<double> x = {nan, 0.0, -0.0, inf, -inf, 0.0, -nan, -1};
  const std::vector<double> out = along(Ordered::Sort, x, {.length = 8}, 1);
  EXPECT_EQ(out[0], -inf);
  EXPECT_EQ(out[1], -1);
  EXPECT_FALSE(std::signbit(out[2]));
  EXPECT_TRUE(std::signbit(out[3]));
  EXPECT_FALSE(std::signbit(out[4]));
  EXPECT_EQ(out[5], inf);
  EXPECT_TRUE(std::isnan(out[6]) && std::isnan(out[7]));
  EXPECT_EQ(along<std::int64_t>(Ordered::Argsort, x, {.length = 8}, 1), (std::vector<std::int64_t>{4, 7, 1, 2, 5, 3, 0, 6}));
}

TEST(Sort, OfEveryShortLengthIsStable) {
  for (std::int64_t n = 1; n < 300; n += n < 40 ? 1 : 37) {
    std::vector<double> x = numbers(static_cast<std::size_t>(n * 6));
    for (double& v : x) v = std::floor(std::fmod(v, 5.0));
    const Rows rows{.outer = 2, .length = n, .inner = 3};
    const std::vector<std::int64_t> places = along<std::int64_t>(Ordered::Argsort, x, rows, 2);
    for (std::int64_t row = 0; row < 6; ++row) {
      const std::int64_t at = row / 3 * n * 3 + row % 3;
      for (std::int64_t i = 1; i < n; ++i) {
        const std::int64_t p = places[static_cast<std::size_t>(at + 3 * (i - 1))], q = places[static_cast<std::size_t>(at + 3 * i)];
        const double before = x[static_cast<std::size_t>(at + 3 * p)], after = x[static_cast<std::size_t>(at + 3 * q)];
        ASSERT_TRUE(before < after || (before == after && p < q)) << n;
      }
    }
  }
}

TEST(Ordered, StopsWhereTheCallerWishes) {
  const std::vector<double> x = numbers(4'000'000);
  std::vector<double> out(x.size());
  RunOptions options;
  options.interrupted = [](void*) { return true; };
  for (const Ordered ordered : {Ordered::Sort, Ordered::Cumsum})
    for (const int threads : {1, 4}) {
      Watch watch(options);
      const auto call = [&] {
        for (int i = 0; i < 1000; ++i)
          run({.ordered = ordered,
               .dtype = DType::Float64,
               .source = x.data(),
               .target = out.data(),
               .rows = {.length = static_cast<std::int64_t>(x.size())},
               .threads = threads,
               .watch = &watch});
      };
      EXPECT_THROW(call(), Interrupted);
    }
}

}  // namespace
}  // namespace engine::run::ordered

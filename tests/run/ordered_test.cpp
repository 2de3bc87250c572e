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

/// find() and collect() over plain memory.
template <class To>
std::vector<To> found(Work work, int threads) {
  const RunOptions options;
  Watch watch(options);
  work.threads = threads;
  work.watch = &watch;
  const Found count = find(work);
  std::vector<To> out(static_cast<std::size_t>(count.count * work.rows.inner));
  work.target = out.data();
  collect(work, count);
  return out;
}

/// Hands on what lies in memory, in blocks of odd length.
template <class T>
Stream stream_of(const std::vector<T>& x) {
  return [&x](std::int64_t first, std::int64_t end, const Sink& sink) {
    for (std::int64_t n = 0; first < end; first += n) {
      n = std::min<std::int64_t>(97, end - first);
      sink(x.data() + first, first, n);
    }
  };
}

TEST(Select, TakesWhatIsTrueForAnyNumberOfThreads) {
  for (const std::size_t n : {1u, 7u, 8u, 9u, 4096u, 4097u, 200'003u}) {
    const std::vector<double> x = numbers(n);
    for (const int one_in : {1, 2, 500}) {
      std::vector<std::uint8_t> condition(n);
      std::vector<double> wanted;
      for (std::size_t i = 0; i < n; ++i) {
        condition[i] = static_cast<std::uint8_t>(i * 7919 % 501 % static_cast<std::size_t>(one_in) == 0 ? 1 + i % 200 : 0);
        if (condition[i]) wanted.push_back(x[i]);
      }
      Work work{.ordered = Ordered::Compress, .dtype = DType::Float64, .second = condition.data()};
      work.rows.length = static_cast<std::int64_t>(n);
      work.stream = stream_of(x);
      for (const int threads : {1, 3}) EXPECT_TRUE(same_bits(found<double>(work, threads), wanted)) << n << " " << one_in;
    }
  }
}

TEST(Select, TakesWholeRowsAndComputesNoOthers) {
  const std::vector<double> x = numbers(6 * 5);
  const std::vector<std::uint8_t> condition = {0, 1, 1, 0, 0, 1};
  Work work{.ordered = Ordered::Compress, .dtype = DType::Float64, .second = condition.data()};
  work.rows = {.length = 6, .inner = 5};
  std::int64_t computed = 0;
  work.stream = [&](std::int64_t first, std::int64_t end, const Sink& sink) {
    computed += end - first;
    stream_of(x)(first, end, sink);
  };
  std::vector<double> wanted(x.begin() + 5, x.begin() + 15);
  wanted.insert(wanted.end(), x.begin() + 25, x.end());
  EXPECT_TRUE(same_bits(found<double>(work, 1), wanted));
  EXPECT_EQ(computed, 15);
}

TEST(Unique, HasOneOfEachAndOneNan) {
  const double nan = std::nan("");
  const std::vector<double> sorted = {-2, -2, 0, 0, 0, 7, nan, nan};
  Work work{.ordered = Ordered::Unique, .dtype = DType::Float64, .source = sorted.data()};
  work.rows.length = 8;
  const std::vector<double> one = found<double>(work, 1);
  ASSERT_EQ(one.size(), 4u);
  EXPECT_TRUE(one[0] == -2 && one[1] == 0 && one[2] == 7 && std::isnan(one[3]));
  work.ordered = Ordered::UniqueCounts;
  EXPECT_EQ(found<std::int64_t>(work, 1), (std::vector<std::int64_t>{2, 3, 1, 2}));
}

TEST(Partition, PutsThePlacesElementWhereASortWouldAndLeavesTheRestInOrder) {
  for (const std::size_t n : {1u, 50u, 4097u, 300'001u}) {
    std::vector<double> x = numbers(n);
    for (double& v : x) v = std::floor(std::fmod(v, 1000.0));
    std::vector<double> sorted = x;
    std::sort(sorted.begin(), sorted.end());
    for (const std::int64_t k : {std::int64_t{0}, static_cast<std::int64_t>(n) / 3, static_cast<std::int64_t>(n) - 1}) {
      std::vector<double> wanted;
      const double pivot = sorted[static_cast<std::size_t>(k)];
      for (const int side : {-1, 0, 1})
        for (const double v : x)
          if ((v > pivot) - (v < pivot) == side) wanted.push_back(v);
      for (const int threads : {1, 3}) {
        std::vector<double> out(n);
        const RunOptions options;
        Watch watch(options);
        run({.ordered = Ordered::Partition,
             .dtype = DType::Float64,
             .source = x.data(),
             .target = out.data(),
             .rows = {.length = static_cast<std::int64_t>(n)},
             .number = k,
             .threads = threads,
             .watch = &watch});
        EXPECT_TRUE(same_bits(out, wanted)) << n << " " << k;
      }
    }
  }
}

TEST(Bincount, RefusesNegativeNumbers) {
  const std::vector<std::int64_t> x = {3, 0, 3};
  Work work{.ordered = Ordered::Bincount, .dtype = DType::Int64, .source = x.data()};
  work.rows.length = 3;
  work.number = 6;
  EXPECT_EQ(found<std::int64_t>(work, 1), (std::vector<std::int64_t>{1, 0, 0, 2, 0, 0}));
  const std::vector<std::int64_t> below = {1, -1};
  work.source = below.data();
  work.rows.length = 2;
  EXPECT_THROW(found<std::int64_t>(work, 1), Refused);
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

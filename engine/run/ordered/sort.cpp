// run/ordered/sort.cpp - stable sorts. Numbers become unsigned integers in the same order (NaN last, both zeros one key), of which
// equal ones are the same, or carry their places and are all different: then any sort is a stable one, and Highway's vectorised
// quicksort is the fastest. Complex numbers are compared, by Thrust's merge sort for its host system (CCCL); so is everything by
// Thrust's sorts where the processor has no vectors that would do. Long rows are sorted in pieces and merged, so that several threads
// share them and a wish to stop is heard.
#define THRUST_HOST_SYSTEM THRUST_HOST_SYSTEM_CPP
#if !defined(__CUDACC__)
#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_CPP
#endif
#include <thrust/execution_policy.h>
#include <thrust/sort.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/pages.hpp"
#include "engine/run/ordered/keys.hpp"
#include "engine/run/ordered/lanes.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/ordered/vqsort.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

constexpr std::int64_t kMost = 1 << 22;    ///< elements sorted in one go: some 80 ms, which nobody can interrupt
constexpr std::int64_t kLeast = 1 << 16;   ///< elements of a piece, where a row is shared by threads
constexpr std::int64_t kLoaded = 1 << 14;  ///< elements computed and made items of in one go, while they are near
constexpr std::int64_t kMerged = 1 << 17;  ///< elements merged in one go
constexpr std::int64_t kChunk = 1 << 16;   ///< elements of short rows in one piece of work
constexpr std::int64_t kTiny = 16;         ///< up to so many, all pairs are compared without a branch
constexpr std::int64_t kCounters = 256;    ///< from so many on, items of one byte are counted
constexpr std::int64_t kColumns = 16;      ///< columns brought together at once

// What is sorted: an Item of each element, in an order `Less`; what becomes of it where it ends up: `result`.

template <class T>
struct Keys {
  using Value = T;
  using Item = Bits<T>;
  using Less = std::less<Item>;
  using Result = T;
  static constexpr bool kGivesPlaces = false;
  static Item item(T x, std::int64_t) { return key_of(x); }
  static T result(Item item) { return value_of<T>(item); }
};
template <class T>
struct Keys<math::Complex<T>> {
  using Value = math::Complex<T>;
  using Item = Value;
  using Less = ComplexLess;
  using Result = Value;
  static constexpr bool kGivesPlaces = false;
  static Item item(Value x, std::int64_t) { return x; }
  static Value result(Item item) { return item; }
};
/// Keys of up to 32 bits with their places in rows of fewer than 2^32 elements, in one integer.
template <class T>
struct PackedPlaces {
  using Value = T;
  using Item = std::uint64_t;
  using Less = std::less<Item>;
  using Result = std::int64_t;
  static constexpr bool kGivesPlaces = true;
  static Item item(T x, std::int64_t place) { return std::uint64_t{key_of(x)} << 32 | static_cast<std::uint64_t>(place); }
  static std::int64_t result(Item item) { return static_cast<std::int64_t>(item & 0xffffffffu); }
};
template <class T>
struct Places {
  using Value = T;
  using Item = Pair;
  using Less = std::less<Item>;
  using Result = std::int64_t;
  static constexpr bool kGivesPlaces = true;
  static Item item(T x, std::int64_t place) { return {static_cast<std::uint64_t>(place), key_of(x)}; }
  static std::int64_t result(const Item& item) { return static_cast<std::int64_t>(item.place); }
};
template <class T>
struct Places<math::Complex<T>> {
  using Value = math::Complex<T>;
  struct Item {
    Value key;
    std::int64_t place;
  };
  struct Less {
    bool operator()(const Item& x, const Item& y) const {
      const ComplexLess less{};
      return less(x.key, y.key) || (!less(y.key, x.key) && x.place < y.place);
    }
  };
  using Result = std::int64_t;
  static constexpr bool kGivesPlaces = true;
  static Item item(Value x, std::int64_t place) { return {x, place}; }
  static std::int64_t result(const Item& item) { return item.place; }
};

/// How many of the first `count` elements of two sorted rows merged are the first row's, whose equal elements go first.
template <class Item, class Less>
std::int64_t share(const Item* a, std::int64_t n_a, const Item* b, std::int64_t n_b, std::int64_t count, Less less) {
  std::int64_t low = std::max<std::int64_t>(0, count - n_b), high = std::min(count, n_a);
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (less(b[count - middle - 1], a[middle]))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/// Without a branch that could be guessed wrongly: put(item) for each, in order.
template <class Item, class Less, class Put>
void merge(const Item* a, const Item* a_end, const Item* b, const Item* b_end, Less less, Put& put) {
  while (a < a_end && b < b_end) {
    const bool second = less(*b, *a);
    put(second ? *b : *a);
    a += !second;
    b += second;
  }
  for (; a < a_end; ++a) put(*a);
  for (; b < b_end; ++b) put(*b);
}

/// Bytes: how many of each.
void count_sort(std::uint8_t* items, std::int64_t n) {
  std::int64_t counts[256]{};
  for (std::int64_t i = 0; i < n; ++i) ++counts[items[i]];
  for (int value = 0; value < 256; ++value) {
    std::memset(items, value, static_cast<std::size_t>(counts[value]));
    items += counts[value];
  }
}

/// Up to kTiny: the place of each is how many go before it.
template <class Item, class Less>
void rank(const Item* items, std::int64_t n, Less less, std::int64_t* ranks) {
  std::fill_n(ranks, n, 0);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      const bool first = less(items[i], items[j]);
      ranks[j] += first;
      ranks[i] += !first;
    }
}

/// The vectorised sort of that type, or null.
template <class Item>
auto vector_sort() {
  const VectorSorts& sorts = vector_sorts();
  if constexpr (std::is_same_v<Item, std::uint16_t>)
    return sorts.of16;
  else if constexpr (std::is_same_v<Item, std::uint32_t>)
    return sorts.of32;
  else if constexpr (std::is_same_v<Item, std::uint64_t>)
    return sorts.of64;
  else if constexpr (std::is_same_v<Item, Pair>)
    return sorts.of_pairs;
  else
    return nullptr;
}

template <class Item, class Less>
void sort_items(Item* items, std::int64_t n, Less less) {
  if (n <= kTiny) {
    Item given[kTiny]{};
    std::int64_t ranks[kTiny];
    std::copy_n(items, n, given);
    rank(given, n, less, ranks);
    for (std::int64_t i = 0; i < n; ++i) items[ranks[i]] = given[i];
    return;
  }
  if constexpr (std::is_same_v<Item, std::uint8_t>)
    if (n >= kCounters) return count_sort(items, n);
  const auto sort = vector_sort<Item>();
  if constexpr (!std::is_same_v<decltype(sort), const std::nullptr_t>)
    if (sort) return sort(items, static_cast<std::size_t>(n));
  if constexpr (std::is_integral_v<Item>)
    thrust::stable_sort(thrust::seq, items, items + n);
  else
    thrust::stable_sort(thrust::seq, items, items + n, less);
}

// Items may lie where elements are.
template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}
template <class T>
void store(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

/// to[i * to_step] = make(from[i * from_step], i) for i < n. Steps of one are known to the compiler: those loops become vectors.
template <class From, class To, class Make>
void convert(const From* from, std::int64_t from_step, To* to, std::int64_t to_step, std::int64_t n, Make make) {
  const auto* const in = reinterpret_cast<const char*>(from);
  auto* const out = reinterpret_cast<char*>(to);
  constexpr auto kFrom = static_cast<std::int64_t>(sizeof(From)), kTo = static_cast<std::int64_t>(sizeof(To));
  const auto all = [&](auto in_step, auto out_step) {
    for (std::int64_t i = 0; i < n; ++i) store<To>(out + i * kTo * out_step, make(load<From>(in + i * kFrom * in_step), i));
  };
  constexpr std::integral_constant<std::int64_t, 1> kOne;
  if (from_step == 1 && to_step == 1)
    all(kOne, kOne);
  else
    all(from_step, to_step);
}

/// Sorts rows of one length. Memory is that of items where it holds them, and of elements before and after.
template <class S>
class Sorter {
 public:
  using T = typename S::Value;
  using Item = typename S::Item;
  using Result = typename S::Result;
  static constexpr bool kHasZeros = std::is_floating_point_v<T> && !S::kGivesPlaces;

  /// `step`: elements lie so far apart, in both arrays.
  Sorter(std::int64_t n, std::int64_t step, int threads, Watch& watch)
      : n_(n), step_(step), threads_(threads), watch_(watch), pieces_(n_pieces(n, threads)) {
    if (step_ != 1 || sizeof(Item) != sizeof(Result)) items_ = Buffer<Item>(static_cast<std::size_t>(n));
    if (pieces_ > 1) merged_ = Buffer<Item>(static_cast<std::size_t>(n));
  }

  /// `out` may be `in`. `fill(first, end)`, where there is one, computes elements of `in` first.
  void sort(const T* in, Result* out, const Fill& fill) {
    Item* items = items_.get() ? items_.get() : reinterpret_cast<Item*>(out);
    Item* merged = merged_.get();
    std::vector<Zeros> zeros(static_cast<std::size_t>(kHasZeros ? pieces_ : 0));
    const std::int64_t width = (n_ + pieces_ - 1) / pieces_;
    parallel_for(threads_, pieces_, [&](std::int64_t piece) {
      const std::int64_t first = std::min(n_, piece * width), end = std::min(n_, first + width);
      for (std::int64_t at = first; at < end; at += kLoaded) {
        if (at - first > 0 || pieces_ > 1) watch_.poll();
        const std::int64_t to = std::min(end, at + kLoaded);
        if (fill) fill(at, to);
        if constexpr (kHasZeros) zeros[static_cast<std::size_t>(piece)].read(in, at, to, step_);
        to_items(in, items, at, to);
      }
      sort_items(items + first, end - first, less_);
      if constexpr (kHasZeros) zeros[static_cast<std::size_t>(piece)].count(items + first, end - first);
    });
    for (std::int64_t run = width; run < n_; run *= 2) {
      const bool is_last = 2 * run >= n_ && items != reinterpret_cast<const Item*>(out);
      parallel_for(threads_, (n_ + kMerged - 1) / kMerged, [&](std::int64_t block) {
        watch_.poll();
        const std::int64_t i = block * kMerged, end = std::min(n_, i + kMerged);
        if (is_last)
          merge_block(items, i, end, run, [to = out + i * step_, step = step_](const Item& item) mutable {
            store(reinterpret_cast<char*>(to), S::result(item));
            to += step;
          });
        else
          merge_block(items, i, end, run, [to = merged + i](const Item& item) mutable { *to++ = item; });
      });
      std::swap(items, merged);
      if (is_last) return put_zeros(zeros, out);
    }
    parallel_for(pieces_ > 1 ? threads_ : 1, (n_ + kMerged - 1) / kMerged, [&](std::int64_t block) {
      const std::int64_t end = std::min(n_, (block + 1) * kMerged);
      to_results(items, out, block * kMerged, end);
    });
    put_zeros(zeros, out);
  }

 private:
  static std::int64_t n_pieces(std::int64_t n, int threads) {
    const std::int64_t shared = threads > 1 ? std::min<std::int64_t>(threads, n / kLeast) : 1;
    const std::int64_t least = std::max<std::int64_t>({1, shared, (n + kMost - 1) / kMost});
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(least)));
  }

  void to_items(const T* in, Item* items, std::int64_t first, std::int64_t end) const {
    convert<T, Item>(in + first * step_, step_, items + first, 1, end - first,
                     [first](T x, std::int64_t i) { return S::item(x, first + i); });
  }
  void to_results(const Item* items, Result* out, std::int64_t first, std::int64_t end) const {
    convert<Item, Result>(items + first, 1, out + first * step_, step_, end - first,
                          [](const Item& item, std::int64_t) { return S::result(item); });
  }

  /// Both zeros have one key, so where there are negative ones their signs are taken from the row, in order: those of one piece, from
  /// its first negative one on.
  struct Zeros {
    std::vector<bool> negative;
    std::int64_t total = 0;

    void read(const T* in, std::int64_t first, std::int64_t end, std::int64_t step) {
      Bits<T> changed{};  // by the addition: of no number but -0
      if (negative.empty())
        for (std::int64_t i = first; i < end; ++i)
          changed |= static_cast<Bits<T>>(math::bit_cast<Bits<T>>(in[i * step]) ^ math::bit_cast<Bits<T>>(in[i * step] + T{0}));
      if (negative.empty() && !changed) return;
      for (std::int64_t i = first; i < end; ++i) {
        const T x = in[i * step];
        if (x == 0 && (!negative.empty() || __builtin_signbit(x))) negative.push_back(__builtin_signbit(x));
      }
    }
    void count(const Item* items, std::int64_t n) {
      const auto range = std::equal_range(items, items + n, key_of(T{0}));
      total = range.second - range.first;
    }
  };

  void put_zeros(const std::vector<Zeros>& zeros, Result* out) const {
    if constexpr (kHasZeros) {
      if (std::all_of(zeros.begin(), zeros.end(), [](const Zeros& each) { return each.negative.empty(); })) return;
      std::int64_t at = 0;  // the first zero of the row
      for (std::int64_t low = 0, high = n_; low < high; at = low) {
        const std::int64_t middle = low + (high - low) / 2;
        if (out[middle * step_] < 0)
          low = middle + 1;
        else
          high = middle;
      }
      for (const Zeros& each : zeros) {
        at += each.total - static_cast<std::int64_t>(each.negative.size());
        for (const bool is_negative : each.negative) {
          if (is_negative) out[at * step_] = -T{0};
          ++at;
        }
      }
    } else {
      (void)zeros, (void)out;
    }
  }

  /// Elements [first, last) of the merged pairs of sorted runs of `width`.
  template <class Put>
  void merge_block(const Item* items, std::int64_t first, const std::int64_t last, std::int64_t width, Put put) const {
    while (first < last) {
      const std::int64_t pair = first / (2 * width) * (2 * width);
      const std::int64_t end = std::min(last, pair + 2 * width);
      const std::int64_t n_a = std::min(width, n_ - pair), n_b = std::min(width, n_ - pair - n_a);
      const Item *const a = items + pair, *const b = a + n_a;
      const std::int64_t from = share(a, n_a, b, n_b, first - pair, less_), to = share(a, n_a, b, n_b, end - pair, less_);
      merge(a + from, a + to, b + (first - pair - from), b + (end - pair - to), less_, put);
      first = end;
    }
  }

  std::int64_t n_, step_;
  int threads_;
  Watch& watch_;
  std::int64_t pieces_;
  typename S::Less less_{};
  Buffer<Item> items_, merged_;
};

/// A row of up to kTiny elements: they go where their rank is, or say so.
template <class S>
void rank_row(const typename S::Value* in, typename S::Result* out, std::int64_t n, std::int64_t step) {
  using T = typename S::Value;
  using Key = decltype(key_of(T{}));
  T given[kTiny];
  Key keys[kTiny];
  std::int64_t ranks[kTiny];
  for (std::int64_t i = 0; i < n; ++i) {
    given[i] = in[i * step];
    keys[i] = key_of(given[i]);
  }
  rank(keys, n, KeyLess<Key>{}, ranks);
  for (std::int64_t i = 0; i < n; ++i) {
    if constexpr (S::kGivesPlaces)
      out[ranks[i] * step] = i;
    else
      out[ranks[i] * step] = given[i];
  }
}

template <class S>
void sort_rows(const Work& work) {
  const auto* const in = static_cast<const typename S::Value*>(work.source);
  auto* const out = static_cast<typename S::Result*>(work.target);
  const Rows& rows = work.rows;
  const std::int64_t n_rows = rows.count();
  const auto offset = [&](std::int64_t row) { return rows.offset(row, rows.length); };
  if (rows.length > kMost || n_rows == 1) {
    Sorter<S> sorter(rows.length, rows.inner, work.threads, *work.watch);
    for (std::int64_t row = 0; row < n_rows; ++row) {
      work.watch->poll();
      const Fill fill = [&](std::int64_t first, std::int64_t end) { work.fill(offset(row) + first, offset(row) + end); };
      sorter.sort(in + offset(row), out + offset(row), work.fill ? fill : Fill());
    }
    return;
  }
  // Neighbouring columns stay in one piece of work, where they share lines of memory.
  const std::int64_t at_once = std::max(kChunk / rows.length, rows.inner > 1 ? kColumns : 1);
  parallel_for(work.threads, (n_rows + at_once - 1) / at_once, [&](std::int64_t chunk) {
    const std::int64_t end = std::min(n_rows, (chunk + 1) * at_once);
    if (work.fill) work.fill(chunk * at_once * rows.length, end * rows.length);
    if (rows.length <= kTiny) {
      work.watch->poll();
      for (std::int64_t row = chunk * at_once; row < end; ++row) rank_row<S>(in + offset(row), out + offset(row), rows.length, rows.inner);
      return;
    }
    Sorter<S> sorter(rows.length, rows.inner, 1, *work.watch);
    for (std::int64_t row = chunk * at_once; row < end; ++row) {
      if ((row - chunk * at_once) * rows.length % kChunk < rows.length) work.watch->poll();
      sorter.sort(in + offset(row), out + offset(row), {});
    }
  });
}

template <class T>
void sort_any(const Work& work) {
  if (catalog::info(work.ordered).form == catalog::Form::Sort) return sort_rows<Keys<T>>(work);
  if constexpr (!math::kIsComplex<T> && sizeof(T) <= 4)
    if (work.rows.length <= 0xffffffff) return sort_rows<PackedPlaces<T>>(work);
  sort_rows<Places<T>>(work);
}

}  // namespace

void sort_pairs(Pair* pairs, std::int64_t n) { sort_items(pairs, n, std::less<Pair>{}); }

void run_sort(const Work& work) {
  with_lane(work.dtype, [&]<class T>() { sort_any<T>(work); });
}

}  // namespace engine::run::ordered

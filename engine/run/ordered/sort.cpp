// run/ordered/sort.cpp - stable sorts by Thrust's host system (CCCL): radix sort of keys that are unsigned integers.
// Of numbers the key is an unsigned integer in the same order (NaN last, both zeros one key); complex numbers are compared.
// Long rows are sorted in pieces and merged, so that several threads share them and a wish to stop is heard.
#define THRUST_HOST_SYSTEM THRUST_HOST_SYSTEM_CPP
#define THRUST_DEVICE_SYSTEM THRUST_DEVICE_SYSTEM_CPP
#include <thrust/execution_policy.h>
#include <thrust/merge.h>
#include <thrust/sort.h>

#include <algorithm>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/run/ordered/lanes.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

constexpr std::int64_t kPiece = 1 << 20;   ///< elements sorted in one go: some 20 ms
constexpr std::int64_t kMerged = 1 << 18;  ///< elements merged in one go
constexpr std::int64_t kChunk = 1 << 16;   ///< elements of short rows in one piece of work
constexpr std::int64_t kShort = 256;       ///< below, the passes of a radix sort are not worth their counters
constexpr std::int64_t kTiny = 16;         ///< up to so many, all pairs are compared without a branch
constexpr std::int64_t kColumns = 16;      ///< columns brought together at once

/// Real part first, then the imaginary one, NaN after all numbers in each part; but a number with NaN in any part stands
/// after all without: [x + yi, x + nan i, nan + yi, nan + nan i], as NumPy's.
struct ComplexLess {
  template <class T>
  static bool before(T x, T y) {
    return x < y || (y != y && x == x);
  }
  template <class T>
  static int nans(const math::Complex<T>& x) {
    return 2 * (x.re != x.re) + (x.im != x.im);
  }
  template <class T>
  bool operator()(const math::Complex<T>& x, const math::Complex<T>& y) const {
    if (const int n = nans(x), m = nans(y); n != m) return n < m;
    return before(x.re, y.re) || (!before(y.re, x.re) && before(x.im, y.im));
  }
};

template <class T>
inline constexpr bool kIsComplex = std::is_class_v<T>;
template <class T>
using Bits =
    std::conditional_t<sizeof(T) == 1, std::uint8_t,
                       std::conditional_t<sizeof(T) == 2, std::uint16_t, std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
template <class T>
struct KeyOf {
  using Key = Bits<T>;
  using Less = std::less<Key>;
};
template <class T>
struct KeyOf<math::Complex<T>> {
  using Key = math::Complex<T>;
  using Less = ComplexLess;
};
template <class T>
using Key = typename KeyOf<T>::Key;
template <class T>
using Less = typename KeyOf<T>::Less;

template <class T>
Key<T> key_of(T x) {
  if constexpr (kIsComplex<T> || std::is_unsigned_v<T>) {
    return x;
  } else {
    constexpr auto kTop = static_cast<Key<T>>(Key<T>{1} << (8 * sizeof(T) - 1));
    auto bits = math::bit_cast<Key<T>>(x);
    if constexpr (std::is_floating_point_v<T>) {
      if (x != x) return static_cast<Key<T>>(~Key<T>{0});
      if (x == 0) return kTop;
      return bits & kTop ? static_cast<Key<T>>(~bits) : static_cast<Key<T>>(bits | kTop);
    } else {
      return static_cast<Key<T>>(bits ^ kTop);
    }
  }
}

template <class T>
T value_of(Key<T> key) {
  if constexpr (kIsComplex<T> || std::is_unsigned_v<T>) {
    return key;
  } else {
    constexpr auto kTop = static_cast<Key<T>>(Key<T>{1} << (8 * sizeof(T) - 1));
    if constexpr (std::is_floating_point_v<T>)
      return math::bit_cast<T>(key & kTop ? static_cast<Key<T>>(key ^ kTop) : static_cast<Key<T>>(~key));
    else
      return math::bit_cast<T>(static_cast<Key<T>>(key ^ kTop));
  }
}

/// How many of the first `count` elements of two sorted rows merged are the first row's, whose equal elements go first.
template <class K, class L>
std::int64_t share(const K* a, std::int64_t n_a, const K* b, std::int64_t n_b, std::int64_t count, L less) {
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

/// Keys, with the places they came from where those are asked for, and as much again for merging.
template <class T, class Place>
class Sorter {
 public:
  static constexpr bool kPlaces = !std::is_void_v<Place>;
  using K = Key<T>;
  using P = std::conditional_t<kPlaces, Place, char>;

  explicit Sorter(std::int64_t n)
      : keys_(static_cast<std::size_t>(n)),
        places_(kPlaces ? static_cast<std::size_t>(n) : 0),
        keys_to_(n > kPiece ? static_cast<std::size_t>(n) : 0),
        places_to_(kPlaces && n > kPiece ? static_cast<std::size_t>(n) : 0) {}

  /// Elements `step` apart.
  void load(const T* in, std::int64_t n, std::int64_t step) {
    K* const keys = keys_.data();
    bool found = false;
    for (std::int64_t i = 0; i < n; ++i) {
      const T x = in[i * step];
      keys[i] = key_of<T>(x);
      if constexpr (std::is_floating_point_v<T>) found |= math::bit_cast<K>(x) == math::bit_cast<K>(-T{0});
    }
    has_negative_zero_ = found;
    if constexpr (kPlaces)
      for (std::int64_t i = 0; i < n; ++i) places_[static_cast<std::size_t>(i)] = static_cast<P>(i);
  }
  bool has_negative_zero() const { return has_negative_zero_; }
  T value(std::int64_t i) const { return value_of<T>(keys_[static_cast<std::size_t>(i)]); }
  std::int64_t place(std::int64_t i) const { return static_cast<std::int64_t>(places_[static_cast<std::size_t>(i)]); }
  std::pair<std::int64_t, std::int64_t> range_of(K key, std::int64_t n) const {
    const auto found = std::equal_range(keys_.begin(), keys_.begin() + n, key, Less<T>{});
    return {found.first - keys_.begin(), found.second - keys_.begin()};
  }

  void sort(std::int64_t n, int threads, Watch& watch) {
    if (n <= kPiece) return sort_piece(0, n);
    parallel_for(threads, (n + kPiece - 1) / kPiece, [&](std::int64_t piece) {
      watch.poll();
      sort_piece(piece * kPiece, std::min(kPiece, n - piece * kPiece));
    });
    for (std::int64_t width = kPiece; width < n; width *= 2) {
      parallel_for(threads, (n + kMerged - 1) / kMerged, [&](std::int64_t block) {
        watch.poll();
        merge_block(block * kMerged, std::min(n, (block + 1) * kMerged), width, n);
      });
      keys_.swap(keys_to_);
      places_.swap(places_to_);
    }
  }

 private:
  void sort_piece(std::int64_t first, std::int64_t n) {
    K* const keys = keys_.data() + first;
    if (n <= kTiny) return rank(keys, places_.data() + first, n);
    if constexpr (kPlaces) {
      P* const places = places_.data() + first;
      if (n <= kShort) return sort_items(keys, places, n);
      if constexpr (kIsComplex<T>)
        thrust::stable_sort_by_key(thrust::seq, keys, keys + n, places, Less<T>{});
      else
        thrust::stable_sort_by_key(thrust::seq, keys, keys + n, places);
    } else {
      if constexpr (kIsComplex<T>)
        thrust::stable_sort(thrust::seq, keys, keys + n, Less<T>{});
      else if (n <= kShort)
        std::sort(keys, keys + n);  // equal keys are the same
      else
        thrust::stable_sort(thrust::seq, keys, keys + n);
    }
  }

  /// Up to kTiny: an element's place is how many go before it.
  static void rank(K* keys, P* places, std::int64_t n) {
    K given[kTiny];
    P from[kTiny]{};
    std::int64_t rank[kTiny]{};
    const Less<T> less{};
    for (std::int64_t i = 0; i < n; ++i) {
      given[i] = keys[i];
      if constexpr (kPlaces) from[i] = places[i];
      for (std::int64_t j = 0; j < i; ++j) {
        const bool first = less(given[i], given[j]);
        rank[j] += first;
        rank[i] += !first;
      }
    }
    for (std::int64_t i = 0; i < n; ++i) {
      keys[rank[i]] = given[i];
      if constexpr (kPlaces) places[rank[i]] = from[i];
    }
  }

  /// Up to kShort, by key and then by place.
  static void sort_items(K* keys, P* places, std::int64_t n) {
    struct Item {
      K key;
      P place;
    };
    Item items[kShort];
    for (std::int64_t i = 0; i < n; ++i) items[i] = {keys[i], places[i]};
    const Less<T> less{};
    std::sort(items, items + n, [&](const Item& x, const Item& y) {  // places differ: no two items are equal
      return less(x.key, y.key) || (!less(y.key, x.key) && x.place < y.place);
    });
    for (std::int64_t i = 0; i < n; ++i) keys[i] = items[i].key, places[i] = items[i].place;
  }

  /// Elements [first, end) of the merged pairs of sorted runs of `width`.
  void merge_block(std::int64_t first, std::int64_t end, std::int64_t width, std::int64_t n) {
    const std::int64_t pair = first / (2 * width) * (2 * width);
    const std::int64_t n_a = std::min(width, n - pair), n_b = std::min(width, n - pair - n_a);
    const K *const a = keys_.data() + pair, *const b = a + n_a;
    const Less<T> less{};
    const std::int64_t from = share(a, n_a, b, n_b, first - pair, less), to = share(a, n_a, b, n_b, end - pair, less);
    const std::int64_t from_b = first - pair - from, to_b = end - pair - to;
    if constexpr (kPlaces) {
      const P *const p = places_.data() + pair, *const q = p + n_a;
      thrust::merge_by_key(thrust::seq, a + from, a + to, b + from_b, b + to_b, p + from, q + from_b, keys_to_.data() + first,
                           places_to_.data() + first, less);
    } else {
      thrust::merge(thrust::seq, a + from, a + to, b + from_b, b + to_b, keys_to_.data() + first, less);
    }
  }

  bool has_negative_zero_ = false;
  std::vector<K> keys_;
  std::vector<P> places_;
  std::vector<K> keys_to_;
  std::vector<P> places_to_;
};

/// One row, `step` apart in both arrays.
template <class T, class Place>
void sort_row(Sorter<T, Place>& sorter, const T* in, void* out, std::int64_t n, std::int64_t step, int threads, Watch& watch) {
  sorter.load(in, n, step);
  sorter.sort(n, threads, watch);
  if constexpr (!std::is_void_v<Place>) {
    auto* const places = static_cast<std::int64_t*>(out);
    for (std::int64_t i = 0; i < n; ++i) places[i * step] = sorter.place(i);
  } else {
    auto* const values = static_cast<T*>(out);
    [[maybe_unused]] std::int64_t first = 0;
    std::vector<bool> negative;
    if constexpr (std::is_floating_point_v<T>) {
      // Both zeros have one key, so their signs are taken from the row, in order.
      if (sorter.has_negative_zero()) {
        const auto [begin, end] = sorter.range_of(key_of<T>(T{0}), n);
        first = begin;
        negative.reserve(static_cast<std::size_t>(end - begin));
        for (std::int64_t i = 0; i < n; ++i)
          if (in[i * step] == 0) negative.push_back(__builtin_signbit(in[i * step]));
      }
    }
    for (std::int64_t i = 0; i < n; ++i) values[i * step] = sorter.value(i);
    if constexpr (std::is_floating_point_v<T>)
      for (std::size_t i = 0; i < negative.size(); ++i)
        if (negative[i]) values[(first + static_cast<std::int64_t>(i)) * step] = -T{0};
  }
}

template <class T, class Place>
void sort_rows(const Work& work) {
  using Item = std::conditional_t<std::is_void_v<Place>, T, std::int64_t>;
  const auto* const in = static_cast<const T*>(work.source);
  auto* const out = static_cast<Item*>(work.target);
  const Rows& rows = work.rows;
  const std::int64_t n_rows = rows.outer * rows.inner;
  const auto offset = [&](std::int64_t row) { return row / rows.inner * rows.length * rows.inner + row % rows.inner; };
  if (rows.length > kPiece || n_rows == 1) {
    Sorter<T, Place> sorter(rows.length);
    for (std::int64_t row = 0; row < n_rows; ++row) {
      work.watch->poll();
      sort_row(sorter, in + offset(row), out + offset(row), rows.length, rows.inner, work.threads, *work.watch);
    }
    return;
  }
  // Neighbouring columns stay in one piece of work, where they share lines of memory.
  const std::int64_t at_once = std::max(kChunk / rows.length, rows.inner > 1 ? kColumns : 1);
  parallel_for(work.threads, (n_rows + at_once - 1) / at_once, [&](std::int64_t chunk) {
    Sorter<T, Place> sorter(rows.length);
    const std::int64_t end = std::min(n_rows, (chunk + 1) * at_once);
    for (std::int64_t row = chunk * at_once; row < end; ++row) {
      if ((row - chunk * at_once) * rows.length % kChunk < rows.length) work.watch->poll();
      sort_row(sorter, in + offset(row), out + offset(row), rows.length, rows.inner, 1, *work.watch);
    }
  });
}

template <class T>
void sort_any(const Work& work) {
  if (catalog::info(work.ordered).form == catalog::Form::Sort)
    sort_rows<T, void>(work);
  else if (work.rows.length <= 0xffffffff)
    sort_rows<T, std::uint32_t>(work);
  else
    sort_rows<T, std::uint64_t>(work);
}

}  // namespace

void run_sort(const Work& work) {
  with_lane(work.dtype, [&]<class T>() { sort_any<T>(work); });
}

}  // namespace engine::run::ordered

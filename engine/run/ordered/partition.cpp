// run/ordered/partition.cpp - what needs a few places of the sorted order and not all of it: partitions, the largest elements, medians,
// quantiles. The element of a place is found by its key: counted by leading bits, those of the place's count again, and so on until few
// are left.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/run/ordered/keys.hpp"
#include "engine/run/ordered/lanes.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

using catalog::Form;

constexpr std::int64_t kFew = 1 << 12;    ///< keys among which a place is found by comparing
constexpr std::int64_t kPiece = 1 << 17;  ///< elements of a long row looked at by one thread in one go
constexpr std::int64_t kChunk = 1 << 16;  ///< elements of short rows in one piece of work
constexpr int kDigit = 11;

template <class T>
struct Row {
  const T* in;
  std::int64_t n, step;
  Bits<T> key(std::int64_t i) const { return key_of(in[i * step]); }
};

/// Key of the element that a sort would put in place `k`, and of the one after it; whether NaN is among them.
template <class K>
struct Place {
  K key{}, next{};
  bool has_nan = false;
};

template <class T>
class Finder {
 public:
  using K = Bits<T>;
  Finder(int threads, Watch& watch) : threads_(threads), watch_(watch) {}

  /// `with_next`: k + 1 < row.n.
  Place<K> find(const Row<T>& row, std::int64_t k, bool with_next) {
    Place<K> place;
    if (row.n <= kFew) {
      keys_.resize(static_cast<std::size_t>(row.n));
      for (std::int64_t i = 0; i < row.n; ++i) {
        keys_[static_cast<std::size_t>(i)] = row.key(i);
        place.has_nan |= is_nan(row.in[i * row.step]);
      }
      finish(k, with_next, place);
      return place;
    }
    place.has_nan = gather(row, k);
    constexpr int kBits = 8 * sizeof(K);
    for (int bits = kDigit; static_cast<std::int64_t>(keys_.size()) > kFew && bits < kBits; bits += kDigit)
      narrow(k, std::max(0, kBits - bits - kDigit));
    finish(k, with_next, place);
    if (with_next && !has_next_) place.next = above(row, place.key);
    return place;
  }

 private:
  static bool is_nan(const T& x) {
    if constexpr (std::is_floating_point_v<T>)
      return x != x;
    else
      return false;
  }
  static constexpr int kShift = 8 * sizeof(K) > kDigit ? static_cast<int>(8 * sizeof(K)) - kDigit : 0;
  static constexpr std::size_t kCounts = std::size_t{1} << kDigit;
  using Counts = std::array<std::uint32_t, kCounts>;

  template <class Visit>
  void pieces(std::int64_t n, Visit visit) const {
    parallel_for(threads_, (n + kPiece - 1) / kPiece, [&](std::int64_t piece) {
      watch_.poll();
      visit(piece, piece * kPiece, std::min(n, (piece + 1) * kPiece));
    });
  }

  /// The bin that holds place k, which becomes the place within it.
  template <class Count>
  static std::size_t bin_of(std::int64_t& k, Count count) {
    for (std::size_t bin = 0; bin < kCounts; ++bin) {
      const std::int64_t n = count(bin);
      if (k < n) return bin;
      k -= n;
    }
    return kCounts - 1;
  }

  /// The keys that share the leading bits of place k's. Whether NaN is in the row.
  bool gather(const Row<T>& row, std::int64_t& k) {
    std::vector<Counts> counts(static_cast<std::size_t>((row.n + kPiece - 1) / kPiece));
    std::atomic<bool> has_nan{false};
    pieces(row.n, [&](std::int64_t piece, std::int64_t first, std::int64_t end) {
      Counts& mine = counts[static_cast<std::size_t>(piece)];
      Counts other{};  // neighbours are often in the same bin, and a counter waits for itself
      bool nan = false;
      mine.fill(0);
      std::int64_t i = first;
      for (; i + 2 <= end; i += 2) {
        ++mine[static_cast<std::size_t>(row.key(i) >> kShift)];
        ++other[static_cast<std::size_t>(row.key(i + 1) >> kShift)];
        nan |= is_nan(row.in[i * row.step]) | is_nan(row.in[(i + 1) * row.step]);
      }
      if (i < end) {
        ++mine[static_cast<std::size_t>(row.key(i) >> kShift)];
        nan |= is_nan(row.in[i * row.step]);
      }
      for (std::size_t bin = 0; bin < kCounts; ++bin) mine[bin] += other[bin];
      if (nan) has_nan.store(true, std::memory_order_relaxed);
    });
    const std::size_t bin = bin_of(k, [&](std::size_t b) {
      std::int64_t n = 0;
      for (const Counts& each : counts) n += each[b];
      return n;
    });
    std::vector<std::int64_t> at;
    std::int64_t total = 0;
    for (const Counts& each : counts) {
      at.push_back(total);
      total += each[bin];
    }
    keys_.resize(static_cast<std::size_t>(total));
    pieces(row.n, [&](std::int64_t piece, std::int64_t first, std::int64_t end) {
      if (counts[static_cast<std::size_t>(piece)][bin] == 0) return;
      K* to = keys_.data() + at[static_cast<std::size_t>(piece)];
      K* const last = to + counts[static_cast<std::size_t>(piece)][bin];
      for (std::int64_t i = first; i < end && to < last; ++i) {
        const K key = row.key(i);
        *to = key;  // written over unless it belongs here
        to += (key >> kShift) == bin;
      }
    });
    return has_nan.load(std::memory_order_relaxed);
  }

  /// Of the gathered keys those that share a further digit with place k's.
  void narrow(std::int64_t& k, int shift) {
    watch_.poll();
    const auto digit = [shift](K key) { return static_cast<std::size_t>(key >> shift) & (kCounts - 1); };
    std::array<std::int64_t, kCounts> counts{};  // of the whole row, unlike those of pieces
    for (const K key : keys_) ++counts[digit(key)];
    const std::size_t bin = bin_of(k, [&](std::size_t b) { return counts[b]; });
    if (counts[bin] == static_cast<std::int64_t>(keys_.size())) return;
    std::erase_if(keys_, [&](K key) { return digit(key) != bin; });
  }

  void finish(std::int64_t k, bool with_next, Place<K>& place) {
    const auto at = keys_.begin() + k;
    std::nth_element(keys_.begin(), at, keys_.end());
    place.key = *at;
    has_next_ = with_next && at + 1 != keys_.end();
    if (has_next_) place.next = *std::min_element(at + 1, keys_.end());
  }

  /// The least key above that one.
  K above(const Row<T>& row, K key) const {
    std::vector<K> least(static_cast<std::size_t>((row.n + kPiece - 1) / kPiece), std::numeric_limits<K>::max());
    pieces(row.n, [&](std::int64_t piece, std::int64_t first, std::int64_t end) {
      K& mine = least[static_cast<std::size_t>(piece)];
      for (std::int64_t i = first; i < end; ++i)
        if (const K own = row.key(i); own > key) mine = std::min(mine, own);
    });
    return *std::min_element(least.begin(), least.end());
  }

  int threads_;
  Watch& watch_;
  std::vector<K> keys_;
  bool has_next_ = false;
};

/// Rows one by one: long ones by all threads, short ones by one each. visit(finder, row, out), `out` being that of the row.
template <class T, class Visit>
void each_row(const Work& work, std::int64_t out_length, Visit visit) {
  const Rows& rows = work.rows;
  const auto* const in = static_cast<const T*>(work.source);
  const std::int64_t n_rows = rows.count();
  const auto one = [&](Finder<T>& finder, std::int64_t row, int threads) {
    visit(finder, Row<T>{in + rows.offset(row, rows.length), rows.length, rows.inner}, rows.offset(row, out_length), threads);
  };
  if (rows.length > 2 * kPiece) {
    Finder<T> finder(work.threads, *work.watch);
    for (std::int64_t row = 0; row < n_rows; ++row) one(finder, row, work.threads);
    return;
  }
  const std::int64_t at_once = std::max<std::int64_t>(1, kChunk / std::max<std::int64_t>(1, rows.length));
  parallel_for(work.threads, (n_rows + at_once - 1) / at_once, [&](std::int64_t chunk) {
    work.watch->poll();
    Finder<T> finder(1, *work.watch);
    const std::int64_t end = std::min(n_rows, (chunk + 1) * at_once);
    for (std::int64_t row = chunk * at_once; row < end; ++row) one(finder, row, 1);
  });
}

/// put(place in the partition, place in the row): first what is less than the key, then its equals, then the others, as they come.
template <class T, class Put>
void partition(const Row<T>& row, Bits<T> key, int threads, Watch& watch, Put put) {
  const std::int64_t n_pieces = std::max<std::int64_t>(1, (row.n + kPiece - 1) / kPiece);
  struct Counts {
    std::int64_t less = 0, equal = 0, more = 0;
  };
  std::vector<Counts> counts(static_cast<std::size_t>(n_pieces));
  const auto piece_of = [&](std::int64_t piece) { return std::pair(piece * kPiece, std::min(row.n, (piece + 1) * kPiece)); };
  parallel_for(threads, n_pieces, [&](std::int64_t piece) {
    watch.poll();
    const auto [first, end] = piece_of(piece);
    std::int64_t less = 0, equal = 0;
    for (std::int64_t i = first; i < end; ++i) {
      const Bits<T> own = row.key(i);
      less += own < key;
      equal += own == key;
    }
    counts[static_cast<std::size_t>(piece)] = {less, equal, end - first - less - equal};
  });
  Counts total;
  for (const Counts& each : counts) total.less += each.less, total.equal += each.equal;
  Counts at{0, total.less, total.less + total.equal};
  for (Counts& each : counts) {
    const Counts here = each;
    each = at;
    at.less += here.less, at.equal += here.equal, at.more += here.more;
  }
  parallel_for(threads, n_pieces, [&](std::int64_t piece) {
    watch.poll();
    auto [less, equal, more] = counts[static_cast<std::size_t>(piece)];
    const auto [first, end] = piece_of(piece);
    for (std::int64_t i = first; i < end; ++i) {  // without a branch that could be guessed wrongly
      const Bits<T> own = row.key(i);
      const bool is_less = own < key, is_equal = own == key;
      put(is_less ? less : is_equal ? equal : more, i);
      less += is_less;
      equal += is_equal;
      more += !is_less & !is_equal;
    }
  });
}

template <class T>
void partition_rows(const Work& work) {
  const bool places = catalog::info(work.ordered).form == Form::Argpartition;
  const std::int64_t k = work.number < 0 ? work.number + work.rows.length : work.number;
  each_row<T>(work, work.rows.length, [&](Finder<T>& finder, const Row<T>& row, std::int64_t at, int threads) {
    const Bits<T> key = finder.find(row, k, false).key;
    if (places) {
      auto* const out = static_cast<std::int64_t*>(work.target) + at;
      partition(row, key, threads, *work.watch, [&](std::int64_t to, std::int64_t from) { out[to * row.step] = from; });
    } else {
      auto* const out = static_cast<T*>(work.target) + at;
      partition(row, key, threads, *work.watch, [&](std::int64_t to, std::int64_t from) { out[to * row.step] = row.in[from * row.step]; });
    }
  });
}

/// The elements above the key of place n - k, and the first of its equals: k in all, with keys that sort downwards.
template <class T>
std::vector<Pair> above_and_equals(const Row<T>& row, Bits<T> key, std::int64_t k, int threads, Watch& watch) {
  constexpr std::int64_t kBlock = 1024;  // mostly there is none in so many
  const std::int64_t n_pieces = (row.n + kPiece - 1) / kPiece;
  struct Found {
    std::vector<Pair> above, equal;
  };
  std::vector<Found> found(static_cast<std::size_t>(n_pieces));
  parallel_for(threads, n_pieces, [&](std::int64_t piece) {
    watch.poll();
    Found& mine = found[static_cast<std::size_t>(piece)];
    const auto item = [&](std::int64_t i) { return Pair{static_cast<std::uint64_t>(i), ~static_cast<std::uint64_t>(row.key(i))}; };
    const std::int64_t last = std::min(row.n, (piece + 1) * kPiece);
    for (std::int64_t first = piece * kPiece; first < last; first += kBlock) {
      const std::int64_t end = std::min(last, first + kBlock);
      std::int64_t n = 0;
      for (std::int64_t i = first; i < end; ++i) n += row.key(i) >= key;
      if (n == 0) continue;
      for (std::int64_t i = first; i < end; ++i) {
        if (row.key(i) > key) mine.above.push_back(item(i));
        if (row.key(i) == key && static_cast<std::int64_t>(mine.equal.size()) < k) mine.equal.push_back(item(i));
      }
    }
  });
  std::vector<Pair> all;
  all.reserve(static_cast<std::size_t>(k));
  for (const Found& each : found) all.insert(all.end(), each.above.begin(), each.above.end());
  for (const Found& each : found)
    for (const Pair& pair : each.equal)
      if (static_cast<std::int64_t>(all.size()) < k) all.push_back(pair);
  return all;
}

/// The largest, by descending key and ascending place: everything above the key of place n - k, and the first of its equals.
template <class T>
void largest_of_rows(const Work& work) {
  const bool places = catalog::info(work.ordered).form == Form::Argtopk;
  const std::int64_t k = work.number;
  if (k == 0) return;
  each_row<T>(work, k, [&](Finder<T>& finder, const Row<T>& row, std::int64_t at, int threads) {
    const Bits<T> key = finder.find(row, row.n - k, false).key;
    std::vector<Pair> found = above_and_equals(row, key, k, threads, *work.watch);
    sort_pairs(found.data(), k);
    for (std::int64_t i = 0; i < k; ++i) {
      const auto from = static_cast<std::int64_t>(found[static_cast<std::size_t>(i)].place);
      if (places)
        static_cast<std::int64_t*>(work.target)[at + i * row.step] = from;
      else
        static_cast<T*>(work.target)[at + i * row.step] = row.in[from * row.step];
    }
  });
}

/// NumPy's linear method: between the elements below and above the fraction's place, in proportion.
template <class T>
void quantile_of_rows(const Work& work) {
  auto* const out = static_cast<T*>(work.target);
  const std::int64_t n = work.rows.length;
  const bool is_median = catalog::info(work.ordered).form == Form::Median;
  const auto [k, both, fraction] = place_of_quantile(n, is_median ? nullptr : static_cast<const double*>(work.second));
  each_row<T>(work, 1, [&, k = k, both = both, fraction = fraction](Finder<T>& finder, const Row<T>& row, std::int64_t at, int) {
    if (n == 0) {
      out[at] = math::quiet_nan<T>();
      return;
    }
    const Place<Bits<T>> place = finder.find(row, k, both);
    if (place.has_nan) {
      out[at] = math::quiet_nan<T>();
      return;
    }
    const T low = value_of<T>(place.key), high = both ? value_of<T>(place.next) : low;
    out[at] = math::between<T>(low, high, both, is_median, fraction);
  });
}

}  // namespace

QuantilePlace place_of_quantile(std::int64_t n, const double* q) {
  if (!q) return {(n - 1) / 2, n % 2 == 0, 0};
  if (!(*q >= 0 && *q <= 1)) throw Refused{"a quantile's fraction lies between 0 and 1", "percentile takes percents"};
  const double place = static_cast<double>(n - 1) * *q;
  const std::int64_t k = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(place)), 0, std::max<std::int64_t>(n - 1, 0));
  return {k, k + 1 < n, place - std::floor(place)};
}

void run_partition(const Work& work) {
  const Form form = catalog::info(work.ordered).form;
  with_lane(work.dtype, [&]<class T>() {
    if constexpr (!math::kIsComplex<T>) {
      if (form == Form::Partition || form == Form::Argpartition)
        partition_rows<T>(work);
      else
        largest_of_rows<T>(work);
    }
  });
}

void run_quantile(const Work& work) {
  if (work.dtype == DType::Float32)
    quantile_of_rows<float>(work);
  else
    quantile_of_rows<double>(work);
}

}  // namespace engine::run::ordered

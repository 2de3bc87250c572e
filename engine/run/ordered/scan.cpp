// run/ordered/scan.cpp - cumulative sums, products and extrema, in the tree of ordered.hpp.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>
#include <type_traits>

#include "engine/catalog/evaluate.hpp"
#include "engine/catalog/ordering.hpp"
#include "engine/run/ordered/lanes.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

constexpr std::int64_t kSegment = math::kScanSegment, kTile = math::kScanTile, kTilesOfSpan = math::kScanSpan;
constexpr std::int64_t kAbreast = 8;        ///< segments at once: their additions do not wait for each other
constexpr std::int64_t kChunk = 8 * kTile;  ///< elements of one piece of work
constexpr std::int64_t kLanes = 64;         ///< columns of one piece of work

template <class T, catalog::Reduction kCombine>
class Scan {
 public:
  explicit Scan(const Work& work) : work_(work) { catalog::identity_scalar(kCombine, work.dtype, &identity_); }

  void run() {
    const auto* in = static_cast<const T*>(work_.source);
    auto* out = static_cast<T*>(work_.target);
    const Rows& rows = work_.rows;
    if (rows.inner > 1) {
      const std::int64_t blocks = (rows.inner + kLanes - 1) / kLanes;
      parallel_for(work_.threads, rows.outer * blocks, [&](std::int64_t chunk) {
        const std::int64_t first = chunk % blocks * kLanes, at = chunk / blocks * rows.length * rows.inner + first;
        columns(in + at, out + at, std::min(kLanes, rows.inner - first));
      });
    } else if (work_.threads > 1 && rows.length > 2 * kChunk) {
      for (std::int64_t row = 0; row < rows.outer; ++row) long_row(in + row * rows.length, out + row * rows.length);
    } else {
      const std::int64_t at_once = std::max<std::int64_t>(1, kChunk / rows.length);
      parallel_for(work_.threads, (rows.outer + at_once - 1) / at_once, [&](std::int64_t chunk) {
        const std::int64_t end = std::min(rows.outer, (chunk + 1) * at_once);
        const bool at_a_time = rows.length <= kChunk;  // the source of these rows: of longer ones in pieces
        if (at_a_time) fill(in + chunk * at_once * rows.length, (end - chunk * at_once) * rows.length);
        for (std::int64_t row = chunk * at_once; row < end; ++row) short_row(in + row * rows.length, out + row * rows.length, at_a_time);
      });
    }
  }

 private:
  static T combine(T x, T y) { return math::convert<T>(catalog::Combination<kCombine>::apply(x, y)); }

  /// What stands before a tile: the spans before its own, and the tiles of its span before it.
  struct Base {
    T spans{}, tiles{};
    bool has_spans = false, has_tiles = false;
    std::int64_t n_tiles = 0;
    bool is_there() const { return has_spans || has_tiles; }
    T value() const { return has_spans && has_tiles ? combine(spans, tiles) : has_spans ? spans : tiles; }
    void add(T tile) {
      tiles = has_tiles ? combine(tiles, tile) : tile;
      has_tiles = true;
      if (++n_tiles < kTilesOfSpan) return;
      spans = has_spans ? combine(spans, tiles) : tiles;
      has_spans = true;
      has_tiles = false;
      n_tiles = 0;
    }
  };

  /// A tile on its own, n <= kTile.
  static void tile(const T* in, T* out, std::int64_t n) {
    std::int64_t first = 0;
    for (; first + kAbreast * kSegment <= n; first += kAbreast * kSegment) {
      T own[kAbreast];
      for (std::int64_t s = 0; s < kAbreast; ++s) out[first + s * kSegment] = own[s] = in[first + s * kSegment];
      for (std::int64_t i = 1; i < kSegment; ++i)
        for (std::int64_t s = 0; s < kAbreast; ++s) out[first + s * kSegment + i] = own[s] = combine(own[s], in[first + s * kSegment + i]);
    }
    for (; first < n; first += kSegment) {
      T own = out[first] = in[first];
      for (std::int64_t i = first + 1; i < std::min(first + kSegment, n); ++i) out[i] = own = combine(own, in[i]);
    }
    for (first = kSegment; first < n; first += kSegment) apply(out[first - 1], out + first, std::min(kSegment, n - first));
  }

  static void apply(const T before, T* out, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = combine(before, out[i]);
  }

  void shift(T* out) const {
    if (!work_.exclusive) return;
    std::memmove(static_cast<void*>(out + 1), out, static_cast<std::size_t>(work_.rows.length - 1) * sizeof(T));
    out[0] = identity_;
  }

  /// The source's next `n` elements, where they are not there yet.
  void fill(const T* at, std::int64_t n) const {
    if (!work_.fill) return;
    const std::int64_t first = at - static_cast<const T*>(work_.source);
    work_.fill(first, first + n);
  }

  void short_row(const T* in, T* out, bool is_filled) const {
    Base base;
    const std::int64_t length = work_.rows.length;
    for (std::int64_t first = 0; first < length; first += kTile) {
      const std::int64_t n = std::min(kTile, length - first);
      if (first % kChunk == 0) {
        work_.watch->poll();
        if (!is_filled) fill(in + first, std::min(kChunk, length - first));
      }
      tile(in + first, out + first, n);
      const T total = out[first + n - 1];
      if (base.is_there()) apply(base.value(), out + first, n);
      base.add(total);
    }
    shift(out);
  }

  /// Pieces by many threads. They are claimed in order, so each waits for the base that those before it have made: while it
  /// is being computed its own tiles are done on their own, and still in the cache when the base is there.
  void long_row(const T* in, T* out) const {
    const std::int64_t length = work_.rows.length;
    Base base;  // before piece `ready`; touched by whoever has that piece
    std::atomic<std::int64_t> ready{0};
    std::atomic<bool> failed{false};
    const auto piece = [&](std::int64_t chunk) {
      try {
        work_.watch->poll();
      } catch (...) {
        failed.store(true, std::memory_order_relaxed);
        throw;
      }
      T totals[kChunk / kTile];
      const std::int64_t from = chunk * kChunk, end = std::min(length, from + kChunk);
      std::int64_t tiles = 0;
      fill(in + from, end - from);
      for (std::int64_t first = from; first < end; first += kTile) {
        const std::int64_t n = std::min(kTile, end - first);
        tile(in + first, out + first, n);
        totals[tiles++] = out[first + n - 1];
      }
      for (int spins = 0; ready.load(std::memory_order_acquire) != chunk; ++spins) {
        if (failed.load(std::memory_order_relaxed)) return;
        if (spins > 1000) std::this_thread::yield();
      }
      Base before = base;
      for (std::int64_t t = 0; t < tiles; ++t) base.add(totals[t]);
      ready.store(chunk + 1, std::memory_order_release);
      for (std::int64_t t = 0; t < tiles; ++t) {
        const std::int64_t first = from + t * kTile;
        if (before.is_there()) apply(before.value(), out + first, std::min(kTile, end - first));
        before.add(totals[t]);
      }
    };
    parallel_for(work_.threads, (length + kChunk - 1) / kChunk, piece, Claims::InOrder);
    shift(out);
  }

  /// Neighbouring columns at once, row after row.
  void columns(const T* in, T* out, std::int64_t lanes) const {
    T own[kLanes], before[kLanes], value[kLanes], base[kLanes], last[kLanes];
    Base bases[kLanes];
    std::fill_n(last, lanes, identity_);
    const std::int64_t inner = work_.rows.inner;
    for (std::int64_t i = 0; i < work_.rows.length; ++i, in += inner, out += inner) {
      if (i % kTile == 0) work_.watch->poll();
      if (i % kSegment == 0)
        std::copy_n(in, lanes, own);
      else
        for (std::int64_t l = 0; l < lanes; ++l) own[l] = combine(own[l], in[l]);
      if (i % kTile < kSegment)
        std::copy_n(own, lanes, value);
      else
        for (std::int64_t l = 0; l < lanes; ++l) value[l] = combine(before[l], own[l]);
      if (i % kSegment == kSegment - 1) std::copy_n(value, lanes, before);
      const bool ends = i % kTile == kTile - 1;
      if (ends)
        for (std::int64_t l = 0; l < lanes; ++l) bases[l].add(value[l]);
      if (i >= kTile)
        for (std::int64_t l = 0; l < lanes; ++l) value[l] = combine(base[l], value[l]);
      if (ends)
        for (std::int64_t l = 0; l < lanes; ++l) base[l] = bases[l].value();
      if (work_.exclusive) {
        std::copy_n(last, lanes, out);
        std::copy_n(value, lanes, last);
      } else {
        std::copy_n(value, lanes, out);
      }
    }
  }

  const Work& work_;
  T identity_{};
};

}  // namespace

void run_scan(const Work& work) {
  using enum catalog::Reduction;
  with_lane(work.dtype, [&]<class T>() {
    switch (catalog::info(work.ordered).combine) {
      case Max:
        return Scan<T, Max>(work).run();
      case Min:
        return Scan<T, Min>(work).run();
      default:
        break;
    }
    // Sums and products of smaller integers are of 64 bits.
    if constexpr (!std::is_integral_v<T> || sizeof(T) == 8) {
      if (catalog::info(work.ordered).combine == Sum)
        Scan<T, Sum>(work).run();
      else
        Scan<T, Prod>(work).run();
    }
  });
}

}  // namespace engine::run::ordered

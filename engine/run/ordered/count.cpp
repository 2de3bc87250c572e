// run/ordered/count.cpp - what is counted: places among sorted elements, whole numbers, bins of one width.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/pages.hpp"
#include "engine/run/ordered/keys.hpp"
#include "engine/run/ordered/lanes.hpp"
#include "engine/run/ordered/ordered.hpp"
#include "engine/run/thread_pool.hpp"

namespace engine::run::ordered {
namespace {

using catalog::Form;

constexpr std::int64_t kPiece = 1 << 16;    ///< elements looked at in one go
constexpr std::int64_t kFewBins = 1 << 13;  ///< so few that each thread has its own

// ---- places among sorted elements -------------------------------------------------------------------------------------

template <class T>
void search(const Work& work) {
  const auto* const sorted = static_cast<const T*>(work.source);
  const auto* const values = static_cast<const T*>(work.second);
  auto* const out = static_cast<std::int64_t*>(work.target);
  parallel_for(work.threads, (work.n_second + kPiece - 1) / kPiece, [&](std::int64_t piece) {
    work.watch->poll();
    const std::int64_t end = std::min(work.n_second, (piece + 1) * kPiece);
    for (std::int64_t i = piece * kPiece; i < end; ++i)
      out[i] = work.exclusive ? math::places_before<true>(sorted, work.rows.length, values[i])
                              : math::places_before<false>(sorted, work.rows.length, values[i]);
  });
}

// ---- bins -------------------------------------------------------------------------------------------------------------

/// Counts of `bins` bins into `out`: visit(first, end, counts) adds those of elements [first, end).
template <class Visit>
void count_bins(const Work& work, std::int64_t bins, std::int64_t* out, Visit visit) {
  const std::int64_t n = work.rows.length, pieces = (n + kPiece - 1) / kPiece;
  std::fill_n(out, bins, 0);
  if (bins > kFewBins || work.threads < 2) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      work.watch->poll();
      visit(piece * kPiece, std::min(n, (piece + 1) * kPiece), out);
    }
    return;
  }
  const std::int64_t parts = std::min<std::int64_t>(work.threads, pieces);
  std::vector<std::vector<std::int64_t>> counts(static_cast<std::size_t>(parts));
  parallel_for(work.threads, parts, [&](std::int64_t part) {
    std::vector<std::int64_t>& mine = counts[static_cast<std::size_t>(part)];
    mine.resize(static_cast<std::size_t>(bins));
    for (std::int64_t piece = part; piece < pieces; piece += parts) {
      work.watch->poll();
      visit(piece * kPiece, std::min(n, (piece + 1) * kPiece), mine.data());
    }
  });
  for (const std::vector<std::int64_t>& each : counts)
    for (std::int64_t bin = 0; bin < bins; ++bin) out[bin] += each[static_cast<std::size_t>(bin)];
}

/// numpy.linspace, in the precision that NumPy takes for it, as T.
template <class T, class Computed>
void linspace(Computed start, Computed stop, std::int64_t n, T* out) {
  const Computed step = (stop - start) / static_cast<Computed>(n - 1);
  for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<T>(static_cast<Computed>(i) * step + start);
  out[n - 1] = static_cast<T>(stop);
}

/// `E`: of the edges.
template <class E>
void make_edges(const Work& work, double low, double high, std::int64_t n, E* out) {
  if (work.exclusive && low > high) throw Refused{"a histogram's range ends before it begins", "give the smaller bound first"};
  if (!std::isfinite(low) || !std::isfinite(high))
    throw Refused{"a histogram's bounds are finite", "give range=(low, high), or leave out what is not finite: a[isfinite(a)]"};
  if (!work.exclusive && work.rows.length == 0) high = 1;
  if (low == high) low -= 0.5, high += 0.5;
  if (work.exclusive)
    linspace<E, double>(low, high, n, out);
  else
    linspace<E, E>(static_cast<E>(low), static_cast<E>(high), n, out);
  // Bounds so near that edges coincide, or so far apart that their distance is infinite.
  for (std::int64_t i = 1; i < n; ++i)
    if (!(out[i - 1] < out[i])) throw Refused{"the bounds leave no room for so many bins", "take fewer bins, or give another range"};
}

template <class T, class E>
void histogram(const Work& work) {
  const double low = *static_cast<const double*>(work.second), high = *static_cast<const double*>(work.third);
  const std::int64_t bins = work.number;
  const Buffer<E> memory(static_cast<std::size_t>(bins + 1));
  E* const edges = memory.get();
  make_edges(work, low, high, bins + 1, edges);
  const auto* const in = static_cast<const T*>(work.source);
  count_bins(work, bins, static_cast<std::int64_t*>(work.target), [&](std::int64_t from, std::int64_t to, std::int64_t* counts) {
    for (std::int64_t i = from; i < to; ++i) {
      const std::int64_t bin = math::bin_of(static_cast<E>(in[i]), edges, bins);
      if (bin >= 0) ++counts[bin];
    }
  });
}

}  // namespace

void run_searchsorted(const Work& work) {
  with_lane(work.dtype, [&]<class T>() { search<T>(work); });
}

void run_histogram(const Work& work) {
  if (catalog::info(work.ordered).form == Form::Edges) {
    const auto edges = [&]<class E>() {
      make_edges<E>(work, *static_cast<const E*>(work.source), *static_cast<const E*>(work.second), work.number,
                    static_cast<E*>(work.target));
    };
    return work.dtype == DType::Float32 ? edges.template operator()<float>() : edges.template operator()<double>();
  }
  with_lane(work.dtype, [&]<class T>() {
    if constexpr (!math::kIsComplex<T>) histogram<T, std::conditional_t<std::is_same_v<T, float>, float, double>>(work);
  });
}

void make_edges(const Work& work, double low, double high, void* edges) {
  if (work.dtype == DType::Float32)
    make_edges(work, low, high, work.number + 1, static_cast<float*>(edges));
  else
    make_edges(work, low, high, work.number + 1, static_cast<double*>(edges));
}

std::int64_t bins_for(std::int64_t low, std::int64_t high, std::int64_t least) {
  if (low < 0) throw Refused{"'bincount' counts from 0 on, and there are negative numbers", "shift them: bincount(x - min(x))"};
  if (high == std::numeric_limits<std::int64_t>::max()) throw Refused{"'bincount' of 2^63 - 1", "no memory holds so many counts"};
  return std::max(least, high + 1);
}

Found find_bins(const Work& work) {
  const auto* const in = static_cast<const std::int64_t*>(work.source);
  const std::int64_t n = work.rows.length, pieces = (n + kPiece - 1) / kPiece;
  std::vector<std::pair<std::int64_t, std::int64_t>> ends(static_cast<std::size_t>(pieces));
  parallel_for(work.threads, pieces, [&](std::int64_t piece) {
    work.watch->poll();
    const auto [low, high] = std::minmax_element(in + piece * kPiece, in + std::min(n, (piece + 1) * kPiece));
    ends[static_cast<std::size_t>(piece)] = {*low, *high};
  });
  Found found{.count = work.number};
  for (const auto& [low, high] : ends) found.count = bins_for(low, high, found.count);
  return found;
}

void collect_bins(const Work& work, const Found& found) {
  const auto* const in = static_cast<const std::int64_t*>(work.source);
  if (const auto* const weights = static_cast<const double*>(work.second)) {  // in order, as NumPy adds them
    auto* const sums = static_cast<double*>(work.target);
    std::fill_n(sums, found.count, 0.0);
    for (std::int64_t i = 0; i < work.rows.length; ++i) {
      if (i % kPiece == 0) work.watch->poll();
      sums[in[i]] += weights[i];
    }
    return;
  }
  count_bins(work, found.count, static_cast<std::int64_t*>(work.target), [&](std::int64_t from, std::int64_t to, std::int64_t* counts) {
    for (std::int64_t i = from; i < to; ++i) ++counts[in[i]];
  });
}

}  // namespace engine::run::ordered

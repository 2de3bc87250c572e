// run/ordered/ordered.hpp - operations along an axis, or over all elements in order, over memory: scans in a fixed tree, stable
// sorts, and what picks elements.
//
// The tree of a scan, the same for every number of threads and for every place of the axis: segments of 32 elements in
// order; 64 segments make a tile, whose segments' totals are combined in order; 64 tiles make a span, whose tiles' totals are
// combined in order; spans' totals are combined in order. An element is base o (before o own), where own combines its segment
// up to it, `before` the segments of its tile before that, `base` the spans, then the tiles of its span, before its tile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/base/dtype.hpp"
#include "engine/catalog/op.hpp"
#include "engine/plan/bind.hpp"
#include "engine/run/watch.hpp"

namespace engine::run::ordered {

/// Rows of `length` elements, `inner` apart, for each of `outer` and each of `inner`: an axis of an array in C order.
struct Rows {
  std::int64_t outer = 1, length = 0, inner = 1;
  std::int64_t total() const { return outer * length * inner; }
  std::int64_t count() const { return outer * inner; }
  /// Where row `row` begins in an array whose rows have `n` elements.
  std::int64_t offset(std::int64_t row, std::int64_t n) const { return row / inner * n * inner + row % inner; }
};

/// Computes elements [first, end) of the source, in C order, on the calling thread: into the source's memory.
using Fill = std::function<void(std::int64_t first, std::int64_t end)>;
/// The same without memory: hands them to sink(values, first, n), block by block in order.
using Sink = std::function<void(const void* values, std::int64_t first, std::int64_t n)>;
using Stream = std::function<void(std::int64_t first, std::int64_t end, const Sink& sink)>;

struct Work {
  catalog::Ordered ordered;
  DType dtype;                   ///< of the source: not Float16, but for Select
  const void* source = nullptr;  ///< in C order
  const void* second = nullptr;  ///< likewise: the condition of Select; of Firsts and Inverse the argsort; see catalog::Form
  const void* third = nullptr;   ///< likewise
  std::int64_t n_second = 0;     ///< elements
  void* target = nullptr;        ///< likewise; of scans and sorts the source itself, or disjoint from it
  Rows rows;                     ///< of the source; of Select: of the condition, `inner` elements of the source for each of them
  bool exclusive = false;
  std::int64_t number = 0;  ///< ReduceSpec::number
  int threads = 1;
  Watch* watch = nullptr;
  Fill fill;      ///< of scans and sorts along `inner` == 1 whose source is not there yet
  Stream stream;  ///< of Select: the source
};

/// Thrown where values are refused.
struct Refused {
  std::string what, help;
};

/// What the first half of a work of unknown extent has found.
struct Found {
  std::int64_t count = 0;            ///< elements of the target, or rows of them
  std::int64_t piece = 0;            ///< elements looked at in one piece
  std::vector<std::int64_t> before;  ///< each piece: how many were found in those before it
};

/// Throws Refused, Interrupted, LimitError, std::bad_alloc, as all of these; then the target holds anything.
void run(const Work& work);
/// How many there are; the target is not needed yet.
Found find(const Work& work);
/// Writes them.
void collect(const Work& work, const Found& found);

void run_scan(const Work& work);
void run_sort(const Work& work);
void run_inverse(const Work& work);
void run_partition(const Work& work);  ///< and the largest elements
void run_quantile(const Work& work);   ///< and medians
void run_searchsorted(const Work& work);
void run_histogram(const Work& work);  ///< and edges
Found find_bins(const Work& work);
void collect_bins(const Work& work, const Found& found);
Found find_selected(const Work& work);
void collect_selected(const Work& work, const Found& found);
Found find_unique(const Work& work);
void collect_unique(const Work& work, const Found& found);

/// What an action does to memory that is bound: all of its work but threads, watch, and what computes a source.
Work work_of(const plan::Action& action, const plan::Plan& plan, const plan::Binding& binding);

/// Between which places of n sorted elements a fraction lies (null: the median), k and, with `both`, k + 1.
struct QuantilePlace {
  std::int64_t k;
  bool both;
  double fraction;
};
QuantilePlace place_of_quantile(std::int64_t n, const double* q);
/// Of a histogram with those bounds, one more than there are bins: float32 or float64.
void make_edges(const Work& work, double low, double high, void* edges);
/// How many bins hold counts of numbers between those two.
std::int64_t bins_for(std::int64_t low, std::int64_t high, std::int64_t least);

/// Counts in pieces of about equal size, by threads: `count(first, end)`.
Found find_in_pieces(const Work& work, std::int64_t n, const std::function<std::int64_t(std::int64_t first, std::int64_t end)>& count);

}  // namespace engine::run::ordered

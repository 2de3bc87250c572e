// run/ordered/ordered.hpp - operations along an axis over memory: scans in a fixed tree, stable sorts.
//
// The tree of a scan, the same for every number of threads and for every place of the axis: segments of 32 elements in
// order; 64 segments make a tile, whose segments' totals are combined in order; 64 tiles make a span, whose tiles' totals are
// combined in order; spans' totals are combined in order. An element is base o (before o own), where own combines its segment
// up to it, `before` the segments of its tile before that, `base` the spans, then the tiles of its span, before its tile.
#pragma once

#include <cstdint>

#include "engine/base/dtype.hpp"
#include "engine/catalog/op.hpp"
#include "engine/run/watch.hpp"

namespace engine::run::ordered {

/// Rows of `length` elements, `inner` apart, for each of `outer` and each of `inner`: an axis of an array in C order.
struct Rows {
  std::int64_t outer = 1, length = 0, inner = 1;
  std::int64_t total() const { return outer * length * inner; }
};

struct Work {
  catalog::Ordered ordered;
  DType dtype;         ///< of the source: not Float16
  const void* source;  ///< in C order
  void* target;        ///< likewise; the source itself, or disjoint from it. Of Argsort: int64
  Rows rows;
  bool exclusive = false;
  int threads = 1;
  Watch* watch = nullptr;
};

/// Throws Interrupted, LimitError, std::bad_alloc; then the target holds anything.
void run(const Work& work);

/// Element-operations an element takes, for choosing threads.
double cost(catalog::Ordered ordered) noexcept;

void run_scan(const Work& work);
void run_sort(const Work& work);

}  // namespace engine::run::ordered

// device/ordered.cuh - operations along an axis: scans in the tree of run/ordered/ordered.hpp, what picks elements, and what reads
// elements that are in order. Blocks have 256 threads.
//
// A source is a function of an element's place in C order, so that what is scanned or picked need not be in memory.
namespace engine::cuda {

/// Rows of `length` elements, `inner` apart: an axis of an array in C order.
struct RowsOf {
  long length, inner;
  ENGINE_LANE long place(long row, long i) const {
    return inner == 1 ? row * length + i : row / inner * length * inner + row % inner + i * inner;
  }
};

// ---- scans ---------------------------------------------------------------------------------------------------------------
/// How blocks share rows: of one tile each, several at once; or tile by tile.
struct ScanShape {
  RowsOf of;
  long rows, tiles;  ///< tiles of a row
  unsigned at_once;
};

/// A segment in every 33 numbers, so that threads that walk one each meet no other's bank.
template <class T>
struct ScanMemory {
  T at[math::kScanTile + math::kScanSegments];
  T before[math::kScanSegments];
  ENGINE_LANE T& element(unsigned e) { return at[e + e / math::kScanSegment]; }
};

/// One tile of a row, or some rows of one tile: put(row, i, value) for each of its elements, where base(row, tile) stands before the
/// tiles but the first. C: the combination, of Values; total(row, tile, value) gets what a tile combines to.
template <class C, class Source, class Total, class Base, class Put>
ENGINE_LANE void scan_tile(ScanShape shape, Source source, Total total, Base base, Put put) {
  using T = typename C::Value;
  __shared__ ScanMemory<T> memory;
  const long first_row = blockIdx.x / shape.tiles * shape.at_once, tile = blockIdx.x % shape.tiles, first = tile * math::kScanTile;
  const unsigned rows = static_cast<unsigned>(shape.rows - first_row < shape.at_once ? shape.rows - first_row : shape.at_once);
  const unsigned n = static_cast<unsigned>(shape.of.length - first < math::kScanTile ? shape.of.length - first : math::kScanTile);
  const unsigned segments = (n + math::kScanSegment - 1) / math::kScanSegment;
  const auto row_of = [&](unsigned e) { return rows == 1 ? 0u : e / n; };  // mostly without a division
  for (unsigned e = threadIdx.x; e < rows * n; e += kThreads) {
    const unsigned row = row_of(e);
    memory.element(e) = source(shape.of.place(first_row + row, first + e - row * n));
  }
  __syncthreads();
  if (threadIdx.x < rows * segments) {
    const unsigned begin = threadIdx.x / segments * n + threadIdx.x % segments * math::kScanSegment;
    const unsigned row_end = threadIdx.x / segments * n + n, end = begin + math::kScanSegment < row_end ? begin + math::kScanSegment : row_end;
    T own = memory.element(begin);
    for (unsigned e = begin + 1; e < end; ++e) {
      own = C::combine(own, memory.element(e));
      memory.element(e) = own;
    }
    memory.before[threadIdx.x] = own;
  }
  __syncthreads();
  if (threadIdx.x < rows) {
    T* const at = memory.before + threadIdx.x * segments;
    T all = at[0];
    for (unsigned s = 1; s < segments; ++s) {
      const T next = C::combine(all, at[s]);
      at[s] = all;
      all = next;
    }
    total(first_row + threadIdx.x, tile, all);
  }
  __syncthreads();
  for (unsigned e = threadIdx.x; e < rows * n; e += kThreads) {
    const unsigned row = row_of(e), i = e - row * n, segment = i / math::kScanSegment;
    T value = memory.element(e);
    if (segment > 0) value = C::combine(memory.before[row * segments + segment], value);
    if (tile > 0) value = C::combine(base(first_row + row, tile), value);
    put(first_row + row, first + i, value);
  }
}

/// The totals of a row's tiles become what stands before each of them. `spans`: memory for one value of each span.
template <class C>
ENGINE_LANE void scan_bases(typename C::Value* totals, typename C::Value* spans, long tiles) {
  using T = typename C::Value;
  const long n_spans = (tiles + math::kScanSpan - 1) / math::kScanSpan;
  totals += blockIdx.x * tiles;
  spans += blockIdx.x * n_spans;
  for (long s = threadIdx.x; s < n_spans; s += kThreads) {
    T all = totals[s * math::kScanSpan];
    const long end = s * math::kScanSpan + math::kScanSpan < tiles ? s * math::kScanSpan + math::kScanSpan : tiles;
    for (long t = s * math::kScanSpan + 1; t < end; ++t) {
      const T own = totals[t];
      totals[t] = all;
      all = C::combine(all, own);
    }
    spans[s] = all;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    T all = spans[0];
    for (long s = 1; s < n_spans; ++s) {
      const T own = spans[s];
      spans[s] = all;
      all = C::combine(all, own);
    }
  }
  __syncthreads();
  for (long t = threadIdx.x; t < tiles; t += kThreads) {
    const long s = t / math::kScanSpan;
    if (s > 0) totals[t] = t % math::kScanSpan == 0 ? spans[s] : C::combine(spans[s], totals[t]);
  }
}

/// A row of a thread: neighbours are read together where they lie beside each other.
template <class C, class Source, class Put>
ENGINE_LANE void scan_column(RowsOf of, long rows, Source source, Put put) {
  using T = typename C::Value;
  const long row = static_cast<long>(blockIdx.x) * kThreads + threadIdx.x;
  if (row >= rows) return;
  T own, before, spans, tiles, base, value;
  bool has_spans = false, has_tiles = false;
  for (long i = 0; i < of.length; ++i) {
    const T x = source(of.place(row, i));
    own = i % math::kScanSegment == 0 ? x : C::combine(own, x);
    value = i % math::kScanTile < math::kScanSegment ? own : C::combine(before, own);
    if (i % math::kScanSegment == math::kScanSegment - 1) before = value;
    put(row, i, i < math::kScanTile ? value : C::combine(base, value));
    if (i % math::kScanTile != math::kScanTile - 1) continue;
    tiles = has_tiles ? C::combine(tiles, value) : value;
    has_tiles = true;
    if ((i / math::kScanTile + 1) % math::kScanSpan == 0) {
      spans = has_spans ? C::combine(spans, tiles) : tiles;
      has_spans = true;
      has_tiles = false;
    }
    base = has_spans && has_tiles ? C::combine(spans, tiles) : has_spans ? spans : tiles;
  }
}

// ---- what picks elements ---------------------------------------------------------------------------------------------------
/// Exclusive sums over the threads of a warp, and the sum.
ENGINE_LANE unsigned sum_before(unsigned own, unsigned& all) {
  const unsigned lane = threadIdx.x % 32;
  unsigned sum = own;
#pragma unroll
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned other = __shfl_up_sync(0xffffffffu, sum, distance);
    if (lane >= distance) sum += other;
  }
  all = __shfl_sync(0xffffffffu, sum, 31);
  return sum - own;
}

/// How many elements of each tile have flag(i).
template <class Flag>
ENGINE_LANE void count_picked(Flag flag, long n, long* counts) {
  __shared__ unsigned of_warp[kThreads / 32];
  unsigned mine = 0;
  for (unsigned k = 0; k < kPickedOfThread; ++k) {
    const long i = static_cast<long>(blockIdx.x) * kPickTile + k * kThreads + threadIdx.x;
    const unsigned found = __ballot_sync(0xffffffffu, i < n && flag(i));
    mine += static_cast<unsigned>(__popc(static_cast<int>(found)));
  }
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = mine;
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (unsigned w = 1; w < kThreads / 32; ++w) mine += of_warp[w];
  counts[blockIdx.x] = mine;
}

/// The sums over a block of what its threads have, each up to its own.
template <class T>
ENGINE_LANE T sum_up_to(T own, T (&part)[kThreads]) {
  part[threadIdx.x] = own;
  __syncthreads();
  for (unsigned distance = 1; distance < kThreads; distance *= 2) {
    const T other = threadIdx.x >= distance ? part[threadIdx.x - distance] : 0;
    __syncthreads();
    part[threadIdx.x] += other;
    __syncthreads();
  }
  return part[threadIdx.x];
}

/// Counts become how many there were before, and counts[n] all of them. By one block.
ENGINE_LANE void sum_counts(long* counts, long n) {
  __shared__ long part[kThreads];
  long before = 0;
  for (long first = 0; first < n; first += kThreads) {
    const long i = first + threadIdx.x;
    const long own = i < n ? counts[i] : 0;
    const long sum = sum_up_to(own, part);
    if (i < n) counts[i] = before + sum - own;
    before += part[kThreads - 1];
    __syncthreads();
  }
  if (threadIdx.x == 0) counts[n] = before;
}

/// put(i, k, picked) for each element, k of them being picked before it.
template <class Flag, class Put>
ENGINE_LANE void collect_picked(Flag flag, long n, const long* before, Put put) {
  __shared__ unsigned at[kPickTile / 32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const long start = static_cast<long>(blockIdx.x) * kPickTile;
  const unsigned here = n - start < kPickTile ? static_cast<unsigned>(n - start) : kPickTile;
  unsigned found[kPickedOfThread];
#pragma unroll
  for (unsigned k = 0; k < kPickedOfThread; ++k) {
    const unsigned i = k * kThreads + threadIdx.x;
    found[k] = __ballot_sync(0xffffffffu, i < here && flag(start + i));
    if (lane == 0) at[k * (kThreads / 32) + warp] = static_cast<unsigned>(__popc(static_cast<int>(found[k])));
  }
  __syncthreads();
  if (warp == 0) {
    unsigned first, second;
    const unsigned low = sum_before(at[lane], first), high = sum_before(at[lane + 32], second);
    at[lane] = low;
    at[lane + 32] = first + high;
  }
  __syncthreads();
  const unsigned block = afresh(blockIdx.x);
  const long base = before[block], again = static_cast<long>(block) * kPickTile;
#pragma unroll
  for (unsigned k = 0; k < kPickedOfThread; ++k) {
    const unsigned i = k * kThreads + threadIdx.x;
    if (i >= here) continue;
    const unsigned lower = found[k] & ((1u << lane) - 1u);
    put(again + i, base + at[k * (kThreads / 32) + warp] + static_cast<unsigned>(__popc(static_cast<int>(lower))), (found[k] >> lane & 1u) != 0);
  }
}

// ---- what reads sorted elements --------------------------------------------------------------------------------------------
/// Elements in ascending order: as they lie, or through the argsort. An element begins a run of equal ones where it differs from
/// the one before it.
template <class T>
struct SortedRuns {
  const T* values;
  const long* order;
  ENGINE_LANE T at(long i) const { return values[order ? order[i] : i]; }
  ENGINE_LANE bool operator()(long i) const { return i == 0 || !math::is_same_element(at(i - 1), at(i)); }
};

/// NumPy's linear quantile of sorted elements, NaN last: between elements k and k + 1. As of the host, zeros have no sign.
template <class T>
ENGINE_LANE T quantile_of_row(const T* sorted, long length, long k, bool both, bool is_median, double fraction) {
  if (length == 0 || sorted[length - 1] != sorted[length - 1]) return math::quiet_nan<T>();
  const T low = sorted[k] + T(0);
  return math::between<T>(low, both ? sorted[k + 1] + T(0) : low, both, is_median, fraction);
}

/// The least and the largest of n values, into ends[0] and ends[1].
ENGINE_LANE void find_ends(const long* values, long n, long long* ends) {
  long long low = values[0];
  long long high = low;
  for (long i = static_cast<long>(blockIdx.x) * kThreads + threadIdx.x; i < n; i += static_cast<long>(gridDim.x) * kThreads) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  atomicMin(ends, low);
  atomicMax(ends + 1, high);
}

}  // namespace engine::cuda

// device/reduce.cuh - reductions in the contract's combination tree (§3), by warps and by threads.
//
// A fold is a type: Value, what is folded; Part, what is combined; combine(Part, Part); and finish(Part, Count), the value of a
// cell. Along a row, a warp makes one block of 2,048 elements of the tree at a time: thread t has lanes 2 * t and 2 * t + 1 of the 64.
namespace engine::cuda {

constexpr unsigned kTreeGroup = 512;
constexpr unsigned kTreeLanes = 64;

/// What a cell's value is divided by: of means and variances.
struct Count {
  double items, ddof;
  bool bounded;
};

/// value of the thread `lane` of the warp; all of it takes part.
template <class T>
ENGINE_LANE T shuffle(T value, unsigned lane) {
  if constexpr (sizeof(T) < 4) {
    using Word = typename WordOf<sizeof(T)>::type;
    const unsigned word = __builtin_bit_cast(Word, value);
    return __builtin_bit_cast(T, static_cast<Word>(__shfl_sync(0xffffffffu, word, static_cast<int>(lane))));
  } else {
    auto words = __builtin_bit_cast(Pack<unsigned, sizeof(T) / 4>, value);
    for (int i = 0; i < static_cast<int>(sizeof(T) / 4); ++i) words.at[i] = __shfl_sync(0xffffffffu, words.at[i], static_cast<int>(lane));
    return __builtin_bit_cast(T, words);
  }
}

/// Up to 2^kLevels parts combined pairwise, level by level, as they come: a binary counter whose digits are parts, and whose count
/// the caller keeps. An odd one moves up. Each level is a variable of its own, which has registers: an array would be local memory, written as far as DRAM.
template <class F, int kLevels>
struct PairTree {
  typename F::Part part;
  PairTree<F, kLevels - 1> upper;
  ENGINE_LANE void push(typename F::Part next, unsigned before) {
    if (before & 1u)
      upper.push(F::combine(part, next), before >> 1);
    else
      part = next;
  }
  ENGINE_LANE typename F::Part finish(unsigned count) {
    return (count & 1u) != 0 ? upper.finish_before(part, count >> 1) : upper.finish(count >> 1);
  }
  ENGINE_LANE typename F::Part finish_before(typename F::Part all, unsigned count) {
    if (count & 1u) all = F::combine(part, all);
    return upper.finish_before(all, count >> 1);
  }
};
template <class F>
struct PairTree<F, 0> {
  typename F::Part part;
  ENGINE_LANE void push(typename F::Part all, unsigned) { part = all; }
  ENGINE_LANE typename F::Part finish(unsigned) { return part; }
  ENGINE_LANE typename F::Part finish_before(typename F::Part all, unsigned) { return all; }
};

/// The same by a warp, for parts of its thread 0: thread l keeps level l, so that all of it stays in registers.
template <class F>
struct WarpTree {
  typename F::Part level_of_thread;
  ENGINE_LANE void push(typename F::Part part, unsigned before) {
    part = shuffle(part, 0);
    unsigned level = 0;
    for (; before >> level & 1u; ++level) part = F::combine(shuffle(level_of_thread, level), part);
    if (threadIdx.x % 32 == level) level_of_thread = part;
  }
  ENGINE_LANE typename F::Part finish(unsigned count) {
    unsigned level = static_cast<unsigned>(__ffs(static_cast<int>(count))) - 1;
    typename F::Part all = shuffle(level_of_thread, level);
    for (++level; count >> level; ++level)
      if (count >> level & 1u) all = F::combine(shuffle(level_of_thread, level), all);
    return all;
  }
};

/// The lanes of a row by halves, the first n of 64 there are: to thread 0. Thread t has lanes 2 * t and 2 * t + 1.
template <class Combine, class T>
ENGINE_LANE T fold_lanes(T low, T high, unsigned n, Combine combine) {
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned half = 32; half > 1; half /= 2) {
    const T other_low = shuffle(low, lane + half / 2), other_high = shuffle(high, lane + half / 2);
    if (lane < half / 2) {
      if (2 * lane + half < n) low = combine(low, other_low);
      if (2 * lane + 1 + half < n) high = combine(high, other_high);
    }
    if (n > half) n = half;
  }
  return n > 1 ? combine(low, high) : low;
}

/// The same of kRows of kAll rows from a level on: to low[0] of the first of the threads of each. At each of the first levels a
/// thread gives the lanes of one of two rows away, so that the warp makes both with one exchange.
template <int kRows, unsigned kHalf, int kAll, class Combine, class T>
ENGINE_LANE void fold_lanes_of_rows(T (&low)[kAll], T (&high)[kAll], unsigned n, Combine combine) {
  if constexpr (kHalf == 1) {
    if (n > 1) low[0] = combine(low[0], high[0]);
  } else {
    constexpr unsigned kDistance = kHalf / 2;
    const unsigned lane = threadIdx.x % 32, at = 2 * (lane % kDistance);
    const bool is_upper = (lane & kDistance) != 0;
    if constexpr (kRows > 1) {
#pragma unroll
      for (int r = 0; r < kRows / 2; ++r) {
        const T own_low = is_upper ? low[r + kRows / 2] : low[r], given_low = is_upper ? low[r] : low[r + kRows / 2];
        const T own_high = is_upper ? high[r + kRows / 2] : high[r], given_high = is_upper ? high[r] : high[r + kRows / 2];
        const T other_low = shuffle(given_low, lane ^ kDistance), other_high = shuffle(given_high, lane ^ kDistance);
        low[r] = is_upper ? other_low : own_low;
        high[r] = is_upper ? other_high : own_high;
        if (at + kHalf < n) low[r] = combine(low[r], is_upper ? own_low : other_low);
        if (at + 1 + kHalf < n) high[r] = combine(high[r], is_upper ? own_high : other_high);
      }
    } else {
      const T other_low = shuffle(low[0], lane + kDistance), other_high = shuffle(high[0], lane + kDistance);
      if (!is_upper) {
        if (at + kHalf < n) low[0] = combine(low[0], other_low);
        if (at + 1 + kHalf < n) high[0] = combine(high[0], other_high);
      }
    }
    fold_lanes_of_rows<(kRows > 1 ? kRows / 2 : 1), kDistance>(low, high, n < kHalf ? n : kHalf, combine);
  }
}

/// Folds of values: the sum of each lane's numbers in order, groups pairwise, lanes by halves.
template <class F>
struct ValueBlock {
  using Value = typename F::Value;
  Value group[2], pair[2], first[2];

  /// v[2 * k + h]: row k, lane 2 * t + h of a group of n elements, the g-th of four of this block.
  ENGINE_LANE void add(const Value (&v)[16], unsigned g, unsigned n) {
    const unsigned lane = threadIdx.x % 32;
    for (int h = 0; h < 2; ++h) {
      group[h] = v[h];
      for (int k = 1; k < 8; ++k)
        if (k * kTreeLanes + 2 * lane + h < n) group[h] = F::combine(group[h], v[2 * k + h]);
      const bool is_there = 2 * lane + h < n;
      if (g % 2 == 0)
        pair[h] = group[h];
      else if (is_there)
        pair[h] = F::combine(pair[h], group[h]);
      if (g == 1 || g == 0) first[h] = pair[h];
    }
  }
  /// Of n elements of the block: to thread 0.
  ENGINE_LANE typename F::Part finish(unsigned n) {
    const unsigned lane = threadIdx.x % 32;
    for (int h = 0; h < 2; ++h)
      if (2 * kTreeGroup + 2 * lane + h < n) first[h] = F::combine(first[h], pair[h]);
    return fold_lanes(first[0], first[1], n < kTreeLanes ? n : kTreeLanes, [](Value x, Value y) { return F::combine(x, y); });
  }
};

/// Variances: each group is a part of the sample, passed over twice in registers. A group has at most kRows rows of lanes.
template <class F, int kRows = 8>
struct MomentBlock {
  using T = typename F::Value;
  using Part = typename F::Part;
  Part pair, first;

  ENGINE_LANE static T sum(const T (&v)[2], unsigned n) {
    return shuffle(fold_lanes(v[0], v[1], n < kTreeLanes ? n : kTreeLanes, [](T x, T y) { return x + y; }), 0);
  }
  ENGINE_LANE void add(const T (&v)[2 * kRows], unsigned g, unsigned n) {
    const unsigned lane = threadIdx.x % 32;
    T total[2], more[2];
    for (int h = 0; h < 2; ++h) {
      total[h] = F::value(v[h]);
      more[h] = F::counted(v[h]);
      for (int k = 1; k < kRows; ++k)
        if (k * kTreeLanes + 2 * lane + h < n) {
          total[h] += F::value(v[2 * k + h]);
          more[h] += F::counted(v[2 * k + h]);
        }
    }
    const T count = F::kSkipsNan ? sum(more, n) : static_cast<T>(n);
    const T mean = F::mean_of(sum(total, n), count);
    for (int h = 0; h < 2; ++h) {
      const T first_distance = F::distance(v[h], mean);
      total[h] = first_distance;
      more[h] = first_distance * first_distance;
      for (int k = 1; k < kRows; ++k)
        if (k * kTreeLanes + 2 * lane + h < n) {
          const T distance = F::distance(v[2 * k + h], mean);
          total[h] += distance;
          more[h] += distance * distance;
        }
    }
    const T distances = sum(total, n), squares = sum(more, n);
    const Part part = math::moments(count, mean, distances, squares);
    if (g % 2 == 0)
      pair = part;
    else if (n > 0)
      pair = F::combine(pair, part);
    if (g < 2) first = pair;
  }
  ENGINE_LANE Part finish(unsigned n) { return n > 2 * kTreeGroup ? F::combine(first, pair) : first; }
};

/// One group of up to kRows rows, eight at most, of one lane.
template <class F, int kRows>
ENGINE_LANE typename F::Part across(const typename F::Value (&v)[kRows], unsigned n) {
  if constexpr (F::kHasMoments) {
    using T = typename F::Value;
    T total = F::value(v[0]), count = F::counted(v[0]);
    for (unsigned k = 1; k < kRows; ++k)
      if (k < n) {
        total += F::value(v[k]);
        count += F::counted(v[k]);
      }
    const T mean = F::mean_of(total, count);
    T distances = F::distance(v[0], mean), squares = distances * distances;
    for (unsigned k = 1; k < kRows; ++k)
      if (k < n) {
        const T distance = F::distance(v[k], mean);
        distances += distance;
        squares += distance * distance;
      }
    return math::moments(count, mean, distances, squares);
  } else {
    auto part = v[0];
    for (unsigned k = 1; k < kRows; ++k)
      if (k < n) part = F::combine(part, v[k]);
    return part;
  }
}

/// A row of at most 16 elements, by one thread.
template <class F>
ENGINE_LANE typename F::Part short_row(const typename F::Value (&v)[16], unsigned n) {
  using T = typename F::Value;
  const auto folded = [n](const T(&lanes)[16], auto combine) {
    T left[16];
    for (unsigned j = 0; j < 16; ++j) left[j] = lanes[j];
    unsigned there = n;
    for (unsigned half = 8; half > 0; half /= 2) {
      for (unsigned j = 0; j < half; ++j)
        if (j + half < there) left[j] = combine(left[j], left[j + half]);
      if (there > half) there = half;
    }
    return left[0];
  };
  if constexpr (F::kHasMoments) {
    const auto sum = [](T x, T y) { return x + y; };
    T a[16], b[16];
    for (unsigned j = 0; j < 16; ++j) {
      a[j] = F::value(v[j]);
      b[j] = F::counted(v[j]);
    }
    const T count = F::kSkipsNan ? folded(b, sum) : static_cast<T>(n);
    const T mean = F::mean_of(folded(a, sum), count);
    for (unsigned j = 0; j < 16; ++j) {
      a[j] = F::distance(v[j], mean);
      b[j] = a[j] * a[j];
    }
    return math::moments(count, mean, folded(a, sum), folded(b, sum));
  } else {
    return folded(v, [](T x, T y) { return F::combine(x, y); });
  }
}

/// Rows of at most 64 * kLaneRows elements, kRows of them by a warp: to the first of each row's 32 / kRows threads.
/// v[r][2 * k + h]: row r, its lane 2 * t + h in row k of lanes.
template <class F, int kRows, int kLaneRows>
ENGINE_LANE typename F::Part fold_rows(const typename F::Value (&v)[kRows][2 * kLaneRows], unsigned n) {
  const unsigned lane = threadIdx.x % 32;
  if constexpr (F::kHasMoments) {
    typename F::Part part;
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      MomentBlock<F, kLaneRows> block;
      block.add(v[r], 0, n);
      if (r == 0 || lane / (32 / kRows) == r) part = block.first;
    }
    return part;
  } else {
    using Value = typename F::Value;
    Value low[kRows], high[kRows];
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      low[r] = v[r][0];
      high[r] = v[r][1];
      for (int k = 1; k < kLaneRows; ++k) {
        if (k * kTreeLanes + 2 * lane < n) low[r] = F::combine(low[r], v[r][2 * k]);
        if (k * kTreeLanes + 2 * lane + 1 < n) high[r] = F::combine(high[r], v[r][2 * k + 1]);
      }
    }
    fold_lanes_of_rows<kRows, kTreeLanes / 2>(low, high, n < kTreeLanes ? n : kTreeLanes,
                                              [](Value x, Value y) { return F::combine(x, y); });
    return low[0];
  }
}

// ---- pieces -----------------------------------------------------------------------------------------------------------------

/// Parts that follow each other, of n threads of the block, in order: to the thread whose q is 0. What thread q has comes q-th;
/// `slot` tells apart the cells of a block: q * stride + slot is different for all. All of the block calls it.
template <class F>
ENGINE_LANE typename F::Part combine_in_block(typename F::Part part, unsigned q, unsigned stride, unsigned slot, unsigned n, char* memory) {
  auto* parts = reinterpret_cast<typename F::Part*>(memory);
  __syncthreads();  // the memory was somebody else's
  for (unsigned step = 1; step < n; step *= 2) {
    if (q < n && q % (2 * step) == step) parts[q * stride + slot] = part;
    __syncthreads();
    if (q % (2 * step) == 0 && q + step < n) part = F::combine(part, parts[(q + step) * stride + slot]);
  }
  return part;
}

/// The same of the parts of the first n threads of the block, to thread 0: warps exchange theirs, then one makes the rest.
template <class F>
ENGINE_LANE typename F::Part combine_threads(typename F::Part part, unsigned n, char* memory) {
  auto* parts = reinterpret_cast<typename F::Part*>(memory);
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (unsigned step = 1; step < 32; step *= 2) {
    const typename F::Part other = shuffle(part, lane + step);
    if (lane % (2 * step) == 0 && threadIdx.x + step < n) part = F::combine(part, other);
  }
  __syncthreads();  // the memory was somebody else's
  if (lane == 0) parts[threadIdx.x / 32] = part;
  __syncthreads();
  if (threadIdx.x >= 32) return part;
  part = parts[lane % 8];
#pragma unroll
  for (unsigned step = 1; step < 8; step *= 2) {
    const typename F::Part other = shuffle(part, lane + step);
    if (lane % (2 * step) == 0 && 32 * (lane + step) < n) part = F::combine(part, other);
  }
  return part;
}

/// The blocks that make a cell leave parts in memory; gives whether this is the last of n to do so. Then it finds the parts of the
/// others, and the counter is zero again for the next launch.
ENGINE_LANE bool is_last_block(unsigned* arrived, unsigned n, bool* answer) {
  __syncthreads();
  if (threadIdx.x == 0) {
    __threadfence();  // of all that the block has written, as the barrier comes before
    *answer = atomicAdd(arrived, 1u) == n - 1;
    if (*answer) atomicExch(arrived, 0u);
    __threadfence();  // by the one who has seen the others' counts; the barrier hands on what it knows
  }
  __syncthreads();
  return *answer;
}

/// 0 < n <= 8 parts in order.
template <class F>
ENGINE_LANE typename F::Part combine_in_order(const typename F::Part* parts, unsigned n) {
  constexpr unsigned kAtOnce = sizeof(typename F::Part) <= 8 ? 8 : 4;  // loads under way
  PairTree<F, 3> tree;
  for (unsigned i = 0; i < n; i += kAtOnce) {
    typename F::Part part[kAtOnce];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k) part[k] = parts[i + k < n ? i + k : n - 1];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k)
      if (i + k < n) tree.push(part[k], i + k);
  }
  return tree.finish(n);
}

template <class F>
using ColumnTree = PairTree<F, kColumnLevels>;

/// 0 < n <= 2^kColumnLevels parts in order, `stride` apart, of each of kWidth cells whose parts lie side by side.
template <class F, int kWidth>
ENGINE_LANE void combine_columns(typename F::Part (&result)[kWidth], const typename F::Part* parts, long stride, unsigned n) {
  constexpr unsigned kBytes = sizeof(typename F::Part) * kWidth, kAtOnce = kBytes <= 8 ? 16 : kBytes <= 16 ? 8 : kBytes <= 32 ? 4 : 2;
  ColumnTree<F> tree[kWidth];
  for (unsigned i = 0; i < n; i += kAtOnce) {
    typename F::Part part[kAtOnce][kWidth];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k)
#pragma unroll
      for (int j = 0; j < kWidth; ++j) part[k][j] = parts[(i + k < n ? i + k : n - 1) * stride + j];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k)
      if (i + k < n)
#pragma unroll
        for (int j = 0; j < kWidth; ++j) tree[j].push(part[k][j], i + k);
  }
#pragma unroll
  for (int j = 0; j < kWidth; ++j) result[j] = tree[j].finish(n);
}

/// Of the parts that n blocks left of these cells, which are the block's own now, the q-th of `depth` threads makes its share; gives
/// how many threads have one, a power of two of parts each. Where there are more than the threads' trees hold, subtrees take their
/// first part's place until there are not. All of the block calls it; threads without a cell with q = depth.
template <class F, int kWidth>
ENGINE_LANE unsigned combine_blocks(typename F::Part (&result)[kWidth], typename F::Part* parts, long stride, unsigned n, unsigned q,
                                    unsigned depth) {
  for (;;) {
    const bool is_last = n <= depth << kColumnLevels;
    unsigned chunk = 1u << kColumnLevels;
    if (is_last)
      for (chunk = 1; chunk * depth < n; chunk *= 2) {
      }
    const unsigned chunks = (n + chunk - 1) / chunk;
    for (unsigned c = q; q < depth && c < chunks; c += depth) {
      typename F::Part* own = parts + static_cast<long>(c) * chunk * stride;
      combine_columns<F, kWidth>(result, own, stride, n - c * chunk < chunk ? n - c * chunk : chunk);
      if (!is_last)
        for (int j = 0; j < kWidth; ++j) own[j] = result[j];
    }
    n = chunks;
    if (is_last) return n;
    stride *= chunk;
    __syncthreads();
  }
}

/// One more part of a cell, after `before` others: to its tree, whose levels lie `stride` apart in memory, of a binary counter again.
/// The last one gives all of them.
template <class F>
ENGINE_LANE typename F::Part push_part(typename F::Part part, typename F::Part* levels, long stride, unsigned before, bool is_last) {
  unsigned level = 0;
  for (; before >> level & 1u; ++level) part = F::combine(levels[level * stride], part);
  if (!is_last)
    levels[level * stride] = part;
  else
    for (++level; level < 32 && before >> level; ++level)
      if (before >> level & 1u) part = F::combine(levels[level * stride], part);
  return part;
}

// ---- the parts of a sample --------------------------------------------------------------------------------------------------

template <class T, bool kSkips>
struct Spread {
  using Value = T;
  using Part = math::Moments<T>;
  static constexpr bool kHasMoments = true, kSkipsNan = kSkips;
  ENGINE_LANE static T counted(T x) { return kSkips ? (x == x ? T(1) : T(0)) : T(1); }
  ENGINE_LANE static T value(T x) { return kSkips ? (x == x ? x : T(0)) : x; }
  ENGINE_LANE static T distance(T x, T mean) { return kSkips ? (x == x ? x - mean : T(0)) : x - mean; }
  ENGINE_LANE static T mean_of(T total, T n) { return kSkips && n == 0 ? T(0) : total / n; }
  ENGINE_LANE static Part combine(Part x, Part y) { return math::merge(x, y); }
  ENGINE_LANE static T finish(Part part, Count count) {
    if constexpr (kSkips) {
      const T left = part.count - static_cast<T>(count.ddof);
      const T none = math::not_a_number<T>();
      return left > 0 ? part.squares / left : count.bounded ? part.squares / T(0) : none;
    } else {
      const double rest = count.items - count.ddof;
      return part.squares / static_cast<T>(rest > 0 ? rest : 0);
    }
  }
};

}  // namespace engine::cuda

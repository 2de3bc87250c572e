// device/reduce.cuh - reductions in the contract's combination tree (§3), by warps and by threads.
//
// A fold is a type: Value, what is folded; Part, what is combined; combine(Part, Part); and finish(Part, Count), the value of a
// cell. Along a row, a warp makes one block of 2,048 elements of the tree at a time: thread t has lanes t and t + 32 of the 64.
namespace engine::cuda {

constexpr unsigned kTreeBlock = 2048, kTreeGroup = 512, kTreeLanes = 64;

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

/// Parts combined pairwise, level by level, as they come: a binary counter whose digits are parts. An odd one moves up.
template <class F>
struct PairTree {
  typename F::Part levels[32];
  unsigned occupied = 0;
  ENGINE_LANE void push(typename F::Part part) {
    int level = 0;
    for (; occupied >> level & 1u; ++level) part = F::combine(levels[level], part);
    occupied = (occupied >> level | 1u) << level;
    levels[level] = part;
  }
  ENGINE_LANE typename F::Part finish() {
    int level = __ffs(static_cast<int>(occupied)) - 1;
    typename F::Part all = levels[level];
    for (++level; occupied >> level; ++level)
      if (occupied >> level & 1u) all = F::combine(levels[level], all);
    return all;
  }
};

/// The same by a warp, for parts of its thread 0: thread l keeps level l, so that all of it stays in registers.
template <class F>
struct WarpTree {
  typename F::Part level_of_thread;
  unsigned occupied = 0;
  ENGINE_LANE void push(typename F::Part part) {
    part = shuffle(part, 0);
    unsigned level = 0;
    for (; occupied >> level & 1u; ++level) part = F::combine(shuffle(level_of_thread, level), part);
    occupied = (occupied >> level | 1u) << level;
    if (threadIdx.x % 32 == level) level_of_thread = part;
  }
  ENGINE_LANE typename F::Part finish() {
    unsigned level = static_cast<unsigned>(__ffs(static_cast<int>(occupied))) - 1;
    typename F::Part all = shuffle(level_of_thread, level);
    for (++level; occupied >> level; ++level)
      if (occupied >> level & 1u) all = F::combine(shuffle(level_of_thread, level), all);
    return all;
  }
};

/// The lanes of a warp by halves, the first n of 64 there are: to thread 0. `high`: of lane t + 32.
template <class Combine, class T>
ENGINE_LANE T fold_lanes(T low, T high, unsigned n, Combine combine) {
  const unsigned lane = threadIdx.x % 32;
  if (lane + 32 < n) low = combine(low, high);
  if (n > 32) n = 32;
  for (unsigned half = 16; half > 0; half /= 2) {
    const T other = shuffle(low, lane + half);
    if (lane < half && lane + half < n) low = combine(low, other);
    if (n > half) n = half;
  }
  return low;
}

/// Folds of values: the sum of each lane's numbers in order, groups pairwise, lanes by halves.
template <class F>
struct ValueBlock {
  using Value = typename F::Value;
  Value group[2], pair[2], first[2];

  /// v[2 * k + h]: row k, lane h * 32 + t of a group of n elements, the g-th of four of this block.
  ENGINE_LANE void add(const Value (&v)[16], unsigned g, unsigned n) {
    const unsigned lane = threadIdx.x % 32;
    for (int h = 0; h < 2; ++h) {
      group[h] = v[h];
      for (int k = 1; k < 8; ++k)
        if (k * kTreeLanes + h * 32 + lane < n) group[h] = F::combine(group[h], v[2 * k + h]);
      const bool is_there = h * 32 + lane < n;
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
      if (2 * kTreeGroup + h * 32 + lane < n) first[h] = F::combine(first[h], pair[h]);
    return fold_lanes(first[0], first[1], n < kTreeLanes ? n : kTreeLanes, [](Value x, Value y) { return F::combine(x, y); });
  }
};

/// Variances: each group is a part of the sample, passed over twice in registers.
template <class F>
struct MomentBlock {
  using T = typename F::Value;
  using Part = typename F::Part;
  Part pair, first;

  ENGINE_LANE static T sum(const T (&v)[2], unsigned n) {
    return shuffle(fold_lanes(v[0], v[1], n < kTreeLanes ? n : kTreeLanes, [](T x, T y) { return x + y; }), 0);
  }
  ENGINE_LANE void add(const T (&v)[16], unsigned g, unsigned n) {
    const unsigned lane = threadIdx.x % 32;
    T total[2], more[2];
    for (int h = 0; h < 2; ++h) {
      total[h] = F::value(v[h]);
      more[h] = F::counted(v[h]);
      for (int k = 1; k < 8; ++k)
        if (k * kTreeLanes + h * 32 + lane < n) {
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
      for (int k = 1; k < 8; ++k)
        if (k * kTreeLanes + h * 32 + lane < n) {
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

/// One group of up to eight rows, of one lane.
template <class F>
ENGINE_LANE typename F::Part across(const typename F::Value (&v)[8], unsigned n) {
  if constexpr (F::kHasMoments) {
    using T = typename F::Value;
    T total = F::value(v[0]), count = F::counted(v[0]);
    for (unsigned k = 1; k < 8; ++k)
      if (k < n) {
        total += F::value(v[k]);
        count += F::counted(v[k]);
      }
    const T mean = F::mean_of(total, count);
    T distances = F::distance(v[0], mean), squares = distances * distances;
    for (unsigned k = 1; k < 8; ++k)
      if (k < n) {
        const T distance = F::distance(v[k], mean);
        distances += distance;
        squares += distance * distance;
      }
    return math::moments(count, mean, distances, squares);
  } else {
    auto part = v[0];
    for (unsigned k = 1; k < 8; ++k)
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

/// Several pieces of a cell: each leaves its part, and who comes last combines them all, in order. `parts` are those of this
/// cell, `stride` apart. Gives whether this was the last.
ENGINE_LANE bool is_last(unsigned* arrived, unsigned pieces) {
  __threadfence();
  const bool last = atomicAdd(arrived, 1u) == pieces - 1;
  __threadfence();
  return last;
}
template <class F>
ENGINE_LANE typename F::Part combine_in_order(const typename F::Part* parts, long stride, unsigned pieces) {
  constexpr unsigned kAtOnce = sizeof(typename F::Part) <= 8 ? 8 : 4;  // loads under way
  PairTree<F> tree;
  for (unsigned i = 0; i < pieces; i += kAtOnce) {
    typename F::Part part[kAtOnce];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k)
      if (i + k < pieces) part[k] = parts[(i + k) * stride];
#pragma unroll
    for (unsigned k = 0; k < kAtOnce; ++k)
      if (i + k < pieces) tree.push(part[k]);
  }
  return tree.finish();
}
/// The same by a warp, of at most 64: every thread a pair, then those pairwise. To thread 0.
template <class F>
ENGINE_LANE typename F::Part combine_by_warp(const typename F::Part* parts, unsigned pieces) {
  const unsigned lane = threadIdx.x % 32, size = pieces > 32 ? 2 : 1, begin = lane * size;
  typename F::Part part = parts[begin < pieces ? begin : 0];
  if (size == 2 && begin + 1 < pieces) part = F::combine(part, parts[begin + 1]);
  for (unsigned step = 1; step < 32; step *= 2) {
    const typename F::Part other = shuffle(part, lane + step);
    if (lane % (2 * step) == 0 && (lane + step) * size < pieces) part = F::combine(part, other);
  }
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

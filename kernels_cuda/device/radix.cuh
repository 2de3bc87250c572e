// device/radix.cuh - stable radix sorts of rows, eight bits at a time, on CUB's ranks of digits in a block. Rows of one tile are
// sorted by one block, several at once; longer ones tile by tile, where each tile learns from those before it how many of each digit
// they have (Adinets & Merrill, "Onesweep", 2022). Elements move as their bits; what is ranked is their key.
namespace engine::cuda {

using DigitRanks = cub::BlockRadixRankMatch<kThreads, kDigitBits, false>;

/// The digit of a key, as CUB asks for it.
struct DigitAt {
  unsigned shift;
  template <class Key>
  ENGINE_LANE unsigned Digit(Key key) const {
    return static_cast<unsigned>(key >> shift) & (kDigits - 1);
  }
};

/// The key of bits; `flip`: all ones, to sort downwards.
template <class T>
ENGINE_LANE math::KeyOf<T> sort_key(math::KeyOf<T> bits, math::KeyOf<T> flip) {
  return static_cast<math::KeyOf<T>>(math::key_of(math::bit_cast<T>(bits)) ^ flip);
}

/// counts[(pass * rows + row) * 256 + digit], which are zero before. `chunks`: blocks of a row.
template <class T>
ENGINE_LANE void count_digits(const math::KeyOf<T>* in, unsigned long* counts, long rows, long length, long chunks, math::KeyOf<T> flip) {
  constexpr unsigned kPasses = sizeof(T);
  __shared__ unsigned mine[kPasses][kDigits];
  for (unsigned p = 0; p < kPasses; ++p) mine[p][threadIdx.x] = 0;
  __syncthreads();
  const long row = blockIdx.x / chunks, width = (length + chunks - 1) / chunks, first = blockIdx.x % chunks * width;
  const long end = first + width < length ? first + width : length;
  for (long i = first + threadIdx.x; i < end; i += kThreads) {
    const math::KeyOf<T> key = sort_key<T>(in[row * length + i], flip);
    for (unsigned p = 0; p < kPasses; ++p) atomicAdd(&mine[p][DigitAt{p * kDigitBits}.Digit(key)], 1u);
  }
  __syncthreads();
  for (unsigned p = 0; p < kPasses; ++p)
    if (const unsigned own = mine[p][threadIdx.x]; own > 0)
      atomicAdd(reinterpret_cast<unsigned long long*>(counts + (p * rows + row) * kDigits + threadIdx.x), static_cast<unsigned long long>(own));
}

/// Counts of digits become how many elements have a lesser one. A block makes those of one row and pass.
ENGINE_LANE void sum_digits(unsigned long* counts) {
  __shared__ unsigned long part[kThreads];
  unsigned long* const at = counts + static_cast<long>(blockIdx.x) * kDigits + threadIdx.x;
  const unsigned long own = *at;
  *at = sum_up_to(own, part) - own;
}

/// What tiles tell each other of a digit: nothing yet, how many they have, or how many they and all before them in the row have.
constexpr unsigned long kOwnCount = 1ul << 62;
constexpr unsigned long kCountSoFar = 2ul << 62;
ENGINE_LANE void publish_count(unsigned long* at, unsigned long word) {
  asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(at), "l"(word) : "memory");
}
ENGINE_LANE unsigned long published_count(const unsigned long* at) {
  unsigned long word;
  asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(word) : "l"(at) : "memory");
  return word;
}

template <class Key>
union RadixMemory {
  typename DigitRanks::TempStorage ranks;
  Key keys[kRadixTile];
  long places[kRadixTile];
};

/// One pass over rows of several tiles. Tiles are drawn in order, so that those before one are under way. `less`: of each row and
/// digit, how many elements have a lesser one; `published`: a word of each tile and digit, `drawn`: a counter, all zero before.
/// Places go along, from `places_in` or, where that is null, as they are in the row.
template <class T, bool kPlaces>
ENGINE_LANE void radix_pass(const math::KeyOf<T>* in, math::KeyOf<T>* out, const long* places_in, long* places_out,
                            const unsigned long* less, unsigned long* published, unsigned* drawn, long length, long tiles, unsigned shift,
                            math::KeyOf<T> flip) {
  using Key = math::KeyOf<T>;
  __shared__ RadixMemory<Key> memory;
  __shared__ long offset[kDigits];
  __shared__ unsigned first_rank[kDigits + 1];
  __shared__ unsigned number;
  if (threadIdx.x == 0) number = atomicAdd(drawn, 1u);
  __syncthreads();
  const long row = number / tiles, tile = number % tiles, first = row * length + tile * kRadixTile;
  const unsigned n = static_cast<unsigned>(length - tile * kRadixTile < kRadixTile ? length - tile * kRadixTile : kRadixTile);
  const unsigned start = threadIdx.x / 32 * 32 * kRadixItems + threadIdx.x % 32;
  const DigitAt at{shift};
  Key bits[kRadixItems];
  Key keys[kRadixItems];
  int ranks[kRadixItems];
  int before[1];
#pragma unroll
  for (unsigned k = 0; k < kRadixItems; ++k) {
    const unsigned e = start + k * 32;
    bits[k] = e < n ? in[first + e] : Key{0};
    keys[k] = e < n ? sort_key<T>(bits[k], flip) : static_cast<Key>(~Key{0});  // behind all that are there
  }
  DigitRanks(memory.ranks).RankKeys(keys, ranks, at, before);
  first_rank[threadIdx.x] = static_cast<unsigned>(before[0]);
  if (threadIdx.x == 0) first_rank[kDigits] = n;
  __syncthreads();
  const unsigned digit = threadIdx.x;
  const unsigned next = first_rank[digit + 1] < n ? first_rank[digit + 1] : n;
  const unsigned long own = next - first_rank[digit];
  unsigned long* const word = published + static_cast<long>(number) * kDigits + digit;
  unsigned long sum = 0;
  publish_count(word, (tile == 0 ? kCountSoFar : kOwnCount) | own);
  if (tile > 0) {
    for (const unsigned long* other = word - kDigits;; other -= kDigits) {
      unsigned long told;
      do told = published_count(other);
      while (told == 0);
      sum += told & (kOwnCount - 1);
      if ((told & kCountSoFar) != 0) break;
    }
    publish_count(word, kCountSoFar | (sum + own));
  }
  offset[digit] = row * length + static_cast<long>(less[row * kDigits + digit] + sum) - first_rank[digit];
#pragma unroll
  for (unsigned k = 0; k < kRadixItems; ++k) memory.keys[ranks[k]] = bits[k];
  __syncthreads();
  long to[kRadixItems];
#pragma unroll
  for (unsigned k = 0; k < kRadixItems; ++k) {
    const unsigned e = threadIdx.x + k * kThreads;
    if (e >= n) continue;
    const Key own_bits = memory.keys[e];
    to[k] = offset[at.Digit(sort_key<T>(own_bits, flip))] + e;
    out[to[k]] = own_bits;
  }
  if constexpr (kPlaces) {
    __syncthreads();
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k) {
      const unsigned e = start + k * 32;
      if (e < n) memory.places[ranks[k]] = places_in ? places_in[first + e] : tile * kRadixTile + e;
    }
    __syncthreads();
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k) {
      const unsigned e = threadIdx.x + k * kThreads;
      if (e < n) places_out[to[k]] = memory.places[e];
    }
  }
}

template <class Key>
union TileMemory {
  typename DigitRanks::TempStorage ranks;
  Key keys[kRadixTile];
};

/// Rows of one tile, `at_once` of them by each block: by key, then, as they come, by row.
template <class T, bool kPlaces>
ENGINE_LANE void sort_tile(const math::KeyOf<T>* in, math::KeyOf<T>* out, const long* places_in, long* places_out, long rows, long length,
                           unsigned at_once, math::KeyOf<T> flip) {
  using Key = math::KeyOf<T>;
  __shared__ TileMemory<Key> memory;
  __shared__ unsigned short from[kRadixTile];  // not in registers, which ranking needs
  const long first_row = static_cast<long>(blockIdx.x) * at_once, first = first_row * length;
  const unsigned here = static_cast<unsigned>(rows - first_row < at_once ? rows - first_row : at_once);
  const unsigned width = static_cast<unsigned>(length), n = here * width;
  const unsigned start = threadIdx.x / 32 * 32 * kRadixItems + threadIdx.x % 32;
  Key bits[kRadixItems];
  int ranks[kRadixItems];
  int before[1];
#pragma unroll
  for (unsigned k = 0; k < kRadixItems; ++k) {
    const unsigned e = start + k * 32;
    from[e] = static_cast<unsigned short>(e);
    bits[k] = e < n ? in[first + e] : Key{0};
  }
  const auto move = [&] {
    unsigned short own[kRadixItems];
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k) own[k] = from[start + k * 32];
    __syncthreads();
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k) {
      memory.keys[ranks[k]] = bits[k];
      from[ranks[k]] = own[k];
    }
    __syncthreads();
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k) bits[k] = memory.keys[start + k * 32];
    __syncthreads();
  };
#pragma unroll 1
  for (unsigned shift = 0; shift < 8 * sizeof(T); shift += kDigitBits) {
    Key keys[kRadixItems];
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k)
      keys[k] = start + k * 32 < n ? sort_key<T>(bits[k], flip) : static_cast<Key>(~Key{0});  // they stay behind all others
    DigitRanks(memory.ranks).RankKeys(keys, ranks, DigitAt{shift}, before);
    move();
  }
#pragma unroll 1
  for (unsigned shift = 0; here > 1 && (here - 1) >> shift > 0; shift += kDigitBits) {
    unsigned keys[kRadixItems];
#pragma unroll
    for (unsigned k = 0; k < kRadixItems; ++k) keys[k] = start + k * 32 < n ? from[start + k * 32] / width : ~0u;
    DigitRanks(memory.ranks).RankKeys(keys, ranks, DigitAt{shift}, before);
    move();
  }
  const long own = static_cast<long>(afresh(blockIdx.x)) * at_once * length;
#pragma unroll
  for (unsigned k = 0; k < kRadixItems; ++k) {
    const unsigned e = start + k * 32;
    if (e >= n) continue;
    if (out) out[own + e] = bits[k];
    if constexpr (kPlaces) places_out[own + e] = places_in ? places_in[own + from[e]] : from[e] % width;
  }
}

}  // namespace engine::cuda

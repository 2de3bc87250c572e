namespace engine::cuda {
ENGINE_LANE bool equal_13(double x, double y) {
  return math::convert<bool>(math::equal(x, y));
}
ENGINE_LANE bool not_equal_13(double x, double y) {
  return math::convert<bool>(!math::equal(x, y));
}
ENGINE_LANE bool bitwise_or_0(bool x, bool y) {
  return math::convert<bool>(x | y);
}
ENGINE_LANE long where_7(bool x, long y, long z) {
  return math::convert<long>(math::select(x, y, z));
}
ENGINE_LANE void element(const double v0, const double v1, const long v5, long& r0) {
  const bool v2 = equal_13(v0, v1);
  const bool v3 = not_equal_13(v0, v0);
  const bool v4 = bitwise_or_0(v2, v3);
  const long v6 = static_cast<long>(0x7ffffffffffffffful);
  const long v7 = where_7(v4, v5, v6);
  r0 = v7;
}
struct Fold0 {
  using Value = long;
  using Part = Value;
  static constexpr bool kHasMoments = false;
  ENGINE_LANE static Part combine(Part x, Part y) { return static_cast<Part>(math::minimum(x, y)); }
  ENGINE_LANE static Value finish(Part x, Count count) { return x; }
};
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, long p2, Fold0::Part* partials0, Fold0::Value* cells0, unsigned* arrived, double items, long s2_0, long rows, long length, unsigned pieces, unsigned span, unsigned blocks, unsigned chunk) {
  const double u1 = load<double>(p1);
  alignas(16) __shared__ char memory[2048];
  __shared__ bool is_last;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const unsigned piece = blockIdx.x % blocks * 8 + warp;
  const auto row_length = static_cast<unsigned>(length), span_length = static_cast<unsigned>(span) * kTreeBlock;
  const unsigned from = piece * span_length;
  const unsigned to = piece < pieces && row_length - from > span_length ? from + span_length : row_length;
  WarpTree<Fold0> tree0;
  Fold0::Part part0;
  if (piece < pieces) {
  const auto b0 = p0;
  const auto b2 = p2;
  unsigned before = 0;
  for (unsigned start = from; start < to; start += kTreeBlock) {
    const unsigned n = to - start < kTreeBlock ? static_cast<unsigned>(to - start) : kTreeBlock;
    ValueBlock<Fold0> block0;
    for (unsigned g = 0; g * kTreeGroup < n; ++g) {
      Fold0::Value v0[16];
#pragma unroll
      for (unsigned k = 0; k < 8; k += 8) {
        double raw0[16];
        long raw2[16];
        if (n % 2 == 0) {
#pragma unroll
          for (unsigned j = 0; j < 8; ++j) {
            const unsigned first = g * kTreeGroup + (k + j) * kTreeLanes + 2 * lane;
            {
            const unsigned at = first < n ? first : n - 2;
            unsigned i0 = start + at;
            const auto pair0 = load_pack<2>(reinterpret_cast<const double*>(b0 + static_cast<long>(i0) * 8));
            raw0[2 * j + 0] = pair0.at[0];
            raw0[2 * j + 1] = pair0.at[1];
            }
            for (unsigned h = 0; h < 2; ++h) {
            const unsigned at = first + h < n ? first + h : n - 1;
            unsigned i0 = start + at;
            raw2[2 * j + h] = b2 + static_cast<long>(i0) * s2_0;
            }
          }
        } else {
#pragma unroll
          for (unsigned j = 0; j < 8; ++j) {
            const unsigned first = g * kTreeGroup + (k + j) * kTreeLanes + 2 * lane;
            for (unsigned h = 0; h < 2; ++h) {
            const unsigned at = first + h < n ? first + h : n - 1;
            unsigned i0 = start + at;
            raw0[2 * j + h] = load<double>(b0 + static_cast<long>(i0) * 8);
            raw2[2 * j + h] = b2 + static_cast<long>(i0) * s2_0;
            }
          }
        }
#pragma unroll
        for (unsigned j = 0; j < 16; ++j) element(raw0[j], u1, raw2[j], v0[2 * k + j]);
      }
      block0.add(v0, g, n - g * kTreeGroup < kTreeGroup ? n - g * kTreeGroup : kTreeGroup);
    }
    part0 = block0.finish(n);
    tree0.push(part0, before);
    ++before;
  }
  part0 = tree0.finish(before);
  }
  const unsigned number = afresh(blockIdx.x), row = number / blocks, block_of_row = number % blocks;
  const unsigned n_here = pieces - block_of_row * 8 < 8 ? pieces - block_of_row * 8 : 8;
  part0 = combine_in_block<Fold0>(part0, lane == 0 ? warp : 256, 1, 0, n_here, memory);
  if (blocks > 1) {
    const unsigned long own = static_cast<unsigned long>(row) * blocks;
    if (threadIdx.x == 0) partials0[own + block_of_row] = part0;
    if (!is_last_block(arrived + row, blocks, &is_last)) return;
    const unsigned n = (blocks + chunk - 1) / chunk, from = threadIdx.x * chunk;
    if (threadIdx.x < n)
      part0 = combine_in_order<Fold0>(partials0 + own + from, blocks - from < chunk ? blocks - from : chunk);
    part0 = combine_threads<Fold0>(part0, n, memory);
  }
  if (threadIdx.x != 0) return;
  cells0[row] = Fold0::finish(part0, Count{items, 0, false});
}
}

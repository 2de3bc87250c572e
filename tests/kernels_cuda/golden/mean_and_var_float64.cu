namespace engine::cuda {
ENGINE_LANE void element(const double v0, double& r0, double& r1) {
  r0 = v0;
  r1 = v0;
}
struct Fold0 {
  using Value = double;
  using Part = Value;
  static constexpr bool kHasMoments = false;
  ENGINE_LANE static Part combine(Part x, Part y) { return static_cast<Part>(math::add(x, y)); }
  ENGINE_LANE static Value finish(Part x, Count count) { return math::divide(x + 0, math::convert<Value>(count.items > count.ddof ? count.items - count.ddof : 0)); }
};
using Fold1 = Spread<double, false>;
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, Fold0::Part* partials0, Fold0::Value* cells0, Fold1::Part* partials1, Fold1::Value* cells1, unsigned* arrived, double items, long rows, long length, unsigned pieces, unsigned span, unsigned blocks, unsigned chunk) {
  alignas(16) __shared__ char memory[8192];
  __shared__ bool is_last;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const unsigned piece = blockIdx.x % blocks * 8 + warp;
  const auto row_length = static_cast<unsigned>(length), span_length = static_cast<unsigned>(span) * kTreeBlock;
  const unsigned from = piece * span_length;
  const unsigned to = piece < pieces && row_length - from > span_length ? from + span_length : row_length;
  WarpTree<Fold0> tree0;
  Fold0::Part part0;
  WarpTree<Fold1> tree1;
  Fold1::Part part1;
  if (piece < pieces) {
  const auto b0 = p0;
  unsigned before = 0;
  for (unsigned start = from; start < to; start += kTreeBlock) {
    const unsigned n = to - start < kTreeBlock ? static_cast<unsigned>(to - start) : kTreeBlock;
    ValueBlock<Fold0> block0;
    MomentBlock<Fold1> block1;
    for (unsigned g = 0; g * kTreeGroup < n; ++g) {
      Fold0::Value v0[16];
      Fold1::Value v1[16];
#pragma unroll
      for (unsigned k = 0; k < 8; k += 8) {
        double raw0[16];
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
          }
        } else {
#pragma unroll
          for (unsigned j = 0; j < 8; ++j) {
            const unsigned first = g * kTreeGroup + (k + j) * kTreeLanes + 2 * lane;
            for (unsigned h = 0; h < 2; ++h) {
            const unsigned at = first + h < n ? first + h : n - 1;
            unsigned i0 = start + at;
            raw0[2 * j + h] = load<double>(b0 + static_cast<long>(i0) * 8);
            }
          }
        }
#pragma unroll
        for (unsigned j = 0; j < 16; ++j) element(raw0[j], v0[2 * k + j], v1[2 * k + j]);
      }
      block0.add(v0, g, n - g * kTreeGroup < kTreeGroup ? n - g * kTreeGroup : kTreeGroup);
      block1.add(v1, g, n - g * kTreeGroup < kTreeGroup ? n - g * kTreeGroup : kTreeGroup);
    }
    part0 = block0.finish(n);
    part1 = block1.finish(n);
    tree0.push(part0, before);
    tree1.push(part1, before);
    ++before;
  }
  part0 = tree0.finish(before);
  part1 = tree1.finish(before);
  }
  const unsigned number = afresh(blockIdx.x), row = number / blocks, block_of_row = number % blocks;
  const unsigned n_here = pieces - block_of_row * 8 < 8 ? pieces - block_of_row * 8 : 8;
  part0 = combine_in_block<Fold0>(part0, lane == 0 ? warp : 256, 1, 0, n_here, memory);
  part1 = combine_in_block<Fold1>(part1, lane == 0 ? warp : 256, 1, 0, n_here, memory);
  if (blocks > 1) {
    const unsigned long own = static_cast<unsigned long>(row) * blocks;
    if (threadIdx.x == 0) partials0[own + block_of_row] = part0;
    if (threadIdx.x == 0) partials1[own + block_of_row] = part1;
    if (!is_last_block(arrived + row, blocks, &is_last)) return;
    const unsigned n = (blocks + chunk - 1) / chunk, from = threadIdx.x * chunk;
    if (threadIdx.x < n)
      part0 = combine_in_order<Fold0>(partials0 + own + from, blocks - from < chunk ? blocks - from : chunk);
    part0 = combine_threads<Fold0>(part0, n, memory);
    if (threadIdx.x < n)
      part1 = combine_in_order<Fold1>(partials1 + own + from, blocks - from < chunk ? blocks - from : chunk);
    part1 = combine_threads<Fold1>(part1, n, memory);
  }
  if (threadIdx.x != 0) return;
  cells0[row] = Fold0::finish(part0, Count{items, 0, false});
  cells1[row] = Fold1::finish(part1, Count{items, 0, false});
}
}

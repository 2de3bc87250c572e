namespace engine::cuda {
ENGINE_LANE void element(const double v0, double& r0) {
  r0 = v0;
}
struct Fold0 {
  using Value = double;
  using Part = Value;
  static constexpr bool kHasMoments = false;
  ENGINE_LANE static Part combine(Part x, Part y) { return static_cast<Part>(math::add(x, y)); }
  ENGINE_LANE static Value finish(Part x, Count count) { return x + 0; }
};
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, Fold0::Part* partials0, Fold0::Value* cells0, unsigned* arrived, double items, long s0_0, long s0_1, long length, long columns, long rows, unsigned pieces, unsigned span, unsigned blocks, unsigned tiles, unsigned tile_width, unsigned tile_depth) {
  alignas(16) __shared__ char memory[2048];
  __shared__ bool is_last;
  const unsigned tile = blockIdx.x % tiles, block = blockIdx.x / tiles;
  const unsigned q = threadIdx.x / tile_width, slot = threadIdx.x % tile_width;
  const unsigned long thread = static_cast<unsigned long>(tile) * tile_width + slot;
  const unsigned piece = block * tile_depth + q;
  const bool is_column = thread < columns && q < tile_depth;
  const long first = static_cast<long>(piece) * span * 8;
  const long end = first + static_cast<long>(span) * 8 < rows ? first + static_cast<long>(span) * 8 : rows;
  const auto column = static_cast<unsigned>(thread) * 2;
  Fold0::Part part0[2];
  if (is_column && piece < pieces) {
  unsigned groups = 0;
  ColumnTree<Fold0> tree0[2];
  const unsigned kept = column / static_cast<unsigned>(length);
  const unsigned in_row = column - kept * static_cast<unsigned>(length);
  unsigned i0 = kept;
  unsigned i2 = in_row;
  const auto c0 = p0 + static_cast<long>(i0) * s0_0;
  const auto b0 = c0 + static_cast<long>(i2) * 8;
  for (long row = first; row < end; row += 8) {
    const unsigned n = end - row < 8 ? static_cast<unsigned>(end - row) : 8;
    Fold0::Value v0[2][8];
    Pack<double, 2> raw0[8];
#pragma unroll
    for (unsigned k = 0; k < 8; ++k) {
      const unsigned at = k < n ? k : n - 1;
      unsigned i1 = row + at;
      raw0[k] = load_pack<2>(reinterpret_cast<const double*>(b0 + static_cast<long>(i1) * s0_1));
    }
#pragma unroll
    for (unsigned k = 0; k < 8; ++k)
#pragma unroll
      for (unsigned j = 0; j < 2; ++j) element(raw0[k].at[j], v0[j][k]);
#pragma unroll
    for (unsigned j = 0; j < 2; ++j) {
      tree0[j].push(across<Fold0>(v0[j], n), groups);
    }
    ++groups;
  }
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    part0[j] = tree0[j].finish(groups);
  }
  }
  const unsigned n_here = pieces - block * tile_depth < tile_depth ? pieces - block * tile_depth : tile_depth;
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    part0[j] = combine_in_block<Fold0>(part0[j], q, tile_width, slot, n_here, memory);
  }
  if (blocks > 1) {
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    if (is_column && q == 0) partials0[(block * columns + thread) * 2 + j] = part0[j];
  }
  if (!is_last_block(arrived + tile, blocks, &is_last)) return;
  unsigned n = 0;
  n = combine_blocks<Fold0, 2>(part0, partials0 + thread * 2, columns * 2, blocks, is_column ? q : tile_depth,
                                 tile_depth);
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    part0[j] = combine_in_block<Fold0>(part0[j], q, tile_width, slot, n, memory);
  }
  }
  if (!is_column || q != 0) return;
#pragma unroll
  for (unsigned j = 0; j < 2; ++j) {
    cells0[column + j] = Fold0::finish(part0[j], Count{items, 0, false});
  }
}
}

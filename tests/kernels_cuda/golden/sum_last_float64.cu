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
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, Fold0::Value* cells0, double items, long s0_0, long rows, long length) {
  const unsigned lane = threadIdx.x % 32, n = static_cast<unsigned>(length);
  const unsigned first_row = (static_cast<unsigned>(blockIdx.x) * 8 + threadIdx.x / 32) * 4;
  if (first_row >= rows) return;
  double raw0[16];
  if (n % 2 == 0) {
#pragma unroll
    for (unsigned r = 0; r < 4; ++r) {
      unsigned any_row = first_row + r < rows ? first_row + r : static_cast<unsigned>(rows) - 1;
      unsigned i0 = any_row;
      const auto b0 = p0 + static_cast<long>(i0) * s0_0;
#pragma unroll
      for (unsigned k = 0; k < 2; ++k) {
        const unsigned first = k * kTreeLanes + 2 * lane;
            {
            const unsigned at = first < n ? first : n - 2;
            unsigned i1 = at;
            const auto pair0 = load_pack<2>(reinterpret_cast<const double*>(b0 + static_cast<long>(i1) * 8));
            raw0[2 * (r * 2 + k) + 0] = pair0.at[0];
            raw0[2 * (r * 2 + k) + 1] = pair0.at[1];
            }
      }
    }
  } else {
#pragma unroll
    for (unsigned r = 0; r < 4; ++r) {
      unsigned any_row = first_row + r < rows ? first_row + r : static_cast<unsigned>(rows) - 1;
      unsigned i0 = any_row;
      const auto b0 = p0 + static_cast<long>(i0) * s0_0;
#pragma unroll
      for (unsigned k = 0; k < 2; ++k) {
        const unsigned first = k * kTreeLanes + 2 * lane;
            for (unsigned h = 0; h < 2; ++h) {
            const unsigned at = first + h < n ? first + h : n - 1;
            unsigned i1 = at;
            raw0[2 * (r * 2 + k) + h] = load<double>(b0 + static_cast<long>(i1) * 8);
            }
      }
    }
  }
  Fold0::Value v0[4][4];
#pragma unroll
  for (unsigned r = 0; r < 4; ++r)
#pragma unroll
    for (unsigned j = 0; j < 4; ++j) element(raw0[r * 4 + j], v0[r][j]);
  const auto part0 = fold_rows<Fold0, 4, 2>(v0, n);
  const unsigned row = first_row + lane / 8;
  if (lane % 8 != 0 || row >= rows) return;
  cells0[row] = Fold0::finish(part0, Count{items, 0, false});
}
}

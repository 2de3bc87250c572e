namespace engine::cuda {
ENGINE_LANE double add_11(double x, double y) {
  return math::convert<double>(math::add(x, y));
}
ENGINE_LANE double multiply_11(double x, double y) {
  return math::convert<double>(math::multiply(x, y));
}
ENGINE_LANE void element(const double v0, const double v2, const double v3, const double v5, const double v7, double& r0) {
  const double v1 = 0x1p-1;
  const double v4 = add_11(v2, v3);
  const double v6 = add_11(v4, v5);
  const double v8 = add_11(v6, v7);
  const double v9 = multiply_11(v1, v8);
  const double v10 = add_11(v0, v9);
  r0 = v10;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, char* p3, char* p4, char* p5, long s0_0, long s1_0, long s2_0, long s3_0, long s4_0, long s5_0, unsigned e1, unsigned pieces, unsigned pieces_m, unsigned pieces_h, long n_down) {
  unsigned piece = blockIdx.x;
  unsigned i0 = divide_index(piece, pieces, pieces_m, pieces_h);
  const auto b0 = p0;
  const auto b1 = p1;
  const auto b2 = p2;
  const auto b3 = p3;
  const auto b4 = p4;
  const auto b5 = p5;
  const unsigned first_down = i0 * 4;
  if ((piece + 1) * 256 <= e1 && first_down + 4 <= n_down) {
  double v0[4];
  double v1[4];
  double v2[4];
  double v3[4];
  double v4[4];
#pragma unroll
  for (unsigned k = 0; k < 4; ++k)
  {
    const unsigned i0 = first_down + k;
    const unsigned i1 = (piece * 256 + threadIdx.x) * 1;
      v0[k] = load<double>(b0 + static_cast<long>(i0) * s0_0 + static_cast<long>(i1) * 8);
      v1[k] = load<double>(b1 + static_cast<long>(i0) * s1_0 + static_cast<long>(i1) * 8);
      v2[k] = load<double>(b2 + static_cast<long>(i0) * s2_0 + static_cast<long>(i1) * 8);
      v3[k] = load<double>(b3 + static_cast<long>(i0) * s3_0 + static_cast<long>(i1) * 8);
      v4[k] = load<double>(b4 + static_cast<long>(i0) * s4_0 + static_cast<long>(i1) * 8);
  }
#pragma unroll
  for (unsigned k = 0; k < 4; ++k)
  {
    const unsigned i0 = first_down + k;
    const unsigned i1 = (piece * 256 + threadIdx.x) * 1;
      double w0;
      element(v0[k], v1[k], v2[k], v3[k], v4[k], w0);
      store<double>(b5 + static_cast<long>(i0) * s5_0 + static_cast<long>(i1) * 8, w0);
  }
  } else {
#pragma unroll 1
  for (unsigned n = 0; n < 4; ++n) {
  {
    const unsigned i0 = first_down + n;
    const unsigned i1 = (piece * 256 + threadIdx.x) * 1;
    if (i1 < e1 && i0 < n_down) {
      const double v0 = load<double>(b0 + static_cast<long>(i0) * s0_0 + static_cast<long>(i1) * 8);
      const double v1 = load<double>(b1 + static_cast<long>(i0) * s1_0 + static_cast<long>(i1) * 8);
      const double v2 = load<double>(b2 + static_cast<long>(i0) * s2_0 + static_cast<long>(i1) * 8);
      const double v3 = load<double>(b3 + static_cast<long>(i0) * s3_0 + static_cast<long>(i1) * 8);
      const double v4 = load<double>(b4 + static_cast<long>(i0) * s4_0 + static_cast<long>(i1) * 8);
      double w0;
      element(v0, v1, v2, v3, v4, w0);
      store<double>(b5 + static_cast<long>(i0) * s5_0 + static_cast<long>(i1) * 8, w0);
    }
  }
  }
  }
}
}

namespace engine::cuda {
ENGINE_LANE double add_11(double x, double y) {
  return math::convert<double>(math::add(x, y));
}
ENGINE_LANE void element(const double v0, const double v1, double& r0) {
  const double v2 = add_11(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, long s0_0, long s1_0, unsigned e0, unsigned pieces, unsigned pieces_m, unsigned pieces_h) {
  unsigned piece = blockIdx.x;
  const auto b0 = p0;
  const auto b1 = p1;
  const auto b2 = p2;
  {
    const unsigned i0 = (piece * 256 + 0 * 256 + threadIdx.x) * 1;
    if (i0 < e0) {
      const double v0 = load<double>(b0 + static_cast<long>(i0) * s0_0);
      const double v1 = load<double>(b1 + static_cast<long>(i0) * s1_0);
      double w0;
      element(v0, v1, w0);
      store<double>(b2 + static_cast<long>(i0) * 8, w0);
    }
  }
}
}

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
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, char* p3, char* p4, char* p5, long s0_0, long s1_0, long s2_0, long s3_0, long s4_0, long s5_0, long total, unsigned e1, unsigned m1, unsigned h1) {
  {
    unsigned i1 = blockIdx.x * 256 + 0 * 256 + threadIdx.x;
    [[maybe_unused]] const bool inside = i1 < total;
    unsigned i0 = divide_index(i1, e1, m1, h1);
    if (inside) {
      const double v0 = load<double>(p0 + static_cast<long>(i0) * s0_0 + static_cast<long>(i1) * 8);
      const double v1 = load<double>(p1 + static_cast<long>(i0) * s1_0 + static_cast<long>(i1) * 8);
      const double v2 = load<double>(p2 + static_cast<long>(i0) * s2_0 + static_cast<long>(i1) * 8);
      const double v3 = load<double>(p3 + static_cast<long>(i0) * s3_0 + static_cast<long>(i1) * 8);
      const double v4 = load<double>(p4 + static_cast<long>(i0) * s4_0 + static_cast<long>(i1) * 8);
      double w0;
      element(v0, v1, v2, v3, v4, w0);
      store<double>(p5 + static_cast<long>(i0) * s5_0 + static_cast<long>(i1) * 8, w0);
    }
  }
}
}

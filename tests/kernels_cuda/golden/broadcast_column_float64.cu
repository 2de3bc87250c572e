namespace engine::cuda {
ENGINE_LANE double add_11(double x, double y) {
  return math::convert<double>(math::add(x, y));
}
ENGINE_LANE void element(const double v0, const double v1, double& r0) {
  const double v2 = add_11(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, long s0_0, long s1_0, long s1_1, long s2_0, long total, unsigned e1, unsigned m1, unsigned h1) {
  {
    unsigned i1 = blockIdx.x * 256 + 0 * 256 + threadIdx.x;
    [[maybe_unused]] const bool inside = i1 < total;
    unsigned i0 = divide_index(i1, e1, m1, h1);
    i1 *= 2;
    if (inside) {
      const Pack<double, 2> v0 = load_pack<2>(reinterpret_cast<const double*>(p0 + static_cast<long>(i0) * s0_0 + static_cast<long>(i1) * 8));
      const double v1 = load<double>(p1 + static_cast<long>(i0) * s1_0 + static_cast<long>(i1) * s1_1);
      Pack<double, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j)
      element(v0.at[j], v1, w0.at[j]);
      store_pack(reinterpret_cast<double*>(p2 + static_cast<long>(i0) * s2_0 + static_cast<long>(i1) * 8), w0);
    }
  }
}
}

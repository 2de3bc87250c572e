namespace engine::cuda {
ENGINE_LANE bool greater_13(double x, double y) {
  return math::convert<bool>(math::less(y, x));
}
ENGINE_LANE double where_11(bool x, double y, double z) {
  return math::convert<double>(math::select(x, y, z));
}
ENGINE_LANE void element(const double v0, const double v3, double& r0) {
  const double v1 = 0x0p+0;
  const bool v2 = greater_13(v0, v1);
  const double v4 = where_11(v2, v0, v3);
  r0 = v4;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, long total, long head) {
  const long packs = (total - head) / 2;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const double*>(p0) + head + first * 2;
  const auto* a1 = reinterpret_cast<const double*>(p1) + head + first * 2;
  auto* b0 = reinterpret_cast<double*>(p2) + head + first * 2;
  if (first < packs) {
    Pack<double, 2> v0;
    Pack<double, 2> v1;
      v0 = load_pack<2>(a0);
      v1 = load_pack<2>(a1);
      Pack<double, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j) element(v0.at[j], v1.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 2;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    double w0;
    element(load<double>(p0 + i * 8), load<double>(p1 + i * 8), w0);
    store<double>(p2 + i * 8, w0);
  }
}
}

namespace engine::cuda {
ENGINE_LANE double absolute_13(math::Complex<double> x) {
  return math::convert<double>(math::absolute(x));
}
ENGINE_LANE void element(const math::Complex<double> v0, double& r0) {
  const double v1 = absolute_13(v0);
  r0 = v1;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, long total, long head) {
  const long packs = (total - head) / 2;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const math::Complex<double>*>(p0) + head + first * 2;
  auto* b0 = reinterpret_cast<double*>(p1) + head + first * 2;
  if (first < packs) {
    Pack<math::Complex<double>, 2> v0;
      v0 = load_pack<2>(a0);
      Pack<double, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j) element(v0.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 2;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    double w0;
    element(load_whole<math::Complex<double>>(p0 + i * 16), w0);
    store<double>(p1 + i * 8, w0);
  }
}
}

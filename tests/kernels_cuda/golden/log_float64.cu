namespace engine::cuda {
ENGINE_LANE double log_2(double x) {
  return math::convert<double>(math::log(x));
}
ENGINE_LANE void element(const double v0, double& r0) {
  const double v1 = log_2(v0);
  r0 = v1;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, long total, long head) {
  const long packs = (total - head) / 2;
  const long first = static_cast<long>(blockIdx.x) * 1024 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const double*>(p0) + head + first * 2;
  auto* b0 = reinterpret_cast<double*>(p1) + head + first * 2;
  if (first - threadIdx.x + 1024 <= packs) {
    Pack<double, 2> v0[4];
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      v0[k] = load_pack<2>(a0 + k * 512);
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      Pack<double, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j) element(v0[k].at[j], w0.at[j]);
      store_pack(b0 + k * 512, w0);
    }
  } else {
#pragma unroll 1
    for (int n = 0; n < 4; ++n)
      if (first + n * 256 < packs) {
    Pack<double, 2> v0;
      v0 = load_pack<2>(a0 + n * 512);
      Pack<double, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j) element(v0.at[j], w0.at[j]);
      store_pack(b0 + n * 512, w0);
      }
  }
  const long rest = total - head - packs * 2;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    double w0;
    element(load<double>(p0 + i * 8), w0);
    store<double>(p1 + i * 8, w0);
  }
}
}

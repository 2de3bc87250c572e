namespace engine::cuda {
ENGINE_LANE math::Complex<float> add_12(math::Complex<float> x, math::Complex<float> y) {
  return math::convert<math::Complex<float>>(math::add(x, y));
}
ENGINE_LANE void element(const math::Complex<float> v0, const math::Complex<float> v1, math::Complex<float>& r0) {
  const math::Complex<float> v2 = add_12(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, long total, long head) {
  const long packs = (total - head) / 2;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const math::Complex<float>*>(p0) + head + first * 2;
  const auto* a1 = reinterpret_cast<const math::Complex<float>*>(p1) + head + first * 2;
  auto* b0 = reinterpret_cast<math::Complex<float>*>(p2) + head + first * 2;
  if (first < packs) {
    Pack<math::Complex<float>, 2> v0;
    Pack<math::Complex<float>, 2> v1;
      v0 = load_pack<2>(a0);
      v1 = load_pack<2>(a1);
      Pack<math::Complex<float>, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j) element(v0.at[j], v1.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 2;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    math::Complex<float> w0;
    element(load_whole<math::Complex<float>>(p0 + i * 8), load_whole<math::Complex<float>>(p1 + i * 8), w0);
    store_whole<math::Complex<float>>(p2 + i * 8, w0);
  }
}
}

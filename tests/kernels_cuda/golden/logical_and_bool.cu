namespace engine::cuda {
ENGINE_LANE bool bitwise_and_0(bool x, bool y) {
  return math::convert<bool>(x & y);
}
ENGINE_LANE void element(const bool v0, const bool v1, bool& r0) {
  const bool v2 = bitwise_and_0(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, long total, long head) {
  const long packs = (total - head) / 16;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const bool*>(p0) + head + first * 16;
  const auto* a1 = reinterpret_cast<const bool*>(p1) + head + first * 16;
  auto* b0 = reinterpret_cast<bool*>(p2) + head + first * 16;
  if (first < packs) {
    Pack<bool, 16> v0;
    Pack<bool, 16> v1;
      v0 = load_pack<16>(a0);
      v1 = load_pack<16>(a1);
      Pack<bool, 16> w0;
#pragma unroll
      for (int j = 0; j < 16; ++j) element(v0.at[j], v1.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 16;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    bool w0;
    element(load<bool>(p0 + i * 1), load<bool>(p1 + i * 1), w0);
    store<bool>(p2 + i * 1, w0);
  }
}
}

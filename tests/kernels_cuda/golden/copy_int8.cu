namespace engine::cuda {
ENGINE_LANE void element(const signed char v0, signed char& r0) {
  r0 = v0;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, long total, long head) {
  const long packs = (total - head) / 16;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const signed char*>(p0) + head + first * 16;
  auto* b0 = reinterpret_cast<signed char*>(p1) + head + first * 16;
  if (first < packs) {
    Pack<signed char, 16> v0;
      v0 = load_pack<16>(a0);
      Pack<signed char, 16> w0;
#pragma unroll
      for (int j = 0; j < 16; ++j) element(v0.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 16;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    signed char w0;
    element(load<signed char>(p0 + i * 1), w0);
    store<signed char>(p1 + i * 1, w0);
  }
}
}

namespace engine::cuda {
extern "C" __global__ void __launch_bounds__(256) engine_kernel(const math::KeyOf<double>* in, math::KeyOf<double>* out, const long* places_in, long* places_out, long rows, long length, long at_once, unsigned long flip) {
  sort_tile<double, true>(in, out, places_in, places_out, rows, length, static_cast<unsigned>(at_once), static_cast<math::KeyOf<double>>(flip));
}
}
namespace engine::cuda {
ENGINE_LANE void element(const long v0, long& r0) {
  r0 = v0;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, long total, long head) {
  const long packs = (total - head) / 2;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const long*>(p0) + head + first * 2;
  auto* b0 = reinterpret_cast<long*>(p1) + head + first * 2;
  if (first < packs) {
    Pack<long, 2> v0;
      v0 = load_pack<2>(a0);
      Pack<long, 2> w0;
#pragma unroll
      for (int j = 0; j < 2; ++j) element(v0.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 2;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    long w0;
    element(load<long>(p0 + i * 8), w0);
    store<long>(p1 + i * 8, w0);
  }
}
}

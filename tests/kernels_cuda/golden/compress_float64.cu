namespace engine::cuda {
ENGINE_LANE bool greater_13(double x, double y) {
  return math::convert<bool>(math::less(y, x));
}
ENGINE_LANE void element(const double v0, bool& r0) {
  const double v1 = 0x1p+0;
  const bool v2 = greater_13(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, long total, long head) {
  const long packs = (total - head) / 4;
  const long first = static_cast<long>(blockIdx.x) * 256 + threadIdx.x;
  const auto* a0 = reinterpret_cast<const double*>(p0) + head + first * 4;
  auto* b0 = reinterpret_cast<bool*>(p1) + head + first * 4;
  if (first < packs) {
    Pack<double, 4> v0;
      v0 = load_pack<4>(a0);
      Pack<bool, 4> w0;
#pragma unroll
      for (int j = 0; j < 4; ++j) element(v0.at[j], w0.at[j]);
      store_pack(b0, w0);
  }
  const long rest = total - head - packs * 4;
  if (blockIdx.x == gridDim.x - 1 && threadIdx.x < head + rest) {
    const long i = threadIdx.x < head ? threadIdx.x : total - head - rest + threadIdx.x;
    bool w0;
    element(load<double>(p0 + i * 8), w0);
    store<bool>(p1 + i * 1, w0);
  }
}
}
namespace engine::cuda {
extern "C" __global__ void __launch_bounds__(256) engine_kernel(const unsigned char* condition, long n, long* counts) {
  const auto flag = [&](long i) { return condition[i] != 0; };
  count_picked(flag, n, counts);
}
}
namespace engine::cuda {
extern "C" __global__ void __launch_bounds__(256) engine_kernel(long* counts, long n) {
  sum_counts(counts, n);
}
}
namespace engine::cuda {
ENGINE_LANE double multiply_11(double x, double y) {
  return math::convert<double>(math::multiply(x, y));
}
ENGINE_LANE void element(const double v0, const double v1, double& r0) {
  const double v2 = multiply_11(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, const unsigned char* condition, double* out, long n, const long* before) {
  const auto source = [&](long at) {
    [[maybe_unused]] unsigned i0 = static_cast<unsigned>(at);
    const double v0 = load<double>(p0 + static_cast<long>(i0) * 8);
    const double v1 = load<double>(p1 + static_cast<long>(i0) * 8);
    double value;
    element(v0, v1, value);
    return value;
  };
  const auto flag = [&](long i) { return condition[i] != 0; };
  collect_picked(flag, n, before, [&](long i, long k, bool picked) {
    if (picked) out[k] = source(i);
  });
}
}

namespace engine::cuda {
ENGINE_LANE signed char add_1(signed char x, signed char y) {
  return math::convert<signed char>(math::add(x, y));
}
ENGINE_LANE void element(const signed char v0, const signed char v1, signed char& r0) {
  const signed char v2 = add_1(v0, v1);
  r0 = v2;
}
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, long s0_0, long s1_0, long s1_1, long s2_0, unsigned e1, unsigned e0) {
  const unsigned across = threadIdx.x % 64, down = threadIdx.x / 64;
  const unsigned n_across = (e1 + 63) / 64, n_down = (e0 + 63) / 64;
  const unsigned first_x = blockIdx.x % n_across * 64, first_y = blockIdx.x / n_across % n_down * 64;
  const auto b0 = p0;
  const auto b1 = p1;
  const auto b2 = p2;
  signed char v0[16];
  __shared__ signed char t1[64][68];
#pragma unroll
  for (unsigned k = 0; k < 16; ++k) {
    const unsigned i1 = first_x + down + k * 4, i0 = first_y + across;
    if (i1 < e1 && i0 < e0) {
      t1[down + k * 4][across] = load<signed char>(b1 + static_cast<long>(i0) * s1_0 + static_cast<long>(i1) * s1_1);
    }
  }
#pragma unroll
  for (unsigned k = 0; k < 16; ++k) {
    const unsigned i1 = first_x + across, i0 = first_y + down + k * 4;
    if (i1 < e1 && i0 < e0) {
      v0[k] = load<signed char>(b0 + static_cast<long>(i0) * s0_0 + static_cast<long>(i1) * 1);
    }
  }
  __syncthreads();
#pragma unroll
  for (unsigned k = 0; k < 16; ++k) {
    const unsigned i1 = first_x + across, i0 = first_y + down + k * 4;
    if (i1 < e1 && i0 < e0) {
      signed char w0;
      element(v0[k], t1[across][down + k * 4], w0);
      store<signed char>(b2 + static_cast<long>(i0) * s2_0 + static_cast<long>(i1) * 1, w0);
    }
  }
}
}

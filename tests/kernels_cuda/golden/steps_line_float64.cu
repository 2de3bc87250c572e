namespace engine::cuda {
ENGINE_LANE double add_11(double x, double y) {
  return math::convert<double>(math::add(x, y));
}
ENGINE_LANE double multiply_11(double x, double y) {
  return math::convert<double>(math::multiply(x, y));
}
ENGINE_LANE double subtract_10(double x, double y) {
  return math::convert<double>(math::subtract(x, y));
}
ENGINE_LANE void element(const double v0, const double v2, const double v3, double& r0) {
  const double v1 = 0x1.999999999999ap-3;
  const double v4 = add_11(v2, v3);
  const double v5 = 0x1p+1;
  const double v6 = multiply_11(v5, v0);
  const double v7 = subtract_10(v4, v6);
  const double v8 = multiply_11(v1, v7);
  const double v9 = add_11(v0, v8);
  r0 = v9;
}
extern "C" __global__ void __launch_bounds__(256, 2) engine_kernel(char* p0, long s0_0, char* p3, long s3_0, long long_n0, long tiles0, long whole0, long lead0, long steps) {
  const int n0 = static_cast<int>(long_n0);
  __shared__ double plane0[2][2048];
  unsigned block = blockIdx.x;
  const int begin0 = static_cast<int>(static_cast<long>(block % static_cast<unsigned>(tiles0)) * whole0 - lead0);
  block /= static_cast<unsigned>(tiles0);
  const int cell0 = 0 + static_cast<int>(threadIdx.x);
  const int lx0 = cell0 % 2048, x0 = begin0 + lx0;
  const int at_x0 = x0;
  const int reach0 = true && x0 >= 0 && x0 < n0 ? min(min(static_cast<int>(steps), min(lx0, 2047 - lx0) / 1), true && lx0 >= lead0 && lx0 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near0 = at_x0 < 1 || at_x0 >= n0 - 1;
  const char* const a0_0 = p0 + static_cast<long>(at_x0) * s0_0;
  char* const b3_0 = p3 + static_cast<long>(x0) * s3_0;
  const int cell1 = 256 + static_cast<int>(threadIdx.x);
  const int lx1 = cell1 % 2048, x1 = begin0 + lx1;
  const int at_x1 = x1;
  const int reach1 = true && x1 >= 0 && x1 < n0 ? min(min(static_cast<int>(steps), min(lx1, 2047 - lx1) / 1), true && lx1 >= lead0 && lx1 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near1 = at_x1 < 1 || at_x1 >= n0 - 1;
  const char* const a0_1 = p0 + static_cast<long>(at_x1) * s0_0;
  char* const b3_1 = p3 + static_cast<long>(x1) * s3_0;
  const int cell2 = 512 + static_cast<int>(threadIdx.x);
  const int lx2 = cell2 % 2048, x2 = begin0 + lx2;
  const int at_x2 = x2;
  const int reach2 = true && x2 >= 0 && x2 < n0 ? min(min(static_cast<int>(steps), min(lx2, 2047 - lx2) / 1), true && lx2 >= lead0 && lx2 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near2 = at_x2 < 1 || at_x2 >= n0 - 1;
  const char* const a0_2 = p0 + static_cast<long>(at_x2) * s0_0;
  char* const b3_2 = p3 + static_cast<long>(x2) * s3_0;
  const int cell3 = 768 + static_cast<int>(threadIdx.x);
  const int lx3 = cell3 % 2048, x3 = begin0 + lx3;
  const int at_x3 = x3;
  const int reach3 = true && x3 >= 0 && x3 < n0 ? min(min(static_cast<int>(steps), min(lx3, 2047 - lx3) / 1), true && lx3 >= lead0 && lx3 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near3 = at_x3 < 1 || at_x3 >= n0 - 1;
  const char* const a0_3 = p0 + static_cast<long>(at_x3) * s0_0;
  char* const b3_3 = p3 + static_cast<long>(x3) * s3_0;
  const int cell4 = 1024 + static_cast<int>(threadIdx.x);
  const int lx4 = cell4 % 2048, x4 = begin0 + lx4;
  const int at_x4 = x4;
  const int reach4 = true && x4 >= 0 && x4 < n0 ? min(min(static_cast<int>(steps), min(lx4, 2047 - lx4) / 1), true && lx4 >= lead0 && lx4 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near4 = at_x4 < 1 || at_x4 >= n0 - 1;
  const char* const a0_4 = p0 + static_cast<long>(at_x4) * s0_0;
  char* const b3_4 = p3 + static_cast<long>(x4) * s3_0;
  const int cell5 = 1280 + static_cast<int>(threadIdx.x);
  const int lx5 = cell5 % 2048, x5 = begin0 + lx5;
  const int at_x5 = x5;
  const int reach5 = true && x5 >= 0 && x5 < n0 ? min(min(static_cast<int>(steps), min(lx5, 2047 - lx5) / 1), true && lx5 >= lead0 && lx5 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near5 = at_x5 < 1 || at_x5 >= n0 - 1;
  const char* const a0_5 = p0 + static_cast<long>(at_x5) * s0_0;
  char* const b3_5 = p3 + static_cast<long>(x5) * s3_0;
  const int cell6 = 1536 + static_cast<int>(threadIdx.x);
  const int lx6 = cell6 % 2048, x6 = begin0 + lx6;
  const int at_x6 = x6;
  const int reach6 = true && x6 >= 0 && x6 < n0 ? min(min(static_cast<int>(steps), min(lx6, 2047 - lx6) / 1), true && lx6 >= lead0 && lx6 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near6 = at_x6 < 1 || at_x6 >= n0 - 1;
  const char* const a0_6 = p0 + static_cast<long>(at_x6) * s0_0;
  char* const b3_6 = p3 + static_cast<long>(x6) * s3_0;
  const int cell7 = 1792 + static_cast<int>(threadIdx.x);
  const int lx7 = cell7 % 2048, x7 = begin0 + lx7;
  const int at_x7 = x7;
  const int reach7 = true && x7 >= 0 && x7 < n0 ? min(min(static_cast<int>(steps), min(lx7, 2047 - lx7) / 1), true && lx7 >= lead0 && lx7 < lead0 + whole0 ? static_cast<int>(steps) : static_cast<int>(steps) - 1) : -1;
  [[maybe_unused]] const bool near7 = at_x7 < 1 || at_x7 >= n0 - 1;
  const char* const a0_7 = p0 + static_cast<long>(at_x7) * s0_0;
  char* const b3_7 = p3 + static_cast<long>(x7) * s3_0;
  if (reach0 >= 0) {
    plane0[0][cell0] = load<double>(a0_0);
  }
  if (reach1 >= 0) {
    plane0[0][cell1] = load<double>(a0_1);
  }
  if (reach2 >= 0) {
    plane0[0][cell2] = load<double>(a0_2);
  }
  if (reach3 >= 0) {
    plane0[0][cell3] = load<double>(a0_3);
  }
  if (reach4 >= 0) {
    plane0[0][cell4] = load<double>(a0_4);
  }
  if (reach5 >= 0) {
    plane0[0][cell5] = load<double>(a0_5);
  }
  if (reach6 >= 0) {
    plane0[0][cell6] = load<double>(a0_6);
  }
  if (reach7 >= 0) {
    plane0[0][cell7] = load<double>(a0_7);
  }
  __syncthreads();
#pragma unroll 1
  for (int t = 1; t <= steps; ++t) {
    if (reach0 >= t) {
      double w0;
      if (near0) {
        element(plane0[(t - 1) & 1][lx0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x0 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x0 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell0], plane0[(t - 1) & 1][cell0 - 1], plane0[(t - 1) & 1][cell0 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_0, w0);
      } else {
        plane0[t & 1][cell0] = w0;
      }
    }
    if (reach1 >= t) {
      double w0;
      if (near1) {
        element(plane0[(t - 1) & 1][lx1], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x1 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x1 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell1], plane0[(t - 1) & 1][cell1 - 1], plane0[(t - 1) & 1][cell1 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_1, w0);
      } else {
        plane0[t & 1][cell1] = w0;
      }
    }
    if (reach2 >= t) {
      double w0;
      if (near2) {
        element(plane0[(t - 1) & 1][lx2], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x2 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x2 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell2], plane0[(t - 1) & 1][cell2 - 1], plane0[(t - 1) & 1][cell2 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_2, w0);
      } else {
        plane0[t & 1][cell2] = w0;
      }
    }
    if (reach3 >= t) {
      double w0;
      if (near3) {
        element(plane0[(t - 1) & 1][lx3], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x3 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x3 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell3], plane0[(t - 1) & 1][cell3 - 1], plane0[(t - 1) & 1][cell3 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_3, w0);
      } else {
        plane0[t & 1][cell3] = w0;
      }
    }
    if (reach4 >= t) {
      double w0;
      if (near4) {
        element(plane0[(t - 1) & 1][lx4], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x4 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x4 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell4], plane0[(t - 1) & 1][cell4 - 1], plane0[(t - 1) & 1][cell4 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_4, w0);
      } else {
        plane0[t & 1][cell4] = w0;
      }
    }
    if (reach5 >= t) {
      double w0;
      if (near5) {
        element(plane0[(t - 1) & 1][lx5], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x5 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x5 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell5], plane0[(t - 1) & 1][cell5 - 1], plane0[(t - 1) & 1][cell5 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_5, w0);
      } else {
        plane0[t & 1][cell5] = w0;
      }
    }
    if (reach6 >= t) {
      double w0;
      if (near6) {
        element(plane0[(t - 1) & 1][lx6], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x6 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x6 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell6], plane0[(t - 1) & 1][cell6 - 1], plane0[(t - 1) & 1][cell6 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_6, w0);
      } else {
        plane0[t & 1][cell6] = w0;
      }
    }
    if (reach7 >= t) {
      double w0;
      if (near7) {
        element(plane0[(t - 1) & 1][lx7], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x7 - 1, n0) - begin0], plane0[(t - 1) & 1][beyond<Side::kReflect, Side::kReflect>(x7 + 1, n0) - begin0], w0);
        stands_apart();
      } else {
        element(plane0[(t - 1) & 1][cell7], plane0[(t - 1) & 1][cell7 - 1], plane0[(t - 1) & 1][cell7 + 1], w0);
      }
      if (t == steps) {
        store<double>(b3_7, w0);
      } else {
        plane0[t & 1][cell7] = w0;
      }
    }
    __syncthreads();
  }
}
}

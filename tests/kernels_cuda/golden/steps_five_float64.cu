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
ENGINE_LANE void element(const double v0, const double v2, const double v3, const double v5, const double v7, double& r0) {
  const double v1 = 0x1.999999999999ap-4;
  const double v4 = add_11(v2, v3);
  const double v6 = add_11(v4, v5);
  const double v8 = add_11(v6, v7);
  const double v9 = 0x1p+2;
  const double v10 = multiply_11(v9, v0);
  const double v11 = subtract_10(v8, v10);
  const double v12 = multiply_11(v1, v11);
  const double v13 = add_11(v0, v12);
  r0 = v13;
}
extern "C" __global__ void __launch_bounds__(256, 2) engine_kernel(char* p0, long s0_0, long s0_1, char* p5, long s5_0, long s5_1, long long_n0, long long_n1, long tiles1, long whole1, long lead1, long rows) {
  const int n0 = static_cast<int>(long_n0);
  const int n1 = static_cast<int>(long_n1);
  __shared__ double plane0[4096];
  unsigned block = blockIdx.x;
  const int begin1 = static_cast<int>(static_cast<long>(block % static_cast<unsigned>(tiles1)) * whole1 - lead1);
  block /= static_cast<unsigned>(tiles1);
  const int cell0 = 0 + static_cast<int>(threadIdx.x);
  const int lx0 = cell0 % 256, x0 = begin1 + lx0;
  const int at_x0 = x0;
  const int reach0 = true && x0 >= 0 && x0 < n1 ? min(min(4, min(lx0, 255 - lx0) / 1), true && lx0 >= lead1 && lx0 < lead1 + whole1 ? 4 : 4 - 1) : -1;
  [[maybe_unused]] const bool near0 = at_x0 < 1 || at_x0 >= n1 - 1;
  const char* const a0_0 = p0 + static_cast<long>(at_x0) * s0_1;
  char* const b5_0 = p5 + static_cast<long>(x0) * s5_1;
  const int begin = static_cast<int>(block) * static_cast<int>(rows), end = min(begin + static_cast<int>(rows), n0);
  const int low0 = max(begin - 4, 0), high0 = min(end + 4, n0);
  const int low1 = max(begin - 3, 0), high1 = min(end + 3, n0);
  const int low2 = max(begin - 2, 0), high2 = min(end + 2, n0);
  const int low3 = max(begin - 1, 0), high3 = min(end + 1, n0);
  const int low4 = max(begin - 0, 0), high4 = min(end + 0, n0);
  double v1_0_0_0{};
  double v1_0_1_0{};
  double v1_0_2_0{};
  double v1_1_0_0{};
  double v1_2_0_0{};
  double v2_0_0_0{};
  double v2_0_1_0{};
  double v2_0_2_0{};
  double v2_1_0_0{};
  double v2_2_0_0{};
  double v3_0_0_0{};
  double v3_0_1_0{};
  double v3_0_2_0{};
  double v3_1_0_0{};
  double v3_2_0_0{};
  double v4_0_0_0{};
  double v4_0_1_0{};
  double v4_0_2_0{};
  double v4_1_0_0{};
  double v4_2_0_0{};
  double made0_0_0{};
  double made1_0_0{};
  double made2_0_0{};
  double made3_0_0{};
  double ahead0_0{};
  const char* from0_0 = a0_0 + static_cast<long>(low0) * s0_0;
  char* to5_0 = b5_0 + static_cast<long>(low0 - 8) * s5_0;
  if (reach0 >= 0) {
        ahead0_0 = load<double>(from0_0);
  }
      from0_0 += s0_0;
  const int last = end + 8;
  const int from = min(max(begin, 1) + 8, last);
  const int to = min(high0 - 1, n0 - -1);
  int s = low0;
#pragma unroll 1
  for (int half = 0; half < 2; ++half) {
#pragma unroll 1
  for (; s < (half ? last : from); ++s) {
    [[maybe_unused]] const int row0 = ((s + 0) & 3) * 256;
    [[maybe_unused]] const int row1 = ((s + 1) & 3) * 256;
    [[maybe_unused]] const int row2 = ((s + 2) & 3) * 256;
    [[maybe_unused]] const int row3 = ((s + 3) & 3) * 256;
    const double now0_0 = ahead0_0;
    if (s + 1 < high0) {
      if (reach0 >= 0) {
        ahead0_0 = load<double>(from0_0);
      }
      from0_0 += s0_0;
    }
    {
      [[maybe_unused]] const int y = s - 8;
      if (y + 1 >= low3 && y < high4) {
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v4_0_0_0 = v4_0_1_0;
      v4_0_1_0 = v4_0_2_0;
      v4_0_2_0 = made3_0_0;
      double read1;
      double read2;
      if (reach0 >= 4) {
      if (!near0) {
        if (y >= low3 && y < high3)
        read1 = plane0[3072 + row0 + cell0 - 1];
        if (y >= low3 && y < high3)
        read2 = plane0[3072 + row0 + cell0 + 1];
      }
      if (y >= low4) {
      if (near0 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[3072 + ((y) & 3) * 256 + lx0], plane0[3072 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[3072 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[3072 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[3072 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v4_0_1_0, v4_0_0_0, v4_0_2_0, read1, read2, w0);
      }
        store<double>(to5_0, w0);
      }
      }
      v4_1_0_0 = read1;
      v4_2_0_0 = read2;
      }
    }
    }
    {
      [[maybe_unused]] const int y = s - 6;
      if (y + 1 >= low2 && y < high3) {
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v3_0_0_0 = v3_0_1_0;
      v3_0_1_0 = v3_0_2_0;
      v3_0_2_0 = made2_0_0;
      double read1;
      double read2;
      if (reach0 >= 3) {
      if (!near0) {
        if (y >= low2 && y < high2)
        read1 = plane0[2048 + row2 + cell0 - 1];
        if (y >= low2 && y < high2)
        read2 = plane0[2048 + row2 + cell0 + 1];
      }
      if (y >= low3) {
      if (near0 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[2048 + ((y) & 3) * 256 + lx0], plane0[2048 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[2048 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[2048 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[2048 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v3_0_1_0, v3_0_0_0, v3_0_2_0, read1, read2, w0);
      }
        plane0[3072 + row2 + cell0] = w0;
      }
      }
      v3_1_0_0 = read1;
      v3_2_0_0 = read2;
      made3_0_0 = w0;
      }
    }
    }
    {
      [[maybe_unused]] const int y = s - 4;
      if (y + 1 >= low1 && y < high2) {
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v2_0_0_0 = v2_0_1_0;
      v2_0_1_0 = v2_0_2_0;
      v2_0_2_0 = made1_0_0;
      double read1;
      double read2;
      if (reach0 >= 2) {
      if (!near0) {
        if (y >= low1 && y < high1)
        read1 = plane0[1024 + row0 + cell0 - 1];
        if (y >= low1 && y < high1)
        read2 = plane0[1024 + row0 + cell0 + 1];
      }
      if (y >= low2) {
      if (near0 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[1024 + ((y) & 3) * 256 + lx0], plane0[1024 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[1024 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[1024 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[1024 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v2_0_1_0, v2_0_0_0, v2_0_2_0, read1, read2, w0);
      }
        plane0[2048 + row0 + cell0] = w0;
      }
      }
      v2_1_0_0 = read1;
      v2_2_0_0 = read2;
      made2_0_0 = w0;
      }
    }
    }
    {
      [[maybe_unused]] const int y = s - 2;
      if (y + 1 >= low0 && y < high1) {
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v1_0_0_0 = v1_0_1_0;
      v1_0_1_0 = v1_0_2_0;
      v1_0_2_0 = made0_0_0;
      double read1;
      double read2;
      if (reach0 >= 1) {
      if (!near0) {
        if (y >= low0 && y < high0)
        read1 = plane0[0 + row2 + cell0 - 1];
        if (y >= low0 && y < high0)
        read2 = plane0[0 + row2 + cell0 + 1];
      }
      if (y >= low1) {
      if (near0 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[0 + ((y) & 3) * 256 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[0 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[0 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v1_0_1_0, v1_0_0_0, v1_0_2_0, read1, read2, w0);
      }
        plane0[1024 + row2 + cell0] = w0;
      }
      }
      v1_1_0_0 = read1;
      v1_2_0_0 = read2;
      made1_0_0 = w0;
      }
    }
    }
    if (s < high0) {
      if (reach0 >= 0) {
        plane0[0 + row0 + cell0] = now0_0;
      }
    }
    made0_0_0 = now0_0;
    to5_0 += s5_0;
    __syncthreads();
  }
#pragma unroll 3
  for (; s < to; ++s) {
    [[maybe_unused]] const int row0 = ((s + 0) & 3) * 256;
    [[maybe_unused]] const int row1 = ((s + 1) & 3) * 256;
    [[maybe_unused]] const int row2 = ((s + 2) & 3) * 256;
    [[maybe_unused]] const int row3 = ((s + 3) & 3) * 256;
    const double now0_0 = ahead0_0;
      if (reach0 >= 0) {
        ahead0_0 = load<double>(from0_0);
      }
      from0_0 += s0_0;
    {
      [[maybe_unused]] const int y = s - 8;
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v4_0_0_0 = v4_0_1_0;
      v4_0_1_0 = v4_0_2_0;
      v4_0_2_0 = made3_0_0;
      double read1;
      double read2;
      if (reach0 >= 4) {
      if (!near0) {
        read1 = plane0[3072 + row0 + cell0 - 1];
        read2 = plane0[3072 + row0 + cell0 + 1];
      }
      if (near0) {
        element(plane0[3072 + ((y) & 3) * 256 + lx0], plane0[3072 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[3072 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[3072 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[3072 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v4_0_1_0, v4_0_0_0, v4_0_2_0, read1, read2, w0);
      }
        store<double>(to5_0, w0);
      }
      v4_1_0_0 = read1;
      v4_2_0_0 = read2;
      }
    }
    {
      [[maybe_unused]] const int y = s - 6;
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v3_0_0_0 = v3_0_1_0;
      v3_0_1_0 = v3_0_2_0;
      v3_0_2_0 = made2_0_0;
      double read1;
      double read2;
      if (reach0 >= 3) {
      if (!near0) {
        read1 = plane0[2048 + row2 + cell0 - 1];
        read2 = plane0[2048 + row2 + cell0 + 1];
      }
      if (near0) {
        element(plane0[2048 + ((y) & 3) * 256 + lx0], plane0[2048 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[2048 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[2048 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[2048 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v3_0_1_0, v3_0_0_0, v3_0_2_0, read1, read2, w0);
      }
        plane0[3072 + row2 + cell0] = w0;
      }
      v3_1_0_0 = read1;
      v3_2_0_0 = read2;
      made3_0_0 = w0;
      }
    }
    {
      [[maybe_unused]] const int y = s - 4;
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v2_0_0_0 = v2_0_1_0;
      v2_0_1_0 = v2_0_2_0;
      v2_0_2_0 = made1_0_0;
      double read1;
      double read2;
      if (reach0 >= 2) {
      if (!near0) {
        read1 = plane0[1024 + row0 + cell0 - 1];
        read2 = plane0[1024 + row0 + cell0 + 1];
      }
      if (near0) {
        element(plane0[1024 + ((y) & 3) * 256 + lx0], plane0[1024 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[1024 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[1024 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[1024 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v2_0_1_0, v2_0_0_0, v2_0_2_0, read1, read2, w0);
      }
        plane0[2048 + row0 + cell0] = w0;
      }
      v2_1_0_0 = read1;
      v2_2_0_0 = read2;
      made2_0_0 = w0;
      }
    }
    {
      [[maybe_unused]] const int y = s - 2;
      [[maybe_unused]] const int at_y = y;
      {
      double w0;
      v1_0_0_0 = v1_0_1_0;
      v1_0_1_0 = v1_0_2_0;
      v1_0_2_0 = made0_0_0;
      double read1;
      double read2;
      if (reach0 >= 1) {
      if (!near0) {
        read1 = plane0[0 + row2 + cell0 - 1];
        read2 = plane0[0 + row2 + cell0 + 1];
      }
      if (near0) {
        element(plane0[0 + ((y) & 3) * 256 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 256 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 256 + lx0], plane0[0 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n1) - begin1], plane0[0 + ((y) & 3) * 256 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n1) - begin1], w0);
        stands_apart();
      } else {
        element(v1_0_1_0, v1_0_0_0, v1_0_2_0, read1, read2, w0);
      }
        plane0[1024 + row2 + cell0] = w0;
      }
      v1_1_0_0 = read1;
      v1_2_0_0 = read2;
      made1_0_0 = w0;
      }
    }
      if (reach0 >= 0) {
        plane0[0 + row0 + cell0] = now0_0;
      }
    made0_0_0 = now0_0;
    to5_0 += s5_0;
    __syncthreads();
  }
  }
}
}

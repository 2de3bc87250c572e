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
ENGINE_LANE void element(const double v0, const double v2, const double v3, const double v5, const double v7, const double v9, const double v11, double& r0) {
  const double v1 = 0x1.999999999999ap-4;
  const double v4 = add_11(v2, v3);
  const double v6 = add_11(v4, v5);
  const double v8 = add_11(v6, v7);
  const double v10 = add_11(v8, v9);
  const double v12 = add_11(v10, v11);
  const double v13 = 0x1.8p+2;
  const double v14 = multiply_11(v13, v0);
  const double v15 = subtract_10(v12, v14);
  const double v16 = multiply_11(v1, v15);
  const double v17 = add_11(v0, v16);
  r0 = v17;
}
extern "C" __global__ void __launch_bounds__(256, 1) engine_kernel(char* p0, long s0_0, long s0_1, long s0_2, char* p7, long s7_0, long s7_1, long s7_2, long long_n0, long long_n1, long long_n2, long tiles1, long whole1, long lead1, long tiles2, long whole2, long lead2, long rows) {
  const int n0 = static_cast<int>(long_n0);
  const int n1 = static_cast<int>(long_n1);
  const int n2 = static_cast<int>(long_n2);
  __shared__ double plane0[4096];
  unsigned block = blockIdx.x;
  const int begin2 = static_cast<int>(static_cast<long>(block % static_cast<unsigned>(tiles2)) * whole2 - lead2);
  block /= static_cast<unsigned>(tiles2);
  const int begin1 = static_cast<int>(static_cast<long>(block % static_cast<unsigned>(tiles1)) * whole1 - lead1);
  block /= static_cast<unsigned>(tiles1);
  const int cell0 = 0 + static_cast<int>(threadIdx.x);
  const int lz0 = cell0 / 32, z0 = begin1 + lz0;
  const int at_z0 = z0;
  const int lx0 = cell0 % 32, x0 = begin2 + lx0;
  const int at_x0 = x0;
  const int reach0 = true && z0 >= 0 && z0 < n1 && x0 >= 0 && x0 < n2 ? min(min(min(1, min(lz0, 31 - lz0) / 1), min(lx0, 31 - lx0) / 1), true && lz0 >= lead1 && lz0 < lead1 + whole1 && lx0 >= lead2 && lx0 < lead2 + whole2 ? 1 : 1 - 1) : -1;
  [[maybe_unused]] const bool near0 = at_z0 < 1 || at_z0 >= n1 - 1 || at_x0 < 1 || at_x0 >= n2 - 1;
  const char* const a0_0 = p0 + static_cast<long>(at_z0) * s0_1 + static_cast<long>(at_x0) * s0_2;
  char* const b7_0 = p7 + static_cast<long>(z0) * s7_1 + static_cast<long>(x0) * s7_2;
  const int cell1 = 256 + static_cast<int>(threadIdx.x);
  const int lz1 = cell1 / 32, z1 = begin1 + lz1;
  const int at_z1 = z1;
  const int lx1 = cell1 % 32, x1 = begin2 + lx1;
  const int at_x1 = x1;
  const int reach1 = true && z1 >= 0 && z1 < n1 && x1 >= 0 && x1 < n2 ? min(min(min(1, min(lz1, 31 - lz1) / 1), min(lx1, 31 - lx1) / 1), true && lz1 >= lead1 && lz1 < lead1 + whole1 && lx1 >= lead2 && lx1 < lead2 + whole2 ? 1 : 1 - 1) : -1;
  [[maybe_unused]] const bool near1 = at_z1 < 1 || at_z1 >= n1 - 1 || at_x1 < 1 || at_x1 >= n2 - 1;
  const char* const a0_1 = p0 + static_cast<long>(at_z1) * s0_1 + static_cast<long>(at_x1) * s0_2;
  char* const b7_1 = p7 + static_cast<long>(z1) * s7_1 + static_cast<long>(x1) * s7_2;
  const int cell2 = 512 + static_cast<int>(threadIdx.x);
  const int lz2 = cell2 / 32, z2 = begin1 + lz2;
  const int at_z2 = z2;
  const int lx2 = cell2 % 32, x2 = begin2 + lx2;
  const int at_x2 = x2;
  const int reach2 = true && z2 >= 0 && z2 < n1 && x2 >= 0 && x2 < n2 ? min(min(min(1, min(lz2, 31 - lz2) / 1), min(lx2, 31 - lx2) / 1), true && lz2 >= lead1 && lz2 < lead1 + whole1 && lx2 >= lead2 && lx2 < lead2 + whole2 ? 1 : 1 - 1) : -1;
  [[maybe_unused]] const bool near2 = at_z2 < 1 || at_z2 >= n1 - 1 || at_x2 < 1 || at_x2 >= n2 - 1;
  const char* const a0_2 = p0 + static_cast<long>(at_z2) * s0_1 + static_cast<long>(at_x2) * s0_2;
  char* const b7_2 = p7 + static_cast<long>(z2) * s7_1 + static_cast<long>(x2) * s7_2;
  const int cell3 = 768 + static_cast<int>(threadIdx.x);
  const int lz3 = cell3 / 32, z3 = begin1 + lz3;
  const int at_z3 = z3;
  const int lx3 = cell3 % 32, x3 = begin2 + lx3;
  const int at_x3 = x3;
  const int reach3 = true && z3 >= 0 && z3 < n1 && x3 >= 0 && x3 < n2 ? min(min(min(1, min(lz3, 31 - lz3) / 1), min(lx3, 31 - lx3) / 1), true && lz3 >= lead1 && lz3 < lead1 + whole1 && lx3 >= lead2 && lx3 < lead2 + whole2 ? 1 : 1 - 1) : -1;
  [[maybe_unused]] const bool near3 = at_z3 < 1 || at_z3 >= n1 - 1 || at_x3 < 1 || at_x3 >= n2 - 1;
  const char* const a0_3 = p0 + static_cast<long>(at_z3) * s0_1 + static_cast<long>(at_x3) * s0_2;
  char* const b7_3 = p7 + static_cast<long>(z3) * s7_1 + static_cast<long>(x3) * s7_2;
  const int begin = static_cast<int>(block) * static_cast<int>(rows), end = min(begin + static_cast<int>(rows), n0);
  const int low0 = max(begin - 1, 0), high0 = min(end + 1, n0);
  const int low1 = max(begin - 0, 0), high1 = min(end + 0, n0);
  double v1_0_0_0{};
  double v1_0_1_0{};
  double v1_0_2_0{};
  double v1_1_0_0{};
  double v1_2_0_0{};
  double v1_3_0_0{};
  double v1_4_0_0{};
  double made0_0_0{};
  double ahead0_0{};
  const char* from0_0 = a0_0 + static_cast<long>(low0) * s0_0;
  char* to7_0 = b7_0 + static_cast<long>(low0 - 2) * s7_0;
  if (reach0 >= 0) {
        ahead0_0 = load<double>(from0_0);
  }
      from0_0 += s0_0;
  double v1_0_0_1{};
  double v1_0_1_1{};
  double v1_0_2_1{};
  double v1_1_0_1{};
  double v1_2_0_1{};
  double v1_3_0_1{};
  double v1_4_0_1{};
  double made0_0_1{};
  double ahead0_1{};
  const char* from0_1 = a0_1 + static_cast<long>(low0) * s0_0;
  char* to7_1 = b7_1 + static_cast<long>(low0 - 2) * s7_0;
  if (reach1 >= 0) {
        ahead0_1 = load<double>(from0_1);
  }
      from0_1 += s0_0;
  double v1_0_0_2{};
  double v1_0_1_2{};
  double v1_0_2_2{};
  double v1_1_0_2{};
  double v1_2_0_2{};
  double v1_3_0_2{};
  double v1_4_0_2{};
  double made0_0_2{};
  double ahead0_2{};
  const char* from0_2 = a0_2 + static_cast<long>(low0) * s0_0;
  char* to7_2 = b7_2 + static_cast<long>(low0 - 2) * s7_0;
  if (reach2 >= 0) {
        ahead0_2 = load<double>(from0_2);
  }
      from0_2 += s0_0;
  double v1_0_0_3{};
  double v1_0_1_3{};
  double v1_0_2_3{};
  double v1_1_0_3{};
  double v1_2_0_3{};
  double v1_3_0_3{};
  double v1_4_0_3{};
  double made0_0_3{};
  double ahead0_3{};
  const char* from0_3 = a0_3 + static_cast<long>(low0) * s0_0;
  char* to7_3 = b7_3 + static_cast<long>(low0 - 2) * s7_0;
  if (reach3 >= 0) {
        ahead0_3 = load<double>(from0_3);
  }
      from0_3 += s0_0;
  const int last = end + 2;
  const int from = min(max(begin, 1) + 2, last);
  const int to = min(high0 - 1, n0 - -1);
  int s = low0;
#pragma unroll 1
  for (int half = 0; half < 2; ++half) {
#pragma unroll 1
  for (; s < (half ? last : from); ++s) {
    [[maybe_unused]] const int row0 = ((s + 0) & 3) * 1024;
    [[maybe_unused]] const int row1 = ((s + 1) & 3) * 1024;
    [[maybe_unused]] const int row2 = ((s + 2) & 3) * 1024;
    [[maybe_unused]] const int row3 = ((s + 3) & 3) * 1024;
    const double now0_0 = ahead0_0;
    const double now0_1 = ahead0_1;
    const double now0_2 = ahead0_2;
    const double now0_3 = ahead0_3;
    if (s + 1 < high0) {
      if (reach0 >= 0) {
        ahead0_0 = load<double>(from0_0);
      }
      from0_0 += s0_0;
      if (reach1 >= 0) {
        ahead0_1 = load<double>(from0_1);
      }
      from0_1 += s0_0;
      if (reach2 >= 0) {
        ahead0_2 = load<double>(from0_2);
      }
      from0_2 += s0_0;
      if (reach3 >= 0) {
        ahead0_3 = load<double>(from0_3);
      }
      from0_3 += s0_0;
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
      double read3;
      double read4;
      if (reach0 >= 1) {
      if (!near0) {
        if (y >= low0 && y < high0)
        read1 = plane0[0 + row2 + cell0 - 32];
        if (y >= low0 && y < high0)
        read2 = plane0[0 + row2 + cell0 + 32];
        if (y >= low0 && y < high0)
        read3 = plane0[0 + row2 + cell0 - 1];
        if (y >= low0 && y < high0)
        read4 = plane0[0 + row2 + cell0 + 1];
      }
      if (y >= low1) {
      if (near0 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz0) * 32 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz0) * 32 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz0) * 32 + lx0], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z0 - 1, n1) - begin1) * 32 + lx0], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z0 + 1, n1) - begin1) * 32 + lx0], plane0[0 + ((y) & 3) * 1024 + (lz0) * 32 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz0) * 32 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_0, v1_0_0_0, v1_0_2_0, read1, read2, read3, read4, w0);
      }
        store<double>(to7_0, w0);
      }
      }
      v1_1_0_0 = read1;
      v1_2_0_0 = read2;
      v1_3_0_0 = read3;
      v1_4_0_0 = read4;
      }
      {
      double w0;
      v1_0_0_1 = v1_0_1_1;
      v1_0_1_1 = v1_0_2_1;
      v1_0_2_1 = made0_0_1;
      double read1;
      double read2;
      double read3;
      double read4;
      if (reach1 >= 1) {
      if (!near1) {
        if (y >= low0 && y < high0)
        read1 = plane0[0 + row2 + cell1 - 32];
        if (y >= low0 && y < high0)
        read2 = plane0[0 + row2 + cell1 + 32];
        if (y >= low0 && y < high0)
        read3 = plane0[0 + row2 + cell1 - 1];
        if (y >= low0 && y < high0)
        read4 = plane0[0 + row2 + cell1 + 1];
      }
      if (y >= low1) {
      if (near1 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz1) * 32 + lx1], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz1) * 32 + lx1], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz1) * 32 + lx1], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z1 - 1, n1) - begin1) * 32 + lx1], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z1 + 1, n1) - begin1) * 32 + lx1], plane0[0 + ((y) & 3) * 1024 + (lz1) * 32 + beyond<Side::kReflect, Side::kReflect>(x1 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz1) * 32 + beyond<Side::kReflect, Side::kReflect>(x1 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_1, v1_0_0_1, v1_0_2_1, read1, read2, read3, read4, w0);
      }
        store<double>(to7_1, w0);
      }
      }
      v1_1_0_1 = read1;
      v1_2_0_1 = read2;
      v1_3_0_1 = read3;
      v1_4_0_1 = read4;
      }
      {
      double w0;
      v1_0_0_2 = v1_0_1_2;
      v1_0_1_2 = v1_0_2_2;
      v1_0_2_2 = made0_0_2;
      double read1;
      double read2;
      double read3;
      double read4;
      if (reach2 >= 1) {
      if (!near2) {
        if (y >= low0 && y < high0)
        read1 = plane0[0 + row2 + cell2 - 32];
        if (y >= low0 && y < high0)
        read2 = plane0[0 + row2 + cell2 + 32];
        if (y >= low0 && y < high0)
        read3 = plane0[0 + row2 + cell2 - 1];
        if (y >= low0 && y < high0)
        read4 = plane0[0 + row2 + cell2 + 1];
      }
      if (y >= low1) {
      if (near2 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz2) * 32 + lx2], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz2) * 32 + lx2], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz2) * 32 + lx2], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z2 - 1, n1) - begin1) * 32 + lx2], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z2 + 1, n1) - begin1) * 32 + lx2], plane0[0 + ((y) & 3) * 1024 + (lz2) * 32 + beyond<Side::kReflect, Side::kReflect>(x2 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz2) * 32 + beyond<Side::kReflect, Side::kReflect>(x2 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_2, v1_0_0_2, v1_0_2_2, read1, read2, read3, read4, w0);
      }
        store<double>(to7_2, w0);
      }
      }
      v1_1_0_2 = read1;
      v1_2_0_2 = read2;
      v1_3_0_2 = read3;
      v1_4_0_2 = read4;
      }
      {
      double w0;
      v1_0_0_3 = v1_0_1_3;
      v1_0_1_3 = v1_0_2_3;
      v1_0_2_3 = made0_0_3;
      double read1;
      double read2;
      double read3;
      double read4;
      if (reach3 >= 1) {
      if (!near3) {
        if (y >= low0 && y < high0)
        read1 = plane0[0 + row2 + cell3 - 32];
        if (y >= low0 && y < high0)
        read2 = plane0[0 + row2 + cell3 + 32];
        if (y >= low0 && y < high0)
        read3 = plane0[0 + row2 + cell3 - 1];
        if (y >= low0 && y < high0)
        read4 = plane0[0 + row2 + cell3 + 1];
      }
      if (y >= low1) {
      if (near3 || at_y < 1 || at_y >= n0 - 1) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz3) * 32 + lx3], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz3) * 32 + lx3], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz3) * 32 + lx3], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z3 - 1, n1) - begin1) * 32 + lx3], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z3 + 1, n1) - begin1) * 32 + lx3], plane0[0 + ((y) & 3) * 1024 + (lz3) * 32 + beyond<Side::kReflect, Side::kReflect>(x3 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz3) * 32 + beyond<Side::kReflect, Side::kReflect>(x3 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_3, v1_0_0_3, v1_0_2_3, read1, read2, read3, read4, w0);
      }
        store<double>(to7_3, w0);
      }
      }
      v1_1_0_3 = read1;
      v1_2_0_3 = read2;
      v1_3_0_3 = read3;
      v1_4_0_3 = read4;
      }
    }
    }
    if (s < high0) {
      if (reach0 >= 0) {
        plane0[0 + row0 + cell0] = now0_0;
      }
      if (reach1 >= 0) {
        plane0[0 + row0 + cell1] = now0_1;
      }
      if (reach2 >= 0) {
        plane0[0 + row0 + cell2] = now0_2;
      }
      if (reach3 >= 0) {
        plane0[0 + row0 + cell3] = now0_3;
      }
    }
    made0_0_0 = now0_0;
    to7_0 += s7_0;
    made0_0_1 = now0_1;
    to7_1 += s7_0;
    made0_0_2 = now0_2;
    to7_2 += s7_0;
    made0_0_3 = now0_3;
    to7_3 += s7_0;
    __syncthreads();
  }
#pragma unroll 3
  for (; s < to; ++s) {
    [[maybe_unused]] const int row0 = ((s + 0) & 3) * 1024;
    [[maybe_unused]] const int row1 = ((s + 1) & 3) * 1024;
    [[maybe_unused]] const int row2 = ((s + 2) & 3) * 1024;
    [[maybe_unused]] const int row3 = ((s + 3) & 3) * 1024;
    const double now0_0 = ahead0_0;
    const double now0_1 = ahead0_1;
    const double now0_2 = ahead0_2;
    const double now0_3 = ahead0_3;
      if (reach0 >= 0) {
        ahead0_0 = load<double>(from0_0);
      }
      from0_0 += s0_0;
      if (reach1 >= 0) {
        ahead0_1 = load<double>(from0_1);
      }
      from0_1 += s0_0;
      if (reach2 >= 0) {
        ahead0_2 = load<double>(from0_2);
      }
      from0_2 += s0_0;
      if (reach3 >= 0) {
        ahead0_3 = load<double>(from0_3);
      }
      from0_3 += s0_0;
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
      double read3;
      double read4;
      if (reach0 >= 1) {
      if (!near0) {
        read1 = plane0[0 + row2 + cell0 - 32];
        read2 = plane0[0 + row2 + cell0 + 32];
        read3 = plane0[0 + row2 + cell0 - 1];
        read4 = plane0[0 + row2 + cell0 + 1];
      }
      if (near0) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz0) * 32 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz0) * 32 + lx0], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz0) * 32 + lx0], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z0 - 1, n1) - begin1) * 32 + lx0], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z0 + 1, n1) - begin1) * 32 + lx0], plane0[0 + ((y) & 3) * 1024 + (lz0) * 32 + beyond<Side::kReflect, Side::kReflect>(x0 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz0) * 32 + beyond<Side::kReflect, Side::kReflect>(x0 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_0, v1_0_0_0, v1_0_2_0, read1, read2, read3, read4, w0);
      }
        store<double>(to7_0, w0);
      }
      v1_1_0_0 = read1;
      v1_2_0_0 = read2;
      v1_3_0_0 = read3;
      v1_4_0_0 = read4;
      }
      {
      double w0;
      v1_0_0_1 = v1_0_1_1;
      v1_0_1_1 = v1_0_2_1;
      v1_0_2_1 = made0_0_1;
      double read1;
      double read2;
      double read3;
      double read4;
      if (reach1 >= 1) {
      if (!near1) {
        read1 = plane0[0 + row2 + cell1 - 32];
        read2 = plane0[0 + row2 + cell1 + 32];
        read3 = plane0[0 + row2 + cell1 - 1];
        read4 = plane0[0 + row2 + cell1 + 1];
      }
      if (near1) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz1) * 32 + lx1], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz1) * 32 + lx1], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz1) * 32 + lx1], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z1 - 1, n1) - begin1) * 32 + lx1], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z1 + 1, n1) - begin1) * 32 + lx1], plane0[0 + ((y) & 3) * 1024 + (lz1) * 32 + beyond<Side::kReflect, Side::kReflect>(x1 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz1) * 32 + beyond<Side::kReflect, Side::kReflect>(x1 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_1, v1_0_0_1, v1_0_2_1, read1, read2, read3, read4, w0);
      }
        store<double>(to7_1, w0);
      }
      v1_1_0_1 = read1;
      v1_2_0_1 = read2;
      v1_3_0_1 = read3;
      v1_4_0_1 = read4;
      }
      {
      double w0;
      v1_0_0_2 = v1_0_1_2;
      v1_0_1_2 = v1_0_2_2;
      v1_0_2_2 = made0_0_2;
      double read1;
      double read2;
      double read3;
      double read4;
      if (reach2 >= 1) {
      if (!near2) {
        read1 = plane0[0 + row2 + cell2 - 32];
        read2 = plane0[0 + row2 + cell2 + 32];
        read3 = plane0[0 + row2 + cell2 - 1];
        read4 = plane0[0 + row2 + cell2 + 1];
      }
      if (near2) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz2) * 32 + lx2], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz2) * 32 + lx2], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz2) * 32 + lx2], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z2 - 1, n1) - begin1) * 32 + lx2], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z2 + 1, n1) - begin1) * 32 + lx2], plane0[0 + ((y) & 3) * 1024 + (lz2) * 32 + beyond<Side::kReflect, Side::kReflect>(x2 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz2) * 32 + beyond<Side::kReflect, Side::kReflect>(x2 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_2, v1_0_0_2, v1_0_2_2, read1, read2, read3, read4, w0);
      }
        store<double>(to7_2, w0);
      }
      v1_1_0_2 = read1;
      v1_2_0_2 = read2;
      v1_3_0_2 = read3;
      v1_4_0_2 = read4;
      }
      {
      double w0;
      v1_0_0_3 = v1_0_1_3;
      v1_0_1_3 = v1_0_2_3;
      v1_0_2_3 = made0_0_3;
      double read1;
      double read2;
      double read3;
      double read4;
      if (reach3 >= 1) {
      if (!near3) {
        read1 = plane0[0 + row2 + cell3 - 32];
        read2 = plane0[0 + row2 + cell3 + 32];
        read3 = plane0[0 + row2 + cell3 - 1];
        read4 = plane0[0 + row2 + cell3 + 1];
      }
      if (near3) {
        element(plane0[0 + ((y) & 3) * 1024 + (lz3) * 32 + lx3], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y - 1, n0)) & 3) * 1024 + (lz3) * 32 + lx3], plane0[0 + ((beyond<Side::kReflect, Side::kReflect>(y + 1, n0)) & 3) * 1024 + (lz3) * 32 + lx3], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z3 - 1, n1) - begin1) * 32 + lx3], plane0[0 + ((y) & 3) * 1024 + (beyond<Side::kReflect, Side::kReflect>(z3 + 1, n1) - begin1) * 32 + lx3], plane0[0 + ((y) & 3) * 1024 + (lz3) * 32 + beyond<Side::kReflect, Side::kReflect>(x3 - 1, n2) - begin2], plane0[0 + ((y) & 3) * 1024 + (lz3) * 32 + beyond<Side::kReflect, Side::kReflect>(x3 + 1, n2) - begin2], w0);
        stands_apart();
      } else {
        element(v1_0_1_3, v1_0_0_3, v1_0_2_3, read1, read2, read3, read4, w0);
      }
        store<double>(to7_3, w0);
      }
      v1_1_0_3 = read1;
      v1_2_0_3 = read2;
      v1_3_0_3 = read3;
      v1_4_0_3 = read4;
      }
    }
      if (reach0 >= 0) {
        plane0[0 + row0 + cell0] = now0_0;
      }
      if (reach1 >= 0) {
        plane0[0 + row0 + cell1] = now0_1;
      }
      if (reach2 >= 0) {
        plane0[0 + row0 + cell2] = now0_2;
      }
      if (reach3 >= 0) {
        plane0[0 + row0 + cell3] = now0_3;
      }
    made0_0_0 = now0_0;
    to7_0 += s7_0;
    made0_0_1 = now0_1;
    to7_1 += s7_0;
    made0_0_2 = now0_2;
    to7_2 += s7_0;
    made0_0_3 = now0_3;
    to7_3 += s7_0;
    __syncthreads();
  }
  }
}
}

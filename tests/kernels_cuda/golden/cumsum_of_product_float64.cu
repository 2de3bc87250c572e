namespace engine::cuda {
ENGINE_LANE double multiply_11(double x, double y) {
  return math::convert<double>(math::multiply(x, y));
}
ENGINE_LANE void element(const double v0, const double v1, double& r0) {
  const double v2 = multiply_11(v0, v1);
  r0 = v2;
}
struct Scan {
  using Value = double;
  ENGINE_LANE static Value combine(Value x, Value y) { return static_cast<Value>(math::add(x, y)); }
  ENGINE_LANE static Value identity() { return 0x0p+0; }
};
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, Scan::Value* out, long length, long inner, long rows, long tiles, long at_once, Scan::Value* totals) {
  const auto source = [&](long at) {
    [[maybe_unused]] unsigned i0 = static_cast<unsigned>(at);
    const double v0 = load<double>(p0 + static_cast<long>(i0) * 8);
    const double v1 = load<double>(p1 + static_cast<long>(i0) * 8);
    double value;
    element(v0, v1, value);
    return value;
  };
  const RowsOf of{length, inner};
  scan_tile<Scan>(ScanShape{of, rows, tiles, static_cast<unsigned>(at_once)}, source,
    [&](long row, long tile, Scan::Value value) { totals[row * tiles + tile] = value; },
    [&](long row, long tile) { return totals[row * tiles + tile]; },
    [&](long row, long i, Scan::Value value) {
    
    });
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
struct Scan {
  using Value = double;
  ENGINE_LANE static Value combine(Value x, Value y) { return static_cast<Value>(math::add(x, y)); }
  ENGINE_LANE static Value identity() { return 0x0p+0; }
};
extern "C" __global__ void __launch_bounds__(256) engine_kernel(char* p0, char* p1, char* p2, Scan::Value* out, long length, long inner, long rows, long tiles, long at_once, Scan::Value* totals) {
  const auto source = [&](long at) {
    [[maybe_unused]] unsigned i0 = static_cast<unsigned>(at);
    const double v0 = load<double>(p0 + static_cast<long>(i0) * 8);
    const double v1 = load<double>(p1 + static_cast<long>(i0) * 8);
    double value;
    element(v0, v1, value);
    return value;
  };
  const RowsOf of{length, inner};
  scan_tile<Scan>(ScanShape{of, rows, tiles, static_cast<unsigned>(at_once)}, source,
    [&](long row, long tile, Scan::Value value) {  },
    [&](long row, long tile) { return totals[row * tiles + tile]; },
    [&](long row, long i, Scan::Value value) {
    out[of.place(row, i)] = value;
    });
}
}

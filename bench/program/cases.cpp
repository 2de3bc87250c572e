// bench/program/cases.cpp - see cases.hpp.
#include "bench/program/cases.hpp"

#include <cctype>
#include <cmath>
#include <random>

namespace engine::bench {
namespace {

constexpr Case kCases[] = {
    {"copy", "a", "a", false},
    {"add", "a + b", "ab", false},
    {"linear", "2*a + 1", "a", false},
    {"seed", "4*a + 5*a*b + 6*b*c", "abc", false},
    {"select", "where(m, a, b)", "mab", false},
    {"polynomial", "((0.25*a + 0.75)*a - 1.5)*a - 2", "a", true},
    {"exp", "exp(a)", "a", true},
    {"log", "log(a)", "a", true},
    {"sin", "sin(a)", "a", true},
    {"tanh", "tanh(a)", "a", true},
    {"power", "a**b", "ab", true},
    {"gaussian", "exp(-a*a/2)/sqrt(2*pi)", "a", true},
    {"softplus", "log1p(exp(a))", "a", true},
    {"sum", "sum(a)", "a", false},
    {"max", "max(a)", "a", false},
    {"dot", "sum(a*b)", "ab", false},
    {"variance", "var(a)", "a", true},
    {"standardise", "(a - mean(a))/std(a)", "a", true},
    {"rows", "sum(A, axis=1)", "A", false},
    {"columns", "sum(A, axis=0)", "A", false},
    {"broadcast", "A + r*k", "Ark", false},
    {"transposed", "A + B.T", "AB", false},
    {"reversed", "A[:, ::-1] + B", "AB", false},
    {"strided", "a[::2] + b[::2]", "ab", false},
    {"stencil", "A[1:-1,1:-1] + 0.5*(A[:-2,1:-1] + A[2:,1:-1] + A[1:-1,:-2] + A[1:-1,2:])", "A", true},
};

}  // namespace

std::span<const Case> cases() { return kCases; }

std::vector<Input> inputs(const Case& each, std::int64_t n, DType dtype) {
  std::vector<Input> found;
  std::mt19937_64 generator(7);
  const auto side = std::max<std::int64_t>(3, static_cast<std::int64_t>(std::sqrt(static_cast<double>(n))));
  for (const char name : each.operands) {
    const bool is_mask = name == 'm';
    const Shape shape = std::isupper(static_cast<unsigned char>(name)) ? Shape{side, side}
                        : name == 'r'                                  ? Shape{side}
                        : name == 'k'                                  ? Shape{side, 1}
                                                                       : Shape{n};
    Array values(DType::Float64, shape);
    const bool is_whole = is_mask || dtype < DType::Float16;
    for (double& value : values.span<double>()) {
      const double unit = std::ldexp(static_cast<double>(generator() >> 11), -53);
      value = is_mask ? unit < 0.5 : is_whole ? std::floor(10 * unit) : 0.5 + unit;
    }
    Array array(is_mask ? DType::Bool : dtype, shape);
    Options options;
    options.casting = Casting::Unsafe;
    options.backend = BackendChoice::Interp;
    evaluate_into(array.view(), "x", {{"x", values}}, options);
    found.push_back({std::string(1, name), std::move(array)});
  }
  return found;
}

}  // namespace engine::bench

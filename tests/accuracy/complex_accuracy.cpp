// complex_accuracy - the largest error of every complex function against MPC, and whether both its forms give the same bits.
//
//   complex_accuracy [--points N] [--json FILE] [--seed N] [--threads N] [FUNCTION...]
//
// N points of complex128 and of complex64, drawn in strata: all exponents alike, the plane around 0, near |z| = 1, near
// 0, 1, -1, i and -i, near the axes (where the branch cuts are), near multiples of pi/2 along either axis, where exp overflows,
// and all pairs of the ends of the range, signed zeros among them. An error is |result - true| / (eps |true|), eps = 2^-52 or
// 2^-23, |true| at least the least normal number; the largest error of a part in its own ulp is told beside it.
// Ends with 1 where a function exceeds its bound, overflows where the truth does not, or two forms differ.
#include <mpc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/accuracy/command.hpp"
#include "tests/accuracy/complex_kernels.hpp"

namespace engine::accuracy {
namespace {

using Unary = int (*)(mpc_ptr, mpc_srcptr, mpc_rnd_t);
using Binary = int (*)(mpc_ptr, mpc_srcptr, mpc_srcptr, mpc_rnd_t);
constexpr mpfr_prec_t kDigits = 160;  // of the truth
constexpr mpfr_prec_t kExact = 2400;  // holds 1 + x for every double x, and more than the digits of their squares

/// A complex number that is freed.
struct Number {
  explicit Number(mpfr_prec_t digits) { mpc_init2(value, digits); }
  ~Number() { mpc_clear(value); }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  mpc_t value;
};
/// A real one.
struct Real {
  explicit Real(mpfr_prec_t digits) { mpfr_init2(value, digits); }
  ~Real() { mpfr_clear(value); }
  Real(const Real&) = delete;
  Real& operator=(const Real&) = delete;
  mpfr_t value;
};

/// z times, or (inverse) over, ln 2 to `digits`.
void by_ln2(mpc_ptr result, mpc_srcptr z, bool inverse, mpfr_prec_t digits) {
  Real ln2(digits);
  mpfr_const_log2(ln2.value, MPFR_RNDN);
  if (inverse)
    mpc_div_fr(result, z, ln2.value, MPC_RNDNN);
  else
    mpc_mul_fr(result, z, ln2.value, MPC_RNDNN);
}
int truth_exp2(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  Number product(kExact);
  by_ln2(product.value, z, false, kExact);
  return mpc_exp(result, product.value, MPC_RNDNN);
}
int truth_log2(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  Number logarithm(kDigits + 20);
  mpc_log(logarithm.value, z, MPC_RNDNN);
  by_ln2(result, logarithm.value, true, kDigits + 20);
  return 0;
}
/// Whether |z| < 2^-60: three terms of a series are then right to 180 bits.
bool is_tiny(mpc_srcptr z) {
  return (mpfr_zero_p(mpc_realref(z)) || mpfr_get_exp(mpc_realref(z)) < -60) &&
         (mpfr_zero_p(mpc_imagref(z)) || mpfr_get_exp(mpc_imagref(z)) < -60);
}
/// z + second z^2 / 2 + z^3 / third.
void series(mpc_ptr result, mpc_srcptr z, int second, unsigned long third) {
  Number square(kExact), cube(kExact), sum(kExact);
  mpc_sqr(square.value, z, MPC_RNDNN);
  mpc_mul(cube.value, square.value, z, MPC_RNDNN);
  mpc_mul_si(square.value, square.value, second, MPC_RNDNN);
  mpc_div_ui(square.value, square.value, 2, MPC_RNDNN);
  mpc_div_ui(cube.value, cube.value, third, MPC_RNDNN);
  mpc_add(sum.value, z, square.value, MPC_RNDNN);
  mpc_add(result, sum.value, cube.value, MPC_RNDNN);
}
int truth_expm1(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  if (is_tiny(z)) return series(result, z, 1, 6), 0;
  Number e(kDigits + 140);
  mpc_exp(e.value, z, MPC_RNDNN);
  mpc_sub_ui(result, e.value, 1, MPC_RNDNN);
  return 0;
}
int truth_log1p(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  if (is_tiny(z)) return series(result, z, -1, 3), 0;
  Number sum(kExact);
  mpc_add_ui(sum.value, z, 1, MPC_RNDNN);
  return mpc_log(result, sum.value, MPC_RNDNN);
}
int truth_absolute(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  mpc_abs(mpc_realref(result), z, MPFR_RNDN);
  mpfr_set_zero(mpc_imagref(result), 1);
  return 0;
}

/// sinh x cosh x and sin y cos y over sinh^2 x + cos^2 y: nothing cancels. MPC's own does not come back from extreme arguments.
int truth_tanh(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  constexpr mpfr_prec_t kEnough = kDigits + 20;
  Real s(kEnough), c(kEnough), sn(kEnough), cs(kEnough), below(kEnough);
  if (mpfr_cmpabs_ui(mpc_realref(z), 5000) > 0) {  // the other part is less than any double
    mpfr_set_si(mpc_realref(result), mpfr_signbit(mpc_realref(z)) ? -1 : 1, MPFR_RNDN);
    mpfr_set_zero(mpc_imagref(result), 1);
    return 0;
  }
  mpfr_sinh_cosh(s.value, c.value, mpc_realref(z), MPFR_RNDN);
  mpfr_sin_cos(sn.value, cs.value, mpc_imagref(z), MPFR_RNDN);
  mpfr_fmma(below.value, s.value, s.value, cs.value, cs.value, MPFR_RNDN);
  mpfr_mul(s.value, s.value, c.value, MPFR_RNDN);
  mpfr_mul(sn.value, sn.value, cs.value, MPFR_RNDN);
  mpfr_div(mpc_realref(result), s.value, below.value, MPFR_RNDN);
  mpfr_div(mpc_imagref(result), sn.value, below.value, MPFR_RNDN);
  return 0;
}
/// -i tanh(iz).
int truth_tan(mpc_ptr result, mpc_srcptr z, mpc_rnd_t) {
  Number turned(53);
  mpc_mul_i(turned.value, z, 1, MPC_RNDNN);
  truth_tanh(result, turned.value, MPC_RNDNN);
  return mpc_mul_i(result, result, -1, MPC_RNDNN);
}

struct Truth {
  std::string_view name;
  int arity;
  Unary unary;
  Binary binary;
  double bound;
  double largest_im = HUGE_VAL;  ///< of the arguments for which the bound holds
};
template <class Wanted, class T>
constexpr Wanted if_it_is(T f) {
  if constexpr (std::is_convertible_v<T, Wanted>)
    return f;
  else
    return nullptr;
}
const Truth kTruths[] = {
#define FUNCTION(name, arity, truth, ...) {#name, arity, if_it_is<Unary>(&truth), if_it_is<Binary>(&truth), __VA_ARGS__},
#include "tests/accuracy/complex_functions.inc"
#undef FUNCTION
};

template <class T>
struct Point {
  T re, im;
};

/// Ends of the range and turning points of the functions, in both parts.
const double kEnds[] = {0.0,
                        0x1.0p-1074,
                        0x1.0p-1022,
                        0x1.0p-149,
                        0x1.0p-126,
                        0x1.0p-540,
                        0x1.0p-70,
                        0x1.0p-53,
                        0x1.0p-24,
                        0.5,
                        1 - 0x1p-53,
                        1 - 0x1p-24,
                        1.0,
                        1 + 0x1p-52,
                        1 + 0x1p-23,
                        1.5707963267948966,
                        2.0,
                        22.0,
                        88.7,
                        103.9,
                        709.7,
                        745.1,
                        1400.0,
                        0x1.0p25,
                        0x1.0p60,
                        0x1.0p120,
                        0x1.fffffep127,
                        0x1.0p510,
                        0x1.0p700,
                        0x1.0p1022,
                        0x1.fffffffffffffp1023};

template <class T>
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  Point<T> next() {
    const Point<T> p = one();
    const T re = random_() & 1 ? p.re : -p.re, im = random_() & 1 ? p.im : -p.im;
    return random_() & 1 ? Point<T>{re, im} : Point<T>{im, re};
  }
  /// Exponents of powers: small whole and half numbers, and others of many sizes.
  Point<T> exponent() {
    const auto whole = [&] { return static_cast<T>(static_cast<int>(random_() % 41) - 20); };
    switch (random_() % 4) {
      case 0:
        return {whole(), T(0)};
      case 1:
        return {whole() / 2, whole() / 2};
      case 2:
        return {moderate(10), moderate(10)};
      default:
        return {moderate(1000) * power(8), moderate(1000) * power(8)};
    }
  }

 private:
  double uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  T moderate(double range) { return static_cast<T>(range * (2 * uniform() - 1)); }
  T power(int lowest) { return static_cast<T>(std::ldexp(1.0, -static_cast<int>(random_() % static_cast<unsigned>(lowest)))); }
  T bits() {
    T value;
    do {
      const std::uint64_t b = random_();
      std::memcpy(&value, &b, sizeof value);
    } while (!std::isfinite(value));
    return value;
  }
  T small() { return static_cast<T>(uniform()) * power(random_() & 1 ? 30 : sizeof(T) == 8 ? 1000 : 140); }
  T around(T x) {
    const int steps = static_cast<int>(random_() % 5) - 2;
    for (int i = 0; i < std::abs(steps); ++i) x = std::nextafter(x, steps > 0 ? T(HUGE_VAL) : T(-HUGE_VAL));
    return x;
  }
  Point<T> one() {
    switch (random_() % 10) {
      case 0:
        return {bits(), bits()};
      case 1:
        return {moderate(5), moderate(5)};
      case 2: {
        const double angle = 0.7853981633974483 * uniform() * (random_() & 1 ? 1.0 : static_cast<double>(power(30)));
        return {around(static_cast<T>(std::cos(angle))), around(static_cast<T>(std::sin(angle)))};
      }
      case 3: {
        const T sign = random_() & 1 ? T(1) : T(-1);
        return {T(1) + sign * small(), small()};
      }
      case 4:
        return {moderate(random_() & 1 ? 2 : 800), random_() & 1 ? T(0) : small()};
      case 5: {
        const T size =
            static_cast<T>(std::ldexp(1.0, static_cast<int>(random_() % (sizeof(T) == 8 ? 2000 : 240)) - (sizeof(T) == 8 ? 1000 : 120)));
        return {size * moderate(1), size * moderate(1)};
      }
      case 6: {
        const double multiple = std::round(std::ldexp(1 + uniform(), static_cast<int>(random_() % 40)));
        return {around(static_cast<T>(multiple * 1.5707963267948966)), random_() & 1 ? moderate(3) : small()};
      }
      case 7:
        return {moderate(sizeof(T) == 8 ? 1500 : 200), moderate(sizeof(T) == 8 ? 1500 : 200)};
      case 8:
        return {small(), small()};
      default:
        return {end(), end()};
    }
  }
  T end() {
    T value;
    do value = static_cast<T>(kEnds[random_() % std::size(kEnds)]);
    while (!std::isfinite(value));
    return value;
  }

  std::mt19937_64 random_;
};

struct Worst {
  double error = 0, part = 0;
  double x[2] = {}, y[2] = {}, result[2] = {};
  std::uint64_t points = 0, differing = 0;
  void take(const Worst& other) {
    const std::uint64_t all = points + other.points, apart = differing + other.differing;
    const double part_error = std::max(part, other.part);
    if (other.error > error) *this = other;
    points = all, differing = apart, part = part_error;
  }
};

class Reference {
 public:
  /// The truth of f(x, y), for the errors below.
  void compute(const Truth& truth, const double* x, const double* y) {
    mpc_set_d_d(x_.value, x[0], x[1], MPC_RNDNN);
    if (truth.arity == 1) {
      truth.unary(true_.value, x_.value, MPC_RNDNN);
    } else {
      mpc_set_d_d(y_.value, y[0], y[1], MPC_RNDNN);
      truth.binary(true_.value, x_.value, y_.value, MPC_RNDNN);
    }
  }
  /// Of the whole number in eps of its magnitude; infinite where a part is NaN, infinite or too large and the truth is not.
  template <class T>
  double error(const T* result) {
    mpfr_hypot(size_.value, mpc_realref(true_.value), mpc_imagref(true_.value), MPFR_RNDN);
    mpfr_mul_2si(slack_.value, size_.value, 3 - kBits<T>, MPFR_RNDN);
    if (!fits<T>(mpc_realref(true_.value), result[0]) || !fits<T>(mpc_imagref(true_.value), result[1])) return HUGE_VAL;
    if (!mpfr_number_p(size_.value)) return 0;
    distance(difference_[0].value, mpc_realref(true_.value), result[0]);
    distance(difference_[1].value, mpc_imagref(true_.value), result[1]);
    mpfr_hypot(difference_[0].value, difference_[0].value, difference_[1].value, MPFR_RNDN);
    if (mpfr_cmp_d(size_.value, kLeast<T>) < 0) mpfr_set_d(size_.value, kLeast<T>, MPFR_RNDN);
    mpfr_div(difference_[0].value, difference_[0].value, size_.value, MPFR_RNDN);
    return std::ldexp(mpfr_get_d(difference_[0].value, MPFR_RNDN), kBits<T> - 1);
  }
  /// Of the worse part, in its own ulp.
  template <class T>
  double part_error(const T* result) {
    double worst = 0;
    for (int i = 0; i < 2; ++i) {
      mpfr_srcptr part = i == 0 ? mpc_realref(true_.value) : mpc_imagref(true_.value);
      if (!mpfr_number_p(part)) continue;
      distance(difference_[0].value, part, result[i]);
      const long exponent = mpfr_zero_p(part) ? -2000 : static_cast<long>(mpfr_get_exp(part));
      mpfr_mul_2si(difference_[0].value, difference_[0].value, kBits<T> - std::max<long>(exponent, sizeof(T) == 8 ? -1021 : -125),
                   MPFR_RNDN);
      worst = std::max(worst, std::abs(mpfr_get_d(difference_[0].value, MPFR_RNDN)));
    }
    return worst;
  }

 private:
  template <class T>
  static constexpr int kBits = sizeof(T) == 8 ? 53 : 24;
  template <class T>
  static constexpr int kHighest = sizeof(T) == 8 ? 1024 : 128;
  template <class T>
  static constexpr double kLeast = sizeof(T) == 8 ? 0x1p-1022 : 0x1p-126;

  /// Whether result is of the truth's kind: NaN for NaN, infinite where it is or overflows, of the same sign. Where 4 eps of the
  /// magnitude overflow, any number is near enough.
  template <class T>
  bool fits(mpfr_srcptr part, T result) {
    if (mpfr_nan_p(part)) return result != result;
    if (result != result) return false;
    mpfr_set_ui_2exp(difference_[0].value, 1, kHighest<T>, MPFR_RNDN);
    if (mpfr_cmp(slack_.value, difference_[0].value) >= 0) return true;
    if (mpfr_zero_p(part) || !std::isinf(result)) return true;
    mpfr_sub(difference_[0].value, difference_[0].value, slack_.value, MPFR_RNDN);
    return mpfr_cmpabs(part, difference_[0].value) >= 0 && std::signbit(result) == (mpfr_sgn(part) < 0);
  }
  /// true - result; beyond the largest number infinity is right.
  template <class T>
  void distance(mpfr_ptr to, mpfr_srcptr part, T result) {
    if (std::isinf(result))
      mpfr_set_zero(to, 1);
    else
      mpfr_sub_d(to, part, static_cast<double>(result), MPFR_RNDN);
  }

  Number x_{53}, y_{53}, true_{kDigits};
  Real size_{kDigits}, slack_{kDigits}, difference_[2] = {Real(kDigits), Real(kDigits)};
};

template <class T>
auto pick(const ComplexKernel& kernel) {
  if constexpr (sizeof(T) == 8)
    return kernel.f64;
  else
    return kernel.f32;
}

/// Whether z is not 0 and |w log z| < 2^12: for these power states its error. Squares are products, which may overflow on the way.
template <class T>
bool is_moderate(const Point<T>& z, const Point<T>& w) {
  const double re = static_cast<double>(z.re), im = static_cast<double>(z.im);
  const double size = std::max(std::abs(re), std::abs(im)), limit = sizeof(T) == 8 ? 0x1p500 : 0x1p60;
  if (size == 0 || (w.re == 2 && w.im == 0 && !(size < limit && size > 1 / limit))) return false;
  const double logarithm = std::hypot(std::log(size) + 0.35, std::atan2(im, re));
  return logarithm * std::hypot(static_cast<double>(w.re), static_cast<double>(w.im)) < 4000;
}

template <class T>
Worst sampled(std::size_t index, const Truth& truth, std::uint64_t points, std::uint64_t seed) {
  constexpr std::size_t kBatch = 512;
  Worst worst;
  Reference reference;
  Draw<T> draw(seed);
  std::vector<T> x(2 * kBatch), y(2 * kBatch), result(2 * kBatch), other(2 * kBatch);
  for (std::uint64_t done = 0; done < points; done += kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      Point<T> a, b;
      do a = draw.next();
      while (std::abs(a.im) > (sizeof(T) == 8 ? truth.largest_im : std::sqrt(truth.largest_im) * 0x1p-3));
      b = draw.exponent();
      while (truth.arity == 2 && !is_moderate(a, b)) a = draw.next(), b = draw.exponent();
      x[2 * i] = a.re, x[2 * i + 1] = a.im, y[2 * i] = b.re, y[2 * i + 1] = b.im;
    }
    pick<T>(complex_kernels_scalar()[index])(result.data(), x.data(), y.data(), kBatch);
    pick<T>(complex_kernels_cuda()[index])(other.data(), x.data(), y.data(), kBatch);
    for (std::size_t i = 0; i < kBatch; ++i) {
      for (std::size_t k = 2 * i; k < 2 * i + 2; ++k)
        worst.differing += std::memcmp(&result[k], &other[k], sizeof(T)) != 0 && !(result[k] != result[k] && other[k] != other[k]);
      const double from[2] = {static_cast<double>(x[2 * i]), static_cast<double>(x[2 * i + 1])};
      const double to[2] = {static_cast<double>(y[2 * i]), static_cast<double>(y[2 * i + 1])};
      reference.compute(truth, from, to);
      const double error = reference.error(&result[2 * i]);
      if (error < HUGE_VAL) worst.part = std::max(worst.part, reference.part_error(&result[2 * i]));
      if (error <= worst.error) continue;
      worst.error = error;
      for (std::size_t k = 0; k < 2; ++k)
        worst.x[k] = from[k], worst.y[k] = to[k], worst.result[k] = static_cast<double>(result[2 * i + k]);
    }
    worst.points += kBatch;
  }
  return worst;
}

}  // namespace
}  // namespace engine::accuracy

int main(int argc, char** argv) {
  using namespace engine::accuracy;
  const Command command = parse(argc, argv, 4'000, false);
  mpfr_set_emin(-16500);
  mpfr_set_emax(16500);
  bool good = true;
  std::printf("%-10s %-10s %10s %10s %10s  worst argument\n", "function", "", "points", "max eps", "part ulp");
  for (std::size_t f = 0; f < std::size(kTruths); ++f) {
    const Truth& truth = kTruths[f];
    if (!command.wants(truth.name)) continue;
    for (const int size : {16, 8}) {
      const Worst worst = worst_of_threads<Worst>(command.threads, [&](std::uint64_t part, std::uint64_t parts) {
        return size == 16 ? sampled<double>(f, truth, command.points / parts, command.seed + part)
                          : sampled<float>(f, truth, command.points / parts, command.seed + part);
      });
      const bool holds = worst.error <= truth.bound && !worst.differing;
      good = good && holds;
      std::printf("%-10s %-10s %10llu %10.4f %10.4g  %a %a", std::string(truth.name).c_str(), size == 16 ? "complex128" : "complex64",
                  static_cast<unsigned long long>(worst.points), worst.error, worst.part, worst.x[0], worst.x[1]);
      if (truth.arity == 2) std::printf(", %a %a", worst.y[0], worst.y[1]);
      std::printf(" -> %a %a", worst.result[0], worst.result[1]);
      if (worst.differing) std::printf("  FORMS DIFFER at %llu", static_cast<unsigned long long>(worst.differing));
      std::printf("%s\n", holds ? "" : "  FAILS");
      std::fflush(stdout);
      record(command.json, truth.name, size == 16 ? "complex128" : "complex64", worst.error, worst.points);
    }
  }
  return good ? 0 : 1;
}

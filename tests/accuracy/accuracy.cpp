// accuracy - the largest error of every elementary function against MPFR, and whether all its forms give the same bits.
//
//   accuracy [--points N] [--exhaustive] [--json FILE] [--seed N] [--threads N] [FUNCTION...]
//
// float64: N points a function, drawn in strata: all exponents alike, the range of interest, near 0, near +-1, near multiples
// of pi/2, near integers, and the hardest cases known. What the C library's long double form places within 2^-5 ulp of a
// new maximum, or beyond, MPFR decides. float32: N points alike, or with --exhaustive every one of the 2^32 arguments of
// functions of one argument, against the float64 form, with MPFR where that is within 2^-20 ulp of a new maximum; one
// argument in 256 goes through all forms then. Errors are in ulp of the true value: |result - true| / 2^(e - 52), e its
// exponent, at least the subnormals'. Ends with 1 where a function exceeds its bound or two forms differ.
#include <mpfr.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/accuracy/command.hpp"
#include "tests/accuracy/kernels.hpp"

namespace engine::accuracy {
namespace {

using Unary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_rnd_t);
using Binary = int (*)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);

using Rough = long double (*)(long double, long double);

struct Truth {
  std::string_view name;
  int arity;
  Rough rough;  ///< by the C library: right to some 2^-60
  Unary unary;
  Binary binary;
  double low, high;
  double bound = 1.0;  ///< ulp
  /// An ulp below 2^least counts as 2^least where x < 0: the absolute error allowed beside zeros is bound * 2^least.
  int least64 = -1074, least32 = -149;
};

template <class T>
constexpr Unary unary_of(T f) {
  if constexpr (std::is_convertible_v<T, Unary>)
    return f;
  else
    return nullptr;
}
template <class T>
constexpr Binary binary_of(T f) {
  if constexpr (std::is_convertible_v<T, Binary>)
    return f;
  else
    return nullptr;
}

[[maybe_unused]] int lgamma_of_magnitude(mpfr_ptr result, mpfr_srcptr x, mpfr_rnd_t mode) {
  int sign;
  return mpfr_lgamma(result, &sign, x, mode);
}

/// a + log(1 + b^(c - a)) with a >= c, in so many bits that a may cancel the logarithm; by MPFR's functions of base b.
template <auto kExp, auto kLog1p>
int log_add(mpfr_ptr result, mpfr_srcptr x, mpfr_srcptr y, mpfr_rnd_t mode) {
  if (mpfr_nan_p(x) || mpfr_nan_p(y)) return mpfr_add(result, x, y, mode);
  const bool less = mpfr_less_p(x, y) != 0;
  const mpfr_srcptr a = less ? y : x, b = less ? x : y;
  if (mpfr_inf_p(a) || mpfr_inf_p(b)) return mpfr_set(result, a, mode);
  mpfr_t d;
  mpfr_init2(d, 400);
  mpfr_sub(d, b, a, mode);
  kExp(d, d, mode);
  kLog1p(d, d, mode);
  const int inexact = mpfr_add(result, a, d, mode);
  mpfr_clear(d);
  return inexact;
}
[[maybe_unused]] int log2_of_one_more(mpfr_ptr result, mpfr_srcptr x, mpfr_rnd_t mode) {
  mpfr_t ln2;
  mpfr_init2(ln2, 400);
  mpfr_const_log2(ln2, mode);
  mpfr_log1p(result, x, mode);
  const int inexact = mpfr_div(result, result, ln2, mode);
  mpfr_clear(ln2);
  return inexact;
}
[[maybe_unused]] constexpr Binary logaddexp_in_full = log_add<mpfr_exp, mpfr_log1p>;
[[maybe_unused]] constexpr Binary logaddexp2_in_full = log_add<mpfr_exp2, log2_of_one_more>;

namespace rough {
using std::exp, std::exp2, std::expm1, std::log, std::log2, std::log10, std::log1p, std::sin, std::cos, std::tan, std::asin, std::acos,
    std::atan, std::atan2, std::sinh, std::cosh, std::tanh, std::asinh, std::acosh, std::atanh, std::pow, std::cbrt, std::hypot, std::erf,
    std::erfc, std::fmod;
[[maybe_unused]] long double fast_tan(long double x) { return std::tan(x); }
[[maybe_unused]] long double gamma(long double x) { return std::tgamma(x); }
[[maybe_unused]] long double lgamma(long double x) {
  int sign;
  return ::lgammal_r(x, &sign);
}
[[maybe_unused]] long double logaddexp(long double x, long double y) {
  return std::max(x, y) + std::log1p(std::exp(std::min(x, y) - std::max(x, y)));
}
[[maybe_unused]] long double logaddexp2(long double x, long double y) {
  return std::max(x, y) + std::log1p(std::exp2(std::min(x, y) - std::max(x, y))) * 1.44269504088896340735992468100189214L;
}
}  // namespace rough

const Truth kTruths[] = {
#define ROUGH_1(name) [](long double x, long double) -> long double { return rough::name(x); }
#define ROUGH_2(name) [](long double x, long double y) -> long double { return rough::name(x, y); }
#define FUNCTION(name, arity, truth, low, high, ...) \
  {#name, arity, ROUGH_##arity(name), unary_of(truth), binary_of(truth), low, high __VA_OPT__(, ) __VA_ARGS__},
#include "tests/accuracy/functions.inc"
#undef FUNCTION
};

/// Arguments whose images lie hardest to round or whose reduction cancels most.
const double kHardest[] = {
    0x1.6ac5b262ca1ffp+849,  // nearest multiple of pi/2 of all doubles (Muller, Elementary Functions, 3rd ed., table 11.1)
    0x1.921fb54442d18p+0,
    0x1.921fb54442d18p+1,
    0x1.2d97c7f3321d2p+2,
    0x1.0p1023,
    0x1.fffffffffffffp1023,
    0x1.fffffffffffffp-1,
    0x1.0000000000001p0,
    0x1.62e42fefa39efp+9,
    -0x1.74910d52d3051p9,
    0x1.62e42fefa39efp-1,
    -0x1.6232bdd7abcd2p+9,
    0x1.0p-1022,
    0x1.0p-1074,
    0x1.fffffffffffffp-1023,
    0x1.0p-537,
    0x1.71547652b82fep+0,
    0x1.5bf0a8b145769p+1,
    0x1.b0ee6072093cep+1,
    0x1.6a09e667f3bcdp-1,
    0x1.6a09e667f3bccp-1,
    0x1.9p5,
    0x1.8p26,
    0x1.0p25,
    0x1.0p26,
    0x1.921fb54442d18p+25,
    -0x1.3a4f5ef8a2f6fp+1,
    0x1.762d86356be3fp+0,
    0x1.1eb851eb851ecp+1,
    0x1.28f5c28f5c28fp+0,
    0x1.4p-2,
    0.0,
    HUGE_VAL,
};

template <class T>
struct Bits {
  using type = std::uint64_t;
};
template <>
struct Bits<float> {
  using type = std::uint32_t;
};

template <class T>
T draw(std::mt19937_64& random, const Truth& truth, int stratum) {
  using U = typename Bits<T>::type;
  const auto uniform = [&] { return std::uniform_real_distribution<double>(0, 1)(random); };
  const auto small = [&] { return std::ldexp(uniform() - 0.5, -static_cast<int>(random() % 60)); };
  switch (stratum % 8) {
    case 0:
    case 1: {  // all exponents alike
      const U bits = static_cast<U>(random());
      T value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    }
    case 2:
    case 3:
      return static_cast<T>(truth.low + (truth.high - truth.low) * uniform());
    case 4:
      return static_cast<T>((random() & 1 ? 1.0 : -1.0) * (1 + small()));
    case 5: {
      const double multiple = std::ldexp(1 + uniform(), static_cast<int>(random() % 40)) * (random() & 1 ? 1 : -1);
      const T near = static_cast<T>(std::round(multiple) * 1.5707963267948966);
      U bits;
      std::memcpy(&bits, &near, sizeof bits);
      bits += static_cast<U>(random() % 5) - 2;
      T value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    }
    case 6:  // near small integers and halves
      return static_cast<T>(std::round(40 * (uniform() - 0.5)) / 2 + small());
    default:
      return static_cast<T>(std::ldexp(2 * uniform() - 1, static_cast<int>(random() % 80) - 60));
  }
}

struct Worst {
  double ulp = 0, x = 0, y = 0;
  double result = 0;
  std::uint64_t points = 0, wrong_kind = 0, differing = 0;
  double differing_x = 0, differing_y = 0;
  void take(const Worst& other) {
    points += other.points;
    if (other.wrong_kind && !wrong_kind && other.ulp != HUGE_VAL) {
      x = other.x;
      y = other.y;
    }
    wrong_kind += other.wrong_kind;
    if (other.differing && !differing) differing_x = other.differing_x, differing_y = other.differing_y;
    differing += other.differing;
    if (other.ulp > ulp) ulp = other.ulp, x = other.x, y = other.y, result = other.result;
  }
};

/// The true value in MPFR, with room for the last bits.
class Reference {
 public:
  Reference() {
    mpfr_init2(x_, 53);
    mpfr_init2(y_, 53);
    mpfr_init2(true_, 160);
    mpfr_init2(difference_, 160);
  }
  ~Reference() { mpfr_clears(x_, y_, true_, difference_, static_cast<mpfr_ptr>(nullptr)); }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  /// Error of `result` in ulp of type T; infinity where one is NaN or infinite and the other is not.
  template <class T>
  double error(const Truth& truth, T x, T y, T result) {
    mpfr_set_d(x_, static_cast<double>(x), MPFR_RNDN);
    if (truth.arity == 1) {
      truth.unary(true_, x_, MPFR_RNDN);
    } else {
      mpfr_set_d(y_, static_cast<double>(y), MPFR_RNDN);
      truth.binary(true_, x_, y_, MPFR_RNDN);
    }
    constexpr int kDigits = sizeof(T) == 8 ? 53 : 24, kLowest = sizeof(T) == 8 ? -1074 : -149, kHighest = sizeof(T) == 8 ? 1024 : 128;
    if (mpfr_nan_p(true_)) return result != result ? 0 : HUGE_VAL;
    if (result != result) return HUGE_VAL;
    if (mpfr_inf_p(true_)) return std::isinf(result) && std::signbit(result) == (mpfr_sgn(true_) < 0) ? 0 : HUGE_VAL;
    if (mpfr_zero_p(true_)) return result == 0 && std::signbit(result) == (mpfr_signbit(true_) != 0) ? 0 : HUGE_VAL;
    const int least = x < 0 ? std::max(kLowest, sizeof(T) == 8 ? truth.least64 : truth.least32) : kLowest;
    const int exponent = std::max<int>(static_cast<int>(mpfr_get_exp(true_)) - kDigits, least);
    if (std::isinf(result)) {  // right where the true value rounds beyond the largest; a whole ulp is allowed at the edge
      if (std::signbit(result) != (mpfr_sgn(true_) < 0)) return HUGE_VAL;
      mpfr_set_ui_2exp(difference_, 1, kHighest, MPFR_RNDN);
      if (mpfr_cmpabs(true_, difference_) >= 0) return 0;
      mpfr_sub(difference_, difference_, true_, MPFR_RNDN);
      mpfr_abs(true_, true_, MPFR_RNDN);
      mpfr_set_ui_2exp(difference_, 1, kHighest, MPFR_RNDN);
      mpfr_sub(difference_, difference_, true_, MPFR_RNDN);
    } else {
      mpfr_sub_d(difference_, true_, static_cast<double>(result), MPFR_RNDN);
      if (static_cast<int>(mpfr_get_exp(true_)) > kHighest) {  // finite where the truth overflows
        mpfr_set_ui_2exp(true_, 1, kHighest, MPFR_RNDN);
        mpfr_sub_d(difference_, true_, std::abs(static_cast<double>(result)), MPFR_RNDN);
        return std::abs(std::ldexp(mpfr_get_d(difference_, MPFR_RNDN), -(kHighest - kDigits)));
      }
    }
    mpfr_mul_2si(difference_, difference_, -exponent, MPFR_RNDN);
    return std::abs(mpfr_get_d(difference_, MPFR_RNDN));
  }

 private:
  mpfr_t x_, y_, true_, difference_;
};

/// The error of result in ulp as the rough truth has it; infinite where that says nothing.
template <class T>
double rough_error(const Truth& truth, T x, T y, T result) {
  const long double t = truth.rough(static_cast<long double>(x), static_cast<long double>(y));
  if (!std::isfinite(t) || t == 0 || !std::isfinite(result)) return HUGE_VAL;
  int exponent = 0;
  (void)std::frexp(t, &exponent);
  constexpr int kDigits = sizeof(T) == 8 ? 53 : 24, kLowest = sizeof(T) == 8 ? -1074 : -149;
  const int least = x < 0 ? std::max(kLowest, sizeof(T) == 8 ? truth.least64 : truth.least32) : kLowest;
  return static_cast<double>(std::abs(std::ldexp(static_cast<long double>(result) - t, -std::max(exponent - kDigits, least))));
}

template <class T>
auto pick(const Kernel& kernel) {
  if constexpr (sizeof(T) == 8)
    return kernel.f64;
  else
    return kernel.f32;
}

template <class T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

constexpr std::size_t kBatch = 4096;

/// All forms on a batch; the scalar form's results.
template <class T>
void compute(std::size_t index, const std::vector<T>& x, const std::vector<T>& y, std::vector<T>& result, Worst& worst) {
  std::vector<T> other(x.size());
  bool first = true;
  for (const Form& form : forms()) {
    std::vector<T>& to = first ? result : other;
    pick<T>(form.kernels[index])(to.data(), x.data(), y.data(), x.size());
    if (!first)
      for (std::size_t i = 0; i < x.size(); ++i)
        if (!same(result[i], other[i])) {
          if (!worst.differing) worst.differing_x = static_cast<double>(x[i]), worst.differing_y = static_cast<double>(y[i]);
          ++worst.differing;
        }
    first = false;
  }
}

template <class T>
Worst sampled(std::size_t index, const Truth& truth, std::uint64_t points, std::uint64_t seed) {
  Worst worst;
  Reference reference;
  std::mt19937_64 random(seed);
  std::vector<T> x(kBatch), y(kBatch), result(kBatch);
  const std::size_t n_hardest = std::size(kHardest);
  for (std::uint64_t done = 0; done < points; done += kBatch) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      x[i] = draw<T>(random, truth, static_cast<int>(random()));
      y[i] = draw<T>(random, truth, static_cast<int>(random()));
      const std::size_t pair = (done + i) / 4;
      if (pair < n_hardest * n_hardest) {  // every one with every other, and all four signs
        x[i] = static_cast<T>(kHardest[pair % n_hardest]) * (i & 1 ? T(1) : T(-1));
        y[i] = static_cast<T>(kHardest[pair / n_hardest]) * (i & 2 ? T(1) : T(-1));
      }
    }
    compute(index, x, y, result, worst);
    for (std::size_t i = 0; i < kBatch; ++i) {
      if (rough_error(truth, x[i], y[i], result[i]) < std::max(worst.ulp - 0x1p-5, 0x1p-10)) continue;
      const double error = reference.error(truth, x[i], y[i], result[i]);
      if (error == HUGE_VAL) {
        if (!worst.wrong_kind) {
          worst.x = static_cast<double>(x[i]), worst.y = static_cast<double>(y[i]), worst.result = static_cast<double>(result[i]);
        }
        ++worst.wrong_kind;
        worst.ulp = HUGE_VAL;
      } else if (error > worst.ulp) {
        worst.ulp = error, worst.x = static_cast<double>(x[i]), worst.y = static_cast<double>(y[i]);
        worst.result = static_cast<double>(result[i]);
      }
    }
    worst.points += kBatch;
  }
  return worst;
}

/// Every float, against the float64 form.
Worst exhaustive(std::size_t index, const Truth& truth, std::uint64_t part, std::uint64_t parts) {
  Worst worst;
  Reference reference;
  std::vector<float> x(kBatch), y(kBatch), result(kBatch);
  std::vector<double> wide(kBatch), true_value(kBatch);
  const std::uint64_t batches = (std::uint64_t{1} << 32) / kBatch;
  for (std::uint64_t batch = part; batch < batches; batch += parts) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      const auto bits = static_cast<std::uint32_t>(batch * kBatch + i);
      std::memcpy(&x[i], &bits, sizeof bits);
      wide[i] = static_cast<double>(x[i]);
    }
    if (batch / parts % 256 == 0)
      compute(index, x, y, result, worst);
    else
      forms().back().kernels[index].f32(result.data(), x.data(), y.data(), kBatch);
    forms().back().kernels[index].f64(true_value.data(), wide.data(), wide.data(), kBatch);
    for (std::size_t i = 0; i < kBatch; ++i) {
      const double t = true_value[i], r = static_cast<double>(result[i]);
      if (same(t, r) || (std::isinf(r) && same(static_cast<float>(t), result[i]))) continue;  // beyond the largest float
      std::uint64_t bits;
      std::memcpy(&bits, &t, sizeof bits);
      const int least = x[i] < 0 ? truth.least32 : -149;
      const std::int64_t ulp = std::max<std::int64_t>(static_cast<std::int64_t>(bits >> 52 & 0x7ff) - 23, 1023 + least);
      const std::uint64_t inverse_bits = static_cast<std::uint64_t>(2046 - ulp) << 52;
      double inverse;
      std::memcpy(&inverse, &inverse_bits, sizeof inverse);
      const double error = std::abs(r - t) * inverse;
      if (error > worst.ulp - 0x1p-20 || !(error < HUGE_VAL)) {
        const double exact = reference.error(truth, x[i], y[i], result[i]);
        if (exact == HUGE_VAL) {
          ++worst.wrong_kind;
          worst.x = static_cast<double>(x[i]), worst.result = r, worst.ulp = HUGE_VAL;
        } else if (exact > worst.ulp) {
          worst.ulp = exact, worst.x = static_cast<double>(x[i]), worst.result = r;
        }
      }
    }
    worst.points += kBatch;
  }
  return worst;
}

}  // namespace
}  // namespace engine::accuracy

int main(int argc, char** argv) {
  using namespace engine::accuracy;
  const Command command = parse(argc, argv, 20'000, true);
  mpfr_set_emin(-16500);
  bool good = true;
  std::printf("%-12s %-8s %12s %10s  worst argument\n", "function", "", "points", "max ulp");
  for (std::size_t f = 0; f < std::size(kTruths); ++f) {
    const Truth& truth = kTruths[f];
    if (!command.wants(truth.name)) continue;
    for (const int size : {8, 4}) {
      const bool all = command.exhaustive && size == 4 && truth.arity == 1;
      if (command.exhaustive && !all && !command.points_given) continue;
      const Worst worst = worst_of_threads<Worst>(command.threads, [&](std::uint64_t part, std::uint64_t parts) {
        if (all) return exhaustive(f, truth, part, parts);
        return size == 8 ? sampled<double>(f, truth, command.points / parts, command.seed + part)
                         : sampled<float>(f, truth, command.points / parts, command.seed + part);
      });
      const bool holds = worst.ulp <= truth.bound && !worst.differing && !worst.wrong_kind;
      good = good && holds;
      std::printf("%-12s %-8s %12llu %10.4f  %a", std::string(truth.name).c_str(), size == 8 ? "float64" : "float32",
                  static_cast<unsigned long long>(worst.points), worst.ulp, worst.x);
      if (truth.arity == 2) std::printf(", %a", worst.y);
      std::printf(" -> %a", worst.result);
      if (worst.wrong_kind) std::printf("  WRONG KIND at %llu", static_cast<unsigned long long>(worst.wrong_kind));
      if (worst.differing)
        std::printf("  FORMS DIFFER at %llu, first %a, %a", static_cast<unsigned long long>(worst.differing), worst.differing_x,
                    worst.differing_y);
      std::printf("%s\n", holds ? "" : "  FAILS");
      std::fflush(stdout);
      record(command.json, truth.name, size == 8 ? "float64" : "float32", worst.ulp, worst.points);
    }
  }
  return good ? 0 : 1;
}

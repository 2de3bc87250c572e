// exec/ops_float.cpp - f16, f32 and f64 arithmetic with IEEE rounding in all four modes. The nearest has fast loops of its own.
#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

using numeric::Half;

// Values pass through volatile variables where the mode counts, so that no compiler computes under another one.
struct Add {
  template <class T> static T run(T a, T b) { return a + b; }
};
struct Sub {
  template <class T> static T run(T a, T b) { return a - b; }
};
struct Mul {
  template <class T> static T run(T a, T b) { return a * b; }
};
struct Div {
  template <class T> static T run(T a, T b) { return a / b; }
};
struct Fma {
  template <class T> static T run(T a, T b, T c) { return std::fma(a, b, c); }
};
struct Sqrt {
  template <class T> static T run(T a) { return std::sqrt(a); }
};
struct Rcp {
  template <class T> static T run(T a) { return T{1} / a; }
};

template <class T>
T read(const Instruction& in, T value) {
  return in.ftz ? numeric::flush(value) : value;
}

template <class T>
T finished(const Instruction& in, T value) {
  if (in.ftz) value = numeric::flush(value);
  if (in.saturate) value = numeric::saturate(value);
  return numeric::canonical(value);
}

/// Round to nearest, no modifier.
template <class Op, int kOperands, class T>
void fast(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const T* c = lanes<T>(warp, in.reg[3]);
  T* to = lanes<T>(warp, in.reg[0]);
  if constexpr (kOperands == 1) ops::each_lane(warp.mask, to, [=](int i) { return numeric::canonical(Op::run(a[i])); });
  if constexpr (kOperands == 2) ops::each_lane(warp.mask, to, [=](int i) { return numeric::canonical(Op::run(a[i], b[i])); });
  if constexpr (kOperands == 3) ops::each_lane(warp.mask, to, [=](int i) { return numeric::canonical(Op::run(a[i], b[i], c[i])); });
}

/// Any rounding, ftz and sat.
template <class Op, int kOperands, class T>
[[gnu::noinline]] void general(Warp& warp, const Instruction& in) {
  const numeric::RoundingMode mode(in.rounding);
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    volatile T a = read(in, lanes<T>(warp, in.reg[1])[i]);
    volatile T value;
    if constexpr (kOperands == 1) {
      value = Op::run(T{a});
    } else {
      volatile T b = read(in, lanes<T>(warp, in.reg[2])[i]);
      if constexpr (kOperands == 2) {
        value = Op::run(T{a}, T{b});
      } else {
        volatile T c = read(in, lanes<T>(warp, in.reg[3])[i]);
        value = Op::run(T{a}, T{b}, T{c});
      }
    }
    lanes<T>(warp, in.reg[0])[i] = finished(in, T{value});
  }
}

Half flush_half(Half half) { return (half.bits & 0x7c00) == 0 ? Half{static_cast<std::uint16_t>(half.bits & 0x8000)} : half; }

/// f16, and each half of f16x2: one rounding of the double result, in which the sum or product is exact.
template <class Op, int kOperands, bool kPair>
void half(Warp& warp, const Instruction& in) {
  const auto one = [&](std::uint16_t a, std::uint16_t b, std::uint16_t c) -> std::uint16_t {
    const auto value = [&](std::uint16_t bits) { return numeric::to_double(in.ftz ? flush_half({bits}) : Half{bits}); };
    double result;
    if constexpr (kOperands == 2) result = Op::run(value(a), value(b));
    else result = Op::run(value(a), value(b), value(c));
    if (in.saturate) result = numeric::saturate(result);
    if (in.option && !(result > 0) && result == result) result = 0;  // .relu
    Half rounded = numeric::to_half(result, Rounding::Nearest);
    if (in.ftz) rounded = flush_half(rounded);
    return rounded.bits;
  };
  using T = std::conditional_t<kPair, std::uint32_t, std::uint16_t>;
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const T* c = lanes<T>(warp, in.reg[3]);
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [&](int i) {
    const T third = kOperands == 3 ? c[i] : T{0};
    T value = one(static_cast<std::uint16_t>(a[i]), static_cast<std::uint16_t>(b[i]), static_cast<std::uint16_t>(third));
    if constexpr (kPair) value |= static_cast<T>(one(static_cast<std::uint16_t>(a[i] >> 16), static_cast<std::uint16_t>(b[i] >> 16), static_cast<std::uint16_t>(third >> 16))) << 16;
    return value;
  });
}

template <class Op, int kOperands>
void arithmetic(Decoder& d, Type type) {
  d.finish(kOperands + 1);
  for (int i = 1; i <= kOperands; ++i) d.source(i, static_cast<std::size_t>(i), type);
  d.destination(0, 0, type);
  if (type == Type::F16 || type == Type::F16x2) {
    if constexpr (kOperands >= 2) {
      if (d.out.rounding != Rounding::Nearest) d.refuse("rounds to nearest alone");
      return d.emit(type == Type::F16 ? &half<Op, kOperands, false> : &half<Op, kOperands, true>);
    }
    d.refuse("is not executed for this type");
  }
  if (type == Type::F64 && (d.out.ftz || d.out.saturate)) d.refuse("knows no .ftz and no .sat for f64");
  const bool plain = d.out.rounding == Rounding::Nearest && !d.out.ftz && !d.out.saturate;
  d.emit(plain ? by_type<float, double>(d, type, []<class T> { return &fast<Op, kOperands, T>; })
               : by_type<float, double>(d, type, []<class T> { return &general<Op, kOperands, T>; }));
}

/// NaN gives way to the number, or wins with .NaN; -0 is less than +0; .xorsign.abs takes magnitudes and the product's sign.
template <bool kMax, class T>
T chosen(T a, T b, std::uint8_t option) {
  const bool negative = std::signbit(a) != std::signbit(b);
  if (option & 2) a = std::fabs(a), b = std::fabs(b);
  T value;
  if (a != a || b != b) {
    if ((option & 1) || (a != a && b != b)) return sizeof(T) == 8 ? a + b : std::numeric_limits<T>::quiet_NaN();
    value = a != a ? b : a;
  } else if (a == b) {
    value = std::signbit(a) == kMax ? b : a;
  } else {
    value = (a < b) == kMax ? b : a;
  }
  return option & 2 ? std::copysign(value, negative ? T{-1} : T{1}) : value;
}

template <bool kMax, class T>
void extremum(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [&](int i) { return numeric::canonical(chosen<kMax>(read(in, a[i]), read(in, b[i]), in.option)); });
}

template <bool kMax, bool kPair>
void half_extremum(Warp& warp, const Instruction& in) {
  using T = std::conditional_t<kPair, std::uint32_t, std::uint16_t>;
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const auto one = [&](std::uint16_t x, std::uint16_t y) {
    const auto value = [&](std::uint16_t bits) { return numeric::to_double(in.ftz ? flush_half({bits}) : Half{bits}); };
    return numeric::to_half(chosen<kMax>(value(x), value(y), in.option), Rounding::Nearest).bits;
  };
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [&](int i) {
    T value = one(static_cast<std::uint16_t>(a[i]), static_cast<std::uint16_t>(b[i]));
    if constexpr (kPair) value |= static_cast<T>(one(static_cast<std::uint16_t>(a[i] >> 16), static_cast<std::uint16_t>(b[i] >> 16))) << 16;
    return value;
  });
}

template <bool kMax>
void min_or_max(Decoder& d, Type type) {
  d.finish(3);
  d.source(1, 1, type);
  d.source(2, 2, type);
  d.destination(0, 0, type);
  if (type == Type::F16) return d.emit(&half_extremum<kMax, false>);
  if (type == Type::F16x2) return d.emit(&half_extremum<kMax, true>);
  d.emit(by_type<float, double>(d, type, []<class T> { return &extremum<kMax, T>; }));
}

/// abs and neg work on the sign bit; a single NaN becomes the one NaN.
template <bool kAbs>
void sign(Decoder& d, Type type) {
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, type);
  if (type == Type::F16 || type == Type::F16x2) {
    if (d.out.ftz) d.refuse("knows no .ftz for this type");
    if (type == Type::F16)
      return d.emit(&ops::unary<[](std::uint16_t a) { return kAbs ? a & 0x7fff : a ^ 0x8000; }, std::uint16_t>);
    return d.emit(&ops::unary<[](std::uint32_t a) { return kAbs ? a & 0x7fff7fff : a ^ 0x80008000; }, std::uint32_t>);
  }
  if (type == Type::F64) return d.emit(&ops::unary<[](double a) { return kAbs ? std::fabs(a) : -a; }, double>);
  if (d.out.ftz) return d.emit(&ops::unary<[](float a) { return numeric::flush(kAbs ? std::fabs(a) : -a); }, float>);
  d.emit(&ops::unary<[](float a) { return kAbs ? std::fabs(a) : -a; }, float>);
}

}  // namespace

void float_add(Decoder& d, Type type) { arithmetic<Add, 2>(d, type); }
void float_sub(Decoder& d, Type type) { arithmetic<Sub, 2>(d, type); }
void float_mul(Decoder& d, Type type) { arithmetic<Mul, 2>(d, type); }
void float_min(Decoder& d, Type type) { min_or_max<false>(d, type); }
void float_max(Decoder& d, Type type) { min_or_max<true>(d, type); }
void float_abs(Decoder& d, Type type) { sign<true>(d, type); }
void float_neg(Decoder& d, Type type) { sign<false>(d, type); }

void fma(Decoder& d) {
  d.rounding();
  d.ftz_and_saturate();
  d.out.option = d.take("relu");
  arithmetic<Fma, 3>(d, d.type());
}

namespace {

bool is_approximate(Decoder& d) { return d.take("approx") || d.take("full"); }

/// The approximate unit's own last bits are not known: these are correctly rounded instead.
template <class Op, int kOperands>
void rounded_or_approximate(Decoder& d) {
  is_approximate(d);
  d.rounding();
  d.out.ftz = d.take("ftz");
  arithmetic<Op, kOperands>(d, d.type());
}

/// rcp and rsqrt.approx.ftz.f64 read and write the upper words alone (PTX ISA, rcp.approx.ftz.f64).
template <bool kRoot>
void upper_word(Warp& warp, const Instruction& in) {
  const double* a = lanes<double>(warp, in.reg[1]);
  constexpr std::uint64_t kUpper = 0xffffffff00000000;
  ops::each_lane(warp.mask, lanes<double>(warp, in.reg[0]), [&](int i) {
    double value = numeric::bits_as<double>(numeric::bits_as<std::uint64_t>(a[i]) & kUpper);
    if (std::fabs(value) < std::numeric_limits<double>::min()) value = std::copysign(0.0, value);
    double result = kRoot ? 1 / std::sqrt(value) : 1 / value;
    if (std::fabs(result) < std::numeric_limits<double>::min()) result = std::copysign(0.0, result);
    if (result != result) return numeric::bits_as<double>(std::uint64_t{0x7fffffff00000000});
    return numeric::bits_as<double>(numeric::bits_as<std::uint64_t>(result) & kUpper);
  });
}

}  // namespace

void float_div(Decoder& d) { rounded_or_approximate<Div, 2>(d); }
void sqrt(Decoder& d) { rounded_or_approximate<Sqrt, 1>(d); }

void rcp(Decoder& d) {
  const bool approximate = is_approximate(d);
  d.rounding();
  d.out.ftz = d.take("ftz");
  const Type type = d.type();
  if (!approximate || type != Type::F64) return arithmetic<Rcp, 1>(d, type);
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, type);
  d.emit(&upper_word<false>);
}

namespace {

// Functions of the approximate unit, from double and rounded once: nearer to the truth than the hardware.
float approximate_rsqrt(float a) { return static_cast<float>(1 / std::sqrt(static_cast<double>(a))); }
float approximate_ex2(float a) { return static_cast<float>(std::exp2(static_cast<double>(a))); }
float approximate_lg2(float a) { return static_cast<float>(std::log2(static_cast<double>(a))); }
float approximate_sin(float a) { return static_cast<float>(std::sin(static_cast<double>(a))); }
float approximate_cos(float a) { return static_cast<float>(std::cos(static_cast<double>(a))); }
float approximate_tanh(float a) { return static_cast<float>(std::tanh(static_cast<double>(a))); }
double exact_rsqrt(double a) { return 1 / std::sqrt(a); }

template <float (*F)(float)>
void single(Warp& warp, const Instruction& in) {
  const float* a = lanes<float>(warp, in.reg[1]);
  ops::each_lane(warp.mask, lanes<float>(warp, in.reg[0]), [&](int i) { return finished(in, F(read(in, a[i]))); });
}

template <float (*F)(float), bool kPair>
void half_function(Warp& warp, const Instruction& in) {
  using T = std::conditional_t<kPair, std::uint32_t, std::uint16_t>;
  const T* a = lanes<T>(warp, in.reg[1]);
  const auto one = [](std::uint16_t x) { return numeric::to_half(F(static_cast<float>(numeric::to_double({x}))), Rounding::Nearest).bits; };
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [&](int i) {
    T value = one(static_cast<std::uint16_t>(a[i]));
    if constexpr (kPair) value |= static_cast<T>(one(static_cast<std::uint16_t>(a[i] >> 16))) << 16;
    return value;
  });
}

template <float (*F)(float)>
void approximate(Decoder& d, bool halves) {
  if (!d.take("approx")) d.refuse("is approximate: .approx is missing");
  d.out.ftz = d.take("ftz");
  const Type type = d.type();
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, type);
  if (halves && type == Type::F16) return d.emit(&half_function<F, false>);
  if (halves && type == Type::F16x2) return d.emit(&half_function<F, true>);
  d.emit(by_type<float>(d, type, []<class T> { return &single<F>; }));
}

}  // namespace

void rsqrt(Decoder& d) {
  if (!d.take("approx")) d.refuse("is approximate: .approx is missing");
  d.out.ftz = d.take("ftz");
  const Type type = d.type();
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, type);
  if (type == Type::F64) return d.emit(d.out.ftz ? &upper_word<true> : &ops::unary<exact_rsqrt, double>);
  d.emit(by_type<float>(d, type, []<class T> { return &single<approximate_rsqrt>; }));
}

void ex2(Decoder& d) { approximate<approximate_ex2>(d, true); }
void lg2(Decoder& d) { approximate<approximate_lg2>(d, false); }
void sin(Decoder& d) { approximate<approximate_sin>(d, false); }
void cos(Decoder& d) { approximate<approximate_cos>(d, false); }
void tanh(Decoder& d) { approximate<approximate_tanh>(d, true); }

namespace {

template <class T>
void test_property(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  std::uint32_t found = 0;
  for (int i = 0; i < 32; ++i) {
    const int kind = std::fpclassify(a[i]);
    const bool is[] = {kind != FP_NAN && kind != FP_INFINITE, kind == FP_INFINITE, kind != FP_NAN, kind == FP_NAN, kind == FP_NORMAL, kind == FP_SUBNORMAL};
    found |= static_cast<std::uint32_t>(is[in.option]) << i;
  }
  ops::set_predicate(warp, in.reg[0], found);
}

/// copysign d, a, b: the sign of a, the magnitude of b.
template <class T>
T copy_sign(T a, T b) {
  return std::copysign(b, a);
}

}  // namespace

void testp(Decoder& d) {
  d.out.option = static_cast<std::uint8_t>(d.choice({"finite", "infinite", "number", "notanumber", "normal", "subnormal"}));
  const Type type = d.type();
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, Type::Pred);
  d.emit(by_type<float, double>(d, type, []<class T> { return &test_property<T>; }));
}

void copysign(Decoder& d) {
  const Type type = d.type();
  d.finish(3);
  d.source(1, 1, type);
  d.source(2, 2, type);
  d.destination(0, 0, type);
  d.emit(by_type<float, double>(d, type, []<class T> { return &ops::binary<copy_sign<T>, T>; }));
}

}  // namespace standin::decode

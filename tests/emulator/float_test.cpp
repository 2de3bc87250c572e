// Floating-point instructions in every rounding and with every modifier, against C++ under the host's rounding mode.
#include <cfenv>
#include <cmath>
#include <limits>

#include "tests/emulator/instruction.hpp"

namespace standin_test {
namespace {

using Bits = std::uint64_t;
using Result = std::function<Bits(Bits, Bits, Bits)>;

template <class T>
T real(Bits bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
Bits bits_of(T value) {
  Bits found = 0;
  std::memcpy(&found, &value, sizeof value);
  return found;
}

/// Read by the definition of binary16, not by the stand-in's own conversion.
double half(Bits bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
  const double size = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? std::ldexp(1 + fraction / 1024.0, exponent - 15) : std::ldexp(fraction, -24);
  return bits & 0x8000 ? -size : size;
}

/// The nearest of all 63,488 finite values and infinity, ties to even: by search.
Bits to_half(double value) {
  if (std::isnan(value)) return 0x7fff;
  const Bits sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(value);
  Bits low = 0, high = 0x7c00;
  while (high - low > 1) {
    const Bits middle = (low + high) / 2;
    (half(middle) <= size ? low : high) = middle;
  }
  const double below = half(low), above = high == 0x7c00 ? 65536.0 : half(high), to_low = size - below, to_high = above - size;
  if (size >= 65536.0) return sign | 0x7c00;
  return sign | (to_low < to_high || (to_low == to_high && low % 2 == 0) ? low : high);
}

struct Mode {
  std::string name;
  int host;
};
const Mode kModes[] = {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};

template <class T, class F>
Result under(int mode, bool ftz, bool sat, F f) {
  return [=](Bits x, Bits y, Bits z) {
    const auto flush = [=](T value) { return ftz && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(T{0}, value) : value; };
    volatile T a = flush(real<T>(x)), b = flush(real<T>(y)), c = flush(real<T>(z));
    std::fesetround(mode);
    volatile T value = f(T{a}, T{b}, T{c});
    std::fesetround(FE_TONEAREST);
    value = flush(value);
    if (sat) value = std::isnan(value) ? T{0} : std::fmin(std::fmax(T{value}, T{0}), T{1});
    if (sat && value == 0) value = T{0};
    return bits_of<T>(value);
  };
}

template <class T, class F>
void all_modes(std::vector<Instruction>& found, const std::string& opcode, const std::string& type, int operands, bool sat, F f) {
  const std::vector<std::string> types(static_cast<std::size_t>(operands), type);
  for (const Mode& mode : kModes) {
    found.push_back({opcode + "." + mode.name + "." + type, type, types, under<T>(mode.host, false, false, f)});
    if (type != "f32") continue;
    found.push_back({opcode + "." + mode.name + ".ftz.f32", type, types, under<T>(mode.host, true, false, f)});
    if (sat) {
      found.push_back({opcode + "." + mode.name + ".sat.f32", type, types, under<T>(mode.host, false, true, f)});
      found.push_back({opcode + "." + mode.name + ".ftz.sat.f32", type, types, under<T>(mode.host, true, true, f)});
    }
  }
}

template <class T>
std::vector<Instruction> ieee(const std::string& type) {
  std::vector<Instruction> found;
  all_modes<T>(found, "add", type, 2, true, [](T a, T b, T) { return a + b; });
  all_modes<T>(found, "sub", type, 2, true, [](T a, T b, T) { return a - b; });
  all_modes<T>(found, "mul", type, 2, true, [](T a, T b, T) { return a * b; });
  all_modes<T>(found, "fma", type, 3, true, [](T a, T b, T c) { return std::fma(a, b, c); });
  all_modes<T>(found, "mad", type, 3, true, [](T a, T b, T c) { return std::fma(a, b, c); });
  all_modes<T>(found, "div", type, 2, false, [](T a, T b, T) { return a / b; });
  all_modes<T>(found, "sqrt", type, 1, false, [](T a, T, T) { return std::sqrt(a); });
  all_modes<T>(found, "rcp", type, 1, false, [](T a, T, T) { return T{1} / a; });
  found.push_back({"add." + type, type, {type, type}, under<T>(FE_TONEAREST, false, false, [](T a, T b, T) { return a + b; })});
  found.push_back({"neg." + type, type, {type}, [](Bits a, Bits, Bits) { return bits_of<T>(-real<T>(a)); }});
  found.push_back({"abs." + type, type, {type}, [](Bits a, Bits, Bits) { return bits_of<T>(std::fabs(real<T>(a))); }});
  found.push_back({"copysign." + type, type, {type, type}, [](Bits a, Bits b, Bits) { return bits_of<T>(std::copysign(real<T>(b), real<T>(a))); }});
  for (const bool is_max : {false, true}) {
    const auto extremum = [=](bool nan) {
      return [=](Bits x, Bits y, Bits) {
        const T a = real<T>(x), b = real<T>(y);
        if (std::isnan(a) || std::isnan(b)) return nan || (std::isnan(a) && std::isnan(b)) ? bits_of<T>(std::numeric_limits<T>::quiet_NaN()) : std::isnan(a) ? y : x;
        if (a == 0 && b == 0) return std::signbit(a) != is_max ? x : y;
        return (a < b) != is_max ? x : y;
      };
    };
    const std::string opcode = is_max ? "max" : "min";
    found.push_back({opcode + "." + type, type, {type, type}, extremum(false)});
    if (type == "f32") found.push_back({opcode + ".NaN.f32", type, {type, type}, extremum(true)});
    if (type == "f32")
      found.push_back({opcode + ".xorsign.abs.f32", type, {type, type}, [=](Bits x, Bits y, Bits z) {
                         const Bits size = extremum(false)(x & 0x7fffffff, y & 0x7fffffff, z);
                         return (size & 0x7fffffff) | ((x ^ y) & 0x80000000);
                       }});
  }
  const std::pair<const char*, bool (*)(T)> kProperties[] = {
      {"finite", [](T a) { return std::isfinite(a); }},  {"infinite", [](T a) { return std::isinf(a); }}, {"number", [](T a) { return !std::isnan(a); }},
      {"notanumber", [](T a) { return std::isnan(a); }}, {"normal", [](T a) { return std::isnormal(a); }}, {"subnormal", [](T a) { return std::fpclassify(a) == FP_SUBNORMAL; }}};
  for (const auto& [word, holds] : kProperties)
    found.push_back({std::string("testp.") + word + "." + type, "pred", {type}, [holds = holds](Bits a, Bits, Bits) { return Bits{holds(real<T>(a))}; }});
  return found;
}

std::vector<Instruction> halves() {
  std::vector<Instruction> found;
  const auto one = [&](const std::string& opcode, int operands, auto f, bool sat) {
    const auto result = [=](bool saturate) {
      return [=](Bits a, Bits b, Bits c) {
        double value = f(half(a), half(b), half(c));
        if (saturate) value = std::isnan(value) ? 0.0 : value > 0 ? std::min(value, 1.0) : 0.0;
        return to_half(value);
      };
    };
    const std::vector<std::string> types(static_cast<std::size_t>(operands), "f16"), pairs(static_cast<std::size_t>(operands), "f16x2");
    found.push_back({opcode + ".f16", "f16", types, result(false)});
    if (sat) found.push_back({opcode + ".sat.f16", "f16", types, result(true)});
    found.push_back({opcode + ".f16x2", "f16x2", pairs, [r = result(false)](Bits a, Bits b, Bits c) {
                       return r(a & 0xffff, b & 0xffff, c & 0xffff) | r(a >> 16, b >> 16, c >> 16) << 16;
                     }});
  };
  one("add", 2, [](double a, double b, double) { return a + b; }, true);
  one("add.rn", 2, [](double a, double b, double) { return a + b; }, true);
  one("sub", 2, [](double a, double b, double) { return a - b; }, true);
  one("mul", 2, [](double a, double b, double) { return a * b; }, true);
  one("fma.rn", 3, [](double a, double b, double c) { return std::fma(a, b, c); }, true);
  one("abs", 1, [](double a, double, double) { return std::fabs(a); }, false);
  one("neg", 1, [](double a, double, double) { return -a; }, false);
  one("min", 2, [](double a, double b, double) { return a == 0 && b == 0 ? (std::signbit(a) ? a : b) : std::fmin(a, b); }, false);
  one("max", 2, [](double a, double b, double) { return a == 0 && b == 0 ? (std::signbit(a) ? b : a) : std::fmax(a, b); }, false);
  one("max.NaN", 2, [](double a, double b, double) { return std::isnan(a) || std::isnan(b) ? NAN : a == 0 && b == 0 ? (std::signbit(a) ? b : a) : std::fmax(a, b); }, false);
  found.push_back({"fma.rn.relu.f16", "f16", {"f16", "f16", "f16"}, [](Bits a, Bits b, Bits c) {
                     const double value = std::fma(half(a), half(b), half(c));
                     return to_half(value <= 0 ? 0.0 : value);
                   }});
  return found;
}

/// Correctly rounded here; the hardware's own last bits are not known, so half a dozen units of tolerance mean nothing less.
std::vector<Instruction> approximate() {
  std::vector<Instruction> found;
  const auto one = [&](const std::string& text, int operands, auto f) {
    const bool ftz = text.find("ftz") != std::string::npos;
    found.push_back({text, "f32", std::vector<std::string>(static_cast<std::size_t>(operands), "f32"), [=](Bits x, Bits y, Bits) {
                       const auto flush = [=](float value) { return ftz && std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value; };
                       return bits_of<float>(flush(static_cast<float>(f(double{flush(real<float>(x))}, double{flush(real<float>(y))}))));
                     }, 1});
  };
  for (const std::string suffix : {".approx.f32", ".approx.ftz.f32"}) {
    one("rcp" + suffix, 1, [](double a, double) { return 1 / a; });
    one("sqrt" + suffix, 1, [](double a, double) { return std::sqrt(a); });
    one("rsqrt" + suffix, 1, [](double a, double) { return 1 / std::sqrt(a); });
    one("ex2" + suffix, 1, [](double a, double) { return std::exp2(a); });
    one("lg2" + suffix, 1, [](double a, double) { return std::log2(a); });
    one("sin" + suffix, 1, [](double a, double) { return std::sin(a); });
    one("cos" + suffix, 1, [](double a, double) { return std::cos(a); });
    one("div" + suffix, 2, [](double a, double b) { return a / b; });
  }
  one("div.full.f32", 2, [](double a, double b) { return a / b; });
  one("tanh.approx.f32", 1, [](double a, double) { return std::tanh(a); });
  const auto upper = [](auto f) {
    return [=](Bits a, Bits, Bits) {
      double value = real<double>(a & 0xffffffff00000000);
      if (std::fpclassify(value) == FP_SUBNORMAL) value = std::copysign(0.0, value);
      double result = f(value);
      if (std::fpclassify(result) == FP_SUBNORMAL) result = std::copysign(0.0, result);
      return bits_of<double>(result) & 0xffffffff00000000;
    };
  };
  found.push_back({"rcp.approx.ftz.f64", "f64", {"f64"}, upper([](double a) { return 1 / a; })});
  found.push_back({"rsqrt.approx.ftz.f64", "f64", {"f64"}, upper([](double a) { return 1 / std::sqrt(a); })});
  found.push_back({"rsqrt.approx.f64", "f64", {"f64"}, [](Bits a, Bits, Bits) { return bits_of<double>(1 / std::sqrt(real<double>(a))); }});
  for (const char* opcode : {"ex2.approx", "tanh.approx"})
    found.push_back({std::string(opcode) + ".f16", "f16", {"f16"}, [=](Bits a, Bits, Bits) { return to_half(static_cast<float>(*opcode == 'e' ? std::exp2(half(a)) : std::tanh(half(a)))); }});
  return found;
}

struct Comparison {
  const char* word;
  bool (*holds)(bool less, bool equal, bool greater);  // none of the three: unordered
};

const Comparison kOrdered[] = {{"eq", [](bool, bool e, bool) { return e; }}, {"ne", [](bool l, bool, bool g) { return l || g; }},
                               {"lt", [](bool l, bool, bool) { return l; }}, {"le", [](bool l, bool e, bool) { return l || e; }},
                               {"gt", [](bool, bool, bool g) { return g; }}, {"ge", [](bool, bool e, bool g) { return g || e; }}};
const Comparison kUnordered[] = {{"equ", [](bool l, bool, bool g) { return !l && !g; }}, {"neu", [](bool, bool e, bool) { return !e; }},
                                 {"ltu", [](bool, bool e, bool g) { return !e && !g; }}, {"leu", [](bool, bool, bool g) { return !g; }},
                                 {"gtu", [](bool l, bool e, bool) { return !l && !e; }}, {"geu", [](bool l, bool, bool) { return !l; }},
                                 {"num", [](bool l, bool e, bool g) { return l || e || g; }}, {"nan", [](bool l, bool e, bool g) { return !l && !e && !g; }}};
const Comparison kUnsigned[] = {{"lo", kOrdered[2].holds}, {"ls", kOrdered[3].holds}, {"hi", kOrdered[4].holds}, {"hs", kOrdered[5].holds}};

std::vector<Instruction> comparisons() {
  std::vector<Instruction> found;
  const auto add = [&](const Comparison& comparison, const std::string& type, auto read) {
    const auto holds = [=, h = comparison.holds](Bits a, Bits b) { return h(read(a) < read(b), read(a) == read(b), read(a) > read(b)); };
    found.push_back({std::string("setp.") + comparison.word + "." + type, "pred", {type, type}, [=](Bits a, Bits b, Bits) { return Bits{holds(a, b)}; }});
    if (type[0] == 'b') return;
    found.push_back({std::string("set.") + comparison.word + ".u32." + type, "u32", {type, type}, [=](Bits a, Bits b, Bits) { return holds(a, b) ? Bits{0xffffffff} : 0; }});
  };
  for (const Comparison& c : kOrdered) {
    add(c, "u16", [](Bits a) { return static_cast<std::uint16_t>(a); });
    add(c, "s16", [](Bits a) { return static_cast<std::int16_t>(a); });
    add(c, "u32", [](Bits a) { return static_cast<std::uint32_t>(a); });
    add(c, "s32", [](Bits a) { return static_cast<std::int32_t>(a); });
    add(c, "u64", [](Bits a) { return a; });
    add(c, "s64", [](Bits a) { return static_cast<std::int64_t>(a); });
  }
  for (const Comparison& c : {kOrdered[0], kOrdered[1]})
    for (const char* type : {"b16", "b32", "b64"}) add(c, type, [](Bits a) { return a; });
  for (const Comparison& c : kUnsigned)
    for (const char* type : {"u16", "u32", "u64"}) add(c, type, [](Bits a) { return a; });
  for (const auto& group : {std::vector<Comparison>(std::begin(kOrdered), std::end(kOrdered)), std::vector<Comparison>(std::begin(kUnordered), std::end(kUnordered))})
    for (const Comparison& c : group) {
      add(c, "f32", [](Bits a) { return real<float>(a); });
      add(c, "f64", [](Bits a) { return real<double>(a); });
      add(c, "f16", [](Bits a) { return half(a); });
    }
  const auto less = [](Bits a, Bits b) { return static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b); };
  found.push_back({"setp.lt.and.s32", "pred", {"s32", "s32", "pred"}, [=](Bits a, Bits b, Bits c) { return Bits{less(a, b) && c}; }});
  found.push_back({"setp.lt.or.s32", "pred", {"s32", "s32", "pred"}, [=](Bits a, Bits b, Bits c) { return Bits{less(a, b) || c}; }});
  found.push_back({"setp.lt.xor.s32", "pred", {"s32", "s32", "pred"}, [=](Bits a, Bits b, Bits c) { return Bits{less(a, b) != (c != 0)}; }});
  found.push_back({"setp.lt.and.s32", "pred", {"s32", "s32", "pred"}, [=](Bits a, Bits b, Bits c) { return Bits{less(a, b) && !c}; }, 0, "D, A, B, !C"});
  found.push_back({"setp.lt.s32", "pred", {"s32", "s32"}, [=](Bits a, Bits b, Bits) { return Bits{!less(a, b)}; }, 0, "%p9|D, A, B"});
  found.push_back({"setp.lt.or.s32", "pred", {"s32", "s32", "pred"}, [=](Bits a, Bits b, Bits c) { return Bits{!less(a, b) || c}; }, 0, "%p9|D, A, B, C"});
  found.push_back({"set.lt.f32.s32", "f32", {"s32", "s32"}, [=](Bits a, Bits b, Bits) { return bits_of<float>(less(a, b) ? 1.0f : 0.0f); }});
  found.push_back({"set.lt.f16.f16", "f16", {"f16", "f16"}, [=](Bits a, Bits b, Bits) { return half(a) < half(b) ? Bits{0x3c00} : 0; }});
  found.push_back({"setp.lt.ftz.f32", "pred", {"f32", "f32"}, [=](Bits a, Bits b, Bits) {
                     const auto flush = [](float value) { return std::fpclassify(value) == FP_SUBNORMAL ? 0.0f : value; };
                     return Bits{flush(real<float>(a)) < flush(real<float>(b))};
                   }});
  found.push_back({"setp.lt.f16x2", "pred", {"f16x2", "f16x2"}, [](Bits a, Bits b, Bits) { return Bits{half(a & 0xffff) < half(b & 0xffff)}; }, 0, "D|%p9, A, B"});
  found.push_back({"setp.lt.f16x2", "pred", {"f16x2", "f16x2"}, [](Bits a, Bits b, Bits) { return Bits{half(a >> 16) < half(b >> 16)}; }, 0, "%p9|D, A, B"});
  return found;
}

INSTANTIATE_TEST_SUITE_P(Single, InstructionTest, ::testing::ValuesIn(ieee<float>("f32")), name_of);
INSTANTIATE_TEST_SUITE_P(Double, InstructionTest, ::testing::ValuesIn(ieee<double>("f64")), name_of);
INSTANTIATE_TEST_SUITE_P(Half, InstructionTest, ::testing::ValuesIn(halves()), name_of);
INSTANTIATE_TEST_SUITE_P(Approximate, InstructionTest, ::testing::ValuesIn(approximate()), name_of);
INSTANTIATE_TEST_SUITE_P(Comparison, InstructionTest, ::testing::ValuesIn(comparisons()), name_of);

// Conversions.

/// The value of the bits as a long double, which holds each of them exactly.
long double exact(const std::string& type, Bits bits) {
  const int n = 8 * bytes_of(type);
  if (type == "f64") return real<double>(bits);
  if (type == "f32") return real<float>(bits);
  if (type == "f16") return half(bits);
  return type[0] == 's' ? static_cast<long double>(static_cast<std::int64_t>(bits << (64 - n)) >> (64 - n)) : static_cast<long double>(bits);
}

long double whole(long double value, int mode) {
  switch (mode) {
    case FE_TONEAREST: return std::nearbyint(value);
    case FE_TOWARDZERO: return std::trunc(value);
    case FE_DOWNWARD: return std::floor(value);
    default: return std::ceil(value);
  }
}

Bits to_integer(const std::string& from, const std::string& to, long double value) {
  const int n = 8 * bytes_of(to);
  if (std::isnan(value)) return from == "f64" || n == 64 ? Bits{1} << (n - 1) : 0;
  const long double low = to[0] == 's' ? -std::ldexp(1.0L, n - 1) : 0.0L, high = std::ldexp(1.0L, to[0] == 's' ? n - 1 : n) - 1;
  value = value < low ? low : value > high ? high : value;
  return value < 0 ? static_cast<Bits>(static_cast<std::int64_t>(value)) : static_cast<Bits>(value);
}

/// Rounds by the host: from a long double that holds the value, once.
template <class T>
Bits to_real(long double value, int mode) {
  volatile long double from = value;
  std::fesetround(mode);
  volatile T result = static_cast<T>(from);
  std::fesetround(FE_TONEAREST);
  return bits_of<T>(T{result});
}

std::vector<Instruction> conversions() {
  const std::vector<std::string> kIntegers = {"u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64"}, kReals = {"f16", "f32", "f64"};
  std::vector<Instruction> found;
  for (const std::string& to : kIntegers)
    for (const std::string& from : kIntegers) {
      const auto value = [=](Bits a) { return exact(from, a); };
      found.push_back({"cvt." + to + "." + from, to, {from}, [=](Bits a, Bits, Bits) { return value(a) < 0 ? static_cast<Bits>(static_cast<std::int64_t>(value(a))) : static_cast<Bits>(value(a)); }});
      if (bytes_of(to) < bytes_of(from) || to[0] != from[0])
        found.push_back({"cvt.sat." + to + "." + from, to, {from}, [=](Bits a, Bits, Bits) { return to_integer("", to, value(a)); }});
    }
  for (const Mode& mode : kModes) {
    for (const std::string& from : kReals) {
      for (const std::string& to : kIntegers)
        found.push_back({"cvt." + mode.name + "i." + to + "." + from, to, {from}, [=, m = mode.host](Bits a, Bits, Bits) { return to_integer(from, to, whole(exact(from, a), m)); }});
      found.push_back({"cvt." + mode.name + "i." + from + "." + from, from, {from}, [=, m = mode.host](Bits a, Bits, Bits) {
                         const long double value = whole(exact(from, a), m);
                         return from == "f64" ? bits_of<double>(static_cast<double>(value)) : from == "f32" ? bits_of<float>(static_cast<float>(value)) : to_half(static_cast<double>(value));
                       }});
    }
    for (const std::string& from : kIntegers) {
      found.push_back({"cvt." + mode.name + ".f32." + from, "f32", {from}, [=, m = mode.host](Bits a, Bits, Bits) { return to_real<float>(exact(from, a), m); }});
      found.push_back({"cvt." + mode.name + ".f64." + from, "f64", {from}, [=, m = mode.host](Bits a, Bits, Bits) { return to_real<double>(exact(from, a), m); }});
    }
    found.push_back({"cvt." + mode.name + ".f32.f64", "f32", {"f64"}, [m = mode.host](Bits a, Bits, Bits) { return to_real<float>(real<double>(a), m); }});
  }
  for (const std::string& from : kIntegers)
    found.push_back({"cvt.rn.f16." + from, "f16", {from}, [=](Bits a, Bits, Bits) { return to_half(static_cast<double>(std::fmax(std::fmin(exact(from, a), 1e6L), -1e6L))); }});
  found.push_back({"cvt.rn.f16.f32", "f16", {"f32"}, [](Bits a, Bits, Bits) { return to_half(real<float>(a)); }});
  found.push_back({"cvt.rn.f16.f64", "f16", {"f64"}, [](Bits a, Bits, Bits) { return to_half(real<double>(a)); }});
  found.push_back({"cvt.rz.f16.f32", "f16", {"f32"}, [](Bits a, Bits, Bits) {
                     const float value = real<float>(a);
                     Bits nearest = to_half(value);
                     if (std::isnan(value) || std::isinf(value)) return nearest;
                     while (std::fabs(half(nearest)) > std::fabs(double{value})) --nearest;
                     return nearest;
                   }});
  found.push_back({"cvt.f32.f16", "f32", {"f16"}, [](Bits a, Bits, Bits) { return bits_of<float>(static_cast<float>(half(a))); }});
  found.push_back({"cvt.f64.f16", "f64", {"f16"}, [](Bits a, Bits, Bits) { return bits_of<double>(half(a)); }});
  found.push_back({"cvt.f64.f32", "f64", {"f32"}, [](Bits a, Bits, Bits) { return bits_of<double>(real<float>(a)); }});
  const auto flush = [](float value) { return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value; };
  found.push_back({"cvt.ftz.f64.f32", "f64", {"f32"}, [=](Bits a, Bits, Bits) { return bits_of<double>(flush(real<float>(a))); }});
  found.push_back({"cvt.rn.ftz.f32.f64", "f32", {"f64"}, [=](Bits a, Bits, Bits) { return bits_of<float>(flush(static_cast<float>(real<double>(a)))); }});
  found.push_back({"cvt.rzi.ftz.s32.f32", "s32", {"f32"}, [=](Bits a, Bits, Bits) { return to_integer("f32", "s32", std::trunc(flush(real<float>(a)))); }});
  found.push_back({"cvt.sat.f32.f32", "f32", {"f32"}, [](Bits a, Bits, Bits) {
                     const float value = real<float>(a);
                     return bits_of<float>(value > 0 ? std::fmin(value, 1.0f) : 0.0f);
                   }});
  found.push_back({"cvt.rn.f16x2.f32", "f16x2", {"f32", "f32"}, [](Bits a, Bits b, Bits) { return to_half(real<float>(a)) << 16 | to_half(real<float>(b)); }});
  return found;
}

INSTANTIATE_TEST_SUITE_P(Conversion, InstructionTest, ::testing::ValuesIn(conversions()), name_of);

}  // namespace
}  // namespace standin_test

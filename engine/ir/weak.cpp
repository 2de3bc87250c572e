// ir/weak.cpp - see weak.hpp. Semantics: the Python Language Reference, section 6, and its numbers' implementation.
#include "engine/ir/weak.hpp"

#include <fmt/format.h>

#include <cmath>
#include <complex>

#include "engine/catalog/evaluate.hpp"

namespace engine::ir {
namespace {

using catalog::Op;

constexpr Int128 kLow = -(static_cast<Int128>(1) << 63);
constexpr Int128 kHigh = (static_cast<Int128>(1) << 64) - 1;

class Evaluator {
 public:
  Evaluator(Op op, std::span<const WeakValue> args, Span span, std::string_view text) : op_(op), args_(args), span_(span), text_(text) {}

  WeakValue run() {
    if (args_.size() == 3) return truth(args_[0]) ? args_[1] : args_[2];
    if (op_ == Op::LogicalNot) return boolean(!truth(args_[0]));
    if (op_ == Op::LogicalAnd) return boolean(truth(args_[0]) && truth(args_[1]));
    if (op_ == Op::LogicalOr) return boolean(truth(args_[0]) || truth(args_[1]));
    Weak kind = args_[0].kind;
    for (const WeakValue& arg : args_) kind = std::max(kind, arg.kind);
    if (kind == Weak::Complex) return complex();
    if (kind == Weak::Float) return real();
    return integer(kind == Weak::Bool);
  }

 private:
  [[noreturn]] void zero_division() const {
    throw RangeError({.what = "division by zero among literals",
                      .labels = {{span_, "the divisor is 0"}},
                      .help = "arrays divide by zero as IEEE 754 has it; literals do not",
                      .text = std::string(text_)});
  }
  [[noreturn]] void too_large() const {
    throw LimitError({.what = "an integer beyond 64 bits",
                      .labels = {{span_, "this literal expression leaves [-2**63, 2**64)"}},
                      .help = "make one of its numbers a float",
                      .text = std::string(text_)});
  }
  [[noreturn]] void overflow() const {
    throw RangeError(
        {.what = "a result among literals is too large for a float", .labels = {{span_, "here"}}, .help = {}, .text = std::string(text_)});
  }
  [[noreturn]] void unsupported(std::string_view type) const {
    const catalog::OpInfo& row = catalog::info(op_);
    throw DTypeError({.what = fmt::format("'{}' does not work on {}", row.spelling.symbol.empty() ? row.name() : row.spelling.symbol, type),
                      .labels = {{span_, "among literals"}},
                      .help = {},
                      .text = std::string(text_)});
  }

  static bool truth(const WeakValue& v) {
    return v.kind == Weak::Float ? v.re != 0 : v.kind == Weak::Complex ? v.re != 0 || v.im != 0 : v.integer != 0;
  }
  static WeakValue boolean(bool value) { return {.kind = Weak::Bool, .integer = value}; }
  WeakValue whole(Int128 value) const {
    if (value < kLow || value > kHigh) too_large();
    return {.kind = Weak::Int, .integer = value};
  }
  WeakValue floating(double value) const { return {.kind = Weak::Float, .re = value}; }

  /// x / y rounded once, to nearest even, as Python divides ints: converting both to double first would round three times.
  static double quotient(Int128 x, Int128 y) {
    __extension__ typedef unsigned __int128 Unsigned;
    if (x == 0) return y < 0 ? -0.0 : 0.0;
    const bool negative = (x < 0) != (y < 0);
    auto numerator = static_cast<Unsigned>(x < 0 ? -x : x);
    const auto denominator = static_cast<Unsigned>(y < 0 ? -y : y);
    int exponent = 0;
    for (; numerator >> 127 == 0; --exponent) numerator <<= 1;
    Unsigned bits = numerator / denominator;  // at least 2^63, as the denominator is at most 2^64
    Unsigned lost = numerator % denominator;
    for (; bits >> 64 != 0; ++exponent) {
      lost |= bits & 1;
      bits >>= 1;
    }
    // Whatever was lost only has to break ties: the lowest of the 64 bits is far below the last that a double keeps.
    const double magnitude = std::ldexp(static_cast<double>(static_cast<std::uint64_t>(bits | (lost != 0))), exponent);
    return negative ? -magnitude : magnitude;
  }

  WeakValue integer(bool all_bool) {
    const Int128 x = args_[0].integer, y = args_.size() > 1 ? args_[1].integer : 0;
    switch (op_) {
      case Op::Add:
        return whole(x + y);
      case Op::Subtract:
        return whole(x - y);
      case Op::Multiply: {
        Int128 product;
        if (__builtin_mul_overflow(x, y, &product)) too_large();
        return whole(product);
      }
      case Op::Divide:
        if (y == 0) zero_division();
        return floating(quotient(x, y));
      case Op::FloorDivide:
        if (y == 0) zero_division();
        return whole(x / y - (x % y != 0 && (x < 0) != (y < 0)));
      case Op::Remainder: {
        if (y == 0) zero_division();
        const Int128 rest = x % y;
        return whole(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
      }
      case Op::Power:
        return power(x, y);
      case Op::Negative:
        return whole(-x);
      case Op::Positive:
        return whole(x);
      case Op::Invert:
        return whole(-x - 1);
      case Op::BitwiseAnd:
        return all_bool ? boolean(x & y) : whole(x & y);
      case Op::BitwiseOr:
        return all_bool ? boolean(x | y) : whole(x | y);
      case Op::BitwiseXor:
        return all_bool ? boolean(x ^ y) : whole(x ^ y);
      case Op::LeftShift:
        if (y < 0) negative_shift();
        if (x == 0) return whole(0);
        if (y > 63) too_large();
        return whole(x * (static_cast<Int128>(1) << static_cast<int>(y)));
      case Op::RightShift:
        if (y < 0) negative_shift();
        return whole(y > 126 ? (x < 0 ? -1 : 0) : x >> static_cast<int>(y));
      case Op::Less:
        return boolean(x < y);
      case Op::LessEqual:
        return boolean(x <= y);
      case Op::Greater:
        return boolean(x > y);
      case Op::GreaterEqual:
        return boolean(x >= y);
      case Op::Equal:
        return boolean(x == y);
      case Op::NotEqual:
        return boolean(x != y);
      case Op::Real:
      case Op::Conjugate:
        return whole(x);
      case Op::Imag:
        return whole(0);
      default:
        unsupported("integers");
    }
  }
  [[noreturn]] void negative_shift() const {
    throw RangeError({.what = "negative shift count among literals", .labels = {{span_, "here"}}, .help = {}, .text = std::string(text_)});
  }

  WeakValue power(Int128 x, Int128 y) {
    if (y < 0) {
      if (x == 0) zero_division();
      return floating(std::pow(static_cast<double>(x), static_cast<double>(y)));
    }
    Int128 result = 1, base = x;
    if (x == 0 || x == 1) return whole(y == 0 ? 1 : x);
    if (x == -1) return whole(y & 1 ? -1 : 1);
    if (y > 64) too_large();  // at once, however tall the tower
    for (Int128 n = y; n > 0; n >>= 1) {
      if ((n & 1) && __builtin_mul_overflow(result, base, &result)) too_large();
      if (n > 1 && __builtin_mul_overflow(base, base, &base)) too_large();
    }
    return whole(result);
  }

  WeakValue real() {
    const double x = args_[0].real(), y = args_.size() > 1 ? args_[1].real() : 0;
    switch (op_) {
      case Op::Add:
        return floating(x + y);
      case Op::Subtract:
        return floating(x - y);
      case Op::Multiply:
        return floating(x * y);
      case Op::Divide:
        if (y == 0) zero_division();
        return floating(x / y);
      case Op::FloorDivide:
      case Op::Remainder: {
        if (y == 0) zero_division();
        double out;
        const void* in[3] = {&x, &y, nullptr};
        const std::span<const catalog::Loop> loops = catalog::loops(op_);
        int loop = 0;
        while (loops[static_cast<std::size_t>(loop)].in[0] != DType::Float64) ++loop;
        catalog::apply_scalar(op_, loop, in, &out);
        return floating(out);
      }
      case Op::Power: {
        if (x == 0 && y < 0) zero_division();
        if (x < 0 && std::isfinite(y) && y != std::floor(y)) {
          // In polar form, as Python does it; std::pow goes through log and differs in the last bits.
          const double length = std::pow(-x, y), phase = std::atan2(0.0, x) * y;
          if (std::isinf(length) && std::isfinite(x)) overflow();
          return {.kind = Weak::Complex, .re = length * std::cos(phase), .im = length * std::sin(phase)};
        }
        const double result = std::pow(x, y);
        if (std::isinf(result) && std::isfinite(x) && std::isfinite(y)) overflow();
        return floating(result);
      }
      case Op::Negative:
        return floating(-x);
      case Op::Positive:
        return floating(x);
      case Op::Less:
        return boolean(x < y);
      case Op::LessEqual:
        return boolean(x <= y);
      case Op::Greater:
        return boolean(x > y);
      case Op::GreaterEqual:
        return boolean(x >= y);
      case Op::Equal:
        return boolean(x == y);
      case Op::NotEqual:
        return boolean(x != y);
      case Op::Real:
      case Op::Conjugate:
        return floating(x);
      case Op::Imag:
        return floating(0);
      default:
        unsupported("floats");
    }
  }

  WeakValue complex() {
    const auto z = [](const WeakValue& v) { return std::complex<double>(v.real(), v.kind == Weak::Complex ? v.im : 0.0); };
    const std::complex<double> x = z(args_[0]), y = args_.size() > 1 ? z(args_[1]) : 0;
    const auto give = [](double re, double im) { return WeakValue{.kind = Weak::Complex, .re = re, .im = im}; };
    switch (op_) {
      case Op::Add:
        return give(x.real() + y.real(), x.imag() + y.imag());
      case Op::Subtract:
        return give(x.real() - y.real(), x.imag() - y.imag());
      case Op::Multiply:
        return give(x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real());
      case Op::Divide: {
        // Python's quotient divides by the denominator, where NumPy's multiplies by its reciprocal.
        if (y == 0.0) zero_division();
        if (std::abs(y.real()) >= std::abs(y.imag())) {
          const double ratio = y.imag() / y.real(), denominator = y.real() + y.imag() * ratio;
          return give((x.real() + x.imag() * ratio) / denominator, (x.imag() - x.real() * ratio) / denominator);
        }
        if (std::isnan(y.real()) || std::isnan(y.imag())) return give(std::nan(""), std::nan(""));
        const double ratio = y.real() / y.imag(), denominator = y.real() * ratio + y.imag();
        return give((x.real() * ratio + x.imag()) / denominator, (x.imag() * ratio - x.real()) / denominator);
      }
      case Op::Power: {
        if (x == 0.0 && (y.real() < 0 || y.imag() != 0)) zero_division();
        double in_x[2] = {x.real(), x.imag()}, in_y[2] = {y.real(), y.imag()}, out[2];
        const void* in[3] = {in_x, in_y, nullptr};
        const std::span<const catalog::Loop> loops = catalog::loops(op_);
        catalog::apply_scalar(op_, static_cast<int>(loops.size()) - 1, in, out);
        return give(out[0], out[1]);
      }
      case Op::Negative:
        return give(-x.real(), -x.imag());
      case Op::Positive:
        return give(x.real(), x.imag());
      case Op::Equal:
        return boolean(x == y);
      case Op::NotEqual:
        return boolean(x != y);
      case Op::Real:
        return floating(x.real());
      case Op::Imag:
        return floating(x.imag());
      case Op::Conjugate:
        return give(x.real(), -x.imag());
      default:
        unsupported("complex numbers");
    }
  }

  Op op_;
  std::span<const WeakValue> args_;
  Span span_;
  std::string_view text_;
};

}  // namespace

WeakValue weak_apply(Op op, std::span<const WeakValue> args, Span span, std::string_view text) {
  WeakValue value = Evaluator(op, args, span, text).run();
  for (const WeakValue& arg : args) value.is_given |= arg.is_given;
  return value;
}

DType weak_strong_dtype(const WeakValue& value) {
  switch (value.kind) {
    case Weak::Bool:
      return DType::Bool;
    case Weak::Int:
      return value.integer > ((static_cast<Int128>(1) << 63) - 1) ? DType::UInt64 : DType::Int64;
    case Weak::Float:
      return DType::Float64;
    default:
      return DType::Complex128;
  }
}

bool weak_convert(const WeakValue& value, DType dtype, Value& out) {
  if (value.kind == Weak::Bool || value.kind == Weak::Int) {
    if (is_integer(dtype)) {
      const int bits = 8 * info(dtype).size;
      const bool is_signed = kind(dtype) == Kind::Signed;
      const Int128 low = is_signed ? -(static_cast<Int128>(1) << (bits - 1)) : 0;
      const Int128 high = (static_cast<Int128>(1) << (is_signed ? bits - 1 : bits)) - 1;
      if (value.integer < low || value.integer > high) return false;
    }
    if (value.integer < 0) {
      const auto v = static_cast<std::int64_t>(value.integer);
      catalog::cast_scalar(DType::Int64, dtype, &v, out.bytes.data());
    } else {
      const auto v = static_cast<std::uint64_t>(value.integer);
      // An int becomes a Python float on its way into a float array.
      if (is_inexact(dtype)) {
        const auto f = static_cast<double>(v);
        catalog::cast_scalar(DType::Float64, dtype, &f, out.bytes.data());
      } else {
        catalog::cast_scalar(DType::UInt64, dtype, &v, out.bytes.data());
      }
    }
    return true;
  }
  const double z[2] = {value.re, value.kind == Weak::Complex ? value.im : 0.0};
  catalog::cast_scalar(value.kind == Weak::Complex ? DType::Complex128 : DType::Float64, dtype, z, out.bytes.data());
  return true;
}

}  // namespace engine::ir

// run/jit/select_complex.cpp - operations of complex numbers -> instructions over their parts, as catalog/complex.hpp has them.
#include "engine/run/jit/builder.hpp"

namespace engine::run::jit {
namespace {

using catalog::Op;

Register either_nan(Builder& b, int bytes, Pair x) { return b.compare_f(Predicate::Unordered, x.re, x.im, bytes); }

/// x before y by the real parts, or by the imaginary ones where those are equal.
Register is_before(Builder& b, int bytes, Pair x, Pair y, Predicate last, bool heeds_nan) {
  Register by_real = b.compare_f(Predicate::Less, x.re, y.re, bytes);
  if (heeds_nan) by_real = b.make(Code::MaskAndNot, 1, b.compare_f(Predicate::Unordered, x.im, y.im, bytes), by_real);
  return b.mask_or(by_real, b.mask_and(b.compare_f(Predicate::Equal, x.re, y.re, bytes), b.compare_f(last, x.im, y.im, bytes)));
}

Pair quotient(Builder& b, int bytes, Pair x, Pair y) {
  const auto op = [&](Code code, Register p, Register q) { return b.make(code, bytes, p, q); };
  const Register re = b.absolute(y.re, bytes), im = b.absolute(y.im, bytes), zero = b.constant(0, bytes);
  const Register by_real = b.compare_f(Predicate::LessEqual, im, re, bytes);
  const auto larger_first = [&](Pair z) { return b.select(bytes, by_real, z, {z.im, z.re}); };
  const Pair d = larger_first(y), n = larger_first(x);
  const Register ratio = op(Code::DivF, d.im, d.re);
  const Register scale = op(Code::DivF, b.number(1, bytes), op(Code::AddF, d.re, op(Code::MulF, d.im, ratio)));
  const Register sum = op(Code::AddF, n.re, op(Code::MulF, n.im, ratio)), crossed = op(Code::MulF, n.re, ratio);
  const Register difference = b.select(bytes, by_real, op(Code::SubF, n.im, crossed), op(Code::SubF, crossed, n.im));
  const Register by_zero = b.mask_and(b.compare_f(Predicate::Equal, re, zero, bytes), b.compare_f(Predicate::Equal, im, zero, bytes));
  return b.select(bytes, by_zero, {op(Code::DivF, x.re, re), op(Code::DivF, x.im, re)},
                  {op(Code::MulF, sum, scale), op(Code::MulF, difference, scale)});
}

Pair reciprocal(Builder& b, int bytes, Pair x) {
  const auto op = [&](Code code, Register p, Register q) { return b.make(code, bytes, p, q); };
  const Register by_real = b.compare_f(Predicate::LessEqual, b.absolute(x.im, bytes), b.absolute(x.re, bytes), bytes);
  const Pair d = b.select(bytes, by_real, x, {x.im, x.re});
  const Register ratio = op(Code::DivF, d.im, d.re), divisor = op(Code::AddF, d.re, op(Code::MulF, d.im, ratio));
  const Pair n = b.select(bytes, by_real, {b.number(1, bytes), b.negative(ratio, bytes)}, {ratio, b.number(-1, bytes)});
  return {op(Code::DivF, n.re, divisor), op(Code::DivF, n.im, divisor)};
}

Pair clip(Builder& b, int bytes, Pair x, Pair low, Pair high) {
  const Register above = is_before(b, bytes, low, x, Predicate::Less, false);
  const Pair raised = b.select(bytes, b.mask_or(either_nan(b, bytes, x), above), x, low);
  const Register below = is_before(b, bytes, raised, high, Predicate::Less, false);
  return b.select(bytes, b.mask_or(either_nan(b, bytes, raised), below), raised, high);
}

}  // namespace

Pair of_complex(Builder& b, Op op, int bytes, Pair x, Pair y, Pair z) {
  const auto both = [&](Code code) { return Pair{b.make(code, bytes, x.re, y.re), b.make(code, bytes, x.im, y.im)}; };
  const auto each = [&](auto part) { return Pair{part(x.re), part(x.im)}; };
  const auto truth = [&](Pair p) {
    const Register zero = b.constant(0, bytes);
    return b.mask_or(b.compare_f(Predicate::NotEqual, p.re, zero, bytes), b.compare_f(Predicate::NotEqual, p.im, zero, bytes));
  };
  const auto before = [&](Pair p, Pair q, Predicate last) { return is_before(b, bytes, p, q, last, true); };
  /// The first where it is NaN, or where the order wants it.
  const auto extreme = [&](Pair nan, Pair p, Pair q) {
    return b.select(bytes, b.mask_or(either_nan(b, bytes, nan), before(p, q, Predicate::LessEqual)), x, y);
  };
  switch (op) {
    case Op::Complex:
      return {x.re, y.re};
    case Op::Where:
      return b.select(bytes, x.re, y, z);
    case Op::Add:
      return both(Code::AddF);
    case Op::Subtract:
      return both(Code::SubF);
    case Op::Multiply:
    case Op::Square: {
      const auto product = [&](Register p, Register q) { return b.make(Code::MulF, bytes, p, q); };
      const Pair w = op == Op::Square ? x : y;
      return {b.make(Code::SubF, bytes, product(x.re, w.re), product(x.im, w.im)),
              b.make(Code::AddF, bytes, product(x.re, w.im), product(x.im, w.re))};
    }
    case Op::Divide:
      return quotient(b, bytes, x, y);
    case Op::Reciprocal:
      return reciprocal(b, bytes, x);
    case Op::Negative:
      return each([&](Register part) { return b.negative(part, bytes); });
    case Op::Conjugate:
      return {x.re, b.negative(x.im, bytes)};
    case Op::Real:
      return {x.re};
    case Op::Imag:
      return {x.im};
    case Op::Absolute:
      return {b.make(Code::CallTwo, bytes, x.re, x.im, kNone, static_cast<std::uint32_t>(Op::Hypot))};
    case Op::Rint:
    case Op::Round:
      return each([&](Register part) { return b.round(part, bytes, Rounding::Even); });
    case Op::NanToNum:
      return each([&](Register part) { return b.nan_to_num(part, bytes); });
    case Op::Equal:
      return {b.mask_and(b.compare_f(Predicate::Equal, x.re, y.re, bytes), b.compare_f(Predicate::Equal, x.im, y.im, bytes))};
    case Op::NotEqual:
      return {b.mask_or(b.compare_f(Predicate::NotEqual, x.re, y.re, bytes), b.compare_f(Predicate::NotEqual, x.im, y.im, bytes))};
    case Op::Less:
      return {before(x, y, Predicate::Less)};
    case Op::LessEqual:
      return {before(x, y, Predicate::LessEqual)};
    case Op::Greater:
      return {before(y, x, Predicate::Less)};
    case Op::GreaterEqual:
      return {before(y, x, Predicate::LessEqual)};
    case Op::Maximum:
      return extreme(x, y, x);
    case Op::Minimum:
      return extreme(x, x, y);
    case Op::Fmax:
      return extreme(y, y, x);
    case Op::Fmin:
      return extreme(y, x, y);
    case Op::Clip:
      return clip(b, bytes, x, y, z);
    case Op::Isnan:
      return {either_nan(b, bytes, x)};
    case Op::Isinf:
      return {b.mask_or(b.is_infinite(x.re, bytes), b.is_infinite(x.im, bytes))};
    case Op::Isfinite:
      return {b.mask_and(b.is_finite(x.re, bytes), b.is_finite(x.im, bytes))};
    case Op::LogicalAnd:
      return {b.mask_and(truth(x), truth(y))};
    case Op::LogicalOr:
      return {b.mask_or(truth(x), truth(y))};
    case Op::LogicalXor:
      return {b.make(Code::MaskXor, 1, truth(x), truth(y))};
    case Op::LogicalNot:
      return {b.mask_not(truth(x))};
    default:  // Positive
      return x;
  }
}

bool knows_complex(const Target& target, Op op, DType dtype) noexcept {
  switch (op) {
    case Op::Complex:
    case Op::Where:
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Square:
    case Op::Divide:
    case Op::Reciprocal:
    case Op::Negative:
    case Op::Positive:
    case Op::Conjugate:
    case Op::Real:
    case Op::Imag:
    case Op::Rint:
    case Op::Round:
    case Op::NanToNum:
    case Op::Equal:
    case Op::NotEqual:
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
    case Op::Maximum:
    case Op::Minimum:
    case Op::Fmax:
    case Op::Fmin:
    case Op::Clip:
    case Op::Isnan:
    case Op::Isinf:
    case Op::Isfinite:
    case Op::LogicalAnd:
    case Op::LogicalOr:
    case Op::LogicalXor:
    case Op::LogicalNot:
      return true;
    case Op::Absolute:
      return function_of(target, Op::Hypot, real_part(dtype)) != nullptr;
    default:
      return false;
  }
}

}  // namespace engine::run::jit

// run/jit/select_integers.cpp - operations of integers -> instructions.
#include "engine/run/jit/builder.hpp"

namespace engine::run::jit {
namespace {

using catalog::Op;

/// There is no product of bytes: the low half of one of two bytes.
Register product(Builder& b, int bytes, Register x, Register y) {
  if (bytes > 1) return b.make(Code::MulI, bytes, x, y);
  const auto wide = [&](Register r) { return b.resized(r, 1, 2, true); };
  const Register a = wide(x);
  return b.resized(b.make(Code::MulI, 2, a, x == y ? a : wide(y)), 2, 1, true);
}

Register extreme(Builder& b, bool larger, bool has_sign, int bytes, Register x, Register y) {
  if (bytes == 8 && !b.target.has_avx512) {
    const Register below = b.compare_i(Predicate::Less, has_sign, x, y, bytes);
    return larger ? b.select(bytes, below, y, x) : b.select(bytes, below, x, y);
  }
  return b.make(larger ? (has_sign ? Code::MaxS : Code::MaxU) : (has_sign ? Code::MinS : Code::MinU), bytes, x, y);
}

Register magnitude(Builder& b, bool has_sign, int bytes, Register x) {
  if (!has_sign) return x;
  if (bytes < 8 || b.target.has_avx512) return b.make(Code::AbsI, bytes, x);
  const Register zero = b.constant(0, bytes);
  return b.select(bytes, b.compare_i(Predicate::Less, true, x, zero, bytes), b.make(Code::SubI, bytes, zero, x), x);
}

/// Bytes whose lanes are shifted each by a count of its own.
int shifted_bytes(const Target& target, int bytes) { return std::max(bytes, target.has_avx512 ? 2 : 4); }

/// Filled up, narrow numbers lose nothing and gain nothing by counts beyond their width.
Register shift(Builder& b, Op op, bool has_sign, int bytes, Register x, Register y) {
  const int wide = shifted_bytes(b.target, bytes);
  const Register number = b.resized(x, bytes, wide, has_sign), count = b.resized(y, bytes, wide, false);
  if (op == Op::LeftShift) return b.resized(b.make(Code::ShiftLeft, wide, number, count), wide, bytes, false);
  if (!has_sign || wide < 8 || b.target.has_avx512)
    return b.resized(b.make(has_sign ? Code::ShiftRightS : Code::ShiftRightU, wide, number, count), wide, bytes, false);
  // Without one that keeps signs: of what is negative the complement.
  const Register zero = b.constant(0, 8);
  const Register signs = b.select(8, b.compare_i(Predicate::Less, true, x, zero, 8), b.constant(~std::uint64_t{0}, 8), zero);
  return b.make(Code::Xor, 8, b.make(Code::ShiftRightU, 8, b.make(Code::Xor, 8, x, signs), count), signs);
}

/// Quotients and rests by floats of twice the width, or of four bytes: see math::quotient. A rest is exact there, too.
Register divide(Builder& b, Op op, DType dtype, Register x, Register y) {
  const auto bytes = static_cast<int>(item_size(dtype));
  const int wide = bytes == 4 ? 8 : 4;
  const bool has_sign = is_signed(dtype);
  const Register xf = b.integer_to_float(x, bytes, wide, has_sign), yf = b.integer_to_float(y, bytes, wide, has_sign);
  const Register quotient = b.round(b.make(Code::DivF, wide, xf, yf), wide, has_sign && op != Op::Fmod ? Rounding::Floor : Rounding::Trunc);
  const Register result = op == Op::FloorDivide ? quotient : b.make(Code::SubF, wide, xf, b.make(Code::MulF, wide, quotient, yf));
  const Register zero = b.constant(0, bytes);
  return b.select(bytes, b.compare_i(Predicate::Equal, has_sign, y, zero, bytes), zero,
                  b.resized(b.whole_to_integer(result, wide), wide, bytes, true));
}

/// The same of 64 bits, which no float holds, on magnitudes. A quotient by floats leaves a rest from a little less than 0 to a little
/// more than the divisor (by less than 2^13), the quotient of that rest one that is off by at most one.
Register divide_wide(Builder& b, Op op, bool has_sign, Register x, Register y) {
  const auto of = [&](Code code, Register p, Register q) { return b.make(code, 8, p, q); };
  const auto is_less = [&](Register p, Register q) { return b.compare_i(Predicate::Less, false, p, q, 8); };
  const auto is_negative = [&](Register p) { return b.compare_i(Predicate::Less, true, p, b.constant(0, 8), 8); };
  const auto to_float = [&](Register p, bool is_signed) { return b.integer_to_float(p, 8, 8, is_signed); };
  const auto to_integer = [&](Register p) { return b.make(Code::FToSigned, 8, p, kNone, kNone, 8); };
  const Register zero = b.constant(0, 8), one = b.constant(1, 8);
  const Register n = magnitude(b, has_sign, 8, x), d = magnitude(b, has_sign, 8, y);
  const Register inverse = of(Code::DivF, b.number(1, 8), to_float(d, false));
  const auto rest_of = [&](Register quotient) { return of(Code::SubI, n, of(Code::MulI, quotient, d)); };
  Register quotient = to_integer(of(Code::MulF, to_float(n, false), inverse));
  const Register more = b.round(of(Code::MulF, to_float(rest_of(quotient), true), inverse), 8, Rounding::Floor);
  quotient = of(Code::AddI, quotient, to_integer(more));
  Register rest = rest_of(quotient);
  const Register is_below = is_less(b.constant(~std::uint64_t{0} << 14, 8), rest);
  const Register is_above = b.make(Code::MaskAndNot, 1, is_below, b.compare_i(Predicate::LessEqual, false, d, rest, 8));
  quotient = of(Code::SubI, b.select(8, is_above, of(Code::AddI, quotient, one), quotient), b.select(8, is_below, one, zero));
  if (!has_sign) {  // what no int64 holds comes only of 1, and what divisors are beyond it go once at most
    quotient = b.select(8, b.compare_i(Predicate::Equal, false, d, one, 8), n, quotient);
    quotient = b.select(8, is_negative(d), b.select(8, is_less(n, d), zero, one), quotient);
  }
  rest = rest_of(quotient);
  const auto or_zero = [&](Register result) { return b.select(8, b.compare_i(Predicate::Equal, false, d, zero, 8), zero, result); };
  if (!has_sign) return or_zero(op == Op::FloorDivide ? quotient : rest);
  const auto with_sign_of = [&](Register sign, Register p) { return b.select(8, is_negative(sign), of(Code::SubI, zero, p), p); };
  const Register signs = of(Code::Xor, x, y);
  const Register goes_down = b.mask_and(is_negative(signs), b.compare_i(Predicate::NotEqual, false, rest, zero, 8));
  if (op == Op::FloorDivide) return or_zero(with_sign_of(signs, of(Code::AddI, quotient, b.select(8, goes_down, one, zero))));
  const Register towards_zero = with_sign_of(x, rest);
  if (op == Op::Fmod) return or_zero(towards_zero);
  return or_zero(of(Code::AddI, towards_zero, b.select(8, goes_down, y, zero)));
}

/// Sums of neighbouring bits, pairs and nibbles, and of all bytes.
Register count_bits(Builder& b, DType dtype, Register x) {
  const auto bytes = static_cast<int>(item_size(dtype));
  const int wide = shifted_bytes(b.target, bytes);
  const auto masked = [&](Register r, std::uint64_t bits) { return b.make(Code::And, wide, r, b.constant(bits, wide)); };
  const auto down = [&](Register r, std::uint64_t count) { return b.make(Code::ShiftRightU, wide, r, b.constant(count, wide)); };
  const auto sum = [&](Register r, Register s) { return b.make(Code::AddI, wide, r, s); };
  Register n = b.resized(magnitude(b, is_signed(dtype), bytes, x), bytes, wide, false);
  n = b.make(Code::SubI, wide, n, masked(down(n, 1), 0x5555555555555555));
  n = sum(masked(n, 0x3333333333333333), masked(down(n, 2), 0x3333333333333333));
  n = masked(sum(n, down(n, 4)), 0x0f0f0f0f0f0f0f0f);
  for (std::uint64_t width = 8; width < static_cast<std::uint64_t>(8 * wide); width *= 2) n = sum(n, down(n, width));
  return b.resized(masked(n, 0x7f), wide, 1, false);
}

/// 1/0 is the smallest integer of four and of eight bytes, 0 of the others: see math::reciprocal.
Register reciprocal(Builder& b, bool has_sign, int bytes, Register x) {
  const Register zero = b.constant(0, bytes);
  const auto where = [&](std::uint64_t value, Register result, Register other) {
    return b.select(bytes, b.compare_i(Predicate::Equal, has_sign, x, b.constant(value, bytes), bytes), result, other);
  };
  Register result = where(1, b.constant(1, bytes), zero);
  if (has_sign) result = where(~std::uint64_t{0}, b.constant(~std::uint64_t{0}, bytes), result);
  return has_sign && bytes >= 4 ? where(0, b.sign_bit(bytes), result) : result;
}

}  // namespace

Register of_integers(Builder& b, Op op, DType dtype, Register x, Register y, Register z) {
  const auto bytes = static_cast<int>(item_size(dtype));
  const bool has_sign = is_signed(dtype);
  const auto zero = [&] { return b.constant(0, bytes); };
  const auto larger = [&](Register p, Register q) { return extreme(b, true, has_sign, bytes, p, q); };
  const auto smaller = [&](Register p, Register q) { return extreme(b, false, has_sign, bytes, p, q); };
  switch (op) {
    case Op::Add:
      return b.make(Code::AddI, bytes, x, y);
    case Op::Subtract:
      return b.make(Code::SubI, bytes, x, y);
    case Op::Multiply:
      return product(b, bytes, x, y);
    case Op::Square:
      return product(b, bytes, x, x);
    case Op::FloorDivide:
    case Op::Remainder:
    case Op::Fmod:
      return bytes == 8 ? divide_wide(b, op, has_sign, x, y) : divide(b, op, dtype, x, y);
    case Op::Reciprocal:
      return reciprocal(b, has_sign, bytes, x);
    case Op::Negative:
      return b.make(Code::SubI, bytes, zero(), x);
    case Op::Absolute:
      return magnitude(b, has_sign, bytes, x);
    case Op::Sign: {
      const Register positive = b.select(bytes, b.compare_i(Predicate::Less, has_sign, zero(), x, bytes), b.constant(1, bytes), zero());
      if (!has_sign) return positive;
      return b.select(bytes, b.compare_i(Predicate::Less, true, x, zero(), bytes), b.constant(~std::uint64_t{0}, bytes), positive);
    }
    case Op::Maximum:
    case Op::Fmax:
      return larger(x, y);
    case Op::Minimum:
    case Op::Fmin:
      return smaller(x, y);
    case Op::Clip:
      return smaller(larger(x, y), z);
    case Op::BitwiseAnd:
      return b.make(Code::And, bytes, x, y);
    case Op::BitwiseOr:
      return b.make(Code::Or, bytes, x, y);
    case Op::BitwiseXor:
      return b.make(Code::Xor, bytes, x, y);
    case Op::BitwiseCount:
      return count_bits(b, dtype, x);
    case Op::Invert:
      return b.make(Code::Xor, bytes, x, b.constant(~std::uint64_t{0}, bytes));
    case Op::LeftShift:
    case Op::RightShift:
      return shift(b, op, has_sign, bytes, x, y);
    case Op::Imag:
      return zero();
    case Op::Isnan:
    case Op::Isinf:
      return b.compare_i(Predicate::NotEqual, has_sign, x, x, bytes);
    case Op::Isfinite:
      return b.compare_i(Predicate::Equal, has_sign, x, x, bytes);
    default:  // Floor, Ceil, Trunc, Round, NanToNum
      return x;
  }
}

bool knows_integers(const Target& target, Op op, DType dtype) noexcept {
  switch (op) {
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Square:
    case Op::Reciprocal:
    case Op::Negative:
    case Op::Absolute:
    case Op::Sign:
    case Op::Maximum:
    case Op::Fmax:
    case Op::Minimum:
    case Op::Fmin:
    case Op::Clip:
    case Op::BitwiseAnd:
    case Op::BitwiseOr:
    case Op::BitwiseXor:
    case Op::BitwiseCount:
    case Op::Invert:
    case Op::LeftShift:
    case Op::RightShift:
    case Op::Imag:
    case Op::Isnan:
    case Op::Isinf:
    case Op::Isfinite:
    case Op::Floor:
    case Op::Ceil:
    case Op::Trunc:
    case Op::Round:
    case Op::NanToNum:
      return true;
    case Op::FloorDivide:
    case Op::Remainder:
    case Op::Fmod:
      return item_size(dtype) < 8 || target.has_avx512;
    default:
      return false;
  }
}

Register compare_mixed(Builder& b, Op op, bool x_is_signed, Register x, Register y) {
  if (op == Op::Greater || op == Op::GreaterEqual)
    return compare_mixed(b, op == Op::Greater ? Op::Less : Op::LessEqual, !x_is_signed, y, x);
  if (op == Op::NotEqual) return b.mask_not(compare_mixed(b, Op::Equal, x_is_signed, x, y));
  const Register negative = b.compare_i(Predicate::Less, true, x_is_signed ? x : y, b.constant(0, 8), 8);
  const Predicate predicate = op == Op::Less ? Predicate::Less : op == Op::LessEqual ? Predicate::LessEqual : Predicate::Equal;
  const Register as_unsigned = b.compare_i(predicate, false, x, y, 8);
  return x_is_signed && op != Op::Equal ? b.mask_or(negative, as_unsigned) : b.make(Code::MaskAndNot, 1, negative, as_unsigned);
}

}  // namespace engine::run::jit

// run/jit/select_casts.cpp - casts -> instructions, as math::convert has them.
#include "engine/run/jit/builder.hpp"

namespace engine::run::jit {
namespace {

/// int64 of a float; what is beyond it and NaN: the smallest.
Register to_int64(Builder& b, Register x, int width) {
  if (b.target.has_avx512) return b.make(Code::FToSigned, 8, x, kNone, kNone, static_cast<std::uint32_t>(width));
  // By the float64's own bits: its digits moved by its exponent. One of the two shifts has a count that leaves nothing.
  const auto op = [&](Code code, Register p, Register q) { return b.make(code, 8, p, q); };
  const Register bits = width == 8 ? x : b.make(Code::FToF, 8, x, kNone, kNone, 4);
  const Register zero = b.constant(0, 8), bias = b.constant(1075, 8);
  const Register exponent = op(Code::And, op(Code::ShiftRightU, bits, b.constant(52, 8)), b.constant(0x7ff, 8));
  const Register digits = op(Code::Or, op(Code::And, bits, b.constant(0x000fffffffffffff, 8)), b.constant(0x0010000000000000, 8));
  const Register size = op(Code::Or, op(Code::ShiftLeft, digits, op(Code::SubI, exponent, bias)),
                           op(Code::ShiftRightU, digits, op(Code::SubI, bias, exponent)));
  const Register value = b.select(8, b.compare_i(Predicate::Less, true, bits, zero, 8), op(Code::SubI, zero, size), size);
  const Register fits = b.compare_f(Predicate::Less, b.absolute(bits, 8), b.number(0x1p63, 8), 8);
  return b.select(8, fits, value, b.sign_bit(8));
}

/// From 2^63 on: less 2^63, and the sign bit.
Register to_uint64(Builder& b, Register x, int width) {
  const Register half = b.number(0x1p63, width);
  const Register upper =
      b.mask_and(b.compare_f(Predicate::LessEqual, half, x, width), b.compare_f(Predicate::Less, x, b.number(0x1p64, width), width));
  const Register low = to_int64(b, b.select(width, upper, b.make(Code::SubF, width, x, half), x), width);
  return b.make(Code::Xor, 8, low, b.select(8, upper, b.sign_bit(8), b.constant(0, 8)));
}

/// In one rounding: by a float32 that takes no more than the digits that fit, and notes in its last one that more were there.
Register double_to_half(Builder& b, Register x) {
  const auto op = [&](Code code, Register p, Register q) { return b.make(code, 8, p, q); };
  const std::uint64_t lost = (std::uint64_t{1} << 29) - 1;
  const Register zero = b.constant(0, 8), rest = op(Code::And, x, b.constant(lost, 8));
  const Register note = b.select(8, b.compare_i(Predicate::Equal, true, rest, zero, 8), zero, b.constant(lost + 1, 8));
  const Register odd = op(Code::Or, op(Code::And, x, b.constant(~lost, 8)), note);
  return b.make(Code::FToHalf, 2, b.make(Code::FToF, 4, odd, kNone, kNone, 8), kNone, kNone, 4);
}

}  // namespace

Register Builder::integer_to_float(Register x, int from, int to, bool has_sign) {
  if (from < 4) return integer_to_float(resized(x, from, 4, has_sign), 4, to, true);
  const auto direct = [&](Code code) { return make(code, to, x, kNone, kNone, static_cast<std::uint32_t>(from)); };
  if (target.has_avx512) return direct(has_sign ? Code::SignedToF : Code::UnsignedToF);
  if (from == 4 && has_sign) return direct(Code::SignedToF);
  if (from == 4) {  // 2^52 + x, exactly, by its bits; to float32 in one rounding from there
    const Register wide = make(Code::Or, 8, resized(x, 4, 8, false), number(0x1p52, 8));
    const Register exact = make(Code::SubF, 8, wide, number(0x1p52, 8));
    return to == 8 ? exact : make(Code::FToF, 4, exact, kNone, kNone, 8);
  }
  if (to == 4) {
    // By a float64 that holds all digits: where they are more than that, the lowest twelve, far below float32's last one, become
    // one that says whether there were any.
    const Register low = make(Code::And, 8, x, constant(0xfff, 8)), zero = constant(0, 8);
    const Register note = select(8, compare_i(Predicate::Equal, true, low, zero, 8), zero, constant(0x800, 8));
    const Register noted = make(Code::Or, 8, make(Code::SubI, 8, x, low), note);
    const Register limit = constant(std::uint64_t{1} << 53, 8);
    Register fits = compare_i(Predicate::Less, has_sign, x, limit, 8);
    if (has_sign) fits = mask_and(fits, compare_i(Predicate::Less, true, make(Code::SubI, 8, zero, limit), x, 8));
    return make(Code::FToF, 4, integer_to_float(select(8, fits, x, noted), 8, 8, has_sign), kNone, kNone, 8);
  }
  // Both halves as the low bits of large numbers: the upper one less what was added is exact, so the sum rounds once.
  const Register upper_bits = make(Code::ShiftRightU, 8, x, constant(32, 8));
  const Register biased = has_sign ? make(Code::Xor, 8, upper_bits, constant(0x80000000u, 8)) : upper_bits;
  const Register upper = make(Code::Or, 8, biased, number(0x1p84, 8));
  const Register lower = make(Code::Or, 8, make(Code::And, 8, x, constant(0xffffffffu, 8)), number(0x1p52, 8));
  const Register rest = make(Code::SubF, 8, upper, number(has_sign ? 0x1p84 + 0x1p63 + 0x1p52 : 0x1p84 + 0x1p52, 8));
  return make(Code::AddF, 8, rest, lower);
}

Register cast(Builder& b, Register x, DType from, DType to) {
  if (from == to) return x;
  if (from == DType::Float16) return cast(b, b.make(Code::HalfToF, 4, x, kNone, kNone, 2), DType::Float32, to);
  if (to == DType::Bool) return b.truth(x, from);
  const auto size = static_cast<int>(item_size(to)), width = static_cast<int>(item_size(from));
  if (from == DType::Bool) {
    const std::uint64_t one = to == DType::Float16   ? 0x3c00
                              : to == DType::Float32 ? std::bit_cast<std::uint32_t>(1.0f)
                              : to == DType::Float64 ? std::bit_cast<std::uint64_t>(1.0)
                                                     : 1;
    return b.select(size, x, b.constant(one, size), b.constant(0, size));
  }
  if (to == DType::Float16) {
    if (from == DType::Float64) return double_to_half(b, x);
    return b.make(Code::FToHalf, 2, cast(b, x, from, DType::Float32), kNone, kNone, 4);
  }
  if (is_float(from)) {
    if (is_float(to)) return b.make(Code::FToF, size, x, kNone, kNone, static_cast<std::uint32_t>(width));
    return b.resized(to == DType::UInt64 ? to_uint64(b, x, width) : to_int64(b, x, width), 8, size, true);
  }
  if (!is_float(to)) return b.resized(x, width, size, is_signed(from));
  return b.integer_to_float(x, width, size, is_signed(from));
}

Pair cast_complex(Builder& b, Pair x, DType from, DType to) {
  if (!is_complex(from)) return {cast(b, x.re, from, real_part(to)), b.constant(0, static_cast<int>(item_size(to)) / 2)};
  if (to == DType::Bool) return {b.mask_or(b.truth(x.re, real_part(from)), b.truth(x.im, real_part(from)))};
  if (!is_complex(to)) return {cast(b, x.re, real_part(from), to)};
  return {cast(b, x.re, real_part(from), real_part(to)), cast(b, x.im, real_part(from), real_part(to))};
}

}  // namespace engine::run::jit

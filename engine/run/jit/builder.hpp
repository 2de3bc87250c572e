// run/jit/builder.hpp - what selection is written in: instructions that are added one by one, and the idioms made of them.
#pragma once

#include <bit>
#include <limits>

#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {

inline bool is_signed(DType dtype) { return kind(dtype) == Kind::Signed; }
inline bool is_float(DType dtype) { return dtype == DType::Float32 || dtype == DType::Float64; }

/// A complex number's parts; where it is a real one or a mask, that and kNone.
struct Pair {
  Register re, im = kNone;
};

class Builder {
 public:
  Builder(const Target& on, std::pmr::memory_resource* memory) : target(on), program(memory) {}

  const Target& target;
  Program program;

  Register add(std::pmr::vector<Instruction>& to, Instruction instruction) {
    instruction.out = program.n_registers++;
    if (!gives_mask(instruction.code)) program.widest = std::max(program.widest, static_cast<int>(instruction.bytes));
    to.push_back(instruction);
    return instruction.out;
  }
  Register make(Code code, int bytes, Register x, Register y = kNone, Register z = kNone, std::uint32_t payload = 0) {
    return add(program.body, {code, static_cast<std::uint8_t>(bytes), payload, kNone, {x, y, z}});
  }
  /// One without a result.
  void put(Code code, int bytes, std::uint32_t payload, Register x = kNone, Register y = kNone) {
    program.body.push_back({code, static_cast<std::uint8_t>(bytes), payload, kNone, {x, y, kNone}});
  }

  Register constant(std::uint64_t bits, int bytes) {
    for (int width = bytes; width < 8; width *= 2) bits = (bits & ((std::uint64_t{1} << (8 * width)) - 1)) | bits << (8 * width);
    for (const Instruction& made : program.head)
      if (made.code == Code::Constant && made.bytes == bytes && program.pool[made.payload] == bits) return made.out;
    program.pool.push_back(bits);
    return add(program.head,
               {Code::Constant, static_cast<std::uint8_t>(bytes), static_cast<std::uint32_t>(program.pool.size() - 1), kNone, {}});
  }
  Register number(double value, int bytes) {
    return constant(bytes == 8 ? std::bit_cast<std::uint64_t>(value) : std::bit_cast<std::uint32_t>(static_cast<float>(value)), bytes);
  }
  Register sign_bit(int bytes) { return constant(std::uint64_t{1} << (8 * bytes - 1), bytes); }
  Register all_but_sign(int bytes) { return constant(~(std::uint64_t{1} << (8 * bytes - 1)), bytes); }

  Register compare_f(Predicate predicate, Register x, Register y, int bytes) {
    return make(Code::CompareF, bytes, x, y, kNone, static_cast<std::uint32_t>(predicate));
  }
  /// Without unsigned comparisons: signed ones, of numbers moved down by half of their range.
  Register compare_i(Predicate predicate, bool is_signed, Register x, Register y, int bytes) {
    Code code = is_signed ? Code::CompareS : Code::CompareU;
    if (!is_signed && !target.has_avx512) {
      code = Code::CompareS;
      if (predicate != Predicate::Equal && predicate != Predicate::NotEqual) {
        x = make(Code::Xor, bytes, x, sign_bit(bytes));
        y = make(Code::Xor, bytes, y, sign_bit(bytes));
      }
    }
    return make(code, bytes, x, y, kNone, static_cast<std::uint32_t>(predicate));
  }
  Register compare(Predicate predicate, DType dtype, Register x, Register y) {
    const auto bytes = static_cast<int>(item_size(dtype));
    if (dtype != DType::Bool)
      return is_float(dtype) ? compare_f(predicate, x, y, bytes) : compare_i(predicate, is_signed(dtype), x, y, bytes);
    switch (predicate) {
      case Predicate::Equal:
        return mask_not(make(Code::MaskXor, 1, x, y));
      case Predicate::Less:
        return make(Code::MaskAndNot, 1, x, y);
      case Predicate::LessEqual:
        return mask_not(make(Code::MaskAndNot, 1, y, x));
      default:
        return make(Code::MaskXor, 1, x, y);
    }
  }
  Register mask_and(Register x, Register y) { return make(Code::MaskAnd, 1, x, y); }
  Register mask_or(Register x, Register y) { return make(Code::MaskOr, 1, x, y); }
  Register mask_not(Register x) { return make(Code::MaskNot, 1, x); }
  Register select(int bytes, Register mask, Register x, Register y) { return make(Code::Select, bytes, mask, x, y); }
  Pair select(int bytes, Register mask, Pair x, Pair y) { return {select(bytes, mask, x.re, y.re), select(bytes, mask, x.im, y.im)}; }

  Register absolute(Register x, int bytes) { return make(Code::And, bytes, x, all_but_sign(bytes)); }
  Register negative(Register x, int bytes) { return make(Code::Xor, bytes, x, sign_bit(bytes)); }
  Register copysign(Register x, Register y, int bytes) {
    return make(Code::Or, bytes, absolute(x, bytes), make(Code::And, bytes, y, sign_bit(bytes)));
  }
  Register is_nan(Register x, int bytes) { return compare_f(Predicate::Unordered, x, x, bytes); }
  Register infinity(int bytes) { return number(std::numeric_limits<double>::infinity(), bytes); }
  Register is_infinite(Register x, int bytes) { return compare_f(Predicate::Equal, absolute(x, bytes), infinity(bytes), bytes); }
  Register is_finite(Register x, int bytes) { return compare_f(Predicate::Less, absolute(x, bytes), infinity(bytes), bytes); }
  Register round(Register x, int bytes, Rounding rounding) {
    return make(Code::RoundF, bytes, x, kNone, kNone, static_cast<std::uint32_t>(rounding));
  }
  /// NaN to zero, infinities to the ends of the range.
  Register nan_to_num(Register x, int bytes) {
    const Register largest = bytes == 8 ? number(std::numeric_limits<double>::max(), 8) : number(std::numeric_limits<float>::max(), 4);
    return select(bytes, is_nan(x, bytes), constant(0, bytes), select(bytes, is_infinite(x, bytes), copysign(largest, x, bytes), x));
  }
  Register truth(Register x, DType dtype) {
    if (dtype == DType::Bool) return x;
    return compare(Predicate::NotEqual, dtype, x, constant(0, static_cast<int>(item_size(dtype))));
  }

  /// Integers of another width: cut, or filled up with signs or zeros.
  Register resized(Register x, int from, int to, bool has_sign) {
    if (from == to) return x;
    const Code code = from > to ? Code::Truncate : has_sign ? Code::SignExtend : Code::ZeroExtend;
    return make(code, to, x, kNone, kNone, static_cast<std::uint32_t>(from));
  }
  Register integer_to_float(Register x, int from, int to, bool has_sign);
  /// A float that is an integer, of less than a quarter of what its digits hold, to the integer of its size: the low bits of a sum.
  Register whole_to_integer(Register x, int bytes) {
    const double magic = bytes == 8 ? 0x1.8p52 : 0x1.8p23;
    return make(Code::SubI, bytes, make(Code::AddF, bytes, x, number(magic, bytes)), number(magic, bytes));
  }
};

// ---- operations, each with the bits of its meaning in the catalog -------------------------------------------------------

/// Of integers of `bytes` bytes; of comparisons of int64 with uint64 see below.
Register of_integers(Builder& b, catalog::Op op, DType dtype, Register x, Register y, Register z);
bool knows_integers(const Target& target, catalog::Op op, DType dtype) noexcept;
/// int64 with uint64, exactly; `x_is_signed`: which of the two x is.
Register compare_mixed(Builder& b, catalog::Op op, bool x_is_signed, Register x, Register y);

/// Whether instructions stand in the place of an elementary function of one argument; and those.
bool is_inlined(const Target& target, catalog::Op op) noexcept;
Register inlined(Builder& b, catalog::Op op, int bytes, Register x);

/// Of complex numbers whose parts have `bytes` bytes; arguments that are real, as of Where and Complex, in `re`.
Pair of_complex(Builder& b, catalog::Op op, int bytes, Pair x, Pair y, Pair z);
bool knows_complex(const Target& target, catalog::Op op, DType dtype) noexcept;

Register cast(Builder& b, Register x, DType from, DType to);
Pair cast_complex(Builder& b, Pair x, DType from, DType to);

}  // namespace engine::run::jit

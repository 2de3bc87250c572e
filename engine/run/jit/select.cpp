// run/jit/select.cpp - calls of the catalog's operations -> instructions over virtual registers.
// Each operation is put together so that its bits are those of its meaning in catalog/scalar.hpp; the conformance tests hold both
// against NumPy. NaN's payload and sign are nobody's promise (contract §3).
#include <algorithm>
#include <bit>
#include <optional>

#include "engine/catalog/type_rule.hpp"
#include "engine/run/jit/vcode.hpp"

namespace engine::run::jit {
namespace {

using catalog::Op;
using interp::Meaning;

bool is_signed(DType dtype) { return kind(dtype) == Kind::Signed; }
bool is_float(DType dtype) { return dtype == DType::Float32 || dtype == DType::Float64; }

class Selector {
 public:
  Selector(const Target& target, const interp::Segment& segment, std::pmr::memory_resource* memory)
      : target_(target),
        segment_(segment),
        dtypes_(segment.dtypes),
        is_uniform_(segment.is_uniform),
        steps_between_(segment.steps_between),
        program_(memory),
        registers_(segment.dtypes.size(), kNone, memory),
        imaginary_(segment.dtypes.size(), kNone, memory),
        negated_(memory) {}

  void call(const interp::Step& step) {
    const std::span<const std::uint32_t> args(step.in.data(), step.n_in);
    const DType to = dtypes_[step.out];
    if (is_complex(to) || std::ranges::any_of(args, [&](std::uint32_t v) { return is_complex(dtypes_[v]); })) return call_complex(step);
    std::array<Register, 3> in{kNone, kNone, kNone};
    for (std::size_t i = 0; i < args.size(); ++i) in[i] = read(args[i]);
    if (is_sign_of_fma(step)) {
      registers_[step.out] = in[0];
      negated_.push_back(step.out);
      return;
    }
    const DType from = dtypes_[args[0]];
    registers_[step.out] =
        step.meaning.kind == Meaning::Kind::Cast ? cast(in[0], from, to) : apply(step.meaning.op, from, dtypes_[args.back()], to, in);
    if (is(step, Op::Fma)) program_.body.back().payload = signs_of(step);
  }

  Program fold(std::uint32_t value, catalog::Reduction reduction) {
    const DType dtype = dtypes_[value];
    const bool sums = reduction == catalog::Reduction::Sum;
    const auto bytes = static_cast<int>(item_size(dtype));
    // -0.0 + x is x, also where x is -0.0.
    const Register identity = is_float(dtype) ? number(sums ? -0.0 : 1, bytes) : constant(sums ? 0 : 1, bytes);
    for (const Instruction& made : program_.head)
      if (made.out == identity) program_.identity = made.payload;
    const Code combine = is_float(dtype) ? (sums ? Code::AddF : Code::MulF) : (sums ? Code::AddI : Code::MulI);
    make(Code::Fold, bytes, registers_[value], kNone, kNone, static_cast<std::uint32_t>(combine));
    program_.body.back().out = kNone;
    return std::move(program_);
  }

  Program finish(std::span<const std::uint32_t> outs) {
    for (const std::uint32_t value : outs) {
      const bool is_mask = dtypes_[value] == DType::Bool;
      if (is_complex(dtypes_[value])) {
        program_.body.push_back({Code::StorePair, part_bytes(dtypes_[value]), value, kNone, {registers_[value], imaginary_[value], kNone}});
        continue;
      }
      program_.body.push_back({.code = is_mask ? Code::StoreMask : Code::Store,
                               .bytes = is_mask ? std::uint8_t{1} : static_cast<std::uint8_t>(item_size(dtypes_[value])),
                               .payload = value,
                               .in = {registers_[value], kNone, kNone}});
    }
    return std::move(program_);
  }

 private:
  // ---- signs of sums of products ------------------------------------------------------------------------------------

  static bool is(const interp::Step& step, Op op) { return step.meaning.kind == Meaning::Kind::Apply && step.meaning.op == op; }

  /// Whether a step changes a sign for sums of products alone, whose instructions do that themselves.
  bool is_sign_of_fma(const interp::Step& step) const {
    if (!is(step, Op::Negative) || !is_float(dtypes_[step.out])) return false;
    bool any = false;
    for (const interp::Step& user : segment_.steps)
      for (std::size_t i = 0; i < user.n_in; ++i) {
        if (user.in[i] != step.out) continue;
        if (!is(user, Op::Fma)) return false;
        any = true;
      }
    return any && std::ranges::find(segment_.outs, step.out) == segment_.outs.end();
  }

  std::uint32_t signs_of(const interp::Step& fma) const {
    const auto is_negated = [&](std::uint32_t value) { return std::ranges::find(negated_, value) != negated_.end(); };
    return (is_negated(fma.in[0]) != is_negated(fma.in[1]) ? kMinusProduct : 0u) | (is_negated(fma.in[2]) ? kMinusSummand : 0u);
  }

  // ---- instructions -------------------------------------------------------------------------------------------------

  Register add(std::pmr::vector<Instruction>& to, Instruction instruction) {
    instruction.out = program_.n_registers++;
    if (!gives_mask(instruction.code)) program_.widest = std::max(program_.widest, static_cast<int>(instruction.bytes));
    to.push_back(instruction);
    return instruction.out;
  }
  Register make(Code code, int bytes, Register x, Register y = kNone, Register z = kNone, std::uint32_t payload = 0) {
    return add(program_.body, {code, static_cast<std::uint8_t>(bytes), payload, kNone, {x, y, z}});
  }

  Register read(std::uint32_t value) {
    if (registers_[value] != kNone) return registers_[value];
    const bool is_mask = dtypes_[value] == DType::Bool, is_cell = is_uniform_[value];
    const int step = steps_between_.empty() ? 1 : steps_between_[value];
    const Code plain = step == 2 ? Code::LoadOther : step == -1 ? Code::LoadBackward : Code::Load;
    const Code code = is_cell ? (is_mask ? Code::SplatMask : Code::Splat) : (is_mask ? Code::LoadMask : plain);
    if (!is_cell) program_.ins.push_back(value);
    return registers_[value] =
               add(is_cell ? program_.head : program_.body, {code, static_cast<std::uint8_t>(item_size(dtypes_[value])), value, kNone, {}});
  }

  struct Pair {
    Register re, im;
  };
  static std::uint8_t part_bytes(DType dtype) { return static_cast<std::uint8_t>(item_size(dtype) / 2); }
  Pair read_pair(std::uint32_t value) {
    if (registers_[value] == kNone) {
      const bool is_cell = is_uniform_[value];
      if (!is_cell) program_.ins.push_back(value);
      auto& to = is_cell ? program_.head : program_.body;
      registers_[value] = add(to, {is_cell ? Code::Splat : Code::LoadReal, part_bytes(dtypes_[value]), value, kNone, {}});
      imaginary_[value] = add(to, {is_cell ? Code::SplatImag : Code::LoadImag, part_bytes(dtypes_[value]), value, kNone, {}});
    }
    return {registers_[value], imaginary_[value]};
  }

  Register constant(std::uint64_t bits, int bytes) {
    for (int width = bytes; width < 8; width *= 2) bits = (bits & ((std::uint64_t{1} << (8 * width)) - 1)) | bits << (8 * width);
    for (const Instruction& made : program_.head)
      if (made.code == Code::Constant && made.bytes == bytes && program_.pool[made.payload] == bits) return made.out;
    program_.pool.push_back(bits);
    return add(program_.head,
               {Code::Constant, static_cast<std::uint8_t>(bytes), static_cast<std::uint32_t>(program_.pool.size() - 1), kNone, {}});
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
    if (!is_signed && !target_.has_avx512) {
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
        return make(Code::MaskNot, 1, make(Code::MaskXor, 1, x, y));
      case Predicate::Less:
        return make(Code::MaskAndNot, 1, x, y);
      case Predicate::LessEqual:
        return make(Code::MaskNot, 1, make(Code::MaskAndNot, 1, y, x));
      default:
        return make(Code::MaskXor, 1, x, y);
    }
  }
  Register select(int bytes, Register mask, Register x, Register y) { return make(Code::Select, bytes, mask, x, y); }
  Register absolute(Register x, int bytes) { return make(Code::And, bytes, x, all_but_sign(bytes)); }
  Register copysign(Register x, Register y, int bytes) {
    return make(Code::Or, bytes, absolute(x, bytes), make(Code::And, bytes, y, sign_bit(bytes)));
  }
  Register is_nan(Register x, int bytes) { return compare_f(Predicate::Unordered, x, x, bytes); }
  Register infinity(int bytes) { return number(std::numeric_limits<double>::infinity(), bytes); }
  Register is_infinite(Register x, int bytes) { return compare_f(Predicate::Equal, absolute(x, bytes), infinity(bytes), bytes); }
  Register round(Register x, int bytes, Rounding rounding) {
    return make(Code::RoundF, bytes, x, kNone, kNone, static_cast<std::uint32_t>(rounding));
  }
  Register truth(Register x, DType dtype) {
    if (dtype == DType::Bool) return x;
    return compare(Predicate::NotEqual, dtype, x, constant(0, static_cast<int>(item_size(dtype))));
  }

  // ---- operations ---------------------------------------------------------------------------------------------------

  /// `from`: the dtype of the arguments; `last`: of the last one, where it differs; `to`: of the result.
  Register apply(Op op, DType from, DType last, DType to, const std::array<Register, 3>& in) {
    if (is_float(to) && function_of(target_, op, to))
      return make(in[1] == kNone ? Code::Call : Code::CallTwo, static_cast<int>(item_size(to)), in[0], in[1], kNone,
                  static_cast<std::uint32_t>(op));
    if (op == Op::Where) return where(last, in[0], in[1], in[2]);
    switch (op) {  // the same for every dtype
      case Op::Less:
        return compare(Predicate::Less, from, in[0], in[1]);
      case Op::LessEqual:
        return compare(Predicate::LessEqual, from, in[0], in[1]);
      case Op::Greater:
        return compare(Predicate::Less, from, in[1], in[0]);
      case Op::GreaterEqual:
        return compare(Predicate::LessEqual, from, in[1], in[0]);
      case Op::Equal:
        return compare(Predicate::Equal, from, in[0], in[1]);
      case Op::NotEqual:
        return compare(Predicate::NotEqual, from, in[0], in[1]);
      case Op::LogicalAnd:
        return make(Code::MaskAnd, 1, truth(in[0], from), truth(in[1], from));
      case Op::LogicalOr:
        return make(Code::MaskOr, 1, truth(in[0], from), truth(in[1], from));
      case Op::LogicalXor:
        return make(Code::MaskXor, 1, truth(in[0], from), truth(in[1], from));
      case Op::LogicalNot:
        if (from == DType::Bool) return make(Code::MaskNot, 1, in[0]);
        return compare(Predicate::Equal, from, in[0], constant(0, static_cast<int>(item_size(from))));
      case Op::Positive:
      case Op::Real:
      case Op::Conjugate:
        return in[0];
      default:
        break;
    }
    const auto bytes = static_cast<int>(item_size(to == DType::Bool ? from : to));
    if (from == DType::Bool) return of_bools(op, in[0], in[1]);
    return is_float(from) ? of_floats(op, bytes, in[0], in[1], in[2]) : of_integers(op, from, bytes, in[0], in[1], in[2]);
  }

  Register where(DType dtype, Register condition, Register x, Register y) {
    if (dtype != DType::Bool) return select(static_cast<int>(item_size(dtype)), condition, x, y);
    return make(Code::MaskOr, 1, make(Code::MaskAnd, 1, condition, x), make(Code::MaskAndNot, 1, condition, y));
  }

  Register of_bools(Op op, Register x, Register y) {
    switch (op) {
      case Op::Multiply:
      case Op::BitwiseAnd:
      case Op::Minimum:
      case Op::Fmin:
        return make(Code::MaskAnd, 1, x, y);
      case Op::BitwiseXor:
        return make(Code::MaskXor, 1, x, y);
      case Op::Invert:
        return make(Code::MaskNot, 1, x);
      case Op::Absolute:
        return x;
      default:  // Add, BitwiseOr, Maximum, Fmax
        return make(Code::MaskOr, 1, x, y);
    }
  }

  /// x > y ? x : y, and where they are equal what has the bits of both: +0, not -0. `kept`: whose NaN counts.
  Register larger(int bytes, Register x, Register y, Register kept) {
    const Register result =
        select(bytes, compare_f(Predicate::Equal, x, y, bytes), make(Code::And, bytes, x, y), make(Code::MaxF, bytes, x, y));
    return select(bytes, is_nan(kept, bytes), x, result);
  }
  Register smaller(int bytes, Register x, Register y, Register kept) {
    const Register result =
        select(bytes, compare_f(Predicate::Equal, x, y, bytes), make(Code::Or, bytes, x, y), make(Code::MinF, bytes, x, y));
    return select(bytes, is_nan(kept, bytes), x, result);
  }

  Register of_floats(Op op, int bytes, Register x, Register y, Register z) {
    const auto zero = [&] { return constant(0, bytes); };
    switch (op) {
      case Op::Add:
        return make(Code::AddF, bytes, x, y);
      case Op::Subtract:
        return make(Code::SubF, bytes, x, y);
      case Op::Multiply:
        return make(Code::MulF, bytes, x, y);
      case Op::Square:
        return make(Code::MulF, bytes, x, x);
      case Op::Fma:
        return make(Code::FmaF, bytes, x, y, z);
      case Op::Divide:
        return make(Code::DivF, bytes, x, y);
      case Op::Reciprocal:
        return make(Code::DivF, bytes, number(1, bytes), x);
      case Op::Negative:
        return make(Code::Xor, bytes, x, sign_bit(bytes));
      case Op::Absolute:
      case Op::Fabs:
        return absolute(x, bytes);
      case Op::Copysign:
        return copysign(x, y, bytes);
      case Op::Sign:
        return select(bytes, compare_f(Predicate::Less, zero(), x, bytes), number(1, bytes),
                      select(bytes, compare_f(Predicate::Less, x, zero(), bytes), number(-1, bytes),
                             select(bytes, compare_f(Predicate::Equal, x, zero(), bytes), zero(), x)));
      case Op::Sqrt:
        return make(Code::SqrtF, bytes, x);
      case Op::Floor:
        return round(x, bytes, Rounding::Floor);
      case Op::Ceil:
        return round(x, bytes, Rounding::Ceil);
      case Op::Trunc:
      case Op::ModfInteger:
        return round(x, bytes, Rounding::Trunc);
      case Op::Rint:
      case Op::Round:
        return round(x, bytes, Rounding::Even);
      case Op::ModfFraction:
        return select(bytes, is_infinite(x, bytes), copysign(zero(), x, bytes),
                      copysign(make(Code::SubF, bytes, x, round(x, bytes, Rounding::Trunc)), x, bytes));
      case Op::Maximum:
        return larger(bytes, x, y, x);
      case Op::Minimum:
        return smaller(bytes, x, y, x);
      case Op::Fmax:
        return larger(bytes, x, y, y);
      case Op::Fmin:
        return smaller(bytes, x, y, y);
      case Op::Clip: {
        const Register raised = select(bytes, is_nan(x, bytes), x, make(Code::MaxF, bytes, x, y));
        return select(bytes, is_nan(raised, bytes), raised, make(Code::MinF, bytes, raised, z));
      }
      case Op::Heaviside:
        return select(bytes, is_nan(x, bytes), x,
                      select(bytes, compare_f(Predicate::Equal, x, zero(), bytes), y,
                             select(bytes, compare_f(Predicate::Less, x, zero(), bytes), zero(), number(1, bytes))));
      case Op::NanToNum: {
        const Register largest = bytes == 8 ? number(std::numeric_limits<double>::max(), 8) : number(std::numeric_limits<float>::max(), 4);
        return select(bytes, is_nan(x, bytes), zero(), select(bytes, is_infinite(x, bytes), copysign(largest, x, bytes), x));
      }
      case Op::Deg2rad:
        return make(Code::MulF, bytes, x, per_degree(bytes, true));
      case Op::Rad2deg:
        return make(Code::MulF, bytes, x, per_degree(bytes, false));
      case Op::Isnan:
        return is_nan(x, bytes);
      case Op::Isinf:
        return is_infinite(x, bytes);
      case Op::Isfinite:
        return compare_f(Predicate::Less, absolute(x, bytes), infinity(bytes), bytes);
      default:  // Signbit
        return make(Code::CompareS, bytes, x, zero(), kNone, static_cast<std::uint32_t>(Predicate::Less));
    }
  }
  Register per_degree(int bytes, bool radians) {
    constexpr double kPi = 3.141592653589793238462643383279502884;
    if (bytes == 8) return number(radians ? kPi / 180 : 180 / kPi, 8);
    const auto pi = static_cast<float>(kPi);
    return number(static_cast<double>(radians ? pi / 180.0f : 180.0f / pi), 4);
  }

  Register of_integers(Op op, DType dtype, int bytes, Register x, Register y, Register z) {
    const bool has_sign = is_signed(dtype);
    const auto zero = [&] { return constant(0, bytes); };
    const auto larger = [&](Register a, Register b) { return extreme(true, has_sign, bytes, a, b); };
    const auto smaller = [&](Register a, Register b) { return extreme(false, has_sign, bytes, a, b); };
    switch (op) {
      case Op::Add:
        return make(Code::AddI, bytes, x, y);
      case Op::Subtract:
        return make(Code::SubI, bytes, x, y);
      case Op::Multiply:
        return product(bytes, x, y);
      case Op::Square:
        return product(bytes, x, x);
      case Op::Negative:
        return make(Code::SubI, bytes, zero(), x);
      case Op::Absolute:
        if (!has_sign) return x;
        if (bytes < 8 || target_.has_avx512) return make(Code::AbsI, bytes, x);
        return select(bytes, compare_i(Predicate::Less, true, x, zero(), bytes), make(Code::SubI, bytes, zero(), x), x);
      case Op::Sign: {
        const Register positive = select(bytes, compare_i(Predicate::Less, has_sign, zero(), x, bytes), constant(1, bytes), zero());
        if (!has_sign) return positive;
        return select(bytes, compare_i(Predicate::Less, true, x, zero(), bytes), constant(~std::uint64_t{0}, bytes), positive);
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
        return make(Code::And, bytes, x, y);
      case Op::BitwiseOr:
        return make(Code::Or, bytes, x, y);
      case Op::BitwiseXor:
        return make(Code::Xor, bytes, x, y);
      case Op::Invert:
        return make(Code::Xor, bytes, x, constant(~std::uint64_t{0}, bytes));
      case Op::LeftShift:
        return make(Code::ShiftLeft, bytes, x, y);
      case Op::RightShift:
        return make(has_sign ? Code::ShiftRightS : Code::ShiftRightU, bytes, x, y);
      default:  // Floor, Ceil, Trunc, Round, NanToNum
        return x;
    }
  }
  /// There is no product of bytes: the low half of one of two bytes.
  Register product(int bytes, Register x, Register y) {
    if (bytes > 1) return make(Code::MulI, bytes, x, y);
    const auto wide = [&](Register r) { return make(Code::SignExtend, 2, r, kNone, kNone, 1); };
    const Register a = wide(x);
    return make(Code::Truncate, 1, make(Code::MulI, 2, a, x == y ? a : wide(y)), kNone, kNone, 2);
  }
  Register extreme(bool larger, bool has_sign, int bytes, Register x, Register y) {
    if (bytes == 8 && !target_.has_avx512) {
      const Register below = compare_i(Predicate::Less, has_sign, x, y, bytes);
      return larger ? select(bytes, below, y, x) : select(bytes, below, x, y);
    }
    return make(larger ? (has_sign ? Code::MaxS : Code::MaxU) : (has_sign ? Code::MinS : Code::MinU), bytes, x, y);
  }

  // ---- complex numbers ----------------------------------------------------------------------------------------------

  /// As catalog/complex.hpp has them.
  void call_complex(const interp::Step& step) {
    const DType from = dtypes_[step.in[step.n_in - 1u]], to = dtypes_[step.out];
    const int bytes = part_bytes(is_complex(from) ? from : to);
    if (step.meaning.kind == Meaning::Kind::Cast) return cast_complex(step, from, to);
    const auto negative = [&](Register x) { return make(Code::Xor, bytes, x, sign_bit(bytes)); };
    const auto put = [&](Register re, Register im = kNone) {
      registers_[step.out] = re;
      imaginary_[step.out] = im;
    };
    if (step.meaning.op == Op::Complex) return put(read(step.in[0]), read(step.in[1]));
    if (step.meaning.op == Op::Where) {
      const Register mask = read(step.in[0]);
      const Pair x = read_pair(step.in[1]), y = read_pair(step.in[2]);
      return put(select(bytes, mask, x.re, y.re), select(bytes, mask, x.im, y.im));
    }
    const Pair x = read_pair(step.in[0]), y = read_pair(step.in[step.n_in - 1u]);
    const auto both = [&](Code code) { put(make(code, bytes, x.re, y.re), make(code, bytes, x.im, y.im)); };
    const auto equal = [&](Predicate predicate, Code join) {
      put(make(join, 1, compare_f(predicate, x.re, y.re, bytes), compare_f(predicate, x.im, y.im, bytes)));
    };
    switch (step.meaning.op) {
      case Op::Add:
        return both(Code::AddF);
      case Op::Subtract:
        return both(Code::SubF);
      case Op::Multiply:
      case Op::Square: {
        const auto product = [&](Register a, Register b) { return make(Code::MulF, bytes, a, b); };
        return put(make(Code::SubF, bytes, product(x.re, y.re), product(x.im, y.im)),
                   make(Code::AddF, bytes, product(x.re, y.im), product(x.im, y.re)));
      }
      case Op::Negative:
        return put(negative(x.re), negative(x.im));
      case Op::Conjugate:
        return put(x.re, negative(x.im));
      case Op::Real:
        return put(x.re);
      case Op::Imag:
        return put(x.im);
      case Op::Equal:
        return equal(Predicate::Equal, Code::MaskAnd);
      case Op::NotEqual:
        return equal(Predicate::NotEqual, Code::MaskOr);
      default:  // Positive
        return put(x.re, x.im);
    }
  }

  void cast_complex(const interp::Step& step, DType from, DType to) {
    if (to == DType::Bool) {
      const Pair x = read_pair(step.in[0]);
      const int bytes = part_bytes(from);
      registers_[step.out] = make(Code::MaskOr, 1, compare_f(Predicate::NotEqual, x.re, constant(0, bytes), bytes),
                                  compare_f(Predicate::NotEqual, x.im, constant(0, bytes), bytes));
      return;
    }
    if (!is_complex(from)) {
      registers_[step.out] = cast(read(step.in[0]), from, real_part(to));
      imaginary_[step.out] = constant(0, part_bytes(to));
      return;
    }
    const Pair x = read_pair(step.in[0]);
    registers_[step.out] = cast(x.re, real_part(from), real_part(to));
    if (is_complex(to)) imaginary_[step.out] = cast(x.im, real_part(from), real_part(to));
  }

  // ---- casts --------------------------------------------------------------------------------------------------------

  Register cast(Register x, DType from, DType to) {
    if (from == DType::Float16) return cast(make(Code::HalfToF, 4, x, kNone, kNone, 2), DType::Float32, to);
    if (to == DType::Bool) return truth(x, from);
    const auto size = static_cast<int>(item_size(to));
    if (from == DType::Bool) {
      const std::uint64_t one = to == DType::Float16   ? 0x3c00
                                : to == DType::Float32 ? std::bit_cast<std::uint32_t>(1.0f)
                                : to == DType::Float64 ? std::bit_cast<std::uint64_t>(1.0)
                                                       : 1;
      return select(size, x, constant(one, size), constant(0, size));
    }
    if (to == DType::Float16) return make(Code::FToHalf, 2, cast(x, from, DType::Float32), kNone, kNone, 4);
    const auto width = static_cast<int>(item_size(from));
    if (is_float(from)) {
      if (is_float(to)) return width == size ? x : make(Code::FToF, size, x, kNone, kNone, static_cast<std::uint32_t>(width));
      return resized(
          to == DType::UInt64 ? to_uint64(x, width) : make(Code::FToSigned, 8, x, kNone, kNone, static_cast<std::uint32_t>(width)), 8, size,
          true);
    }
    if (!is_float(to)) return resized(x, width, size, is_signed(from));
    return to_float(x, width, size, is_signed(from));
  }

  Register resized(Register x, int from, int to, bool has_sign) {
    if (from == to) return x;
    const Code code = from > to ? Code::Truncate : has_sign ? Code::SignExtend : Code::ZeroExtend;
    return make(code, to, x, kNone, kNone, static_cast<std::uint32_t>(from));
  }

  /// From 2^63 on: less 2^63, and the sign bit.
  Register to_uint64(Register x, int width) {
    const Register half = number(0x1p63, width);
    const Register upper = make(Code::MaskAnd, 1, compare_f(Predicate::LessEqual, half, x, width),
                                compare_f(Predicate::Less, x, number(0x1p64, width), width));
    const Register low = make(Code::FToSigned, 8, select(width, upper, make(Code::SubF, width, x, half), x), kNone, kNone,
                              static_cast<std::uint32_t>(width));
    return make(Code::Xor, 8, low, select(8, upper, sign_bit(8), constant(0, 8)));
  }

  Register to_float(Register x, int from, int to, bool has_sign) {
    if (from < 4) return to_float(resized(x, from, 4, has_sign), 4, to, true);
    const auto direct = [&](Code code) { return make(code, to, x, kNone, kNone, static_cast<std::uint32_t>(from)); };
    if (target_.has_avx512) return direct(has_sign ? Code::SignedToF : Code::UnsignedToF);
    if (from == 4 && has_sign) return direct(Code::SignedToF);
    if (from == 4) {  // 2^52 + x, exactly, by its bits; to float32 in one rounding from there
      const Register wide = make(Code::Or, 8, resized(x, 4, 8, false), number(0x1p52, 8));
      const Register exact = make(Code::SubF, 8, wide, number(0x1p52, 8));
      return to == 8 ? exact : make(Code::FToF, 4, exact, kNone, kNone, 8);
    }
    // Both halves as the low bits of large numbers: the upper one less what was added is exact, so the sum rounds once.
    const Register upper_bits = make(Code::ShiftRightU, 8, x, constant(32, 8));
    const Register biased = has_sign ? make(Code::Xor, 8, upper_bits, constant(0x80000000u, 8)) : upper_bits;
    const Register upper = make(Code::Or, 8, biased, number(0x1p84, 8));
    const Register lower = make(Code::Or, 8, make(Code::And, 8, x, constant(0xffffffffu, 8)), number(0x1p52, 8));
    const Register rest = make(Code::SubF, 8, upper, number(has_sign ? 0x1p84 + 0x1p63 + 0x1p52 : 0x1p84 + 0x1p52, 8));
    return make(Code::AddF, 8, rest, lower);
  }

  const Target& target_;
  const interp::Segment& segment_;
  std::span<const DType> dtypes_;
  std::span<const bool> is_uniform_;
  std::span<const std::int8_t> steps_between_;
  Program program_;
  std::pmr::vector<Register> registers_;  ///< of values; of complex ones, their real parts
  std::pmr::vector<Register> imaginary_;
  std::pmr::vector<std::uint32_t> negated_;  ///< values that are registers with the other sign
};

bool knows_cast(const Target& target, DType from, DType to) {
  if (is_complex(from) || is_complex(to)) {
    if (to == DType::Bool) return true;
    return knows_cast(target, is_complex(from) ? real_part(from) : from, is_complex(to) ? real_part(to) : to);
  }
  if (from == to) return true;
  if (from == DType::Float64 && to == DType::Float16) return false;  // in one rounding
  if (target.has_avx512) return true;
  const bool to_integer = !is_inexact(to) && to != DType::Bool;
  if ((is_float(from) || from == DType::Float16) && to_integer) return false;
  const bool is_wide = from == DType::Int64 || from == DType::UInt64;
  return !(is_wide && (to == DType::Float32 || to == DType::Float16));
}

bool knows_complex(Op op, std::span<const DType> in, DType out) {
  switch (op) {
    case Op::Complex:
    case Op::Add:
    case Op::Subtract:
    case Op::Multiply:
    case Op::Square:
    case Op::Negative:
    case Op::Positive:
    case Op::Conjugate:
    case Op::Real:
    case Op::Imag:
    case Op::Equal:
    case Op::NotEqual:
    case Op::Where:
      return in.back() != DType::Float16 && out != DType::Float16;
    default:
      return false;
  }
}

bool knows_op(const Target& target, Op op, std::span<const DType> in, DType out) {
  const DType dtype = in.back();
  if (is_complex(out) || std::ranges::any_of(in, [](DType each) { return is_complex(each); })) return knows_complex(op, in, out);
  if (out == DType::Float16 || std::ranges::find(in, DType::Float16) != in.end()) return false;
  const std::size_t first = op == Op::Where ? 1 : 0;
  for (std::size_t i = first; i < in.size(); ++i)
    if (in[i] != dtype) return false;  // int64 against uint64
  if (is_float(out) && out == dtype && function_of(target, op, out)) return true;
  const bool is_number = dtype != DType::Bool, is_whole = is_number && !is_float(dtype);
  switch (op) {
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
    case Op::Equal:
    case Op::NotEqual:
    case Op::LogicalAnd:
    case Op::LogicalOr:
    case Op::LogicalXor:
    case Op::LogicalNot:
    case Op::Where:
    case Op::Positive:
    case Op::Real:
    case Op::Conjugate:
    case Op::Add:
    case Op::Multiply:
    case Op::Maximum:
    case Op::Minimum:
    case Op::Fmax:
    case Op::Fmin:
    case Op::Absolute:
      return true;
    case Op::Subtract:
    case Op::Negative:
    case Op::Square:
    case Op::Sign:
    case Op::Clip:
    case Op::Floor:
    case Op::Ceil:
    case Op::Trunc:
    case Op::Round:
    case Op::NanToNum:
      return is_number;
    case Op::Divide:
    case Op::Fma:
    case Op::Reciprocal:
    case Op::Fabs:
    case Op::Copysign:
    case Op::Sqrt:
    case Op::Rint:
    case Op::ModfInteger:
    case Op::ModfFraction:
    case Op::Heaviside:
    case Op::Deg2rad:
    case Op::Rad2deg:
    case Op::Isnan:
    case Op::Isinf:
    case Op::Isfinite:
    case Op::Signbit:
      return is_float(dtype);
    case Op::BitwiseAnd:
    case Op::BitwiseOr:
    case Op::BitwiseXor:
    case Op::Invert:
      return true;
    case Op::LeftShift:
    case Op::RightShift:
      if (!is_whole || item_size(dtype) == 1) return false;
      if (target.has_avx512) return true;
      return item_size(dtype) > 2 && !(op == Op::RightShift && dtype == DType::Int64);
    default:
      return false;
  }
}

}  // namespace

bool knows(const Target& target, const interp::Meaning& meaning, std::span<const DType> in, DType out) noexcept {
  if (meaning.kind == Meaning::Kind::None) return false;
  return meaning.kind == Meaning::Kind::Cast ? knows_cast(target, in[0], out) : knows_op(target, meaning.op, in, out);
}

Program select_group(const Target& target, const interp::Segment& segment, std::pmr::memory_resource* memory) {
  Program none(memory);
  if (!segment.fold || (*segment.fold != catalog::Reduction::Sum && *segment.fold != catalog::Reduction::Prod)) return none;
  const DType dtype = segment.dtypes[segment.outs[0]];
  if (!is_float(dtype) && dtype != DType::Int64 && dtype != DType::UInt64) return none;
  Selector selector(target, segment, memory);
  for (const interp::Step& step : segment.steps) selector.call(step);
  Program program = selector.fold(segment.outs[0], *segment.fold);
  // What is called keeps no accumulators. And what takes long gains nothing from not storing an element.
  constexpr std::size_t kLong = 48;
  const bool calls = std::ranges::any_of(program.body, [](const Instruction& i) { return is_call(i.code); });
  return calls || program.body.size() > kLong ? none : program;
}

Program select(const Target& target, const interp::Segment& segment, std::pmr::memory_resource* memory) {
  Selector selector(target, segment, memory);
  for (const interp::Step& step : segment.steps) selector.call(step);
  return selector.finish(segment.outs);
}

}  // namespace engine::run::jit

// run/jit/select.cpp - calls of the catalog's operations -> instructions over virtual registers.
// Each operation is put together so that its bits are those of its meaning in catalog/scalar.hpp; the conformance tests hold both
// against NumPy. NaN's payload and sign are nobody's promise (contract §3).
#include <algorithm>
#include <optional>

#include "engine/catalog/type_rule.hpp"
#include "engine/run/jit/builder.hpp"

namespace engine::run::jit {
namespace {

using catalog::Op;
using interp::Meaning;
using interp::Support;

/// Whether an operation is made of instructions, or of one vector of a function; otherwise it is a kernel's.
bool has_instructions(const Target& target, Op op, std::span<const DType> in, DType out);

class Selector : Builder {
 public:
  Selector(const Target& target, const interp::Segment& segment, std::pmr::memory_resource* memory)
      : Builder(target, memory),
        segment_(segment),
        dtypes_(segment.dtypes),
        is_uniform_(segment.is_uniform),
        steps_between_(segment.steps_between),
        registers_(segment.dtypes.size(), kNone, memory),
        imaginary_(segment.dtypes.size(), kNone, memory),
        negated_(memory) {}

  void call(const interp::Step& step) {
    std::array<DType, 3> dtypes{};
    std::array<Pair, 3> in{{{kNone}, {kNone}, {kNone}}};
    for (std::size_t i = 0; i < step.n_in; ++i) {
      dtypes[i] = dtypes_[step.in[i]];
      in[i] = is_complex(dtypes[i]) ? read_pair(step.in[i]) : Pair{read(step.in[i])};
    }
    if (is_sign_of_fma(step)) {
      registers_[step.out] = in[0].re;
      negated_.push_back(step.out);
      return;
    }
    const Pair result = made(step, std::span(dtypes).first(step.n_in), in);
    registers_[step.out] = result.re;
    imaginary_[step.out] = result.im;
    if (is(step, Op::Fma)) program.body.back().payload = signs_of(step);
  }

  Program fold(std::uint32_t value, catalog::Reduction reduction) {
    const DType dtype = dtypes_[value];
    const bool sums = reduction == catalog::Reduction::Sum;
    const auto bytes = static_cast<int>(item_size(dtype));
    // -0.0 + x is x, also where x is -0.0.
    const Register identity = is_float(dtype) ? number(sums ? -0.0 : 1, bytes) : constant(sums ? 0 : 1, bytes);
    for (const Instruction& made : program.head)
      if (made.out == identity) program.identity = made.payload;
    const Code combine = is_float(dtype) ? (sums ? Code::AddF : Code::MulF) : (sums ? Code::AddI : Code::MulI);
    make(Code::Fold, bytes, registers_[value], kNone, kNone, static_cast<std::uint32_t>(combine));
    program.body.back().out = kNone;
    return std::move(program);
  }

  Program finish(std::span<const std::uint32_t> outs) {
    for (const std::uint32_t value : outs) {
      const bool is_mask = dtypes_[value] == DType::Bool;
      if (is_complex(dtypes_[value])) {
        program.body.push_back({Code::StorePair, part_bytes(dtypes_[value]), value, kNone, {registers_[value], imaginary_[value], kNone}});
        continue;
      }
      program.body.push_back({.code = is_mask ? Code::StoreMask : Code::Store,
                              .bytes = is_mask ? std::uint8_t{1} : static_cast<std::uint8_t>(item_size(dtypes_[value])),
                              .payload = value,
                              .in = {registers_[value], kNone, kNone}});
    }
    return std::move(program);
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

  Register read(std::uint32_t value) {
    if (registers_[value] != kNone) return registers_[value];
    const bool is_mask = dtypes_[value] == DType::Bool, is_cell = is_uniform_[value];
    const int step = steps_between_.empty() ? 1 : steps_between_[value];
    const Code plain = step == 2 ? Code::LoadOther : step == -1 ? Code::LoadBackward : Code::Load;
    const Code code = is_cell ? (is_mask ? Code::SplatMask : Code::Splat) : (is_mask ? Code::LoadMask : plain);
    if (!is_cell) program.ins.push_back(value);
    return registers_[value] =
               add(is_cell ? program.head : program.body, {code, static_cast<std::uint8_t>(item_size(dtypes_[value])), value, kNone, {}});
  }

  static std::uint8_t part_bytes(DType dtype) { return static_cast<std::uint8_t>(item_size(dtype) / 2); }
  Pair read_pair(std::uint32_t value) {
    if (registers_[value] == kNone) {
      const bool is_cell = is_uniform_[value];
      if (!is_cell) program.ins.push_back(value);
      auto& to = is_cell ? program.head : program.body;
      registers_[value] = add(to, {is_cell ? Code::Splat : Code::LoadReal, part_bytes(dtypes_[value]), value, kNone, {}});
      imaginary_[value] = add(to, {is_cell ? Code::SplatImag : Code::LoadImag, part_bytes(dtypes_[value]), value, kNone, {}});
    }
    return {registers_[value], imaginary_[value]};
  }

  // ---- kernels ------------------------------------------------------------------------------------------------------

  Pair made(const interp::Step& step, std::span<const DType> dtypes, const std::array<Pair, 3>& in) {
    const DType from = dtypes[0], last = dtypes.back(), to = dtypes_[step.out];
    if (step.meaning.kind == Meaning::Kind::Cast)
      return is_complex(from) || is_complex(to) ? cast_complex(*this, in[0], from, to) : Pair{cast(*this, in[0].re, from, to)};
    const Op op = step.meaning.op;
    if (!has_instructions(target, op, dtypes, to)) return by_kernel(step, dtypes, in);
    if (is_complex(last) || is_complex(to)) return of_complex(*this, op, part_bytes(is_complex(last) ? last : to), in[0], in[1], in[2]);
    return {apply(op, from, last, to, {in[0].re, in[1].re, in[2].re})};
  }

  /// The interpreter's kernel, of as many elements as there are lanes, by way of memory.
  Pair by_kernel(const interp::Step& step, std::span<const DType> dtypes, const std::array<Pair, 3>& in) {
    for (std::uint32_t i = 0; i < dtypes.size(); ++i) {
      const int bytes = static_cast<int>(item_size(dtypes[i]));
      if (is_complex(dtypes[i]))
        put(Code::PassPair, part_bytes(dtypes[i]), i, in[i].re, in[i].im);
      else
        put(dtypes[i] == DType::Bool ? Code::PassMask : Code::Pass, bytes, i, in[i].re);
    }
    program.kernels.push_back({interp::apply_kernel(step.meaning.op, step.meaning.loop), step.meaning.op});
    put(Code::CallKernel, 0, static_cast<std::uint32_t>(program.kernels.size() - 1));
    const DType to = dtypes_[step.out];
    if (is_complex(to)) return {make(Code::TakeReal, part_bytes(to), kNone), make(Code::TakeImag, part_bytes(to), kNone)};
    return {make(to == DType::Bool ? Code::TakeMask : Code::Take, static_cast<int>(item_size(to)), kNone)};
  }

  // ---- operations ---------------------------------------------------------------------------------------------------

  /// `from`: the dtype of the arguments; `last`: of the last one, where it differs; `to`: of the result.
  Register apply(Op op, DType from, DType last, DType to, const std::array<Register, 3>& in) {
    if (is_float(to) && is_inlined(target, op) && function_of(target, op, to))
      return inlined(*this, op, static_cast<int>(item_size(to)), in[0]);
    if (is_float(to) && function_of(target, op, to))
      return make(in[1] == kNone ? Code::Call : Code::CallTwo, static_cast<int>(item_size(to)), in[0], in[1], kNone,
                  static_cast<std::uint32_t>(op));
    if (op == Op::Where) return where(last, in[0], in[1], in[2]);
    if (op == Op::Ldexp) return scaled(static_cast<int>(item_size(to)), in[0], last, in[1]);
    if (from != last) return compare_mixed(*this, op, is_signed(from), in[0], in[1]);
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
    if (from == DType::Bool) return of_bools(op, in[0], in[1], in[2]);
    return is_float(from) ? of_floats(op, static_cast<int>(item_size(from)), in[0], in[1], in[2])
                          : of_integers(*this, op, from, in[0], in[1], in[2]);
  }

  Register where(DType dtype, Register condition, Register x, Register y) {
    if (dtype != DType::Bool) return select(static_cast<int>(item_size(dtype)), condition, x, y);
    return make(Code::MaskOr, 1, make(Code::MaskAnd, 1, condition, x), make(Code::MaskAndNot, 1, condition, y));
  }

  Register of_bools(Op op, Register x, Register y, Register z) {
    switch (op) {
      case Op::Multiply:
      case Op::BitwiseAnd:
      case Op::Minimum:
      case Op::Fmin:
        return mask_and(x, y);
      case Op::BitwiseXor:
        return make(Code::MaskXor, 1, x, y);
      case Op::Invert:
        return mask_not(x);
      case Op::Clip:
        return mask_and(mask_or(x, y), z);
      case Op::Imag:
      case Op::Isnan:
      case Op::Isinf:
        return make(Code::MaskXor, 1, x, x);
      case Op::Isfinite:
        return mask_not(make(Code::MaskXor, 1, x, x));
      case Op::Absolute:
      case Op::Floor:
      case Op::Ceil:
      case Op::Trunc:
      case Op::NanToNum:
        return x;
      default:  // Add, BitwiseOr, Maximum, Fmax
        return mask_or(x, y);
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
        return negative(x, bytes);
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
      case Op::NanToNum:
        return nan_to_num(x, bytes);
      case Op::Nextafter:
        return next_after(bytes, x, y);
      case Op::Spacing:
        return spacing(bytes, x);
      case Op::FrexpMantissa:
      case Op::FrexpExponent:
        return split(bytes, x, op == Op::FrexpExponent);
      case Op::Imag:
        return zero();
      case Op::Deg2rad:
        return make(Code::MulF, bytes, x, per_degree(bytes, true));
      case Op::Rad2deg:
        return make(Code::MulF, bytes, x, per_degree(bytes, false));
      case Op::Isnan:
        return is_nan(x, bytes);
      case Op::Isinf:
        return is_infinite(x, bytes);
      case Op::Isfinite:
        return is_finite(x, bytes);
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

  /// As math::nextafter has it: one more or less in the bits, which count from zero on either side.
  Register next_after(int bytes, Register x, Register y) {
    const Register zero = constant(0, bytes), one = constant(1, bytes), sign = sign_bit(bytes);
    const Register up = compare_f(Predicate::Less, x, y, bytes);
    const Register towards_zero = make(Code::MaskXor, 1, up, compare_i(Predicate::LessEqual, true, zero, x, bytes));
    const Register moved = make(Code::AddI, bytes, x, select(bytes, towards_zero, constant(~std::uint64_t{0}, bytes), one));
    const Register least = make(Code::Or, bytes, select(bytes, up, zero, sign), one);
    const Register beside = select(bytes, compare_f(Predicate::Equal, x, zero, bytes), least, moved);
    const Register other = select(bytes, compare_f(Predicate::Equal, x, y, bytes), y, beside);
    return select(bytes, compare_f(Predicate::Unordered, x, y, bytes), make(Code::AddF, bytes, x, y), other);
  }
  /// Of IEEE 754: what the exponent of 1 is in the bits, and where it starts.
  static constexpr int bias(int bytes) { return bytes == 8 ? 1023 : 127; }
  static constexpr int digits(int bytes) { return bytes == 8 ? 52 : 23; }

  /// x * 2^n, rounded once. A step down stops so far above the least exponent that what it may round away, the last step, which then
  /// goes further down than all digits, makes zero of. Three steps cross the whole range.
  Register scaled(int bytes, Register x, DType dtype, Register n) {
    const int most = bias(bytes), least = 1 - most, down = least + digits(bytes) + 1;
    const auto whole = [&](int number, int width) { return constant(static_cast<std::uint64_t>(std::int64_t{number}), width); };
    const DType narrow = bytes == 8 ? DType::Int64 : DType::Int32;
    const auto width = static_cast<int>(item_size(dtype));
    n = of_integers(*this, Op::Clip, dtype, n, whole(3 * least, width), whole(3 * most, width));
    n = resized(n, width, bytes, true);
    for (int step = 0; step < 3; ++step) {
      Register by;
      if (step < 2) {
        const Register up =
            select(bytes, compare_i(Predicate::Less, true, whole(most, bytes), n, bytes), whole(most, bytes), whole(0, bytes));
        by = select(bytes, compare_i(Predicate::Less, true, n, whole(least, bytes), bytes), whole(down, bytes), up);
        n = make(Code::SubI, bytes, n, by);
      } else {
        by = of_integers(*this, Op::Clip, narrow, n, whole(least, bytes), whole(most, bytes));
      }
      const Register power = make(Code::ShiftLeft, bytes, make(Code::AddI, bytes, by, whole(most, bytes)), whole(digits(bytes), bytes));
      x = make(Code::MulF, bytes, x, power);
    }
    return x;
  }

  /// frexp: the digits with the exponent of 1/2, or the exponent that they had. Subnormal numbers are made normal ones before.
  Register split(int bytes, Register x, bool wants_exponent) {
    const std::uint64_t field = bytes == 8 ? 0x7ff : 0xff;
    const auto shift = static_cast<std::uint64_t>(digits(bytes)), half = static_cast<std::uint64_t>(bias(bytes) - 1);
    const Register size = absolute(x, bytes), zero = constant(0, bytes);
    const Register is_small = compare_i(Predicate::Less, true, size, constant(std::uint64_t{1} << shift, bytes), bytes);
    const Register normal = select(bytes, is_small, make(Code::MulF, bytes, x, number(bytes == 8 ? 0x1p52 : 0x1p23, bytes)), x);
    const Register has_none = mask_or(mask_not(is_finite(x, bytes)), compare_f(Predicate::Equal, x, zero, bytes));
    if (!wants_exponent) {
      const Register kept = make(Code::And, bytes, normal, constant(~(field << shift), bytes));
      return select(bytes, has_none, x, make(Code::Or, bytes, kept, constant(half << shift, bytes)));
    }
    const Register stored = make(Code::And, bytes, make(Code::ShiftRightU, bytes, normal, constant(shift, bytes)), constant(field, bytes));
    const Register subtracted = select(bytes, is_small, constant(half + shift, bytes), constant(half, bytes));
    return resized(select(bytes, has_none, zero, make(Code::SubI, bytes, stored, subtracted)), bytes, 4, true);
  }

  Register spacing(int bytes, Register x) {
    const Register one = constant(1, bytes);
    const Register distance = make(Code::SubF, bytes, make(Code::AddI, bytes, x, one), x);
    const Register finite = select(bytes, compare_f(Predicate::Equal, x, constant(0, bytes), bytes), one, distance);
    return select(bytes, is_finite(x, bytes), finite, make(Code::SubF, bytes, x, x));
  }

  const interp::Segment& segment_;
  std::span<const DType> dtypes_;
  std::span<const bool> is_uniform_;
  std::span<const std::int8_t> steps_between_;
  std::pmr::vector<Register> registers_;  ///< of values; of complex ones, their real parts
  std::pmr::vector<Register> imaginary_;
  std::pmr::vector<std::uint32_t> negated_;  ///< values that are registers with the other sign
};

bool has_instructions(const Target& target, Op op, std::span<const DType> in, DType out) {
  const DType dtype = in.back();
  if (out == DType::Float16 || std::ranges::find(in, DType::Float16) != in.end()) return false;
  if (is_complex(out) || is_complex(dtype)) return knows_complex(target, op, is_complex(dtype) ? dtype : out);
  if (op == Op::Ldexp) return true;
  if (is_float(out) && out == dtype && function_of(target, op, out)) return true;
  const bool is_number = dtype != DType::Bool;
  if (is_number && !is_float(dtype) && knows_integers(target, op, dtype)) return true;
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
    case Op::Imag:
    case Op::Conjugate:
    case Op::Add:
    case Op::Multiply:
    case Op::Maximum:
    case Op::Minimum:
    case Op::Fmax:
    case Op::Fmin:
    case Op::Clip:
    case Op::Absolute:
    case Op::Floor:
    case Op::Ceil:
    case Op::Trunc:
    case Op::Isnan:
    case Op::Isinf:
    case Op::Isfinite:
    case Op::NanToNum:
      return true;
    case Op::Subtract:
    case Op::Negative:
    case Op::Square:
    case Op::Sign:
    case Op::Round:
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
    case Op::Nextafter:
    case Op::Spacing:
    case Op::FrexpMantissa:
    case Op::FrexpExponent:
    case Op::Signbit:
      return is_float(dtype);
    case Op::BitwiseAnd:
    case Op::BitwiseOr:
    case Op::BitwiseXor:
    case Op::Invert:
      return !is_float(dtype);
    default:
      return false;
  }
}

}  // namespace

Support support(const Target& target, const Meaning& meaning, std::span<const DType> in, DType out) noexcept {
  if (meaning.kind == Meaning::Kind::None) return Support::None;
  if (meaning.kind == Meaning::Kind::Cast) return Support::Instructions;
  if (!has_instructions(target, meaning.op, in, out)) return interp::apply_kernel(meaning.op, meaning.loop) ? Support::Call : Support::None;
  if (is_complex(in[0])) return meaning.op == Op::Absolute ? Support::Call : Support::Instructions;  // by way of hypot
  return is_float(out) && interp::is_function(meaning.op) ? Support::Call : Support::Instructions;
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

// exec/ops_compare.cpp - setp, set, selp, slct.
#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

using numeric::Half;

enum Comparison : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kEqu, kNeu, kLtu, kLeu, kGtu, kGeu, kNum, kNan, kLo, kLs, kHi, kHs };
constexpr std::string_view kWords[] = {"eq",  "ne",  "lt",  "le",  "gt",  "ge",  "equ", "neu", "ltu",
                                                            "leu", "gtu", "geu", "num", "nan", "lo",  "ls",  "hi",  "hs"};

template <class T>
T operand_of(T value, bool ftz) {
  if constexpr (std::is_same_v<T, float>) return ftz ? numeric::flush(value) : value;
  return value;
}
double operand_of(Half value, bool ftz) { return ftz && (value.bits & 0x7c00) == 0 ? 0.0 : numeric::to_double(value); }

/// One bit a lane.
template <class T, class F>
std::uint32_t gather(const T* a, const T* b, bool ftz, F&& holds) {
  std::uint32_t found = 0;
  for (int i = 0; i < 32; ++i) found |= static_cast<std::uint32_t>(holds(operand_of(a[i], ftz), operand_of(b[i], ftz))) << i;
  return found;
}

template <class T>
std::uint32_t compare(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[2]);
  const T* b = lanes<T>(warp, in.reg[3]);
  const bool ftz = in.ftz;
  switch (static_cast<Comparison>(in.option)) {
    case kEq: return gather(a, b, ftz, [](auto x, auto y) { return x == y; });
    case kNe: return gather(a, b, ftz, [](auto x, auto y) { return (x < y) | (x > y); });
    case kLt: case kLo: return gather(a, b, ftz, [](auto x, auto y) { return x < y; });
    case kLe: case kLs: return gather(a, b, ftz, [](auto x, auto y) { return x <= y; });
    case kGt: case kHi: return gather(a, b, ftz, [](auto x, auto y) { return x > y; });
    case kGe: case kHs: return gather(a, b, ftz, [](auto x, auto y) { return x >= y; });
    case kEqu: return gather(a, b, ftz, [](auto x, auto y) { return !((x < y) | (x > y)); });
    case kNeu: return gather(a, b, ftz, [](auto x, auto y) { return !(x == y); });
    case kLtu: return gather(a, b, ftz, [](auto x, auto y) { return !(x >= y); });
    case kLeu: return gather(a, b, ftz, [](auto x, auto y) { return !(x > y); });
    case kGtu: return gather(a, b, ftz, [](auto x, auto y) { return !(x <= y); });
    case kGeu: return gather(a, b, ftz, [](auto x, auto y) { return !(x < y); });
    case kNum: return gather(a, b, ftz, [](auto x, auto y) { return (x == x) & (y == y); });
    case kNan: return gather(a, b, ftz, [](auto x, auto y) { return (x != x) | (y != y); });
  }
  return 0;
}

/// The second operand of .and, .or and .xor; `bytes` says which.
std::uint32_t combine(Warp& warp, const Instruction& in, std::uint32_t found) {
  switch (in.bytes) {
    case 1: return found & predicate(warp, in.reg[4]);
    case 2: return found | predicate(warp, in.reg[4]);
    case 3: return found ^ predicate(warp, in.reg[4]);
    default: return found;
  }
}

template <class T>
void to_predicates(Warp& warp, const Instruction& in) {
  const std::uint32_t found = compare<T>(warp, in);
  const std::uint32_t first = combine(warp, in, found);
  if (in.n_items == 2) ops::set_predicate(warp, in.reg[1], combine(warp, in, ~found));
  ops::set_predicate(warp, in.reg[0], first);
}

template <class T>
void to_value(Warp& warp, const Instruction& in) {
  const std::uint32_t found = combine(warp, in, compare<T>(warp, in));
  if (in.target == 2) {
    ops::each_lane(warp.mask, lanes<std::uint16_t>(warp, in.reg[0]), [=](int i) { return static_cast<std::uint16_t>(found >> i & 1 ? 0x3c00 : 0); });
  } else {
    const std::uint32_t one = in.target == 1 ? 0x3f800000 : 0xffffffff;
    ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int i) { return found >> i & 1 ? one : 0; });
  }
}

/// .f16x2: two comparisons.
void pair_to_predicates(Warp& warp, const Instruction& in) {
  Half low[2][32], high[2][32];
  for (int k = 0; k < 2; ++k)
    for (int i = 0; i < 32; ++i) {
      const std::uint32_t value = lanes<std::uint32_t>(warp, in.reg[static_cast<std::size_t>(2 + k)])[i];
      low[k][i] = {static_cast<std::uint16_t>(value)};
      high[k][i] = {static_cast<std::uint16_t>(value >> 16)};
    }
  std::uint32_t found[2];
  for (int half = 0; half < 2; ++half) {
    // The comparison reads registers: hand it a frame of its own.
    alignas(64) std::byte bytes[128];
    std::memcpy(bytes, half ? high[0] : low[0], 64);
    std::memcpy(bytes + 64, half ? high[1] : low[1], 64);
    Warp view;
    view.frame = bytes;
    view.mask = warp.mask;
    Instruction copy = in;
    copy.reg[2] = 0;
    copy.reg[3] = 64;
    found[half] = combine(warp, in, compare<Half>(view, copy));
  }
  ops::set_predicate(warp, in.reg[0], found[0]);
  ops::set_predicate(warp, in.reg[1], found[1]);
}

/// .cmp[.and|.or|.xor][.ftz]
void comparison(Decoder& d) {
  d.out.option = static_cast<std::uint8_t>(d.choice(kWords));
  d.out.bytes = d.take("and") ? 1 : d.take("or") ? 2 : d.take("xor") ? 3 : 0;
  d.out.ftz = d.take("ftz");
}

void check_word(const Decoder& d, Type type) {
  const bool is_bits = type == Type::B16 || type == Type::B32 || type == Type::B64;
  if (is_bits && d.out.option > kNe) d.refuse("compares bits for equality alone");
  if (!ptx::is_float(type) && d.out.option >= kEqu && d.out.option <= kNan) d.refuse("is a comparison of floating-point values");
  if (d.out.option >= kLo && (ptx::is_signed(type) || ptx::is_float(type))) d.refuse("is a comparison of unsigned values");
}

Type without_bits(Type type) { return type == Type::B16 ? Type::U16 : type == Type::B32 ? Type::U32 : type == Type::B64 ? Type::U64 : type; }

}  // namespace

/// setp p[|q], a, b [, c]
void setp(Decoder& d) {
  comparison(d);
  const Type type = d.type();
  check_word(d, type);
  d.finish(d.out.bytes ? 4 : 3);
  d.source(2, 1, type);
  d.source(3, 2, type);
  if (d.out.bytes) d.source(4, 3, Type::Pred);
  d.destination(0, 0, Type::Pred);
  const std::uint32_t second = d.text.operands[0].predicate;
  d.out.n_items = second ? 2 : 1;
  if (second) d.out.reg[1] = d.assembler.slot_of(second - 1);
  if (type == Type::F16x2) {
    if (!second) d.refuse("has two results");
    return d.emit(&pair_to_predicates);
  }
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, Half, float, double>(
      d, without_bits(type), []<class T> { return &to_predicates<T>; }));
}

/// set.cmp.dtype.stype d, a, b [, c]: all ones or 1.0, or zero.
void set(Decoder& d) {
  comparison(d);
  const Type to = d.type(), type = d.type();
  check_word(d, type);
  if (to != Type::U32 && to != Type::S32 && to != Type::F32 && to != Type::F16) d.refuse("is not executed for this type");
  d.out.target = to == Type::F16 ? 2 : to == Type::F32 ? 1 : 0;
  d.finish(d.out.bytes ? 4 : 3);
  d.source(2, 1, type);
  d.source(3, 2, type);
  if (d.out.bytes) d.source(4, 3, Type::Pred);
  d.destination(0, 0, to);
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, Half, float, double>(
      d, without_bits(type), []<class T> { return &to_value<T>; }));
}

namespace {

template <class T>
void select(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const std::uint32_t condition = predicate(warp, in.reg[3]);
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [=](int i) { return condition >> i & 1 ? a[i] : b[i]; });
}

template <class T, class C>
void select_by_sign(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const C* c = lanes<C>(warp, in.reg[3]);
  const bool ftz = in.ftz;
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [=](int i) { return operand_of(c[i], ftz) >= C{0} ? a[i] : b[i]; });
}

}  // namespace

void selp(Decoder& d) {
  const Type type = d.type();
  d.finish(4);
  d.source(1, 1, type);
  d.source(2, 2, type);
  d.source(3, 3, Type::Pred);
  d.destination(0, 0, type);
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &select<T>; }));
}

/// slct d, a, b, c: a where c >= 0.
void slct(Decoder& d) {
  d.out.ftz = d.take("ftz");
  const Type type = d.type(), condition = d.type();
  d.finish(4);
  d.source(1, 1, type);
  d.source(2, 2, type);
  d.source(3, 3, condition);
  d.destination(0, 0, type);
  if (condition == Type::S32) return d.emit(by_size(d, ptx::size_of(type), []<class T> { return &select_by_sign<T, std::int32_t>; }));
  if (condition != Type::F32) d.refuse("is not executed for this type");
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &select_by_sign<T, float>; }));
}

}  // namespace standin::decode

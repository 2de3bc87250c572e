// exec/ops_bits.cpp - logic, shifts, fields, counts and permutations of bits.
#include <limits>

#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

template <class T>
T conjunction(T a, T b) {
  return a & b;
}
template <class T>
T disjunction(T a, T b) {
  return a | b;
}
template <class T>
T difference(T a, T b) {
  return a ^ b;
}
template <class T>
T complement(T a) {
  return static_cast<T>(~a);
}
template <class T>
T is_zero(T a) {
  return a == 0;
}

template <auto F>
void logic_predicate(Warp& warp, const Instruction& in) {
  ops::set_predicate(warp, in.reg[0], F(predicate(warp, in.reg[1]), predicate(warp, in.reg[2])));
}

void not_of_predicate(Warp& warp, const Instruction& in) { ops::set_predicate(warp, in.reg[0], ~predicate(warp, in.reg[1])); }

void operands(Decoder& d, std::size_t n, Type type) {
  d.finish(n);
  for (std::size_t i = 1; i < n; ++i) d.source(static_cast<int>(i), i, type);
  d.destination(0, 0, type);
}

void require_bits(const Decoder& d, Type type) {
  if (type != Type::Pred && type != Type::B16 && type != Type::B32 && type != Type::B64) d.refuse("is not executed for this type");
}

template <class Make>
void logic(Decoder& d, Handler of_predicates, Make make) {
  const Type type = d.type();
  require_bits(d, type);
  operands(d, 3, type);
  if (type == Type::Pred) return d.emit(of_predicates);
  d.emit(by_size(d, ptx::size_of(type), make));
}

}  // namespace

void bit_and(Decoder& d) {
  logic(d, &logic_predicate<conjunction<std::uint32_t>>, []<class T> { return &ops::binary<conjunction<T>, T>; });
}
void bit_or(Decoder& d) {
  logic(d, &logic_predicate<disjunction<std::uint32_t>>, []<class T> { return &ops::binary<disjunction<T>, T>; });
}
void bit_xor(Decoder& d) {
  logic(d, &logic_predicate<difference<std::uint32_t>>, []<class T> { return &ops::binary<difference<T>, T>; });
}

void bit_not(Decoder& d) {
  const Type type = d.type();
  require_bits(d, type);
  operands(d, 2, type);
  if (type == Type::Pred) return d.emit(&not_of_predicate);
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &ops::unary<complement<T>, T>; }));
}

void cnot(Decoder& d) {
  const Type type = d.type();
  operands(d, 2, type);
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &ops::unary<is_zero<T>, T>; }));
}

namespace {

// Shifts by the width and beyond give zeros, or the sign.
template <class T>
T shift_left(T a, std::uint32_t n) {
  return n >= 8 * sizeof(T) ? T{0} : static_cast<T>(a << n);
}
template <class T>
T shift_right(T a, std::uint32_t n) {
  if (n >= 8 * sizeof(T)) n = std::is_signed_v<T> ? 8 * sizeof(T) - 1 : 8 * sizeof(T);
  return n == 8 * sizeof(T) ? T{0} : static_cast<T>(a >> n);
}

template <bool kRight, bool kClamp>
std::uint32_t funnel(std::uint32_t low, std::uint32_t high, std::uint32_t n) {
  n = kClamp ? std::min(n, 32u) : n & 31;
  const std::uint64_t both = static_cast<std::uint64_t>(high) << 32 | low;
  return static_cast<std::uint32_t>(kRight ? both >> n : both << n >> 32);
}

void shift_operands(Decoder& d, Type type) {
  if (ptx::is_float(type) || type == Type::Pred) d.refuse("is not executed for this type");
  d.finish(3);
  d.source(1, 1, type);
  d.source(2, 2, Type::U32);
  d.destination(0, 0, type);
}

}  // namespace

void shl(Decoder& d) {
  const Type type = d.type();
  shift_operands(d, type);
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &ops::binary<shift_left<T>, T, T, std::uint32_t>; }));
}

void shr(Decoder& d) {
  const Type type = d.type();
  shift_operands(d, type);
  if (ptx::is_signed(type))
    return d.emit(by_type<std::int16_t, std::int32_t, std::int64_t>(
        d, type, []<class T> { return &ops::binary<shift_right<T>, T, T, std::uint32_t>; }));
  d.emit(by_size(d, ptx::size_of(type), []<class T> { return &ops::binary<shift_right<T>, T, T, std::uint32_t>; }));
}

void shf(Decoder& d) {
  const bool right = d.choice({"l", "r"}) == 1, clamp = d.choice({"wrap", "clamp"}) == 1;
  if (d.type() != Type::B32) d.refuse("is not executed for this type");
  operands(d, 4, Type::B32);
  d.emit(right ? (clamp ? &ops::ternary<funnel<true, true>, std::uint32_t> : &ops::ternary<funnel<true, false>, std::uint32_t>)
               : (clamp ? &ops::ternary<funnel<false, true>, std::uint32_t> : &ops::ternary<funnel<false, false>, std::uint32_t>));
}

namespace {

template <class T>
std::uint32_t count_ones(T a) {
  return static_cast<std::uint32_t>(std::popcount(a));
}
template <class T>
std::uint32_t count_leading(T a) {
  return static_cast<std::uint32_t>(std::countl_zero(a));
}

template <class T>
T reverse(T a) {
  T found = 0;
  for (std::size_t i = 0; i < 8 * sizeof(T); ++i) found |= static_cast<T>((a >> i & 1) << (8 * sizeof(T) - 1 - i));
  return found;
}

/// The highest bit that is set, of a signed value the highest that differs from its sign; all ones where there is none.
template <class T, bool kShift>
std::uint32_t find_highest(T a) {
  using U = std::make_unsigned_t<T>;
  const U bits = static_cast<U>(a < 0 ? ~a : a);
  if (bits == 0) return 0xffffffff;
  const auto leading = static_cast<std::uint32_t>(std::countl_zero(bits));
  return kShift ? leading : static_cast<std::uint32_t>(8 * sizeof(T)) - 1 - leading;
}

void count_operands(Decoder& d, Type type) {
  d.finish(2);
  d.source(1, 1, type);
  d.destination(0, 0, Type::U32);
}

template <class Make>
Handler of_32_or_64(const Decoder& d, Type type, Make make) {
  if (type != Type::B32 && type != Type::B64) d.refuse("is not executed for this type");
  return by_size(d, ptx::size_of(type), make);
}

}  // namespace

void popc(Decoder& d) {
  const Type type = d.type();
  count_operands(d, type);
  d.emit(of_32_or_64(d, type, []<class T> { return &ops::unary<count_ones<T>, std::uint32_t, T>; }));
}

void clz(Decoder& d) {
  const Type type = d.type();
  count_operands(d, type);
  d.emit(of_32_or_64(d, type, []<class T> { return &ops::unary<count_leading<T>, std::uint32_t, T>; }));
}

void brev(Decoder& d) {
  const Type type = d.type();
  operands(d, 2, type);
  d.emit(of_32_or_64(d, type, []<class T> { return &ops::unary<reverse<T>, T>; }));
}

void bfind(Decoder& d) {
  const bool shift = d.take("shiftamt");
  const Type type = d.type();
  count_operands(d, type);
  d.emit(shift ? by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
                     d, type, []<class T> { return &ops::unary<find_highest<T, true>, std::uint32_t, T>; })
               : by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
                     d, type, []<class T> { return &ops::unary<find_highest<T, false>, std::uint32_t, T>; }));
}

namespace {

/// `length` bits from `first` on; of a signed value extended by the field's highest bit, or the value's where the field goes beyond.
template <class T>
T extract(T a, std::uint32_t first, std::uint32_t length) {
  constexpr std::uint32_t kTop = 8 * sizeof(T) - 1;
  first &= 0xff;
  length &= 0xff;
  const bool sign = std::is_signed_v<T> && length != 0 && (a >> std::min(first + length - 1, kTop) & 1);
  std::make_unsigned_t<T> found = 0;
  for (std::uint32_t i = 0; i <= kTop; ++i) {
    const bool bit = i < length && first + i <= kTop ? (a >> (first + i) & 1) != 0 : sign;
    found |= static_cast<std::make_unsigned_t<T>>(bit) << i;
  }
  return static_cast<T>(found);
}

template <class T>
void insert(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const std::uint32_t* first = lanes<std::uint32_t>(warp, in.reg[3]);
  const std::uint32_t* length = lanes<std::uint32_t>(warp, in.reg[4]);
  ops::each_lane(warp.mask, lanes<T>(warp, in.reg[0]), [=](int i) {
    T found = b[i];
    const std::uint32_t from = first[i] & 0xff, n = length[i] & 0xff;
    for (std::uint32_t k = 0; k < n && from + k < 8 * sizeof(T); ++k)
      found = static_cast<T>((found & ~(T{1} << (from + k))) | (a[i] >> k & 1) << (from + k));
    return found;
  });
}

}  // namespace

void bfe(Decoder& d) {
  const Type type = d.type();
  d.finish(4);
  d.source(1, 1, type);
  d.source(2, 2, Type::U32);
  d.source(3, 3, Type::U32);
  d.destination(0, 0, type);
  d.emit(by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::ternary<extract<T>, T, T, std::uint32_t, std::uint32_t>; }));
}

void bfi(Decoder& d) {
  const Type type = d.type();
  d.finish(5);
  d.source(1, 1, type);
  d.source(2, 2, type);
  d.source(3, 3, Type::U32);
  d.source(4, 4, Type::U32);
  d.destination(0, 0, type);
  d.emit(of_32_or_64(d, type, []<class T> { return &insert<T>; }));
}

namespace {

/// The byte of eight, or eight copies of its sign.
std::uint32_t permuted(std::uint64_t bytes, std::uint32_t selector) {
  const auto byte = static_cast<std::uint32_t>(bytes >> 8 * (selector & 7) & 0xff);
  return selector & 8 ? (byte & 0x80 ? 0xff : 0) : byte;
}

enum Permutation : std::uint8_t { kIndex, kForward, kBackward, kReplicate8, kClampLeft, kClampRight, kReplicate16 };

std::uint32_t permute(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint8_t mode) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(b) << 32 | a;
  const std::uint32_t n = c & 3;
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < 4; ++i) {
    std::uint32_t selector = c >> 4 * i & 15;
    switch (static_cast<Permutation>(mode)) {
      case kIndex:
        break;
      case kForward:
        selector = n + i;
        break;
      case kBackward:
        selector = (n - i) & 7;
        break;
      case kReplicate8:
        selector = n;
        break;
      case kClampLeft:
        selector = std::max(n, i);
        break;
      case kClampRight:
        selector = std::min(n, i);
        break;
      case kReplicate16:
        selector = (n & 1) * 2 + i % 2;
        break;
    }
    found |= permuted(bytes, selector) << 8 * i;
  }
  return found;
}

void permute_bytes(Warp& warp, const Instruction& in) {
  const std::uint32_t* a = lanes<std::uint32_t>(warp, in.reg[1]);
  const std::uint32_t* b = lanes<std::uint32_t>(warp, in.reg[2]);
  const std::uint32_t* c = lanes<std::uint32_t>(warp, in.reg[3]);
  ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [&](int i) { return permute(a[i], b[i], c[i], in.option); });
}

/// Bit i of the table is the answer for inputs a, b, c, where i is 4 a + 2 b + c.
void table_logic(Warp& warp, const Instruction& in) {
  const std::uint32_t* a = lanes<std::uint32_t>(warp, in.reg[1]);
  const std::uint32_t* b = lanes<std::uint32_t>(warp, in.reg[2]);
  const std::uint32_t* c = lanes<std::uint32_t>(warp, in.reg[3]);
  const std::uint8_t table = in.option;
  ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int i) {
    std::uint32_t found = 0;
    for (int k = 0; k < 8; ++k)
      if (table >> k & 1) found |= (k & 4 ? a[i] : ~a[i]) & (k & 2 ? b[i] : ~b[i]) & (k & 1 ? c[i] : ~c[i]);
    return found;
  });
}

/// The nth set bit of the mask counted from a base, upwards or downwards; all ones where there is none.
std::uint32_t nth_bit(std::uint32_t mask, std::uint32_t base, std::int32_t n) {
  base &= 31;
  if (n == 0) return mask >> base & 1 ? base : 0xffffffff;
  const int step = n > 0 ? 1 : -1;
  std::uint32_t left = n > 0 ? static_cast<std::uint32_t>(n) : -static_cast<std::uint32_t>(n);
  for (int i = static_cast<int>(base); i >= 0 && i < 32; i += step)
    if ((mask >> i & 1) && --left == 0) return static_cast<std::uint32_t>(i);
  return 0xffffffff;
}

/// `length` ones from bit `first` on.
template <bool kClamp>
std::uint32_t mask_of(std::uint32_t first, std::uint32_t length) {
  if (!kClamp) first &= 31, length &= 31;
  const std::uint32_t ones = length >= 32 ? 0xffffffff : (1u << length) - 1;
  return first >= 32 ? 0 : ones << first;
}

/// Extends from bit n - 1 on.
template <class T, bool kClamp>
T extend(T a, std::uint32_t n) {
  if (!kClamp) n &= 31;
  if (n == 0) return 0;
  if (n >= 32) return a;
  return static_cast<T>(static_cast<T>(static_cast<std::uint32_t>(a) << (32 - n)) >> (32 - n));
}

}  // namespace

void prmt(Decoder& d) {
  if (d.type() != Type::B32) d.refuse("is not executed for this type");
  constexpr std::string_view kModes[] = {"", "f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
  for (std::uint8_t i = 1; i < 7; ++i)
    if (d.take(kModes[i])) d.out.option = i;
  operands(d, 4, Type::B32);
  d.emit(&permute_bytes);
}

void lop3(Decoder& d) {
  if (d.type() != Type::B32) d.refuse("is not executed for this type");
  d.finish(5);
  for (int i = 1; i < 4; ++i) d.source(i, static_cast<std::size_t>(i), Type::B32);
  d.destination(0, 0, Type::B32);
  d.out.option = static_cast<std::uint8_t>(d.immediate(4));
  d.emit(&table_logic);
}

void fns(Decoder& d) {
  if (d.type() != Type::B32) d.refuse("is not executed for this type");
  operands(d, 4, Type::B32);
  d.emit(&ops::ternary<nth_bit, std::uint32_t, std::uint32_t, std::uint32_t, std::int32_t>);
}

void bmsk(Decoder& d) {
  const bool clamp = d.choice({"clamp", "wrap"}) == 0;
  if (d.type() != Type::B32) d.refuse("is not executed for this type");
  operands(d, 3, Type::B32);
  d.emit(clamp ? &ops::binary<mask_of<true>, std::uint32_t> : &ops::binary<mask_of<false>, std::uint32_t>);
}

void szext(Decoder& d) {
  const bool clamp = d.choice({"clamp", "wrap"}) == 0;
  const Type type = d.type();
  operands(d, 3, type);
  d.emit(clamp
             ? by_type<std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::binary<extend<T, true>, T, T, std::uint32_t>; })
             : by_type<std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::binary<extend<T, false>, T, T, std::uint32_t>; }));
}

}  // namespace standin::decode

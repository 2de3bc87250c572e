// exec/ops_integer.cpp - integer arithmetic. All of it wraps, so it is done unsigned.
#include <limits>
#include <type_traits>

#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin::decode {
namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;
template <class T>
using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
/// Wide enough that 16-bit products do not overflow the int they are promoted to.
template <class T>
using Work = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

template <class T> T wrap_add(T a, T b) { return static_cast<T>(static_cast<Work<T>>(a) + static_cast<Work<T>>(b)); }
template <class T> T wrap_sub(T a, T b) { return static_cast<T>(static_cast<Work<T>>(a) - static_cast<Work<T>>(b)); }
template <class T> T wrap_mul(T a, T b) { return static_cast<T>(static_cast<Work<T>>(a) * static_cast<Work<T>>(b)); }
template <class T> T wrap_neg(T a) { return static_cast<T>(Work<T>{0} - static_cast<Work<T>>(a)); }
template <class T> T mul_high(T a, T b) { return static_cast<T>(static_cast<Wide<T>>(a) * b >> 8 * sizeof(T)); }
template <class T> T magnitude(T a) { return a < 0 ? wrap_neg(a) : a; }

template <class T>
T clamp_add(T a, T b) {
  const __int128 sum = static_cast<__int128>(a) + b;
  return sum > std::numeric_limits<T>::max() ? std::numeric_limits<T>::max() : sum < std::numeric_limits<T>::min() ? std::numeric_limits<T>::min() : static_cast<T>(sum);
}
template <class T>
T clamp_sub(T a, T b) {
  const __int128 sum = static_cast<__int128>(a) - b;
  return sum > std::numeric_limits<T>::max() ? std::numeric_limits<T>::max() : sum < std::numeric_limits<T>::min() ? std::numeric_limits<T>::min() : static_cast<T>(sum);
}
/// Division by zero is unspecified: all ones, as the hardware's routine has it. The quotient that does not fit wraps.
template <class T>
T divide(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return wrap_neg(a);
  return static_cast<T>(a / b);
}
template <class T>
T remainder(T a, T b) {
  if (b == 0) return a;
  if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
  return static_cast<T>(a % b);
}
template <class T> T smaller(T a, T b) { return a < b ? a : b; }
template <class T> T larger(T a, T b) { return a > b ? a : b; }

/// Carry lives in a predicate register of ours, one for the program's lanes.
template <bool kSubtract, bool kIn, class T>
void with_carry(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  T* to = lanes<T>(warp, in.reg[0]);
  const std::uint32_t carry_in = kIn ? predicate(warp, in.reg[4]) : 0;
  std::uint32_t carry_out = 0;
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    const auto carry = static_cast<unsigned>(carry_in >> i & 1);
    const auto wide = static_cast<unsigned __int128>(a[i]);
    const unsigned __int128 sum = kSubtract ? wide - b[i] - carry : wide + b[i] + carry;
    to[i] = static_cast<T>(sum);
    carry_out |= static_cast<std::uint32_t>(sum >> 8 * sizeof(T) & 1) << i;
  }
  if (in.option) ops::set_predicate(warp, in.reg[4], carry_out);
}

/// d = lo or hi half of a * b, + c + carry.
template <bool kHigh, bool kIn, class T>
void mad_with_carry(Warp& warp, const Instruction& in) {
  const T* a = lanes<T>(warp, in.reg[1]);
  const T* b = lanes<T>(warp, in.reg[2]);
  const T* c = lanes<T>(warp, in.reg[3]);
  T* to = lanes<T>(warp, in.reg[0]);
  const std::uint32_t carry_in = kIn ? predicate(warp, in.reg[4]) : 0;
  std::uint32_t carry_out = 0;
  for (std::uint32_t rest = warp.mask; rest; rest &= rest - 1) {
    const int i = std::countr_zero(rest);
    const T part = kHigh ? mul_high<T>(a[i], b[i]) : wrap_mul<T>(a[i], b[i]);
    const auto sum = static_cast<unsigned __int128>(static_cast<Unsigned<T>>(part)) + static_cast<Unsigned<T>>(c[i]) + (carry_in >> i & 1);
    to[i] = static_cast<T>(sum);
    carry_out |= static_cast<std::uint32_t>(sum >> 8 * sizeof(T) & 1) << i;
  }
  if (in.option) ops::set_predicate(warp, in.reg[4], carry_out);
}

void operands(Decoder& d, int n, Type type) {
  d.finish(static_cast<std::size_t>(n));
  for (int i = 1; i < n; ++i) d.source(i, static_cast<std::size_t>(i), type);
  d.destination(0, 0, type);
}

/// add and sub; with .cc the carry goes out, and addc and subc take it in.
template <bool kSubtract, bool kIn>
void carrying(Decoder& d) {
  d.out.option = d.take("cc");
  const Type type = d.type();
  if (type == Type::B16 || ptx::is_float(type)) d.refuse("has no carry for this type");
  operands(d, 3, type);
  d.out.reg[4] = d.assembler.carry();
  d.emit(ptx::size_of(type) == 4 ? &with_carry<kSubtract, kIn, std::uint32_t> : &with_carry<kSubtract, kIn, std::uint64_t>);
}

/// Two 16-bit values in one register.
template <class T, auto F>
void packed(Warp& warp, const Instruction& in) {
  const std::uint32_t* a = lanes<std::uint32_t>(warp, in.reg[1]);
  const std::uint32_t* b = lanes<std::uint32_t>(warp, in.reg[2]);
  ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int i) {
    const auto low = static_cast<std::uint16_t>(F(static_cast<T>(a[i]), static_cast<T>(b[i])));
    const auto high = static_cast<std::uint16_t>(F(static_cast<T>(a[i] >> 16), static_cast<T>(b[i] >> 16)));
    return low | static_cast<std::uint32_t>(high) << 16;
  });
}

/// op.u16x2 and op.s16x2
template <auto S, auto U>
bool try_packed(Decoder& d) {
  const bool is_signed = d.take("s16x2");
  if (!is_signed && !d.take("u16x2")) return false;
  operands(d, 3, Type::B32);
  d.emit(is_signed ? &packed<std::int16_t, S> : &packed<std::uint16_t, U>);
  return true;
}

}  // namespace

void add(Decoder& d) {
  if (d.text.modifiers.size() > 1 && d.text.modifiers[0] == "cc") return carrying<false, false>(d);
  if (try_packed<wrap_add<std::int16_t>, wrap_add<std::uint16_t>>(d)) return;
  d.rounding();
  d.ftz_and_saturate();
  const Type type = d.type();
  if (ptx::is_float(type)) return float_add(d, type);
  operands(d, 3, type);
  if (d.out.saturate) return d.emit(by_type<std::int32_t>(d, type, []<class T> { return &ops::binary<clamp_add<T>, T>; }));
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<wrap_add<Unsigned<T>>, Unsigned<T>>; }));
}

void sub(Decoder& d) {
  if (d.text.modifiers.size() > 1 && d.text.modifiers[0] == "cc") return carrying<true, false>(d);
  d.rounding();
  d.ftz_and_saturate();
  const Type type = d.type();
  if (ptx::is_float(type)) return float_sub(d, type);
  operands(d, 3, type);
  if (d.out.saturate) return d.emit(by_type<std::int32_t>(d, type, []<class T> { return &ops::binary<clamp_sub<T>, T>; }));
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<wrap_sub<Unsigned<T>>, Unsigned<T>>; }));
}

void addc(Decoder& d) { carrying<false, true>(d); }
void subc(Decoder& d) { carrying<true, true>(d); }

namespace {

template <class T> using Double = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>,
                                                     std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>>;
template <class T> Double<T> mul_wide(T a, T b) { return static_cast<Double<T>>(static_cast<Double<T>>(a) * static_cast<Double<T>>(b)); }
template <class T> Double<T> mad_wide(T a, T b, Double<T> c) { return wrap_add<Double<T>>(mul_wide(a, b), c); }
template <class T> T mad_low(T a, T b, T c) { return wrap_add(wrap_mul(a, b), c); }
template <class T> T mad_high(T a, T b, T c) { return wrap_add(mul_high(a, b), c); }
std::int32_t mad_high_clamped(std::int32_t a, std::int32_t b, std::int32_t c) { return clamp_add(mul_high(a, b), c); }

Type doubled(Type type) {
  switch (type) {
    case Type::U16: return Type::U32;
    case Type::S16: return Type::S32;
    case Type::U32: return Type::U64;
    default: return Type::S64;
  }
}

}  // namespace

void mul(Decoder& d) {
  const bool low = d.take("lo"), high = !low && d.take("hi"), wide = !low && !high && d.take("wide");
  if (!low && !high && !wide) {
    d.rounding();
    d.ftz_and_saturate();
    return float_mul(d, d.type());
  }
  const Type type = d.type();
  if (wide) {
    d.finish(3);
    d.source(1, 1, type);
    d.source(2, 2, type);
    d.destination(0, 0, doubled(type));
    return d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::binary<mul_wide<T>, Double<T>, T>; }));
  }
  operands(d, 3, type);
  if (low)
    return d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
        d, type, []<class T> { return &ops::binary<wrap_mul<Unsigned<T>>, Unsigned<T>>; }));
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<mul_high<T>, T>; }));
}

void mad(Decoder& d) {
  const bool low = d.take("lo"), high = !low && d.take("hi"), wide = !low && !high && d.take("wide");
  if (!low && !high && !wide) return fma(d);  // mad.f32 and mad.f64 are fma since sm_20
  const bool carry = d.take("cc"), clamp = !carry && d.take("sat");
  const Type type = d.type();
  if (wide) {
    d.finish(4);
    d.source(1, 1, type);
    d.source(2, 2, type);
    d.source(3, 3, doubled(type));
    d.destination(0, 0, doubled(type));
    return d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t>(
        d, type, []<class T> { return &ops::ternary<mad_wide<T>, Double<T>, T, T, Double<T>>; }));
  }
  operands(d, 4, type);
  if (carry) {
    d.out.option = 1;
    d.out.reg[4] = d.assembler.carry();
    return d.emit(high ? by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(d, type, []<class T> { return &mad_with_carry<true, false, T>; })
                       : by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(d, type, []<class T> { return &mad_with_carry<false, false, T>; }));
  }
  if (clamp) {
    if (!high || type != Type::S32) d.refuse("saturates mad.hi.s32 alone");
    return d.emit(&ops::ternary<mad_high_clamped, std::int32_t>);
  }
  if (low)
    return d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
        d, type, []<class T> { return &ops::ternary<mad_low<Unsigned<T>>, Unsigned<T>>; }));
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::ternary<mad_high<T>, T>; }));
}

void madc(Decoder& d) {
  const bool high = d.choice({"lo", "hi"}) == 1;
  d.out.option = d.take("cc");
  const Type type = d.type();
  operands(d, 4, type);
  d.out.reg[4] = d.assembler.carry();
  d.emit(high ? by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(d, type, []<class T> { return &mad_with_carry<true, true, T>; })
              : by_type<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(d, type, []<class T> { return &mad_with_carry<false, true, T>; }));
}

namespace {

/// The 24 low bits of both factors; bits 0 to 31 or 16 to 47 of the product.
template <class T, bool kHigh>
T product24(T a, T b) {
  const auto cut = [](T value) { return std::is_signed_v<T> ? static_cast<std::int64_t>(static_cast<std::int32_t>(static_cast<std::uint32_t>(value) << 8) >> 8)
                                                             : static_cast<std::int64_t>(value & 0xffffff); };
  return static_cast<T>(cut(a) * cut(b) >> (kHigh ? 16 : 0));
}
template <class T, bool kHigh> T mad24_of(T a, T b, T c) { return wrap_add(product24<T, kHigh>(a, b), c); }
template <class T> T sum_of_differences(T a, T b, T c) { return wrap_add(a < b ? wrap_sub(b, a) : wrap_sub(a, b), c); }

template <class A, class B>
std::uint32_t dot4(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  for (int i = 0; i < 4; ++i) c += static_cast<std::uint32_t>(static_cast<A>(a >> 8 * i) * static_cast<B>(b >> 8 * i));
  return c;
}

template <class A, class B>
void dot2(Warp& warp, const Instruction& in) {
  const std::uint32_t* a = lanes<std::uint32_t>(warp, in.reg[1]);
  const std::uint32_t* b = lanes<std::uint32_t>(warp, in.reg[2]);
  const std::uint32_t* c = lanes<std::uint32_t>(warp, in.reg[3]);
  const int shift = in.option ? 16 : 0;
  using Short = std::conditional_t<std::is_signed_v<A>, std::int16_t, std::uint16_t>;
  ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [=](int i) {
    return c[i] + static_cast<std::uint32_t>(static_cast<Short>(a[i]) * static_cast<B>(b[i] >> shift)) +
           static_cast<std::uint32_t>(static_cast<Short>(a[i] >> 16) * static_cast<B>(b[i] >> (shift + 8)));
  });
}

}  // namespace

void mul24(Decoder& d) {
  const bool high = d.choice({"lo", "hi"}) == 1;
  const Type type = d.type();
  operands(d, 3, type);
  d.emit(high ? by_type<std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::binary<product24<T, true>, T>; })
              : by_type<std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::binary<product24<T, false>, T>; }));
}

void mad24(Decoder& d) {
  const bool high = d.choice({"lo", "hi"}) == 1;
  const Type type = d.type();
  operands(d, 4, type);
  d.emit(high ? by_type<std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::ternary<mad24_of<T, true>, T>; })
              : by_type<std::int32_t, std::uint32_t>(d, type, []<class T> { return &ops::ternary<mad24_of<T, false>, T>; }));
}

void sad(Decoder& d) {
  const Type type = d.type();
  operands(d, 4, type);
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::ternary<sum_of_differences<T>, T>; }));
}

void dp4a(Decoder& d) {
  const Type a = d.type(), b = d.type();
  if ((a != Type::S32 && a != Type::U32) || (b != Type::S32 && b != Type::U32)) d.refuse("is not executed for this type");
  operands(d, 4, Type::U32);
  const bool sa = a == Type::S32, sb = b == Type::S32;
  d.emit(sa ? (sb ? &ops::ternary<dot4<std::int8_t, std::int8_t>, std::uint32_t> : &ops::ternary<dot4<std::int8_t, std::uint8_t>, std::uint32_t>)
            : (sb ? &ops::ternary<dot4<std::uint8_t, std::int8_t>, std::uint32_t> : &ops::ternary<dot4<std::uint8_t, std::uint8_t>, std::uint32_t>));
}

void dp2a(Decoder& d) {
  d.out.option = static_cast<std::uint8_t>(d.choice({"lo", "hi"}));
  const Type a = d.type(), b = d.type();
  if ((a != Type::S32 && a != Type::U32) || (b != Type::S32 && b != Type::U32)) d.refuse("is not executed for this type");
  operands(d, 4, Type::U32);
  const bool sa = a == Type::S32, sb = b == Type::S32;
  d.emit(sa ? (sb ? &dot2<std::int8_t, std::int8_t> : &dot2<std::int8_t, std::uint8_t>)
            : (sb ? &dot2<std::uint8_t, std::int8_t> : &dot2<std::uint8_t, std::uint8_t>));
}

void div(Decoder& d) {
  if (const auto& words = d.text.modifiers; !words.empty() && ptx::is_float([&] { Type t = Type::B8; ptx::type_of(words.back(), t); return t; }())) return float_div(d);
  const Type type = d.type();
  operands(d, 3, type);
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<divide<T>, T>; }));
}

void rem(Decoder& d) {
  const Type type = d.type();
  operands(d, 3, type);
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<remainder<T>, T>; }));
}

void abs(Decoder& d) {
  d.out.ftz = d.take("ftz");
  const Type type = d.type();
  if (ptx::is_float(type)) return float_abs(d, type);
  operands(d, 2, type);
  d.emit(by_type<std::int16_t, std::int32_t, std::int64_t>(d, type, []<class T> { return &ops::unary<magnitude<T>, T>; }));
}

void neg(Decoder& d) {
  d.out.ftz = d.take("ftz");
  const Type type = d.type();
  if (ptx::is_float(type)) return float_neg(d, type);
  operands(d, 2, type);
  d.emit(by_type<std::int16_t, std::int32_t, std::int64_t>(d, type, []<class T> { return &ops::unary<wrap_neg<T>, T>; }));
}

void min(Decoder& d) {
  if (try_packed<smaller<std::int16_t>, smaller<std::uint16_t>>(d)) return;
  d.out.ftz = d.take("ftz");
  d.out.option = d.take("NaN");
  if (d.take("xorsign")) d.out.option = static_cast<std::uint8_t>(d.out.option | (d.take("abs") ? 2 : 0));
  const Type type = d.type();
  if (ptx::is_float(type)) return float_min(d, type);
  operands(d, 3, type);
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<smaller<T>, T>; }));
}

void max(Decoder& d) {
  if (try_packed<larger<std::int16_t>, larger<std::uint16_t>>(d)) return;
  d.out.ftz = d.take("ftz");
  d.out.option = d.take("NaN");
  if (d.take("xorsign")) d.out.option = static_cast<std::uint8_t>(d.out.option | (d.take("abs") ? 2 : 0));
  const Type type = d.type();
  if (ptx::is_float(type)) return float_max(d, type);
  operands(d, 3, type);
  d.emit(by_type<std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      d, type, []<class T> { return &ops::binary<larger<T>, T>; }));
}

}  // namespace standin::decode

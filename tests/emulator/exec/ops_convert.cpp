// exec/ops_convert.cpp - cvt between all integer and floating-point types, and the assembler's resizing.
#include "tests/emulator/exec/by_type.hpp"
#include "tests/emulator/exec/decode.hpp"
#include "tests/emulator/exec/ops.hpp"

namespace standin {
namespace {

using numeric::Half;

template <class T>
constexpr bool is_real = std::is_same_v<T, Half> || std::is_floating_point_v<T>;

template <class To, class From>
To integer_to_integer(From from, bool saturate) {
  if (!saturate) return static_cast<To>(from);
  const auto value = static_cast<__int128>(from);
  const auto low = static_cast<__int128>(std::numeric_limits<To>::min()), high = static_cast<__int128>(std::numeric_limits<To>::max());
  return static_cast<To>(value < low ? low : value > high ? high : value);
}

/// Out of range to the nearest end. NaN is 0 from f16 and f32 to 32 bits or fewer, else 1 << (bits - 1) (PTX ISA, cvt).
template <class To>
To real_to_integer(double value, Rounding rounding, bool wide_source) {
  if (value != value) return wide_source || sizeof(To) == 8 ? static_cast<To>(std::uint64_t{1} << (8 * sizeof(To) - 1)) : To{0};
  switch (rounding) {
    case Rounding::Nearest: value = std::nearbyint(value); break;
    case Rounding::Zero: value = std::trunc(value); break;
    case Rounding::Down: value = std::floor(value); break;
    case Rounding::Up: value = std::ceil(value); break;
  }
  // The first value beyond the range is a power of two, which double has.
  const double end = std::ldexp(1.0, std::numeric_limits<To>::digits);
  if (value >= end) return std::numeric_limits<To>::max();
  if (value < static_cast<double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  return static_cast<To>(value);
}

template <class To, class From>
To rounded(From from, Rounding rounding) {
  if (rounding == Rounding::Nearest) return static_cast<To>(from);
  const numeric::RoundingMode mode(rounding);
  volatile From exact = from;
  volatile To value = static_cast<To>(exact);
  return value;
}

/// Every 64-bit integer reaches f16 by way of a double that keeps what decides the rounding: beyond 65520 all is the same.
template <class From>
Half integer_to_half(From from, Rounding rounding) {
  const double clamped = static_cast<__int128>(from) > 70000 ? 70000.0 : static_cast<__int128>(from) < -70000 ? -70000.0 : static_cast<double>(from);
  return numeric::to_half(clamped, rounding);
}

double round_whole(double value, Rounding rounding) {
  switch (rounding) {
    case Rounding::Nearest: return std::nearbyint(value);
    case Rounding::Zero: return std::trunc(value);
    case Rounding::Down: return std::floor(value);
    default: return std::ceil(value);
  }
}

double as_double(double value) { return value; }
double as_double(float value) { return value; }
double as_double(Half value) { return numeric::to_double(value); }

/// option: 1 where the rounding is to a whole number.
template <class To, class From>
To converted(From from, const Instruction& in) {
  if constexpr (!is_real<To> && !is_real<From>) {
    return integer_to_integer<To>(from, in.saturate);
  } else if constexpr (!is_real<To>) {
    double value = as_double(from);
    if (in.ftz && sizeof(From) == 4) value = numeric::flush(static_cast<float>(value));
    return real_to_integer<To>(value, in.rounding, sizeof(From) == 8);
  } else if constexpr (!is_real<From>) {
    To value;
    if constexpr (std::is_same_v<To, Half>) {
      value = integer_to_half(from, in.rounding);
    } else {
      value = rounded<To>(from, in.rounding);
      if (in.saturate) value = numeric::saturate(value);
    }
    return value;
  } else {
    if constexpr (std::is_same_v<From, float>) {
      if (in.ftz) from = numeric::flush(from);
    }
    if constexpr (std::is_same_v<To, From> && !std::is_same_v<To, Half>) {
      To value = in.option ? static_cast<To>(round_whole(from, in.rounding)) : from;
      if (in.saturate) value = numeric::saturate(value);
      return numeric::canonical(value);
    } else if constexpr (std::is_same_v<To, Half>) {
      double value = as_double(from);
      if (std::is_same_v<From, Half> && in.option) value = round_whole(value, in.rounding);
      if (in.saturate) value = numeric::saturate(value);
      return numeric::to_half(value, in.rounding);
    } else {
      To value = rounded<To>(as_double(from), in.rounding);
      if (in.ftz) value = numeric::flush(value);
      if (in.saturate) value = numeric::saturate(value);
      return numeric::canonical(value);
    }
  }
}

template <class To, class From>
void convert(Warp& warp, const Instruction& in) {
  const From* a = lanes<From>(warp, in.reg[1]);
  To* to = lanes<To>(warp, in.reg[0]);
  if constexpr (!is_real<To> && !is_real<From>) {
    if (!in.saturate) return ops::each_lane(warp.mask, to, [=](int i) { return static_cast<To>(a[i]); });
  }
  if constexpr (std::is_floating_point_v<To> && (std::is_floating_point_v<From> || std::is_integral_v<From>) && !std::is_same_v<To, From>) {
    if (!in.saturate && !in.ftz && in.rounding == Rounding::Nearest)
      return ops::each_lane(warp.mask, to, [=](int i) { return numeric::canonical(static_cast<To>(a[i])); });
  }
  ops::each_lane(warp.mask, to, [&](int i) { return converted<To>(a[i], in); });
}

/// cvt.rn.f16x2.f32 d, a, b: a to the upper half.
void convert_pair(Warp& warp, const Instruction& in) {
  const float* a = lanes<float>(warp, in.reg[1]);
  const float* b = lanes<float>(warp, in.reg[2]);
  const auto one = [&](float value) {
    if (in.option && !(value > 0) && value == value) value = 0;  // .relu
    return numeric::to_half(value, in.rounding).bits;
  };
  ops::each_lane(warp.mask, lanes<std::uint32_t>(warp, in.reg[0]), [&](int i) { return static_cast<std::uint32_t>(one(a[i])) << 16 | one(b[i]); });
}

template <class To>
Handler from_type(const Decoder& d, Type from) {
  return by_type<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, Half, float, double>(
      d, from, []<class From> { return &convert<To, From>; });
}

}  // namespace

namespace decode {

void cvt(Decoder& d) {
  bool rounds = false;
  const std::pair<std::string_view, Rounding> kWhole[] = {{"rni", Rounding::Nearest}, {"rzi", Rounding::Zero}, {"rmi", Rounding::Down}, {"rpi", Rounding::Up}};
  for (const auto& [word, rounding] : kWhole)
    if (d.take(word)) d.out.rounding = rounding, d.out.option = 1, rounds = true;
  if (!rounds) {
    const std::pair<std::string_view, Rounding> kReal[] = {{"rn", Rounding::Nearest}, {"rz", Rounding::Zero}, {"rm", Rounding::Down}, {"rp", Rounding::Up}};
    for (const auto& [word, rounding] : kReal)
      if (d.take(word)) d.out.rounding = rounding, rounds = true;
  }
  const bool relu = d.take("relu");
  d.ftz_and_saturate();
  const Type to = d.type(), from = d.type();
  if (to == Type::F16x2) {
    if (from != Type::F32 || d.out.option) d.refuse("is not executed for this type");
    d.out.option = relu;
    d.finish(3);
    d.source(1, 1, from);
    d.source(2, 2, from);
    d.destination(0, 0, to);
    return d.emit(&convert_pair);
  }
  if (relu) d.refuse("knows .relu for f16x2 alone");
  if (ptx::is_float(from) && !ptx::is_float(to) && !d.out.option) d.refuse("needs a rounding to a whole number");
  if (ptx::is_float(to) && !rounds && (!ptx::is_float(from) || ptx::size_of(to) < ptx::size_of(from))) d.refuse("needs a rounding");
  d.finish(2);
  d.source(1, 1, from);
  d.destination(0, 0, to);
  Handler found = nullptr;
  by_type<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, Half, float, double>(
      d, to, [&]<class To> { return found = from_type<To>(d, from); });
  d.emit(found);
}

}  // namespace decode

namespace ops {
namespace {

template <class To>
Handler resize_to(int from_bytes, bool is_signed) {
  switch (from_bytes) {
    case 1: return is_signed ? Handler{&convert<To, std::int8_t>} : Handler{&convert<To, std::uint8_t>};
    case 2: return is_signed ? Handler{&convert<To, std::int16_t>} : Handler{&convert<To, std::uint16_t>};
    case 4: return is_signed ? Handler{&convert<To, std::int32_t>} : Handler{&convert<To, std::uint32_t>};
    default: return Handler{&convert<To, std::uint64_t>};
  }
}

}  // namespace

Handler resize(int to_bytes, int from_bytes, bool is_signed) {
  switch (to_bytes) {
    case 1: return resize_to<std::uint8_t>(from_bytes, is_signed);
    case 2: return resize_to<std::uint16_t>(from_bytes, is_signed);
    case 4: return resize_to<std::uint32_t>(from_bytes, is_signed);
    default: return resize_to<std::uint64_t>(from_bytes, is_signed);
  }
}

void not_predicate(Warp& warp, const Instruction& in) { predicate(warp, in.reg[0]) = ~predicate(warp, in.reg[1]); }

}  // namespace ops
}  // namespace standin

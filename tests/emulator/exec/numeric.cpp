#include "tests/emulator/exec/numeric.hpp"

namespace standin::numeric {

double to_double(Half half) {
  const int sign = half.bits >> 15, exponent = half.bits >> 10 & 31, fraction = half.bits & 1023;
  double value;
  if (exponent == 31) value = fraction ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  else if (exponent == 0) value = std::ldexp(fraction, -24);
  else value = std::ldexp(1024 + fraction, exponent - 25);
  return sign ? -value : value;
}

Half to_half(double value, Rounding rounding) {
  if (value != value) return {0x7fff};
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const double size = std::fabs(value);
  const bool away = rounding == (sign ? Rounding::Down : Rounding::Up);
  const auto largest = [&] { return Half{static_cast<std::uint16_t>(sign | (rounding == Rounding::Nearest || away ? 0x7c00 : 0x7bff))}; };
  if (std::isinf(value)) return {static_cast<std::uint16_t>(sign | 0x7c00)};
  if (size >= 65536.0) return largest();
  // In units of the last place: 2^-24 for subnormal values, 11 bits otherwise.
  int exponent = 0;
  std::frexp(size, &exponent);
  const int unit = exponent - 11 < -24 ? -24 : exponent - 11;
  const double scaled = std::ldexp(size, -unit);
  double whole = std::floor(scaled);
  const double rest = scaled - whole;
  const bool is_odd = std::fmod(whole, 2.0) != 0;
  if (rounding == Rounding::Nearest ? rest > 0.5 || (rest == 0.5 && is_odd) : away && rest > 0) whole += 1;
  const double rounded = std::ldexp(whole, unit);
  if (rounded >= 65536.0) return largest();
  if (rounded < std::ldexp(1.0, -14)) return {static_cast<std::uint16_t>(sign | static_cast<int>(std::ldexp(rounded, 24)))};
  std::frexp(rounded, &exponent);
  const int fraction = static_cast<int>(std::ldexp(rounded, 11 - exponent)) - 1024;
  return {static_cast<std::uint16_t>(sign | (exponent + 14) << 10 | fraction)};
}

}  // namespace standin::numeric

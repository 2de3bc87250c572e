// exec/numeric.hpp - arithmetic as PTX defines it where C++ does not: rounding modes, f16, flushing, NaN, saturation.
#pragma once

#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "tests/emulator/exec/instruction.hpp"

namespace standin::numeric {

template <class To, class From>
To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

/// An IEEE binary16; computed with in double, which holds sums and products of two exactly.
struct Half {
  std::uint16_t bits;
};

double to_double(Half half);
Half to_half(double value, Rounding rounding);

/// Single precision and half have one NaN only; double keeps what the host's instruction gives, as the hardware does.
inline float canonical(float value) { return value != value ? bits_as<float>(0x7fffffffu) : value; }
inline double canonical(double value) { return value; }

inline float flush(float value) { return std::fabs(value) < std::numeric_limits<float>::min() ? std::copysign(0.0f, value) : value; }
inline double flush(double value) { return value; }

/// [0, 1], NaN to 0.
template <class T>
T saturate(T value) {
  return value > T{0} ? (value < T{1} ? value : T{1}) : T{0};
}

/// The host's rounding mode for as long as this lives.
class RoundingMode {
 public:
  explicit RoundingMode(Rounding rounding) : before_(std::fegetround()) {
    constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    if (kModes[static_cast<int>(rounding)] != before_) std::fesetround(kModes[static_cast<int>(rounding)]);
  }
  ~RoundingMode() { std::fesetround(before_); }
  RoundingMode(const RoundingMode&) = delete;
  RoundingMode& operator=(const RoundingMode&) = delete;

 private:
  int before_;
};

}  // namespace standin::numeric

// catalog/elementary/inverse_trig_coefficients.hpp - written by tools/coefficients/inverse_trig.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// pi/4, its first 50 bits and the rest.
inline constexpr double kEighthHigh64 = 0x1.921fb54442d18p-1;
inline constexpr double kEighthLow64 = 0x1.1a62633145c07p-55;
/// pi/4, its first 21 bits and the rest.
inline constexpr float kEighthHigh32 = 0x1.921fb00000000p-1f;
inline constexpr float kEighthLow32 = 0x1.5110b40000000p-23f;
/// atan(t) = t + t^3 p(t^2) for |t| <= 3/5, to 2^-59.4.
inline constexpr double kAtan64[] = {
    -0x1.5555555555542p-2,
    0x1.99999999972e9p-3,
    -0x1.24924923b905fp-3,
    0x1.c71c7179dce9ap-4,
    -0x1.745d0f1b0ec85p-4,
    0x1.3b132190d3d49p-4,
    -0x1.110a4b262a9ddp-4,
    0x1.e16dd3468f43bp-5,
    -0x1.ac57ccc13f9dbp-5,
    0x1.7949b6ee59678p-5,
    -0x1.39545d6cc06d4p-5,
    0x1.bcf91bc012883p-6,
    -0x1.c8ebfb9ff3344p-7,
    0x1.e4c3377c19f4cp-9};
/// atan(t) = t + t^3 p(t^2) for |t| <= 3/5, to 2^-28.6.
inline constexpr float kAtan32[] = {
    -0x1.5555380000000p-2f,
    0x1.998cde0000000p-3f,
    -0x1.23a3e40000000p-3f,
    0x1.b6b8cc0000000p-4f,
    -0x1.281d020000000p-4f,
    0x1.e316f00000000p-6f};

}  // namespace engine::math

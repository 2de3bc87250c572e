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
/// asin(s) = s + s^3 p(s^2) for |s| <= 1/2, to 2^-55.9.
inline constexpr double kAsin64[] = {
    0x1.5555555555390p-3,
    0x1.333333336e835p-4,
    0x1.6db6db4277dddp-5,
    0x1.f1c72c39f7a8fp-6,
    0x1.6e89f424fa7a1p-6,
    0x1.1c6be367a89abp-6,
    0x1.c6fd9c8cf2ae2p-7,
    0x1.8ec3fd831ba52p-7,
    0x1.abc64ffbac49fp-8,
    0x1.3ffb11e4aaf31p-6,
    -0x1.09dd80cc89b5cp-6,
    0x1.05710e77da5dfp-5};
/// asin(s) = s + s^3 p(s^2) for |s| <= 1/2, to 2^-27.6.
inline constexpr float kAsin32[] = {
    0x1.5555c80000000p-3f,
    0x1.3302040000000p-4f,
    0x1.747bb80000000p-5f,
    0x1.8c3e500000000p-6f,
    0x1.595c600000000p-5f};
/// 1 / (2 sqrt(w)) to 3.4 percent has the bits of this less half those of w.
inline constexpr unsigned long kRootMagic64 = 0x5fd6ec6e00000000ul;
inline constexpr unsigned kRootMagic32 = 0x5eb76370u;

}  // namespace engine::math

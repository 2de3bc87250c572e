// catalog/elementary/cbrt_coefficients.hpp - written by tools/coefficients/cbrt.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// m^(-1/3) = p(m) for m in [1, 2], to 2^-17.4 of it.
inline constexpr double kCbrt64[] = {
    0x1.c7f356fccc475p+0,
    -0x1.90e71146e8a80p+0,
    0x1.3e687a8bc1d32p+0,
    -0x1.321c0e46adf35p-1,
    0x1.3fa2051868fd4p-3,
    -0x1.16d68e34c83ccp-6};
inline constexpr double kCbrtThird64 = 0x1.5555555555555p-2;
inline constexpr double kCbrtHalf64 = 0x1.965fea53d6e3dp-1;
inline constexpr double kCbrtTwo64 = 0x1.428a2f98d728bp+0;
/// m^(-1/3) = p(m) for m in [1, 2], to 2^-11.9 of it.
inline constexpr float kCbrt32[] = {
    0x1.8ab8fe0000000p+0f,
    -0x1.9eb2a40000000p-1f,
    0x1.45617c0000000p-2f,
    -0x1.99142c0000000p-5f};
inline constexpr float kCbrtThird32 = 0x1.5555560000000p-2f;
inline constexpr float kCbrtHalf32 = 0x1.965fea0000000p-1f;
inline constexpr float kCbrtTwo32 = 0x1.428a300000000p+0f;

}  // namespace engine::math

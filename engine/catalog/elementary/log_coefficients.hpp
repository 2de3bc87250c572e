// catalog/elementary/log_coefficients.hpp - written by tools/coefficients/log.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// 2 artanh(s) = 2 s + s^3 p(s^2) for |s| <= 0.1716, to 2^-59.5.
inline constexpr double kLog64[] = {
    0x1.5555555555592p-1,
    0x1.999999997ff1ap-2,
    0x1.24924941e1462p-2,
    0x1.c71c52145df96p-3,
    0x1.74663ceaa28d4p-3,
    0x1.39a1e915d7f6cp-3,
    0x1.2f03b6ed6be26p-3};
/// log(1 + f) = f - f^2/2 + f^3 p(f), 1 + f in [sqrt(1/2), sqrt(2)], to 2^-27.2 of it.
inline constexpr float kLog32[] = {
    0x1.5555540000000p-2f,
    -0x1.00021e0000000p-2f,
    0x1.99a03e0000000p-3f,
    -0x1.54749c0000000p-3f,
    0x1.22d8120000000p-3f,
    -0x1.0d6f4e0000000p-3f,
    0x1.055d2e0000000p-3f,
    -0x1.3920b60000000p-4f};
/// 1 / ln 10 and the rest.
inline constexpr double kLog10E64 = 0x1.bcb7b1526e50ep-2;
inline constexpr double kLog10ELow64 = 0x1.95355baaafad3p-57;
/// log10(2), its first 42 bits and the rest.
inline constexpr double kLog10TwoHigh64 = 0x1.34413509f7800p-2;
inline constexpr double kLog10TwoLow64 = 0x1.fef311f12b358p-46;
/// 1 / ln 10 and the rest.
inline constexpr float kLog10E32 = 0x1.bcb7b20000000p-2f;
inline constexpr float kLog10ELow32 = -0x1.5b235e0000000p-27f;
/// log10(2), its first 15 bits and the rest.
inline constexpr float kLog10TwoHigh32 = 0x1.3440000000000p-2f;
inline constexpr float kLog10TwoLow32 = 0x1.3509f80000000p-18f;

}  // namespace engine::math

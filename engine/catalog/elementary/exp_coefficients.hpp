// catalog/elementary/exp_coefficients.hpp - written by tools/coefficients/exp.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// exp(r) = 1 + r + r^2 p(r) for |r| <= ln(2)/2, to 2^-57.9 of exp(r).
inline constexpr double kExp64[] = {
    0x1.000000000000ap-1,
    0x1.5555555555503p-3,
    0x1.5555555550605p-5,
    0x1.1111111124d23p-7,
    0x1.6c16c184b5c03p-10,
    0x1.a01a013d664e9p-13,
    0x1.a019988b638eap-16,
    0x1.71def3b202a06p-19,
    0x1.28aedcd8687d4p-22,
    0x1.add8f1848319cp-26};
/// exp(r) = 1 + r + r^2 p(r) for |r| <= ln(2)/2, to 2^-28.2 of exp(r).
inline constexpr float kExp32[] = {
    0x1.fffffc0000000p-2f,
    0x1.55548c0000000p-3f,
    0x1.5558580000000p-5f,
    0x1.123de00000000p-7f,
    0x1.6ac7540000000p-10f};
/// ln 2, its first 42 bits and the rest.
inline constexpr double kLn2High64 = 0x1.62e42fefa3800p-1, kLn2Low64 = 0x1.ef35793c76730p-45;
inline constexpr double kLog2E64 = 0x1.71547652b82fep+0;  ///< 1 / ln 2
/// ln 2, its first 15 bits and the rest.
inline constexpr float kLn2High32 = 0x1.62e4000000000p-1f, kLn2Low32 = 0x1.7f7d1c0000000p-20f;
inline constexpr float kLog2E32 = 0x1.7154760000000p+0f;  ///< 1 / ln 2

}  // namespace engine::math

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
/// 2 artanh(s) = 2 s + s^3 p(s^2) for |s| <= 0.1716, to 2^-35.2.
inline constexpr float kLog32[] = {
    0x1.5555540000000p-1f,
    0x1.999c260000000p-2f,
    0x1.23d3e00000000p-2f,
    0x1.f13b280000000p-3f};

}  // namespace engine::math

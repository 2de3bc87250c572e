// catalog/elementary/trig_coefficients.hpp - written by tools/coefficients/trig.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// pi/2, its first 53 bits, the next 28, and the rest; and 2 / pi.
inline constexpr double kQuarterHigh64 = 0x1.921fb54442d18p+0;
inline constexpr double kQuarterMiddle64 = 0x1.1a62634000000p-54;
inline constexpr double kQuarterLow64 = -0x1.d747f23e32ed7p-83;
inline constexpr double kQuartersPerOne64 = 0x1.45f306dc9c883p-1;
/// pi/2, its first 24 bits, the next 24, and the rest; and 2 / pi.
inline constexpr float kQuarterHigh32 = 0x1.921fb60000000p+0f;
inline constexpr float kQuarterMiddle32 = -0x1.777a5c0000000p-25f;
inline constexpr float kQuarterLow32 = -0x1.ee59da0000000p-50f;
inline constexpr float kQuartersPerOne32 = 0x1.45f3060000000p-1f;
/// pi/2 after kQuarterHigh64, in one number.
inline constexpr double kQuarterRest64 = 0x1.1a62633145c07p-54;
/// 64 zeros, then the bits of 2 / pi after the binary point.
inline constexpr unsigned long kTwoOverPi[] = {
    0x0000000000000000ul, 0xa2f9836e4e441529ul, 0xfc2757d1f534ddc0ul, 0xdb6295993c439041ul,
    0xfe5163abdebbc561ul, 0xb7246e3a424dd2e0ul, 0x06492eea09d1921cul, 0xfe1deb1cb129a73eul,
    0xe88235f52ebb4484ul, 0xe99c7026b45f7e41ul, 0x3991d639835339f4ul, 0x9c845f8bbdf9283bul,
    0x1ff897ffde05980ful, 0xef2f118b5a0a6d1ful, 0x6d367ecf27cb09b7ul, 0x4f463f669e5fea2dul,
    0x7527bac7ebe5f17bul, 0x3d0739f78a5292eaul, 0x6bfb5fb11f8d5d08ul, 0x56033046fc7b6babul};
/// sin(r) = r + r^3 p(r^2) for |r| <= pi/4, to 2^-57.9.
inline constexpr double kSin64[] = {
    -0x1.5555555555548p-3,
    0x1.111111110f730p-7,
    -0x1.a01a019be921bp-13,
    0x1.71de35552bd64p-19,
    -0x1.ae5e4b848e83cp-26,
    0x1.5d8b55da04c1ep-33};
/// cos(r) = 1 - r^2 / 2 + r^4 p(r^2) for |r| <= pi/4, to 2^-63.9.
inline constexpr double kCos64[] = {
    0x1.555555555554bp-5,
    -0x1.6c16c16c15015p-10,
    0x1.a01a019c8f250p-16,
    -0x1.27e4f7f190e15p-22,
    0x1.1ee9dbce90088p-29,
    -0x1.8fa6843e13056p-37};
/// sin(r) = r + r^3 p(r^2) for |r| <= pi/4, to 2^-27.8.
inline constexpr float kSin32[] = {
    -0x1.5555440000000p-3f,
    0x1.1106c60000000p-7f,
    -0x1.991c260000000p-13f};
/// cos(r) = 1 - r^2 / 2 + r^4 p(r^2) for |r| <= pi/4, to 2^-32.9.
inline constexpr float kCos32[] = {
    0x1.55554a0000000p-5f,
    -0x1.6c0c220000000p-10f,
    0x1.99e5240000000p-16f};
/// tan(r) = r + r^3 (Third + r^2 p(r^2)) for |r| <= pi/4, to 2^-60.0.
inline constexpr double kThird64 = 0x1.555555555555dp-2;
inline constexpr double kTan64[] = {
    0x1.11111111106ddp-3,
    0x1.ba1ba1bab238ep-5,
    0x1.664f485fc597ap-6,
    0x1.226e3a2f818d1p-7,
    0x1.d6d2f4b5fc53fp-9,
    0x1.7db0d9151afd8p-10,
    0x1.34c31b43e33b9p-11,
    0x1.fecb8f0a310a2p-13,
    0x1.6070563fa2f52p-14,
    0x1.1664254c7be17p-14,
    -0x1.9c287194b613ap-16,
    0x1.908b5793901dfp-15,
    -0x1.8fe5ed157cbe1p-16,
    0x1.45899972f9d31p-17};
/// tan(r) = r + r^3 (Third + r^2 p(r^2)) for |r| <= pi/4, to 2^-29.3.
inline constexpr float kThird32 = 0x1.5555620000000p-2f;
inline constexpr float kTan32[] = {
    0x1.110d180000000p-3f,
    0x1.baf1640000000p-5f,
    0x1.5bcb7c0000000p-6f,
    0x1.67ced60000000p-7f,
    -0x1.9a792a0000000p-14f,
    0x1.24fb660000000p-8f};

}  // namespace engine::math

// catalog/elementary/hyperbolic_coefficients.hpp - written by tools/coefficients/hyperbolic.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

inline constexpr double kTanhShift = 0x1.8b90bfbe8e7bdp-5;
/// tanh(h) = h + h^3 p(h^2) for |h| <= ln(2)/4 + shift, to 2^-60.5 of h.
inline constexpr double kTanh64[] = {
    -0x1.5555555555543p-2,
    0x1.111111110c6a4p-3,
    -0x1.ba1ba1ad54385p-5,
    0x1.664f402eb4255p-6,
    -0x1.226b4d2847ffdp-7,
    0x1.d5b56af1abd92p-9,
    -0x1.60dad20c6bcbep-10};
inline constexpr float kHalfLn2 = 0x1.62e4300000000p-2f;
inline constexpr float kTanhSeries32 = 0x1.e000000000000p-1f;
/// tanh(x) = x + x^3 p(x^2) for |x| < 0.9375, to 2^-28.9 of it.
inline constexpr float kTanh32[] = {
    -0x1.55554a0000000p-2f,
    0x1.110e600000000p-3f,
    -0x1.b9ad0e0000000p-5f,
    0x1.620d0c0000000p-6f,
    -0x1.0b5a200000000p-7f,
    0x1.4551000000000p-9f,
    -0x1.b67cc40000000p-12f};
/// exp(2h) = 1 + h p(h) for |h| <= ln(2)/4, p to 2^-22.9.
inline constexpr float kExpTwice32[] = {
    0x1.0000000000000p+1f,
    0x1.ffff880000000p+0f,
    0x1.5554de0000000p+0f,
    0x1.55d2940000000p-1f,
    0x1.120ac00000000p-2f,
    0x1.045dec0000000p-4f};
/// sinh(r) = r + r^3 p(r^2) for |r| <= ln(2)/2, to 2^-61.7 of r.
inline constexpr double kSinh64[] = {
    0x1.5555555555559p-3,
    0x1.111111110f62ap-7,
    0x1.a01a01b020557p-13,
    0x1.71ddf7afae51cp-19,
    0x1.af5ff41694b46p-26};
/// cosh(r) = 1 + r^2 p(r^2) for |r| <= ln(2)/2, to 2^-58.0.
inline constexpr double kCosh64[] = {
    0x1.000000000000cp-1,
    0x1.555555554fd67p-5,
    0x1.6c16c1863e11ep-10,
    0x1.a01994fff120cp-16,
    0x1.28b1bd7b00ad8p-22};
/// sinh(r) = r + r^3 p(r^2) for |r| <= ln(2)/2, to 2^-34.3 of r.
inline constexpr float kSinh32[] = {
    0x1.5555560000000p-3f,
    0x1.110fbe0000000p-7f,
    0x1.a2e3440000000p-13f};
/// cosh(r) = 1 + r^2 p(r^2) for |r| <= ln(2)/2, to 2^-33.2.
inline constexpr float kCosh32[] = {
    0x1.0000000000000p-1f,
    0x1.5554e60000000p-5f,
    0x1.6d4f100000000p-10f};
/// 2 artanh(q/2) and artanh(q), as q + q^3 p(q^2) for |q| <= 0.401 and 0.2005, to 2^-62.6 of q.
inline constexpr double kArtanh64[2][8] = {
    {0x1.555555555554fp-4, 0x1.999999999c1aep-7, 0x1.24924921dfc4ap-9, 0x1.c71c74946eb8cp-12, 0x1.745c49aa6189bp-14, 0x1.3b35e9cb6f76dp-16, 0x1.0dc8cc6def406p-18, 0x1.1b94e65f33880p-20},
    {0x1.555555555554fp-2, 0x1.999999999c1aep-3, 0x1.24924921dfc4ap-3, 0x1.c71c74946eb8cp-4, 0x1.745c49aa6189bp-4, 0x1.3b35e9cb6f76dp-4, 0x1.0dc8cc6def406p-4, 0x1.1b94e65f33880p-4}};
/// 2 artanh(q/2) and artanh(q), as q + q^3 p(q^2) for |q| <= 0.401 and 0.2005, to 2^-35.2 of q.
inline constexpr float kArtanh32[2][4] = {
    {0x1.5555540000000p-4f, 0x1.999c0c0000000p-7f, 0x1.23e0420000000p-9f, 0x1.ee9fe60000000p-12f},
    {0x1.5555540000000p-2f, 0x1.999c0c0000000p-3f, 0x1.23e0420000000p-3f, 0x1.ee9fe60000000p-4f}};
/// Where tanh begins to round to 1 - 2^-52, 1 - 2^-53, 1.
inline constexpr double kTanhEnds[] = {
    0x1.241bf835f9d60p+4,
    0x1.283223f49a1b1p+4,
    0x1.30fc1931f09cap+4};

}  // namespace engine::math

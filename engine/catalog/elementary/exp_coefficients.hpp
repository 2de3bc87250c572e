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
/// expm1(r) = r + r^2 (1/2 + r p(r)) for |r| <= ln(2)/2, to 2^-55.8 of expm1(r).
inline constexpr double kExpm164[] = {
    0x1.5555555555559p-3,
    0x1.5555555555559p-5,
    0x1.111111110f709p-7,
    0x1.6c16c16c167acp-10,
    0x1.a01a01af9c21bp-13,
    0x1.a01a019e7c1c9p-16,
    0x1.71ddeec4b6cb6p-19,
    0x1.27e4ced25b107p-22,
    0x1.af8b6d715c564p-26,
    0x1.1ff1c8c6f76ecp-29};
/// expm1(r) = r + r^2 (1/2 + r p(r)) for |r| <= ln(2)/2, to 2^-28.2 of expm1(r).
inline constexpr float kExpm132[] = {
    0x1.55552c0000000p-3f,
    0x1.5555020000000p-5f,
    0x1.1155a80000000p-7f,
    0x1.6d2e4c0000000p-10f,
    0x1.3b8cd40000000p-13f};
/// 2^r = 1 + r (kLn2Rounded64 + r p(r)) for |r| <= 1/2, to 2^-57.1 of 2^r.
inline constexpr double kLn2Rounded64 = 0x1.62e42fefa39efp-1;
inline constexpr double kExp264[] = {
    0x1.ebfbdff82c5b3p-3,
    0x1.c6b08d704a26fp-5,
    0x1.3b2ab6fb9daacp-7,
    0x1.5d87fe78457f4p-10,
    0x1.4309131682a93p-13,
    0x1.ffcbfe6673de5p-17,
    0x1.62bfb491f2929p-20,
    0x1.b52082aa54d7ep-24,
    0x1.e63ba975e05d5p-28,
    0x1.f0e822f34445cp-32};
/// 2^r = 1 + r p(r) for |r| <= 1/2, to 2^-26.3 of 2^r.
inline constexpr float kExp232[] = {
    0x1.62e4300000000p-1f,
    0x1.ebfb940000000p-3f,
    0x1.c6af9e0000000p-5f,
    0x1.3b68160000000p-7f,
    0x1.5ef4da0000000p-10f,
    0x1.1799d80000000p-13f};
/// ln 2, its first 42 bits and the rest.
inline constexpr double kLn2High64 = 0x1.62e42fefa3800p-1, kLn2Low64 = 0x1.ef35793c76730p-45;
inline constexpr double kLog2E64 = 0x1.71547652b82fep+0;  ///< 1 / ln 2
/// ln 2, its first 15 bits and the rest.
inline constexpr float kLn2High32 = 0x1.62e4000000000p-1f, kLn2Low32 = 0x1.7f7d1c0000000p-20f;
inline constexpr float kLog2E32 = 0x1.7154760000000p+0f;  ///< 1 / ln 2

}  // namespace engine::math

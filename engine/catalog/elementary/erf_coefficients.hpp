// catalog/elementary/erf_coefficients.hpp - written by tools/coefficients/erf.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// erf(x) = x + x p(x^2) for |x| <= 15/16, to 2^-56.3 of it.
inline constexpr double kErf64[] = {
    0x1.06eba8214db69p-3,
    -0x1.812746b037a2ep-2,
    0x1.ce2f21a0466cdp-4,
    -0x1.b82ce313baec9p-6,
    0x1.565bcd41e946ap-8,
    -0x1.c02dbe3c63347p-11,
    0x1.f9a4717808043p-14,
    -0x1.f4edd25523cfbp-17,
    0x1.bb6c8e6c5e40ap-20,
    -0x1.6db85827d09f9p-23,
    0x1.52fc720af98d1p-26,
    -0x1.c737ec34c05dfp-29,
    0x1.012e4c34ece28p-31};
/// erf(x) = x + x p(x^2) for |x| <= 15/16, to 2^-30.0 of it.
inline constexpr float kErf32[] = {
    0x1.06eba80000000p-3f,
    -0x1.8127400000000p-2f,
    0x1.ce2d640000000p-4f,
    -0x1.b801200000000p-6f,
    0x1.544aa80000000p-8f,
    -0x1.a6126e0000000p-11f,
    0x1.4f8e580000000p-14f};
inline constexpr double kErfCenter64 = 0x1.4000000000000p+1;
/// exp(x^2) erfc(x) = p((x - c) / (x + c)) for 15/16 <= x <= 6, to 2^-57.6 of erf(x).
inline constexpr double kErfTail64[] = {
    0x1.afbb3f3b7343fp-3,
    -0x1.7ca88dec218e4p-2,
    0x1.01c11a735a3a6p-2,
    -0x1.001154372b7cep-3,
    0x1.470ba202ee686p-5,
    -0x1.05bb2ac528954p-8,
    -0x1.5a56f36a6c676p-9,
    0x1.cb3875b773da7p-11,
    0x1.de6551079cce0p-13,
    -0x1.10a1b1612e25bp-13,
    -0x1.33f7fc6aa3ec0p-15,
    0x1.08d557c094764p-16,
    0x1.ddc80ec414714p-18};
inline constexpr float kErfCenter32 = 0x1.8000000000000p+0f;
/// exp(x^2) erfc(x) = p((x - c) / (x + c)) for 15/16 <= x <= 4, to 2^-28.8 of erf(x).
inline constexpr float kErfTail32[] = {
    0x1.494db00000000p-2f,
    -0x1.f6a6700000000p-2f,
    0x1.8e4e980000000p-3f,
    -0x1.2f10ce0000000p-7f,
    -0x1.2ba7960000000p-6f,
    -0x1.dc62740000000p-12f};
inline constexpr double kErfcCenter64 = 0x1.c000000000000p+1;
inline constexpr double kErfcFirstLow64 = -0x1.82fc34fd51010p-57;
/// (1 + 2x) exp(x^2) erfc(x) = p((x - c) / (x + c)) for 0.49 <= x <= 27.31, to 2^-59.8 of it; c[0] and a rest.
inline constexpr double kErfc64[] = {
    0x1.3e0a99a0ee914p+0,
    -0x1.1ebd220ea593cp-3,
    -0x1.59e2c284b11e5p-7,
    0x1.8f702ec6b33f3p-4,
    -0x1.d76830c353261p-4,
    0x1.686106046cf87p-4,
    -0x1.8ff5ef76d010cp-5,
    0x1.38ec66719fbb4p-6,
    -0x1.143c4ca7c4d29p-8,
    -0x1.3cf36abe8fef4p-12,
    0x1.27e664f3ca4cfp-11,
    -0x1.fda8ee489edcfp-14,
    -0x1.66e22a3b26c41p-15,
    0x1.970749381f6a8p-16,
    0x1.3881c6c17ffa4p-19,
    -0x1.ffe8b04634334p-19,
    -0x1.7ce5514fb4174p-25,
    0x1.41e9c963c91f8p-21,
    -0x1.0ccde3a93e338p-27,
    -0x1.8d98df22cd798p-24,
    0x1.2377889adca18p-31,
    0x1.6004b8ded51e2p-27};
inline constexpr float kErfcCenter32 = 0x1.4000000000000p+1f;
inline constexpr float kErfcFirstLow32 = -0x1.3213cc0000000p-25f;
/// (1 + 2x) exp(x^2) erfc(x) = p((x - c) / (x + c)) for 0.49 <= x <= 10.21, to 2^-27.6 of it; c[0] and a rest.
inline constexpr float kErfc32[] = {
    0x1.43cc700000000p+0f,
    -0x1.f52c500000000p-4f,
    -0x1.959aa00000000p-4f,
    0x1.42d3400000000p-3f,
    -0x1.a5c4740000000p-4f,
    0x1.0c59860000000p-5f,
    0x1.f775340000000p-11f,
    -0x1.1caddc0000000p-8f,
    0x1.a9fd1c0000000p-12f,
    0x1.10a6140000000p-11f};

}  // namespace engine::math

// catalog/elementary/gamma_coefficients.hpp - written by tools/coefficients/gamma.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// Stirling's rest as v p(v), v = 1 / (x + 1/2), for x >= 1, to 2^-57.0.
inline constexpr double kStirling64[] = {
    0x1.ec709dc3a0355p-4,
    0x1.ec709dc3a7acfp-5,
    0x1.aac8003255aa5p-6,
    0x1.2776c3c91e714p-7,
    0x1.5b0e6577e2a9ep-9,
    0x1.a5f18dbd09d82p-10,
    0x1.9a1467cb5837fp-10,
    0x1.f31be907571a9p-13,
    -0x1.23b1fbb285d7fp-11,
    -0x1.4980ffb8e145fp-9,
    0x1.8ffb4967260b1p-7,
    -0x1.8cd96c9929987p-6,
    0x1.f05bc97edd324p-6,
    -0x1.a1ed4d0d75b88p-6,
    0x1.d25373df58a96p-7,
    -0x1.39c0d684fe20bp-8,
    0x1.8422df0c38ed6p-11};
/// log2(2 pi / e) / 2 and its rest.
inline constexpr double kStirlingConstant64[] = {
    0x1.3573fcf6d5af9p-1,
    0x1.0e57879459ce1p-55};
inline constexpr double kLgammaOneLow64 = 0x1.74d7c661fbcb0p-58;
/// lgamma(1 + t) = t p(t) for |t| <= 1/4, to 2^-58.2 of it; c[0] and a rest.
inline constexpr double kLgammaOne64[] = {
    -0x1.2788cfc6fb619p-1,
    0x1.a51a6625307d3p-1,
    -0x1.9a4d55beab2dcp-2,
    0x1.151322ac7d93fp-2,
    -0x1.a8b9c17aa4f26p-3,
    0x1.5b40cb0fed2ffp-3,
    -0x1.2703a1ddc9240p-3,
    0x1.010b36bdb5673p-3,
    -0x1.c8066fb4646a9p-4,
    0x1.9a01dc5f9128dp-4,
    -0x1.748c606e7ecb0p-4,
    0x1.556bed4e886bbp-4,
    -0x1.3b16c32f8b4a5p-4,
    0x1.247bf09507b62p-4,
    -0x1.11b55227eadc0p-4,
    0x1.01aa287b62412p-4,
    -0x1.cff7cd5ec029cp-5,
    0x1.a69bec7dafc3ap-5,
    -0x1.1b92b5806ca38p-4,
    0x1.258004a836366p-4};
inline constexpr double kLgammaMiddleLow64 = -0x1.3401d6c73090ap-58;
/// lgamma(1.5 + t) = p(t) for |t| <= 1/4, to 2^-58.0 of it; c[0] and a rest.
inline constexpr double kLgammaMiddle64[] = {
    -0x1.eeb95b094c191p-4,
    0x1.2aed059bd608ap-5,
    0x1.de9e64df22ef3p-2,
    -0x1.1ae55b1807377p-3,
    0x1.e0f840dad5f4ap-5,
    -0x1.da59d536a33d2p-6,
    0x1.f9ca39daf5324p-7,
    -0x1.1a8ba58940dfep-7,
    0x1.456f1abd5d299p-8,
    -0x1.7edaf7b27aa4fp-9,
    0x1.c9735bdf86588p-10,
    -0x1.14ac4ba6af348p-10,
    0x1.517f813dd322bp-11,
    -0x1.95875aede8b99p-12,
    0x1.00018b2dbe315p-12,
    -0x1.efda122d8182dp-13,
    0x1.b3f8236a6192fp-14,
    0x1.0f01c853ff4a9p-12};
inline constexpr double kLgammaTwoLow64 = 0x1.6cf7e02463578p-58;
/// lgamma(2 + t) = t p(t) for |t| <= 1/4, to 2^-60.0 of it; c[0] and a rest.
inline constexpr double kLgammaTwo64[] = {
    0x1.b0ee6072093cep-2,
    0x1.4a34cc4a60fa6p-2,
    -0x1.13e001a557608p-4,
    0x1.51322ac7d892ep-6,
    -0x1.e404fc218cad3p-8,
    0x1.7add6ead4828cp-9,
    -0x1.38ac5c318a365p-10,
    0x1.0b36af1c944e9p-11,
    -0x1.d3fd427e5c47cp-13,
    0x1.a1290521539b0p-14,
    -0x1.78e2d1c408553p-15,
    0x1.576a0372e7d76p-16,
    -0x1.3bb7910d39800p-17,
    0x1.47b1c1086ebc1p-18,
    -0x1.2d74ba4d4a741p-19,
    -0x1.9da3bf24f254fp-20};
/// sin(pi d) = pi d (1 + d^2 p(d^2)) for |d| <= 1/2, to 2^-61.7.
inline constexpr double kSinPi64[] = {
    -0x1.a51a6625307d3p+0,
    0x1.9f9cb402bc42ep-1,
    -0x1.86a8e4720a5f9p-3,
    0x1.ac6805ccb261ep-6,
    -0x1.338169a42d419p-9,
    0x1.3746a589799b8p-13,
    -0x1.d3e7f4b7048b9p-18,
    0x1.07598477b80c7p-22};
/// Stirling's rest as v p(v), v = 1 / (x + 1/2), for x >= 1, to 2^-29.0.
inline constexpr float kStirling32[] = {
    0x1.ec70d40000000p-4f,
    0x1.ec61660000000p-5f,
    0x1.ac33fe0000000p-6f,
    0x1.17c50a0000000p-7f,
    0x1.0574460000000p-8f,
    -0x1.e6e61a0000000p-13f,
    0x1.4c755c0000000p-9f};
/// log2(2 pi / e) / 2 and its rest.
inline constexpr float kStirlingConstant32[] = {
    0x1.3573fc0000000p-1f,
    0x1.edab600000000p-26f};
inline constexpr float kLgammaOneLow32 = 0x1.c7f0700000000p-28f;
/// lgamma(1 + t) = t p(t) for |t| <= 1/4, to 2^-31.5 of it; c[0] and a rest.
inline constexpr float kLgammaOne32[] = {
    -0x1.2788d00000000p-1f,
    0x1.a51a660000000p-1f,
    -0x1.9a4d560000000p-2f,
    0x1.15133a0000000p-2f,
    -0x1.a8b8400000000p-3f,
    0x1.5b43160000000p-3f,
    -0x1.2778e60000000p-3f,
    0x1.ff35da0000000p-4f,
    -0x1.b084b00000000p-4f,
    0x1.d55d760000000p-4f,
    -0x1.2362260000000p-3f};
inline constexpr float kLgammaMiddleLow32 = 0x1.edef400000000p-29f;
/// lgamma(1.5 + t) = p(t) for |t| <= 1/4, to 2^-30.0 of it; c[0] and a rest.
inline constexpr float kLgammaMiddle32[] = {
    -0x1.eeb95c0000000p-4f,
    0x1.2aed060000000p-5f,
    0x1.de9e640000000p-2f,
    -0x1.1ae5860000000p-3f,
    0x1.e0fb740000000p-5f,
    -0x1.da03fa0000000p-6f,
    0x1.f819d40000000p-7f,
    -0x1.28d2a60000000p-7f,
    0x1.6cfb460000000p-8f};
inline constexpr float kLgammaTwoLow32 = 0x1.c9fe100000000p-28f;
/// lgamma(2 + t) = t p(t) for |t| <= 1/4, to 2^-30.4 of it; c[0] and a rest.
inline constexpr float kLgammaTwo32[] = {
    0x1.b0ee600000000p-2f,
    0x1.4a34cc0000000p-2f,
    -0x1.13e0060000000p-4f,
    0x1.5134d00000000p-6f,
    -0x1.e3ef300000000p-8f,
    0x1.784b300000000p-9f,
    -0x1.40d3340000000p-10f,
    0x1.65b4860000000p-11f};
/// sin(pi d) = pi d (1 + d^2 p(d^2)) for |d| <= 1/2, to 2^-27.6.
inline constexpr float kSinPi32[] = {
    -0x1.a51a5c0000000p+0f,
    0x1.9f99980000000p-1f,
    -0x1.8611680000000p-3f,
    0x1.959dd20000000p-6f};

}  // namespace engine::math

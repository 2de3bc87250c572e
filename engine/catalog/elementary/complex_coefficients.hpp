// catalog/elementary/complex_coefficients.hpp - written by tools/coefficients/complex.py: do not edit.
// clang-format off
#pragma once

namespace engine::math {

/// ln 2 and what its rounding leaves.
inline constexpr double kLn2Nearest64 = 0x1.62e42fefa39efp-1;
inline constexpr double kLn2NearestRest64 = 0x1.abc9e3b39803fp-56;
/// ln 2 and what its rounding leaves.
inline constexpr float kLn2Nearest32 = 0x1.62e4300000000p-1f;
inline constexpr float kLn2NearestRest32 = -0x1.05c6100000000p-29f;
/// atan(i / 16), and what its rounding leaves.
inline constexpr double kAtanOfSixteenths[] = {
    0.0,
    0x1.ff55bb72cfdeap-5,
    0x1.fd5ba9aac2f6ep-4,
    0x1.7b97b4bce5b02p-3,
    0x1.f5b75f92c80ddp-3,
    0x1.362773707ebccp-2,
    0x1.6f61941e4def1p-2,
    0x1.a64eec3cc23fdp-2,
    0x1.dac670561bb4fp-2,
    0x1.0657e94db30d0p-1,
    0x1.1e00babdefeb4p-1,
    0x1.345f01cce37bbp-1,
    0x1.4978fa3269ee1p-1,
    0x1.5d58987169b18p-1,
    0x1.700a7c5784634p-1,
    0x1.819d0b7158a4dp-1,
    0x1.921fb54442d18p-1};
inline constexpr double kAtanOfSixteenthsRest[] = {
    0.0,
    -0x1.c934d86d23f1dp-60,
    -0x1.cd37686760c17p-59,
    0x1.347b0b4f881cap-58,
    0x1.8ab6e3cf7afbdp-57,
    -0x1.963a544b672d8p-57,
    -0x1.c63aae6f6e918p-56,
    -0x1.24dec1b50b7ffp-56,
    0x1.a2b7f222f65e2p-56,
    -0x1.d5b495f6349e6p-56,
    -0x1.928df287a668fp-58,
    0x1.1021137c71102p-55,
    0x1.2419a87f2a458p-56,
    0x1.0028e4bc5e7cap-57,
    -0x1.8c34d25aadef6p-56,
    -0x1.bf76229d3b917p-56,
    0x1.1a62633145c07p-55};
/// pi / 2 and what its rounding leaves.
inline constexpr double kHalfPi = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;

}  // namespace engine::math

"""Constants of engine/catalog/elementary/complex_functions.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, hexadecimal, rounded


def header() -> str:
    text = ""
    for bits, item, suffix in ((53, "double", "64"), (24, "float", "32")):
        nearest = rounded(mp.log(2), bits)
        text += "/// ln 2 and what its rounding leaves.\n"
        text += f"inline constexpr {item} kLn2Nearest{suffix} = {hexadecimal(nearest, bits)};\n"
        rest = rounded(mp.log(2) - nearest, bits)
        text += f"inline constexpr {item} kLn2NearestRest{suffix} = {hexadecimal(rest, bits)};\n"
    angles = [mp.atan(mp.mpf(i) / 16) for i in range(17)]
    highs = [rounded(a, 53) for a in angles]
    text += array("kAtanOfSixteenths", highs, 53, "atan(i / 16), and what its rounding leaves.")
    text += array("kAtanOfSixteenthsRest", [rounded(a - h, 53) for a, h in zip(angles, highs, strict=True)], 53)
    half_pi = rounded(mp.pi / 2, 53)
    text += "/// pi / 2 and what its rounding leaves.\n"
    text += f"inline constexpr double kHalfPi = {hexadecimal(half_pi, 53)};\n"
    text += f"inline constexpr double kHalfPiRest = {hexadecimal(rounded(mp.pi / 2 - half_pi, 53), 53)};\n"
    return text

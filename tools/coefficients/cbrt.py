"""Coefficients of engine/catalog/elementary/cbrt.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def header() -> str:
    text = ""
    third = mp.mpf(1) / 3
    for bits, degree, suffix in ((53, 5, "64"), (24, 3, "32")):
        c, error = minimax(lambda m: m**-third, 1, 2, range(degree + 1), bits=bits)
        text += array(
            f"kCbrt{suffix}", c, bits, f"m^(-1/3) = p(m) for m in [1, 2], to 2^-{bits_of_error(error)} of it."
        )
        item = "double" if bits == 53 else "float"
        for name, value in (
            ("kCbrtThird", third),
            ("kCbrtHalf", mp.mpf(2) ** -third),
            ("kCbrtTwo", mp.mpf(2) ** third),
        ):
            text += f"inline constexpr {item} {name}{suffix} = {hexadecimal(rounded(value, bits), bits)};\n"
    return text

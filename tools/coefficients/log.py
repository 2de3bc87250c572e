"""Coefficients of engine/catalog/elementary/log.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def header() -> str:
    text = ""
    # With s = f / (2 + f): log(1 + f) = 2 artanh(s) = 2 s + s R(s^2); f in [sqrt(1/2) - 1, sqrt(2) - 1], |s| <= 0.1716.
    limit = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)

    def rest(z: mp.mpf) -> mp.mpf:  # R(z) / z
        s = mp.sqrt(z)
        return (2 * mp.atanh(s) / s - 2) / z if s > 1e-5 else 2 / mp.mpf(3) + 2 * z / 5

    c, error = minimax(rest, 0, limit**2 * (1 + mp.mpf(2) ** -20), range(7), weight=lambda z: z / 2)
    text += array("kLog64", c, 53, f"2 artanh(s) = 2 s + s^3 p(s^2) for |s| <= 0.1716, to 2^-{bits_of_error(error)}.")

    def cubic(f: mp.mpf) -> mp.mpf:  # (log(1 + f) - f + f^2 / 2) / f^3
        return (mp.log1p(f) - f + f**2 / 2) / f**3 if abs(f) > 1e-6 else mp.mpf(1) / 3 - f / 4 + f**2 / 5

    def weight(f: mp.mpf) -> mp.mpf:
        return abs(f**3 / mp.log1p(f))

    # Rounded after one fit: f^3 makes the roundings small, and the exchange wants functions not all 0 at 0.
    low, high = mp.sqrt(0.5) - 1 - mp.mpf(2) ** -24, mp.sqrt(2) - 1 + mp.mpf(2) ** -24
    best, _ = minimax(cubic, low, high, range(8), bits=100, weight=lambda f: weight(f) + mp.mpf(1) / 1000)
    c = [rounded(k, 24) for k in best]
    error = max(abs(mp.polyval(c, f, asc=True) - cubic(f)) * weight(f) for f in mp.linspace(low, high, 1000))
    text += array(
        "kLog32",
        c,
        24,
        f"log(1 + f) = f - f^2/2 + f^3 p(f), 1 + f in [sqrt(1/2), sqrt(2)], to 2^-{bits_of_error(error)} of it.",
    )
    for bits, head, item, suffix in ((53, 42, "double", "64"), (24, 15, "float", "32")):
        for value, name, low_name, first, comment in (
            (1 / mp.log(10), "kLog10E", "kLog10ELow", bits, "1 / ln 10 and the rest."),
            (mp.log(2, 10), "kLog10TwoHigh", "kLog10TwoLow", head, f"log10(2), its first {head} bits and the rest."),
        ):
            high = rounded(value, first)
            text += f"/// {comment}\n"
            text += f"inline constexpr {item} {name}{suffix} = {hexadecimal(high, bits)};\n"
            text += f"inline constexpr {item} {low_name}{suffix} = {hexadecimal(rounded(value - high, bits), bits)};\n"
    return text

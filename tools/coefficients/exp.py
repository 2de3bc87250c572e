"""Coefficients of engine/catalog/elementary/exp.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def header() -> str:
    text = ""
    half = mp.log(2) / 2 * (1 + mp.mpf(2) ** -20)

    def tail(x: mp.mpf) -> mp.mpf:  # (exp(x) - 1 - x) / x^2
        return mp.expm1(x) / x**2 - 1 / x if abs(x) > 1e-3 else mp.nsum(lambda k: x**k / mp.factorial(k + 2), [0, 30])

    # The error counts as a share of exp(x), of which x^2 * tail is one term.
    def weight(x: mp.mpf) -> mp.mpf:
        return x**2 / mp.exp(x)

    for bits, degree, name in ((53, 9, "kExp64"), (24, 4, "kExp32")):
        c, error = minimax(tail, -half, half, range(degree + 1), bits=bits, weight=weight)
        text += array(name, c, bits, f"exp(r) = 1 + r + r^2 p(r) for |r| <= ln(2)/2, to 2^-{bits_of_error(error)} of exp(r).")
    # ln 2 in two parts: the first has so few bits that its product with any exponent is exact.
    for bits, head, name in ((53, 42, "64"), (24, 15, "32")):
        high = rounded(mp.log(2), head)
        low = rounded(mp.log(2) - high, bits)
        item = "double" if bits == 53 else "float"
        text += f"/// ln 2, its first {head} bits and the rest.\n"
        text += f"inline constexpr {item} kLn2High{name} = {hexadecimal(high, bits)}, kLn2Low{name} = {hexadecimal(low, bits)};\n"
        text += f"inline constexpr {item} kLog2E{name} = {hexadecimal(rounded(1 / mp.log(2), bits), bits)};  ///< 1 / ln 2\n"
    return text

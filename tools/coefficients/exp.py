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
        text += array(
            name, c, bits, f"exp(r) = 1 + r + r^2 p(r) for |r| <= ln(2)/2, to 2^-{bits_of_error(error)} of exp(r)."
        )
    # expm1: the error counts as a share of expm1(x) itself.
    for bits, degree, name in ((53, 10, "kExpm164"), (24, 5, "kExpm132")):
        c, error = minimax(
            tail, -half, half, range(degree + 1), bits=bits, weight=lambda x: x**2 / abs(mp.expm1(x)), fixed={0: 0.5}
        )
        text += array(
            name,
            c[1:],
            bits,
            f"expm1(r) = r + r^2 (1/2 + r p(r)) for |r| <= ln(2)/2, to 2^-{bits_of_error(error)} of expm1(r).",
        )
    # exp2: 2^r = 1 + r (ln 2 + r p(r)), for float with ln 2 as p's first coefficient.
    log2 = mp.log(2)
    c, error = minimax(
        lambda x: mp.expm1(x * log2) / x,
        -0.5,
        0.5,
        range(11),
        weight=lambda x: abs(x) / mp.power(2, x),
        fixed={0: rounded(log2, 53)},
    )
    text += f"/// 2^r = 1 + r (kLn2Rounded64 + r p(r)) for |r| <= 1/2, to 2^-{bits_of_error(error)} of 2^r.\n"
    text += f"inline constexpr double kLn2Rounded64 = {hexadecimal(c[0], 53)};\n" + array("kExp264", c[1:])
    c, error = minimax(
        lambda x: mp.expm1(x * log2) / x, -0.5, 0.5, range(6), bits=24, weight=lambda x: abs(x) / mp.power(2, x)
    )
    text += array("kExp232", c, 24, f"2^r = 1 + r p(r) for |r| <= 1/2, to 2^-{bits_of_error(error)} of 2^r.")
    # ln 2 in two parts: the first has so few bits that its product with any exponent is exact.
    for bits, head, name in ((53, 42, "64"), (24, 15, "32")):
        high = rounded(mp.log(2), head)
        low = rounded(mp.log(2) - high, bits)
        item = "double" if bits == 53 else "float"
        text += f"/// ln 2, its first {head} bits and the rest.\n"
        text += f"inline constexpr {item} kLn2High{name} = {hexadecimal(high, bits)}, "
        text += f"kLn2Low{name} = {hexadecimal(low, bits)};\n"
        inverse = hexadecimal(rounded(1 / mp.log(2), bits), bits)
        text += f"inline constexpr {item} kLog2E{name} = {inverse};  ///< 1 / ln 2\n"
    return text

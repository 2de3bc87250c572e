"""Coefficients of engine/catalog/elementary/gamma.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def stirling_rest(x: mp.mpf) -> mp.mpf:
    """log2(gamma(x)) - ((x - 1/2) log2(x / e) + log2(2 pi / e)/2)."""
    if x > 10**5:
        rest = (1 / mp.mpf(12) - (1 / mp.mpf(360) - 1 / (1260 * x**2)) / x**2) / x
    else:
        rest = mp.loggamma(x) - ((x - mp.mpf("0.5")) * mp.log(x) - x + mp.log(2 * mp.pi) / 2)
    return rest / mp.log(2)


def header() -> str:
    text = ""
    wide = 1 + mp.mpf(2) ** -20
    # lgamma(1 + t) / t and lgamma(2 + t) / t.
    at_one = [-mp.euler] + [(-1) ** k * mp.zeta(k) / k for k in range(2, 110)]
    at_two = [1 - mp.euler] + [(-1) ** k * (mp.zeta(k) - 1) / k for k in range(2, 60)]
    middle = mp.mpf("1.5")
    at_middle = [mp.loggamma(middle)] + [mp.psi(k - 1, middle) / mp.factorial(k) for k in range(1, 70)]
    sine = [(-1) ** (k + 1) * mp.pi ** (2 * k + 2) / mp.factorial(2 * k + 3) for k in range(30)]
    quarter = mp.mpf("0.25")
    for bits, name, degrees in ((53, "64", (17, 19, 15, 8)), (24, "32", (7, 10, 7, 4))):
        item = "double" if bits == 53 else "float"
        c, error = minimax(
            lambda v: stirling_rest(1 / v - mp.mpf("0.5")) / v,
            0,
            2 / mp.mpf(3),
            range(degrees[0]),
            bits=bits,
            weight=lambda v: v,
            points=120,
        )
        about = f"Stirling's rest as v p(v), v = 1 / (x + 1/2), for x >= 1, to 2^-{bits_of_error(error)}."
        text += array("kStirling" + name, c, bits, about)
        constant = mp.log(2 * mp.pi / mp.e, 2) / 2
        high = rounded(constant, bits)
        low = rounded(constant - high, bits)
        text += array("kStirlingConstant" + name, (high, low), bits, "log2(2 pi / e) / 2 and its rest.")
        for place, series, degree, word in (
            (1, at_one, degrees[1], "One"),
            (1.5, at_middle, degrees[1] - 2, "Middle"),
            (2, at_two, degrees[2], "Two"),
        ):
            c, error = minimax(
                lambda t, series=series: mp.polyval(series[::-1], t),
                -quarter,
                quarter,
                range(degree + 1),
                bits=[2 * bits] + [bits] * degree,
                points=120,
            )
            low, c[0] = c[0] - rounded(c[0], bits), rounded(c[0], bits)
            form = "p(t)" if word == "Middle" else "t p(t)"
            about = f"lgamma({place} + t) = {form} for |t| <= 1/4, to 2^-{bits_of_error(error)} of it; c[0] and a rest."
            text += f"inline constexpr {item} kLgamma{word}Low{name} = {hexadecimal(low, bits)};\n"
            text += array(f"kLgamma{word}{name}", c, bits, about)
        c, error = minimax(
            lambda z: mp.polyval(sine[::-1], z),
            0,
            quarter * wide,
            range(degrees[3]),
            bits=bits,
            weight=lambda z: z,
            points=120,
        )
        about = f"sin(pi d) = pi d (1 + d^2 p(d^2)) for |d| <= 1/2, to 2^-{bits_of_error(error)}."
        text += array("kSinPi" + name, c, bits, about)
    return text

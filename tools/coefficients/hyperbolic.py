"""Coefficients of engine/catalog/elementary/hyperbolic.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def series(x: mp.mpf, terms: list[mp.mpf]) -> mp.mpf:
    return mp.polyval(terms, x, asc=True)


def header() -> str:
    text = ""
    wide = 1 + mp.mpf(2) ** -20
    quarter, half = mp.log(2) / 4 * wide, mp.log(2) / 2 * wide
    even = [1 / mp.factorial(2 * k + 2) for k in range(25)]  # (cosh(r) - 1) / r^2, in r^2
    odd = [1 / mp.factorial(2 * k + 3) for k in range(25)]  # (sinh(r) - r) / r^3, in r^2
    tangent = mp.taylor(mp.tanh, 0, 61)[3::2]  # (tanh(h) - h) / h^3, in h^2
    # Of h in [-ln(2)/4 + shift, ln(2)/4 + shift].
    shift = mp.log(2) / 4 - mp.mpf("0.125")
    text += f"inline constexpr double kTanhShift = {hexadecimal(rounded(shift, 53), 53)};\n"
    c, error = minimax(lambda z: series(z, tangent), 0, (quarter + shift) ** 2, range(7), bits=53, weight=lambda z: z)
    text += array(
        "kTanh64", c, 53, f"tanh(h) = h + h^3 p(h^2) for |h| <= ln(2)/4 + shift, to 2^-{bits_of_error(error)} of h."
    )
    text += f"inline constexpr float kHalfLn2 = {hexadecimal(rounded(mp.log(2) / 2, 24), 24)};\n"
    reach = mp.mpf("0.9375")
    text += f"inline constexpr float kTanhSeries32 = {hexadecimal(reach, 24)};\n"
    c, error = minimax(
        lambda z: (mp.tanh(mp.sqrt(z)) / mp.sqrt(z) - 1) / z,
        0,
        reach**2,
        range(7),
        bits=24,
        weight=lambda z: z**1.5 / mp.tanh(mp.sqrt(z)),
    )
    text += array("kTanh32", c, 24, f"tanh(x) = x + x^3 p(x^2) for |x| < 0.9375, to 2^-{bits_of_error(error)} of it.")
    c, error = minimax(lambda h: mp.expm1(2 * h) / h, -quarter, quarter, range(6), bits=24)
    text += array("kExpTwice32", c, 24, f"exp(2h) = 1 + h p(h) for |h| <= ln(2)/4, p to 2^-{bits_of_error(error)}.")
    for bits, degree, name in ((53, 4, "64"), (24, 2, "32")):
        c, error = minimax(lambda z: series(z, odd), 0, half**2, range(degree + 1), bits=bits, weight=lambda z: z)
        text += array(
            "kSinh" + name, c, bits, f"sinh(r) = r + r^3 p(r^2) for |r| <= ln(2)/2, to 2^-{bits_of_error(error)} of r."
        )
        c, error = minimax(lambda z: series(z, even), 0, half**2, range(degree + 1), bits=bits, weight=lambda z: z)
        text += array(
            "kCosh" + name, c, bits, f"cosh(r) = 1 + r^2 p(r^2) for |r| <= ln(2)/2, to 2^-{bits_of_error(error)}."
        )
    # atanh's k comes from Mitchell's logarithms, so that q goes a little beyond that of log.
    limit = mp.tanh(mp.log(2) / 2 * mp.mpf("0.5862"))
    for bits, degree, name in ((53, 7, "64"), (24, 3, "32")):
        item = "double" if bits == 53 else "float"
        rows, worst = [], mp.mpf(0)
        for part in (2, 1):  # part * artanh(q / part) = q + q^3 p(q^2)
            tail = [1 / mp.mpf(part) ** (2 * k + 2) / (2 * k + 3) for k in range(60)]
            c, error = minimax(
                lambda z, tail=tail: series(z, tail),
                0,
                (part * limit) ** 2,
                range(degree + 1),
                bits=bits,
                weight=lambda z: z,
            )
            rows.append("{" + ", ".join(hexadecimal(x, bits) for x in c) + "}")
            worst = max(worst, error)
        text += f"/// 2 artanh(q/2) and artanh(q), as q + q^3 p(q^2) for |q| <= 0.401 and 0.2005, to 2^-{bits_of_error(worst)} of q.\n"
        text += f"inline constexpr {item} kArtanh{name}[2][{degree + 1}] = {{\n    " + ",\n    ".join(rows) + "};\n"
    # 1 - tanh(x) is half-way between j and j + 1 steps of 2^-53 from here on, j = 2, 1, 0.
    ends = [rounded(mp.atanh(1 - mp.mpf(2 * j + 1) * mp.mpf(2) ** -54), 53) for j in (2, 1, 0)]
    text += array("kTanhEnds", ends, 53, "Where tanh begins to round to 1 - 2^-52, 1 - 2^-53, 1.")
    return text

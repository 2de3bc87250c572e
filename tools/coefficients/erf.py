"""Coefficients of engine/catalog/elementary/erf.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def scaled(x: mp.mpf) -> mp.mpf:
    return mp.exp(x * x) * mp.erfc(x)


def header() -> str:
    text = ""
    series = [2 / mp.sqrt(mp.pi) * (-1) ** k / mp.factorial(k) / (2 * k + 1) - (k == 0) for k in range(40)]
    for bits, degree, name in ((53, 12, "64"), (24, 6, "32")):
        c, error = minimax(
            lambda z: mp.polyval(series[::-1], z), 0, mp.mpf("0.9375") ** 2, range(degree + 1), bits=bits, weight=lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)), points=250
        )
        text += array("kErf" + name, c, bits, f"erf(x) = x + x p(x^2) for |x| <= 15/16, to 2^-{bits_of_error(error)} of it.")
    # q = (x - K) / (x + K); K is where few coefficients are needed.
    for bits, degree, center, name in ((53, 12, "2.5", "64"), (24, 5, "1.5", "32")):
        item = "double" if bits == 53 else "float"
        k = mp.mpf(center)

        def argument(q: mp.mpf, k: mp.mpf = k) -> mp.mpf:
            return k * (1 + q) / (1 - q)

        def share(q: mp.mpf) -> mp.mpf:
            return mp.exp(-(argument(q) ** 2)) / mp.erf(argument(q))

        start, high = mp.mpf("0.9375"), 6 if bits == 53 else 4
        c, error = minimax(
            lambda q: scaled(argument(q)), (start - k) / (start + k), (high - k) / (high + k), range(degree + 1), bits=bits, weight=share, points=250
        )
        text += f"inline constexpr {item} kErfCenter{name} = {hexadecimal(k, bits)};\n"
        about = f"exp(x^2) erfc(x) = p((x - c) / (x + c)) for 15/16 <= x <= {high}, to 2^-{bits_of_error(error)} of erf(x)."
        text += array("kErfTail" + name, c, bits, about)
    for bits, degree, high, center, name in ((53, 21, "27.31", "3.5", "64"), (24, 9, "10.21", "2.5", "32")):
        item = "double" if bits == 53 else "float"
        k, low, high = mp.mpf(center), mp.mpf("0.49"), mp.mpf(high)

        def ratio(q: mp.mpf, k: mp.mpf = k) -> mp.mpf:
            x = k * (1 + q) / (1 - q)
            return (1 + 2 * x) * scaled(x)

        c, error = minimax(ratio, (low - k) / (low + k), (high - k) / (high + k), range(degree + 1), bits=[2 * bits] + [bits] * degree, points=250)
        text += f"inline constexpr {item} kErfcCenter{name} = {hexadecimal(k, bits)};\n"
        low, c[0] = c[0] - rounded(c[0], bits), rounded(c[0], bits)
        text += f"inline constexpr {item} kErfcFirstLow{name} = {hexadecimal(low, bits)};\n"
        about = f"(1 + 2x) exp(x^2) erfc(x) = p((x - c) / (x + c)) for 0.49 <= x <= {high}, to 2^-{bits_of_error(error)} of it; c[0] and a rest."
        text += array("kErfc" + name, c, bits, about)
    return text

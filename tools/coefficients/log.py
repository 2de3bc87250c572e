"""Coefficients of engine/catalog/elementary/log.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, minimax


def header() -> str:
    text = ""
    # With s = f / (2 + f): log(1 + f) = 2 artanh(s) = 2 s + s R(s^2); f in [sqrt(1/2) - 1, sqrt(2) - 1], |s| <= 0.1716.
    limit = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)

    def rest(z: mp.mpf) -> mp.mpf:  # R(z) / z
        s = mp.sqrt(z)
        return (2 * mp.atanh(s) / s - 2) / z if s > 1e-5 else 2 / mp.mpf(3) + 2 * z / 5

    for bits, degree, name in ((53, 6, "kLog64"), (24, 3, "kLog32")):
        c, error = minimax(rest, 0, limit**2 * (1 + mp.mpf(2) ** -20), range(degree + 1), bits=bits, weight=lambda z: z / 2)
        text += array(name, c, bits, f"2 artanh(s) = 2 s + s^3 p(s^2) for |s| <= 0.1716, to 2^-{bits_of_error(error)}.")
    return text

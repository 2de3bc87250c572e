"""Coefficients of engine/catalog/elementary/inverse_trig.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def header() -> str:
    return eighth_turn() + arc_tangent()


def constant(name: str, value: mp.mpf, bits: int) -> str:
    return f"inline constexpr {'double' if bits == 53 else 'float'} {name} = {hexadecimal(value, bits)};\n"


def eighth_turn() -> str:
    """pi/4 in two parts: the first with three bits to spare, so that its multiples up to 4 are exact."""
    text = ""
    for bits, name in ((53, "64"), (24, "32")):
        high = rounded(mp.pi / 4, bits - 3)
        text += f"/// pi/4, its first {bits - 3} bits and the rest.\n"
        text += constant(f"kEighthHigh{name}", high, bits)
        text += constant(f"kEighthLow{name}", rounded(mp.pi / 4 - high, bits), bits)
    return text


def arc_tangent() -> str:
    def tail(z: mp.mpf) -> mp.mpf:  # (atan(t) - t) / t^3
        t = mp.sqrt(z)
        return (mp.atan(t) - t) / t**3 if t > 1e-6 else -mp.mpf(1) / 3 + z / 5

    def weight(z: mp.mpf) -> mp.mpf:
        return z * mp.sqrt(z) / mp.atan(mp.sqrt(z))

    text = ""
    limit = (mp.mpf(3) / 5 * (1 + mp.mpf(2) ** -20)) ** 2
    for bits, terms, name in ((53, 14, "64"), (24, 6, "32")):
        c, error = minimax(tail, 0, limit, range(terms), bits=bits, weight=weight)
        text += array(
            f"kAtan{name}", c, bits, f"atan(t) = t + t^3 p(t^2) for |t| <= 3/5, to 2^-{bits_of_error(error)}."
        )
    return text

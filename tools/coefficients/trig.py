"""Coefficients of engine/catalog/elementary/trig.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def header() -> str:
    return quarter_turn() + two_over_pi() + sine_and_cosine() + tangent()


def quarter_turn() -> str:
    """pi/2 in three parts (Cody & Waite), such that k * part is exact in float64's second for k < 2^25."""
    text = ""
    for bits, middle, name in ((53, 28, "64"), (24, 24, "32")):
        high = rounded(mp.pi / 2, bits)
        next_ = rounded(mp.pi / 2 - high, middle)
        low = rounded(mp.pi / 2 - high - next_, bits)
        text += f"/// pi/2, its first {bits} bits, the next {middle}, and the rest; and 2 / pi.\n"
        for part, value in (("High", high), ("Middle", next_), ("Low", low)):
            text += constant(f"kQuarter{part}{name}", value, bits)
        text += constant(f"kQuartersPerOne{name}", rounded(2 / mp.pi, bits), bits)
    text += "/// pi/2 after kQuarterHigh64, in one number.\n"
    return text + constant("kQuarterRest64", rounded(mp.pi / 2 - rounded(mp.pi / 2, 53), 53), 53)


def constant(name: str, value: mp.mpf, bits: int) -> str:
    return f"inline constexpr {'double' if bits == 53 else 'float'} {name} = {hexadecimal(value, bits)};\n"


def two_over_pi(words: int = 20) -> str:
    """The binary digits of 2/pi after one word of zeros (Payne & Hanek)."""
    with mp.workprec(64 * words + 64):
        digits = int(mp.floor(2 / mp.pi * mp.mpf(2) ** (64 * (words - 1))))
    values = [digits >> (64 * (words - 1 - i)) & (2**64 - 1) for i in range(words)]
    body = ",\n    ".join(", ".join(f"0x{v:016x}ul" for v in values[i : i + 4]) for i in range(0, words, 4))
    text = "/// 64 zeros, then the bits of 2 / pi after the binary point.\n"
    return text + f"inline constexpr unsigned long kTwoOverPi[] = {{\n    {body}}};\n"


def sine_and_cosine() -> str:
    def sine(z: mp.mpf) -> mp.mpf:  # (sin(r) - r) / r^3
        r = mp.sqrt(z)
        return (mp.sin(r) - r) / r**3 if r > 1e-6 else -mp.mpf(1) / 6 + z / 120

    def cosine(z: mp.mpf) -> mp.mpf:  # (cos(r) - 1) / r^2
        return -2 * (mp.sin(mp.sqrt(z) / 2) ** 2) / z if z > 1e-12 else -mp.mpf(1) / 2 + z / 24

    def sine_weight(z: mp.mpf) -> mp.mpf:
        return z * mp.sqrt(z) / mp.sin(mp.sqrt(z))

    def cosine_weight(z: mp.mpf) -> mp.mpf:
        return z / mp.cos(mp.sqrt(z))

    text = ""
    # A little beyond pi/4, since the quadrant is found from a rounded 2/pi: off by 2^-25 k of a quarter turn in float.
    for bits, slack, terms, name in ((53, 20, 6, "64"), (24, 8, 3, "32")):
        limit = (mp.pi / 4 * (1 + mp.mpf(2) ** -slack)) ** 2
        c, error = minimax(sine, 0, limit, range(terms), bits=bits, weight=sine_weight)
        says = f"sin(r) = r + r^3 p(r^2) for |r| <= pi/4, to 2^-{bits_of_error(error)}."
        text += array(f"kSin{name}", c, bits, says)
        half = {0: -mp.mpf(1) / 2}
        c, error = minimax(cosine, 0, limit, range(terms + 1), bits=bits, weight=cosine_weight, fixed=half)
        says = f"cos(r) = 1 - r^2 / 2 + r^4 p(r^2) for |r| <= pi/4, to 2^-{bits_of_error(error)}."
        text += array(f"kCos{name}", c[1:], bits, says)
    return text


def tangent() -> str:
    def tail(z: mp.mpf) -> mp.mpf:  # (tan(r) - r) / r^3
        r = mp.sqrt(z)
        return (mp.tan(r) - r) / r**3 if r > 1e-6 else mp.mpf(1) / 3 + z * 2 / 15

    def weight(z: mp.mpf) -> mp.mpf:
        return z * mp.sqrt(z) / mp.tan(mp.sqrt(z))

    text = ""
    for bits, slack, terms, name in ((53, 20, 15, "64"), (24, 8, 7, "32")):
        limit = (mp.pi / 4 * (1 + mp.mpf(2) ** -slack)) ** 2
        c, error = minimax(tail, 0, limit, range(terms), bits=bits, weight=weight)
        text += f"/// tan(r) = r + r^3 (Third + r^2 p(r^2)) for |r| <= pi/4, to 2^-{bits_of_error(error)}.\n"
        text += constant(f"kThird{name}", c[0], bits)
        text += array(f"kTan{name}", c[1:], bits)
    return text

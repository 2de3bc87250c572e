"""Coefficients of engine/catalog/elementary/inverse_trig.hpp."""

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def header() -> str:
    return eighth_turn() + arc_tangent() + arc_sine() + inverse_root()


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


def arc_sine() -> str:
    def tail(z: mp.mpf) -> mp.mpf:  # (asin(s) - s) / s^3
        s = mp.sqrt(z)
        return (mp.asin(s) - s) / s**3 if s > 1e-6 else mp.mpf(1) / 6 + z * 3 / 40

    def weight(z: mp.mpf) -> mp.mpf:
        return z * mp.sqrt(z) / mp.asin(mp.sqrt(z))

    text = ""
    for bits, terms, name in ((53, 12, "64"), (24, 5, "32")):
        c, error = minimax(tail, 0, mp.mpf(1) / 4, range(terms), bits=bits, weight=weight)
        text += array(
            f"kAsin{name}", c, bits, f"asin(s) = s + s^3 p(s^2) for |s| <= 1/2, to 2^-{bits_of_error(error)}."
        )
    return text


def inverse_root() -> str:
    """1/(2 sqrt(w)) to a few percent from the bits of w: Magic - bits(w)/2, a straight line in each binade of w.

    (Blinn, IEEE Computer Graphics and Applications 17, 1997.) Magic leaves the same error above and below.
    """
    places = [mp.mpf(i) / 128 for i in range(256)]  # of the exponent and mantissa of w, over two binades

    def line(place: mp.mpf) -> mp.mpf:  # what the bits of that exponent and mantissa mean
        whole = mp.floor(place)
        return mp.mpf(2) ** whole * (1 + place - whole)

    roots = [mp.sqrt(line(p)) for p in places]

    def errors(offset: mp.mpf) -> list[mp.mpf]:
        return [r * line(offset - p / 2) - 1 for r, p in zip(roots, places)]

    left, right = -mp.mpf(1) / 8, mp.mpf(1) / 8
    for _ in range(24):
        middle = (left + right) / 2
        e = errors(middle)
        left, right = (middle, right) if max(e) + min(e) < 0 else (left, middle)
    offset = rounded(left, 16)
    error = max(abs(e) for e in errors(offset))
    text = f"/// 1 / (2 sqrt(w)) to {float(error) * 100:.1f} percent has the bits of this less half those of w.\n"
    for bits, bias, name in ((53, 1023, "64"), (24, 127, "32")):
        magic = int(mp.floor((offset - 1 + mp.mpf(3 * bias) / 2) * mp.mpf(2) ** (bits - 1)))
        item, suffix = ("unsigned long", "ul") if bits == 53 else ("unsigned", "u")
        text += f"inline constexpr {item} kRootMagic{name} = 0x{magic:x}{suffix};\n"
    return text

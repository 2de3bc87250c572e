"""Table and coefficients of engine/catalog/elementary/pow.hpp."""

import struct

import mpmath as mp

from tools.coefficients.minimax import array, bits_of_error, hexadecimal, minimax, rounded


def table(bits: int) -> tuple[str, mp.mpf]:
    """Reciprocals c of the pieces of [sqrt(1/2), sqrt(2)) and -log2(c); and the largest |m c - 1|.

    Each c is so short that m c - 1 has at most `bits` bits. Where c is not 1, |log2(m c)| is at most half of |log2(c)|.
    """
    double = bits == 53
    index_bits = 7 if double else 5
    kind, integer, mantissa, suffix = ("d", "Q", 52, "64") if double else ("f", "I", 23, "32")

    def value(pattern: int) -> mp.mpf:
        return mp.mpf(struct.unpack(kind, struct.pack(integer, pattern))[0])

    one = struct.unpack(integer, struct.pack(kind, 1.0))[0]
    step = 1 << (mantissa - index_bits)
    # 1 is two thirds into its piece, so that the piece reaches as far below 1 as above: items are denser below.
    below = int((1 - mp.sqrt(0.5)) * 2 * 2**index_bits)
    start = one - below * step - 2 * step // 3
    largest = mp.mpf(0)
    rows = []
    for i in range(2**index_bits):
        low, high = value(start + i * step), value(start + (i + 1) * step - 1)
        best = None
        for shortness in range(4, 10):
            unit = mp.mpf(2) ** -shortness
            middle = int(2 / (low + high) / unit)
            for c in ((middle + d) * unit for d in (-1, 0, 1, 2)):
                distance = max(abs(low * c - 1), abs(high * c - 1))
                # m is a multiple of 2^-53 below 1 (2^-24), of 2^-52 above.
                exact = distance * mp.mpf(2) ** (shortness + (0 if low < 1 else -1)) <= 1
                small = distance * mp.mpf("1.45") <= abs(mp.log(c, 2)) / 2
                if exact and small and (best is None or distance < best[0]):
                    best = (distance, c)
        if low <= 1 <= high or best is None:
            best = (max(abs(low - 1), abs(high - 1)), mp.mpf(1))
        rows.append(best[1])
        largest = max(largest, best[0])
    # log2 in two parts: an exponent plus the first is exact.
    unit = mp.mpf(2) ** (41 if double else 15)
    highs = [mp.nint(-mp.log(c, 2) * unit) / unit for c in rows]
    lows = [rounded(-mp.log(c, 2) - h, bits) for c, h in zip(rows, highs)]
    text = f"/// The first piece begins with these bits; they are 2^{mantissa - index_bits} apart.\n"
    unsigned, ending = ("unsigned long", "ul") if double else ("unsigned", "u")
    text += f"inline constexpr {unsigned} kPowStart{suffix} = {hex(start)}{ending};\n"
    item = "double" if double else "float"
    bound = round(float(mp.log(largest, 2)), 2)
    text += f"/// Of each piece: c, for which m c - 1 is exact and at most 2^{bound}; -log2(c) as a multiple of\n"
    text += f"/// 1 / {int(unit)}, and the rest of it; 0.\n"
    columns = (rows, highs, lows)
    body = ",\n    ".join(
        "{" + ", ".join(hexadecimal(x, bits) for x in (*row, mp.mpf(0))) + "}" for row in zip(*columns)
    )
    text += f"alignas({32 if double else 16}) inline constexpr {item} kPowRows{suffix}[{len(rows)}][4] = "
    text += f"{{\n    {body}}};\n"
    if not double:
        body = ",\n    ".join("{" + ", ".join(hexadecimal(x, bits) for x in column) + "}" for column in columns)
        text += "/// The same by columns.\n"
        text += f"alignas(64) inline constexpr float kPowColumns32[3][{len(rows)}] = {{\n    {body}}};\n"
    return text, largest


def header() -> str:
    text = ""
    log2 = mp.log(2)
    for bits, suffix, log_terms, exp_terms in ((53, "64", 7, 11), (24, "32", 5, 6)):
        rows, largest = table(bits)
        text += rows

        def cubic(f: mp.mpf) -> mp.mpf:  # (log(1 + f) - f + f^2 / 2) / f^3
            if abs(f) < 1e-4:
                return sum((-1) ** k * f**k / (k + 3) for k in range(16))
            return (mp.log1p(f) - f + f**2 / 2) / f**3

        c, error = minimax(
            lambda f: cubic(f) / log2,
            -largest,
            largest,
            range(log_terms),
            bits=bits,
            weight=lambda f: abs(f**3 / mp.log1p(f)) * log2,
        )
        text += array(
            f"kPowLog{suffix}",
            c,
            bits,
            f"log2(1 + f) = (f - f^2/2) / ln 2 + f^3 p(f), to 2^-{bits_of_error(error)} of it.",
        )

        def tail(r: mp.mpf) -> mp.mpf:  # (2^r - 1 - r ln 2) / r^2
            if abs(r) < 1e-4:
                return sum(log2 ** (k + 2) * r**k / mp.factorial(k + 2) for k in range(16))
            return (mp.expm1(r * log2) - r * log2) / r**2

        half = mp.mpf(1) / 2 + (
            mp.mpf(1) / 24 if bits == 53 else mp.mpf(1) / 10
        )  # the low part of the power is not in n
        c, error = minimax(tail, -half, half, range(exp_terms), bits=bits, weight=lambda r: r**2 / mp.power(2, r))
        text += array(
            f"kPowExp{suffix}",
            c,
            bits,
            f"2^r = 1 + r ln 2 + r^2 p(r) for |r| <= {mp.nstr(half, 3)}, to 2^-{bits_of_error(error)} of 2^r.",
        )
        item = "double" if bits == 53 else "float"
        text += f"inline constexpr {item} kLn2{suffix} = {hexadecimal(rounded(log2, bits), bits)};\n"
        rest = rounded(log2 - rounded(log2, bits), bits)
        text += f"inline constexpr {item} kLn2Rest{suffix} = {hexadecimal(rest, bits)};  ///< ln 2 - kLn2\n"
        high = rounded(1 / log2, bits)
        rest = hexadecimal(rounded(1 / log2 - high, bits), bits)
        text += f"inline constexpr {item} kLog2ERest{suffix} = {rest};  ///< 1 / ln 2 - kLog2E\n"
    return text

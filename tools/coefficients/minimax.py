"""Polynomials of least largest error, with coefficients that are floating-point numbers.

Remez' exchange on a fixed fine grid of Chebyshev points (Remez, C. R. Acad. Sci. 198, 1934), in mpmath's arithmetic.
The coefficients are rounded one after another, lowest power first, and after each rounding the rest is fitted anew, so
that later coefficients take up the rounding errors of earlier ones (cf. Brisebarre & Chevillard, ARITH 18, 2007, whose
lattice method finds slightly better ones).

The files of this folder each write one header of engine/catalog/elementary/; `python -m tools.coefficients` writes
them all, and writes the same text every time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath as mp

mp.mp.prec = 200


def rounded(x: mp.mpf, bits: int) -> mp.mpf:
    """x to `bits` significant bits, to nearest even; no limit on the exponent."""
    with mp.workprec(bits):
        return +x


def hexadecimal(x: mp.mpf, bits: int) -> str:
    """A C++ literal that is exactly x, which must have at most `bits` significant bits (24: float, 53: double)."""
    if x == 0:
        return "0.0f" if bits <= 24 else "0.0"
    assert rounded(x, bits) == x
    return f"{float(x).hex()}f" if bits <= 24 else float(x).hex()


def minimax(
    f: Callable[[mp.mpf], mp.mpf],
    low: float,
    high: float,
    exponents: Sequence[int],
    *,
    bits: int | Sequence[int] = 53,
    weight: Callable[[mp.mpf], mp.mpf] | None = None,
    fixed: dict[int, mp.mpf] | None = None,
    points: int = 0,
) -> tuple[list[mp.mpf], mp.mpf]:
    """Coefficients c of sum c[k] x**exponents[k], and the largest weighted error they leave on [low, high].

    weight: of the error at x; 1/|f(x)| where None (relative error). bits: of each coefficient, or of all.
    fixed: coefficients that are given, by exponent (1 for x**0, say). The grid leaves out 0, where f is often a limit.
    """
    exponents = list(exponents)
    widths = [bits] * len(exponents) if isinstance(bits, int) else list(bits)
    n_points = points or 40 * len(exponents) + 200
    low, high = mp.mpf(low), mp.mpf(high)
    xs = []
    for i in range(n_points):
        x = (low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (i + mp.mpf(1) / 2) / n_points)
        if x != 0:
            xs.append(x)
    fs = [mp.mpf(f(x)) for x in xs]
    ws = [1 / abs(v) if weight is None else mp.mpf(weight(x)) for x, v in zip(xs, fs)]
    powers = [[x**e for e in exponents] for x in xs]
    known: dict[int, mp.mpf] = {exponents.index(e): mp.mpf(c) for e, c in (fixed or {}).items()}

    def fit() -> tuple[dict[int, mp.mpf], mp.mpf]:
        free = [k for k in range(len(exponents)) if k not in known]
        rest = [v - sum(c * p[k] for k, c in known.items()) for v, p in zip(fs, powers)]
        if not free:
            return dict(known), max(abs(r) * w for r, w in zip(rest, ws))
        m = len(free) + 1
        count = len(xs)
        chosen = sorted(
            {min(count - 1, int((1 - mp.cos(mp.pi * i / (m - 1))) / 2 * (count - 1) + 0.5)) for i in range(m)}
        )
        if len(chosen) < m:
            chosen = [i * (count - 1) // (m - 1) for i in range(m)]
        result = None
        for _ in range(60):
            a = mp.matrix(m, m)
            b = mp.matrix(m, 1)
            for row, i in enumerate(chosen):
                for column, k in enumerate(free):
                    a[row, column] = powers[i][k] * ws[i]
                a[row, m - 1] = (-1) ** row
                b[row] = rest[i] * ws[i]
            solution = mp.lu_solve(a, b)
            result = {k: solution[c] for c, k in enumerate(free)}
            errors = [(r - sum(result[k] * p[k] for k in free)) * w for r, p, w in zip(rest, powers, ws)]
            # One extremum from each run of one sign, then the best m neighbours of alternating sign.
            runs: list[int] = []
            for i, error in enumerate(errors):
                if runs and (errors[runs[-1]] >= 0) == (error >= 0):
                    if abs(error) > abs(errors[runs[-1]]):
                        runs[-1] = i
                else:
                    runs.append(i)
            while len(runs) > m:
                if len(runs) == m + 1:
                    del runs[0 if abs(errors[runs[0]]) < abs(errors[runs[-1]]) else -1]
                else:
                    k = min(range(len(runs)), key=lambda k: abs(errors[runs[k]]))
                    # An inner one goes with its smaller neighbour, so that signs still alternate.
                    if k in (0, len(runs) - 1):
                        del runs[k]
                    else:
                        other = k - 1 if abs(errors[runs[k - 1]]) < abs(errors[runs[k + 1]]) else k + 1
                        for index in sorted((k, other), reverse=True):
                            del runs[index]
            if len(runs) < m or runs == chosen:
                break
            level = abs(solution[m - 1])
            chosen = runs
            if max(abs(e) for e in errors) <= level * (1 + mp.mpf(10) ** -4):
                break
        return {**known, **result}, max(abs(e) for e in errors)

    best, error = fit()
    for k in range(len(exponents)):
        if k in known:
            continue
        known[k] = rounded(best[k], widths[k])
        best, error = fit()
    return [best[k] for k in range(len(exponents))], error


def array(name: str, coefficients: Sequence[mp.mpf], bits: int = 53, comment: str = "") -> str:
    """A constexpr array of them, as C++."""
    item = "float" if bits <= 24 else "double"
    body = ",\n    ".join(hexadecimal(c, bits) for c in coefficients)
    head = f"/// {comment}\n" if comment else ""
    return f"{head}inline constexpr {item} {name}[] = {{\n    {body}}};\n"


def bits_of_error(error: mp.mpf) -> float:
    """-log2 of it, for the comments."""
    return round(float(-mp.log(error, 2)), 1)

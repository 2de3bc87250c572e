"""What arithmetic gives with exactness="relaxed", as digests: the same on every backend and instruction set.

`python -m tests.differential.relaxed --backend interp` prints them, an expression a line. NumPy is not asked: its bits
are not promised. The generator of programs makes too few sums of products and powers, so these have one of their own.
"""

from __future__ import annotations

import argparse
import hashlib
import random

import numpy as np

import engine

NUMBERS = ("2", "3", "0.1", "-1.5", "1e-3", "7", "-0.0")
POWERS = ("2", "3", "4", "5", "3.0", "6", "0.5")


def expression(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.1:
        return rng.choice("abc") if rng.random() < 0.75 else rng.choice(NUMBERS)
    kind = rng.random()
    left = expression(rng, depth - 1)
    if kind < 0.08:
        return f"({left})**{rng.choice(POWERS)}"
    if kind < 0.16:
        return f"({left}) / {rng.choice(NUMBERS)}"
    if kind < 0.22:
        return f"{rng.choice(('-', 'sqrt', 'abs', 'sin', 'cos', 'tan', 'sum', 'float32'))}({left})"
    return f"({left} {rng.choice('+-***')} {expression(rng, depth - 1)})"


def operands(rng: random.Random) -> dict[str, np.ndarray]:
    """Three arrays that broadcast together, of two dtypes and any layout."""
    values = np.random.default_rng(rng.getrandbits(32))
    rows, columns = rng.choice(((1, 5), (3, 70), (4, 64), (2, 600)))
    names = {}
    for name in "abc":
        shape = rng.choice(((rows, columns), (rows, columns), (1, columns), (rows, 1)))
        array = values.uniform(-3, 3, (shape[0], 2 * shape[1])).astype(rng.choice(("f4", "f8", "f8")))
        step = rng.choice((1, 2, -1))
        names[name] = array[:, ::step][:, : shape[1]] if rng.random() < 0.7 else np.asfortranarray(array[:, : shape[1]])
    return names


def case(seed: int) -> tuple[str, dict[str, np.ndarray]]:
    rng = random.Random(seed)
    return expression(rng, rng.randint(1, 5)), operands(rng)


def outcome(text: str, names: dict, backend: str, exactness: str = "relaxed") -> bytes:
    """dtype, shape and elements, any NaN being as good as another, or the class of the error."""
    try:
        value = np.array(engine.evaluate(text, names, backend=backend, exactness=exactness))
    except engine.Error as error:
        return type(error).__name__.encode()
    if value.dtype.kind in "fc":
        for part in (value.real, value.imag) if value.dtype.kind == "c" else (value,):
            part[np.isnan(part)] = np.nan
    return f"{value.dtype} {value.shape}".encode() + value.tobytes()


def digests(first: int, count: int, backend: str) -> list[str]:
    cases = map(case, range(first, first + count))
    return [hashlib.sha256(outcome(text, names, backend)).hexdigest()[:16] for text, names in cases]


def n_changed(first: int, count: int) -> int:
    """How many of them give something else than strictly."""
    cases = map(case, range(first, first + count))
    return sum(outcome(*each, "interp") != outcome(*each, "interp", "strict") for each in cases)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="interp")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("\n".join(digests(options.seed, options.count, options.backend)))

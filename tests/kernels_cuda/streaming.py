"""Large operands of the host, which go to the device and back in pieces, against the interpreter: the same bits.

Run as a program, for which ENGINE_CUDA_DRIVER says what a device is: `python -m tests.kernels_cuda.streaming`. Prints
what differs and how much was compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import engine

# Two pieces and some; of float64, 1,048,576 + 4,099 elements: the last piece is short. Pieces are 4 MiB of the widest.
SIZES = ((1 << 20) + 4099, (1 << 20) + 1, (3 << 19) + 5000)


def same(got: np.ndarray, want: np.ndarray) -> bool:
    return got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes()


def both(text: str, names: dict, **more) -> bool:
    got = engine.evaluate(text, names, backend="cuda", **more)
    return same(got, engine.evaluate(text, names, backend="interp", **more))


def written(text: str, names: dict, target: str) -> bool:
    """Of a program that writes to an operand."""
    got, want = dict(names), dict(names)
    got[target], want[target] = names[target].copy(), names[target].copy()
    engine.evaluate(text, got, backend="cuda")
    engine.evaluate(text, want, backend="interp")
    return same(got[target], want[target])


def comparisons() -> Iterator[tuple[str, bool]]:
    rng = np.random.default_rng(2)
    for n in SIZES:
        a, b = rng.random(n), rng.random(n)
        f, i = rng.random(n, dtype=np.float32), rng.integers(-9, 9, n, dtype=np.int8)
        names = {"a": a, "b": b, "f": f, "i": i, "s": 2.5}
        yield f"several dtypes, {n}", both("s*a + f*i - b", names)
        yield f"bool from float64, {n}", both("a < b", names)
        yield f"an operand twice, {n}", both("a*a + a", names)
        yield f"positions, {n}", both("a + index()", names)
        out = np.zeros(n)
        engine.evaluate("a - b", names, out=out, backend="cuda")
        yield f"into out, {n}", same(out, engine.evaluate("a - b", names, backend="interp"))
        yield f"in place, {n}", written("a[...] = a*b + 1", names, "a")
        # What does not go in pieces: shifted views of the same memory, strides, reductions, several statements.
        yield f"shifted, {n}", both("a[1:] + a[:-1]", names)
        yield f"shifted in place, {n}", written("a[1:] = a[:-1] + 1", names, "a")
        yield f"strided, {n}", both("a[::2] + b[::2]", names)
        yield f"reversed, {n}", both("a[::-1] + b", names)
        yield f"a reduction, {n}", both("sum(a*b)", names)
        yield f"two statements, {n}", both("c = a + b; c*c - sum(c)", names)
        shared = np.arange(2 * n, dtype=np.float64)
        yield f"one place as two dtypes, {n}", both("y + x", {"x": shared[:n], "y": shared.view(np.float32)[:n]})
        yield (
            f"one memory as two dtypes, {n}",
            both("x + y", {"x": shared[:n], "y": shared.view(np.float32)[n : 2 * n]}),
        )
        unaligned = np.zeros(8 * n + 1, np.uint8)[1:].view(np.float64)
        unaligned[...] = b
        yield f"unaligned, {n}", both("a + u", {"a": a, "u": unaligned})
        yield f"the other byte order, {n}", both("a + u", {"a": a, "u": b.astype(">f8")})


def main() -> None:
    n_compared = 0
    for claim, holds in comparisons():
        n_compared += 1
        if not holds:
            print("differs:", claim)
    print(n_compared, "compared")


if __name__ == "__main__":
    main()

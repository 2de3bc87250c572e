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


def of_rows(n: int, names: dict) -> Iterator[tuple[str, bool]]:
    """Along the first axis, in slabs; what is small goes whole. Reductions, too."""
    a, b = names["a"], names["b"]
    names |= {"A": a[: n // 1000 * 1000].reshape(-1, 1000), "r": b[:1000], "c": b[: n // 1000, None]}
    for text in (
        "A[1:-1, 1:-1] + 0.5*(A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:])",
        "A[:-1:2, ::-1] - A[1::2, 7:8]",
        "sum(A[1:, :-1]*A[:-1, 1:], axis=0)",
        "min(A[2:] - A[:-2], axis=1)",
        "A*r - c",
        "A + index(0)*index(1)",
        "sum(A, axis=0)",
        "var(A*r, axis=0)",
        "sum(A*c, axis=1)",
        "argmax(A, axis=1)",
        "sum(A)",
        "sum(f*i, dtype='float64')",
        "mean(a) + max(a)",
        "sum(a*index())",
    ):
        yield f"{text}, {n}", both(text, names)
    yield f"rows into out, {n}", both("A - r", names, out=np.zeros_like(names["A"]))
    for text in (
        "A[1:-1, 1:-1] = A[1:-1, 1:-1] + 0.5*(A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:])",
        "A[1:-1, 1:-1] += A[:-2, 2:]*r[2:]",
        "A[:, ::2] = A[:, 1::2][:, ::-1] - c",
    ):
        yield f"{text}, {n}", written(text, names, "A")
    yield f"read after a write, {n}", written("a[:10] = 7; a[...] = a / sum(a)", names, "a")


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
        if n == SIZES[-1]:
            yield from of_rows(n, names)
        yield f"shifted, {n}", both("a[1:] + a[:-1]", names)
        yield f"shifted in place, {n}", written("a[1:] = a[:-1] + 1", names, "a")
        yield f"shifted down in place, {n}", written("a[:-3] = a[3:] + a[1:-2]", names, "a")
        yield f"a target with gaps, {n}", written(f"a[: {n // 2 * 2} : 2] = a[1::2][::-1] + b[1::2]", names, "a")
        yield f"strided, {n}", both("a[::2] + b[::2]", names)
        yield f"reversed, {n}", both("a[::-1] + b", names)
        yield f"a reduction, {n}", both("sum(a*b)", names)
        yield f"of one element more, {n}", both("max(a[1:] - b[:-1])", names)
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

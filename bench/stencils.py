"""Stencils against their peers, interleaved in one process: python bench/stencils.py [--threads 2] [--rounds 7].

For each case the median time, its share of the same run's copy past the caches (of as many bytes: read once, written
once), and the times of numba's parallel loops, numexpr and NumPy on slices and scipy.ndimage as multiples of the
engine's. A peer that is not installed is named. Cases of steps also have the engine's own single steps.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics

# libgomp (numba) spins for many milliseconds otherwise: see environment() in versus.py.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")

import numexpr
import numpy as np
import versus
from scipy import ndimage

import engine

NINE = "a + 0.5*(a[-1,0] + a[1,0] + a[0,-1] + a[0,1]) + 0.25*(a[-1,-1] + a[-1,1] + a[1,-1] + a[1,1])"
NINE_SLICES = (
    "b[1:-1,1:-1] = a[1:-1,1:-1] + 0.5*(a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:])"
    " + 0.25*(a[:-2,:-2] + a[:-2,2:] + a[2:,:-2] + a[2:,2:])"
)
JACOBI = "0.25*(a[-1,0] + a[1,0] + a[0,-1] + a[0,1])"
SEVEN = "a + 0.1*(a[-1,0,0] + a[1,0,0] + a[0,-1,0] + a[0,1,0] + a[0,0,-1] + a[0,0,1] - 6*a)"
WEIGHTS = np.array([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])


def numba_forms() -> dict:
    try:
        import numba
    except ImportError:
        return {}

    @numba.njit(parallel=True)
    def nine(a, b):
        for i in numba.prange(1, a.shape[0] - 1):
            for j in range(1, a.shape[1] - 1):
                b[i, j] = (
                    a[i, j]
                    + 0.5 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])
                    + 0.25 * (a[i - 1, j - 1] + a[i - 1, j + 1] + a[i + 1, j - 1] + a[i + 1, j + 1])
                )

    @numba.njit(parallel=True)
    def jacobi(a, b, steps):
        for _ in range(steps):
            for i in numba.prange(1, a.shape[0] - 1):
                for j in range(1, a.shape[1] - 1):
                    b[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])
            a, b = b, a
        return a

    @numba.njit(parallel=True)
    def seven(a, b, steps):
        for _ in range(steps):
            for i in numba.prange(1, a.shape[0] - 1):
                for j in range(1, a.shape[1] - 1):
                    for k in range(1, a.shape[2] - 1):
                        around = a[i - 1, j, k] + a[i + 1, j, k] + a[i, j - 1, k] + a[i, j + 1, k]
                        around += a[i, j, k - 1] + a[i, j, k + 1]
                        b[i, j, k] = a[i, j, k] + 0.1 * (around - 6 * a[i, j, k])
            a, b = b, a
        return a

    return {"nine": nine, "jacobi": jacobi, "seven": seven}


def numpy_nine(a, b):
    edges = a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]
    b[1:-1, 1:-1] = a[1:-1, 1:-1] + 0.5 * edges + 0.25 * (a[:-2, :-2] + a[:-2, 2:] + a[2:, :-2] + a[2:, 2:])


def numexpr_nine(a, b):
    rows, columns = (slice(None, -2), slice(1, -1), slice(2, None)), (slice(None, -2), slice(1, -1), slice(2, None))
    views = {f"{x}{y}": a[r, c] for x, r in zip("nms", rows, strict=True) for y, c in zip("wme", columns, strict=True)}
    text = "mm + 0.5*(nm + sm + mw + me) + 0.25*(nw + ne + sw + se)"
    numexpr.evaluate(text, views, out=b[1:-1, 1:-1], casting="same_kind")


def measure(title: str, forms: dict, elements: int, item: int, copy, rounds: int, steps: int = 1) -> None:
    times = versus.rounds(forms | {"copy": copy}, 0, least=rounds, rng=random.Random(title))
    medians = {name: statistics.median(each) for name, each in times.items()}
    ours = medians.pop("engine")
    limit = medians.pop("copy") * steps
    others = "  ".join(f"{name} {medians[name] / ours:5.2f}" for name in medians)
    rate = 2 * elements * item * steps / ours / 1e9
    print(f"{title:28} {1e3 * ours:8.2f} ms  {rate:5.1f} GB/s  copy {limit / ours:4.2f}  {others}", flush=True)


def nine(n: int, dtype: str, threads: int, rounds: int, *, strided: bool = False) -> None:
    a = np.random.default_rng(0).random((n, 2 * n if strided else n)).astype(dtype)
    a = a[:, ::2] if strided else a
    b, out = np.zeros((n, n), dtype), np.zeros((n, n), dtype)
    made = engine.compile_stencil(NINE, threads=threads)
    slices = engine.compile(NINE_SLICES, threads=threads)
    forms = {
        "engine": lambda: made(a=a, out=out),
        "slices": lambda: slices(a=a, b=b),
        "NumPy": lambda: numpy_nine(a, b),
        "numexpr": lambda: numexpr_nine(a, b),
        "scipy": lambda: ndimage.correlate(a, WEIGHTS, output=out),
    }
    if numba := numba_forms():
        forms["numba"] = lambda: numba["nine"](a, b)
    whole = engine.compile("x", threads=threads)
    source = np.ascontiguousarray(a)
    title = f"9 points {n}^2 {dtype}{' strided' if strided else ''}"
    measure(title, forms, n * n, a.itemsize, lambda: whole(x=source, out=out), rounds)


def steps(text: str, shape: tuple[int, ...], count: int, threads: int, rounds: int, numba_name: str) -> None:
    a = np.random.default_rng(0).random(shape)
    out, b = np.empty_like(a), np.empty_like(a)
    made = engine.compile_stencil(text, boundary="keep", threads=threads)
    forms = {"engine": lambda: made(a=a, out=out, steps=count)}
    if count > 1:
        forms["single steps"] = lambda: made(a=a, out=out, steps=count, every=1, callback=None, until="1 > 2")
    if numba := numba_forms():
        call = numba[numba_name]
        forms["numba"] = lambda: call(a.copy(), b, count)
    whole = engine.compile("x", threads=threads)
    dims = "x".join(map(str, shape))
    measure(
        f"{count} step{'s' if count > 1 else ''} {dims}", forms, a.size, 8, lambda: whole(x=a, out=out), rounds, count
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    threads, rounds = options.threads, options.rounds
    numexpr.set_num_threads(threads)
    try:
        import numba

        numba.set_num_threads(threads)
        print(f"numba {numba.__version__}, {threads} threads")
    except ImportError:
        print(f"numba is not installed; {threads} threads")
    for n in (1000, 4000):
        for dtype in ("f8", "f4"):
            nine(n, dtype, threads, rounds)
    nine(4000, "f8", threads, rounds, strided=True)
    steps(JACOBI, (2000, 2000), 1, threads, rounds, "jacobi")
    steps(JACOBI, (2000, 2000), 100, threads, 3, "jacobi")
    steps(SEVEN, (256, 256, 256), 1, threads, rounds, "seven")
    steps(SEVEN, (256, 256, 256), 16, threads, 3, "seven")


if __name__ == "__main__":
    main()

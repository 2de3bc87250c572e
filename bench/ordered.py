"""Operations along an axis against NumPy, interleaved in one process: python bench/ordered.py [elements].

Medians of seven rounds; a ratio above 1 is how many times faster the engine is.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

import engine

CASES = (
    ("sort", "sort(a)", lambda a, b, m, s: np.sort(a)),
    ("argsort", "argsort(a)", lambda a, b, m, s: np.argsort(a)),
    ("cumsum of a product", "cumsum(a*b)", lambda a, b, m, s: np.cumsum(a * b)),
    ("cumsum along rows", "cumsum(m, axis=1)", lambda a, b, m, s: np.cumsum(m, 1)),
    ("cumsum along columns", "cumsum(m, axis=0)", lambda a, b, m, s: np.cumsum(m, 0)),
    ("cummax", "cummax(a)", lambda a, b, m, s: np.maximum.accumulate(a)),
    ("sort rows of 10", "sort(s)", lambda a, b, m, s: np.sort(s)),
    ("sort columns", "sort(m, axis=0)", lambda a, b, m, s: np.sort(m, 0)),
    ("sort float32", "sort(float32(a))", lambda a, b, m, s: np.sort(a.astype("f4"))),
    ("sort int32", "sort(int32(1000*a))", lambda a, b, m, s: np.sort((1000 * a).astype("i4"))),
    ("compress", "compress(a*b, a > 0)", lambda a, b, m, s: (a * b)[a > 0]),
    ("a[a > 3]", "a[a > 3]", lambda a, b, m, s: a[a > 3]),
    ("flatnonzero", "flatnonzero(a > 0)", lambda a, b, m, s: np.flatnonzero(a > 0)),
    ("unique", "unique(a)", lambda a, b, m, s: np.unique(a)),
    ("unique of few", "unique(int64(9*a))", lambda a, b, m, s: np.unique((9 * a).astype("i8"))),
    ("partition", "partition(a, 1000000)", lambda a, b, m, s: np.partition(a, 1000000)),
    ("topk 100", "topk(a, 100)", lambda a, b, m, s: np.sort(np.partition(a, -100)[-100:])[::-1]),
    ("median", "median(a)", lambda a, b, m, s: np.median(a)),
    ("median of rows", "median(m, axis=1)", lambda a, b, m, s: np.median(m, 1)),
    ("median of columns", "median(m, axis=0)", lambda a, b, m, s: np.median(m, 0)),
    ("quantile of a product", "quantile(a*b, 0.9)", lambda a, b, m, s: np.quantile(a * b, 0.9)),
    ("searchsorted", "searchsorted(s[0:1000, 0], a)", lambda a, b, m, s: np.searchsorted(s[0:1000, 0], a)),
    ("bincount", "bincount(int64(9 + abs(a)))", lambda a, b, m, s: np.bincount((9 + np.abs(a)).astype("i8"))),
    ("histogram", "histogram(a, 100)", lambda a, b, m, s: np.histogram(a, 100)[0]),
    ("unique_inverse", "unique_inverse(a)", lambda a, b, m, s: np.unique(a, return_inverse=True)[1]),
)


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main(n: int) -> None:
    a, b = np.random.default_rng(0).standard_normal((2, n))
    names = {"a": a, "b": b, "m": a.reshape(n // 1000, 1000), "s": a.reshape(n // 10, 10)}
    print(f"{n} float64, {engine.num_threads()} threads; ms")
    for title, text, numpy in CASES:
        ours, theirs = [], []
        for _ in range(8):
            ours.append(seconds(lambda text=text: engine.evaluate(text, names)))
            theirs.append(seconds(lambda numpy=numpy: numpy(**names)))
        x, y = statistics.median(ours[1:]), statistics.median(theirs[1:])
        print(f"{title:22} engine {x * 1e3:8.2f}  NumPy {y * 1e3:8.2f}  ratio {y / x:5.2f}")


if __name__ == "__main__":
    main(int(float(sys.argv[1])) // 1000 * 1000 if len(sys.argv) > 1 else 2_000_000)

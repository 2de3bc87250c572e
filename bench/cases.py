"""The expressions that are measured, each with its source.

A case gives its text, its operands for a size, and the same computation in NumPy and numexpr.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numexpr
import numpy as np


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    text: str
    operands: Callable[[int], dict]
    numpy: Callable[[dict], object]
    numexpr_text: str | None = None
    grid: bool = False  # sizes are squares

    def numexpr(self, names):
        return numexpr.evaluate(self.numexpr_text or self.text, names)


def _random(n, names, dtype=np.float64):
    rng = np.random.default_rng(1)
    return {name: rng.standard_normal(n).astype(dtype) for name in names}


CASES = (
    Case("seed f64", "the founding document's expression", "4*a + 5*a*b + 6*b*c", lambda n: _random(n, "abc"),
         lambda d: 4 * d["a"] + 5 * d["a"] * d["b"] + 6 * d["b"] * d["c"]),
    Case("seed f32", "the same in single precision", "4*a + 5*a*b + 6*b*c", lambda n: _random(n, "abc", np.float32),
         lambda d: 4 * d["a"] + 5 * d["a"] * d["b"] + 6 * d["b"] * d["c"]),
    Case("polynomial", "numexpr's guide", "0.25*a*a*a + 0.75*a*a - 1.5*a - 2", lambda n: _random(n, "a"),
         lambda d: 0.25 * d["a"] * d["a"] * d["a"] + 0.75 * d["a"] * d["a"] - 1.5 * d["a"] - 2),
    Case("where", "numexpr's guide", "where(a > b, a*2, b + 1)", lambda n: _random(n, "ab"),
         lambda d: np.where(d["a"] > d["b"], d["a"] * 2, d["b"] + 1)),
    Case("bool", "a filter of three conditions", "(a > 0) & (b < 1) | (c > 2)", lambda n: _random(n, "abc"),
         lambda d: (d["a"] > 0) & (d["b"] < 1) | (d["c"] > 2)),
    Case("mixed dtypes", "integers among floats", "a*i + b", lambda n: {**_random(n, "ab"), "i": np.arange(n, dtype=np.int32)},
         lambda d: d["a"] * d["i"] + d["b"]),
    Case("gaussian", "the normal density", "exp(-a*a/2)/2.5066282746310002", lambda n: _random(n, "a"),
         lambda d: np.exp(-d["a"] * d["a"] / 2) / 2.5066282746310002),
    Case("sum(a*b)", "a dot product", "sum(a*b)", lambda n: _random(n, "ab"), lambda d: (d["a"] * d["b"]).sum()),
    Case("strided", "every second element", "a[::2]*2 + b[::2]", lambda n: _random(2 * n, "ab"),
         lambda d: d["a"][::2] * 2 + d["b"][::2], None),
)  # fmt: skip

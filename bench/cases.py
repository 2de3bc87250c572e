"""The expressions that ./dev bench measures, each with where it comes from.

A case gives one text to the engine, the same computation to NumPy as a function of the operands, and, where numexpr
can say it, the text for numexpr. `operands(n)` makes inputs of about n items each, the same ones on every run.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Case(NamedTuple):
    name: str
    source: str
    text: str
    operands: Callable  # n -> {name: array}
    numpy: Callable  # the operands by keyword -> result
    numexpr: str | None = None  # None: numexpr has no such expression
    numexpr_operands: Callable = dict  # operands -> what numexpr is given, for slices and typed literals
    sizes: tuple = ()  # the only sizes to measure at, where the usual ones make no sense
    functions: bool = False  # elementary functions are most of the work
    written: str = ""  # the operand that is written to
    passes: int = 1  # how often the least traffic passes memory, were nothing kept in a cache between them
    engine: Callable | None = None  # (evaluate, operands) -> result, where one call does not say it


def vectors(names, dtype=np.float64, low=0.5, high=2.0):
    """n -> one-dimensional operands, uniform in [low, high)."""

    def make(n):
        rng = np.random.default_rng(7)
        return {name: (low + (high - low) * rng.random(n)).astype(dtype, copy=False) for name in names}

    return make


def matrix(n, seed=7, dtype=np.float64):
    """About n items in two dimensions, as near to square as whole numbers allow."""
    rows = max(3, math.isqrt(n))
    return np.random.default_rng(seed).random((rows, max(3, n // rows))).astype(dtype, copy=False)


def mixed(n):
    rng = np.random.default_rng(7)
    return {
        "i": rng.integers(-1000, 1000, n, dtype=np.int32),
        "f": rng.random(n, dtype=np.float32),
        "d": rng.random(n),
    }


def complexes(names):
    def make(n):
        rng = np.random.default_rng(7)
        return {name: rng.random(n) + 1j * rng.random(n) for name in names}

    return make


def every_other(n):
    return {name: array[::2] for name, array in vectors("ab")(2 * n).items()}


def transposed(n):
    rows = max(3, math.isqrt(n))
    return {"a": matrix(rows * rows, 1).T, "b": matrix(rows * rows, 2)}


def row_and_column(n):
    a = matrix(n)
    return {"a": a, "r": a[0].copy(), "c": a[:, :1].copy()}


def image(n):
    a = matrix(n)
    return {"a": a, "b": a.copy()}


NINE_POINTS = """b[1:-1,1:-1] = (a[1:-1,1:-1] + 0.5*(a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:])
    + 0.25*(a[:-2,:-2] + a[:-2,2:] + a[2:,:-2] + a[2:,2:]))"""


def nine_points(a, b):
    b[1:-1, 1:-1] = (
        a[1:-1, 1:-1]
        + 0.5 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])
        + 0.25 * (a[:-2, :-2] + a[:-2, 2:] + a[2:, :-2] + a[2:, 2:])
    )
    return b[1:-1, 1:-1]


def nine_views(operands):
    """The nine shifted views of `a`, named by row and column of the window."""
    a = operands["a"]
    cut = (slice(None, -2), slice(1, -1), slice(2, None))
    return {f"a{i}{j}": a[cut[i], cut[j]] for i in range(3) for j in range(3)}


JACOBI = "b[1:-1,1:-1] = 0.25*(a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:])"
STEPS = 100


def step(a, b):
    np.multiply(0.25, a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:], out=b[1:-1, 1:-1])


def there_and_back(one, a, b):
    """An even number of Jacobi steps from a to b and back, by `one(from, to)`; the result is a."""
    for _ in range(STEPS // 2):
        one(a, b)
        one(b, a)
    return a


D1 = "((log(s/k) + (r + v*v/2)*t) / (v*sqrt(t)))"
BLACK_SCHOLES = f"s/(1 + exp(-1.702*{D1})) - k*exp(-r*t)/(1 + exp(-1.702*({D1} - v*sqrt(t))))"


def black_scholes(s, k, r, v, t):
    root = v * np.sqrt(t)
    d1 = (np.log(s / k) + (r + v * v / 2) * t) / root
    return s / (1 + np.exp(-1.702 * d1)) - k * np.exp(-r * t) / (1 + np.exp(-1.702 * (d1 - root)))


SEED = "4*a + 5*a*b + 6*b*c"

CASES = (
    Case("seed", "the expression this engine was first asked for", SEED, vectors("abc"),
         lambda a, b, c: 4*a + 5*a*b + 6*b*c, SEED),
    Case("seed float32", "the same in single precision", SEED, vectors("abc", np.float32),
         lambda a, b, c: 4*a + 5*a*b + 6*b*c, "four*a + five*a*b + six*b*c",
         lambda names: names | {"four": np.float32(4), "five": np.float32(5), "six": np.float32(6)}),
    Case("polynomial", "numexpr, bench/poly.py", "((.25*x + .75)*x - 1.5)*x - 2", vectors("x"),
         lambda x: ((.25*x + .75)*x - 1.5)*x - 2, "((.25*x + .75)*x - 1.5)*x - 2"),
    Case("bool", "numexpr, README", "a*b - 4.1*a > 2.5*b", vectors("ab"),
         lambda a, b: a*b - 4.1*a > 2.5*b, "a*b - 4.1*a > 2.5*b"),
    Case("length", "numexpr, bench/timing.py", "sqrt(a**2 + b**2)", vectors("ab"),
         lambda a, b: np.sqrt(a**2 + b**2), "sqrt(a**2 + b**2)"),
    Case("where", "numexpr, bench/timing.py", "where(a - 10 != 0.0, a, 2)", vectors("a"),
         lambda a: np.where(a - 10 != 0.0, a, 2), "where(a - 10 != 0.0, a, 2)"),
    Case("mixed dtypes", "int32, float32 and float64 in one expression", "2*i + f*d", mixed,
         lambda i, f, d: 2*i + f*d, "2*i + f*d"),
    Case("gaussian", "density of the normal distribution", "exp(-a*a/2) / sqrt(2*pi)", vectors("a", low=-3, high=3),
         lambda a: np.exp(-a*a/2) / np.sqrt(2*np.pi), "exp(-a*a/2) / sqrt(2*pi)",
         lambda names: names | {"pi": math.pi}, functions=True),
    Case("trigonometry", "sine and cosine over both signs", "sin(a)**2 + cos(b)**2", vectors("ab", low=-9, high=9),
         lambda a, b: np.sin(a)**2 + np.cos(b)**2, "sin(a)**2 + cos(b)**2", functions=True),
    Case("softplus", "machine learning's smooth maximum(0, a)", "log1p(exp(a))", vectors("a", low=-5, high=5),
         lambda a: np.log1p(np.exp(a)), "log1p(exp(a))", functions=True),
    Case("Black-Scholes", "price of a call, the normal distribution by the logistic curve", BLACK_SCHOLES,
         vectors("skrvt"), black_scholes, BLACK_SCHOLES, functions=True),
    Case("sum of product", "dot product", "sum(a*b)", vectors("ab"), lambda a, b: (a*b).sum(), "sum(a*b)"),
    Case("sum axis 0", "totals of columns", "sum(a, axis=0)", lambda n: {"a": matrix(n)},
         lambda a: a.sum(axis=0), "sum(a, axis=0)"),
    Case("sum axis 1", "totals of rows", "sum(a, axis=1)", lambda n: {"a": matrix(n)},
         lambda a: a.sum(axis=1), "sum(a, axis=1)"),
    Case("max", "largest item", "max(a)", vectors("a"), lambda a: a.max(), "max(a)"),
    Case("mean", "arithmetic mean", "mean(a)", vectors("a"), lambda a: a.mean()),
    Case("strided", "every other item of both operands", "2*a + 3*b", every_other,
         lambda a, b: 2*a + 3*b, "2*a + 3*b"),
    Case("transposed", "one operand in the other order", "2*a + 3*b", transposed,
         lambda a, b: 2*a + 3*b, "2*a + 3*b"),
    Case("broadcast", "a row and a column against a matrix", "(a - r) * c", row_and_column,
         lambda a, r, c: (a - r) * c, "(a - r) * c"),
    Case("complex", "complex128 product and conjugate", "a*b + conj(c)", complexes("abc"),
         lambda a, b, c: a*b + np.conj(c), "a*b + conj(c)"),
    Case("complex abs", "modulus of complex128", "abs(a)", complexes("a"), lambda a: np.abs(a), "real(abs(a))"),
    Case("9-point filter", "dfilter2d: centre, edges by 1/2, corners by 1/4", NINE_POINTS, image, nine_points,
         "a11 + 0.5*(a01 + a21 + a10 + a12) + 0.25*(a00 + a02 + a20 + a22)", nine_views,
         sizes=(1_000_000, 16_000_000), written="b"),
    Case("100 Jacobi steps", "mean of the four neighbours, one call a step, there and back", JACOBI, image,
         lambda a, b: there_and_back(step, a, b), sizes=(4_000_000,), written="b", passes=STEPS,
         engine=lambda evaluate, names: there_and_back(lambda a, b: evaluate(JACOBI, {"a": a, "b": b}), **names)),
)  # fmt: skip

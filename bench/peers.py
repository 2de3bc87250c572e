"""Every peer of bench/versus.py: its form of each case, as a function without arguments over operands it shares.

A peer has a name, the version that takes part or the reason why none does, and `form(case, operands)`, which gives
None where the peer has no such expression. Every form gives a new result, as the engine does; the filter and the
Jacobi steps write into their operand where the peer can.
"""

from collections.abc import Callable
from typing import NamedTuple

import cases
import native
import numpy as np

import engine


class Peer(NamedTuple):
    name: str
    version: str  # "" where it is missing
    reason: str  # why it is missing
    form: Callable  # case, operands -> function without arguments, or None
    note: str = ""


def ours(threads):
    def evaluate(text, names):
        return engine.evaluate(text, names, threads=threads)

    def form(case, names):
        if case.engine:
            return lambda: case.engine(evaluate, names)
        return lambda: engine.evaluate(case.text, names, threads=threads)

    return "engine", engine.__version__, form


def numpy(threads):
    return "numpy", np.__version__, lambda case, names: lambda: case.numpy(**names)


def blas(threads):
    """np.dot, for the one case that it can say."""

    def form(case, names):
        return (lambda: np.dot(names["a"], names["b"])) if case.name == "sum of product" else None

    built_with = np.__config__.show(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return "BLAS", built_with.get("name", "of NumPy"), form


def numexpr(threads):
    import numexpr

    numexpr.set_num_threads(threads)
    neighbours = "0.25*(n + s + w + e)"

    def step(a, b):
        views = {"n": a[:-2, 1:-1], "s": a[2:, 1:-1], "w": a[1:-1, :-2], "e": a[1:-1, 2:]}
        numexpr.evaluate(neighbours, views, out=b[1:-1, 1:-1])

    def form(case, names):
        if case.name == "100 Jacobi steps":
            return lambda: cases.there_and_back(step, **names)
        if case.name == "mean":
            return lambda: numexpr.evaluate("sum(a)", names) / names["a"].size
        if case.numexpr is None:
            return None
        theirs = case.numexpr_operands(names)
        return lambda: numexpr.evaluate(case.numexpr, theirs)

    return "numexpr", numexpr.__version__, form


def numba_form(parallel):
    import loops

    def form(case, names):
        if case.name not in loops.LOOPS:
            return None
        loop = loops.compiled(case.name, parallel)
        if case.name == "100 Jacobi steps":
            return lambda: cases.there_and_back(loop, **names)
        arguments = tuple(names.values())
        return lambda: loop(*arguments)

    return form


def numba(threads):
    import numba

    return "numba", numba.__version__, numba_form(parallel=False)


def numba_parallel(threads):
    import numba

    numba.set_num_threads(threads)
    return "numba parallel", numba.__version__, numba_form(parallel=True)


def jax(threads):
    import jax

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    xp = jax.numpy

    def jacobi(a, b):
        def step(_, a):
            return a.at[1:-1, 1:-1].set(0.25 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]))

        return jax.lax.fori_loop(0, cases.STEPS, step, a)

    def nine_points(a, b):
        return (
            a[1:-1, 1:-1]
            + 0.5 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])
            + 0.25 * (a[:-2, :-2] + a[:-2, 2:] + a[2:, :-2] + a[2:, 2:])
        )

    def black_scholes(s, k, r, v, t):
        root = v * xp.sqrt(t)
        d1 = (xp.log(s / k) + (r + v * v / 2) * t) / root
        return s / (1 + xp.exp(-1.702 * d1)) - k * xp.exp(-r * t) / (1 + xp.exp(-1.702 * (d1 - root)))

    own = {
        "length": lambda a, b: xp.sqrt(a**2 + b**2),
        "where": lambda a: xp.where(a - 10 != 0.0, a, 2),
        "gaussian": lambda a: xp.exp(-a * a / 2) / np.sqrt(2 * np.pi),
        "trigonometry": lambda a, b: xp.sin(a) ** 2 + xp.cos(b) ** 2,
        "softplus": lambda a: xp.log1p(xp.exp(a)),
        "Black-Scholes": black_scholes,
        "complex": lambda a, b, c: a * b + xp.conj(c),
        "complex abs": lambda a: xp.abs(a),
        "9-point filter": nine_points,
        "100 Jacobi steps": jacobi,
    }

    def form(case, names):
        # The rest of NumPy's forms say the same of jax arrays: operators and methods alone.
        compiled = jax.jit(lambda names: own.get(case.name, case.numpy)(**names))
        theirs = jax.device_put(names)
        return lambda: compiled(theirs).block_until_ready()

    return "jax", jax.__version__, form


def blosc2(threads):
    import blosc2

    blosc2.set_nthreads(threads)

    def step(a, b):
        views = {"n": a[:-2, 1:-1], "s": a[2:, 1:-1], "w": a[1:-1, :-2], "e": a[1:-1, 2:]}
        b[1:-1, 1:-1] = blosc2.lazyexpr("0.25*(n + s + w + e)", views)[()]

    def form(case, names):
        if case.name == "100 Jacobi steps":
            return lambda: cases.there_and_back(step, **names)
        if case.name == "where":  # in a text, where() wants arrays of blosc2's own
            lazy = blosc2.where(blosc2.lazyexpr("a - 10 != 0.0", names), names["a"], 2)
            return lambda: lazy[()]
        text = {"mean": "mean(a)", "complex abs": "abs(a)"}.get(case.name, case.numexpr)
        if text is None:
            return None
        theirs = names if case.name in ("mean", "complex abs") else case.numexpr_operands(names)
        lazy = blosc2.lazyexpr(text, theirs)
        return lambda: lazy[()]

    return "blosc2", blosc2.__version__, form


def c(threads):
    lib, flags = native.kernels()

    def form(case, names):
        operands = {name: array.T for name, array in names.items()} if case.name == "transposed" else names
        operands = {"a": operands["a"], "b": names["b"]} if case.name == "transposed" else operands
        return native.form(lib, case.name, operands, cases.STEPS, threads)

    return "C", f"gcc {native.version()}", form, " ".join(flags)


ALL = (ours, numpy, blas, numexpr, numba, numba_parallel, jax, blosc2, c)
NAMES = ("engine", "numpy", "BLAS", "numexpr", "numba", "numba parallel", "jax", "blosc2", "C")


def present(threads, makers=ALL, names=NAMES):
    """Every peer, those that cannot take part with the reason."""
    found = []
    for maker, name in zip(makers, names, strict=True):
        try:
            got, version, form, *note = maker(threads)
            found.append(Peer(got, version, "", form, *note))
        except (ImportError, native.Missing, OSError) as error:
            found.append(Peer(name, "", str(error) or type(error).__name__, lambda case, operands: None))
    return found

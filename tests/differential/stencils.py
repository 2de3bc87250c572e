"""Generated stencils against NumPy: `python -m tests.differential.stencils --cases 100000 --seed 0 --jobs 2`.

A case is a text of one to three statements over one or two fields of any dtype, rank, layout and shape, with offsets up
to five, a boundary for each side of each axis, and some steps, on some backend by some number of threads. NumPy has the
same values, its neighbours taken by index; the engine's are to have the same bits. With `--device` the fields are a
device's, and such that most of their steps are made several at a time there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time

import numpy as np

import engine

WORDS = ("reflect", "mirror", "nearest", "wrap", "constant")
STOPS = tuple(word for word in WORDS if word != "wrap")
DTYPES = ("f8", "f8", "f4", "i4", "i1", "u2", "i8", "c16", "?", "f2")
LARGE = 250  # of so many cases one has fields that are taken through several steps at a time


def places(extent: int, offset: int, low: str, high: str) -> np.ndarray:
    """Where the elements of an axis are read at an offset; -1: at none."""
    at = np.arange(offset, offset + extent)
    for _ in range(2 * abs(offset) // extent + 3 if extent else 0):
        for outside, side, is_low in ((at < 0, low, True), (at >= extent, high, False)):
            outside = outside & (at != -(1 << 40))
            if side == "constant":
                at = np.where(outside, -(1 << 40), at)
            elif side == "wrap":
                at = np.where(outside, at % max(extent, 1), at)
            elif side == "nearest" or extent == 1 and low == high == "mirror":
                at = np.where(outside, 0 if is_low else extent - 1, at)
            else:
                skip = side == "mirror"
                at = np.where(outside, skip - 1 - at if is_low else 2 * extent - 1 - skip - at, at)
    return np.where(at == -(1 << 40), -1, at)


def neighbours(a: np.ndarray, offsets, sides, cval) -> np.ndarray:
    for axis, (offset, (low, high)) in enumerate(zip(offsets, sides, strict=True)):
        if offset == 0:
            continue
        at = places(a.shape[axis], offset, low, high)
        taken = np.take(a, np.maximum(at, 0), axis)
        shape = [1] * a.ndim
        shape[axis] = -1
        a = np.where((at < 0).reshape(shape), a.dtype.type(cval), taken).astype(a.dtype)
    return a


class Case:
    """Drawn from a seed alone. `there`: on a device."""

    def __init__(self, seed: int, backend: str | None = None, there: bool = False) -> None:
        self.rng = rng = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.there = there
        is_large = seed % LARGE == 0 and not there
        self.rank = rank = 2 if is_large else rng.choice((1, 1, 2, 2, 2, 3, 3, 4))
        least, most = (5, {1: 3000, 2: 60, 3: 16, 4: 7}[rank]) if there else (1, {1: 40, 2: 12, 3: 6, 4: 4}[rank])
        if there and rank > 1 and rng.random() < 0.2:  # more than a tile
            least, most = {2: (30, 500), 3: (20, 40)}.get(rank, (least, most))
        self.far = 2 if there else 5
        self.shape = (
            (200 + rng.randrange(200), 2000) if is_large else tuple(rng.randrange(least, most) for _ in range(rank))
        )
        self.dtype = np.dtype("f8" if is_large else rng.choice(DTYPES))
        self.names = ["u", "v"][: rng.choice((1, 1, 2))]
        self.sides = {name: [(rng.choice(WORDS), rng.choice(WORDS)) for _ in range(rank)] for name in self.names}
        if is_large:
            self.sides = {
                name: [(rng.choice(WORDS[:3]), rng.choice(WORDS[:3])), *rest] for name, (_, *rest) in self.sides.items()
            }
        if there:  # an axis goes on for all fields, or for none
            wraps = [rng.random() < 0.4 for _ in range(rank)]
            self.sides = {
                name: [("wrap", "wrap") if w else (rng.choice(STOPS), rng.choice(STOPS)) for w in wraps]
                for name in self.names
            }
        self.cval = {name: rng.randrange(2) for name in self.names}
        self.fields = {name: self._field() for name in self.names}
        self.steps = (
            rng.choice((1, 2, 2, 3, 5)) + (rng.randrange(8) if there else 0) + (rng.randrange(2, 9) if is_large else 0)
        )
        self.threads = rng.randrange(1, 4)
        self.backend = backend or rng.choice(("auto", "auto", "interp"))
        self.statements = []
        self.parts: list[str] = []
        for k in range(rng.choice((0, 0, 1))):
            self.statements.append((f"p{k}", self._expression(3)))
            self.parts.append(f"p{k}")
        updated = rng.sample(self.names, rng.randrange(1, len(self.names) + 1))
        for name in updated:
            self.statements.append((name, self._expression(4)))
        self.updated = updated

    def _field(self) -> np.ndarray:
        scale = 2 if self.dtype == bool else 100
        made = (self.numbers.random(self.shape) * scale - (0 if self.dtype.kind == "u" else scale // 4)).astype(
            self.dtype
        )
        if self.rng.random() < 0.2:
            made = np.asfortranarray(made)
        if self.rng.random() < 0.2:
            made = np.repeat(made, 2, axis=-1)[..., ::2]
        if self.rng.random() < 0.1:
            made = made.astype(made.dtype.newbyteorder())
        return made

    def _expression(self, depth: int):
        """(text, value of the fields)"""
        rng = self.rng
        if depth == 0 or rng.random() < 0.25:
            return self._leaf()
        (x, fx), (y, fy) = self._expression(depth - 1), self._expression(depth - 1)
        if self.dtype == bool:
            op, call = rng.choice((("&", np.bitwise_and), ("|", np.bitwise_or), ("^", np.bitwise_xor)))
            return f"({x} {op} {y})", lambda env: call(fx(env), fy(env))
        kind = rng.random()
        if kind < 0.75 or self.dtype.kind == "c":
            op, call = rng.choice((("+", np.add), ("-", np.subtract), ("+", np.add)))
            return f"({x} {op} {y})", lambda env: call(fx(env), fy(env))
        if kind < 0.9:
            name = rng.choice(("maximum", "minimum"))
            return f"{name}({x}, {y})", lambda env: getattr(np, name)(fx(env), fy(env))
        return f"where({x} > {y}, {x}, {y})", lambda env: np.where(fx(env) > fy(env), fx(env), fy(env))

    def _leaf(self):
        rng = self.rng
        name = rng.choice(self.names + self.parts)
        if rng.random() < 0.2:
            return name, lambda env: env[name]
        far = self.far
        offsets = tuple(rng.choice((-1, 0, 1, -1, 0, 1, rng.randrange(-far, far + 1))) for _ in range(self.rank))
        if name in self.parts and self.there:  # a part's neighbours are found by steps that are made one by one
            offsets = (0,) * self.rank
        sides, cval = (self.sides[name], self.cval[name]) if name in self.sides else self._common()
        if rng.random() < 0.5:
            text = f"{name}[{', '.join(map(str, offsets))}]"
        else:
            text = f"{name}({', '.join('ijkl'[a] + (f'{o:+d}' if o else '') for a, o in enumerate(offsets))})"
        return text, lambda env: neighbours(env[name], offsets, sides, cval)

    def _common(self):
        return [("wrap", "wrap")] * self.rank, 0

    @property
    def text(self) -> str:
        return "; ".join(f"{name} = {text}" for name, (text, _) in self.statements)

    def wanted(self) -> dict[str, np.ndarray]:
        fields = {name: field.astype(self.dtype) for name, field in self.fields.items()}
        for _ in range(self.steps):
            env, new = dict(fields), dict(fields)
            for name, (_, value) in self.statements:
                made = np.asarray(value(env)).astype(self.dtype)
                (new if name in fields else env)[name] = made
            fields = new
        return {name: fields[name] for name in self.updated}

    def got(self) -> dict[str, np.ndarray]:
        fields = self.fields
        if self.there:
            fields = {name: self._on_device(field) for name, field in fields.items()}
        made = engine.stencil(
            self.text,
            fields,
            boundary={**self.sides, None: "wrap"},
            cval=self.cval,
            steps=self.steps,
            backend="auto" if self.there else self.backend,
            threads=self.threads,
        )
        made = made if isinstance(made, dict) else {self.updated[0]: made}
        return {name: value.numpy() for name, value in made.items()} if self.there else made

    def _on_device(self, field: np.ndarray):
        """With gaps, transposed or in another byte order there, too."""
        if field.ndim > 1 and field.flags.f_contiguous:
            return engine.to_device(np.ascontiguousarray(field.T)).T
        return engine.to_device(field)


def check(seed: int, backend: str | None = None, there: bool = False) -> str:
    """What is wrong with a case; empty where nothing is."""
    case = Case(seed, backend, there)
    with np.errstate(all="ignore"):
        wanted = case.wanted()
    try:
        got = case.got()
    except engine.Error as error:
        return f"seed {seed}: {case.text}\n{error}"
    for name, value in wanted.items():
        nan = case.dtype.kind in "fc"
        same = got[name].dtype == case.dtype and np.array_equal(got[name], value, equal_nan=nan)
        if not same:
            facts = f"{case.dtype} {case.shape} {case.sides} steps={case.steps} {case.backend}"
            return f"seed {seed}: {case.text}\n{facts}\n{got[name]}\n{value}"
    return ""


def check_many(first: int, count: int, backend: str | None = None, there: bool = False) -> list[str]:
    return [wrong for seed in range(first, first + count) if (wrong := check(seed, backend, there))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--backend")
    parser.add_argument("--device", action="store_true", dest="there")
    options = parser.parse_args()
    start, wrong, chunk = time.time(), 0, 50 if options.there else 500
    tasks = [
        (options.seed + at, min(chunk, options.cases - at), options.backend, options.there)
        for at in range(0, options.cases, chunk)
    ]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for found in pool.starmap(check_many, tasks):
            wrong += len(found)
            for each in found[:3]:
                print(each)
    print(f"{options.cases} stencils compared in {time.time() - start:.0f} s, {wrong} failures")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())

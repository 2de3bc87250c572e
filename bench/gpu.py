"""Device-resident expressions on a GPU against CuPy and torch, where those are installed: `python bench/gpu.py`.

Each time is that of ten calls between two events of the default stream, with which all three are in order; the least of
the rounds, which are interleaved. Bytes are those that must move: operands once and the result once. `--sweep` measures
reductions of every shape instead, `--calls` the host's cost of a call. Needs a GPU.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

import engine

engine.config.wait = True

CALLS = 10


class Case(NamedTuple):
    text: str
    operands: str  # letters, see operands()
    cupy: Callable | None = None  # (module, operands by keyword) -> result
    torch: Callable | None = None
    bytes: int = 0  # per item; 0: counted from the operands and the result


def case(text: str, operands: str, same: Callable | None = None, **more) -> Case:
    return Case(text, operands, **{"cupy": same, "torch": same, **more})


CASES = (
    case("a + b", "ab", lambda m, a, b: a + b),
    case("2*a + 1", "a", lambda m, a: 2 * a + 1),
    case("4*a + 5*a*b + 6*b*c", "abc", lambda m, a, b, c: 4 * a + 5 * a * b + 6 * b * c),
    case("f*g + f", "fg", lambda m, f, g: f * g + f),
    case("i + i", "i", lambda m, i: i + i),
    case("where(m, a, b)", "mab", lambda x, m, a, b: x.where(m, a, b)),
    case("exp(a)", "a", lambda m, a: m.exp(a)),
    case("log(a)", "a", lambda m, a: m.log(a)),
    case("sin(a)", "a", lambda m, a: m.sin(a)),
    case("tanh(a)", "a", lambda m, a: m.tanh(a)),
    case("a**b", "ab", lambda m, a, b: a**b),
    case("exp(f)", "f", lambda m, f: m.exp(f)),
    case("sum(a)", "a", lambda m, a: a.sum()),
    case("sum(f)", "f", lambda m, f: f.sum()),
    case("sum(i)", "i", lambda m, i: i.sum()),
    case("max(a)", "a", lambda m, a: a.max()),
    case("var(a)", "a", None, torch=lambda m, a: a.var(correction=0)),
    case("sum(a*b)", "ab", lambda m, a, b: m.dot(a, b)),
    case("mean(a) + max(a)", "a", lambda m, a: a.mean() + a.max()),
    case("sum(A, axis=0)", "A", lambda m, A: A.sum(0)),
    case("sum(A, axis=1)", "A", lambda m, A: A.sum(1)),
    case("var(A, axis=0)", "A", None, torch=lambda m, A: A.var(0, correction=0)),
    case("A + B.T", "AB", lambda m, A, B: A + B.T),
    case("F + G.T", "FG", lambda m, F, G: F + G.T),
    case("A + r", "Ar", lambda m, A, r: A + r),
    case("A + k", "Ak", lambda m, A, k: A + k),
    case("A[:, ::-1] + B", "AB", None, cupy=lambda m, A, B: A[:, ::-1] + B),
    case("a[::2] + b[::2]", "ab", lambda m, a, b: a[::2] + b[::2], bytes=20),
    case("A[1:-1,1:-1] + 0.5*(A[:-2,1:-1] + A[2:,1:-1] + A[1:-1,:-2] + A[1:-1,2:])", "A", None, bytes=16),
)


def operands(n: int) -> dict[str, np.ndarray]:
    """Vectors a b c, f g (float32), i (int8), m (bool); matrices A B, F G (float32); a row r, a column k."""
    rng = np.random.default_rng(7)
    side = int(n**0.5) // 32 * 32
    known = {name: rng.random(n) + 0.5 for name in "abc"} | {name: rng.random(n, dtype=np.float32) for name in "fg"}
    known |= {"i": rng.integers(-100, 100, n, dtype=np.int8), "m": rng.random(n) < 0.5}
    known |= {"A": known["a"][: side * side].reshape(side, side), "B": known["b"][: side * side].reshape(side, side)}
    known |= {"F": known["f"][: side * side].reshape(side, side), "G": known["g"][: side * side].reshape(side, side)}
    return known | {"r": rng.random(side), "k": rng.random((side, 1))}


class Clock:
    """Events of the driver, in the context that the engine works in."""

    def __init__(self):
        self.driver = ctypes.CDLL("libcuda.so.1")
        context = ctypes.c_void_p()
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.call("cuCtxPushCurrent_v2", context)
        self.events = [ctypes.c_void_p() for _ in range(2)]
        for event in self.events:
            self.call("cuEventCreate", ctypes.byref(event), 0)

    def call(self, name: str, *arguments) -> None:
        status = getattr(self.driver, name)(*arguments)
        if status:
            raise RuntimeError(f"{name} gives {status}")

    def seconds(self, work: Callable) -> float:
        """Of the device, for one call."""
        self.call("cuEventRecord", self.events[0], None)
        for _ in range(CALLS):
            work()
        self.call("cuEventRecord", self.events[1], None)
        self.call("cuEventSynchronize", self.events[1])
        milliseconds = ctypes.c_float()
        self.call("cuEventElapsedTime_v2", ctypes.byref(milliseconds), *self.events)
        return milliseconds.value / 1e3 / CALLS

    def least(self, works: dict[str, Callable], rounds: int) -> dict[str, float]:
        for work in works.values():
            work()
        found = {name: [] for name in works}
        for _ in range(rounds):
            for name, work in works.items():
                found[name].append(self.seconds(work))
        return {name: min(times) for name, times in found.items()}


def peers() -> dict:
    found = {}
    try:
        import cupy

        found["cupy"] = cupy
    except ImportError:
        print("CuPy is not installed", file=sys.stderr)
    try:
        import torch

        found["torch"] = torch
    except ImportError:
        print("torch is not installed", file=sys.stderr)
    return found


def works_of(modules: dict, one: Case, on_device: dict) -> dict[str, Callable]:
    names = {name: on_device["engine"][name] for name in one.operands}
    works = {"engine": lambda: engine.evaluate(one.text, names)}
    for who, module in modules.items():
        if (function := getattr(one, who)) is not None:
            theirs = {name: on_device[who][name] for name in one.operands}
            works[who] = lambda function=function, module=module, theirs=theirs: function(module, **theirs)
    return works


def elementwise(clock: Clock, modules: dict, n: int, rounds: int) -> Iterator[dict]:
    host = operands(n)
    on_device = {"engine": {name: engine.to_device(array) for name, array in host.items()}}
    # Views of the same memory, so that all read the same.
    if "cupy" in modules:
        on_device["cupy"] = {name: modules["cupy"].asarray(array) for name, array in on_device["engine"].items()}
    if "torch" in modules:
        on_device["torch"] = {name: modules["torch"].from_dlpack(array) for name, array in on_device["engine"].items()}
    for one in CASES:
        result = engine.evaluate(one.text, {name: on_device["engine"][name] for name in one.operands})
        moved = one.bytes * n or sum(host[name].nbytes for name in one.operands) + getattr(result, "nbytes", 8)
        del result
        times = clock.least(works_of(modules, one, on_device), rounds)
        yield {"case": one.text, "bytes": moved, "seconds": times}


def sweep(clock: Clock, modules: dict, n: int, rounds: int) -> Iterator[dict]:
    """Rows of 4 to n / 4 elements, summed along both axes."""
    shapes = [(n // length, length) for length in (4, 16, 64, 256, 1024, 2**13, 2**15, 2**18, 2**21, n // 4)]
    shapes += [(1_000_003 // 7, 7), (100_003, 100), (300, n // 300)]
    for rows, length in shapes:
        matrix = np.zeros((rows, length))  # of the host, for the shape alone
        device = engine.to_device(matrix)
        for axis in (0, 1):
            works = {"engine": lambda axis=axis, device=device: engine.evaluate(f"sum(a, axis={axis})", {"a": device})}
            if "torch" in modules:
                theirs = modules["torch"].from_dlpack(device)
                works["torch"] = lambda axis=axis, theirs=theirs: theirs.sum(axis)
            moved = 8 * (rows * length + (length, rows)[axis])
            yield {"case": f"({rows}, {length}) axis {axis}", "bytes": moved, "seconds": clock.least(works, rounds)}


def calls() -> Iterator[dict]:
    """Of the host, for one call over arrays of 1,000 items: what a loop of 2,000 takes, while the device works."""
    names = {name: engine.to_device(np.ones(1000)) for name in "abc"}
    program = engine.compile("4*a + 5*a*b + 6*b*c")
    text = "4*a + 5*a*b + 6*b*c"
    for name, work in {
        "engine.evaluate": lambda: engine.evaluate(text, names),
        "a Program": lambda: program(names),
    }.items():
        least = float("inf")
        for _ in range(5):
            work().numpy()
            start = time.perf_counter()
            for _ in range(2000):
                work()
            least = min(least, (time.perf_counter() - start) / 2000)
        yield {"case": name, "bytes": 0, "seconds": {"engine": least}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=2**25)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--json", action="store_true", help="one object per line instead of a table")
    options = parser.parse_args()
    engine.to_device(np.ones(1))  # starts the device
    clock, modules = Clock(), peers()
    rows = (
        calls()
        if options.calls
        else (sweep if options.sweep else elementwise)(clock, modules, options.items, options.rounds)
    )
    for row in rows:
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        times = row["seconds"]
        rate = f"{row['bytes'] / times['engine'] / 1e12:6.2f} TB/s" if row["bytes"] else ""
        others = "".join(f"  {who} {times[who] * 1e6:8.1f}" for who in times if who != "engine")
        print(f"{row['case'][:40]:40} {times['engine'] * 1e6:8.1f} us {rate}{others}", flush=True)


if __name__ == "__main__":
    main()

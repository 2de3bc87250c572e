"""Memory that runs out while Python calls the engine: MemoryError, nothing leaked, operands as they were.

`failing_malloc` (tests/allocation) is preloaded into a process of its own. Python's objects are then made by malloc too
(PYTHONMALLOC), so that every allocation of a call, the engine's, NumPy's and Python's, fails once.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "build" / "dev" / "tests" / "allocation" / "libfailing_malloc.so"

DRIVER = """
import ctypes, functools, gc, sys, numpy as np, engine
hook = ctypes.PyDLL(None)
call_armed, failed, live = hook.failing_malloc_call, hook.failing_malloc_failed, hook.failing_malloc_live
call_armed.argtypes, call_armed.restype = (ctypes.py_object, ctypes.c_long, ctypes.c_long), ctypes.py_object
failed.restype = live.restype = ctypes.c_long

def numbers(*shape, dtype="f8"):
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) * 7 % 5 + 1).astype(dtype)

class Lone:
    def __init__(self, array): self.array = array
    def __array__(self, *rest, **keywords): return self.array

def scenario(name):
    a, b, grid = numbers(1000), numbers(1000, dtype="f4"), numbers(40, 31)
    out = numbers(1000)
    names = {"a": a, "b": b, "grid": grid, "n": 3, "x": 0.5}
    program = engine.compile("a*x + n")
    # No Python functions: CPython 3.11 loses errors where there is no memory for their tracebacks.
    call = functools.partial
    evaluate = engine.evaluate
    ints = {"i": numbers(9, dtype="i8"), "j": -numbers(9, dtype="i8")}
    calls = {
        "evaluate": call(evaluate, "2*a + b", names),
        "out": call(evaluate, "2*a + b", names, out=out),
        "overlap": call(evaluate, "a[:-1] + a[-2::-1]", names, out=a[1:]),
        "scalar": call(evaluate, "sum(a*b)", names),
        "axis": call(evaluate, "(grid - mean(grid, axis=0))/std(grid, axis=0)", names),
        "region": call(evaluate, "a[1:] = a[:-1]*2", names),
        "augmented": call(evaluate, "a += b; a[::-1] *= sum(b, axis=0)", names),
        "blitz": call(engine.blitz, "a = b*2 + a[::-1]", names),
        "program": call(program, names),
        "keywords": call(program, a=a, n=4, x=1.5),
        "callers": lambda: of_callers(a, b),
        "list": call(evaluate, "a + b", {"a": [1, 2, 3], "b": 2.5}),
        "array": call(evaluate, "a + 1", {"a": Lone(a)}),
        "buffer": call(evaluate, "a + 1", {"a": memoryview(a)}),
        "many": call(evaluate, "a + b + grid[0, 0] + n + x + sum(grid)", names),
        "fresh": call(evaluate, f"a*2 + sqrt(b)  # {next(number)}", names),
        "compile": call(engine.compile, f"a*2 + where(b > 2, a, sinc(b))  # {next(number)}"),
        "gradient": call(engine.gradient, "exp(-x*x)*sin(x)", "x"),
        "explain": call(engine.explain, "(grid - mean(grid))/std(grid)", names),
        "unknown": call(evaluate, "a + missing", names),
        "misspelt": call(evaluate, "squrt(a)", names),
        "syntax": call(evaluate, "a + (b", names),
        "shapes": call(evaluate, "a + grid", names),
        "types": call(evaluate, "a << 2", names),
        "range": call(evaluate, "i ** j", ints),
        "limits": call(evaluate, "a + b", names, limits=engine.Limits(result_bytes=10)),
        "text": call(evaluate, "a + 1", {"a": "text"}),
        "keyword": call(evaluate, "a + 1", names, threads=2, order="F", casting="safe"),
        "last run": engine.last_run,
        "threads": call(evaluate, "exp(g)*sqrt(g)", {"g": large}, threads=3),
        "released": call(evaluate, "sum(exp(g)*sqrt(g))", {"g": large}, threads=1),
    }
    return calls[name] if name else list(calls), (a, b, grid, out)

def of_callers(a, b):
    return engine.evaluate("a + b")

large = numbers(300, 400)
number = iter(range(10**9))

def settle(call):
    try: return call()
    except engine.Error as error: return type(error), str(error)

def same(x, y):
    if isinstance(x, np.ndarray): return np.array_equal(x, y)
    return x == y if isinstance(x, np.generic) else type(x) is type(y)

def inject(name, first, want):
    "One call whose allocation `first` fails: whether there was such a one."
    call, arrays = scenario(name)
    fresh = [x.copy() for x in arrays]
    try:
        call_armed(call, first, 1)
    except MemoryError:
        assert all(np.array_equal(x, y) for x, y in zip(arrays, fresh)), (name, first, "written to")
    except engine.Error as error:
        assert isinstance(want, tuple) and isinstance(error, want[0]), (name, first, error)
    return failed() > 0

def growth(name, first, want, n):
    gc.collect()
    before = live()
    for _ in range(n): inject(name, first, want)
    gc.collect()
    return live() - before

def sweep(name):
    for _ in range(1200 if name in ("fresh", "compile") else 3):  # programs are kept: until no more are
        call, arrays = scenario(name)
        want = settle(call)
    state = [x.copy() for x in arrays]
    first, misses = 0, 0
    while misses < 3:
        first += 1
        hit = any([inject(name, first, want) for _ in range(2)])
        # Python and NumPy keep what they may use again, up to some bound; what leaks grows with every call for ever.
        n = 5
        while growth(name, first, want, n) >= n:
            assert n < 500, (name, first, "leaked")
            n *= 3
        call, arrays = scenario(name)
        assert same(settle(call), want), (name, first, "after")
        assert all(np.array_equal(x, y) for x, y in zip(arrays, state)), (name, first, "after")
        misses = 0 if hit else misses + 1
    return first - misses

gc.collect()
gc.freeze()  # what there is by now need not be looked at again
for name in sys.argv[1:] or scenario("")[0]:
    print(sweep(name), name, flush=True)
"""


def run_driver(*scenarios, timeout=300):
    if not LIBRARY.exists():
        pytest.fail(f"{LIBRARY.name} is missing: ./dev build makes it")
    environment = os.environ | {"LD_PRELOAD": str(LIBRARY), "PYTHONMALLOC": "malloc"}
    return subprocess.run(
        [sys.executable, "-c", DRIVER, *scenarios], env=environment, capture_output=True, text=True, timeout=timeout
    )


def test_every_failing_allocation_of_a_call_is_a_memory_error():
    ended = run_driver()
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    sites = [int(line.split()[0]) for line in ended.stdout.splitlines()]
    assert len(sites) >= 30 and sum(sites) >= 500, ended.stdout

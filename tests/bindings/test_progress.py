"""progress=: how much is done while it is computed."""

import subprocess
import sys
import threading

import numpy as np
import pytest

import engine

A = np.random.default_rng(3).random(3_000_000)


@pytest.mark.parametrize(
    "text",
    (
        "sin(a) * exp(a) + a",
        "sum(sin(a) * exp(-a))",
        "(a - mean(a)) / std(a)",
        "sort(a)",
        "cumsum(sin(a))",
        "a[sin(a) > 0.5] * 2",
        "unique(rint(100 * a))",
        "median(a)",
        "t = sin(a); u = t + sum(t); u * 2",
        "b[...] = sin(a); b += 1",
    ),
)
@pytest.mark.parametrize("threads", (1, 2))
def test_shares_grow_and_end_at_one(text, threads):
    told = []
    names = {"a": A, "b": np.zeros_like(A)}
    got = engine.evaluate(text, names, threads=threads, progress=told.append)
    assert told == sorted(told) and told[-1] == 1 and 0 <= told[0] and all(type(share) is float for share in told)
    want = engine.evaluate(text, names | {"b": np.zeros_like(A)}, threads=threads)
    assert got.tobytes() == want.tobytes()


def test_long_work_is_told_of_on_its_way():
    told = []
    engine.evaluate("gamma(a) * erf(a) * sin(exp(a))", {"a": np.tile(A, 20)}, threads=1, progress=told.append)
    assert len(told) > 5 and len({round(share, 1) for share in told}) > 5


@pytest.mark.parametrize("value", (1.5, np.ones(3), np.ones((0, 4))))
def test_little_work_is_told_of_once(value):
    told = []
    engine.evaluate("a + 1", {"a": value}, progress=told.append)
    assert told == [1.0]


def test_what_the_callable_raises_ends_the_evaluation():
    class Enough(Exception):
        pass

    def tell(share):
        if share > 0.2:
            raise Enough(share)

    with pytest.raises(Enough):
        engine.evaluate("gamma(a) * erf(a)", {"a": np.tile(A, 3)}, progress=tell)
    assert engine.evaluate("a + 1", {"a": 1}) == 2


def test_an_evaluation_may_tell_of_others():
    """The callable runs without locks of the engine's."""
    inner = []

    def tell(share):
        engine.evaluate("a * 2", {"a": A[:100_000]}, progress=inner.append)

    engine.evaluate("sin(a) * exp(a)", {"a": A}, progress=tell)
    assert inner and inner[-1] == 1.0


def test_any_thread_may_be_told():
    failed, want = [], engine.evaluate("sin(a) + 1", {"a": A})

    def work():
        told = []
        got = engine.evaluate("sin(a) + 1", {"a": A}, progress=told.append)
        if told[-1] != 1 or got.tobytes() != want.tobytes():
            failed.append(told)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("progress", (False, None))
def test_it_may_be_left_out(progress):
    assert engine.evaluate("a + 1", {"a": 1}, progress=progress) == 2


def test_programs_and_blitz_take_it():
    told = []
    engine.compile("a * 2")(a=A, progress=told.append)
    engine.blitz("b = a * 2", {"a": A, "b": np.zeros_like(A)}, progress=told.append)
    assert told.count(1.0) == 2
    with pytest.raises(TypeError, match="progress must be True, False or a callable, not 'yes'"):
        engine.evaluate("a", {"a": 1}, progress="yes")


BAR = """
import sys
import numpy as np
MODULE
import engine
engine.evaluate("sin(a) * exp(a)", {"a": np.ones(3_000_000)}, progress=True)
try:
    engine.evaluate("a ** b", {"a": np.arange(9), "b": np.arange(9) - 3}, progress=True)
except engine.RangeError:
    print("refused")
"""
TQDM = """
import types
class Bar:
    def __init__(self, **options):
        self.n = 0
    def update(self, more):
        self.n += more
    def close(self):
        print("closed at", self.n)
tqdm, auto = types.ModuleType("tqdm"), types.ModuleType("tqdm.auto")
auto.tqdm = Bar
sys.modules |= {"tqdm": tqdm, "tqdm.auto": auto}
"""


def bar(module):
    done = subprocess.run(
        [sys.executable, "-c", BAR.replace("MODULE", module)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_bar_of_tqdm_where_that_is():
    done = bar(TQDM)
    assert done.stderr == "" and done.stdout.splitlines() == ["closed at 100", "closed at 0", "refused"]


def test_per_cents_where_it_is_not():
    done = bar('sys.modules["tqdm"] = None')
    assert (
        done.stdout == "refused\n" and "100 %" in done.stderr and done.stderr.endswith("\n     \n")
    )  # text=True: of carriage returns

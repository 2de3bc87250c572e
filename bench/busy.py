"""What a core that is busy with other work costs: python bench/busy.py [seconds a cell].

Another process spins on one core, or wherever the system puts it, while the seed expression runs in threads over all of
them. In each round every contender is timed alone and beside the spinning process, in turns. Medians and means in us; a
ratio is the time beside it over the time alone. A core of two that is half another's leaves 3/4 of them: 4/3.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

# libgomp (numba) spins for many milliseconds otherwise: see environment() in versus.py.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")

import numpy as np

import engine

SEED = "4*a + 5*a*b + 6*b*c"
SIZES = (100_000, 1_000_000, 10_000_000)


class Spinning:
    """A process that computes for ever, on the CPU `on` or on any."""

    def __init__(self, on: int | None):
        self.on = on

    def __enter__(self):
        pin = (lambda: os.sched_setaffinity(0, {self.on})) if self.on is not None else None
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=pin)
        time.sleep(0.2)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def contenders(a, b, c, out):
    yield "engine", lambda: engine.evaluate(SEED, {"a": a, "b": b, "c": c}, out=out)
    try:
        import numexpr

        numexpr.set_num_threads(engine.num_threads())
        yield "numexpr", lambda: numexpr.evaluate(SEED, {"a": a, "b": b, "c": c}, out=out)
    except ImportError:
        print("numexpr is missing")
    try:
        import numba
    except ImportError:
        print("numba is missing")
        return

    @numba.njit(parallel=True)
    def seed(a, b, c, out):
        for i in numba.prange(len(a)):
            out[i] = 4 * a[i] + 5 * a[i] * b[i] + 6 * b[i] * c[i]

    yield "numba", lambda: seed(a, b, c, out)


def times(call, seconds: float) -> list[float]:
    call()
    taken = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        call()
        taken.append(time.perf_counter() - start)
    return taken


def main(seconds: float = 0.5, rounds: int = 3) -> None:
    last = max(os.sched_getaffinity(0))
    ways = {"alone": None, f"one spins on CPU {last}": Spinning(last), "one spins anywhere": Spinning(None)}
    print(f"{engine.num_threads()} threads; median and mean in us (ratios to alone)")
    for n in SIZES:
        a, b, c = np.random.default_rng(0).random((3, n))
        calls = dict(contenders(a, b, c, np.empty(n)))
        taken = {(name, way): [] for name in calls for way in ways}
        for _ in range(rounds):
            for way, spinning in ways.items():
                for name, call in calls.items():
                    if spinning is None:
                        taken[name, way] += times(call, seconds)
                    else:
                        with spinning:
                            taken[name, way] += times(call, seconds)
        for name in calls:
            for way in ways:
                of = [np.array(taken[name, which]) * 1e6 for which in ("alone", way)]
                (median, mean), (alone, alone_mean) = ((np.median(x), x.mean()) for x in (of[1], of[0]))
                figures = f"{median:8.0f} ({median / alone:.2f}) {mean:8.0f} ({mean / alone_mean:.2f})"
                print(f"{n:10,} {name:8s} {way:20s} {figures}")


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:2]))

"""What a warm call over device arrays costs the host, from Python: microseconds, the least of seven rounds.

Launches are stubbed, so this is the engine's own share (budget: 3 us); on a machine with a GPU bench/gpu.py times the
whole. From C++: build/dev/bench/device_bench. Run by `.venv/bin/python bench/device_calls.py`.
"""

import os
import pathlib
import time

DRIVER = pathlib.Path(__file__).resolve().parents[1] / "build/dev/tests/kernels_cuda/libengine_host_driver.so"
os.environ.update(
    ENGINE_CUDA_DRIVER=str(DRIVER), ENGINE_NVRTC=str(DRIVER), ENGINE_HOST_IDLE="1", ENGINE_CACHE_DIR="/dev/null/none"
)

import numpy as np  # noqa: E402

import engine  # noqa: E402

engine.config.wait = True

SEED = "4*a + 5*a*b + 6*b*c"


def least(call, rounds=7, n=20_000):
    call()
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(n):
            call()
        best = min(best, (time.perf_counter() - start) / n)
    return best * 1e6


def main():
    there = {name: engine.to_device(np.ones(1000)) for name in "abc"}
    here = {name: np.ones(10) for name in "abc"}
    out = engine.to_device(np.ones(1000))
    program = engine.compile(SEED)
    graph = program.graph()
    several = engine.compile("t = a - mean(a); t / std(t) + b")
    graph_of_several = several.graph()
    for what, call in (
        ("evaluate", lambda: engine.evaluate(SEED, there)),
        ("evaluate, out=", lambda: engine.evaluate(SEED, there, out=out)),
        ("Program", lambda: program(there)),
        ("Program, out=", lambda: program(there, out=out)),
        ("its Graph, out=", lambda: graph(there, out=out)),
        ("its Graph, other addresses", lambda: graph(there)),
        ("three kernels: Program, out=", lambda: several(there, out=out)),
        ("three kernels: its Graph, out=", lambda: graph_of_several(there, out=out)),
        ("for comparison: evaluate on the host, 10 items", lambda: engine.evaluate(SEED, here)),
    ):
        print(f"{what:48}{least(call):8.2f}")


if __name__ == "__main__":
    main()

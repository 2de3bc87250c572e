"""How often a stencil of a device launches, and what it copies, for stencil_test.py: as the stand-in counts."""

import ctypes
import os

import numpy as np

import engine
from tests.emulator.standin import Counters

TEXT = "u + 0.2*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1] - 4*u)"
STEPS = 200
DRIVER = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])


def counted(call):
    """What call() gives, the counters of it, and how often it started kernels and graphs."""
    names = (b"cuLaunchKernel", b"cuGraphLaunch")
    DRIVER.standin_calls.restype = ctypes.c_uint64
    DRIVER.standin_reset_counters()
    before = [DRIVER.standin_calls(name) for name in names]
    value, counters = call(), Counters()
    DRIVER.standin_counters(ctypes.byref(counters))
    return value, counters, [DRIVER.standin_calls(name) - n for name, n in zip(names, before, strict=True)]


def main() -> None:
    u = np.random.default_rng(0).random((40, 44))
    wanted = engine.stencil(TEXT, u=u, steps=STEPS)
    there = engine.to_device(u)
    made, counters, (kernels, graphs) = counted(lambda: engine.stencil(TEXT, u=there, steps=STEPS))
    assert made.numpy().tobytes() == wanted.tobytes()
    if STEPS / 8 <= counters.launches <= STEPS / 3:  # at most eight steps each; of so small a field more than three
        print("few launches")
    if graphs > 0 and kernels < counters.launches / 2:
        print("a graph")
    made, counters, _ = counted(lambda: engine.stencil(TEXT, u=u, steps=STEPS, backend="cuda"))
    assert made.tobytes() == wanted.tobytes()
    if counters.copied_to_device == counters.copied_to_host == u.nbytes:
        print("to the device once")


if __name__ == "__main__":
    main()

"""device_arrays.py on the stand-in, with streams that run at once and with streams that run when somebody waits."""

import os
import re
import subprocess
import sys

import pytest

from tests.kernels_cuda.nvrtc import ROOT

STANDIN = ROOT / "build/dev/tests/emulator/libcuda_standin.so"


@pytest.mark.parametrize("defer", (0, 1))
def test_device_arrays_on_the_stand_in(tmp_path, defer):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--noconftest",
            "-p",
            "no:cacheprovider",
            "tests/kernels_cuda/device_arrays.py",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE_CUDA_DRIVER": str(STANDIN),
            "ENGINE_CACHE_DIR": str(tmp_path / "kernels"),
            "STANDIN_DEFER": str(defer),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    passed = re.search(r"^(\d+) passed", done.stdout, re.M)
    assert done.returncode == 0 and "stand-in:" not in done.stderr, done.stdout[-4000:] + done.stderr
    assert passed and int(passed[1]) >= 70


LAUNCHES = """
import ctypes, os
import numpy as np, engine
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
driver.standin_calls.restype = ctypes.c_uint64
rng = np.random.default_rng(1)
for shape, text in CASES:
    a = engine.to_device(rng.random(shape))
    engine.evaluate(text, {"a": a})
    driver.standin_reset_counters()
    engine.evaluate(text, {"a": a})
    names = (b"cuLaunchKernel", b"cuMemsetD8Async", b"cuMemAlloc_v2")
    print(shape, text, *map(driver.standin_calls, names))
"""
REDUCED = (
    ((300_000,), "sum(a)"),
    ((300_000,), "var(a * 2)"),
    ((3, 40_000), "max(a, axis=1)"),
    ((500, 70), "sum(a, axis=1)"),
    ((9000, 5), "mean(a, axis=0)"),
    ((4, 3000), "sum(a, axis=0)"),
)
SECTORS = """
import ctypes, os
import numpy as np, engine
from tests.emulator.standin import Counters
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
names = {name: engine.to_device(np.ones((32, 64, 96))) for name in "ab"}
names["row"] = engine.to_device(np.ones(96))
names["turned"] = engine.to_device(np.ones((32, 96, 64)).transpose(0, 2, 1))
names["far"] = engine.to_device(np.ones((96, 64, 32)).T)
for text in TEXTS:
    driver.standin_reset_counters()
    engine.evaluate(text, names)
    counters = Counters()
    driver.standin_counters(ctypes.byref(counters))
    print(counters.global_sectors / counters.global_ideal_sectors)
"""


def lines_of(script, cache):
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "ENGINE_CUDA_DRIVER": str(STANDIN), "ENGINE_CACHE_DIR": str(cache / "kernels")},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_warm_reduction_is_one_launch_and_nothing_else(tmp_path):
    lines = lines_of(LAUNCHES.replace("CASES", repr(REDUCED)), tmp_path)
    assert lines == [f"{shape} {text} 1 0 0" for shape, text in REDUCED]


@pytest.mark.parametrize(
    "text, most",
    (
        ("a + b", 1.0),
        ("a + row", 1.05),
        ("a + a[:, :1]", 1.05),
        ("a + turned", 1.05),
        ("a + far", 1.05),
        ("sum(a, axis=2)", 1.05),
        ("sum(a, axis=1)", 1.05),
    ),
)
def test_memory_is_read_and_written_by_whole_sectors(tmp_path, text, most):
    (ratio,) = lines_of(SECTORS.replace("TEXTS", repr([text])), tmp_path)
    assert 1.0 <= float(ratio) <= most

"""Program.graph() on the stand-in driver: graphs.py, and what only a stand-in can tell."""

import os
import subprocess

import pytest

from tests.kernels_cuda.nvrtc import ROOT, STANDIN
from tests.kernels_cuda.process import lines, run

HEADERS = ROOT / "build/dev/tests/examples/example_headers"


@pytest.mark.parametrize("order", ({}, {"STANDIN_DEFER": 1, "STANDIN_SEED": 3}))
def test_programs_as_graphs(shared, order):
    words = "-m pytest -q -p no:xdist --noconftest tests/kernels_cuda/graphs.py".split()
    done = run(shared, *words, **order)
    assert done.returncode == 0 and done.stderr == "", done.stdout[-4000:] + done.stderr


CALLS = """
import ctypes, os
import numpy as np, engine
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
driver.standin_calls.restype = ctypes.c_uint64
names = ("LaunchKernel", "GraphLaunch", "GraphExecKernelNodeSetParams_v2", "GraphInstantiateWithFlags", "MemAlloc_v2")
graph = engine.compile("t = a - mean(a, axis=1, keepdims=True); t / std(t)").graph()
a, b = (engine.to_device(np.random.default_rng(i).random((40, 60))) for i in range(2))
out = engine.to_device(np.zeros((40, 60)))
for array in (a, a, b):
    driver.standin_reset_counters()
    graph(a=array, out=out)
    print(*(driver.standin_calls(f"cu{name}".encode()) for name in names[:4]))
"""


def test_a_replay_is_one_call_of_the_driver_and_other_addresses_one_for_each_kernel_that_has_them(tmp_path):
    first, again, other = (tuple(map(int, line.split())) for line in lines(tmp_path, "-c", CALLS))
    assert first == (0, 1, 0, 1)
    assert again == (0, 1, 0, 0)
    assert other[0] == 0 and other[1] == 1 and 1 <= other[2] <= 4 and other[3] == 0


def test_the_graph_of_the_headers_examples(tmp_path):
    environment = {"ENGINE_CUDA_DRIVER": str(STANDIN), "ENGINE_WAIT": "1"}
    done = subprocess.run([HEADERS], env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stderr == "", done.stderr


REFUSED = """
import ctypes, os
import numpy as np, engine
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
text = "t = a - mean(a, axis=1, keepdims=True); t / std(t) * k"
graph = engine.compile(text).graph()
kept = []  # so that each call has memory of its own
for k in (1.0, 2.0):
    a = np.random.default_rng(int(k)).random((40, 60))
    assert driver.standin_inject(b"cuGraphExecKernelNodeSetParams_v2:2:910")
    kept += [there := engine.to_device(a)]
    kept += [got := graph(a=there, k=k)]
    print((got.numpy() == engine.evaluate(text, {"a": a, "k": k})).all(), graph.stats.captures)
"""


def test_a_graph_that_the_driver_updates_but_half_is_made_anew(tmp_path):
    assert lines(tmp_path, "-c", REFUSED) == ["True 1", "True 2"]


MEMORY = """
import ctypes, gc, os
import numpy as np, engine
from tests.emulator.standin import Counters
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
a = engine.to_device(np.ones(1 << 16))
counters = Counters()
def live():
    gc.collect()
    engine.trim()
    driver.standin_counters(ctypes.byref(counters))
    return counters.live_bytes
before = live()
graph = engine.compile("t = a + 1; sum(t) * t").graph()
for _ in range(50):
    graph(a=a)
held = live() - before
for _ in range(50):
    graph(a=a)
print(held > 0, live() - before == held)
del graph
print(live() - before)
"""


def test_a_graph_keeps_what_its_kernels_need_and_gives_it_back(tmp_path):
    assert lines(tmp_path, "-c", MEMORY) == ["True True", "0"]

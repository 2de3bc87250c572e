"""device_arrays.py on the stand-in, with streams that run at once and with streams that run when somebody waits."""

import re

import pytest

from tests.kernels_cuda.process import lines, run


@pytest.mark.parametrize("defer", (0, 1))
def test_device_arrays_on_the_stand_in(shared, defer):
    words = "-m pytest -q --noconftest -p no:cacheprovider tests/kernels_cuda/device_arrays.py".split()
    done = run(shared, *words, STANDIN_DEFER=defer)
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


def test_a_warm_reduction_is_one_launch_and_nothing_else(tmp_path):
    script = LAUNCHES.replace("CASES", repr(REDUCED))
    assert lines(tmp_path, "-c", script) == [f"{shape} {text} 1 0 0" for shape, text in REDUCED]


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
    (ratio,) = lines(tmp_path, "-c", SECTORS.replace("TEXTS", repr([text])))
    assert 1.0 <= float(ratio) <= most


MANY = """
import numpy as np, engine
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
line, square = engine.to_device(np.ones(100)), engine.to_device(np.ones((10, 10), "f4"))
for i in range(9000):
    kind = i % 4
    if kind == 0:
        engine.evaluate(f"x{i} * 2 + x{i}", {f"x{i}": line})
    elif kind == 1:
        engine.evaluate(f"sum(x{i} * k + 1)", {f"x{i}": line, "k": i})
    elif kind == 2:
        engine.evaluate("x[:n] + 1", {"x": line, "n": i % 100})
    else:
        engine.evaluate(f"x{i} - sum(x{i}, axis=0)", {f"x{i}": square})
    if i == 5000:
        before = resident()
print((resident() - before) >> 20)
"""


def test_many_signatures_take_bounded_memory(tmp_path):
    (grown,) = lines(tmp_path, "-c", MANY)
    assert int(grown) < 8


WAITS = """
import ctypes, os
import numpy as np, engine
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
driver.standin_calls.restype = ctypes.c_uint64
a = engine.to_device(np.random.default_rng(1).random((300, 40)))
for text in TEXTS:
    engine.evaluate(text, {"a": a})
    driver.standin_reset_counters()
    engine.evaluate(text, {"a": a})
    names = ("LaunchKernel", "StreamSynchronize", "EventSynchronize", "MemcpyDtoHAsync_v2", "MemcpyHtoDAsync_v2")
    launches, *waits = (driver.standin_calls(f"cu{name}".encode()) for name in names)
    print(launches > 1, *waits)
"""
SEVERAL = (
    "(a - mean(a, axis=0)) / std(a, axis=0)",
    "t = a - sum(a, axis=1, keepdims=True); u = t / max(t); u * sum(u)",
    "sort(a, axis=1) - cumsum(a, axis=1) + median(a)",
)


def test_kernels_of_a_program_are_launched_without_waiting_for_each_other(shared):
    assert lines(shared, "-c", WAITS.replace("TEXTS", repr(SEVERAL))) == ["True 0 0 0 0"] * len(SEVERAL)


TWO_DEVICES = """
import numpy as np, engine
A = np.arange(12.0).reshape(3, 4)
here, there = engine.to_device(A, "cuda:0"), engine.to_device(A, 1)
program = engine.compile("a*2 + sum(b)")
for array in (here, there, here):
    result = program(a=array, b=array)
    assert result.device == array.device and (result.numpy() == A * 2 + A.sum()).all()
try:
    program(a=here, b=there)
except engine.BackendError as error:
    assert "'a' is on cuda:0, other arrays are on cuda:1" in str(error), error
else:
    raise AssertionError("arrays of two devices")
for device in (0, 1):
    result = program(a=here, b=there, device=device)
    assert result.device == f"cuda:{device}" and (result.numpy() == A * 2 + A.sum()).all()
assert there[1:].device == "cuda:1" and there.__dlpack_device__() == (2, 1)
assert engine.evaluate("a + 1", {"a": engine.evaluate("a - 1", {"a": there})}).device == "cuda:1"
cuda = engine.doctor().cuda
assert "device 1" in cuda and "device 2" not in cuda
print("done")
"""


IDS = """
import re
import numpy as np, engine
ids = re.findall(r"(?:GPU|MIG)(?:-[0-9a-f]+){5}", str(engine.doctor()))
print(len(ids), {id[:4] for id in ids})
a = np.arange(3.0)
for ordinal, id in enumerate(ids):
    assert engine.to_device(a, id).device == f"cuda:{ordinal}"
    assert (engine.evaluate("a + 1", {"a": a}, device=id).numpy() == a + 1).all()
for id in (ids[0][:20], ids[0][:4] + "0123"):
    try:
        engine.to_device(a, id)
    except engine.BackendError as error:
        print(error)
"""


@pytest.mark.parametrize("mig, word", ((0, "GPU-"), (1, "MIG-")))
def test_devices_and_parts_of_them_are_found_by_their_ids(tmp_path, mig, word):
    printed = lines(tmp_path, "-c", IDS, STANDIN_DEVICES=2, STANDIN_MIG=mig)
    assert printed[0] == f"2 {{'{word}'}}"
    assert printed[1].startswith(f'the ids of several CUDA devices begin with "{word}')
    assert printed[3] == f'there is no CUDA device of the id "{word}0123"'


def test_each_of_two_devices_has_its_own_arrays_and_kernels(tmp_path):
    assert lines(tmp_path, "-c", TWO_DEVICES, STANDIN_DEVICES=2) == ["done"]

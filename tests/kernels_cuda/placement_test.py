"""backend="auto" sends operands of the host to a device where that is faster by far, and says why."""

import pytest

from tests.kernels_cuda import process

# Twenty functions of 500,000 elements are worth it; one sum of ten million is not, as its operands have to be copied.
CHAIN = """
import numpy as np, engine
a = np.linspace(0, 1, 500_000)
text = "a"
for _ in range(10):
    text = f"tanh(exp({text}))"
got = engine.evaluate(text, {"a": a}, threads=2)
print(engine.last_run().backend)
print(got.tobytes() == engine.evaluate(text, {"a": a}, backend="interp").tobytes())
print(engine.explain(text, {"a": a}, threads=2))
"""
COPY = """
import numpy as np, engine
a = np.ones(20_000_000)
engine.evaluate("a + a", {"a": a}, threads=2)
print(engine.last_run().backend)
print(engine.explain("a + a", {"a": a}, threads=2))
"""


HOST = ("interp", "jit")


def run(folder, code, **environment):
    done = process.run(folder, "-c", code, **{"ENGINE_AUTO_SECONDS": 0, "STANDIN_QUIET": 1} | environment)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line]


def test_much_work_on_little_memory_goes_to_the_device_and_keeps_its_bits(tmp_path):
    backend, same, *lines = run(tmp_path, CHAIN)
    assert (backend, same) == ("cuda", "True")
    assert lines[-1].startswith("backend: cuda (")
    assert "s here," in lines[-1] and "s by way of cuda:0, copies included" in lines[-1]
    assert any(line.startswith("  kernel 1 on cuda:0: 16 bytes, ") for line in lines)


def test_what_memory_decides_stays_where_it_is(tmp_path):
    backend, *lines = run(tmp_path, COPY)
    assert backend in HOST
    assert lines[-1].startswith(f"backend: {backend} (") and "by way of cuda:0" in lines[-1]


CALL = 'got = engine.evaluate(text, {"a": a}, threads=2)'
INTO = CHAIN.replace(CALL, 'got = np.zeros_like(a); engine.evaluate(text, {"a": a}, threads=2, out=got)')
IN_PLACE = CHAIN.replace(CALL, 'got = a.copy(); engine.evaluate("a[...] = " + text, {"a": got}, threads=2)')


@pytest.mark.parametrize("code", (INTO, IN_PLACE))
def test_what_is_written_for_the_caller_stays_on_the_host(tmp_path, code):
    """A device that failed half-way would have spoilt it."""
    backend, same, *_ = run(tmp_path, code)
    assert backend in HOST and same == "True"


def test_no_device_is_started_for_what_is_done_soon(tmp_path):
    backend, _, *lines = run(tmp_path, CHAIN, ENGINE_AUTO_SECONDS=60)
    assert backend in HOST and "cuda" not in lines[-1]


def test_without_a_device_all_stays_on_the_host(tmp_path):
    backend, _, *lines = run(tmp_path, CHAIN, ENGINE_CUDA_DRIVER="none")
    assert backend in HOST and lines[-1].endswith("the operands are in the host's memory")


@pytest.mark.parametrize("fault", ("cuDevicePrimaryCtxRetain:1:2", "cuMemAlloc_v2:1:2", "cuLaunchKernel:1:719"))
def test_a_device_that_fails_leaves_the_work_to_the_host(tmp_path, fault):
    backend, same, *_ = run(tmp_path, CHAIN, STANDIN_FAULT=fault)
    assert backend in HOST and same == "True"

"""Faults of the driver and of NVRTC: a named error or the right answer, nothing kept, and the next call works.

The sweep is fault_sweep.py: every function that a session calls, its first, second and last call, each error code.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.nvrtc import PROXY, ROOT, STANDIN


def run(arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "ENGINE_CUDA_DRIVER": str(STANDIN), **{k: str(v) for k, v in environment.items()}},
        capture_output=True,
        text=True,
        timeout=600,
    )


def sweep(kind, least, never_called, **environment):
    done = run(["-m", "tests.kernels_cuda.fault_sweep", kind], STANDIN_QUIET=1, **environment)
    *findings, never, cases = done.stdout.splitlines() or [done.stderr]
    assert done.returncode == 0 and not findings, done.stdout[-6000:] + done.stderr
    assert never.split() == ["never", "called:", *never_called]
    assert int(re.fullmatch(r"(\d+) cases", cases)[1]) >= least


def test_each_driver_call_may_fail(tmp_path):
    sweep("driver", 300, (), ENGINE_CACHE_DIR=tmp_path / "kernels")


@pytest.mark.parametrize("is_cubin", (False, True))
def test_each_nvrtc_call_may_fail(tmp_path, is_cubin):
    sweep(
        "nvrtc",
        40,
        ("nvrtcGetPTX", "nvrtcGetPTXSize") if is_cubin else ("nvrtcGetCUBIN", "nvrtcGetCUBINSize"),
        ENGINE_NVRTC=PROXY,
        PROXY_NVRTC=nvrtc.library()._name,
        ENGINE_CACHE_DIR="/dev/null/none",
        **({"STANDIN_CAPABILITY": 90, "PROXY_PTX_AS_CUBIN": tmp_path} if is_cubin else {}),
    )


TRY = """
import numpy as np, engine
try:
    engine.evaluate("a + 1", {"a": np.ones(3)}, backend="cuda")
except engine.BackendError as error:
    print(error)
print(engine.evaluate("a + 1", {"a": np.ones(3)}))
"""


@pytest.mark.parametrize(
    "changes, wanted",
    (
        ({"ENGINE_CUDA_DRIVER": "none"}, "switched off by ENGINE_CUDA_DRIVER=none"),
        ({"ENGINE_CUDA_DRIVER": "/nowhere/libcuda.so"}, "no CUDA driver (/nowhere/libcuda.so could not be loaded)"),
        ({"ENGINE_CUDA_DRIVER": str(PROXY)}, "the CUDA driver is too old: it has no cuInit"),
        ({"STANDIN_DEVICES": 0}, "there is no CUDA device"),
        ({"STANDIN_VERSION": 11080}, "the CUDA driver is too old: it is of version 11.8"),
        ({"ENGINE_NVRTC": "/nowhere/libnvrtc.so"}, "NVRTC could not be loaded from /nowhere/libnvrtc.so"),
        ({"ENGINE_NVRTC": str(STANDIN)}, "it is no NVRTC of CUDA 12 or 13"),
    ),
)
def test_what_is_missing_is_named_and_the_cpu_goes_on(changes, wanted):
    done = run(["-c", TRY], STANDIN_QUIET=1, **changes)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert wanted in done.stdout and "help" in done.stdout and done.stdout.endswith("[2. 2. 2.]\n"), done.stdout


FORK = """
import os, sys
import numpy as np, engine
there = engine.to_device(np.ones(3))
engine.evaluate("a + 1", {"a": there})
child = os.fork()
if not child:
    for use in (lambda: engine.evaluate("a + 1", {"a": there}), lambda: engine.to_device(np.ones(3)), there.numpy,
                lambda: engine.evaluate("a + 1", {"a": np.ones(3)}, backend="cuda")):
        try:
            use()
        except engine.BackendError as error:
            assert "does not survive fork()" in str(error) and "spawn" in str(error), error
        else:
            os._exit(1)
    del there
    engine.trim()
    os._exit(0 if engine.evaluate("a + 1", {"a": np.ones(3)}).sum() == 6 else 2)
print(os.waitpid(child, 0)[1], engine.evaluate("a + 1", {"a": there}).numpy())
"""


def test_a_forked_child_is_told_so_and_its_parent_goes_on():
    done = run(["-c", FORK])
    assert done.stdout == "0 [2. 2. 2.]\n", done.stdout + done.stderr

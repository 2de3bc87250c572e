"""What sorts on a device need besides the driver and NVRTC: CUB's headers, which are looked for, and compiled once."""

import os
import pathlib
import subprocess
import sysconfig

import pytest

from tests.kernels_cuda.nvrtc import ROOT
from tests.kernels_cuda.process import run

SORT = """
import logging, numpy as np, engine
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", filename=NAME)
a = np.arange(5000.0)[::-1]
assert (engine.evaluate("sort(a)", {"a": a}, backend="cuda") == np.sort(a)).all()
run = engine.last_run()
print(run.kernels_compiled, 0 < run.compile_seconds < 60)
assert (engine.evaluate("sort(a)", {"a": a}, backend="cuda") == np.sort(a)).all()
print(engine.last_run().kernels_compiled, engine.last_run().compile_seconds)
"""


def test_the_first_sort_compiles_and_says_so_and_a_second_process_compiles_nothing(tmp_path):
    log = tmp_path / "log"
    first = run(tmp_path, "-c", SORT.replace("NAME", repr(str(log))))
    assert first.stdout.splitlines() == ["4 True", "0 0.0"], first.stdout + first.stderr
    assert log.read_text().startswith("engine: compiled 4 kernels in ") and log.read_text().endswith("s for sort(a)\n")
    second = run(tmp_path, "-c", SORT.replace("NAME", repr(str(tmp_path / "other"))))
    assert second.stdout.splitlines() == ["0 False", "0 0.0"], second.stdout + second.stderr
    assert (tmp_path / "other").read_text() == ""


WITHOUT = """
import numpy as np, engine
a = np.arange(5.0)[::-1]
try:
    engine.evaluate("sort(a)", {"a": a}, backend="cuda")
except engine.BackendError as error:
    print(error)
print(engine.evaluate("cumsum(a)[a > 2]", {"a": a}, backend="cuda"), engine.evaluate("sort(a)", {"a": a}))
print([row for row in str(engine.doctor()).splitlines() if "headers" in row][0])
"""


@pytest.mark.parametrize(
    ("version", "words"),
    ((None, "CUB's headers were not found"), (200100, "CUB 2.1 in"), (-1, "CUB's headers were not found")),
)
def test_without_cub_a_sort_says_what_to_install_and_all_else_runs(tmp_path, version, words):
    folder = tmp_path / "cccl"
    (folder / "cub").mkdir(parents=True)
    if version is not None:
        (folder / "cub/version.cuh").write_text(f"#define CUB_VERSION {version}\n" if version > 0 else "#define CUB_\n")
    done = run(tmp_path, "-c", WITHOUT, ENGINE_CCCL=folder)
    assert done.returncode == 0 and words in done.stdout and "nvidia-cuda-cccl" in done.stdout, (
        done.stdout + done.stderr
    )
    assert "[4. 7.] [0. 1. 2. 3. 4.]" in done.stdout and words in done.stdout.splitlines()[-1]


HEADERS = pathlib.Path(sysconfig.get_path("purelib")) / "nvidia/cu13/include/cccl"
NVCC = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "bin/nvcc"


@pytest.mark.skipif(not NVCC.exists(), reason="nvcc is missing: install a CUDA toolkit")
def test_nvcc_compiles_thrusts_sorts_for_cuda(tmp_path):
    """The source of the host's sorts, for Thrust's CUDA system."""
    words = "-std=c++20 --expt-relaxed-constexpr -arch=sm_90 -x cu -I. -Iengine/include".split()
    words += ["-c", "engine/run/ordered/sort.cpp"]
    done = subprocess.run(
        [NVCC, *words, f"-I{HEADERS}", "-o", tmp_path / "sort.o"], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-4000:]

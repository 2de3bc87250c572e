"""The demo on the stand-in: every expression over its real data has the CPU's bits on the device."""

import os
import subprocess
import sys

from tests.kernels_cuda.nvrtc import ROOT, STANDIN


def test_the_demo_runs_its_expressions_on_a_device_that_is_there(tmp_path):
    done = subprocess.run(
        [sys.executable, "examples/demo.py"],
        cwd=ROOT,
        env={**os.environ, "ENGINE_CUDA_DRIVER": str(STANDIN), "ENGINE_CACHE_DIR": str(tmp_path / "kernels")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    _, _, part = done.stdout.partition("the same on a GPU, against the CPU's\n")
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    assert [line.endswith("same bits") for line in part.split("\n\n")[0].splitlines()] == [True] * 4

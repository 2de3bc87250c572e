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
    )
    passed = re.search(r"^(\d+) passed", done.stdout, re.M)
    assert done.returncode == 0 and "stand-in:" not in done.stderr, done.stdout[-4000:] + done.stderr
    assert passed and int(passed[1]) >= 70

"""The backend "cuda" gives the interpreter's bits: by g++ (host/driver.cpp), and as PTX on the stand-in driver."""

import os
import re
import subprocess
import sys

import pytest

from tests.conformance.operations import DTYPE_NAMES
from tests.kernels_cuda.nvrtc import ROOT

HOST = ROOT / "build/dev/tests/kernels_cuda/libengine_host_driver.so"
STANDIN = ROOT / "build/dev/tests/emulator/libcuda_standin.so"


def walk(driver, nvrtc, cache, *groups):
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernels_cuda.table", *groups],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE_CUDA_DRIVER": str(driver),
            "ENGINE_NVRTC": nvrtc,
            "ENGINE_CACHE_DIR": str(cache / "kernels"),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    *complaints, last = done.stdout.splitlines()
    assert not complaints and done.stderr == ""
    return int(re.fullmatch(r"(\d+) compared", last)[1])


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_stand_in_gives_the_bits_of_the_interpreter(tmp_path, dtype):
    assert walk(STANDIN, "", tmp_path, dtype) >= 200


def test_the_text_as_ordinary_code_gives_the_bits_of_the_interpreter(tmp_path):
    assert walk(HOST, str(HOST), tmp_path, "overlaps", "float64") >= 8


def test_the_text_of_blocks_that_wait_as_ordinary_code_gives_the_bits_of_the_interpreter(tmp_path):
    assert walk(HOST, str(HOST), tmp_path, "squares", "int16") >= 40

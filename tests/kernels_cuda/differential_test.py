"""Generated programs on the backend "cuda" against NumPy, on the stand-in with all checks on: blocks in order and
interleaved by seeds, with streams that run at once and with streams that run when somebody waits for them.
"""

import os
import re
import subprocess
import sys

import pytest

from tests.kernels_cuda.nvrtc import ROOT

STANDIN = ROOT / "build/dev/tests/emulator/libcuda_standin.so"
PROGRAMS = 700  # per run; of some the oracle does not know the answer


@pytest.mark.parametrize("seed, defer", ((0, 0), (1, 0), (2, 1), (3, 1)))
def test_generated_programs_give_what_numpy_does(tmp_path, seed, defer):
    done = subprocess.run(
        [sys.executable, "-m", "tests.differential.soak", "--backend", "cuda", "--jobs", "1"]
        + ["--programs", str(PROGRAMS), "--seed", str(1_000_000 * (seed + 1)), "--chunk", "350"],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE_CUDA_DRIVER": str(STANDIN),
            "ENGINE_CACHE_DIR": str(tmp_path / "kernels"),
            "STANDIN_SEED": str(seed),
            "STANDIN_DEFER": str(defer),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stderr == "", done.stdout[-4000:] + done.stderr
    found = re.search(r"^(\d+) programs compared .* 0 failures$", done.stdout, re.M)
    assert found and int(found[1]) >= PROGRAMS * 0.95

"""Python in a process of its own, for which a stand-in is the device: this one has none (see conftest.py)."""

import os
import subprocess
import sys

from tests.kernels_cuda.nvrtc import ROOT, STANDIN


def run(folder, *arguments, **environment) -> subprocess.CompletedProcess:
    """Kernels are cached in the folder; ENGINE_CUDA_DRIVER among `environment` names another driver."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE_CUDA_DRIVER": str(STANDIN),
            "ENGINE_CACHE_DIR": str(folder / "kernels"),
            "ENGINE_WAIT": "1",  # first calls are the device's, too
            **{key: str(value) for key, value in environment.items()},
        },
        capture_output=True,
        text=True,
        timeout=600,
    )


def lines(folder, *arguments, **environment) -> list[str]:
    """What it prints; that it ends well, and says nothing of errors, is a claim of each test that asks."""
    done = run(folder, *arguments, **environment)
    assert done.returncode == 0 and done.stderr == "", done.stdout[-4000:] + done.stderr
    return done.stdout.splitlines()

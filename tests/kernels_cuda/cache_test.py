"""The cache of kernels on disk: a second process compiles nothing, and what is wrong with it costs a compilation alone.

Compilations are counted by the proxy of NVRTC, so that a kernel which is taken from the cache is known to be.
"""

import os
import pathlib
import random
import subprocess
import sys

import pytest

from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.nvrtc import PROXY, ROOT, STANDIN

# Prints how many kernels were compiled; a result that is not NumPy's ends it.
WORK = """
import ctypes, os, sys
import numpy as np, engine
a = np.arange(7.0)
for k in map(int, sys.argv[1:]):
    got = engine.evaluate(f"a * {k}.5 + {k}", {"a": a}, backend="cuda")
    assert got.tobytes() == (a * (k + 0.5) + k).tobytes()
print(ctypes.CDLL(os.environ["ENGINE_NVRTC"]).proxy_calls(b"nvrtcCompileProgram"))
"""


def start(folder, *kernels, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", WORK, *map(str, kernels)],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE_CUDA_DRIVER": str(STANDIN),
            "ENGINE_NVRTC": str(PROXY),
            "PROXY_NVRTC": nvrtc.library()._name,
            "ENGINE_CACHE_DIR": str(folder),
            "ENGINE_WAIT": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def compiled(process) -> int:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0 and err == "", out + err
    return int(out)


def entries(folder) -> list[pathlib.Path]:
    return sorted(pathlib.Path(folder).iterdir())


@pytest.fixture
def cache(tmp_path):
    """A folder with one entry."""
    folder = tmp_path / "kernels"
    assert compiled(start(folder, 1)) == 1 and len(entries(folder)) == 1
    return folder


def test_a_second_process_compiles_nothing(cache):
    assert compiled(start(cache, 1)) == 0
    assert cache.stat().st_mode & 0o777 == 0o700 and entries(cache)[0].stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_entry_is_compiled_again_and_mended(cache, seed):
    (entry,) = entries(cache)
    good = entry.read_bytes()
    rng = random.Random(seed)
    damaged = bytearray(good)
    if seed % 3 == 0:
        del damaged[rng.randrange(len(damaged)) :]
    elif seed % 3 == 1:
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    else:
        damaged += b"more"
    entry.write_bytes(damaged)
    assert compiled(start(cache, 1)) == 1
    assert entry.read_bytes() == good and compiled(start(cache, 1)) == 0


def test_an_entry_of_another_kernel_is_not_taken(cache):
    """As after a collision of names: the key in the entry is another."""
    (first,) = entries(cache)
    assert compiled(start(cache, 2)) == 1
    (second,) = set(entries(cache)) - {first}
    first.write_bytes(second.read_bytes())
    assert compiled(start(cache, 1)) == 1


def test_an_entry_of_another_compiler_or_device_is_not_taken(cache):
    assert compiled(start(cache, 1, STANDIN_CAPABILITY="131")) == 0  # the same PTX for any newer than NVRTC knows
    assert compiled(start(cache, 1, STANDIN_CAPABILITY="90", PROXY_PTX_AS_CUBIN=str(cache.parent))) == 1


def spoil_by_link(folder):
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to(folder.with_name("elsewhere"))


def spoil_by_file(folder):
    for entry in entries(folder):
        entry.unlink()
    folder.rmdir()
    folder.write_text("no folder")


def spoil_by_fifo(folder):
    (entry,) = entries(folder)
    entry.unlink()
    os.mkfifo(entry)


@pytest.mark.parametrize(
    "spoil",
    (
        spoil_by_link,
        spoil_by_file,
        lambda folder: folder.chmod(0o770),
        lambda folder: folder.chmod(0o707),
    ),
    ids=("link", "file", "group", "others"),
)
def test_a_folder_that_cannot_be_trusted_is_not_used(cache, spoil):
    spoil(cache)
    assert compiled(start(cache, 1)) == 1


def test_an_entry_that_is_no_file_is_not_waited_for(cache):
    spoil_by_fifo(cache)
    assert compiled(start(cache, 1)) == 1


def test_a_link_in_the_place_of_an_entry_is_not_followed(cache):
    (entry,) = entries(cache)
    kept = cache.parent / "kept"
    entry.rename(kept)
    entry.symlink_to(kept)
    assert compiled(start(cache, 1)) == 1
    assert not entry.is_symlink() and kept.exists()


@pytest.mark.parametrize("folder", ("/dev/null/kernels", "/proc/kernels", ""))
def test_without_a_folder_kernels_are_compiled(folder):
    assert compiled(start(folder, 1, **({"HOME": "", "XDG_CACHE_HOME": ""} if not folder else {}))) == 1


def test_processes_that_race_from_cold_share_what_they_make(tmp_path):
    folder = tmp_path / "deep" / "er" / "kernels"
    racing = [start(folder, *random.Random(n).sample(range(5), 5)) for n in range(6)]
    counts = [compiled(process) for process in racing]
    assert max(counts) <= 5 <= sum(counts)
    assert len(entries(folder)) == 5 and all(entry.suffix == ".kernel" for entry in entries(folder))
    assert compiled(start(folder, *range(5))) == 0


def test_the_folder_keeps_to_its_size_and_forgets_what_was_used_longest_ago(tmp_path):
    folder = tmp_path / "kernels"
    assert compiled(start(folder, 0, 1, 2, 3)) == 4
    for age, entry in enumerate(entries(folder)):
        os.utime(entry, (1000 + age, 1000 + age))
    size = max(entry.stat().st_size for entry in entries(folder))
    oldest, *_ = entries(folder)
    most = str(4 * size)
    assert compiled(start(folder, 4, ENGINE_CACHE_BYTES=most)) == 1
    assert sum(entry.stat().st_size for entry in entries(folder)) <= int(most) and not oldest.exists()
    assert compiled(start(folder, 4, ENGINE_CACHE_BYTES=most)) == 0


def test_a_kernel_larger_than_the_cache_is_not_kept(tmp_path):
    folder = tmp_path / "kernels"
    for _ in range(2):
        assert compiled(start(folder, 0, ENGINE_CACHE_BYTES="0")) == 1
    assert not folder.exists() or not entries(folder)

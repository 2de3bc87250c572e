"""engine.doctor(): what it says is what is there."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import engine
from engine import report as module


def test_versions_are_those_in_use():
    report = engine.doctor()
    assert report.version == engine.__version__ and report.numpy == np.__version__
    assert report.python == ".".join(map(str, sys.version_info[:3])) and report.threads == engine.num_threads()
    assert report.instruction_set in ("generic", "avx2", "avx512") and report.compiler[:3] in ("GCC", "Cla")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="elsewhere the one instruction set has it")
@pytest.mark.parametrize("wish", ("generic", "avx2"))
def test_an_instruction_set_without_fused_multiply_add_is_said_to_be_slow(wish):
    text = "import engine; r = engine.doctor(); print(r.instruction_set, r.fused_multiply_add); print(r)"
    environment = {**os.environ, "ENGINE_ISA": wish}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=True)
    found, with_fma = done.stdout.split()[:2]
    assert (with_fma == "True") == (found == "avx2")
    assert ("without fused multiply-add" in done.stdout) == (found == "generic")


def test_a_backend_is_usable_exactly_if_it_can_be_asked_for():
    names = set()
    for backend in engine.doctor().backends:
        names.add(backend.name)
        if backend.usable:
            assert engine.evaluate("a + 1", {"a": 1}, backend=backend.name) == 2
        else:
            with pytest.raises(engine.BackendError, match=f'"{backend.name}" is {backend.reason}'):
                engine.evaluate("a + 1", {"a": 1}, backend=backend.name)
    assert names == {"interp", "jit", "cuda"}


def test_the_dict_is_plain_data_and_the_text_has_all_of_it():
    report = engine.doctor()
    data = report.to_dict()
    assert json.loads(json.dumps(data)) == data
    for value in (report.version, report.compiler, report.instruction_set, report.cpu, report.numpy, "jit", "cuda"):
        assert value in str(report)
    assert repr(report) == str(report) and str(report).isprintable() is False and "\n" in str(report)


def test_cpus_of_this_process():
    cpus = engine.doctor().cpus
    assert cpus["online"] == os.cpu_count() and cpus["affinity"] == len(os.sched_getaffinity(0))
    assert cpus["quota"] is None or cpus["quota"] > 0


def test_variables_in_force_are_listed():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import engine; r = engine.doctor(); print(r.instruction_set, r.environment, r.threads)",
        ],
        env={**os.environ, "ENGINE_ISA": "generic", "ENGINE_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == (
        "generic {'ENGINE_CUDA_DRIVER': 'none', 'ENGINE_ISA': 'generic', 'ENGINE_NUM_THREADS': '3'} 3"
    )


@pytest.mark.parametrize(
    "files, groups, quota",
    (
        ({}, "0::/\n", None),
        ({"a/cpu.max": "max 100000"}, "0::/a\n", None),
        ({"a/cpu.max": "150000 100000"}, "0::/a\n", 1.5),
        ({"a/cpu.max": "50000 100000", "a/b/cpu.max": "150000 100000"}, "0::/a/b\n", 0.5),
        ({"other/cpu.max": "50000 100000"}, "0::/a\n", None),
        (
            {"cpu/a/cpu.cfs_quota_us": "250000", "cpu/a/cpu.cfs_period_us": "100000"},
            "4:cpu,cpuacct:/a\n1:memory:/\n",
            2.5,
        ),
        ({"cpu/a/cpu.cfs_quota_us": "-1", "cpu/a/cpu.cfs_period_us": "100000"}, "4:cpu:/a\n", None),
    ),
)
def test_the_smallest_quota_on_the_way_to_the_root_counts(tmp_path, files, groups, quota):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    (tmp_path / "membership").write_text(groups)
    assert module._quota(tmp_path, tmp_path / "membership") == quota


def test_caches_are_read_from_the_kernel_s_files(tmp_path):
    for i, (level, kind, size) in enumerate(
        (("1", "Data", "32K"), ("1", "Instruction", "64K"), ("2", "Unified", "1024K"))
    ):
        folder = tmp_path / f"index{i}"
        folder.mkdir()
        (folder / "level").write_text(level + "\n")
        (folder / "type").write_text(kind + "\n")
        (folder / "size").write_text(size + "\n")
    assert module._caches(tmp_path) == {"L1d": 32 << 10, "L1i": 64 << 10, "L2": 1 << 20}
    assert module._caches(tmp_path / "missing") == {}


def test_a_machine_that_says_nothing_is_described_all_the_same(tmp_path):
    assert module._cpu(tmp_path / "missing") and module._quota(tmp_path, tmp_path / "missing") is None

"""The folder rules of the architecture: a stage includes public headers and the stages above it, nothing below."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("base", "catalog", "frontend", "ir", "opt", "plan", "run")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


def sources(folder):
    return [p for p in sorted(folder.rglob("*")) if p.suffix in (".cpp", ".hpp", ".def")]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_includes_only_what_stands_above_it(stage):
    allowed = STAGES[: STAGES.index(stage) + 1]
    files = sources(ROOT / "engine" / stage)
    assert files
    for path in files:
        for _, name in INCLUDE.findall(path.read_text()):
            if name.startswith("engine/") and name.split("/")[1] in STAGES:
                assert name.split("/")[1] in allowed, f"{path.relative_to(ROOT)} includes {name}"


def test_public_headers_include_the_standard_library_and_each_other_alone():
    files = sources(ROOT / "engine" / "include")
    assert files
    for path in files:
        for kind, name in INCLUDE.findall(path.read_text()):
            assert kind == "<", f"{path.name} includes {name}"
            assert name.startswith("engine/") or "." not in name, f"{path.name} includes {name}"


def test_the_c_header_includes_the_c_standard_library_alone():
    text = (ROOT / "engine" / "include" / "engine" / "engine.h").read_text()
    assert INCLUDE.findall(text) == [("<", "stddef.h"), ("<", "stdint.h")]


def test_the_bindings_include_public_headers_alone():
    for path in sources(ROOT / "bindings"):
        for kind, name in INCLUDE.findall(path.read_text()):
            assert not (kind == '"' and name.startswith("engine/")), f"{path.name} includes {name}"


def test_what_nvrtc_will_read_includes_no_standard_header():
    for name in ("base/lane.hpp", "base/half.hpp", "catalog/scalar.hpp", "catalog/complex.hpp"):
        for kind, include in INCLUDE.findall((ROOT / "engine" / name).read_text()):
            assert kind == '"' and include.startswith("engine/"), f"{name} includes {include}"

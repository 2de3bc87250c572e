"""The elementary functions as NVRTC compiles them: to IEEE and integer operations alone, without spills.

registers.json holds what ptxas of the pinned NVRTC made of each function at its worst architecture; `python -m
tests.kernels_cuda.elementary_test` writes it anew.
"""

from __future__ import annotations

import functools
import json
import pathlib
import re

import pytest

from tests.kernels_cuda import nvrtc

ARCHITECTURES = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]
TABLE = pathlib.Path(__file__).with_name("registers.json")


@functools.cache
def functions() -> dict[str, int]:
    """Name and number of arguments of each, from the harness' list."""
    text = (nvrtc.ROOT / "tests/accuracy/functions.inc").read_text()
    return {name: int(arity) for name, arity in re.findall(r"^FUNCTION\((\w+), (\d)", text, re.M)}


def source() -> str:
    text = '#include "engine/catalog/elementary/elementary.hpp"\n'
    for name, arity in functions().items():
        for item in ("double", "float"):
            call = f"engine::math::{name}(x[i]{', y[i]' if arity == 2 else ''})"
            text += f'extern "C" __global__ void {name}_{item}({item}* r, const {item}* x, const {item}* y) {{\n'
            text += f"  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n  r[i] = {call};\n}}\n"
    return text


@functools.cache
def figures(architecture: str) -> dict[str, dict[str, int]]:
    return nvrtc.figures(nvrtc.compile(source(), architecture))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_function_needs_more_registers_stack_or_spills_than_recorded(architecture):
    recorded = json.loads(TABLE.read_text())
    measured = figures(architecture)
    assert set(measured) == set(recorded) == {f"{name}_{item}" for name in functions() for item in ("double", "float")}
    worse = {
        name: (figure, recorded[name])
        for name, figure in measured.items()
        if any(figure[key] > recorded[name][key] for key in figure)
    }
    assert not worse


def test_the_ptx_holds_only_correctly_rounded_operations():
    ptx = nvrtc.compile(source(), "compute_75")
    assert "fma.rn.f64" in ptx
    assert not re.findall(r"\b\w+\.approx[\w.]*|\b\w+\.ftz[\w.]*|\b(?:min|max)\.f\d\d", ptx)
    assert not re.findall(r"\b(?:add|sub|mul|div|fma|sqrt)\.(?:rz|rm|rp)[\w.]*", ptx)


if __name__ == "__main__":
    worst: dict[str, dict[str, int]] = {}
    for architecture in ARCHITECTURES:
        for name, figure in figures(architecture).items():
            kept = worst.setdefault(name, dict.fromkeys(figure, 0))
            for key, value in figure.items():
                kept[key] = max(kept[key], value)
    rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(figure)}" for name, figure in worst.items())
    TABLE.write_text(f"{{\n{rows}\n}}\n")

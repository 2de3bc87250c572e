"""The complex functions as NVRTC compiles them: without a standard header, to correctly rounded operations alone."""

from __future__ import annotations

import re

import pytest

from tests.kernels_cuda import nvrtc


def functions() -> dict[str, int]:
    """Name and number of arguments of each, from the harness' list."""
    text = (nvrtc.ROOT / "tests/accuracy/complex_functions.inc").read_text()
    return {name: int(arity) for name, arity in re.findall(r"^FUNCTION\((\w+), (\d)", text, re.M)}


def source(item: str) -> str:
    text = '#include "engine/catalog/complex.hpp"\nusing engine::math::Complex;\n'
    for name, arity in functions().items():
        result = item if name == "absolute" else f"Complex<{item}>"
        call = f"engine::math::{name}(x[i]{', y[i]' if arity == 2 else ''})"
        parameters = f"{result}* r, const Complex<{item}>* x, const Complex<{item}>* y"
        text += f'extern "C" __global__ void complex_{name}({parameters}) {{\n'
        text += f"  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n  r[i] = {call};\n}}\n"
    return text


@pytest.mark.parametrize("item", ("double", "float"))
def test_the_ptx_of_complex_functions_holds_only_correctly_rounded_operations(item):
    ptx = nvrtc.compile(source(item), "compute_75")
    assert set(functions()) == set(re.findall(r"\.entry complex_(\w+)\(", ptx))
    assert not re.findall(r"\b\w+\.approx[\w.]*|\b\w+\.ftz[\w.]*|\b(?:min|max)\.f\d\d", ptx)
    assert not re.findall(r"\b(?:add|sub|mul|div|fma|sqrt)\.(?:rz|rm|rp)[\w.]*", ptx)

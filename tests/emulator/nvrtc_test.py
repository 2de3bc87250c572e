"""Our elementary and complex functions as NVRTC compiles them, on the stand-in: the same bits as g++ makes of them."""

from __future__ import annotations

import ctypes
import re
import subprocess

import numpy as np
import pytest

from tests.emulator.standin import standin
from tests.kernels_cuda import nvrtc

N = 4096
ITEMS = {"double": np.float64, "float": np.float32}


def functions(name: str) -> dict[str, int]:
    """Name and number of arguments of each, from the harness' list."""
    text = (nvrtc.ROOT / f"tests/accuracy/{name}.inc").read_text()
    return {name: int(arity) for name, arity in re.findall(r"^FUNCTION\((\w+), (\d)", text, re.M)}


def body(name: str, arity: int, item: str, kind: str) -> tuple[str, str]:
    """Parameters and statement of the function over one element."""
    if kind == "complex":
        argument, result = (
            f"engine::math::Complex<{item}>",
            item if name == "absolute" else f"engine::math::Complex<{item}>",
        )
    else:
        argument = result = item
    call = f"engine::math::{name}(x[i]{', y[i]' if arity == 2 else ''})"
    return f"{result}* r, const {argument}* x, const {argument}* y", f"r[i] = {call};"


INDEX = "const int i = blockIdx.x * blockDim.x + threadIdx.x;"
INCLUDE = {"functions": "elementary/elementary.hpp", "complex_functions": "complex.hpp"}


def source(inventory: str, item: str, form: str) -> str:
    kind = "complex" if inventory.startswith("complex") else "real"
    text = f'#include "engine/catalog/{INCLUDE[inventory]}"\n'
    for name, arity in functions(inventory).items():
        parameters, statement = body(name, arity, item, kind)
        if form == "device":
            text += f'extern "C" __global__ void {name}_({parameters}) {{ {INDEX} {statement} }}\n'
        else:
            text += f'extern "C" void {name}_({parameters}, int n) {{ for (int i = 0; i < n; ++i) {statement} }}\n'
    return text


def host_library(folder, inventory: str, item: str) -> ctypes.CDLL:
    """The scalar forms by g++, contraction off as everywhere."""
    path = folder / f"{inventory}_{item}"
    path.with_suffix(".cpp").write_text(source(inventory, item, "host"))
    options = ["-std=c++20", "-O1", "-ffp-contract=off", "-fno-math-errno", "-w", "-shared", "-fPIC", f"-I{nvrtc.ROOT}"]
    subprocess.run(["g++", *options, path.with_suffix(".cpp"), "-o", path.with_suffix(".so")], check=True)
    return ctypes.CDLL(str(path.with_suffix(".so")))


def samples(dtype, seed: int) -> np.ndarray:
    """Every exponent, the usual magnitudes, and the edges."""
    rng = np.random.default_rng(seed)
    width = np.dtype(dtype).itemsize
    with np.errstate(over="ignore", invalid="ignore"):
        anything = rng.integers(0, 2 ** (8 * width) - 1, N // 4, f"u{width}").view(dtype)
        usual = np.concatenate([rng.normal(0, scale, N // 4) for scale in (1, 20, 300)]).astype(dtype)
    values = np.concatenate([anything, usual])
    edges = [
        0.0,
        -0.0,
        1,
        -1,
        np.inf,
        -np.inf,
        np.nan,
        np.finfo(dtype).tiny,
        np.finfo(dtype).max,
        np.finfo(dtype).smallest_subnormal,
        0.5,
        2,
        3,
        709,
        -745,
    ]
    values[: 7 * len(edges)] = np.roll(np.tile(np.array(edges, dtype), 7), seed)
    return values


@pytest.mark.parametrize("item", ITEMS)
@pytest.mark.parametrize("inventory", INCLUDE)
def test_the_bits_are_those_of_the_host(tmp_path, inventory, item):
    dtype = ITEMS[item]
    lanes = 2 if inventory.startswith("complex") else 1
    x, y = (np.stack([samples(dtype, seed + k) for k in range(lanes)], 1).ravel() for seed in (1, 5))
    machine = standin()
    module = machine.load(nvrtc.compile(source(inventory, item, "device"), "compute_90"))
    host = host_library(tmp_path, inventory, item)
    device_x, device_y = machine.array(x), machine.array(y)
    for name in functions(inventory):
        n = N * (1 if name == "absolute" else lanes)
        device_r = machine.empty(n * x.itemsize)
        machine.launch(module, f"{name}_", N // 128, 128, device_r, device_x, device_y)
        expected = np.empty(n, dtype)
        getattr(host, f"{name}_")(*(a.ctypes.data_as(ctypes.c_void_p) for a in (expected, x, y)), N)
        got = device_r.read(dtype, n)
        bits = f"u{x.itemsize}"
        differs = (got.view(bits) != expected.view(bits)) & ~(np.isnan(got) & np.isnan(expected))
        if (name, item) == ("power", "float"):
            # exp(-inf + nan j) is a zero with the sign of that NaN; single precision has no negative one on a device.
            differs &= (got != 0) | np.repeat(np.isfinite(y).reshape(-1, 2).all(1), 2)
        assert not differs.any(), (name, x[differs.nonzero()[0][:4] % N], got[differs][:4], expected[differs][:4])
    assert machine.report() == ""

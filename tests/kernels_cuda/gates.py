"""Static gates: what ptxas makes of every kernel template, and what its PTX executes, as figures that diffs show.

`./dev gates` writes bench/gates.json; gates_test.py compares with it and checks the bounds. Each case is evaluated on
the stand-in driver as a device of each compute capability; the cubin for that device is taken apart by NVIDIA's
cuobjdump and nvdisasm. Needs no GPU. Per case and architecture:

registers  : per thread, the worst of its kernels
local      : bytes of local memory (spills, stack)
wide       : loads of 128 bits on the fast path; narrow: loads and stores of less there
per_element: SASS instructions on the fast path for each element that it stores, paths for rare values included
calls, mufu: CALL instructions; those of the approximate unit
in_flight  : KiB of loads that a multiprocessor full of such blocks has under way
Per case: executed, PTX instructions of all lanes for each element of the widest operand, of stencils for each step of
it; sectors, 32-byte sectors of memory accesses over those that the distinct bytes fill.
"""

from __future__ import annotations

import concurrent.futures
import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import tempfile

import numpy as np

from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.nvrtc import PROXY, ROOT, STANDIN

TABLE = ROOT / "bench/gates.json"
ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
# Figures of a run on the stand-in, recorded of one architecture: PTX differs little between them.
RUN = ("executed", "sectors")
LEADING = 90
# Of a multiprocessor: threads; KiB of loads under way that its memory needs (the table of CUB's DeviceTransform; the
# GDDR of 12.0 needs what that of 8.9 does).
THREADS = {75: 1024, 80: 2048, 86: 1536, 89: 1536, 90: 2048, 100: 2048, 120: 1536}
NEEDED = {75: 12, 80: 16, 86: 16, 89: 16, 90: 32, 100: 64, 120: 16}

ALL = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()
REAL = ALL[1:-2]
FLOATS = ["float16", "float32", "float64"]
COMPLEX = ALL[-2:]
# One of each size, and what is computed in another type than it is kept in.
SIZES = ["int8", "int16", "float16", "float32", "float64", "complex64", "complex128"]

# Template: text, shapes of the operands by name (and steps of the views of them), dtypes.
FLAT = {"a": (8192,), "b": (8192,), "c": (8192,)}
MATRIX = {"a": (96, 128), "b": (96, 128), "row": (128,), "column": (96, 1), "t": (128, 96)}
CASES = {
    "add": ("a + b", FLAT, REAL + COMPLEX),
    "logical_and": ("a & b", FLAT, ["bool"]),
    "copy": ("a", FLAT, ALL),
    "compare": ("a < b", FLAT, REAL),
    "select": ("where(a > 0, a, b)", FLAT, ALL),
    "divide": ("a / b", FLAT, REAL + COMPLEX),
    "seed": ("4*a + 5*a*b + 6*b*c", FLAT, REAL + COMPLEX),
    "two_results": ("r = a + b; s = a - b; r * s", FLAT, REAL + COMPLEX),
    "exp": ("exp(a)", FLAT, FLOATS + COMPLEX),
    "log": ("log(a)", FLAT, FLOATS + COMPLEX),
    "sin": ("sin(a)", FLAT, FLOATS + COMPLEX),
    "power": ("a ** b", FLAT, FLOATS + COMPLEX),
    "erf": ("erf(a)", FLAT, FLOATS),
    "complex_abs": ("abs(a)", FLAT, ["complex64", "complex128"]),
    "misaligned": ("a[1:] + b[1:]", FLAT, SIZES[:-1]),
    "out_of_step": ("a[1:] + b[:-1]", FLAT, SIZES[:-1]),
    "broadcast_row": ("a + row", MATRIX, SIZES),
    "broadcast_column": ("a + column", MATRIX, SIZES),
    "strided": ("a[:, ::2] + b[:, ::2]", MATRIX, SIZES),
    "reversed": ("a[:, ::-1] + b", MATRIX, SIZES),
    "transposed": ("a + t.T", MATRIX, SIZES),
    "filter": (
        "b[1:-1, 1:-1] = a[1:-1, 1:-1] + 0.5*(a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])",
        MATRIX,
        FLOATS + COMPLEX,
    ),
    "filter_wide": (
        "b[1:-1, 1:-1] = a[1:-1, 1:-1] + 0.5*(a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])",
        {"a": (66, 514), "b": (66, 514)},
        FLOATS + COMPLEX,
    ),
    "sum": ("sum(a)", FLAT, ALL),
    "max": ("max(a)", FLAT, REAL),
    "argmax": ("argmax(a)", FLAT, REAL),
    "mean_and_var": ("m = mean(a); v = var(a); m + v", FLAT, FLOATS + COMPLEX),
    "sum_of_product": ("sum(a * b)", FLAT, REAL + COMPLEX),
    "sum_last": ("sum(a, axis=1)", MATRIX, SIZES),
    "sum_short": ("sum(a, axis=1)", {"a": (1024, 8)}, SIZES),
    "sum_short_wide": ("sum(a, axis=1)", {"a": (1024, 16)}, SIZES),
    "sum_long": ("sum(a, axis=1)", {"a": (4, 8192)}, SIZES),
    "sum_first": ("sum(a, axis=0)", MATRIX, SIZES),
    "sum_first_tall": ("sum(a, axis=0)", {"a": (4096, 4)}, SIZES),
    "sum_middle": ("sum(a, axis=1)", {"a": (8, 64, 32)}, SIZES),
    "cumsum": ("cumsum(a)", FLAT, REAL + COMPLEX),
    "cumsum_of_product": ("cumsum(a * b)", FLAT, FLOATS + COMPLEX),
    "compress": ("compress(a * b, a > 1)", FLAT, SIZES),
    "sort": ("sort(a)", FLAT, ["int8", "int16", "int32", "float16", "float64"]),
    "sort_last": ("argsort(a, axis=1)", MATRIX, ["int8", "int16", "float32", "float64"]),
}
# Stencils: text, shape of the field, dtypes, steps; several are made at a time, by tiles (kernels_cuda/steps.hpp).
FIVE_POINTS = "u + 0.1*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1] - 4*u)"
NINE_POINTS = "0.2*(u[-1,0] + u[1,0] + u[0,-1] + u[0,1]) + 0.05*(u[-1,-1] + u[-1,1] + u[1,-1] + u[1,1]) + 0.1*u"
SEVEN_POINTS = "u + 0.1*(u[-1,0,0] + u[1,0,0] + u[0,-1,0] + u[0,1,0] + u[0,0,-1] + u[0,0,1] - 6*u)"
STENCILS = {
    "steps_line": ("u + 0.2*(u[-1] + u[1] - 2*u)", (16000,), FLOATS, 8),
    "steps_five": (FIVE_POINTS, (512, 496), FLOATS, 8),
    "steps_nine": (NINE_POINTS, (512, 496), ["float32", "float64", "complex64"], 8),
    "steps_seven": (SEVEN_POINTS, (64, 56, 56), ["float32", "float64"], 2),
}
CASES |= {case: (text, {"u": shape}, dtypes) for case, (text, shape, dtypes, _) in STENCILS.items()}
# Of several kernels, the longest of which does the work.
STEPS = ("cumsum", "cumsum_of_product", "compress", "sort", "sort_last")


def names() -> list[str]:
    return [f"{case} {dtype}" for case, (_, _, dtypes) in CASES.items() for dtype in dtypes]


# ---- on the stand-in ----


def run_cases(wanted: list[str]) -> None:
    """Evaluates and prints a line for each: name, cubins made so far, executed, sectors. In a process of its own."""
    import engine
    from tests.emulator.standin import Counters

    driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
    folder = pathlib.Path(os.environ["PROXY_PTX_AS_CUBIN"])
    for name in wanted:
        rng = np.random.default_rng(1)  # the same values whatever else is wanted
        case, dtype = name.split()
        text, shapes, _ = CASES[case]
        arrays = {
            key: engine.to_device((rng.random(shape) * 2 if dtype != "bool" else rng.random(shape) > 0.5).astype(dtype))
            for key, shape in shapes.items()
        }
        driver.standin_reset_counters()
        before = len(list(folder.glob("*.cubin")))
        if case in STENCILS:  # of a small device, which such fields fill as larger ones do others
            steps = STENCILS[case][3]
            driver.standin_set(b"multiprocessors", b"4")
            result = engine.stencil(text, arrays, steps=steps)
            driver.standin_set(b"multiprocessors", b"8")
        else:
            steps, result = 1, engine.evaluate(text, arrays)
        counters = Counters()
        driver.standin_counters(ctypes.byref(counters))
        made = list(range(before, len(list(folder.glob("*.cubin")))))
        result = result[-1] if isinstance(result, tuple) else result
        size = max(result.size, max(a.size for a in arrays.values()) if result.size < 256 else 0)
        row = {
            "name": name,
            "cubins": made,
            "executed": round(counters.lane_instructions / size / steps, 1),
            "sectors": round(counters.global_sectors / max(counters.global_ideal_sectors, 1), 2),
        }
        print(json.dumps(row), flush=True)


# ---- cubins ----


def tool(name: str) -> str:
    paths = sorted(pathlib.Path(sysconfig.get_path("purelib")).glob(f"nvidia/*/bin/{name}"))
    if not paths:
        raise FileNotFoundError(f"{name} is missing: pip install -r tools/requirements.txt")
    return str(paths[-1])


def figures(cubin: pathlib.Path, architecture: int) -> dict[str, float]:
    def output(*words):
        return subprocess.run([*words, cubin], capture_output=True, text=True, check=True).stdout

    usage = output(tool("cuobjdump"), "--dump-resource-usage")
    found = re.search(r"REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)", usage)
    registers, stack, shared, local = map(int, found.groups())
    code = []  # mnemonics, in order; sm_120 fills its double arithmetic up with NOPs, which are no work
    for line in output(tool("nvdisasm"), "--print-code").splitlines():
        if match := re.search(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)", line):
            code += [match[1]] if match[1] != "NOP" else []
    fast, loads, stored = fast_path(code)
    row = {
        "registers": registers,
        "local": max(local, stack),
        "narrow": sum(word.startswith(("LDG", "STG")) and ".128" not in word for word in code[fast]),
        "fast": fast.stop - fast.start,
        "loads": loads,
        "stored": stored,
        "calls": sum(word.startswith("CALL") for word in code),
        "mufu": sum(word.startswith("MUFU") for word in code),
        "instructions": len(code),
    }
    blocks = min(THREADS[architecture] // 256, 65536 // (256 * -(-registers // 8) * 8))
    if shared:
        blocks = min(blocks, (64 << 10) // shared)
    row["in_flight"] = blocks * 256 * row["loads"] * 16 / 1024
    return row


def fast_path(code: list[str]) -> tuple[slice, int, int]:
    """From a first 128-bit load to the last store before the next load; how many such loads, how many bytes stored."""
    best, loads, stored, first = (slice(0, 0), 0, 0), 0, 0, 0
    for i, word in enumerate(code):
        if word.startswith("LDG"):
            if not loads or stored:
                first, loads, stored = i, 0, 0
            loads += ".128" in word
        elif word.startswith("STG") and loads:
            narrow = {"U8": 1, "S8": 1, "U16": 2, "S16": 2, "64": 8, "128": 16}
            stored += next((n for part, n in narrow.items() if part in word.split(".")), 4)
            if loads > best[1] or first == best[0].start:
                best = (slice(first, i + 1), loads, stored)
    return best


def item_size(name: str) -> int:
    case, dtype = name.split()
    return 1 if case == "compare" else np.dtype(dtype).itemsize


def evaluate(architecture: int, wanted: list[str], folder: str) -> list[dict]:
    """Evaluates the cases as such a device: their rows (see run_cases). Leaves 0.cu, 0.cubin, 1.cu … in the folder."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernels_cuda.gates", "run", *wanted],
        cwd=ROOT,
        env={
            **os.environ,
            "ENGINE_CUDA_DRIVER": str(STANDIN),
            "ENGINE_NVRTC": str(PROXY),
            "PROXY_NVRTC": nvrtc.library()._name,
            "PROXY_PTX_AS_CUBIN": folder,
            "STANDIN_CAPABILITY": str(architecture),
            "ENGINE_WAIT": "1",
            "ENGINE_CACHE_DIR": "/dev/null/none",
        },
        capture_output=True,
        text=True,
    )
    if done.returncode or done.stderr:
        raise RuntimeError(done.stdout[-2000:] + done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(architecture: int, wanted: list[str]) -> dict[str, dict]:
    """By name: the figures of that architecture, and those of the run."""
    table, latest = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for row in evaluate(architecture, wanted, folder):
            case, dtype = row["name"].split()
            kernels = [figures(pathlib.Path(folder) / f"{k}.cubin", architecture) for k in row["cubins"]]
            kernels = kernels or latest[CASES[case][0], dtype]  # compiled for the case before
            latest[CASES[case][0], dtype] = kernels
            if case in STEPS:  # others may have been made for a case before
                kernels = [max(kernels, key=lambda k: k["instructions"])]
            worst = {key: max(k[key] for k in kernels) for key in ("registers", "local", "narrow", "calls", "mufu")}
            first = kernels[0]
            made = first["stored"] / item_size(row["name"])
            table[row["name"]] = {
                **worst,
                "wide": first["loads"],
                "per_element": round(first["fast"] / made, 1) if made else None,
                "in_flight": round(first["in_flight"], 1),
                "instructions": max(
                    k["instructions"] for k in kernels
                ),  # small ones may have been made for a case before
                "executed": row["executed"],
                "sectors": row["sectors"],
            }
    return table


def measure_all(architectures=ARCHITECTURES, wanted: list[str] | None = None) -> dict[str, dict]:
    """By name: executed and sectors, of the PTX for LEADING, and by architecture ("sm_90") the other figures."""
    wanted = wanted or names()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tables = dict(zip(architectures, pool.map(lambda a: measure(a, wanted), architectures), strict=True))
    result = {}
    for name in wanted:
        rows = {a: dict(tables[a][name]) for a in architectures}
        result[name] = {key: rows[LEADING][key] for key in RUN}
        result[name] |= {f"sm_{a}": {k: v for k, v in row.items() if k not in RUN} for a, row in rows.items()}
    return result


def write(table: dict[str, dict]) -> None:
    """One line for each case and architecture, so that a diff shows which changed."""
    rows = []
    for name, row in table.items():
        inner = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in row.items())
        rows.append(f"  {json.dumps(name)}: {{\n{inner}\n  }}")
    TABLE.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run_cases(sys.argv[2:])
    else:
        write(measure_all())
        print(f"{len(names())} cases on {len(ARCHITECTURES)} architectures: {TABLE.relative_to(ROOT)}")

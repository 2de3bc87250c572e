"""The C of bench/kernels.c and bench/limits.c, compiled on the spot and called through ctypes."""

import ctypes
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "build" / "bench-native"
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC")
# From the most that may be there to the least: libmvec came with glibc 2.22, its log1p and hypot with 2.35.
LIBMVEC = (("-DWITH_LIBMVEC", "-DWITH_LIBMVEC_2_35"), ("-DWITH_LIBMVEC",), ())


class Missing(Exception):
    """Why a peer cannot take part."""


def compiler():
    path = shutil.which("gcc")
    if not path:
        raise Missing("no gcc")
    return path


def version():
    return subprocess.run([compiler(), "-dumpfullversion"], check=True, capture_output=True, text=True).stdout.strip()


def library(name, *flags):
    """The shared library of bench/`name`.c, made anew; OSError or CalledProcessError where it cannot be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER / f"{name}-{time.time_ns()}.so"  # a loaded library's file is never written over
    try:
        command = [compiler(), *FLAGS, *flags, str(HERE / f"{name}.c"), "-o", str(target), "-lm"]
        if any("MVEC" in flag for flag in flags):
            command.insert(-1, "-lmvec")
        subprocess.run(command, check=True, capture_output=True)
        return ctypes.CDLL(str(target))
    finally:
        target.unlink(missing_ok=True)


def kernels():
    """The library of kernels and the flags that it could be made with."""
    compiler()
    for flags in LIBMVEC:
        try:
            return library("kernels", *flags), (*FLAGS, *flags)
        except (OSError, subprocess.CalledProcessError):
            continue
    raise Missing("gcc cannot compile bench/kernels.c")


def address(array):
    return array.__array_interface__["data"][0]


def pointer(array):
    return ctypes.c_void_p(address(array))


def items(operands):
    return (next(iter(operands.values())).size,)


def rows_and_columns(operands):
    return operands["a"].shape


# case: (function, names of its operands, dtype of the result, shape of the result by operands, sizes it is told)
FLAT = (
    ("seed", "seed", "abc", np.float64),
    ("seed float32", "seed_float32", "abc", np.float32),
    ("polynomial", "polynomial", "x", np.float64),
    ("bool", "predicate", "ab", np.bool_),
    ("length", "length", "ab", np.float64),
    ("where", "where", "a", np.float64),
    ("mixed dtypes", "mixed_dtypes", "ifd", np.float64),
    ("gaussian", "gaussian", "a", np.float64),
    ("trigonometry", "trigonometry", "ab", np.float64),
    ("softplus", "softplus", "a", np.float64),
    ("Black-Scholes", "black_scholes", "skrvt", np.float64),
    ("strided", "strided", "ab", np.float64),
    ("complex", "complex_product", "abc", np.complex128),
    ("complex abs", "complex_abs", "a", np.float64),
)
TOTALS = (("sum of product", "sum_of_product", "ab"), ("max", "max", "a"), ("mean", "mean", "a"))
FORMS = {
    **{case: (function, names, dtype, items, items) for case, function, names, dtype in FLAT},
    **{case: (function, names, np.float64, lambda _: (), items) for case, function, names in TOTALS},
    "sum axis 0": ("sum_axis_0", "a", np.float64, lambda o: o["a"].shape[1:], rows_and_columns),
    "sum axis 1": ("sum_axis_1", "a", np.float64, lambda o: o["a"].shape[:1], rows_and_columns),
    "transposed": ("transposed", "ab", np.float64, rows_and_columns, rows_and_columns),
    "broadcast": ("broadcast", "arc", np.float64, rows_and_columns, rows_and_columns),
}


def into_a_new_array(lib, form, operands, threads):
    function, names, dtype, shape_of, sizes_of = form
    call = getattr(lib, function)
    call.restype = None
    sizes = sizes_of(operands)
    call.argtypes = [ctypes.c_void_p] * (len(names) + 1) + [ctypes.c_int64] * len(sizes) + [ctypes.c_int]
    inputs = [operands[name] for name in names]
    pointers = [pointer(array) for array in inputs]
    shape = shape_of(operands)

    def run(_kept=inputs):  # alive as long as this is: the call sees addresses alone
        out = np.empty(shape, dtype)
        call(*pointers, address(out), *sizes, threads)
        return out

    return run


def in_place(lib, case, operands, steps, threads):
    a, b = operands["a"], operands["b"]
    pointers = pointer(a), pointer(b)
    sizes = [ctypes.c_int64(n) for n in a.shape]

    def nine_points(_kept=(a, b)):  # alive as long as this is: the call sees addresses alone
        lib.nine_points(*pointers, *sizes, threads)
        return b[1:-1, 1:-1]

    def jacobi(_kept=(a, b)):
        lib.jacobi(*pointers, *sizes, steps, threads)
        return a

    return {"9-point filter": nine_points, "100 Jacobi steps": jacobi}.get(case)


def form(lib, case, operands, steps, threads):
    """The case as a function without arguments; None where there is no C for it."""
    if case in FORMS:
        return into_a_new_array(lib, FORMS[case], operands, threads)
    return in_place(lib, case, operands, steps, threads)


KINDS = ("copy", "triad", "read", "copy, non-temporal", "triad, non-temporal")
ARRAYS = {"copy": 2, "triad": 3, "read": 1}
LENGTHS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 30_000_000)  # doubles per array


def limits(threads, lengths=LENGTHS, seconds=0.15):
    """What memory can do: [{kind, threads, bytes that a pass moves, bytes per second}], best of many passes."""
    lib = library("limits", "-fno-tree-loop-distribute-patterns")  # a copy by loads and stores, not memcpy()
    lib.limit.restype = ctypes.c_double
    lib.limit.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int, ctypes.c_int, ctypes.c_double]
    found = []
    for team in threads:
        for length in lengths:
            n = length // 64 * 64
            for number, kind in enumerate(KINDS):
                if "non-temporal" in kind and not lib.has_past():
                    continue
                took = lib.limit(number, n, team, 5, seconds)
                if took > 0:
                    moved = ARRAYS[kind.partition(",")[0]] * n * 8
                    found.append({"kind": kind, "threads": team, "bytes": moved, "rate": moved / took})
    return found

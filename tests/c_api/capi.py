"""engine.h in ctypes, and ndarrays as its descriptors; the library is the one that `./dev build` makes to install."""

from __future__ import annotations

import ctypes
import os
from ctypes import (
    POINTER,
    Structure,
    Union,
    c_char_p,
    c_double,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "engine" / "include" / "engine" / "engine.h"
LIBRARY = Path(os.environ.get("ENGINE_LIBRARY", ROOT / "build" / "dev" / "engine" / "installed" / "libengine.so"))

OK, PARSE, UNKNOWN, DTYPE, SHAPE, RANGE, LIMIT, BACKEND, MEMORY, INTERNAL, BAD_ARGUMENT, INTERRUPTED = range(12)
DTYPES = ("bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64 complex64 complex128").split()
READONLY, SWAPPED = 1, 2
TERMINATED = c_size_t(-1)


class Span(Structure):
    _fields_ = [("begin", c_uint32), ("end", c_uint32), ("label", c_char_p)]


class Error(Structure):
    _fields_ = [
        ("code", c_int32),
        ("n_spans", c_uint32),
        ("message", c_char_p),
        ("what", c_char_p),
        ("help", c_char_p),
        ("text", c_char_p),
        ("text_length", c_size_t),
        ("spans", POINTER(Span)),
    ]


class Array(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("dtype", c_int32),
        ("ndim", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("device", c_int32),
        ("flags", c_uint32),
    ]


class Value(Union):
    _fields_ = [("array", Array), ("i", c_int64), ("u", c_uint64), ("f", c_double), ("c", c_double * 2)]


class Operand(Structure):
    _fields_ = [("kind", c_int32), ("reserved", c_int32), ("value", Value)]


class Options(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("casting", c_int32),
        ("exactness", c_int32),
        ("backend", c_int32),
        ("blitz", c_int32),
        ("depth", c_uint32),
        ("nodes", c_uint32),
        ("names", c_uint32),
        ("reserved", c_uint32),
        ("result_bytes", c_int64),
        ("seconds", c_double),
    ]


ALLOCATE = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_int32, c_int32, POINTER(c_int64), POINTER(c_int64), c_size_t)
INTERRUPTED_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, c_void_p)


class RunOptions(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("order", c_int32),
        ("threads", c_int32),
        ("allocate", ALLOCATE),
        ("allocate_context", c_void_p),
        ("interrupted", INTERRUPTED_CALLBACK),
        ("interrupted_context", c_void_p),
        ("graph", c_void_p),
    ]


class GraphStats(Structure):
    _fields_ = [("size", c_size_t), *((name, c_uint64) for name in ("kernels", "captures", "updates", "replays"))]


class Name(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("required", c_int32),
        ("written", c_int32),
        ("begin", c_uint32),
        ("end", c_uint32),
    ]


def load() -> ctypes.CDLL:
    assert LIBRARY.exists(), f"{LIBRARY} is not there: ./dev build, or set ENGINE_LIBRARY"
    lib = ctypes.CDLL(str(LIBRARY))
    lib.engine_last_error.restype = POINTER(Error)
    lib.engine_compile.argtypes = [c_char_p, c_size_t, POINTER(Options), POINTER(c_void_p)]
    lib.engine_program_free.argtypes = [c_void_p]
    lib.engine_program_n_names.argtypes = [c_void_p]
    lib.engine_program_n_names.restype = c_size_t
    lib.engine_program_name.argtypes = [c_void_p, c_size_t]
    lib.engine_program_name.restype = POINTER(Name)
    lib.engine_run.argtypes = [
        c_void_p,
        POINTER(Operand),
        c_size_t,
        POINTER(Array),
        POINTER(RunOptions),
        POINTER(c_void_p),
    ]
    lib.engine_result_array.argtypes = [c_void_p, POINTER(Array)]
    lib.engine_result_free.argtypes = [c_void_p]
    lib.engine_dtype_name.restype = c_char_p
    lib.engine_dtype_size.restype = c_size_t
    lib.engine_version.restype = c_char_p
    return lib


LIB = load()


class EngineError(Exception):
    def __init__(self, code: int):
        error = LIB.engine_last_error().contents
        assert error.code == code, (error.code, code)
        super().__init__(error.message.decode())
        self.code = code
        self.spans = [(error.spans[i].begin, error.spans[i].end) for i in range(error.n_spans)]


def check(code: int) -> None:
    if code != OK:
        raise EngineError(code)


def int64s(values) -> ctypes.Array:
    return (c_int64 * max(len(values), 1))(*values)


def describe(array: np.ndarray) -> Array:
    """A descriptor of an ndarray; it lives no longer than the array."""
    flags = (0 if array.flags.writeable else READONLY) | (0 if array.dtype.isnative else SWAPPED)
    dtype = DTYPES.index(array.dtype.newbyteorder("=").name)
    return Array(array.ctypes.data, dtype, array.ndim, int64s(array.shape), int64s(array.strides), 0, flags)


def operand(value) -> Operand:
    one = Operand()
    if isinstance(value, np.ndarray):
        one.kind, one.value.array = 1, describe(value)
    elif isinstance(value, bool):
        one.kind, one.value.i = 2, value
    elif isinstance(value, int):
        if value < 2**63:
            one.kind, one.value.i = 3, value
        else:
            one.kind, one.value.u = 4, value
    elif isinstance(value, float):
        one.kind, one.value.f = 5, value
    elif isinstance(value, complex):
        one.kind, one.value.c = 6, (c_double * 2)(value.real, value.imag)
    else:
        raise TypeError(value)
    return one


def to_ndarray(array: Array) -> np.ndarray:
    """A copy of what a descriptor describes."""
    dtype = np.dtype(DTYPES[array.dtype])
    if array.flags & SWAPPED:
        dtype = dtype.newbyteorder("S")
    shape, strides = array.shape[: array.ndim], array.strides[: array.ndim]
    if 0 in shape:
        return np.empty(shape, dtype)
    low = sum(min((n - 1) * s, 0) for n, s in zip(shape, strides))
    high = sum(max((n - 1) * s, 0) for n, s in zip(shape, strides)) + dtype.itemsize
    memory = ctypes.string_at(array.data + low, high - low)
    return np.ndarray(shape, dtype, memory, -low, strides)


class Program:
    def __init__(self, text: str | bytes, **options):
        text = text.encode() if isinstance(text, str) else text
        self.handle = c_void_p()
        settings = Options(size=ctypes.sizeof(Options), **options)
        check(LIB.engine_compile(text, len(text), ctypes.byref(settings), ctypes.byref(self.handle)))
        rows = (
            LIB.engine_program_name(self.handle, i).contents for i in range(LIB.engine_program_n_names(self.handle))
        )
        self.names = [row.name.decode() for row in rows]

    def __del__(self):
        if self.handle:
            check(LIB.engine_program_free(self.handle))

    def __call__(self, names: dict, out: np.ndarray | None = None, **options) -> np.ndarray | None:
        """A copy of the value, or None where it went into `out`."""
        operands = (Operand * max(len(self.names), 1))(*(operand(names[name]) for name in self.names))
        settings = RunOptions(size=ctypes.sizeof(RunOptions), **options)
        target = ctypes.byref(describe(out)) if out is not None else None
        result = c_void_p()
        wanted = None if out is not None else ctypes.byref(result)
        check(LIB.engine_run(self.handle, operands, len(self.names), target, ctypes.byref(settings), wanted))
        if out is not None:
            return None
        array = Array()
        check(LIB.engine_result_array(result, ctypes.byref(array)))
        copy = to_ndarray(array)
        check(LIB.engine_result_free(result))
        return copy

"""The C interface with numpy.ctypeslib: structured arrays as rows of operands, ndpointer in the prototypes."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from numpy.ctypeslib import load_library, ndpointer

from tests.c_api import capi

# engine_operand, with an array in it.
OPERAND = np.dtype(
    {
        "names": ["kind", "reserved", "data", "dtype", "ndim", "shape", "strides", "device", "flags"],
        "formats": ["i4", "i4", "u8", "i4", "i4", "u8", "u8", "i4", "u4"],
        "offsets": [0, 4, 8, 16, 20, 24, 32, 40, 44],
        "itemsize": 48,
    }
)
ARRAY = np.dtype(
    {
        "names": ["data", "dtype", "ndim", "shape", "strides", "device", "flags"],
        "formats": ["u8", "i4", "i4", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 12, 16, 24, 32, 36],
        "itemsize": 40,
    }
)


@pytest.fixture(scope="module")
def lib():
    library = load_library(capi.LIBRARY.name, capi.LIBRARY.parent)
    library.engine_evaluate.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.POINTER(ctypes.c_char_p),
        ndpointer(OPERAND, ndim=1, flags="C_CONTIGUOUS"),
        ctypes.c_size_t,
        ndpointer(ARRAY, ndim=0, flags="C_CONTIGUOUS,WRITEABLE"),
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    return library


def fill(row, array: np.ndarray, shape: np.ndarray, strides: np.ndarray) -> None:
    shape[...], strides[...] = array.shape, array.strides
    row["data"], row["dtype"], row["ndim"] = array.ctypes.data, capi.DTYPES.index(array.dtype.name), array.ndim
    row["shape"], row["strides"] = shape.ctypes.data, strides.ctypes.data
    row["flags"] = 0 if array.flags.writeable else capi.READONLY


def call(lib, text: bytes, names: dict[str, np.ndarray], out: np.ndarray) -> int:
    operands = np.zeros(len(names), OPERAND)
    operands["kind"] = 1
    extents = [np.zeros((2, array.ndim), np.int64) for array in names.values()]
    for i, array in enumerate(names.values()):
        fill(operands[i], array, *extents[i])
    target, target_extents = np.zeros((), ARRAY), np.zeros((2, out.ndim), np.int64)
    fill(target, out, *target_extents)
    keys = (ctypes.c_char_p * len(names))(*(name.encode() for name in names))
    return lib.engine_evaluate(text, len(text), keys, operands, len(names), target, None, None, None)


def test_rows_of_a_structured_array_are_operands(lib):
    a, b, out = np.arange(12.0).reshape(3, 4), np.arange(4, dtype=np.int16), np.empty((3, 4))
    assert call(lib, b"a*b + a", {"a": a, "b": b}, out) == capi.OK
    np.testing.assert_array_equal(out, a * b + a)
    assert call(lib, b"a.T - 1", {"a": a}, out) == capi.SHAPE
    assert call(lib, b"a[::-1] - 1", {"a": a}, out[:, ::-1]) == capi.OK
    np.testing.assert_array_equal(out[:, ::-1], a[::-1] - 1)


def test_what_is_wrong_inside_gives_a_code(lib):
    a, out = np.arange(4.0), np.full(4, 7.0)
    frozen = out.view()
    frozen.flags.writeable = False
    assert call(lib, b"a*2", {"a": a}, frozen) == capi.SHAPE
    assert call(lib, b"a*2", {"a": a}, out[:3]) == capi.SHAPE
    assert call(lib, b"a*2", {"a": a}, np.zeros(4, np.int32)) == capi.DTYPE
    assert call(lib, b"a*q", {"a": a}, out) == capi.UNKNOWN
    assert (out == 7).all()


def test_what_is_no_row_of_operands_is_refused_before_the_call(lib):
    target = np.zeros((), ARRAY)
    keys = (ctypes.c_char_p * 1)(b"a")
    for wrong in (np.zeros(1), np.zeros((1, 1), OPERAND), np.zeros(4, OPERAND)[::2], None):
        with pytest.raises(ctypes.ArgumentError):
            lib.engine_evaluate(b"a", 1, keys, wrong, 1, target, None, None, None)
    empty = np.zeros(1, OPERAND)  # absent
    assert lib.engine_evaluate(b"a", 1, keys, empty, 1, target, None, None, None) == capi.BAD_ARGUMENT


def test_ndpointer_reads_what_the_library_returns(lib):
    """A result's memory as an ndarray without a copy, by ndpointer as the type of what a function returns."""
    a = np.arange(6.0)
    result = ctypes.c_void_p()
    program = capi.Program("a*a")
    operands = (capi.Operand * 1)(capi.operand(a))
    assert capi.LIB.engine_run(program.handle, operands, 1, None, None, ctypes.byref(result)) == capi.OK
    array = capi.Array()
    assert capi.LIB.engine_result_array(result, ctypes.byref(array)) == capi.OK
    pointer = ndpointer(np.float64, ndim=1, shape=(6,))
    identity = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda address: address)
    view = np.ctypeslib.as_array(ctypes.cast(identity(array.data), ctypes.POINTER(ctypes.c_double)), (6,))
    assert pointer.from_param(view)
    np.testing.assert_array_equal(view, a * a)
    view[0] = 5
    assert ctypes.c_double.from_address(array.data).value == 5
    assert capi.LIB.engine_result_free(result) == capi.OK

"""What can be an operand, how it is read, and what is refused with a word on how to mend it."""

import array
import contextlib
import ctypes
import enum
import gc
import sys
import weakref

import numpy as np
import pytest

import engine


def double(operand):
    return engine.evaluate("2*a", {"a": operand})


@pytest.mark.parametrize(
    "operand, dtype",
    (
        (memoryview(b"\1\2\3"), np.uint8),
        (bytearray(b"\1\2\3"), np.uint8),
        (array.array("d", [1, 2, 3]), np.float64),
        (array.array("h", [1, 2, 3]), np.int16),
        ((ctypes.c_float * 3)(1, 2, 3), np.float32),
        ([1, 2, 3], np.int64),
        ((1.0, 2.0, 3.0), np.float64),
        (range(1, 4), np.int64),
        ([np.float32(1), np.float32(2), np.float32(3)], np.float32),
    ),
)
def test_buffers_and_sequences_are_read_as_numpy_reads_them(operand, dtype):
    result = double(operand)
    assert result.dtype == dtype and result.tolist() == [2, 4, 6]


def test_nested_lists_have_axes():
    assert double([[1, 2], [3, 4]]).tolist() == [[2, 4], [6, 8]]


def test_an_object_with_the_array_method_is_read_by_it():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return np.arange(3.0)

    assert double(Wrapped()).tolist() == [0, 2, 4]


def test_an_exception_of_an_operand_s_own_goes_through():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        double(Broken())


def test_numpy_s_reason_is_the_cause():
    with pytest.raises(engine.DTypeError) as caught:
        double([[1], [2, 3]])
    assert isinstance(caught.value.__cause__, ValueError) and "inhomogeneous" in str(caught.value.__cause__)


# ---- scalars ---------------------------------------------------------------------------------------------------------


class Colour(enum.IntEnum):
    RED = 3


class Length(float):
    pass


class Phase(complex):
    pass


@pytest.mark.parametrize("scalar", (True, 3, 2.5, 2 - 1j, Colour.RED, Length(2.5), Phase(1j)))
def test_python_scalars_are_weak(scalar):
    narrow = np.ones(2, np.complex64 if isinstance(scalar, complex) else np.float32)
    result = engine.evaluate("a * s", {"a": narrow, "s": scalar})
    assert result.dtype == narrow.dtype and result[0] == scalar


@pytest.mark.parametrize("scalar", (np.float64(2), np.array(2.0), np.longlong(2)))
def test_numpy_scalars_are_not_weak(scalar):
    assert engine.evaluate("a * s", {"a": np.ones(2, np.float32), "s": scalar}).dtype == np.float64


@pytest.mark.parametrize("integer", (2**64 - 1, 2**63, 2**63 - 1, -(2**63)))
def test_integers_to_64_bits_are_exact(integer):
    dtype = np.uint64 if integer > 0 else np.int64
    assert int(engine.evaluate("a + s", {"a": np.zeros(1, dtype), "s": integer})[0]) == integer


@pytest.mark.parametrize("integer", (2**64, -(2**63) - 1, 10**400))
def test_integers_beyond_64_bits_are_a_limit_error_at_the_name(integer):
    with pytest.raises(engine.LimitError) as caught:
        engine.evaluate("1 + big", {"big": integer})
    assert caught.value.span == (4, 7) and "pass it as a float" in str(caught.value)


# ---- refused ---------------------------------------------------------------------------------------------------------


class Metres(np.ndarray):
    unit = "m"


@pytest.mark.parametrize(
    "operand, said",
    (
        (np.ma.masked_array([1.0], mask=[1]), "filled"),
        (np.array([1, "x", None], object), "numeric dtype"),
        (np.zeros(2, "i4,f8"), "x['field']"),
        (np.zeros(2, "M8[s]"), "int64"),
        (np.zeros(2, "m8[s]"), "int64"),
        (np.datetime64("2020-01-01"), "int64"),
        (np.zeros(2, "U3"), "not supported"),
        (np.zeros(2, "S3"), "not supported"),
        (np.str_("x"), "not supported"),
        (np.void(b"xx"), "x['field']"),
        (np.zeros(2, np.longdouble), "float64"),
        (np.zeros(2, np.clongdouble), "float64"),
        (np.longdouble(1), "float64"),
        (np.zeros(2).view(Metres), "unit"),
        ("text", "float(x)"),
        (b"bytes", "frombuffer"),
        (None, "NoneType"),
        ({}, "dict"),
        (object(), "object"),
        ([2**70], "list"),
        ([[1], [2, 3]], "list"),
        ([None], "list"),
        (sys, "module"),
    ),
)
def test_what_is_no_array_of_numbers_is_refused_with_a_caret_at_its_name(operand, said):
    with pytest.raises(engine.DTypeError) as caught:
        engine.evaluate("1 + name", {"name": operand})
    error = caught.value
    assert error.span == (4, 8) and "'name'" in error.what and error.help
    assert said in str(error)


def test_a_masked_array_that_masks_nothing_is_refused_too():
    with pytest.raises(engine.DTypeError, match="mask"):
        double(np.ma.arange(3))


def test_more_than_32_axes_are_refused():
    assert double(np.ones((1,) * 32)).ndim == 32
    with pytest.raises(engine.ShapeError, match="33 axes"):
        double(np.ones((1,) * 33))


@pytest.mark.parametrize(
    "operand, said",
    (
        ([1, 2], "lost"),
        (range(2), "lost"),
        (3, "scalar"),
        (2.5, "scalar"),
        (np.float64(3), "read-only"),
        (memoryview(b"\1\2"), "read-only"),
        (np.broadcast_to(1.0, 3), "read-only"),
    ),
)
def test_what_could_not_keep_a_result_is_no_target(operand, said):
    with pytest.raises(engine.Error, match=said):
        engine.evaluate("a += 1", {"a": operand})


# ---- memory ----------------------------------------------------------------------------------------------------------


def test_unaligned_and_swapped_operands_are_read_in_place():
    raw = np.zeros(1 + 3 * 8, np.uint8)
    a = raw[1:].view(">f8")
    a[:] = [1, 2, 3]
    assert not a.flags.aligned and double(a).tolist() == [2, 4, 6]


def test_operands_are_released_after_the_call():
    a = np.ones(3)
    before = sys.getrefcount(a)
    double(a)
    double(a[::-1])
    with pytest.raises(engine.Error):
        engine.evaluate("a + [", {"a": a})
    with pytest.raises(engine.Error):
        engine.evaluate("a + b", {"a": a, "b": np.ones(2)})
    assert sys.getrefcount(a) == before


def test_a_buffer_is_released_after_the_call():
    raw = bytearray(8)
    double(raw)
    raw.append(1)  # BufferError while an export is alive


def test_a_mapping_that_drops_an_operand_during_the_call_takes_nothing_away():
    names = {}

    class Thief:
        def __array__(self, dtype=None, copy=None):
            names.clear()
            gc.collect()
            return np.ones(1000)

    names.update(a=np.arange(1000.0), b=Thief())
    assert np.array_equal(engine.evaluate("a + b", names), np.arange(1000.0) + 1)


def test_a_result_lives_as_long_as_it_is_wanted():
    a = np.arange(4.0)
    view = engine.evaluate("a[1:] = 5", {"a": a})
    watched = weakref.ref(a)
    del a
    gc.collect()
    assert watched() is not None and view.tolist() == [5, 5, 5]
    del view
    gc.collect()
    assert watched() is None


def test_evaluations_leak_nothing():
    a = np.ones(64)

    def rounds(n):
        for _ in range(n):
            engine.evaluate("a + b", {"a": a, "b": [1.0] * 64})
            for bad in ("a +", "a + c", "a + 'x'"):
                with contextlib.suppress(engine.Error):
                    engine.evaluate(bad, {"a": a})

    rounds(50)
    gc.collect()
    before = sys.getallocatedblocks()
    rounds(500)
    gc.collect()
    assert sys.getallocatedblocks() - before < 200

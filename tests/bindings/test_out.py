"""out= as any writable buffer: written in place, given back as it was given, and let go afterwards."""

import array
import ctypes
import mmap
import sys

import numpy as np
import pytest

import engine

A = np.arange(4.0)
SMALL = np.arange(4, dtype=np.uint8)


def views(kind):
    """A buffer of four float64 and an ndarray over the same memory."""
    if kind == "array.array":
        buffer = array.array("d", [0] * 4)
    elif kind == "memoryview":
        buffer = memoryview(bytearray(32)).cast("d")
    elif kind == "strided memoryview":
        buffer = memoryview(bytearray(64)).cast("d")[::2]
    elif kind == "backward memoryview":
        buffer = memoryview(bytearray(32)).cast("d")[::-1]
    elif kind == "ctypes":
        buffer = (ctypes.c_double * 4)()
    elif kind == "ndarray subclass":
        buffer = np.zeros(4).view(np.recarray)
    else:
        buffer = np.memmap(mmap.mmap(-1, 32), "f8") if kind == "memmap" else np.zeros(4)
    return buffer, np.asarray(buffer)


KINDS = (
    "array.array",
    "memoryview",
    "strided memoryview",
    "backward memoryview",
    "ctypes",
    "ndarray subclass",
    "ndarray",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_buffer_is_written_and_given_back_as_it_is(kind):
    out, view = views(kind)
    assert engine.evaluate("2*A + 1", out=out) is out
    assert view.tolist() == [1, 3, 5, 7]
    program = engine.compile("A*A")
    assert program(A=A, out=out) is out and view.tolist() == [0, 1, 4, 9]


def test_bytes_are_of_uint8():
    raw = bytearray(4)
    assert engine.evaluate("SMALL*2", out=raw) is raw and raw == b"\0\2\4\6"
    with mmap.mmap(-1, 4) as mapped:
        assert engine.evaluate("SMALL*3", out=mapped) is mapped and mapped[:] == b"\0\3\6\x09"


def test_a_buffer_has_as_many_axes_as_its_items():
    grid = memoryview(bytearray(48)).cast("d", (2, 3))
    assert engine.evaluate("g + 1", {"g": np.arange(6.0).reshape(2, 3)}, out=grid) is grid
    assert grid.tolist() == [[1, 2, 3], [4, 5, 6]]
    nested = (ctypes.c_int32 * 3 * 2)()
    engine.evaluate("g + 1", {"g": np.arange(6, dtype=np.int32).reshape(2, 3)}, out=nested)
    assert [list(row) for row in nested] == [[1, 2, 3], [4, 5, 6]]


def test_a_buffer_may_be_its_own_operand():
    raw = array.array("d", range(6))
    engine.evaluate("x + 1", {"x": memoryview(raw)[:-1]}, out=memoryview(raw)[1:])
    assert raw.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_buffer_is_let_go_after_the_call_and_after_an_error():
    raw = bytearray(4)
    engine.evaluate("SMALL*2", out=raw)
    raw.append(1)  # BufferError while an export is alive
    with pytest.raises(engine.ShapeError):
        engine.evaluate("SMALL*2", out=raw)
    raw.append(1)


@pytest.mark.parametrize(
    "out",
    (
        memoryview(bytes(32)).cast("d"),
        np.broadcast_to(0.0, 4),
        memoryview(array.array("d", [0] * 4)).toreadonly(),
    ),
)
def test_memory_that_must_not_be_written_is_refused(out):
    with pytest.raises(engine.ShapeError, match="out is read-only"):
        engine.evaluate("A + 1", out=out)


@pytest.mark.parametrize("out", (bytes(32), [0.0] * 4, (0.0,) * 4, 3.5, "four", np.float64(3), object(), range(4), {}))
def test_what_is_no_buffer_is_refused(out):
    with pytest.raises(engine.DTypeError, match="out is of type") as caught:
        engine.evaluate("A + 1", out=out)
    assert "writable buffer" in caught.value.help


@pytest.mark.parametrize("n", (0, 3, 5))
def test_sizes_are_checked(n):
    with pytest.raises(engine.ShapeError, match="out has shape"):
        engine.evaluate("A + 1", out=array.array("d", [7] * n))


def test_dtypes_are_checked_and_nothing_is_written():
    for out in (bytearray(32), array.array("i", [0] * 4), (ctypes.c_int * 4)()):
        before = bytes(memoryview(out))
        with pytest.raises(engine.DTypeError, match="float64"):
            engine.evaluate("A + 1", out=out)
        assert bytes(memoryview(out)) == before
    single = array.array("f", [0] * 4)
    assert engine.evaluate("A + 1", out=single) is single and single.tolist() == [1, 2, 3, 4]


def test_a_buffer_of_what_is_no_number_is_refused():
    for out in ((ctypes.c_char * 4)(), (ctypes.py_object * 4)(*"abcd"), array.array("u", "abcd")):
        with pytest.raises(engine.DTypeError, match="out has dtype"):
            engine.evaluate("A + 1", out=out)


def test_a_format_that_numpy_does_not_know_is_refused_with_its_reason():
    for out in ((ctypes.c_void_p * 4)(), memoryview((ctypes.c_longdouble * 4)())):
        with pytest.raises(engine.DTypeError, match="cannot read in place") as caught:
            engine.evaluate("A + 1", out=out)
        assert isinstance(caught.value.__cause__, ValueError)


def test_a_buffer_that_is_closed_is_refused():
    closed, released = mmap.mmap(-1, 4), memoryview(bytearray(4))
    closed.close()
    released.release()
    for out in (closed, released):
        with pytest.raises((engine.DTypeError, ValueError)):
            engine.evaluate("SMALL + 1", out=out)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ is of Python 3.12")
def test_a_sequence_that_refuses_its_buffer_is_not_copied():
    class Refuses(list):
        def __buffer__(self, flags):
            raise BufferError("in use")

    with pytest.raises(engine.DTypeError, match="cannot read in place"):
        engine.evaluate("A + 1", out=Refuses([0.0] * 4))

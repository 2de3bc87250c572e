"""Every operation over every layout of its operands: the same values wherever and however they lie in memory.

Sizes go past the interpreter's block (512), by an odd number of elements, so that tails are met.
"""

from __future__ import annotations

import numpy as np
import pytest

import engine
from tests.conformance.operations import BINARY_CALLS, INFIX, PREFIX, UNARY_CALLS, Complaints, binary, unary
from tests.differential import oracle
from tests.differential.operands import values
from tests.differential.oracle import Value

SHAPE = (5, 211)
DTYPES = tuple(
    np.dtype(name)
    for name in ("bool", "int8", "uint16", "int64", "float16", "float32", "float64", "complex64", "complex128")
)


def _strided(a):
    room = np.zeros((a.shape[0] * 2, a.shape[1] * 3), a.dtype)
    room[::2, ::3] = a
    return room[::2, ::3]


def _unaligned(a):
    room = np.zeros(a.nbytes + 1, "u1")
    view = np.ndarray(a.shape, a.dtype, room, 1)
    view[...] = a
    return view


# Each keeps the shape and the values of `a`, but for the ones that say so.
LAYOUTS = {
    "contiguous": lambda a: a,
    "strided": _strided,
    "reversed": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "reversed along one axis": lambda a: np.ascontiguousarray(a[:, ::-1])[:, ::-1],
    "Fortran": np.asfortranarray,
    "read-only": lambda a: _read_only(a.copy()),
    "unaligned": _unaligned,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder("S")),
    "byte-swapped and strided": lambda a: _strided(a.astype(a.dtype.newbyteorder("S"))),
    "row repeated (other values)": lambda a: np.broadcast_to(a[0], a.shape),
    "column repeated (other values)": lambda a: np.broadcast_to(a[:, :1], a.shape),
    "one value repeated (other values)": lambda a: np.broadcast_to(a[1, 1], a.shape),
    "one column (other shape)": lambda a: a[:, 3:4],
    "one row (other shape)": lambda a: a[2],
    "0-d (other shape)": lambda a: a[2, 2, ...],
    "empty (other shape)": lambda a: a[:, :0],
    "five axes (other shape)": lambda a: a[:, :210].reshape(5, 2, 3, 5, 7).transpose(2, 0, 4, 1, 3),
}


def _read_only(a):
    a.flags.writeable = False
    return a


def operand(dtype: np.dtype, seed: int, exponent: bool = False) -> np.ndarray:
    generator = np.random.default_rng(seed)
    a = values(dtype, generator, SHAPE[0] * SHAPE[1], wild=False).reshape(SHAPE)
    return np.abs(a) % 5 if exponent and dtype.kind == "i" else a


def partner_shape_fits(layout: str) -> bool:
    return not layout.startswith(("empty", "five"))


@pytest.mark.parametrize("operation", INFIX + BINARY_CALLS)
def test_two_arguments(operation):
    walk = Complaints()
    powers = operation in ("**", "power")
    for dtype in DTYPES:
        a, b = operand(dtype, 1), operand(dtype, 2, exponent=powers)
        for name, layout in LAYOUTS.items():
            pairs = [(layout(a), layout(b))]
            if partner_shape_fits(name):
                pairs += [(layout(a), b), (a, layout(b))]
            for x, y in pairs:
                text, step = binary(operation, x, y)
                walk.check(f"{dtype}, {name}", text, {"x": x, "y": y}, step)
    walk.none_of(at_least=300)


@pytest.mark.parametrize("operation", PREFIX + UNARY_CALLS + (".real", ".imag", ".T"))
def test_one_argument(operation):
    walk = Complaints()
    for dtype in DTYPES:
        a = operand(dtype, 3)
        for name, layout in LAYOUTS.items():
            x = layout(a)
            text, step = unary(operation, x)
            walk.check(f"{dtype}, {name}", text, {"x": x}, step)
    walk.none_of(at_least=100)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_three_arguments_and_casts(layout, dtype):
    walk = Complaints()
    c, x, y = (LAYOUTS[layout](operand(d, seed)) for d, seed in ((np.dtype("bool"), 4), (dtype, 5), (dtype, 6)))
    walk.check(layout, "where(c, x, y)", {"c": c, "x": x, "y": y}, lambda: oracle.where(Value(c), Value(x), Value(y)))
    walk.check(
        layout, "clip(x, y, z)", {"x": x, "y": y, "z": y}, lambda: oracle.call("clip", [Value(x), Value(y), Value(y)])
    )
    walk.check(layout, "complex128(x)", {"x": x}, lambda: oracle.cast("complex128", Value(x)))
    walk.check(layout, "bool(x)", {"x": x}, lambda: oracle.cast("bool", Value(x)))
    walk.none_of(at_least=4)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if "other" not in name and name != "read-only"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_out_of_every_layout(layout, dtype):
    out = LAYOUTS[layout](operand(dtype, 7).copy())
    x = operand(dtype, 8)
    assert engine.evaluate("x", {"x": x}, out=out) is out
    assert np.array_equal(out, x)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if "other" not in name and name != "read-only"])
def test_targets_of_every_layout(layout):
    y = LAYOUTS[layout](operand(np.dtype("f8"), 9).copy())
    expected = y.copy()
    x = operand(np.dtype("f4"), 10)
    expected[1:, ::-2] += x[1:, ::2][:, : expected[1:, ::-2].shape[1]]
    engine.evaluate("y[1:, ::-2] += x[1:, ::2]", {"x": x, "y": y})
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("first", LAYOUTS)
@pytest.mark.parametrize("second", LAYOUTS)
def test_a_fresh_result_has_the_order_of_numpys_iterator(first, second):
    x, y = LAYOUTS[first](operand(np.dtype("i4"), 1)), LAYOUTS[second](operand(np.dtype("f4"), 2))
    try:
        np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        with pytest.raises(engine.ShapeError):
            engine.evaluate("x + y", {"x": x, "y": y})
        return
    iterator = np.nditer(
        [x, y, None],
        flags=["zerosize_ok"],
        op_flags=[["readonly"], ["readonly"], ["writeonly", "allocate"]],
        op_dtypes=[None, None, "f8"],
    )
    result = engine.evaluate("x + y", {"x": x, "y": y})
    wanted = iterator.operands[-1]
    assert np.shape(result) == wanted.shape
    if result.ndim and result.size:
        ours = [stride for stride, length in zip(result.strides, result.shape) if length > 1]
        assert ours == [stride for stride, length in zip(wanted.strides, wanted.shape) if length > 1]


@pytest.mark.parametrize("order", "CFKA")
def test_order_overrides(order):
    x = np.asfortranarray(operand(np.dtype("f8"), 1))
    result = engine.evaluate("x + 1", {"x": x}, order=order)
    assert result.flags.c_contiguous == (order == "C")
    assert result.flags.f_contiguous == (order != "C")


def test_thirty_two_axes():
    x = np.arange(2.0**10).reshape((2, 1, 1) * 10 + (1, 1))
    y = np.float32([3]).reshape((1,) * 32)
    result = engine.evaluate("x*y + x", {"x": x, "y": y})
    assert result.shape == x.shape
    assert np.array_equal(result, x * y + x)

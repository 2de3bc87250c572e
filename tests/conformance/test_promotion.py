"""Every operation over every pair of dtypes and every kind of Python scalar: NumPy's dtype and NumPy's values.

Arrays of special values meet each other as all pairs (one lies along rows, the other along columns). Where NumPy
raises TypeError, the engine raises DTypeError; where a Python integer does not fit, RangeError.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.conformance.operations import (
    BINARY_CALLS,
    DTYPES,
    INFIX,
    PREFIX,
    UNARY_CALLS,
    Complaints,
    binary,
    special,
    unary,
)
from tests.differential import oracle
from tests.differential.oracle import Value

WEAK = (
    False, True, 0, 1, 2, -1, 7, 127, 128, -128, -129, 255, 256, 65535, 70000, 2**31, 2**63 - 1, -(2**63), 2**63 + 5,
    0.0, -0.0, 0.5, 2.0, -1.5, 3.7, 1e300, float("inf"), float("nan"), 1j, 2.5 - 1j, 0j,
)  # fmt: skip
WIDE = {2**63 + 5}  # outside int64: only arrays of uint64 and comparisons take it


def operands_for(operation: str, dtype: np.dtype, right: bool) -> np.ndarray:
    """Special values, but for what nobody promises: signs of NaN; and negative exponents have a test of their own."""
    values = special(dtype, sign_of_nan=operation not in ("copysign", "signbit"))
    if operation in ("**", "power") and right and dtype.kind == "i":
        return values[values >= 0]
    return values


@pytest.mark.parametrize("operation", INFIX + BINARY_CALLS)
def test_arrays_with_arrays(operation):
    walk = Complaints()
    for left in DTYPES:
        for right in DTYPES:
            x, y = operands_for(operation, left, False)[:, None], operands_for(operation, right, True)
            walk.check(f"{left}, {right}", *_with_names(binary(operation, x, y), x=x, y=y))
    walk.none_of(at_least=190)


@pytest.mark.parametrize("operation", INFIX + BINARY_CALLS)
def test_arrays_with_python_scalars(operation):
    walk = Complaints()
    for dtype in DTYPES:
        for scalar in WEAK:
            if operation == "copysign" and scalar != scalar:
                continue
            x = operands_for(operation, dtype, False)
            walk.check(f"{dtype}, {scalar!r}", *_with_names(binary(operation, x, scalar), x=x, y=scalar))
            x = operands_for(operation, dtype, True)
            walk.check(f"{scalar!r}, {dtype}", *_with_names(binary(operation, scalar, x), x=scalar, y=x))
    walk.none_of(at_least=0 if operation == "power" else 500)  # power() by a Python scalar: `**` answers for it


@pytest.mark.parametrize("operation", INFIX)
def test_arrays_with_literals(operation):
    """As with Python scalars, but written into the text, where they meet the constant folder."""
    walk = Complaints()
    for dtype in DTYPES:
        for scalar in WEAK:
            if np.isnan(scalar) or type(scalar) is complex and scalar.real:
                continue
            x = operands_for(operation, dtype, False)
            text, step = binary(operation, x, scalar)
            walk.check(f"{dtype}, {scalar!r}", text.replace("y", f"({scalar!r})"), {"x": x}, step)
    walk.none_of(at_least=350)


@pytest.mark.parametrize("operation", INFIX + BINARY_CALLS)
def test_arrays_with_numpy_scalars(operation):
    walk = Complaints()
    for left in DTYPES:
        for right in DTYPES:
            scalar = right.type(3)
            x = operands_for(operation, left, False)
            walk.check(f"{left}, scalar {right}", *_with_names(binary(operation, x, scalar), x=x, y=scalar))
            x = operands_for(operation, left, True)
            walk.check(f"scalar {right}, {left}", *_with_names(binary(operation, scalar, x), x=scalar, y=x))
    walk.none_of(at_least=380)


@pytest.mark.parametrize("operation", PREFIX + UNARY_CALLS + (".real", ".imag", ".T"))
def test_one_argument(operation):
    walk = Complaints()
    for dtype in DTYPES:
        x = operands_for(operation, dtype, False)
        for shape in (x, x[2 % x.size], x[:0]):
            walk.check(f"{dtype}", *_with_names(unary(operation, shape), x=shape))
    walk.none_of(at_least=36)


@pytest.mark.parametrize("name", sorted(oracle.CASTS))
def test_casts(name):
    """From every dtype; floats stay inside the range of integer types: outside, NumPy's answer is its CPU's."""
    walk = Complaints()
    target = np.dtype(oracle.CASTS[name])
    for dtype in DTYPES:
        x = special(dtype)
        if dtype.kind in "fc" and target.kind in "iu":
            x = np.array(
                [0.0, -0.0, 1.0, 2.5, 100.75, 0.999, 127.0] + ([-1.5, -128.0] if target.kind == "i" else []), dtype
            )
        walk.check(f"{dtype}", *_with_names((f"{name}(x)", lambda x=x: oracle.cast(name, Value(x))), x=x))
    walk.none_of(at_least=12 if target.kind in "biufc" else 14)


def test_where_over_all_pairs():
    walk = Complaints()
    condition = np.array([True, False, True])[:, None, None]
    for left in DTYPES:
        for right in DTYPES:
            x, y = special(left)[:, None], special(right)
            step = lambda x=x, y=y: oracle.where(Value(condition), Value(x), Value(y))  # noqa: E731
            walk.check(f"{left}, {right}", "where(c, x, y)", {"c": condition, "x": x, "y": y}, step)
            walk.check(f"{left}, {right}", "x if c else y", {"c": condition, "x": x, "y": y}, step)
        for scalar in WEAK:
            x = special(left)
            if left.kind == "b" and scalar in WIDE:
                continue
            step = lambda x=x, s=scalar: oracle.where(Value(condition[:, 0]), Value(x), Value(s))  # noqa: E731
            walk.check(f"{left}, {scalar!r}", "where(c, x, y)", {"c": condition[:, 0], "x": x, "y": scalar}, step)
    walk.none_of(at_least=700)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_where_takes_any_dtype_as_condition(dtype):
    walk = Complaints()
    c, x, y = special(dtype), np.float32(1), np.int16(2)
    walk.check(f"{dtype}", "where(x, 1.5, y)", {"x": c, "y": y}, lambda: oracle.where(Value(c), Value(1.5), Value(y)))
    walk.check(
        f"{dtype}", "z if x else y", {"x": c, "y": y, "z": x}, lambda: oracle.where(Value(c), Value(x), Value(y))
    )
    walk.none_of(at_least=2)


def test_clip_over_all_dtypes():
    walk = Complaints()
    bounds = ((0, 3), (-1000, 100), (-(2**40), 2**40), (0.5, 2.5), (False, True))
    for dtype in DTYPES:
        x = special(dtype)
        for low, high in bounds:
            step = lambda x=x, low=low, high=high: oracle.call("clip", [Value(x), Value(low), Value(high)])  # noqa: E731
            walk.check(f"{dtype}, {low}, {high}", f"clip(x, {low}, {high})", {"x": x}, step)
        for other in DTYPES:
            low, high = other.type(1), other.type(3) if other.kind != "b" else other.type(1)
            step = lambda x=x, low=low, high=high: oracle.call("clip", [Value(x), Value(low), Value(high)])  # noqa: E731
            walk.check(f"{dtype}, {other}", "clip(x, y, z)", {"x": x, "y": low, "z": high}, step)
    walk.none_of(at_least=230)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind == "i"], ids=str)
def test_negative_integer_powers_are_refused(dtype):
    walk = Complaints()
    x, y = np.array([2, 3], dtype), np.array([1, -1], dtype)
    walk.check(f"{dtype}", *_with_names(binary("**", x, y), x=x, y=y))
    walk.check(f"{dtype}", *_with_names(binary("**", x, -1), x=x, y=-1))
    walk.check(f"{dtype}", *_with_names(binary("**", 2, y), x=2, y=y))
    walk.none_of(at_least=3)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "exponent", (0, 1, 2, 3, 4, 5, 10, 63, -1, -2, 0.5, 2.0, -0.5, -1.0, 0.0, 1.5, True, 2j), ids=str
)
def test_powers_by_a_literal(dtype, exponent):
    walk = Complaints()
    x = special(dtype)
    text, step = binary("**", x, exponent)
    walk.check(f"{dtype}", f"x ** {exponent!r}", {"x": x}, step)
    walk.none_of(at_least=1)


@pytest.mark.parametrize("reduction", sorted(oracle.REDUCTIONS))
def test_reductions_give_numpys_dtype(reduction):
    walk = Complaints()
    for dtype in DTYPES:
        x = np.array([3, 1, 2, 0, 5, 1], dtype).reshape(2, 3)
        for keywords in ({}, {"axis": 0}, {"axis": 1, "keepdims": True}):
            text = f"{reduction}({', '.join(['x'] + [f'{k}={v}' for k, v in keywords.items()])})"
            walk.check(
                f"{dtype}",
                text,
                {"x": x},
                lambda x=x, keywords=keywords: oracle.reduction(reduction, Value(x), keywords),
            )
    walk.none_of(at_least=42)


def _with_names(row: tuple, **names) -> tuple:
    text, step = row
    return text, names, step

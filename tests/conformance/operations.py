"""The operations that the conformance tests walk through, each as a text and as the oracle's step; and how one is
checked.

in: operand values   out: a complaint as text, or None
The values come from NumPy through `tests.differential.oracle`, which also knows how exact each operation is promised
to be.
"""

from __future__ import annotations

import warnings

import numpy as np

import engine
from tests.differential import oracle
from tests.differential.compare import values_differ
from tests.differential.oracle import Refused, Unspecified, Value

DTYPE_NAMES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip
DTYPES = tuple(map(np.dtype, DTYPE_NAMES))
INFIX = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>", "<", "<=", ">", ">=", "==", "!=", "and", "or")
PREFIX = ("-", "+", "~", "not")
UNARY_CALLS = (
    "abs", "absolute", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "trunc", "rint", "isnan", "isinf",
    "isfinite", "signbit", "real", "imag", "conj", "conjugate", "exp", "log", "sin", "cos", "tanh", "expm1", "log1p",
    "logical_not", "negative", "positive", "invert",
)  # fmt: skip
BINARY_CALLS = (
    "copysign", "fmod", "remainder", "mod", "floor_divide", "maximum", "minimum", "fmax", "fmin", "logical_and",
    "logical_or", "logical_xor", "add", "subtract", "multiply", "divide", "true_divide", "power", "equal",
    "not_equal", "less", "less_equal", "greater", "greater_equal", "bitwise_and", "bitwise_or", "bitwise_xor",
    "left_shift", "right_shift",
)  # fmt: skip


def binary(operation: str, x, y) -> tuple:
    """(text, step) of an infix operator or a function of two arguments, over operands named x and y."""
    if operation in INFIX:
        return f"x {operation} y", lambda: oracle.binary(operation, Value(x), Value(y))
    return f"{operation}(x, y)", lambda: oracle.call(operation, [Value(x), Value(y)])


def unary(operation: str, x) -> tuple:
    if operation in PREFIX:
        return f"{operation} x", lambda: oracle.unary(operation, Value(x))
    if operation.startswith("."):
        return f"x{operation}", lambda: oracle.attribute(Value(x), operation[1:])
    return f"{operation}(x)", lambda: oracle.call(operation, [Value(x)])


def special(dtype: np.dtype, sign_of_nan: bool = True) -> np.ndarray:
    """The values where operations go wrong. Without NaN where the result would show its sign, which nobody promises."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        values = [0, 1, 2, 3, 7, info.max, info.max - 1, info.max // 2 + 1]
        return np.array(values + ([-1, -2, -3, -7, info.min, info.min + 1] if dtype.kind == "i" else []), dtype)
    if dtype.kind == "f":
        info = np.finfo(dtype)
        tiny = info.smallest_subnormal
        values = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -2.5,
            3.0,
            7.25,
            100.0,
            np.inf,
            -np.inf,
            tiny,
            -tiny * 3,
            info.tiny,
            info.max,
            info.min,
        ]
        return np.array(values + [1 + info.eps, 0.1] + [np.nan] * sign_of_nan, dtype)
    part = special(np.dtype("f4" if dtype.itemsize == 8 else "f8"), sign_of_nan)
    rolled = np.concatenate([part, part, part[::-1]])
    result = np.empty(rolled.size, dtype)
    result.real = rolled
    result.imag = np.concatenate([np.zeros(part.size), np.roll(part, 3), np.roll(part, 7)])
    return result


def complaint(text: str, names: dict, step) -> str | None:
    """Holds dtype, shape and values of `text` against the oracle's step; where NumPy refuses, the engine has to too."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            want, refusal = step(), None
        except TypeError:
            want, refusal = None, engine.DTypeError
        except (OverflowError, ZeroDivisionError, Refused, ValueError):  # ValueError: integers to negative powers
            want, refusal = None, engine.RangeError
    try:
        result = engine.evaluate(text, names)
    except engine.Error as error:
        if refusal is None:
            return f"{text} raises {type(error).__name__}: {error.args[0] if error.args else error}"
        return None if isinstance(error, refusal) else f"{text} raises {type(error).__name__}, not {refusal.__name__}"
    if refusal is not None:
        return f"{text} gives {result.dtype} {result!r:.60}, where {refusal.__name__} is due"
    reference = np.asarray(want.v)
    if result.dtype != reference.dtype.newbyteorder("="):
        return f"{text} has dtype {result.dtype}, not {reference.dtype}"
    if result.shape != reference.shape:
        return f"{text} has shape {result.shape}, not {reference.shape}"
    differs = values_differ(result, want)
    return f"{text}: {differs}" if differs else None


class Complaints:
    """What was wrong in one walk, and how much of it was looked at."""

    def __init__(self):
        self.n_checked = 0
        self.found: list[str] = []

    def check(self, where: str, text: str, names: dict, step) -> None:
        try:
            found = complaint(text, names, step)
        except Unspecified:
            return
        self.n_checked += 1
        if found:
            self.found.append(f"{where}: {found}")

    def none_of(self, at_least: int) -> None:
        """Fails with what was found, or if the walk was much shorter than it should be."""
        shown = "\n".join(self.found[:25])
        assert not self.found, f"{len(self.found)} of {self.n_checked} differ from NumPy:\n{shown}"
        assert self.n_checked >= at_least, f"only {self.n_checked} checks"

"""What a program means, by NumPy: one step per node, each giving a value and how far an equally right answer may lie
from it.

in: a node's kind and the values of its operands   out: a `Value`, or NumPy's own exception
Python scalars stay Python scalars (weak) until they meet an array. Three grades of value:
  EXACT    the contract promises these bits (any NaN will do)
  SIGNLESS as exact, but zeros may have either sign: they came out of max, min, fmax, fmin
  BOUNDED  `error` holds, per element, how far away a right answer may lie: functions, floating sums, complex products
Where the contract leaves the answer open (NaN to integer, the sign of a NaN) a step raises `Unspecified`, and the
program is not used.
"""

from __future__ import annotations

import operator

import numpy as np

EXACT, SIGNLESS, BOUNDED = 0, 1, 2
WEAK = (bool, int, float, complex)


class Unspecified(Exception):
    """The contract does not say, or this oracle does not know, what is right here."""


class Refused(Exception):
    """The contract asks for an error where NumPy gives none."""


class Value:
    __slots__ = ("v", "grade", "error")

    def __init__(self, v, grade=EXACT, error=None):
        self.v = v
        self.grade = grade
        self.error = error


BINARY = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "//": np.floor_divide, "%": np.remainder,
    "&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor, "<<": np.left_shift, ">>": np.right_shift,
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
    "and": np.logical_and, "or": np.logical_or,
}  # fmt: skip
PYTHON = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip
UNARY = {"-": np.negative, "+": np.positive, "~": np.invert, "not": np.logical_not}
CASTS = {
    "bool": "?", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8", "uint8": "u1", "uint16": "u2",
    "uint32": "u4", "uint64": "u8", "float16": "f2", "float32": "f4", "float64": "f8", "complex64": "c8",
    "complex128": "c16",
}  # fmt: skip
REDUCTIONS = {
    "sum": np.sum, "prod": np.prod, "min": np.min, "max": np.max, "mean": np.mean, "any": np.any, "all": np.all,
    "count_nonzero": np.count_nonzero,
}  # fmt: skip
# What depends on the order of the elements, or picks some of them.
ORDERED = (
    "sort", "argsort", "cumsum", "cumprod", "cummax", "cummin", "unique", "unique_counts", "unique_inverse",
    "flatnonzero", "compress", "median", "topk", "searchsorted", "shift", "shift", "shift",
)  # fmt: skip
# Functions under NumPy's names; where the language has a short form as well, both are rows.
FUNCTION_NAMES = (
    "abs", "absolute", "sign", "copysign", "sqrt", "square", "reciprocal", "floor", "ceil", "trunc", "rint", "fmod",
    "remainder", "mod", "floor_divide", "maximum", "minimum", "fmax", "fmin", "clip", "where", "isnan", "isinf",
    "isfinite", "signbit", "real", "imag", "conj", "conjugate", "exp", "log", "sin", "cos", "tanh", "expm1", "log1p",
    "logical_and", "logical_or", "logical_xor", "logical_not", "add", "subtract", "multiply", "divide", "true_divide",
    "power", "negative", "positive", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "fabs", "spacing", "nextafter",
    "heaviside", "gcd", "lcm", "bitwise_count",
)  # fmt: skip
FUNCTIONS = {name: getattr(np, name) for name in FUNCTION_NAMES}
ELEMENTARY = frozenset(["exp", "log", "sin", "cos", "tanh", "expm1", "log1p"])
SIGN_OF_ZERO_LOST = frozenset(["maximum", "minimum", "fmax", "fmin", "clip", "max", "min"])

_EPS = {"e": 2.0**-10, "f": 2.0**-23, "d": 2.0**-52, "F": 2.0**-23, "D": 2.0**-52}
_TINY = {"e": 2.0**-24, "f": 2.0**-149, "d": 2.0**-1074, "F": 2.0**-149, "D": 2.0**-1074}
_MAX = {"e": 65504.0, "f": float(np.finfo("f4").max), "d": float(np.finfo("f8").max)}
_MAX["F"], _MAX["D"] = _MAX["f"], _MAX["d"]


def is_weak(v) -> bool:
    return type(v) in WEAK


def inexact(dtype) -> bool:
    return dtype.kind in "fc"


def magnitude(v) -> np.ndarray:
    """|v| as float64 (infinite where it would overflow)."""
    v = np.asarray(v)
    return np.abs(v.astype("c16" if v.dtype.kind == "c" else "f8"))


def error_of(value: Value):
    return 0.0 if value.error is None else value.error


def rounded(r, error, ulps: float = 2) -> Value:
    """A bounded value whose last step rounds once more."""
    char = r.dtype.char
    return Value(r, BOUNDED, np.broadcast_to(error + ulps * _EPS[char] * magnitude(r) + 2 * _TINY[char], np.shape(r)))


def weak_result(v):
    if type(v) is int and not -(2**63) <= v < 2**64:
        raise Refused("an integer beyond 64 bits")
    return v


def binary(op: str, x: Value, y: Value) -> Value:
    """An infix operator (`and`, `or` and comparisons among them), as text writes it."""
    a, b = x.v, y.v
    if is_weak(a) and is_weak(b):
        if op in ("and", "or") or op not in PYTHON:
            raise Unspecified("bit and logical operators among weak scalars")
        return Value(weak_result(PYTHON[op](a, b)))
    if op == "**":
        return power(x, y)
    if x.grade == y.grade == EXACT and not (op == "*" and (_complex(a) or _complex(b))):
        return Value(BINARY[op](a, b))
    return _loose_binary(op, x, y)


def chain(before: Value | None, link: Value) -> Value:
    """The links of a chained comparison, joined by elementwise `&`."""
    if before is None:
        return link
    if is_weak(before.v) or is_weak(link.v):
        raise Unspecified("a chain among weak scalars")
    return Value(np.bitwise_and(before.v, link.v))


def _complex(v) -> bool:
    return type(v) is complex or getattr(getattr(v, "dtype", None), "kind", "") == "c"


def _loose_binary(op: str, x: Value, y: Value) -> Value:
    a, b = x.v, y.v
    r = BINARY[op](a, b)
    grade = max(x.grade, y.grade)
    if r.dtype.kind not in "fc":  # comparisons do not see the sign of a zero
        if grade == BOUNDED:
            raise Unspecified("a discontinuous operation on a bounded value")
        return Value(r)
    if grade == BOUNDED and op not in ("+", "-", "*", "/"):
        raise Unspecified("a discontinuous operation on a bounded value")
    if op in ("/", "//", "%") and y.grade == SIGNLESS and not np.all(b):
        raise Unspecified("division by a zero of either sign")
    if op == "*" and r.dtype.kind == "c":  # the contract's own bound for complex products
        error = magnitude(a) * error_of(y) + magnitude(b) * error_of(x) + error_of(x) * error_of(y)
        size = magnitude(a) * magnitude(b)
        wide = size > _MAX[r.dtype.char] / 8
        bound = error + 4 * _EPS[r.dtype.char] * size + 4 * _TINY[r.dtype.char]
        return Value(r, BOUNDED, np.where(wide | ~np.isfinite(size), np.inf, bound))
    if grade != BOUNDED:
        return Value(r, SIGNLESS)
    if op in ("+", "-"):
        return rounded(r, error_of(x) + error_of(y))
    if op == "*":
        return rounded(r, magnitude(a) * error_of(y) + magnitude(b) * error_of(x) + error_of(x) * error_of(y))
    distance = magnitude(b) - error_of(y)
    error = (error_of(x) + magnitude(r) * error_of(y)) / np.where(distance > 0, distance, 0.0)
    return rounded(r, np.where(distance > 0, error, np.inf), 16)


def power(x: Value, y: Value) -> Value:
    """`**` as NumPy's operator on arrays takes it: squares, roots and reciprocals for those Python exponents."""
    # Scalars of NumPy as arrays: float64 is a Python float as well, and Python's ** would take it for weak.
    a, b = (v if is_weak(v) else np.asarray(v) for v in (x.v, y.v))
    if max(x.grade, y.grade) == BOUNDED:
        raise Unspecified("powers of bounded values")
    r = (a**b)[()]
    if not inexact(r.dtype):
        if r.size == 0:
            raise Unspecified("whether an empty power looks at its exponent")
        return Value(r)
    if max(x.grade, y.grade) == SIGNLESS:
        raise Unspecified("powers of signless zeros")
    if type(y.v) in (int, float) and y.v in (2, 0.5, -1, 1) and r.dtype.kind == "f" and a.dtype == r.dtype:
        return Value(r)  # a square, a root, a reciprocal: exact operations
    if r.dtype.kind == "c":
        turn = magnitude(y.v) * np.abs(np.log(np.maximum(magnitude(a), 1e-300)))
        # NumPy's negative whole powers divide by a product that may have overflowed: what is subnormal comes out as 0.
        error = 64 * _EPS[r.dtype.char] * (4 + turn + magnitude(y.v)) * magnitude(r) + np.finfo(r.dtype).tiny
        sound = np.isfinite(r) & (magnitude(a) > 1e-30)
        return Value(r, BOUNDED, np.broadcast_to(np.where(sound, error, np.inf), np.shape(r)))
    error = np.where(np.isfinite(r), 8 * _EPS[r.dtype.char] * magnitude(r) + 2 * _TINY[r.dtype.char], 0.0)
    return Value(r, BOUNDED, error)


def unary(op: str, x: Value) -> Value:
    a = x.v
    if is_weak(a):
        if op in ("~", "not"):
            raise Unspecified("bit and logical operators among weak scalars")
        return Value(weak_result(-a if op == "-" else +a))
    if x.grade == BOUNDED and op == "not":
        raise Unspecified("a discontinuous operation on a bounded value")
    r = UNARY[op](a)
    return Value(r) if op == "not" else Value(r, x.grade, x.error)


def where(c: Value, x: Value, y: Value) -> Value:
    """where(c, x, y), and `x if c else y`."""
    if is_weak(x.v) and is_weak(y.v):
        raise Unspecified("where between weak scalars")
    if c.grade == BOUNDED:
        raise Unspecified("a discontinuous operation on a bounded value")
    for weak, other in ((x.v, y.v), (y.v, x.v)):
        if type(weak) is int and other.dtype.kind in "iu":
            info = np.iinfo(other.dtype)
            if not info.min <= weak <= info.max:
                raise Refused("a literal that does not fit")
    r = np.where(c.v, x.v, y.v)
    grade = max(x.grade, y.grade)
    error = np.broadcast_to(np.maximum(error_of(x), error_of(y)), r.shape) if grade == BOUNDED else None
    return Value(r[()], grade, error)


def cast(name: str, x: Value) -> Value:
    dtype = np.dtype(CASTS[name])
    if is_weak(x.v):
        if type(x.v) is complex and dtype.kind != "c":
            raise Unspecified("what a complex scalar casts to")
        if type(x.v) is float and dtype.kind in "iu" and not (-100 if dtype.kind == "i" else -1) < x.v < 100:
            raise Unspecified("float to integer out of range")
        if type(x.v) is int and dtype.kind in "iu" and not np.iinfo(dtype).min <= x.v <= np.iinfo(dtype).max:
            raise Unspecified("a cast of an integer literal that does not fit")
        return Value(dtype.type(x.v))
    return to_dtype(x, dtype)


def to_dtype(x: Value, dtype: np.dtype) -> Value:
    """`x` stored as `dtype`, whatever is lost."""
    a = np.asarray(x.v)
    if a.dtype.kind == "c" and dtype.kind not in "cb":
        raise Unspecified("what is left of a complex number")
    if x.grade == BOUNDED and not inexact(dtype):
        raise Unspecified("a discontinuous operation on a bounded value")
    if inexact(a.dtype) and dtype.kind in "iu":
        whole = np.trunc(a.astype("f8"))
        info = np.iinfo(dtype)
        if not (np.all(whole >= float(info.min)) and np.all(whole < float(info.max) + (info.max < 2**53))):
            raise Unspecified("float to integer out of range")
    r = a.astype(dtype)[()]
    if not inexact(dtype):
        return Value(r)
    return Value(r, x.grade) if x.grade != BOUNDED else rounded(r, x.error)


def _imag(a):
    if not np.iscomplexobj(a) and np.ndim(a) > 1 and 0 in a.strides:
        raise Unspecified("where NumPy's new zeros lie beside a stretched array")
    return np.imag(a) if np.iscomplexobj(a) or np.ndim(a) == 0 else np.logical_and(a, False).astype(a.dtype)


def call(name: str, args: list[Value]) -> Value:
    """A function of the catalog by its name; casts and `where` among them, reductions not."""
    if name in CASTS:
        return cast(name, args[0])
    if name == "where":
        return where(*args)
    if all(is_weak(x.v) for x in args):
        raise Unspecified("functions of weak scalars")
    if name == "power":
        if is_weak(args[1].v) or is_weak(args[0].v):
            raise Unspecified("power() by a weak scalar")
        return power(*args)
    symbol = _SYMBOL.get(name)
    if symbol is not None:
        return binary(symbol, *args) if len(args) == 2 else unary(symbol, args[0])
    grade = max(x.grade for x in args)
    raw = [x.v for x in args]
    if name == "clip":
        _check_clip(raw)
    r = FUNCTIONS[name](*raw)[()]
    if (
        name in ELEMENTARY
        or (r.dtype.kind == "c" and name in ("sqrt", "sign", "square"))
        or (_complex(raw[0]) and name in ("abs", "absolute"))
    ):
        return _function(name, args, r)
    if grade == BOUNDED:
        if name in ("fabs", "spacing", "nextafter", "heaviside"):
            raise Unspecified("steps between floats of bounded values")
        return _bounded_call(name, args, r)
    if name == "heaviside" and np.any(np.isnan(raw[0])):
        raise Unspecified("which NaN")
    if name in ("signbit", "copysign"):
        if np.any(np.isnan(raw[-1])):
            raise Unspecified("the sign of a NaN")
        if args[-1].grade == SIGNLESS:
            raise Unspecified("the sign of a signless zero")
    if grade == SIGNLESS and name in ("fmod", "mod", "remainder", "floor_divide", "reciprocal") and not np.all(raw[-1]):
        raise Unspecified("division by a zero of either sign")
    if name in SIGN_OF_ZERO_LOST and inexact(r.dtype):
        grade = SIGNLESS
    return Value(r, grade if inexact(r.dtype) else EXACT)


_SYMBOL = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "floor_divide": "//",
    "remainder": "%",
    "mod": "%", "negative": "-", "positive": "+", "bitwise_and": "&", "bitwise_or": "|", "bitwise_xor": "^",
    "invert": "~",
    "left_shift": "<<", "right_shift": ">>", "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=", "logical_and": "and", "logical_or": "or", "logical_not": "not",
}  # fmt: skip


def _check_clip(raw) -> None:
    strong = [x.dtype for x in raw if hasattr(x, "dtype")]
    dtype = getattr(raw[0], "dtype", None)
    if dtype is not None and dtype.kind == "b":
        dtype = np.result_type(*strong)
    if dtype is None or dtype.kind not in "iu":
        return
    info = np.iinfo(dtype)
    beyond = [type(x) is int and not info.min <= x <= info.max for x in raw[1:]]
    if raw[0].dtype.kind == "b" and any(beyond) or beyond[0] and raw[1] > 0 or beyond[1] and raw[2] < 0:
        raise Unspecified("clip between bounds that no value of the type can keep")  # NumPy refuses, ours saturates


def _function(name: str, args: list[Value], r) -> Value:
    if args[0].grade == BOUNDED:
        raise Unspecified("functions of bounded values")
    char = r.dtype.char
    if r.dtype.kind == "c" or name in ("abs", "absolute"):
        size = magnitude(args[0].v)
        sound = np.isfinite(size) & np.isfinite(magnitude(r)) & (size < 1e30 if char in "FDfd" else True)
        if char in "Ff":
            sound &= size < 1e15
        return Value(
            r, BOUNDED, np.where(sound, 32 * _EPS[char] * (magnitude(r) + _slack(name, size)) + 8 * _TINY[char], np.inf)
        )
    return Value(r, BOUNDED, np.where(np.isfinite(r), 6 * _EPS[char] * magnitude(r) + 4 * _TINY[char], 0.0))


def _slack(name: str, size):
    # Near their zeros NumPy's complex functions are exact only against the size of the parts they are made from.
    return (
        np.minimum(size, 1.0) * 0
        if name in ("abs", "absolute", "sqrt", "sign")
        else 1.0 + size * size * (name == "square")
    )


def _bounded_call(name: str, args: list[Value], r) -> Value:
    if name in ("abs", "absolute", "conj", "conjugate", "real", "imag"):
        return Value(r, BOUNDED, args[0].error)
    if name in ("maximum", "minimum", "fmax", "fmin") and r.dtype.kind == "f":
        error = np.maximum(error_of(args[0]), error_of(args[1]))
        return rounded(r, error, 1)
    raise Unspecified("a discontinuous operation on a bounded value")


def attribute(x: Value, name: str) -> Value:
    if is_weak(x.v):
        raise Unspecified("attributes of weak scalars")
    # Of real arrays NumPy's .imag is a new array in C order; the engine's is a function like others, in K order.
    turn = {"T": np.transpose, "real": np.real, "imag": _imag}[name]
    error = x.error
    if error is not None and name == "T":
        error = error.T
    return Value(turn(x.v), x.grade, error)


def subscript(x: Value, items: tuple) -> Value:
    """`items` are Python's: slices, integers, None, Ellipsis."""
    if is_weak(x.v):
        raise Unspecified("subscripts of weak scalars")
    v = np.asarray(x.v)[items]
    return Value(v, x.grade, None if x.error is None else x.error[items])


def reduction(name: str, x: Value, keywords: dict) -> Value:
    if is_weak(x.v):
        raise Unspecified("reductions of weak scalars")
    a = np.asarray(x.v)
    r = REDUCTIONS[name](a, **keywords)
    if type(r) is int:
        r = np.int64(r)
    if name in ("any", "all", "count_nonzero"):
        if x.grade == BOUNDED:
            raise Unspecified("a discontinuous operation on a bounded value")
        return Value(r)
    if not inexact(r.dtype):
        return Value(r)
    if name in ("min", "max"):
        if a.dtype.kind == "c" and np.isnan(a).any():
            raise Unspecified("which of several complex NaNs is kept")
        if x.grade != BOUNDED:
            return Value(r, SIGNLESS)
        if a.dtype.kind == "c":
            raise Unspecified("the order of bounded complex values")
        return Value(r, BOUNDED, np.max(x.error, **keywords))
    return _float_reduction(name, x, a, r, keywords)


def _float_reduction(name: str, x: Value, a, r, keywords: dict) -> Value:
    char = r.dtype.char
    count = a.size // max(np.size(r), 1)
    if name == "prod":
        if x.grade == BOUNDED:
            raise Unspecified("products of bounded values")
        reach = np.sum(np.abs(np.log2(magnitude(a))), **keywords)
        sound = reach < np.log2(_MAX[char]) * 0.9
        return Value(r, BOUNDED, np.where(sound, 8 * count * _EPS[char] * magnitude(r), np.inf))
    size = np.sum(magnitude(a), **keywords)
    endless = np.any(~np.isfinite(a), **keywords) if inexact(a.dtype) else False
    error = (count + 2) * _EPS[char] * size + count * _TINY[char]
    if x.error is not None:
        error = error + np.sum(x.error, **keywords)
    if name == "mean":
        error = error / max(count, 1) + 2 * _TINY[char]
    bound = np.where(size > _MAX[char] / 4, np.inf, error)
    if a.dtype.kind == "c" or x.error is not None:
        bound = np.where(endless, np.inf, bound)
    else:  # an infinity or a NaN in the argument decides the sum, whatever the order
        # unless the finite ones alone may overflow to the other one on the way
        finite = np.sum(magnitude(np.where(np.isfinite(a), a, 0)), **keywords) if inexact(a.dtype) else size
        bound = np.where(endless, np.where(finite > _MAX[char] / 4, np.inf, 0.0), bound)
    return Value(r, BOUNDED, np.broadcast_to(bound, np.shape(r)))


_PADS = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "constant": "constant"}


def _shifted(a: np.ndarray, n: int, axis: int, boundary: str) -> np.ndarray:
    """Elements n places before: the array, padded as far as that on both sides, cut out n places away."""
    if a.size == 0:
        return a.copy()
    widths = [(0, 0)] * a.ndim
    widths[axis] = (abs(n), abs(n))
    padded = np.pad(a, widths, mode=_PADS[boundary])
    return np.take(padded, np.arange(abs(n) - n, abs(n) - n + a.shape[axis]), axis)


def ordered(name: str, arguments: list, keywords: dict) -> Value:
    """A row of ORDERED. Values known only within bounds have no order, and float sums a tree of their own."""
    if any(is_weak(x.v) for x in arguments[: 1 if name in ("topk", "shift") else 2]):
        raise Unspecified("weak scalars in order")
    if any(x.grade == BOUNDED for x in arguments):
        raise Unspecified("the order of bounded values")
    x = arguments[0]
    a = np.asarray(x.v)
    axis = keywords.get("axis", -1)
    signless = SIGNLESS if inexact(a.dtype) else x.grade
    if a.ndim == 0 and name in ("sort", "argsort", "topk"):
        raise TypeError("a scalar has no axes")
    if a.dtype.kind == "c" and (name in ("median", "topk") or np.isnan(a).any()):
        raise Unspecified("complex numbers that are not numbers, or the middle one of them")
    match name:
        case "shift":
            if a.ndim == 0 or (a.ndim > 1 and "axis" not in keywords):
                raise TypeError("a shift needs an axis")
            return Value(
                _shifted(a, arguments[1].v, keywords.get("axis", 0), keywords.get("boundary", "constant")), x.grade
            )
        case "sort":
            return Value(np.sort(a, axis, kind="stable"), x.grade)
        case "argsort":
            return Value(np.argsort(a, axis, kind="stable"))
        case "cumsum" | "cumprod":
            if inexact(a.dtype):
                raise Unspecified("the tree of a scan")
            return Value(getattr(np, name)(a, axis=keywords.get("axis")))
        case "cummax" | "cummin":
            flat = a.ravel() if "axis" not in keywords else a
            scan = np.maximum if name == "cummax" else np.minimum
            return Value(scan.accumulate(flat, keywords.get("axis", 0)), signless)
        case "unique":
            return Value(np.unique(a), signless)
        case "unique_counts":
            return Value(np.unique(a, return_counts=True)[1])
        case "unique_inverse":
            return Value(np.unique(a, return_inverse=True)[1])
        case "flatnonzero":
            if a.ndim == 0:
                raise TypeError("a scalar has no axes")
            return Value(np.flatnonzero(a))
        case "compress":
            mask = np.asarray(arguments[1].v).astype(bool)
            if mask.ndim == 0:
                raise TypeError("a condition needs an axis")
            if mask.size == 0 and mask.shape != a.shape[: mask.ndim]:
                raise Unspecified("NumPy takes conditions without elements whatever their shape")
            return Value(a[mask], x.grade)
        case "median":
            if a.size == 0:
                raise Unspecified("the middle of nothing")
            return Value(np.median(a, keywords.get("axis")), signless)
        case "topk":
            k = arguments[1].v
            if k > a.shape[-1]:
                raise ValueError("more than there are")
            return Value(np.sort(a, -1)[..., ::-1][..., :k], signless)
    values = np.asarray(arguments[1].v)
    if a.ndim != 1:
        raise TypeError("what is searched has one axis")
    if "c" in (a.dtype.kind, values.dtype.kind) and np.isnan(values).any():
        raise Unspecified("complex numbers that are not numbers")
    return Value(np.searchsorted(a, values, "right" if keywords.get("right") else "left"))

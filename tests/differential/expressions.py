"""Draws expressions: every node is computed by the oracle as it is drawn, so most of them mean something.

in: a Drawing, with its names and their values   out: a node and its value
An operation that NumPy refuses is drawn again; one time in thirty it is kept, and the engine is expected to refuse it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from tests.differential import oracle
from tests.differential.compare import NUMPY_ERRORS
from tests.differential.machine import Machine
from tests.differential.operands import Pool
from tests.differential.oracle import BOUNDED, Unspecified, Value
from tests.differential.program import (
    Attribute,
    Binary,
    Call,
    Compare,
    Literal,
    Logic,
    Name,
    Range,
    Subscript,
    Ternary,
    Unary,
)

INFIX = ("+", "+", "+", "-", "-", "*", "*", "*", "/", "/", "//", "%", "**")
BITS = ("&", "|", "^", "<<", ">>")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
CALLS_OF_ONE = (
    "fabs", "spacing", "bitwise_count",
    "abs", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "trunc", "rint", "isnan", "isinf", "isfinite",
    "signbit", "real", "imag", "conj", "conjugate", "logical_not", "negative", "positive", "invert", "absolute",
)  # fmt: skip
CALLS_OF_TWO = (
    "nextafter", "heaviside", "gcd", "lcm",
    "copysign", "fmod", "remainder", "mod", "floor_divide", "maximum", "maximum", "minimum", "minimum", "fmax",
    "fmin", "logical_and", "logical_or", "logical_xor", "add", "subtract", "multiply", "divide", "true_divide",
    "equal", "less", "greater_equal", "bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift",
    "power",
)  # fmt: skip
FLOAT_LITERALS = (0.0, 0.5, 1.0, 2.0, 1.5, 0.1, 3.25, 1e-3, 100.0, 7.0, 1e10, 1e-300)
INT_LITERALS = (0, 1, 1, 2, 2, 3, 4, 5, 7, 8, 10, 31, 100, 127, 128, 255, 256, 1000, 65535, 2**31, 2**63 - 1)
N_TRIES = 12
MAX_ITEMS = 20_000  # outer products beyond this only cost time
KEEP_ERROR = 1 / 30


@dataclass(slots=True)
class Drawing:
    """One program on its way."""

    rng: random.Random
    pool: Pool
    machine: Machine
    shape: tuple
    wild: bool
    tame_dtypes: tuple
    operands: dict = field(default_factory=dict)
    locals: list = field(default_factory=list)
    writes: bool = False
    broken: bool = False  # ends in an error of NumPy's


class Dead(Exception):
    """An error was kept: the program stops growing here. Carries the expression that raises it."""

    def __init__(self, node):
        super().__init__()
        self.node = node


def _arrays(d: Drawing) -> list[str]:
    return [name for name, value in d.machine.names.items() if not oracle.is_weak(value.v)]


def _leaf(d: Drawing):
    rng = d.rng
    draw_ = rng.random()
    if draw_ < 0.72 or not d.operands:
        node = Name(rng.choice(_arrays(d)))
        value = d.machine.value(node)
        if rng.random() < 0.16:
            return _view(d, node, value)
        return node, value
    if draw_ < 0.78 and ("n" in d.operands or "s" in d.operands):
        node = Name(rng.choice([name for name in ("n", "s") if name in d.operands]))
        return node, d.machine.value(node)
    return _literal(d)


def _literal(d: Drawing):
    rng = d.rng
    kind = rng.random()
    if kind < 0.5:
        node = Literal(rng.choice(INT_LITERALS[:10] if rng.random() < 0.8 else INT_LITERALS))
    elif kind < 0.85:
        node = Literal(rng.choice(FLOAT_LITERALS))
    elif kind < 0.9:
        node = Name(rng.choice(("pi", "e", "inf")))
    elif kind < 0.95:
        node = Literal(rng.random() < 0.5)
    else:
        node = Literal(complex(0, rng.choice((1, 2, 0.5))))
    if rng.random() < 0.12:
        node = Unary("-", node)
    return node, d.machine.value(node)


def _bound(d: Drawing, number: int):
    """An integer, or now and then an expression of `n` with that value."""
    n = d.operands.get("n")
    if n is not None and d.rng.random() < 0.25:
        rest = number - n
        if rest == 0:
            return Name("n")
        return Binary("+" if rest > 0 else "-", Name("n"), Literal(abs(rest)))
    return Unary("-", Literal(-number)) if number < 0 else Literal(number)


def _range(d: Drawing, length: int) -> Range:
    rng = d.rng
    start = stop = step = None
    if rng.random() < 0.55:
        start = _bound(d, rng.randrange(-length - 1, length + 2))
    if rng.random() < 0.55:
        stop = _bound(d, rng.randrange(-length - 1, length + 3))
    if rng.random() < 0.4:
        step = _bound(d, rng.choice((1, 2, 3, -1, -1, -2)))
    return Range(start, stop, step)


def items(d: Drawing, shape: tuple) -> tuple:
    rng = d.rng
    items: list = []
    for length in shape[: rng.randrange(1, len(shape) + 1)] if shape else ():
        if length and rng.random() < 0.2:
            items.append(_bound(d, rng.randrange(-length, length)))
        else:
            items.append(_range(d, length) if rng.random() < 0.8 else Range(None, None, None))
    if rng.random() < 0.15:
        items.insert(rng.randrange(len(items) + 1), None)
    if rng.random() < 0.12:
        items.append(Ellipsis)
    elif rng.random() < 0.08 and len(items) < len(shape):
        items.insert(0, Ellipsis)
    return tuple(items) or (Ellipsis,)


def _try(d: Drawing, node, value_of) -> tuple:
    """(node, value), or None if it is to be drawn again; Dead where the error is kept."""
    try:
        value = value_of()
    except (Unspecified, oracle.Refused):
        return None
    except NUMPY_ERRORS:
        if d.rng.random() < KEEP_ERROR:
            d.broken = True
            raise Dead(node) from None
        return None
    return (node, value) if np.size(value.v) <= MAX_ITEMS else None


def _view(d: Drawing, node, value: Value) -> tuple:
    """A subscript, `.T`, `.real` or `.imag` of it, or it alone where that fails."""
    rng = d.rng
    if oracle.is_weak(value.v):
        return node, value
    kind = rng.random()
    if kind < 0.7:
        made = Subscript(node, items(d, np.shape(value.v)))
        return _try(d, made, lambda: oracle.subscript(value, d.machine.items(made.items))) or (node, value)
    name = rng.choice(("T", "real", "imag"))
    return _try(d, Attribute(node, name), lambda: oracle.attribute(value, name)) or (node, value)


def _shifted(d: Drawing):
    """Two windows of one length onto arrays: the parts of a stencil."""
    rng = d.rng
    named = [Name(rng.choice(_arrays(d))) for _ in range(2)]
    parts = []
    windows = (Range(Literal(1), None, None), Range(None, Unary("-", Literal(1)), None), Range(None, None, None))
    depth = rng.choice((1, 2))
    for node in named:
        value = d.machine.value(node)
        rank = np.ndim(value.v)
        if rank == 0:
            return None
        items = tuple(windows[rng.randrange(2)] if axis < depth else windows[2] for axis in range(min(rank, depth)))
        made = Subscript(node, items)
        parts.append((made, oracle.subscript(value, d.machine.items(items))))
    return parts


def expression(d: Drawing, depth: int) -> tuple:
    """An expression and its value."""
    if depth <= 0:
        return _leaf(d)
    for _ in range(N_TRIES):
        made = _node(d, depth)
        if made is not None:
            return made
    return _leaf(d)


def _node(d: Drawing, depth: int):
    rng = d.rng
    kind = rng.random()
    if kind < 0.08:
        parts = _shifted(d)
        if parts is None:
            return None
        return _binary(d, rng.choice(INFIX[:8]), *parts)
    x, y = expression(d, depth - 1), None
    if kind < 0.54:
        y = expression(d, depth - 1 - (rng.random() < 0.4))
        return _binary(d, _operator(d, x[1], y[1]), x, y)
    if kind < 0.60:
        op = rng.choice(("-", "-", "+", "~", "not"))
        return _try(d, Unary(op, x[0]), lambda: oracle.unary(op, x[1]))
    if kind < 0.66:
        return _comparison(d, x, expression(d, depth - 1), depth)
    if kind < 0.69:
        y = expression(d, depth - 1)
        op = rng.choice(("and", "or"))
        return _try(d, Logic(op, x[0], y[0]), lambda: oracle.binary(op, x[1], y[1]))
    if kind < 0.73:
        c, y = expression(d, depth - 1), expression(d, depth - 2)
        node = Ternary(c[0], x[0], y[0]) if rng.random() < 0.5 else Call("where", (c[0], x[0], y[0]))
        return _try(d, node, lambda: oracle.where(c[1], x[1], y[1]))
    if kind < 0.86:
        return _call(d, x, depth)
    if kind < 0.93:
        return _reduction(d, x)
    if kind < 0.95:
        return _call_of(d, rng.choice(tuple(oracle.CASTS)), x)
    if kind < 0.985:
        return _ordered(d, x, depth)
    return _view(d, *x)


def _operator(d: Drawing, x: Value, y: Value) -> str:
    kinds = {_kind(x), _kind(y)}
    if kinds <= {"b", "i", "u"} and d.rng.random() < 0.4:
        return d.rng.choice(BITS)
    if BOUNDED in (x.grade, y.grade):
        return d.rng.choice(("+", "-", "*", "/"))
    return d.rng.choice(INFIX)


def _kind(value: Value) -> str:
    return {bool: "b", int: "i", float: "f", complex: "c"}.get(type(value.v)) or value.v.dtype.kind


def _binary(d: Drawing, op: str, x, y):
    if op == "**" and oracle.is_weak(x[1].v) and oracle.is_weak(y[1].v):
        return None
    if op == "**" and _kind(y[1]) == "i" and _kind(x[1]) in "biu" and not d.wild and d.rng.random() < 0.9:
        if np.size(y[1].v) and np.any(np.less(y[1].v, 0)):
            return None
    return _try(d, Binary(op, x[0], y[0]), lambda: oracle.binary(op, x[1], y[1]))


def _comparison(d: Drawing, x, y, depth: int):
    rng = d.rng
    op = rng.choice(COMPARISONS)
    if rng.random() < 0.8:
        return _try(d, Compare(x[0], (op,), (y[0],)), lambda: oracle.binary(op, x[1], y[1]))
    z, second = expression(d, depth - 2), rng.choice(COMPARISONS)
    node = Compare(x[0], (op, second), (y[0], z[0]))
    return _try(d, node, lambda: oracle.chain(oracle.binary(op, x[1], y[1]), oracle.binary(second, y[1], z[1])))


def _call(d: Drawing, x, depth: int):
    rng = d.rng
    kind = rng.random()
    if kind < 0.45:
        return _call_of(d, rng.choice(CALLS_OF_ONE), x)
    if kind < 0.6:
        return _call_of(d, rng.choice(tuple(sorted(oracle.ELEMENTARY))), x)
    if kind < 0.9:
        return _call_of(d, rng.choice(CALLS_OF_TWO), x, expression(d, depth - 1))
    return _call_of(d, "clip", x, expression(d, 0), expression(d, 0))


def _call_of(d: Drawing, name: str, *arguments):
    node = Call(name, tuple(argument[0] for argument in arguments))
    return _try(d, node, lambda: oracle.call(name, [argument[1] for argument in arguments]))


def _reduction(d: Drawing, x):
    rng = d.rng
    rank = np.ndim(x[1].v)
    keywords = []
    if rank and rng.random() < 0.7:
        if rng.random() < 0.75:
            axis = rng.randrange(-rank, rank)
        else:
            axis = tuple(a - rank * (rng.random() < 0.3) for a in rng.sample(range(rank), rng.randrange(rank + 1)))
        keywords.append(("axis", axis))
    if rng.random() < 0.35:
        keywords.append(("keepdims", True))
    name = rng.choice(tuple(oracle.REDUCTIONS))
    return _try(d, Call(name, (x[0],), tuple(keywords)), lambda: oracle.reduction(name, x[1], dict(keywords)))


def _ordered(d: Drawing, x, depth: int):
    rng = d.rng
    name = rng.choice(oracle.ORDERED)
    rank = np.ndim(x[1].v)
    arguments, keywords = [x], []
    if name == "compress":
        other = _comparison(d, x, expression(d, depth - 2), depth) if rng.random() < 0.8 else expression(d, depth - 1)
        if other is None:
            return None
        arguments.append(other)
    elif name == "searchsorted":
        made = _try(d, Call("sort", (x[0],)), lambda: oracle.ordered("sort", [x[1]], {}))
        if made is None:
            return None
        arguments = [made, expression(d, depth - 1)]
        if rng.random() < 0.5:
            keywords.append(("right", rng.random() < 0.7))
    elif name == "topk":
        length = np.shape(x[1].v)[-1] if rank else 0
        node = Literal(rng.randrange(length + 1 + (rng.random() < 0.05)))
        arguments.append((node, d.machine.value(node)))
    elif name == "shift":
        length = max(np.shape(x[1].v), default=0)
        node = Literal(rng.randrange(4) if rng.random() < 0.7 else rng.randrange(2 * length + 2))
        sign = Unary("-", node) if rng.random() < 0.5 else node
        arguments.append((sign, d.machine.value(sign)))
        if rank and rng.random() < 0.95:
            keywords.append(("axis", rng.randrange(-rank, rank)))
        keywords.append(("boundary", rng.choice(("reflect", "mirror", "nearest", "wrap", "constant"))))
    elif rank and name in ("sort", "argsort", "cumsum", "cumprod", "cummax", "cummin", "median") and rng.random() < 0.7:
        keywords.append(("axis", rng.randrange(-rank, rank)))
    node = Call(name, tuple(argument[0] for argument in arguments), tuple(keywords))
    return _try(d, node, lambda: oracle.ordered(name, [argument[1] for argument in arguments], dict(keywords)))

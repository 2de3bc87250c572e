"""Runs a program as NumPy means it: names, statements, writes into memory.

in: a Program and buffers it may write to   out: the value of its last statement, and the written buffers
Temporaries are values: binding copies, so that a later write into an operand does not reach what was computed from it.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from tests.differential import oracle
from tests.differential.operands import View
from tests.differential.oracle import EXACT, Value
from tests.differential.program import (
    Attribute,
    Binary,
    Bind,
    Call,
    Compare,
    Literal,
    Logic,
    Name,
    Program,
    Range,
    Store,
    Subscript,
    Ternary,
    Unary,
    children,
)

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


class Machine:
    """Names and memory of one run. `buffers` are indexed as the views' recipes say."""

    def __init__(self, buffers):
        self.buffers = buffers
        self.names: dict[str, Value] = {}
        self.operands: set[str] = set()
        self.casting = "same_kind"
        self.result_shape = None  # what `index` spans; None: not known yet

    def add(self, name: str, operand) -> Value:
        value = Value(operand.array(self.buffers) if type(operand) is View else operand)
        self.names[name] = value
        self.operands.add(name)
        return value

    def value(self, node) -> Value:
        """The value of an expression. `index` needs the shape around it, which is found by a first pass with zeros."""
        if self.result_shape is None and has_index(node):
            shape = np.shape(self._value(node).v)
            self.result_shape = shape
            try:
                return self._value(node)
            finally:
                self.result_shape = None
        return self._value(node)

    def _value(self, node) -> Value:
        return _STEP[type(node)](self, node)

    def bound(self, node):
        return None if node is None else operator.index(self._value(node).v)

    def items(self, items: tuple) -> tuple:
        """Subscripts with their bounds computed."""
        return tuple(
            slice(self.bound(item.start), self.bound(item.stop), self.bound(item.step)) if type(item) is Range
            else item if item is None or item is Ellipsis
            else self.bound(item)
            for item in items
        )  # fmt: skip

    def index(self, axis: int) -> Value:
        if self.result_shape is None:
            return Value(np.int64(0))
        rank = len(self.result_shape)
        if not -rank <= axis < rank:
            raise ValueError("axis out of range")
        shape = [1] * rank
        shape[axis] = self.result_shape[axis]
        return Value(np.arange(self.result_shape[axis], dtype=np.int64).reshape(shape))

    def execute(self, statement) -> Value | None:
        """One statement. A store gives no value: what the call returns then is not compared."""
        kind = type(statement)
        if kind is Bind:
            value = self.value(statement.value)
            if not oracle.is_weak(value.v):
                copy = np.array(value.v, copy=True, order="K")[()]
                value = Value(copy.astype(copy.dtype.newbyteorder("=")), value.grade, value.error)
            self.names[statement.name] = value
            self.operands.discard(statement.name)
            return value
        if kind is Store:
            self.store(statement.name, statement.items, statement.op, self.value(statement.value))
            return None
        return self.value(statement)

    def store(self, name: str, items: tuple | None, op: str, value: Value) -> None:
        owner = self.names[name]
        if not isinstance(owner.v, np.ndarray):
            raise oracle.Unspecified("a store into a scalar")
        if value.grade != EXACT or owner.grade != EXACT:
            raise oracle.Unspecified("a store of a value that is not exact")  # it would be read back as if it were
        place = (...,) if items is None else self.items(items) if Ellipsis in items else (*self.items(items), ...)
        target = owner.v[place]
        if op:
            value = oracle.binary(op, Value(target), value)
            if value.grade != EXACT:
                raise oracle.Unspecified("a store of a value that is not exact")
        v = value.v
        if oracle.is_weak(v):
            v = weak_as(v, target.dtype)
        if np.ndim(v) > target.ndim:
            raise ValueError("the value has more axes than its target")
        v = np.array(v, copy=True)
        v = v.astype(v.dtype.newbyteorder("="))  # values have no byte order of their own
        if not np.can_cast(v.dtype, target.dtype, self.casting):
            raise TypeError(f"cannot cast {v.dtype} to {target.dtype}")
        np.copyto(target, v, casting=self.casting)


def weak_as(v, dtype: np.dtype) -> np.ndarray:
    """A Python scalar as a value of `dtype`, if its kind may be stored there and it fits."""
    order = {bool: "b", int: "iu", float: "f", complex: "c"}
    allowed = "".join(order.values())
    allowed = allowed[allowed.index(order[type(v)][0]) :]
    if dtype.kind not in allowed:
        raise TypeError(f"cannot store {v!r} in {dtype}")
    return np.array(v, dtype)  # OverflowError for integers that do not fit


def has_index(node) -> bool:
    return type(node) is Call and node.function == "index" or any(has_index(child) for child in children(node))


def _name(machine: Machine, node: Name) -> Value:
    value = machine.names.get(node.name)
    if value is None:
        return Value(CONSTANTS[node.name])
    return value


def _compare(machine: Machine, node: Compare) -> Value:
    """a < b < c is (a < b) & (b < c), elementwise."""
    result = None
    left = machine._value(node.first)
    for op, operand in zip(node.ops, node.rest):
        right = machine._value(operand)
        result = oracle.chain(result, oracle.binary(op, left, right))
        left = right
    return result


def _call(machine: Machine, node: Call) -> Value:
    if node.function == "index":
        return machine.index(node.arguments[0].value)
    arguments = [machine._value(argument) for argument in node.arguments]
    if node.function in oracle.REDUCTIONS:
        return oracle.reduction(node.function, arguments[0], dict(node.keywords))
    if node.function in oracle.ORDERED:
        return oracle.ordered(node.function, arguments, dict(node.keywords))
    return oracle.call(node.function, arguments)


_STEP = {
    Literal: lambda m, n: Value(n.value),
    Name: _name,
    Unary: lambda m, n: oracle.unary(n.op, m._value(n.operand)),
    Binary: lambda m, n: oracle.binary(n.op, m._value(n.left), m._value(n.right)),
    Logic: lambda m, n: oracle.binary(n.op, m._value(n.left), m._value(n.right)),
    Compare: _compare,
    Ternary: lambda m, n: oracle.where(m._value(n.condition), m._value(n.chosen), m._value(n.other)),
    Call: _call,
    Attribute: lambda m, n: oracle.attribute(m._value(n.operand), n.name),
    Subscript: lambda m, n: oracle.subscript(m._value(n.operand), m.items(n.items)),
}


def leaves(node, machine: Machine) -> list | None:
    """The arrays that an elementwise expression reads (a view counts as one array); None if it is not elementwise."""
    bottom = node
    while type(bottom) in (Attribute, Subscript):
        bottom = bottom.operand
    if type(bottom) is Name and (bottom is node or bottom.name in machine.operands):
        value = machine._value(node).v
        return [] if np.ndim(value) == 0 else [value]
    if bottom is not node or type(node) is Call and node.function in (*oracle.REDUCTIONS, *oracle.ORDERED, "index"):
        return None
    found = []
    for child in children(node):
        below = leaves(child, machine)
        if below is None:
            return None
        found += below
    return found


def k_order_strides(program: Program, machine: Machine, result: np.ndarray) -> tuple | None:
    """The strides NumPy's iterator gives a fresh result over all operands; None where that is no simple question."""
    if len(program.statements) != 1 or type(program.statements[0]) in (Bind, Store):
        return None
    arrays = leaves(program.statements[0], machine)
    if not arrays or result.size == 0:
        return None
    flags = [["readonly"]] * len(arrays) + [["writeonly", "allocate"]]
    dtypes = [None] * len(arrays) + [result.dtype]
    iterator = np.nditer([*arrays, None], flags=["zerosize_ok"], op_flags=flags, op_dtypes=dtypes)
    made = iterator.operands[-1]
    return made.strides if made.shape == result.shape else None

"""Programs as data: a small syntax tree of the language, and its printing.

in: nodes built by `generate` or cut down by `shrink`   out: text in the grammar of the contract
A tree holds no dtypes and no shapes: those belong to the operands and to what the oracle computes. Printing knows
Python's precedence, and puts brackets only where the tree needs them, so that the parser's precedence is tested by
every program.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Binding powers as in Python's grammar, loosest first; an operand that binds looser than its place gets brackets.
TERNARY, OR, AND, NOT, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, SIGN, POWER, PRIMARY = range(14)

BINARY_POWER = {
    "|": BIT_OR, "^": BIT_XOR, "&": BIT_AND, "<<": SHIFT, ">>": SHIFT, "+": SUM, "-": SUM,
    "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER,
}  # fmt: skip


@dataclass(slots=True)
class Literal:
    """A number; its value is never negative (a sign is a `Unary`)."""

    value: object


@dataclass(slots=True)
class Name:
    name: str


@dataclass(slots=True)
class Unary:
    op: str  # - + ~ not
    operand: object


@dataclass(slots=True)
class Binary:
    op: str
    left: object
    right: object


@dataclass(slots=True)
class Logic:
    op: str  # and, or
    left: object
    right: object


@dataclass(slots=True)
class Compare:
    """first op[0] rest[0] op[1] rest[1] …"""

    first: object
    ops: tuple
    rest: tuple


@dataclass(slots=True)
class Ternary:
    """`chosen if condition else other`"""

    condition: object
    chosen: object
    other: object


@dataclass(slots=True)
class Call:
    """Functions, casts, reductions, and `index(axis)`; keywords hold plain Python values."""

    function: str
    arguments: tuple
    keywords: tuple = ()  # of (name, value)


@dataclass(slots=True)
class Attribute:
    operand: object
    name: str  # T, real, imag


@dataclass(slots=True)
class Range:
    """start:stop:step; each a bound expression or None."""

    start: object
    stop: object
    step: object


@dataclass(slots=True)
class Subscript:
    """Items: Range, a bound expression, Ellipsis, or None (a new axis)."""

    operand: object
    items: tuple


@dataclass(slots=True)
class Bind:
    """name = value: a new value inside the program."""

    name: str
    value: object


@dataclass(slots=True)
class Store:
    """name[items] = value, or name[items] op= value; items None: the whole of it (augmented, or blitz)."""

    name: str
    items: tuple | None
    op: str  # "" or an operator
    value: object


@dataclass(slots=True)
class Program:
    """What one call computes. The last statement may be a bare expression."""

    statements: list
    operands: dict  # name -> operands.View or a Python or NumPy scalar
    out: str | None = None  # name of a View among `hidden` or `operands`
    hidden: dict = field(default_factory=dict)  # Views that the text does not name
    casting: str = "same_kind"
    order: str = "K"
    door: str = "evaluate"  # evaluate, blitz, compile
    threads: int | None = None  # at most so many; None: as many as there are


EXPRESSIONS = (Literal, Name, Unary, Binary, Logic, Compare, Ternary, Call, Attribute, Subscript)


def children(node) -> tuple:
    """The operands of an expression, left to right; bounds inside subscripts do not count."""
    kind = type(node)
    if kind is Unary or kind is Attribute or kind is Subscript:
        return (node.operand,)
    if kind is Binary or kind is Logic:
        return (node.left, node.right)
    if kind is Compare:
        return (node.first, *node.rest)
    if kind is Ternary:
        return (node.condition, node.chosen, node.other)
    if kind is Call:
        return node.arguments
    return ()


def with_children(node, new: tuple):
    """The same node over other operands."""
    kind = type(node)
    if kind is Unary:
        return Unary(node.op, new[0])
    if kind is Attribute:
        return Attribute(new[0], node.name)
    if kind is Subscript:
        return Subscript(new[0], node.items)
    if kind is Binary or kind is Logic:
        return kind(node.op, *new)
    if kind is Compare:
        return Compare(new[0], node.ops, tuple(new[1:]))
    if kind is Ternary:
        return Ternary(*new)
    if kind is Call:
        return Call(node.function, tuple(new), node.keywords)
    return node


def power_of(node) -> int:
    kind = type(node)
    if kind is Binary:
        return BINARY_POWER[node.op]
    if kind is Unary:
        return NOT if node.op == "not" else SIGN
    if kind is Compare:
        return COMPARE
    if kind is Logic:
        return OR if node.op == "or" else AND
    if kind is Ternary:
        return TERNARY
    return PRIMARY


def text(node, floor: int = TERNARY) -> str:
    """The expression as text, in brackets if it binds looser than `floor`."""
    written = _TEXT[type(node)](node)
    return f"({written})" if power_of(node) < floor else written


def _binary(node) -> str:
    power = BINARY_POWER[node.op]
    if node.op == "**":  # binds to the right, and its right side may carry a sign: 2**-1
        return f"{text(node.left, PRIMARY)}**{text(node.right, SIGN)}"
    space = "" if power == PRODUCT else " "
    return f"{text(node.left, power)}{space}{node.op}{space}{text(node.right, power + 1)}"


def _unary(node) -> str:
    if node.op == "not":
        return f"not {text(node.operand, NOT)}"
    return node.op + text(node.operand, SIGN)


def _logic(node) -> str:
    power = OR if node.op == "or" else AND
    return f"{text(node.left, power)} {node.op} {text(node.right, power + 1)}"


def _compare(node) -> str:
    parts = [text(node.first, BIT_OR)]
    for op, right in zip(node.ops, node.rest):
        parts.append(f"{op} {text(right, BIT_OR)}")
    return " ".join(parts)


def _ternary(node) -> str:
    return f"{text(node.chosen, OR)} if {text(node.condition, OR)} else {text(node.other)}"


def _call(node) -> str:
    parts = [text(argument) for argument in node.arguments]
    parts += [f"{name}={value!r}" for name, value in node.keywords]
    return f"{node.function}({', '.join(parts)})"


def _primary(node) -> str:
    # `1.real` would be lexed as a number that goes on.
    return f"({text(node)})" if type(node) is Literal else text(node, PRIMARY)


def items_text(items: tuple) -> str:
    return ", ".join(map(_item, items))


def _item(item) -> str:
    if item is None:
        return "None"
    if item is Ellipsis:
        return "..."
    if type(item) is Range:
        start, stop = ("" if bound is None else text(bound) for bound in (item.start, item.stop))
        return f"{start}:{stop}" + ("" if item.step is None else f":{text(item.step)}")
    return text(item)


_TEXT = {
    Literal: lambda node: repr(node.value),
    Name: lambda node: node.name,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Compare: _compare,
    Ternary: _ternary,
    Call: _call,
    Attribute: lambda node: f"{_primary(node.operand)}.{node.name}",
    Subscript: lambda node: f"{_primary(node.operand)}[{items_text(node.items)}]",
}


def statement_text(statement) -> str:
    kind = type(statement)
    if kind is Bind:
        return f"{statement.name} = {text(statement.value)}"
    if kind is Store:
        place = "" if statement.items is None else f"[{items_text(statement.items)}]"
        return f"{statement.name}{place} {statement.op}= {text(statement.value)}"
    return text(statement)


def program_text(program: Program) -> str:
    """Statements, parted by semicolons in short programs and by line breaks in longer ones."""
    lines = [statement_text(statement) for statement in program.statements]
    return "; ".join(lines) if len(lines) < 3 else "\n".join(lines)

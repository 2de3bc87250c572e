"""Array expressions as one fused kernel.

>>> import numpy as np, engine
>>> a, b = np.arange(3.0), np.ones(3)
>>> engine.evaluate("2*a + b")
array([1., 3., 5.])
"""

from __future__ import annotations

from typing import NamedTuple

from ._core import Program, __version__, blitz, compile, evaluate, explain
from .catalog import Function, functions
from .derive import gradient
from .errors import (
    BackendError,
    DTypeError,
    Error,
    InternalError,
    LimitError,
    OutOfMemory,
    ParseError,
    RangeError,
    ShapeError,
    UnknownName,
)
from .threads import num_threads, set_num_threads

__all__ = [
    "BackendError",
    "DTypeError",
    "Error",
    "Explanation",
    "Function",
    "InternalError",
    "LimitError",
    "Limits",
    "OutOfMemory",
    "ParseError",
    "Program",
    "RangeError",
    "ShapeError",
    "UnknownName",
    "__version__",
    "blitz",
    "compile",
    "evaluate",
    "explain",
    "functions",
    "gradient",
    "num_threads",
    "set_num_threads",
]


class Limits(NamedTuple):
    """Budgets against hostile or mistaken text.

    depth        : nesting of brackets, calls and prefix operators (2,000 at most).
    nodes        : nodes of the syntax tree.
    names        : distinct names.
    result_bytes : bytes of one result; None for no limit.

    >>> engine.evaluate("a + a + a", {"a": 1}, limits=engine.Limits(nodes=4))
    Traceback (most recent call last):
    engine.LimitError: ...
    """

    depth: int = 256
    nodes: int = 100_000
    names: int = 4_096
    result_bytes: int | None = None


class Explanation:
    """What the engine does with an expression; str() gives it in words."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

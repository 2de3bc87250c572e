"""Array expressions as one fused kernel.

>>> import numpy as np, engine
>>> a, b = np.arange(3.0), np.ones(3)
>>> engine.evaluate("2*a + b")
array([1., 3., 5.])
"""

from typing import NamedTuple

from ._core import Program, __version__, _explain, _functions, blitz, compile, evaluate
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
]


class Limits(NamedTuple):
    """Budgets against hostile or mistaken text.

    depth        : nesting of brackets, calls and prefix operators (at most 2,000).
    nodes        : nodes of the syntax tree.
    names        : distinct names.
    result_bytes : bytes of one result; None for no limit.
    """

    depth: int = 256
    nodes: int = 100_000
    names: int = 4_096
    result_bytes: "int | None" = None


class Function(NamedTuple):
    """One row of the catalog."""

    name: str
    arguments: str
    sentence: str
    oracle: str
    ulp: float
    kind: str


functions: "tuple[Function, ...]" = tuple(Function(*row) for row in _functions)


class Explanation:
    """What the engine does with an expression; str() gives it in words."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def explain(expression, names=None, **options):
    """The plan of an expression for operands like these: passes over memory, loads, operations, bytes.

    expression, names and options are those of evaluate. Returns an Explanation.

    >>> import numpy as np, engine
    >>> print(str(engine.explain("2*a", {"a": np.ones(3)})).splitlines()[1])
    1 fused pass over memory, 0 intermediate buffers
    """
    if names is None:
        import sys

        frame = sys._getframe(1)
        names = {**frame.f_globals, **frame.f_locals}
    return Explanation(_explain(expression, names, **options))

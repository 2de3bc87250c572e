"""Derivatives of expressions."""

from __future__ import annotations

from . import _core


def gradient(expression: str, wrt: str) -> _core.Program:
    """The derivative of an expression with respect to one of its names, as a Program.

    expression : str; a program may bind names, but not write into operands.
    wrt        : the name.
    Returns a Program; its ``text`` is the derivative in the engine's own language, simplified. It is the derivative as
    every element of ``wrt`` grows alike: elementwise the partial derivative, under a sum the sum of them.
    Derivatives are the catalog's (see `engine.functions`), carried forward by the chain rule.
    Raises ParseError where no derivative is known, UnknownName where the expression does not use the name, LimitError.

    >>> import numpy as np, engine
    >>> slope = engine.gradient("sin(a)*b + a**3", "a")
    >>> slope.text
    'b * cos(a) + 3 * a ** 2'
    >>> slope(a=np.array([0.0, 1.0]), b=2.0)
    array([2.        , 4.08060461])
    """
    if not isinstance(expression, str) or not isinstance(wrt, str):
        raise TypeError("gradient() takes an expression and a name, both str")
    return _core.compile(_core._gradient(expression, wrt))

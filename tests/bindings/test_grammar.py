"""Precedence, associativity and the arithmetic of Python scalars: a text of literals means what Python means by it."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest

import engine

BINARY = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")
COMPARE = ("<", "<=", ">", ">=", "==", "!=")


def expression(rng: random.Random, depth: int) -> str:
    """A random text of small literals, with as few brackets as chance gives."""
    kind = rng.random()
    if depth == 0 or kind < 0.15:
        return rng.choice(("0", "1", "2", "3", "7", "1.5", "0.25", "True", "False", "2e1"))
    if kind < 0.60:
        return f"{expression(rng, depth - 1)}{rng.choice((' ', ''))}{rng.choice(BINARY)} {expression(rng, depth - 1)}"
    if kind < 0.72:
        return f"{rng.choice(('-', '+', '~', 'not '))}{expression(rng, depth - 1)}"
    if kind < 0.80:
        chain = [expression(rng, depth - 1) for _ in range(rng.randint(2, 3))]
        return "".join(
            part + (f" {rng.choice(COMPARE)} " if i + 1 < len(chain) else "") for i, part in enumerate(chain)
        )
    if kind < 0.86:
        return f"(({expression(rng, depth - 1)} > 1) {rng.choice(('and', 'or'))} ({expression(rng, depth - 1)} < 2))"
    return f"({expression(rng, depth - 1)})"


@pytest.mark.parametrize("seed", range(20))
def test_literals_mean_what_python_means(seed):
    rng = random.Random(seed)
    compared = 0
    while compared < 300:
        text = expression(rng, rng.randint(1, 4))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                want = eval(text, {})
        except (SyntaxError, TypeError, ZeroDivisionError, OverflowError, ValueError, MemoryError):
            continue
        if not isinstance(want, (bool, int, float)) or (isinstance(want, int) and not -(2**63) <= want < 2**63):
            continue
        try:
            result = engine.evaluate(text)
        except (engine.LimitError, engine.RangeError, engine.DTypeError):
            continue  # beyond 64 bits on the way, or refused where Python's chain had ended before: listed differences
        assert result == want and isinstance(result, np.bool_) == isinstance(want, bool), text
        assert isinstance(result, np.floating) == isinstance(want, float), text
        compared += 1


@pytest.mark.parametrize(
    "text",
    ("2**-1", "-2**2", "2**3**2", "~1+2", "not 1 == 2", "1 < 2 < 3 == 3", "7 // 2 * 2", "1 if 0 else 2 if 0 else 3",
     "1 | 2 ^ 3 & 4 << 1", "- -1", "+-~1", "2 * -3", "2 ** -2 ** -1", "1 - 1 - 1"),
)  # fmt: skip
def test_by_hand(text):
    assert engine.evaluate(text) == eval(text)

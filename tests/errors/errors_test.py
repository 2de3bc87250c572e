"""Every error's whole text: tests/errors/cases/*.txt hold an expression, a line `---`, and what is shown for it.

`python tests/errors/errors_test.py --update` writes what the engine says now; read the difference before you keep it.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

import engine

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def operands():
    return {
        "a": np.ones((3, 4)),
        "b": np.ones((3, 4)),
        "c": np.ones((4, 3)),
        "i": np.arange(4),
        "u": np.arange(4, dtype=np.uint8),
        "z": np.ones(4, complex),
        "m": np.zeros(4, bool),
        "s": 2.5,
        "n": 3,
        "t": "text",
        "empty": np.ones((0, 3)),
        "masked": np.ma.masked_array([1.0, 2.0], [True, False]),
        "objects": np.array([None, 1]),
        "fields": np.zeros(2, [("x", float)]),
        "huge": 2**70,
        "fixed": np.broadcast_to(1.0, (3, 4)),
        "neg": np.array([1, -2, 0, 3]),
    }


def shown(text):
    """What the engine says to an expression."""
    options = {}
    if text.startswith("#!"):
        first, text = text.split("\n", 1)
        options = eval(first[2:], {"np": np, "engine": engine})
    with pytest.raises(engine.Error) as caught:
        engine.evaluate(text, operands(), **options)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_whole_text(path):
    text, expected = path.read_text().split("\n---\n")
    assert shown(text) == expected.rstrip("\n")


def test_there_are_enough_of_them():
    assert len(CASES) >= 100


if __name__ == "__main__" and sys.argv[1:] == ["--update"]:
    for path in CASES:
        text = path.read_text().split("\n---\n")[0].rstrip("\n")
        path.write_text(f"{text}\n---\n{shown(text)}\n")

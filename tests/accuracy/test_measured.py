"""docs/accuracy.json, of which the function reference is made: it names every function, within its bound."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEASURED = json.loads((ROOT / "docs" / "accuracy.json").read_text())
FUNCTION = re.compile(r"^FUNCTION\((\w+), (.*)\)$", re.MULTILINE)
KINDS = (("functions.inc", ("float64", "float32"), 4), ("complex_functions.inc", ("complex128", "complex64"), 2))


def functions():
    for file, dtypes, column in KINDS:
        for name, words in FUNCTION.findall((ROOT / "tests" / "accuracy" / file).read_text()):
            cells = words.split(", ")
            for dtype in dtypes:
                yield f"{name}.{dtype}", float(cells[column]) if len(cells) > column else 1.0


@pytest.mark.parametrize("entry, bound", functions())
def test_every_function_is_measured_and_within_its_bound(entry, bound):
    assert 0 <= MEASURED[entry]["ulp"] <= bound and MEASURED[entry]["points"] >= 10_000


def test_every_row_written_over_lanes_is_measured():
    """Rows name their meaning by the function of tests/accuracy, power but by way of pow; exact ones are NumPy's."""
    rows = "".join((ROOT / "engine" / "catalog" / f"{name}.def").read_text() for name in ("arithmetic", "elementary"))
    meanings = {
        re.search(r"math::(\w+)\(x", row).group(1)
        for row in re.split(r"^OP\(", rows, flags=re.M)
        if "Flags::Lanes" in row and "exact)" not in row
    }
    assert len(meanings) >= 29 and all(f"{m}.float64" in MEASURED for m in meanings - {"power"})


def test_nothing_is_named_that_is_not_a_function():
    assert set(MEASURED) == {entry for entry, _ in functions()}

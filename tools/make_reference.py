"""Writes docs/functions.md from the catalog and docs/accuracy.json: python tools/make_reference.py.

The latter is what `./dev accuracy --json docs/accuracy.json` and its other forms measured.
"""

from __future__ import annotations

import json
from pathlib import Path

import engine

PAGE = Path(__file__).parent.parent / "docs" / "functions.md"
ACCURACY = PAGE.with_name("accuracy.json")
# The names of tests/accuracy, which are those of engine/catalog/elementary, where they are not the rows'.
MEASURED_AS = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2",
    "arctanh": "atanh", "power": "pow",
}  # fmt: skip
DTYPES = ("float64", "float32", "complex128", "complex64")
KINDS = {
    "elementwise": "Elementwise functions",
    "reduction": "Reductions",
    "ordered": "Along an axis",
    "cast": "Casts",
    "constant": "Constants",
}


def accuracy(name: str, measured: dict) -> str:
    """The largest errors found of a function, in words; empty where none was measured."""
    words = []
    for dtype in DTYPES:
        entry = measured.get(f"{MEASURED_AS.get(name, name)}.{dtype}") or measured.get(f"{name}.{dtype}")
        if entry:
            points = entry["points"]
            many = "all arguments" if points == 2**32 else f"{points:,} arguments"
            words.append(f"{dtype} {entry['ulp']:.2f} ({many})")
    return f"Largest error measured, in ulp: {'; '.join(words)}." if words else ""


def page() -> str:
    """The reference page as text."""
    measured = json.loads(ACCURACY.read_text())
    lines = [
        "# Functions",
        "",
        "Made from the catalog by `tools/make_reference.py`; operators stand under NumPy's name of them.",
        "",
        "Errors of elementary functions were measured against MPFR and MPC (`./dev accuracy`). Those of complex",
        "functions are the distance from the truth as a share of its magnitude, in units of 2^-52 (2^-23). Beside",
        "zeros of lgamma for x < 0, of logaddexp and of logaddexp2, an ulp is no less than",
        "`tests/accuracy/functions.inc` says.",
    ]
    for kind, title in KINDS.items():
        lines += ["", f"## {title}"]
        for row in sorted((row for row in engine.functions if row.kind == kind), key=lambda row: row.name):
            head = row.name if kind == "constant" else f"{row.name}({row.arguments})"
            lines += ["", f"### `{head}`", "", row.sentence]
            if row.oracle and kind in ("elementwise", "reduction", "ordered"):
                oracle = row.oracle if row.oracle.startswith(("scipy", "math")) else f"numpy.{row.oracle}"
                lines += ["", f"Against `{oracle}`: {'the same bits' if row.ulp == 0 else f'within {row.ulp:g} ulp'}."]
            if kind == "elementwise" and row.ulp and (errors := accuracy(row.name, measured)):
                lines += ["", errors]
            if kind in ("elementwise", "reduction", "ordered"):
                lines += ["", f"dtypes: {', '.join(row.dtypes)}"]
            lines += ["", "```python", row.example, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())

"""Writes docs/functions.md from the catalog: python tools/make_reference.py."""

from __future__ import annotations

from pathlib import Path

import engine

PAGE = Path(__file__).parent.parent / "docs" / "functions.md"
KINDS = {
    "elementwise": "Elementwise functions",
    "reduction": "Reductions",
    "cast": "Casts",
    "constant": "Constants",
}


def page() -> str:
    """The reference page as text."""
    lines = [
        "# Functions",
        "",
        "Made from the catalog by `tools/make_reference.py`; operators stand under NumPy's name of them.",
    ]
    for kind, title in KINDS.items():
        lines += ["", f"## {title}"]
        for row in sorted((row for row in engine.functions if row.kind == kind), key=lambda row: row.name):
            head = row.name if kind == "constant" else f"{row.name}({row.arguments})"
            lines += ["", f"### `{head}`", "", row.sentence]
            if row.oracle and kind in ("elementwise", "reduction"):
                oracle = row.oracle if row.oracle.startswith("scipy") else f"numpy.{row.oracle}"
                lines += ["", f"Against `{oracle}`: {'the same bits' if row.ulp == 0 else f'within {row.ulp:g} ulp'}."]
            if kind in ("elementwise", "reduction"):
                lines += ["", f"dtypes: {', '.join(row.dtypes)}"]
            lines += ["", "```python", row.example, "```"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())

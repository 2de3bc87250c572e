"""What pickles of programs name."""

from __future__ import annotations

from typing import Any

from ._core import Program, compile


def restore_program(text: str, options: dict[str, Any]) -> Program:
    """The Program of a text and of options as Program.options gives them; engine.config has no say in it."""
    return compile(text, **options)

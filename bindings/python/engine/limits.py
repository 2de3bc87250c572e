"""Budgets of one evaluation."""

from __future__ import annotations

import dataclasses
import math
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Budgets against hostile or mistaken text. Immutable; what exceeds one raises LimitError.

    depth        : nesting of brackets, calls and prefix operators (2,000 at most).
    nodes        : nodes of the syntax tree.
    names        : distinct names.
    result_bytes : bytes of one result; None for no limit.
    time         : seconds that preparing and running one call may take; None for no limit. It is looked at after each
                   stage of preparing, and every few blocks while kernels run; what is in out or a target by then stays.

    >>> engine.evaluate("a + a + a", {"a": 1}, limits=engine.Limits(nodes=4))
    Traceback (most recent call last):
    engine.LimitError: ...
    >>> engine.Limits(nodes=4).replace(time=0.5)
    Limits(depth=256, nodes=4, names=4096, result_bytes=None, time=0.5)
    """

    depth: int = 256
    nodes: int = 100_000
    names: int = 4_096
    result_bytes: int | None = None
    time: float | None = None

    def __post_init__(self) -> None:
        for name in ("depth", "nodes", "names", "result_bytes"):
            value = getattr(self, name)
            if value is None and name == "result_bytes":
                continue
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"limits.{name} must be an integer, not {value!r}")
            if value < 0:
                raise ValueError(f"limits.{name} must not be negative")
        if self.time is not None:
            if isinstance(self.time, bool) or not isinstance(self.time, int | float):
                raise TypeError(f"limits.time must be a number of seconds, not {self.time!r}")
            if not self.time > 0 or math.isinf(self.time):
                raise ValueError(f"limits.time must be positive and finite, or None; it is {self.time!r}")

    def replace(self, **changes: Any) -> Limits:
        """These limits with some of them changed."""
        return dataclasses.replace(self, **changes)

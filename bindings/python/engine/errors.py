"""The errors of engine. Each is also the built-in exception that a NumPy user would catch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Error(Exception):
    """Base of all errors of the engine.

    str(error) is the whole message, with the expression and carets under the places it speaks of.
    what       : str, one line: what is wrong.
    spans      : tuple of (begin, end), offsets into the expression; the first is the main one.
    help       : str, how to mend it; may be empty.
    expression : str, what the spans point into; may be empty.

    >>> try:
    ...     engine.evaluate("2*a + ", {"a": 1})
    ... except engine.Error as error:
    ...     print(error.what, error.span, sep="; ")
    the expression ends too early; (5, 6)
    """

    def __init__(
        self,
        rendered: str = "",
        what: str = "",
        spans: Iterable[tuple[int, int]] = (),
        help: str = "",
        expression: str = "",
    ) -> None:
        super().__init__(rendered)
        self.what = what or rendered
        self.spans = tuple(spans)
        self.help = help
        self.expression = expression

    @property
    def span(self) -> tuple[int, int] | None:
        """The main span, or None."""
        return self.spans[0] if self.spans else None

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.what, self.spans, self.help, self.expression)


class ParseError(Error, SyntaxError):
    """The text is not an expression.

    Carries what a SyntaxError carries (msg, filename, lineno, offset, text …), so tracebacks show the line and a caret.
    """

    def __init__(
        self,
        rendered: str = "",
        what: str = "",
        spans: Iterable[tuple[int, int]] = (),
        help: str = "",
        expression: str = "",
    ) -> None:
        super().__init__(rendered, what, spans, help, expression)
        if self.span is None:
            return
        # Python prints the line and the caret by itself, so what is left to say is the rest of the message.
        begin, end = self.span
        start_of_line = expression.rfind("\n", 0, begin) + 1
        end_of_line = expression.find("\n", begin)
        line = expression[start_of_line:] if end_of_line < 0 else expression[start_of_line:end_of_line]
        self.msg = f"{self.what} (help: {help})" if help else self.what
        self.filename = "<expression>"
        self.lineno = self.end_lineno = expression.count("\n", 0, begin) + 1
        self.offset = begin - start_of_line + 1
        self.end_offset = min(end - start_of_line, len(line)) + 1
        self.text = line


class UnknownName(Error, NameError, KeyError):
    """There is no operand or function of that name."""


class DTypeError(Error, TypeError):
    """Types that do not combine, an unsupported dtype, or a cast that `casting` forbids."""


class ShapeError(Error, ValueError):
    """Shapes that do not broadcast, a wrong axis, a wrong shape of out."""


class RangeError(Error, OverflowError, ValueError):
    """A literal that does not fit, a negative integer power, zero division among literals."""


class LimitError(Error, ValueError):
    """A budget of engine.Limits was exceeded."""


class BackendError(Error, RuntimeError):
    """The backend that was asked for cannot be used, and why."""


class OutOfMemory(Error, MemoryError):
    """Memory ran out; nothing is leaked and the engine is usable afterwards."""


class InternalError(Error, AssertionError):
    """A broken invariant of the engine itself: please report it."""


# Users know them as engine.ParseError and so on, and so do tracebacks and pickles.
for _class in (Error, *Error.__subclasses__()):
    _class.__module__ = "engine"
del _class

"""The errors of engine. Each is also the built-in exception that a NumPy user would catch."""


class Error(Exception):
    """Base of all errors of the engine.

    str(error) is the whole message with the text and carets under the places it speaks of.
    what  : str, one line: what is wrong.
    spans : tuple of (begin, end), offsets in bytes into the text; the first is the main one.
    help  : str, how to mend it; may be empty.
    """

    def __init__(self, rendered="", what="", spans=(), help=""):
        super().__init__(rendered)
        self.what = what or rendered
        self.spans = tuple(spans)
        self.help = help

    @property
    def span(self):
        """The first span, or None."""
        return self.spans[0] if self.spans else None

    def __str__(self):
        return str(self.args[0]) if self.args else ""

    def __reduce__(self):
        return (type(self), (str(self), self.what, self.spans, self.help))


class ParseError(Error, SyntaxError):
    """The text is not an expression."""


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

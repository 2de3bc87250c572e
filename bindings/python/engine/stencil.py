"""Stencils: every element made anew from its neighbours, once or many times."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from . import _core
from .explanation import Explanation

__all__ = ["Stencil", "compile_stencil", "stencil"]


def _sides(given: Any) -> list[tuple[str, str]]:
    """One word, or for each axis a word or a pair of them, as pairs."""
    if isinstance(given, str):
        return [(given, given)]
    pairs = []
    for axis in given:
        low, high = (axis, axis) if isinstance(axis, str) else axis
        if not (isinstance(low, str) and isinstance(high, str)):
            raise TypeError(
                "boundary is a word, or for each axis a word or a pair of words, or a mapping from fields to such"
            )
        pairs.append((low, high))
    return pairs


def _beyond(
    boundary: Any, cval: Any
) -> tuple[list[tuple[str, str]], complex, list[tuple[str, list[tuple[str, str]], complex]]]:
    """What holds for all fields, and for those that differ."""
    by_field = dict(boundary) if isinstance(boundary, Mapping) else {}
    values = dict(cval) if isinstance(cval, Mapping) else {}
    common = by_field.pop(None, "reflect") if isinstance(boundary, Mapping) else boundary
    value = values.pop(None, 0) if isinstance(cval, Mapping) else cval
    names = list(dict.fromkeys([*by_field, *values]))
    fields = [(name, _sides(by_field.get(name, common)), complex(values.get(name, value))) for name in names]
    return _sides(common), complex(value), fields


class Stencil:
    """A stencil made ready, by `engine.compile_stencil`; it may be called from many threads at once, and pickled.

    >>> import numpy as np, engine
    >>> difference = engine.compile_stencil("a[1] - a[0]", boundary="valid")
    >>> difference(a=np.array([1.0, 4.0, 9.0]))
    array([3., 5.])
    """

    def __init__(self, text: str, boundary: Any, cval: Any, options: dict[str, Any]) -> None:
        if not isinstance(text, str):
            raise TypeError(f"the stencil must be a str, not {type(text).__name__}")
        self._made_of = (text, boundary, cval, options)
        self._core = _core._Stencil(text, *_beyond(boundary, cval), options)
        self._names: dict[str, bool] = dict(self._core.names)

    @property
    def text(self) -> str:
        """The text."""
        return self._made_of[0]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the text, in order of first appearance."""
        return tuple(self._names)

    def _arrays(
        self, names: Mapping[str, Any] | None, arrays: Mapping[str, Any], frame: types.FrameType | None
    ) -> dict[str, Any]:
        found = dict(arrays)
        for name in found:
            if name not in self._names:
                raise TypeError(f"the stencil has no operand '{name}'")
        for name, required in self._names.items():
            if name in found:
                continue
            if names is not None:
                if name in names:
                    found[name] = names[name]
            elif required and frame is not None:
                if name in frame.f_locals:
                    found[name] = frame.f_locals[name]
                elif name in frame.f_globals:
                    found[name] = frame.f_globals[name]
        return found

    def __call__(
        self,
        names: Mapping[str, Any] | None = None,
        /,
        *,
        steps: int = 1,
        until: str | None = None,
        every: int = 1,
        callback: Callable[..., Any] | None = None,
        progress: Any = False,
        out: Any = None,
        **arrays: Any,
    ) -> Any:
        """The new value of the field, or a dict of several fields'. Arguments are those of `engine.stencil`."""
        return self._run(self._arrays(names, arrays, sys._getframe(1)), steps, until, every, callback, progress, out)[0]

    def _run(
        self, arrays: dict[str, Any], steps: Any, until: Any, every: Any, callback: Any, progress: Any, out: Any
    ) -> tuple[Any, int]:
        outs: dict[str, Any] = {}
        if out is not None and isinstance(out, Mapping):  # which takes long to find out
            outs, out = dict(out), None
        tell = None
        if callback is not None:

            def tell(step: int, fields: dict[str, Any]) -> None:
                callback(step, next(iter(fields.values())) if len(fields) == 1 else fields)

        if until is not None and not isinstance(until, str):
            raise TypeError("until is an expression, a str")
        value, made = self._core.run(
            arrays, outs, out, int(steps), until or "", int(every), tell, progress if progress else None
        )
        if isinstance(value, dict) and len(value) == 1:
            value = next(iter(value.values()))
        return value, made

    def explain(self, names: Mapping[str, Any] | None = None, /, **arrays: Any) -> Explanation:
        """The plan of one step for arrays like these, as an Explanation."""
        text, data = self._core.explain(self._arrays(names, arrays, sys._getframe(1)))
        return Explanation(text, data)

    def halo(
        self, names: Mapping[str, Any] | None = None, /, **arrays: Any
    ) -> dict[str, tuple[tuple[int, int] | None, ...]]:
        """How far around an element each array is read: pairs (before, behind) of its axes, None where all is read."""
        return dict(self._core.halo(self._arrays(names, arrays, sys._getframe(1))))

    def __repr__(self) -> str:
        return f"engine.compile_stencil({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Stencil, self._made_of


def _options(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def compile_stencil(
    text: str,
    *,
    boundary: Any = "reflect",
    cval: Any = 0,
    casting: str | None = None,
    exactness: str | None = None,
    backend: str | None = None,
    threads: int | None = None,
    limits: Any = None,
) -> Stencil:
    """A stencil made ready to be called many times. Arguments are those of `engine.stencil`.

    Raises ParseError, UnknownName, LimitError, BackendError.

    >>> import numpy as np, engine
    >>> average = engine.compile_stencil("(a[-1] + a[0] + a[1]) / 3", boundary="nearest")
    >>> average(a=np.array([0.0, 3.0, 6.0, 3.0]))
    array([1., 3., 4., 4.])
    """
    options = _options(casting=casting, exactness=exactness, backend=backend, threads=threads, limits=limits)
    return Stencil(text, boundary, cval, options)


def stencil(
    text: str,
    names: Mapping[str, Any] | None = None,
    /,
    *,
    boundary: Any = "reflect",
    cval: Any = 0,
    steps: int = 1,
    until: str | None = None,
    every: int = 1,
    callback: Callable[..., Any] | None = None,
    progress: Any = False,
    out: Any = None,
    casting: str | None = None,
    exactness: str | None = None,
    backend: str | None = None,
    threads: int | None = None,
    limits: Any = None,
    **arrays: Any,
) -> Any:
    """Makes every element of a field from its neighbours.

    text     : str; ``a[-1, 0]`` is the element one place before along axis 0, ``a`` or ``a[0, 0]`` the element itself,
               ``a(i-1, j)`` the same as ``a[-1, 0]``. The whole language of `engine.evaluate` stands around them.
               Several statements are one simultaneous update: all of them read what the fields were before. A name
               that is assigned and given as an array is a field; another one is a part of the text with a name of its
               own. A bare expression is the value, and with several steps the new value of the one field that is read
               at offsets.
    names    : mapping from names to arrays and numbers, which may also be given by keyword. Without it, those of the
               caller's variables that are still needed.
    boundary : what lies beyond the sides: "reflect" (d c b a | a b c d | d c b a), "mirror" (d c b | a b c d | c b a),
               "nearest", "wrap", "constant" (cval), all with SciPy's index meaning; "valid" (the result lacks elements
               that would read there), "keep" (they keep the value they have). One word; or for each axis a word, or a
               pair for its low and its high side; or a mapping from fields to such, None standing for the others.
    cval     : number, or mapping from fields to numbers.
    steps    : how often; the field's values go in where they came out.
    until    : expression over the fields, what they were a step before (``u_old``), and the other operands; it ends the
               steps where it is true.
    every    : ``until`` and ``callback`` are asked after so many steps.
    callback : called with the number of steps made and the field, or a dict of the fields (copies, where they are).
    progress : True for a bar, or a function that is called with the share that is done.
    out      : array of the field's dtype and shape, or a mapping from fields to such. It may be the field itself.
    casting, exactness, backend, threads, limits : as in `engine.evaluate`.

    Returns an array of the field's shape; of its dtype where the field is updated. A dict of arrays where several
    fields are updated. Steps made several at a time give the bits of steps made one by one.
    Raises ParseError, UnknownName, ShapeError, DTypeError, LimitError, BackendError.

    >>> import numpy as np, engine
    >>> a = np.array([0.0, 0.0, 8.0, 0.0])
    >>> engine.stencil("(a[-1] + 2*a[0] + a[1]) / 4")
    array([0., 2., 4., 2.])
    >>> engine.stencil("u += k*(u[-1] + u[1] - 2*u)", u=a, k=0.25, boundary="wrap", steps=2)
    array([1., 2., 3., 2.])
    """
    options = _options(casting=casting, exactness=exactness, backend=backend, threads=threads, limits=limits)
    made = Stencil(text, boundary, cval, options)
    operands = made._arrays(names, arrays, sys._getframe(1))
    return made._run(operands, steps, until, every, callback, progress, out)[0]

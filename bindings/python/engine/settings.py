"""Defaults of the options that calls leave out: engine.config."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import _core
from .limits import Limits

_DEFAULTS: dict[str, Any] = {
    "exactness": "strict",
    "casting": "same_kind",
    "order": "K",
    "backend": "auto",
    "limits": Limits(),
    "wait": False,
}


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """The options as they are kept; AttributeError, ValueError or TypeError where one is wrong."""
    for name in options:
        if name not in _DEFAULTS:
            raise AttributeError(f"engine.config has no option {name!r}; it has {', '.join(_DEFAULTS)}")
    if "limits" in options and options["limits"] is None:
        options = {**options, "limits": Limits()}
    _core._check_options(options)
    return options


class _Override(contextlib.ContextDecorator):
    """Options in force for the body of a ``with``, in this thread or task alone."""

    __slots__ = ("_options",)

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options

    def __enter__(self) -> None:
        _core._use_config()
        outer = _core._options_var.get(None)
        # The value knows what was in force before, so an override holds no state and may be entered anywhere.
        _core._options_var.set(({**(outer[0] if outer else {}), **self._options}, outer))

    def __exit__(self, *exception: object) -> None:
        here = _core._options_var.get(None)
        if here is not None:
            _core._options_var.set(here[1])


class Config:
    """Defaults of the options that calls leave out; an option given in a call always wins.

    exactness : 'strict' (NumPy's bits, the default) or 'relaxed'.
    casting   : what may be written into out and targets: 'same_kind' (the default), 'no', 'equiv', 'safe' or 'unsafe'.
    order     : memory order of fresh results: 'K' (the default), 'C', 'F' or 'A'.
    backend   : 'auto' (the default), 'interp', 'jit' or 'cuda'.
    limits    : engine.Limits.
    wait      : whether first calls on a device wait for its compiler: False (the default) or True.

    Assigning to an attribute sets it for the whole process, deleting one goes back to the engine's own default, and
    reset() does so for all. Called with options it is a context manager (and a decorator) whose options hold in the
    body alone: for the thread or the asyncio task that runs it, by way of contextvars, and before those of the process.
    A Program keeps the options under which it was compiled; of these, order and wait are looked at in its calls.
    Raises ValueError or TypeError where a value is wrong, AttributeError where there is no such option.

    >>> import numpy as np, engine
    >>> a = np.array([[1.5, 2.5], [3.5, 4.5]])
    >>> with engine.config(casting="unsafe", order="F"):
    ...     engine.evaluate("2*a").flags.f_contiguous, engine.config.casting
    (True, 'unsafe')
    >>> engine.config
    engine.config(exactness='strict', casting='same_kind', order='K', backend='auto', limits=Limits(...), wait=False)
    """

    __slots__ = ("_lock", "_options")

    if TYPE_CHECKING:
        exactness: str
        casting: str
        order: str
        backend: str
        limits: Limits
        wait: bool

    def __init__(self) -> None:
        object.__setattr__(self, "_lock", threading.Lock())
        object.__setattr__(self, "_options", {})

    def __call__(self, **options: Any) -> _Override:
        return _Override(_checked(options))

    def __getattr__(self, name: str) -> Any:
        if name not in _DEFAULTS:
            raise AttributeError(f"engine.config has no option {name!r}; it has {', '.join(_DEFAULTS)}")
        here = _core._options_var.get(None)
        if here is not None and name in here[0]:
            return here[0][name]
        return self._options.get(name, _DEFAULTS[name])

    def __setattr__(self, name: str, value: Any) -> None:
        options = _checked({name: value})
        with self._lock:
            self._keep({**self._options, **options})

    def __delattr__(self, name: str) -> None:
        _checked({name: getattr(self, name)})
        with self._lock:
            self._keep({key: value for key, value in self._options.items() if key != name})

    def _keep(self, options: dict[str, Any]) -> None:
        object.__setattr__(self, "_options", options)
        _core._set_options(options)

    def reset(self) -> None:
        """Goes back to the engine's own defaults for the whole process."""
        with self._lock:
            self._keep({})

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((name, getattr(self, name)) for name in _DEFAULTS)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_DEFAULTS]

    def __repr__(self) -> str:
        return f"engine.config({', '.join(f'{name}={value!r}' for name, value in self)})"


#: The one configuration of the process.
config = Config()

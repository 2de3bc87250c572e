"""How many threads evaluations use."""

from __future__ import annotations

import operator
import threading

from . import _core

_lock = threading.Lock()
_wished = 0


def num_threads() -> int:
    """Threads an evaluation may use where its ``threads=`` is None.

    What `set_num_threads` was given, else the environment variable ``ENGINE_NUM_THREADS``, else the CPUs this process
    may use (affinity mask and control-group quota). Small work is done by the calling thread alone.
    """
    return _core.num_threads()


class set_num_threads:
    """Set the number of threads for the whole process; ``None`` goes back to the default.

    n : int >= 1, or None.
    Takes effect at once; as a context manager it goes back to what was set before.
    Results are the same bits for any number.
    Raises TypeError, ValueError.

    >>> import engine
    >>> with engine.set_num_threads(1):
    ...     engine.num_threads()
    1
    """

    def __init__(self, n: int | None) -> None:
        global _wished
        wish = 0 if n is None else operator.index(n)
        if n is not None and wish < 1:
            raise ValueError(f"the number of threads must be at least 1, not {wish}")
        with _lock:
            self._before = _wished
            _wished = min(wish, 2**31 - 1)
            _core._set_num_threads(_wished)

    def __enter__(self) -> set_num_threads:
        return self

    def __exit__(self, *exception: object) -> None:
        global _wished
        with _lock:
            _wished = self._before
            _core._set_num_threads(_wished)

"""Memory of large results."""

from __future__ import annotations

from . import _core


def trim() -> int:
    """Give the memory that no array uses any more back to the system, and that of GPUs to their drivers.

    Results of 4 MiB and more live in memory that the engine recycles, since pages fresh from the system cost more
    than most expressions. It keeps at most 1 GiB and a quarter of the machine's memory; what has been idle for 10
    seconds goes back at a later call, and the system may take all but the last 64 MiB of it when it runs short. A
    GPU's memory is kept until this call, or until an allocation fails; kernels of programs that are gone are unloaded
    here, too.
    Returns the number of bytes given back.

    >>> import engine, numpy as np
    >>> large = engine.evaluate("2*a", {"a": np.ones(5_000_000)})
    >>> del large
    >>> engine.trim() >= 40_000_000
    True
    """
    return _core.trim()

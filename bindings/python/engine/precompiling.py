"""Kernels made before they are needed, or meanwhile: engine.precompile() and wait_for_kernels()."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Mapping
from typing import Any

from . import _core

# The compiler must not be at work when its library is taken down.
_core._allow_background_compilation(True)
atexit.register(_core._allow_background_compilation, False)


def precompile(
    expressions: str | _core.Program | Iterable[str | _core.Program],
    signatures: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    *,
    device: int = 0,
    wait: bool = True,
) -> int:
    """Have the kernels compiled that calls with operands like these launch on a device, and keep them, on disk, too.

    expressions : an expression, a Program, or several.
    signatures  : what stands for the operands, by name; or several such mappings. An array of the same dtype, shape and
                  strides, of which nothing is read; a pair ``(dtype, shape)``; a number. Each expression is
                  made ready for each of them.
    device      : ordinal of the CUDA device.
    wait        : False returns at once, while another thread compiles.

    Kernels depend on dtypes, on how operands lie, and little on extents: one shape of the wanted number of axes is
    enough for others like it as a rule. Returns how many kernels were compiled; others had been before.
    Raises what evaluate raises before it computes, BackendError where there is no device.

    >>> import engine
    >>> engine.precompile("2*a + b", {"a": ("float64", (1000, 1000)), "b": 0.5})  # doctest: +SKIP
    1
    """
    programs = [expressions] if isinstance(expressions, str | _core.Program) else list(expressions)
    every = [signatures] if isinstance(signatures, Mapping) else list(signatures)
    compiled = 0
    for program in programs:
        made = program if isinstance(program, _core.Program) else _core.compile(program)
        for signature in every:
            operands = {name: _stand_in(name, value) for name, value in signature.items()}
            compiled += made._precompile(operands, device, wait)
    return compiled


def wait_for_kernels() -> None:
    """Wait until no kernel is being compiled behind calls that the host has answered meanwhile (Run.pending).

    >>> import engine
    >>> engine.wait_for_kernels()
    """
    _core.wait_for_kernels()


def _stand_in(name: str, value: Any) -> Any:
    """An array of that dtype and shape that takes no memory; all else as it is."""
    import numpy as np

    if not isinstance(value, tuple):
        return value
    try:
        dtype, shape = value
        dtype = np.dtype(dtype)
        shape = tuple(int(extent) for extent in shape)
    except (TypeError, ValueError) as error:
        raise TypeError(f"'{name}' needs an array, a number or a pair (dtype, shape), not {value!r}") from error
    strides, stride = [], dtype.itemsize
    for extent in reversed(shape):
        if extent < 0:
            raise ValueError(f"'{name}' has a negative extent: {shape}")
        strides.append(stride)
        stride *= max(extent, 1)
    return np.lib.stride_tricks.as_strided(np.empty((), dtype), shape, strides[::-1])

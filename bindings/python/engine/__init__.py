"""Array expressions as one fused kernel.

>>> import numpy as np, engine
>>> a, b = np.arange(3.0), np.ones(3)
>>> engine.evaluate("2*a + b")
array([1., 3., 5.])
"""

from __future__ import annotations

from ._core import DeviceArray, Graph, Program, __version__, blitz, compile, evaluate, explain, to_device
from .catalog import Function, functions
from .derive import gradient
from .errors import (
    BackendError,
    DTypeError,
    Error,
    InternalError,
    LimitError,
    OutOfMemory,
    ParseError,
    RangeError,
    ShapeError,
    UnknownName,
)
from .explanation import Explanation, Prediction
from .limits import Limits
from .memory import trim
from .precompiling import precompile, wait_for_kernels
from .report import doctor
from .settings import config
from .stats import last_run
from .stencil import Stencil, compile_stencil, stencil
from .threads import num_threads, set_num_threads

__all__ = [
    "BackendError",
    "DTypeError",
    "DeviceArray",
    "Error",
    "Explanation",
    "Function",
    "Graph",
    "InternalError",
    "LimitError",
    "Limits",
    "OutOfMemory",
    "ParseError",
    "Prediction",
    "Program",
    "RangeError",
    "ShapeError",
    "Stencil",
    "UnknownName",
    "__version__",
    "blitz",
    "compile",
    "compile_stencil",
    "config",
    "doctor",
    "evaluate",
    "explain",
    "functions",
    "gradient",
    "last_run",
    "num_threads",
    "precompile",
    "set_num_threads",
    "stencil",
    "to_device",
    "trim",
    "wait_for_kernels",
]

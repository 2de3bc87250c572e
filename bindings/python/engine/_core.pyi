from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, Literal, NoReturn, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .explanation import Explanation, Prediction
from .limits import Limits
from .stats import GraphStats, ProgramStats

_Casting: TypeAlias = Literal["no", "equiv", "safe", "same_kind", "unsafe"]
_Exactness: TypeAlias = Literal["strict", "relaxed"]
_Backend: TypeAlias = Literal["auto", "interp", "jit", "cuda"]
_Order: TypeAlias = Literal["K", "C", "F", "A"]

class _Names(Protocol):
    """What dict() takes for a mapping."""

    def keys(self) -> Iterable[str]: ...
    def __getitem__(self, name: str, /) -> Any: ...

# An array, or the NumPy scalar that NumPy's ufuncs would give.
_Result: TypeAlias = Any

def _gradient(arg0: str, arg1: str, /) -> str: ...
def trim() -> int: ...
def _allow_background_compilation(arg0: bool, /) -> None: ...
def wait_for_kernels() -> None: ...
def num_threads() -> int: ...
def _set_num_threads(arg0: int, /) -> None: ...

_functions: tuple[tuple[str, str, str, str, float, str, float, float], ...]
__version__: str

# The options of engine.config in a context, and what was in force before.
_OptionsHere: TypeAlias = tuple[dict[str, Any], Any] | None
_options_var: ContextVar[_OptionsHere]

def _check_options(options: dict[str, Any], /) -> None: ...
def _set_options(options: dict[str, Any], /) -> None: ...
def _use_config() -> None: ...
def _last_run() -> dict[str, Any] | None: ...
def _build_info() -> dict[str, Any]: ...
def _facts() -> dict[str, str]: ...
def _backends() -> list[tuple[str, bool, str]]: ...
def evaluate(
    expression: str,
    names: _Names | None = None,
    *,
    out: NDArray[Any] | Any | None = None,
    order: _Order = "K",
    casting: _Casting = "same_kind",
    exactness: _Exactness = "strict",
    backend: _Backend = "auto",
    threads: int | None = None,
    limits: Limits | None = None,
    device: str | int | None = None,
    stream: Any = None,
    wait: bool = False,
    progress: bool | Callable[[float], object] | None = False,
) -> _Result: ...
def blitz(
    expression: str,
    names: _Names | None = None,
    *,
    order: _Order = "K",
    casting: _Casting = "same_kind",
    exactness: _Exactness = "strict",
    backend: _Backend = "auto",
    threads: int | None = None,
    limits: Limits | None = None,
    device: str | int | None = None,
    stream: Any = None,
    wait: bool = False,
    progress: bool | Callable[[float], object] | None = False,
) -> _Result: ...
def compile(
    expression: str,
    *,
    casting: _Casting = "same_kind",
    exactness: _Exactness = "strict",
    backend: _Backend = "auto",
    threads: int | None = None,
    limits: Limits | None = None,
) -> Program: ...
def explain(
    expression: str,
    names: _Names | None = None,
    *,
    order: _Order = "K",
    casting: _Casting = "same_kind",
    exactness: _Exactness = "strict",
    backend: _Backend = "auto",
    threads: int | None = None,
    limits: Limits | None = None,
) -> Explanation: ...

@final
class Program:
    @property
    def text(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def signature(self) -> str: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def stats(self) -> ProgramStats: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __copy__(self) -> Program: ...
    def __deepcopy__(self, memo: object, /) -> Program: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __call__(
        self,
        names: _Names | None = None,
        /,
        *,
        out: NDArray[Any] | Any | None = None,
        order: _Order = "K",
        device: str | int | None = None,
        stream: Any = None,
        wait: bool = False,
        progress: bool | Callable[[float], object] | None = False,
        **operands: ArrayLike,
    ) -> _Result: ...
    def graph(self) -> Graph: ...
    def explain(self, names: _Names | None = None, /, **operands: ArrayLike) -> Explanation: ...
    def predict(self, architecture: str, names: _Names | None = None, /, **operands: ArrayLike) -> Prediction: ...
    def halo(
        self, names: _Names | None = None, /, **operands: ArrayLike
    ) -> dict[str, tuple[tuple[int, int] | None, ...]]: ...
    def _precompile(self, operands: dict[str, Any], device: int, wait: bool, /) -> int: ...

@final
class Graph:
    @property
    def text(self) -> str: ...
    @property
    def stats(self) -> GraphStats: ...
    def __call__(
        self,
        names: _Names | None = None,
        /,
        *,
        out: NDArray[Any] | Any | None = None,
        order: _Order = "K",
        device: str | int | None = None,
        stream: Any = None,
        wait: bool = False,
        **operands: ArrayLike,
    ) -> _Result: ...

_Stencil: Any

def to_device(array: ArrayLike, device: str | int | None = None) -> DeviceArray: ...

@final
class DeviceArray:
    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn: ...  # engine.to_device() makes them
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def ndim(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def itemsize(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def device(self) -> str: ...
    @property
    def T(self) -> DeviceArray: ...
    @property
    def __cuda_array_interface__(self) -> dict[str, Any]: ...
    def numpy(self) -> NDArray[Any]: ...
    def __getitem__(self, key: Any, /) -> DeviceArray: ...
    def __len__(self) -> int: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any: ...
    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn: ...

from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeAlias, final

from numpy.typing import ArrayLike, NDArray

from . import Explanation, Limits

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
def num_threads() -> int: ...
def _set_num_threads(arg0: int, /) -> None: ...

_functions: tuple[tuple[str, str, str, str, float, str, float, float], ...]
__version__: str

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
    def __call__(
        self,
        names: _Names | None = None,
        /,
        *,
        out: NDArray[Any] | Any | None = None,
        order: _Order = "K",
        **operands: ArrayLike,
    ) -> _Result: ...
    def explain(self, names: _Names | None = None, /, **operands: ArrayLike) -> Explanation: ...

"""The catalog as data: every function, reduction, cast and constant that expressions may use."""

from __future__ import annotations

from typing import Any, NamedTuple, SupportsIndex

from . import _core

_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip


class Function(NamedTuple):
    """One row of the catalog.

    name      : as it is written in expressions.
    arguments : their names, with commas; those that may be left out with their default.
    sentence  : what it gives.
    oracle    : NumPy's name of it, or SciPy's or Python's; empty where there is none.
    ulp       : largest error against the oracle, in units in the last place; 0 for the same bits.
    kind      : "elementwise", "reduction", "ordered" (along an axis), "cast" or "constant".
    low, high : the range of arguments over which the accuracy is tested.
    """

    name: str
    arguments: str
    sentence: str
    oracle: str
    ulp: float
    kind: str
    low: float
    high: float

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the arguments that must be given."""
        return tuple(item for item in self.arguments.split(", ") if item and "=" not in item)

    @property
    def call(self) -> str:
        """How it is written with its required arguments: ``"hypot(x, y)"``."""
        return self.name if self.kind == "constant" else f"{self.name}({', '.join(self.required)})"

    @property
    def dtypes(self) -> tuple[str, ...]:
        """Names of the dtypes it takes, all arguments being of the same one."""
        return _dtypes(self.call, self.required)

    @property
    def example(self) -> str:
        """An example as a doctest."""
        return _example(self)

    def __str__(self) -> str:
        lines = [f"{self.name}({self.arguments})" if self.kind != "constant" else self.name, "", self.sentence]
        if self.dtypes:
            lines.append(f"dtypes: {', '.join(self.dtypes)}")
        accuracy = "the same bits" if self.ulp == 0 else f"within {self.ulp:g} ulp"
        if self.oracle and self.kind in ("elementwise", "reduction", "ordered"):
            oracle = self.oracle if self.oracle.startswith(("scipy", "math")) else f"numpy.{self.oracle}"
            lines.append(f"accuracy: {accuracy} against {oracle}")
        return "\n".join([*lines, "", self.example])


# Arguments that are numbers, not arrays, with what examples give for them.
_NUMBERS = {"kth": 1, "k": 2, "q": 0.25, "n": 1}


def _dtypes(call: str, names: tuple[str, ...]) -> tuple[str, ...]:
    import numpy as np

    from .errors import DTypeError

    accepted = []
    for dtype in _DTYPES if names else ():
        try:
            values: dict[str, Any] = {name: np.ones(1, dtype) for name in names}
            if call == "ldexp(x, y)":
                values["y"] = np.ones(1, "int64")
            values |= {name: 0 for name in names if name in _NUMBERS}
            _core.evaluate(call, values)
        except DTypeError:
            continue
        accepted.append(dtype)
    return tuple(accepted)


def _example(row: Function) -> str:
    import numpy as np

    if row.kind == "constant":
        return f'>>> engine.evaluate("{row.name}")\n{_core.evaluate(row.name)!r}'
    if row.name == "index":
        return '>>> engine.evaluate("a + index(0)", {"a": np.zeros(3)})\narray([0., 1., 2.])'
    dtype = "float64" if "float64" in row.dtypes else "int64"
    low, high = max(row.low, -2.0), min(row.high, 4.0)
    values: dict[str, Any] = {}
    for k, name in enumerate(row.required):
        points = np.linspace(low, high, 5)[1:-1] if np.dtype(dtype).kind in "fc" else np.array([4, 6, 10])
        if name in _NUMBERS:
            values[name] = 25 if row.name == "percentile" else _NUMBERS[name]
            continue
        if "where" in row.call and k == 0 or name in ("condition", "where"):
            points = points > points.mean()
        elif row.name == "ldexp" and k == 1:
            points = np.array([1, 2, 3])
        elif dtype == "int64":
            points = points + 2 * k
        else:
            points = np.round(points + 0.5 * k, 2)
        values[name] = points
    given = ", ".join(
        f'"{name}": {value}' if name in _NUMBERS else f'"{name}": np.array({value.tolist()})'
        for name, value in values.items()
    )
    return f'>>> engine.evaluate("{row.call}", {{{given}}})\n{_core.evaluate(row.call, values)!r}'


class Functions(tuple[Function, ...]):
    """The rows of the catalog, in its order; a name gives the row of that name, whose str() is its help.

    >>> import engine
    >>> engine.functions["hypot"].arguments
    'x, y'
    >>> "hypot" in engine.functions, "hypotenuse" in engine.functions
    (True, False)
    >>> print(engine.functions["sqrt"])
    sqrt(x)
    ...
    """

    __slots__ = ()

    def __getitem__(self, key: SupportsIndex | slice | str) -> Any:
        if not isinstance(key, str):
            return super().__getitem__(key)
        for row in self:
            if row.name == key:
                return row
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(row.name == key for row in self) if isinstance(key, str) else super().__contains__(key)


#: The whole catalog; operators are here under NumPy's name of them.
functions = Functions(Function(*row) for row in _core._functions)

"""Filters of images and of arrays of any rank, with the signatures and the meaning of `scipy.ndimage`.

Each is a text over `engine.stencil`, one fused pass for each axis where the filter is separable. Sums go in SciPy's
order, in float64 (complex128 of complex arrays), whatever the array's dtype; the result has the array's dtype unless
``output`` says otherwise. ``mode`` is 'reflect', 'mirror', 'nearest', 'wrap' or 'constant', or one of SciPy's other
names for these: 'grid-mirror', 'grid-wrap', 'grid-constant'.

>>> import numpy as np, engine.ndimage
>>> engine.ndimage.laplace(np.array([0.0, 0.0, 4.0, 0.0]))
array([ 0.,  4., -8.,  4.])
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .stencil import Stencil, compile_stencil

__all__ = [
    "convolve",
    "convolve1d",
    "correlate",
    "correlate1d",
    "gaussian_filter",
    "gaussian_filter1d",
    "gaussian_laplace",
    "laplace",
    "maximum_filter",
    "median_filter",
    "minimum_filter",
    "prewitt",
    "sobel",
    "uniform_filter",
    "uniform_filter1d",
]

_MODES = {"grid-mirror": "reflect", "grid-wrap": "wrap", "grid-constant": "constant"}
_WORDS = ("reflect", "mirror", "nearest", "wrap", "constant")
_MOST = 4096  # elements of a footprint


def _mode(mode: str) -> str:
    word = _MODES.get(mode, mode)
    if word not in _WORDS:
        raise ValueError(f"mode must be one of {', '.join(map(repr, _WORDS))}, not {mode!r}")
    return word


def _array(given: Any) -> np.ndarray[Any, Any]:
    array = np.asarray(given)
    if array.ndim == 0:
        raise ValueError("a scalar has no neighbours")
    return array


def _output(output: Any, array: np.ndarray[Any, Any], *, is_complex: bool = False) -> np.ndarray[Any, Any]:
    """The array that `output` is, or a new one of the dtype that it names."""
    if isinstance(output, np.ndarray):
        if output.shape != array.shape:
            raise ValueError(f"output has shape {output.shape}, the input {array.shape}")
        return output
    dtype = array.dtype if output is None else np.dtype(output)
    if is_complex and dtype.kind != "c":
        dtype = np.promote_types(dtype, np.complex64)
    return np.empty(array.shape, dtype)


def _each(value: Any, rank: int, name: str) -> list[Any]:
    """One value for each axis."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return [value] * rank
    values = list(value)
    if len(values) != rank:
        raise ValueError(f"{name} has {len(values)} entries for {rank} axes")
    return values


def _axes(axes: Any, rank: int) -> list[int]:
    if axes is None:
        return list(range(rank))
    given = [operator.index(axis) for axis in (axes if isinstance(axes, Iterable) else (axes,))]
    for axis in given:
        if not -rank <= axis < rank:
            raise ValueError(f"axis {axis} is out of range for an array of rank {rank}")
    normal = [axis % rank for axis in given]
    if len(set(normal)) != len(normal):
        raise ValueError("an axis is given twice")
    return normal


def _compile(text: str, mode: str, cval: Any) -> Stencil:
    return compile_stencil(text, boundary=mode, cval=cval, casting="unsafe")


_compiled = functools.lru_cache(maxsize=256)(_compile)


def _run(
    text: str, array: np.ndarray[Any, Any], out: np.ndarray[Any, Any], mode: str, cval: Any, **scalars: Any
) -> None:
    """The value of the text over `a` into `out`, which may overlap `a`."""
    if mode != "constant":
        cval = 0
    elif array.dtype.kind in "biu" and cval != int(cval.real):
        array = array.astype(np.float64)
    _compiled(text, mode, cval)(a=array, out=out, **scalars)


def _place(offsets: Sequence[int]) -> str:
    return f"a[{', '.join(map(str, offsets))}]"


def _wide(array: np.ndarray[Any, Any], *, is_complex: bool = False) -> str:
    """The cast that sums are made in, or nothing where the array is of that dtype."""
    if array.dtype.kind == "c" or is_complex:
        return "" if array.dtype == np.complex128 else "complex128"
    return "" if array.dtype == np.float64 else "float64"


def _weighted(array: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> tuple[str, bool]:
    is_complex = array.dtype.kind == "c" or weights.dtype.kind == "c"
    return _wide(array, is_complex=is_complex), is_complex


def _correlate(
    given: Any, weights: Any, output: Any, mode: str, cval: Any, origin: Any, *, turned: bool
) -> np.ndarray[Any, Any]:
    array, w = _array(given), np.asarray(weights)
    if w.ndim != array.ndim:
        raise ValueError(f"weights of rank {w.ndim} for an array of rank {array.ndim}")
    if w.size == 0 or w.size > _MOST:
        raise ValueError(f"weights have from 1 to {_MOST} elements")
    origins = [operator.index(o) for o in _each(origin, array.ndim, "origin")]
    if turned:
        w = w[(slice(None, None, -1),) * w.ndim]
        origins = [-o - (1 - n % 2) for o, n in zip(origins, w.shape, strict=True)]
    else:
        w = np.conj(w)
    for o, n in zip(origins, w.shape, strict=True):
        if not -(n // 2) <= o <= (n - 1) // 2:
            raise ValueError("origin must lie within the weights")
    wide, is_complex = _weighted(array, w)
    out = _output(output, array, is_complex=is_complex)
    terms: list[str] = []
    scalars: dict[str, complex] = {}
    for index in itertools.product(*map(range, w.shape)):
        if w[index] == 0:
            continue
        name = f"w{len(terms)}"
        scalars[name] = complex(w[index]) if w.dtype.kind == "c" else float(w[index])
        place = _place([k - n // 2 - o for k, n, o in zip(index, w.shape, origins, strict=True)])
        terms.append(f"{wide}({place})*{name}")
    _run(
        " + ".join(terms) if terms else f"{wide}({_place([0] * array.ndim)})*0.0",
        array,
        out,
        _mode(mode),
        cval,
        **scalars,
    )
    return out


def correlate(
    input: Any, weights: Any, output: Any = None, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0
) -> np.ndarray[Any, Any]:
    """Sum of the neighbours of each element times weights of the array's rank."""
    return _correlate(input, weights, output, mode, cval, origin, turned=False)


def convolve(
    input: Any, weights: Any, output: Any = None, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0
) -> np.ndarray[Any, Any]:
    """As `correlate`, with the weights turned around."""
    return _correlate(input, weights, output, mode, cval, origin, turned=True)


def correlate1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> np.ndarray[Any, Any]:
    """Sum of the neighbours along one axis times weights."""
    array, w = _array(input), np.conj(np.asarray(weights))
    if w.ndim != 1 or w.size == 0 or w.size > _MOST:
        raise ValueError(f"weights are one axis of 1 to {_MOST} elements")
    along = _axes(axis, array.ndim)[0]
    n = w.size
    if not -(n // 2) <= origin <= (n - 1) // 2:
        raise ValueError("origin must lie within the weights")
    wide, is_complex = _weighted(array, w)
    out = _output(output, array, is_complex=is_complex)

    def at(offset: int) -> str:
        place = [0] * array.ndim
        place[along] = offset - origin
        return f"{wide}({_place(place)})"

    convert = complex if w.dtype.kind == "c" else float
    half = n // 2
    scalars = {f"w{k}": convert(w[k]) for k in range(n)}
    # SciPy takes the two sides of a symmetric or antisymmetric filter together, the outermost first.
    even = n % 2 == 1 and all(abs(w[half + k] - w[half - k]) <= np.finfo(float).eps for k in range(1, half + 1))
    odd = (
        n % 2 == 1
        and not even
        and all(abs(w[half + k] + w[half - k]) <= np.finfo(float).eps for k in range(1, half + 1))
    )
    if (even or odd) and not is_complex:
        sign = "+" if even else "-"
        terms = [f"{at(0)}*w{half}"] + [f"({at(-k)} {sign} {at(k)})*w{half - k}" for k in range(half, 0, -1)]
        used = {f"w{k}" for k in range(half + 1)}
    else:
        terms = [f"{at(k - half)}*w{k}" for k in (n - 1, *range(n - 1))]
        used = set(scalars)
    _run(" + ".join(terms), array, out, _mode(mode), cval, **{name: w for name, w in scalars.items() if name in used})
    return out


def convolve1d(
    input: Any,
    weights: Any,
    axis: int = -1,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    origin: int = 0,
) -> np.ndarray[Any, Any]:
    """As `correlate1d`, with the weights turned around."""
    w = np.conj(np.asarray(weights)[::-1])
    return correlate1d(input, w, axis, output, mode, cval, -origin - (1 - w.size % 2))


def _separable(array: np.ndarray[Any, Any], out: np.ndarray[Any, Any], passes: list[Any]) -> np.ndarray[Any, Any]:
    """One pass after the other, each from what the one before has made."""
    source = array
    for each in passes:
        each(source, out)
        source = out
    if not passes:
        out[...] = array
    return out


def uniform_filter1d(
    input: Any, size: int, axis: int = -1, output: Any = None, mode: str = "reflect", cval: Any = 0.0, origin: int = 0
) -> np.ndarray[Any, Any]:
    """Mean of `size` neighbours along one axis."""
    array, n = _array(input), operator.index(size)
    if not 1 <= n <= _MOST:
        raise ValueError(f"size is from 1 to {_MOST}")
    if not -(n // 2) <= origin <= (n - 1) // 2:
        raise ValueError("origin must lie within the window")
    along, wide = _axes(axis, array.ndim)[0], _wide(array)
    out = _output(output, array)
    terms = []
    for k in range(n):
        place = [0] * array.ndim
        place[along] = k - n // 2 - origin
        terms.append(f"{wide}({_place(place)})")
    _run(f"({' + '.join(terms)}) / {n}.0", array, out, _mode(mode), cval)
    return out


def uniform_filter(
    input: Any,
    size: Any = 3,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
    *,
    axes: Any = None,
) -> np.ndarray[Any, Any]:
    """Mean of a box of neighbours, axis by axis."""
    array = _array(input)
    along = _axes(axes, array.ndim)
    if any(operator.index(n) < 1 for n in _each(size, len(along), "size")):
        raise ValueError("size must be positive")
    sizes, modes, origins = (_each(v, len(along), n) for v, n in ((size, "size"), (mode, "mode"), (origin, "origin")))
    passes = [
        functools.partial(lambda a, o, ax, n, m, at: uniform_filter1d(a, n, ax, o, m, cval, at), ax=ax, n=n, m=m, at=at)
        for ax, n, m, at in zip(along, sizes, modes, origins, strict=True)
        if n > 1
    ]
    return _separable(array, _output(output, array), passes)


def _gaussian_weights(sigma: float, order: int, radius: int) -> np.ndarray[Any, Any]:
    """Samples of a Gaussian of sum one, or of its derivative: a polynomial times it."""
    if order < 0:
        raise ValueError("order must not be negative")
    x = np.arange(-radius, radius + 1)
    bell: np.ndarray[Any, Any] = np.exp(-0.5 / (sigma * sigma) * x**2)
    bell /= bell.sum()
    if order == 0:
        return bell
    # q' - q x / sigma^2, for each derivative; coefficients of q by powers of x.
    q = np.zeros(order + 1)
    q[0] = 1
    for _ in range(order):
        derived = np.zeros_like(q)
        derived[:-1] = np.arange(1, order + 1) * q[1:]
        derived[1:] -= q[:-1] / (sigma * sigma)
        q = derived
    factor: np.ndarray[Any, Any] = (x[:, None] ** np.arange(order + 1)).dot(q)
    weights: np.ndarray[Any, Any] = factor * bell
    return weights


def gaussian_filter1d(
    input: Any,
    sigma: float,
    axis: int = -1,
    order: int = 0,
    output: Any = None,
    mode: str = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: int | None = None,
) -> np.ndarray[Any, Any]:
    """Correlation with a Gaussian of standard deviation `sigma` (in elements), or with its derivative of that order."""
    reach = int(truncate * float(sigma) + 0.5) if radius is None else radius
    if reach < 0 or int(reach) != reach:
        raise ValueError("radius must be a whole number, not negative")
    weights = _gaussian_weights(float(sigma), order, int(reach))[::-1]
    return correlate1d(input, weights, axis, output, mode, cval, 0)


def gaussian_filter(
    input: Any,
    sigma: Any,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: float = 4.0,
    *,
    radius: Any = None,
    axes: Any = None,
) -> np.ndarray[Any, Any]:
    """A Gaussian of all axes, axis by axis."""
    array = _array(input)
    along = _axes(axes, array.ndim)
    values = ((sigma, "sigma"), (order, "order"), (mode, "mode"), (radius, "radius"))
    sigmas, orders, modes, radii = (_each(v, len(along), n) for v, n in values)
    passes = [
        functools.partial(
            lambda a, o, ax, s, d, m, r: gaussian_filter1d(a, s, ax, d, o, m, cval, truncate, radius=r),
            ax=ax,
            s=s,
            d=d,
            m=m,
            r=r,
        )
        for ax, s, d, m, r in zip(along, sigmas, orders, modes, radii, strict=True)
        if s > 1e-15
    ]
    return _separable(array, _output(output, array), passes)


def _sum_over_axes(array: np.ndarray[Any, Any], output: Any, along: list[int], one: Any) -> np.ndarray[Any, Any]:
    out = _output(output, array)
    if not along:
        out[...] = array
        return out
    total = one(array, along[0], out.dtype)
    for axis in along[1:]:
        total += one(array, axis, out.dtype)
    out[...] = total
    return out


def laplace(
    input: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *, axes: Any = None
) -> np.ndarray[Any, Any]:
    """Sum of the second differences along the axes."""
    array = _array(input)
    along = _axes(axes, array.ndim)
    modes = dict(zip(along, _each(mode, len(along), "mode"), strict=True))
    return _sum_over_axes(
        array, output, along, lambda a, axis, t: correlate1d(a, [1, -2, 1], axis, t, modes[axis], cval, 0)
    )


def gaussian_laplace(
    input: Any,
    sigma: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    *,
    axes: Any = None,
    **kwargs: Any,
) -> np.ndarray[Any, Any]:
    """Sum of the second derivatives of a Gaussian along the axes."""
    array = _array(input)
    along = _axes(axes, array.ndim)

    def one(a: np.ndarray[Any, Any], axis: int, dtype: Any) -> np.ndarray[Any, Any]:
        return gaussian_filter(
            a, sigma, [2 if x == axis else 0 for x in along], dtype, mode, cval, axes=along, **kwargs
        )

    return _sum_over_axes(array, output, along, one)


def _derivative(given: Any, axis: int, output: Any, mode: Any, cval: Any, across: list[float]) -> np.ndarray[Any, Any]:
    array = _array(given)
    along = _axes(axis, array.ndim)[0]
    modes = _each(mode, array.ndim, "mode")
    out = correlate1d(array, [-1, 0, 1], along, _output(output, array), modes[along], cval, 0)
    for other in range(array.ndim):
        if other != along:
            correlate1d(out, across, other, out, modes[other], cval, 0)
    return out


def sobel(
    input: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
) -> np.ndarray[Any, Any]:
    """Differences along one axis, smoothed by 1 2 1 along the others."""
    return _derivative(input, axis, output, mode, cval, [1, 2, 1])


def prewitt(
    input: Any, axis: int = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
) -> np.ndarray[Any, Any]:
    """Differences along one axis, summed along the others."""
    return _derivative(input, axis, output, mode, cval, [1, 1, 1])


def _window(array: np.ndarray[Any, Any], size: Any, footprint: Any) -> np.ndarray[Any, Any]:
    if footprint is None:
        if size is None:
            raise ValueError("give size or footprint")
        footprint = np.ones([operator.index(n) for n in _each(size, array.ndim, "size")], bool)
    window = np.asarray(footprint, bool)
    if window.ndim != array.ndim:
        raise ValueError(f"a footprint of rank {window.ndim} for an array of rank {array.ndim}")
    if not window.any() or window.size > _MOST:
        raise ValueError(f"the footprint has from 1 to {_MOST} elements")
    return window


def _places(window: np.ndarray[Any, Any], origin: Any) -> list[str]:
    origins = [operator.index(o) for o in _each(origin, window.ndim, "origin")]
    return [
        _place([int(k) - n // 2 - o for k, n, o in zip(index, window.shape, origins, strict=True)])
        for index in np.argwhere(window)
    ]


def _extreme(
    function: str, given: Any, size: Any, footprint: Any, output: Any, mode: Any, cval: Any, origin: Any
) -> np.ndarray[Any, Any]:
    array = _array(given)
    window, out = _window(array, size, footprint), _output(output, array)
    modes = [_mode(m) for m in _each(mode, array.ndim, "mode")]
    origins = _each(origin, array.ndim, "origin")
    # A full box is taken axis by axis; another footprint at once.
    if window.all():
        shapes = [
            tuple(n if x == axis else 1 for x in range(array.ndim)) for axis, n in enumerate(window.shape) if n > 1
        ]
        axes = [axis for axis, n in enumerate(window.shape) if n > 1]
        parts = [
            (np.ones(s, bool), [o if x == axis else 0 for x, o in enumerate(origins)], modes[axis])
            for s, axis in zip(shapes, axes, strict=True)
        ]
    else:
        if len(set(modes)) > 1:
            raise ValueError("a footprint that is no full box has one mode")
        parts = [(window, origins, modes[0])]

    def one(a: np.ndarray[Any, Any], o: np.ndarray[Any, Any], part: Any) -> None:
        places = _places(part[0], part[1])
        text = (
            functools.reduce(lambda x, y: f"{function}({x}, {y})", places)
            if len(places) < 60
            else _tree(function, places)
        )
        _run(text, a, o, part[2], cval)

    return _separable(array, out, [functools.partial(one, part=part) for part in parts])


def _tree(function: str, parts: list[str]) -> str:
    """The same in a tree: brackets nest only as deep as its height."""
    while len(parts) > 1:
        parts = [f"{function}({x}, {y})" for x, y in zip(parts[::2], parts[1::2], strict=False)] + parts[
            len(parts) - len(parts) % 2 :
        ]
    return parts[0]


def minimum_filter(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> np.ndarray[Any, Any]:
    """Smallest of the neighbours."""
    return _extreme("minimum", input, size, footprint, output, mode, cval, origin)


def maximum_filter(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> np.ndarray[Any, Any]:
    """Largest of the neighbours."""
    return _extreme("maximum", input, size, footprint, output, mode, cval, origin)


def _median_network(n: int) -> tuple[tuple[int, int], ...]:
    """Batcher's odd-even merge sort of n wires, without the comparators that the middle wire does not depend on."""
    width = 1 << math.ceil(math.log2(n)) if n > 1 else 1
    pairs = []
    p = 1
    while p < width:
        k = p
        while k >= 1:
            for j in range(k % p, width - k, 2 * k):
                for i in range(min(k, width - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p) and i + j + k < n:
                        pairs.append((i + j, i + j + k))
            k //= 2
        p *= 2
    needed, kept = {n // 2}, []
    for low, high in reversed(pairs):
        if low in needed or high in needed:
            needed |= {low, high}
            kept.append((low, high))
    return tuple(reversed(kept))


_network = functools.cache(_median_network)


def median_filter(
    input: Any,
    size: Any = None,
    footprint: Any = None,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> np.ndarray[Any, Any]:
    """The middle one of up to 81 neighbours (of an even number the upper one), by a network of minima and maxima."""
    array = _array(input)
    window, out = _window(array, size, footprint), _output(output, array)
    modes = {_mode(m) for m in _each(mode, array.ndim, "mode")}
    if len(modes) > 1:
        raise ValueError("a median has one mode for all axes")
    places = _places(window, origin)
    n = len(places)
    if any(
        not -(k // 2) <= o <= (k - 1) // 2
        for k, o in zip(window.shape, _each(origin, window.ndim, "origin"), strict=True)
    ):
        raise ValueError("origin must lie within the footprint")
    if n > 81:
        raise ValueError(f"a median of {n} elements: at most 81")
    if array.dtype.kind == "c":
        raise TypeError("complex numbers have no order")
    lines, wires = [], list(places)
    for count, (low, high) in enumerate(_network(n)):
        lines += [
            f"l{count} = minimum({wires[low]}, {wires[high]})",
            f"h{count} = maximum({wires[low]}, {wires[high]})",
        ]
        wires[low], wires[high] = f"l{count}", f"h{count}"
    _run("; ".join([*lines, wires[n // 2]]), array, out, modes.pop(), cval)
    return out

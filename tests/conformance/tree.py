"""The combination tree of floating reductions (contract §3), written down once more in plain NumPy.

in: an array and the axes to reduce   out: the reduction, bit for bit as every backend must give it
Missing elements are filled with the identity: adding -0.0 and multiplying by 1 change no bit of any number.
"""

from __future__ import annotations

import numpy as np

LANES, ROWS_PER_GROUP, GROUPS = 64, 8, 4
BLOCK = LANES * ROWS_PER_GROUP * GROUPS
COMBINE = {"sum": (np.add, -0.0), "prod": (np.multiply, 1.0)}


def _filled(a: np.ndarray, length: int, identity: float) -> np.ndarray:
    """`a` with its last axis stretched to `length`."""
    whole = np.full((*a.shape[:-1], length), _identity_of(a.dtype, identity), a.dtype)
    whole[..., : a.shape[-1]] = a
    return whole


def _identity_of(dtype: np.dtype, identity: float):
    return complex(identity, identity) if dtype.kind == "c" and identity == 0 else identity


def _in_order(rows: np.ndarray, combine) -> np.ndarray:
    """Combines along axis -2 from first to last."""
    total = rows[..., 0, :]
    for row in range(1, rows.shape[-2]):
        total = combine(total, rows[..., row, :])
    return total


def _adjacent_pairs(parts: np.ndarray, combine) -> np.ndarray:
    """Combines along axis -1 as adjacent pairs, level by level; an odd one moves up unchanged."""
    while parts.shape[-1] > 1:
        n_pairs = parts.shape[-1] // 2
        joined = combine(parts[..., 0 : 2 * n_pairs : 2], parts[..., 1 : 2 * n_pairs : 2])
        parts = np.concatenate([joined, parts[..., 2 * n_pairs :]], axis=-1)
    return parts[..., 0]


def along_last(a: np.ndarray, combine, identity: float) -> np.ndarray:
    """Blocks of 2,048: lanes i mod 64, rows in groups of 8, groups pairwise, lanes by halves, blocks pairwise."""
    n = a.shape[-1]
    if n == 1:
        return a[..., 0]
    n_rows = min(-(-n // LANES), ROWS_PER_GROUP)  # fewer only where there is no second group
    n_groups = min(-(-n // (LANES * ROWS_PER_GROUP)), GROUPS)
    n_blocks = -(-n // BLOCK)
    whole = _filled(a, n_blocks * n_groups * n_rows * LANES, identity)
    groups = _in_order(whole.reshape(*a.shape[:-1], n_blocks, n_groups, n_rows, LANES), combine)
    lanes = _adjacent_pairs(np.moveaxis(groups, -2, -1), combine)
    width = LANES
    while width > 1:
        width //= 2
        lanes = combine(lanes[..., :width], lanes[..., width : 2 * width])
    return _adjacent_pairs(lanes[..., 0], combine)


def along_outer(rows: np.ndarray, combine, identity: float) -> np.ndarray:
    """Row results along the last axis: in order in groups of 8, then groups pairwise."""
    n_groups = -(-rows.shape[-1] // ROWS_PER_GROUP)
    groups = _filled(rows, n_groups * ROWS_PER_GROUP, identity).reshape(*rows.shape[:-1], n_groups, ROWS_PER_GROUP, 1)
    return _adjacent_pairs(_in_order(groups, combine)[..., 0], combine)


def reduce(name: str, a: np.ndarray, axes: tuple | None = None, keepdims: bool = False) -> np.ndarray:
    """`sum` or `prod` of a floating array over `axes` (None: all)."""
    combine, identity = COMBINE[name]
    axes = tuple(range(a.ndim)) if axes is None else tuple(axis % a.ndim for axis in axes)
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(a.shape)) if keepdims else None
    kept_shape = tuple(n for axis, n in enumerate(a.shape) if axis not in axes)
    result_type = a.dtype.newbyteorder("=")
    work = a.astype("f4" if result_type == "f2" else result_type)
    long = [axis for axis in range(a.ndim) if a.shape[axis] != 1]
    n_trailing = 0
    while n_trailing < len(long) and long[-1 - n_trailing] in axes:
        n_trailing += 1
    trailing = long[len(long) - n_trailing :]
    outer = [axis for axis in long if axis in axes and axis not in trailing]
    kept = [axis for axis in range(a.ndim) if axis not in axes]
    ones = [axis for axis in range(a.ndim) if axis in axes and a.shape[axis] == 1]
    work = work.transpose(*ones, *kept, *outer, *trailing) if a.ndim else work
    n = int(np.prod([a.shape[axis] for axis in trailing], dtype=int))
    m = int(np.prod([a.shape[axis] for axis in outer], dtype=int))
    work = work.reshape(*kept_shape, m, n)
    with np.errstate(all="ignore"):
        if m == 0 or n == 0:
            total = np.full(kept_shape, _identity_of(work.dtype, identity), work.dtype)
        else:
            total = along_outer(along_last(work, combine, identity), combine, identity)
        if name == "sum":
            total = total + np.zeros((), work.dtype)  # a sum of -0.0 is +0.0, as NumPy's is
        total = total.astype(result_type)
    return total.reshape(shape) if keepdims else total


def mean(a: np.ndarray, axes: tuple | None = None) -> np.ndarray:
    """Integers in float64; float16 in float32, rounded once at the end."""
    native = a.dtype.newbyteorder("=")
    wide = a.astype("f8" if native.kind != "f" else "f4" if native == "f2" else native)
    total = reduce("sum", wide, axes)
    count = a.size // max(total.size, 1)
    quotient = total / wide.dtype.type(count)
    return quotient.astype(native) if native.kind == "f" else quotient


# ---- variances: the same tree, whose parts are (count, mean, rest of the mean, sum of squared distances) -------------


def _halves(lanes: np.ndarray) -> np.ndarray:
    width = lanes.shape[-1]
    while width > 1:
        width //= 2
        lanes = lanes[..., :width] + lanes[..., width : 2 * width]
    return lanes[..., 0]


def _moments(x: np.ndarray, valid: np.ndarray, add) -> tuple:
    """Two passes over one part of the sample: for its mean, then for the distances. `add` adds in the tree's order."""
    zero = x.dtype.type(0)
    n = add(valid.astype(x.dtype))
    mean = np.where(n == 0, zero, add(np.where(valid, x, zero)) / n)
    apart = np.where(valid, x - mean.reshape(*mean.shape, *[1] * (x.ndim - mean.ndim)), zero)
    distances, squares = add(apart), add(apart * apart)
    rest = np.where(n == 0, zero, distances / n)
    corrected = squares - distances * rest
    return n, mean, rest, np.where(corrected < 0, zero, np.where(corrected == corrected, corrected, squares))


def _merge(x: tuple, y: tuple) -> tuple:
    """Chan, Golub & LeVeque (1979), the mean kept in two parts (Knuth's two-sum)."""
    n = x[0] + y[0]
    share = np.where(n == 0, n.dtype.type(0), y[0] / n)
    apart = (y[1] - x[1]) + (y[2] - x[2])
    shift = x[2] + apart * share
    mean = x[1] + shift
    shifted = mean - x[1]
    rest = (x[1] - (mean - shifted)) + (shift - shifted)
    return n, mean, rest, x[3] + y[3] + apart * apart * (x[0] * share)


def _merge_pairs(parts: list) -> tuple:
    while len(parts) > 1:
        merged = [_merge(x, y) for x, y in zip(parts[::2], parts[1::2])]
        parts = merged + parts[2 * len(merged) :]
    return parts[0]


def _in_groups(parts: list) -> tuple:
    """In order in groups of 8, then pairwise."""
    groups = []
    for first in range(0, len(parts), ROWS_PER_GROUP):
        group = parts[first]
        for part in parts[first + 1 : first + ROWS_PER_GROUP]:
            group = _merge(group, part)
        groups.append(group)
    return _merge_pairs(groups)


def _spread_along(x: np.ndarray, valid: np.ndarray) -> tuple:
    """Groups of 512 along the last axis, each by 64 lanes, rows in order, lanes by halves."""
    group, parts = LANES * ROWS_PER_GROUP, []
    for first in range(0, x.shape[-1], group):
        n_rows = -(-min(group, x.shape[-1] - first) // LANES)
        here = [_filled(part[..., first : first + group], n_rows * LANES, 0) for part in (x, valid)]
        here = [part.reshape(*x.shape[:-1], n_rows, LANES) for part in here]
        parts.append(_moments(*here, lambda v: _halves(_in_order(v, np.add))))
    return _merge_pairs(parts)


def _spread_across(x: np.ndarray, valid: np.ndarray) -> tuple:
    """Groups of 8 along the last axis, in order."""
    parts = []
    for first in range(0, x.shape[-1], ROWS_PER_GROUP):
        here = [part[..., first : first + ROWS_PER_GROUP, None] for part in (x, valid)]
        parts.append(_moments(*here, lambda v: _in_order(v, np.add)[..., 0]))
    return _merge_pairs(parts)


def var(a: np.ndarray, axes: tuple | None = None, ddof: int = 0, skip_nan: bool = False) -> np.ndarray:
    """Integers in float64; float16 in float32, rounded once at the end; complex: both parts, added."""
    native = a.dtype.newbyteorder("=")
    if native.kind == "c":
        nan = np.isnan(a) if skip_nan else np.zeros(a.shape, bool)
        hole = a.real.dtype.type("nan")
        with np.errstate(all="ignore"):
            return sum(var(np.where(nan, hole, part), axes, ddof, skip_nan) for part in (a.real, a.imag))
    wide = a.astype("f8" if native.kind != "f" else "f4" if native == "f2" else native)
    axes = tuple(range(a.ndim)) if axes is None else tuple(axis % a.ndim for axis in axes)
    kept_shape = tuple(n for axis, n in enumerate(a.shape) if axis not in axes)
    long = [axis for axis in range(a.ndim) if a.shape[axis] != 1]
    n_trailing = 0
    while n_trailing < len(long) and long[-1 - n_trailing] in axes:
        n_trailing += 1
    trailing = long[len(long) - n_trailing :]
    outer = [axis for axis in long if axis in axes and axis not in trailing]
    kept = [axis for axis in range(a.ndim) if axis not in axes]
    ones = [axis for axis in range(a.ndim) if axis in axes and a.shape[axis] == 1]
    n = int(np.prod([a.shape[axis] for axis in trailing], dtype=int))
    m = int(np.prod([a.shape[axis] for axis in outer], dtype=int))
    work = (wide.transpose(*ones, *kept, *outer, *trailing) if a.ndim else wide).reshape(*kept_shape, m, n)
    with np.errstate(all="ignore"):
        valid = ~np.isnan(work) if skip_nan else np.ones(work.shape, bool)
        if m == 0 or n == 0:
            count, squares = np.zeros(kept_shape, wide.dtype), np.zeros(kept_shape, wide.dtype)
        else:
            if trailing:
                rows = [_spread_along(work[..., row, :], valid[..., row, :]) for row in range(m)]
                count, _, _, squares = _in_groups(rows)
            else:
                count, _, _, squares = _spread_across(work[..., 0], valid[..., 0])
        if skip_nan:
            left = count - wide.dtype.type(ddof)
            result = np.where(left > 0, squares / left, wide.dtype.type("nan"))
        else:
            result = squares / wide.dtype.type(max(m * n - ddof, 0))
    return result.astype(native if native.kind == "f" else "f8")[()]

"""x * y + z in one rounding, by rational arithmetic: what NumPy has no function for."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def fma(x, y, z):
    """The oracle of the engine's fma, over arrays: NumPy's float dtype of the three, float16 by way of float32.

    Raises TypeError for complex numbers, as np.hypot does.
    """
    arrays = np.broadcast_arrays(x, y, z)
    dtype = np.hypot(np.hypot(*(a.ravel()[:1] for a in arrays[:2])), arrays[2].ravel()[:1]).dtype
    wide = np.dtype("f4") if dtype == "f2" else dtype
    values = [a.astype(wide) for a in arrays]
    result = np.empty(arrays[0].shape, wide)
    for at in np.ndindex(result.shape):
        result[at] = rounded(*(float(v[at]) for v in values), wide)
    return result.astype(dtype)


def rounded(x: float, y: float, z: float, dtype: np.dtype):
    if not (math.isfinite(x) and math.isfinite(y)):
        return dtype.type(x) * dtype.type(y) + dtype.type(z)  # NaN, or an infinite product, which is exact
    if not math.isfinite(z):
        return dtype.type(z)
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    if exact == 0:
        return dtype.type(math.copysign(0, x) * math.copysign(1, y) + z if x == 0 or y == 0 else 0)
    try:
        nearest = float(exact)
    except OverflowError:
        return dtype.type(math.inf if exact > 0 else -math.inf)
    if dtype == "f8" or Fraction(nearest) == exact:
        return dtype.type(nearest)
    # To odd, so that the second rounding knows on which side of a tie the truth lies (Boldo & Melquiond 2008).
    if np.float64(nearest).view("u8") % 2 == 0:
        nearest = math.nextafter(nearest, math.inf if exact > nearest else -math.inf)
    return dtype.type(nearest)

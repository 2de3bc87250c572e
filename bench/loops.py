"""numba's form of each case of bench/cases.py: plain loops, a new array for the result.

`prange` is `range` where a function is compiled without `parallel=True`, so one text serves both. Reductions are
compiled with `reassoc`, without which numba cannot vectorise a sum; nothing else departs from strict arithmetic.
"""

import math

import numba
import numpy as np
from numba import prange


def seed(a, b, c):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = 4 * a[i] + 5 * a[i] * b[i] + 6 * b[i] * c[i]
    return out


def seed_float32(a, b, c):
    four, five, six = np.float32(4), np.float32(5), np.float32(6)  # an int64 times a float32 is a float64 in numba
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = four * a[i] + five * a[i] * b[i] + six * b[i] * c[i]
    return out


def polynomial(x):
    out = np.empty_like(x)
    for i in prange(x.size):
        out[i] = ((0.25 * x[i] + 0.75) * x[i] - 1.5) * x[i] - 2
    return out


def predicate(a, b):
    out = np.empty(a.size, np.bool_)
    for i in prange(a.size):
        out[i] = a[i] * b[i] - 4.1 * a[i] > 2.5 * b[i]
    return out


def length(a, b):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = math.sqrt(a[i] * a[i] + b[i] * b[i])
    return out


def where(a):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = a[i] if a[i] - 10 != 0.0 else 2.0
    return out


def mixed_dtypes(i, f, d):
    out = np.empty_like(d)
    for j in prange(d.size):
        out[j] = 2 * i[j] + f[j] * d[j]
    return out


def gaussian(a):
    scale = math.sqrt(2 * math.pi)
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = math.exp(-a[i] * a[i] / 2) / scale
    return out


def trigonometry(a, b):
    out = np.empty_like(a)
    for i in prange(a.size):
        s, c = math.sin(a[i]), math.cos(b[i])
        out[i] = s * s + c * c
    return out


def softplus(a):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = math.log1p(math.exp(a[i]))
    return out


def black_scholes(s, k, r, v, t):
    out = np.empty_like(s)
    for i in prange(s.size):
        root = v[i] * math.sqrt(t[i])
        d1 = (math.log(s[i] / k[i]) + (r[i] + v[i] * v[i] / 2) * t[i]) / root
        out[i] = s[i] / (1 + math.exp(-1.702 * d1)) - k[i] * math.exp(-r[i] * t[i]) / (
            1 + math.exp(-1.702 * (d1 - root))
        )
    return out


def sum_of_product(a, b):
    total = 0.0
    for i in prange(a.size):
        total += a[i] * b[i]
    return total


def sum_axis_0(a):
    # A strip of columns belongs to one thread; its totals stay in L1 while the rows pass by.
    strip = 512
    out = np.zeros(a.shape[1])
    for s in prange((a.shape[1] + strip - 1) // strip):
        start, stop = s * strip, min((s + 1) * strip, a.shape[1])
        for i in range(a.shape[0]):
            for j in range(start, stop):
                out[j] += a[i, j]
    return out


def sum_axis_1(a):
    out = np.empty(a.shape[0])
    for i in prange(a.shape[0]):
        total = 0.0
        for j in range(a.shape[1]):
            total += a[i, j]
        out[i] = total
    return out


def largest(a):
    top = a[0]
    for i in prange(a.size):
        top = max(top, a[i])
    return top


def mean(a):
    total = 0.0
    for i in prange(a.size):
        total += a[i]
    return total / a.size


def strided(a, b):
    out = np.empty(a.size, a.dtype)
    for i in prange(a.size):
        out[i] = 2 * a[i] + 3 * b[i]
    return out


def transposed(a, b):
    tile = 32
    rows, columns = b.shape
    out = np.empty((rows, columns))
    for block in prange((rows + tile - 1) // tile):
        start, stop = block * tile, min((block + 1) * tile, rows)
        for left in range(0, columns, tile):
            for i in range(start, stop):
                for j in range(left, min(left + tile, columns)):
                    out[i, j] = 2 * a[i, j] + 3 * b[i, j]
    return out


def broadcast(a, r, c):
    out = np.empty_like(a)
    for i in prange(a.shape[0]):
        for j in range(a.shape[1]):
            out[i, j] = (a[i, j] - r[j]) * c[i, 0]
    return out


def complex_product(a, b, c):
    out = np.empty_like(a)
    for i in prange(a.size):
        out[i] = a[i] * b[i] + c[i].conjugate()
    return out


def complex_abs(a):
    out = np.empty(a.size)
    for i in prange(a.size):
        out[i] = abs(a[i])
    return out


def nine_points(a, b):
    for i in prange(1, a.shape[0] - 1):
        for j in range(1, a.shape[1] - 1):
            b[i, j] = (
                a[i, j]
                + 0.5 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])
                + 0.25 * (a[i - 1, j - 1] + a[i - 1, j + 1] + a[i + 1, j - 1] + a[i + 1, j + 1])
            )
    return b[1:-1, 1:-1]


def jacobi_step(a, b):
    for i in prange(1, a.shape[0] - 1):
        for j in range(1, a.shape[1] - 1):
            b[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])


REDUCTIONS = (sum_of_product, sum_axis_1, mean, largest)
LOOPS = {
    "seed": seed,
    "seed float32": seed_float32,
    "polynomial": polynomial,
    "bool": predicate,
    "length": length,
    "where": where,
    "mixed dtypes": mixed_dtypes,
    "gaussian": gaussian,
    "trigonometry": trigonometry,
    "softplus": softplus,
    "Black-Scholes": black_scholes,
    "sum of product": sum_of_product,
    "sum axis 0": sum_axis_0,
    "sum axis 1": sum_axis_1,
    "max": largest,
    "mean": mean,
    "strided": strided,
    "transposed": transposed,
    "broadcast": broadcast,
    "complex": complex_product,
    "complex abs": complex_abs,
    "9-point filter": nine_points,
    "100 Jacobi steps": jacobi_step,
}


def compiled(name, parallel):
    """The case's function, compiled when it is first called."""
    loop = LOOPS[name]
    fast = {"reassoc", "nsz"} if loop in REDUCTIONS else False
    return numba.njit(parallel=parallel, fastmath=fast, error_model="numpy")(loop)

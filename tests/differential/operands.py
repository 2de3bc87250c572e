"""Operands as recipes: a buffer of bytes and a strided view into it.

One recipe can be laid out twice, over two copies of the same buffers, so that the oracle and the engine each write
into memory of their own while every overlap between operands is kept. All layouts are one kind of thing here:
reversed, transposed, broadcast (stride 0), unaligned, byte-swapped, 0-d and empty ones differ only in numbers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

DTYPES = (
    "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16",
)  # fmt: skip


@dataclass(slots=True)
class View:
    """A strided view into buffer number `buffer`. `origin` is the offset of element (0, …, 0) in bytes."""

    buffer: int
    origin: int
    dtype: str  # with byte order, as NumPy writes it
    shape: tuple
    strides: tuple

    def array(self, buffers) -> np.ndarray:
        return np.ndarray(self.shape, self.dtype, buffers[self.buffer], self.origin, self.strides)

    def bytes_of(self, buffer: np.ndarray) -> np.ndarray:
        """The bytes it covers, as a view of uint8 with one more axis."""
        size = np.dtype(self.dtype).itemsize
        return np.ndarray((*self.shape, size), "u1", buffer, self.origin, (*self.strides, 1))


def _integers(dtype: np.dtype, generator: np.random.Generator, count: int, wild: bool) -> np.ndarray:
    info = np.iinfo(dtype)
    low = 0 if info.min == 0 else -9
    values = generator.integers(low, 10, count).astype(dtype)
    if wild:
        ends = np.array([info.min, info.max, info.min + 1, info.max - 1, info.max // 2, 0], dtype)
        places = generator.random(count) < 0.4
        values[places] = generator.choice(ends, int(places.sum()))
        noise = generator.random(count) < 0.3
        values[noise] = generator.integers(info.min, info.max, int(noise.sum()), dtype=dtype, endpoint=True)
    return values


def _floats(dtype: np.dtype, generator: np.random.Generator, count: int, wild: bool) -> np.ndarray:
    values = np.round(generator.standard_normal(count) * 8, 2).astype(dtype)
    whole = generator.random(count) < 0.3
    values[whole] = np.rint(values[whole])
    if wild:
        info = np.finfo(dtype)
        special = np.array(
            [
                0.0,
                -0.0,
                np.inf,
                -np.inf,
                np.nan,
                info.tiny,
                -info.smallest_subnormal,
                info.max,
                info.min,
                0.5,
                -1,
                2.5,
                1 + info.eps,
            ],
            dtype,
        )
        places = generator.random(count) < 0.4
        values[places] = generator.choice(special, int(places.sum()))
    return values


def values(dtype: np.dtype, generator: np.random.Generator, count: int, wild: bool) -> np.ndarray:
    """`count` values: small and ordinary, or, if `wild`, rich in the ends of the range, zeros, infinities and NaN."""
    if dtype.kind == "b":
        return generator.random(count) < 0.5
    if dtype.kind in "iu":
        return _integers(dtype, generator, count, wild)
    if dtype.kind == "f":
        return _floats(dtype, generator, count, wild)
    part = np.dtype("f4" if dtype.itemsize == 8 else "f8")
    result = np.empty(count, dtype)
    result.real = _floats(part, generator, count, wild)
    result.imag = _floats(part, generator, count, wild)
    return result


class Pool:
    """Buffers per dtype, byte order, alignment and temper, filled once. Programs read them; who writes copies first."""

    N_ITEMS = 5200
    MARGIN = 16  # bytes before the values, so that an unaligned buffer can start at an odd one

    def __init__(self, seed: int = 7):
        generator = np.random.default_rng(seed)
        self.buffers: list[np.ndarray] = []
        self.of: dict[tuple, int] = {}
        for dtype in DTYPES:
            native = np.dtype(dtype)
            for wild in (False, True):
                drawn = values(native, generator, self.N_ITEMS, wild)
                for swapped in (False, True):
                    stored = drawn.astype(native.newbyteorder(">")) if swapped else drawn
                    for shift in (0, 1):
                        buffer = np.zeros(self.MARGIN + self.N_ITEMS * native.itemsize + 1, "u1")
                        start = self.MARGIN + shift
                        buffer[start : start + stored.nbytes] = np.frombuffer(stored.tobytes(), "u1")
                        self.of[dtype, wild, swapped, shift] = len(self.buffers)
                        self.buffers.append(buffer)


def strided(rng: random.Random, shape: tuple, size: int, limit: int) -> tuple[tuple, int]:
    """Strides for `shape` in some layout, and how far (in bytes, ≥ 0) element (0, …, 0) lies behind the lowest one.

    The extent stays below `limit` items; a layout that would not fit falls back to C order.
    """
    rank = len(shape)
    style = rng.random()
    order = list(range(rank))
    if style > 0.85:
        rng.shuffle(order)
    elif style > 0.7:
        order.reverse()
    gaps = style < 0.45 and style > 0.25
    strides = [0] * rank
    step = size
    for axis in reversed(order):
        if gaps and rng.random() < 0.5:
            step *= rng.choice((2, 3))
        strides[axis] = step
        step *= max(shape[axis], 1)
    if step > limit * size:
        step = size
        for axis in reversed(range(rank)):
            strides[axis] = step
            step *= max(shape[axis], 1)
    behind = 0
    flips = rng.random() < 0.3
    zeros = rng.random() < 0.08
    for axis in range(rank):
        if flips and rng.random() < 0.6:
            behind += strides[axis] * max(shape[axis] - 1, 0)
            strides[axis] = -strides[axis]
        elif zeros and rng.random() < 0.5:
            strides[axis] = 0
    return tuple(strides), behind


def draw(rng: random.Random, pool: Pool, dtype: str, shape: tuple, wild: bool, plain: bool = False) -> View:
    """A view of `shape` over a pool buffer. `plain`: aligned, native, each element at its own address (a target)."""
    size = np.dtype(dtype).itemsize
    odd = rng.random()
    swapped = odd < 0.08 and not plain and dtype not in ("?", "i1", "u1")
    shift = int(0.08 <= odd < 0.16 and not plain)
    strides, behind = strided(rng, shape, size, pool.N_ITEMS // 2)
    if plain and 0 in strides:
        strides, behind = contiguous(shape, size), 0
    extent = behind + sum(max(stride, 0) * max(length - 1, 0) for stride, length in zip(strides, shape)) + size
    room = pool.N_ITEMS * size - extent
    if room < 0 and 0 in shape:  # nothing is read, however long the other axes are
        strides, behind, room = contiguous(shape, size), 0, 0
    origin = pool.MARGIN + shift + behind + rng.randrange(room // size + 1) * size
    order = ">" if swapped else ("" if size == 1 else "<")
    return View(pool.of[dtype, wild, swapped, shift], origin, order + dtype, shape, strides)


def contiguous(shape: tuple, size: int) -> tuple:
    strides = []
    for length in reversed(shape):
        strides.append(size)
        size *= max(length, 1)
    return tuple(reversed(strides))

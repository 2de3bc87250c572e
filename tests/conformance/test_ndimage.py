"""engine.ndimage against scipy.ndimage."""

from __future__ import annotations

import itertools

import engine.ndimage as ours
import numpy as np
import pytest
from scipy import ndimage as oracle

MODES = ("reflect", "mirror", "nearest", "wrap", "constant", "grid-mirror", "grid-wrap", "grid-constant")
SHAPES = ((1,), (2,), (7,), (20,), (1, 1), (2, 5), (6, 9), (20, 3), (3, 4, 5), (1, 2, 3))
FLOATS = (np.float64, np.float32)
ALL = (np.float64, np.float32, np.int32, np.uint8, np.int16)


def array(shape: tuple[int, ...], dtype: type, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random(shape).astype(dtype) if np.dtype(dtype).kind == "f" else rng.integers(0, 100, shape).astype(dtype)


def near(got: np.ndarray, wanted: np.ndarray, ulps: float = 0, scale: float = 1.0) -> None:
    """Equal, or within so many units in the last place of `scale`: what the order of a sum leaves open."""
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    if ulps == 0 or got.dtype.kind in "iu":
        assert np.array_equal(got, wanted)
    else:
        assert np.abs(got - wanted).max(initial=0) <= ulps * scale * np.finfo(got.dtype).eps


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_correlate_and_convolve_are_scipys_bit_for_bit(shape, mode):
    rng = np.random.default_rng(1)
    for dtype, side in itertools.product(ALL, (1, 2, 3, 5)):
        a = array(shape, dtype)
        weights = (
            rng.integers(-3, 4, (side,) * len(shape))
            if np.dtype(dtype).kind in "iu"
            else rng.random((side,) * len(shape))
        )
        for name in ("correlate", "convolve"):
            got = getattr(ours, name)(a, weights, mode=mode, cval=2)
            if np.dtype(dtype).kind == "u" and got.size:  # SciPy's conversion of negative sums to unsigned is undefined
                weights = np.abs(weights)
                got = getattr(ours, name)(a, weights, mode=mode, cval=2)
            near(got, getattr(oracle, name)(a, weights, mode=mode, cval=2))


@pytest.mark.parametrize("origin", [-2, -1, 0, 1, 2])
def test_origins_move_the_footprint_as_scipys(origin):
    a, w = array((7, 8), np.float64), np.random.default_rng(2).random((5, 5))
    near(ours.correlate(a, w, origin=origin), oracle.correlate(a, w, origin=origin))
    near(ours.convolve(a, w, origin=(origin, 0)), oracle.convolve(a, w, origin=(origin, 0)))
    near(ours.correlate1d(a, w[0], 0, origin=origin), oracle.correlate1d(a, w[0], 0, origin=origin))
    near(ours.convolve1d(a, w[0], 1, origin=origin), oracle.convolve1d(a, w[0], 1, origin=origin))
    near(ours.uniform_filter(a, 5, origin=origin), oracle.uniform_filter(a, 5, origin=origin), 8)
    near(ours.maximum_filter(a, 5, origin=origin), oracle.maximum_filter(a, 5, origin=origin))
    near(ours.median_filter(a, 5, origin=origin), oracle.median_filter(a, 5, origin=origin))


@pytest.mark.parametrize("mode", MODES[:5])
@pytest.mark.parametrize("shape", SHAPES)
def test_separable_filters_are_scipys(shape, mode):
    for dtype in ALL:
        a = array(shape, dtype)
        near(ours.gaussian_filter(a, 0.7, mode=mode, cval=2), oracle.gaussian_filter(a, 0.7, mode=mode, cval=2), 4)
        near(ours.laplace(a, mode=mode, cval=2), oracle.laplace(a, mode=mode, cval=2))
        for size in (2, 3, 5):
            got, wanted = (
                ours.uniform_filter(a, size, mode=mode, cval=2),
                oracle.uniform_filter(a, size, mode=mode, cval=2),
            )
            if a.dtype.kind == "f":
                near(got, wanted, 16)
            else:  # SciPy's running sum may fall just below a whole number
                assert np.abs(got.astype(int) - wanted.astype(int)).max(initial=0) <= len(shape)
        if a.dtype.kind != "u":
            near(
                ours.gaussian_filter(a, 0.5, order=1, mode=mode), oracle.gaussian_filter(a, 0.5, order=1, mode=mode), 8
            )
            near(ours.gaussian_laplace(a, 0.6, mode=mode), oracle.gaussian_laplace(a, 0.6, mode=mode), 32, 10)
            for axis in range(len(shape)):
                near(ours.sobel(a, axis, mode=mode), oracle.sobel(a, axis, mode=mode))
                near(ours.prewitt(a, axis, mode=mode), oracle.prewitt(a, axis, mode=mode))


@pytest.mark.parametrize("mode", MODES[:5])
@pytest.mark.parametrize("shape", SHAPES)
def test_extremes_and_medians_are_scipys(shape, mode):
    cross = oracle.generate_binary_structure(len(shape), 1)
    for dtype in ALL:
        a = array(shape, dtype)
        for name in ("minimum_filter", "maximum_filter", "median_filter"):
            mine, theirs = getattr(ours, name), getattr(oracle, name)
            for size in (1, 2, 3, 5) if len(shape) < 3 or name != "median_filter" else (1, 2, 3):
                if name == "median_filter" and mode == "mirror" and len(shape) == 1 and shape[0] < size:
                    continue  # SciPy's own filter of one axis reads beyond such arrays
                near(mine(a, size, mode=mode, cval=2), theirs(a, size, mode=mode, cval=2))
            if name == "median_filter" and mode == "mirror" and shape == (1,):
                continue
            near(mine(a, footprint=cross, mode=mode), theirs(a, footprint=cross, mode=mode))


def test_the_network_finds_the_middle_of_every_number_of_elements():
    rng = np.random.default_rng(3)
    for n in (1, 3, 5, 7, 9, 15, 25, 49, 81):
        a = rng.integers(0, 6, 300).astype(float)
        near(ours.median_filter(a, n), oracle.median_filter(a, n))


def test_complex_numbers_are_weighed():
    rng = np.random.default_rng(4)
    a = rng.random((5, 6)) + 1j * rng.random((5, 6))
    w = rng.random((3, 3)) - 2j * rng.random((3, 3))
    for x, y in ((a, w), (a.real, w), (a, w.real)):
        for name in ("correlate", "convolve"):
            near(getattr(ours, name)(x, y), getattr(oracle, name)(x, y), 16)


def test_outputs_are_arrays_or_dtypes_and_may_be_the_input():
    a = array((6, 7), np.float64)
    near(
        ours.correlate(a, np.ones((3, 3)), output=np.float32),
        oracle.correlate(a, np.ones((3, 3)), output=np.float32),
        1,
        9,
    )
    out = np.empty_like(a)
    assert ours.gaussian_filter(a, 1.0, output=out) is out
    near(out, oracle.gaussian_filter(a, 1.0), 4)
    b = a.copy()
    ours.maximum_filter(b, 3, output=b)
    near(b, oracle.maximum_filter(a, 3))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda a: ours.correlate(a, np.ones(3)), ValueError),
        (lambda a: ours.correlate(a, np.ones((3, 3)), mode="mirrored"), ValueError),
        (lambda a: ours.correlate(a, np.ones((3, 3)), origin=2), ValueError),
        (lambda a: ours.correlate1d(a, np.ones(3), 2), ValueError),
        (lambda a: ours.uniform_filter(a, 0), ValueError),
        (lambda a: ours.median_filter(a, 11), ValueError),
        (lambda a: ours.median_filter(a * 1j, 3), TypeError),
        (lambda a: ours.minimum_filter(a), ValueError),
        (lambda a: ours.gaussian_filter(a, [1, 2, 3]), ValueError),
        (lambda a: ours.correlate(a, np.ones((3, 3)), output=np.empty(3)), ValueError),
        (lambda a: ours.laplace(np.float64(3)), ValueError),
    ],
)
def test_bad_arguments_are_refused(call, error):
    with pytest.raises(error):
        call(array((4, 5), np.float64))

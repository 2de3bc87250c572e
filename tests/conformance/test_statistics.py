"""Partitions, the largest elements, medians and quantiles, searches and counts: NumPy's values, dtypes and shapes."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from tests.bindings.test_threads import in_threads
from tests.conformance.operations import DTYPES
from tests.conformance.test_ordered import is_refused, numbers, same

REAL = [np.dtype(d).char for d in DTYPES if np.dtype(d).kind != "c"]
SHAPES = ((1,), (7,), (300,), (3, 4), (5, 70), (2, 3, 4), (40, 3, 20), (9, 1))
# Around the few that are compared, a piece of a thread, and rows that all threads share.
LENGTHS = (1, 2, 3, 4095, 4096, 4097, 131_073, 262_145, 400_001)


def keys(a: np.ndarray) -> np.ndarray:
    """Numbers in whose order NaN is last and both zeros are one."""
    if a.dtype.kind != "f":
        return a.astype(object) if a.dtype.itemsize == 8 else a.astype("i8")
    return np.where(np.isnan(a), np.inf, a + 0.0).astype("f8") + np.where(np.isnan(a), np.inf, 0)


def partitioned(a: np.ndarray, kth: int) -> np.ndarray:
    """Indices, along the last axis, of what is less than the one in place kth, then its equals, then the others."""
    k = np.array([np.searchsorted(np.unique(row), row) for row in a.reshape(-1, a.shape[-1])]).reshape(a.shape)
    pivot = np.sort(k, -1)[..., kth, None]
    return np.argsort(np.sign(k - pivot), -1, kind="stable")


def largest(a: np.ndarray, k: int) -> np.ndarray:
    ranks = np.array([np.searchsorted(np.unique(row), row) for row in a.reshape(-1, a.shape[-1])]).reshape(a.shape)
    return np.argsort(-ranks, -1, kind="stable")[..., :k]


@pytest.mark.parametrize("dtype", REAL)
def test_partition_and_topk_along_every_axis(dtype):
    for shape in SHAPES:
        a = numbers(shape, dtype)
        for axis in range(-len(shape), len(shape)):
            row = np.moveaxis(a, axis, -1)
            n = row.shape[-1]
            for kth in {0, n // 2, n - 1, -1}:
                wanted = partitioned(row, kth)
                at = {"a": a}
                same(engine.evaluate(f"argpartition(a, {kth}, axis={axis})", at), np.moveaxis(wanted, -1, axis))
                got = engine.evaluate(f"partition(a, {kth}, axis={axis})", at)
                same(got, np.moveaxis(np.take_along_axis(row, wanted, -1), -1, axis))
                same(np.take(got, kth, axis), np.take(np.partition(a, kth, axis), kth, axis))
            for k in {0, 1, n // 2, n}:
                wanted = largest(row, k)
                same(engine.evaluate(f"argtopk(a, {k}, axis={axis})", {"a": a}), np.moveaxis(wanted, -1, axis))
                wanted = np.moveaxis(np.take_along_axis(row, wanted, -1), -1, axis)
                same(engine.evaluate(f"topk(a, {k}, axis={axis})", {"a": a}), wanted)
    a = numbers((5, 6), dtype)
    same(engine.evaluate("topk(a, 4, axis=None)", {"a": a}), np.sort(a, None)[::-1][:4])
    same(engine.evaluate("sort(partition(a, 7, axis=None))", {"a": a}), np.sort(a, None))


@pytest.mark.parametrize("dtype", ("f8", "f4", "i8", "u2", "i1"))
@pytest.mark.parametrize("n", LENGTHS)
def test_long_rows_by_many_threads(dtype, n):
    rng = np.random.default_rng(n)
    few = rng.integers(-9 if np.dtype(dtype).kind != "u" else 0, 9, n).astype(dtype)
    wide = (rng.standard_normal(n) * 10.0 ** rng.uniform(-9, 4, n)).astype(dtype) if dtype[0] == "f" else few
    for a in (few, wide, np.sort(wide), np.full(n, 3, dtype)):
        ordered = np.sort(a)
        for threads in (1, 3):
            run = lambda text: engine.evaluate(text, {"a": a, "k": n // 3}, threads=threads)  # noqa: B023, E731
            got = run("partition(a, k)")
            k = n // 3
            assert got[k] == ordered[k] and (got[:k] <= got[k]).all() and (got[k:] >= got[k]).all()
            same(np.sort(got), ordered)
            same(run("topk(a, k)"), ordered[::-1][:k])
            same(run("median(a)"), np.median(a))
            with np.errstate(all="ignore"):
                same(run("quantile(a, 0.9)"), np.quantile(a, 0.9))


@pytest.mark.parametrize("dtype", REAL)
def test_median_and_quantile_along_every_axis(dtype):
    for shape in SHAPES:
        a = numbers(shape, dtype)
        for axis in (None, *range(-len(shape), len(shape))):
            with np.errstate(all="ignore"):
                same(engine.evaluate(f"median(a, axis={axis})", {"a": a}), np.median(a, axis))
            if dtype == "?":
                continue  # NumPy subtracts no booleans
            for q in (0.0, 0.25, 0.5, 0.77, 1.0):
                got = engine.evaluate(f"quantile(a, q, axis={axis})", {"a": a, "q": q})
                wanted = np.quantile(a, q, axis)
                assert got.dtype == wanted.dtype and got.shape == wanted.shape
                # Of float16 NumPy computes the place in float16.
                np.testing.assert_allclose(
                    got, wanted, rtol=0, atol=0.1 if dtype == "e" else 1e-12 if dtype != "f" else 1e-5
                )
                percent = engine.evaluate(f"percentile(a, p, axis={axis})", {"a": a, "p": 100 * q})
                np.testing.assert_allclose(percent, got, rtol=1e-2 if dtype == "e" else 1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ("f4", "f8"))
def test_quantiles_have_numpys_bits(dtype):
    rng = np.random.default_rng(3)
    for n in (1, 2, 3, 10, 101, 5000):
        a = rng.standard_normal(n).astype(dtype)
        for q in rng.uniform(0, 1, 40):
            same(engine.evaluate("quantile(a, q)", {"a": a, "q": float(q)}), np.quantile(a, float(q)))


def test_nan_spoils_medians_and_no_elements_have_none():
    a = np.array([[1.0, np.nan, 3], [4, 5, 6]])
    same(engine.evaluate("median(a, axis=1)", {"a": a}), np.array([np.nan, 5.0]))
    same(engine.evaluate("quantile(a, 0.5)", {"a": a}), np.float64(np.nan))
    long = np.arange(300_000.0)
    long[12345] = np.nan
    same(engine.evaluate("median(a)", {"a": long}), np.float64(np.nan))
    same(engine.evaluate("median(a, axis=1)", {"a": np.zeros((3, 0))}), np.full(3, np.nan))
    same(engine.evaluate("median(a)", {"a": np.zeros(0)}), np.float64(np.nan))
    same(engine.evaluate("median(a, axis=0)", {"a": np.zeros((3, 0))}), np.zeros(0))
    same(engine.evaluate("topk(a, 2)", {"a": np.array([1.0, np.nan, 3])}), np.array([np.nan, 3.0]))
    same(
        engine.evaluate("median(abs(a - median(a)))", {"a": np.arange(9.0) ** 2}),
        np.median(np.abs(np.arange(9.0) ** 2 - 16)),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_searchsorted_is_numpys(dtype):
    for n in (0, 1, 2, 7, 100, 5000):
        a = np.sort(numbers(n, dtype))
        for shape in ((), (3,), (40, 5), (0, 2), (70_001,)):
            v = numbers(shape, dtype, 9)
            same(engine.evaluate("searchsorted(a, v)", {"a": a, "v": v}), np.searchsorted(a, v))
            same(engine.evaluate("searchsorted(a, v, right=True)", {"a": a, "v": v}), np.searchsorted(a, v, "right"))
    a, v = np.array([0.0, 1, 2, np.nan, np.nan]), np.array([np.nan, -np.inf, np.inf, -0.0, 1])
    for right in (False, True):
        got = engine.evaluate(f"searchsorted(a, v, right={right})", {"a": a, "v": v})
        same(got, np.searchsorted(a, v, "right" if right else "left"))
    same(
        engine.evaluate("searchsorted(a, i*0.5)", {"a": np.arange(9), "i": np.arange(5)}),
        np.searchsorted(np.arange(9), np.arange(5) * 0.5),
    )
    same(engine.evaluate("searchsorted(sort(b), b)", {"b": np.array([3, 1, 2])}), np.array([2, 0, 1]))


@pytest.mark.parametrize("dtype", ("?", "i1", "u1", "i4", "i8", "u8"))
def test_bincount_is_numpys(dtype):
    rng = np.random.default_rng(2)
    for n in (0, 1, 9, 70_001, 300_000):
        for most in (1, 2, 100):
            x = rng.integers(0, most, n).astype(dtype)
            w = rng.standard_normal(n)
            for threads in (1, 3):
                run = lambda text: engine.evaluate(text, {"x": x, "w": w}, threads=threads)  # noqa: B023, E731
                counted = x.astype("i8")
                same(run("bincount(x)"), np.bincount(counted))
                same(run("bincount(x, minlength=50)"), np.bincount(counted, minlength=50))
                if n:  # of none NumPy forgets that it has weights
                    same(run("bincount(x, weights=w)"), np.bincount(counted, w))
    wide = rng.integers(0, 100_000, 200_000)
    same(engine.evaluate("bincount(x)", {"x": wide}, threads=3), np.bincount(wide))
    same(
        engine.evaluate("bincount(int64(floor(a)) + 3, w)", {"a": np.arange(-3, 3, 0.5), "w": np.arange(12)}),
        np.bincount(np.arange(12) // 2, np.arange(12)),
    )


@pytest.mark.parametrize("dtype", [d for d in REAL if d not in "?e"])
def test_histogram_is_numpys(dtype):
    for n in (1, 2, 1000, 150_001):
        a = numbers(n, dtype)
        for bins in (1, 7, 10, 1000):
            counts, edges = np.histogram(a, bins)
            for threads in (1, 3):
                same(engine.evaluate("histogram(a, bins=n)", {"a": a, "n": bins}, threads=threads), counts)
            same(engine.evaluate("histogram_edges(a, bins=n)", {"a": a, "n": bins}), edges)
            counts, edges = np.histogram(a, bins, (-3, 2.5))
            same(engine.evaluate("histogram(a, n, range=(-3, 2.5))", {"a": a, "n": bins}), counts)
            same(engine.evaluate("histogram_edges(a, n, range=(-3, 2.5))", {"a": a, "n": bins}), edges)
    same(engine.evaluate("histogram(a)", {"a": np.zeros(0)}), np.histogram(np.zeros(0))[0])
    same(
        engine.evaluate("histogram(a, 4, range=(2, 2))", {"a": np.arange(5)}), np.histogram(np.arange(5), 4, (2, 2))[0]
    )
    m = numbers((20, 30), dtype)
    same(engine.evaluate("histogram(m.T, 5)", {"m": m}), np.histogram(m, 5)[0])
    h = engine.evaluate("h = histogram(m, 5); h / sum(h)", {"m": m})
    same(h, np.histogram(m, 5)[0] / m.size)


def test_values_on_edges_fall_where_numpy_puts_them():
    for bins in (3, 7, 10, 49):
        edges = np.linspace(0.1, 0.7, bins + 1)
        a = np.concatenate([edges, np.nextafter(edges, 1), np.nextafter(edges, 0)])
        for x in (a, a.astype("f4")):
            same(engine.evaluate("histogram(x, n)", {"x": x, "n": bins}), np.histogram(x, bins)[0])


@pytest.mark.parametrize("dtype", ("f4", "f8"))
def test_bounds_that_leave_no_room_are_refused_as_by_numpy(dtype):
    one, tiny, most = np.ones((), dtype), np.finfo(dtype).smallest_subnormal, np.finfo(dtype).max
    for a in ([0, tiny], [one, np.nextafter(one, 2 * one)], [-most, 0, most], [0, 9 * tiny]):
        a = np.array(a, dtype)
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="Too many bins"):
            np.histogram(a, 10)
        for name in ("histogram", "histogram_edges"):
            with pytest.raises(engine.RangeError, match="leave no room for so many bins"):
                engine.evaluate(f"{name}(a, 10)", {"a": a})
    a = np.arange(11, dtype=dtype) * np.finfo(dtype).smallest_subnormal
    same(engine.evaluate("histogram(a, 10)", {"a": a}), np.histogram(a, 10)[0])


def test_what_is_not_a_number_is_in_no_bin():
    a = np.array([0.0, np.nan, 1, 2, np.inf, -np.inf, 2])
    same(engine.evaluate("histogram(a, 2, range=(0, 2))", {"a": a}), np.array([1, 3]))


ERRORS = {
    "partition(a, 4)": (engine.ShapeError, "place 4 of 4 elements"),
    "partition(a, -5)": (engine.ShapeError, "valid are -4 to 3"),
    "topk(a, 5)": (engine.ShapeError, "the 5 largest of 4 elements"),
    "topk(a, -1)": (engine.RangeError, "k is negative"),
    "topk(a, b)": (engine.DTypeError, "'k' is one whole number"),
    "histogram(a, 2.5)": (engine.DTypeError, "'bins' is one whole number"),
    "partition(a, True)": (engine.DTypeError, "'kth' is one whole number"),
    "topk(z, 1)": (engine.DTypeError, "'topk' does not work on complex numbers"),
    "median(z)": (engine.DTypeError, "take .real"),
    "median(a, axis=3)": (engine.ShapeError, "axis 3 is out of range"),
    "quantile(a, 1.5)": (engine.RangeError, "a quantile's fraction lies between 0 and 1"),
    "quantile(a, nan)": (engine.RangeError, "between 0 and 1"),
    "quantile(a, a)": (engine.DTypeError, "the fraction is one real number"),
    "percentile(a, -1)": (engine.RangeError, "percentile takes percents"),
    "searchsorted(m, 1)": (engine.ShapeError, "what is searched has one axis, not 2"),
    "searchsorted(a, 1, right=a)": (engine.DTypeError, "right is True or False"),
    "bincount(a)": (engine.DTypeError, "'bincount' counts whole numbers"),
    "bincount(i - 1)": (engine.RangeError, "there are negative numbers"),
    "bincount(m > 0)": (engine.ShapeError, "'bincount' takes one axis, not 2"),
    "bincount(i, a[1:])": (engine.ShapeError, "weights have the length of what they weigh"),
    "bincount(i, minlength=-1)": (engine.RangeError, "minlength is negative"),
    "histogram(a, 0)": (engine.RangeError, "0 bins"),
    "histogram(a, range=3)": (engine.DTypeError, "range is a pair of numbers"),
    "histogram(a, range=(3, 1))": (engine.RangeError, "ends before it begins"),
    "histogram(a, range=(0, inf))": (engine.RangeError, "a histogram's bounds are finite"),
    "histogram(a/0)": (engine.RangeError, "a[isfinite(a)]"),
    "histogram(z)": (engine.DTypeError, "complex"),
}


@pytest.mark.parametrize("text", ERRORS)
def test_what_is_wrong_is_said_with_a_caret(text):
    names = {"a": np.arange(4.0), "b": np.ones(4), "z": np.ones(3, complex), "i": np.arange(4), "m": np.ones((3, 4))}
    is_refused(text, names, *ERRORS[text])


def test_what_was_written_before_values_are_refused_is_as_it_was():
    x, i = np.zeros(3), np.array([1, -1])
    with pytest.raises(engine.RangeError):
        engine.evaluate("x[...] = 1; bincount(i)", {"x": x, "i": i})
    with pytest.raises(engine.RangeError):
        engine.evaluate("x += 1; x[...] = quantile(x, q)", {"x": x, "q": 2.0})
    assert not x.any()
    with pytest.raises(engine.Error):
        engine.evaluate("bincount(i)", {"i": np.array([1 << 60])})


def test_they_stand_wherever_a_value_may():
    rng = np.random.default_rng(5)
    a = rng.standard_normal((30, 8))
    same(
        engine.evaluate("(a - median(a, axis=0)) / quantile(a, 0.75, axis=0)", {"a": a}),
        (a - np.median(a, 0)) / np.quantile(a, 0.75, 0),
    )
    same(engine.evaluate("a[a > median(a)]", {"a": a}), a[a > np.median(a)])
    same(engine.evaluate("max(bincount(unique_inverse(x)))", {"x": np.array([3, 1, 3])}), np.int64(2))
    same(engine.evaluate("topk(a, 3)[:, 0] - max(a, axis=1)", {"a": a}), np.zeros(30))
    out = np.zeros(8, "f4")
    engine.evaluate("median(a, axis=0)", {"a": a}, out=out)
    same(out, np.median(a, 0).astype("f4"))
    same(engine.evaluate("median(a.T[::2])", {"a": a}), np.median(a.T[::2]))


def test_eight_threads_share_one_program():
    program = engine.compile("median(a) + topk(a, 5) + bincount(int64(abs(a)))[0]")

    def work(seed: int) -> None:
        a = numbers(50_000, "f8", seed)
        wanted = np.median(a) + np.sort(a)[::-1][:5] + np.bincount(np.abs(a).astype("i8"))[0]
        for _ in range(20):
            same(program(a=a), wanted)

    in_threads(8, work)

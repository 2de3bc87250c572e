"""Reductions: the fixed tree bit for bit in any layout, NumPy's dtypes and identities, error no worse than pairwise."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import engine
from tests.conformance import tree
from tests.conformance.operations import DTYPES, Complaints, special
from tests.differential import oracle
from tests.differential.oracle import Value

FLOATS = ("f2", "f4", "f8", "c8", "c16")
# Around every edge of the tree: lanes (64), rows (512), groups, blocks (2,048), pairs of blocks.
LENGTHS = (
    1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 511, 512, 513, 575, 576, 1023, 1024, 1025, 1536, 1537,
    1600, 2047, 2048, 2049,
    2111, 2112, 2113, 3000, 4095, 4096, 4097, 6143, 6144, 6145, 8192, 10240, 10241, 14337, 20000,
)  # fmt: skip
SHAPES = (
    (3, 4), (5, 70), (1, 70), (70, 1), (9, 2100), (2100, 9), (17, 33), (8, 8), (7, 3, 65), (2, 9, 4, 5),
    (1, 9, 1, 70), (3, 1, 1, 1), (33, 20, 2),
    (2, 2, 2, 2, 2, 2), (16, 1, 40), (25, 130), (1, 1), (100, 2), (2, 3, 2100),
)  # fmt: skip


def numbers(shape, dtype: str, seed: int = 5) -> np.ndarray:
    """Values over several orders of magnitude, so that another order of additions shows."""
    generator = np.random.default_rng(seed)
    spread = 3 if dtype == "f2" else 6
    draw = lambda: generator.standard_normal(shape) * 10.0 ** generator.uniform(-spread, 0, shape)  # noqa: E731
    return (draw() + 1j * draw() if dtype[0] == "c" else draw()).astype(dtype)


def factors(shape, dtype: str) -> np.ndarray:
    """Values around 1, whose product neither overflows nor vanishes (but in float16)."""
    return np.exp(np.random.default_rng(6).uniform(-0.3, 0.3, shape)).astype(dtype)


def same_bits(result, wanted) -> bool:
    ours, theirs = np.asarray(result), np.asarray(wanted)
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


def axes_of(rank: int):
    return [axes for count in range(1, rank + 1) for axes in itertools.combinations(range(rank), count)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", LENGTHS)
def test_sum_of_a_line_is_the_tree(dtype, length):
    x = numbers(length, dtype)
    assert same_bits(engine.evaluate("sum(x)", {"x": x}), tree.reduce("sum", x))


@pytest.mark.parametrize("dtype", ("f2", "f4", "f8"))
@pytest.mark.parametrize("length", LENGTHS)
def test_product_of_a_line_is_the_tree(dtype, length):
    x = factors(length, dtype)
    assert same_bits(engine.evaluate("prod(x)", {"x": x}), tree.reduce("prod", x))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sum_over_axes_is_the_tree(dtype, shape):
    x = numbers(shape, dtype)
    for axes in axes_of(len(shape)):
        wanted = tree.reduce("sum", x, axes)
        assert same_bits(engine.evaluate(f"sum(x, axis={axes})", {"x": x}), wanted), axes
        kept = tree.reduce("sum", x, axes, keepdims=True)
        assert same_bits(engine.evaluate(f"sum(x, axis={axes}, keepdims=True)", {"x": x}), kept), axes


@pytest.mark.parametrize("dtype", ("f2", "f4", "f8", "i4", "u1", "i8", "?"))
@pytest.mark.parametrize("shape", SHAPES[:9], ids=str)
def test_mean_is_the_tree_divided_once(dtype, shape):
    x = numbers(shape, dtype) if dtype[0] == "f" else np.random.default_rng(1).integers(0, 100, shape).astype(dtype)
    for axes in axes_of(len(shape)):
        assert same_bits(engine.evaluate(f"mean(x, axis={axes})", {"x": x}), tree.mean(x, axes)), axes


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("length", LENGTHS)
def test_variance_of_a_line_is_the_tree(dtype, length):
    x = numbers(length, dtype) + np.array(3, dtype)
    assert same_bits(engine.evaluate("var(x)", {"x": x}), tree.var(x))
    x[:: max(1, length // 3)] = np.nan
    assert same_bits(engine.evaluate("nanvar(x, ddof=1)", {"x": x}), tree.var(x, ddof=1, skip_nan=True))


@pytest.mark.parametrize("dtype", (*FLOATS, "i4", "u1", "i8", "?"))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_variance_over_axes_is_the_tree(dtype, shape):
    x = numbers(shape, dtype) if dtype[0] in "fc" else np.random.default_rng(1).integers(0, 100, shape).astype(dtype)
    for axes in axes_of(len(shape)):
        result = engine.evaluate(f"var(x, axis={axes}, ddof=2)", {"x": x})
        assert same_bits(result, tree.var(x, axes, 2)), axes


def _layouts(x: np.ndarray) -> dict:
    room = np.zeros([2 * n for n in x.shape], x.dtype)
    spread = room[tuple(slice(None, None, 2) for _ in x.shape)]
    spread[...] = x
    flipped = tuple(slice(None, None, -1) for _ in x.shape)
    loose = np.zeros(x.nbytes + 1, "u1")
    unaligned = np.ndarray(x.shape, x.dtype, loose, 1)
    unaligned[...] = x
    return {
        "C": np.ascontiguousarray(x),
        "F": np.asfortranarray(x),
        "strided": spread,
        "reversed": np.ascontiguousarray(x[flipped])[flipped],
        "last axis first": np.moveaxis(np.ascontiguousarray(np.moveaxis(x, -1, 0)), 0, -1),
        "unaligned": unaligned,
        "byte-swapped": x.astype(x.dtype.newbyteorder("S")),
    }


@pytest.mark.parametrize("reduction", ("sum", "prod", "mean", "min", "max", "var", "nanvar"))
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", ((5, 70), (9, 2100), (7, 3, 65), (4100,), (150, 131), (9, 4100)), ids=str)
def test_bits_do_not_depend_on_the_layout(reduction, dtype, shape):
    x = factors(shape, dtype) if reduction == "prod" else numbers(shape, dtype)
    layouts = _layouts(x)
    for axes in [None, *axes_of(len(shape))]:
        text = f"{reduction}(x, axis={axes})"
        wanted = engine.evaluate(text, {"x": layouts["C"]})
        for name, laid in layouts.items():
            assert same_bits(engine.evaluate(text, {"x": laid}), wanted), (name, axes)


@pytest.mark.parametrize("reduction", ("sum", "mean"))
def test_an_expression_reduces_as_its_values_would(reduction):
    x, y = numbers((33, 130), "f4"), numbers((33, 1), "f4", 9)
    for axes in (None, (0,), (1,)):
        fused = engine.evaluate(f"{reduction}(x*y + 1, axis={axes})", {"x": x, "y": y})
        stored = engine.evaluate(f"{reduction}(z, axis={axes})", {"z": x * y + np.float32(1)})
        assert same_bits(fused, stored)


@pytest.mark.parametrize("reduction", ("sum", "var", "nanvar"))
@pytest.mark.parametrize(
    "shape, axis", (((3, 50001), 1), ((50001, 3), 0), ((7, 3, 9001), (0, 2)), ((300, 5000), 0), ((600_001,), None))
)
def test_bits_do_not_depend_on_threads(reduction, shape, axis):
    x = numbers(shape, "f4")
    text = f"{reduction}(x, axis={axis})"
    results = {engine.evaluate(text, {"x": x}, threads=threads).tobytes() for threads in (None, 1, 2, 3, 5)}
    assert len(results) == 1


BITS = """
import hashlib, sys, numpy as np, engine
x = np.random.default_rng(3).standard_normal((300, 777)) * 1e3 + 5e5
digest = hashlib.sha256()
for dtype in ("f4", "f8", "c8", "c16", "i4"):
    a = (x + 1j * x[::-1] if dtype[0] == "c" else x).astype(dtype)
    for reduction in ("sum", "mean", "var", "nanvar", "max", "min"):
        for axis in (None, 0, 1):
            for laid in (a, np.asfortranarray(a), a[::2, ::-1]):
                digest.update(np.ascontiguousarray(engine.evaluate(f"{reduction}(a, axis={axis})", {"a": laid})))
    digest.update(np.ascontiguousarray(engine.evaluate("a*a + conj(a)*2 - a", {"a": a})))
print(engine._core._build_info()["instruction_set"], digest.hexdigest())
"""


def test_bits_do_not_depend_on_the_instruction_set():
    digests = {}
    for name in ("generic", "avx2", "avx512"):
        environment = os.environ | {"ENGINE_ISA": name}
        out = subprocess.run([sys.executable, "-c", BITS], env=environment, check=True, capture_output=True, text=True)
        used, digest = out.stdout.split()
        digests[used] = digest
    assert len(set(digests.values())) == 1, digests


@pytest.mark.parametrize(
    "dtype, centre", (("f8", 0.0), ("f8", 1e8), ("f8", -3e12), ("f4", 1.0), ("f4", 1e4), ("f4", -3e6))
)
@pytest.mark.parametrize("shape, axis", (((1_000_003,), None), ((3, 70_001), 1), ((70_001, 3), 0), ((20_000, 3), 1)))
def test_variance_is_no_less_exact_than_numpys(dtype, centre, shape, axis):
    """A large mean costs no digits; the truth is computed in long doubles from the same numbers."""
    for seed in range(3):
        x = (centre + np.random.default_rng(seed).normal(size=shape)).astype(dtype)
        long = x.astype("longdouble")
        truth = np.mean((long - long.mean(axis=axis, keepdims=True)) ** 2, axis=axis)
        relative = lambda v: float(np.max(np.abs(v - truth) / np.maximum(truth, 1e-300)))  # noqa: B023, E731
        ours, theirs = engine.evaluate(f"var(x, axis={axis})", {"x": x}), np.var(x, axis=axis)
        assert relative(ours) <= max(relative(theirs), 8 * np.finfo(dtype).eps), (relative(ours), relative(theirs))


def test_variance_overflows_to_infinity_as_numpys():
    for x in (np.array([1e200, -1e200] * 700), np.array([3.7e300] * 7), np.array([1e155, 2e155, 9e154])):
        with np.errstate(over="ignore"):
            assert engine.evaluate("var(x)", {"x": x}) == np.var(x) == np.inf


def test_variance_of_equal_elements_is_zero():
    for value in (0.1, 1e8 / 3, 1e-300, 3.7e100):
        for n in (1, 3, 7, 511, 513, 5000):
            assert engine.evaluate("var(x)", {"x": np.full(n, value)}) == 0


@pytest.mark.parametrize("dtype", ("f2", "f4", "f8", "c8", "c16", "i4", "?"))
def test_variance_where_a_mask_is_true(dtype):
    generator = np.random.default_rng(12)
    x = (generator.normal(size=(40, 70)) * 9 + (1j * generator.normal(size=(40, 70)) if dtype[0] == "c" else 0)).astype(
        dtype
    )
    if dtype[0] in "fc":
        x[3, 5], x[7, 7], x[9, 0] = np.nan, np.nan, np.inf
    m = generator.random(x.shape) < 0.4
    m[3, 5], m[7, 7], m[:, 9], m[11, :], m[12, :], m[12, 3] = True, False, False, False, False, True
    tolerance = 3e-3 if dtype == "f2" else 1e-5 if dtype in ("f4", "c8") else 1e-12
    for axis in (None, 0, 1, (0, 1)):
        for ddof in (0, 1, 3, 5000):
            for mask in (m, m[5], np.True_, False):
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    wanted = np.var(x.astype("f8") if dtype == "f2" else x, axis=axis, ddof=ddof, where=mask)
                wanted = np.asarray(wanted, "f2" if dtype == "f2" else None)
                for name, want in (("var", wanted), ("std", np.sqrt(wanted))):
                    text = f"{name}(x, axis={axis}, ddof={ddof}, where=m)"
                    result = np.asarray(engine.evaluate(text, {"x": x, "m": mask}))
                    assert result.dtype == want.dtype and result.shape == want.shape, text
                    assert np.allclose(result, want, rtol=tolerance, atol=0, equal_nan=True), text


@pytest.mark.parametrize("name", ("var", "std", "nanvar", "nanstd", "mean", "nanmean"))
@pytest.mark.parametrize("dtype", ("f4", "f8"))
def test_dtype_of_a_moment_is_that_of_its_accumulator(name, dtype):
    """Of integers, where a cast before and NumPy's cast on the way come to the same."""
    x = np.random.default_rng(5).integers(-1000, 1000, (30, 50)).astype("i2")
    m = x % 3 != 0
    for axis in (None, 0, 1):
        for keyword in ("", ", where=m"):
            text = f"{name}(x, axis={axis}, dtype={np.dtype(dtype)}{keyword})"
            result = np.asarray(engine.evaluate(text, {"x": x, "m": m}))
            wanted = getattr(np, name)(x.astype(dtype), axis=axis, dtype=dtype, where=m if keyword else True)
            assert result.dtype == dtype and np.allclose(result, wanted, rtol=1e-5 if dtype == "f4" else 1e-12), text


def test_nanvar_of_too_few_is_nan():
    x = np.array([[np.nan, np.nan, np.nan], [1, np.nan, np.nan], [1, 2, np.nan], [1, np.inf, 3]])
    for ddof in (0, 1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = np.nanvar(x, axis=1, ddof=ddof)
        result = engine.evaluate("nanvar(x, axis=1, ddof=d)", {"x": x, "d": ddof})
        assert np.allclose(result, wanted, equal_nan=True), ddof


@pytest.mark.parametrize(
    "text, kernels",
    (
        ("mean(a)*0 + var(a) + max(a) - min(a)", 2),
        ("(a - mean(a)) / std(a)", 2),
        ("mean(a, axis=0) + var(a, axis=0, ddof=1) + nanvar(a, axis=0)", 2),
        ("var(a, axis=1, where=a > 0)", 2),
    ),
)
def test_reductions_of_one_operand_share_one_sweep(text, kernels):
    explanation = engine.explain(text, {"a": np.ones((30, 40))})
    assert explanation.totals["kernels"] == kernels
    assert str(explanation).count("load a") <= 2


@pytest.mark.parametrize("dtype", ("f4", "f8"))
@pytest.mark.parametrize("length", (1000, 20000, 300_001))
def test_error_is_within_the_pairwise_bound(dtype, length):
    """Higham, Accuracy and Stability, §4.2: depth·u·Σ|x|; NumPy adds 128/8 in order, then 8 lanes, then pairs."""
    for seed in range(5):
        x = numbers(length, dtype, seed)
        exact = math.fsum(x.astype("f8"))
        unit = float(np.finfo(dtype).eps) / 2
        depth = 16 + 3 + max(0, math.ceil(math.log2(length / 128)))
        error = abs(float(engine.evaluate("sum(x)", {"x": x})) - exact)
        assert error <= depth * unit * math.fsum(np.abs(x.astype("f8")))


def test_float16_is_summed_in_float32_and_rounded_once():
    x = np.full(5000, 1.0, "f2")
    assert engine.evaluate("sum(x)", {"x": x}) == np.float16(5000)  # a float16 accumulator stops at 2,048


@pytest.mark.parametrize("shape, axis", (((1,), None), ((3,), None), ((2, 3), 0), ((2, 3), 1), ((1, 2), 0), ((), None)))
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_sum_of_negative_zeros_is_zero(shape, axis, dtype):
    x = np.full(shape, -0.0, dtype)
    if dtype[0] == "c":
        x.imag = -0.0
    assert same_bits(engine.evaluate(f"sum(x, axis={axis})", {"x": x}), np.sum(x, axis=axis))


@pytest.mark.parametrize("reduction", sorted(oracle.REDUCTIONS))
@pytest.mark.parametrize("shape", ((2, 3, 4), (1, 3), (6, 1), (), (1,), (513,)), ids=str)
def test_axes_and_keepdims(reduction, shape):
    walk = Complaints()
    rank = len(shape)
    choices = [None, (), *range(-rank, rank), *axes_of(rank)]
    for dtype in DTYPES:
        x = (np.arange(math.prod(shape)).reshape(shape) % 3 + 1).astype(dtype)
        for axis in choices:
            for keepdims in (False, True):
                keywords = {"axis": axis, "keepdims": keepdims}
                step = lambda x=x, keywords=keywords: oracle.reduction(reduction, Value(x), keywords)  # noqa: E731
                walk.check(f"{dtype}, {shape}", f"{reduction}(x, axis={axis}, keepdims={keepdims})", {"x": x}, step)
    walk.none_of(at_least=len(choices) * 28)


@pytest.mark.parametrize("reduction", ("min", "max", "any", "all", "count_nonzero", "sum", "prod"))
def test_special_values(reduction):
    walk = Complaints()
    for dtype in DTYPES:
        if dtype.kind == "c" and reduction in ("sum", "prod"):
            continue
        values = special(dtype)
        for x in (values, values[::-1], np.repeat(values, 40), values[:1], np.concatenate([values] * 3).reshape(3, -1)):
            for axis in (None, 0, -1):
                step = lambda x=x, axis=axis: oracle.reduction(reduction, Value(x), {"axis": axis})  # noqa: E731
                walk.check(f"{dtype}", f"{reduction}(x, axis={axis})", {"x": x}, step)
    walk.none_of(at_least=180)


@pytest.mark.parametrize("reduction", sorted(oracle.REDUCTIONS))
@pytest.mark.parametrize("shape", ((0,), (0, 3), (3, 0), (0, 0), (2, 0, 3)), ids=str)
def test_empty_gives_the_identity_or_an_error(reduction, shape):
    for dtype in DTYPES:
        x = np.zeros(shape, dtype)
        for axis in (None, *range(len(shape))):
            text = f"{reduction}(x, axis={axis})"
            try:
                with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
                    patch.setattr("warnings.warn", lambda *args, **kwargs: None)
                    wanted = oracle.REDUCTIONS[reduction](x, axis=axis)
            except ValueError:
                with pytest.raises(engine.ShapeError):
                    engine.evaluate(text, {"x": x})
                continue
            result = engine.evaluate(text, {"x": x})
            wanted = np.int64(wanted) if type(wanted) is int else wanted
            assert result.dtype == wanted.dtype and np.array_equal(
                result, wanted, equal_nan=wanted.dtype.kind in "fc"
            ), (text, dtype)


@pytest.mark.parametrize("axis", (2, -3, (0, 0), (0, -2), (0, 5)), ids=str)
def test_wrong_axes_are_refused(axis):
    with pytest.raises(engine.ShapeError):
        engine.evaluate(f"sum(x, axis={axis})", {"x": np.ones((2, 3))})


def test_integer_sums_wrap_at_64_bits():
    x = np.array([2**63 - 1, 1, 5], "i8")
    assert engine.evaluate("sum(x)", {"x": x}) == np.sum(x)
    y = np.array([2**64 - 1, 3], "u8")
    assert engine.evaluate("sum(y)", {"y": y}) == np.uint64(2)
    assert engine.evaluate("prod(x)", {"x": x}) == np.prod(x)


def test_mean_of_large_integers_does_not_wrap():
    x = np.full(5, 2**62, "i8")
    assert engine.evaluate("mean(x)", {"x": x}) == 2.0**62


def test_reductions_of_reductions_and_beside_arrays():
    x = numbers((6, 70), "f8")
    centred = engine.evaluate("(x - mean(x, axis=1, keepdims=True))/max(abs(x))", {"x": x})
    mean = tree.mean(x, (1,))[:, None]
    assert same_bits(centred, (x - mean) / np.max(np.abs(x)))
    assert same_bits(engine.evaluate("sum(sum(x, axis=1))", {"x": x}), tree.reduce("sum", tree.reduce("sum", x, (1,))))


INITIALS = (2, 1.5, -1, 300, True, False, 2 + 1j, np.float32(2.5), np.int16(3), np.float64(1.25), np.nan, 1e300)


@pytest.mark.parametrize("dtype", ("?", "i1", "u1", "i8", "u8", "f2", "f4", "c16"))
@pytest.mark.parametrize("name", ("max", "min", "sum", "prod", "nansum", "nanmax"))
@pytest.mark.filterwarnings("ignore")
def test_an_initial_value_takes_the_dtype_of_the_reduction(name, dtype):
    a, mask = np.array([1, 0, 1], dtype), np.array([True, False, True])
    for initial in INITIALS:
        for options, where in (({}, ""), ({"where": mask}, ", where=mask")):
            call = f"{name}(a, initial=i{where})"
            try:
                want = getattr(np, name)(a, initial=initial, **options)
            except (TypeError, ValueError, OverflowError):
                with pytest.raises(engine.Error):
                    engine.evaluate(call, {"a": a, "i": initial, "mask": mask})
                continue
            got = engine.evaluate(call, {"a": a, "i": initial, "mask": mask})
            assert got.dtype == want.dtype and np.array_equal(got, want, equal_nan=True), (call, initial, got, want)


def test_a_complex_initial_value_of_real_numbers_is_refused():
    """NumPy drops the imaginary part of a complex64 with a warning."""
    with pytest.raises(engine.DTypeError, match="initial is complex, the reduction float64"):
        engine.evaluate("sum(a, initial=i)", {"a": np.ones(3), "i": np.complex64(1 + 2j)})


@pytest.mark.parametrize("name", ["min", "max", "nanmin", "nanmax"])
@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1.0, 5.0, np.nan]], ids=["none", "NaN alone", "some"])
def test_an_initial_value_counts_as_one_more_element(name, values):
    a = np.array(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want = getattr(np, name)(a, initial=3.0)
    assert np.array_equal(engine.evaluate(f"{name}(a, initial=3.0)", {"a": a}), want, equal_nan=True)

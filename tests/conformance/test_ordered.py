"""Operations along an axis: NumPy's values, dtypes and order; scans in their fixed tree, bit for bit."""

from __future__ import annotations

import time

import numpy as np
import pytest

import engine
from tests.bindings.test_threads import in_threads
from tests.conformance.operations import DTYPES, special

SCANS = {"cumsum": np.add, "cumprod": np.multiply, "cummax": np.maximum, "cummin": np.minimum}
NUMPY = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "cummax": lambda a, axis=None: np.maximum.accumulate(a.ravel() if axis is None else a, axis or 0),
    "cummin": lambda a, axis=None: np.minimum.accumulate(a.ravel() if axis is None else a, axis or 0),
    "sort": lambda a, axis=-1: np.sort(a, axis, kind="stable"),
    "argsort": lambda a, axis=-1: np.argsort(a, axis, kind="stable"),
}
# Around every edge of the tree: segments (32), eight of them, tiles (2,048), pieces of work, spans of 64 tiles.
LENGTHS = (
    1, 2, 31, 32, 33, 255, 256, 257, 300, 2047, 2048, 2049, 2100,
    16_384, 65_536, 65_537, 131_072, 131_073, 140_001, 300_000,
)  # fmt: skip
SHAPES = (
    (7,), (3, 4), (5, 70), (70, 5), (2, 3, 4), (1, 9), (9, 1), (2, 70, 3), (40, 3, 20), (0,), (0, 3), (3, 0), (2, 0, 3),
)  # fmt: skip


def numbers(shape, dtype, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return generator.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        return generator.integers(0 if dtype.kind == "u" else -60, 60, shape).astype(dtype)
    draw = lambda: generator.integers(-40, 40, shape) / 8 + generator.standard_normal(shape) * 1e-3  # noqa: E731
    return (draw() + 1j * draw() if dtype.kind == "c" else draw()).astype(dtype)


def same(got, wanted) -> None:
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    np.testing.assert_array_equal(got, wanted)


def is_refused(text: str, names: dict, kind: type, words: str) -> None:
    """With that error and a caret."""
    with pytest.raises(kind) as caught:
        engine.evaluate(text, names)
    assert words in str(caught.value) and "^" in str(caught.value)


def is_numpys(got, name: str, a: np.ndarray, axis: int) -> None:
    """The same; sums and products of floats are near NumPy's of wider ones, by a few roundings."""
    wanted = NUMPY[name](a, axis)
    if name not in ("cumsum", "cumprod") or a.dtype.kind not in "fc":
        return same(got, wanted)
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    wide = a.astype(np.clongdouble if a.dtype.kind == "c" else np.longdouble)
    most = NUMPY[name](np.abs(wide), axis)
    assert (np.abs(got - NUMPY[name](wide, axis)) <= 8 * np.finfo(a.dtype).eps * most).all()


def tree(x: np.ndarray, combine) -> np.ndarray:
    """The scan of a line as ordered.hpp states it, one element at a time."""
    out = np.empty_like(x)
    spans = tiles = None
    join = lambda before, own: own if before is None else combine(before, own)  # noqa: E731
    for tile in range(0, len(x), 2048):
        base = tiles if spans is None else spans if tiles is None else combine(spans, tiles)
        before = None
        end = min(tile + 2048, len(x))
        for segment in range(tile, end, 32):
            own = None
            for i in range(segment, min(segment + 32, end)):
                own = join(own, x[i])
                value = join(before, own)
                out[i] = join(base, value)
            before = value
        tiles = join(tiles, value)
        if tile // 2048 % 64 == 63:
            spans, tiles = join(spans, tiles), None
    return out


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_axis_of_every_shape_is_numpys(name, dtype):
    for shape in SHAPES:
        a = numbers(shape, dtype)
        if name == "cumprod":
            a = np.where(a > 0, a.dtype.type(1), a.dtype.type(-1) if a.dtype.kind in "ifc" else a.dtype.type(1))
        for axis in (None, *range(-len(shape), len(shape))):
            got = engine.evaluate(f"{name}(a, axis={axis})", {"a": a})
            is_numpys(got, name, a.ravel() if axis is None else a, axis or 0)


@pytest.mark.parametrize("name", ("cummax", "cummin", "sort", "argsort"))
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_stand_where_numpy_puts_them(name, dtype):
    values = special(dtype)
    a = np.random.default_rng(1).permutation(np.concatenate([values, values, values]))
    with np.errstate(all="ignore"):
        same(engine.evaluate(f"{name}(a)", {"a": a}), NUMPY[name](a))


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("dtype", ("f8", "i4", "c8"))
def test_the_layout_of_the_operand_does_not_matter(name, dtype):
    a = numbers((12, 14, 10), dtype)
    if name == "cumprod":
        a = np.sign(a.real).astype(dtype)
    for view in (
        a[::2, ::-1, 1:],
        a.T,
        np.asfortranarray(a),
        a.byteswap().view(a.dtype.newbyteorder()),
        a[:, 3:4] + 0 * a,
    ):
        for axis in (0, 1, 2):
            got = engine.evaluate(f"{name}(v, axis={axis})", {"v": view})
            native = view.astype(dtype)
            is_numpys(got, name, native, axis)
            assert got.tobytes() == engine.evaluate(f"{name}(v, axis={axis})", {"v": native.copy()}).tobytes()


@pytest.mark.parametrize("dtype", ("f4", "f8", "c16"))
@pytest.mark.parametrize("length", LENGTHS)
def test_a_scan_is_the_tree_for_any_number_of_threads(dtype, length):
    x = (numbers(length, dtype) * 10.0 ** np.random.default_rng(2).uniform(-6, 0, length)).astype(dtype)
    wanted = tree(x, np.add)
    for threads in (1, 2, 7):
        got = engine.evaluate("cumsum(x)", {"x": x}, threads=threads)
        assert got.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("length", (33, 2049, 5000, 140_001))
@pytest.mark.parametrize("inner", (2, 63, 64, 65))
def test_a_scan_along_an_outer_axis_has_the_bits_of_each_column(length, inner):
    x = numbers((length, inner), "f8") * 10.0 ** np.random.default_rng(2).uniform(-6, 0, (length, inner))
    for threads in (1, 3):
        got = engine.evaluate("cumsum(x, axis=0)", {"x": x}, threads=threads)
        for column in (0, inner // 2, inner - 1):
            line = np.ascontiguousarray(x[:, column])
            assert got[:, column].tobytes() == engine.evaluate("cumsum(line)", {"line": line}).tobytes()


@pytest.mark.parametrize("axis", (None, 0, 1))
@pytest.mark.parametrize("name", SCANS)
def test_exclusive_leaves_the_element_out(name, axis):
    a = np.sign(numbers((70, 66), "f8"))
    whole = engine.evaluate(f"{name}(a, axis={axis})", {"a": a})
    got = engine.evaluate(f"{name}(a, axis={axis}, exclusive=True)", {"a": a})
    first = {"cumsum": 0, "cumprod": 1, "cummax": -np.inf, "cummin": np.inf}[name]
    along = 0 if axis is None else axis
    same(np.delete(got, 0, along), np.delete(whole, -1, along))
    assert (np.take(got, 0, along) == first).all()
    assert engine.evaluate(f"{name}(n, exclusive=False)", {"n": np.arange(1, 4)})[0] == 1


def test_dtype_is_what_is_accumulated():
    a = np.full(300, 100, "i1")
    for dtype in ("int8", "uint8", "int32", "float32", "float64", "complex64"):
        same(engine.evaluate(f"cumsum(a, dtype={dtype})", {"a": a}), np.cumsum(a, dtype=dtype))
    assert (
        engine.evaluate("cumsum(h)", {"h": np.ones(5000, "f2")})[-1] == 5000
    )  # in float32; NumPy's stands still at 2048


@pytest.mark.parametrize("dtype", ("f2", "f4", "f8"))
def test_zeros_stay_in_the_order_they_came_in(dtype):
    a = np.where(np.random.default_rng(4).integers(0, 2, 999) == 1, 0.0, -0.0).astype(dtype)
    a[::5] = 3
    a[1::7] = -2
    got = engine.evaluate("sort(a)", {"a": a})
    same(np.signbit(got), np.signbit(np.sort(a, kind="stable")))
    same(engine.evaluate("argsort(a)", {"a": a}), np.argsort(a, kind="stable"))


@pytest.mark.parametrize("n", (1, 2, 255, 256, 257, 1 << 20, (1 << 20) + 1, 3_000_001))
@pytest.mark.parametrize("dtype", ("f8", "i2", "u4"))
def test_long_rows_are_sorted_stably_by_many_threads(n, dtype):
    a = np.random.default_rng(5).integers(-1000 if dtype != "u4" else 0, 1000, n).astype(dtype)
    for threads in (1, 4):
        same(engine.evaluate("sort(a)", {"a": a}, threads=threads), np.sort(a))
        same(engine.evaluate("argsort(a)", {"a": a}, threads=threads), np.argsort(a, kind="stable"))


def test_complex_numbers_sort_by_parts_with_nan_last():
    parts = (-np.inf, -1.0, -0.0, 0.0, 2.0, np.inf, np.nan)
    a = np.array([complex(re, im) for re in parts for im in parts] * 8)
    a = np.random.default_rng(6).permutation(a)
    same(engine.evaluate("sort(a)", {"a": a}), np.sort(a, kind="stable"))
    same(engine.evaluate("argsort(a)", {"a": a}), np.argsort(a, kind="stable"))


def test_they_stand_wherever_a_value_may():
    rng = np.random.default_rng(7)
    a, b = rng.standard_normal((2, 50, 6))
    same(engine.evaluate("sort(a*b, axis=0)[::-1] + 1", locals()), np.sort(a * b, 0)[::-1] + 1)
    same(engine.evaluate("sort(a, axis=None)[-5:]", locals()), np.sort(a, None)[-5:])
    same(
        engine.evaluate("sum(int64(100*sort(a, axis=None)[-5:]))", locals()),
        np.trunc(100 * np.sort(a, None)[-5:]).astype(int).sum(),
    )
    same(
        engine.evaluate("c = cummax(a, axis=1); where(c == a, 1, 0)", locals()),
        np.where(np.maximum.accumulate(a, 1) == a, 1, 0),
    )
    same(
        engine.evaluate("cumsum(a > 0, axis=0) - cumsum(b > 0, axis=0)", locals()),
        np.cumsum(a > 0, 0) - np.cumsum(b > 0, 0),
    )
    same(engine.evaluate("sort(argsort(a))", locals()), np.broadcast_to(np.arange(6), (50, 6)))
    same(engine.evaluate("argsort(argsort(a))", locals()), np.argsort(np.argsort(a)))
    same(
        engine.evaluate("cummax(a - index(0)*0 + index(1), axis=0)", locals()),
        np.maximum.accumulate(a + np.arange(6), 0),
    )
    same(engine.evaluate("cumsum(2.5)", {}), np.cumsum(2.5))
    same(engine.evaluate("sort(a + b[0])", locals()), np.sort(a + b[0]))
    same(engine.evaluate("a[1:].T + sort(b[:-1], axis=-1).T", locals()), a[1:].T + np.sort(b[:-1]).T)


def test_out_may_be_the_operand_and_in_place_writes_read_it_first():
    rng = np.random.default_rng(8)
    a = rng.standard_normal(3000)
    wanted = np.sort(a)
    x = a.copy()
    assert engine.evaluate("sort(x)", {"x": x}, out=x) is x
    same(x, wanted)
    x = a.copy()
    engine.evaluate("x[...] = sort(x)[::-1]", {"x": x})
    same(x, wanted[::-1])
    x = np.arange(10.0)
    engine.evaluate("x[1:] = cumsum(x)[:-1]", {"x": x})
    same(x, np.concatenate([[0], np.cumsum(np.arange(10.0))[:-1]]))
    strided = np.zeros((10, 3))
    engine.evaluate("cumprod(y)", {"y": np.arange(1.0, 11)}, out=strided[:, 1])
    same(strided[:, 1], np.cumprod(np.arange(1.0, 11)))


ERRORS = {
    "sort(1.5)": (engine.ShapeError, "'sort' needs an axis"),
    "cumsum(a, axis=2)": (engine.ShapeError, "axis 2 is out of range"),
    "cumsum(a, axis=(0, 1))": (engine.DTypeError, "one integer belongs here"),
    "cumsum(a, exclusive=a)": (engine.DTypeError, "exclusive is True or False"),
    "cumsum(a, keepdims=True)": (engine.ParseError, "keepdims"),
    "sort(a, b)": (engine.UnknownName, "there is no operand 'b'"),
    "cumsums(a)": (engine.UnknownName, "did you mean 'cumsum'?"),
    "argsort": (engine.UnknownName, "this is a function: it needs its arguments"),
    "sort()": (engine.ParseError, "sort"),
}


@pytest.mark.parametrize("text", ERRORS)
def test_what_is_wrong_is_said_with_a_caret(text):
    is_refused(text, {"a": np.ones((3, 4))}, *ERRORS[text])


def test_gradients_through_them_are_refused():
    for name in ("cumsum", "sort"):
        with pytest.raises(engine.Error, match=f"no derivative of '{name}' is known"):
            engine.gradient(f"sum({name}(a)*b)", "a")
    assert engine.gradient("sum(sort(a)*b)", "b")
    assert "0" in str(engine.gradient("sum(argsort(a) + 0)", "a"))


def test_explain_names_them():
    explanation = engine.explain("sort(a*b)", {"a": np.ones(4), "b": np.ones(4)})
    assert "sort along axis 0 of result -> result" in str(explanation)
    assert "cumsum, exclusive, along all elements" in str(
        engine.explain("cumsum(a, exclusive=True)", {"a": np.ones((4, 2))})
    )
    program = engine.compile("cumsum(a*a)")
    program(a=np.ones(1000))
    run = engine.last_run()
    assert run.bytes_written == 16_000 and run.operations == 2000


def test_a_long_sort_stops_at_its_limit_and_the_next_call_is_right():
    a = np.random.default_rng(9).standard_normal(12_000_000)
    start = time.perf_counter()
    with pytest.raises(engine.LimitError):
        engine.evaluate("sort(a)", {"a": a}, limits=engine.Limits(time=0.05), threads=1)
    assert time.perf_counter() - start < 30
    same(engine.evaluate("sort(b)", {"b": a[:1000]}), np.sort(a[:1000]))


def test_eight_threads_share_one_program():
    program = engine.compile("sort(a) + cumsum(b)")

    def work(seed: int) -> None:
        a, b = numbers((2, 40_000), "f8", seed)
        wanted = engine.evaluate("sort(a)", {"a": a}, threads=1) + engine.evaluate("cumsum(b)", {"b": b}, threads=1)
        for _ in range(20):
            assert program(a=a, b=b).tobytes() == wanted.tobytes()

    in_threads(8, work)

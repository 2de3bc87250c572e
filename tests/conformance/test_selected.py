"""What picks elements: masks, compress, nonzero, unique. NumPy's values and dtypes, in shapes that values tell."""

from __future__ import annotations

import re

import numpy as np
import pytest

import engine
from tests.bindings.test_threads import in_threads
from tests.conformance.operations import DTYPES, special
from tests.conformance.test_ordered import is_refused, numbers, same

# Around what is looked at together: words of eight conditions, pieces of 4,096 and of 65,536 elements.
LENGTHS = (0, 1, 7, 8, 9, 64, 4095, 4096, 4097, 70_001, 300_000)


def masks(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    return {
        "none": np.zeros(n, bool),
        "all": np.ones(n, bool),
        "half": rng.integers(0, 2, n) == 1,
        "few": rng.integers(0, 500, n) == 0,
        "most": rng.integers(0, 500, n) != 0,
        "first": np.arange(n) < n // 3,
    }


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_picks_what_it_picks_in_numpy(dtype):
    for n in LENGTHS:
        a = numbers(n, dtype)
        for mask in masks(n).values():
            for threads in (1, 3):
                same(engine.evaluate("a[mask]", {"a": a, "mask": mask}, threads=threads), a[mask])


@pytest.mark.parametrize("dtype", ("f8", "i2", "c8", "?"))
def test_a_mask_of_fewer_axes_picks_along_the_leading_ones(dtype):
    a = numbers((6, 7, 5), dtype)
    for mask in (a > 0, (a > 0)[:, :, 0], (a > 0)[:, 0, 0], np.zeros((6, 7), bool), np.ones(6, bool)):
        same(engine.evaluate("a[mask]", {"a": a, "mask": mask}), a[mask])
        same(engine.evaluate("compress(a, mask)", {"a": a, "mask": mask}), a[mask])
    for shape in ((0, 3), (3, 0), (4, 0, 2)):
        empty = np.zeros(shape, dtype)
        mask = np.ones(shape[0], bool)
        same(engine.evaluate("a[mask]", {"a": empty, "mask": mask}), empty[mask])
    wide = numbers((300, 4000), dtype)
    mask = np.random.default_rng(0).integers(0, 3, 300) == 0
    same(engine.evaluate("a[mask]", {"a": wide, "mask": mask}), wide[mask])


@pytest.mark.parametrize("dtype", ("f8", "i4", "f2"))
def test_the_layout_of_operand_and_mask_does_not_matter(dtype):
    a = numbers((12, 14, 10), dtype)
    for view in (
        a[::2, ::-1, 1:],
        a.T,
        np.asfortranarray(a),
        a.byteswap().view(a.dtype.newbyteorder()),
        a[:, 3:4] + 0 * a,
    ):
        mask = view > 0
        for given in (mask, np.asfortranarray(mask), mask[::-1].copy()[::-1], np.repeat(mask, 2, -1)[..., ::2]):
            same(engine.evaluate("v[mask]", {"v": view, "mask": given}), view[mask].astype(dtype))
        same(engine.evaluate("flatnonzero(v > 0)", {"v": view}), np.flatnonzero(mask))
        for axis in (0, 1, 2, -1):
            same(engine.evaluate(f"nonzero(v > 0, axis={axis})", {"v": view}), np.nonzero(mask)[axis])


def test_bytes_that_are_neither_0_nor_1_are_true():
    mask = np.array([0, 2, 1, 255, 0, 128, 0, 0, 3], np.uint8).view(bool)
    same(engine.evaluate("a[mask]", {"a": np.arange(9), "mask": mask}), np.array([1, 2, 3, 5, 8]))


def test_what_is_picked_goes_on_in_the_expression():
    rng = np.random.default_rng(7)
    a, b = np.round(rng.standard_normal((2, 40, 50)) * 8)
    m = a > 0
    for text, wanted in {
        "compress(a*b + 1, a > 0)": (a * b + 1)[m],
        "sum(a[m])": a[m].sum(),
        "a[m]*b[m] - a[m][::-1]": a[m] * b[m] - a[m][::-1],
        "x = a[m]; x - mean(x)": a[m] - a[m].mean(),
        "x = a[m]; x[0] = 100; x": np.r_[100, a[m][1:]],
        "x = a[m]; x[x > 3]": a[m][a[m] > 3],
        "sort(a[m])[::-1]": np.sort(a[m])[::-1],
        "cumsum(a[m])": np.cumsum(a[m]),
        "unique(a[m] % 3)": np.unique(a[m] % 3),
        "max(unique_counts(a))": np.unique(a, return_counts=True)[1].max(),
        "unique(a)[unique_counts(a) == max(unique_counts(a))]": (lambda u, c: u[c == c.max()])(
            *np.unique(a, return_counts=True)
        ),
        "a.T[m.T]": a.T[m.T],
        "a[m[:, 0]] + b[0]": a[m[:, 0]] + b[0],
        "a[index(0) > index(1)]": a[np.arange(40)[:, None] > np.arange(50)],
        "a[index(0) > index(1)][:9] + index(0)": a[np.arange(40)[:, None] > np.arange(50)][:9] + np.arange(9),
        "a[index(0) > index(1)] + index(0)": a[np.arange(40)[:, None] > np.arange(50)] + np.arange(780),
        "flatnonzero(a)[:5] + 1": np.flatnonzero(a)[:5] + 1,
        "float32(a[m])": a[m].astype("f4"),
        "where(a[m] > 2, 1, 0)": np.where(a[m] > 2, 1, 0),
    }.items():
        same(engine.evaluate(text, {"a": a, "b": b, "m": m}), wanted)


def test_scalars_in_a_mask_are_no_bounds():
    program = engine.compile("a[a > n]")
    a = np.arange(10)
    for n in range(8):
        same(program(a=a, n=n), a[a > n])
        same(program(a=a, n=np.int64(n)), a[a > n])
    assert program.stats.compilations <= 9
    same(engine.evaluate("a[a > 4][n]", {"a": a, "n": 2}), np.int64(7))


@pytest.mark.parametrize("shape", ((50,), (6, 7), (3, 4, 5)))
def test_writing_through_a_mask_is_numpys(shape):
    a, b = numbers(shape, "f8"), numbers(shape, "f8", 4)
    cases = {
        "x[x > 0] = 7": lambda x: x.__setitem__(x > 0, 7),
        "x[x > 0] += s": lambda x: x.__setitem__(x > 0, x[x > 0] + 0.5),
        "x[m] = b[m]": lambda x: x.__setitem__(a > 1, b[a > 1]),
        "x[m] = 2*b[m] - x[m]*s": lambda x: x.__setitem__(a > 1, 2 * b[a > 1] - x[a > 1] * 0.5),
        "x[m] *= b[m]": lambda x: x.__setitem__(a > 1, x[a > 1] * b[a > 1]),
        "x[k] = -1": lambda x: x.__setitem__((a > 0)[(slice(None),) + (0,) * (len(shape) - 1)], -1),
        "x[x > 0] = sum(b)": lambda x: x.__setitem__(x > 0, engine.evaluate("sum(b)", {"b": b})),
    }
    k = (a > 0)[(slice(None),) + (0,) * (len(shape) - 1)]
    for text, numpy in cases.items():
        x, wanted = a.copy(), a.copy()
        engine.evaluate(text, {"x": x, "b": b, "m": a > 1, "k": k, "s": 0.5})
        numpy(wanted)
        same(x, wanted)
    i = np.arange(6)
    engine.evaluate("i[i % 2 == 0] = 9", {"i": i})
    same(i, np.array([9, 1, 9, 3, 9, 5]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_unique_is_numpys(dtype):
    for n in LENGTHS[:-1]:
        a = numbers(n, dtype)
        values, index, inverse, counts = np.unique(a, True, True, True)
        for threads in (1, 3):
            run = lambda name: engine.evaluate(f"{name}(a)", {"a": a}, threads=threads)  # noqa: B023, E731
            same(run("unique"), values)
            same(run("unique_index"), index)
            same(run("unique_inverse"), inverse)
            same(run("unique_counts"), counts)
    m = numbers((6, 7, 5), dtype)
    same(engine.evaluate("unique(m)", {"m": m}), np.unique(m))
    same(engine.evaluate("unique_inverse(m.T)", {"m": m}), np.unique(m.T, return_inverse=True)[1])
    same(engine.evaluate("unique(1.5)", {}), np.unique(1.5))


@pytest.mark.parametrize("dtype", ("f2", "f4", "f8", "c8", "c16"))
def test_unique_has_one_nan_and_one_zero(dtype):
    values = special(np.dtype(dtype))
    a = np.random.default_rng(1).permutation(np.concatenate([values, values, values]))
    with np.errstate(all="ignore"):
        wanted, index, inverse, counts = np.unique(a, True, True, True)
    same(engine.evaluate("unique(a)", {"a": a}), wanted)
    same(engine.evaluate("unique_counts(a)", {"a": a}), counts)
    same(engine.evaluate("unique_inverse(a)", {"a": a}), inverse)
    if dtype[0] == "f":
        same(engine.evaluate("unique_index(a)", {"a": a}), index)
    zeros = np.array([0.0, -0.0, 0.0], dtype)
    assert len(engine.evaluate("unique(z)", {"z": zeros})) == 1


def test_out_takes_what_was_found_or_says_how_much_that_is():
    a = np.arange(10.0)
    out = np.zeros((4, 2))
    assert engine.evaluate("a[a > 5]", {"a": a}, out=out[:, 1]).base is out
    same(out, np.stack([np.zeros(4), np.arange(6.0, 10)], 1))
    before = out.copy()
    with pytest.raises(engine.ShapeError, match=r"out has shape \(4, 2\), the result has \(7,\)"):
        engine.evaluate("a[a > 2]", {"a": a}, out=out)
    same(out, before)
    same(engine.evaluate("a[m]", {"a": np.ones((4, 3, 2)), "m": np.ones(4, bool)}, order="F"), np.ones((4, 3, 2)))
    with pytest.raises(engine.LimitError, match="takes 32 bytes"):
        engine.evaluate("a[a > 5]", {"a": a}, limits=engine.Limits(result_bytes=31))


def test_a_shape_that_does_not_fit_is_found_before_anything_stays_written():
    a, x = np.arange(10.0), np.zeros(10)
    for text in (
        "x[...] = 1; x[:3] = a[a > 5]",
        "x[:5] = 1; y = a[a > 5]; x += 1; x[5:] = y",
        "x[...] = 1; x[:4] = a[a > 5] + b",
    ):
        with pytest.raises(engine.ShapeError):
            engine.evaluate(text, {"a": a, "x": x, "b": np.ones(3)})
        assert not x.any()
    engine.evaluate("x[...] = 1; x[:4] = a[a > 5]", {"a": a, "x": x})
    same(x, np.r_[6.0, 7, 8, 9, 1, 1, 1, 1, 1, 1])


ERRORS = {
    "a[k]": (engine.ShapeError, "a condition has the leading axes of what it picks from"),
    "a[:1][m]": (engine.ShapeError, "a condition has the leading axes of what it picks from"),
    "a[m[:1]]": (engine.ShapeError, "a condition has the leading axes of what it picks from"),
    "a[m, 0]": (engine.DTypeError, "a mask stands alone: a[mask]"),
    "a[i]": (engine.DTypeError, "indexing by arrays of integers is not supported"),
    "compress(a[0], m)": (engine.ShapeError, "a condition of rank 2 for a value of rank 1"),
    "compress(a, True)": (engine.ShapeError, "a condition needs an axis"),
    "compress(a)": (engine.ParseError, "compress"),
    "a[m] = a[0]": (engine.ShapeError, "what is written through a mask must be a scalar, or picked by the same mask"),
    "a[m] = a[a > 5]": (engine.ShapeError, "picked by the same mask"),
    "k[m] = True": (engine.ShapeError, "a mask of rank 2 for an array of rank 1"),
    "a[m] + k": (engine.ShapeError, "cannot broadcast 'a[m]' with 'k'"),
    "nonzero(1.5)": (engine.ShapeError, "'nonzero' needs an axis"),
    "nonzero(a, axis=None)": (engine.DTypeError, "one axis belongs here"),
    "nonzero(a, axis=2)": (engine.ShapeError, "axis 2 is out of range"),
    "unique(a, axis=0)": (engine.ParseError, "axis"),
    "uniqe(a)": (engine.UnknownName, "did you mean 'unique'?"),
    "a[m][9]": (engine.ShapeError, "9"),
}


@pytest.mark.parametrize("text", ERRORS)
def test_what_is_wrong_is_said_with_a_caret(text):
    a = np.zeros((3, 4))
    m = np.zeros((3, 4), bool)
    m[0] = True
    is_refused(text, {"a": a, "m": m, "k": np.ones(5, bool), "i": np.arange(3)}, *ERRORS[text])
    assert not a.any()


def test_explain_and_last_run_tell_of_them():
    names = {"a": np.arange(10.0)}
    text = str(engine.explain("compress(2*a, a > 3)", names))
    assert (
        re.search("pass on %2 -> (t[0-9]+)\n(.*\n)*  compress of \\1, t[0-9]+ -> result", text)
        and "2 fused passes" in text
    )
    assert '"shape": [null]' in engine.explain("sum(a[a > 3])", names).json()
    engine.evaluate("compress(2*a, a > 3)", names)
    assert engine.last_run().bytes_written == 10 + 6 * 8


def test_eight_threads_share_one_program():
    program = engine.compile("unique(a)[unique_counts(a) > 1]; a[a > 0] + 1")

    def work(seed: int) -> None:
        a = numbers(30_000, "i4", seed)
        for _ in range(20):
            same(program(a=a), a[a > 0] + 1)

    in_threads(8, work)


def test_memory_that_is_not_there_is_an_error_and_the_next_call_is_right():
    a = np.broadcast_to(np.float64(1), 1 << 44)
    with pytest.raises(engine.Error):
        engine.evaluate("a[a > 0]", {"a": a})
    same(engine.evaluate("b[b > 0]", {"b": np.arange(3)}), np.array([1, 2]))

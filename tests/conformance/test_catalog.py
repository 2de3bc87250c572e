"""Every row of the catalog against its oracle, generated from `engine.functions`: all dtypes, layouts, special values.

A row is held to the error it states. Complex functions are measured normwise. What NumPy refuses the engine refuses.
"""

from __future__ import annotations

import functools
import math
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

import engine
from tests.conformance import fused
from tests.conformance.operations import DTYPES, special
from tests.conformance.test_layouts import LAYOUTS, SHAPE

ROWS = [
    row for row in engine.functions if row.kind in ("elementwise", "reduction") and row.oracle and row.name != "index"
]
ELEMENTWISE = [row for row in ROWS if row.kind == "elementwise"]
REDUCTIONS = [row for row in ROWS if row.kind == "reduction" and row.name != "mean_where"]
# NumPy's own complex functions lose as much; ours are held within 4 ulp of the truth by tests/accuracy.
COMPLEX_ULP = 64
# Rows whose own tests hold them by rules of their own: signs of NaN and zeros, bounds, masks, powers of zero.
ELSEWHERE = {"copysign", "signbit", "clip", "where", "power", "sign", "maximum", "minimum", "fmax", "fmin"}


def gammaln(x):
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


def gamma(x):
    try:
        return math.gamma(x)
    except ValueError:
        return math.copysign(math.inf, x) if x == 0 else math.nan
    except OverflowError:
        return math.inf


SCIPY = {"erf": math.erf, "erfc": math.erfc, "gamma": gamma, "gammaln": gammaln}


@functools.cache
def complex_truth(name, re, im, below):
    """log1p or exp2 of re + im i by mpmath; below: im is -0.0 or negative, of which mpmath knows no zero."""
    with mp.workprec(2400):  # holds 1 + x for every double x
        z = mp.mpc(re, abs(im))
        w = complex(mp.log(1 + z) if name == "log1p" else mp.exp(z * mp.log(2)))
    return w.conjugate() if below else w


def with_complex_truth(name):
    """NumPy's function; of finite complex numbers the truth, for NumPy rounds 1 + x and x ln 2 first."""

    def function(z):
        want = np.array(getattr(np, name)(z))
        if want.dtype.kind == "c":
            for at, value in np.ndenumerate(z):
                if np.isfinite(value):
                    re, im = float(value.real), float(value.imag)
                    want[at] = complex_truth(name, re, im, bool(np.signbit(im)))
        return want

    return function


def of_reals(function):
    """The function where it is asked for real numbers; a TypeError, as NumPy's, where it is not."""

    def real(x):
        if x.dtype.kind == "c":
            raise TypeError
        return function(x)

    return real


def oracle(row):
    """The function that gives the truth, over arrays."""
    name, part = row.oracle.removesuffix("]").split("[") if "[" in row.oracle else (row.oracle, None)
    if name.startswith("scipy.special."):
        scalar = SCIPY[name.removeprefix("scipy.special.")]

        def of_floats(x):
            dtype = np.sqrt(np.zeros(1, x.dtype)).dtype
            if dtype.kind == "c":
                raise TypeError
            return np.array([scalar(float(v)) for v in x.ravel()], "f8").reshape(x.shape).astype(dtype)

        return of_floats
    if name == "math.fma":
        return fused.fma
    if row.name == "fast_tan":
        return of_reals(getattr(np, name))
    if name in ("real", "imag"):
        return lambda x: np.array(getattr(x, name))
    if name == "nan_to_num" or name == "isclose":
        return lambda *x: getattr(np, name)(*x)
    if name in ("log1p", "exp2"):
        return with_complex_truth(name)
    function = np.linalg.norm if name == "linalg.norm" else getattr(np, name)
    return function if part is None else lambda *x: function(*x)[int(part)]


def wanted(row, arguments):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return np.asarray(oracle(row)(*arguments))


def complaint(row, result, want):
    result = np.asarray(result)
    want = want.astype(want.dtype.newbyteorder("="))
    if result.dtype != want.dtype or result.shape != want.shape:
        return f"{result.dtype}{result.shape}, not {want.dtype}{want.shape}"
    exact = row.ulp == 0 and not (
        want.dtype.kind == "c" and row.name in ("multiply", "square", "sqrt")
    )  # complex products: 4 eps; the complex root is a function of our own
    if want.dtype.kind not in "fc" or exact:
        same = np.array_equal(result, want, equal_nan=want.dtype.kind in "fc")
        return None if same else f"{result.ravel()[:6]}, not {want.ravel()[:6]}"
    with np.errstate(all="ignore"):
        wide = "longdouble" if want.dtype.kind == "f" else "clongdouble"
        a, b = result.astype(wide), want.astype(wide)
        ulp = np.spacing(np.maximum(np.abs(want), np.finfo(want.real.dtype).tiny).astype(want.real.dtype)).astype(
            "longdouble"
        )
        error = np.asarray(np.abs(a - b) / ulp)
        if want.dtype.kind == "c":
            # Infinite and NaN parts: see test_complex_functions.py.
            error = np.where(~np.isfinite(want) | ~np.isfinite(result), 0, error)
        error = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0, error)
    allowed = COMPLEX_ULP if want.dtype.kind == "c" else row.ulp + 1  # NumPy's own half ulp, and rounding of the truth
    worst = np.nanargmax(np.where(np.isnan(error), np.inf, error)) if error.size else 0
    if error.size and not error.flat[worst] <= allowed:
        return f"{float(error.flat[worst]):.3g} ulp: {result.flat[worst]!r}, not {want.flat[worst]!r}"
    return None


def samples(row, dtype, seed, shape=SHAPE):
    generator = np.random.default_rng(seed)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        low, high = max(math.ceil(row.low), info.min), min(math.floor(row.high), info.max)
        return generator.integers(low, max(high, low + 1), shape).astype(dtype)
    low, high = row.low, row.high
    if dtype == np.float16:
        low, high = max(low, -8), min(high, 8) if high > 8 > low else high
    x = generator.uniform(low, high, shape)
    if dtype.kind == "c":
        x = np.clip(x, -20, 20) + 1j * generator.uniform(-3, 3, shape)
    return x.astype(dtype)


def arguments_of(row, dtype, seed=0, shape=SHAPE):
    n = len(row.required)
    values = [samples(row, dtype, seed + 7 * k, shape) for k in range(n)]
    if row.name == "ldexp":
        values[1] = np.random.default_rng(seed).integers(-20, 20, shape)
    if row.name in ("left_shift", "right_shift") and dtype.kind in "iu":
        values[1] = values[1] % (8 * dtype.itemsize)
    return values


def evaluate(row, values):
    return engine.evaluate(row.call, dict(zip(row.required, values, strict=True)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("row", [row for row in ELEMENTWISE if row.name not in ELSEWHERE], ids=lambda row: row.name)
def test_values_and_dtypes(row, dtype):
    values = arguments_of(row, dtype)
    if row.name == "angle" and dtype.kind == "b":
        pytest.skip("float16 here, as of int8; NumPy's helper makes float64 of booleans alone")
    try:
        want = wanted(row, values)
    except TypeError:
        with pytest.raises(engine.DTypeError):
            evaluate(row, values)
        return
    assert complaint(row, evaluate(row, values), want) is None


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind in "fi"], ids=str)
@pytest.mark.parametrize("row", [row for row in ELEMENTWISE if row.name not in ELSEWHERE], ids=lambda row: row.name)
def test_special_values(row, dtype):
    if row.name == "reciprocal" and dtype.kind == "i":
        pytest.skip("NumPy's 1/0 depends on its CPU: see test_promotion")
    points = special(dtype, sign_of_nan=False)
    grids = np.meshgrid(*[points] * len(row.required))
    values = [np.ascontiguousarray(grid.ravel()) for grid in grids]
    if row.name == "ldexp":
        values[1] = (np.arange(values[1].size) % 41 - 20).astype("i8")
    try:
        want = wanted(row, values)
    except TypeError:
        pytest.skip("refused: see test_values_and_dtypes")
    if row.name.removeprefix("fast_") in ("sin", "cos", "tan", "sinc", "gamma", "lgamma") and dtype.kind in "fi":
        keep = np.abs(values[0].astype("f8")) < 1e6  # periodic ones of huge arguments: their own issue; lgamma's poles
        values, want = [v[keep | ~np.isfinite(v)] for v in values], want[keep | ~np.isfinite(values[0])]
    if row.name in ("gamma", "lgamma", "floor_divide", "remainder"):
        pytest.skip("poles and signed zeros: held by tests of their own")
    assert complaint(row, evaluate(row, values), want) is None


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("row", [row for row in ELEMENTWISE if row.name not in ELSEWHERE], ids=lambda row: row.name)
def test_layouts(row, layout):
    dtype = np.dtype("float64" if "float64" in row.dtypes else "int64")
    values = [LAYOUTS[layout](v) for v in arguments_of(row, dtype, 3)]
    assert complaint(row, evaluate(row, values), wanted(row, [np.array(v) for v in values])) is None


def pairs_of_specials(row, dtype):
    """Every special value in the first argument against every one in the others, in an array of SHAPE."""
    points = special(dtype, sign_of_nan=False)
    n = len(points) if dtype.kind != "c" else 32  # the first of them, whose pairs fit
    at = np.arange(SHAPE[0] * SHAPE[1])
    values = [points[at % n], points[at // n % n], points[at // 7 % n]][: len(row.required)]
    if row.name == "ldexp":
        values[1] = (at % 41 - 20).astype("i8")
    return [v.reshape(SHAPE) for v in values]


# What NumPy itself gives differently from machine to machine, or what tests of its own hold (as they do gamma, lgamma).
UNSPECIFIED = {
    "reciprocal": "iub",
    "floor_divide": "f",
    "remainder": "f",
    "sinc": "f",
    "angle": "b",
}


@pytest.mark.parametrize(
    "row",
    [row for row in ELEMENTWISE if row.name not in ELSEWHERE | {"gamma", "lgamma"}],
    ids=lambda row: row.name,
)
def test_special_values_of_every_dtype_in_every_layout(row):
    found, n_checked = [], 0
    for dtype in DTYPES:
        if dtype.kind in UNSPECIFIED.get(row.name, ""):
            continue
        values = pairs_of_specials(row, dtype)
        if row.name.removeprefix("fast_") in ("sin", "cos", "tan"):  # of huge arguments: see test_functions
            values = [np.where(np.abs(values[0]) < 1e4, values[0], dtype.type(1))]
        if row.name == "exp2" and dtype.kind == "c":  # turns by the imaginary part: see engine/DECISIONS.md
            values = [np.where(np.abs(values[0].imag) < 2.0**22, values[0], dtype.type(1 + 1j))]
        try:
            wanted(row, values)
        except TypeError:
            continue
        for name, layout in LAYOUTS.items():
            laid = [layout(v.copy()) for v in values]
            want = wanted(row, [np.array(v, v.dtype.newbyteorder("=")) for v in laid])
            n_checked += 1
            if wrong := complaint(row, evaluate(row, laid), want):
                found.append(f"{dtype}, {name}: {wrong}")
    assert not found, "\n".join(found[:20])
    assert n_checked >= 2 * len(LAYOUTS)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("row", REDUCTIONS, ids=lambda row: row.name)
def test_reductions(row, dtype):
    a = samples(row, dtype, 5, (7, 60, 3))
    if dtype.kind in "fc":
        a[2, 3, 1] = np.nan
    for axis in (None, 0, -1, (0, 2)):
        if row.name.startswith("arg") and isinstance(axis, tuple):
            continue
        try:
            want = wanted(row, [a]) if axis is None else np.asarray(oracle_over(row, a, axis))
        except TypeError:
            with pytest.raises(engine.DTypeError):
                engine.evaluate(f"{row.name}(a, axis={axis})", {"a": a})
            return
        if row.name == "norm":
            flat = a.reshape(-1) if axis is None else a
            if axis is not None and not isinstance(axis, int):
                continue  # NumPy's norm over two axes is a matrix norm
            with np.errstate(all="ignore"):
                want = np.asarray(np.linalg.norm(flat, axis=axis))
        result = np.asarray(engine.evaluate(f"{row.name}(a, axis={axis})", {"a": a}))
        assert result.dtype == want.dtype and result.shape == want.shape
        tolerance = (
            0
            if want.dtype.kind in "iub" or row.ulp == 0
            else 4e-3
            if dtype == "f2"
            else 2e-6
            if dtype in ("f4", "c8")
            else 1e-13
        )
        scale = np.abs(want).max(initial=1e-300, where=np.isfinite(want)) if want.dtype.kind in "fc" else 1
        assert np.allclose(result, want, rtol=tolerance, atol=tolerance * scale, equal_nan=want.dtype.kind in "fc"), (
            axis,
            result,
            want,
        )


def oracle_over(row, a, axis):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if row.name == "norm":
            return np.linalg.norm(a, axis=axis) if isinstance(axis, int) else np.zeros(())
        return oracle(row)(a, axis=axis)


@pytest.mark.parametrize("row", [row for row in engine.functions], ids=lambda row: row.name)
def test_the_example_is_true(row):
    """What a row shows of itself can be typed, and gives what it says; its sentence is a sentence."""
    assert row.sentence[-1] == "." and str(row).startswith(row.name)
    typed, shown = row.example.removeprefix(">>> ").split("\n", 1)
    assert repr(eval(typed, {"engine": engine, "np": np})) == shown


DATA = Path(np.__file__).parent / "_core" / "tests" / "data"


@pytest.mark.parametrize(
    "path", sorted(DATA.glob("umath-validation-set-*.csv")), ids=lambda path: path.stem.split("-")[-1]
)
def test_numpys_own_validation_set(path):
    """NumPy ships points where elementary functions go wrong, with the truth in the bits of a float."""
    function = path.stem.split("-")[-1]
    allowed = next(row.ulp for row in engine.functions if row.name == function) + 1
    rows = [line.split(",") for line in path.read_text().splitlines() if line.startswith("np.float")]
    for dtype, bits in ((np.float32, np.uint32), (np.float64, np.uint64)):
        mine = [row for row in rows if row[0] == f"np.{np.dtype(dtype).name}"]
        if not mine:
            continue
        x = np.array([int(row[1], 16) for row in mine], bits).view(dtype)
        want = np.array([int(row[2], 16) for row in mine], bits).view(dtype)
        result = engine.evaluate(f"{function}(x)", {"x": x})
        with np.errstate(all="ignore"):
            error = np.abs(result.astype("longdouble") - want.astype("longdouble")) / np.spacing(np.abs(want)).astype(
                "longdouble"
            )
        error[(result == want) | (np.isnan(result) & np.isnan(want))] = 0
        worst = int(np.nanargmax(np.where(np.isnan(error), np.inf, error)))
        assert error[worst] <= allowed, f"{error[worst]} ulp at {x[worst]!r}"


def test_gamma_at_its_poles_and_ends():
    x = np.array([0.0, -0.0, -1.0, -2.0, np.inf, -np.inf, np.nan, 171.0, 172.0, 5.0, 0.5])
    want = [np.inf, -np.inf, np.nan, np.nan, np.inf, np.nan, np.nan, math.gamma(171.0), np.inf, 24.0, math.gamma(0.5)]
    assert np.allclose(engine.evaluate("gamma(x)", {"x": x}), want, rtol=4e-15, equal_nan=True)
    want = [
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        np.inf,
        np.nan,
        math.lgamma(171.0),
        math.lgamma(172.0),
        math.log(24),
        math.lgamma(0.5),
    ]
    assert np.allclose(engine.evaluate("lgamma(x)", {"x": x}), want, rtol=4e-15, equal_nan=True)


def test_keywords_of_reductions():
    generator = np.random.default_rng(11)
    a, m = generator.normal(size=(40, 30)), generator.random((40, 30)) < 0.4
    i = generator.integers(-128, 128, 500).astype("i1")
    names = {"a": a, "m": m, "i": i, "e": np.zeros((0, 3)), "row": m[0]}
    cases = {
        "sum(a, where=m)": np.sum(a, where=m),
        "sum(a, axis=0, where=row, initial=5)": np.sum(a, axis=0, where=m[0], initial=5),
        "prod(a, axis=1, where=m)": np.prod(a, axis=1, where=m),
        "max(a, axis=0, where=m, initial=-1.5)": np.max(a, axis=0, where=m, initial=-1.5),
        "min(a, initial=-9)": np.min(a, initial=-9),
        "mean(a, axis=1, where=m, keepdims=True)": np.mean(a, axis=1, where=m, keepdims=True),
        "any(a > 2, where=m)": np.any(a > 2, where=m),
        "all(a < 2, axis=0, where=m)": np.all(a < 2, axis=0, where=m),
        "count_nonzero(a > 0, where=m)": np.count_nonzero((a > 0) & m),
        "sum(i, dtype=int8)": np.sum(i, dtype="i1"),
        "sum(i, dtype='float32')": np.sum(i, dtype="f4"),
        "mean(i, dtype=float32)": np.mean(i, dtype="f4"),
        "max(e, initial=2.5)": np.max(names["e"], initial=2.5),
        "min(e, axis=0, initial=7)": np.min(names["e"], axis=0, initial=7),
        "var(a, ddof=1)": np.var(a, ddof=1),
        "std(a, axis=1, ddof=2)": np.std(a, axis=1, ddof=2),
        "nanvar(a, axis=0, ddof=1)": np.nanvar(a, axis=0, ddof=1),
    }
    for text, want in cases.items():
        result = engine.evaluate(text, names)
        assert result.dtype == want.dtype and np.allclose(result, want, rtol=1e-12 if want.dtype == "f8" else 1e-6), (
            text
        )


X = np.array([[1.5, np.nan, np.inf], [-np.inf, 2.5, -3.25]])
KEYWORD_OPERANDS = {
    "x": X,
    "z": X + 1j * X[::-1],
    "y": np.array([[1.0, 2, 3], [4, 5, 7]]),
    "m": np.array([[True, False, True], [True, True, False]]),
    "i": np.array([[151, -249, 3], [150, 250, -50]]),
    "b": np.array([[1, -2, 100], [3, 4, -128]], "i1"),
    "u": np.array([[1, 2, 200], [3, 4, 255]], "u1"),
    "h": np.array([[1.0, 2, 3], [4, 5, 7]], "f2"),
    "s": np.array([[1.5, np.nan, np.inf], [-np.inf, 2.5, -3.25]], "f4"),
}
REPLACED = ("", "nan=1.5", "posinf=9", "neginf=-9", "nan=1,posinf=2,neginf=3", "nan=7.0,neginf=0", "copy=True")
INFINITE = ("nan=np.inf", "posinf=np.nan", "neginf=np.inf,nan=3")
CLOSE = ("", "rtol=0.1", "atol=1", "equal_nan=True", "rtol=1e-3,atol=1e-2,equal_nan=True")
SKIPPING = ("", "axis=0", "keepdims=True", "where=m", "where=m,axis=1")
KEYWORDS = (
    [f"nan_to_num({a},{k})" for a in "xzsib" for k in REPLACED]
    + [f"nan_to_num({a},{k})" for a in "xzs" for k in INFINITE]
    + ["nan_to_num(x,True,1.5)", "nan_to_num(x,True,1.5,None,-1)", "nan_to_num(h,nan=2)"]
    + [f"isclose({a},{k})" for a in ("x,x", "y,y+0.01", "z,z", "i,i+1", "x,y") for k in CLOSE]
    + ["isclose(i,i+1,0.01)", "isclose(x,x,0.1,1,True)"]
    + [f"angle({a},{k})" for a in "xzyi" for k in ("", "deg=True", "True", "deg=False")]
    + [f"{f}({a},{d})" for f in ("round", "around") for a in "xyzibhs" for d in (-2, -1, 0, 1, 2, "decimals=3")]
    + [f"round({a})" for a in "xyzibhsm"]
    + [f"clip({a},{k})" for a in "yibhs" for k in ("min=2", "max=5", "2,None", "None,5", "a_min=2,a_max=4")]
    + ["clip(u,None,300)", "clip(u,-5,None)", "clip(b,max=100)", "clip(b,min=y)", "clip(x,max=h)"]
    + [
        f"{f}({a},{k})"
        for f in ("nansum", "nanprod")
        for a in "yxibhs"
        for k in (*SKIPPING, "initial=2", "initial=3,where=m")
    ]
    + [
        f"{f}({a},dtype=np.{d})"
        for f in ("nansum", "nanprod", "nanmean")
        for a in "yxi"
        for d in ("float32", "complex128")
    ]
    + [f"{f}({a},{k})" for f in ("nanmin", "nanmax") for a in "yxi" for k in ("initial=2", "initial=2,where=m,axis=0")]
    + [f"{f}({a},{k})" for f in ("nanmean", "nanvar", "nanstd") for a in "yxih" for k in SKIPPING]
    + [
        f"{f}({a},{k})"
        for f in ("nanvar", "nanstd")
        for a in "yi"
        for k in ("ddof=1", "ddof=1,where=m", "dtype=np.float32")
    ]
    + [f"{f}({a},{b})" for f in ("bitwise_left_shift", "bitwise_right_shift") for a in "ibu" for b in ("3", "i*0+2")]
)


@pytest.mark.parametrize("text", KEYWORDS)
def test_keywords_mean_what_numpy_means(text):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        want = np.asarray(eval("np." + text, {"np": np}, KEYWORD_OPERANDS))
    result = np.asarray(engine.evaluate(text.replace("np.", ""), KEYWORD_OPERANDS))
    assert result.dtype == want.dtype and result.shape == want.shape
    exact = want.dtype.kind in "iub" or text.startswith(("nan_to_num", "round", "around", "clip"))
    tolerance = 0 if exact else {"e": 2e-3, "f": 1e-6, "F": 1e-6}.get(want.dtype.char, 1e-13)
    assert np.allclose(result, want, rtol=tolerance, atol=0, equal_nan=want.dtype.kind in "fc"), (result, want)


def test_what_cannot_be_rounded_or_clipped_says_so():
    with pytest.raises(engine.DTypeError, match="no decimals"):
        engine.evaluate("round(m, 1)", KEYWORD_OPERANDS)
    for text in ("clip(y)", "clip(y, None, None)"):
        with pytest.raises(engine.ParseError, match="neither min nor max"):
            engine.evaluate(text, KEYWORD_OPERANDS)


def test_a_complex_number_has_the_parts_it_was_given():
    x = KEYWORD_OPERANDS["x"]
    z = engine.evaluate("complex(x, x[::-1])", {"x": x})
    assert np.array_equal(z.real, x, equal_nan=True) and np.array_equal(z.imag, x[::-1], equal_nan=True)
    assert engine.evaluate("complex(h, b)", KEYWORD_OPERANDS).dtype == np.complex64
    with pytest.raises(engine.DTypeError):
        engine.evaluate("complex(z, 1)", KEYWORD_OPERANDS)


@pytest.mark.parametrize("dtype", ("c8", "c16"))
def test_zero_to_a_complex_power(dtype):
    """As NumPy: 0 where the exponent's real part is positive, 1 for the exponent 0, NaN elsewhere."""
    x = np.zeros(6, dtype)
    y = np.array([0.5, 0.25 + 1j, 2 - 3j, 0, -1, 1j], dtype)
    with np.errstate(all="ignore"):
        want = np.power(x, y)
    result = engine.evaluate("x ** y", {"x": x, "y": y})
    assert np.array_equal(np.isnan(result), np.isnan(want)) and np.array_equal(result[:4], want[:4])


def test_every_ufunc_of_numpy_is_here():
    """But those with several results, whose parts are rows, and those of other dtypes and of matrices."""
    others = {"divmod", "frexp", "modf", "isnat", "matmul", "matvec", "vecmat", "vecdot", "float_power"}
    # Not dir(np): numexpr hangs names of its own on the module.
    names = {name for name in np.__all__ if isinstance(getattr(np, name), np.ufunc)} - others
    refused = []
    for name in sorted(names):
        try:
            engine.evaluate(f"{name}({', '.join('xyz'[: getattr(np, name).nin])})", {"x": 1, "y": 1})
        except engine.UnknownName:
            refused.append(name)
        except engine.Error:
            pass
    assert not refused


def test_variance_of_large_values_keeps_its_digits():
    """Mean 1e8 with unit spread: a difference of squares would have no digit left."""
    x = 1e8 + np.random.default_rng(4).normal(size=1_000_003)
    truth = float(np.var((x - 1e8).astype("longdouble")))
    assert abs(engine.evaluate("var(x)", {"x": x}) / truth - 1) < 2 * abs(np.var(x) / truth - 1) + 1e-15


def test_rounding_to_decimals():
    generator = np.random.default_rng(2)
    for a in (
        generator.normal(size=300) * 100,
        (generator.normal(size=300) * 100).astype("f4"),
        generator.integers(-500, 500, 300),
    ):
        for decimals in (-2, -1, 0, 1, 3):
            result, want = engine.evaluate("round(a, d)", {"a": a, "d": decimals}), np.round(a, decimals)
            assert result.dtype == want.dtype and np.array_equal(result, want)

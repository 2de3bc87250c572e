"""Complex functions where they turn: signed zeros, infinities, NaN, ends of branch cuts, against NumPy part by part.

NumPy takes what C99 has from the C library; where C99, Annex G, leaves a sign open it is no oracle.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import engine

FUNCTIONS = (
    "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
)  # fmt: skip
PARTS = (0.0, 1.0, 0.5, 3.0, np.inf)
DTYPES = ("complex64", "complex128")


def points(dtype: str) -> np.ndarray:
    values = [sign * part for part in PARTS for sign in (1.0, -1.0)] + [np.nan]
    z = np.empty(len(values) ** 2, dtype)
    pairs = list(itertools.product(values, values))
    z.real, z.imag = [p[0] for p in pairs], [p[1] for p in pairs]
    return z


def evaluate(text: str, **names) -> np.ndarray:
    return engine.evaluate(text, names)


def apart(result: np.ndarray, want: np.ndarray, digits: float) -> np.ndarray:
    """Where parts differ: in kind, in the sign of what is not NaN, or by more than a share `digits`."""
    with np.errstate(all="ignore"):
        near = np.abs(result - want) <= digits * np.abs(want)
    same = (result == want) & (np.signbit(result) == np.signbit(want))
    return ~(np.isnan(result) & np.isnan(want) | same | near & np.isfinite(want) & (want != 0))


def open_signs(name: str, z: np.ndarray) -> tuple[np.ndarray | bool, np.ndarray | bool]:
    """Real and imaginary parts whose sign Annex G leaves open."""
    if name == "sinh":
        return np.isinf(z.real) & ~np.isfinite(z.imag), False
    if name == "sin":
        return False, np.isinf(z.imag) & ~np.isfinite(z.real)
    if name == "cos":
        return False, (z.real == 0) & np.isnan(z.imag)
    return False, False


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_values_are_numpys(name, dtype):
    z = points(dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, name)(z)
    result = evaluate(f"{name}(z)", z=z)
    assert result.dtype == want.dtype
    digits = 8 * np.finfo(dtype).eps
    wrong = np.zeros(z.shape, bool)
    for a, b, is_open in zip((result.real, result.imag), (want.real, want.imag), open_signs(name, z), strict=True):
        differ = np.where(is_open, apart(np.abs(a), np.abs(b), digits), apart(a, b, digits))
        wrong |= differ & ~(np.isnan(b) & (name == "expm1"))  # its formula makes NaN of 0 * inf: see the next test
    assert not wrong.any(), list(zip(z[wrong], result[wrong], want[wrong], strict=True))


def test_expm1_is_exp_less_one_where_numpys_formula_is_nan():
    inf, nan = np.inf, np.nan
    z = np.array([complex(*p) for p in ((inf, 0.0), (inf, -0.0), (-inf, inf), (-inf, -inf), (inf, inf), (nan, 0.0))])
    result = evaluate("expm1(z)", z=z)
    assert np.array_equal(result.real, [inf, inf, -1, -1, inf, nan], equal_nan=True)
    assert np.array_equal(result.imag, [0, 0, 0, 0, nan, 0], equal_nan=True)
    assert np.array_equal(np.signbit(result.imag[:4]), [False, True, False, True])


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_sides_of_every_branch_cut_are_told_apart_by_the_sign_of_zero(dtype):
    """On the cut the value is that of the side whose sign the zero has."""
    beside = np.array([1e-30, -1e-30], "f4")
    for names, cut, along_real in (
        (("sqrt", "log", "log2", "log10"), -2.5, True),
        (("log1p",), -3.5, True),
        (("arcsin", "arccos", "arctanh"), 2.5, True),
        (("arcsin", "arccos", "arctanh", "arccosh"), -2.5, True),
        (("arccosh",), 0.5, True),
        (("arcsinh", "arctan"), 2.5, False),
        (("arcsinh", "arctan"), -2.5, False),
    ):
        for name in names:
            on, near = np.empty(2, dtype), np.empty(2, dtype)
            for z, offset in ((on, np.copysign(0.0, beside)), (near, beside)):
                z.real, z.imag = (cut, offset) if along_real else (offset, cut)
            a, b = evaluate(f"{name}(z)", z=on), evaluate(f"{name}(z)", z=near)
            assert np.allclose(a, b, rtol=8 * np.finfo(dtype).eps, atol=1e-14), name
            assert abs(a[0] - a[1]) > 0.1, f"{name} does not jump at {cut}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_special_values_are_numpys(dtype):
    z, w = (grid.ravel() for grid in np.meshgrid(points(dtype), points(dtype)))
    finite = np.isfinite(z) & np.isfinite(w)
    with np.errstate(all="ignore"):
        want = np.power(z, w)
    result = evaluate("z ** w", z=z, w=w)
    with np.errstate(all="ignore"):
        near = np.abs(result - want) <= 64 * np.finfo(dtype).eps * np.abs(want)
    assert near[finite & np.isfinite(want)].all()
    special = ~finite | (z == 0) | (w == 0)
    for a, b in ((result.real, want.real), (result.imag, want.imag)):
        assert np.array_equal(a[special], b[special], equal_nan=True)


def test_whole_powers_of_gaussian_integers_are_exact():
    z = np.array([1 + 1j, 1 - 2j, 1j, -3 + 4j, -1j])
    for n in (4, 5, 8, 11, 16):
        want = [complex(1)] * z.size
        for _ in range(n):
            want = [a * b for a, b in zip(want, z.tolist(), strict=True)]  # below 2**53 all along
        assert np.array_equal(evaluate("z ** w", z=z, w=np.full(z.size, n + 0j)), want)
    assert evaluate("z ** w", z=np.array([2j]), w=np.array([-4 + 0j]))[0] == 0.0625


def test_results_at_the_ends_of_the_range_neither_overflow_nor_vanish():
    big, tiny = 1.5e308, 5e-324
    for text, z, want in (
        ("abs(z)", complex(1e308, 1e308), 1.4142135623730951e308),
        ("abs(z)", complex(3e-320, 4e-320), 5e-320),
        ("sqrt(z)", complex(big, big), np.sqrt(complex(big / 4, big / 4)) * 2),
        ("sqrt(z)", complex(0, tiny), complex(1.5717277847026288e-162, 1.5717277847026288e-162)),
        ("exp(z)", complex(710, 1.5707963267948966), complex(1.3679272698459396e292, np.inf)),
        ("exp(z)", complex(710, 1.5), None),
        ("log(z)", complex(big, big), complex(np.log(big) + np.log(2) / 2, np.pi / 4)),
        ("log(z)", complex(1, 1e-170), complex(0, 1e-170)),
        ("arcsin(z)", complex(big, big), complex(np.pi / 4, np.log(big) + 1.5 * np.log(2))),
        ("arctanh(z)", complex(1e-300, 1e10), complex(1e-320, np.pi / 2 - 1e-10)),
    ):
        result = evaluate(text, z=np.array([z]))[0]
        want = complex(np.exp(710 - 1) * np.cos(1.5) * np.e, np.inf) if want is None else want
        if isinstance(want, complex):
            parts = ((result.real, want.real), (result.imag, want.imag))
        else:
            parts = ((result, want),)
        for a, b in parts:
            assert a == b or abs(a - b) <= max(1e-14 * abs(b), tiny), (text, z, result)

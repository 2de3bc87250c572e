"""exactness="relaxed": how far from the truth, what stays as it is, and that it is asked for."""

import math

import numpy as np
import pytest

import engine
from tests.conformance.fused import fma
from tests.hosts import HOSTS

SPECIAL = (0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 5e-324, -1e-320, 1e-160, 1e160, -1.7e308, math.inf, -math.inf, math.nan)
WIDE = {"float32": np.float64, "float64": np.longdouble}


def relaxed(text, backend="auto", **names):
    return engine.evaluate(text, names, exactness="relaxed", backend=backend)


def ulps(got, truth):
    """Distances in units in the last place of the truth, which is of a wider dtype."""
    with np.errstate(over="ignore"):
        unit = np.spacing(np.maximum(np.abs(truth), np.finfo(got.dtype).smallest_normal).astype(got.dtype))
    return np.max(np.abs(got.astype(truth.dtype) - truth) / unit)


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("power", (3, 4, 5))
def test_powers_are_within_four_ulp(dtype, power):
    range_of = np.finfo(dtype)
    high = math.log2(float(range_of.max)) / power
    low = math.log2(float(range_of.smallest_subnormal)) / power
    x = np.exp2(np.random.default_rng(power).uniform(low, high, 200_000)).astype(dtype)
    x *= np.where(np.arange(x.size) % 2, 1, -1).astype(dtype)
    wide = x.astype(WIDE[dtype])
    truth = wide * wide * wide if power == 3 else (wide * wide) ** 2 if power == 4 else (wide * wide) ** 2 * wide
    keep = np.abs(truth) <= range_of.max
    got = relaxed(f"x**{power}", x=x)
    assert 0.5 < ulps(got[keep], truth[keep]) <= 4
    assert got.tobytes() != engine.evaluate(f"x**{power}", {"x": x}).tobytes()


@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("divisor", (3, 7.25, -0.1, 1e-30, 1e30))
def test_quotients_by_numbers_are_within_two_ulp(dtype, divisor):
    x = np.exp2(np.random.default_rng(3).uniform(-20, 20, 100_000)).astype(dtype)
    truth = x.astype(WIDE[dtype]) / WIDE[dtype](np.dtype(dtype).type(divisor))
    assert ulps(relaxed(f"x / {divisor!r}", x=x), truth) <= 2


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize(
    "text, factors",
    [
        ("a*b + c", (1, 1)),
        ("c + a*b", (1, 1)),
        ("a*b - c", (1, -1)),
        ("c - a*b", (-1, 1)),
        ("c - (-a)*b", (1, 1)),
        ("(-a)*b - c", (-1, -1)),
    ],
)
def test_sums_of_products_are_rounded_once(backend, dtype, text, factors):
    generator = np.random.default_rng(5)
    a, b, c = (generator.uniform(-1, 1, 777).astype(dtype) for _ in range(3))
    product, summand = factors
    want = fma(product * a, b, summand * c)
    assert relaxed(text, backend, a=a, b=b, c=c).tobytes() == want.tobytes()
    assert engine.evaluate(text, {"a": a, "b": b, "c": c}).tobytes() != want.tobytes()


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("text", ("x**3", "x**4", "x**5", "x/3", "x/-1e-30", "x*x + x", "2 - 3*x"))
@pytest.mark.parametrize("dtype", WIDE)
def test_infinities_and_zeros_are_as_they_were(backend, text, dtype):
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype)
    got, strict = relaxed(text, backend, x=x), engine.evaluate(text, {"x": x})
    assert np.array_equal(np.isnan(got), np.isnan(strict)) and np.array_equal(np.isinf(got), np.isinf(strict))
    zero = strict == 0
    assert np.array_equal(got == 0, zero) and np.array_equal(np.signbit(got[zero]), np.signbit(strict[zero]))


@pytest.mark.parametrize("text", ("n**3", "z*z + z", "z**3", "h*h + h", "n*n + n", "n//3", "a/b", "a**6"))
def test_other_dtypes_and_operations_keep_their_bits(text):
    a = np.linspace(0.1, 3, 100)
    names = {"a": a, "b": a + 1, "n": np.arange(100), "z": a + 1j, "h": a.astype("f2")}
    assert relaxed(text, **names).tobytes() == engine.evaluate(text, names).tobytes()


def test_programs_of_both_kinds_are_kept_apart():
    a = np.linspace(0.1, 3, 100)
    texts = [
        engine.evaluate("a**3", {"a": a}, exactness=word).tobytes()
        for word in ("strict", "relaxed", "strict", "relaxed")
    ]
    assert texts[:2] == texts[2:] and texts[0] != texts[1]
    assert (
        "power" in engine.explain("a**3", {"a": a}).text
        and "power" not in engine.explain("a**3", {"a": a}, exactness="relaxed").text
    )

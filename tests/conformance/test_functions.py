"""Elementary functions against truth: within the ulp their catalog rows state, right at the ends of their domains.

Truth is the same function in the next wider type (for float64 the 80-bit long double where the machine has one).
"""

from __future__ import annotations

import numpy as np
import pytest

import engine
from tests.differential.oracle import ELEMENTARY

DOMAIN = {
    "exp": (-745, 710), "expm1": (-50, 700), "log": (1e-320, 1e300), "log1p": (-0.999999, 1e10), "sin": (-1e5, 1e5),
    "cos": (-1e5, 1e5),
    "tanh": (-25, 25),
}  # fmt: skip
WIDER = {"f2": "f8", "f4": "f8", "f8": "longdouble"}
SPREAD = {"f2": (-11, 10), "f4": (-88, 88), "f8": (-700, 700)}
needs_wide = pytest.mark.skipif(
    np.finfo("longdouble").nmant <= np.finfo("f8").nmant,
    reason="long double is no wider than float64 here: no truth to compare with",
)


def allowed_ulp(function: str) -> float:
    """What the catalog's row states; 4 where it states nothing."""
    for row in engine.functions:
        if row.name == function:
            return float(getattr(row, "ulp", 4) or 4)
    raise AssertionError(f"{function} is not in engine.functions")


def samples(function: str, dtype: str) -> np.ndarray:
    generator = np.random.default_rng(17)
    low, high = DOMAIN[function]
    if dtype != "f8":
        low, high = max(low, SPREAD[dtype][0]), min(high, SPREAD[dtype][1])
    if function == "log":
        x = np.exp(generator.uniform(SPREAD[dtype][0], SPREAD[dtype][1], 20000))
    else:
        x = np.concatenate(
            [
                generator.uniform(low, high, 20000),
                generator.uniform(-0.9, 2, 20000),
                generator.uniform(-0.9, 1, 5000) * 1e-5,
            ]
        )
    return x.astype(dtype)


@pytest.mark.parametrize("dtype", ("f2", "f4", pytest.param("f8", marks=needs_wide)))
@pytest.mark.parametrize("function", sorted(ELEMENTARY))
def test_error_in_ulp(function, dtype):
    x = samples(function, dtype)
    x = x[x > 0] if function == "log" else x
    with np.errstate(all="ignore"):
        truth = getattr(np, function)(x.astype(WIDER[dtype]))
        inside = np.isfinite(truth.astype(dtype))
    result = engine.evaluate(f"{function}(x)", {"x": x})
    assert result.dtype == np.dtype(dtype)
    spacing = np.spacing(np.abs(truth[inside].astype(dtype))).astype(WIDER[dtype])
    error = np.abs(result[inside].astype(WIDER[dtype]) - truth[inside]) / spacing
    worst = int(np.argmax(error))
    assert error[worst] <= allowed_ulp(function) + 0.5, f"{error[worst]:.2f} ulp at {x[inside][worst]!r}"


ENDS = {
    "exp": (
        (0.0, 1.0),
        (-0.0, 1.0),
        (np.inf, np.inf),
        (-np.inf, 0.0),
        (1000.0, np.inf),
        (-1000.0, 0.0),
        (np.nan, np.nan),
    ),
    "expm1": ((0.0, 0.0), (-0.0, -0.0), (np.inf, np.inf), (-np.inf, -1.0), (np.nan, np.nan)),
    "log": ((1.0, 0.0), (0.0, -np.inf), (-0.0, -np.inf), (np.inf, np.inf), (-1.0, np.nan), (np.nan, np.nan)),
    "log1p": ((0.0, 0.0), (-0.0, -0.0), (-1.0, -np.inf), (np.inf, np.inf), (-2.0, np.nan), (np.nan, np.nan)),
    "sin": ((0.0, 0.0), (-0.0, -0.0), (np.inf, np.nan), (-np.inf, np.nan), (np.nan, np.nan)),
    "cos": ((0.0, 1.0), (-0.0, 1.0), (np.inf, np.nan), (np.nan, np.nan)),
    "tanh": ((0.0, 0.0), (-0.0, -0.0), (np.inf, 1.0), (-np.inf, -1.0), (100.0, 1.0), (np.nan, np.nan)),
}


@pytest.mark.parametrize("dtype", ("f2", "f4", "f8"))
@pytest.mark.parametrize("function", sorted(ELEMENTARY))
def test_ends_of_the_domain(function, dtype):
    arguments, values = np.array(ENDS[function]).astype(dtype).T
    result = engine.evaluate(f"{function}(x)", {"x": np.ascontiguousarray(arguments)})
    assert np.array_equal(result, values, equal_nan=True)
    number = ~np.isnan(values)
    assert np.array_equal(np.signbit(result[number]), np.signbit(values[number]))


@pytest.mark.parametrize("dtype", ("f4", "f8"))
@pytest.mark.parametrize("function", ("sin", "tanh", "expm1", "log1p"))
def test_subnormal_arguments_come_back(function, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([tiny, -tiny, 5 * tiny], dtype)
    assert np.array_equal(engine.evaluate(f"{function}(x)", {"x": x}), x)


@pytest.mark.parametrize("function", sorted(ELEMENTARY))
def test_one_value_has_one_answer_wherever_it_stands(function):
    """Tails, blocks and scalars run the same code: the bits of f(v) do not depend on v's neighbours."""
    x = np.random.default_rng(3).uniform(0.1, 3, 1537)
    whole = engine.evaluate(f"{function}(x)", {"x": x})
    for at in (0, 1, 7, 8, 511, 512, 1023, 1024, 1535, 1536):
        assert engine.evaluate(f"{function}(v)", {"v": x[at]}) == whole[at]
    assert np.array_equal(engine.evaluate(f"{function}(x[::-1])[::-1]", {"x": x}), whole)

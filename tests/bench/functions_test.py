"""bench/functions.py: which functions it measures, on what, and what it asks of them."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import functions  # noqa: E402

import engine  # noqa: E402

NUMPYS_NAMES = {
    "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atan2": "arctan2",
    "atanh": "arctanh", "pow": "power",
}  # fmt: skip


def test_every_elementary_function_is_measured():
    text = (ROOT / "tests" / "accuracy" / "functions.inc").read_text()
    rows = [NUMPYS_NAMES.get(name, name) for name in re.findall(r"^FUNCTION\((\w+)", text, re.M) if name != "fmod"]
    assert sorted(function.name for function in functions.FUNCTIONS) == sorted(rows)


def test_every_function_is_measured_against_its_oracle():
    rivals = {function.name: function.rival for function in functions.FUNCTIONS}
    assert all(
        isinstance(rival, np.ufunc) for name, rival in rivals.items() if name not in ("erf", "erfc", "gamma", "lgamma")
    )
    assert rivals["fast_tan"] is np.tan and rivals["power"] is np.power


@pytest.mark.parametrize("dtype", ("float64", "float32"))
def test_results_are_finite_on_what_is_measured(dtype):
    """Rare arguments have ways of their own, which would be measured instead. gamma has poles among hers."""
    for function in functions.FUNCTIONS:
        arrays = functions.operands(function, np.dtype(dtype), 1000)
        assert all(a.dtype == dtype and a.shape == (1000,) for a in arrays)
        result = engine.evaluate(f"{function.name}({', '.join('xy'[: len(arrays)])})", dict(zip("xy", arrays)))
        assert np.isfinite(result).mean() > 0.99, function.name


def test_with_avx2_one_goal_holds_for_all():
    (log,) = [function for function in functions.FUNCTIONS if function.name == "log"]
    assert functions.goal(log, np.float64, "avx2") == functions.goal(log, np.float32, "avx2") == functions.LEAST_AVX2
    assert functions.goal(log, np.float64, "avx512") != functions.goal(log, np.float32, "avx512")

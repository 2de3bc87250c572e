"""Expressions that are wrong or fatal in other tools, each held against NumPy by name."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

import engine

SIGNED = ("int8", "int16", "int32", "int64")


@pytest.mark.parametrize("dtype", SIGNED)
@pytest.mark.parametrize("length", (1, 7, 64, 1000))
def test_smallest_integer_floor_divided_by_minus_one_is_itself(dtype, length):
    a = np.full(length, np.iinfo(dtype).min, dtype)
    b = np.full(length, -1, dtype)
    expected = np.full(length, np.iinfo(dtype).min, dtype)
    assert np.array_equal(engine.evaluate("a // b", {"a": a, "b": b}), expected)
    assert np.array_equal(engine.evaluate("a // -1", {"a": a}), expected)
    assert engine.evaluate("a // b", {"a": a, "b": b}).dtype == dtype


@pytest.mark.parametrize("dtype", SIGNED)
@pytest.mark.parametrize("length", (1, 7, 64, 1000))
def test_smallest_integer_modulo_minus_one_is_zero(dtype, length):
    a = np.full(length, np.iinfo(dtype).min, dtype)
    b = np.full(length, -1, dtype)
    assert np.array_equal(engine.evaluate("a % b", {"a": a, "b": b}), np.zeros(length, dtype))
    assert np.array_equal(engine.evaluate("a % -1", {"a": a}), np.zeros(length, dtype))
    assert np.array_equal(engine.evaluate("fmod(a, b)", {"a": a, "b": b}), np.zeros(length, dtype))


@pytest.mark.parametrize("operator, function", (("//", np.floor_divide), ("%", np.remainder)))
def test_all_pairs_of_int8(operator, function):
    values = np.arange(-128, 128, dtype=np.int8)
    a, b = values[:, None], values
    with np.errstate(all="ignore"):
        expected = function(a, b)
    result = engine.evaluate(f"a {operator} b", {"a": a, "b": b})
    assert result.dtype == np.int8 and result.size == 65536
    assert np.array_equal(result, expected)


@pytest.mark.parametrize("n", (2, 9, 513, 5000))
def test_out_shifted_by_one_against_its_operand(n):
    y = np.arange(float(n))
    expected = 2 * y[:-1] + 1
    result = engine.evaluate("2*x + 1", {"x": y[:-1]}, out=y[1:])
    assert np.array_equal(result, expected) and np.array_equal(y[1:], expected) and y[0] == 0


@pytest.mark.parametrize("n", (2, 9, 513, 5000))
def test_out_shifted_back_by_one_against_its_operand(n):
    y = np.arange(float(n))
    expected = 2 * y[1:] + 1
    engine.evaluate("2*x + 1", {"x": y[1:]}, out=y[:-1])
    assert np.array_equal(y[:-1], expected) and y[-1] == n - 1


@pytest.mark.parametrize("n", (2, 9, 513, 5000))
def test_out_reversed_against_its_operand(n):
    y = np.arange(float(n))
    expected = y + y[::-1] * 3
    engine.evaluate("x + 3*r", {"x": y.copy(), "r": y[::-1]}, out=y)
    assert np.array_equal(y, expected)


@pytest.mark.parametrize("rows, columns", ((0, 1), (1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)))
@pytest.mark.parametrize("shape", ((4, 5), (40, 70), (3, 600)))
def test_out_shifted_in_two_dimensions_against_its_operand(rows, columns, shape):
    grid = np.random.default_rng(0).standard_normal(shape)
    here = tuple(slice(max(shift, 0), length + min(shift, 0)) for shift, length in zip((rows, columns), shape))
    there = tuple(slice(max(-shift, 0), length + min(-shift, 0)) for shift, length in zip((rows, columns), shape))
    expected = grid.copy()
    expected[here] = grid[there] * 2 - 1
    engine.evaluate("2*x - 1", {"x": grid[there]}, out=grid[here])
    assert np.array_equal(grid, expected)


def test_out_transposed_against_its_operand():
    grid = np.random.default_rng(0).standard_normal((70, 70))
    expected = grid.T + grid
    engine.evaluate("x.T + x", {"x": grid}, out=grid)
    assert np.array_equal(grid, expected)


def test_sum_of_twenty_million_tenths_in_float32():
    a = np.full(20_000_000, 0.1, np.float32)
    exact = 20_000_000 * float(np.float32(0.1))
    assert round(exact, 2) == 2_000_000.03
    result = engine.evaluate("sum(a)", {"a": a})
    assert result.dtype == np.float32
    assert abs(float(result) - exact) / exact <= 1.5e-7


@pytest.mark.parametrize("at", (0, 1, 500, 1023, 1024))
@pytest.mark.parametrize("reduction", ("max", "min"))
@pytest.mark.parametrize("dtype", ("float16", "float32", "float64"))
def test_max_and_min_with_nan_are_nan(at, reduction, dtype):
    a = np.arange(1025).astype(dtype)
    a[at] = np.nan
    assert np.isnan(engine.evaluate(f"{reduction}(a)", {"a": a}))


@pytest.mark.parametrize("function", ("maximum", "minimum"))
def test_maximum_and_minimum_propagate_nan_from_either_side(function):
    a, b = np.array([np.nan, 1.0, 2.0]), np.array([1.0, np.nan, 3.0])
    expected = getattr(np, function)(a, b)
    assert np.array_equal(engine.evaluate(f"{function}(a, b)", {"a": a, "b": b}), expected, equal_nan=True)


def test_sum_of_shape_0_3():
    a = np.zeros((0, 3))
    assert np.array_equal(engine.evaluate("sum(a, axis=0)", {"a": a}), np.zeros(3))
    assert engine.evaluate("sum(a, axis=1)", {"a": a}).shape == (0,)
    total = engine.evaluate("sum(a)", {"a": a})
    assert total == 0.0 and isinstance(total, np.float64)


def test_uint64_beyond_int64_compares_with_a_literal():
    a = np.array([2**63 + 5], np.uint64)
    assert engine.evaluate("a > 5", {"a": a}).tolist() == [True]
    assert engine.evaluate("a < 5", {"a": a}).tolist() == [False]
    assert engine.evaluate("a > -1", {"a": a}).tolist() == [True]
    assert engine.evaluate("a == 9223372036854775813", {"a": a}).tolist() == [True]
    assert engine.evaluate("a > b", {"a": a, "b": np.array([5], np.int64)}).tolist() == [True]


@pytest.mark.parametrize(
    "a, operator, b", ((6.0, "//", 0.1), (1.0, "%", 0.1), (5.0, "%", math.inf), (1e17, "%", 3.0), (-5.0, "%", math.inf))
)
@pytest.mark.parametrize("dtype", ("float32", "float64"))
def test_floor_division_and_modulo_of_floats(a, operator, b, dtype):
    x, y = np.full(9, a, dtype), np.full(9, b, dtype)
    function = {"//": np.floor_divide, "%": np.remainder}[operator]
    assert np.array_equal(engine.evaluate(f"x {operator} y", {"x": x, "y": y}), function(x, y))
    assert np.array_equal(engine.evaluate(f"x {operator} {b}", {"x": x}), function(x, b))


def test_float_floor_division_by_name():
    one = np.ones(1)
    assert engine.evaluate("6.0*a // 0.1", {"a": one}) == 59.0
    assert engine.evaluate("a % 0.1", {"a": one}) == np.remainder(1.0, 0.1)
    assert engine.evaluate("5.0*a % inf", {"a": one}) == 5.0
    assert engine.evaluate("1e17*a % 3.0", {"a": one}) == np.remainder(1e17, 3.0)


def test_int64_power_is_exact():
    a = np.array([3, -3], np.int64)
    result = engine.evaluate("a ** 40", {"a": a})
    assert result.dtype == np.int64
    assert result.tolist() == [(3**40 + 2**63) % 2**64 - 2**63] * 2
    assert np.array_equal(result, a**40)


def test_float32_times_a_literal_stays_float32():
    a = np.arange(5, dtype=np.float32)
    result = engine.evaluate("a * 2.0", {"a": a})
    assert result.dtype == np.float32 and np.array_equal(result, a * 2)


def test_int8_plus_a_literal_stays_int8():
    a = np.array([1, 127], np.int8)
    result = engine.evaluate("a + 1", {"a": a})
    assert result.dtype == np.int8 and result.tolist() == [2, -128]


def test_a_reduction_inside_an_expression():
    a = np.arange(10.0)
    result = engine.evaluate("sum(a) + 1", {"a": a})
    assert result == 46.0 and isinstance(result, np.float64)
    assert np.array_equal(engine.evaluate("a - sum(a)", {"a": a}), a - 45)


def test_a_literal_on_the_left_of_floor_division():
    a = np.array([-3, -1, 0, 1, 2, 3], np.int64)
    with np.errstate(all="ignore"):
        assert np.array_equal(engine.evaluate("2 // a", {"a": a}), 2 // a)


@pytest.mark.parametrize("dtype", SIGNED + ("uint8", "uint16", "uint32", "uint64"))
def test_a_literal_on_the_left_of_and(dtype):
    i = np.arange(9).astype(dtype)
    result = engine.evaluate("2 & i", {"i": i})
    assert result.dtype == dtype and np.array_equal(result, 2 & i)


def test_masked_arrays_are_refused():
    a = np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    with pytest.raises(engine.DTypeError) as caught:
        engine.evaluate("a + 1", {"a": a})
    assert "mask" in str(caught.value)


def _says_how(error: engine.UnknownName) -> bool:
    message = str(error)
    return "'lone'" in message and ("mapping" in message or "names=" in message)


def test_a_name_used_only_in_the_text_of_a_nested_function():
    lone = np.arange(3)

    def nested():
        return engine.evaluate("lone + 1")

    with pytest.raises(engine.UnknownName) as caught:
        nested()
    assert _says_how(caught.value)

    def given():
        return engine.evaluate("lone + 1", {"lone": lone})

    assert given().tolist() == [1, 2, 3]


def test_a_name_used_only_in_the_text_of_a_comprehension():
    lone = np.arange(3)
    try:
        results = [engine.evaluate("lone + i").tolist() for i in range(2)]
    except engine.UnknownName as error:  # before Python 3.12 a comprehension is a function of its own
        assert _says_how(error)
    else:
        assert results == [[0, 1, 2], [1, 2, 3]]
    assert [engine.evaluate("lone + i", {"lone": lone, "i": i}).tolist() for i in range(2)] == [[0, 1, 2], [1, 2, 3]]


def test_a_name_used_in_nested_code_and_text_is_found():
    both = np.arange(3)

    def nested():
        assert both is not None
        return engine.evaluate("both + 1")

    assert nested().tolist() == [1, 2, 3]


@pytest.mark.parametrize("expression", ("9**9**9", "9**9**9**9", "a + 9**9**9", "2**10**10", "1 << 10**9"))
def test_a_tower_of_powers_is_answered_at_once(expression):
    started = time.perf_counter()
    with pytest.raises(engine.Error) as caught:
        engine.evaluate(expression, {"a": np.arange(3)})
    assert time.perf_counter() - started < 0.5
    assert isinstance(caught.value, (engine.LimitError, engine.RangeError))


@pytest.mark.parametrize(
    "opening, closing", (("(", ")"), ("abs(", ")"), ("-", ""), ("not ", ""), ("a[", "]"), ("~", ""))
)
def test_ten_thousand_levels_are_a_limit_error(opening, closing):
    started = time.perf_counter()
    with pytest.raises(engine.LimitError):
        engine.evaluate(opening * 10_000 + "a" + closing * 10_000, {"a": np.arange(3)})
    assert time.perf_counter() - started < 0.5


def test_the_depth_can_be_widened():
    a = np.arange(3)
    text = "(" * 300 + "a" + ")" * 300
    with pytest.raises(engine.LimitError):
        engine.evaluate(text, {"a": a})
    assert np.array_equal(engine.evaluate(text, {"a": a}, limits=engine.Limits(depth=400)), a)


def test_a_sum_of_twenty_thousand_terms_is_no_depth():
    a = np.arange(3)
    assert np.array_equal(engine.evaluate(" + ".join(["a"] * 20_000), {"a": a}), a * 20_000)


def test_three_hundred_names():
    names = {f"x{i}": np.full(700, float(i)) for i in range(300)}
    result = engine.evaluate(" + ".join(names), names)
    assert np.array_equal(result, np.full(700, 300 * 299 / 2))


def test_a_negative_power_found_late_leaves_earlier_writes_undone():
    a = np.array([[24057, -8711, 7], [4, 0, -7]], np.int16)
    before = a.copy()
    with pytest.raises(engine.RangeError):
        engine.evaluate("a[:, :2] %= a[:, 1:]; a **= a", {"a": a})
    assert np.array_equal(a, before)
    with pytest.raises(engine.RangeError):
        engine.evaluate("b[::-1] = a[0]; a[...] = a[0]**b", {"a": a, "b": (b := np.arange(3))})
    assert np.array_equal(a, before) and np.array_equal(b, np.arange(3))


def test_python_scalars_divide_complex_numbers_as_python_does():
    s = 1 - 0.5j
    assert engine.evaluate("7/s", {"s": s}) == 7 / s
    assert engine.evaluate("(100 + 0.5j)/7") == (100 + 0.5j) / 7
    assert engine.evaluate("(1 + 2j)/(0.5 - 3j)") == (1 + 2j) / (0.5 - 3j)


def test_clip_leaves_out_a_bound_that_bounds_nothing():
    a = np.array([8, 2**64 - 2], np.uint64)
    b = np.array([5], np.int8)
    assert np.array_equal(engine.evaluate("clip(b, a, 128)", {"a": a, "b": b}), np.clip(b, a, 128))
    c = np.array([4 + 1j, complex(3e38, math.nan)], np.complex64)
    assert np.array_equal(
        engine.evaluate("clip(b, -1, c)", {"b": np.uint16([9]), "c": c}), np.clip(np.uint16([9]), -1, c), equal_nan=True
    )


@pytest.mark.parametrize("length", (1, 511, 512, 513, 5000))
@pytest.mark.parametrize("at", (0, 300, -1))
def test_nan_and_zeros_in_a_maximum_are_found_wherever_they_stand(length, at):
    a = np.full(length, -1.0)
    a[min(at, length - 1)] = math.nan
    assert math.isnan(engine.evaluate("max(a)", {"a": a})) and math.isnan(engine.evaluate("min(a)", {"a": a}))
    z = np.full(length, -0.0)
    z[min(at, length - 1)] = 0.0
    assert not np.signbit(engine.evaluate("max(z)", {"z": z}))
    assert np.signbit(engine.evaluate("min(-z)", {"z": z}))


def test_casting_no_forbids_writing_into_the_other_byte_order():
    a = np.arange(4, dtype=">i4")
    for text in ("a[...] = 7", "a ^= 1"):
        with pytest.raises(engine.DTypeError, match="byte order"):
            engine.evaluate(text, {"a": a}, casting="no")
    assert np.array_equal(a, np.arange(4))
    engine.evaluate("a ^= 1", {"a": a}, casting="equiv")
    assert np.array_equal(a, np.arange(4) ^ 1)


def test_a_float_bound_of_clip_beside_an_idle_one():
    a = np.int16([24057])
    assert engine.evaluate("clip(a, 1e10, 65535)", {"a": a}) == np.clip(a, 1e10, 65535)
    h = np.float16([0.0, -0.0])
    result, want = engine.evaluate("nextafter(-h, h)", {"h": h}), np.nextafter(-h, h)
    assert np.array_equal(np.signbit(result), np.signbit(want))

"""Derivatives: the texts, and their values against finite differences, for every row of the catalog that has one."""

from __future__ import annotations

import numpy as np
import pytest

import engine


@pytest.mark.parametrize(
    "text, wrt, want",
    [
        ("4*a + 5*a*b + 6*b*c", "a", "4 + 5 * b"),
        ("sin(a)*b + a**3", "a", "b * cos(a) + 3 * a ** 2"),
        ("a**b", "a", "b * a ** (b - 1)"),
        ("t = a*b; t*t", "a", "t = a * b; t * b + t * b"),
        ("where(a > 0, a, -a)", "a", "where(a > 0, 1, -1)"),
        ("a if a > 1 else 2*a", "a", "where(a > 1, 1, 2)"),
        ("a[1:]*b[:-1]", "a", "b[:-1]"),
        ("a - a", "a", "0"),
        ("floor(a) + (a > 2)", "a", "0"),
        ("-(-a)", "a", "1"),
        ("b/a", "a", "-(b / a / a)"),
    ],
)
def test_texts_are_simplified(text, wrt, want):
    program = engine.gradient(text, wrt)
    assert program.text == want
    assert engine.gradient(text, wrt).text == want


ROWS = [
    (row, k)
    for row in engine.functions
    if row.kind == "elementwise" and "float64" in row.dtypes and row.name not in ("where", "index")
    for k in range(len(row.required))
]


def difference(text, wrt, names, step=1e-6):
    up, down = dict(names), dict(names)
    up[wrt], down[wrt] = names[wrt] + step, names[wrt] - step
    return (engine.evaluate(text, up).astype(float) - engine.evaluate(text, down).astype(float)) / (2 * step)


@pytest.mark.parametrize("row, k", ROWS, ids=lambda value: getattr(value, "name", value))
def test_every_derivative_cell_is_the_slope(row, k):
    wrt = row.required[k]
    try:
        program = engine.gradient(row.call, wrt)
    except engine.ParseError as error:
        assert "no derivative" in str(error)
        return
    generator = np.random.default_rng(k)
    low, high = max(row.low, -3) + 0.013, min(row.high, 3) - 0.017
    names = {name: generator.uniform(low, high, 300) for name in row.required}
    slope = difference(row.call, wrt, names)
    result = np.broadcast_to(program({name: names[name] for name in program.names if name in names}), slope.shape)
    # Jumps between the two points make a few differences wrong; the cell is right on the rest.
    error = np.abs(result - slope) / (1 + np.abs(slope))
    assert np.quantile(error, 0.97) < 1e-4


@pytest.mark.parametrize(
    "text",
    ["exp(-a*a/2)/sqrt(2*pi)", "1/(1 + exp(-a))", "tanh(a/b)*sin(a*b)", "hypot(a, b)**3",
     "t = a*b; u = t + a; log(u*u + 1)*t", "sum(a*a*b)", "mean((a - b)**2)", "max(a)*b", "a[3:]*b[:-3]",
     "prod(1 + a/50)", "arctan2(a, b) + clip(a, 0.2, 0.7)"],
)  # fmt: skip
def test_values_are_the_slope(text):
    generator = np.random.default_rng(5)
    names = {"a": generator.uniform(0.1, 0.9, 50), "b": generator.uniform(0.5, 2, 50)}
    slope = difference(text, "a", names)
    program = engine.gradient(text, "a")
    result = program({name: names[name] for name in program.names if name in names})
    assert np.allclose(np.broadcast_to(result, slope.shape), slope, rtol=1e-5, atol=1e-6)


def test_what_has_no_derivative_is_refused():
    with pytest.raises(engine.ParseError, match="no derivative of 'gamma'"):
        engine.gradient("gamma(a)", "a")
    with pytest.raises(engine.ParseError, match="in place"):
        engine.gradient("a[0] = 2*b", "b")
    with pytest.raises(engine.UnknownName, match="does not use 'c'"):
        engine.gradient("a + b", "c")
    with pytest.raises(TypeError):
        engine.gradient("a", 1)


def test_a_hostile_expression_ends():
    text = "a"
    for _ in range(200):
        text = f"({text})*a"
    assert engine.gradient(text, "a")(a=1.0) == 201
    with pytest.raises(engine.LimitError):
        engine.gradient("*".join(["a"] * 20_000), "a")

"""What is broadcast is computed once, with the bits that it has where it is computed for each element."""

import itertools
import re

import numpy as np
import pytest

import engine

TEXTS = (
    "a * exp(b)",
    "exp(a) + sin(b)*cos(c)",
    "where(a > 0, sqrt(abs(b)), 1/(2 + c*c))",
    "sum(a * exp(b), axis=-1)",
    "tanh(b) * (a + tanh(b)) + log1p(exp(c))",
    "maximum(a, exp(b)) - sqrt(b) * exp(b)",
    "a**b + b**2.5",
    "(a - mean(a, axis=1, keepdims=True)) / std(a, axis=1, keepdims=True) * exp(b)",
)
SHAPES = ((40, 40), (40, 1), (1, 40), (40,), (1,), (1, 1), ())


def operands(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.random(shape) + 0.5 for name, shape in zip("abc", shapes, strict=True)}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("backend", ("interp", "jit"))
def test_operands_that_are_broadcast_give_the_bits_of_their_copies(text, backend):
    for shapes in itertools.product(SHAPES[:2], SHAPES, SHAPES[:4]):
        names = {name: v for name, v in operands(shapes).items() if re.search(rf"\b{name}\b", text)}
        space = np.broadcast_shapes(*(v.shape for v in names.values()))
        if "axis=1" in text and len(shapes[0]) == 2:
            space = (40, 40)
            names["a"] = np.random.default_rng(1).random(space)
        copies = {name: np.broadcast_to(v, space).copy() for name, v in names.items()}
        want = engine.evaluate(text, copies, backend=backend)
        got = engine.evaluate(text, names, backend=backend, threads=2)
        assert got.tobytes() == want.tobytes(), shapes


def test_an_outer_product_of_functions_has_one_pass_for_each_and_one_for_all():
    x, y = np.linspace(0, 1, 70), np.linspace(1, 2, 50)
    text = "exp(x[:, None]) * cos(y)"
    assert len(engine.explain(text, {"x": x, "y": y}).to_dict()["kernels"]) == 3
    assert len(engine.explain("exp(x[:, None]) * cos(x)", {"x": x}).to_dict()["kernels"]) == 3
    copies = {"x": np.repeat(x[:, None], 50, axis=1), "y": np.repeat(y[None], 70, axis=0)}
    want = engine.evaluate("exp(x) * cos(y)", copies)
    assert engine.evaluate(text, {"x": x, "y": y}).tobytes() == want.tobytes()
    few = {"x": x[:3], "y": y[:4]}
    assert len(engine.explain(text, few).to_dict()["kernels"]) == 1


def test_a_plan_is_made_for_each_way_of_broadcasting_and_kept():
    program = engine.compile("a * exp(b) + 88001")
    a, b = np.ones((50, 40)), np.ones((50, 40))
    for _ in range(3):
        for of in (b, b[:, :1], b[:1], b[:5, :4]):
            n = of.shape == (5, 4)
            program(a=a[:5, :4] if n else a, b=of)
    assert (program.stats.compilations, program.stats.hits) == (4, 8)  # the last: of few elements
    plain = engine.compile("a * b + 88002")  # where nothing would be hoisted extents make no other plan
    for of in (b, b[:, :1], b[:1]):
        plain(a=a, b=of)
    assert plain.stats.compilations == 1


@pytest.mark.parametrize("text", ("exp(a) * b", "sqrt(a) + b", "exp(a[:, None]) / b", "a/7 + b"))
def test_a_results_order_is_that_of_all_operands_also_of_what_is_computed_before(text):
    rng = np.random.default_rng(0)
    for of in (rng.random((30, 40, 2)), rng.random((2, 40, 30)).T, rng.random((40, 30, 2)).transpose(1, 0, 2)):
        names = {"a": of, "b": rng.random((20, 30, 40, 2)) if "None" not in text else rng.random((30, 20, 40, 2))}
        for b in (names["b"], names["b"].T.copy().T, names["b"][:1]):
            leaf = of[:, None] if "None" in text else of
            iterator = np.nditer([leaf, b, None], op_dtypes=[None, None, float])
            assert engine.evaluate(text, names | {"b": b}).strides == iterator.operands[-1].strides


@pytest.mark.parametrize("text", ("a[...] = a * exp(a[0])", "a[...] = a[:, :1] + a * exp(a[:, :1])", "a *= exp(a[3])"))
def test_what_is_overwritten_is_read_before(text):
    a = np.random.default_rng(0).random((60, 50))
    want = a.copy()
    exec(text, {"a": want, "exp": np.exp})
    engine.evaluate(text, {"a": a})
    np.testing.assert_allclose(a, want, rtol=1e-15)


def test_a_later_statement_reads_what_an_earlier_one_wrote():
    a = np.random.default_rng(0).random((60, 50))
    row = a[7]  # memory of a
    want = a * 2
    want = want + np.exp(want[7])
    engine.evaluate("a[...] = a*2; a[...] = a + exp(row)", {"a": a, "row": row})
    np.testing.assert_allclose(a, want, rtol=1e-15)


@pytest.mark.parametrize("shapes", (((0, 50), (50,), (1,)), ((50, 0), (50, 1), (1,)), ((600, 2), (1, 2), (600, 1))))
def test_spaces_without_elements_and_narrow_ones(shapes):
    names = operands(shapes)
    want = names["a"] * np.exp(names["b"]) / np.sqrt(names["c"])
    got = engine.evaluate("a * exp(b) / sqrt(c)", names)
    np.testing.assert_allclose(got, want, rtol=1e-15)
    assert got.shape == want.shape


def test_shapes_that_do_not_match_write_nothing():
    a, b = np.ones((60, 50)), np.ones((1, 7))
    out = np.zeros((60, 50))
    with pytest.raises(engine.ShapeError):
        engine.evaluate("a * exp(b)", {"a": a, "b": b}, out=out)
    assert not out.any()

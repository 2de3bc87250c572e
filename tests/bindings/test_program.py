"""engine.compile and what a Program is."""

import inspect

import numpy as np
import pytest

import engine


@pytest.fixture
def seed():
    return engine.compile("4*a + 5*a*b + 6*b*c")


def test_a_program_is_called_with_a_mapping_or_by_keyword(seed):
    a, b, c = np.arange(3.0), np.ones(3), np.full(3, 2.0)
    expected = 4 * a + 5 * a * b + 6 * b * c
    assert np.array_equal(seed({"a": a, "b": b, "c": c}), expected)
    assert np.array_equal(seed(a=a, b=b, c=c), expected)
    assert np.array_equal(seed(**{"c": c, "".join(("b",)): b, "a": a}), expected)


def test_a_program_knows_its_text_and_names(seed):
    assert seed.text == "4*a + 5*a*b + 6*b*c" and seed.names == ("a", "b", "c")
    assert seed.signature == "(a, b, c)" and repr(seed) == "engine.compile('4*a + 5*a*b + 6*b*c')"


def test_names_that_are_bound_inside_are_no_operands():
    program = engine.compile("t = a*a; t + b")
    assert program.names == ("a", "b") and program(a=3, b=1) == 10


def test_written_operands_are_marked_in_the_signature():
    program = engine.compile("a[1:] = b; c += b")
    assert program.signature == "(inout a, b, inout c)"


def test_a_program_takes_any_dtype_and_shape(seed):
    for dtype in (np.int8, np.float32, np.complex128):
        for shape in ((), (3,), (2, 3), (0,)):
            one = np.ones(shape, dtype)
            result = seed(a=one, b=one, c=one)
            assert result.dtype == dtype and result.shape == shape and np.all(result == 15)


def test_out_and_order_are_options_of_the_call():
    program = engine.compile("2*a")
    a, out = np.ones((2, 3)), np.empty((2, 3))
    assert program(a=a, out=out) is out and program({"a": a}, out=out) is out and out[0, 0] == 2
    assert program(a=a, order="F").flags.f_contiguous


def test_an_operand_may_be_called_out_or_order():
    program = engine.compile("2*out + order")
    assert program(out=1, order=2) == 4


def test_limits_and_casting_belong_to_the_program():
    with pytest.raises(engine.LimitError):
        engine.compile("((a))", limits=engine.Limits(depth=1))
    out = np.zeros(1, np.int64)
    assert engine.compile("a", casting="unsafe")(a=np.array([2.5]), out=out) is out and out[0] == 2


@pytest.mark.parametrize(
    "arguments, keywords",
    (
        ((), {"a": 1, "b": 2, "z": 3}),
        ((), {"a": 1, "b": 2, "casting": "unsafe"}),
        (({"a": 1},), {"b": 2}),
        (({"a": 1}, {"b": 1}), {}),
        ((3,), {}),
    ),
)
def test_wrong_arguments_are_a_type_error(arguments, keywords):
    with pytest.raises(TypeError):
        engine.compile("a + b")(*arguments, **keywords)


def test_an_operand_that_is_missing_is_an_unknown_name():
    with pytest.raises(engine.UnknownName, match="'b'"):
        engine.compile("a + b")(a=1)
    with pytest.raises(engine.UnknownName, match="'b'"):
        engine.compile("a + b")({"a": 1})


def test_a_program_without_names_is_called_with_nothing():
    assert engine.compile("1 + 2")() == 3 and engine.compile("1 + 2").names == ()


def test_none_stands_for_the_caller_s_variables():
    a = 2
    assert engine.compile("a + 1")(None) == a + 1


def test_compile_takes_no_operands_and_no_out():
    for wrong in ({"names": {}}, {"out": None}, {"order": "C"}):
        with pytest.raises(TypeError):
            engine.compile("a", **wrong)
    with pytest.raises(TypeError):
        engine.compile("a", {"a": 1})


def test_explain_needs_operands_and_computes_nothing():
    target = np.zeros(3)
    program = engine.compile("a[:] = 2*b")
    explanation = program.explain(a=target, b=np.ones(3))
    assert isinstance(explanation, engine.Explanation) and str(explanation) == explanation.text == repr(explanation)
    assert "1 fused pass" in explanation.text and not target.any()
    assert str(program.explain({"a": target, "b": np.ones(3)})) == explanation.text
    with pytest.raises(engine.UnknownName):
        program.explain({"a": target})
    with pytest.raises(TypeError):
        program.explain(a=target, b=1, order="C")


def test_explain_of_a_text_is_that_of_its_program():
    names = {"a": np.ones(3)}
    assert str(engine.explain("2*a", names)) == str(engine.compile("2*a").explain(names))


def test_programs_cannot_be_made_by_hand():
    with pytest.raises(TypeError):
        engine.Program()
    with pytest.raises(TypeError):
        type("Mine", (engine.Program,), {})


def test_help_is_there():
    for object in (
        engine.evaluate,
        engine.blitz,
        engine.compile,
        engine.explain,
        engine.Program,
        engine.Program.explain,
    ):
        assert ">>>" in inspect.getdoc(object) or object is engine.Program.explain
    assert engine.Program.__module__ == "engine"


def test_three_hundred_operands_by_keyword():
    names = {f"x{i}": float(i) for i in range(300)}
    assert engine.compile(" + ".join(names))(**names) == sum(range(300))

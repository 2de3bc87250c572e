"""The exception classes: what else they are, what they carry, and that every way of showing them shows it all."""

import copy
import pickle
import traceback

import numpy as np
import pytest

import engine

ONE_OF_EACH = {
    "ParseError": ("2*a + ", {"a": 1}, {}),
    "UnknownName": ("2*alpha", {"alpah": 1}, {}),
    "DTypeError": ("a & 1", {"a": np.ones(3)}, {}),
    "ShapeError": ("2*a + b", {"a": np.ones((3, 4)), "b": np.ones((4, 3))}, {}),
    "RangeError": ("a + 300", {"a": np.ones(3, np.int8)}, {}),
    "LimitError": ("(" * 300 + "a" + ")" * 300, {"a": 1}, {}),
    "BackendError": ("a", {"a": 1}, {"backend": "cuda"}),
}
ALSO = {
    "ParseError": (SyntaxError,),
    "UnknownName": (NameError, KeyError),
    "DTypeError": (TypeError,),
    "ShapeError": (ValueError,),
    "RangeError": (OverflowError, ValueError),
    "LimitError": (ValueError,),
    "BackendError": (RuntimeError,),
    "OutOfMemory": (MemoryError,),
    "InternalError": (AssertionError,),
}


def raised(kind) -> engine.Error:
    text, names, options = ONE_OF_EACH[kind]
    with pytest.raises(engine.Error) as caught:
        engine.evaluate(text, names, **options)
    return caught.value


@pytest.mark.parametrize("kind", ALSO)
def test_each_class_is_also_the_built_in_one(kind):
    assert issubclass(getattr(engine, kind), (engine.Error,)) and issubclass(getattr(engine, kind), ALSO[kind][0])
    assert all(issubclass(getattr(engine, kind), other) for other in ALSO[kind])


@pytest.mark.parametrize("kind", ONE_OF_EACH)
def test_each_class_is_raised_and_carries_its_parts(kind):
    error = raised(kind)
    assert type(error) is getattr(engine, kind) and type(error).__module__ == "engine"
    assert str(error).startswith(error.what) and (not error.help or error.help in str(error))
    assert error.span == (error.spans[0] if error.spans else None)
    for begin, end in error.spans:
        assert 0 <= begin <= end <= len(error.expression)


@pytest.mark.parametrize("kind", ONE_OF_EACH)
@pytest.mark.parametrize("again", (copy.copy, lambda error: pickle.loads(pickle.dumps(error))))
def test_errors_can_be_copied_and_sent_to_other_processes(kind, again):
    error = raised(kind)
    other = again(error)
    assert type(other) is type(error) and str(other) == str(error)
    assert (other.what, other.spans, other.help, other.expression) == (
        error.what,
        error.spans,
        error.help,
        error.expression,
    )


@pytest.mark.parametrize("kind", sorted(set(ONE_OF_EACH) - {"ParseError"}))
def test_a_traceback_ends_with_the_whole_message(kind):
    error = raised(kind)
    assert "".join(traceback.format_exception(error)).rstrip("\n").endswith(f"engine.{kind}: {error}")


def test_a_parse_error_is_shown_by_python_as_a_syntax_error_is():
    with pytest.raises(engine.ParseError) as caught:
        engine.evaluate("b = 1\n2*a + )", {"a": 1})
    error = caught.value
    assert (error.filename, error.lineno, error.text) == ("<expression>", 2, "2*a + )")
    assert (error.offset, error.end_offset) == (7, 8) and error.span == (12, 13)
    shown = "".join(traceback.format_exception(error))
    assert f'  File "<expression>", line 2\n    2*a + )\n          ^\nengine.ParseError: {error.what}' in shown
    assert str(error).count(error.what) == 1


def test_the_text_of_an_unknown_name_is_not_quoted_as_that_of_a_key_error():
    assert str(raised("UnknownName")).startswith("there is no operand 'alpha'")


def test_both_shapes_are_labelled():
    error = raised("ShapeError")
    assert len(error.spans) == 2 and [error.expression[b:e] for b, e in error.spans] == ["2*a", "b"]
    assert "shape (3, 4)" in str(error) and "shape (4, 3)" in str(error)


def test_spans_count_characters():
    with pytest.raises(engine.UnknownName) as caught:
        engine.evaluate("größe + λλ", {"größe": 1})
    begin, end = caught.value.span
    assert caught.value.expression[begin:end] == "λλ"


@pytest.mark.parametrize("text", ("a + \ud800", "\udfff", "ä\udc80b"))
def test_half_a_surrogate_pair_is_a_parse_error(text):
    for _ in range(2):
        with pytest.raises(engine.ParseError) as caught:
            engine.evaluate(text, {"a": 1})
        begin, end = caught.value.span
        assert (begin, end) == (begin, begin + 1) and "\ud800" <= text[begin] <= "\udfff"


@pytest.mark.parametrize("text", ("", " ", "\0", "a\0b", "a # \0", "\n", ";", "\ufeffa", "a\u00a0b"))
def test_odd_texts_are_a_result_or_an_error_of_ours(text):
    try:
        engine.evaluate(text, {"a": 1, "b": 2})
    except engine.Error as error:
        assert str(error)


def test_classes_can_be_made_and_raised_by_others():
    error = engine.ShapeError("axes differ")
    assert str(error) == error.what == "axes differ" and error.spans == () and error.span is None and error.help == ""
    assert str(engine.ParseError("no")) == "no" and str(engine.Error()) == ""


def test_a_result_that_cannot_be_allocated_is_out_of_memory():
    a = np.broadcast_to(1.0, (1 << 22, 1 << 24))  # beyond the address space
    for _ in range(2):
        with pytest.raises(engine.OutOfMemory):
            engine.evaluate("a + 1", {"a": a})
    assert engine.evaluate("a + 1", {"a": 1}) == 2

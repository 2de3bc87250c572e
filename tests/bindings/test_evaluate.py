"""evaluate() and blitz(): what comes back, where it is written, and what the options mean."""

import doctest
import inspect
import runpy
from pathlib import Path

import numpy as np
import pytest

import engine

ROOT = Path(__file__).parents[2]


def test_the_result_is_a_fresh_array_that_owns_its_memory():
    a = np.arange(3.0)
    result = engine.evaluate("a", {"a": a})
    assert type(result) is np.ndarray and result.flags.owndata and not np.shares_memory(result, a)


@pytest.mark.parametrize("operand", (2.5, np.float64(2.5), np.array(2.5)))
def test_a_result_without_axes_is_a_numpy_scalar(operand):
    result = engine.evaluate("2*a", {"a": operand})
    assert type(result) is np.float64 and result == 5


def test_a_full_reduction_is_a_numpy_scalar_unless_it_keeps_its_axes():
    a = np.ones((2, 3), np.float32)
    assert type(engine.evaluate("sum(a)", {"a": a})) is np.float32
    assert engine.evaluate("sum(a, keepdims=True)", {"a": a}).shape == (1, 1)


def test_an_expression_without_names_is_a_scalar():
    assert engine.evaluate("2**10 + 1", {}) == 1025 and type(engine.evaluate("1/2", {})) is np.float64


@pytest.mark.parametrize("dtype", "?bBhHiIlLqQefdFD")
def test_every_type_code_of_numpy_comes_back_as_the_dtype_of_its_size(dtype):
    a = np.ones(3, dtype)
    assert engine.evaluate("a", {"a": a}).dtype == a.dtype


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_subclasses_give_plain_arrays():
    assert type(engine.evaluate("a + 1", {"a": np.matrix([[1, 2]])})) is np.ndarray


@pytest.mark.parametrize("order, c_order", (("C", True), ("F", False), ("K", False), ("A", False)))
def test_order_of_a_fresh_result(order, c_order):
    a = np.ones((3, 4), order="F")
    result = engine.evaluate("a + 1", {"a": a}, order=order)
    assert result.flags.c_contiguous == c_order and result.flags.f_contiguous != c_order


def test_k_order_is_that_of_nditer():
    a = np.arange(24.0).reshape(2, 3, 4).transpose(1, 0, 2)
    assert engine.evaluate("a + 1", {"a": a}).strides == (a + 1).strides


# ---- out -------------------------------------------------------------------------------------------------------------


def test_out_is_what_comes_back():
    out = np.empty(3)
    assert engine.evaluate("2*a", {"a": np.arange(3.0)}, out=out) is out
    assert out.tolist() == [0, 2, 4]


def test_out_without_axes_stays_an_array():
    out = np.empty(())
    assert engine.evaluate("a + 1", {"a": 1.0}, out=out) is out and out == 2


def test_out_may_be_a_writable_buffer():
    out = bytearray(3)
    assert engine.evaluate("a + 1", {"a": np.arange(3, dtype=np.uint8)}, out=out) is out
    assert out == b"\1\2\3"


def test_out_none_is_no_out():
    assert engine.evaluate("a", {"a": np.ones(2)}, out=None).tolist() == [1, 1]


@pytest.mark.parametrize("out", ([0.0] * 3, 3, "abc", bytes(24), np.float64(1), object()))
def test_an_out_that_could_not_keep_the_result_is_refused(out):
    with pytest.raises(engine.DTypeError, match="out"):
        engine.evaluate("a", {"a": np.ones(3)}, out=out)


def test_a_read_only_buffer_is_no_out():
    with pytest.raises(ValueError, match="read-only"):
        engine.evaluate("a", {"a": np.ones(3, np.uint8)}, out=memoryview(bytes(3)))


def test_a_read_only_out_is_refused():
    out = np.empty(3)
    out.flags.writeable = False
    with pytest.raises(engine.ShapeError, match="out is read-only"):
        engine.evaluate("a", {"a": np.ones(3)}, out=out)


def test_a_masked_out_is_refused():
    with pytest.raises(engine.DTypeError, match="masked"):
        engine.evaluate("a", {"a": np.ones(3)}, out=np.ma.zeros(3))


def test_an_error_leaves_out_as_it_was():
    out = np.full(3, 7.0)
    with pytest.raises(engine.ShapeError):
        engine.evaluate("a + b", {"a": np.ones(3), "b": np.ones(2)}, out=out)
    with pytest.raises(engine.ShapeError):
        engine.evaluate("a", {"a": np.ones(4)}, out=out)
    assert out.tolist() == [7, 7, 7]


def test_out_beside_a_target_is_a_value_error_before_anything_is_written():
    a, out = np.zeros(3), np.zeros(3)
    with pytest.raises(ValueError, match="assignment to 'a'"):
        engine.evaluate("a += 1", {"a": a}, out=out)
    assert not a.any() and not out.any()


def test_casting_guards_out():
    a, out = np.array([1.5]), np.zeros(1, np.int64)
    with pytest.raises(engine.DTypeError, match="unsafe"):
        engine.evaluate("a", {"a": a}, out=out)
    assert out[0] == 0
    assert engine.evaluate("a", {"a": a}, out=out, casting="unsafe") is out and out[0] == 1


# ---- assignments -----------------------------------------------------------------------------------------------------


def test_an_assignment_to_a_slice_gives_a_view_of_what_was_written():
    a = np.arange(5.0)
    result = engine.evaluate("a[1:-1] = 9", {"a": a})
    assert result.tolist() == [9, 9, 9] and np.shares_memory(result, a) and result.base is a
    result[0] = 5
    assert a.tolist() == [0, 5, 9, 9, 4]


def test_an_assignment_to_all_of_an_operand_gives_the_operand():
    a = np.arange(3.0)
    assert engine.evaluate("a += 1", {"a": a}) is a
    assert engine.evaluate("a[...] = 2", {"a": a}) is a
    assert engine.evaluate("a[:] = 3", {"a": a}) is a and a.tolist() == [3, 3, 3]


def test_a_view_of_what_was_written_knows_its_byte_order_and_alignment():
    raw = np.zeros(17, np.uint8)
    a = raw[1:].view(">f8")
    result = engine.evaluate("a[1:] = 2", {"a": a})
    assert result.dtype == ">f8" and not result.flags.aligned and a.tolist() == [0, 2]


def test_a_plain_assignment_binds_a_value_and_not_the_operand():
    a = np.arange(3.0)
    result = engine.evaluate("a = 2*a; a + 1", {"a": a})
    assert result.tolist() == [1, 3, 5] and a.tolist() == [0, 1, 2]


def test_a_buffer_can_be_written_in_place():
    raw = bytearray(4)
    result = engine.evaluate("a[1:3] = 7", {"a": raw})
    assert raw == b"\0\7\7\0" and result.tolist() == [7, 7]


def test_blitz_writes_into_the_operand():
    a, b = np.arange(3.0), np.zeros(3)
    assert engine.blitz("b = 2*a", {"a": a, "b": b}) is b and b.tolist() == [0, 2, 4]


def test_blitz_needs_an_operand_of_the_result_s_shape():
    a, b = np.arange(3.0), np.zeros(2)
    with pytest.raises(engine.ShapeError):
        engine.blitz("b = 2*a", {"a": a, "b": b})
    with pytest.raises(engine.UnknownName):
        engine.blitz("c = 2*a", {"a": a})
    assert b.tolist() == [0, 0]


def test_blitz_and_evaluate_of_one_text_are_two_programs():
    text, a, b = "b = 2*a", np.ones(2), np.zeros(2)
    for _ in range(2):
        assert engine.evaluate(text, {"a": a, "b": b}).tolist() == [2, 2] and b.tolist() == [0, 0]
    engine.blitz(text, {"a": a, "b": b})
    assert b.tolist() == [2, 2]


# ---- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option, value",
    (
        ("order", "Z"),
        ("order", None),
        ("order", "c"),
        ("casting", "sometimes"),
        ("exactness", "loose"),
        ("backend", "gpu"),
        ("backend", 1),
        ("threads", 0),
        ("threads", -(10**30)),
    ),
)
def test_a_word_that_an_option_does_not_know_is_a_value_error(option, value):
    with pytest.raises(ValueError, match=option):
        engine.evaluate("a", {"a": 1}, **{option: value})


@pytest.mark.parametrize(
    "options", ({"threads": 1.5}, {"threads": True}, {"limits": 3}, {"limits": {"depth": 3}}, {"speed": "fast"})
)
def test_an_option_of_the_wrong_type_or_name_is_a_type_error(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        engine.evaluate("a", {"a": 1}, **options)


@pytest.mark.parametrize("options", ({"threads": 2}, {"threads": 10**30}, {"threads": None}, {"backend": "interp"}))
def test_options_that_change_no_value(options):
    assert engine.evaluate("a + 1", {"a": 1}, **options) == 2


def test_a_backend_that_is_not_usable_says_so():
    with pytest.raises(engine.BackendError, match='"cuda".*\n.*help'):
        engine.evaluate("a", {"a": 1}, backend="cuda")


@pytest.mark.parametrize("names", (3, [1], (1, 2), "a", np.ones(3)))
def test_names_must_be_a_mapping(names):
    with pytest.raises(TypeError, match="names must be a mapping"):
        engine.evaluate("a", names)


@pytest.mark.parametrize("arguments", ((), (b"a",), (None,), (1,), ("a", {}, 3)))
def test_other_arguments_are_a_type_error(arguments):
    with pytest.raises(TypeError, match="evaluate"):
        engine.evaluate(*arguments)


def test_the_expression_and_the_names_can_be_keywords_once():
    assert engine.evaluate(names={"a": 2}, expression="a + 1") == 3
    with pytest.raises(TypeError, match="twice"):
        engine.evaluate("a", {"a": 1}, names={"a": 2})
    with pytest.raises(TypeError, match="twice"):
        engine.evaluate("a", expression="b")


@pytest.mark.parametrize(
    "text, limits",
    (
        ("((a))", engine.Limits(depth=1)),
        ("a + a + a", engine.Limits(nodes=4)),
        ("a + b", engine.Limits(names=1)),
        ("a + b", engine.Limits(result_bytes=23)),
    ),
)
def test_limits_bound_what_is_evaluated(text, limits):
    names = {"a": np.ones(3), "b": np.ones(3)}
    for _ in range(2):
        with pytest.raises(engine.LimitError):
            engine.evaluate(text, names, limits=limits)
        assert engine.evaluate(text, names) is not None


def test_negative_limits_are_a_value_error():
    with pytest.raises(ValueError, match="depth"):
        engine.evaluate("a", {"a": 1}, limits=engine.Limits(depth=-1))


def test_signatures_can_be_read():
    parameters = inspect.signature(engine.evaluate).parameters
    assert list(parameters)[:3] == ["expression", "names", "out"] and parameters["order"].default == "K"


def test_the_functions_are_data():
    rows = {row.name: row for row in engine.functions}
    assert rows["sqrt"].ulp == 0 and rows["sum"].kind == "reduction"
    assert all(row.sentence for row in engine.functions)
    assert {row.kind for row in engine.functions} == {"elementwise", "reduction", "ordered", "cast", "constant"}


def test_a_function_is_found_by_its_name():
    assert engine.functions["hypot"] in engine.functions and engine.functions[0] is next(iter(engine.functions))
    assert "hypot" in engine.functions and "hypott" not in engine.functions and 3 not in engine.functions
    assert engine.functions[-2:] == tuple(engine.functions)[-2:]
    with pytest.raises(KeyError, match="hypott"):
        engine.functions["hypott"]


@pytest.mark.thread_unsafe(reason="doctest takes hold of sys.stdout")
@pytest.mark.parametrize("row", engine.functions, ids=lambda row: row.name)
def test_every_row_explains_itself_with_an_example_that_is_true(row):
    text = str(row)
    assert text.startswith(row.name) and row.sentence in text and row.example in text
    example = doctest.DocTestParser().get_doctest(row.example, {"np": np, "engine": engine}, row.name, None, 0)
    assert example.examples and doctest.DocTestRunner(verbose=False).run(example).failed == 0
    assert row.kind == "constant" or row.dtypes or row.name == "index"


def test_the_reference_page_is_what_the_catalog_says():
    page = runpy.run_path(str(ROOT / "tools" / "make_reference.py"))
    assert page["PAGE"].read_text() == page["page"](), "run tools/make_reference.py"


# ---- the cache of programs -------------------------------------------------------------------------------------------


def test_a_text_at_the_address_of_a_dead_one_is_not_taken_for_it():
    for i in range(2000):
        assert engine.evaluate("a + " + str(i), {"a": 1}) == i + 1


def test_equal_texts_with_other_options_are_other_programs():
    a = np.array([1.5])
    for _ in range(2):
        with pytest.raises(engine.DTypeError):
            engine.evaluate("a", {"a": a}, out=np.zeros(1, np.int8))
        engine.evaluate("a", {"a": a}, out=np.zeros(1, np.int8), casting="unsafe")


def test_a_text_that_is_a_subclass_of_str_is_a_text():
    class Text(str):
        pass

    assert engine.evaluate(Text("a + 1"), {"a": 1}) == 2


def test_long_texts_are_evaluated_again_and_again():
    text = " + ".join(["a"] * 20_000)
    for _ in range(3):
        assert engine.evaluate(text, {"a": 1.0}) == 20_000

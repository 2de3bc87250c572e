"""Where names are looked up: mappings, the caller's variables, and nothing that stays behind."""

import collections
import gc
import sys
import types
import weakref

import numpy as np
import pytest

import engine

at_module_level = 3
module_result = engine.evaluate("at_module_level + 1")


class Body:
    inside = 5
    result = engine.evaluate("inside + at_module_level")
    listed = tuple(engine.evaluate("at_module_level + i", {"at_module_level": 1, "i": i}) for i in range(2))


class Watched(np.ndarray):
    """An array that can be watched by a weak reference."""


def watched(n=3):
    return np.ones(n).view(Watched)


# ---- mappings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mapping",
    (
        {"a": 1},
        collections.OrderedDict(a=1),
        collections.ChainMap({}, {"a": 1}),
        types.MappingProxyType({"a": 1}),
        collections.UserDict(a=1),
    ),
)
def test_any_mapping_gives_names(mapping):
    assert engine.evaluate("a + 1", mapping) == 2
    with pytest.raises(engine.UnknownName):
        engine.evaluate("b + 1", mapping)


def test_only_names_of_the_text_are_touched():
    class Recorder(dict):
        touched = ()

        def __getitem__(self, name):
            self.touched += (name,)
            return super().__getitem__(name)

    recorder = Recorder(a=1, b=2, c=3)
    engine.evaluate("a + c", recorder)
    assert recorder.touched == ("a", "c")


def test_a_mapping_is_all_that_is_looked_at():
    with pytest.raises(engine.UnknownName, match="at_module_level"):
        engine.evaluate("at_module_level", {})


def test_other_exceptions_of_a_mapping_go_through():
    class Broken(dict):
        def __getitem__(self, name):
            raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError, match="disk on fire"):
        engine.evaluate("a", Broken())


def test_names_of_the_caller_win_over_constants():
    assert engine.evaluate("pi", {}) == np.pi
    assert engine.evaluate("pi", {"pi": 3}) == 3
    e = 2
    assert engine.evaluate("e") == e


def test_an_operand_may_have_the_name_of_a_function():
    assert engine.evaluate("sum(sum)", {"sum": np.ones(3)}) == 3


def test_names_need_not_be_ascii():
    assert engine.evaluate("größe + λ", {"größe": 1, "λ": 2}) == 3
    größe = 4
    assert engine.evaluate("größe") == größe


# ---- the caller's variables ------------------------------------------------------------------------------------------


def test_modules_and_class_bodies_see_their_names():
    assert module_result == 4 and Body.result == 8 and Body.listed == (1, 2)


def test_locals_come_before_globals():
    assert engine.evaluate("at_module_level") == 3
    at_module_level = 7
    assert engine.evaluate("at_module_level") == at_module_level


def test_arguments_cells_and_free_variables_are_seen():
    def outer(argument):
        cell = 10

        def inner(own):
            _ = cell
            return engine.evaluate("own + cell")

        return inner(argument) + engine.evaluate("argument + cell")

    assert outer(1) == 22


def test_a_variable_that_changes_is_read_anew():
    results = []
    for i in range(3):  # noqa: B007
        results.append(engine.evaluate("i + 1"))
    assert results == [1, 2, 3]


def test_a_deleted_local_is_not_seen():
    gone = 1
    assert engine.evaluate("gone") == 1
    del gone
    with pytest.raises(engine.UnknownName):
        engine.evaluate("gone")


def test_exec_and_eval_see_their_namespaces():
    namespace = {"engine": engine, "a": 1}
    exec("b = engine.evaluate('a + 1')", namespace)
    assert namespace["b"] == 2
    exec("c = engine.evaluate('a + b + x')", namespace, {"x": 10})
    assert eval("engine.evaluate('a + x')", namespace, {"x": 10}) == 11


def test_generators_see_their_variables():
    def generate():
        for value in range(3):  # noqa: B007
            yield engine.evaluate("2*value")

    assert list(generate()) == [0, 2, 4]


def test_a_missing_name_outside_of_nested_functions_says_nothing_of_closures():
    with pytest.raises(engine.UnknownName) as caught:
        eval("engine.evaluate('no_such_name')", {"engine": engine})
    assert "closure" not in str(caught.value)


def test_a_name_of_an_enclosing_function_is_explained():
    only_in_the_text = 1

    def inner():
        return engine.evaluate("1 + only_in_the_text")

    with pytest.raises(engine.UnknownName) as caught:
        inner()
    assert 'names={"only_in_the_text": only_in_the_text}' in caught.value.help
    assert caught.value.span == (4, 20)
    with pytest.raises(engine.UnknownName, match="names="):
        (lambda: engine.explain("only_in_the_text"))()
    assert only_in_the_text == 1


def test_explain_and_programs_look_names_up_where_they_are_called():
    local = np.ones(3)
    assert "pass" in str(engine.explain("2*local"))
    program = engine.compile("2*local")
    assert program().tolist() == [2, 2, 2]
    assert "pass" in str(program.explain())
    assert local[0] == 1


# ---- nothing stays behind --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ("evaluate", "blitz", "explain", "program", "failure"))
def test_the_look_up_keeps_no_local_alive(call):
    program = engine.compile("a + other")
    a, other = watched(), watched()
    watch = weakref.ref(a), weakref.ref(other)
    if call == "evaluate":
        engine.evaluate("a + other")
    elif call == "blitz":
        engine.blitz("a[:] = other")
    elif call == "explain":
        engine.explain("a + other")
    elif call == "program":
        program()
    else:
        with pytest.raises(engine.UnknownName):
            engine.evaluate("a + other + no_such_name")
    del a, other
    gc.collect()
    assert watch[0]() is None and watch[1]() is None


def test_locals_that_the_text_does_not_name_are_not_kept_alive_either():
    a, bystander = np.ones(3), watched()
    watch = weakref.ref(bystander)
    engine.evaluate("a + 1")
    del bystander
    gc.collect()
    assert watch() is None and a[0] == 1


def test_free_variables_are_not_kept_alive():
    a = watched()
    watch = weakref.ref(a)

    def inner():
        nonlocal a
        engine.evaluate("a + 1")
        del a
        gc.collect()
        return watch()

    assert inner() is None


def test_globals_are_not_kept_alive():
    namespace = {"engine": engine, "a": watched()}
    watch = weakref.ref(namespace["a"])
    exec("engine.evaluate('a + 1')", namespace)
    del namespace["a"]
    gc.collect()
    assert watch() is None


def test_a_dictionary_of_locals_that_the_caller_holds_is_left_alone():
    a = np.ones(3)
    mine = locals()
    engine.evaluate("a + 1")
    assert mine["a"] is a


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="exec has a namespace of its own since 3.13")
def test_what_exec_put_among_the_locals_stays():
    a = 1
    exec("made_by_exec = 2")
    for _ in range(2):
        assert engine.evaluate("a + 1") == a + 1
        assert eval("made_by_exec") == 2


def test_the_cache_keeps_no_operand_alive():
    a = watched()
    watch = weakref.ref(a)
    for text in ("a + 1", "a[1:]", "sum(a)"):
        engine.evaluate(text, {"a": a})
    del a
    gc.collect()
    assert watch() is None

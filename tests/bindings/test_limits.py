"""engine.Limits: what it is, and that each budget holds for every way of evaluating."""

import copy
import dataclasses
import pickle
import time

import numpy as np
import pytest

import engine

SLOW = " + ".join(f"sin(a*{k})*cos(a+{k})" for k in range(60))


def test_limits_are_values():
    limits = engine.Limits(nodes=4)
    assert limits == engine.Limits(nodes=4) != engine.Limits() and hash(limits) == hash(engine.Limits(nodes=4))
    assert limits.replace(time=2) == engine.Limits(nodes=4, time=2) and limits.time is None
    assert eval(repr(limits), vars(engine)) == limits
    for again in (copy.copy(limits), copy.deepcopy(limits), pickle.loads(pickle.dumps(limits))):
        assert again == limits


def test_limits_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        engine.Limits().nodes = 3
    with pytest.raises(TypeError):
        engine.Limits().replace(speed=1)


@pytest.mark.parametrize("name", ("depth", "nodes", "names", "result_bytes"))
def test_counts_are_integers_that_are_not_negative(name):
    assert getattr(engine.Limits(**{name: 0}), name) == 0
    with pytest.raises(ValueError, match=name):
        engine.Limits(**{name: -1})
    for wrong in (1.5, "3", True):
        with pytest.raises(TypeError, match=name):
            engine.Limits(**{name: wrong})


@pytest.mark.parametrize("wrong", (0, -1.0, float("nan"), float("inf")))
def test_time_is_positive(wrong):
    with pytest.raises(ValueError, match="time"):
        engine.Limits(time=wrong)
    with pytest.raises(TypeError, match="time"):
        engine.Limits(time="1 s")


CALLS = {
    "evaluate": lambda text, names, limits: engine.evaluate(text, names, limits=limits),
    "blitz": lambda text, names, limits: engine.blitz("b = " + text, {**names, "b": np.zeros(3)}, limits=limits),
    "compile": lambda text, names, limits: engine.compile(text, limits=limits)(names),
    "explain": lambda text, names, limits: engine.explain(text, names, limits=limits),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("limits", ({"depth": 1}, {"nodes": 3}, {"names": 1}))
def test_budgets_of_the_text_hold_everywhere(call, limits):
    names = {"a": np.ones(3), "b": np.ones(3), "c": np.ones(3)}
    for _ in range(2):
        with pytest.raises(engine.LimitError):
            CALLS[call]("((a + b)) * c", names, engine.Limits(**limits))
    assert CALLS[call]("((a + b)) * c", names, engine.Limits()) is not None


@pytest.mark.parametrize("call", ("evaluate", "compile", "explain"))
@pytest.mark.parametrize("text", ("a + 1", "a[::-1] + 1", "cumulate = a*2; cumulate + a"))
def test_bytes_of_a_result_may_be_just_as_many_as_the_limit(call, text):
    names = {"a": np.ones(3)}
    with pytest.raises(engine.LimitError, match="result_bytes"):
        CALLS[call](text, names, engine.Limits(result_bytes=23))
    CALLS[call](text, names, engine.Limits(result_bytes=24))


def test_a_result_of_no_bytes_needs_none():
    assert engine.evaluate("a", {"a": np.ones(0)}, limits=engine.Limits(result_bytes=0)).shape == (0,)


@pytest.mark.parametrize("call", CALLS)
def test_no_time_at_all_is_too_little_to_prepare_anything(call):
    with pytest.raises(engine.LimitError, match="time"):
        CALLS[call]("a*3 + 1", {"a": np.ones(3)}, engine.Limits(time=1e-12))


@pytest.mark.parametrize("call", CALLS)
def test_enough_time_changes_nothing(call):
    CALLS[call]("a*3 + 1", {"a": np.ones(3)}, engine.Limits(time=3600))


def test_time_ends_a_run_that_takes_longer():
    a = np.linspace(0, 1, 4_000_000)
    begin = time.perf_counter()
    with pytest.raises(engine.LimitError, match="longer than the limit of 0.05 s"):
        engine.evaluate(SLOW, {"a": a}, limits=engine.Limits(time=0.05))
    assert time.perf_counter() - begin < 1
    assert engine.evaluate("a[0] + 1", {"a": a}) == 1


def test_time_is_that_of_a_call_and_not_of_a_program():
    program = engine.compile("2*a", limits=engine.Limits(time=0.2))
    for _ in range(4):
        assert program(a=1) == 2
        time.sleep(0.06)


def test_programs_that_differ_in_time_alone_are_two():
    text, names = "a*3 + 66001", {"a": 1}
    for _ in range(2):
        assert engine.evaluate(text, names, limits=engine.Limits(time=3600)) == 66004
        with pytest.raises(engine.LimitError):
            engine.evaluate(text, names, limits=engine.Limits(time=1e-12))


def test_time_that_is_over_before_the_run_leaves_out_as_it_was():
    out = np.zeros(3)
    with pytest.raises(engine.LimitError):
        engine.evaluate("a + 7", {"a": np.ones(3)}, out=out, limits=engine.Limits(time=1e-12))
    assert not out.any()

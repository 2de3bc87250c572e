"""engine.config: defaults of the process, of a thread and of a task, and that they cost nothing where unused."""

import asyncio
import subprocess
import sys
import threading

import numpy as np
import pytest

import engine


@pytest.fixture(autouse=True)
def as_before():
    yield
    engine.config.reset()


def is_f(result):
    return result.flags.f_contiguous and not result.flags.c_contiguous


A = np.ones((2, 3))


def test_defaults_are_those_of_the_documentation():
    assert dict(engine.config) == {
        "exactness": "strict",
        "casting": "same_kind",
        "order": "K",
        "backend": "auto",
        "limits": engine.Limits(),
        "wait": False,
    }
    assert eval(repr(engine.config).replace("engine.config", "dict"), vars(engine)) == dict(engine.config)


def test_an_attribute_sets_the_default_of_all_calls():
    engine.config.order = "F"
    assert is_f(engine.evaluate("2*A")) and is_f(engine.compile("2*A")(A=A))
    assert not is_f(engine.evaluate("2*A", order="C")) and not is_f(engine.compile("2*A")(A=A, order="C"))
    del engine.config.order
    assert engine.config.order == "K" and not is_f(engine.evaluate("2*A"))


def test_each_option_is_consulted():
    out = np.zeros(1, np.int64)
    with engine.config(casting="unsafe"):
        engine.evaluate("a", {"a": np.array([2.5])}, out=out)
    assert out[0] == 2
    with engine.config(backend="cuda"), pytest.raises(engine.BackendError):
        engine.evaluate("a", {"a": 1})
    with engine.config(limits=engine.Limits(names=1)), pytest.raises(engine.LimitError):
        engine.evaluate("a + b", {"a": 1, "b": 1})
    with engine.config(exactness="relaxed"):
        assert engine.compile("a*7001").options["exactness"] == "relaxed"
    assert engine.compile("a*7001").options["exactness"] == "strict"


def test_all_functions_are_concerned():
    with engine.config(limits=engine.Limits(names=1)):
        for call in (engine.evaluate, engine.blitz, engine.explain):
            with pytest.raises(engine.LimitError):
                call("a = b + c", {"a": A, "b": A, "c": A})
        with pytest.raises(engine.LimitError):
            engine.compile("a + b")


def test_an_option_of_the_call_wins():
    engine.config.limits = engine.Limits(names=1)
    with engine.config(casting="no"):
        assert engine.evaluate("a + b", {"a": 1, "b": 1}, limits=engine.Limits(), casting="unsafe") == 2


def test_the_inner_context_wins_and_ends():
    engine.config.order = "C"
    with engine.config(order="F", casting="unsafe"):
        with engine.config(order="C"):
            assert (engine.config.order, engine.config.casting) == ("C", "unsafe")
            assert not is_f(engine.evaluate("2*A"))
        assert engine.config.order == "F" and is_f(engine.evaluate("2*A"))
    assert (engine.config.order, engine.config.casting) == ("C", "same_kind")


def test_a_context_ends_with_an_exception_too():
    with pytest.raises(ZeroDivisionError), engine.config(order="F"):
        raise ZeroDivisionError
    assert engine.config.order == "K"


def test_a_context_can_be_entered_again_and_inside_itself():
    fortran = engine.config(order="F")
    with fortran, fortran:
        assert engine.config.order == "F"
    assert engine.config.order == "K"
    with fortran:
        assert engine.config.order == "F"


def test_a_context_decorates():
    @engine.config(order="F")
    def double():
        return engine.evaluate("2*A")

    assert is_f(double()) and engine.config.order == "K"


def test_a_context_is_of_its_thread():
    seen = []
    with engine.config(order="F"):
        thread = threading.Thread(target=lambda: seen.append((engine.config.order, is_f(engine.evaluate("2*A")))))
        thread.start()
        thread.join()
    assert seen == [("K", False)]


def test_a_context_is_of_its_task():
    async def inside():
        with engine.config(order="F"):
            await asyncio.sleep(0.01)
            return engine.config.order, is_f(engine.evaluate("2*A"))

    async def outside():
        await asyncio.sleep(0.005)
        return engine.config.order, is_f(engine.evaluate("2*A"))

    async def both():
        return await asyncio.gather(inside(), outside())

    assert asyncio.run(both()) == [("F", True), ("K", False)]


@pytest.mark.parametrize(
    "options, error",
    (
        ({"order": "Z"}, ValueError),
        ({"exactness": "loose"}, ValueError),
        ({"casting": None}, ValueError),
        ({"backend": "gpu"}, ValueError),
        ({"limits": 3}, TypeError),
        ({"speed": "fast"}, AttributeError),
        ({"out": None}, AttributeError),
    ),
)
def test_wrong_options_are_refused_at_once_and_change_nothing(options, error):
    (name,) = options
    with pytest.raises(error, match=name):
        engine.config(**options)
    with pytest.raises(error, match=name):
        setattr(engine.config, name, options[name])
    assert engine.config.order == "K"


def test_unknown_options_cannot_be_read_or_deleted():
    with pytest.raises(AttributeError, match="speed.*exactness"):
        _ = engine.config.speed
    with pytest.raises(AttributeError, match="speed"):
        del engine.config.speed


def test_none_stands_for_the_default_limits():
    engine.config.limits = engine.Limits(nodes=1)
    engine.config.limits = None
    assert engine.config.limits == engine.Limits() and engine.evaluate("1 + 1") == 2


def test_options_are_offered_for_completion():
    assert {"exactness", "casting", "order", "backend", "limits", "reset"} <= set(dir(engine.config))


def test_defaults_change_while_other_threads_evaluate():
    stop = threading.Event()
    failures = []

    def work():
        while not stop.is_set():
            try:
                assert engine.evaluate("2*A").sum() == 12
            except BaseException as failure:
                failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(2000):
        engine.config.order = "FC"[i % 2]
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_options_are_given_back_to_the_process_alone():
    """A child starts with the engine's own defaults."""
    engine.config.order = "F"
    done = subprocess.run(
        [sys.executable, "-c", "import engine; print(engine.config.order)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "K"

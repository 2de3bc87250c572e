"""Program.graph(): a program's kernels launched as one CUDA graph, with the bits of a call without.

Run by graph_test.py on the stand-in; on a device by `python -m pytest --noconftest tests/kernels_cuda/graphs.py`.
"""

import gc
import threading

import numpy as np
import pytest

import engine

engine.config.wait = True

A = np.random.default_rng(7).random((40, 60)) + 0.5
SEVERAL = "t = a - mean(a, axis=1, keepdims=True); u = t / std(t); u * k"
PROGRAMS = {
    "one kernel": "2*a + k",
    "several kernels and reductions": SEVERAL,
    "a reduction": "sum(a, axis=0) * k",
    "cells straight into the result": "max(a*k, axis=1)",
    "a scan": "cumsum(a*k, axis=1)",
    "a sort": "sort(a*k, axis=1)",
    "a sort by passes": "argsort(a*k, axis=None)",
    "a median": "median(a, axis=1) - k",
    "transposed": "(a.T * k).T + a",
    "beyond a side": "shift(a, 1, axis=0, boundary='constant', cval=3) + k",
}


def there(array):
    return engine.to_device(array)


def same(got, want):
    got, want = got.numpy(), np.asarray(want)
    assert got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes()


@pytest.mark.parametrize("text", PROGRAMS.values(), ids=PROGRAMS)
def test_a_graph_gives_the_bits_of_its_program(text):
    program = engine.compile(text)
    graph = program.graph()
    for a, k in ((A, 3.0), (A, 3.0), (A + 1, 3.0), (A * 2, -0.5), (A[:7], 1.0), (A.T, 1.0), (A, 3.0)):
        same(graph(a=there(a), k=k), program(a=a, k=k))
    assert graph.stats.replays == 7


def test_what_stays_as_it_was_is_one_launch_and_what_moves_is_an_update():
    graph = engine.compile(SEVERAL).graph()
    a, b, out = there(A), there(A + 1), there(np.zeros_like(A))
    for _ in range(3):
        graph(a=a, k=2.0, out=out)
    assert (graph.stats.captures, graph.stats.updates, graph.stats.replays) == (1, 0, 3)
    assert graph.stats.kernels > 2
    graph(a=b, k=2.0, out=out)
    assert (graph.stats.captures, graph.stats.updates) == (1, 1)
    graph(a=b, k=3.0, out=out)
    assert (graph.stats.captures, graph.stats.updates) == (1, 2)
    graph(a=b, k=3.0, out=out)
    assert (graph.stats.captures, graph.stats.updates) == (1, 2)
    same(out, engine.evaluate(SEVERAL, {"a": A + 1, "k": 3.0}))


def test_other_kernels_are_captured_anew():
    graph = engine.compile("a + b").graph()
    for dtype in ("f8", "f4", "i8", "c16"):
        a = A.astype(dtype)
        same(graph(a=there(a), b=there(a)), a + a)
    same(graph(a=there(A), b=there(A[0])), A + A[0])  # a row that is repeated
    assert graph.stats.replays == 5


def test_targets_in_place_are_written_at_each_replay():
    graph = engine.compile("b[1:-1] = (b[:-2] + b[2:]) * 0.5").graph()
    b, want = there(A), A.copy()
    for _ in range(5):
        graph(b=b)
        want[1:-1] = (want[:-2] + want[2:]) * 0.5
    same(b, want)
    assert (graph.stats.captures, graph.stats.updates, graph.stats.replays) == (1, 0, 5)


def test_a_target_that_overlaps_what_is_read_is_seen_at_each_call():
    graph = engine.compile("b[...] = a * 2 + b[::-1]").graph()
    memory = there(np.concatenate([A, A + 1]))
    n = len(A)
    for a, b in ((memory[:n], memory[n:]), (memory[1 : n + 1], memory[:n]), (memory[:n], memory[:n])):
        host_a, host_b = a.numpy(), b.numpy()
        graph(a=a, b=b)
        same(b, host_a * 2 + host_b[::-1])


def test_results_are_arrays_of_their_own():
    graph = engine.compile("a + 1").graph()
    first, second = graph(a=there(A)), graph(a=there(A * 2))
    same(first, A + 1)
    same(second, A * 2 + 1)


def test_results_of_nothing_come_from_the_host_at_each_call():
    graph = engine.compile("sum(a, axis=0)").graph()
    out = there(np.ones(3))
    for _ in range(2):
        engine.evaluate("b[...] = 7", {"b": out})
        graph(a=there(np.ones((0, 3))), out=out)
        same(out, np.zeros(3))


def test_kernels_outlive_the_plans_they_are_of():
    program = engine.compile("a*k + 1")
    graph = program.graph()
    a = there(A)
    graph(a=a, k=2)
    for k in range(200):  # whole numbers, each of which a plan is made for
        program(a=a, k=k)
    gc.collect()
    engine.trim()
    same(graph(a=a, k=2), A * 2 + 1)


def test_counters_that_were_given_back_are_asked_for_again():
    graph = engine.compile("sum(a)").graph()
    a, out = there(np.arange(100_000.0)), there(np.zeros(()))
    graph(a=a, out=out)
    engine.trim()
    other = [engine.evaluate("a + 1", {"a": a}) for _ in range(4)]  # of the memory that counters had
    for _ in range(2):
        graph(a=a, out=out)
        same(out, engine.evaluate("sum(a)", {"a": np.arange(100_000.0)}))
    assert len(other) == 4


def test_threads_take_turns():
    program = engine.compile(SEVERAL)
    graph = program.graph()
    wrong = []

    def work(number):
        for i in range(6):
            a = A + number + i
            if graph(a=there(a), k=2.0).numpy().tobytes() != program(a=a, k=2.0).tobytes():
                wrong.append((number, i))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and graph.stats.replays == 24


@pytest.mark.parametrize(
    "text", ("a[a > 1]", "unique(a)", "histogram(a, 4)", "quantile(a, q)", "i ** j"), ids=lambda text: text
)
def test_programs_that_follow_from_values_are_refused_and_go_on_without(text):
    program = engine.compile(text)
    operands = {"a": there(A), "q": there(np.array(0.3)), "i": there(np.arange(3)), "j": there(np.arange(3))}
    with pytest.raises(engine.BackendError, match="cannot be captured") as caught:
        program.graph()(operands)
    assert (
        "without a graph" in str(caught.value) and f"| {text}" in str(caught.value) and "^  here" in str(caught.value)
    )
    host = {"a": A, "q": np.array(0.3), "i": np.arange(3), "j": np.arange(3)}
    same(program(operands), program(host))


def test_a_refused_program_leaves_its_targets_alone():
    b = there(A)
    with pytest.raises(engine.BackendError, match="cannot be captured"):
        engine.compile("b[...] = 1; c = b[b > 0.5]; b[0, 0] = sum(c)").graph()(b=b)
    same(b, A)


def test_arrays_of_the_host_are_refused():
    for options in ({}, {"backend": "cuda"}):
        with pytest.raises(engine.BackendError, match="these operands are the host's") as caught:
            engine.compile("a + 1", **options).graph()(a=A)
        assert "to_device" in str(caught.value)
    same(engine.compile("a + 1").graph()(a=A, device="cuda"), A + 1)


def test_a_graph_tells_of_no_progress():
    with pytest.raises(TypeError, match="no progress"):
        engine.compile("a + 1").graph()(a=there(A), progress=True)


def test_names_are_found_where_a_program_finds_them():
    graph = engine.compile("a + k").graph()
    a, k = there(A), 2.0
    same(graph(), A + 2)
    same(graph({"a": a, "k": 3.0}), A + 3)
    with pytest.raises(TypeError, match="no operand 'b'"):
        graph(a=a, k=k, b=1)
    with pytest.raises(engine.UnknownName):
        graph({"a": a})
    assert repr(graph) == "engine.compile('a + k').graph()" and graph.text == "a + k"

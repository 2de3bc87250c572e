"""engine.last_run() and Program.stats: the figures follow from what was computed."""

import dataclasses
import threading

import numpy as np
import pytest

import engine

HOST = "jit" if next(b for b in engine.doctor().backends if b.name == "jit").usable else "interp"


def run(text, names, **options):
    engine.evaluate(text, names, **options)
    return engine.last_run()


def in_new_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_a_thread_that_ran_nothing_has_no_last_run():
    assert in_new_thread(engine.last_run) is None


def test_each_thread_has_a_last_run_of_its_own():
    mine = run("a*2", {"a": np.ones(7)})
    theirs = in_new_thread(lambda: run("a*2", {"a": np.ones(70)}))
    assert (mine.operations, theirs.operations) == (7, 70) and engine.last_run() == dataclasses.replace(mine, **{})


@pytest.mark.parametrize(
    "text, a, b, kernels, operations, read, written",
    (
        ("2*a + b", np.ones(10), np.ones(10), 1, 20, 160, 80),
        ("a + b", np.ones(10, "f4"), np.ones(10, "f4"), 1, 10, 80, 40),
        ("a + b", np.ones((3, 1)), np.ones(4), 1, 12, 8 * 3 + 8 * 4, 8 * 12),
        ("a + b", np.ones((3, 4)), np.float64(1), 1, 12, 8 * 12 + 8, 8 * 12),
        ("a + b", np.ones(10)[::-1], np.ones(20)[::2], 1, 10, 160, 80),
        ("a == b", np.ones(10), np.ones(10), 1, 10, 160, 10),
        ("a[1:] - a[:-1] + 3*b", np.ones(10), np.float64(1), 1, 9 + 9 + 1, 80 + 8, 72),
        ("a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]", np.ones((5, 6)), None, 1, 3 * 12, 8 * (30 - 2), 96),
        ("a + a.T", np.ones((4, 4)), None, 1, 16, 128, 128),
        ("a[:3] + a[7:]", np.ones(10), None, 1, 3, 48, 24),
        ("a[1:] = a[:-1]*b[1:]", np.ones(10), np.ones(10), 1, 9, 144, 72),
        ("a + shift(a, 1, boundary='constant', cval=3)", np.ones(10), None, 1, 10, 80 + 8, 80),  # at its rim again
        ("sum(a*b)", np.ones(10), np.ones(10), 2, 20, 168, 16),
        ("a + b", np.ones(0), np.ones(0), 1, 0, 0, 0),
    ),
)
def test_figures_of_a_run(text, a, b, kernels, operations, read, written):
    last = run(text, {"a": a, "b": b})
    assert (last.kernels, last.operations, last.bytes_read, last.bytes_written) == (kernels, operations, read, written)
    assert (last.copies, last.bytes_copied, last.backend) == (0, 0, HOST)


def test_a_plan_is_made_once_and_its_stages_are_timed():
    text, names = "a*2 + 12345", {"a": np.ones(3)}
    first = run(text, names)
    assert first.compiled and list(first.stages) == ["parse", "build", "optimise", "plan", "code"]
    assert all(0 < seconds < 1 for seconds in first.stages.values())
    again = run(text, names)
    assert not again.compiled and again.stages == {}
    other = run(text, {"a": np.ones(3, "f4")})
    assert other.compiled and list(other.stages) == ["build", "optimise", "plan", "code"]


def test_a_program_that_was_parsed_elsewhere_is_not_parsed_in_the_run():
    program = in_new_thread(lambda: engine.compile("a*2 + 54321"))
    program(a=1)
    assert engine.last_run().compiled and "parse" not in engine.last_run().stages


def test_overlap_that_needs_a_copy_is_counted():
    y = np.arange(1000.0)
    last = run("x + 3*r", {"x": y[::-1], "r": y[::2].repeat(2)}, out=y)
    assert (last.copies, last.bytes_copied) == (1, 8000)
    assert run("x + 1", {"x": y}, out=y).copies == 0
    assert run("x + 1", {"x": y[1:]}, out=y[:-1]).copies == 0


def test_old_values_that_are_kept_for_later_are_counted():
    a = np.arange(10.0)
    assert run("a[1:] = a[:-1]*2; a", {"a": a}).copies == 0
    a = np.arange(10.0)
    last = run("t = a; a[:] = 0*b; t", {"a": a, "b": np.ones(10)})
    assert (last.copies, last.bytes_copied) == (1, 80)


def test_operands_that_are_no_arrays_are_copies():
    last = run("a + b", {"a": [1.0, 2.0, 3.0], "b": np.ones(3)})
    assert (last.copies, last.bytes_copied) == (1, 24)
    assert run("a + b", {"a": bytearray(3), "b": np.ones(3)}).copies == 0
    assert run("a + b", {"a": np.ones(3), "b": np.ones(3)}).copies == 0


def test_unaligned_swapped_and_strided_operands_are_not_copied():
    raw = np.zeros(1 + 3 * 8, np.uint8)
    for a in (raw[1:].view("f8"), np.ones(3, ">f8"), np.ones((3, 2))[:, 0], np.broadcast_to(1.0, 3)):
        assert run("a + 1", {"a": a}).copies == 0


def test_threads_and_time_of_a_large_run():
    last = run("sum(sqrt(a))", {"a": np.ones(3_000_000)}, threads=2)
    assert last.threads == 2 and 0 < last.seconds < 60
    last = run("a*2", {"a": np.ones(3)}, threads=2)
    assert last.threads == 1 and last.seconds is None


def test_a_run_that_raises_leaves_no_trace():
    before = run("a*2", {"a": np.ones(7)})
    for text in ("a +", "a + b", "a[9]", "i**j"):
        with pytest.raises(engine.Error):
            engine.evaluate(text, {"a": np.ones(7), "i": np.arange(3), "j": np.arange(3) - 2})
    assert engine.last_run() == before


def test_programs_and_blitz_are_runs_too():
    engine.compile("a*3")(a=np.ones(11))
    assert engine.last_run().operations == 11
    engine.blitz("b = a*3", {"a": np.ones(12), "b": np.zeros(12)})
    assert engine.last_run().operations == 12


def test_a_last_run_is_a_value_that_does_not_change():
    last = run("a*2", {"a": np.ones(7)})
    with pytest.raises(dataclasses.FrozenInstanceError):
        last.operations = 3
    run("a*2", {"a": np.ones(70)})
    assert last.operations == 7


# ---- Program.stats ---------------------------------------------------------------------------------------------------


def counts(program):
    stats = program.stats
    return stats.calls, stats.hits, stats.compilations, stats.evictions, stats.plans


def test_calls_are_counted():
    program = engine.compile("a*2 + 777001")
    assert counts(program) == (0, 0, 0, 0, 0) and program.stats.parse_seconds > 0
    program(a=np.ones(3))
    assert counts(program) == (1, 0, 1, 0, 1) and program.stats.compile_seconds > 0
    program(a=np.ones(30))
    program(a=np.ones(3, "f4"))
    assert counts(program) == (3, 1, 2, 0, 2)


def test_plans_beyond_sixty_four_give_way():
    program = engine.compile("a*n + 777002")
    for n in range(70):
        program(a=np.ones(3), n=n)
    assert counts(program) == (70, 0, 70, 6, 64)


def test_evaluate_counts_for_the_program_of_its_text():
    program = engine.compile("a*2 + 777003")
    engine.evaluate("a*2 + 777003", {"a": 1})
    assert program.stats.calls == 1


def test_calls_of_many_threads_are_all_counted():
    program = engine.compile("a*2 + 777004")
    program(a=np.ones(3))
    threads = [threading.Thread(target=lambda: [program(a=np.ones(3)) for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(program) == (4001, 4000, 1, 0, 1)


def test_calls_that_fail_before_a_plan_is_looked_for_do_not_count():
    program = engine.compile("a*2 + 777005")
    with pytest.raises(engine.DTypeError):
        program(a="text")
    assert program.stats.calls == 0

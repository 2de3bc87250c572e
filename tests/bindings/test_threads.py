"""Threads, the GIL and the end of the process."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import engine


def in_threads(n, work):
    """Runs work(i) in n threads that start together; raises what the first of them raised."""
    together, failures = threading.Barrier(n), []

    def run(i):
        together.wait()
        try:
            work(i)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_one_program_from_64_threads():
    program = engine.compile("4*a + 5*a*b + 6*b*c")

    def work(i):
        for dtype in (np.float32, np.float64, np.int64):
            for n in (3, 1000, 50_000):
                a, b, c = (np.full(n, i + k, dtype) for k in range(3))
                assert np.array_equal(program(a=a, b=b, c=c), 4 * a + 5 * a * b + 6 * b * c)

    in_threads(64, work)


def test_texts_are_compiled_by_many_threads_at_once():
    def work(i):
        for k in range(200):
            assert engine.evaluate(f"a + {k}", {"a": i}) == i + k

    in_threads(16, work)


def test_more_texts_than_the_cache_holds():
    def work(i):
        for k in range(700):
            assert engine.evaluate(f"a + {i}*1000 + {k}", {"a": 0}) == i * 1000 + k

    in_threads(4, work)


def test_errors_in_many_threads_stay_with_their_threads():
    def work(i):
        for _ in range(50):
            with pytest.raises(engine.UnknownName) as caught:
                engine.evaluate(f"a + missing{i}", {"a": 1})
            assert f"missing{i}" in str(caught.value)

    in_threads(16, work)


def test_other_threads_run_while_an_evaluation_does():
    a = np.linspace(0, 1, 4_000_000)
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    engine.evaluate("sin(a) + cos(a) + exp(a) + log1p(a) + tanh(a)", {"a": a})
    end = time.perf_counter()
    done.set()
    thread.join()
    # A kernel that held the GIL would let no tick happen in the middle half of the time.
    quarter = (end - begin) / 4
    assert any(begin + quarter < at < end - quarter for at in ticks)


def test_an_operand_that_another_thread_drops_is_read_to_the_end():
    names = {"a": np.arange(1_000_000.0)}
    expected = np.arange(1_000_000.0) * 2
    stop = threading.Event()

    def replace():
        while not stop.is_set():
            names["a"] = np.arange(1_000_000.0)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        for _ in range(20):
            assert np.array_equal(engine.evaluate("2*a", names), expected)
    finally:
        stop.set()
        thread.join()


def run_python(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_daemon_threads_that_evaluate_do_not_disturb_the_end():
    ended = run_python(
        "import threading, time, numpy as np, engine\n"
        "a = np.ones(1_000_000)\n"
        "def work():\n"
        "    while True: engine.evaluate('sin(a) + cos(a) + exp(a)', {'a': a})\n"
        "for _ in range(3): threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.2)\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_a_forked_child_evaluates():
    ended = run_python(
        "import os, sys, numpy as np, engine\n"
        "a = np.ones(100_000)\n"
        "engine.evaluate('2*a', {'a': a})\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(int(engine.evaluate('sum(2*a)', {'a': a}) != 200_000))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert ended.returncode == 0, ended.stderr


def test_the_import_is_silent_and_starts_no_thread():
    ended = run_python(
        "import numpy, os\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "import engine\n"
        "assert len(os.listdir('/proc/self/task')) == before\n"
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

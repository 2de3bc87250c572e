"""Threads, the GIL and the end of the process."""

import os
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


SHAPES = ((100_003,), (500, 1000), (3, 90_001), (90_001, 3), (30, 20, 300), (2, 5, 20_000))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "text",
    (
        "sum(a)",
        "sum(a, axis=0)",
        "max(a, axis=-1)",
        "mean(a*a)",
        "prod(a, axis=0)",
        "4*a + sqrt(a)",
        "sum(a, axis=0) + min(a)",
    ),
)
def test_bits_are_the_same_for_any_number_of_threads(text, shape):
    a = np.random.default_rng(7).random(shape) + 0.5
    for layout in (a, a[..., ::-1], np.asfortranarray(a), a.astype(np.float32)):
        expected = engine.evaluate(text, {"a": layout}, threads=1)
        for threads in (2, 3, 8):
            assert np.array_equal(engine.evaluate(text, {"a": layout}, threads=threads), expected)


def test_an_overlap_that_asks_for_an_order_is_right_with_threads():
    y = np.arange(300_000.0)
    expected = y[1:] * 2 + 1
    engine.evaluate("2*x + 1", {"x": y[1:]}, out=y[:-1], threads=4)
    assert np.array_equal(y[:-1], expected)
    y = np.arange(300_000.0)
    expected = y[:-1] * 2 + 1
    engine.evaluate("2*x + 1", {"x": y[:-1]}, out=y[1:], threads=4)
    assert np.array_equal(y[1:], expected)


def test_number_of_threads_is_set_for_a_while_or_for_good():
    before = engine.num_threads()
    with engine.set_num_threads(3):
        assert engine.num_threads() == 3
        with engine.set_num_threads(None):
            assert engine.num_threads() == before
        assert engine.num_threads() == 3
    assert engine.num_threads() == before
    for wrong in (0, -1):
        with pytest.raises(ValueError):
            engine.set_num_threads(wrong)
    with pytest.raises(TypeError):
        engine.set_num_threads(1.5)
    assert engine.num_threads() == before


def test_environment_gives_the_number_of_threads():
    done = subprocess.run(
        [sys.executable, "-c", "import engine; print(engine.num_threads())"],
        env=os.environ | {"ENGINE_NUM_THREADS": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "5"


# By turns a handler that raises and Ctrl-C.
INTERRUPTS = """
import os, random, signal, threading, time, numpy as np, engine
class Stop(Exception): pass
def handler(*_): raise Stop
signal.signal(signal.SIGALRM, handler)
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the shell runs us in the background
def interrupt(pause):
    time.sleep(pause)
    os.kill(os.getpid(), signal.SIGINT)
a = np.linspace(0.1, 0.9, 3_000_000)
small = np.arange(10.0)
text = " + ".join(["sin(a*%d)" % k for k in range(160)])  # longer than any pause
random.seed(1)
stopped = 0
for i in range(200):
    pause = random.uniform(1e-5, 0.05)
    watcher = threading.Thread(target=interrupt, args=(pause,))
    try:
        if i % 4 < 2:
            signal.setitimer(signal.ITIMER_REAL, pause)
        else:
            watcher.start()
        engine.evaluate(text if i % 2 else "sum(%s)" % text, {"a": a}, threads=1 + i % 3)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except (Stop, KeyboardInterrupt):
        stopped += 1
    if watcher.ident:
        watcher.join()
    assert np.array_equal(engine.evaluate("2*small + 1"), 2*small + 1)
assert np.array_equal(engine.evaluate("a + 1", threads=2), a + 1)
print(stopped)
"""


def test_signals_and_ctrl_c_stop_a_long_evaluation():
    done = subprocess.run([sys.executable, "-c", INTERRUPTS], capture_output=True, text=True, check=True, timeout=300)
    assert int(done.stdout) == 200


FORKS = """
import os, sys, threading, numpy as np, engine
a = np.arange(200_000.0)
stop = False
def work():
    while not stop:
        engine.evaluate("sum(a*a + sqrt(a))", {"a": a}, threads=2)
expected = engine.evaluate("sum(a*2)", threads=1)
thread = threading.Thread(target=work)
thread.start()
for i in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        ok = engine.evaluate("sum(a*2)", threads=2) == expected and engine.evaluate("a[0] + %d" % i) == i
        os._exit(0 if ok else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0, (i, status)
stop = True
thread.join()
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forks_while_another_thread_evaluates():
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKS, "1000"], check=True, timeout=300)


@pytest.mark.parametrize("n", (65_536, 70_001, 180_013))
def test_short_calls_shared_by_threads_have_the_bits_of_one(n):
    rng = np.random.default_rng(n)
    names = {"a": rng.standard_normal(n), "b": rng.standard_normal(n), "s": 3}
    used = set()
    for text in ("4*a + 5*a*b", "where(a > b, a, s)", "a > s*b", "exp(a)*b", "float32(a)*2"):
        want = engine.evaluate(text, names, threads=1)
        assert engine.last_run().threads == 1
        for _ in range(40):
            results = []
            for _ in range(5):  # a helper that sleeps is woken for calls that follow each other
                results.append(engine.evaluate(text, names, threads=2))
                used.add(engine.last_run().threads)
            assert all(result.tobytes() == want.tobytes() for result in results), text
    assert 2 in used
    for _ in range(50):  # the target is an operand, exactly
        c = names["a"].copy()
        engine.evaluate("2*c + b", names | {"c": c}, out=c, threads=2)
        assert np.array_equal(c, 2 * names["a"] + names["b"])


def test_short_calls_from_many_threads_at_once_are_right():
    a = np.random.default_rng(1).standard_normal(70_000)

    def call(k):
        want = k * a + 1
        for _ in range(200):
            assert np.array_equal(engine.evaluate("k*a + 1", {"k": float(k), "a": a}), want)

    in_threads(8, call)


def test_short_reductions_have_the_same_bits_by_two_threads_and_of_operands_that_lie_otherwise():
    """Which are bound and go another way."""
    generator = np.random.default_rng(2)
    used = set()
    for n in (2048, 2049, 30_001, 65_536, 100_000, 300_007):
        plain = {name: generator.standard_normal(n) for name in "ab"} | {"k": generator.integers(0, 1000, n)}
        apart = {name: np.repeat(array, 2)[::2] for name, array in plain.items()}
        for text in (
            "sum(a)",
            "sum(a*b)",
            "mean(a)",
            "max(a - b)",
            "min(a)",
            "prod(1 + a*1e-6)",
            "sum(k)",
            "max(k)",
            "any(a > 9)",
        ):
            want = engine.evaluate(text, apart, threads=1)
            for _ in range(10):
                got = engine.evaluate(text, plain, threads=2)
                used.add(engine.last_run().threads)
                assert got.tobytes() == want.tobytes(), (text, n)
            assert engine.evaluate(text, plain, threads=3).tobytes() == want.tobytes(), (text, n)
    assert 2 in used

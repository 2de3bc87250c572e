"""First calls on a device that nobody waits for: the host answers while kernels are compiled, with the same bits.

Run by first_calls_test.py on the stand-in, where nothing is cached before; on a device by
`ENGINE_CACHE_DIR=<an empty folder> python -m pytest --noconftest tests/kernels_cuda/first_calls.py`.
"""

import threading
import time

import numpy as np
import pytest

import engine

A = np.linspace(-3, 3, 60).reshape(5, 12)
B = np.linspace(1, 2, 12)
I = np.arange(60).reshape(5, 12) % 7


def run(text, names, **options):
    """The value, and whether another thread was left with the kernels."""
    value = engine.evaluate(text, names, **options)
    run = engine.last_run()
    assert (run.backend != "cuda") == run.pending
    return value, run.pending


def on_device(names):
    return {name: engine.to_device(value) if isinstance(value, np.ndarray) else value for name, value in names.items()}


TEXTS = {
    "elementwise": "2*a + sin(b) - t",
    "broadcast": "a[:, None, :] * b + t",
    "reduction": "sum(a * b, axis=1)",
    "several kernels": "(a - mean(a, axis=0)) / std(a)",
    "program": "u = a*t; v = u + b; u*v",
    "rank 0": "max(a) + t",
    "scan": "cumsum(a * b, axis=1)",
    "sort": "sort(a, axis=0)",
    "median": "median(a, axis=1) + t",
    "integers": "i**2 // 3 + bool(a)",
    "complex": "abs(a + 1j*b)",
    "nothing": "a[:0] * b",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_host_answers_until_kernels_are_there(kind):
    names = {"a": A, "b": B, "i": I, "t": 0.5}
    there = on_device(names)
    want = engine.evaluate(TEXTS[kind], names)
    first, pending = run(TEXTS[kind], there)
    assert pending == (kind != "nothing") and engine.last_run().kernels_compiled == 0
    engine.wait_for_kernels()
    second, still_pending = run(TEXTS[kind], there)
    assert not still_pending and engine.last_run().kernels_compiled == 0
    for got in (first, second):
        assert isinstance(got, engine.DeviceArray) and got.shape == np.shape(want)
        assert got.numpy().dtype == want.dtype and got.numpy().tobytes() == want.tobytes()


LAYOUTS = {
    "floor": A,
    "ceil": np.asfortranarray(A),
    "rint": A[::-1, ::-1],
    "trunc": A.reshape(5, 4, 3).transpose(2, 0, 1),
    "square": A.astype(">f8"),
    "cbrt": A[:, 0],
}


@pytest.mark.parametrize("function", LAYOUTS)  # each has kernels of its own
def test_operands_and_results_lie_as_they_would(function):
    a = LAYOUTS[function]
    there = engine.to_device(A)[:, 0] if function == "cbrt" else engine.to_device(a)
    text = f"{function}(a * 1.5)"
    first, pending = run(text, {"a": there})
    assert pending
    engine.wait_for_kernels()
    second, pending = run(text, {"a": there})
    assert not pending and first.strides == second.strides
    assert first.numpy().tobytes() == second.numpy().tobytes() == engine.evaluate(text, {"a": a}).tobytes()


def test_out_and_targets_are_written_whoever_answers():
    a, out, target = engine.to_device(A), engine.to_device(np.zeros(A.shape)), engine.to_device(A)
    for pending in (True, False):
        assert engine.evaluate("a + 17", {"a": a}, out=out) is out
        assert engine.last_run().pending == pending and (out.numpy() == A + 17).all()
        engine.wait_for_kernels()
    want = A.copy()
    for pending in (True, False):
        region, was_pending = run("b[1:] = b[:-1] * 2 + 19", {"b": target})
        want[1:] = want[:-1] * 2 + 19
        assert was_pending == pending and (target.numpy() == want).all() and (region.numpy() == want[1:]).all()
        engine.wait_for_kernels()


def test_out_may_overlap_what_is_read():
    memory = engine.to_device(np.arange(40.0))
    engine.evaluate("a*3 - 23", {"a": memory[:-1]}, out=memory[1:])
    assert engine.last_run().pending
    assert memory.numpy().tolist() == [0.0, *(np.arange(39.0) * 3 - 23)]


def test_what_cannot_be_copied_back_waits():
    """Between the elements of a target lies what is another's."""
    memory = engine.to_device(np.zeros(40))
    engine.evaluate("b[...] = b + 29", {"b": memory[::2]})
    run = engine.last_run()
    assert (run.backend, run.pending, run.kernels_compiled) == ("cuda", False, 1)
    assert memory.numpy().tolist() == [29.0, 0.0] * 20


def test_a_refusal_leaves_what_was_there():
    i, k = engine.to_device(np.arange(1, 4)), engine.to_device(np.array([1, -1, 0]))
    for _ in range(2):
        target = engine.to_device(np.arange(3))
        with pytest.raises(engine.RangeError, match="negative integer powers"):
            engine.evaluate("t += 1; t[...] = i**k", {"t": target, "i": i, "k": k})
        assert target.numpy().tolist() == [0, 1, 2]
        engine.wait_for_kernels()


def test_what_was_written_already_is_waited_for():
    """The host would begin anew, from operands that are changed."""
    b = engine.to_device(A)
    engine.evaluate("b[...] = b + 41", {"b": b}, wait=True)
    got = engine.evaluate("b[...] = b + 41; sum(b) + sum(b * b, axis=0)", {"b": b})
    run = engine.last_run()
    assert (run.backend, run.pending) == ("cuda", False) and run.kernels_compiled > 0
    want = A + 41 + 41
    assert b.numpy().tobytes() == want.tobytes()
    assert got.numpy().tobytes() == engine.evaluate("sum(b) + sum(b * b, axis=0)", {"b": want}).tobytes()


def test_who_wishes_waits():
    a = engine.to_device(A)
    engine.evaluate("a * 31", {"a": a}, wait=True)
    assert engine.last_run().kernels_compiled == 1 and not engine.last_run().pending
    with engine.config(wait=True):
        engine.evaluate("a * 32 + 1", {"a": a})
        assert engine.last_run().kernels_compiled == 1
        engine.compile("a * 33 + a")(a=a)
        assert engine.last_run().kernels_compiled == 1
    engine.compile("a * 34 - a")(a=a, wait=True)
    assert engine.last_run().kernels_compiled == 1
    engine.evaluate("a * 35 / a", {"a": a}, backend="cuda")
    assert engine.last_run().kernels_compiled == 1
    with pytest.raises(TypeError, match="wait must be True or False, not 1"):
        engine.evaluate("a", {"a": a}, wait=1)


def test_much_work_waits_since_the_host_would_take_longer():
    a = engine.to_device(np.ones((1000, 1000)))
    engine.evaluate("a + " + " + ".join(f"sin(a*{k})" for k in range(40)), {"a": a[:, :999]}, threads=1)
    assert engine.last_run().kernels_compiled == 1 and not engine.last_run().pending


@pytest.mark.parametrize("text", [*TEXTS.values(), "a[a > b]", "unique(i)", "nonzero(a > 0)", "bincount(k)"])
def test_what_was_precompiled_is_there(text):
    shapes = {"a": ("float32", A.shape), "b": (np.float32, [12]), "i": ("i4", A.shape), "k": ("int32", (60,)), "t": 0.5}
    *statements, value = text.split("; ")
    text = "; ".join((*statements, f"({value}) - 7"))
    compiled = engine.precompile(text, shapes)
    assert engine.precompile(text, shapes) == 0
    names = {"a": A.astype("f4"), "b": B.astype("f4"), "i": I.astype("i4"), "k": I.astype("i4").ravel(), "t": 0.5}
    got = engine.evaluate(text, on_device(names))
    run = engine.last_run()
    assert (run.backend, run.pending, run.kernels_compiled) == ("cuda", False, 0)
    assert got.numpy().tobytes() == engine.evaluate(text, names).tobytes()
    assert compiled > 0 or ":0" in text or "median" in text  # which has nothing to do, or what sorts has done


def test_precompile_takes_several_and_reads_nothing():
    huge = {"a": ("float32", (1 << 20, 1 << 15)), "b": 2}  # 128 GiB
    assert engine.precompile(["a*37 + b", engine.compile("a*38 - b")], [huge, {"a": ("int16", (3,)), "b": 2.5}]) == 4
    engine.precompile("a*39", {"a": np.broadcast_to(np.float32(1), (7, 9))}, wait=False)
    engine.wait_for_kernels()
    a = engine.to_device(np.ones((7, 9), "f4"))
    engine.evaluate("a*37 + b", {"a": a, "b": 2})
    assert engine.last_run().kernels_compiled == 0 and not engine.last_run().pending


def test_precompile_says_what_is_wrong():
    with pytest.raises(engine.ShapeError):
        engine.precompile("a + b", {"a": ("f8", (3,)), "b": ("f8", (4,))})
    with pytest.raises(engine.UnknownName):
        engine.precompile("a + b", {"a": ("f8", (3,))})
    with pytest.raises(engine.DTypeError):
        engine.precompile("a << 2", {"a": ("f8", (3,))})
    with pytest.raises(TypeError, match=r"'a' needs an array, a number or a pair \(dtype, shape\), not \('f8',\)"):
        engine.precompile("a + 1", {"a": ("f8",)})
    with pytest.raises(ValueError, match="'a' has a negative extent"):
        engine.precompile("a + 1", {"a": ("f8", (-3,))})
    with pytest.raises(engine.BackendError, match="there is no CUDA device 9"):
        engine.precompile("a + 1", {"a": ("f8", (3,))}, device=9)


def test_eight_threads_agree():
    there, failed = engine.to_device(A), []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(25):
            k = int(rng.integers(40, 46))
            got = engine.evaluate(f"a * {k} - {k}", {"a": there}, wait=bool(rng.integers(2))).numpy()
            if not (got == A * k - k).all():
                failed.append(k)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_the_device_is_free_while_another_thread_compiles():
    """What is ready does not wait for what is not."""
    a = engine.to_device(A)
    engine.evaluate("a + 47", {"a": a}, wait=True)
    engine.evaluate("sort(a * 47)", {"a": a})  # takes its compiler a second
    assert engine.last_run().pending
    start = time.perf_counter()
    engine.evaluate("a + 47", {"a": a}).numpy()
    assert not engine.last_run().pending
    ready = time.perf_counter() - start
    engine.wait_for_kernels()
    assert ready < time.perf_counter() - start

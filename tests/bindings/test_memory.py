"""Large results: recycled pages that NumPy owns, streams past the caches, and layouts that are packed on the way."""

from __future__ import annotations

import gc
import os
import threading

import numpy as np
import pytest

import engine

LARGE = 5_000_000  # float64: 40 MB, of recycled pages
HUGE = 2 << 20


@pytest.fixture(autouse=True)
def nothing_idle():
    gc.collect()
    engine.trim()
    yield
    gc.collect()
    engine.trim()


def resident() -> int:
    with open("/proc/self/statm") as figures:
        return int(figures.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_large_result_owns_its_memory():
    result = engine.evaluate("2*a", {"a": np.ones(LARGE)})
    assert result.flags.owndata and result.flags.writeable and result.base is None
    assert result.ctypes.data % HUGE == 0
    assert np.all(result == 2)


def test_memory_of_a_dead_result_serves_the_next():
    a = np.ones(LARGE)
    first = engine.evaluate("2*a", {"a": a})
    address = first.ctypes.data
    first[:] = np.nan
    del first
    second = engine.evaluate("3*a", {"a": a})
    assert second.ctypes.data == address
    assert np.all(second == 3)


def test_a_living_result_keeps_its_memory():
    a = np.ones(LARGE)
    first = engine.evaluate("2*a", {"a": a})
    view = first[::2]
    del first
    second = engine.evaluate("3*a", {"a": a})
    assert not np.shares_memory(view, second) and np.all(view == 2)


def test_trim_gives_back_what_is_idle_and_nothing_else():
    a = np.ones(LARGE)
    kept, idle = engine.evaluate("2*a", {"a": a}), engine.evaluate("3*a", {"a": a})
    assert engine.trim() == 0
    del idle
    before = resident()
    assert engine.trim() == -(-a.nbytes // HUGE) * HUGE
    assert before - resident() > 0.9 * a.nbytes
    assert engine.trim() == 0 and np.all(kept == 2)


def test_no_more_than_the_cap_is_kept():
    a = np.ones(LARGE)
    results = [engine.evaluate("2*a", {"a": a}) for _ in range(30)]
    del results
    assert engine.trim() <= 1 << 30


def test_a_result_grows_and_shrinks():
    result = engine.evaluate("2*a", {"a": np.arange(LARGE, dtype=float)})
    result.resize(2 * LARGE, refcheck=False)
    assert result[LARGE - 1] == 2.0 * (LARGE - 1) and not result[LARGE:].any()
    result.resize(10, refcheck=False)
    assert np.array_equal(result, 2.0 * np.arange(10))


def test_threads_share_the_pool():
    a = np.ones(LARGE)
    wrong = []

    def work(factor):
        for _ in range(5):
            if not np.all(engine.evaluate("f*a", {"f": factor, "a": a}) == factor):
                wrong.append(factor)

    threads = [threading.Thread(target=work, args=(float(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_can_use_the_pool():
    a = np.ones(LARGE)
    idle = engine.evaluate("2*a", {"a": a})
    del idle
    child = os.fork()
    if child == 0:
        ok = bool(np.all(engine.evaluate("3*a", {"a": a}) == 3)) and engine.trim() > 0
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("shift", (0, 1, 3))
@pytest.mark.parametrize("dtype", ("f4", "f8", "c16", "i2"))
def test_streams_past_the_caches_write_what_was_computed(dtype, shift):
    """Larger than any last-level cache in use; the target starts off a line of memory."""
    n = 300_000_000 // np.dtype(dtype).itemsize // 2
    a = np.empty(n, dtype)
    a.view("u1")[:] = 1
    a[::1000] = 7
    out = np.zeros(n + 8, dtype)[shift : shift + n]
    engine.evaluate("a + a", {"a": a}, out=out)
    assert np.array_equal(out, a + a)


ITEMS = ("?", "i1", "i2", "f4", "f8", "c8", "c16")


@pytest.mark.parametrize("dtype", ITEMS)
@pytest.mark.parametrize(
    "shape", ((130, 517), (517, 130), (9, 4099), (4099, 9), (3, 71, 260), (257, 1033), (5, 20_000)), ids=str
)
def test_transposed_operands(shape, dtype):
    generator = np.random.default_rng(4)
    b = generator.integers(0, 100, shape).astype(dtype)
    base = generator.integers(0, 100, shape[::-1]).astype(dtype)
    shifted = np.zeros((*shape[:0:-1], shape[0] + 3), dtype)[..., 3:]
    shifted[...] = base
    for a in (base.T, shifted.T, np.moveaxis(base.T.copy(), -1, 0).copy().transpose(*range(1, len(shape)), 0)):
        assert a.shape == shape
        assert np.array_equal(engine.evaluate("where(b == b, a, b)", {"a": a, "b": b}), a)
        for threads in (1, 3):
            total = engine.evaluate("sum(a, axis=0) + sum(a)", {"a": a}, threads=threads)
            assert np.array_equal(total, a.sum(axis=0) + a.sum())


@pytest.mark.parametrize("dtype", ITEMS)
@pytest.mark.parametrize("width", (1, 2, 3, 4, 5, 31, 95))
def test_short_rows(width, dtype):
    generator = np.random.default_rng(5)
    room = generator.integers(0, 100, (21, 62, 2 * width)).astype(dtype)
    for a in (
        room[1::2, ::3, :width],
        room[:, 5:50:2, ::2],
        room[::-2, ::-3, width - 1 :: -1],
        room[:7, :3, 1 : 1 + width],
    ):
        out = np.zeros((*a.shape[:-1], 2 * width), dtype)[..., :width]
        result = engine.evaluate("where(a == a, a, a)", {"a": a}, out=out)
        assert result is out and np.array_equal(out, a)
        assert np.array_equal(engine.evaluate("where(a == a, a, a)", {"a": a}), a)


def lay_out(generator, shape, dtype):
    """Values of that shape, as one of the layouts that kernels go through row by row, or that are packed on the way."""

    def values(shape):
        return generator.integers(0, 50, shape).astype(dtype)

    def as_one_row(shape):
        return (1, *shape[1:])

    def as_one_column(shape):
        return (*shape[:-1], 1)

    ways = (
        values,
        lambda shape: values(shape[::-1]).T,
        lambda shape: values([n + 2 for n in shape])[tuple(slice(1, n + 1) for n in shape)],
        lambda shape: values(as_one_row(shape)),
        lambda shape: values(as_one_column(shape)),
        lambda shape: values(shape)[..., ::-1],
        lambda shape: values((*shape[:-1], 2 * shape[-1]))[..., ::2],
        lambda shape: values(shape)[::-1],
        lambda shape: np.asfortranarray(values([n + 1 for n in shape]))[tuple(slice(n) for n in shape)],
    )
    return ways[generator.integers(len(ways))](shape)


#: What a machine does otherwise: masks, calls, pairs of registers, casts.
OTHERS = (
    "where(real(a) > 7, b, c)",
    "(real(a) > 5) ^ (b == c)",
    "exp(-real(a)*0.1)*c",
    "a*(1 + 2j) + b",
    "abs(a - b*1j)",
    "float32(real(a)) * c",
    "floor(real(a)/7) + b",
)


@pytest.mark.parametrize("seed", range(8))
def test_rows_of_every_layout(seed):
    """So many elements that machine code goes from row to row, and tiles are packed; rows that end within a vector."""
    generator = np.random.default_rng(seed)
    for _ in range(60):
        widths = generator.choice([8, 16, 17, 31, 64, 100, 127, 129, 316, 511, 1000, 4000])
        shape = [int(generator.integers(33_000, 120_000) // widths), int(widths)]
        if generator.random() < 0.3:
            shape = [int(generator.integers(1, 9)), shape[0] // 3 + 1, shape[1]]
        shape = tuple(generator.permutation(shape).tolist())
        dtypes = generator.choice(
            ["f8", "f4", "i4", "i8", "i2", "u1", "c16", "c8"], 3 if generator.random() < 0.5 else 1
        )
        names = {name: lay_out(generator, shape, dtypes[i % len(dtypes)]) for i, name in enumerate("abc")}
        text = generator.choice(["a*b + c", "(a - b)*c", "2*a + 3*b + c*a"])
        want = eval(text, {}, names)
        threads = int(generator.integers(1, 4))
        case = (text, shape, dtypes.tolist(), [array.strides for array in names.values()], threads)
        assert np.array_equal(engine.evaluate(text, names, threads=threads), want), case
        room = np.zeros([n + 2 for n in want.shape], want.dtype)
        inside = tuple(slice(1, n + 1) for n in want.shape)
        engine.evaluate(text, names, out=room[inside], threads=threads)
        assert np.array_equal(room[inside], want), case
        room[inside] = 0
        assert not room.any(), case
        a = names["a"]
        if a.shape == want.shape and a.dtype == want.dtype:
            over = a.copy(order="K")
            engine.evaluate(text, names | {"a": over}, out=over, threads=threads)
            assert np.array_equal(over, want), case
        other = generator.choice(OTHERS)
        want = engine.evaluate(other, names, backend="interp", threads=1)
        assert engine.evaluate(other, names, threads=threads).tobytes() == want.tobytes(), (other, *case[1:])

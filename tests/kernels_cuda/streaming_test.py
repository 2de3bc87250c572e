"""Large operands of the host go to the device and back in pieces: copies and kernels under way at once."""

import re

import pytest

from tests.kernels_cuda.process import lines


@pytest.mark.parametrize("seed, defer", ((0, 0), (1, 1)))
def test_what_goes_in_pieces_has_the_bits_of_the_interpreter(shared, seed, defer):
    *complaints, last = lines(
        shared, "-m", "tests.kernels_cuda.streaming", STANDIN_SEED=seed, STANDIN_DEFER=defer, ENGINE_NUM_THREADS=2
    )
    assert complaints == [] and int(re.fullmatch(r"(\d+) compared", last)[1]) >= 40


def test_where_no_memory_can_be_pinned_copies_go_without(shared):
    *complaints, last = lines(
        shared,
        "-m",
        "tests.kernels_cuda.streaming",
        STANDIN_FAULT="cuMemHostAlloc:0:2",
        STANDIN_DEFER=1,
        STANDIN_QUIET=1,
    )
    assert complaints == [] and int(re.fullmatch(r"(\d+) compared", last)[1]) >= 40


COUNT = """
import ctypes, os
import numpy as np, engine
from tests.emulator.standin import Counters
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
def count():
    counters = Counters()
    driver.standin_counters(ctypes.byref(counters))
    return counters
engine.to_device(np.ones(1))
a, b = np.ones(1_200_000), np.ones(1_200_000, np.float32)
before = count()
engine.evaluate("a + b", {"a": a, "b": b}, backend="cuda")
after = count()
print(after.launches - before.launches, after.copied_to_device - before.copied_to_device,
      after.copied_to_host - before.copied_to_host, after.live_host_bytes)
engine.trim()
print(count().live_host_bytes)
"""


def test_each_byte_is_copied_once_by_way_of_little_pinned_memory(shared):
    counts, left = lines(shared, "-c", COUNT)
    launches, to_device, to_host, pinned = map(int, counts.split())
    assert launches == 3  # pieces of 2^19 float64, which are 4 MiB
    assert (to_device, to_host) == (1_200_000 * 12, 1_200_000 * 8)
    assert 0 < pinned <= 32 << 20
    assert left == "0"


NEIGHBOURS = COUNT.replace(
    """engine.evaluate("a + b", {"a": a, "b": b}, backend="cuda")""",
    """A, B = a.reshape(1200, 1000), np.zeros((1200, 1000))
text = "B[1:-1, 1:-1] = A[:-2, 1:-1] + A[2:, 1:-1] + A[1:-1, :-2] - A[1:-1, 2:]"
engine.evaluate(text, {"A": A, "B": B}, backend="cuda")""",
)


def test_neighbours_are_one_memory_of_which_a_piece_takes_its_rim_along(shared):
    counts, _ = lines(shared, "-c", NEIGHBOURS)
    launches, to_device, to_host, _ = map(int, counts.split())
    assert launches == 3  # of 525, 525 and 148 rows
    assert to_device == (1200 + 2 * 2) * 8000 - 3 * 16  # but for the corners
    assert to_host == 1198 * 998 * 8


ORDER = """
import ctypes, os
import numpy as np, engine
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
driver.standin_calls.restype = ctypes.c_uint64
a = np.ones(1_200_000)
out = np.zeros_like(a)
for more in ({}, {"out": out}):
    driver.standin_reset_counters()
    assert driver.standin_inject(b"cuMemcpyDtoHAsync_v2:1:1")
    try:
        engine.evaluate("a + 1", {"a": a}, backend="cuda", **more)
    except engine.BackendError:
        print(driver.standin_calls(b"cuLaunchKernel"))
    driver.standin_inject(b"")
print((out == 0).all())
"""


def test_a_new_array_comes_back_as_it_is_made_and_one_that_was_there_when_all_is(shared):
    """The first copy to the host fails: so many of three kernels were launched before it."""
    assert lines(shared, "-c", ORDER, STANDIN_QUIET=1) == ["1", "3", "True"]


INTERRUPT = """
import numpy as np, engine
a = np.ones(3_000_000)
kept = a.copy()
try:
    engine.evaluate("a[...] = a + 1", {"a": a}, backend="cuda", limits=engine.Limits(time=0.01))
except engine.LimitError:
    print("late")
print((a == kept).all(), (engine.evaluate("a + 1", {"a": a}, backend="cuda") == 2).all())
"""


def test_a_deadline_between_pieces_leaves_the_target_as_it_was(shared):
    said, fine = lines(shared, "-c", INTERRUPT)
    assert said == "late" and fine == "True True"


LARGE = """
import ctypes, os
import numpy as np, engine
driver = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
n = 20_000_000
a, b = np.arange(n) / 8, np.arange(n, dtype=np.float32)[::-1].copy()
got = engine.evaluate("a*2 + b", {"a": a, "b": b}, backend="cuda")
print(engine.last_run().backend, (got == a*2 + b).all())
del got
want = a*b - 1
c = a.copy()
engine.evaluate("c[...] = c*b - 1", {"c": c, "b": b}, backend="cuda")
print((c == want).all())
assert driver.standin_inject(b"cuLaunchKernel:30:719")
try:
    engine.evaluate("a[...] = a*b - 1", {"a": a, "b": b}, backend="cuda", threads=1)
except engine.BackendError as error:
    print("context is lost" in str(error), (a == np.arange(n) / 8).all())
"""


def test_operands_four_times_as_large_as_the_device_go_through_it(shared):
    """160 and 80 MB by way of a device of 40 MiB; a failure in their midst leaves the target as it was."""
    memory = 40 << 20
    assert lines(shared, "-c", LARGE, STANDIN_MEMORY=memory, STANDIN_QUIET=1) == ["cuda True", "True", "True True"]


COMPARED = """
import numpy as np, engine
rng = np.random.default_rng(1)
NAMES
for text in TEXTS:
    shares = []
    got = engine.evaluate(text, names, backend="cuda", progress=lambda share: shares.append(share) or True)
    want = engine.evaluate(text, names, backend="interp")
    print(got.tobytes() == want.tobytes(), got.strides == want.strides, shares == sorted(shares), shares[-1])
    BESIDES
"""


def compared(names: str, texts: tuple, besides: str = "") -> str:
    """A program that prints a line for each text; `names` makes its operands, `besides` is done with got and want."""
    return COMPARED.replace("NAMES", names).replace("TEXTS", repr(texts)).replace("BESIDES", besides)


REDUCED = """
a = rng.standard_normal(4_300_000)
names = {"a": a, "A": a.reshape(4300, 1000), "r": rng.random(1000), "c": rng.random((4300, 1))}
"""
OF_ALL = (
    "sum(a)",
    "mean(a) + max(a)",
    "argmax(a)",
    "(a - mean(a)) / std(a)",
    "sqrt(sum((a - mean(a))**2))",
    "s = sum(a*a); t = min(a); s + t",
    "sum(A, axis=0)",
    "var(A, axis=0)",
    "sum(A*r, axis=1)",
    "A*c - mean(A, axis=0)",
    "argmin(A, axis=0)",
)


def test_reductions_of_more_than_the_device_holds_are_combined_of_pieces(shared):
    """34 MB by way of a device of 30 MiB, where three pieces of an operand and of a result are 25."""
    program = compared(REDUCED, OF_ALL)
    assert lines(shared, "-c", program, STANDIN_MEMORY=30 << 20) == ["True True True 1.0"] * len(OF_ALL)


HELD = """
import ctypes, os
import numpy as np, engine
from tests.emulator.standin import Counters
engine.evaluate("sum(a*a)", {"a": np.ones(4_300_000)}, backend="cuda")
counters = Counters()
ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"]).standin_counters(ctypes.byref(counters))
print(counters.live_bytes)
"""


def test_a_large_reduction_holds_three_pieces_though_the_device_has_room(shared):
    """What was given back is kept for the next call: all that was ever held."""
    (held,) = lines(shared, "-c", HELD)
    assert 8 << 20 < int(held) < 16 << 20


BY_ROWS = """
names = {"a": rng.random((700, 1000)), "b": rng.random((1000, 700)), "f": rng.random((700, 1000), np.float32), "k": 3}
names["row"] = names["a"][0]
"""
INTO_OUT = """
    if got.dtype == np.float64:
        out = np.zeros(got.shape[::-1]).T[::-1]
        engine.evaluate(text, names, backend="cuda", out=out)
        assert (out == want).all(), text
    a = names["a"].copy()  # what is read is written at last
    assert (engine.evaluate("a[::-1] + 1", {"a": a}, backend="cuda", out=a) == names["a"][::-1] + 1).all()
"""
OF_ROWS = (
    "a[1:-1, 1:-1] + 0.5*(a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])",
    "shift(a, 1, axis=0, boundary='wrap') - f",
    "shift(a, 2, axis=0, boundary='reflect') + shift(a, -3, axis=1, boundary='constant', cval=2)",
    "a[::-1] * row + index(0)",
    "a[::2, ::-1] + k",
    "a[:, 5] * f[:, 6]",
    "where(a > 0.5, a, f)[:, 100:]",
    "sum(a * f, axis=1)",
    "e = exp(a - max(a, axis=1, keepdims=True)); e / sum(e, axis=1, keepdims=True)",
    "(a - mean(a, axis=1, keepdims=True)) / std(a, axis=1, keepdims=True) + mean(row)",
    "cumsum(a * k, axis=1) - f",
    "argmax(a, axis=1)[:, None] + a[:, ::2]",
)


def test_more_than_the_device_holds_goes_by_rows_of_the_result(shared):
    """Operands of 5.6 and 2.8 MB and a result of 5.6, by way of a device of 4 MiB."""
    program = compared(BY_ROWS, OF_ROWS, INTO_OUT)
    assert lines(shared, "-c", program, STANDIN_MEMORY=4 << 20) == ["True True True 1.0"] * len(OF_ROWS)


WRITTEN = """
import numpy as np, engine
rng = np.random.default_rng(1)
names = {"a": rng.random((700, 1000)), "f": rng.random((700, 1000), np.float32)}
for text in TEXTS:
    for dtype in (np.float64, np.float32):
        first = rng.random((700, 1000)).astype(dtype)
        got, want, kept = (names | {"t": first.copy(), "f": names["f"].copy()} for _ in range(3))
        shares = []
        told = lambda share: shares.append(share)
        value = engine.evaluate(text, got, backend="cuda", casting="same_kind", progress=told)
        ran = engine.last_run().backend if shares == sorted(shares) and shares[-1] == 1 else shares
        wanted = engine.evaluate(text, want, backend="interp", casting="same_kind")
        same = value.tobytes() == wanted.tobytes() and all(got[k].tobytes() == want[k].tobytes() for k in "tf")
        try:
            stop = lambda share: 1 / 0 if share > 0.7 else None
            engine.evaluate(text, kept, backend="cuda", casting="same_kind", progress=stop)
        except ZeroDivisionError:
            print(ran, same, (kept["t"] == first).all() and (kept["f"] == names["f"]).all())
"""
TARGETS = (
    "t[1:-1, 1:-1] = a[1:-1, 1:-1] + 0.5*(a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])",
    "t[1:] = t[:-1] + a[1:]",
    "t[...] = a[::-1]",
    "t[1:-1] += t[:-2] * t[2:]",
    "t[...] = a - mean(a, axis=1, keepdims=True)",
    "t[::2, ::-1] = shift(a, 1, axis=0, boundary='wrap')[1::2] - f[::2]",
    "t[...] = sum(a * f, axis=1, keepdims=True)",
    "t[:, 5] = a[:, 6] * 2",
    "t[...] = cumsum(t, axis=1)",
    "t[...] = shift(t, 3, axis=0, boundary='reflect')",
    "t[1:] = t[:-1] * 2; t[:-1] = t[1:] + a[:-1]; t[:, 5] = 7",
    "f[...] = t; t[:, 1:-1] = f[:, 2:] - a[:, :-2]; f[::2] -= t[1::2]; t += a",
)


def test_targets_larger_than_the_device_are_written_when_all_of_their_value_is_known(shared):
    """Values in parts by rows, which read what was there before; one that is stopped on its way writes nothing."""
    program = WRITTEN.replace("TEXTS", repr(TARGETS))
    assert lines(shared, "-c", program, STANDIN_MEMORY=4 << 20) == ["cuda True True"] * 2 * len(TARGETS)


TOO_MUCH = """
import numpy as np, engine
a = np.random.default_rng(1).random((700, 1000))
kept = a.copy()
out = np.zeros_like(a)
fine = "a[::-1] + 1"
for text, more in (
    ("a[:, :700] + a[:, :700].T", {}),  # each row needs all
    ("a - mean(a)", {}),
    ("a[:, :700] = a[:, :700].T", {}),
    ("a[1:] = a[:-1] * 2; a[1:] + a[:-1]", {}),  # stores, and gives a result besides
    (fine, {"limits": engine.Limits(time=0.02)}),
    (fine, {"out": out, "progress": lambda share: 1 / 0 if share > 0.5 else None}),
):
    try:
        engine.evaluate(text, {"a": a}, backend="cuda", **more)
    except (engine.Error, ZeroDivisionError) as error:
        print(type(error).__name__, (a == kept).all(), (out == 0).all())
print((engine.evaluate(fine, {"a": a}, backend="cuda") == a[::-1] + 1).all())
"""


def test_what_cannot_go_by_rows_or_is_stopped_leaves_all_as_it_was(shared):
    assert lines(shared, "-c", TOO_MUCH, STANDIN_MEMORY=4 << 20) == [
        "OutOfMemory True True",
        "OutOfMemory True True",
        "OutOfMemory True True",
        "OutOfMemory True True",
        "LimitError True True",
        "ZeroDivisionError True True",
        "True",
    ]


SPILL = """
import ctypes, os
import numpy as np, engine
from tests.emulator.standin import Counters
a = np.linspace(0, 1, 5000)
got = engine.evaluate("exp(a)", {"a": engine.to_device(a)}).numpy()
print(got.tobytes() == engine.evaluate("exp(a)", {"a": a}).tobytes())
counters = Counters()
ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"]).standin_counters(ctypes.byref(counters))
print(counters.module_loads)
"""


@pytest.mark.parametrize("registers, loads", ((0, 1), (16, 3)))
def test_a_kernel_that_spills_has_less_under_way(shared, registers, loads):
    """exp of float64 has four packs under way; where registers do not suffice, two, and then one."""
    same, loaded = lines(shared, "-c", SPILL, STANDIN_REGISTERS=registers)
    assert same == "True" and int(loaded) == loads


@pytest.mark.parametrize("memory, least", ((0, 40), (16 << 20, 30)))
def test_generated_slices_have_the_bits_of_the_interpreter(shared, memory, least):
    """Interleaved and deferred; of a device that has room for three pieces of one operand, some are refused."""
    more = {"STANDIN_MEMORY": memory} if memory else {}
    program = ("-m", "tests.kernels_cuda.streaming_generated", str(memory), "40")
    *complaints, last = lines(shared, *program, STANDIN_SEED=1, STANDIN_DEFER=1, STANDIN_QUIET=1, **more)
    assert complaints == [] and int(re.fullmatch(r"(\d+) compared", last)[1]) >= least

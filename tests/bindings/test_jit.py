"""Machine code against the interpreter, through the whole of evaluate."""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import engine

JIT = next(b for b in engine.doctor().backends if b.name == "jit")
pytestmark = pytest.mark.skipif(not JIT.usable, reason=JIT.reason)

TEXTS = (
    "4*a + 5*a*b + 6*b*c",
    "where((a > b) & ~(b > c), a*2, c)",
    "exp(-a*a/2)/sqrt(2*pi) + c",
    "int32(a*100) % 7 + (i << 2)",
    "float32(a)*f + i",
    "maximum(minimum(a, b), -c)",
    "z*a + conj(z)",
)


def operands(n, seed=0):
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, n))
    return {
        "a": a,
        "b": b,
        "c": c,
        "f": rng.normal(size=n).astype("f4"),
        "i": rng.integers(-100, 100, n, dtype="i4"),
        "z": rng.normal(size=n) + 1j * rng.normal(size=n),
    }


def both(text, names, **options):
    made = [engine.evaluate(text, names, backend=backend, **options) for backend in ("interp", "jit")]
    assert made[0].dtype == made[1].dtype and made[0].shape == made[1].shape
    return (m.tobytes() for m in made)


@pytest.mark.parametrize("text", TEXTS)
def test_the_bits_are_the_interpreters_at_every_length(text):
    names = operands(1100)
    for n in (*range(70), 511, 512, 513, 1023, 1025, 1100):
        want, got = both(text, {k: v[:n] for k, v in names.items()})
        assert want == got, n


@pytest.mark.parametrize("text", TEXTS)
def test_the_bits_are_the_interpreters_for_other_layouts(text):
    names = operands(4000)
    for view in (
        lambda v: v[::-1],
        lambda v: v[::3],
        lambda v: v.reshape(40, 100).T,
        lambda v: v.reshape(40, 100)[:, 1:-1],
    ):
        want, got = both(text, {k: view(v) for k, v in names.items()})
        assert want == got


@pytest.mark.parametrize("width", (1, 3, 15, 16, 17, 33, 64, 65, 96, 100, 130, 511, 512, 513, 700))
@pytest.mark.parametrize("text", ("(a - r)*k", "where(a > k, r, a)", "r*k", "a[1:-1]*k[2:] + r", "a[:, ::-1]*r - k"))
@pytest.mark.parametrize("reduced", ("{}", "sum({})", "sum({}, axis=0)", "mean({}, axis=1)", "max({}, axis=1)"))
def test_the_bits_are_the_interpreters_for_rows_and_columns(width, text, reduced):
    rng = np.random.default_rng(width)
    names = {"a": rng.normal(size=(9, width)), "r": rng.normal(size=width), "k": rng.normal(size=(9, 1))}
    want, got = both(reduced.format(text), names)
    assert want == got


@pytest.mark.parametrize(
    "text", ("a[...] = a*2 + b", "a[1:] = a[:-1]*2 + b[1:]", "a[:-1] = a[1:] + b[1:]", "a[...] = a - a[3]")
)
def test_the_bits_are_the_interpreters_in_place(text):
    for n in (5, 9, 100, 1001, 70001):
        made = []
        for backend in ("interp", "jit"):
            names = operands(n)
            engine.evaluate(text, names, backend=backend, threads=1)
            made.append(names["a"].tobytes())
        assert made[0] == made[1], n


@pytest.mark.parametrize(
    "text", ("4*a + 5*a*b + 6*b*c", "float32(a)*f + i", "where(a > b, a, c)", "a > b", "(z + a)*2")
)
@pytest.mark.parametrize("skew", (0, 1, 3))
def test_the_bits_are_the_interpreters_where_stores_go_past_the_caches(text, skew):
    n = 1_500_007
    names = operands(n)
    want = engine.evaluate(text, names, backend="interp", threads=1)
    for threads in (1, 2):
        whole = np.zeros(n + 8, want.dtype)
        out = whole[skew : skew + n]
        engine.evaluate(text, names, backend="jit", threads=threads, out=out)
        assert out.tobytes() == want.tobytes()
        assert not whole[:skew].any() and not whole[skew + n :].any()


@pytest.mark.parametrize("dtype", ("f4", "f8", "i8", "c16", "f2"))
@pytest.mark.parametrize("n", (511, 512, 2047, 2048, 2049, 2560, 6143, 6144, 10_000, 131_072 + 700))
def test_sums_of_what_is_computed_have_the_interpreters_bits_however_operands_lie(dtype, n):
    rng = np.random.default_rng(n)
    wide = (100 * rng.standard_normal((3, 2 * n + 1))).astype(dtype)
    rows = (100 * rng.standard_normal((5, n + 3))).astype(dtype)
    names = {
        "a": wide[0, :n],
        "b": wide[1, 1::2],
        "r": wide[2, :n][::-1],
        "s": wide[0, 7],
        "m": rows[:, 2 : 2 + n],
        "k": 3,
    }
    names["row"] = wide[1, :n]
    for text in (
        "sum(a*a)",
        "sum(a*b)",
        "sum(a*r + s)",
        "prod(1 + a*1e-6)",
        "sum((a + k)*s)",
        "sum(m*row, axis=1)",
        "sum(m*m)",
        "sum(m*s, axis=1)",
        "sum(a*row)",
    ):
        want = engine.evaluate(text, names, backend="interp", threads=1)
        for threads in (1, 2):
            got = engine.evaluate(text, names, backend="jit", threads=threads)
            assert np.asarray(got).tobytes() == np.asarray(want).tobytes(), (text, threads)


@pytest.mark.parametrize("dtype", ("f8", "f4", "i2", "c8", "?"))
@pytest.mark.parametrize(
    "shape", ((2049, 17), (1101, 33), (403, 316), (33, 1100), (5, 7001), (9, 123, 31), (3, 11, 1025))
)
def test_rows_computed_together_have_the_interpreters_bits(shape, dtype):
    rng = np.random.default_rng(len(shape) + shape[-1])

    def filled(*shape):
        return (10 * rng.standard_normal(shape)).astype(dtype)

    wide = filled(*shape[:-1], shape[-1] + 3)
    names = {
        "a": filled(*shape),
        "r": filled(shape[-1]),  # the same in all rows
        "c": filled(shape[-2], 1),
        "w": wide[..., 2:-1],
        "s": filled(*shape[:-2], 1, 1),
        "x": filled(*shape[:-2], shape[-1], shape[-2]).swapaxes(-1, -2),
        "b": filled(*shape),
    }
    texts = (
        "a*r + c",
        "(w*r + a)*s",
        "w + a",
        "where(a > r, c, w)",
        "b[...] = b*r + w",
        "r*r*w + x",
        "b[..., 1:] = b[..., :-1]*r[1:]",
    )
    for text in texts if dtype != "?" else texts[3:4]:
        made = []
        for backend, threads in (("interp", 1), ("jit", 1), ("jit", 2)):
            given = names | {"b": names["b"].copy()}
            result = engine.evaluate(text, given, backend=backend, threads=threads, casting="unsafe")
            made.append((None if result is None else result.tobytes(), given["b"].tobytes()))
        assert made[0] == made[1] == made[2], text


@pytest.mark.parametrize("dtype", ("?", "i1", "i2", "f4", "f8"))
def test_nothing_beyond_the_page_of_an_operand_is_read(dtype):
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 4 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    guard = address + 2 * page
    assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    try:
        whole = np.frombuffer(memory, dtype, count=2 * page // np.dtype(dtype).itemsize)
        whole[:] = np.arange(len(whole)) % 2
        for n in range(1, 140):
            a = whole[len(whole) - n :]
            assert (
                engine.evaluate("where(a != 0, 1, 3)", {"a": a}, backend="jit").tolist()
                == np.where(a != 0, 1, 3).tolist()
            )
            for _ in range(2):  # ones become zeros, and zeros ones
                turned = (1 - a.astype("i1")).tolist()
                engine.evaluate("a[...] = where(a != 0, a == 0, a != 1)", {"a": a}, backend="jit", casting="unsafe")
                assert a.astype("i1").tolist() == turned
    finally:
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE) == 0


@pytest.mark.parametrize("dtype", ("i4", "f4", "i8", "f8"))
@pytest.mark.parametrize("step", (2, -1, -2))
def test_nothing_beyond_what_lies_apart_is_read(dtype, step):
    page, item = mmap.PAGESIZE, np.dtype(dtype).itemsize
    memory = mmap.mmap(-1, 3 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    guards = (address, address + 2 * page)  # around one page
    for guard in guards:
        assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0
    try:
        whole = np.frombuffer(memory, dtype, count=page // item, offset=page)
        whole[:] = np.arange(len(whole))
        for n in range(1, 140):
            size = (n - 1) * abs(step) + 1
            for place in (slice(len(whole) - size, None), slice(0, size)):  # at one end or the other
                a, b = whole[place][::step], np.arange(float(n))
                assert engine.evaluate("3*a + b", {"a": a, "b": b}, backend="jit").tolist() == (3 * a + b).tolist()
                two = np.stack([b, b])
                assert (engine.evaluate("3*a + b", {"a": a, "b": two}, backend="jit") == 3 * a + two).all()
    finally:
        for guard in guards:
            assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), mmap.PROT_READ | mmap.PROT_WRITE) == 0


@pytest.mark.parametrize("shape", ((3001,), (40, 203), (7, 5, 33), (5, 17)))
def test_rows_of_every_other_element_and_backward_ones_give_the_interpreters_bits(shape):
    rng = np.random.default_rng(len(shape))
    wide = (*shape[:-1], 2 * shape[-1])
    names = {
        "a": rng.normal(size=wide)[..., ::2],
        "b": rng.normal(size=shape)[..., ::-1],
        "c": rng.normal(size=wide)[..., ::-2],
        "f": rng.normal(size=wide).astype("f4")[..., 1::2],
        "i": rng.integers(-99, 99, shape, dtype="i8")[..., ::-1],
        "k": rng.normal(size=(*shape[:-1], 1)),
    }
    for text in ("a*b + c*k", "f*2 + i", "exp(a) + exp(b)*f", "sum(a*b)", "sum(a*b, axis=0)", "max(f - i, axis=-1)"):
        for threads in (1, 2):
            want, got = both(text, names, threads=threads)
            assert want == got, text
    # Into memory that is read: each is read before it is written.
    for text in (
        "x[..., ::2] = x[..., ::2]*3 + x[..., 1::2]",
        "x[...] = x[..., ::-1] + b",
        "x[..., 1::2] = x[..., ::-2] - k",
    ):
        x = rng.normal(size=wide if "2" in text else shape)
        results = []
        for backend in ("interp", "jit"):
            there = {**names, "x": x.copy()}
            engine.evaluate(text, there, backend=backend)
            results.append(there["x"].tobytes())
        assert results[0] == results[1], text


@pytest.mark.parametrize(
    "shape", ((203, 401), (65, 1024), (1000, 100), (9, 61, 130), (2, 3, 700, 40), (4, 9001), (7, 9001))
)
@pytest.mark.parametrize(
    "text",
    (
        "a[2:]*k[2:] + a[1:-1]*b[1:-1] - a[:-2]",
        "(f[..., 2:, 2:] + f[..., 1:-1, 2:]) + (f[..., 2:, :-2] + f[..., 1:-1, :-2])*i[..., 1:-1, 1:-1]",
        "a[..., 2:, ::2] - a[..., 1:-1, ::2] + a[..., :-2, ::-1][..., ::2]",
        "where(i[..., 2:, :] > i[..., 1:-1, :], a[..., 2:, :], a[..., :-2, :])",
        "a[..., 1:-1, 1:-1] + (a[..., :-2, 1:-1] + a[..., 2:, 1:-1] + a[..., 1:-1, :-2] + a[..., 1:-1, 2:])/2",
        "z[..., 2:, :]*z[..., 1:-1, :] - z[..., :-2, :]",
        "i[..., 3:, :] + i[..., :-3, :] > 4",
        "(a[..., 2:, :] + k[..., 2:, :]) + (a[..., 1:-1, :] + k[..., 1:-1, :])",
        "exp(a[..., 2:, :]) + exp(a[..., 1:-1, :])",
    ),
)
def test_rows_that_are_computed_together_have_the_interpreters_bits(shape, text):
    rng = np.random.default_rng(len(text))
    names = {
        "a": rng.normal(size=shape),
        "b": rng.normal(size=shape),
        "f": rng.normal(size=shape).astype("f4"),
        "i": rng.integers(-9, 9, shape, dtype="i4"),
        "k": rng.normal(size=(*shape[:-1], 1)),
        "z": rng.normal(size=shape) + 1j * rng.normal(size=shape),
    }
    for threads in (1, 2):
        want, got = both(text, names, threads=threads)
        assert want == got


def test_a_program_says_what_is_machine_code():
    program = engine.compile("a*b + gcd(i, 77001)", backend="jit")
    a, i = np.ones(10), np.ones(10, "i4")
    program(a=a, b=a, i=i)
    assert (program.stats.jit_operations, program.stats.interp_operations) == (4, 0)  # product, gcd, cast, sum
    explained = str(program.explain(a=a, b=a, i=i))
    assert "backend: jit (machine code for AVX" in explained and "by the interpreter" not in explained
    in_two = engine.compile("log1p(exp(a)) * 77003", backend="jit")  # exp is a loop of its own, see engine/DECISIONS.md
    assert "1 of 3 operations by the interpreter" in str(in_two.explain(a=a))
    assert engine.last_run().backend == "jit"
    interpreted = engine.compile("a*b + 77002", backend="interp")
    interpreted(a=a, b=a)
    assert interpreted.stats.jit_operations == 0
    assert engine.last_run().backend == "interp"


@pytest.mark.parametrize("backend", ("interp", "jit"))
@pytest.mark.parametrize("text", ("sum({})", "prod({})", "mean({})", "max({})", "min({})", "any({} > 0)", "nanmax({})"))
def test_small_reductions_that_are_not_bound_have_the_bits_and_figures_of_those_that_are(text, backend):
    names = operands(2100)
    names["j"] = names["i"].astype("i8")
    for inner in ("a", "a*b + c", "f*f", "i", "j*2", "3*a - 1"):
        program = engine.compile(text.format(inner), backend=backend)
        for n in (*range(1, 70), 511, 512, 513, 1000, 1536, 2047, 2048, 2049):
            few = {name: v[:n] for name, v in names.items() if name in inner}
            made = [program(few, order=order) for order in ("F", "K", "K")]  # the first binds, whatever there is
            assert len({m.tobytes() for m in made}) == 1 and len({m.dtype for m in made}) == 1, (inner, n)
            figures = []
            for order in ("F", "K"):
                program(few, order=order)
                run = engine.last_run()
                figures.append((run.kernels, run.operations, run.bytes_read, run.bytes_written, run.backend))
            assert figures[0] == figures[1], (inner, n)


@pytest.mark.parametrize("shape", ((40, 50), (1, 7), (3, 1, 5)))
def test_small_reductions_of_grids_and_of_other_layouts_are_those_of_numpy(shape):
    a = np.random.default_rng(0).integers(-9, 9, shape).astype("f8")
    for of in (a, a.T, a[..., ::-1], a.astype(">f8"), np.asfortranarray(a)):
        for _ in range(2):
            assert engine.evaluate("sum(of)", {"of": of}) == a.sum()
            assert engine.evaluate("mean(of*2)", {"of": of}) == (a * 2).mean()
    out = np.zeros(())
    engine.evaluate("sum(a)", {"a": a}, out=out)
    assert out == a.sum() and engine.evaluate("sum(a, keepdims=True)", {"a": a}).shape == (1,) * a.ndim
    with pytest.raises(engine.ShapeError):
        engine.evaluate("max(a)", {"a": a[:0]})


def test_programs_that_are_made_and_dropped_on_eight_threads_are_right():
    a = np.arange(1000.0)
    wrong = []

    def work(k):
        for i in range(400):
            if not (engine.compile(f"a*{i} + {k}", backend="jit")(a=a) == a * i + k).all():
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


FORK = """
import os, numpy as np, engine
a = np.arange(1000.0)
old = [engine.compile(f"a*{i} + 1", backend="jit") for i in range(20)]
[p(a=a) for p in old]
for round in range(20):
    child = os.fork()
    if child == 0:
        right = all((p(a=a) == a*i + 1).all() for i, p in enumerate(old))
        old.clear()
        new = [engine.compile(f"a*{i} + 3", backend="jit") for i in range(50)]
        right = right and all((p(a=a) == a*i + 3).all() for i, p in enumerate(new))
        os._exit(0 if right else 1)
    old[round] = engine.compile(f"a*{round} + 1 + 0*a", backend="jit")
    assert all((p(a=a) == a*i + 1).all() for i, p in enumerate(old))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("right")
"""


def test_forks_run_old_and_new_programs():
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True)
    assert done.stdout == "right\n", done.stderr


NO_FILES = """
import os, resource, numpy as np, engine
a = np.arange(1000.0)
taken = []
resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
program = engine.compile("a*2 + 1")
print((program(a=a) == a*2 + 1).all(), program.stats.jit_operations, program.stats.interp_operations)
os.close(taken.pop())
program = engine.compile("a*2 + 3")
print((program(a=a) == a*2 + 3).all(), program.stats.jit_operations, program.stats.interp_operations)
"""


def test_without_memory_for_code_the_interpreter_computes():
    done = subprocess.run([sys.executable, "-c", NO_FILES], capture_output=True, text=True)
    assert done.stdout == "True 0 1\nTrue 2 0\n", done.stderr  # the interpreter joins both operations


REFUSED = """
import ctypes, struct
import numpy as np, engine
# A seccomp filter that refuses memfd_create, as hardened systems do: if the call's number is that one, EPERM.
rows = ((0x20, 0, 0, 0), (0x15, 0, 1, 319), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000))
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
filter = struct.pack("HxxxxxxQ", len(rows), ctypes.addressof(code))
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0
if prctl(22, 2, filter, 0, 0) != 0:
    print("no seccomp")
    raise SystemExit
print(engine.evaluate("2*a + 1", {"a": np.arange(3.0)}).tolist())
print(next(b for b in engine.doctor().backends if b.name == "jit"))
try:
    engine.compile("a", backend="jit")
except engine.BackendError as error:
    print(str(error).splitlines()[0])
"""


def test_where_the_system_refuses_code_the_interpreter_computes_and_the_doctor_says_why():
    done = subprocess.run([sys.executable, "-c", REFUSED], capture_output=True, text=True)
    if done.stdout == "no seccomp\n":
        pytest.skip("this system has no seccomp filters")
    why = "the system refuses executable memory: Operation not permitted"
    assert done.stdout.splitlines() == [
        "[1.0, 3.0, 5.0]",
        f"Backend(name='jit', usable=False, reason='{why}')",
        f'the backend "jit" is {why}',
    ], done.stderr


@pytest.mark.parametrize("isa", ("avx2", "generic"))
def test_without_avx512_and_without_avx2_the_values_are_the_same(isa):
    text = """
import numpy as np, engine
rng = np.random.default_rng(1)
a, b, c = rng.normal(size=(3, 1001))
for t in ("4*a + 5*a*b + 6*b*c", "where(a > b, exp(a)*c, sqrt(abs(b)))", "sum(a*b)", "int8(a*50) + int16(c*20)"):
    print(np.asarray(engine.evaluate(t)).tobytes().hex())
"""
    runs = [
        subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=os.environ | env).stdout
        for env in ({}, {"ENGINE_ISA": isa})
    ]
    assert runs[0] == runs[1] != ""

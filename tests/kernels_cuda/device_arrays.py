"""Arrays on a device: what they are, what is computed over them, and their exchange with other libraries.

Run by device_array_test.py on the stand-in, whose memory no host instruction reaches; on a device by
`python -m pytest --noconftest tests/kernels_cuda/device_arrays.py`.
"""

import ctypes
import os
import threading

import numpy as np
import pytest

import engine

engine.config.wait = True

A = np.arange(12.0).reshape(3, 4) + 0.5
LAYOUTS = {
    "C": A,
    "F": np.asfortranarray(A),
    "reversed": A[::-1, ::-1],
    "stepped": np.zeros((6, 9))[::2, ::3] + A[:, :3],
    "empty": np.ones((0, 4)),
    "0-d": np.array(2.5),
    "transposed": np.arange(24).reshape(2, 3, 4).transpose(1, 2, 0),
    "swapped": A.astype(">f8"),
}
DTYPES = "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split()


class Cupylike:
    """__cuda_array_interface__, as CuPy and numba give it; `changes` make it lie."""

    def __init__(self, array, **changes):
        self.array, self.changes = array, changes

    @property
    def __cuda_array_interface__(self):
        return {**self.array.__cuda_array_interface__, **self.changes}


class BufferToo(bytearray):
    """CuPy's arrays claim to have a buffer, and refuse to give it."""


class Torchlike:
    """DLPack, as torch gives it; `newest` is the version it knows."""

    def __init__(self, array, newest=1):
        self.array, self.newest, self.streams = array, newest, []

    def __dlpack__(self, **options):
        if not self.newest and "max_version" in options:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        self.streams.append(options["stream"])
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def address(array):
    return array.__cuda_array_interface__["data"][0]


def same(got, want):
    assert isinstance(got, engine.DeviceArray) and engine.last_run().backend == "cuda"
    host, want = got.numpy(), np.asarray(want)
    assert host.dtype == want.dtype and host.shape == want.shape and host.tobytes() == want.tobytes()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_copy_there_and_back_is_the_array(layout):
    array = LAYOUTS[layout]
    there = engine.to_device(array)
    assert (
        there.shape == array.shape
        and there.ndim == array.ndim
        and there.size == array.size
        and there.device == "cuda:0"
    )
    assert (there.numpy() == array).all() and there.numpy().dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_goes_there(dtype):
    array = np.array([0, 1, 1, 0], dtype)
    there = engine.to_device(array)
    assert there.dtype == array.dtype and there.itemsize == array.itemsize and there.nbytes == array.nbytes
    same(engine.evaluate("where(a == b, a, b)", {"a": there, "b": there}), array)


@pytest.mark.parametrize("text", [
    "2*a + 1", "a*a - a/3", "sum(a)", "sum(a, axis=0)", "mean(a, axis=1, keepdims=True)", "(a - mean(a)) / std(a)",
    "a[::-1, 1:]", "a.T * 2", "argmax(a)", "max(a, axis=-1) - min(a, axis=-1)", "a[0] + a[:, :1]", "b = a + 1; b*b",
    "a > 3", "index(0) + a", "exp(a)",
])  # fmt: skip
def test_results_lie_there_and_are_the_hosts(text):
    want = engine.evaluate(text, {"a": A}, backend="interp")
    same(engine.evaluate(text, {"a": engine.to_device(A)}), want)


@pytest.mark.parametrize("dtype", ["complex128", "complex64", "float64", "float32"])
def test_the_sums_of_the_seed_documents_are_numpys(dtype):
    """zadd, cadd, dadd, sadd: over arrays that lie together, and over every second element."""
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 999)) + (1j * rng.standard_normal((2, 999)) if dtype.startswith("c") else 0)
    x, y = x.astype(dtype), y.astype(dtype)
    there = {"x": engine.to_device(x), "y": engine.to_device(y)}
    same(engine.evaluate("x + y", there), x + y)
    same(engine.evaluate("x[::2] + y[1::2]", {"x": there["x"][:998], "y": there["y"]}), x[:998:2] + y[1::2])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8"])
def test_the_filter_of_the_seed_documents_is_numpys(dtype):
    """The strided filter by slices, of every dtype; its input is every second column of a larger array."""
    whole = (np.random.default_rng(6).random((40, 90)) * 200).astype(dtype)
    a, b = whole[:, ::2], np.zeros((40, 45))
    there = {"a": engine.to_device(whole)[:, ::2], "b": engine.to_device(b)}
    engine.evaluate("b[1:-1,1:-1] = a[1:-1,1:-1] + 0.5*(a[:-2,1:-1] + a[2:,1:-1] + a[1:-1,:-2] + a[1:-1,2:])", there)
    b[1:-1, 1:-1] = a[1:-1, 1:-1] + 0.5 * (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:])
    same(there["b"], b)


def test_strides_follow_the_rule_of_the_host():
    there = engine.to_device(np.asfortranarray(A))
    assert engine.evaluate("a + 1", {"a": there}).strides == (8, 24)
    assert engine.evaluate("a + 1", {"a": there}, order="C").strides == (32, 8)


def test_views_share_the_memory():
    there = engine.to_device(A)
    for key in (
        (1,),
        (slice(None), 2),
        (slice(None, None, -1), slice(1, None, 2)),
        (None, ..., 0),
        (...,),
        (-1, -1),
        (slice(5, 2),),
    ):
        view = there[key]
        assert (view.numpy() == A[key]).all() and view.shape == A[key].shape
    assert address(there[1:]) == address(there) + 32 and (there.T.numpy() == A.T).all() and len(there) == 3
    for key in ((3,), (0, 0, 0), (..., ...), (1.5,), ("a",), ([0],)):
        with pytest.raises((IndexError, TypeError)):
            there[key]
    with pytest.raises(TypeError):
        len(there[0, 0])


def test_targets_and_out_are_written_in_place():
    there, out = engine.to_device(A), engine.to_device(np.zeros((3, 4)))
    assert engine.evaluate("a + 1", {"a": there}, out=out) is out and (out.numpy() == A + 1).all()
    region = engine.evaluate("a[1:, ::2] = a[:-1, ::2] * 2", {"a": there})
    want = A.copy()
    want[1:, ::2] = A[:-1, ::2] * 2
    assert (there.numpy() == want).all() and address(region) == address(there) + 32
    assert engine.evaluate("a *= 2", {"a": there}) is there and (there.numpy() == 2 * want).all()
    engine.evaluate("a[...] = a[::-1]", {"a": there})
    assert (there.numpy() == 2 * want[::-1]).all()
    assert (engine.blitz("a = a + 1", {"a": there}).numpy() == 2 * want[::-1] + 1).all()


def test_numbers_go_along():
    there = engine.to_device(A)
    same(engine.evaluate("a*n + s", {"a": there, "n": 3, "s": np.float64(0.25)}), A * 3 + 0.25)
    same(engine.evaluate("a[:n] + z", {"a": there, "n": 2, "z": np.array(1.5)}), A[:2] + 1.5)
    same(engine.evaluate("a*s", {"a": there, "s": engine.to_device(2.0)}), A * 2.0)


def test_a_value_on_the_device_is_no_bound():
    with pytest.raises(engine.DTypeError, match="needed before anything runs"):
        engine.evaluate("a[:n]", {"a": engine.to_device(A), "n": engine.to_device(np.int64(2))})


def test_negative_powers_on_the_device_are_found():
    with pytest.raises(engine.RangeError):
        engine.evaluate("i**k", {"i": engine.to_device(np.arange(3)), "k": engine.to_device(np.array([1, -1, 0]))})


def test_mixed_places_are_refused():
    there = engine.to_device(A)
    for names, options in (
        ({"a": there, "b": A}, {}),
        ({"a": A, "b": A}, {"out": there}),
        ({"a": there, "b": there}, {"out": A.copy()}),
    ):
        with pytest.raises(engine.BackendError, match="cuda:0"):
            engine.evaluate("a + b", names, **options)
    with pytest.raises(engine.BackendError, match="does not reach"):
        engine.evaluate("a + 1", {"a": there}, backend="interp")
    with pytest.raises(TypeError, match="numpy()"):
        np.asarray(there)


def test_device_brings_operands_together():
    there, other = engine.to_device(A), A * 3
    same(engine.evaluate("a + b", {"a": there, "b": other}, device="cuda"), A * 4)
    same(engine.evaluate("a + b", {"a": A, "b": other[::-1]}, device="cuda:0"), A + other[::-1])
    same(engine.evaluate("a + b*n", {"a": there, "b": other.astype(">f8"), "n": 2}, device=0), A + 6 * A)
    assert engine.last_run().copies == 1 and engine.last_run().bytes_copied == A.nbytes
    same(engine.compile("a + b")(a=there, b=other, device="cuda"), A * 4)
    here = engine.evaluate("a + b", {"a": there.T, "b": other.T}, device="cpu")
    assert isinstance(here, np.ndarray) and (here == 4 * A.T).all()
    assert engine.evaluate("sum(a)", {"a": there}, device="cpu") == A.sum()
    assert (engine.evaluate("a + 1", {"a": A}, device=None) == A + 1).all()


def test_device_takes_arrays_of_others_and_lists():
    there = engine.to_device(A)
    same(engine.evaluate("a + b", {"a": Cupylike(there), "b": [1.0, 2.0, 3.0, 4.0]}, device="cuda"), A + [1, 2, 3, 4])
    assert (engine.evaluate("a + b", {"a": Torchlike(there), "b": A}, device="cpu") == 2 * A).all()


def test_device_does_not_write_copies():
    there, here = engine.to_device(A), A.copy()
    for text, names, device in (
        ("b[...] = a", {"a": there, "b": here}, "cuda"),
        ("a *= 2", {"a": there}, "cpu"),
        ("b[0] = 1", {"b": here}, 0),
    ):
        with pytest.raises(engine.BackendError, match="is written, and is on"):
            engine.evaluate(text, names, device=device)
    assert (here == A).all() and (there.numpy() == A).all()
    with pytest.raises(engine.BackendError, match="out is in the host's memory"):
        engine.evaluate("a + 1", {"a": A}, out=here, device="cuda")
    engine.blitz("b = a + c", {"a": there, "b": there, "c": A}, device="cuda")
    assert (there.numpy() == 2 * A).all()


def test_device_is_checked():
    for device in ("tpu", "cuda:", "cuda:-1", "cuda:x", 1.5, True, b"cuda"):
        with pytest.raises(ValueError, match="device must be 'cpu', 'cuda', 'cuda:N', an id"):
            engine.evaluate("a + 1", {"a": A}, device=device)
    for device in ("cuda:99", 99, -1, 1 << 80):
        with pytest.raises(engine.BackendError, match="no CUDA device"):
            engine.evaluate("a + 1", {"a": A}, device=device)
    with pytest.raises(engine.BackendError, match="does not reach"):
        engine.evaluate("a + 1", {"a": A}, device="cuda", backend="interp")


def test_auto_goes_where_the_arrays_are_and_says_so():
    same(engine.evaluate("a + 1", {"a": engine.to_device(A)}, backend="auto"), A + 1)
    engine.evaluate("a + 1", {"a": A})
    assert engine.last_run().backend in ("interp", "jit")
    assert "the operands are on cuda:0" in engine.explain("a + 1", {"a": engine.to_device(A)}).text


@pytest.mark.parametrize("foreign", [Cupylike, Torchlike, lambda a: Torchlike(a, newest=0)])
def test_arrays_of_others_are_taken_without_a_copy(foreign):
    there = engine.to_device(A)
    before = address(there)
    same(engine.evaluate("a[::2] + 1", {"a": foreign(there)}), A[::2] + 1)
    assert engine.last_run().copies == 0 and address(engine.evaluate("a[...] = a + 1", {"a": there})) == before


def test_the_device_comes_before_a_buffer():
    there = engine.to_device(A)
    array = BufferToo(b"12345678")
    type(array).__cuda_array_interface__ = there.__cuda_array_interface__
    same(engine.evaluate("a + 1", {"a": array}), A + 1)
    assert engine.evaluate("a + 1", {"a": there}, out=array) is array and (there.numpy() == A + 1).all()


@pytest.mark.parametrize("foreign", [Cupylike, Torchlike])
def test_arrays_of_others_are_written_in_place(foreign):
    there = engine.to_device(A)
    engine.evaluate("a[0] = a[1]", {"a": foreign(there)})
    out = engine.to_device(np.zeros((3, 4)))
    array = foreign(out)
    assert engine.evaluate("a + 1", {"a": foreign(there)}, out=array) is array
    assert (there.numpy()[0] == A[1]).all() and (out.numpy() == there.numpy() + 1).all()


def test_what_may_not_be_written_is_not():
    there = engine.to_device(A)
    for array in (Torchlike(there, newest=0), Cupylike(there, data=(address(there), True))):
        with pytest.raises(engine.ShapeError, match="read-only"):
            engine.evaluate("a[...] = 1", {"a": array})
        with pytest.raises(engine.ShapeError, match="read-only"):
            engine.evaluate("a", {"a": there}, out=array)


def test_exporters_are_told_the_stream_of_the_work():
    there = engine.to_device(A)
    array = Torchlike(there)
    engine.evaluate("a + 1", {"a": array})
    assert array.streams == [there.__cuda_array_interface__["stream"]]


@pytest.mark.parametrize("text", [
    "a*k + 1", "a // k", "a % k", "where(a > k, a, k)", "sum(a*k + j)", "sum(a + k*2, axis=0)", "cumsum(a*k)",
    "sum(k + a, axis=0)", "a[a > k]", "clip(a, j, k)", "k*2*a + k/j", "a**k", "mean(a*k, axis=1) - j", "a[:j] * k",
    "sort(a % k)", "(a > k) & (a < k + 40)",
])  # fmt: skip
@pytest.mark.parametrize("dtype", ("i8", "u1", "f8", "f4", "c16"))
def test_numbers_are_arguments_of_kernels_and_compile_nothing(text, dtype):
    a = (np.arange(60).reshape(6, 10) % 50 + 1).astype(dtype)
    there, compiled = engine.to_device(a), []
    for k, j in ((3, 2), (4, 1), (5, 3), (60, 4), (5.5, 2), (6.5, 3)):
        names = {"k": k, "j": j}
        try:
            want = engine.evaluate(text, {"a": a, **names}, backend="interp")
        except engine.Error as error:
            with pytest.raises(type(error)):
                engine.evaluate(text, {"a": there, **names})
            continue
        got = engine.evaluate(text, {"a": there, **names})
        compiled.append((type(k), engine.last_run().kernels_compiled))
        same(got, want)
    for kind in (int, float):
        assert not any(n for each, n in [entry for entry in compiled if entry[0] is kind][1:] if each)


class Streams:
    """Another library's, by the driver alone."""

    def __init__(self):
        self.driver = ctypes.CDLL(os.environ.get("ENGINE_CUDA_DRIVER", "libcuda.so.1"))
        context = ctypes.c_void_p()
        self.do("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.do("cuCtxPushCurrent_v2", context)

    def do(self, name, *arguments):
        assert getattr(self.driver, name)(*arguments) == 0, name

    def make(self):
        stream = ctypes.c_void_p()
        self.do("cuStreamCreate", ctypes.byref(stream), 1)  # which keeps no order with the default stream
        return stream.value

    def pinned(self):
        """Like A; copies to pageable memory are waited for."""
        memory = ctypes.c_void_p()
        self.do("cuMemHostAlloc", ctypes.byref(memory), ctypes.c_size_t(A.nbytes), 0)
        array = np.frombuffer((ctypes.c_double * A.size).from_address(memory.value)).reshape(A.shape)
        array[...] = 0
        return array

    def upload(self, start, array, stream):
        size, source = ctypes.c_size_t(array.nbytes), array.ctypes.data_as(ctypes.c_void_p)
        self.do("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(start), source, size, ctypes.c_void_p(stream))

    def download(self, array, start, stream):
        size, target = ctypes.c_size_t(array.nbytes), array.ctypes.data_as(ctypes.c_void_p)
        self.do("cuMemcpyDtoHAsync_v2", target, ctypes.c_uint64(start), size, ctypes.c_void_p(stream))

    def wait(self, stream):
        self.do("cuStreamSynchronize", ctypes.c_void_p(stream))


class CupyStream:
    def __init__(self, ptr):
        self.ptr = ptr


class TorchStream:
    def __init__(self, cuda_stream):
        self.cuda_stream = cuda_stream


class ProtocolStream:
    def __init__(self, address):
        self.address = address

    def __cuda_stream__(self):
        return (0, self.address)


@pytest.mark.parametrize("kind", (int, CupyStream, TorchStream, ProtocolStream))
@pytest.mark.parametrize("form", ("fresh", "out", "target", "program"))
@pytest.mark.parametrize("first", ("ours", "theirs"))
def test_work_is_in_order_with_the_stream_that_is_given(kind, form, first):
    streams = Streams()
    number = streams.make()
    stream = kind(number)
    a, b = engine.to_device(np.zeros(A.shape)), engine.to_device(np.zeros(A.shape))
    b.numpy()
    streams.upload(address(a), A, number)
    if form == "fresh":
        got = engine.evaluate("a*2 + 1", {"a": a}, stream=stream)
    elif form == "out":
        got = engine.evaluate("a*2 + 1", {"a": a}, out=b, stream=stream)
    elif form == "target":
        got = engine.evaluate("b[...] = a*2 + 1", {"a": a, "b": b}, stream=stream)
    else:
        got = engine.compile("a*2 + 1")(a=a, stream=stream)
    back = streams.pinned()
    if first == "ours":  # waits for the engine's stream alone
        same(got, A * 2 + 1)
    streams.download(back, address(got), number)
    streams.wait(number)
    assert (back == A * 2 + 1).all()


def test_memory_of_a_result_is_used_anew_after_the_stream_that_reads_it():
    streams = Streams()
    number = streams.make()
    a = engine.to_device(A)
    for k in range(5):
        engine.trim()  # so that no other memory is idle
        got = engine.evaluate("a + k", {"a": a, "k": k}, stream=number)
        where, back = address(got), streams.pinned()
        streams.download(back, where, number)
        del got
        other = engine.evaluate("a * 0 - k", {"a": a, "k": k})
        assert address(other) == where
        other.numpy()
        del other
        streams.wait(number)
        assert (back == A + k).all()


@pytest.mark.parametrize("stream", (0, 1, CupyStream(0)))
def test_the_default_stream_may_be_given(stream):
    same(engine.evaluate("a + 1", {"a": engine.to_device(A)}, stream=stream), A + 1)


def test_what_is_no_stream_is_refused():
    a = engine.to_device(A)
    for stream in ("s", 1.5, True, object(), CupyStream("s")):
        with pytest.raises(TypeError, match="stream must be the address of a CUDA stream"):
            engine.evaluate("a", {"a": a}, stream=stream)
    with pytest.raises(OverflowError):
        engine.evaluate("a", {"a": a}, stream=-1)
    with pytest.raises(ValueError, match="stream= orders work on a device"):
        engine.evaluate("a", {"a": A}, stream=2)


@pytest.mark.parametrize("changes", [
    {"shape": (-1, 4)}, {"shape": [3, 4]}, {"shape": (1 << 40, 1 << 40), "strides": None}, {"shape": ("a",)},
    {"shape": (1,) * 33, "strides": None}, {"typestr": "<f16"}, {"typestr": "|O"}, {"typestr": ""}, {"typestr": 8},
    {"data": (0, False)}, {"data": (12345, False)}, {"data": 1}, {"data": ("a", False)}, {"strides": (1 << 60, 8)},
    {"strides": (8,)}, {"strides": (-(1 << 63), 8)}, {"stream": 0}, {"stream": "s"}, {"mask": 1},
])  # fmt: skip
def test_an_interface_that_lies_is_refused(changes):
    with pytest.raises((engine.Error, TypeError, ValueError, OverflowError)):
        engine.evaluate("a + 1", {"a": Cupylike(engine.to_device(A), **changes)})


def test_capsules_are_given_back():
    there = engine.to_device(A)
    there.__dlpack__()
    there.__dlpack__(max_version=(1, 0))
    with pytest.raises(BufferError):
        there.__dlpack__(dl_device=(1, 0))
    with pytest.raises(ValueError):
        there.__dlpack__(stream=0)
    used = there.__dlpack__()

    class Used:
        def __dlpack__(self, **options):
            return used

        def __dlpack_device__(self):
            return (2, 0)

    same(engine.evaluate("a + 1", {"a": Used()}), A + 1)
    with pytest.raises(TypeError):
        engine.evaluate("a + 1", {"a": Used()})


def test_where_is_checked():
    for device in ("cuda:99", 99):
        with pytest.raises(engine.BackendError):
            engine.to_device(A, device)
    for device in ("tpu", "cuda:", "cuda:-1", "cuda:x", 1.5):
        with pytest.raises(ValueError):
            engine.to_device(A, device)
    assert engine.to_device(A, "cuda:0").device == engine.to_device(A, 0).device == "cuda:0"
    with pytest.raises(engine.DTypeError):
        engine.to_device(np.array([None]))


def test_there_is_no_way_to_an_empty_one():
    kind = type(engine.to_device(np.ones(1)))
    for make in (
        kind,
        lambda: kind.__new__(kind),
        lambda: kind.__base__.__new__(kind),
        lambda: type("Own", (kind,), {}),
    ):
        with pytest.raises(TypeError):
            make()


def test_a_thread_that_holds_pythons_lock_and_one_that_asks_for_it_do_not_wait_for_each_other():
    """The main thread asks for the lock now and then, for Ctrl-C; others hold it while they wait for the device."""
    big = np.arange(200_000.0)
    program = engine.compile("b = a - mean(a); c = b / std(b); sum(c*c)", backend="cuda")
    want = program(a=big)
    is_done, rounds = threading.Event(), []

    def work():
        while not is_done.is_set():
            rounds.append((engine.to_device(A)[1:].numpy() == A[1:]).all())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert [program(a=big) for _ in range(5)] == [want] * 5
    is_done.set()
    thread.join()
    assert rounds and all(rounds)


def test_eight_threads_get_their_own_results():
    failures = []

    def work(n):
        there = engine.to_device(A + n)
        for _ in range(20):
            if (engine.evaluate("a*2 + sum(a)", {"a": there}).numpy() != (A + n) * 2 + (A + n).sum()).any():
                failures.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_writing_through_a_mask_has_the_hosts_bits():
    b = np.arange(A.size, dtype=A.dtype).reshape(A.shape)
    for text in ("x[x > 0] = 7", "x[x > m] += s", "x[b > 5] = 2*b[b > 5] - x[b > 5]"):
        here, there = A - 3, engine.to_device(A - 3)
        names = {"b": b, "m": A.mean(), "s": 0.5}
        engine.evaluate(text, {**names, "x": here})
        engine.evaluate(text, {**names, "x": there, "b": engine.to_device(b)})
        assert there.numpy().tobytes() == here.tobytes() != (A - 3).tobytes()


ORDERED = (
    "sort(a)",
    "argsort(a, axis=0)",
    "1 + cumsum(a, axis=1, exclusive=True)",
    "cumsum(cumsum(a))[::-1]",
    "median(a, axis=0) - median(a)",
    "quantile(a, q)",
    "partition(a, 3, axis=None)",
    "topk(a, 2, axis=0)",
    "a[a > 2]",
    "sum(a[a > 2]) + a[a > 2] * s",
    "a[a > 100]",
    "a[a[..., 0] > 0]",
    "unique(a % 3)",
    "unique_counts(a % 3) * 2",
    "unique_inverse(a % 3)",
    "nonzero(a > 1, axis=1)",
    "searchsorted(sort(a, axis=None), b)",
    "bincount(i)",
    "bincount(i, w, minlength=20)",
    "histogram(a, 4, (s, 9))",
    "histogram_edges(a, 3)",
)


@pytest.mark.parametrize("call", ORDERED)
def test_what_depends_on_order_has_the_hosts_bits_and_stays_on_the_device(call):
    a = np.random.default_rng(2).permutation(np.arange(60.0) / 4).reshape(6, 10)
    names = {"a": a, "b": a[::2] - 3, "i": np.arange(40) % 7, "w": np.arange(40) / 3, "q": 0.3, "s": np.array(1.5)}
    want = engine.evaluate(call, names)
    there = {name: engine.to_device(value) if np.ndim(value) else value for name, value in names.items()}
    for _ in range(2):
        same(engine.evaluate(call, there), want)
    # Operands that lie in strides, and arguments in numbers of the device.
    names["a"], there["a"] = a[::-1, ::3], there["a"][::-1, ::3]
    there["s"] = engine.to_device(names["s"])
    want = engine.evaluate(call, names)
    same(engine.evaluate(call, there), want)


def test_results_that_depend_on_order_are_written_where_they_are_wanted():
    a = np.random.default_rng(2).permutation(np.arange(60.0)).reshape(6, 10)
    there = engine.to_device(a)
    out = engine.to_device(np.zeros((6, 20)))
    engine.evaluate("sort(a)", {"a": there}, out=out[:, ::-2])
    assert (out.numpy()[:, ::-2] == np.sort(a)).all() and not out.numpy()[:, ::2].any()
    engine.evaluate("a[...] = cumsum(a[::-1], axis=0)", {"a": there})
    assert (there.numpy() == np.cumsum(a[::-1], axis=0)).all()
    engine.evaluate("a[2] = cumsum(a[1]); b[:] = sort(a[1])[::-1]", {"a": there, "b": there[1]})
    want = np.cumsum(a[::-1], axis=0)
    want[2] = np.cumsum(want[1])
    want[1] = np.sort(want[1])[::-1]
    assert (there.numpy() == want).all()


@pytest.mark.parametrize(
    ("call", "words"),
    (
        ("quantile(a, q)", "between 0 and 1"),
        ("bincount(int64(a[0]) - 3)", "negative"),
        ("histogram(a, 3, (2, 1))", "ends before it begins"),
        ("histogram(a / 0, 3)", "finite"),
        ("a[m]", "leading axes"),
        ("partition(a, 60)", "60"),
    ),
)
def test_values_that_are_refused_are_so_on_the_device(call, words):
    there = engine.to_device(A)
    with pytest.raises(engine.Error) as caught:
        engine.evaluate(call, {"a": there, "q": 1.5, "m": engine.to_device(np.ones(9, bool))})
    assert words in str(caught.value) and "^" in str(caught.value)
    assert (engine.evaluate("a*2", {"a": there}).numpy() == A * 2).all()


@pytest.mark.parametrize(
    "call",
    (
        "b[...] = a*2; b[::2, 1] = 7; quantile(a, q)",
        "b[...] = sort(a); c = a[a > 2]; c + b[0, :2]",
        "b[:1] = 3; b[...] = cumsum(b[::-1], axis=0); bincount(int64(b[0]) - 100)",
        "b[0] = 5; int64(a + 2) ** int64(a - 3)",
    ),
)
def test_what_was_written_before_values_are_refused_is_as_it_was(call):
    for b in (A * 3, (A * 3).astype(">f8"), np.asfortranarray(A * 3)):
        there = engine.to_device(b)
        before = there.numpy()
        with pytest.raises(engine.Error):
            engine.evaluate(call, {"a": engine.to_device(A), "b": there[::-1], "q": -1.0})
        assert there.numpy().tobytes() == before.tobytes()


def test_threads_sort_and_pick_on_one_device():
    failures = []

    def work(n):
        a = np.random.default_rng(n).permutation(np.arange(5000.0 + n))
        there = engine.to_device(a)
        for _ in range(3):
            if (engine.evaluate("sort(a)", {"a": there}).numpy() != np.sort(a)).any():
                failures.append(n)
            if (engine.evaluate("a[a > 9]*2", {"a": there}).numpy() != a[a > 9] * 2).any():
                failures.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

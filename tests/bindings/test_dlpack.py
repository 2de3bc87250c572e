"""DLPack both ways: foreign CPU memory is read and written in place, other memory is refused with the reason."""

import ctypes
import gc
import sys
import weakref

import numpy as np
import pytest

import engine


class Tensor:
    """A foreign array: no buffer, no __array__, only DLPack as it is from 1.0 on."""

    def __init__(self, array):
        self.array = array
        self.asked = []

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        self.asked.append(max_version)
        return self.array.__dlpack__(max_version=max_version)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OldTensor(Tensor):
    """As it was before 1.0."""

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__()


GRID = np.arange(24.0).reshape(2, 3, 4)
LAYOUTS = {
    "contiguous": GRID,
    "negative strides": GRID[::-1, :, ::-2],
    "zero strides": np.broadcast_to(np.arange(4.0), (3, 4)),
    "transposed": GRID.T,
    "no axes": np.array(3.5),
    "no elements": np.ones((0, 3)),
    "one element": np.ones((1, 1)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", (Tensor, OldTensor))
def test_any_layout_is_read_where_it_is(layout, kind):
    array = LAYOUTS[layout]
    if kind is OldTensor and not array.flags.writeable:
        pytest.skip("NumPy exports no read-only memory in the old form")
    result = engine.evaluate("2*a + 1", {"a": kind(array)})
    assert np.array_equal(result, 2 * array + 1) and result.dtype == array.dtype
    assert engine.last_run().copies == 0


@pytest.mark.parametrize("dtype", "bool i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 c8 c16".split())
def test_every_dtype(dtype):
    array = np.array([0, 1, 1, 0]).astype(dtype)
    result = engine.evaluate("a", {"a": Tensor(array)})
    assert result.dtype == array.dtype and np.array_equal(result, array)


def test_the_versioned_form_is_asked_for():
    tensor = Tensor(np.ones(3))
    engine.evaluate("a + 1", {"a": tensor})
    assert tensor.asked == [(1, 0)]


def test_memory_is_written_in_place():
    array = np.arange(6.0)
    result = engine.evaluate("a[1:4] += 10", {"a": Tensor(array[::-1])})
    assert array.tolist() == [0, 1, 12, 13, 14, 5] and np.shares_memory(result, array)


def test_memory_is_an_out_of_its_own():
    array, out = np.zeros((3, 4)), np.zeros((4, 3))
    tensor = Tensor(out.T)
    assert engine.evaluate("a + 7", {"a": array}, out=tensor) is tensor and np.all(out == 7)


def test_what_overlaps_is_right():
    y = np.arange(10.0)
    engine.evaluate("x + r", {"x": Tensor(y), "r": Tensor(y[::-1])}, out=Tensor(y))
    assert y.tolist() == [9.0] * 10


@pytest.mark.parametrize(
    "tensor, said",
    (
        (Tensor(np.broadcast_to(1.0, 3)), "read-only"),
        (OldTensor(np.ones(3)), "older than 1.0"),
    ),
)
def test_memory_that_must_not_be_written_is_no_target(tensor, said):
    with pytest.raises(engine.ShapeError, match=said):
        engine.evaluate("a += 1", {"a": tensor})
    with pytest.raises(engine.ShapeError, match=said):
        engine.evaluate("b + 1", {"b": np.ones(3)}, out=tensor)
    assert np.all(tensor.array == 1)


def test_memory_is_given_back_after_the_call_and_not_before():
    array = np.ones(1000)
    watched = weakref.ref(array)
    tensor = Tensor(array)
    view = engine.evaluate("a[:] = 2*a", {"a": tensor})
    del tensor, array
    gc.collect()
    assert watched() is not None and np.all(view == 2)
    del view
    gc.collect()
    assert watched() is None


def test_references_are_balanced():
    array = np.ones(3)
    before = sys.getrefcount(array)
    for _ in range(100):
        engine.evaluate("a + 1", {"a": Tensor(array)})
        with pytest.raises(engine.ShapeError):
            engine.evaluate("a + b", {"a": Tensor(array), "b": np.ones(2)})
    assert sys.getrefcount(array) == before


# ---- other memory ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "device, said",
    (((2, 1), 'cuda:1.*"cuda" is not usable here'), ((10, 0), "rocm:0"), ((8, 0), "metal:0"), ((99, 3), "99:3")),
)
def test_memory_the_cpu_does_not_reach_is_refused_with_the_reason(device, said):
    class Far(Tensor):
        def __dlpack_device__(self):
            return device

        def __dlpack__(self, **options):
            raise AssertionError("was asked for its memory")

    with pytest.raises(engine.BackendError, match=said) as caught:
        engine.evaluate("1 + name", {"name": Far(np.ones(3))})
    assert caught.value.span == (4, 8) and "host" in caught.value.help
    with pytest.raises(engine.BackendError, match="out is on"):
        engine.evaluate("a", {"a": np.ones(3)}, out=Far(np.ones(3)))


def test_memory_pinned_for_a_gpu_is_the_cpu_s():
    class Pinned(Tensor):
        def __dlpack_device__(self):
            return (3, 0)

    assert engine.evaluate("a + 1", {"a": Pinned(np.ones(3))}).tolist() == [2, 2, 2]


def test_arrays_of_a_gpu_that_know_no_dlpack_are_refused_too():
    class Far:
        __cuda_array_interface__ = {"shape": (3,), "typestr": "<f8", "data": (4096, False), "version": 3}

    with pytest.raises(engine.BackendError, match="cuda"):
        engine.evaluate("a", {"a": Far()})
    with pytest.raises(engine.BackendError, match="cuda"):
        engine.evaluate("a", {"a": np.ones(3)}, out=Far())


@pytest.mark.parametrize("error", (BufferError, RuntimeError, ValueError))
def test_an_exporter_s_refusal_is_the_cause(error):
    class Refuses(Tensor):
        def __dlpack__(self, **options):
            raise error("requires grad")

    with pytest.raises(engine.DTypeError, match="DLPack") as caught:
        engine.evaluate("a", {"a": Refuses(np.ones(3))})
    assert isinstance(caught.value.__cause__, error) and "requires grad" in str(caught.value.__cause__)


def test_other_exceptions_of_an_exporter_go_through():
    class Broken(Tensor):
        def __dlpack__(self, **options):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.evaluate("a", {"a": Broken(np.ones(3))})


@pytest.mark.parametrize("value", (None, 3, "capsule"))
def test_an_exporter_that_gives_no_capsule_is_a_type_error(value):
    class Wrong(Tensor):
        def __dlpack__(self, **options):
            return value

    with pytest.raises(TypeError, match="capsule"):
        engine.evaluate("a", {"a": Wrong(np.ones(3))})


def test_a_capsule_is_used_once():
    class Again(Tensor):
        capsule = None

        def __dlpack__(self, **options):
            self.capsule = self.capsule or super().__dlpack__(**options)
            return self.capsule

    tensor = Again(np.ones(3))
    engine.evaluate("a", {"a": tensor})
    with pytest.raises(TypeError, match="unused"):
        engine.evaluate("a", {"a": tensor})


@pytest.mark.parametrize("device", (None, 3, (), ("cpu", 0)))
def test_a_device_that_is_none_is_a_type_error(device):
    class Wrong(Tensor):
        def __dlpack_device__(self):
            return device

    with pytest.raises(TypeError):
        engine.evaluate("a", {"a": Wrong(np.ones(3))})


# ---- capsules made by hand -------------------------------------------------------------------------------------------


class DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Managed(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", DLTensor),
    ]


new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class Exporter:
    """Exports four float64 as the fields say, and counts what is given back."""

    def __init__(self, *, version=(1, 0), flags=0, code=2, bits=64, lanes=1, device=1, offset=0, shape=(4,)):
        self.array = np.arange(4.0)
        self.given_back = 0
        self.deleter = DELETER(self._delete)
        self.shape = (ctypes.c_int64 * len(shape))(*shape)
        tensor = DLTensor(self.array.ctypes.data, device, 0, len(shape), code, bits, lanes, self.shape, None, offset)
        self.managed = Managed(*version, None, self.deleter, flags, tensor)

    def _delete(self, _):
        self.given_back += 1

    def __dlpack__(self, *, max_version=None):
        return new_capsule(ctypes.addressof(self.managed), b"dltensor_versioned", None)


@pytest.mark.parametrize(
    "fields, expected",
    (
        ({}, [0, 1, 2, 3]),
        ({"version": (1, 9)}, [0, 1, 2, 3]),
        ({"offset": 8, "shape": (3,)}, [1, 2, 3]),
        ({"shape": (2, 2)}, [[0, 1], [2, 3]]),
        ({"shape": ()}, 0),
    ),
)
def test_absent_strides_mean_contiguous_and_offsets_count(fields, expected):
    exporter = Exporter(**fields)
    assert engine.evaluate("a", {"a": exporter}).tolist() == expected and exporter.given_back == 1


@pytest.mark.parametrize(
    "fields, error, said",
    (
        ({"version": (2, 0)}, engine.BackendError, "version 2.0"),
        ({"device": 2}, engine.BackendError, "cuda:0"),
        ({"code": 4, "bits": 16}, engine.DTypeError, "bfloat16"),
        ({"code": 2, "bits": 8}, engine.DTypeError, "float8"),
        ({"code": 0, "bits": 4}, engine.DTypeError, "int4"),
        ({"code": 17, "bits": 8}, engine.DTypeError, "type 17"),
        ({"lanes": 4}, engine.DTypeError, "lanes of 4"),
        ({"shape": (1,) * 33}, engine.ShapeError, "33 axes"),
    ),
)
def test_what_cannot_be_read_is_given_back(fields, error, said):
    exporter = Exporter(**fields)
    with pytest.raises(error, match=said):
        engine.evaluate("a", {"a": exporter})
    assert exporter.given_back == 1


def test_a_copy_that_the_exporter_made_is_counted_and_no_target():
    assert engine.evaluate("a", {"a": Exporter(flags=2)}).tolist() == [0, 1, 2, 3]
    assert (engine.last_run().copies, engine.last_run().bytes_copied) == (1, 32)
    with pytest.raises(engine.DTypeError, match="lost"):
        engine.evaluate("a += 1", {"a": Exporter(flags=2)})
    with pytest.raises(engine.DTypeError, match="copy"):
        engine.evaluate("b", {"b": np.ones(4)}, out=Exporter(flags=2))


# ---- the other way ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ("2*a", "a[::-1, ::2] + 0", "a = a*1"))
def test_results_are_read_by_others_without_a_copy(text):
    result = engine.evaluate(text, {"a": GRID[0]})
    assert result.__dlpack_device__() == (1, 0)
    other = np.from_dlpack(result)
    assert np.shares_memory(other, result) and np.array_equal(other, result)


def test_a_result_outlives_its_name_in_the_hands_of_others():
    other = np.from_dlpack(Tensor(engine.evaluate("a*2", {"a": np.arange(1000.0)})))
    gc.collect()
    assert np.array_equal(other, np.arange(1000.0) * 2)


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(6.0).reshape(2, 3)
    assert np.array_equal(engine.evaluate("2*t", {"t": tensor.T}), 2 * tensor.T.numpy())
    assert torch.from_dlpack(engine.evaluate("2*t", {"t": tensor})).tolist() == [[0, 2, 4], [6, 8, 10]]
    with pytest.raises(engine.DTypeError, match="DLPack"):
        engine.evaluate("t", {"t": tensor.requires_grad_()})

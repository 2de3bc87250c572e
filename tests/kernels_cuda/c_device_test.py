"""The C interface over memory of a device, on the stand-in: what it computes, where, and what it refuses."""

import ctypes

from tests.kernels_cuda import nvrtc
from tests.kernels_cuda.process import lines

CUDA_0, BAD_ARGUMENT, BACKEND_ERROR = 1, 10, 7


def work() -> None:
    import numpy as np

    from tests.c_api import capi
    from tests.c_api.capi import LIB, check

    LIB.engine_trim.restype = ctypes.c_size_t
    LIB.engine_device_free.argtypes = [ctypes.c_void_p]
    LIB.engine_device_of.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

    def allocate(n_bytes, device=CUDA_0):
        data = ctypes.c_void_p()
        check(LIB.engine_device_allocate(device, ctypes.c_size_t(n_bytes), ctypes.byref(data)))
        return data

    def to_device(array):
        data = allocate(array.nbytes)
        check(
            LIB.engine_copy_to_device(CUDA_0, data, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes))
        )
        there = capi.describe(array)
        there.data, there.device = data, CUDA_0
        return there

    def to_host(there, dtype=np.float64):
        array = np.empty(tuple(there.shape[: there.ndim]), dtype)
        check(
            LIB.engine_copy_to_host(
                CUDA_0, ctypes.c_void_p(array.ctypes.data), ctypes.c_void_p(there.data), ctypes.c_size_t(array.nbytes)
            )
        )
        return array

    def evaluate(text, out=None, graph=None, **arrays):
        program, result, value = ctypes.c_void_p(), ctypes.c_void_p(), capi.Array()
        check(LIB.engine_compile(text.encode(), len(text), None, ctypes.byref(program)))
        given = (capi.Operand * len(arrays))()
        for i in range(len(arrays)):
            wanted = arrays[LIB.engine_program_name(program, i).contents.name.decode()]
            given[i] = wanted if isinstance(wanted, capi.Operand) else capi.operand(wanted)
        options = capi.RunOptions(size=ctypes.sizeof(capi.RunOptions), graph=graph)
        code = LIB.engine_run(program, given, len(arrays), out, ctypes.byref(options), ctypes.byref(result))
        check(LIB.engine_program_free(program))
        check(code)
        check(LIB.engine_result_array(result, ctypes.byref(value)))
        return value, result

    def operand(array):
        one = capi.Operand()
        one.kind, one.value.array = 1, array
        return one

    def refused(code, call):
        try:
            call()
        except capi.EngineError as error:
            assert error.code == code, error
            return str(error)
        raise AssertionError("not refused")

    a = np.arange(12.0).reshape(3, 4)
    there = to_device(a)
    value, result = evaluate("2*a + n", a=operand(there), n=3)
    assert value.device == CUDA_0 and (to_host(value) == 2 * a + 3).all()
    check(LIB.engine_result_free(result))
    value, result = evaluate("sum(a)", a=operand(there))
    assert value.device == CUDA_0 and value.ndim == 0 and to_host(value) == a.sum()
    check(LIB.engine_result_free(result))

    out = to_device(np.zeros((3, 4)))
    value, result = evaluate("a*a", out=ctypes.byref(out), a=operand(there))
    assert value.data == out.data and (to_host(out) == a * a).all()
    check(LIB.engine_result_free(result))
    graph, stats = ctypes.c_void_p(), capi.GraphStats(size=ctypes.sizeof(capi.GraphStats))
    check(LIB.engine_graph_create(ctypes.byref(graph)))
    for factor in (2, 3, 3):
        value, result = evaluate("f*a - mean(a)", ctypes.byref(out), graph, a=operand(there), f=factor)
        assert (to_host(out) == factor * a - a.mean()).all()
        check(LIB.engine_result_free(result))
    check(LIB.engine_graph_info(graph, ctypes.byref(stats)))
    assert stats.kernels == 2 and stats.replays == 3 and stats.captures + stats.updates >= 1
    assert "captured" in refused(BACKEND_ERROR, lambda: evaluate("a[a > 3]", None, graph, a=operand(there)))
    check(LIB.engine_graph_free(graph))
    refused(BAD_ARGUMENT, lambda: evaluate("a + 1", None, graph, a=operand(there)))

    evaluate("a[1:] = a[:-1]", a=operand(there))
    assert (to_host(there) == a[[0, 0, 1]]).all()

    device = ctypes.c_int32()
    check(LIB.engine_device_of(there.data, ctypes.byref(device)))
    assert device.value == CUDA_0
    check(LIB.engine_device_of(a.ctypes.data, ctypes.byref(device)))
    assert device.value == 0
    stream = ctypes.c_void_p()
    check(LIB.engine_stream_of(CUDA_0, ctypes.byref(stream)))
    assert stream.value
    check(LIB.engine_start_after(CUDA_0, ctypes.c_void_p(2)))
    check(LIB.engine_make_wait(CUDA_0, ctypes.c_void_p(2)))

    liar = capi.describe(a)
    liar.device = CUDA_0
    assert "its memory is not" in refused(BACKEND_ERROR, lambda: evaluate("a + 1", a=operand(liar)))
    assert "cuda:0" in refused(BACKEND_ERROR, lambda: evaluate("a + b", a=operand(there), b=a))
    refused(BACKEND_ERROR, lambda: allocate(8, 9))
    for wrong in (0, -1, -(2**31)):
        refused(BAD_ARGUMENT, lambda wrong=wrong: allocate(8, wrong))
    refused(BAD_ARGUMENT, lambda: check(LIB.engine_device_allocate(CUDA_0, ctypes.c_size_t(8), None)))
    refused(BAD_ARGUMENT, lambda: check(LIB.engine_copy_to_device(CUDA_0, None, None, ctypes.c_size_t(8))))
    refused(BAD_ARGUMENT, lambda: check(LIB.engine_device_free(a.ctypes.data)))
    check(LIB.engine_copy_to_host(CUDA_0, None, None, ctypes.c_size_t(0)))

    check(LIB.engine_device_free(None))
    for data in (there.data, out.data):
        check(LIB.engine_device_free(data))
        refused(BAD_ARGUMENT, lambda data=data: check(LIB.engine_device_free(data)))
    assert LIB.engine_trim() > 0
    print("done")


def test_the_c_interface_computes_on_the_device_and_refuses_what_is_wrong(tmp_path):
    words = ("-m", "tests.kernels_cuda.c_device_test")
    assert lines(tmp_path, *words, ENGINE_NVRTC=nvrtc.library()._name) == ["done"]


if __name__ == "__main__":
    work()

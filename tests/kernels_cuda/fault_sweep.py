"""Every driver or NVRTC call of a session, failing once: what the session says, keeps and does next.

Run by fault_test.py: `python -m tests.kernels_cuda.fault_sweep driver|nvrtc`, with ENGINE_CUDA_DRIVER the stand-in and,
for NVRTC's, ENGINE_NVRTC the library of proxy/nvrtc.cpp. Each case is a process of its own, forked before CUDA is used.
Prints one line per finding and, last, how many cases there were.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import traceback

import numpy as np

import engine
from tests.emulator.standin import Counters

engine.config.wait = True

A = np.arange(12.0).reshape(3, 4) + 0.5
LOST = "context is lost"

# What the reference of the driver API says each may return; WORK where that may be of work that was asked for before.
COMMON = (1, 3, 4, 201)
WORK = (214, 700, 702, 710, 715, 719, 999)
CODES = {
    "cuInit": (1, 3, 34, 100, 101, 802, 803, 804, 999),
    "cuDriverGetVersion": (1, 3),
    "cuGetErrorName": (1,),
    "cuGetErrorString": (1,),
    "cuDeviceGetCount": (1, 3, 4, 100),
    "cuDeviceGet": (*COMMON, 101),
    "cuDeviceGetName": (*COMMON, 101),
    "cuDeviceGetAttribute": (*COMMON, 101),
    "cuDeviceGetUuid_v2": (*COMMON, 101),
    "cuDeviceTotalMem_v2": (*COMMON, 101),
    "cuDevicePrimaryCtxRetain": (*COMMON, 2, 46, 101, 214, 999),
    "cuCtxPushCurrent_v2": COMMON,
    "cuCtxPopCurrent_v2": COMMON,
    "cuStreamCreate": (*COMMON, 2, 304),
    "cuStreamSynchronize": (*COMMON, 400, *WORK),
    "cuStreamWaitEvent": (*COMMON, 400),
    "cuEventCreate": (*COMMON, 2),
    "cuEventDestroy_v2": COMMON,
    "cuEventRecord": (*COMMON, 400),
    "cuEventSynchronize": (*COMMON, 400, *WORK),
    "cuMemHostAlloc": (*COMMON, 2, 304),
    "cuMemFreeHost": COMMON,
    "cuPointerGetAttribute": COMMON,
    "cuMemAlloc_v2": (*COMMON, 2, 304, 801),
    "cuMemFree_v2": COMMON,
    "cuMemcpyHtoDAsync_v2": (*COMMON, *WORK),
    "cuMemcpyDtoHAsync_v2": (*COMMON, *WORK),
    "cuMemsetD8Async": (*COMMON, *WORK),
    "cuModuleLoadData": (*COMMON, 2, 200, 209, 218, 221, 222, 223, 302, 303),
    "cuModuleUnload": COMMON,
    "cuModuleGetFunction": (*COMMON, 500),
    "cuFuncGetAttribute": (*COMMON, 400, 907),
    "cuOccupancyMaxActiveBlocksPerMultiprocessor": (*COMMON, 999),
    "cuLaunchKernel": (*COMMON, 2, 200, 400, 701, 720, *WORK),
    "cuGraphCreate": (*COMMON, 2),
    "cuGraphDestroy": COMMON,
    "cuGraphAddKernelNode_v2": (*COMMON, 2, 801),
    "cuGraphInstantiateWithFlags": (*COMMON, 2, 801),
    "cuGraphExecKernelNodeSetParams_v2": (*COMMON, 910),
    "cuGraphExecDestroy": COMMON,
    "cuGraphLaunch": (*COMMON, 2, 801, *WORK),
}
NVRTC_CODES = {
    "nvrtcVersion": (3,),
    "nvrtcGetNumSupportedArchs": (3,),
    "nvrtcGetSupportedArchs": (3,),
    "nvrtcCreateProgram": (1, 2, 3, 4),
    "nvrtcDestroyProgram": (4,),
    "nvrtcCompileProgram": (1, 3, 4, 5, 6, 7, 11, 12),
    "nvrtcGetProgramLogSize": (3, 4),
    "nvrtcGetProgramLog": (3, 4),
    "nvrtcGetPTXSize": (3, 4),
    "nvrtcGetPTX": (3, 4),
    "nvrtcGetCUBINSize": (3, 4),
    "nvrtcGetCUBIN": (3, 4),
}
# Called only where another call has failed: with which.
ONLY_AFTER = {
    "cuGetErrorName": "cuMemAlloc_v2:1:1",
    "cuGetErrorString": "cuMemAlloc_v2:1:1",
    "nvrtcGetProgramLogSize": "nvrtcCompileProgram:1:6",
    "nvrtcGetProgramLog": "nvrtcCompileProgram:1:6",
}

# Where operations that depend on order ask for what others do not, or at other times: these fail in their midst, too.
IN_ORDER = (
    "cuMemAlloc_v2",
    "cuMemsetD8Async",
    "cuLaunchKernel",
    "cuMemcpyDtoHAsync_v2",
    "cuModuleLoadData",
    "cuStreamSynchronize",
)


class Cupylike:
    """An array whose owner works on a stream of its own (2: the stream of each thread)."""

    def __init__(self, array):
        self.array = array

    @property
    def __cuda_array_interface__(self):
        return {**self.array.__cuda_array_interface__, "stream": 2}


class Wrong(Exception):
    """A result that is not the right one: the worst of all answers."""


def same(got, want):
    if np.asarray(got).tobytes() != np.asarray(want).tobytes():
        raise Wrong(f"{got!r} where {want!r} is right")


def on_the_host():
    """Operands and results in the host's memory, one of them written in place."""
    same(engine.evaluate("a*2 + 1", {"a": A}, backend="cuda"), A * 2 + 1)
    same(engine.evaluate("sum(a, axis=0)", {"a": A}, backend="cuda"), A.sum(axis=0))
    b, want = A.copy(), A.copy()
    want[1:] = A[:-1] * 2
    try:
        engine.evaluate("b[1:] = b[:-1] * 2", {"b": b}, backend="cuda")
    except engine.Error:
        same(b, A)  # a failure leaves targets as they were
        raise
    same(b, want)


def in_pieces():
    """Operands of the host so large that they go to the device and back piece by piece."""
    a = np.arange((1 << 19) + 5000.0) * (1 + 2j)  # few elements for their bytes
    same(engine.evaluate("a + a", {"a": a}, backend="cuda"), a + a)
    b = a.copy()
    try:
        engine.evaluate("b[...] = b + b", {"b": b}, backend="cuda")
    except engine.Error:
        same(b, a)
        raise
    same(b, a + a)
    same(engine.to_device(a).numpy(), a)


def on_the_device():
    """Arrays of the device, ours and another library's; and memory given back."""
    there = engine.to_device(A)
    same(engine.evaluate("a*2 + 1", {"a": there}).numpy(), A * 2 + 1)
    same(engine.evaluate("a*2 + 1", {"a": Cupylike(there)}).numpy(), A * 2 + 1)
    there.__dlpack__(stream=2)
    long = np.arange(20_000) % 7
    same(engine.evaluate("sum(a)", {"a": engine.to_device(long)}).numpy(), long.sum())
    try:
        engine.evaluate("i**k", {"i": engine.to_device(np.arange(3)), "k": engine.to_device(np.array([1, -1, 0]))})
    except engine.RangeError:
        pass
    else:
        raise Wrong("a negative power was not found")


def as_graphs():
    """A program's kernels as one graph: captured, launched again, with other addresses, with other kernels."""
    there, other = engine.to_device(A), engine.to_device(A + 1)
    program = engine.compile("x = a*2 + k; x / sum(x)")
    graph = program.graph()
    for array, a, k in ((there, A, 1), (there, A, 1), (other, A + 1, 2.5), (engine.to_device(A[1]), A[1], 2.5)):
        same(graph(a=array, k=k).numpy(), program(a=a, k=k))


def while_it_is_compiled():
    """First calls that the host answers, and the next, whose kernels another thread has had compiled, or could not."""
    there = engine.to_device(A)
    for text, want in (("a*3 - 1", A * 3 - 1), ("max(a, axis=1)", A.max(axis=1))):
        same(engine.evaluate(text, {"a": there}, wait=False).numpy(), want)
        engine.wait_for_kernels()
        same(engine.evaluate(text, {"a": there}, wait=False).numpy(), want)


def in_order():
    """What depends on order: scans, sorts of one block and by passes, and what tells its length only on the way."""
    long = np.random.default_rng(1).permutation(4200).astype("i2")
    a = long[:60] % 50 + 0.5
    same(engine.evaluate("sort(a)", {"a": long}, backend="cuda"), np.sort(long))
    same(engine.evaluate("cumsum(a)[a > 30] * 2", {"a": a}, backend="cuda"), np.cumsum(a)[a > 30] * 2)
    there = engine.to_device(a)
    same(engine.evaluate("unique_counts(a)", {"a": there}).numpy(), np.unique(a, return_counts=True)[1])
    want, n_small = np.sort(a), (a < 5).sum()
    want[:n_small] = want[:n_small][::-1]
    for b in (a.copy(), engine.to_device(a)):
        try:
            text = f"b[...] = sort(b); c = b[b < 5][::-1]; b[:{n_small}] = c"
            engine.evaluate(text, {"b": b}, backend="cuda")
        except engine.Error as error:
            if LOST not in str(error) or isinstance(b, np.ndarray):
                same(b if isinstance(b, np.ndarray) else b.numpy(), a)
            raise
        same(b if isinstance(b, np.ndarray) else b.numpy(), want)


def many_signatures():
    """More plans than a program keeps, whose kernels are unloaded when memory is given back."""
    for a in "i1 i2 i4 i8 u1 u2 u4 u8".split():
        for b in "i1 i2 i4 i8 u1 u2 u4 u8 f8".split():
            x, y = np.ones(2, a), np.full(2, 2, b)
            same(engine.evaluate("a - b", {"a": x, "b": y}, backend="cuda"), x - y)


def questions():
    """What users ask without computing anything."""
    engine.doctor()
    engine.explain("a + 1", {"a": A}, backend="cuda")


def session(steps) -> list[str]:
    """What each step said that failed; all that is not one of the engine's errors is raised."""
    said = []
    for step in steps:
        try:
            step()
        except (engine.Error, MemoryError) as error:
            if not str(error).strip():
                raise Wrong("an error without a word") from error
            said.append(str(error))
        gc.collect()
    engine.trim()
    return said


class Driver:
    """Faults of the stand-in driver, and what it counted."""

    codes = CODES
    steps = (questions, on_the_host, on_the_device)

    def __init__(self):
        self.library = ctypes.CDLL(os.environ["ENGINE_CUDA_DRIVER"])
        self.library.standin_calls.restype = ctypes.c_uint64

    def inject(self, faults):
        assert self.library.standin_inject(faults.encode())

    def calls(self, name) -> int:
        return self.library.standin_calls(name.encode())

    def live(self) -> int:
        counters = Counters()
        self.library.standin_counters(ctypes.byref(counters))
        return counters.live_bytes + counters.live_host_bytes


class Nvrtc:
    """Faults of NVRTC, in a session of four kernels: each case compiles."""

    codes = NVRTC_CODES
    steps = (questions, on_the_host, while_it_is_compiled)

    def __init__(self):
        self.library = ctypes.CDLL(os.environ["ENGINE_NVRTC"])

    def inject(self, faults):
        assert self.library.proxy_inject(faults.encode())

    def calls(self, name) -> int:
        return self.library.proxy_calls(name.encode())

    def live(self) -> int:
        return self.library.proxy_live()


def in_a_child(work) -> str:
    """What work() returns in a forked process, or how that process ended."""
    source, sink = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(source)
            answer = work()
        except BaseException:
            answer = traceback.format_exc()
        os.write(sink, answer.encode()[:60000])
        os._exit(0)
    os.close(sink)
    with os.fdopen(source) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    return answer if status == 0 else f"ended with status {status}\n{answer}"


def steps_of(faults, name) -> tuple:
    if name == "cuModuleUnload":
        return (*faults.steps, many_signatures)
    if name.startswith("cuGraph"):
        return (*faults.steps, as_graphs)
    if name in IN_ORDER:
        return (*faults.steps, in_order)
    if name.startswith(("cuEvent", "cuStream", "cuMemHost", "cuMemFreeHost", "cuMemcpy")):
        return (*faults.steps, in_pieces)
    return faults.steps


def counts_of(kind, name="") -> dict[str, int]:
    """How often a session without faults calls each function; it fills the cache of kernels on its way."""

    def work():
        faults = kind()
        said = session(steps_of(faults, name))
        if said or faults.live():
            return f"without faults: {said}, {faults.live()} left"
        return " ".join(f"{name}={faults.calls(name)}" for name in faults.codes)

    answer = in_a_child(work)
    assert "=" in answer and "\n" not in answer, answer
    return {name: int(n) for name, n in (word.split("=") for word in answer.split())}


def case(kind, name, nth, code) -> str:
    """Empty, or what is wrong."""

    def work():
        faults = kind()
        faults.inject(f"{name}:{nth}:{code}" + (f",{ONLY_AFTER[name]}" if name in ONLY_AFTER else ""))
        steps = steps_of(faults, name)
        said = session(steps)
        faults.inject("")
        is_lost = any(LOST in each for each in said)
        again = session(steps)
        if is_lost or (code == 100 and all("there is no CUDA device" in each for each in said + again)):
            return ""
        if again:
            return f"the next session does not work, and the first did not say that it would not: {said} then {again}"
        # What the failing call itself was to give back is not counted.
        is_release = "Destroy" in name
        left = 0 if is_release else faults.live()
        return f"{left} left after {said}" if left else ""

    return in_a_child(work)


def main():
    kind = {"driver": Driver, "nvrtc": Nvrtc}[sys.argv[1]]
    counts = counts_of(kind)
    sessions = {kind.steps: counts}
    for name in counts:
        steps = steps_of(kind, name)
        if steps not in sessions:
            sessions[steps] = counts_of(kind, name)
        counts[name] = sessions[steps][name]
    called = {name: n or 1 for name, n in counts.items() if n or name in ONLY_AFTER}
    n_cases = 0
    for name, n in called.items():
        for nth in sorted({1, n, *((2,) if n > 1 else ()), *((n * 2 // 3,) if name in IN_ORDER else ())}):
            for code in kind.codes[name]:
                n_cases += 1
                if found := case(kind, name, nth, code):
                    print(f"{name} call {nth} of {n} fails with {code}: {found}", flush=True)
    print("never called:", *sorted(set(counts) - set(called)))
    print(n_cases, "cases")


if __name__ == "__main__":
    main()

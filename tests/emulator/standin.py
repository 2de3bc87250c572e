"""The stand-in driver through ctypes: PTX in, NumPy arrays in and out. One per process."""

from __future__ import annotations

import ctypes
import functools
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
LIBRARY = ROOT / "build/dev/tests/emulator/libcuda_standin.so"


class DriverError(RuntimeError):
    def __init__(self, name: str, status: int, report: str):
        super().__init__(f"{name}: {status}\n{report}")
        self.status = status
        self.report = report


class Counters(ctypes.Structure):
    """StandinCounters of standin.h."""

    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            "launches warp_instructions lane_instructions "
            "global_requests global_sectors global_ideal_sectors global_bytes "
            "shared_requests shared_cycles live_bytes live_allocations live_host_bytes copied_to_device copied_to_host "
            "copied_on_device memset_bytes module_loads"
        ).split()
    ]


class Array:
    """Device memory, freed with the object."""

    def __init__(self, standin: StandIn, n_bytes: int):
        self.standin = standin
        self.n_bytes = n_bytes
        self.address = ctypes.c_uint64()
        standin.call("cuMemAlloc_v2", ctypes.byref(self.address), ctypes.c_size_t(max(n_bytes, 1)))

    def __del__(self):
        self.standin.library.cuMemFree_v2(self.address)

    def read(self, dtype, shape) -> np.ndarray:
        values = np.empty(shape, dtype)
        self.standin.call(
            "cuMemcpyDtoH_v2", values.ctypes.data_as(ctypes.c_void_p), self.address, ctypes.c_size_t(values.nbytes)
        )
        return values


class StandIn:
    def __init__(self):
        self.library = ctypes.CDLL(str(LIBRARY))
        self.library.standin_report.restype = ctypes.c_char_p
        self.library.standin_called.restype = ctypes.c_char_p
        self.library.standin_calls.restype = ctypes.c_uint64
        self.call("cuInit", 0)
        self.context()

    def context(self) -> None:
        """A new primary context on device 0: nothing of the old one is left."""
        context = ctypes.c_void_p()
        self.call("cuDevicePrimaryCtxReset_v2", 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.call("cuCtxSetCurrent", context)
        self.library.standin_clear()

    def call(self, name: str, *arguments) -> None:
        if status := getattr(self.library, name)(*arguments):
            raise DriverError(name, status, self.report())

    def report(self) -> str:
        return self.library.standin_report().decode()

    def set(self, key: str, value: object) -> None:
        assert self.library.standin_set(key.encode(), str(value).encode())

    def counters(self) -> Counters:
        counters = Counters()
        self.library.standin_counters(ctypes.byref(counters))
        return counters

    def load(self, ptx: str | bytes) -> ctypes.c_void_p:
        module = ctypes.c_void_p()
        image = ptx.encode() if isinstance(ptx, str) else ptx
        self.call("cuModuleLoadDataEx", ctypes.byref(module), image, 0, None, None)
        return module

    def array(self, values: np.ndarray) -> Array:
        values = np.ascontiguousarray(values)
        array = Array(self, values.nbytes)
        if values.nbytes:
            self.call(
                "cuMemcpyHtoD_v2", array.address, values.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(values.nbytes)
            )
        return array

    def empty(self, n_bytes: int) -> Array:
        return Array(self, n_bytes)

    def launch(self, module, name: str, grid, block, *arguments, shared: int = 0) -> None:
        function = ctypes.c_void_p()
        self.call("cuModuleGetFunction", ctypes.byref(function), module, name.encode())
        values = [a.address if isinstance(a, Array) else a for a in arguments]
        pointers = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        sizes = [(*((n,) if isinstance(n, int) else n), 1, 1)[:3] for n in (grid, block)]
        self.call("cuLaunchKernel", function, *sizes[0], *sizes[1], shared, None, pointers, None)
        self.call("cuCtxSynchronize")


@functools.cache
def standin() -> StandIn:
    return StandIn()

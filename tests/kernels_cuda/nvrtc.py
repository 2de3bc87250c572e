"""NVRTC from the wheel of tools/requirements.txt, through ctypes: text in, PTX or ptxas' figures out. Needs no GPU."""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import pathlib
import re

from tests.emulator.standin import LIBRARY as STANDIN
from tests.emulator.standin import ROOT

__all__ = ["HOST", "PROXY", "ROOT", "STANDIN", "compile", "figures", "library"]

# A driver and an NVRTC that give kernels to g++: host/driver.cpp.
HOST = ROOT / "build/dev/tests/kernels_cuda/libengine_host_driver.so"
# NVRTC, listened to and with faults: proxy/nvrtc.cpp.
PROXY = ROOT / "build/dev/tests/kernels_cuda/libengine_nvrtc_proxy.so"


@functools.cache
def library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("nvidia")
    for folder in spec.submodule_search_locations if spec else ():
        for path in sorted(pathlib.Path(folder).glob("*/lib/libnvrtc.so.*")):
            if "alt" not in path.name:
                return ctypes.CDLL(str(path))
    raise FileNotFoundError("NVRTC is missing: pip install -r tools/requirements.txt")


def headers() -> dict[str, str]:
    """What kernels are made from, by its name: nothing of it is looked for in files."""
    files = [
        *(ROOT / "engine/catalog/elementary").glob("*.hpp"),
        ROOT / "engine/catalog/complex.hpp",
        ROOT / "engine/catalog/moments.hpp",
        ROOT / "engine/base/lane.hpp",
        *(ROOT / "kernels_cuda/device").iterdir(),
    ]
    return {str(path.relative_to(ROOT)): path.read_text() for path in files if path.name != "vector.hpp"}


def compile(source: str, architecture: str, *options: str) -> str:
    """The compiler's log with ptxas' figures for sm_…, the PTX for compute_…; RuntimeError with the log."""
    words = ["--std=c++20", "--fmad=false", "-default-device", f"--gpu-architecture={architecture}", *options]
    if architecture.startswith("sm_"):
        words.append("--ptxas-options=-v")
    return compile_with(words, source, headers(), wants_log=architecture.startswith("sm_"))


def compile_with(words: list[str], source: str, known: dict[str, str], wants_log: bool = False) -> str:
    """The PTX, or the compiler's log; `known` are headers by name."""
    nvrtc = library()
    names = (ctypes.c_char_p * len(known))(*(name.encode() for name in known))
    texts = (ctypes.c_char_p * len(known))(*(text.encode() for text in known.values()))
    program = ctypes.c_void_p()
    if nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", len(known), texts, names):
        raise RuntimeError("nvrtcCreateProgram failed")
    try:
        array = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
        failed = nvrtc.nvrtcCompileProgram(program, len(words), array)
        log = _text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
        if failed:
            raise RuntimeError(log)
        if wants_log:
            return log
        return _text(nvrtc.nvrtcGetPTXSize, nvrtc.nvrtcGetPTX, program)
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _text(size, get, program) -> str:
    n = ctypes.c_size_t()
    size(program, ctypes.byref(n))
    buffer = ctypes.create_string_buffer(n.value)
    get(program, buffer)
    return buffer.value.decode()


def figures(log: str) -> dict[str, dict[str, int]]:
    """ptxas -v, by kernel: bytes of stack and of spills, registers."""
    found = {}
    for part in re.split(r"Compiling entry function ", log)[1:]:
        name = re.match(r"'(\w+)'", part).group(1)
        stack = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part)
        registers = re.search(r"Used (\d+) registers", part)
        found[name] = {
            "registers": int(registers.group(1)),
            "stack": int(stack.group(1)),
            "spills": int(stack.group(2)) + int(stack.group(3)),
        }
    return found

"""What evaluations did: engine.last_run() and Program.stats."""

from __future__ import annotations

import dataclasses

from . import _core


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """What one evaluation did. Numbers follow from the plan and the shapes; they are not measured, but for the times.

    backend       : that ran it: "jit" where some of it was machine code, "interp" or "cuda".
    compiled      : whether a plan had to be made; False where one for operands like these was there.
    stages        : seconds that each stage of making it took, by name; empty where nothing was made.
    kernels       : passes over memory.
    threads       : threads used at most.
    operations    : operations on elements.
    bytes_read    : by operand. Slices of one that overlap count once, and what is repeated by broadcasting.
    bytes_written : by stores, and by reductions into their cells.
    copies        : copies that had to be made: of operands that are no arrays, and because of overlap.
    bytes_copied  : bytes of these.
    seconds       : time of the kernels; None where there was too little to do for a clock.
    pending       : whether the host answered because a device's kernels were still being compiled, by another thread.
    kernels_compiled, compile_seconds: kernels that a device's compiler made meanwhile, not found in a cache, and the
                    time that took; the logger "engine" says so, too (INFO).

    >>> import numpy as np, engine
    >>> _ = engine.evaluate("2*a + b", {"a": np.ones(10), "b": np.ones(10)})
    >>> run = engine.last_run()
    >>> run.kernels, run.operations, run.bytes_read, run.bytes_written
    (1, 20, 160, 80)
    """

    backend: str
    compiled: bool
    stages: dict[str, float]
    kernels: int
    threads: int
    operations: int
    bytes_read: int
    bytes_written: int
    copies: int
    bytes_copied: int
    seconds: float | None
    pending: bool
    kernels_compiled: int
    compile_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class ProgramStats:
    """What became of the calls of one program. Texts and options that are equal are one program.

    calls           : calls whose operands could be read.
    hits            : calls that found a plan for operands like theirs.
    compilations    : calls that made one.
    evictions       : plans that were dropped for newer ones (64 are kept).
    plans           : plans kept now.
    parse_seconds   : time of reading the text.
    compile_seconds : time of all compilations.
    jit_operations, interp_operations: elementwise operations of the plans that were made for the host: those in
                      machine code, and those left to the interpreter.

    >>> import engine
    >>> program = engine.compile("2*unique_name + 1")
    >>> program(unique_name=1), program(unique_name=1.5), program(unique_name=1)
    (np.int64(3), np.float64(4.0), np.int64(3))
    >>> program.stats.calls, program.stats.compilations, program.stats.hits
    (3, 2, 1)
    """

    calls: int
    hits: int
    compilations: int
    evictions: int
    plans: int
    parse_seconds: float
    compile_seconds: float
    jit_operations: int
    interp_operations: int


@dataclasses.dataclass(frozen=True, slots=True)
class GraphStats:
    """What became of the calls of one graph.

    kernels  : kernels that it has now.
    captures : calls that made it anew: the first, and those that needed other kernels.
    updates  : calls that had its kernels take other addresses or numbers.
    replays  : calls that launched it.

    >>> import engine
    >>> engine.compile("2*a").graph().stats
    GraphStats(kernels=0, captures=0, updates=0, replays=0)
    """

    kernels: int
    captures: int
    updates: int
    replays: int


def last_run() -> Run | None:
    """What the calling thread's last evaluation did; None before its first. One that raised leaves no trace.

    >>> import engine
    >>> _ = engine.evaluate("1 + 1")
    >>> engine.last_run().backend
    'interp'
    """
    facts = _core._last_run()
    return None if facts is None else Run(**facts)

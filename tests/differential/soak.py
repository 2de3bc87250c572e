"""Many generated programs against NumPy: `python -m tests.differential.soak --programs 1000000 --seed 0 --jobs 2`.

in: how many programs and from which seed   out: failing seeds, each with its program cut down; exit status 1 if
there were any Program number n of a run has seed `seed + n`, whatever the number of jobs; `--programs 1 --seed N`
runs one again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

import numpy as np

from tests.differential import compare, generate, shrink
from tests.differential.operands import Pool

N_PER_CHUNK = 1000
N_REPORTED = 20  # failures shown per run; more are counted


@dataclass
class Tally:
    programs: int = 0
    failures: list = field(default_factory=list)  # of (seed, report)

    def add(self, other: Tally) -> None:
        self.programs += other.programs
        self.failures += other.failures


def check(
    first: int, count: int, door, n_shrunk: int = N_REPORTED, prepare=lambda seed: None, same_as: str = ""
) -> Tally:
    """Runs `count` seeds and reports those where the engine and NumPy differ, the first `n_shrunk` of them cut down.

    same_as: a backend whose bits are to be given, too.
    """

    def complaint_of(program):
        complaint = compare.differs(program, pool, door)
        return complaint or (compare.bits_differ(program, pool, door, same_as) if same_as else None)

    def fails(program):
        try:
            return complaint_of(program) is not None
        except compare.NotAsked:
            return False
        except Exception:  # a cut that the oracle cannot follow is no smaller failure
            return False

    tally = Tally()
    pool = Pool()
    before = [buffer.tobytes() for buffer in pool.buffers]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(first, first + count):
            program = generate.generate(seed, pool)
            prepare(seed)
            try:
                complaint = complaint_of(program)
            except compare.NotAsked:
                continue
            tally.programs += 1
            if complaint is None:
                continue
            if len(tally.failures) < n_shrunk:
                program = shrink.shrink(program, pool, fails)
                complaint = complaint_of(program) or complaint
            tally.failures.append((seed, shrink.report(program, pool, seed, complaint)))
    if not compare.same_as_before(pool, before):
        tally.failures.append(
            (first, f"seeds {first} … {first + count - 1}: an operand was written to by a program without targets")
        )
    return tally


def backend_for(seed: int, backend: str) -> str:
    """Of every four programs that may run anywhere, one is the interpreter's alone."""
    return "interp" if backend == "auto" and seed % 4 == 0 else backend


def _chunk(job: tuple[int, int], backend: str, same_as: str) -> Tally:
    import engine

    def prepare(seed):
        engine.config.backend = backend_for(seed, backend)

    return check(*job, engine, n_shrunk=3, prepare=prepare, same_as=same_as)


def _use(isa: str) -> None:
    """In a worker, before the engine computes anything."""
    os.environ["ENGINE_ISA"] = isa


def run(
    programs: int,
    seed: int,
    jobs: int,
    chunk: int = N_PER_CHUNK,
    backend: str = "auto",
    isa: str = "avx512",
    same_as: str = "",
) -> Iterator[Tally]:
    """The tallies of all chunks, in order, over `jobs` processes. A process that dies is an answer too (`_alone`).

    isa: the most that may be used of the processor: 'avx512', 'avx2' or 'generic'. same_as: as in check().
    """
    work = [(start, min(chunk, seed + programs - start)) for start in range(seed, seed + programs, chunk)]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _use, (isa,)) as workers:
        waiting = [(job, workers.submit(_chunk, job, backend, same_as)) for job in work]
        for job, future in waiting:
            try:
                yield future.result()
            except BrokenProcessPool:
                yield _alone(job, backend, isa, same_as)


def _alone(job: tuple[int, int], backend: str, isa: str, same_as: str) -> Tally:
    """Runs a chunk in a process of its own, and halves it while that process dies, down to the seeds that kill it."""
    first, count = job
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _use, (isa,)) as worker:
            return worker.submit(_chunk, job, backend, same_as).result()
    except BrokenProcessPool:
        tally = Tally()
        if count == 1:
            pool = Pool()
            with np.errstate(all="ignore"):
                program = generate.generate(first, pool)
            tally.add(Tally(1, [(first, shrink.report(program, pool, first, "the process died"))]))
        else:
            tally.add(_alone((first, count // 2), backend, isa, same_as))
            tally.add(_alone((first + count // 2, count - count // 2), backend, isa, same_as))
        return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--same-as", default="", metavar="BACKEND", help="whose bits are compared with, too")
    parser.add_argument("--isa", default="avx512", help="avx512, avx2 or generic")
    parser.add_argument("--chunk", type=int, default=N_PER_CHUNK, help="programs per task of a process")
    options = parser.parse_args()
    started = time.monotonic()
    shown = 0

    total = Tally()
    for tally in run(
        options.programs, options.seed, options.jobs, options.chunk, options.backend, options.isa, options.same_as
    ):
        total.add(tally)
        for _, report in total.failures[shown:N_REPORTED]:
            print(report, flush=True)
        shown = len(total.failures)
        if sys.stderr.isatty():
            print(f"\r{total.programs} programs, {shown} failures", end="", file=sys.stderr)
    seconds = time.monotonic() - started
    rate = total.programs / max(seconds, 1e-9)
    print(
        f"{total.programs} programs compared in {seconds:.0f} s ({rate:.0f} per second), {len(total.failures)} failures"
    )
    if total.failures:
        print("failing seeds:", " ".join(str(seed) for seed, _ in total.failures[:200]))
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())

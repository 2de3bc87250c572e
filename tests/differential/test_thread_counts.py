"""Generated programs over operands large enough for several threads: the same bits for any number of them.

The programs are those of the generator; what its operands hold is repeated along the first axis until there is work for
several threads. NumPy is not asked: what one thread computes is.
"""

import random

import numpy as np
import pytest

import engine
from tests.differential import generate
from tests.differential.compare import copies
from tests.differential.operands import Pool, View
from tests.differential.program import Program, Store, program_text

N_PROGRAMS = 60  # per part
N_PARTS = 2
N_ITEMS = 100_000
THREADS = (2, 3, 5)


def enlarged(program: Program, buffers, rng: random.Random) -> dict | None:
    """The operands with their longest first axis repeated, some of them reversed or in Fortran order."""
    arrays = {n: o.array(buffers) if type(o) is View else o for n, o in program.operands.items()}
    rank = max((a.ndim for a in arrays.values() if isinstance(a, np.ndarray)), default=0)
    full = [a for a in arrays.values() if isinstance(a, np.ndarray) and a.ndim == rank and a.size > 1]
    if not rank or not full:
        return None
    largest = max(full, key=lambda a: a.size)
    first = largest.shape[0]
    times = max(1, N_ITEMS // largest.size)
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.ndim != rank or array.shape[0] != first:
            continue
        big = np.resize(array, (first * times, *array.shape[1:]))
        if rng.random() < 0.3:
            big = np.asfortranarray(big)
        arrays[name] = big[::-1] if rng.random() < 0.2 else big
    return arrays


def outcome(program: Program, names: dict, threads: int):
    """What it gives, or the class of its error, and what the operands hold afterwards."""
    names = {n: v.copy(order="K") if isinstance(v, np.ndarray) else v for n, v in names.items()}
    call = engine.blitz if program.door == "blitz" else engine.evaluate
    try:
        value = np.asarray(call(program_text(program), names, threads=threads))
        result = (value.dtype, value.shape, value.tobytes())
    except engine.Error as error:
        return type(error), None, 1
    used = engine.last_run().threads
    return result, {n: v.tobytes() for n, v in names.items() if isinstance(v, np.ndarray)}, used


@pytest.mark.parametrize("part", range(N_PARTS))
def test_results_are_the_same_bits_for_any_number_of_threads(part):
    pool, rng = Pool(), random.Random(part)
    wrong, n_parallel, seed, n = [], 0, 50_000 * (part + 1), 0
    with np.errstate(all="ignore"):
        while n < N_PROGRAMS:
            seed += 1
            program = generate.generate(seed, pool)
            names = enlarged(program, copies(program, pool), rng)
            if names is None:
                continue
            n += 1
            one = outcome(program, names, 1)
            for threads in THREADS:
                several = outcome(program, names, threads)
                n_parallel += several[2] > 1
                if several[:2] != one[:2]:
                    wrong.append(f"seed {seed}, {threads} threads: {program_text(program)}")
    assert not wrong, "\n".join(wrong[:10])
    assert n_parallel > N_PROGRAMS // 4  # of those that compute something


def test_programs_that_write_are_among_them():
    pool = Pool()
    with np.errstate(all="ignore"):
        programs = [generate.generate(50_001 + n, pool) for n in range(N_PROGRAMS)]
    assert sum(any(type(s) is Store for s in program.statements) for program in programs) > N_PROGRAMS // 10

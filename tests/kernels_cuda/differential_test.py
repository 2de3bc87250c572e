"""Generated programs on the backend "cuda" against NumPy, on the stand-in with all checks on: blocks in order and
interleaved by seeds, with streams that run at once and with streams that run when somebody waits for them.
"""

import re

import pytest

from tests.differential import relaxed
from tests.kernels_cuda.process import lines

PROGRAMS = 1700  # per order, the same in each; of some the oracle does not know the answer
# Blocks in order, or interleaved by a seed; streams that run at once, or when somebody waits for them.
ORDERS = ((0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (3, 1))


def compare(folder, seed, defer, first, programs):
    """How many programs gave what NumPy does."""
    words = (
        f"-m tests.differential.soak --backend cuda --jobs 1 --programs {programs} --seed {first} --chunk 313".split()
    )
    printed = lines(folder, *words, STANDIN_SEED=seed, STANDIN_DEFER=defer)
    found = re.fullmatch(r"(\d+) programs compared .* 0 failures", printed[-1])
    assert found
    return int(found[1])


@pytest.mark.parametrize("part", range(4))
def test_generated_programs_give_what_numpy_does(shared, part):
    """Kernels are compiled once, for the first order."""
    first = 1_000_000 + part * PROGRAMS // 4
    compared = [compare(shared, *order, first, PROGRAMS // 4) for order in ORDERS]
    assert min(compared) >= 0.95 * PROGRAMS // 4 and len(set(compared)) == 1


def test_relaxed_arithmetic_has_the_bits_of_the_host(shared):
    count = 150
    words = f"-m tests.differential.relaxed --backend cuda --count {count}".split()
    assert lines(shared, *words, STANDIN_SEED=1) == relaxed.digests(0, count, "interp")

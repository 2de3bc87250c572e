"""Generated arithmetic with exactness="relaxed": bits that no backend and no instruction set changes."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.differential import relaxed, soak
from tests.hosts import HOSTS

FIRST, COUNT = 0, 3000


def digests(isa, backend):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), soak._use, (isa,)) as worker:
        return worker.submit(relaxed.digests, FIRST, COUNT, backend).result()


@pytest.fixture(scope="module")
def wanted():
    return digests("generic", "interp")


@pytest.mark.parametrize("backend", HOSTS)
@pytest.mark.parametrize("isa", ("avx512", "avx2"))
def test_it_gives_the_same_bits_everywhere(wanted, isa, backend):
    got = digests(isa, backend)
    different = [FIRST + i for i in range(COUNT) if got[i] != wanted[i]]
    assert not different, f"{len(different)} of {COUNT}: seeds {different[:20]}"


def test_much_of_it_is_changed():
    assert relaxed.n_changed(FIRST, 300) > 60

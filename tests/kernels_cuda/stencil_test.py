"""Stencils on the stand-in: an inside and rims, steps, constants beyond the sides of what is on the device."""

import pytest

from tests.kernels_cuda.process import lines


@pytest.mark.parametrize("seed", [0, 1])
def test_stencils_and_shifts_have_the_interpreters_bits(shared, seed):
    printed = lines(shared, "-m", "tests.kernels_cuda.stencils", STANDIN_SEED=seed)
    assert printed == ["out is not where its field is", "368"]

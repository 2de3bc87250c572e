"""Stencils on the stand-in: an inside and rims, steps, constants beyond the sides of what is on the device."""

import re

import pytest

from tests.kernels_cuda.process import lines


@pytest.mark.parametrize("seed", [0, 1])
def test_stencils_and_shifts_have_the_interpreters_bits(shared, seed):
    printed = lines(shared, "-m", "tests.kernels_cuda.stencils", STANDIN_SEED=seed)
    assert printed == ["out is not where its field is", "372"]


@pytest.mark.parametrize(("seed", "defer"), [(0, 0), (2, 1)])
def test_generated_stencils_of_a_device_have_numpys_bits(shared, seed, defer):
    """Several steps at a time: more by tests.differential.stencils itself."""
    words = "-m tests.differential.stencils --device --cases 90 --seed 0 --jobs 1".split()
    printed = lines(shared, *words, STANDIN_SEED=seed, STANDIN_DEFER=defer)
    assert re.fullmatch(r"90 stencils compared in \d+ s, 0 failures", printed[-1])


def test_several_steps_are_one_launch_and_many_brief_ones_one_graph(shared):
    printed = lines(shared, "-m", "tests.kernels_cuda.stencil_launches")
    assert printed == ["few launches", "a graph", "to the device once"]

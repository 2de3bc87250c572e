"""10,000 generated stencils, whose steps, boundaries and fields have NumPy's bits; more by stencils.py itself."""

import pytest

from tests.differential.stencils import check_many

PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_generated_stencils_have_the_bits_of_numpys_neighbours(part):
    count = 10_000 // PARTS
    assert check_many(part * count, count) == []

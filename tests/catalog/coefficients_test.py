"""The coefficients of the elementary functions are what their scripts compute."""

import pytest

from tools.coefficients.__main__ import FOLDER, families, text
from tools.coefficients.minimax import minimax, mp


@pytest.mark.parametrize("family", families())
def test_regenerating_gives_the_same_text(family):
    assert (FOLDER / f"{family}_coefficients.hpp").read_text() == text(family)


def test_the_fit_is_as_good_as_chebyshevs_bound_allows():
    """The least largest error of degree n over [-1, 1] to x^(n+1) is 2^-n (Chebyshev, 1854)."""
    coefficients, error = minimax(lambda x: x**5, -1, 1, range(5), weight=lambda x: mp.mpf(1))
    assert error == pytest.approx(2**-4, rel=1e-3)
    assert [float(c) for c in coefficients] == pytest.approx([0, -5 / 16, 0, 5 / 4, 0], abs=2e-3)


def test_rounded_coefficients_have_the_bits_asked_for():
    coefficients, _ = minimax(mp.exp, -0.5, 0.5, range(4), bits=[24, 11, 8, 53])
    for c, bits in zip(coefficients, [24, 11, 8, 53]):
        mantissa = int(mp.ldexp(mp.frexp(c)[0], 60))
        assert mantissa % 2 ** (60 - bits) == 0

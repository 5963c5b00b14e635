"""Chances without SciPy are SciPy's."""

import numpy as np
import pytest
from scipy.special import chdtrc, ndtri

from dqops.tables.chances import chi_square_beyond, normal_quantiles


@pytest.mark.parametrize("freedom", [1, 2, 3, 8, 11, 30])
@pytest.mark.parametrize("statistic", [0.0, 1e-6, 0.5, 3.0, 40.0, 1500.0, 1e5])
def test_chi_square_is_that_of_scipy(freedom, statistic):
    assert chi_square_beyond(freedom, statistic) == pytest.approx(chdtrc(freedom, statistic), rel=1e-9, abs=1e-300)


def test_normal_quantiles_are_those_of_scipy():
    shares = np.linspace(1e-4, 1 - 1e-4, 101)
    assert np.allclose(normal_quantiles(shares), ndtri(shares), rtol=0, atol=1e-12)

"""Weights and values that can be checked by hand."""

from fractions import Fraction

import numpy as np
import pytest
from naive.semivalues import banzhaf, neighbour_vote, semivalue, shapley

from dqops.valuers.sampling import semivalue_weights

AGREES = (1, 0, 0, 1, 1, 0)


def test_weights_of_beta_shapley():
    weights = semivalue_weights(20, "beta", (16, 1))
    assert weights[0] == pytest.approx(16 / 35, rel=1e-9)
    assert weights[-1] == pytest.approx(2.46e-10, rel=2e-3)
    assert semivalue_weights(20, "beta", (4, 1))[0] == pytest.approx(4 / 23, rel=1e-9)
    assert semivalue_weights(20, "beta", (1, 1)) == pytest.approx(semivalue_weights(20, "shapley"), rel=1e-9)


@pytest.mark.parametrize("kind", ["shapley", "banzhaf", "beta", "loo"])
@pytest.mark.parametrize("n_rows", [1, 2, 9, 400, 5000])
def test_weights_sum_to_one(kind, n_rows):
    assert semivalue_weights(n_rows, kind, (16, 1)).sum() == pytest.approx(1, abs=1e-9)


def test_banzhaf_values_of_three_neighbours():
    exact = [Fraction(11, 48), Fraction(-5, 48), Fraction(-5, 48), Fraction(11, 48), Fraction(11, 48), Fraction(0)]
    assert banzhaf(neighbour_vote(AGREES, 3), 6) == pytest.approx([float(one) for one in exact])


def test_the_definitions_agree():
    utility = neighbour_vote(AGREES, 3)
    assert semivalue(utility, 6, semivalue_weights(6, "shapley")) == pytest.approx(shapley(utility, 6))
    assert semivalue(utility, 6, semivalue_weights(6, "banzhaf")) == pytest.approx(banzhaf(utility, 6))
    assert shapley(utility, 6).sum() == pytest.approx(utility(set(range(6))))
    assert np.allclose(semivalue(utility, 6, semivalue_weights(6, "loo")), [utility(set(range(6))) - utility(set(range(6)) - {row}) for row in range(6)])

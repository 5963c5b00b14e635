"""Influence where it can be done by hand: x = 1, 2, 3, y = 1, 2, 2, ridge of strength 1 through the origin."""

import pytest
from sklearn.linear_model import Ridge

from dqops.valuers.influence import influence

# θ = 11/15; without row 3 it is (1 + 4) / (1 + 4 + 1) = 5/6, and to first order 11/15 + 3 · 0.2 / 15.
X, Y = [[1.0], [2.0], [3.0]], [1.0, 2.0, 2.0]


@pytest.mark.parametrize(("step", "slope"), [("newton", 5 / 6), ("first_order", 0.7733333333333333)])
def test_the_third_row_leaves(step, slope):
    # Holdout x = 1, y = 0: the loss is the slope squared, and its own slope there is twice the slope.
    value = influence(X, Y, [[1.0]], [0.0], model=Ridge(alpha=1, fit_intercept=False), step=step).value[2]
    exact = slope**2 - (11 / 15) ** 2
    to_first_order = 2 * (11 / 15) * (slope - 11 / 15)
    assert value == pytest.approx(exact if step == "newton" else to_first_order, rel=1e-12)

"""Numbers on the Bayes error that can be worked out: Cover and Hart's bound, votes, noise, and discrete tables."""

import numpy as np
import pytest

from dqops.errors import OptionError
from dqops.limits.asymptotics import cover_hart, spanning_tree_bounds, tangent_point, vote_bound, vote_error
from dqops.limits.noise import clean_error, error_under, noisy_error, share_left, tolerable_rate


@pytest.mark.parametrize(
    ("error", "n_classes", "bound"),
    [(0.1007, 10, 0.0518), (0.4518, 5, 0.2722), (0.2, 2, 0.112702), (0.3, 3, 0.172253), (0.25, 4, 0.137628), (0.9, 10, 0.9), (0.95, 10, 0.9), (0.0, 3, 0.0)],
)
def test_cover_and_hart(error, n_classes, bound):
    assert cover_hart(error, n_classes) == pytest.approx(bound, abs=5e-5)


@pytest.mark.parametrize(("k", "point", "slope"), [(3, 0.2258, 1.31557), (5, 0.2955, 1.21755), (7, 0.3313, 1.17332)])
def test_where_the_envelope_leaves_its_line(k, point, slope):
    found = tangent_point(k)
    assert found == (pytest.approx(point, abs=2e-4), pytest.approx(slope, abs=2e-5))
    grid = np.linspace(1e-4, 0.5, 2001)
    assert (vote_error(grid, k) <= found[1] * grid + 1e-12).all()


def test_a_vote_of_three():
    assert vote_bound(0.20, 3) == pytest.approx(0.1520, abs=5e-5)
    assert vote_bound(0.20, 3) > 0.1268  # what the loose factor 1 + 1/sqrt(3) gives


@pytest.mark.parametrize("k", [1, 3, 5, 7])
def test_bounds_rise_from_nothing_to_chance(k):
    errors = np.linspace(0, 0.5, 41)
    bounds = [vote_bound(error, k) for error in errors]
    assert bounds[0] == 0
    assert bounds[-1] == pytest.approx(0.5)
    assert (np.diff(bounds) > 0).all()
    assert (np.array(bounds) <= errors + 1e-12).all()


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_discrete_tables_keep_between_the_bounds(rng, n_classes, k):
    """With rows without end the neighbour of a discrete row is an equal row with a label of its own."""
    for strength in (0.1, 1.0, 10.0):
        chances = rng.dirichlet(np.full(n_classes, strength), size=12)
        weights = rng.dirichlet(np.ones(12))
        best = float(weights @ (1 - chances.max(axis=1)))
        if k == 1:
            error = float(weights @ (1 - (chances**2).sum(axis=1)))
            assert cover_hart(error, n_classes) <= best + 1e-12 <= error + 2e-12
            low, high = spanning_tree_bounds(error, n_classes)
            assert low <= best + 1e-12 <= high + 2e-12
        elif n_classes == 2:
            error = float(weights @ vote_error(chances.min(axis=1), k))
            assert vote_bound(error, k) <= best + 1e-12 <= error + 2e-12


def test_wrong_labels_raise_the_least_error():
    assert noisy_error(0.05, 0.2, 10, redraw=True) == pytest.approx(0.22)
    assert noisy_error(0.05, 0.2 * 0.9, 10) == pytest.approx(0.22)
    assert clean_error(0.22, 0.18, 10) == pytest.approx(0.05)
    assert tolerable_rate(0.22, 0.05, 10) == pytest.approx(0.18)
    assert tolerable_rate(0.04, 0.05, 10) == 0


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_formula_of_even_noise_is_the_definition(rng, n_classes, share):
    posterior = rng.dirichlet(np.ones(n_classes), size=300)
    redrawn = (1 - share) * np.eye(n_classes) + share / n_classes
    best = error_under(posterior, np.eye(n_classes))
    assert error_under(posterior, redrawn) == pytest.approx(noisy_error(best, share, n_classes, redraw=True))


def test_how_much_noise_a_goal_leaves(rng):
    posterior, noise = rng.dirichlet(np.full(3, 0.2), size=500), 0.7 * np.eye(3) + 0.1
    best, worst = error_under(posterior, np.eye(3)), error_under(posterior, noise)
    left = share_left(posterior, noise, (best + worst) / 2)
    assert error_under(posterior, (1 - left) * np.eye(3) + left * noise) == pytest.approx((best + worst) / 2, abs=1e-6)
    assert share_left(posterior, noise, worst) == 1
    assert np.isnan(share_left(posterior, noise, best - 0.01))


@pytest.mark.parametrize("rate", [-0.1, 1.01, float("nan")])
def test_rates_are_shares(rate):
    with pytest.raises(OptionError, match="share between 0 and"):
        noisy_error(0.1, rate, 2)

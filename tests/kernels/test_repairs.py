"""Kernels of repairs against all orders of arrival, and against laws at larger sizes."""

import numpy as np
import pytest
from naive import repairs as naive

from dqops.kernels import repairs as kernels
from dqops.kernels.shapley import rank_weights, vote_values


@pytest.fixture
def ranked(rng):
    def make(n):
        order, ranks = rng.permutation(n).astype(np.int32), np.empty(n, np.int32)
        kernels.ranks_of(order, ranks)
        return order, ranks

    return make


def test_ranks_are_places(ranked):
    order, ranks = ranked(9)
    wanted = np.empty(9, np.int32)
    naive.ranks_of(order, wanted)
    np.testing.assert_array_equal(ranks, wanted)


@pytest.mark.parametrize("metric", [0, 1, 2])
@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_moved_row_takes_the_rank_of_its_distance(rng, metric, n):
    X, point = rng.integers(0, 4, size=(n, 2)).astype(float), np.array([1.0, 2.0])
    near = naive.listed_distances(X, range(n), point, metric)
    order, ranks = np.argsort(near, kind="stable").astype(np.int32), np.empty(n, np.int32)
    kernels.ranks_of(order, ranks)
    rows = rng.integers(0, n, size=40)
    distances = np.append(near[rng.integers(0, n, size=30)], rng.choice([-99.0, 99.0], size=10))
    given = order, ranks, X, point, metric, rows, distances
    np.testing.assert_array_equal(kernels.moved_ranks(*given), naive.moved_ranks(*given))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 3), (2, 1), (5, 1), (6, 3), (4, 9), (7, 2)])
@pytest.mark.parametrize("kind", ["label", "soft"])
@pytest.mark.parametrize("moves", [False, True])
def test_gains_are_the_difference_between_two_games(rng, ranked, n, k, kind, moves):
    order, ranks = ranked(n)
    rows = rng.integers(0, n, size=6)
    new_ranks = rng.integers(1, n + 1, size=6) if moves else ranks[rows].astype(np.int64)
    utility = rng.random(n) < 0.5 if kind == "label" else rng.normal(size=n)
    new_utility = rng.random(6) < 0.5 if kind == "label" else rng.normal(size=6)
    given = order, ranks, utility, rank_weights(n, k), k, rows, new_ranks, new_utility
    found, wanted = np.empty((2, 6)), np.empty((2, 6))
    kernels.repair_gains(*given, *found)
    naive.repair_gains(*given, *wanted)
    np.testing.assert_allclose(found, wanted, atol=1e-13)


def test_gains_of_many_rows_are_the_difference_of_their_values(rng, ranked):
    n, k, count = 800, 5, 60
    order, ranks = ranked(n)
    utility, weights = rng.random(n) < 0.4, rank_weights(n, k)
    rows, new_ranks, new_utility = rng.integers(0, n, size=count), rng.integers(1, n + 1, size=count), rng.random(count) < 0.5
    gains, effects = np.empty(count), np.empty(count)
    kernels.repair_gains(order, ranks, utility, weights, k, rows, new_ranks, new_utility, gains, effects)
    before, after = np.empty(n), np.empty(n)
    vote_values(order, utility, weights, before)
    for repair, row in enumerate(rows):
        moved = np.insert(order[order != row], new_ranks[repair] - 1, row)
        changed = utility.copy()
        changed[row] = new_utility[repair]
        vote_values(moved, changed, weights, after)
        assert gains[repair] == pytest.approx(after[row] - before[row], abs=1e-13)
        assert effects[repair] == pytest.approx(after.sum() - before.sum(), abs=1e-11)

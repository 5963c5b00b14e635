"""Kernels of KNN-Shapley against all orders of arrival, and against laws at larger sizes."""

import numpy as np
import pytest
from naive import shapley as naive

from dqops.kernels import shapley as kernels

SIZES = [(1, 1), (2, 1), (5, 1), (6, 3), (4, 9), (7, 2)]


@pytest.mark.parametrize(("n", "k"), [*SIZES, (30, 4)])
def test_weights_are_the_chance_to_be_asked_over_k(n, k):
    np.testing.assert_allclose(kernels.rank_weights(n, k), naive.rank_weights(n, k), rtol=1e-15)


@pytest.mark.parametrize(("n", "k"), SIZES)
@pytest.mark.parametrize("kind", ["label", "soft", "same"])
def test_vote_values_are_the_average_over_arrivals(rng, n, k, kind):
    utility = {"label": rng.random(n) < 0.5, "soft": rng.normal(size=n), "same": np.ones(n, bool)}[kind]
    order = rng.permutation(n).astype(np.int32)
    found, wanted = np.empty(n), np.empty(n)
    kernels.vote_values(order, utility, kernels.rank_weights(n, k), found)
    naive.vote_values(order, utility, kernels.rank_weights(n, k), wanted)
    np.testing.assert_allclose(found, wanted, atol=1e-13)


def test_vote_values_share_out_the_vote_and_shrink_with_the_rank(rng):
    n, k = 3000, 7
    order, utility, values = rng.permutation(n).astype(np.int32), rng.random(n) < 0.3, np.empty(n)
    kernels.vote_values(order, utility, kernels.rank_weights(n, k), values)
    assert values.sum() == pytest.approx(utility[order[:k]].sum() / k, abs=1e-12)
    assert (np.abs(values[order]) <= 1 / np.maximum(np.arange(1, n + 1), k) + 1e-15).all()


@pytest.mark.parametrize(("n_nearest", "n", "k"), [(2, 3, 1), (3, 6, 2), (4, 7, 4), (1, 5, 1)])
@pytest.mark.parametrize("kind", ["label", "soft"])
def test_nearest_values_take_the_others_as_equally_useful(rng, n_nearest, n, k, kind):
    utility = rng.random((3, n_nearest)) if kind == "soft" else rng.random((3, n_nearest)) < 0.5
    rest = rng.random(3) * (n - n_nearest) if kind == "soft" else rng.integers(0, n - n_nearest + 1, size=3).astype(float)
    for found, wanted in zip(kernels.nearest_values(utility, rest, n, k), naive.nearest_values(utility, rest, n, k), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-13)


def test_nearest_values_are_off_by_one_amount_within_the_bound(rng):
    n, n_nearest, k = 500, 40, 5
    utility = rng.random(n) < rng.random(n)
    exact = np.empty(n)
    kernels.vote_values(np.arange(n, dtype=np.int32), utility, kernels.rank_weights(n, k), exact)
    values, bounds = kernels.nearest_values(utility[None, :n_nearest], np.array([utility[n_nearest:].sum() * 1.0]), n, k)
    off = values[0] - exact[:n_nearest]
    np.testing.assert_allclose(off, off[0], atol=1e-13)
    assert 0 < abs(off[0]) <= bounds[0]


@pytest.mark.parametrize(("n", "k"), SIZES)
def test_target_values_are_the_average_over_arrivals(rng, n, k):
    targets, target, order = rng.normal(size=n), rng.normal(), rng.permutation(n).astype(np.int32)
    found, wanted = np.empty(n), np.empty(n)
    kernels.target_values(order, targets, target, k, found)
    naive.target_values(order, targets, target, k, wanted)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_target_values_share_out_the_fall_of_the_error(rng):
    n, k, target = 2000, 6, 0.7
    targets, order, values = rng.normal(size=n), rng.permutation(n).astype(np.int32), np.empty(n)
    kernels.target_values(order, targets, target, k, values)
    assert values.sum() == pytest.approx(target**2 - (targets[order[:k]].mean() - target) ** 2, abs=1e-10)


def test_unit_order_is_that_of_nearest_rows(rng):
    order, units = rng.permutation(40).astype(np.int32), np.append(np.arange(9), rng.integers(0, 9, size=31))
    for found, wanted in zip(kernels.unit_order(order, units, 9), naive.unit_order(order, units, 9), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_sums_equal_their_twins(rng):
    values, rows = rng.normal(size=(3, 4)), np.array([[0, 5, 2, 1], [5, 4, 3, 2], [1, 0, 5, 2]], np.int32)
    found, wanted = np.zeros((2, 6)), np.zeros((2, 6))
    kernels.scatter_values(rows, values, *found)
    naive.scatter_values(rows, values, *wanted)
    np.testing.assert_allclose(found, wanted)
    kernels.add_values(np.arange(6.0), *found)
    naive.add_values(np.arange(6.0), *wanted)
    np.testing.assert_allclose(found, wanted)

"""Kernels of influence in trees against their twins."""

import numpy as np
import pytest
from naive import tree_influence as naive

from dqops.kernels import tree_influence as kernels


@pytest.mark.parametrize(("n_rows", "n_leaves", "l2", "dtype"), [(1, 1, 0.0, np.uint8), (9, 3, 0.0, np.uint8), (9, 3, 2.0, np.uint16), (12, 12, 0.5, np.int32)])
def test_boosted_leaves_equal_their_twin(rng, n_rows, n_leaves, l2, dtype):
    leaf = rng.integers(n_leaves, size=n_rows).astype(dtype)
    given = (leaf, rng.normal(size=n_rows), rng.uniform(size=n_rows), rng.normal(size=n_rows), rng.normal(size=n_leaves), 0.1, l2)
    for found, wanted in zip(kernels.boosted_leaves(*given), naive.boosted_leaves(*given), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_rows_without_curvature_say_nothing():
    said, strength, removal = kernels.boosted_leaves(np.zeros(3, np.uint8), np.ones(3), np.zeros(3), np.ones(3), np.ones(1), 0.1, 0.0)
    assert (said[0], strength[0], removal.tolist()) == (0.0, 0.0, [0.0, 0.0, 0.0])


def test_small_removals_add_up_to_the_leaf_itself(rng):
    # To first order, taking a little of every row away changes nothing in a leaf without a penalty.
    leaf, bend = rng.integers(5, size=20_000).astype(np.uint8), rng.uniform(0.5, 1.0, size=20_000)
    slope, pull = rng.normal(size=20_000), rng.normal(size=20_000)
    removal = kernels.boosted_leaves(leaf, slope, bend, pull, rng.normal(size=5), 0.1, 0.0)[2]
    assert abs(removal.sum()) < 1e-2 * np.abs(removal).sum()


@pytest.mark.parametrize(("n_rows", "n_leaves", "n_outcomes"), [(1, 1, 1), (9, 4, 1), (9, 3, 3)])
def test_forest_leaves_equal_their_twin(rng, n_rows, n_leaves, n_outcomes):
    leaf, weight = rng.integers(n_leaves, size=n_rows), rng.integers(3, size=n_rows).astype(float)
    given = (leaf, weight, rng.normal(size=(n_rows, n_outcomes)), rng.normal(size=(n_leaves, n_outcomes)), rng.normal(size=n_leaves))
    for found, wanted in zip(kernels.forest_leaves(*given), naive.forest_leaves(*given), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_shares_of_a_leaf_add_up_to_one(rng):
    leaf, weight = rng.integers(50, size=5000), rng.integers(1, 4, size=5000).astype(float)
    share = kernels.forest_leaves(leaf, weight, np.ones((5000, 2)), np.ones((50, 2)), np.ones(50))[0]
    np.testing.assert_allclose(np.bincount(leaf, share), 1.0)

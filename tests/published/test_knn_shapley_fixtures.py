"""Values of KNN-Shapley that can be worked out by hand."""

import numpy as np
import pytest

from dqops.kernels.shapley import rank_weights, target_values, vote_values
from dqops.valuers.knn_shapley import knn_shapley

X, Y = [[0.9], [0.0], [1.0]], [1, 0, 0]
HOLDOUT, ANSWERS = [[1.0], [0.0]], [1, 0]


@pytest.mark.parametrize(("k", "values"), [(1, [1 / 6, 5 / 12, -1 / 12]), (2, [1 / 6] * 3), (5, [1 / 10] * 3)])
def test_three_rows(k, values):
    np.testing.assert_allclose(knn_shapley(X, Y, HOLDOUT, ANSWERS, k=k).value, values, atol=1e-15)


def test_three_right_rows_of_five_asked_are_worth_a_fifth_each():
    np.testing.assert_allclose(knn_shapley(X, [0, 0, 0], [[2.0]], [0], k=5).value, [1 / 5] * 3, atol=1e-15)


@pytest.mark.parametrize(
    ("k", "values"),
    [(3, [1 / 5, -2 / 15, -2 / 15, 1 / 5, 1 / 5, 0]), (1, [13 / 15, -2 / 15, -2 / 15, 1 / 5, 1 / 5, 0])],
)
def test_six_rows(k, values):
    utility = np.array([1, 0, 0, 1, 1, 0], dtype=bool)
    found = np.empty(6)
    vote_values(np.arange(6, dtype=np.int32), utility, rank_weights(6, k), found)
    np.testing.assert_allclose(found, values, atol=1e-15)
    row = np.arange(6.0)[:, None]
    np.testing.assert_allclose(knn_shapley(row, utility, [[-1.0]], [True], k=k).value, values, atol=1e-15)


def test_soft_labels():
    found = np.empty(4)
    vote_values(np.arange(4, dtype=np.int32), np.array([1 / 3, 3 / 4, 1 / 5, 1.0]), rank_weights(4, 2), found)
    np.testing.assert_allclose(found, [1 / 20, 31 / 120, -1 / 60, 1 / 4], atol=1e-15)
    chances = np.array([[2 / 3, 1 / 3], [1 / 4, 3 / 4], [4 / 5, 1 / 5], [0.0, 1.0]])
    value = knn_shapley(np.arange(4.0)[:, None], chances, [[-1.0]], [1], k=2).value
    np.testing.assert_allclose(value, [1 / 20, 31 / 120, -1 / 60, 1 / 4], atol=1e-15)


def test_regression():
    wanted = [1 / 6, -5 / 6, 2 / 3, 0]
    found = np.empty(4)
    target_values(np.arange(4, dtype=np.int32), np.array([1.0, -1.0, 2.0, 0.0]), 1.0, 2, found)
    np.testing.assert_allclose(found, wanted, atol=1e-15)
    # The mean of these targets is not 0: deviations from it count, so shift until it is.
    targets = np.array([1.0, -1.0, 2.0, 0.0])
    value = knn_shapley(np.arange(4.0)[:, None], targets + 10, [[-1.0]], [11.0], k=2, task="regression").value
    centred, again = targets - targets.mean(), np.empty(4)
    target_values(np.arange(4, dtype=np.int32), centred, 1.0 - targets.mean(), 2, again)
    np.testing.assert_allclose(value, again, atol=1e-13)

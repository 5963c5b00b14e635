"""k-NN over worlds where it can be done by hand: five rows, three of them with two candidates."""

import numpy as np
import pytest

import dqops
from dqops.models.knn_worlds import KnnWorlds

# Similarities 9 | 8, 2 | 7, 1 | 6 | 5, 3 to the one holdout row at 0: distances are 10 less the similarity.
CANDIDATES = [[[1.0]], [[2.0], [8.0]], [[3.0], [9.0]], [[4.0]], [[5.0], [7.0]]]
LABELS = [1, 0, 0, 1, 0]
WEIGHTS = [[1], [3 / 4, 1 / 4], [1 / 2, 1 / 2], [1], [1 / 5, 4 / 5]]


@pytest.mark.parametrize(("k", "weights", "chance"), [(3, None, 2 / 8), (1, None, 0), (3, WEIGHTS, 3 / 8)])
def test_worlds_that_predict_0(k, weights, chance):
    told = dqops.certain_predictions(CANDIDATES, LABELS, [[0.0]], k=k, weights=weights)
    assert told.probabilities[0] == pytest.approx([chance, 1 - chance])
    assert told.certain.tolist() == [chance == 0]


def test_entropy_now_and_after_one_row_is_cleaned():
    start = np.array([0, 1, 3, 5, 6, 8])
    points, shares = np.concatenate([np.array(row) for row in CANDIDATES]), np.concatenate([np.full(len(row), 1 / len(row)) for row in CANDIDATES])
    told = KnnWorlds(points, start, shares, np.array(LABELS), np.zeros((1, 1)))
    assert told.entropy()[0] == pytest.approx(0.562335, abs=1e-6)
    assert told.expected_entropy() == pytest.approx([0.562335, 0.346574, 0.346574, 0.562335, 0.562335], abs=1e-6)


def test_the_nearest_candidates_need_not_be_the_best_for_a_class():
    # With three classes class 0 wins half of the worlds, though not where its row is nearest and all others farthest.
    similar = [[9, 2], [4], [6], [10], [1]]
    candidates = [[[10.0 - one] for one in row] for row in similar]
    told = dqops.certain_predictions(candidates, [1, 2, 0, 2, 1], [[0.0]], k=3)
    assert told.probabilities[0, 0] == pytest.approx(1 / 2)
    assert told.possible[0, 0]

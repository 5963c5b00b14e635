"""Candidates as arrays: any common form in, one form out, or one sentence."""

import numpy as np
import pytest

from dqops.errors import ApproximationWarning, DataError
from dqops.models.candidate_arrays import candidate_arrays

ROWS = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])]


def test_a_sequence_and_a_padded_array_are_the_same():
    padded = np.full((2, 2, 2), np.nan)
    padded[0], padded[1, 0] = ROWS[0], ROWS[1][0]
    mask = np.array([[True, True], [True, False]])
    weights = np.array([[3.0, 1.0], [2.0, np.nan]])
    hidden = np.ma.masked_invalid(padded)
    for given in [(ROWS, [[3, 1], [2]], None), (padded, weights, mask), (hidden, [[3, 1], [2]], None)]:
        points, start, shares = candidate_arrays(*given)
        assert points.tolist() == [[1, 2], [3, 4], [5, 6]]
        assert start.tolist() == [0, 2, 3]
        assert shares.tolist() == [0.75, 0.25, 1]


def test_a_candidate_of_weight_0_is_in_no_world():
    points, start, shares = candidate_arrays(ROWS, [[0, 5], [1]])
    assert (points.tolist(), start.tolist(), shares.tolist()) == ([[3, 4], [5, 6]], [0, 1, 2], [1, 1])


def test_weights_that_are_all_0_are_equal_and_said_so():
    with pytest.warns(ApproximationWarning, match="all weights of row 0 are 0"):
        assert candidate_arrays(ROWS, [[0, 0], [1]])[2].tolist() == [0.5, 0.5, 1]


@pytest.mark.parametrize(
    ("candidates", "weights", "mask", "said"),
    [
        ([], None, None, "there are no candidate rows"),
        ([ROWS[0], []], None, None, "row 1 has no candidate"),
        ([ROWS[0], np.empty((0, 2))], None, None, "row 1 has no candidate"),
        ([ROWS[0], [[1.0]]], None, None, "candidates of row 1 have shape"),
        ([ROWS[0], [1.0, 2.0]], None, None, "candidates of row 1 have shape"),
        ([ROWS[0], [[1.0, np.nan]]], None, None, "a candidate of row 1 holds NaN or infinity"),
        ([ROWS[0], [[1.0, np.inf]]], None, None, "a candidate of row 1 holds NaN or infinity"),
        ([[["a", "b"]]], None, None, "text or dates"),
        ([np.array([[None, "b"]], dtype=object)], None, None, "something that is no number"),
        (ROWS, [[1, -1], [1]], None, "row 0 has a weight that is negative"),
        (ROWS, [[1, 1], [np.nan]], None, "row 1 has a weight that is negative, NaN"),
        (ROWS, [[1, 1]], None, "2 rows of candidates and 1 of weights"),
        (ROWS, [[1], [1]], None, "row 0 has 2 candidates and 1 weights"),
        (ROWS, None, np.ones((2, 2)), "a mask beside a sequence"),
        (np.ones((2, 3)), None, None, r"candidates have shape \(2, 3\)"),
        (np.ones((2, 2, 1)), None, np.ones((2, 3)), r"the mask has shape \(2, 3\)"),
        (np.ones((2, 2, 1)), None, np.array([[1, 1], [0, 0]]), "row 1 has no candidate"),
        (np.ones((2, 2, 1)), np.ones((2, 3)), None, r"weights have shape \(2, 3\)"),
        (np.empty((0, 2, 1)), None, None, "there are no candidate rows"),
    ],
)
def test_what_cannot_be_a_candidate_is_refused_in_one_sentence(candidates, weights, mask, said):
    with pytest.raises(DataError, match=said):
        candidate_arrays(candidates, weights, mask)

"""Candidates keep their shape, say what is wrong with them, and add up."""

import numpy as np
import polars as pl
import pytest

from dqops.errors import ApproximationWarning, DataError, OptionError
from dqops.results.candidates import Candidates, Doubts


def test_weights_are_shares_and_what_cannot_be_is_left_out():
    doubts = Doubts.of("a", [4, 1], [["x", "y", "z"], ["u"]], [[3, 0, 1], [2]], rows=pl.Series(["r4", "r1"]))
    assert doubts.positions.tolist() == [1, 4]
    assert doubts.rows.to_list() == ["r1", "r4"]
    assert doubts.values.to_list() == ["u", "x", "z"]
    assert doubts.weights.tolist() == [1, 0.75, 0.25]
    assert doubts.sizes.tolist() == [1, 2]


def test_weights_that_are_all_zero_are_equal_and_said_so():
    with pytest.warns(ApproximationWarning, match="row 3 of column 'a' have weight 0"):
        doubts = Doubts.of("a", [3], [[1, 2]], [[0, 0]])
    assert doubts.weights.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("values", "weights", "said"),
    [
        ([[]], None, "row 3 of column 'a' has no candidate; need one or more"),
        ([[1.0, 2.0]], [[1, -1]], "row 3 of column 'a' has a weight that is negative"),
        ([[1.0, 2.0]], [[1, np.nan]], "row 3 of column 'a' has a weight that is negative, NaN"),
        ([[1.0, 2.0]], [[1]], "row 3 of column 'a' has 2 candidates and 1 weights"),
        ([[1.0, np.nan]], None, "a candidate of row 3 of column 'a' is empty, NaN or infinite"),
        ([[1.0, np.inf]], None, "a candidate of row 3 of column 'a' is empty, NaN or infinite"),
        ([["x", None]], None, "a candidate of row 3 of column 'a' is empty, NaN or infinite"),
    ],
)
def test_what_cannot_be_a_candidate_is_refused_in_one_sentence(values, weights, said):
    with pytest.raises(DataError, match=said):
        Doubts.of("a", [3], values, weights)


def test_whole_rows_are_kept_or_dropped():
    assert Doubts.of(None, [3], [[True, False]]).values.to_list() == [True, False]
    with pytest.raises(OptionError, match="keep"):
        Doubts.of(None, [3], [["yes", "no"]])


def test_positions_rise_and_starts_fit():
    with pytest.raises(OptionError, match="positions"):
        Doubts.of("a", [3, 3], [[1], [2]])
    with pytest.raises(OptionError, match="positions"):
        Doubts.of("a", [-1], [[1]])
    with pytest.raises(OptionError, match="start"):
        Doubts("a", np.array([0]), pl.Series([0]), np.array([0, 2]), pl.Series([1.0]), np.array([1.0]))
    with pytest.raises(DataError, match="sum to 1"):
        Doubts("a", np.array([0]), pl.Series([0]), np.array([0, 2]), pl.Series([1.0, 2.0]), np.array([0.5, 0.4]))


def test_adding_keeps_the_left_ones_candidates():
    left = Candidates((Doubts.of("a", [1, 2], [[1, 2], [3, 4]]),))
    right = Candidates((Doubts.of("a", [2, 5], [[9], [8]]), Doubts.of("b", [1], [["x", "y"]])))
    both = left + right
    assert both.to_frame().rows() == [(1, "a", "1", 0.5), (1, "a", "2", 0.5), (2, "a", "3", 0.5), (2, "a", "4", 0.5), (5, "a", "8", 1.0), (1, "b", "x", 0.5), (1, "b", "y", 0.5)]
    assert (both.count, both.n_open, both.columns, both.positions.tolist()) == (4, 3, ("a", "b"), [1, 2, 5])
    assert both.open_positions.tolist() == [1, 2]
    with pytest.raises(OptionError, match="'a' twice at row position 2"):
        Candidates((*left.groups, *right.groups))


def test_doubts_drawn_together_have_the_same_weights():
    one = Doubts.of("a", [1, 2], [[1, 2], [3, 4]], [[1, 3], [1, 1]], joint="donor")
    same = Doubts.of("b", [1], [["x", "y"]], [[1, 3]], joint="donor")
    assert Candidates((one, same)).count == 3
    with pytest.raises(DataError, match="drawn together as 'donor' have different weights in row 1"):
        Candidates((one, Doubts.of("b", [1], [["x", "y"]], joint="donor")))


def test_doubts_follow_their_rows_into_a_sample():
    rows = pl.Series("row", ["p", "q", "r"])
    all_three = Candidates((Doubts.of("a", [0, 1, 2], [[1, 2], [3], [4, 5, 6]], rows=rows),))
    some = all_three.on_rows(pl.Series("row", ["r", "z", "p"]))
    assert some.groups[0].positions.tolist() == [0, 2]
    assert some.to_frame()["value"].to_list() == ["4", "5", "6", "1", "2"]
    assert all_three.on_rows(pl.Series("row", ["z"])).count == 0


def test_nothing_doubtful():
    nothing = Candidates()
    assert (nothing.count, nothing.n_open, nothing.columns, nothing.to_frame().height) == (0, 0, (), 0)
    assert (nothing + nothing).count == 0

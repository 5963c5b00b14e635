"""Answers move the gains of doubts of their column, kind and reason, and close their own."""

import polars as pl
import pytest

from dqops.propagation.answered import after_answers

DOUBTS = pl.DataFrame(
    {
        "rank": range(1, 7),
        "row": range(6),
        "column": ["a", "a", "a", "a", "b", None],
        "kind": ["rules", "rules", "rules", "missing", "rules", "duplicates"],
        "gain": [0.6, 0.5, 0.4, 0.3, 0.2, 0.1],
        "low": [0.0] * 6,
        "high": [1.0] * 6,
        "cost": [1.0] * 6,
        "reason": ["odd", "odd", "far", "odd", "odd", "repeats"],
    }
)


def gains(told, closed=()):
    return dict(after_answers(DOUBTS, told, set(closed)).select("row", "gain").iter_rows())


def test_no_answer_changes_nothing():
    assert after_answers(DOUBTS, [], set()).equals(DOUBTS)


def test_right_cells_lower_their_reason_most_their_column_less_and_nothing_else():
    found = gains([("rules", "a", "odd", "right")] * 2, [(0, "a")])
    share = 10 / 12
    assert found == pytest.approx({1: 0.5 * (2 * share) / 4, 2: 0.4 * share, 3: 0.3, 4: 0.2, 5: 0.1})


def test_wrong_cells_raise_it_again():
    found = gains([("rules", "a", "odd", "right"), ("rules", "a", "odd", "wrong")])
    assert found[1] == pytest.approx(0.5 * (2 * 11 / 12 + 1) / 4)


def test_cells_that_nobody_can_tell_lower_their_column():
    assert gains([("duplicates", None, "repeats", "unknown")] * 10)[5] == pytest.approx(0.05)


def test_the_rest_is_ranked_anew_by_gain_per_cost():
    doubts = DOUBTS.with_columns(cost=pl.Series([1.0, 1, 1, 1, 0.1, 1]))
    moved = after_answers(doubts, [("rules", "a", "odd", "right")] * 9, {(0, "a")})
    assert moved["rank"].to_list() == [1, 2, 3, 4, 5]
    assert moved["row"].to_list() == [4, 3, 2, 5, 1]

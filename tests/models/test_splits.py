"""Splits honour classes, groups, time and copies."""

import numpy as np
import polars as pl
import pytest

from dqops.errors import DataError
from dqops.models import make_splits
from dqops.tables.table import Roles, Table


def table_of(frame, **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True), Roles(**roles))


def measured(rng, n_rows=200, n_classes=2):
    return pl.DataFrame({"x": rng.normal(size=n_rows), "z": rng.normal(size=n_rows), "y": rng.integers(n_classes, size=n_rows)})


def test_each_row_is_judged_once_a_repeat(rng):
    splits = make_splits(table_of(measured(rng), target="y"), "classification", folds=5, repeats=3)
    assert len(splits) == 15
    for repeat in range(3):
        tested = np.concatenate([one.test for one in splits if one.repeat == repeat])
        assert np.array_equal(np.sort(tested), np.arange(200))
    assert all(not np.intersect1d(one.train, one.test).size for one in splits)


def test_classes_keep_their_shares(rng):
    frame = measured(rng).with_columns(y=pl.Series(["rare"] * 12 + ["usual"] * 188))
    for one in make_splits(table_of(frame, target="y"), "classification"):
        assert (frame["y"].gather(one.test) == "rare").sum() in (2, 3)
        assert abs(len(one.test) - 40) <= 1


def test_rows_without_a_target_are_in_no_split(rng):
    frame = measured(rng).with_columns(y=pl.when(pl.col("x") > 1).then(None).otherwise(pl.col("y")))
    missing = set(np.flatnonzero(frame["y"].is_null().to_numpy()).tolist())
    for one in make_splits(table_of(frame, target="y"), "classification"):
        assert not missing & set(one.train.tolist())
        assert not missing & set(one.test.tolist())


def test_copies_never_straddle_a_split(rng):
    frame = measured(rng, 100)
    doubled = pl.concat([frame, frame.head(30).with_columns(y=1 - pl.col("y"))])
    for one in make_splits(table_of(doubled, target="y"), "classification"):
        tested = np.isin(np.arange(130), one.test)
        assert np.array_equal(tested[:30], tested[100:])


def test_groups_stay_whole_and_join_with_copies(rng):
    frame = measured(rng, 120).with_columns(who=pl.Series([f"p{row // 6}" for row in range(120)]))
    doubled = pl.concat([frame, frame.head(1).with_columns(who=pl.lit("p19"))])
    for one in make_splits(table_of(doubled, target="y", group="who"), "classification"):
        train, test = (set(doubled["who"].gather(rows)) for rows in (one.train, one.test))
        assert not train & test
        assert (0 in one.test) == (115 in one.test)


def test_missing_groups_are_groups_of_one(rng):
    frame = measured(rng, 60).with_columns(who=pl.lit(None, dtype=pl.String))
    assert len(make_splits(table_of(frame, target="y", group="who"), "classification")) == 5


def test_time_goes_forward_and_moments_stay_whole(rng):
    days = [f"2024-01-{1 + row % 25:02d}" for row in range(200)]
    frame = measured(rng).with_columns(when=pl.Series(days))
    splits = make_splits(table_of(frame, target="y", time="when"), "classification", repeats=2)
    assert len(splits) == 10
    for one in splits:
        assert frame["when"].gather(one.train).max() < frame["when"].gather(one.test).min()


def test_same_seed_same_splits_and_other_seed_others(rng):
    table = table_of(measured(rng), target="y")
    first, again, other = (make_splits(table, "classification", seed=seed)[0].test for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("labels", "said"),
    [([1] * 9, "one class"), ([None] * 9, "no row"), ([1] + [None] * 8, "one row")],
)
def test_what_cannot_be_split_says_why(labels, said):
    frame = pl.DataFrame({"x": np.arange(9) * 0.37, "y": pl.Series(labels, dtype=pl.Int64)})
    with pytest.raises(DataError, match=said):
        make_splits(table_of(frame, target="y"), "classification")


def test_few_rows_are_split_as_far_as_they_go():
    frame = pl.DataFrame({"x": [0.11, 0.52, 0.93], "y": [0.1, 0.2, 0.3]})
    splits = make_splits(table_of(frame, target="y"), "regression", folds=5)
    assert [len(one.test) for one in splits] == [1, 1, 1]

"""Columns that moved since the reference; nothing where nothing moved."""

import numpy as np
import polars as pl
import pytest

from dqops.detectors.drift import Drift
from dqops.errors import SkippedWarning
from dqops.tables.io import read
from dqops.tables.shift import shift_of_levels, shift_of_numbers
from dqops.tables.table import Table


def table_of(frame, **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True)).with_roles(**roles)


def mixed(rng, count=1000):
    return pl.DataFrame(
        {
            "size": rng.normal(size=count),
            "count": rng.poisson(3, count),
            "kind": rng.choice(["a", "b", "c"], count, p=[0.6, 0.3, 0.1]),
            "note": [f"order of {one}" for one in rng.integers(0, 10**9, count)],
            "id": np.arange(count),
        }
    )


def drift(old, new):
    return Drift().fit(table_of(old), None, np.random.default_rng(0)).find(table_of(new))


def test_a_stability_index_by_hand(rng):
    counts = [[250, 250, 250, 250], [400, 300, 200, 100]]
    words = [pl.Series(rng.permutation(np.repeat(list("abcd"), times)).tolist()) for times in counts]
    index = shift_of_levels(*words).stability + 3 * (2 / 1000)
    assert index == pytest.approx(0.228217, abs=0.002)  # p = 1/4 each against .4, .3, .2, .1


def test_p_values_are_even_where_nothing_moved():
    rng = np.random.default_rng(1)
    p_values = [shift_of_numbers(rng.normal(size=300), rng.normal(size=300)).p for _ in range(200)]
    assert np.mean(np.array(p_values) < 0.1) < 0.14


def test_random_halves_raise_little():
    raised = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        raised += len(drift(mixed(rng, 300), mixed(rng, 300))) > 0
    assert raised <= 2


def test_each_sort_of_move_is_found_and_named(rng):
    new = mixed(rng).with_columns(
        size=pl.col("size") + 1,
        kind=pl.Series(rng.choice(["a", "b", "d"], 1000, p=[0.6, 0.3, 0.1])),
        count=pl.when(pl.Series(rng.random(1000) < 0.3)).then(None).otherwise("count"),
    )
    found = drift(mixed(rng), new)
    assert {one.column for one in found} == {"size", "kind", "count", None}
    assert all(one.score >= 0.5 and one.whole for one in found)
    assert "levels that the reference lacks" in found["drift:kind"].message
    assert "empty against 0.0%" in found["drift:count"].message
    assert "standard deviations" in found["drift:size"].message


def test_a_small_move_of_many_rows_is_told_with_a_low_score(rng):
    old, new = (pl.DataFrame({"x": rng.normal(size=15_000)}) for _ in range(2))
    found = drift(old, new.with_columns(pl.col("x") + 0.06))
    assert found["drift:x"].score < 0.2


def test_a_wandering_series_is_not_judged_as_random_rows():
    raised = 0
    for seed in range(12):
        walk = np.random.default_rng(seed).normal(size=2000)
        series = np.convolve(walk, np.ones(15) / 15, mode="valid")
        raised += len(drift(pl.DataFrame({"x": series[:900]}), pl.DataFrame({"x": series[1000:1900]}))) > 0
    assert raised <= 3


def test_numbers_that_come_as_words_have_changed(rng):
    new = mixed(rng).with_columns(size=pl.Series(rng.choice(["small", "large"], 1000)))
    assert "another kind" in drift(mixed(rng), new)["drift:size"].message


def test_too_few_rows_are_not_compared(rng):
    with pytest.warns(SkippedWarning, match="fewer than 30"):
        assert len(drift(mixed(rng), mixed(rng, 10))) == 0


def test_constant_empty_and_infinite_columns(rng):
    frame = pl.DataFrame({"same": [1.0] * 50, "none": [None] * 50, "odd": [float("inf"), float("nan")] * 25})
    assert len(drift(frame, frame)) == 0
    moved = frame.with_columns(same=pl.lit(2.0), none=pl.Series(["a", "b"] * 25))
    assert {one.column for one in drift(frame, moved)} >= {"same", "none"}


def test_the_market_that_opened(shared):
    table = read(shared("electricity/stream.csv.gz"), target="class")
    first = Drift().fit(table.take(np.arange(17_424)), None, np.random.default_rng(0))
    found = first.find(table.take(np.arange(17_424, table.n_rows)))
    assert {"drift:vicprice", "drift:vicdemand", "drift:transfer", "drift:rows"} <= {one.id for one in found}
    assert "drift:nswdemand" not in found


def test_housing_moves_in_place_alone(shared):
    table = read(shared("california_housing/blocks.csv.gz"), target="clf_target", ignore=["part", "y_pred", "y_pred_proba"])
    early = (table.frame["part"] == "reference").to_numpy()
    fitted = Drift().fit(table.take(np.flatnonzero(early)), None, np.random.default_rng(0))
    found = {one.column for one in fitted.find(table.take(np.flatnonzero(~early)))}
    assert {"Latitude", "Longitude"} <= found
    assert "timestamp" not in found

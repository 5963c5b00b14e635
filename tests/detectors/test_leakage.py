"""Columns that give the target away, and those that are merely good; rows shared with the holdout."""

import numpy as np
import polars as pl
import pytest

from dqops.detectors.leakage import Leakage
from dqops.models.design import Design
from dqops.tables.io import read
from dqops.tables.table import Table


def table_of(frame, target="y"):
    return Table(frame, frame, pl.int_range(frame.height, eager=True)).with_roles(target=target)


def honest(rng, count=800):
    """A binary target with two honest features."""
    strong = rng.normal(size=count)
    target = (strong + rng.normal(size=count) > 0).astype(int)
    return pl.DataFrame({"strong": strong, "weak": rng.normal(size=count) + 0.3 * target, "y": target})


def flagged(findings):
    return {one.column for one in findings if one.score >= 0.5}


def test_an_honest_predictor_is_no_leak(rng):
    assert not flagged(Leakage().fit_find(table_of(honest(rng)), None, rng))


def test_a_noisy_copy_of_the_target_is_a_leak(rng):
    frame = honest(rng)
    copy = np.where(rng.random(800) < 0.002, "maybe", np.where(frame["y"] == 1, "churned", "stayed"))
    findings = Leakage().fit_find(table_of(frame.with_columns(status=pl.Series(copy))), None, rng)
    assert flagged(findings) == {"status"}
    assert "AUC" in findings["leakage:status"].message
    assert "churned" not in findings["leakage:status"].message
    assert findings["leakage:status"].whole


def test_two_leaks_do_not_excuse_each_other(rng):
    frame = honest(rng)
    leaks = frame.select(one=pl.col("y").cast(pl.String), other=pl.col("y").replace_strict({0: "no", 1: "yes"}))
    assert flagged(Leakage().fit_find(table_of(pl.concat([frame, leaks], how="horizontal")), None, rng)) == {"one", "other"}


def test_a_column_that_is_filled_for_one_class_only_is_a_leak(rng):
    frame = honest(rng)
    filled = (frame["y"] == 1).to_numpy() & (rng.random(800) < 0.3)
    refund = pl.Series(np.where(filled, rng.integers(1, 999, 800).astype(float), np.nan)).fill_nan(None)
    findings = Leakage().fit_find(table_of(frame.with_columns(refund=refund)), None, rng)
    assert flagged(findings) == {"refund"}
    assert "filled" in findings["leakage:refund"].message


def sensors(rng, count=800):
    """An easy target: three sensors of which each, read alone, nearly knows it."""
    target = rng.integers(0, 2, count)
    readings = {name: 4 * target + rng.normal(size=count, scale=spread) for name, spread in (("x", 0.2), ("y", 0.7), ("z", 0.9))}
    return pl.DataFrame(readings | {"sitting": target})


def test_columns_that_all_foretell_an_easy_target_are_no_leaks(rng):
    assert not flagged(Leakage().fit_find(table_of(sensors(rng), "sitting"), None, rng))


def test_gaps_among_the_largest_values_are_no_leak_where_the_values_tell_the_class(rng):
    frame = sensors(rng)
    gappy = frame.with_columns(x=pl.when(pl.col("x") < 4.1).then("x"))
    assert not flagged(Leakage().fit_find(table_of(gappy, "sitting"), None, rng))


def test_gaps_by_chance_are_no_leak(rng):
    frame = honest(rng).with_columns(gappy=pl.Series(np.where(rng.random(800) < 0.05, np.nan, 1.0)).fill_nan(None))
    assert not flagged(Leakage().fit_find(table_of(frame), None, rng))


def test_names_that_are_merely_memorised_are_no_leak(rng):
    frame = honest(rng).with_columns(name=pl.Series([f"person {one}" for one in rng.integers(0, 10**6, 800)]))
    assert not flagged(Leakage().fit_find(table_of(frame), None, rng))


def test_a_running_number_of_a_sorted_table_is_a_leak(rng):
    frame = honest(rng).sort("y").with_columns(id=pl.int_range(800))
    assert flagged(Leakage().fit_find(table_of(frame), None, rng)) == {"id"}


def test_parts_of_a_sum_are_leaks_and_their_equals_are_not(rng):
    parts = pl.DataFrame({"casual": rng.gamma(2, 40, 900).round(), "member": rng.gamma(2, 90, 900).round()})
    frame = parts.with_columns(y=pl.col("casual") + pl.col("member"), hour=pl.Series(rng.integers(0, 24, 900)))
    frame = frame.with_columns(clock=pl.col("hour") * 60)
    assert flagged(Leakage().fit_find(table_of(frame), None, rng)) == {"casual", "member"}


def test_a_bent_copy_of_a_number_is_a_leak(rng):
    frame = pl.DataFrame({"y": rng.gamma(2, 40, 900), "x": rng.normal(size=900)})
    frame = frame.with_columns(log=pl.col("y").log(), weak=pl.col("y") + rng.normal(size=900) * 60)
    assert flagged(Leakage().fit_find(table_of(frame), None, rng)) == {"log"}


def test_rows_of_the_holdout_are_found_in_training(rng):
    frame = honest(rng)
    table, fresh = table_of(frame[:600]), frame[600:]
    holdout = table_of(pl.concat([fresh, frame[[3, 5]]]))
    findings = Leakage().fit_find(table, Design("classification", holdout=holdout), rng)
    assert findings["leakage:rows"].positions.tolist() == [3, 5]
    assert "leakage:rows" not in Leakage().fit_find(table, Design("classification", holdout=table_of(fresh)), rng)


@pytest.mark.parametrize(
    ("name", "target", "leaks"),
    [
        ("titanic/table.csv.gz", "Survived", {"boat", "body"}),
        ("bike/dirty.csv.gz", "cnt", {"casual", "registered"}),
        ("nasa/dirty.csv.gz", "sound_pressure_level", set()),
        ("adult/table.csv.gz", "income-per-year", set()),
        ("tax/dirty.csv.gz", "rate", set()),
        ("penguins/curated.csv.gz", "species", set()),
        ("german_credit/table.csv.gz", "creditability", set()),
    ],
)
def test_real_tables(shared, name, target, leaks):
    table = read(shared(name), target=target)
    assert flagged(Leakage().fit_find(table, None, np.random.default_rng(0))) == leaks


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": pl.Series([], dtype=pl.Int64), "y": pl.Series([], dtype=pl.Int64)}),
        pl.DataFrame({"x": [1], "y": [1]}),
        pl.DataFrame({"x": [None] * 50, "y": [0, 1] * 25}),
        pl.DataFrame({"x": [float("nan"), float("inf")] * 25, "y": [1] * 50}),
        pl.DataFrame({"x": [1.5, float("inf")] * 30, "y": [None] * 60}),
    ],
)
def test_odd_tables(frame, rng):
    assert len(Leakage().fit_find(table_of(frame), None, rng).groups) in (0, 1)


def test_without_a_target_there_is_no_leak(rng):
    assert len(Leakage().fit_find(table_of(honest(rng), target=None), None, rng)) == 0

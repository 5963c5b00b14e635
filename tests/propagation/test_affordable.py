"""Cheap fits are made more often, and dear ones are not."""

import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier

from dqops import read
from dqops.flows.price import design_of
from dqops.propagation.affordable import affordable
from dqops.propagation.effort import EFFORTS, FOLDS


def _design(table, model="linear"):
    return design_of(table, model=model, scoring=None, seed=0, effort="quick", allow_pickle=False, holdout=None)


def _table(n_rows, n_columns, rng, classes=2):
    columns = {f"x{place}": rng.normal(size=n_rows) for place in range(n_columns)}
    return read(pl.DataFrame(columns).with_columns(y=pl.Series([f"class {place % classes}" for place in range(n_rows)])), target="y")


def test_small_tables_get_more_fits_and_a_whole_repeat_of_twins(rng):
    table = _table(500, 5, rng)
    given = affordable(EFFORTS["quick"], table, _design(table))
    assert given.fits == 3 * EFFORTS["quick"].fits
    assert given.twins == FOLDS


def test_wide_tables_get_no_fewer_than_usual(rng):
    table = _table(2000, 60, rng)
    assert affordable(EFFORTS["quick"], table, _design(table)) == EFFORTS["quick"]


@pytest.mark.parametrize(("model", "classes"), [(RandomForestClassifier(500), 2), ("linear", 50)])
def test_many_trees_and_many_classes_make_a_fit_dear(rng, model, classes):
    table = _table(1500, 8, rng, classes)
    plain = _table(1500, 8, rng)
    assert affordable(EFFORTS["quick"], table, _design(table, model)).fits < affordable(EFFORTS["quick"], plain, _design(plain)).fits


def test_texts_make_a_fit_dear(rng):
    table = _table(1200, 15, rng)
    words = table.frame.with_columns(pl.Series(f"x{place}", [f"a{rng.integers(10**6)}" for _ in range(1200)]) for place in range(15))
    worded = read(words, target="y")
    assert affordable(EFFORTS["quick"], worded, _design(worded)).fits < affordable(EFFORTS["quick"], table, _design(table)).fits


def test_a_thorough_effort_stays_as_it_is(rng):
    table = _table(300, 3, rng)
    assert affordable(EFFORTS["thorough"], table, _design(table)) == EFFORTS["thorough"]

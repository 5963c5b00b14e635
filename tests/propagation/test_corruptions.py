"""Corruptions do what they say, at the rate they say, and nest."""

import numpy as np
import polars as pl
import pytest

import dqops
import dqops.propagation.corruptions
from dqops.contracts import Corruption
from dqops.errors import DataError, OptionError

CELLS = sorted(name for name, kind in Corruption.known().items() if kind.__module__.startswith("dqops.") and not kind.on_target and kind.keeps_rows)
LABELS = ["label_flips", "label_confusions"]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 2000
    frame = pl.DataFrame(
        {
            "size": rng.normal(5, 2, n),
            "count": rng.integers(0, 50, n),
            "town": rng.choice(["bern", "rome", "oslo"], n, p=[0.6, 0.3, 0.1]),
            "y": rng.choice(["a", "b", "c"], n),
        }
    )
    return dqops.read(frame, target="y")


def changed(before, after, name):
    return before.frame[name].ne_missing(after.frame[name]).to_numpy()


def corrupted(name, table, rate, seed=0, **options):
    return Corruption.named(name)(**options).corrupt(table, rate, np.random.default_rng(seed))


@pytest.mark.parametrize("name", sorted(set(CELLS) - {"gaussian_noise", "stale_rows"}))
def test_the_rate_is_the_share_of_cells_that_change(table, name):
    after = corrupted(name, table, 0.2)
    hit = [changed(table, after, column).mean() for column in Corruption.named(name)().columns(table)]
    assert np.mean(hit) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("name", [*CELLS, *LABELS])
def test_lower_rates_are_nested_in_higher_ones(table, name):
    few, many = corrupted(name, table, 0.1), corrupted(name, table, 0.4)
    if name == "gaussian_noise":
        return
    for column in table.columns:
        hit = changed(table, few, column)
        assert np.all(~hit | changed(table, many, column))
        assert few.frame[column].filter(pl.Series(hit)).equals(many.frame[column].filter(pl.Series(hit)), null_equal=True)


@pytest.mark.parametrize("name", [*CELLS, *LABELS])
def test_no_noise_changes_nothing_and_types_stay(table, name):
    assert corrupted(name, table, 0.0).frame.equals(table.frame)
    assert corrupted(name, table, 0.5).frame.dtypes == table.frame.dtypes


def test_flipped_labels_are_other_labels_and_confused_ones_the_next(table):
    flipped, confused = (corrupted(name, table, 1.0).target() for name in LABELS)
    assert (flipped != table.target()).all()
    following = {"a": "b", "b": "c", "c": "a"}
    assert confused.to_list() == [following[one] for one in table.target()]


def test_large_numbers_go_missing_first_where_missingness_is_not_at_random(table):
    after = corrupted("missing_not_at_random", table, 0.3, column="size")
    gone = after.frame["size"].is_null().to_numpy()
    assert gone.mean() == pytest.approx(0.3, abs=0.03)
    assert table.frame["size"].to_numpy()[gone].mean() > table.frame["size"].mean() + 1


def test_missingness_at_random_hangs_on_another_column(table):
    after = corrupted("missing_at_random", table, 0.3, column="size")
    gone = after.frame["size"].is_null().to_numpy()
    count = table.frame["count"].to_numpy()
    assert count[gone].mean() > count[~gone].mean() + 5
    assert abs(table.frame["size"].to_numpy()[gone].mean() - 5) < 0.4


def test_gaussian_noise_has_the_stated_spread(table):
    after = corrupted("gaussian_noise", table, 0.5, column="size")
    added = (after.frame["size"] - table.frame["size"]).to_numpy()
    assert added.std() == pytest.approx(0.5 * table.frame["size"].std(), rel=0.1)


def test_copies_are_the_stated_share_of_all_rows(table):
    after = corrupted("duplicates", table, 0.25)
    assert 1 - table.n_rows / after.n_rows == pytest.approx(0.25, abs=0.01)
    assert after.frame.unique().height == table.frame.unique().height


def test_a_column_that_cannot_bear_the_noise_is_named(table):
    with pytest.raises(DataError, match="'size' cannot bear typos; need one of town"):
        corrupted("typos", table, 0.1, column="size")


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", [*CELLS, *LABELS, "duplicates"])
def test_a_rate_outside_the_unit_interval_is_refused(table, name, rate):
    with pytest.raises(OptionError, match="a share in"):
        corrupted(name, table, rate)


def test_empty_cells_stay_empty():
    table = dqops.read(pl.DataFrame({"size": [1.0, None, 3.5, 4.5] * 10, "y": [0, 1] * 20}), target="y")
    after = corrupted("outliers", table, 1.0)
    assert after.frame["size"].is_null().to_list() == table.frame["size"].is_null().to_list()

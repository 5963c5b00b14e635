"""Numbers that do not belong to their column, and those that only look so."""

import numpy as np
import polars as pl
import pytest

from dqops.detectors.outliers import Outliers
from dqops.tables.table import Table


def table(**columns):
    frame = pl.DataFrame(columns)
    return Table(frame, frame, pl.int_range(frame.height, eager=True))


def surely(findings):
    """Column and positions of the cells with score 0.5 or more."""
    return {one.column: one.at_least(0.5).positions.tolist() for one in findings if one.at_least(0.5).count}


def search(rng, **columns):
    return Outliers().fit_find(table(**columns), None, rng)


NATURAL = {
    "normal": lambda rng: rng.normal(size=3000),
    "lognormal": lambda rng: rng.lognormal(10, 1, 3000),
    "exponential": lambda rng: rng.exponential(size=3000),
    "uniform": lambda rng: rng.random(3000),
    "Poisson": lambda rng: rng.poisson(3, 3000),
    "mostly zero": lambda rng: np.where(rng.random(3000) < 0.8, 0, rng.lognormal(8, 1, 3000)),
    "heaped": lambda rng: np.where(rng.random(3000) < 0.7, 40, np.round(rng.normal(40, 10, 3000))),
    "rare levels": lambda rng: rng.choice([1, 2, 3, 4, 5, 6], 3000, p=[0.6, 0.25, 0.1, 0.04, 0.008, 0.002]),
    "two levels": lambda rng: rng.integers(0, 2, 3000),
    "money": lambda rng: np.round(rng.lognormal(3, 1, 3000), 2),
    "some decimals": lambda rng: np.where(rng.random(3000) < 0.9, rng.integers(1, 80, 3000), rng.integers(1, 160, 3000) / 2),
    "random walk": lambda rng: np.cumsum(rng.normal(size=3000)),
    "running number": lambda rng: np.arange(3000),
    "a slider with heaps": lambda rng: np.where(rng.random(3000) < 0.7, rng.choice([0, 50, 100], 3000), rng.integers(0, 101, 3000)),
    "groups in rows": lambda rng: np.repeat(rng.integers(0, 900, 1000), rng.integers(1, 6, 1000))[:3000],
}


@pytest.mark.parametrize("name", NATURAL)
def test_natural_columns_are_left_alone(rng, name):
    assert sum(map(len, surely(search(rng, c=NATURAL[name](rng))).values())) <= 2


@pytest.mark.parametrize("name", ["normal", "lognormal", "exponential", "uniform", "money"])
def test_wild_numbers_are_found(rng, name):
    values = NATURAL[name](rng)
    wild = rng.choice(3000, 30, replace=False)
    values[wild] = values.max() * rng.uniform(1e5, 1e9, 30)
    assert surely(search(rng, c=values))["c"] == sorted(wild)


def test_numbers_finer_than_the_rest(rng):
    hours = rng.integers(0, 24, 2000).astype(float)
    wrong = rng.choice(2000, 100, replace=False)
    hours[wrong] += rng.normal(0, 5, 100)
    assert surely(search(rng, hr=hours))["hr"] == sorted(wrong)


def test_numbers_off_the_levels(rng):
    velocity = rng.choice([31.7, 39.6, 55.5, 71.3], 1500)
    wrong = rng.choice(1500, 60, replace=False)
    velocity[wrong] = rng.choice([33, 77, 66, 99, 3.9, 7.1], 60)
    assert surely(search(rng, velocity=velocity))["velocity"] == sorted(wrong)


def test_numbers_drawn_by_chance_among_few_levels(rng):
    season = rng.integers(1, 5, 6000)
    wrong = rng.choice(6000, 1500, replace=False)
    season[wrong] = rng.integers(6, 99, 1500)
    assert surely(search(rng, season=season))["season"] == sorted(wrong)


def test_lone_jumps_in_a_series_are_found_and_interpolated(rng):
    values = np.cumsum(rng.normal(0, 0.01, 4000))
    wrong = np.sort(rng.choice(np.arange(10, 3990), 400, replace=False))
    dirty = values.copy()
    dirty[wrong] += rng.choice([-1, 1], 400) * rng.uniform(3, 30, 400)
    finding = search(rng, z=dirty)["outliers:z"]
    found = finding.at_least(0.5)
    assert len(np.intersect1d(found.positions, wrong)) >= 0.97 * 400
    assert len(np.setdiff1d(found.positions, wrong)) <= 4
    assert np.abs(found.suggestions.to_numpy() - values[found.positions]).max() < 0.2


def test_running_numbers_are_interpolated(rng):
    values = np.arange(3000.0)
    wrong = np.sort(rng.choice(np.arange(5, 2995), 300, replace=False))
    dirty = values.copy()
    dirty[wrong] += rng.normal(0, 50_000, 300)
    finding = search(rng, row=dirty)["outliers:row"]
    assert len(np.setdiff1d(wrong, finding.positions)) <= 3
    assert np.allclose(finding.suggestions.to_numpy(), finding.positions)


def test_of_few_numbers_only_one_that_both_neighbours_hold_is_suggested(rng):
    season = np.repeat([1.0, 2.0, 3.0, 4.0], 500)
    wrong = np.sort(np.r_[rng.choice(np.arange(10, 1990), 100, replace=False), 499, 500])
    wrong = np.unique(wrong)
    dirty = season.copy()
    dirty[wrong] = rng.integers(20, 99, len(wrong))
    found = search(rng, season=dirty)["outliers:season"].at_least(0.5)
    held = found.suggestions.is_not_null().to_numpy()
    assert 0.9 < held.mean() < 1
    assert np.array_equal(found.suggestions.drop_nulls().to_numpy(), season[found.positions[held]])


def test_a_column_cut_off_at_nines(rng):
    gain = np.where(rng.random(5000) < 0.9, 0, np.round(rng.lognormal(9, 0.5, 5000)))
    gain[rng.choice(5000, 30, replace=False)] = 99999
    finding = search(rng, gain=gain)["outliers:gain"]
    assert set(finding.values) == {"99999.0"}
    assert "cut off" in finding.message


def test_cells_at_odds_with_the_rest_of_their_row(rng):
    one, other = rng.normal(size=4000), rng.normal(size=4000)
    total = one + other + rng.normal(0, 0.02, 4000)
    wrong = np.sort(rng.choice(4000, 60, replace=False))
    total[wrong] = total[rng.permutation(wrong)] + 1.0
    found = surely(search(rng, one=one, other=other, total=total, noise=rng.normal(size=4000)))
    assert len(np.intersect1d(found["total"], wrong)) >= 0.8 * 60
    assert sum(map(len, found.values())) <= 70


def test_what_was_learned_holds_for_a_batch(rng):
    fitted = Outliers().fit(table(x=rng.normal(size=2000)), None, rng)
    assert fitted.find(table(x=[0.5, 1e6]))["outliers:x"].positions.tolist() == [1]
    assert len(fitted.find(table(x=[0.5]))) == 0


@pytest.mark.parametrize(
    "values", [[], [1.0], [None, None], [1.0] * 50, [float("nan"), float("inf"), 1.0] * 20, ["a", "b"]], ids=str
)
def test_odd_columns(rng, values):
    assert surely(search(rng, c=values)) == {}


def test_numbers_drawn_by_chance_beyond_the_levels_of_a_small_column(rng):
    season = np.where(np.arange(1200) % 5 < 2, rng.integers(1, 101, 1200), rng.integers(1, 5, 1200))
    found = surely(search(rng, season=season))["season"]
    assert found == np.flatnonzero(season > 4).tolist()

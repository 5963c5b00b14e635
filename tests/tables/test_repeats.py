"""Equal rows: which repeat which, and which of them chance explains."""

import numpy as np
import polars as pl
import pytest

from dqops.tables.io import read
from dqops.tables.repeats import describing, duplicate_groups, numbers_rows, repeats
from dqops.tables.table import Table


def table_of(frame, **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True)).with_roles(**roles)


def planted(frame, count, rng):
    """The frame with `count` rows copied, shuffled, and which of its rows repeat an earlier one."""
    source = rng.choice(frame.height, count, replace=False)
    order = rng.permutation(frame.height + count)
    place = np.argsort(order)
    repeated = np.zeros(frame.height + count, dtype=bool)
    repeated[np.maximum(place[source], place[frame.height :])] = True
    return pl.concat([frame, frame[source]])[order], repeated


def test_first_is_the_first_equal_row_as_text_says(rng):
    frame = pl.DataFrame({"a": rng.integers(0, 4, 200), "b": rng.choice(["x", "y", None], 200)})
    rows = [str(row) for row in frame.rows()]
    assert repeats(frame).first.tolist() == [rows.index(row) for row in rows]


@pytest.mark.parametrize("share", [0.002, 0.02, 0.2])
def test_planted_copies_of_measurements_are_copies(rng, share):
    numbers = {f"x{column}": rng.normal(size=3000).round(3) for column in range(4)}
    frame, repeated = planted(pl.DataFrame({**numbers, "c": rng.integers(0, 3, 3000)}), int(3000 * share), rng)
    found = repeats(frame)
    assert (found.later == np.flatnonzero(repeated)).all()
    assert found.score[repeated].min() > 0.9


def test_repeats_in_a_survey_of_few_answers_are_chance(rng):
    frame = pl.DataFrame({f"c{column}": rng.integers(0, 8, 5000) for column in range(5)})
    found = repeats(frame)
    assert len(found.later) > 200
    assert found.score.max() < 0.3


def test_dependent_answers_are_chance_too(rng):
    kind = rng.integers(0, 60, 8000)
    flipped = lambda: np.where(rng.random(8000) < 0.1, rng.integers(0, 60, 8000), kind)  # noqa: E731
    frame = pl.DataFrame({f"c{column}": flipped() for column in range(6)})
    found = repeats(frame)
    assert len(found.later) > 1000
    assert (found.score[found.later] >= 0.5).mean() < 0.02


def test_adult_holds_24_copies_and_surveys_none(shared):
    adult = read(shared("adult/table.csv.gz"), target="income-per-year")
    found = repeats(adult.frame)
    assert len(found.later) == 24
    assert (found.score[found.later] >= 0.5).sum() >= 20
    people = read(shared("employment_ma/people.csv.gz"), target="employed")
    assert len(np.unique(duplicate_groups(people))) > 0.999 * people.n_rows


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (pl.Series(range(100)), True),
        (pl.Series([5, 3, 8, 1, 2, 9, 7, 4] * 1), False),
        (pl.Series(np.random.default_rng(0).permutation(500)), True),
        (pl.Series(np.random.default_rng(0).integers(0, 10**9, 500)), False),
        (pl.Series([f"user {k}" for k in range(50)]), False),
        (pl.Series([f"rec-{k}-org" for k in range(50)]), True),
        (pl.Series([f"2020-01-{k:02d}" for k in range(1, 30)]), False),
        (pl.Series([f"{k * 7919 % 65536:04x}-{k:04x}" for k in range(50)]), True),
        (pl.Series([1, 2, None, 4]), False),
        (pl.Series([0.5, 1.5, 2.5]), False),
    ],
)
def test_numbers_rows(cells, expected):
    assert numbers_rows(cells) == expected


def test_groups_look_through_running_numbers_and_at_features_alone():
    frame = pl.DataFrame({"id": [1, 2, 3, 4], "x": [0.25, 0.5, 0.25, 0.75], "y": ["a", "b", "b", "a"]})
    table = table_of(frame, target="y")
    assert describing(frame, table.features) == ["x"]
    assert duplicate_groups(table).tolist() == [0, 1, 0, 3]
    assert duplicate_groups(table, target=True).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": pl.Series([], dtype=pl.Int64)}),
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [1, 1, 1], "b": [None, None, None]}),
        pl.DataFrame({"a": [float("nan"), float("inf"), None, float("nan")]}),
    ],
)
def test_odd_tables(frame):
    groups = duplicate_groups(table_of(frame))
    assert len(groups) == frame.height
    assert groups.dtype == np.int64

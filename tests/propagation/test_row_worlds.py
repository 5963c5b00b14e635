"""Each doubtful row as a whole: combinations of its cells with their weights."""

from collections import Counter

import numpy as np
import polars as pl
import pytest

import dqops
from dqops.errors import OptionError
from dqops.propagation.row_worlds import row_worlds
from dqops.propagation.worlds import every_world
from dqops.results.candidates import Candidates, Doubts

CANDIDATES = Candidates(
    (
        Doubts.of("a", [0, 2, 4], [[1, 2], [3, 4, 5], [6]], [[3, 1], [1, 1, 2], [1]]),
        Doubts.of("b", [2, 5], [["x", "y"], ["p", "q"]], [[1, 4], [1, 1]], joint="donors"),
        Doubts.of("c", [2], [[10.0, 20.0]], [[1, 4]], joint="donors"),
    )
)


def test_rows_have_the_weights_that_they_have_among_all_worlds():
    worlds, rows = every_world(CANDIDATES), row_worlds(CANDIDATES, most=20)
    expected = Counter()
    for world, weight in enumerate(worlds.weights):
        cells = {}
        for one, values in worlds.values(world):
            for position, value in zip(one.positions.tolist(), values, strict=True):
                cells.setdefault(position, []).append((one.column, value))
        for position, held in cells.items():
            expected[position, tuple(held)] += weight
    told = {}
    groups = list(CANDIDATES)
    for position, weight, chosen in zip(rows.positions.tolist(), rows.weights, rows.chosen, strict=True):
        held = []
        for one, candidate in zip(groups, chosen, strict=True):
            if candidate >= 0:
                place = int(np.searchsorted(one.positions, position))
                held.append((one.column, one.values[int(one.start[place] + candidate)]))
        told[position, tuple(held)] = weight
    assert told == pytest.approx(dict(expected))
    assert rows.start.tolist() == [0, 2, 8, 9, 11]
    assert rows.n_sampled == 0


def test_the_likeliest_choice_of_a_row_is_its_own():
    rows = row_worlds(CANDIDATES, most=20)
    assert rows.positions[rows.likeliest].tolist() == [0, 2, 4, 5]
    assert rows.chosen[rows.likeliest].tolist() == [[0, -1, -1], [2, 1, 1], [0, -1, -1], [-1, 0, -1]]


def test_rows_are_written_as_they_would_be():
    frame = pl.DataFrame({"a": [None, 7, None, 8, 9, 9], "b": ["u", "u", None, "u", "u", None], "c": [1.0, 1.0, None, 1.0, 1.0, 1.0], "y": [0, 1, 0, 1, 0, 1]})
    rows = row_worlds(CANDIDATES, most=20)
    told = rows.table(dqops.read(frame, target="y"))
    assert told.frame.rows()[:3] == [(1, "u", 1.0, 0), (2, "u", 1.0, 0), (3, "x", 10.0, 0)]
    assert told.n_rows == len(rows.weights)
    assert rows.table(dqops.read(frame, target="y"), rows.likeliest).frame.rows() == [(1, "u", 1.0, 0), (5, "y", 20.0, 0), (6, "u", 1.0, 0), (9, "p", 1.0, 1)]


def test_too_many_combinations_are_sampled():
    many = Candidates(tuple(Doubts.of(f"c{place}", [3, 7], [[0, 1], [0, 1]]) for place in range(6)))
    rows = row_worlds(many, most=10, seed=1)
    assert rows.n_sampled == 2
    np.testing.assert_allclose(np.add.reduceat(rows.weights, rows.start[:-1]), 1)
    assert (np.diff(rows.start) <= 10).all()
    again = row_worlds(many, most=10, seed=1)
    assert np.array_equal(rows.chosen, again.chosen)
    assert not np.array_equal(rows.chosen, row_worlds(many, most=10, seed=2).chosen)


def test_nothing_doubtful_has_no_rows():
    rows = row_worlds(Candidates())
    assert len(rows.positions) == len(rows.likeliest) == rows.n_sampled == 0


@pytest.mark.parametrize("most", [0, 2.5])
def test_settings_that_cannot_be(most):
    with pytest.raises(OptionError, match="most"):
        row_worlds(CANDIDATES, most=most)
    with pytest.raises(OptionError, match="whole rows"):
        row_worlds(Candidates((Doubts.of(None, [1], [[True, False]]),)))

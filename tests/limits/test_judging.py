"""Training rows as a learner sees them, and what is said of holdout rows in every repair."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from dqops.limits.encoded import Encoded
from dqops.limits.judging import judge_knn, judge_linear
from dqops.models.feature_space import Learner

LOGISTIC, RIDGE = Learner("linear", loss="logistic", alpha=1.0), Learner("linear", loss="squared", alpha=1.0)


def rows_of(rng, n_rows=200, n_doubtful=4, width=0.1):
    rows = rng.normal(size=(n_rows, 2))
    positions = np.sort(rng.choice(n_rows, n_doubtful, replace=False))
    choices = np.repeat(rows[positions], 3, axis=0)
    choices[:, 1] += np.tile([-width, 0.0, width], n_doubtful)
    return Encoded(rows, choices, positions, np.arange(0, 3 * n_doubtful + 1, 3), np.full(3 * n_doubtful, 1 / 3))


def repaired(encoded, rng):
    rows = encoded.rows.copy()
    for place, row in enumerate(encoded.positions):
        rows[row] = encoded.choices[rng.integers(encoded.start[place], encoded.start[place + 1])]
    return rows


def test_ranges_hold_every_choice(rng):
    encoded = rows_of(rng)
    ranges = encoded.ranges()
    assert ranges.doubtful.sum(axis=0).tolist() == [0, 4]
    for _ in range(20):
        assert (np.abs(repaired(encoded, rng) - ranges.middle) <= ranges.radius + 1e-12).all()


def test_one_wild_choice_leaves_the_centre_alone():
    rows = np.arange(8.0)[:, None]
    encoded = Encoded(rows, np.array([[1e22], [3.0], [4.0]]), np.array([2]), np.array([0, 3]), np.array([0.05, 0.45, 0.5]))
    ranges = encoded.ranges()
    assert ranges.middle[2, 0] == 4.0
    assert ranges.radius[2, 0] == 1e22
    tame = Encoded(rows, np.array([[2.0], [3.0], [6.0]]), np.array([2]), np.array([0, 3]), np.array([0.05, 0.45, 0.5]))
    assert (tame.ranges().middle[2, 0], tame.ranges().radius[2, 0]) == (4.0, 2.0)


def test_points_are_choices_where_there_are_some(rng):
    encoded = rows_of(rng, n_rows=9, n_doubtful=2)
    points, start, weights = encoded.points()
    sizes = np.diff(start)
    assert sizes[encoded.positions].tolist() == [3, 3]
    assert sizes.sum() == 13
    np.testing.assert_allclose(np.add.reduceat(weights, start[:-1]), 1)
    for row in range(9):
        assert encoded.rows[row].tolist() in points[start[row] : start[row + 1]].tolist()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_certain_predictions_of_linear_models_are_those_of_every_repair(rng, n_classes):
    encoded, tests = rows_of(rng), rng.normal(size=(60, 2))
    labels = np.digitize(encoded.rows[:, 0] + 0.3 * rng.normal(size=200), [0.0] if n_classes == 2 else [-0.5, 0.5])
    told = judge_linear(encoded, labels, tests, LOGISTIC, n_classes, 0.01)
    certain = told.possible.sum(axis=1) == 1
    assert certain.mean() > 0.5
    for _ in range(10):
        rows = repaired(encoded, rng)
        margins = np.stack([LogisticRegression(tol=1e-10).fit(rows, labels == one).decision_function(tests) for one in range(n_classes)], axis=1)
        assert (margins.argmax(axis=1) == told.predicted)[certain].all()
        assert told.possible[np.arange(60), margins.argmax(axis=1)].all()
    assert told.matters.sum() == 4
    assert (told.need[~told.matters] == 0).all()


def test_numbers_lie_within_their_bounds(rng):
    encoded, tests = rows_of(rng), rng.normal(size=(60, 2))
    values = encoded.rows @ [1.0, -1.0] + 0.3 * rng.normal(size=200)
    told = judge_linear(encoded, values, tests, RIDGE, 0, 0.01)
    for _ in range(20):
        predicted = Ridge().fit(repaired(encoded, rng), values).predict(tests)
        assert (told.low <= predicted).all()
        assert (predicted <= told.high).all()


def test_neighbours_are_counted(rng):
    encoded, tests = rows_of(rng, width=2.0, n_doubtful=30), rng.normal(size=(60, 2))
    labels = (encoded.rows[:, 1] > 0).astype(np.int64)
    told = judge_knn(encoded, labels, tests, Learner("knn", k=3), 2)
    assert (told.need >= 0).all()
    assert (told.need[~told.matters] == 0).all()
    assert set(np.flatnonzero(told.matters)) <= set(encoded.positions)
    np.testing.assert_allclose(told.probabilities.sum(axis=1), 1)

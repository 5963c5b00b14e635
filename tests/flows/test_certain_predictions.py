"""Certain predictions for arrays."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.neighbors import KNeighborsClassifier

import dqops
from dqops.errors import DataError, OptionError


def test_a_clean_table_has_certain_predictions_only():
    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    names = np.array(["barolo", "grignolino", "barbera"])[y]
    told = dqops.certain_predictions(X[::2, None, :], names[::2], X[1::2], k=5, y_holdout=names[1::2])
    model = KNeighborsClassifier(5).fit(X[::2], names[::2])
    assert told.certain.all()
    assert told.predicted.tolist() == model.predict(X[1::2]).tolist()
    assert told.accuracy == pytest.approx((model.score(X[1::2], names[1::2]),) * 3)
    assert told.classes.tolist() == ["barbera", "barolo", "grignolino"]
    assert "89 of 89 predictions of 5-NN are the same in all worlds" in str(told)
    assert told.to_frame()["n_possible"].sum() == 89


def test_sampled_worlds_lie_within_the_bounds(rng):
    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    candidates = [row + (0.8 * rng.normal(size=(4, 13)) if number % 3 == 0 else np.zeros((1, 13))) for number, row in enumerate(X[::2])]
    told = dqops.certain_predictions(candidates, y[::2], X[1::2], k=3, y_holdout=y[1::2])
    low, expected, high = told.accuracy
    scores = []
    for _ in range(200):
        world = np.array([row[rng.integers(len(row))] for row in candidates])
        scores.append(KNeighborsClassifier(3).fit(world, y[::2]).score(X[1::2], y[1::2]))
    assert low <= min(scores)
    assert max(scores) <= high
    assert low < high
    assert abs(np.mean(scores) - expected) < 4 * np.std(scores) / np.sqrt(200)


def test_k_beyond_the_rows_lets_all_vote():
    told = dqops.certain_predictions([[[0.0]], [[1.0], [2.0]], [[3.0]]], ["b", "a", "b"], [[0.0]], k=99)
    assert (told.k, told.predicted.tolist(), told.certain.tolist()) == (3, ["b"], [True])


def test_an_even_vote_goes_to_the_smallest_class():
    told = dqops.certain_predictions([[[0.0]], [[1.0]]], ["b", "a"], [[0.0]], k=2)
    assert told.predicted.tolist() == ["a"]


def test_a_label_that_no_row_has_is_never_right():
    told = dqops.certain_predictions([[[0.0]], [[1.0], [5.0]]], [0, 1], [[0.0], [1.0]], k=1, y_holdout=[7, 0])
    assert told.accuracy == (0.0, pytest.approx(0.25), 0.5)
    assert told.classes.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("error", "said", "change"),
    [
        (OptionError, "k=0", {"k": 0}),
        (OptionError, "metric='hamming'", {"metric": "hamming"}),
        (DataError, "candidates has 2 rows and y 1", {"y": [0]}),
        (DataError, "y is missing in 1 row", {"y": [0, np.nan]}),
        (DataError, "X_holdout column 0 is missing", {"X_holdout": [[np.nan]]}),
        (DataError, "X_holdout has no rows", {"X_holdout": np.empty((0, 1))}),
        (DataError, "candidates have 1 columns and X_holdout 2", {"X_holdout": [[1.0, 2.0]]}),
        (DataError, "X_holdout has 1 row and y_holdout 2", {"y_holdout": [0, 1]}),
        (DataError, "row 1 has no candidate", {"candidates": [[[0.0]], []]}),
    ],
)
def test_what_cannot_be_counted_is_refused_in_one_sentence(error, said, change):
    given = {"candidates": [[[0.0]], [[1.0]]], "y": [0, 1], "X_holdout": [[0.0]], **change}
    with pytest.raises(error, match=said):
        dqops.certain_predictions(given.pop("candidates"), given.pop("y"), given.pop("X_holdout"), **given)

"""Repairs by k nearest neighbours: against valuing the repaired table anew, and input that cannot be."""

import numpy as np
import pandas as pd
import pytest

from dqops.errors import DataError, OptionError, UnknownNameError
from dqops.results.repair_values import RepairValues
from dqops.valuers.influence import repair_influence
from dqops.valuers.knn_shapley import knn_shapley
from dqops.valuers.repair_values import repair_values

N, HOLDOUT = 60, 9


@pytest.fixture
def made(rng):
    def make(d=3, n_classes=3):
        X, held = rng.normal(size=(N, d)), rng.normal(size=(HOLDOUT, d))
        return X, rng.integers(0, n_classes, N), held, rng.integers(0, n_classes, HOLDOUT)

    return make


def valued_anew(X, y, held, answers, rows, *, labels=None, features=None, **settings):
    """Change of the row's value, and of the sum of all values, from two whole valuations a repair."""
    before = knn_shapley(X, y, held, answers, **settings).value
    found = []
    for place, row in enumerate(rows):
        changed_X, changed_y = X.copy(), y.copy()
        if labels is not None:
            changed_y[row] = labels[place]
        if features is not None:
            changed_X[row] = features[place]
        after = knn_shapley(changed_X, changed_y, held, answers, **settings).value
        found.append((after[row] - before[row], after.sum() - before.sum()))
    return np.array(found).T


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("k", [1, 4, 99])
@pytest.mark.parametrize("what", ["labels", "features", "both"])
def test_a_repair_is_worth_what_valuing_anew_says(rng, made, metric, k, what):
    given = made()
    rows = rng.integers(0, N, size=12)
    repairs = {"labels": rng.integers(0, 4, size=12), "features": rng.normal(size=(12, 3))}
    repairs = repairs if what == "both" else {what: repairs[what]}
    found = repair_values(*given, rows=rows, k=k, metric=metric, **repairs)
    value, effect = valued_anew(*given, rows, k=k, metric=metric, **repairs)
    np.testing.assert_allclose(found.value, value, atol=1e-13)
    np.testing.assert_allclose(found.effect, effect, atol=1e-12)
    assert (found.method, found.unit, found.rows.to_list()) == ("repair_shapley", "accuracy", rows.tolist())


@pytest.mark.parametrize("kind", ["ties", "constant column", "wide"])
def test_moves_keep_the_order_by_definition(rng, made, kind):
    X, y, held, answers = made(24 if kind == "wide" else 3)
    candidates = rng.normal(size=(N, X.shape[1]))
    if kind == "ties":
        X, held, candidates = (np.round(one) for one in (X, held, candidates))
    if kind == "constant column":  # the candidates differ in it, so that it must not be left out
        X[:, 1] = 1.0
    rows = np.arange(N)
    found = repair_values(X, y, held, answers, features=candidates)
    np.testing.assert_allclose(found.value, valued_anew(X, y, held, answers, rows, features=candidates)[0], atol=1e-13)
    assert found.rows is None


def test_nothing_changes_nothing(made):
    X, y, held, answers = made()
    for found in (repair_values(X, y, held, answers, labels=y), repair_values(X, y, held, answers, features=X)):
        np.testing.assert_allclose(np.vstack([found.value, found.effect, found.stderr]), 0, atol=1e-15)


def test_doubtful_truth_is_worth_its_expectation(rng, made):
    X, y, held, answers = made()
    doubt = rng.dirichlet([1, 1, 1], size=N)
    found = repair_values(X, y, held, answers, labels=doubt)
    sure = [repair_values(X, y, held, answers, labels=np.full(N, label)) for label in range(3)]
    np.testing.assert_allclose(found.value, sum(doubt[:, label] * one.value for label, one in enumerate(sure)), atol=1e-13)
    np.testing.assert_allclose(found.effect, sum(doubt[:, label] * one.effect for label, one in enumerate(sure)), atol=1e-13)
    assert found.unit == "expected accuracy"
    text, told = np.array(["a", "b", "c"])[y], np.array(["a", "b", "c"])[answers]
    np.testing.assert_allclose(repair_values(X, text, held, told, labels=doubt).value, found.value, atol=1e-14)
    turned = repair_values(X, text, held, told, labels=doubt[:, ::-1], classes=["c", "b", "a"])
    np.testing.assert_allclose(turned.value, found.value, atol=1e-14)


def test_standard_errors_are_those_over_holdout_rows(rng, made):
    X, y, held, answers = made()
    labels, candidates = rng.integers(0, 3, N), rng.normal(size=(N, 3))
    found = repair_values(X, y, held, answers, labels=labels, features=candidates)
    alone = [repair_values(X, y, held[[point]], answers[[point]], labels=labels, features=candidates) for point in range(HOLDOUT)]
    for name, stderr in (("value", found.stderr), ("effect", found.effect_stderr)):
        every = np.array([getattr(one, name) for one in alone])
        np.testing.assert_allclose(stderr, every.std(axis=0, ddof=1) / np.sqrt(HOLDOUT), atol=1e-9)
    assert alone[0].stderr is None
    assert alone[0].effect_stderr is None


def test_values_do_not_depend_on_workers(rng, made):
    X, y, _, _ = made()
    held, answers = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    one, three = (repair_values(X, y, held, answers, labels=y[::-1], n_jobs=n_jobs) for n_jobs in (1, 3))
    assert one.value.tobytes() == three.value.tobytes()
    assert one.effect_stderr.tobytes() == three.effect_stderr.tobytes()


def test_putting_planted_errors_right_is_worth_most(rng):
    X, held = rng.normal(size=(800, 4)), rng.normal(size=(300, 4))
    truth, answers = X[:, 0] > 0, held[:, 0] > 0
    wrong = rng.permutation(800)[:40]
    y = truth.copy()
    y[wrong] = ~y[wrong]
    found = repair_values(X, y, held, answers, labels=~y)
    assert np.isin(found.best(40), wrong).mean() > 0.7
    assert found.effect[wrong].sum() > 0


def test_influence_is_asked_instead(made):
    X, y, held, answers = made(n_classes=2)
    labels = 1 - y
    found = repair_values(X, y, held, answers, labels=labels, method="influence")
    wanted = repair_influence(X, y, held, answers, labels=labels)
    assert isinstance(found, RepairValues)
    assert np.array_equal(found.value, wanted.value)
    assert np.array_equal(found.effect, wanted.value)
    assert (found.method, found.unit) == ("repair_influence", wanted.unit)


def test_influence_is_asked_for_its_target_step_and_weights(made):
    X, y, held, answers = made(n_classes=2)
    labels = 1 - y
    asked = {"target": "accuracy", "step": "first_order", "sample_weight": np.linspace(1, 2, len(y))}
    found = repair_values(X, y, held, answers, labels=labels, method="influence", **asked)
    assert np.array_equal(found.value, repair_influence(X, y, held, answers, labels=labels, **asked).value)
    with pytest.raises(OptionError, match="none for method='knn'"):
        repair_values(X, y, held, answers, labels=labels, sample_weight=asked["sample_weight"])


def test_a_result_shows_both_forms(made):
    X, y, held, answers = made()
    frame = repair_values(X, y, held, answers, labels=[0, 1], rows=[7, 3]).to_frame()
    assert frame.columns == ["row", "value", "stderr", "effect", "effect_stderr"]
    assert frame["row"].to_list() == [7, 3]
    with pytest.raises(OptionError, match="one a repair, 2 in all"):
        RepairValues(np.zeros(2), None, "knn", "accuracy", effect=np.zeros(3))


BAD = [
    ({}, OptionError, "labels=None: need labels=, features= or both"),
    ({"labels": [0, 1, 0], "method": "forest"}, OptionError, "method='forest': need one of 'knn', 'influence'"),
    ({"labels": [0, 1, 0], "k": 0}, OptionError, "k=0"),
    ({"labels": [0, 1, 0], "metric": "chebyshev"}, UnknownNameError, "no metric is called 'chebyshev'"),
    ({"labels": [0, 1]}, DataError, "the list of repairs has 3 rows and labels 2"),
    ({"labels": [0], "rows": [3]}, OptionError, "rows=.*positions from 0 to 2"),
    ({"labels": [0], "rows": [0.5]}, OptionError, "rows=.*positions from 0 to 2"),
    ({"labels": [], "rows": []}, OptionError, "rows=.*positions from 0 to 2"),
    ({"labels": ["a", "b", "a"]}, DataError, "labels holds text and y_holdout numbers"),
    ({"labels": np.full((3, 2), 0.4)}, DataError, "row 0 of labels is .* add up to 1"),
    ({"labels": np.full((3, 4), 0.25), "classes": [0, 1]}, DataError, "classes has 2 entries for 4 columns"),
    ({"features": [[1.0, 2.0]] * 3}, DataError, "X has 1 column and features 2"),
    ({"X": pd.DataFrame({"a": [1.0, 2, 3], "b": 0}), "X_holdout": [[1.5, 0]], "features": pd.DataFrame({"b": [1.0, 2, 3], "a": 0})}, DataError, "another order"),
    ({"features": [[1.0]]}, DataError, "the list of repairs has 3 rows and features 1"),
    ({"features": [[np.nan], [1], [2]]}, DataError, "features column 0 is missing in 1 row of 3"),
    ({"y": [0.5, 1.5, 2.5], "y_holdout": [0.5], "labels": [1.0, 2.0, 3.0]}, DataError, "y holds numbers to foretell"),
    ({"labels": [0, 1, 0], "max_bytes": 100}, DataError, "repair_values of 3 rows takes"),
    ({"labels": [0, 1, 0], "X_holdout": np.empty((0, 1)), "y_holdout": []}, DataError, "X_holdout has no rows"),
]


@pytest.mark.parametrize(("change", "kind", "said"), BAD)
def test_what_cannot_be_is_refused_in_a_sentence(change, kind, said):
    given = {"X": [[1.0], [2.0], [3.0]], "y": [0, 1, 0], "X_holdout": [[1.5]], "y_holdout": [1], **change}
    arrays = [given.pop(name) for name in ("X", "y", "X_holdout", "y_holdout")]
    with pytest.raises(kind, match=said):
        repair_values(*arrays, **given)

"""Influence in boosted trees and forests against leaves worked out again, and against votes counted one by one."""

import numpy as np
import pandas as pd
import pytest
from naive.tree_influence import boosted_scores, forest_votes
from scipy.special import expit, log_softmax, softmax
from scipy.stats import spearmanr
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dqops.errors import DataError, ModelError, OptionError
from dqops.valuers.boosted_trees import boosted_trees
from dqops.valuers.influence import influence

SMALL = {"max_iter": 8, "max_leaf_nodes": 5, "min_samples_leaf": 4, "early_stopping": False}


@pytest.fixture
def data(rng):
    def make(n_classes, n_rows=90):
        X, held = rng.normal(size=(n_rows, 3)), rng.normal(size=(60, 3))
        truth = rng.normal(size=(3, max(n_classes, 1))) * 2
        if n_classes == 0:
            return X, (X @ truth)[:, 0] ** 2 + rng.exponential(size=n_rows), held, (held @ truth)[:, 0] ** 2 + rng.exponential(size=60)
        labels = [(part @ truth + rng.gumbel(size=(len(part), n_classes))).argmax(axis=1) for part in (X, held)]
        return X, labels[0], held, labels[1]

    return make


def losses_of(name, n_scores):
    """(derivatives, first score from a weighted mean, mean loss), each as it is written in a book."""
    if name == "squared_error":
        return (lambda s, y: (s - y[:, None], np.ones_like(s)), lambda m: m, lambda s, y: np.mean((s[:, 0] - y) ** 2))
    if name == "poisson":
        return (lambda s, y: (np.exp(s) - y[:, None], np.exp(s)), np.log, lambda s, y: np.mean(np.exp(s[:, 0]) - y * s[:, 0]))
    if name == "gamma":
        return (lambda s, y: (1 - y[:, None] / np.exp(s), y[:, None] / np.exp(s)), np.log, lambda s, y: np.mean(s[:, 0] + y / np.exp(s[:, 0])))
    if n_scores == 1:
        return (
            lambda s, y: (expit(s) - y[:, None], expit(s) * expit(-s)),
            lambda m: np.log(m / (1 - m)),
            lambda s, y: np.mean(np.logaddexp(0, s[:, 0]) - y * s[:, 0]),
        )
    one_hot = np.eye(n_scores)
    return (
        lambda s, y: (softmax(s, axis=1) - one_hot[y], softmax(s, axis=1) * (1 - softmax(s, axis=1))),
        lambda m: np.log(m) - np.log(m).mean(),
        lambda s, y: -np.mean(log_softmax(s, axis=1)[np.arange(len(y)), y]),
    )


def refitted(model, X, y, held, truth, weights, targets=None):
    """Mean loss of the ensemble with these splits and these weights, its leaves worked out again."""
    trees = boosted_trees(model)
    derivatives, first, loss = losses_of(trees.loss.name, trees.loss.n_scores)
    targets = y if targets is None else targets
    outcome = np.eye(trees.loss.n_scores)[targets] if trees.loss.n_scores > 1 else targets[:, None]
    start = first(weights @ outcome / weights.sum())
    leaves = [part.astype(int) for part in trees.leaves(np.ascontiguousarray(X))]
    held_leaves = [part.astype(int) for part in trees.leaves(np.ascontiguousarray(held))]
    scores = boosted_scores(leaves, held_leaves, lambda s: derivatives(s, targets), start, weights, model.learning_rate, model.l2_regularization)
    return loss(scores, truth)


@pytest.mark.parametrize(
    ("n_classes", "model"),
    [
        (2, HistGradientBoostingClassifier(**SMALL)),
        (3, HistGradientBoostingClassifier(**SMALL, l2_regularization=1.0)),
        (0, HistGradientBoostingRegressor(**SMALL)),
        (0, HistGradientBoostingRegressor(**SMALL, loss="poisson", learning_rate=0.3)),
        (0, HistGradientBoostingRegressor(**SMALL, loss="gamma")),
    ],
    ids=lambda given: str(given)[:70],
)
def test_boosted_values_are_derivatives_of_the_ensemble_with_its_splits_held(rng, data, n_classes, model):
    X, y, held, truth = data(n_classes)
    # Rows of tiny weight: leaving them out is a derivative. They are few, and the others stand as they are.
    weights = np.where(np.arange(90) % 9 == 0, 1e-4, rng.uniform(0.5, 2.0, size=90))
    model.fit(X, y, sample_weight=weights)
    now = refitted(model, X, y, held, truth, weights)
    values = influence(X, y, held, truth, model=model, sample_weight=weights).value
    for row in (0, 9, 45):
        without = weights.copy()
        without[row] = 0.0
        assert values[row] == pytest.approx(refitted(model, X, y, held, truth, without) - now, rel=2e-3, abs=1e-10)
    if n_classes:
        found = influence(X, y, held, truth, model=model, sample_weight=weights, change="relabel").value
        assert (found[np.arange(90), y] == 0).all()
        for row in (0, 9, 45):
            other = y.copy()
            other[row] = (y[row] + 1) % n_classes
            exact = now - refitted(model, X, y, held, truth, weights, other)
            assert found[row, other[row]] == pytest.approx(exact, rel=2e-3, abs=1e-10)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_boosted_values_are_near_to_leaves_worked_out_again(data, n_classes):
    X, y, held, truth = data(n_classes)
    model = (HistGradientBoostingClassifier if n_classes else HistGradientBoostingRegressor)(**SMALL).fit(X, y)
    ones = np.ones(90)
    now = refitted(model, X, y, held, truth, ones)
    exact = [refitted(model, X, y, held, truth, np.where(np.arange(90) == row, 0.0, 1.0)) - now for row in range(90)]
    values = influence(X, y, held, truth, model=model).value
    assert spearmanr(values, exact)[0] > 0.97
    groups = np.arange(90) % 12
    joint = influence(X, y, held, truth, model=model, groups=groups)
    exact = [refitted(model, X, y, held, truth, np.where(groups == group, 0.0, 1.0)) - now for group in range(12)]
    assert spearmanr(joint.value, exact)[0] > 0.9
    assert joint.rows.to_list() == list(range(12))
    np.testing.assert_allclose(influence(X, y, held, truth, model=model, groups=np.arange(90)).value, values, rtol=1e-9)


def test_early_stopping_rows_are_worth_nothing(data):
    X, y, held, truth = data(2, 400)
    model = HistGradientBoostingClassifier(max_iter=20, early_stopping=True, random_state=3).fit(X, y)
    found = influence(X, y, held, truth, model=model)
    assert (found.value == 0).sum() == 40
    assert "40 rows were set aside to stop early" in found.why
    words = np.array(["no", "yes"])
    named = influence(X, words[y], held, words[truth], model=model.fit(X, words[y]), change="relabel")
    assert named.classes.tolist() == ["no", "yes"]


def test_class_weights_missing_cells_and_categories_are_those_of_the_model(rng, data):
    X, y, held, truth = data(2)
    X[::7, 0] = np.nan
    frame, kept = (pd.DataFrame({"a": part[:, 0], "b": part[:, 1], "place": pd.Categorical(np.where(part[:, 2] > 0, "n", "s"))}) for part in (X, held))
    for model in (HistGradientBoostingClassifier(**SMALL, class_weight="balanced"), HistGradientBoostingClassifier(**SMALL)):
        loose, fitted = influence(frame, y, kept, truth, model=model), influence(frame, y, kept, truth, model=model.fit(frame, y))
        np.testing.assert_array_equal(loose.value, fitted.value)
        assert np.abs(fitted.value).max() > 0
    piped = make_pipeline(StandardScaler(), HistGradientBoostingClassifier(**SMALL))
    np.testing.assert_array_equal(influence(X, y, held, truth, model=piped).value, influence(X, y, held, truth, model=piped.fit(X, y)).value)


@pytest.mark.parametrize(
    ("n_classes", "model"),
    [
        (2, RandomForestClassifier(20, random_state=0)),
        (3, ExtraTreesClassifier(20, random_state=0, max_depth=4)),
        (0, RandomForestRegressor(20, random_state=0, min_samples_leaf=3)),
        (0, ExtraTreesRegressor(20, random_state=0)),
    ],
    ids=lambda given: str(given)[:70],
)
def test_forest_values_follow_the_vote_when_a_row_loses_weight(data, n_classes, model):
    X, y, held, truth = data(n_classes)
    model.fit(X, y)
    drawn = model.estimators_samples_ if model.bootstrap else [np.arange(90)] * 20
    weights = np.column_stack([np.bincount(one, minlength=90) for one in drawn]).astype(float)
    votes = forest_votes(model.apply(X), model.apply(held), weights)
    outcome = np.eye(n_classes)[y] if n_classes else y[:, None]
    said = model.predict_proba(held) if n_classes else model.predict(held)[:, None]
    np.testing.assert_allclose(votes @ outcome, said, atol=1e-9)  # the forest is a vote of its rows
    own = np.eye(n_classes)[truth] if n_classes else truth[:, None]

    def loss(heard):
        return np.mean(np.sum((heard - own) ** 2, axis=1))

    values = influence(X, y, held, truth, model=model).value
    sure = influence(X, y, held, truth, model=model, target="accuracy").value if n_classes else None
    labels = influence(X, y, held, truth, model=model, change="relabel").value if n_classes else None
    for row in (0, 20, 77):
        small, scale = 1e-6, np.ones(90)
        scale[row] -= small
        heard = (votes * scale) @ outcome / (votes @ scale)[:, None]
        assert values[row] == pytest.approx((loss(heard) - loss(said)) / small, rel=1e-3, abs=1e-8)
        if n_classes:
            true = np.arange(60), truth
            assert sure[row] == pytest.approx((said[true] - heard[true]).mean() / small, rel=1e-3, abs=1e-8)
            other = (y[row] + 1) % n_classes
            move = np.outer(votes[:, row], np.eye(n_classes)[other] - np.eye(n_classes)[y[row]])
            assert labels[row, other] == pytest.approx((loss(said) - loss(said + small * move)) / small, rel=1e-3, abs=1e-8)
    groups = np.arange(90) % 4
    np.testing.assert_allclose(influence(X, y, held, truth, model=model, groups=groups).value, np.bincount(groups, values), rtol=1e-9, atol=1e-12)


def test_weights_of_a_forest_are_found_in_its_leaves(rng, data):
    X, y, held, truth = data(2)
    weights = rng.uniform(0.5, 2.0, size=90)
    for options in ({}, {"class_weight": "balanced"}, {"class_weight": {0: 3.0, 1: 1.0}}, {"class_weight": "balanced_subsample"}):
        for kind in (RandomForestClassifier, ExtraTreesClassifier):
            model = kind(10, random_state=0, **options).fit(X, y, sample_weight=weights)
            assert np.abs(influence(X, y, held, truth, model=model, sample_weight=weights).value).max() > 0


def test_planted_wrong_labels_come_last(rng):
    X = rng.normal(size=(600, 5))
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)
    held, truth = X[400:], y[400:]
    X, y = X[:400], y[:400].copy()
    wrong = rng.choice(400, 40, replace=False)
    y[wrong] = 1 - y[wrong]
    for model in (HistGradientBoostingClassifier(max_iter=30), RandomForestClassifier(50, random_state=0)):
        found = influence(X, y, held, truth, model=model)
        assert np.isin(found.worst(40), wrong).mean() > 0.5  # a tenth by chance
        gains = influence(X, y, held, truth, model=model, change="relabel").best()[1]
        assert np.isin(np.argsort(-gains)[:40], wrong).mean() > 0.3


def test_trees_that_were_taught_otherwise_are_refused(data):
    X, y, held, truth = data(2)
    cases = [
        (HistGradientBoostingClassifier(**SMALL).fit(X, 1 - y), {}, "not what the trees were fitted to"),
        (HistGradientBoostingClassifier(**SMALL).fit(X[:80], y[:80]), {}, "not what the trees were fitted to"),
        (RandomForestClassifier(5, random_state=0).fit(X[:80], y[:80]), {}, "the forest was fitted to 80 rows and X has 90"),
        (RandomForestClassifier(5, random_state=0).fit(X[::-1], y[::-1]), {}, "not what the forest was fitted to"),
        (RandomForestClassifier(5), {"y": np.zeros(90)}, "one class"),
        (HistGradientBoostingClassifier(), {"y_holdout": truth + 5}, "y_holdout holds the class 5"),
        (HistGradientBoostingClassifier(), {"y_holdout": truth[:-1]}, "X_holdout has 60 rows and y_holdout 59"),
        (RandomForestClassifier(5), {"y": y[:-1]}, "X has 90 rows and y 89"),
        (RandomForestClassifier(5), {"groups": [1]}, "groups"),
    ]
    for model, change, said in cases:
        given = {"X": X, "y": y, "X_holdout": held, "y_holdout": truth, "model": model} | change
        with pytest.raises(DataError, match=said):
            influence(**given)
    with pytest.raises(ModelError, match="reading X"):
        influence(X[:, :2], y, held, truth, model=HistGradientBoostingClassifier(**SMALL).fit(X, y))


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (HistGradientBoostingClassifier(), {"change": "cell"}, "'remove' or 'relabel' for trees"),
        (HistGradientBoostingClassifier(), {"step": "first_order"}, "'auto' for trees"),
        (HistGradientBoostingClassifier(), {"target": "accuracy"}, "no spread to smooth accuracy by"),
        (HistGradientBoostingRegressor(loss="absolute_error"), {}, "leaves that are means"),
        (HistGradientBoostingClassifier(monotonic_cst=[1, 0, 0]), {}, "none: a leaf that is held"),
        (HistGradientBoostingClassifier(warm_start=True), {}, "all trees taught the same rows"),
        (HistGradientBoostingRegressor(), {"change": "relabel"}, "'remove' for a target of numbers"),
        (RandomForestRegressor(5), {"target": "accuracy"}, "'loss' or a function"),
        (RandomForestRegressor(5, criterion="absolute_error"), {}, "leaves that are means"),
        (GradientBoostingClassifier(), {}, "boosted trees or a forest of scikit-learn"),
    ],
    ids=lambda given: str(given)[:60],
)
def test_what_trees_cannot_tell_is_refused(data, model, options, said):
    with pytest.raises(OptionError, match=said):
        influence(*data(2), model=model, **options)

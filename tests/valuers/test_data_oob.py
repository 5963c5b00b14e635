"""Out-of-bag values: by the definition, from bags of any model or of one forest, with errors that hold."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from naive import data_oob as naive
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.metrics import average_precision_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

import dqops
from dqops.errors import DataError, ModelError, OptionError, SkippedWarning
from dqops.valuers.data_oob import ModelBags
from dqops.valuers.learner import learner_of


def clouds(n_rows=120, n_classes=2, rate=0.15, seed=0):
    """Clouds with wrong labels, and which they are."""
    rng = np.random.default_rng(seed)
    true = np.arange(n_rows) % n_classes
    X = rng.normal(size=(n_rows, 3)) + 3 * np.eye(max(n_classes, 3))[true][:, :3]
    wrong = rng.random(n_rows) < rate
    y = np.where(wrong, (true + 1) % n_classes, true)
    return X, y, wrong


def score(said, given, kind):
    """Of one row, by the definition."""
    if kind == "accuracy":
        return float(list(said).index(max(said)) == given)
    if kind == "loss":
        return np.log(max(said[given], 1e-6))
    return said[given] - max(one for code, one in enumerate(said) if code != given)


@pytest.mark.filterwarnings("ignore::dqops.errors.SkippedWarning")
@pytest.mark.parametrize("kind", ["margin", "accuracy", "loss"])
def test_values_and_errors_are_those_of_the_definition(kind):
    X, y, _ = clouds(20, 3)
    bags = ModelBags(learner_of(X, y, GaussianNB(), seed=3)[0], 12, 3)
    heard = [bags.heard(bag) for bag in range(12)]
    scores = [{int(row): score(line, y[row], kind) for row, line in zip(out, said, strict=True)} for out, said in heard]
    worth = dqops.data_oob(X, y, model=GaussianNB(), score=kind, n_estimators=12, seed=3)
    assert worth.value == pytest.approx(naive.out_of_bag(scores, 20), nan_ok=True)
    several = [sum(row in bag for bag in scores) > 1 for row in range(20)]
    assert sum(several) > 15
    assert worth.stderr[several] == pytest.approx(np.array(naive.jackknife(scores, 20))[several], abs=1e-6)


def test_a_bag_is_drawn_with_replacement_and_its_rows_are_not_judged():
    X, y, _ = clouds(30)
    bags = ModelBags(learner_of(X, y, KNeighborsClassifier(1))[0], 400, 0)
    out = np.concatenate([bags.heard(bag)[0] for bag in range(400)])
    assert len(out) / (400 * 30) == pytest.approx((1 - 1 / 30) ** 30, abs=0.01)
    # One neighbour, the row itself, would make every label right.
    assert dqops.data_oob(X, y, model=KNeighborsClassifier(1), score="accuracy", n_estimators=40).value.min() < 0.2


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("is_fitted", [True, False])
def test_a_forest_speaks_for_itself(n_classes, is_fitted):
    X, y, _ = clouds(150, n_classes)
    forest = RandomForestClassifier(80, min_samples_leaf=3, oob_score=True, random_state=1)
    known = RandomForestClassifier(80, min_samples_leaf=3, oob_score=True, random_state=1).fit(X, y)
    worth = dqops.data_oob(X, y, model=known if is_fitted else forest)
    own = known.oob_decision_function_[np.arange(150), y]
    if n_classes == 2:
        assert worth.value == pytest.approx(2 * own - 1)
    else:
        assert (worth.value <= 2 * own - 1 + 1e-9).any()
        assert np.corrcoef(worth.value, own)[0, 1] > 0.99
    assert ("fitted before" if is_fitted else "fitted here") in worth.why
    assert not hasattr(forest, "estimators_")


def test_regression_forests_speak_for_themselves():
    X, _, _ = clouds(100)
    y = X[:, 0] ** 2
    y[7] += 20
    known = RandomForestRegressor(60, oob_score=True, random_state=0).fit(X, y)
    absolute, squared = (dqops.data_oob(X, y, model=known, score=kind) for kind in ("margin", "loss"))
    assert (absolute.unit, squared.unit) == ("negative absolute error", "negative squared error")
    missed = np.abs(known.oob_prediction_ - y)
    assert (absolute.value <= -missed + 1e-9).all()
    assert absolute.worst(1).tolist() == squared.worst(1).tolist() == [7]


@pytest.mark.parametrize(
    "model",
    [
        BaggingClassifier(GaussianNB(), 60, random_state=0),
        BaggingClassifier(DecisionTreeClassifier(), 60, max_features=2, max_samples=0.5, random_state=0),
        BaggingClassifier(LinearSVC(), 60, random_state=0),
        ExtraTreesClassifier(60, random_state=0),
    ],
    ids=["naive", "some columns", "votes", "extra"],
)
def test_ensembles_that_draw_bags_are_read(model):
    X, y, wrong = clouds(150, 3)
    names = np.array(["a", "b", "c"])[y]
    worth = dqops.data_oob(X, names, model=model)
    assert "read from the 60 bags" in worth.why
    assert average_precision_score(wrong, -worth.value) > 0.8
    assert ("bootstrap=True" in worth.why) == isinstance(model, ExtraTreesClassifier)


class Voter(ClassifierMixin, BaseEstimator):
    """Says a label and nothing else."""

    def fit(self, X, y):
        self.classes_, self.known_ = np.unique(y), GaussianNB().fit(X, y)
        return self

    def predict(self, X):
        return self.known_.predict(X)


@pytest.mark.parametrize("model", [None, GaussianNB(), make_pipeline(SimpleImputer(), LogisticRegression()), LinearSVC(), RidgeClassifier(), Voter(), "linear"])
def test_wrong_labels_are_worth_least(model):
    X, y, wrong = clouds(120, 3)
    worth = dqops.data_oob(X, y, model=model, n_estimators=30)
    assert average_precision_score(wrong, -worth.value) > 0.8
    assert (worth.method, worth.unit) == ("data_oob", "margin")
    assert (np.abs(worth.value) <= 1).all()


def test_a_vote_is_a_margin_of_one():
    X, y, _ = clouds(60)
    margin, right = (dqops.data_oob(X, y, model=Voter(), score=kind, n_estimators=25) for kind in ("margin", "accuracy"))
    assert margin.value == pytest.approx(2 * right.value - 1)


def test_errors_are_the_spread_over_other_bags_and_fall_with_their_root():
    X, y, _ = clouds(60)
    worths = [dqops.data_oob(X, y, model=GaussianNB(), n_estimators=30, seed=seed) for seed in range(30)]
    spread = np.std([one.value for one in worths], axis=0, ddof=1)
    claimed = np.sqrt(np.mean([one.stderr**2 for one in worths], axis=0))
    uncertain = spread > 0.01
    assert uncertain.sum() > 10
    assert np.mean(claimed[uncertain] / spread[uncertain]) == pytest.approx(1, abs=0.2)
    many = dqops.data_oob(X, y, model=GaussianNB(), n_estimators=270)
    assert np.median(claimed[uncertain] / many.stderr[uncertain]) == pytest.approx(3, rel=0.15)


def test_rows_in_every_bag_have_no_value_and_that_is_told():
    X, y, _ = clouds(40)
    with pytest.warns(SkippedWarning, match="rows were in every bag and have no value: more bags"):
        worth = dqops.data_oob(X, y, model=GaussianNB(), n_estimators=2)
    assert 0 < np.isnan(worth.value).sum() < 40
    assert np.isnan(worth.stderr).sum() > np.isnan(worth.value).sum()
    assert not np.isnan(worth.value[worth.worst(10)]).any()


@pytest.mark.parametrize("model", [None, GaussianNB()])
def test_workers_do_not_change_the_answer(model):
    X, y, _ = clouds(40)
    one, two, other = (dqops.data_oob(X, y, model=model, n_estimators=20, n_jobs=jobs, seed=seed) for jobs, seed in ((1, 0), (2, 0), (1, 1)))
    np.testing.assert_array_equal(one.value, two.value)
    assert not np.array_equal(one.value, other.value)


@pytest.mark.filterwarnings("ignore::dqops.errors.SkippedWarning")
def test_any_kind_of_rows_reaches_the_model():
    X, y, _ = clouds(40)
    plain = dqops.data_oob(X, y, model=GaussianNB(), n_estimators=12)
    names = np.array(["no", "yes"])[y]
    for rows in (pd.DataFrame(X, columns=list("abc")), pl.DataFrame(X, schema=list("abc")), X.tolist()):
        np.testing.assert_allclose(dqops.data_oob(rows, names, model=GaussianNB(), n_estimators=12).value, plain.value)
    sparse, dense = (dqops.data_oob(one, y, model=LogisticRegression(), n_estimators=12).value for one in (csr_matrix(X), X))
    np.testing.assert_allclose(sparse, dense, atol=1e-3)
    for rows in (X.astype(np.float32), X.astype(int)):
        assert np.isfinite(dqops.data_oob(rows, y, n_estimators=12).value).mean() > 0.9


def test_pipelines_read_text_and_holes_of_a_frame():
    frame = pd.DataFrame({"city": ["rome", "oslo"] * 20, "size": np.ones(40)})
    frame.loc[3, "size"] = np.nan
    y = np.array(["warm", "cold"] * 20)
    y[[0, 7]] = y[[7, 0]]
    pipeline = make_pipeline(make_column_transformer((OneHotEncoder(), ["city"]), (SimpleImputer(), ["size"])), LogisticRegression())
    for rows in (frame, pl.from_pandas(frame)):
        assert set(dqops.data_oob(rows, y, model=pipeline, n_estimators=20).worst(2)) == {0, 7}


def test_holes_reach_models_that_take_them():
    X, y, wrong = clouds(100)
    X[::7, 1] = np.nan
    for model in (None, make_pipeline(SimpleImputer(), GaussianNB()), RandomForestClassifier(30, random_state=0)):
        assert average_precision_score(wrong, -np.nan_to_num(dqops.data_oob(X, y, model=model, n_estimators=30).value)) > 0.6


def test_numbers_are_judged_by_their_errors():
    X, _, _ = clouds(60)
    y = X[:, 0] * 2.5
    y[5] = 60.0
    for model in (None, Ridge(), BaggingRegressor(Ridge(), 30, random_state=0)):
        worth = dqops.data_oob(X, y, model=model, n_estimators=30)
        assert worth.worst(1).tolist() == [5]
        assert worth.unit == "negative absolute error"


class Moody(Voter):
    """Cannot be trained without the first row."""

    def fit(self, X, y):
        if not (X[:, 0] == 99).any():
            raise ValueError("no first row")
        return super().fit(X, y)


def test_bags_whose_training_fails_are_left_out_and_counted():
    X, y, _ = clouds(40)
    X[0, 0] = 99
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkippedWarning)
        worth = dqops.data_oob(X, y, model=Moody(), n_estimators=60)
    assert "bags failed" in worth.why
    assert np.isnan(worth.value[0])  # where it is out of the bag, the training fails
    assert np.isfinite(worth.value[1:]).all()
    with pytest.raises(ModelError, match="no first row"):
        dqops.data_oob(X[1:], y[1:], model=Moody(), n_estimators=6)


def test_a_rare_class_and_repeated_rows_are_no_trouble():
    X, y, _ = clouds(30, rate=0)
    y[:] = 0
    y[4] = 1
    worth = dqops.data_oob(np.vstack([X, X]), np.concatenate([y, y]), model=GaussianNB(), n_estimators=20)
    assert len(worth) == 60
    assert np.isfinite(dqops.data_oob(np.ones_like(X), y, n_estimators=30).value).all()


X, Y, _ = clouds(12)
HOLED = X.copy()
HOLED[2, 1] = np.nan
FITTED = RandomForestClassifier(10, random_state=0).fit(X, Y)


@pytest.mark.parametrize(
    ("rows", "y", "options", "kind", "told"),
    [
        (X, Y[:-1], {}, DataError, "X has 12 rows and y 11"),
        (X[:0], Y[:0], {}, DataError, "no rows"),
        (X[:, 0], Y, {}, DataError, "reshape"),
        (X, np.ones(12), {}, DataError, "y holds one class .'1.*'.; need two or more classes"),
        (X, np.array([None, *Y[1:]], dtype=object), {}, DataError, "y is missing in 1 row"),
        (HOLED, Y, {"model": GaussianNB()}, DataError, "X column 1 is missing in 1 row"),
        (pd.DataFrame(HOLED, columns=list("abc")), Y, {"model": GaussianNB()}, DataError, "X column 'b' is missing"),
        (np.where(np.isnan(HOLED), np.inf, HOLED), Y, {}, DataError, "X column 1 is infinite"),
        (X, Y, {"score": "margins"}, OptionError, "score='margins'"),
        (X, X[:, 0], {"score": "accuracy"}, OptionError, "'margin' or 'loss' for a regression"),
        (X, Y, {"n_estimators": 1}, OptionError, "n_estimators=1"),
        (X, Y, {"task": "clustering"}, OptionError, "task='clustering'"),
        (X[:10], Y[:10], {"model": FITTED}, DataError, "fitted on 12 rows and 3 columns and X has 10 and 3"),
        (X, Y + 5, {"model": FITTED}, DataError, "label '5' of y is unknown"),
        (X, Y, {"model": ExtraTreesClassifier(10).fit(X, Y)}, DataError, "trained on all rows; need an ensemble that draws bags"),
        (X, Y, {"model": LogisticRegression(C=-1)}, ModelError, "failed in fit"),
        (pd.DataFrame({"a": ["x", "y"] * 6}), Y, {"model": GaussianNB()}, ModelError, "could not convert string"),
    ],
)
def test_bad_input_is_told_in_a_sentence(rows, y, options, kind, told):
    with pytest.raises(kind, match=told):
        dqops.data_oob(rows, y, **options)

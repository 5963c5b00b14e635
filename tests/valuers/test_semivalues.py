"""Semivalues as a user calls them: any model, rules that stop, clear errors."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from naive import semivalues as naive
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import dqops
from dqops.errors import ApproximationWarning, DataError, ModelError, OptionError, UnknownNameError
from dqops.valuers.sampling import semivalue_weights

NEAREST = KNeighborsClassifier(1)


def flipped(n_rows=24, n_holdout=60, seed=0, wrong=(1, 8, 15)):
    """Two clouds with three wrong labels, and a clean holdout."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_rows) % 2
    X = rng.normal(size=(n_rows, 2)) + 3 * y[:, None]
    y_holdout = np.arange(n_holdout) % 2
    X_holdout = rng.normal(size=(n_holdout, 2)) + 3 * y_holdout[:, None]
    wrong = np.array([one for one in wrong if one < n_rows])
    y = y.copy()
    y[wrong] = 1 - y[wrong]
    return X, y, X_holdout, y_holdout, wrong


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApproximationWarning)
        return dqops.semivalues(*args, **options)


@pytest.mark.parametrize(("kind", "budget"), [("shapley", 700), ("beta", 700), ("banzhaf", 400), ("loo", None)])
def test_wrong_labels_are_worth_least(kind, budget):
    *data, wrong = flipped()
    worth = quiet(*data, model=NEAREST, kind=kind, budget=budget)
    assert worth.method == kind
    assert worth.unit == "accuracy"
    assert len(worth) == 24
    if kind == "loo":
        assert worth.stderr is None
    else:
        assert np.isfinite(worth.stderr).all()
        assert set(worth.worst(3)) == set(wrong)


@pytest.mark.parametrize("kind", ["shapley", "banzhaf", "beta"])
def test_values_of_a_model_are_those_of_the_definition(kind):
    X, y, X_holdout, y_holdout, _ = flipped(6, 9)
    worth = quiet(X, y, X_holdout, y_holdout, model=GaussianNB(), kind=kind, budget=600, agreement=None, truncation=0)

    def utility(rows):
        rows = sorted(rows)
        if len(set(y[rows])) < 2:
            return (y_holdout == 0).mean()
        return GaussianNB().fit(X[rows], y[rows]).score(X_holdout, y_holdout)

    exact = naive.semivalue(utility, 6, semivalue_weights(6, kind, (4, 1)))
    assert np.abs(worth.value - exact).max() < 4.5 * worth.stderr.max()
    assert worth.stderr.max() < 0.04


def test_leaving_out_is_training_again():
    X, y, X_holdout, y_holdout, _ = flipped()
    worth = dqops.semivalues(X, y, X_holdout, y_holdout, model=GaussianNB(), kind="loo")
    full = GaussianNB().fit(X, y).score(X_holdout, y_holdout)
    again = [full - GaussianNB().fit(np.delete(X, row, axis=0), np.delete(y, row)).score(X_holdout, y_holdout) for row in range(24)]
    assert worth.value == pytest.approx(again)
    assert (worth.sampling.stopped, worth.sampling.trainings, worth.sampling.full) == ("complete", 25, full)


def test_shapley_values_share_out_the_score():
    *data, _ = flipped()
    worth = quiet(*data, model=NEAREST, truncation=0, budget=200)
    assert worth.value.sum() == pytest.approx(worth.sampling.full - worth.sampling.null)
    assert worth.error_bound == 0


def test_the_null_utility_is_the_majority_or_what_is_said():
    X, y, X_holdout, y_holdout, _ = flipped()
    y[:20], y_holdout[:45] = 1, 1
    assert quiet(X, y, X_holdout, y_holdout, model=NEAREST, budget=200).sampling.null == pytest.approx((y_holdout == 1).mean())
    assert quiet(X, y, X_holdout, y_holdout, model=NEAREST, budget=200, null=0.0).sampling.null == 0
    assert quiet(X, X[:, 0], X_holdout, X_holdout[:, 0], model=Ridge(), budget=200).sampling.null == pytest.approx(0, abs=0.2)


def test_walks_that_came_close_are_cut_and_the_bound_says_so():
    *data, _ = flipped(60, 100)
    worth = quiet(*data, model=GaussianNB(), budget=700)
    assert worth.sampling.truncation == pytest.approx(np.sqrt(worth.sampling.full * (1 - worth.sampling.full) / 100))
    assert 0 < worth.sampling.truncated < worth.error_bound <= 1


def test_no_walk_is_cut_where_knowing_nothing_is_about_as_good(rng):
    X = rng.normal(size=(20, 2))
    y = (np.arange(20) < 2).astype(int)
    worth = quiet(X, y, rng.normal(size=(30, 2)), (np.arange(30) < 3).astype(int), model=NEAREST, budget=100)
    assert worth.sampling.truncation == worth.sampling.truncated == 0


@pytest.mark.parametrize(
    ("options", "stopped"),
    [
        ({"max_stderr": 0.05, "agreement": None}, "max_stderr"),
        ({"agreement": 0.6}, "agreement"),
        ({"agreement": None, "top": -3, "kind": "banzhaf", "budget": 1500}, "top"),
        ({"agreement": None, "budget": 300}, "budget"),
    ],
)
def test_the_result_says_what_stopped_it(options, stopped):
    *data, _ = flipped()
    worth = quiet(*data, model=NEAREST, **options)
    assert worth.sampling.stopped == stopped
    assert stopped in worth.why
    assert worth.sampling.trainings <= options.get("budget", 20_000)


def test_an_ended_budget_is_told_with_the_error_that_is_left():
    *data, _ = flipped()
    with pytest.warns(ApproximationWarning, match="budget ended first, after .* the largest standard error is 0.*agree by"):
        dqops.semivalues(*data, model=NEAREST, agreement=None, budget=200)


def test_a_utility_that_never_changes_has_no_order():
    X, y, X_holdout, _, _ = flipped()
    with pytest.warns(ApproximationWarning, match="every subset scored the same"):
        worth = dqops.semivalues(X, y, X_holdout, np.full(60, 7), model=NEAREST)
    assert worth.sampling.stopped == "constant"
    assert not worth.value.any()


class Moody(ClassifierMixin, BaseEstimator):
    """Cannot be trained on an odd number of rows."""

    def fit(self, X, y):
        if len(y) % 2:
            raise ValueError("odd")
        self.classes_, self.known_ = np.unique(y), KNeighborsClassifier(1).fit(X, y)
        return self

    def predict(self, X):
        return self.known_.predict(X)


def test_failed_trainings_are_counted_and_told():
    *data, _ = flipped()
    with pytest.warns(ApproximationWarning, match="trainings failed and count as 0.5"):
        worth = dqops.semivalues(*data, model=Moody(), budget=200, agreement=None, truncation=0)
    assert 0.3 < worth.sampling.failures / worth.sampling.trainings < 0.7
    assert worth.sampling.degenerate > 0
    assert np.isfinite(worth.value).all()
    with pytest.raises(ModelError, match="odd"):
        dqops.semivalues(data[0][:23], data[1][:23], *data[2:], model=Moody())


@pytest.mark.parametrize("kind", ["shapley", "banzhaf", "loo"])
def test_workers_do_not_change_the_answer(kind):
    *data, _ = flipped(12)
    one, two = (quiet(*data, model=NEAREST, kind=kind, budget=150, n_jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.value, two.value)
    assert one.sampling.trainings == two.sampling.trainings
    other = quiet(*data, model=NEAREST, kind=kind, budget=150, seed=5)
    assert kind == "loo" or not np.array_equal(one.value, other.value)


def test_progress_is_told():
    *data, _ = flipped(12)
    heard = []
    quiet(*data, model=NEAREST, budget=100, agreement=None, progress=lambda done, total, what: heard.append((done, total, what)))
    assert heard[0] == (0, 100, "training on subsets")
    assert heard[-1][0] == 100


def test_any_kind_of_rows_reaches_the_model():
    X, y, X_holdout, y_holdout, _ = flipped(16, 40)
    options = {"budget": 64, "kind": "banzhaf", "agreement": None}
    plain = quiet(X, y, X_holdout, y_holdout, model=NEAREST, **options)
    names = np.array(["no", "yes"])
    for convert in (lambda one: pd.DataFrame(one, columns=["a", "b"]), lambda one: pl.DataFrame(one, schema=["a", "b"]), csr_matrix, np.ndarray.tolist):
        worth = quiet(convert(X), names[y], convert(X_holdout), names[y_holdout], model=NEAREST, **options)
        np.testing.assert_allclose(worth.value, plain.value)
    for dtype in (np.float32, np.int64):
        assert np.isfinite(quiet(X.astype(dtype), y, X_holdout.astype(dtype), y_holdout, model=NEAREST, **options).value).all()


def test_pipelines_read_text_and_holes_of_a_frame():
    frame = pd.DataFrame({"city": ["rome", "oslo"] * 6, "note": ["good day", "bad luck"] * 6, "size": np.ones(12)})
    frame.loc[3, "size"] = np.nan
    y = np.array(["warm", "cold"] * 6)
    y[[0, 7]] = y[[7, 0]]
    pipeline = make_pipeline(
        make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"]), (CountVectorizer(), "note"), (SimpleImputer(), ["size"])),
        NEAREST,
    )
    worth = quiet(frame, y, frame[:6], np.array(["warm", "cold"] * 3), model=pipeline, kind="banzhaf", budget=128, agreement=None)
    assert set(worth.worst(2)) == {0, 7}


def test_numbers_are_valued_by_r2():
    rng = np.random.default_rng(0)
    X, X_holdout = rng.normal(size=(30, 1)), rng.normal(size=(50, 1))
    y = 2 * X[:, 0]
    y[4] = 40.0
    worth = quiet(X, y, X_holdout, 2 * X_holdout[:, 0], model=KNeighborsRegressor(2), budget=300, kind="banzhaf")
    assert worth.worst(1).tolist() == [4]
    assert worth.unit == "r2"


def test_other_scorers_are_taken():
    *data, wrong = flipped()
    worth = quiet(*data, model=KNeighborsClassifier(3), scoring="roc_auc", kind="banzhaf", budget=300)
    assert worth.unit == "roc_auc"
    assert set(worth.worst(3)) == set(wrong)


def test_a_holdout_class_that_training_rows_lack_is_always_missed():
    X, y, X_holdout, y_holdout, _ = flipped()
    y_holdout[:30] = 5
    worth = quiet(X, y, X_holdout, y_holdout, model=NEAREST, budget=200)
    assert worth.sampling.full <= 0.5


def test_duplicates_and_constants_are_rows_like_others():
    X, y, X_holdout, y_holdout, _ = flipped(12)
    doubled = np.vstack([X, X])
    worth = quiet(doubled, np.tile(y, 2), X_holdout, y_holdout, model=NEAREST, kind="banzhaf", budget=600, agreement=None)
    assert np.abs(worth.value[:12] - worth.value[12:]).max() < 5 * worth.stderr.max()
    assert not np.any(quiet(np.ones_like(X), y, np.ones_like(X_holdout), y_holdout, model=GaussianNB(), kind="loo").value > 0.5)


X, Y, X_HELD, Y_HELD, _ = flipped(8, 6, wrong=[1])
HOLED = X.copy()
HOLED[2, 1] = np.nan


@pytest.mark.parametrize(
    ("data", "options", "kind", "told"),
    [
        ((X, Y[:-1], X_HELD, Y_HELD), {}, DataError, "X has 8 rows and y 7"),
        ((X, Y, X_HELD, Y_HELD[:-1]), {}, DataError, "X_holdout has 6 rows and y_holdout 5"),
        ((X, Y, X_HELD[:, :1], Y_HELD), {}, DataError, "X has 2 columns and X_holdout 1"),
        ((X, Y, X_HELD[:0], Y_HELD[:0]), {}, DataError, "X_holdout has no rows|y_holdout has no rows"),
        ((X[:0], Y[:0], X_HELD, Y_HELD), {}, DataError, "has no rows"),
        ((X, np.zeros(8), X_HELD, Y_HELD), {}, DataError, "y holds one class .'0.*'.; need two or more classes"),
        ((HOLED, Y, X_HELD, Y_HELD), {}, DataError, "X column 1 is missing in 1 row"),
        ((np.where(np.isnan(HOLED), np.inf, HOLED), Y, X_HELD, Y_HELD), {}, DataError, "X column 1 is infinite"),
        ((X, Y, HOLED[:6], Y_HELD), {}, DataError, "X_holdout column 1 is missing"),
        ((pd.DataFrame(X, columns=["a", "b"]), Y, pd.DataFrame(X_HELD, columns=["b", "a"]), Y_HELD), {}, DataError, "other columns"),
        ((X, Y, X_HELD, np.array(["a"] * 6)), {}, DataError, "y holds numbers and y_holdout text"),
        ((X, Y, X_HELD, Y_HELD), {"kind": "shaply"}, OptionError, "kind='shaply'"),
        ((X, Y, X_HELD, Y_HELD), {"scoring": "acuracy"}, UnknownNameError, "Did you mean 'accuracy'"),
        ((X, Y, X_HELD, Y_HELD), {"scoring": "r2"}, OptionError, "scoring='r2'"),
        ((X, Y, X_HELD, Y_HELD), {"budget": 27}, OptionError, "at least 28 trainings"),
        ((X, Y, X_HELD, Y_HELD), {"kind": "loo", "budget": 7}, OptionError, "at least 8 trainings"),
        ((X, Y, X_HELD, Y_HELD), {"top": 8}, OptionError, "fewer than all 8"),
        ((X, Y, X_HELD, Y_HELD), {"agreement": 1.5}, OptionError, "agreement=1.5"),
        ((X, Y, X_HELD, Y_HELD), {"max_stderr": 0}, OptionError, "max_stderr=0"),
        ((X, Y, X_HELD, Y_HELD), {"confidence": 1}, OptionError, "confidence=1"),
        ((X, Y, X_HELD, Y_HELD), {"shape": (0, 1)}, OptionError, "two numbers above 0"),
        ((X, Y, X_HELD, Y_HELD), {"null": "nothing"}, OptionError, "'majority' or a number"),
        ((X, Y, X_HELD, Y_HELD), {"truncation": -1}, OptionError, "truncation=-1"),
        ((X, Y, X_HELD, Y_HELD), {"model": "forrest"}, UnknownNameError, "Did you mean 'forest'"),
        ((X, Y, X_HELD, Y_HELD), {"model": KNeighborsClassifier(9)}, ModelError, "failed in scoring|failed in predict"),
        ((csr_matrix(HOLED), Y, csr_matrix(X_HELD), Y_HELD), {}, DataError, "X column 1 is missing or infinite"),
    ],
)
def test_bad_input_is_told_in_a_sentence(data, options, kind, told):
    with pytest.raises(kind, match=told):
        dqops.semivalues(*data, **({"model": NEAREST} | options))

"""Fitting, hearing and judging the user's model."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from dqops.errors import DataError, ModelError, OptionError, UnknownNameError
from dqops.models import Design, agreed_task, bounds_of, check_scoring, classes_of, resolve_model, subsample, task_of
from dqops.models.features import features_of, to_pandas
from dqops.models.fitting import seeded
from dqops.results.gain import Baseline
from dqops.tables.table import Roles, Table


def table_of(frame, flavour="pandas", **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True), Roles(**({"target": "y"} | roles)), flavour=flavour)


@pytest.fixture
def numbers(rng):
    x = rng.normal(size=(90, 2))
    label = np.where(x[:, 0] > 0.5, "high", np.where(x[:, 0] < -0.5, "low", "mid"))
    return table_of(pl.DataFrame({"x": x[:, 0], "z": x[:, 1], "y": label}))


class NeedsWholeNumbers(ClassifierMixin, BaseEstimator):
    """Refuses labels other than 0, 1, 2 ... as some libraries do."""

    def fit(self, X, y):
        y = np.asarray(y)
        if y.dtype.kind != "i" or not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError("labels must be 0, 1, 2, ...")
        self.tree_ = DecisionTreeClassifier(random_state=0).fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict(self, X):
        return self.tree_.predict(X).reshape(-1, 1)

    def predict_proba(self, X):
        return self.tree_.predict_proba(X)


class Fails(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        print("noise on the screen")
        raise RuntimeError("out of luck")

    def predict(self, X):
        return None


def test_labels_are_encoded_where_the_estimator_refuses_them(numbers):
    fitted = resolve_model(NeedsWholeNumbers(), "classification").fit(numbers)
    assert (fitted.predict(numbers) == numbers.target().to_numpy()).all()
    assert fitted.score(numbers, "accuracy") == 1.0
    assert fitted.score(numbers, "roc_auc_ovr") == 1.0


def test_a_class_that_training_lacked_has_probability_nothing(numbers):
    part = numbers.take(np.flatnonzero((numbers.target() != "mid").to_numpy()))
    fitted = resolve_model(NeedsWholeNumbers(), "classification").fit(part, classes=classes_of(numbers))
    said = fitted.probabilities(numbers)
    assert said.shape == (90, 3)
    assert said[:, 2].max() == 0.0
    assert said.sum(axis=1) == pytest.approx(1.0)
    assert np.isfinite(fitted.score(numbers, "neg_log_loss"))


def test_errors_name_model_step_and_cause_and_nothing_is_printed(numbers, capsys):
    with pytest.raises(ModelError, match=r"Fails\(\) failed in fit: RuntimeError: out of luck"):
        resolve_model(Fails(), "classification").fit(numbers)
    assert capsys.readouterr().out == ""


def test_a_score_of_probabilities_needs_probabilities(numbers):
    fitted = resolve_model(RidgeClassifier(), "classification").fit(numbers)
    with pytest.raises(ModelError, match="needs class probabilities"):
        fitted.score(numbers, "neg_log_loss")


@pytest.mark.parametrize("scoring", ["accuracy", "f1", "roc_auc", "average_precision", "neg_log_loss", "neg_brier_score", "balanced_accuracy"])
def test_two_classes_of_any_name_can_be_judged(numbers, scoring):
    two = numbers.take(np.flatnonzero((numbers.target() != "mid").to_numpy()))
    fitted = resolve_model(LogisticRegression(), "classification").fit(two)
    assert fitted.score(two, scoring) > (-0.5 if scoring.startswith("neg") else 0.9)


def test_rows_of_one_class_are_judged_where_that_says_something(numbers):
    two = numbers.take(np.flatnonzero((numbers.target() != "mid").to_numpy()))
    fitted = resolve_model(LogisticRegression(), "classification").fit(two)
    one = two.take(np.flatnonzero((two.target() == two.target()[0]).to_numpy()))
    assert fitted.score(one, "neg_log_loss") > -0.5
    with pytest.raises(DataError, match=r"all rows that judge hold .* roc_auc says nothing"):
        fitted.score(one, "roc_auc")


def test_other_labels_can_be_judged_on(numbers):
    fitted = resolve_model(DecisionTreeClassifier(), "classification").fit(numbers)
    truth = numbers.target().to_list()
    assert fitted.score(numbers, "accuracy", target=[*truth[:45], *["nothing"] * 45]) == 0.5
    assert fitted.score(numbers, "accuracy", target=[*truth[:45], *[None] * 45]) == 1.0


def test_rows_without_a_target_are_left_out(numbers):
    holes = numbers.with_columns(pl.when(pl.int_range(90) < 30).then(None).otherwise(pl.col("y")).alias("y"))
    fitted = resolve_model(DecisionTreeClassifier(), "classification").fit(holes)
    assert fitted.score(holes, "accuracy") == 1.0
    with pytest.raises(DataError, match="no row with a known target"):
        fitted.score(holes.take(np.arange(30)), "accuracy")


def test_same_seed_same_answer(numbers):
    said = [resolve_model(RandomForestClassifier(5), "classification", seed=seed).fit(numbers).probabilities(numbers) for seed in (3, 3, 4)]
    assert np.array_equal(said[0], said[1])
    assert not np.array_equal(said[0], said[2])


def test_weights_reach_the_last_step(rng):
    frame = pl.DataFrame({"x": [0.0, 0.0, 1.0, 1.0], "y": [0.0, 10.0, 0.3, 10.5], "w": [1.0, 0.0, 1.0, 0.0]})
    fitted = resolve_model(make_pipeline(StandardScaler(), Ridge(alpha=0)), "regression").fit(table_of(frame, weight="w"))
    assert fitted.predict(table_of(frame, weight="w"))[[0, 2]] == pytest.approx([0.0, 0.3])


def test_frames_come_in_the_users_flavour(numbers):
    assert isinstance(features_of(numbers), pd.DataFrame)
    polars = table_of(numbers.frame, flavour="polars")
    assert isinstance(features_of(polars), pl.DataFrame)
    assert resolve_model("linear", "classification").fit(polars).score(polars, "accuracy") > 0.8


def test_types_are_those_of_read_csv(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c,d,e\n1,x,True,1.5,\n,,,2,\n")
    own = pl.DataFrame({"a": [1, None], "b": ["x", None], "c": [True, None], "d": [1.5, 2.0], "e": pl.Series([None, None], dtype=pl.String)})
    pd.testing.assert_frame_equal(to_pandas(own), pd.read_csv(path))


def test_infinities_are_missing_to_our_pipelines(numbers):
    wild = numbers.with_columns(pl.when(pl.int_range(90) < 5).then(float("inf")).otherwise(pl.col("x")).alias("x"))
    assert resolve_model("linear", "classification").fit(wild).score(wild, "accuracy") > 0.7


@pytest.mark.parametrize(
    ("labels", "task"),
    [
        (["a", "b"] * 30, "classification"),
        ([0, 1] * 30, "classification"),
        ([0.0, 1.0, None] * 20, "classification"),
        ([1, 2, 3, 4, 5] * 20, "classification"),
        (list(range(60)), "regression"),
        ([0.1 * one for one in range(60)], "regression"),
        ([f"{one}.5 kg" for one in range(60)], "regression"),
        ([True, False] * 30, "classification"),
    ],
)
def test_the_task_is_read_off_the_target(labels, task):
    assert task_of(table_of(pl.DataFrame({"x": range(len(labels)), "y": labels}))) == task


def test_scorers_are_checked_before_any_fit():
    with pytest.raises(UnknownNameError, match="Did you mean 'accuracy'"):
        check_scoring("acuracy", "classification")
    with pytest.raises(OptionError, match="a scorer of regression"):
        check_scoring("accuracy", "regression")
    with pytest.raises(OptionError, match="f1_macro"):
        check_scoring("f1", "classification", 3)


@pytest.mark.parametrize("estimator", [LogisticRegression(), RidgeClassifier(), NeedsWholeNumbers()])
def test_out_of_fold_is_calibrated_and_kept(numbers, estimator):
    design = Design("classification", resolve_model(estimator, "classification"), "accuracy")
    said, classes = design.out_of_fold(numbers)
    assert classes.tolist() == ["high", "low", "mid"]
    assert said.sum(axis=1) == pytest.approx(1.0)
    assert (classes[said.argmax(axis=1)] == numbers.target().to_numpy()).mean() > 0.7
    assert design.out_of_fold(numbers)[0] is said


def test_out_of_fold_hears_rows_without_a_target(numbers):
    holes = numbers.with_columns(pl.when(pl.int_range(90) < 5).then(None).otherwise(pl.col("y")).alias("y"))
    said, _ = Design("classification", resolve_model(LogisticRegression(), "classification"), "accuracy").out_of_fold(holes)
    assert said[:5].max(axis=1).min() > 0.34


def test_trusted_rows_alone_judge(numbers):
    table = table_of(numbers.frame.with_columns(good=pl.int_range(90) % 3 == 0), trusted="good")
    for one in Design("classification").splits(table):
        assert (one.test % 3 == 0).all()
        assert len(one.test)


def test_subsamples_keep_classes_groups_and_order(rng):
    frame = pl.DataFrame({"x": rng.normal(size=1000), "g": np.arange(1000) // 10, "y": ["rare"] * 15 + ["usual"] * 985})
    small = subsample(table_of(frame), 200, 0)
    assert small.n_rows == pytest.approx(200, abs=15)
    assert (small.target() == "rare").sum() >= 10
    assert small.row_ids.is_sorted()
    whole = subsample(table_of(frame, group="g"), 200, 0)
    assert set(whole.frame["g"].value_counts()["count"]) == {10}


def test_the_baseline_against_true_labels_is_never_surer(numbers, rng):
    flipped = rng.random(90) < 0.1
    noisy = numbers.with_columns(pl.when(pl.Series(flipped)).then(pl.lit("mid")).otherwise(pl.col("y")).alias("y"))
    design = Design("classification", resolve_model("linear", "classification"), "accuracy")
    plain = Baseline(0.75, 0.70, 0.80)
    better = design.against_true_labels(noisy, plain)
    assert better.label_noise_corrected
    assert better.corrected.expected >= plain.score - 1e-9
    assert better.corrected.high - better.corrected.low >= 0.1 - 1e-9
    assert Design("classification", design.model, "roc_auc").against_true_labels(noisy, plain) is plain


class Says(BaseEstimator):
    """Predicts one number for every row."""

    _estimator_type = "regressor"

    def __init__(self, number=0.0):
        self.number = number

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.full(len(X), self.number)


def test_what_overflows_is_a_miss_and_what_is_no_number_is_refused(numbers):
    table = table_of(numbers.frame.with_columns(y=pl.col("x")))
    assert np.isfinite(resolve_model(Says(np.inf), "regression").fit(table).score(table, "r2"))
    with pytest.raises(ModelError, match="gave no number for 90 of 90 rows"):
        resolve_model(Says(np.nan), "regression").fit(table).predict(table)


def test_a_boosting_package_has_one_thread_unless_it_is_told():
    class Boosted(BaseEstimator):
        def __init__(self, n_jobs=None):
            self.n_jobs = n_jobs

    Boosted.__module__ = "lightgbm.sklearn"
    assert seeded(Boosted(), 0).n_jobs == 1
    assert seeded(Boosted(n_jobs=2), 0).n_jobs == 2


@pytest.mark.parametrize(
    ("scoring", "low", "high"),
    [("accuracy", 0, 1), ("roc_auc", 0, 1), ("matthews_corrcoef", -1, 1), ("d2_brier_score", -np.inf, 1), ("neg_log_loss", -np.inf, 0), (max, -np.inf, np.inf)],
)
def test_a_score_has_bounds(scoring, low, high):
    assert bounds_of(scoring) == (low, high)


def test_the_model_decides_the_task_where_the_target_allows_both(numbers):
    two = table_of(numbers.frame.with_columns(y=pl.int_range(90) % 2))
    assert agreed_task(two, "regression", "m") == "regression"
    assert agreed_task(table_of(numbers.frame.with_columns(y=pl.int_range(90) % 40)), "classification", "m") == "classification"
    with pytest.raises(DataError, match="predicts numbers"):
        agreed_task(numbers, "regression", "m")
    with pytest.raises(DataError, match="90 distinct numbers"):
        agreed_task(table_of(numbers.frame.with_columns(y=pl.col("x"))), "classification", "m")


def test_models_in_several_threads_leave_standard_output_and_warnings_as_they_were():
    import sys
    import threading
    import time
    import warnings

    from dqops.models.fitting import border

    out, filters = sys.stdout, list(warnings.filters)

    def speak(seconds):
        with border("a model", "fit"):
            print("noise")
            time.sleep(seconds)

    # The one that enters first leaves first: what it put aside must not come back while the other is inside.
    threads = [threading.Thread(target=speak, args=(seconds,)) for seconds in (0.05, 0.15)]
    for one in threads:
        one.start()
        time.sleep(0.02)
    for one in threads:
        one.join()
    assert sys.stdout is out
    assert list(warnings.filters) == filters

"""Prices of doubts, by every method."""

import warnings

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

import dqops
from dqops.cli.main import main
from dqops.contracts import Propagator
from dqops.errors import ApproximationWarning, DataError, OptionError, UnknownNameError

COLUMNS = ["finding", "action", "arm", "expected", "low", "high", "level", "cost", "measured", "potential_expected", "potential_low", "potential_high", "method", "row", "column"]


def dirty(n_rows=240, task="regression", seed=0):
    rng = np.random.default_rng(seed)
    size, other = rng.normal(size=(2, n_rows))
    y = 3 * size + other + 0.3 * rng.normal(size=n_rows)
    wild = np.where(rng.random(n_rows) < 0.08, 60 + 9 * rng.random(n_rows), size)
    holes = [None if one < 0.2 else float(value) for one, value in zip(rng.random(n_rows), other, strict=True)]
    return pl.DataFrame({"size": wild, "other": holes, "y": y if task == "regression" else np.where(y > 0, "up", "down")})


def price(frame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dqops.price(frame, target="y", effort="quick", **options)


@pytest.mark.parametrize(("model", "task", "method"), [
    ("linear", "regression", "retrain"),
    ("linear", "regression", "influence"),
    ("linear", "regression", "bounds"),
    ("linear", "classification", "influence"),
    ("knn", "classification", "knn"),
    ("forest", "classification", "knn"),
    (GradientBoostingRegressor(n_estimators=5), "regression", "influence"),
    ("linear", "classification", "auto"),
])  # fmt: skip
def test_every_method_prices_findings_with_intervals(model, task, method):
    gains = price(dirty(task=task), model=model, method=method)
    frame = gains.to_frame()
    assert frame.columns == COLUMNS
    assert {"outliers:size", "missing:other"} <= set(frame["finding"])
    assert (frame["low"] <= frame["expected"]).all()
    assert (frame["expected"] <= frame["high"]).all()
    told = frame.drop_nulls("potential_expected")
    assert (told["potential_low"] <= told["potential_expected"] + 1e-12).all()
    assert (told["potential_expected"] <= told["potential_high"] + 1e-12).all()
    assert set(frame["method"]) == {"retrain" if method == "auto" else method}
    assert "outliers:size" in str(gains)


def test_same_seed_same_prices():
    first, second = (price(dirty(), model="linear", method="influence", seed=3).to_frame() for _ in range(2))
    assert first.equals(second)


@pytest.mark.parametrize("method", ["influence", "retrain"])
def test_the_repair_that_matters_is_seen_by_all(method):
    gain = price(dirty(), model=Ridge(), method=method, findings=["outliers"])
    assert {one.finding for one in gain} == {"outliers:size"}
    assert gain.of("outliers:size", "training").repair.low > 0.2


@pytest.mark.parametrize("by", ["row", "cell"])
@pytest.mark.parametrize("method", ["influence", "auto"])
def test_rows_and_cells_are_priced_one_by_one(by, method):
    gains = price(dirty(), model="linear", method=method, by=by, findings=["missing"])
    frame = gains.to_frame().filter(pl.col("arm") == "training")
    assert frame.height == frame["row"].n_unique() > 20
    assert set(frame["column"]) == ({"other"} if by == "cell" else {None})
    assert (frame["cost"] == 1).all()


def test_retraining_row_by_row_says_which_rows_it_left():
    gains = price(dirty(120), model=Ridge(), method="retrain", by="row", findings=["outliers"])
    assert len({one.row for one in gains}) == 1
    assert any("rows are not priced" in note for note in gains.notes)


def given(frame, column="size", rows=(1, 2, 3), values=((0.0, 1.0),) * 3, weights=None):
    return dqops.Candidates((dqops.Doubts.of(column, list(rows), [list(one) for one in values], weights),))


@pytest.mark.parametrize("method", ["auto", "retrain", "influence", "bounds"])
def test_candidates_may_be_given(method):
    gains = price(dirty(), model=Ridge(), method=method, candidates=given(dirty()))
    assert {one.finding for one in gains} == {"given:size"}


def test_all_methods_agree_on_given_candidates():
    told = {method: price(dirty(), model="linear", method=method, candidates=given(dirty()), n_worlds=64) for method in ("retrain", "influence")}
    one, other = (gains.of("given:size", "training").potential.expected for gains in told.values())
    # One pipeline is fitted anew in each world, the other holds its scaler and imputer.
    assert one == pytest.approx(other, abs=0.02)


def test_a_holdout_judges():
    clean = dirty(300, seed=9).filter(pl.col("size") < 10)
    gains = price(dirty(), model="linear", method="influence", holdout=clean)
    assert gains.of("outliers:size").repair.expected > 0.1
    named = clean.with_columns(pl.Series("id", [f"a{one}" for one in range(clean.height)]))
    keyed = dirty().with_columns(pl.Series("id", [f"a{one}" for one in range(240)]))
    again = price(keyed, model="linear", method="influence", holdout=named, key="id")
    assert again.of("outliers:size").repair.expected == pytest.approx(gains.of("outliers:size").repair.expected, abs=0.05)


def test_bad_settings_are_told_in_a_sentence():
    frame = dirty(120)
    cases = [
        ({"method": "magic"}, OptionError, "one of auto"),
        ({"by": "table"}, OptionError, "one of finding, row, cell"),
        ({"n_worlds": 0}, OptionError, "1 or more"),
        ({"n_candidates": 1}, OptionError, "2 or more"),
        ({"method": "knn"}, OptionError, "k-NN is counted for classes"),
        ({"method": "bounds", "model": "forest"}, OptionError, "cannot be followed"),
        ({"findings": ["labls"]}, UnknownNameError, "Known"),
        ({"candidates": "size"}, OptionError, "dqops.Candidates"),
        ({"candidates": dqops.Candidates()}, DataError, "empty"),
        ({"candidates": given(frame, rows=(900, 901, 902))}, DataError, "no candidate is about"),
        ({"candidates": given(frame, values=(("a", "b"),) * 3)}, DataError, "hold text and the column numbers"),
    ]
    for options, kind, said in cases:
        with pytest.raises(kind, match=said):
            price(frame, **({"model": Ridge()} | options))


def test_weights_that_are_zero_are_equal_and_negative_ones_refused():
    with pytest.warns(ApproximationWarning, match="equally likely"):
        equal = given(dirty(), weights=[[0, 0]] * 3)
    assert equal.groups[0].weights.tolist() == [0.5] * 6
    with pytest.raises(DataError, match="negative"):
        given(dirty(), weights=[[-1, 2]] * 3)
    with pytest.raises(DataError, match="NaN"):
        given(dirty(), values=((0.0, float("nan")),) * 3)
    with pytest.raises(DataError, match="no candidate"):
        given(dirty(), values=((),) * 3)


def test_a_class_that_vanishes_in_a_world_is_no_trace():
    frame = dirty(200, "classification").with_columns(pl.when(pl.int_range(200) < 6).then(pl.lit("rare")).otherwise(pl.col("y")).alias("y"))
    rare = dqops.Candidates((dqops.Doubts.of("y", list(range(6)), [["rare", "up"]] * 6, [[0.01, 0.99]] * 6),))
    for method in ("retrain", "knn", "influence"):
        gains = price(frame, model=KNeighborsClassifier(3) if method == "knn" else "linear", method=method, candidates=rare)
        assert np.isfinite(gains.of("given:y").potential.expected)


@pytest.mark.parametrize("k", [2, 4, 10_000])
def test_even_and_large_k_are_counted(k):
    frame = dirty(150, "classification")
    found = price(frame, model=KNeighborsClassifier(min(k, 100)), method="knn")
    assert np.isfinite(found.of("missing:other").potential.expected)
    with pytest.raises(OptionError, match="1 or more"):
        Propagator.named("knn")(k=0).price([], None, [], np.random.default_rng(0))


def test_the_command_prices(tmp_path):
    path = tmp_path / "t.csv"
    dirty().write_csv(path)
    done = CliRunner().invoke(main, ["price", str(path), "--target", "y", "--model", "linear", "--method", "influence", "--effort", "quick", "--json", str(tmp_path / "g.json"), "--out", str(tmp_path / "g.csv")])
    assert done.exit_code == 0, done.output
    assert "outliers:size" in done.output
    assert pl.read_csv(tmp_path / "g.csv").columns == COLUMNS
    assert '"notes"' in (tmp_path / "g.json").read_text()


def test_built_in_propagators_are_those_of_the_docs():
    assert {name for name, kind in Propagator.known().items() if kind.__module__.startswith("dqops.")} == {"bounds", "influence", "knn", "retrain"}


class FailsOnSome(ClassifierMixin, BaseEstimator):
    """A classifier that refuses tables with one of these numbers in them."""

    def __init__(self, marks=()):
        self.marks = marks

    def fit(self, X, y):
        numbers = np.nan_to_num(np.asarray(X, dtype=float))
        if np.isin(numbers, self.marks).any():
            raise ValueError("not this world")
        self.inner_ = DecisionTreeClassifier(max_depth=2, random_state=0).fit(numbers, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X):
        return self.inner_.predict(np.nan_to_num(np.asarray(X, dtype=float)))


@pytest.mark.parametrize(("marks", "is_priced"), [((), True), ((7.25,), True), ((7.25, 8.25, 9.25), False)])
def test_worlds_in_which_the_model_fails_are_counted_and_told(marks, is_priced):
    frame = dirty(160, "classification").select(pl.col("size").clip(-3, 3), "y")
    candidates = given(frame, rows=[3], values=[(0.5, 7.25, 8.25, 9.25)])
    gains = price(frame, model=make_pipeline(FunctionTransformer(), FailsOnSome(marks)), method="retrain", candidates=candidates)
    told = [note for note in gains.notes if "the model failed in" in note]
    assert bool(told) == bool(marks)
    assert (gains.of("given:size").potential is not None) == is_priced
    if marks:
        assert ("left out" in told[0]) == is_priced
        assert ("too many to price it" in told[0]) != is_priced


def test_time_that_is_over_leaves_a_partial_answer():
    frame = dirty(160)
    gains = price(frame, model=Ridge(), method="retrain", candidates=given(frame), max_seconds=1e-9)
    assert any("the answer is partial" in note for note in gains.notes)
    assert gains.of("given:size").measured == 1
    assert gains.of("given:size").repair.low == -np.inf or np.isfinite(gains.of("given:size").repair.low)


def test_a_metric_where_lower_is_better_keeps_the_sign():
    for scoring in ("neg_mean_squared_error", "neg_mean_absolute_error"):
        gains = price(dirty(), model="linear", method="influence", scoring=scoring, findings=["outliers"])
        assert gains.of("outliers:size", "training").repair.expected > 0


def test_nothing_found_is_nothing_priced():
    clean = dirty().select(pl.col("size").clip(-3, 3), "y")
    gains = price(clean, model=Ridge(), method="influence", findings=[])
    assert len(gains) == 0
    assert "Nothing was priced" in str(gains)

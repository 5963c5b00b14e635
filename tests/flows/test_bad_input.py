"""Bad input ends in one clear sentence or in an audit with a warning; never in a traceback, never in a silent guess."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from dqops.errors import DataError, DqopsError, OptionError
from dqops.flows.audit import audit

ROWS = 60


def frame(**columns):
    """A small table with a number, a category and a target of two names."""
    rng = np.random.default_rng(0)
    held = {"x": rng.normal(size=ROWS), "z": rng.choice(list("abc"), ROWS), "y": rng.choice(["no", "yes"], ROWS)}
    return pd.DataFrame(held | columns)


def run(source, **options):
    return audit(source, **({"target": "y", "model": "linear", "effort": "quick"} | options))


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        (frame()[["y"]], {}, "no column but the target holds anything to predict from"),
        (frame(x=None, z=np.nan), {}, "no column but the target holds anything to predict from"),
        (frame(), {"ignore": ["x", "z"]}, "no column but the target holds anything to predict from"),
        (frame().iloc[:0], {}, "no rows"),
        (frame(y=pd.date_range("2020", periods=ROWS)), {}, "holds dates"),
        (frame(), {"weight": "z"}, "weight 'z' holds no numbers"),
        (frame(w=None), {"weight": "w"}, "weight 'w' holds no numbers"),
        (frame(), {"weight": "x"}, "negative"),
        (frame(), {"model": Ridge()}, "Ridge() predicts numbers and target 'y' holds names"),
        (frame(y=np.arange(ROWS) / 7), {"model": LogisticRegression()}, "predicts classes and target 'y' holds 60 distinct numbers"),
        (frame(), {"holdout": pd.DataFrame({"q": [1, 2]})}, "the holdout has no target 'y'"),
        (frame(), {"holdout": frame()[["x", "y"]]}, "the holdout has no column 'z'"),
        (frame(), {"holdout": frame().iloc[:0]}, "no row of the holdout has a known target"),
        (frame(), {"holdout": frame().iloc[:1]}, "holds one value in 1 rows"),
        (frame(), {"holdout": frame(y=np.arange(ROWS) / 7)}, "no label of the holdout is a label of the table"),
        (frame(), {"holdout": frame(x="words")}, "the holdout holds text in 'x' and the table numbers"),
        (frame(), {"reference": pd.DataFrame({"q": [1, 2]})}, "the reference has no column of the table"),
        (frame(), {"model": Pipeline([])}, "no steps"),
        (pl.LazyFrame({"a": [1]}).select("nope"), {}, "its query fails"),
    ],
)
def test_data_that_cannot_be_used(source, options, said):
    with pytest.raises(DqopsError) as refused:
        run(source, **options)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 3


@pytest.mark.parametrize(
    "options",
    [
        {"seed": -1},
        {"seed": "a"},
        {"seed": None},
        {"n_jobs": 0},
        {"n_jobs": "two"},
        {"max_seconds": 0},
        {"max_seconds": float("nan")},
        {"max_seconds": "a"},
        {"effort": None},
        {"detectors": 3},
        {"schema": 4},
        {"key": "y"},
        {"time": "y"},
        {"ignore": ["y"]},
    ],
    ids=str,
)
def test_settings_that_cannot_be(options):
    with pytest.raises(OptionError) as refused:
        run(frame(), **options)
    assert next(iter(options)) in str(refused.value)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("source", "options", "said"),
    [
        (frame(w=[1.0, None] * 30), {"weight": "w"}, "30 of 60 rows have no weight"),
        (frame(), {"trusted": "z"}, "none is taken as trusted"),
        (frame(), {"time": "z"}, "no date and no number"),
        (frame(y=[f"c{row}" for row in range(ROWS)]), {}, "60 classes in 60 rows"),
        (frame(), {"holdout": frame(more=1)}, "the holdout holds 'more', which the table does not"),
        (frame(), {"holdout": frame(x=["1.5", "2.5", "oops"] * 20)}, "20 cells that do not fit are empty"),
        (frame(), {"reference": frame()[["x", "z"]]}, "the reference has no column 'y'"),
        (frame().set_index(pd.date_range("2020", periods=ROWS)), {}, "no row ids"),
    ],
)
def test_what_is_decided_is_said(source, options, said):
    found = run(source, **options)
    assert any(said in one for one in found.warnings), found.warnings
    json.loads(found.to_json())


def test_a_holdout_of_another_frame_library_is_read_alike():
    base = run(frame(), holdout=frame()).baseline
    assert run(frame(), holdout=pl.DataFrame(frame().to_dict("list"))).baseline == base


def test_a_regressor_may_learn_two_numbers():
    found = run(frame(y=[0, 1] * 30), model=Ridge())
    assert found.data["task"] == "regression"
    assert found.scoring == "r2"


class Plain:
    """A model that knows nothing of scikit-learn."""

    def fit(self, X, y):
        self.usual = max(set(y), key=list(y).count)
        return self

    def predict(self, X):
        return [self.usual] * len(X)


def test_a_model_needs_no_more_than_fit_and_predict():
    assert 0 <= run(frame(), model=Plain()).baseline.score <= 1


def half(estimator, X, y):
    return 0.5


def test_a_scorer_that_is_a_function_goes_by_its_name():
    assert run(frame(), scoring=half).scoring == "half"


def test_names_in_levels_are_joined():
    levels = pd.MultiIndex.from_tuples([("a", "x"), ("a", "z"), ("b", "y")])
    assert run(frame().set_axis(levels, axis=1), target=("b", "y")).data["target"] == "b.y"


def test_half_a_surrogate_pair_is_no_name():
    odd = frame().set_axis(pd.Index(["\ud800", "z", "y"], dtype=object), axis=1)
    assert run(odd).data["columns"] == 3


def test_the_baseline_is_judged_on_all_rows_and_stays_within_its_bounds():
    baseline = run(frame(y=["no"] * 30 + ["yes"] * 30)).baseline
    assert 0 <= baseline.low < baseline.score < baseline.high <= 1


def test_data_errors_are_value_errors():
    with pytest.raises(ValueError, match="one class"):
        run(frame(y="no"))
    assert issubclass(DataError, ValueError)

"""Noise curves: measured honestly, fitted, inverted, and refused where they cannot be."""

import json

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import dqops
from dqops.cli.main import main
from dqops.errors import DataError, DqopsError, OptionError
from dqops.propagation.response import fit_response
from dqops.results.curve import NoiseCurve, Response


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 2))
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "word": rng.choice(["u", "v", "w"], 600), "y": np.where(x[:, 0] > 0, "yes", "no")})


@pytest.fixture(scope="module")
def flips(frame):
    model = KNeighborsClassifier(1)
    return dqops.propagate(frame, target="y", model=model, corruptions=["label_flips"], rates=[0.1, 0.2, 0.4], effort="quick", ignore=["word"])


def test_one_nearest_neighbour_loses_what_theory_says(flips):
    curve = flips["label_flips"]
    clean = curve.means()[0]
    for rate, score in zip(curve.rates, curve.means(), strict=True):
        # The nearest label is right with chance 1 - rate where it was right, and rate where it was wrong.
        assert score == pytest.approx((1 - rate) * clean + rate * (1 - clean), abs=0.03)


def test_the_frame_has_the_promised_columns(flips):
    assert flips.to_frame().columns == ["corruption", "column", "arm", "rate", "score", "stderr", "low", "high"]
    assert flips.to_frame()["rate"].to_list() == [0.0, 0.1, 0.2, 0.4]


def test_tolerance_inverts_the_curve(flips):
    curve = flips["label_flips"]
    told = curve.tolerance(0.05)
    assert told.low <= told.rate <= told.high
    assert curve.drop(told.rate).expected == pytest.approx(0.05, abs=0.005)
    assert curve.tolerance(10).reached is False


def test_same_seed_same_json_whatever_the_workers(frame):
    options = {"target": "y", "model": LogisticRegression(), "corruptions": ["outliers"], "rates": [0.2], "effort": "quick", "ignore": ["word"]}
    one, two = (dqops.propagate(frame, n_jobs=jobs, **options).to_dict() for jobs in (1, 2))
    one.pop("timings"), two.pop("timings")
    assert one == two


def test_serving_noise_leaves_the_model_as_it_is(frame):
    curves = dqops.propagate(frame, target="y", model="linear", corruptions=["missing_completely_at_random"], columns=["a", "b"], rates=[0.5], arm="serving", effort="quick")
    assert curves["missing_completely_at_random:a"].drop(0.5).expected > 0.15
    assert abs(curves["missing_completely_at_random:b"].drop(0.5).expected) < 0.03


def test_a_fast_run_agrees_with_a_full_one(frame):
    options = {"target": "y", "model": "linear", "corruptions": ["missing_completely_at_random"], "rates": [0.1, 0.2, 0.4], "effort": "quick"}
    full, fast = (dqops.propagate(frame, fast=fast, **options)["missing_completely_at_random"] for fast in (False, True))
    assert fast.fast
    assert fast.method == "anchored"
    assert fast.means() == pytest.approx(full.means(), abs=0.04)


def test_more_noise_is_extrapolated_back_to_none():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1500, 3))
    truth = x[:, 0] + 0.5 * x[:, 1] > 0
    noisy = truth ^ (rng.random(1500) < 0.15)
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": noisy})
    clean = dqops.propagate(frame, target="y", model="linear", corruptions=["label_flips"], rates=[0.1, 0.2], effort="quick")["label_flips"].clean
    assert clean.low <= 0.985 <= clean.high
    assert clean.high - clean.low < 0.4


def test_all_default_kinds_have_a_curve_and_regression_its_own(frame):
    names = {one.name for one in dqops.propagate(frame, target="y", model="linear", rates=[0.3], effort="quick")}
    assert names == {"label_flips", "missing_completely_at_random", "outliers", "typos"}
    numbers = frame.drop("word").with_columns(y=pl.col("a") * 2)
    names = {one.name for one in dqops.propagate(numbers, target="y", model="linear", rates=[0.3], effort="quick")}
    assert names == {"target_swaps", "missing_completely_at_random", "outliers"}


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"rates": [0.2, 0.1]}, OptionError, "that rise"),
        ({"rates": [0.2, 1.2]}, OptionError, "in \\[0, 1\\]"),
        ({"rates": ["x"]}, OptionError, "numbers"),
        ({"rates": [0.0]}, OptionError, "above 0"),
        ({"loss": -1}, OptionError, "0 or more"),
        ({"corruptions": ["typoes"]}, DqopsError, "Did you mean 'typos'"),
        ({"corruptions": ["label_flips"], "arm": "serving"}, OptionError, "'training'"),
        ({"corruptions": ["outliers"], "columns": ["word"]}, DataError, "cannot bear outliers"),
        ({"arm": "everywhere"}, OptionError, "one of deployed, training, serving"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(frame, options, error, said):
    with pytest.raises(error, match=said):
        dqops.propagate(frame, target="y", model="linear", effort="quick", **options)


class Fragile(ClassifierMixin, BaseEstimator):
    """Fails wherever a cell is missing."""

    def fit(self, X, y):
        if np.isnan(np.asarray(X, dtype=float)).any():
            raise ValueError("holes")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[:1], len(X))


def test_a_model_that_fails_on_most_worlds_has_no_curve(frame):
    with pytest.raises(DataError, match="failed on"):
        dqops.propagate(frame.drop("word"), target="y", model=Fragile(), corruptions=["missing_completely_at_random"], rates=[0.1, 0.2], effort="quick")


def test_the_time_budget_leaves_a_partial_answer(frame):
    curves = dqops.propagate(frame, target="y", model="linear", rates=[0.3], effort="quick", max_seconds=1e-6)
    assert len(curves) == 1
    assert any("time budget" in one for one in curves.warnings)


def test_the_command_prints_writes_and_fails_cleanly(frame, tmp_path):
    path, page = tmp_path / "t.csv", tmp_path / "page.html"
    frame.write_csv(path)
    command = ["propagate", str(path), "--target", "y", "--model", "linear", "--corruptions", "label_flips", "--rates", "0.2", "--effort", "quick"]
    done = CliRunner().invoke(main, [*command, "--json", "-", "--html", str(page)])
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert [point["rate"] for point in told["curves"][0]["points"]] == [0.0, 0.2]
    assert "<svg" in page.read_text(encoding="utf-8")
    assert CliRunner().invoke(main, [*command, "--rates", "2"]).exit_code == 2


def test_a_bent_curve_is_chosen_only_where_it_is_clear(rng):
    rates = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    noise = rng.normal(0, 0.002, (6, 10))
    line = fit_response(rates, (0.9 - 0.3 * rates)[:, None] + noise, rng)
    bent = fit_response(rates, (0.9 - 0.2 * np.log1p(30 * rates))[:, None] + noise, rng)
    assert line.form == "linear"
    assert bent.form == "logarithmic"
    assert bent.at(rates) == pytest.approx(0.9 - 0.2 * np.log1p(30 * rates), abs=0.01)


def test_a_curve_guards_its_shape():
    with pytest.raises(OptionError, match="start at 0 and rise"):
        NoiseCurve("outliers", None, "training", np.array([0.1, 0.2]), np.zeros((2, 1)), np.zeros(2), Response("linear", np.zeros(2), np.zeros((1, 2))))

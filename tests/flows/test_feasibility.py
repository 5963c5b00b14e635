"""Feasibility from Python: verdicts, bands, updates, and what is refused."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft202012Validator
from sklearn.linear_model import LogisticRegression

import dqops
from dqops.errors import DataError, ModelError, OptionError, UnknownNameError
from dqops.results.feasibility import Feasibility

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "feasibility.schema.json").read_text())


def coin(n_rows=600, rate=0.2, seed=0):
    """A threshold on `x`, with wrong labels at a known rate: the Bayes error is the rate."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=n_rows)
    wrong = rng.random(n_rows) < rate
    return pl.DataFrame({"id": np.arange(n_rows) + 1000, "x": x, "y": np.where((x > 0.5) ^ wrong, "yes", "no")})


def line(n_rows=500, noise=0.5, seed=0):
    """A line with noise of known variance."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=n_rows)
    return pl.DataFrame({"x": x, "y": 3 * x + noise * rng.normal(size=n_rows)})


def asked(frame, **options):
    return dqops.feasibility(frame, **{"target": "y", "effort": "quick"} | options)


@pytest.fixture(scope="module")
def noisy():
    return asked(coin(), key="id", target_score=0.95)


@pytest.mark.parametrize(("goal", "verdict"), [(0.95, "infeasible"), (0.8, "open"), (0.7, "feasible")])
def test_three_verdicts_from_one_band(noisy, goal, verdict):
    answer = asked(coin(), key="id", target_score=goal)
    assert answer.verdict == verdict
    assert (answer.low, answer.high) == (noisy.low, noisy.high)
    assert answer.low < 0.2 < answer.high
    assert (answer.score_low, answer.score_high) == (1 - answer.high, 1 - answer.low)
    assert {one.kind for one in answer.needs} == {"infeasible": {"labels", "features"}, "open": {"labels", "judged rows"}, "feasible": set()}[verdict] or answer.needs


def test_without_a_goal_there_is_a_band_and_no_verdict():
    answer = asked(coin())
    assert answer.verdict is None
    assert answer.needs == ()
    assert 0 < answer.low < answer.high


def test_the_same_seed_gives_the_same_answer(noisy):
    again = asked(coin(), key="id", target_score=0.95)
    assert again.to_dict() | {"timings": {}} == noisy.to_dict() | {"timings": {}}
    other = asked(coin(), key="id", target_score=0.95, seed=1)
    assert other.low != noisy.low


def test_rows_and_columns_in_another_order_change_little(noisy):
    frame = coin()
    again = asked(frame.select("y", "x", "id").sample(fraction=1.0, shuffle=True, seed=3), key="id", target_score=0.95)
    assert again.low == pytest.approx(noisy.low, abs=0.05)


def test_pandas_and_polars_and_a_file_agree(noisy, tmp_path):
    coin().write_csv(tmp_path / "coin.csv")
    for source in (coin().to_pandas(), tmp_path / "coin.csv"):
        answer = asked(source, key="id", target_score=0.95)
        assert (answer.low, answer.high) == pytest.approx((noisy.low, noisy.high))


def test_how_many_labels_to_clean():
    """At a fifth of wrong labels a goal of .9 leaves room for a tenth: half of the 800 wrong ones must go."""
    answer = asked(coin(4000), target_score=0.9)
    need = next(one for one in answer.needs if one.kind == "labels")
    assert answer.verdict == "infeasible"
    assert answer.noise.low <= 0.2 <= answer.noise.high
    assert 200 < need.low < 600
    assert need.high >= 400


@pytest.mark.parametrize("held", [False, True])
def test_cleaned_labels_make_a_goal_possible(held):
    """An update is the answer for the cleaned table, but for the models that are not fitted again."""
    frame = coin(1200)
    options = {"key": "id", "target_score": 0.95} | ({"holdout": coin(500, seed=1).with_columns(pl.col("id") + 5000)} if held else {})
    answer = asked(frame, **options)
    true = np.where(frame["x"] > 0.5, "yes", "no")
    wrong = np.flatnonzero(true != frame["y"].to_numpy())
    first, rest = wrong[:40], wrong[40:]
    partly = answer.update(frame["id"].gather(first), true[first])
    wholly = partly.update(frame["id"].gather(rest), true[rest])
    anew = asked(frame.with_columns(y=pl.Series(true)), **options)
    assert answer.verdict == "infeasible"
    assert wholly.settled["low"] == pytest.approx(anew.settled["low"])
    assert [one["loss"] for one in wholly.curve] == pytest.approx([one["loss"] for one in anew.curve])
    if not held:
        assert wholly.verdict == "feasible" == anew.verdict
    assert wholly.noise is None
    assert wholly.expected is None


@pytest.mark.parametrize("kind", ["whole", "truth", "number"])
def test_labels_of_any_kind_can_be_cleaned(kind):
    frame = coin(300, rate=0.3) if kind != "number" else line(300, noise=2.0)
    if kind != "number":
        frame = frame.with_columns(y=(pl.col("y") == "yes").cast(pl.Boolean if kind == "truth" else pl.Int64))
    answer = asked(frame, ignore=["id"] if "id" in frame.columns else ())
    true = frame["x"] > 0.5 if kind == "truth" else (frame["x"] > 0.5).cast(pl.Int64) if kind == "whole" else 3 * frame["x"]
    cleaned = answer.update(range(300), true.to_list())
    assert cleaned.curve[0]["loss"] < answer.curve[0]["loss"] / 2
    assert cleaned.best.score > answer.best.score


def test_an_update_that_cleans_nothing_changes_nothing(noisy):
    frame = coin()
    same = asked(frame, key="id", target_score=0.95)
    again = same.update(frame["id"].head(5), frame["y"].head(5).to_list())
    assert (again.low, again.high, again.verdict) == (noisy.low, noisy.high, noisy.verdict)
    assert again.curve == same.curve


@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        ([1000], ["maybe"], "one of the 2 classes"),
        ([1000, 1001], ["yes"], "one label a row, 2 in all"),
        ([7], ["yes"], "ids of rows of the table"),
        ([1000, 1000], ["yes", "no"], "each row once"),
    ],
)
def test_updates_that_cannot_be(rows, labels, said):
    answer = asked(coin(200), key="id")
    with pytest.raises(OptionError, match=said):
        answer.update(rows, labels)


def test_a_saved_answer_keeps_no_neighbours(noisy):
    plain = Feasibility(data={}, scoring="accuracy", target_score=None, verdict=None, low=0.1, high=0.2, unit="1 - accuracy")
    with pytest.raises(OptionError, match="fresh from"):
        plain.update([1], ["yes"])


def test_a_holdout_that_repeats_the_table_does_not_make_it_easy():
    frame = coin()
    answer = asked(frame, holdout=frame.head(300), key="id")
    assert answer.data["copies"] == 300
    assert answer.low > 0.08
    assert any("repeat another one" in one for one in answer.warnings)


@pytest.mark.parametrize(("scoring", "best"), [("r2", 0.25 / 3.25), ("neg_root_mean_squared_error", 0.5), ("neg_mean_squared_error", 0.25), ("neg_mean_absolute_error", 0.4)])
def test_numbers_have_a_least_error_too(scoring, best):
    answer = asked(line(1500), scoring=scoring, target_score={"r2": 0.99}.get(scoring, -best / 3))
    assert answer.low < best < answer.high
    assert answer.low > best / 3
    assert answer.verdict in ("infeasible", "open")
    assert answer.data["classes"] is None


def test_a_scorer_without_a_bound_is_never_called_infeasible():
    answer = asked(coin(), scoring="roc_auc", target_score=1.0)
    assert answer.verdict == "open"
    assert answer.unit == "1 - accuracy"
    assert answer.low < 0.2 < answer.high
    assert "No bound is known for ROC AUC" in " ".join(str(answer).split())
    assert asked(coin(), scoring="roc_auc", target_score=0.6).verdict == "feasible"


def test_the_users_model_competes():
    answer = asked(coin(), model=LogisticRegression(C=0.5))
    assert any(one.name.startswith("LogisticRegression") for one in answer.reached)
    assert sum(one.decides for one in answer.reached) == 1


def test_no_column_tells_rows_apart():
    frame = pl.DataFrame({"x": [1.0] * 80, "y": ["no", "yes"] * 40})
    answer = asked(frame)
    assert answer.low == 0
    assert answer.curve == ()
    assert "The best possible model" in str(answer)


def test_groups_stay_together():
    """Rows of a group share a label that nothing foretells: neighbours of the own group would give it away."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(100), 6)
    middle, label = rng.normal(size=100), rng.integers(2, size=100)
    frame = pl.DataFrame({"g": group, "x": middle[group] + rng.normal(size=600) / 1e3, "y": label[group]})
    assert asked(frame, group="g").curve[0]["loss"] > 0.35
    assert asked(frame, ignore=["g"]).curve[0]["loss"] < 0.2


def test_a_leak_is_told():
    frame = coin().with_columns(after=pl.when(pl.col("y") == "yes").then(1.0).otherwise(None))
    answer = asked(frame, key="id")
    assert any("'after' seems to give the target away" in one for one in answer.warnings)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"target_score": 1.2}, OptionError, "target_score=1.2: need a score of accuracy, from 0 to 1"),
        ({"target_score": 90}, OptionError, "90% is 0.9"),
        ({"scoring": "log_loss"}, UnknownNameError, "neg_log_loss"),
        ({"scoring": "r2"}, OptionError, "a scorer of classification"),
        ({"scoring": "neg_log_loss", "target_score": 0.3}, OptionError, "0.3 is the score -0.3"),
        ({"effort": "huge"}, OptionError, "effort"),
        ({"seed": -1}, OptionError, "seed"),
        ({"model": "frost"}, UnknownNameError, "forest"),
        ({"target": None}, DataError, "no target is named"),
        ({"target": "z"}, LookupError, "not a column"),
        ({"model": "sklearn.linear_model:Ridge"}, DataError, "holds names"),
    ],
)
def test_what_cannot_be_asked(options, error, said):
    with pytest.raises(error, match=said):
        asked(coin(100), **options)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (coin(100).clear(), "rows"),
        (coin(10), "10 different rows"),
        (coin(100).with_columns(y=pl.lit("no")), "one class"),
        (coin(100).with_columns(y=pl.lit(None, dtype=pl.String)), "0 different rows"),
        (coin(100).select("y"), "predict"),
    ],
)
def test_tables_that_say_nothing(frame, said):
    with pytest.raises(DataError, match=said):
        asked(frame)


def test_a_model_that_fails_is_named():
    class Broken(LogisticRegression):
        def fit(self, X, y, sample_weight=None):
            raise ValueError("no luck")

    with pytest.raises(ModelError, match="no luck"):
        asked(coin(100), model=Broken())


def test_the_schema_says_what_is_written(noisy):
    validator = Draft202012Validator(SCHEMA)
    for answer in (noisy, asked(line(200), target_score=0.2), asked(coin(), scoring="f1_macro")):
        told = json.loads(answer.to_json())
        validator.validate(told)
        assert set(told) == set(SCHEMA["properties"]) == set(SCHEMA["required"])
    assert noisy.to_dict()["noise"]["classes"] == []
    assert noisy.to_dict(show_values=True)["noise"]["classes"] == ["no", "yes"]


def test_the_curve_as_a_frame(noisy):
    frame = noisy.to_frame()
    assert frame.columns == ["k", "rows", "loss", "stderr"]
    assert frame.filter(pl.col("k") == 3)["rows"].to_list() == [600, 300, 150, 75, 37]

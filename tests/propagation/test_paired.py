"""Gains by retraining, on tables small enough to know the answer."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeClassifier

import dqops
from dqops.propagation.paired import _allowing_for_many
from dqops.results.gain import Estimate, Gain, Gains


def audit(frame, **options):
    return dqops.audit(frame, target="y", effort="quick", **options)


@pytest.fixture(scope="module")
def priced():
    """A table whose only useful column is spoilt by wild numbers, and one whose typos do not matter."""
    rng = np.random.default_rng(0)
    size, noise = rng.normal(size=400), rng.normal(size=400)
    y = 3 * size + 0.1 * rng.normal(size=400)
    spoilt, idle = size.copy(), noise.copy()
    for column in (spoilt, idle):
        hit = rng.random(400) < 0.1
        column[hit] = rng.uniform(20, 90, hit.sum())
    return audit(pl.DataFrame({"size": spoilt, "idle": idle, "y": y}), model=Ridge(), detectors=["outliers"])


def test_dirt_that_matters_is_first_and_its_gain_is_sure(priced):
    gain = priced.gains.of("outliers:size")
    assert priced.ranking[0] == "outliers:size"
    assert gain.repair.low > 0.3


def test_dirt_that_does_not_matter_costs_nothing(priced):
    gain = priced.gains.of("outliers:idle")
    assert gain.repair.low <= 0 <= gain.repair.high


def test_many_findings_at_once_are_allowed_for():
    def gain(column, expected, reach):
        return Gain(f"outliers:{column}", "", "deployed", Estimate(expected, expected - reach, expected + reach), None, 1.0, 5)

    sure, luck = gain("a", 0.1, 0.01), [gain(f"b{k}", 0.0, 0.01) for k in range(30)]
    said = _allowing_for_many(Gains((sure, gain("c", 0.0101, 0.01), *luck)))
    assert len(said) == 1
    assert "outliers:c" in said[0]
    assert "outliers:a" not in said[0]
    assert _allowing_for_many(Gains((sure,))) == ()


def test_three_arms_are_told(priced):
    assert {one.arm for one in priced.gains if one.finding == "outliers:size"} == {"deployed", "training", "serving"}


def test_the_realised_potential_is_inside_its_interval():
    rng = np.random.default_rng(1)
    size = rng.normal(size=600)
    y = 3 * size + rng.normal(size=600)
    spoilt = size.copy()
    hit = rng.random(600) < 0.15
    spoilt[hit] = rng.uniform(30, 90, hit.sum())
    found = audit(pl.DataFrame({"size": spoilt, "y": y}), model=Ridge(), detectors=["outliers"])
    potential = found.gains.of("outliers:size").potential
    realised = _r2(size, y) - _r2(spoilt, y)
    assert potential.low <= realised <= potential.high


def _r2(x, y):
    from sklearn.model_selection import KFold, cross_val_score

    return cross_val_score(Ridge(), x[:, None], y, cv=KFold(5, shuffle=True, random_state=0)).mean()


def test_repairs_of_cells_and_of_rows_are_measured_together():
    rng = np.random.default_rng(4)
    size = rng.normal(size=300).round(3)
    frame = pl.DataFrame({"size": size, "other": rng.normal(size=300).round(3), "y": 3 * size})
    wild = pl.Series("size", np.where(rng.random(300) < 0.2, rng.uniform(30, 90, 300), size))
    frame = pl.concat([frame.with_columns(wild)] * 2)
    from dqops.cleaners.numbers import TameOutliers
    from dqops.cleaners.rows import DropRepeats
    from dqops.contracts import Detector
    from dqops.models import Design, resolve_model
    from dqops.propagation.trial import Option, Trial

    table = dqops.read(frame, target="y")
    steps = (TameOutliers("typical"), "outliers", "size"), (DropRepeats(), "duplicates", None)
    design = Design("regression", resolve_model(Ridge(), "regression").prepared(table), "r2")
    kinds = {name: Detector.named(name)() for name in ("outliers", "duplicates")}
    trial = Trial(table.take(range(500)), table.take(range(500, 600)), design, kinds, 0)
    outcome = trial.run(Option("all", steps))
    assert outcome.changed > 200
    assert outcome.differences["deployed"] > 0.3


def test_same_seed_same_json_whatever_the_workers():
    rng = np.random.default_rng(2)
    frame = pl.DataFrame({"a": [1.0, 2.0, None, 4.0] * 30, "b": rng.normal(size=120), "y": [0, 1, 0, 1] * 30})
    model = DecisionTreeClassifier(max_depth=2)
    one, two = (audit(frame, model=model, n_jobs=jobs).to_dict() for jobs in (1, 2))
    one.pop("timings"), two.pop("timings")
    assert one == two


def test_a_holdout_judges_where_there_is_one():
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200)}).with_columns((pl.col("a") > 0).cast(pl.Int64).alias("y"))
    found = audit(frame[:120], holdout=frame[120:], model=DecisionTreeClassifier(max_depth=2), detectors=["outliers"])
    assert found.baseline.judged_on == "holdout"
    assert found.baseline.score > 0.9


def test_a_leak_is_set_aside_before_anything_is_priced():
    rng = np.random.default_rng(3)
    y = rng.integers(2, size=300)
    frame = pl.DataFrame({"told": [f"c{one}" for one in y], "weak": rng.normal(size=300) + y, "y": y})
    found = audit(frame, model=DecisionTreeClassifier(max_depth=3))
    assert found.baseline.set_aside == ("told",)
    assert found.baseline.with_set_aside.expected > 0.99 > found.baseline.score
    assert found.gains.of("leakage:told").repair.expected < 0
    assert found.ranking[0] == "leakage:told"

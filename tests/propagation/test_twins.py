"""Twin experiments: what is planted, where, and whether its cost is that of the real dirt."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, cross_val_score

import dqops
import dqops.detectors
from dqops.contracts import Detector
from dqops.models import Design, resolve_model
from dqops.propagation.potential import against_true_labels, potential_of
from dqops.propagation.twins import label_twin, twin_of
from dqops.results.gain import Estimate
from dqops.results.summary import LabelNoise


def found(table, kind, column):
    detector = Detector.named(kind)()
    return detector.fit_find(table, None, np.random.default_rng(0))[f"{kind}:{column}"]


@pytest.fixture
def table(tmp_path):
    """Numbers of which every tenth is a typo, so that readers take the column for text."""
    rng = np.random.default_rng(0)
    sizes = rng.normal(size=400).round(3)
    cells = [f"{size}".replace(".", "..") if row % 10 == 0 else f"{size}" for row, size in enumerate(sizes)]
    path = tmp_path / "sizes.csv"
    pl.DataFrame({"size": cells, "y": 3 * sizes + rng.normal(size=400).round(3)}).write_csv(path)
    return dqops.read(path, target="y")


def test_clean_rows_are_typed_as_the_truth_would_be_and_planted_ones_as_today(table, rng):
    twin = twin_of([found(table, "formats", "size")], table, rng)
    assert twin.clean.frame["size"].dtype == pl.Float64
    assert twin.dirty.frame["size"].dtype == table.frame["size"].dtype == pl.String
    assert twin.clean.n_rows == 360
    changed = (twin.clean.raw["size"] != twin.dirty.raw["size"]).sum()
    assert changed == 36
    assert twin.rate == pytest.approx(0.1)


def test_no_row_with_the_dirt_is_in_the_twin_and_nothing_else_changes(table, rng):
    twin = twin_of([found(table, "formats", "size")], table, rng)
    assert not set(twin.positions) & set(range(0, 400, 10))
    assert twin.clean.row_ids.equals(twin.dirty.row_ids)
    assert twin.clean.frame["y"].equals(twin.dirty.frame["y"])


def test_a_unit_is_planted_around_the_hosts_own_value(tmp_path, rng):
    cells = [f"{row}%" if row % 7 == 0 else f"{row}" for row in range(1, 300)]
    path = tmp_path / "shares.csv"
    pl.DataFrame({"share": cells, "y": [row % 2 for row in range(1, 300)]}).write_csv(path)
    table = dqops.read(path, target="y")
    twin = twin_of([found(table, "formats", "share")], table, rng)
    own, planted = twin.clean.raw["share"].to_list(), twin.dirty.raw["share"].to_list()
    dressed = [(mine, theirs) for mine, theirs in zip(own, planted, strict=True) if mine != theirs]
    assert dressed
    assert all(theirs == f"{mine}%" for mine, theirs in dressed)


def test_too_few_clean_rows_have_no_twin(table, rng):
    part = table.take(range(50))
    assert twin_of([found(part, "formats", "size")], part, rng) is None


def test_the_cost_of_planted_dirt_is_that_of_real_dirt():
    rng = np.random.default_rng(1)
    size = rng.normal(size=2000)
    y = 3 * size + rng.normal(size=2000)
    spoilt = size.copy()
    hit = rng.random(2000) < 0.1
    spoilt[hit] = rng.uniform(30, 90, hit.sum())
    table = dqops.read(pl.DataFrame({"size": spoilt, "y": y}), target="y")
    twin = twin_of([found(table, "outliers", "size")], table, rng)
    design = Design("regression", resolve_model(Ridge(), "regression").prepared(table), "r2")
    told = np.mean([twin.cost(split, design)["deployed"] for split in design.splits(table)])
    folds = KFold(5, shuffle=True, random_state=0)
    real = [cross_val_score(Ridge(), one[:, None], y, cv=folds).mean() for one in (size, spoilt)]
    assert told == pytest.approx(real[0] - real[1], abs=0.05)


def test_wrong_labels_are_planted_in_training_rows_at_the_highest_likely_rate(rng):
    x = rng.normal(size=600)
    frame = pl.DataFrame({"x": x, "y": np.where(x > 0, "yes", "no")})
    table = dqops.read(frame, target="y")
    design = Design("classification", resolve_model(LogisticRegression(), "classification").prepared(table), "accuracy")
    finding = Detector.named("labels")().finding(table, "y", [0, 1], 0.9, "doubtful", "y: two")
    noise = LabelNoise(("no", "yes"), ((0.4, 0.1), (0.1, 0.4)), 0.2, 0.1, 0.4)
    twin = label_twin(finding, table, noise, rng)
    flipped = (twin.clean.target() != twin.dirty.target()).mean()
    assert flipped == pytest.approx(0.4, abs=0.01)
    assert twin.scale == pytest.approx((0.25, 0.5, 1.0))
    assert set(twin.cost(design.splits(table)[0], design)) == {"deployed", "training"}


def test_what_is_not_known_of_the_rate_widens_the_potential():
    cost = Estimate(0.04, 0.02, 0.06)
    sure, unsure = potential_of(cost, 0.1), potential_of(cost, 0.1, (0.0, 0.5, 1.5))
    assert unsure.high - unsure.low > sure.high - sure.low
    assert unsure.low < 0 < unsure.expected < unsure.high


def test_gains_on_noisy_labels_are_stretched_by_the_noise():
    noise = LabelNoise(("a", "b"), ((0.4, 0.1), (0.1, 0.4)), 0.2, 0.1, 0.3)
    gain = against_true_labels(Estimate(0.03, 0.01, 0.05), noise)
    assert gain.expected == pytest.approx(0.03 / 0.6)
    assert (gain.low, gain.high) == pytest.approx((0.01 / 0.8, 0.05 / 0.4))


@pytest.mark.parametrize(
    ("labels", "classes"),
    [([True, False], ("False", "True")), ([1.0, 2.0], ("1", "2")), ([3, 4], ("3", "4"))],
    ids=["booleans", "floats with holes", "numbers"],
)
def test_labels_of_any_type_are_flipped(labels, classes, rng):
    frame = pl.DataFrame({"x": rng.normal(size=200), "y": [*(labels * 99), None, None]})
    table = dqops.read(frame, target="y")
    finding = Detector.named("labels")().finding(table, "y", [0, 1], 0.9, "doubtful", "y: two")
    noise = LabelNoise(classes, ((0.4, 0.1), (0.1, 0.4)), 0.2, 0.1, 0.4)
    twin = label_twin(finding, table, noise, rng)
    assert int((twin.clean.target() != twin.dirty.target()).sum()) == round(0.4 * 198)
    assert twin.dirty.target().dtype == table.target().dtype


def test_a_class_that_only_doubtful_rows_bear_is_planted_nowhere(rng):
    frame = pl.DataFrame({"x": rng.normal(size=200), "y": ["rare", *["a", "b"] * 99, "a"]})
    table = dqops.read(frame, target="y")
    finding = Detector.named("labels")().finding(table, "y", [0], 0.9, "doubtful", "y: one")
    joint = ((0.4, 0.05, 0.05), (0.05, 0.3, 0.05), (0.04, 0.04, 0.02))
    twin = label_twin(finding, table, LabelNoise(("a", "b", "rare"), joint, 0.2, 0.1, 0.4), rng)
    assert set(twin.dirty.target()) == {"a", "b"}

"""Doubtful labels, by the user's own model."""

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from dqops.detectors.labels import Labels
from dqops.models import Design, resolve_model
from dqops.seeds import stream
from dqops.tables.table import Roles, Table

RNG = stream(0, "labels")


def table_of(frame, **roles):
    return Table(frame, frame, pl.int_range(frame.height, eager=True), Roles(target="y", **roles))


def design_of(table, model="linear", task="classification"):
    return Design(task, resolve_model(model, task).prepared(table), seed=0)


@pytest.fixture
def apart(rng):
    """Three classes far apart, 8% of the labels changed; (table, mask of the changed, true labels)."""
    true = rng.integers(0, 3, 400)
    names = np.array(["ash", "beech", "cedar"])
    changed = rng.random(400) < 0.08
    given = np.where(changed, (true + 1) % 3, true)
    frame = pl.DataFrame({"a": rng.normal(4.0 * (true == 1), 1), "b": rng.normal(4.0 * (true == 2), 1), "y": names[given]})
    return table_of(frame), changed, names[true]


def test_changed_labels_are_found_with_the_right_suggestion(apart):
    table, changed, true = apart
    finding = Labels().fit_find(table, design_of(table), RNG)["labels:y"].at_least(0.5)
    assert changed[finding.positions].mean() > 0.85
    assert len(finding.positions) > 0.6 * changed.sum()
    right = changed[finding.positions]
    assert (finding.suggestions.to_numpy()[right] == true[finding.positions][right]).all()
    assert finding.scores.mean() == pytest.approx(changed[finding.positions].mean(), abs=0.35)


@pytest.fixture
def noisy(rng):
    """A hard problem of two classes, 25% of the labels changed; (table, mask of the changed)."""
    x = rng.normal(size=(600, 4))
    true = (x[:, 0] + x[:, 1] ** 2 + rng.normal(0, 0.5, 600) > 1).astype(int)
    changed = rng.random(600) < 0.25
    frame = pl.DataFrame({name: x[:, place] for place, name in enumerate("abcd")}).with_columns(y=pl.Series(np.array(["no", "yes"])[true ^ changed]))
    return table_of(frame), changed


def test_a_panel_finds_wrong_labels_that_one_model_dares_not_name(noisy):
    table, changed = noisy
    detector = Labels().fit(table, design_of(table), RNG)
    own, panel = detector.find(table)["labels:y"], detector.by_panel(table)["labels:y"]
    assert own.at_least(0.5).count < 0.3 * changed.sum() < 0.6 * panel.count
    assert changed[panel.positions].mean() > 0.7
    assert panel.scores.mean() < changed[panel.positions].mean() + 0.15
    assert set(panel.positions) <= set(own.positions)


def test_a_panel_hears_neither_numbers_nor_strange_rows(noisy, rng):
    table, _ = noisy
    assert len(Labels().fit(table, design_of(table), RNG).by_panel(table.take(np.arange(50)))) == 0
    numbers = table_of(table.frame.with_columns(y=pl.Series(rng.normal(size=600))))
    assert len(Labels().fit(numbers, design_of(numbers, task="regression"), RNG).by_panel(numbers)) == 0


def test_trusted_rows_teach_the_panel(noisy):
    table, changed = noisy
    known = np.arange(600) < 250
    frame = table.frame.with_columns(good=pl.Series(known & ~changed))
    trusted = table_of(frame, trusted="good")
    rows = Labels().fit(trusted, design_of(trusted), RNG).by_panel(trusted)["labels:y"].positions
    assert not (known & ~changed)[rows].any()
    noise = design_of(trusted).label_noise(trusted)
    assert noise.low < changed.mean() < noise.high < 0.5
    assert noise.low > 0.1
    assert changed[rows].mean() > 0.7


def test_messages_hold_no_labels(apart):
    table, _, _ = apart
    finding = Labels().fit_find(table, design_of(table), RNG)["labels:y"]
    assert not any(name in finding.message for name in ("ash", "beech", "cedar"))


def test_rows_elsewhere_are_judged_by_a_model_of_all_training_rows(apart, rng):
    table, changed, _ = apart
    detector = Labels().fit(table, design_of(table), RNG)
    elsewhere = detector.find(table.take(np.arange(100, 400)))["labels:y"].at_least(0.5)
    assert changed[100:][elsewhere.positions].mean() > 0.85


def test_clean_labels_are_left_alone(apart):
    table, changed, _ = apart
    clean = table.take(np.flatnonzero(~changed))
    findings = Labels().fit_find(clean, design_of(clean), RNG)
    assert sum(one.at_least(0.5).count for one in findings) <= 1


def test_trusted_rows_are_not_doubted(apart):
    table, changed, _ = apart
    trusted = table_of(table.frame.with_columns(good=pl.Series(changed)), trusted="good")
    for one in Labels().fit_find(trusted, design_of(trusted), RNG):
        assert not changed[one.positions].any()


def test_wrong_numbers_of_a_regression_target(rng):
    x = rng.normal(size=300)
    y = 50 + 5 * x + rng.normal(0, 1, 300)
    y[:6] *= 10
    table = table_of(pl.DataFrame({"x": x, "y": y}))
    finding = Labels().fit_find(table, design_of(table, task="regression"), RNG)["labels:y"].at_least(0.5)
    assert finding.positions.tolist() == list(range(6))
    assert finding.suggestions.to_numpy() == pytest.approx(50 + 5 * x[:6], abs=3)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"x": [0.1, 0.7], "y": ["a", "a"]}),
        pl.DataFrame({"x": [0.1], "y": ["a"]}),
        pl.DataFrame({"x": [0.1, 0.2, 0.4], "y": pl.Series([None] * 3, dtype=pl.String)}),
    ],
)
@pytest.mark.filterwarnings("ignore::dqops.errors.SkippedWarning")
def test_tables_that_tell_nothing_bring_nothing(frame):
    table = table_of(frame)
    assert len(Labels().fit_find(table, design_of(table), RNG)) == 0


def test_without_a_model_or_a_target_there_is_nothing_to_find(apart):
    table, _, _ = apart
    assert len(Labels().fit_find(table, None, RNG)) == 0
    assert len(Labels().fit_find(table, Design("classification"), RNG)) == 0


def test_noise_matrix_and_its_uncertainty_are_told(apart):
    table, changed, _ = apart
    noise = Labels().fit(table, design_of(table, LogisticRegression()), RNG).noise_
    assert noise.classes == ("ash", "beech", "cedar")
    assert np.sum(noise.joint) == pytest.approx(1.0)
    assert noise.low <= noise.rate <= noise.high
    assert noise.low <= changed.mean() <= noise.high + 0.02


def test_holes_in_the_target_are_somebody_elses_finding(apart):
    table, _, _ = apart
    holes = table.with_columns(pl.when(pl.int_range(400) < 40).then(None).otherwise(pl.col("y")).alias("y"))
    for one in Labels().fit_find(holes, design_of(holes), RNG):
        assert one.positions.min() >= 40

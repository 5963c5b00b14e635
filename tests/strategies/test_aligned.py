"""The aligned successor foresees what answers gain, corrects itself, and says what the rest would gain."""

from copy import deepcopy

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import dqops
from dqops.errors import OptionError
from dqops.models.resolve import resolve_model
from dqops.strategies.aligned import Aligned, _interleaved


def tables(task="regression", rows=240, seed=0):
    """The clean table, one with errors in every third row, and clean rows to judge by."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(2 * rows, 3)).round(3)
    said = values @ [2.0, -1.0, 0.5] + 0.3 * rng.normal(size=2 * rows)
    target = said if task == "regression" else np.where(said > 0, "up", "down")
    whole = pl.DataFrame({"a": values[:, 0], "b": values[:, 1], "c": values[:, 2], "y": target})
    clean = whole[:rows]
    number = np.arange(rows)
    wild = np.where(number % 3 == 0, np.where(number % 2, 30.0, np.nan), values[:rows, 0])
    return clean, clean.with_columns(a=pl.Series(wild).fill_nan(None)), dqops.read(whole[rows:], target="y")


def ready(frame, estimator, task):
    table = dqops.read(frame, target="y")
    return table, resolve_model(make_pipeline(SimpleImputer(), StandardScaler(), estimator), task).prepared(table)


def cleaned(dirty, clean, rows):
    places = np.array(sorted(rows))
    return dqops.read(dirty.with_columns([dirty[name].scatter(places, clean[name].gather(places)) for name in dirty.columns]), target="y")


@pytest.mark.parametrize(("estimator", "task"), [(Ridge(), "regression"), (LogisticRegression(), "classification")])
def test_a_gain_is_that_of_fitting_anew_over_the_candidates(estimator, task):
    _, dirty, held = tables(task, 120)
    table, model = ready(dirty, estimator, task)
    strategy = Aligned(explore=0.0)
    ranking = strategy.rank(table, model, held, np.random.default_rng(0))
    records, (positions, weights, rows, codes) = strategy.records, strategy._choices
    convex, judged = records.convex, (np.column_stack([strategy._judged[0], np.ones(len(strategy._judged[0]))]), strategy._judged[1])
    assert convex.alpha == 1.0

    def loss(X, y):
        theta = convex.fitted(X, convex.loss.targets(y))
        scale = 2.0 if task == "regression" else 1.0
        return scale * convex.loss.losses(judged[0] @ theta, convex.loss.targets(judged[1])).mean()

    before = loss(records.rows, records.codes)
    for row in ranking.doubts["row"].head(3).to_list():
        expected = 0.0
        for one in np.flatnonzero(positions == row):
            X, y = records.rows.copy(), records.codes.copy()
            X[row], y[row] = rows[one], codes[one]
            expected += weights[one] * (before - loss(X, y))
        told = ranking.doubts.filter(pl.col("row") == row)["gain"][0]
        assert told == pytest.approx(expected, rel=0.05 if task == "classification" else 1e-3, abs=1e-6)


def test_records_that_matter_are_asked_first_and_the_model_recovers():
    clean, dirty, held = tables()
    table, model = ready(dirty, Ridge(), "regression")
    strategy, rng, asked, scores = Aligned(), np.random.default_rng(0), [], []
    for _ in range(6):
        ranking = strategy.rank(table, model, held, rng)
        scores.append(model.fit(table).score(held, "r2"))
        batch = ranking.doubts["row"].head(15).to_list()
        for row in batch:
            strategy.tell(row, None, clean.row(row, named=True))
        asked += batch
        table = cleaned(dirty, clean, asked)
    assert np.mean(np.array(asked[:15]) % 3 == 0) > 0.8
    whole = model.fit(dqops.read(clean, target="y")).score(held, "r2")
    assert scores[-1] - scores[0] > 0.7 * (whole - scores[0])


def test_drawn_answers_tell_without_bias_what_the_open_records_are_worth():
    clean, dirty, held = tables(rows=120)
    table, model = ready(dirty, Ridge(), "regression")
    told, errors, begun = [], [], Aligned(explore=0.5)
    begun._begin(table, model, held, np.random.default_rng(0))
    for seed in range(250):
        strategy = deepcopy(begun, {id(one): one for one in (table, model, held)})
        ranking = strategy.rank(table, model, held, np.random.default_rng([5, seed]))
        if not told:
            truth = strategy.records.encoded(dqops.read(clean, target="y"), np.sort(strategy._drawn))
            wanted = strategy._gain_of(np.sort(strategy._drawn), truth[0], truth[2]).sum()
        rows = ranking.doubts["row"].head(12).to_list()
        for row in rows:
            strategy.tell(row, None, clean.row(row, named=True))
        strategy._hear(cleaned(dirty, clean, rows))
        told.append(strategy.worth[0])
        errors.append(strategy.worth[1])
    assert abs(np.mean(told) - wanted) < 4 * np.std(told) / np.sqrt(len(told))
    assert np.mean(np.square(errors)) == pytest.approx(np.var(told), rel=0.5)
    ranking = strategy.rank(cleaned(dirty, clean, rows), model, held, np.random.default_rng(0))
    assert any("drawn answers say" in one for one in ranking.warnings)


def test_forecasts_are_corrected_by_what_answers_of_their_kind_gained():
    clean, dirty, held = tables()
    table, model = ready(dirty, Ridge(), "regression")
    strategy = Aligned()
    strategy.rank(table, model, held, np.random.default_rng(0))
    assert (strategy._trust() == 1).all()
    rows = np.arange(0, 120, 3).tolist()
    for row in rows:
        strategy.tell(row, None, clean.row(row, named=True))
    strategy.rank(cleaned(dirty, clean, rows), model, held, np.random.default_rng(0))
    told, foreseen, kinds = strategy._gained, strategy._foretold, strategy.records.kinds
    assert strategy._told.tolist() == rows
    # A kind of error that stands alone: its forecasts are held against what came of them, ten of the usual size being taken as true.
    kind = int(np.flatnonzero(kinds[3])[0])
    own, prior = kinds[rows, kind] == 1, 10 * np.mean(foreseen**2)
    ratio = np.clip((prior + (foreseen * told)[own].sum()) / (prior + (foreseen[own] ** 2).sum()), 0, 3)
    alone = (kinds[:, kind] == 1) & (kinds.sum(axis=1) == 1)
    assert alone.any() or kinds[3].sum() > 1
    np.testing.assert_allclose(strategy._trust()[alone], ratio)


def test_what_an_answer_gained_is_what_fitting_without_it_loses():
    clean, dirty, held = tables(rows=90)
    table, model = ready(dirty, Ridge(), "regression")
    strategy = Aligned()
    strategy.rank(table, model, held, np.random.default_rng(0))
    recorded = strategy.records.rows.copy()
    for row in (0, 3):
        strategy.tell(row, None, clean.row(row, named=True))
    strategy.rank(cleaned(dirty, clean, [0, 3]), model, held, np.random.default_rng(0))
    records, (X, y) = strategy.records, strategy._judged
    judged = np.column_stack([X, np.ones(len(X))])

    def loss(rows):
        return ((judged @ records.convex.fitted(rows, records.targets) - y[:, None]) ** 2).mean()

    for place, row in enumerate((0, 3)):
        back = records.rows.copy()
        back[row] = recorded[row]
        assert strategy._gained[place] == pytest.approx(loss(back) - loss(records.rows), rel=1e-3, abs=1e-7)


def test_without_a_holdout_it_judges_by_the_likeliest_rows():
    _, dirty, _ = tables("classification")
    table, model = ready(dirty, LogisticRegression(), "classification")
    ranking = Aligned().rank(table, model, None, np.random.default_rng(0))
    assert len(ranking)
    assert any("no holdout" in one for one in ranking.warnings)


@pytest.mark.parametrize(("estimator", "said"), [(SVC(kernel="linear"), "stands for the hinge loss"), (RandomForestClassifier(5), "in the space of RandomForestClassifier")])
def test_other_models_get_a_surrogate_and_are_told_so(estimator, said):
    _, dirty, held = tables("classification")
    ranking = Aligned().rank(*ready(dirty, estimator, "classification"), held, np.random.default_rng(0))
    assert any(said in one for one in ranking.warnings)


def test_wrong_labels_are_foreseen_too():
    clean, _, held = tables("classification")
    flipped = np.arange(0, 240, 6)
    dirty = clean.with_columns(y=clean["y"].scatter(flipped, ["down" if clean["y"][int(one)] == "up" else "up" for one in flipped]))
    table, model = ready(dirty, LogisticRegression(), "classification")
    ranking = Aligned(explore=0.0).rank(table, model, held, np.random.default_rng(0))
    assert np.mean(np.isin(ranking.doubts["row"].head(20), flipped)) > 0.8


def test_places_are_shared_by_both_orders():
    order, explored = _interleaved(np.array([0, 1, 2, 3, 4]), np.array([4, 3, 2, 1, 0]), 0.5)
    assert order.tolist() == [0, 4, 1, 3, 2]
    assert explored.tolist() == [False, True, False, True, False]
    assert _interleaved(np.array([1, 0]), np.array([0, 1]), 0)[0].tolist() == [1, 0]


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(OptionError, match="explore"):
        Aligned(explore=1.0)
    with pytest.raises(OptionError, match="n_candidates"):
        Aligned(n_candidates=1)

"""ActiveClean draws by expected clean gradients, and its steps are unbiased; it ends where the clean table does."""

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import dqops
from dqops.models.resolve import resolve_model
from dqops.propagation.drawn import draw_keys
from dqops.strategies.activeclean import ActiveClean
from dqops.strategies.linear_records import LinearRecords


def tables(task="classification", rows=200, seed=0):
    """The clean table, and one in which every third row lost a large value or holds a wild one."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3)).round(3)
    said = values @ [2.0, -1.0, 0.5] + 0.3 * rng.normal(size=rows)
    clean = pl.DataFrame({"a": values[:, 0], "b": values[:, 1], "c": values[:, 2], "y": said if task == "regression" else np.where(said > 0, "up", "down")})
    wild = np.where(np.arange(rows) % 3 == 0, np.where(np.arange(rows) % 2, 90.0, np.nan), values[:, 0])
    return clean, clean.with_columns(a=pl.Series(wild).fill_nan(None))


def ready(frame, estimator, task):
    table = dqops.read(frame, target="y")
    return table, resolve_model(make_pipeline(SimpleImputer(), StandardScaler(), estimator), task).prepared(table)


def answered(strategy, dirty, clean, rows, known):
    for row in rows:
        strategy.tell(row, None, clean.row(row, named=True))
    known = np.union1d(known, rows).astype(int)
    return dqops.read(dirty.with_columns([dirty[name].scatter(known, clean[name].gather(known)) for name in dirty.columns]), target="y"), known


@pytest.mark.parametrize(("estimator", "task"), [(LogisticRegression(), "classification"), (SVC(kernel="linear"), "classification"), (Ridge(), "regression")])
def test_one_step_is_the_clean_gradient_on_average(estimator, task):
    clean, dirty = tables(task)
    table, model = ready(dirty, estimator, task)
    first, steps = ActiveClean(), []
    first.rank(table, model, None, np.random.default_rng(0))
    held, theta = first.records, first.coefficients
    truth = held.encoded(dqops.read(clean, target="y"), np.arange(200))
    assert set(np.arange(0, 200, 3)) <= set(np.flatnonzero(~held.known))
    gradients = held.convex.gradients(theta, truth[0], truth[1])
    # What detectors did not doubt is taken as it stands: here all of it is clean.
    wanted = first._rate * (gradients.sum(axis=0) + held.convex.held_back(theta)) / 200
    drawn, shares, dirty_rows = first._drawn, first._shares, (held.rows.copy(), held.targets.copy())
    before = held.known.copy()
    for seed in range(300):
        order = np.argsort(-draw_keys(shares, np.random.default_rng([1, seed])))[:8]
        held.rows[drawn[order]], held.targets[drawn[order]] = truth[0][drawn[order]], truth[1][drawn[order]]
        first._drawn, first._shares, first._round, first.coefficients = drawn[order], shares[order], 0, theta
        first._step(before, len(order))
        steps.append((theta - first.coefficients).ravel())
        held.rows[:], held.targets[:] = dirty_rows
    error = np.std(steps, axis=0) / np.sqrt(len(steps))
    assert (np.abs(np.mean(steps, axis=0) - wanted) < 4 * error + 1e-12).all()


def test_rounds_of_answers_lead_towards_the_clean_model():
    clean, dirty = tables("regression")
    table, model = ready(dirty, Ridge(), "regression")
    strategy, rng, known = ActiveClean(), np.random.default_rng(0), np.empty(0, dtype=int)
    excess = []
    for _ in range(12):
        ranking = strategy.rank(table, model, None, rng)
        truth = strategy.records.encoded(dqops.read(clean, target="y"), np.arange(200))
        best = strategy.records.convex.objective(strategy.records.convex.fitted(*truth[:2]), *truth[:2])
        excess.append(strategy.records.convex.objective(strategy.coefficients, *truth[:2]) - best)
        table, known = answered(strategy, dirty, clean, ranking.doubts["row"].head(10).to_list(), known)
    assert excess[-1] < 0.5 * excess[0]
    assert len(ranking) == 0 or not set(known) & set(strategy.rank(table, model, None, rng).doubts["row"])


def test_dirty_records_are_drawn_before_doubted_ones_once_answers_tell_them_apart():
    clean, dirty = tables(rows=300)
    # Every third row is dirty; some clean ones are rare, and are doubted as well.
    dirty = dirty.with_columns(c=pl.when(pl.int_range(300) % 5 == 1).then(40.0).otherwise("c"))
    clean = clean.with_columns(c=dirty["c"])
    table, model = ready(dirty, LogisticRegression(), "classification")
    strategy, rng, known = ActiveClean(), np.random.default_rng(2), np.empty(0, dtype=int)
    for _ in range(4):
        ranking = strategy.rank(table, model, None, rng)
        table, known = answered(strategy, dirty, clean, ranking.doubts["row"].head(20).to_list(), known)
    ranking = strategy.rank(table, model, None, rng)
    open_ones = ranking.doubts["row"].to_numpy()
    assert (open_ones[:10] % 3 == 0).mean() >= (open_ones % 3 == 0).mean()


def test_a_model_that_is_not_convex_gets_a_surrogate_and_is_told_so():
    _, dirty = tables("regression")
    ranking = ActiveClean().rank(*ready(dirty, RandomForestRegressor(5), "regression"), None, np.random.default_rng(0))
    assert any("ridge regression in the space of RandomForestRegressor" in one for one in ranking.warnings)
    assert not ActiveClean().rank(*ready(dirty, Ridge(), "regression"), None, np.random.default_rng(0)).warnings
    _, dirty = tables()
    kinked = ActiveClean().rank(*ready(dirty, LogisticRegression(l1_ratio=1.0, solver="saga"), "classification"), None, np.random.default_rng(0))
    assert any("stands for the model" in one for one in kinked.warnings)


def test_a_clean_table_leaves_nothing_to_ask():
    clean, _ = tables()
    table, model = ready(clean, LogisticRegression(), "classification")
    strategy = ActiveClean()
    ranking = strategy.rank(table, model, None, np.random.default_rng(0))
    assert len(ranking) < 40  # rows near the boundary, whose labels are doubted
    assert np.isfinite(strategy.coefficients).all()


def test_a_record_told_cell_by_cell_is_known_once_nothing_in_it_is_doubted():
    clean, dirty = tables()
    dirty = dirty.with_columns(b=pl.when(pl.int_range(200) == 0).then(None).otherwise("b"))
    table, model = ready(dirty, LogisticRegression(), "classification")
    strategy = ActiveClean()
    strategy.rank(table, model, None, np.random.default_rng(0))
    records = strategy.records
    assert isinstance(records, LinearRecords)
    strategy.tell(0, "a", clean["a"][0])
    strategy.rank(table, model, None, np.random.default_rng(0))
    assert not records.known[0]
    strategy.tell(0, "b", clean["b"][0]).tell(0, "y", clean["y"][0])
    strategy.rank(table, model, None, np.random.default_rng(0))
    assert records.known[0]

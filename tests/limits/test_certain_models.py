"""Certain and approximately certain linear models against models fitted in sampled repairs."""

import numpy as np
import pytest
from scipy.special import expit

from dqops.errors import DataError, OptionError
from dqops.limits.certain_models import certain_model, ranges_of
from dqops.limits.linear_fits import fit_linear, objective
from dqops.results.certain_model import CertainModel


def repaired(ranges, rng, corners=False):
    draws = rng.choice([-1.0, 1.0], ranges.middle.shape) if corners else rng.uniform(-1, 1, ranges.middle.shape)
    return ranges.middle + ranges.radius * draws


def gradient(X, y, slopes, intercept, alpha):
    residual = X @ slopes + intercept - y
    return np.append(X.T @ residual + alpha * slopes, residual.sum())


def holed(rng, X, rows, columns, width=1.0):
    low, high = X - width, X + width
    X = X.copy()
    X[rows, columns] = np.nan
    return ranges_of(X, low, high)


@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_a_planted_system_has_a_certain_model(rng, alpha):
    X = rng.normal(size=(40, 3))
    rows = np.array([2, 7, 11])
    known = np.delete(np.arange(40), rows)
    # Noise on complete rows, orthogonal to all columns and to the ones; column 2 has no weight and holds the gaps.
    basis = np.column_stack([X[known], np.ones(len(known))])
    noise = rng.normal(size=len(known))
    noise -= basis @ np.linalg.lstsq(basis, noise, rcond=None)[0]
    y = X[:, :2] @ np.array([1.5, -2.0]) + 0.5
    y[known] += noise
    if alpha:
        # With a penalty the slopes shrink: take the target that makes the shrunk model exact on the gappy rows.
        slopes = np.array([1.5, -2.0, 0.0])
        pull = np.linalg.lstsq(np.column_stack([X[known], np.ones(len(known))]).T, np.append(alpha * slopes, 0.0), rcond=None)[0]
        y[known] += pull
    ranges = holed(rng, X, rows, np.array([2, 2, 2]))
    model = certain_model(ranges, y, alpha=alpha)
    assert model.certain
    assert (model.excess, model.to_clean) == (0.0, 0)
    assert not model.row_need.any()
    for _ in range(200):
        np.testing.assert_allclose(gradient(repaired(ranges, rng), y, model.coefficients, model.intercept, alpha), 0, atol=1e-9)
    y[rows[1]] += 0.1
    assert not certain_model(ranges, y, alpha=alpha).certain


def test_a_column_must_be_orthogonal_to_the_residuals(rng):
    X = rng.normal(size=(30, 2))
    y = X[:, 0] * 2.0
    y[5:] += rng.normal(size=25) * 0.1
    ranges = holed(rng, X, [0], [1])
    assert not certain_model(ranges, y, alpha=0.0).certain


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
@pytest.mark.parametrize("width", [0.01, 0.3, 1.0])
@pytest.mark.parametrize("alpha", [0.3, 5.0])
def test_the_excess_holds_in_every_repair(rng, loss, width, alpha):
    X = rng.normal(size=(120, 3))
    y = X @ np.array([1.0, -1.0, 0.2]) + 0.3 + 0.5 * rng.normal(size=120)
    y = y if loss == "squared" else np.where(rng.random(120) < expit(4 * y), 1.0, -1.0)
    ranges = holed(rng, X, [1, 1, 5, 9, 30, 31], [0, 1, 2, 0, 1, 1], width)
    model = certain_model(ranges, y, loss=loss, alpha=alpha)
    every = np.ones(3, dtype=bool)
    metric = None if model.root is None else np.linalg.inv(model.root.T @ model.root)
    for draw in range(25):
        X = repaired(ranges, rng, corners=draw % 2 == 0)
        slopes, intercept = fit_linear(X, y, loss, alpha, every)
        gap = objective(X, y, model.coefficients, model.intercept, loss, alpha) - objective(X, y, slopes, intercept, loss, alpha)
        assert gap <= model.excess * model.objective + 1e-6
        if metric is not None and np.isfinite(model.shift):
            moved = np.append(slopes - model.coefficients, intercept - model.intercept)
            assert np.sqrt(moved @ metric @ moved) <= model.shift + 1e-6


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_the_typical_excess_is_what_random_repairs_bring(rng, loss):
    X = rng.normal(size=(400, 3))
    y = X @ np.array([1.0, -1.0, 0.2]) + 0.5 * rng.normal(size=400)
    y = y if loss == "squared" else np.where(rng.random(400) < expit(3 * y), 1.0, -1.0)
    rows = rng.choice(400, 40, replace=False)
    ranges = holed(rng, X, rows, rng.integers(3, size=40), 0.5)
    model, every, gaps = certain_model(ranges, y, loss=loss), np.ones(3, dtype=bool), []
    for _ in range(150):
        X = repaired(ranges, rng)
        best = objective(X, y, *fit_linear(X, y, loss, 1.0, every), loss, 1.0)
        gaps.append(objective(X, y, model.coefficients, model.intercept, loss, 1.0) - best)
    assert model.typical_excess * model.objective == pytest.approx(np.mean(gaps), rel=0.3)
    assert model.typical_excess < model.excess


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_wider_ranges_never_lower_the_excess(rng, loss):
    X = rng.normal(size=(100, 3))
    y = X[:, 0] + 0.3 * rng.normal(size=100)
    y = y if loss == "squared" else np.sign(y)
    told = [certain_model(holed(rng, X, [0, 4, 8], [0, 1, 2], width), y, loss=loss).excess for width in (0.01, 0.1, 0.5, 3.0)]
    assert told == sorted(told)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_cleaning_in_the_order_makes_the_model_approximately_certain(rng, loss):
    X = rng.normal(size=(200, 3))
    y = X[:, 0] - X[:, 1] + 0.5 * rng.normal(size=200)
    y = y if loss == "squared" else np.sign(y)
    rows = rng.choice(200, 40, replace=False)
    ranges = holed(rng, X, rows, rng.integers(3, size=40), 1.0)
    model = certain_model(ranges, y, loss=loss, excess=0.002)
    assert not model.approximately_certain
    assert 0 < model.to_clean <= 40
    assert sorted(model.order) == sorted(rows)
    assert (np.diff(model.row_need[model.order]) <= 0).all()
    assert model.row_need[np.setdiff1d(np.arange(200), rows)].max() == 0
    radius = ranges.radius.copy()
    radius[model.order[: model.to_clean]] = 0
    cleaned = certain_model(type(ranges)(ranges.middle, radius), y, loss=loss, excess=0.002)
    assert cleaned.approximately_certain


def test_the_hinge_is_certified_where_gaps_cannot_reach_the_margin(rng):
    X = rng.normal(size=(80, 2))
    y = np.where(X[:, 0] > 0, 1.0, -1.0)
    X[:, 0] += 3 * y
    far = np.argsort(-np.abs(X[:, 0]))[:5]
    ranges = holed(rng, X, far, np.ones(5, dtype=int), 0.5)
    model = certain_model(ranges, y, loss="hinge", alpha=1.0)
    assert model.certain
    every = np.ones(2, dtype=bool)
    for _ in range(20):
        slopes, intercept = fit_linear(repaired(ranges, rng), y, "hinge", 1.0, every)
        np.testing.assert_allclose([*slopes, intercept], [*model.coefficients, model.intercept], atol=1e-3)
    unbounded = ranges_of(np.where(ranges.doubtful, np.nan, X), -np.inf, np.inf)
    assert not certain_model(unbounded, y, loss="hinge").certain


@pytest.mark.parametrize("loss", ["squared", "logistic", "hinge"])
def test_without_gaps_the_fit_is_certain(rng, loss):
    X, y = rng.normal(size=(20, 2)), np.sign(rng.normal(size=20))
    model = certain_model(ranges_of(X), y, loss=loss)
    assert model.certain
    assert model.why == "no cell is doubtful"
    assert "a certain model exists" in str(model)
    assert model.order.size == 0


def test_what_cannot_be_bounded_says_so(rng):
    X, y = rng.normal(size=(20, 2)), rng.normal(size=20)
    X[:, 1] = np.nan
    X[0, 0] = np.nan
    told = certain_model(ranges_of(X, -1.0, 1.0), y, alpha=0.0)
    assert not np.isfinite(told.excess)
    assert told.to_clean is None
    assert "no bound on what it loses" in str(told)
    assert "no finite range" in certain_model(ranges_of(X, -np.inf, np.inf), y, alpha=1.0).why


def test_rows_with_gaps_tell_models_apart_too(rng):
    X = rng.normal(size=(300, 3))
    y = X[:, 0] + 0.1 * rng.normal(size=300)
    ranges = holed(rng, X, np.arange(300), rng.integers(3, size=300), 0.05)
    model = certain_model(ranges, y, alpha=0.0)
    assert np.isfinite(model.excess)
    for _ in range(20):
        X = repaired(ranges, rng, corners=True)
        best = objective(X, y, *fit_linear(X, y, "squared", 0.0, np.ones(3, dtype=bool)), "squared", 0.0)
        assert objective(X, y, model.coefficients, model.intercept, "squared", 0.0) - best <= model.excess * model.objective


def test_a_range_defaults_to_that_of_the_column():
    ranges = ranges_of([[1.0, 2.0], [np.nan, 4.0], [5.0, np.nan]])
    assert ranges.middle.tolist() == [[1, 2], [3, 4], [5, 3]]
    assert ranges.radius.tolist() == [[0, 0], [2, 0], [0, 1]]


@pytest.mark.parametrize(
    ("error", "said", "X", "y", "settings"),
    [
        (OptionError, "loss='absolute'", [[1.0]], [1.0], {"loss": "absolute"}),
        (OptionError, "alpha=-1", [[1.0]], [1.0], {"alpha": -1}),
        (OptionError, "alpha=0", [[1.0]], [1.0], {"alpha": 0, "loss": "logistic"}),
        (OptionError, "excess=0", [[1.0]], [1.0], {"excess": 0}),
        (DataError, "2 targets for 1 rows", [[1.0]], [1.0, 2.0], {}),
        (DataError, "labels other than -1 and 1", [[1.0]], [3.0], {"loss": "logistic"}),
        (DataError, "complete rows hold one class", [[1.0], [2.0]], [1.0, 1.0], {"loss": "hinge"}),
        (DataError, "column 0 is missing in all rows", [[np.nan]], [1.0], {}),
        (DataError, "empty", np.empty((0, 2)), [], {}),
    ],
)
def test_settings_and_data_that_cannot_be(error, said, X, y, settings):
    with pytest.raises(error, match=said):
        certain_model(ranges_of(X), np.array(y), **settings)


def test_ranges_are_not_upside_down():
    with pytest.raises(DataError, match="upside down"):
        ranges_of([[np.nan], [1.0]], 2.0, 1.0)


def test_a_model_near_enough_says_so():
    model = CertainModel("squared", False, 0.004, 0.001, 0.01, 1.0, np.ones(1), 0.0, 0.1, None, np.zeros(1), np.zeros(1), np.array([0]), 0, "why")
    assert str(model) == "an approximately certain model exists: at most 0.40% above the best one in every repair"

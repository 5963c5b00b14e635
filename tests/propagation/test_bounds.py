"""Bounds of ridge regression against models fitted at every corner, on a grid, and at random."""

from itertools import product

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from dqops.errors import DataError, OptionError
from dqops.propagation.bounds import ridge_bounds


def problem(rng, n_rows=30, cells=((1, 0), (1, 1), (4, 2), (9, 0), (9, 2)), width=0.2, n_columns=3):
    X = rng.normal(size=(n_rows, n_columns))
    y = X @ np.linspace(1, -1, n_columns) + 0.3 * rng.normal(size=n_rows) + 2
    radius = np.zeros_like(X)
    for row, column in cells:
        radius[row, column] = width * rng.uniform(0.5, 1)
    return X, y, radius, rng.normal(size=(6, n_columns))


def grid(X, radius, shift, steps=3):
    """Every table whose doubtful cells (and targets) stand on a grid from end to end."""
    places, targets = np.argwhere(radius), np.flatnonzero(shift)
    for setting in product(np.linspace(-1, 1, steps), repeat=len(places) + len(targets)):
        table, moved = X.copy(), np.zeros(len(X))
        for (row, column), one in zip(places, setting, strict=False):
            table[row, column] += one * radius[row, column]
        moved[targets] = np.array(setting[len(places) :]) * shift[targets]
        yield table, moved


@pytest.mark.parametrize("alpha", [0.1, 3.0])
@pytest.mark.parametrize("parts", [1, 4])
def test_every_setting_of_the_cells_lies_within(rng, alpha, parts):
    X, y, radius, asked = problem(rng)
    y_asked = asked.sum(axis=1)
    bounds = ridge_bounds(X, y, radius, asked, alpha=alpha, y_holdout=y_asked, parts=parts)
    assert bounds.certified
    seen = []
    for table, _ in grid(X, radius, np.zeros(len(y))):
        model = Ridge(alpha=alpha).fit(table, y)
        assert (np.abs(model.coef_ - bounds.coefficients) <= bounds.radius + 1e-10).all()
        seen.append(model.predict(asked))
    seen = np.array(seen)
    assert (bounds.low <= seen.min(axis=0)).all()
    assert (seen.max(axis=0) <= bounds.high).all()
    errors = ((seen - y_asked) ** 2).mean(axis=1)
    assert bounds.error[0] <= errors.min()
    assert errors.max() <= bounds.error[1]
    assert bounds.error[0] <= bounds.inner_error[0] <= bounds.inner_error[1] <= bounds.error[1]
    # The inner range is reached, and nearly as wide as the corners.
    assert (bounds.inner_low >= bounds.low).all()
    assert (bounds.inner_high <= bounds.high).all()
    assert (bounds.inner_high - bounds.inner_low).sum() >= 0.95 * np.ptp(seen, axis=0).sum()
    assert bounds.looseness < 2


def test_doubtful_targets_count_as_well(rng):
    X, y, radius, asked = problem(rng, cells=((1, 0), (4, 2)))
    shift = np.zeros(len(y))
    shift[[1, 7, 12]] = [0.5, 1.0, 0.2]
    bounds = ridge_bounds(X, y, radius, asked, target_radius=shift)
    seen = np.array([Ridge().fit(table, y + moved).predict(asked) for table, moved in grid(X, radius, shift)])
    assert (bounds.low <= seen.min(axis=0)).all()
    assert (seen.max(axis=0) <= bounds.high).all()
    # Targets alone act linearly: the bound is exact.
    only = ridge_bounds(X, y, np.zeros_like(X), asked, target_radius=shift)
    ends = np.array([Ridge().fit(X, y + moved).predict(asked) for _, moved in grid(X, np.zeros_like(X), shift, steps=2)])
    np.testing.assert_allclose(only.low, ends.min(axis=0), rtol=1e-9)
    np.testing.assert_allclose(only.high, ends.max(axis=0), rtol=1e-9)


def test_random_draws_of_many_cells_lie_within(rng):
    X, y, radius, asked = problem(rng, n_rows=400, cells=[(row, row % 3) for row in range(0, 400, 8)], width=0.3)
    bounds = ridge_bounds(X, y, radius, asked)
    assert bounds.certified
    for _ in range(500):
        predicted = Ridge().fit(X + radius * rng.uniform(-1, 1, X.shape), y).predict(asked)
        assert (bounds.low <= predicted).all()
        assert (predicted <= bounds.high).all()
    spread = np.std([Ridge().fit(X + radius * rng.uniform(-1, 1, X.shape), y).predict(asked) for _ in range(800)], axis=0)
    np.testing.assert_allclose(bounds.spread, spread, rtol=0.2)


def test_wider_ranges_never_narrow_a_bound(rng):
    X, y, radius, asked = problem(rng)
    narrow, wide = ridge_bounds(X, y, radius, asked), ridge_bounds(X, y, radius * 1.5, asked)
    assert ((wide.high - wide.low) > (narrow.high - narrow.low)).all()
    assert wide.contraction > narrow.contraction


def test_a_large_penalty_leaves_nothing_open(rng):
    X, y, radius, asked = problem(rng)
    widths = [np.max(one.high - one.low) for one in (ridge_bounds(X, y, radius, asked, alpha=alpha) for alpha in (1.0, 1e3, 1e7))]
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 1e-4


def test_nothing_doubtful_is_the_model_itself(rng):
    X, y, radius, asked = problem(rng, cells=())
    bounds = ridge_bounds(X, y, radius, asked)
    expected = Ridge().fit(X, y).predict(asked)
    np.testing.assert_allclose(bounds.low, expected, atol=1e-9)
    np.testing.assert_allclose(bounds.high, expected, atol=1e-9)
    np.testing.assert_allclose(bounds.inner_low, expected, atol=1e-9)
    assert bounds.looseness == 1
    assert bounds.contraction == 0


def test_without_a_certificate_it_says_so(rng):
    X, y, radius, asked = problem(rng, n_rows=6, cells=[(row, column) for row in range(6) for column in range(3)], width=5.0)
    bounds = ridge_bounds(X, y, radius, asked, alpha=0.01)
    assert not bounds.certified
    assert bounds.contraction >= 1
    assert np.isinf(bounds.high).all()
    assert np.isinf(bounds.radius).all()
    assert np.isfinite(bounds.inner_high).all()
    assert "no certificate" in str(bounds)
    assert not bounds.certain_side().any()


def test_cutting_the_ranges_can_bring_a_certificate(rng):
    X = np.linspace(-1, 1, 5)[:, None]
    y, radius = X[:, 0].copy(), np.zeros_like(X)
    radius[[0, 1, 4]] = 0.5
    whole, cut = ridge_bounds(X, y, radius, [[0.5]], alpha=0.1), ridge_bounds(X, y, radius, [[0.5]], alpha=0.1, parts=64)
    assert not whole.certified
    assert cut.certified
    for table, _ in grid(X, radius, np.zeros(5), steps=7):
        predicted = Ridge(0.1).fit(table, y).predict([[0.5]])[0]
        assert cut.low[0] <= predicted <= cut.high[0]


def test_same_seed_same_answer(rng):
    given = problem(rng)
    assert np.array_equal(ridge_bounds(*given, seed=1).inner_low, ridge_bounds(*given, seed=1).inner_low)


@pytest.mark.parametrize(
    ("error", "said", "change"),
    [
        (OptionError, "alpha=0", {"alpha": 0}),
        (OptionError, "parts=3", {"parts": 3}),
        (DataError, "a radius is negative", {"radius": -np.ones((4, 2))}),
        (DataError, "NaN or infinite", {"X": np.full((4, 2), np.nan)}),
        (DataError, "a radius a cell", {"radius": np.ones((4, 1))}),
        (DataError, "rows of 2 columns", {"X_holdout": np.ones((1, 3))}),
        (DataError, "holdout targets", {"y_holdout": [1.0, 2.0]}),
    ],
)
def test_what_cannot_be_bounded_is_refused(error, said, change):
    given = {"X": np.ones((4, 2)), "y": np.ones(4), "radius": np.zeros((4, 2)), "X_holdout": np.ones((1, 2)), **change}
    with pytest.raises(error, match=said):
        ridge_bounds(given.pop("X"), given.pop("y"), given.pop("radius"), given.pop("X_holdout"), **given)

"""Bounds of ridge regression over every repair of doubtful cells: zonotopes with a criterion of when there are none."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError, OptionError
from dqops.results.bounds import RidgeBounds
from dqops.seeds import stream

# Bounds are widened by this share of the largest number in them, for rounding.
_ROUNDING = 1e-12
_CORNERS = 64  # random corners that are tried for the inner range
_AIMED = 32  # holdout rows, those with the widest bounds, for which the worst corner is tried


@dataclass(frozen=True, eq=False)
class _Zonotope:
    """Coefficients (the intercept last) in every repair: centre, one segment a cell, and a box for what is left."""

    centre: np.ndarray
    segments: np.ndarray
    rest: np.ndarray
    contraction: float


def ridge_bounds(X, y, radius, X_holdout, *, alpha=1.0, y_holdout=None, target_radius=None, parts=1, seed=0):
    """Predictions of ridge regression, bounded in every repair of the doubtful cells.

    A cell may be anything within `radius` of its value in `X`; the model is fitted anew in each repair.

    Parameters
    ----------
    X : float64 (n, d)
        Middle of each cell's range.
    y : float64 (n,)
    radius : float64 (n, d)
        0 where a cell is known.
    X_holdout : float64 (n_holdout, d)
        Known.
    alpha : float, default 1.0
        Penalty as in scikit-learn's Ridge (rows add up); the intercept is free.
    y_holdout : float64 (n_holdout,), optional
        Adds bounds of the mean squared error.
    target_radius : float64 (n,), optional
        Of doubtful targets.
    parts : int, default 1
        A power of 2: boxes that the widest ranges are cut into, each bounded by itself; tighter, and `parts` times
        the work.
    seed : int
        Of the repairs that are tried for the inner range.

    Returns
    -------
    RidgeBounds
        Without a certificate the outer bounds are infinite.

    Raises
    ------
    OptionError, DataError

    Notes
    -----
    O(n d² + d³ + q d n_holdout) for q doubtful cells and each part; the inner range adds about a hundred fits. Rounding
    is allowed for by a margin, not by directed rounding.

    References
    ----------
    Zhu, Feng, Glavic, Salimi 2024, NeurIPS, Learning from uncertain data: from possible worlds to possible models.
    arXiv 2405.18549. Rump 2010, Acta Numerica 19, interval linear systems. doi:10.1017/S096249291000005X

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1.0, 2.0, 3.0])
    >>> bounds = ridge_bounds(X, y, np.array([[0.0], [0.1], [0.0], [0.0]]), [[1.5]])
    >>> bounds.certified, bool(bounds.low[0] <= bounds.inner_low[0] < bounds.inner_high[0] <= bounds.high[0])
    (True, True)
    """
    X, y, radius, asked, shift = _checked(X, y, radius, X_holdout, alpha, y_holdout, target_radius, parts)
    boxes = _cut(X, radius, parts)
    told = [_bounded(centre, y, half, shift, alpha) for centre, half in boxes]
    ones = np.column_stack([asked, np.ones(len(asked))])
    low, high = np.full(len(asked), np.inf), np.full(len(asked), -np.inf)
    for one in told:
        width = np.abs(ones @ one.segments).sum(axis=1) + np.abs(ones) @ one.rest
        middle = ones @ one.centre
        slack = _ROUNDING * (np.abs(ones) @ np.abs(one.centre) + width)
        low, high = np.minimum(low, middle - width - slack), np.maximum(high, middle + width + slack)
    certified = all(one.contraction < 1 for one in told)
    if not certified:
        low, high = np.full(len(asked), -np.inf), np.full(len(asked), np.inf)
    whole = told[0] if parts == 1 else _bounded(X, y, radius, shift, alpha)
    models = _tried(X, y, radius, shift, alpha, whole, ones, np.argsort(low - high)[:_AIMED], seed)
    predicted = ones @ models.T
    inner_low, inner_high = predicted.min(axis=1), predicted.max(axis=1)
    reach = np.abs(np.stack([one.centre - whole.centre for one in told])) + np.stack([np.abs(one.segments).sum(axis=1) + one.rest for one in told])
    errors = (None, None) if y_holdout is None else _errors(np.asarray(y_holdout, dtype=np.float64), low, high, predicted)
    return RidgeBounds(
        certified=certified,
        contraction=max(one.contraction for one in told),
        low=low,
        high=high,
        inner_low=inner_low,
        inner_high=inner_high,
        coefficients=whole.centre[:-1],
        radius=reach.max(axis=0)[:-1] if certified else np.full(X.shape[1], np.inf),
        spread=np.sqrt(((ones @ whole.segments) ** 2).sum(axis=1) / 3),
        error=errors[0],
        inner_error=errors[1],
        parts=parts,
    )


def _bounded(X, y, radius, shift, alpha):
    """Zonotope of the coefficients of one box; `contraction` of 1 or more where there is none."""
    n_rows, n_columns = X.shape[0], X.shape[1] + 1
    rows = np.column_stack([X, np.ones(n_rows)])
    wide = np.column_stack([radius, np.zeros(n_rows)])
    penalty = np.append(np.full(n_columns - 1, alpha), 0.0)
    # The square of a cell's change lies in [0, radius²]: its middle belongs to the centre, its half-width to the rest.
    pairs = wide.T @ wide
    squares = np.diag(pairs) / 2
    bend = rows.T @ rows + np.diag(penalty + squares)
    inverse = np.linalg.inv(bend)
    centre = inverse @ (rows.T @ y)
    segments = _segments(rows, y, wide, shift, inverse, centre)
    first = np.abs(segments).sum(axis=1)
    size = np.abs(inverse)
    np.fill_diagonal(pairs, squares)
    second = np.zeros(n_columns)
    for one in range(n_columns - 1):
        second += pairs[one, one] * size[:, one] * abs(centre[one])
        after = slice(one + 1, n_columns - 1)
        second += (pairs[one, after] * np.abs(np.outer(inverse[:, one], centre[after]) + inverse[:, after] * centre[one])).sum(axis=1)
    second += size @ (wide.T @ shift)
    moved = _moved(rows, wide, inverse) + size @ pairs
    contraction = float(np.abs(np.linalg.eigvals(moved)).max())
    if contraction >= 1:
        return _Zonotope(centre, segments, np.full(n_columns, np.inf), contraction)
    rest = np.linalg.solve(np.eye(n_columns) - moved, second + moved @ first)
    return _Zonotope(centre, segments, np.maximum(rest, 0) * (1 + _ROUNDING), contraction)


def _segments(rows, y, wide, shift, inverse, centre):
    """First-order change of the coefficients by each doubtful cell, then by each doubtful target: (d + 1, q)."""
    row, column = np.nonzero(wide)
    left = y - rows @ centre
    seen = rows @ inverse
    cells = wide[row, column] * (left[row] * inverse[:, column] - centre[column] * seen[row].T)
    targets = np.flatnonzero(shift)
    return np.concatenate([cells, shift[targets] * seen[targets].T], axis=1)


def _moved(rows, wide, inverse):
    """Sum over doubtful cells of how much each entry of the system moves, in units of its inverse."""
    seen = rows @ inverse
    moved = np.abs(inverse) @ (wide.T @ np.abs(rows))
    for column in range(rows.shape[1]):
        cells = np.flatnonzero(wide[:, column])
        both = np.abs(rows[cells, column, None] * inverse[:, column] + seen[cells])
        alone = np.abs(rows[cells, column, None] * inverse[:, column])
        moved[:, column] += (wide[cells, column, None] * (both - alone)).sum(axis=0)
    return moved


def _cut(X, radius, parts):
    """(centre, radius) of boxes that cover the ranges: the widest ranges, for the scale of their column, are halved."""
    scale = np.maximum(X.std(axis=0), np.finfo(float).tiny)
    boxes = [(X, radius)]
    while len(boxes) < parts:
        halved = []
        for centre, half in boxes:
            widest = np.unravel_index(np.argmax(half / scale), half.shape)
            for side in (-1, 1):
                moved, narrow = centre.copy(), half.copy()
                narrow[widest] /= 2
                moved[widest] += side * narrow[widest]
                halved.append((moved, narrow))
        boxes = halved
    return boxes


def _tried(X, y, radius, shift, alpha, whole, ones, aimed, seed):
    """Coefficients (the intercept last) in the middle, at random corners, and at those that stretch single predictions."""
    row, column = np.nonzero(radius)
    targets = np.flatnonzero(shift)
    signs = stream(seed, "corners").choice([-1.0, 1.0], (_CORNERS, len(row) + len(targets)))
    pull = np.sign(ones[aimed] @ whole.segments)
    signs = np.concatenate([np.zeros((1, signs.shape[1])), signs, pull, -pull]) if signs.shape[1] else np.zeros((1, 0))
    doubtful = np.zeros(len(y), dtype=bool)
    doubtful[row] = True
    rows, penalty = np.column_stack([X, np.ones(len(y))]), np.diag(np.append(np.full(X.shape[1], alpha), 0.0))
    known = rows[~doubtful].T @ rows[~doubtful] + penalty
    place = np.cumsum(doubtful) - 1
    models = []
    for sign in signs:
        changed, answers = rows[doubtful].copy(), y.copy()
        changed[place[row], column] += sign[: len(row)] * radius[row, column]
        answers[targets] += sign[len(row) :] * shift[targets]
        models.append(np.linalg.solve(known + changed.T @ changed, rows[~doubtful].T @ answers[~doubtful] + changed.T @ answers[doubtful]))
    return np.array(models)


def _errors(y, low, high, predicted):
    """Bounds of the mean squared error: outer, and over the repairs tried."""
    least = np.where((low <= y) & (y <= high), 0.0, np.minimum((low - y) ** 2, (high - y) ** 2))
    most = np.maximum((low - y) ** 2, (high - y) ** 2)
    tried = ((predicted - y[:, None]) ** 2).mean(axis=0)
    return (float(least.mean()), float(most.mean())), (float(tried.min()), float(tried.max()))


def _checked(X, y, radius, X_holdout, alpha, y_holdout, target_radius, parts):
    """Everything as float64; refused where it does not fit or is not finite."""
    X, y, radius, asked = (np.asarray(one, dtype=np.float64) for one in (X, y, radius, X_holdout))
    shift = np.zeros(len(y)) if target_radius is None else np.asarray(target_radius, dtype=np.float64)
    if X.ndim != 2 or not X.size or radius.shape != X.shape or y.shape != X.shape[:1] or shift.shape != y.shape:
        raise DataError(f"X has shape {X.shape}, radius {radius.shape} and y {y.shape}", "a radius a cell and a target a row")
    if asked.ndim != 2 or asked.shape[1] != X.shape[1]:
        raise DataError(f"X_holdout has shape {asked.shape}", f"rows of {X.shape[1]} columns")
    if not all(np.isfinite(one).all() for one in (X, y, radius, asked, shift)):
        raise DataError("a cell, target or radius is NaN or infinite", "finite numbers: the middle of a range, and its radius")
    if (radius < 0).any() or (shift < 0).any():
        raise DataError("a radius is negative", "radii of 0 or more")
    if not (np.isfinite(alpha) and alpha > 0):
        raise OptionError("alpha", alpha, "a number above 0")
    if not isinstance(parts, (int, np.integer)) or parts < 1 or parts & (parts - 1) or parts > 1024:
        raise OptionError("parts", parts, "a power of 2 from 1 to 1024")
    if y_holdout is not None and (len(y_holdout) != len(asked) or not np.isfinite(np.asarray(y_holdout, dtype=np.float64)).all()):
        raise DataError(f"{len(y_holdout)} holdout targets for {len(asked)} rows, or one that is no number", "a number for each row")
    return X, y, radius, asked, shift

"""Linear models that no repair of the doubtful cells changes, or hardly changes."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError, OptionError
from dqops.limits.linear_fits import LOSSES, fit_linear, objective
from dqops.limits.repair_bound import repair_bound
from dqops.results.certain_model import CertainModel

_TOLERANCE = 1e-8
_NOTHING = "no cell is doubtful"
_ORTHOGONAL = "rows with doubtful cells have no residual and doubtful columns are orthogonal to all residuals"
_NO_SUPPORT = "no row with a doubtful cell is a support vector in any repair"


@dataclass(frozen=True, eq=False)
class Ranges:
    """Cells of a table as ranges: `middle` and `radius` (n, d), radius 0 where the cell is known.

    >>> ranges = ranges_of([[1.0], [float("nan")], [3.0]])
    >>> ranges.middle.ravel().tolist(), ranges.radius.ravel().tolist()
    ([1.0, 2.0, 3.0], [0.0, 1.0, 0.0])
    """

    middle: np.ndarray
    radius: np.ndarray

    @property
    def doubtful(self):
        """Cells that are not known, bool (n, d)."""
        return self.radius > 0


def ranges_of(X, low=None, high=None):
    """Ranges of the cells; a missing cell lies between `low` and `high`, by default anywhere in its column's range.

    Parameters
    ----------
    X : float array (n, d)
        NaN where a cell is missing.
    low, high : float (d,) or (n, d), optional
        May be infinite.
    """
    X = np.array(X, dtype=np.float64, ndmin=2)
    if not X.size or np.isinf(X).any():
        raise DataError("the table is empty or holds infinite numbers", "rows and columns of finite numbers, NaN where missing")
    missing = np.isnan(X)
    if (missing.all(axis=0) & (low is None or high is None)).any():
        raise DataError(f"column {int(np.argmax(missing.all(axis=0)))} is missing in all rows", "low= and high=, the range of its values")
    bottom = np.broadcast_to(np.nanmin(X, axis=0) if low is None else np.asarray(low, dtype=np.float64), X.shape)
    top = np.broadcast_to(np.nanmax(X, axis=0) if high is None else np.asarray(high, dtype=np.float64), X.shape)
    if np.isnan(bottom[missing]).any() or np.isnan(top[missing]).any() or (bottom > top)[missing].any():
        raise DataError("a range of a missing cell is upside down or NaN", "low below high")
    with np.errstate(invalid="ignore"):
        middle = np.where(np.isfinite(bottom) & np.isfinite(top), (bottom + top) / 2, 0.0)
        radius = np.where(missing, np.maximum(top - middle, middle - bottom), 0.0)
    return Ranges(np.where(missing, middle, X), radius)


def certain_model(ranges, y, *, loss="squared", alpha=1.0, excess=0.01):
    """A `CertainModel`: is one linear model best, or nearly best, in every repair of the doubtful cells.

    Parameters
    ----------
    ranges : Ranges
    y : float64 (n,)
        Numbers for the squared loss; else labels, -1 or 1.
    loss : {"squared", "logistic", "hinge"}
        Ridge, logistic regression, linear support vector machine; each is a sum over rows and ``alpha / 2`` times the
        squared length of the slopes, the intercept is free.
    alpha : float, default 1.0
        0 is allowed for the squared loss.
    excess : float, default 0.01
        Share of the training objective by which the model may miss the best one.

    Returns
    -------
    CertainModel

    Raises
    ------
    OptionError, DataError

    Notes
    -----
    O(n d²) and the fit. Certainty is exact for the squared loss; for the hinge it is sufficient, and necessary except
    in degenerate cases; the bound on the excess is proved for every repair within the ranges, and may be loose.

    References
    ----------
    Zhen, Aryal, Termehchy, Aghasi, Chabada 2024, SIGMOD, Certain and approximately certain models for statistical
    learning. arXiv 2402.17926. Bach 2010, Electronic Journal of Statistics 4, self-concordant analysis for logistic
    regression. doi:10.1214/09-EJS521

    Examples
    --------
    >>> ranges = ranges_of([[1.0, 5.0], [2.0, float("nan")], [3.0, 5.0], [4.0, 1.0]])
    >>> certain_model(ranges, np.array([1.0, 2.0, 3.0, 4.0]), alpha=0.0).certain
    True
    """
    y = np.asarray(y, dtype=np.float64)
    _check(ranges, y, loss, alpha, excess)
    if loss == "hinge":
        return _support_vectors(ranges, y, alpha, excess)
    whole = ~ranges.doubtful.any(axis=0)
    if loss == "squared" and ranges.doubtful.any():
        slopes, intercept = fit_linear(ranges.middle, y, loss, alpha, whole)
        if _is_certain(ranges, y, slopes, intercept):
            return _told(repair_bound(ranges, y, slopes, intercept, loss, alpha), ranges, loss, excess, _ORTHOGONAL)
    # Without the doubtful columns the squared loss may be surer; a logistic model then has a gradient for certain.
    choices = [np.ones(len(whole), dtype=bool), *([whole] if loss == "squared" and not whole.all() else [])]
    bounds = [repair_bound(ranges, y, *fit_linear(ranges.middle, y, loss, alpha, used), loss, alpha) for used in choices]
    best = min(bounds, key=lambda one: one.excess)
    best = best if best.excess <= excess * best.objective else bounds[0]
    return _told(best, ranges, loss, excess, "" if ranges.doubtful.any() else _NOTHING)


def _told(bound, ranges, loss, wanted, certain):
    """The bound as a `CertainModel`; with a reason to be `certain` nothing need be cleaned."""
    scale = max(bound.objective, np.finfo(float).tiny)
    need = np.zeros(len(ranges.middle)) if certain else bound.fall(bound.by_row) / scale
    rows = np.flatnonzero(ranges.doubtful.any(axis=1))
    order = rows[np.argsort(-need[rows], kind="stable")]
    return CertainModel(
        loss=loss,
        certain=bool(certain),
        excess=0.0 if certain else bound.excess / scale,
        typical_excess=0.0 if certain else bound.typical / scale,
        wanted=wanted,
        objective=bound.objective,
        coefficients=bound.slopes,
        intercept=bound.intercept,
        shift=0.0 if certain else bound.shift,
        root=bound.root,
        row_need=need,
        column_need=np.zeros(len(bound.slopes)) if certain else bound.fall(bound.by_column) / scale,
        order=order,
        to_clean=0 if certain else bound.to_clean(order, wanted * scale),
        why=certain or bound.why,
    )


def _is_certain(ranges, y, slopes, intercept):
    """No residual in rows with a doubtful cell, and doubtful columns orthogonal to all residuals.

    With a slope other than 0 the gradient would be quadratic in a doubtful cell, with slope 0 it is linear with the
    residual as its slope: both vanish for all values of the cell only so.
    """
    residual = y - ranges.middle @ slopes - intercept
    scale = np.sqrt(((y - y.mean()) ** 2).sum())
    doubtful = ranges.doubtful
    if (np.abs(residual[doubtful.any(axis=1)]) > _TOLERANCE * scale).any():
        return False
    known = np.where(doubtful, 0.0, ranges.middle)[:, doubtful.any(axis=0)]
    lengths = np.sqrt((known**2).sum(axis=0))
    return bool((np.abs(known.T @ residual) <= _TOLERANCE * lengths * scale).all())


def _support_vectors(ranges, y, alpha, wanted):
    """The hinge: the model of the complete rows is best in every repair in which no other row is a support vector.

    Otherwise the losses of the other rows bound the excess: the model was best without them.
    """
    doubtful = ranges.doubtful.any(axis=1)
    if len(np.unique(y[~doubtful])) < 2:
        raise DataError("complete rows hold one class", "complete rows of both classes for the hinge loss")
    used = np.ones(ranges.middle.shape[1], dtype=bool)
    slopes, intercept = fit_linear(ranges.middle[~doubtful], y[~doubtful], "hinge", alpha, used)
    value = objective(ranges.middle, y, slopes, intercept, "hinge", alpha)
    weights = np.where(np.abs(slopes) > _TOLERANCE * np.abs(slopes).max(initial=0.0), np.abs(slopes), 0.0)
    with np.errstate(invalid="ignore"):
        reach = np.where(weights == 0, 0.0, ranges.radius * weights)
    worst = y * (ranges.middle @ slopes + intercept) - reach.sum(axis=1)
    loss = np.where(doubtful, np.maximum(1 - worst, 0.0), 0.0)
    loss[loss < _TOLERANCE] = 0.0
    order = np.flatnonzero(doubtful)
    order = order[np.argsort(-loss[order], kind="stable")]
    left = np.append(np.cumsum(loss[order][::-1])[::-1], 0.0)
    enough = np.flatnonzero(left <= wanted * value + _TOLERANCE)
    certain = not loss.any()
    return CertainModel(
        loss="hinge",
        certain=certain,
        excess=float(loss.sum() / max(value, np.finfo(float).tiny)),
        typical_excess=0.0 if certain else np.inf,
        wanted=wanted,
        objective=value,
        coefficients=slopes,
        intercept=intercept,
        shift=0.0 if certain else np.inf,
        root=None,
        row_need=loss / max(value, np.finfo(float).tiny),
        column_need=np.minimum(reach, loss[:, None]).sum(axis=0) / max(value, np.finfo(float).tiny),
        order=order,
        to_clean=int(enough[0]) if len(enough) else None,
        why=_NOTHING if not doubtful.any() else _NO_SUPPORT if certain else "losses of the doubtful rows at their worst",
    )


def _check(ranges, y, loss, alpha, excess):
    if loss not in LOSSES:
        raise OptionError("loss", loss, "one of " + ", ".join(LOSSES))
    if len(y) != len(ranges.middle) or not np.isfinite(y).all():
        raise DataError(f"{len(y)} targets for {len(ranges.middle)} rows, or one that is no number", "a number for each row")
    if loss != "squared" and not np.isin(y, (-1.0, 1.0)).all():
        raise DataError("labels other than -1 and 1", "two classes, coded -1 and 1")
    if not (np.isfinite(alpha) and (alpha > 0 or (alpha == 0 and loss == "squared"))):
        raise OptionError("alpha", alpha, "a number above 0 (0 is allowed for the squared loss)")
    if not excess > 0:
        raise OptionError("excess", excess, "a share above 0")

"""How far a linear model can be from the best one in any repair: a proved bound from its gradient."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import expit

from dqops.limits.linear_fits import objective

# Of a correlation matrix, the least eigenvalue from which it can be inverted.
_SINGULAR = 1e-11
# Shares of the complete rows that bound a logistic curvature: far rows add to it, and let it fall faster.
_SHARES = (1.0, 0.9, 0.7, 0.5)
_CELLS = 10_000  # doubtful cells looked at together
# How rows with doubtful cells bound a squared one, see `_square_root`.
_SPLITS = (0.0, 0.05, 0.15, 0.3, 0.6)


@dataclass(frozen=True, eq=False)
class RepairBound:
    """A model's excess over the best one in any repair, and what each row and column adds to it.

    Parameters
    ----------
    slopes, intercept
        The model.
    objective : float
        With doubtful cells in the middle of their range.
    excess : float
        In no repair is the objective above its least value by more; infinite where nothing is proved.
    shift : float
        In the metric of `root`, the best model of any repair is no farther away.
    root : float64 (d + 1, d + 1) or None
        ``|root @ (x, 1)| * shift`` bounds the change of the margin at x.
    base : float64 (d + 1,)
        Gradient at the middle, in that metric.
    by_row, by_column : float64 (n, d + 1), (d, d + 1)
        Widths of the gradient that each adds.
    bend : float
        0 for the squared loss; else how fast the curvature of a logistic loss may fall.
    typical : float
        Excess to expect, to first order, where cells are anywhere in their ranges alike: no bound.
    """

    slopes: np.ndarray
    intercept: float
    objective: float
    excess: float
    shift: float
    root: np.ndarray | None
    base: np.ndarray
    by_row: np.ndarray
    by_column: np.ndarray
    bend: float
    typical: float
    why: str

    def fall(self, widths):
        """Fall of the excess without these widths: one number for each line of `widths` (m, d + 1)."""
        if self.root is None:
            return np.zeros(len(widths))
        # Where nothing is proved, the curvature at the model still says which cells matter most.
        bend = self.bend if np.isfinite(self.excess) else 0.0
        total = self.base + self.by_row.sum(axis=0)
        rest = np.sqrt((np.maximum(total - widths, 0) ** 2).sum(axis=1))
        return _excess(np.sqrt((total**2).sum()), bend) - np.array([_excess(one, bend) for one in rest])

    def to_clean(self, order, wanted):
        """Rows, in this order, to settle before the excess is no more than `wanted`; None where that is not known."""
        left = self.base + self.by_row.sum(axis=0) - np.concatenate([np.zeros((1, len(self.base))), np.cumsum(self.by_row[order], axis=0)])
        sizes = np.sqrt((np.maximum(left, 0) ** 2).sum(axis=1))
        enough = np.flatnonzero([_excess(one, self.bend) <= wanted for one in sizes])
        return int(enough[0]) if len(enough) and self.root is not None else None


def repair_bound(ranges, y, slopes, intercept, loss, alpha):
    """`RepairBound` of a model with the squared or the logistic loss.

    The gradient of a doubtful row is enclosed by one segment a cell and a box for what is left; the curvature from
    below by the complete rows and the penalty. With G the greatest length of the gradient in the metric of that
    curvature, the excess is at most G²/2 for the squared loss; for the logistic one the curvature may fall by the
    factor that self-concordance allows.

    Parameters
    ----------
    ranges : Ranges
    y : float64 (n,)
    slopes : float64 (d,)
    intercept : float
    loss : {"squared", "logistic"}
    alpha : float
    """
    choices = _SHARES if loss == "logistic" else _SPLITS
    tried = [_bound(ranges, y, slopes, intercept, loss, alpha, choice) for choice in choices]
    return min(tried, key=lambda one: one.excess)


def _bound(ranges, y, slopes, intercept, loss, alpha, choice):
    """The bound with one of several bounds on the curvature."""
    rows = np.column_stack([ranges.middle, np.ones(len(y))])
    point, penalty = np.append(slopes, intercept), np.append(np.full(len(slopes), alpha), 0.0)
    value = objective(ranges.middle, y, slopes, intercept, loss, alpha)
    margins = rows @ point
    slope, curve = _derivatives(margins, y, loss)
    by_row, by_column = np.zeros(rows.shape), np.zeros((len(slopes), len(point)))
    finite = np.isfinite(ranges.radius).all()
    if loss == "squared":
        root, bend = _square_root(ranges, rows, penalty, choice if finite else 0.0), 0.0
    else:
        whole = ~ranges.doubtful.any(axis=1)
        root, bend = _root(rows[whole], curve[whole], penalty, choice)
    if root is None or not finite:
        why = "too few complete rows to tell one model from another" if finite else "a doubtful cell has no finite range"
        return RepairBound(slopes, intercept, value, np.inf, np.inf, None, np.zeros(len(point)), by_row, by_column, 0.0, np.inf, why)
    middle = rows.T @ slope + penalty * point
    told = [_widths(ranges, rows, y, slopes, margins, slope, loss, one, middle) for one in (root, _turned(ranges, rows, slopes, slope, curve, root))]
    root, base, by_row, by_column, spread, size = min(told, key=lambda one: one[-1])
    excess, shift = _excess(size, bend), _shift(size, bend)
    why = "the gradient in every repair, bounded cell by cell" if np.isfinite(excess) else "the doubtful cells could bend the model too far"
    return RepairBound(slopes, intercept, value, excess, shift, root, base, by_row, by_column, bend, ((base**2).sum() + spread / 3) / 2, why)


def _derivatives(margins, y, loss):
    """Slope and curvature of each row's loss in its margin."""
    if loss == "squared":
        return margins - y, np.ones(len(y))
    chance = expit(-y * margins)
    return -y * chance, chance * (1 - chance)


def _square_root(ranges, rows, penalty, split):
    """A matrix R with RᵀR the inverse of a curvature that no repair falls below, for the squared loss; None where not.

    With `split` 0 the complete rows alone. Else all rows at their middle: with x = m + d, and d the change of a row's
    cells, x xᵀ is at least (1 - split) m mᵀ - (1 / split - 1) d dᵀ, and d dᵀ at most the row's number of doubtful
    cells times the diagonal of their squared radii.
    """
    if split == 0:
        whole = rows[~ranges.doubtful.any(axis=1)]
        return _inverse_root(whole.T @ whole + np.diag(penalty))
    spread = (ranges.doubtful.sum(axis=1)[:, None] * ranges.radius**2).sum(axis=0)
    least = (1 - split) * rows.T @ rows + np.diag(penalty) - (1 / split - 1) * np.diag(np.append(spread, 0.0))
    return _inverse_root(least)


def _root(rows, curve, penalty, share):
    """A matrix R with RᵀR the inverse of the curvature, or None where there is none; and how far a row reaches in it."""
    bend = (rows * curve[:, None]).T @ rows + np.diag(penalty)
    root = _inverse_root(bend)
    if root is None or not len(rows):
        return root, 0.0
    reach = np.sqrt(((rows @ root.T) ** 2).sum(axis=1))
    if share < 1:
        near = reach <= np.quantile(reach, share)
        return _root(rows[near], curve[near], penalty, 1.0)
    return root, float(reach.max())


def _inverse_root(bend):
    if not (np.diag(bend) > 0).all():
        return None
    scale = np.sqrt(np.diag(bend))
    scaled = bend / np.outer(scale, scale)
    if np.linalg.eigvalsh(scaled)[0] < _SINGULAR:
        return None
    return solve_triangular(cholesky(scaled, lower=True), np.diag(1 / scale), lower=True)


def _turned(ranges, rows, slopes, slope, curve, root):
    """The same metric with axes along the directions in which doubtful cells move the gradient: fewer corners are cut."""
    row, column = np.nonzero(ranges.doubtful)
    spread = np.zeros((len(root), len(root)))
    for first in range(0, len(row), _CELLS):
        some, where = row[first : first + _CELLS], column[first : first + _CELLS]
        moved = slope[some, None] * root.T[where] + (curve[some] * slopes[where])[:, None] * (rows[some] @ root.T)
        moved *= ranges.radius[some, where][:, None]
        spread += moved.T @ moved
    largest = np.abs(spread).max(initial=0.0)
    return root if not np.isfinite(largest) or largest == 0 else np.linalg.eigh(spread / largest)[1].T @ root


def _widths(ranges, rows, y, slopes, margins, slope, loss, root, middle):
    """How wide the gradient of each doubtful row, and of each column, can be in the metric of `root`; first-order spread, and greatest length."""
    by_row, by_column = np.zeros(rows.shape), np.zeros((len(slopes), rows.shape[1]))
    reach = ranges.radius @ np.abs(slopes)
    least, most = _curvatures(margins, reach, y, loss)
    mean = (least + most) / 2
    seen = rows @ root.T
    every, spread = np.nonzero(ranges.doubtful), 0.0
    for first in range(0, len(every[0]), _CELLS):
        row, column = (one[first : first + _CELLS] for one in every)
        radius = ranges.radius[row, column]
        segments = (slope[row, None] * root.T[column] + (mean[row] * slopes[column])[:, None] * seen[row]) * radius[:, None]
        spread += float((segments**2).sum())
        widths = np.abs(segments) + ((most - mean)[row] * np.abs(slopes[column]) * radius)[:, None] * np.abs(seen[row])
        widths += (most[row] * reach[row] * radius)[:, None] * np.abs(root.T[column])
        np.add.at(by_row, row, widths)
        np.add.at(by_column, column, widths)
    base = np.abs(root @ middle)
    return root, base, by_row, by_column, spread, float(np.sqrt(((base + by_row.sum(axis=0)) ** 2).sum()))


def _curvatures(margins, reach, y, loss):
    """Least and greatest curvature of each row's loss while its margin moves by `reach`."""
    if loss == "squared":
        return np.ones(len(y)), np.ones(len(y))
    low, high = margins - reach, margins + reach
    ends = [expit(one) * expit(-one) for one in (low, high)]
    greatest = np.where((low <= 0) & (high >= 0), 0.25, np.maximum(*ends))
    return np.minimum(*ends), greatest


def _excess(size, bend):
    """Greatest fall of the objective that a gradient of this size allows."""
    if bend == 0:
        return size**2 / 2
    share = size * bend
    if share >= 1:
        return np.inf
    # The series where the difference of nearly equal numbers would lose digits.
    if share < 1e-4:
        return size**2 * (0.5 + share / 6)
    return (share + (1 - share) * np.log1p(-share)) / bend**2


def _shift(size, bend):
    """Greatest distance of the best model."""
    share = size * bend
    if bend == 0 or share >= 1:
        return size if bend == 0 else np.inf
    return float(-np.log1p(-share) / bend)

"""A linear model at its optimum, and where one Newton step leads when rows are replaced."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, ndtr, softmax

from dqops.errors import DataError

MOST_UNKNOWNS = 2000
_STEPS = 50
_SETTLED = 1e-9
_NARROWEST = 1e-3  # of the median margin
_MOST_CHORDS, _MOST_HALVINGS = 40, 20
_SLOW = 0.4  # of the slope that a step leaves: where it is more, the curvature is worked out anew
_ROUNDING = 1e-9
_UNSEEN = 0.005  # log odds, in the mean: smaller moves change hardly any prediction


@dataclass(frozen=True, eq=False)
class LinearHead:
    """``Σ loss_i + alpha/2 |slopes|²``, the intercept free, minimised; losses are half squares or log losses.

    Parameters
    ----------
    rows : float64 (n, p)
        Features and, last, a column of ones.
    targets : float64 (n,) numbers, or int64 (n,) codes
    n_classes : int
        0 for numbers.
    penalty : float64 (p,)
    theta : float64 (m, p)
        One line for numbers and for two classes, else one a class.
    bend : float64 (m p, m p)
        Second derivative of the objective there.
    """

    rows: np.ndarray
    targets: np.ndarray
    n_classes: int
    penalty: np.ndarray
    theta: np.ndarray
    bend: np.ndarray

    @classmethod
    def fitted(cls, X, targets, n_classes, alpha):
        """The head at its optimum, by Newton's method.

        Raises
        ------
        DataError
            Where there are too many unknowns.
        """
        rows, m = with_ones(X), 1 if n_classes <= 2 else n_classes
        if m * rows.shape[1] > MOST_UNKNOWNS:
            raise DataError(f"the linear model has {m * rows.shape[1]} unknowns", f"at most {MOST_UNKNOWNS} to follow it by its curvature")
        penalty = np.append(np.full(X.shape[1], float(alpha)), 0.0)
        head = cls(rows, targets, n_classes, penalty, np.zeros((m, rows.shape[1])), np.empty((0, 0)))
        for _ in range(_STEPS):
            slope, bend = head._slope(), head._bend()
            step = _solve(bend, slope.ravel(), m).reshape(head.theta.shape)
            head = head._at(head._lower(step), bend)
            if n_classes == 0 or np.abs(step).max() <= _SETTLED * (1 + np.abs(head.theta).max()):
                break
        return head._at(head.theta, head._bend())

    def _at(self, theta, bend):
        return LinearHead(self.rows, self.targets, self.n_classes, self.penalty, theta, bend)

    def _lower(self, step):
        """Where the step leads, halved until the objective does not rise."""
        value = self._objective(self.theta)
        for _ in range(30):
            if self._objective(self.theta - step) <= value * (1 + 1e-12) + 1e-12:
                break
            step = step / 2
        return self.theta - step

    def _objective(self, theta):
        held = 0.5 * float((self.penalty * theta**2).sum())
        return float(_losses(self.rows @ theta.T, self.targets, self.n_classes).sum()) + held

    def _slope(self):
        return _residuals(self.rows @ self.theta.T, self.targets, self.n_classes).T @ self.rows + self.penalty * self.theta

    def _bend(self):
        m, p = self.theta.shape
        bend = _curvature(self.rows, self.rows @ self.theta.T, self.n_classes)
        bend[np.diag_indices(m * p)] += np.tile(self.penalty, m)
        return bend

    def replaced(self, positions, kept, X, targets, *, newton=True):
        """Coefficients after these rows are replaced (or leave where not `kept`), by one step: float64 (m, p).

        Exact for numbers with the Newton step; else off by the third derivative. Rows act on each other through the
        curvature, so that they are replaced together.

        Parameters
        ----------
        positions : int64 (n,)
        kept : bool (n,)
        X : float64 (n, d)
        targets : float64 or int64 (n,)
        newton : bool
            Whether the step knows how the rows change the curvature; else first order.
        """
        if not len(positions):
            return self.theta
        old, new = self.rows[positions], with_ones(X[kept])
        said, then = old @ self.theta.T, new @ self.theta.T
        slope = _residuals(then, targets[kept], self.n_classes).T @ new - _residuals(said, self.targets[positions], self.n_classes).T @ old
        bend = self.bend
        if newton:
            bend = bend + _curvature(new, then, self.n_classes) - _curvature(old, said, self.n_classes)
        return self.theta - _solve(bend, slope.ravel(), len(self.theta)).reshape(self.theta.shape)

    def says(self, theta, X):
        """Predictions: float64 (n,) numbers, or (n, C) probabilities."""
        scores = with_ones(X) @ theta.T
        return scores[:, 0] if self.n_classes == 0 else _chances(scores, self.n_classes)

    def smooth_accuracy(self, theta, X, truth):
        """Accuracy that is expected with coefficients known up to the spread that the fit leaves them.

        Parameters
        ----------
        theta : float64 (m, p)
        X : float64 (n, d)
        truth : int64 (n,)
            -1 for a class that no row has.
        """
        rows = with_ones(X)
        shown = _shown(rows @ theta.T, self.n_classes)
        lines, own = np.arange(len(rows)), np.maximum(truth, 0)
        margin = shown[lines, own]
        shown[lines, own] = -np.inf
        rival = shown.argmax(axis=1)
        margin = margin - shown[lines, rival]
        widths = np.sqrt(np.maximum(self._spread(rows, own, rival), 0.0))
        widths = np.maximum(widths, max(_NARROWEST * np.median(np.abs(margin)), np.finfo(float).tiny))
        return float(np.where(truth >= 0, ndtr(margin / widths), 0.0).mean())

    def _spread(self, rows, own, rival):
        """Variance of the margin of `own` over `rival`, of each row."""
        m, p = self.theta.shape
        inverse = _solve(self.bend, np.eye(m * p), m)
        if m == 1:
            return ((rows @ inverse) * rows).sum(axis=1)
        found = np.zeros(len(rows))
        for one in range(m):
            for other in range(m):
                sign = ((own == one).astype(float) - (rival == one)) * ((own == other).astype(float) - (rival == other))
                here = np.flatnonzero(sign)
                block = inverse[one * p : (one + 1) * p, other * p : (other + 1) * p]
                found[here] += sign[here] * ((rows[here] @ block) * rows[here]).sum(axis=1)
        return found


def with_ones(X):
    """A column of ones behind the features."""
    return np.column_stack([X, np.ones(len(X))])


def _chances(scores, n_classes):
    """Probabilities of the classes, float64 (n, C)."""
    return np.column_stack([expit(-scores[:, 0]), expit(scores[:, 0])]) if n_classes <= 2 else softmax(scores, axis=1)


def _shown(scores, n_classes):
    return np.column_stack([np.zeros(len(scores)), scores[:, 0]]) if n_classes <= 2 else scores.copy()


def _losses(scores, targets, n_classes):
    if n_classes == 0:
        return 0.5 * (scores[:, 0] - targets) ** 2
    if n_classes <= 2:
        return np.logaddexp(0.0, np.where(targets == 1, -scores[:, 0], scores[:, 0]))
    return -np.log(np.maximum(_chances(scores, n_classes)[np.arange(len(scores)), targets], 1e-300))


def _residuals(scores, targets, n_classes):
    """Derivative of each row's loss by its scores, float64 (n, m)."""
    if n_classes == 0:
        return scores - targets[:, None]
    if n_classes <= 2:
        return expit(scores) - targets[:, None]
    chances = _chances(scores, n_classes)
    chances[np.arange(len(scores)), targets] -= 1
    return chances


def _curvature(rows, scores, n_classes):
    """Second derivative of the rows' losses, float64 (m p, m p)."""
    if n_classes == 0:
        return rows.T @ rows
    if n_classes <= 2:
        chance = expit(scores)
        return (rows * (chance * (1 - chance))).T @ rows
    chances = _chances(scores, n_classes)
    p = rows.shape[1]
    bend = np.empty((n_classes * p, n_classes * p))
    for one in range(n_classes):
        for other in range(one + 1):
            weights = chances[:, one] * ((one == other) - chances[:, other])
            block = (rows * weights[:, None]).T @ rows
            bend[one * p : (one + 1) * p, other * p : (other + 1) * p] = block
            bend[other * p : (other + 1) * p, one * p : (one + 1) * p] = block.T
    return bend


def _solve(bend, right, m):
    """Solution; adding one number to the intercepts of all classes changes nothing, and is held at nothing."""
    size, held = len(bend), bend
    if m > 1:
        idle = np.zeros(size)
        idle[size // m - 1 :: size // m] = 1.0
        held = bend + np.outer(idle, idle)
    scale = np.trace(held) / size
    held = held + 1e-12 * scale * np.eye(size)
    try:
        return cho_solve(cho_factor(held, lower=True), right)
    except np.linalg.LinAlgError:
        return np.linalg.pinv(held) @ right


class ChordFit:
    """The same model fitted again and again to other targets of the same rows: curvatures are used more than once.

    Parameters
    ----------
    X : float64 (n, d)
    n_classes : int
        0 for numbers.
    alpha : float
    """

    def __init__(self, X, n_classes, alpha):
        self.rows, self.n_classes = with_ones(X), n_classes
        self.penalty = np.append(np.full(X.shape[1], float(alpha)), 0.0)
        self.m = 1 if n_classes <= 2 else n_classes

    def fit(self, targets, start, *, known, near):
        """Coefficients, float64 (m, p): as good as an optimum for predictions.

        Parameters
        ----------
        targets : float64 or int64 (n,)
        start : float64 (m, p) or None
            Where to begin.
        known : bool (n,)
            Rows that count.
        near : dict
            The curvature of a fit of nearly the same rows and targets, where there is one; it is filled.
        """
        rows, targets = (self.rows, targets) if known.all() else (self.rows[known], targets[known])
        theta = np.zeros((self.m, rows.shape[1])) if start is None else start
        if self.n_classes == 0:
            bend = rows.T @ rows + np.diag(self.penalty)
            return _solve(bend, rows.T @ targets, 1)[None]
        scores, before = rows @ theta.T, np.inf
        value = self._objective(theta, scores, targets)
        for _ in range(_MOST_CHORDS):
            slope = _residuals(scores, targets, self.n_classes).T @ rows + self.penalty * theta
            size = np.linalg.norm(slope)
            if "factor" not in near or size > _SLOW * before:
                near["factor"] = _Factor(_curvature(rows, scores, self.n_classes), np.tile(self.penalty, self.m), self.m)
            step = near["factor"].solve(slope.ravel()).reshape(theta.shape)
            moved, before = rows @ step.T, size
            for _ in range(_MOST_HALVINGS):
                lower = self._objective(theta - step, scores - moved, targets)
                if lower <= value + _ROUNDING * abs(value):
                    break
                step, moved, before = step / 2, moved / 2, 0.0
            theta, scores, value = theta - step, scores - moved, lower
            if np.abs(moved).mean() < _UNSEEN:
                break
        return theta

    def _objective(self, theta, scores, targets):
        return float(_losses(scores, targets, self.n_classes).sum() + 0.5 * (self.penalty * theta**2).sum())

    def says(self, theta, X):
        """Predictions: float64 (n,) numbers, or (n, C) probabilities."""
        scores = with_ones(X) @ theta.T
        return scores[:, 0] if self.n_classes == 0 else _chances(scores, self.n_classes)


class _Factor:
    """A curvature, factored once."""

    def __init__(self, bend, penalty, m):
        size = len(bend)
        bend[np.diag_indices(size)] += penalty + 1e-9 * np.trace(bend) / size
        if m > 1:
            idle = np.zeros(size)
            idle[size // m - 1 :: size // m] = 1.0
            bend += np.outer(idle, idle)
        self._held = cho_factor(bend, lower=True, overwrite_a=True)

    def solve(self, right):
        """Solution for one right side."""
        return cho_solve(self._held, right)

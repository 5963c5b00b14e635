"""Convex models while their rows are cleaned: gradients row by row, how they move with a row, and the optimum."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, softmax

from dqops.errors import OptionError
from dqops.propagation.drawn import estimated_total

LOSSES = ("squared", "logistic", "hinge")
_BENDS = {"squared": 1.0, "hinge": 1.0}


@dataclass(frozen=True)
class ConvexLoss:
    """The loss of a row as a function of its scores.

    Squared loss is half the squared distance; logistic loss of two classes has one score, of more one for each (softmax); hinge
    loss of more than two classes is that of each class against the rest, added up.

    Parameters
    ----------
    kind : {"squared", "logistic", "hinge"}
    n_classes : int
        0 for numbers.

    Examples
    --------
    >>> loss = ConvexLoss("logistic", 2)
    >>> loss.slopes(np.array([[0.0]]), loss.targets(np.array([1]))).tolist()
    [[-0.5]]
    """

    kind: str
    n_classes: int = 0

    def __post_init__(self):
        if self.kind not in LOSSES or (self.kind == "logistic" and not self.n_classes):
            raise OptionError("kind", self.kind, "one of " + ", ".join(LOSSES) + "; classes for logistic")

    @property
    def n_scores(self):
        """Scores of a row."""
        return 1 if self.n_classes <= 2 else self.n_classes

    def targets(self, values):
        """What the scores are held against: float64 (n, n_scores), from numbers or class codes."""
        if not self.n_classes:
            return np.asarray(values, dtype=np.float64)[:, None]
        hot = np.asarray(values)[:, None] == (np.arange(self.n_classes) if self.n_classes > 2 else [1])
        return hot.astype(np.float64) if self.kind == "logistic" else np.where(hot, 1.0, -1.0)

    def losses(self, scores, targets):
        """float64 (n,)."""
        if self.kind == "squared":
            return 0.5 * ((scores - targets) ** 2).sum(axis=1)
        if self.kind == "hinge":
            return np.maximum(1 - targets * scores, 0).sum(axis=1)
        if self.n_scores == 1:
            return np.logaddexp(0.0, np.where(targets == 1, -scores, scores))[:, 0]
        return -(targets * log_softmax(scores, axis=1)).sum(axis=1)

    def slopes(self, scores, targets):
        """Derivative by the scores, float64 (n, n_scores)."""
        if self.kind == "squared":
            return scores - targets
        if self.kind == "hinge":
            return np.where(targets * scores < 1, -targets, 0.0)
        return (expit(scores) if self.n_scores == 1 else softmax(scores, axis=1)) - targets

    def bent(self, scores, moves):
        """Second derivative by the scores, times a move of the scores: float64 (n, n_scores)."""
        if self.kind == "squared":
            return moves
        if self.kind == "hinge":
            return np.zeros_like(moves)
        if self.n_scores == 1:
            chance = expit(scores)
            return chance * (1 - chance) * moves
        chance = softmax(scores, axis=1)
        return chance * (moves - (chance * moves).sum(axis=1, keepdims=True))

    def slope_of_target(self, moves):
        """How the slopes move when the targets do; 0 for the hinge, whose kink has no derivative."""
        return np.zeros_like(moves) if self.kind == "hinge" else -moves


@dataclass(frozen=True)
class ConvexModel:
    """A linear model with a convex loss: ``sum of losses + alpha / 2 * squared length of the slopes``, intercept free.

    Rows have a last column of ones (`with_ones`); coefficients are float64 (d + 1, n_scores).

    Parameters
    ----------
    loss : ConvexLoss
    alpha : float
        0 or more.
    """

    loss: ConvexLoss
    alpha: float = 1.0

    def gradients(self, coefficients, rows, targets):
        """Gradient of each row's loss: float64 (n, (d + 1) n_scores)."""
        slopes = self.loss.slopes(rows @ coefficients, targets)
        return (rows[:, :, None] * slopes[:, None, :]).reshape(len(rows), -1)

    def total(self, coefficients, rows, targets):
        """Sum of the gradients, float64 ((d + 1) n_scores,)."""
        return (rows.T @ self.loss.slopes(rows @ coefficients, targets)).ravel()

    def held_back(self, coefficients):
        """Gradient of the penalty, float64 ((d + 1) n_scores,)."""
        pull = self.alpha * coefficients
        pull[-1] = 0.0
        return pull.ravel()

    def foreseen_sizes(self, coefficients, rows, targets, row_moves, target_moves):
        """Length of each row's gradient once the row and its target have moved, to first order: float64 (n,).

        Parameters
        ----------
        coefficients : float64 (d + 1, n_scores)
        rows : float64 (n, d + 1)
        targets : float64 (n, n_scores)
        row_moves : float64 (n, d + 1)
        target_moves : float64 (n, n_scores)

        Notes
        -----
        The gradient becomes ``x ⊗ (slope + bend θᵀΔx - Δy) + Δx ⊗ slope``; its length follows from lengths and products.
        """
        scores = rows @ coefficients
        slopes = self.loss.slopes(scores, targets)
        moved = slopes + self.loss.bent(scores, row_moves @ coefficients) + self.loss.slope_of_target(target_moves)
        squares = (moved**2).sum(axis=1) * (rows**2).sum(axis=1) + (slopes**2).sum(axis=1) * (row_moves**2).sum(axis=1)
        crossed = 2 * (moved * slopes).sum(axis=1) * (rows * row_moves).sum(axis=1)
        return np.sqrt(np.maximum(squares + crossed, 0.0))

    def rate(self, rows):
        """A step that never overshoots on the mean loss: one over its largest curvature."""
        bend = _BENDS.get(self.loss.kind, 0.25 if self.loss.n_scores == 1 else 0.5)
        largest = np.linalg.eigvalsh(rows.T @ rows / len(rows))[-1]
        return 1.0 / max(bend * largest + self.alpha / len(rows), np.finfo(float).tiny)

    def objective(self, coefficients, rows, targets):
        """Sum of the losses and the penalty."""
        return float(self.loss.losses(rows @ coefficients, targets).sum() + 0.5 * self.alpha * (coefficients[:-1] ** 2).sum())

    def fitted(self, rows, targets, start=None):
        """Coefficients at the optimum, float64 (d + 1, n_scores), by a quasi-Newton method; near it for the hinge."""
        shape = rows.shape[1], self.loss.n_scores

        def at(flat):
            theta = flat.reshape(shape)
            return self.objective(theta, rows, targets) / len(rows), (self.total(theta, rows, targets) + self.held_back(theta)) / len(rows)

        begin = np.zeros(shape) if start is None else start
        return minimize(at, begin.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500, "gtol": 1e-9, "ftol": 1e-14}).x.reshape(shape)


def with_ones(rows):
    """Rows with a last column of ones.

    >>> with_ones(np.array([[2.0]])).tolist()
    [[2.0, 1.0]]
    """
    return np.column_stack([rows, np.ones(len(rows))])


def clean_gradient(known, drawn, shares, *, foreseen=None, foreseen_drawn=None):
    """Gradient that the clean table would have, from records that are known and those drawn and cleaned; without bias.

    Parameters
    ----------
    known : float64 (d,)
        Sum over the records that are known to be clean.
    drawn : float64 (n_drawn, d)
        Clean gradients of the drawn ones, in their order.
    shares : float64 (n_drawn,)
        Theirs, of all records that might have been drawn (`dqops.propagation.drawn`).
    foreseen : float64 (d,), optional
        Sum over all records that might have been drawn of what was foreseen of each: a control variate. Only errors of the
        foresight are then estimated, and any foresight is right on average.
    foreseen_drawn : float64 (n_drawn, d), optional
        The same of the drawn ones.

    Returns
    -------
    gradient : float64 (d,)
    covariance : float64 (d, d)

    References
    ----------
    Krishnan, Wang, Wu, Franklin, Goldberg 2016, PVLDB 9(12). doi:10.14778/2994509.2994514
    Johnson, Zhang 2013, NeurIPS, for the control variate.
    """
    told = drawn if foreseen_drawn is None else drawn - foreseen_drawn
    total, covariance = estimated_total(told, shares)
    return known + total + (0.0 if foreseen is None else foreseen), covariance


def shifts_by_kind(kinds, moves, *, prior=5.0):
    """Mean move of records by the kinds of error they have, shrunken to nothing where few are known: float64 (n_kinds, d).

    Parameters
    ----------
    kinds : float64 (n, n_kinds)
        1 where the record has the error, else 0.
    moves : float64 (n, d)
    prior : float
        Records without a move that each kind is taken to have beside those known.

    Examples
    --------
    >>> shifts_by_kind(np.ones((5, 1)), np.full((5, 1), 2.0)).tolist()
    [[1.0]]
    """
    return np.linalg.solve(kinds.T @ kinds + prior * np.eye(kinds.shape[1]), kinds.T @ moves)

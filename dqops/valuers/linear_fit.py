"""A linear model at the optimum of its own objective, where influence is defined."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError
from dqops.valuers.linear_curvature import Grams, Whitening, data_curvature, whitening
from dqops.valuers.linear_rows import LinearRows

# Distance from the optimum in standard errors of the coefficients, and how far a score may move before the curvature is
# taken again: no curvature changes by a larger share.
TIGHT, LOOSE = (1e-7, 1e-5), (1e-4, 1e-2)
_ROUNDING = 1e-11  # of the length of the coefficients: no step is told apart from rounding below it
_NEAR = 1e-3  # without a penalty, a step that still moves a score by more is on its way to infinity
_MOST_STEPS = 60
_MOST_HALVINGS = 30
_SEPARATED = "the classes are told apart without an error and nothing holds the coefficients back, so that there is no optimum"


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Coefficients at the optimum of ``Σ w_i loss_i + α/2 θᵀ R θ``, and the curvature there.

    Parameters
    ----------
    rows : LinearRows (n)
    loss : SquaredLoss or LogLoss
    targets : int64 or float64 (n,)
        Class codes, or numbers.
    weights : float64 (n,)
        Of the rows, without those of the classes.
    class_weights : float64 (C,) or None
    ridge : float64 (p,)
        ``α R``: what each column is held back by.
    coefficients : float64 (m, p)
        One line a direction, in the coordinates of `rows`.
    responses : float64 (n, C) or (n, 1)
        Probabilities, or predictions.
    whitening : Whitening
        Of the curvature, over all m p unknowns.
    n_steps : int
        Newton steps that were still to be made from where the model stood.
    moved : float
        By how much these moved the score of a row at most.
    drift : float64 (n,)
        By how much the scores of each row have moved since the curvature was taken, at most.
    """

    rows: LinearRows
    loss: object
    targets: np.ndarray
    weights: np.ndarray
    class_weights: np.ndarray | None
    ridge: np.ndarray
    coefficients: np.ndarray
    responses: np.ndarray
    whitening: Whitening
    n_steps: int
    moved: float
    drift: np.ndarray

    def weights_of(self, targets, positions=slice(None)):
        """Weights of the rows if their targets were these, float64 (count,)."""
        own = self.weights[positions]
        return own if self.class_weights is None else own * self.class_weights[targets]

    def scores(self, block):
        """Scores of rows in all directions, float64 (count, m)."""
        return self.rows.times(block, self.coefficients.T)


def settled(rows, loss, targets, weights, class_weights, ridge, coefficients, tolerances=TIGHT):
    """The `LinearFit` at the optimum that these coefficients are near to.

    Newton's method with halved steps; where the coefficients are at the optimum, it only looks and stays. The curvature
    is taken again when the scores have moved by more than the second of the tolerances.

    Raises
    ------
    DataError
        Where there is no optimum: classes told apart without an error, and no penalty.
    """
    total = weights if class_weights is None else weights * class_weights[targets]
    if not total.any():
        raise DataError("every row has weight 0", "some row that counts")
    problem = _Problem(rows, loss, targets, total, ridge)
    stand = problem.at(coefficients, with_curvature=True)
    check_finite(stand.curvature, stand.objective)
    root, moved_all, taken_at, steps = whitening(stand.curvature), 0.0, stand.scores, 0
    problem.check_optimum(stand, root)
    while not problem.is_settled(stand, root, tolerances[0]):
        if steps == _MOST_STEPS:
            came = f"the fit does not settle within {_MOST_STEPS} Newton steps; are some rows told apart without an error?"
            raise DataError(came, "a penalty that holds (a smaller C), or columns of like scale")
        before, stand = stand, problem.lower(stand, root.solve(-stand.slope.ravel()))
        moved_all, steps = moved_all + float(np.abs(stand.scores - before.scores).max()), steps + 1
        if loss.bends and np.abs(stand.scores - taken_at).max() > tolerances[1]:
            stand.curvature = problem.curvature(stand)
            root, taken_at = whitening(stand.curvature), stand.scores
            problem.check_optimum(stand, root)
    check_finite(stand.scores)
    responses = loss.responses(stand.scores)
    return LinearFit(rows, loss, targets, weights, class_weights, ridge, stand.coefficients, responses, root, steps, moved_all, np.abs(stand.scores - taken_at).max(axis=1))


def check_finite(*numbers):
    """Refuse what overflowed on the way."""
    if not all(np.isfinite(one).all() for one in numbers):
        raise DataError("the columns are so large that their squares overflow", "columns of like scale, for example behind a StandardScaler")


@dataclass(eq=False)
class _Stand:
    """Where a search for the optimum stands."""

    coefficients: np.ndarray
    scores: np.ndarray
    slope: np.ndarray
    objective: float
    curvature: np.ndarray


@dataclass(frozen=True, eq=False)
class _Problem:
    """The objective of a fit."""

    rows: LinearRows
    loss: object
    targets: np.ndarray
    total: np.ndarray
    ridge: np.ndarray

    def at(self, coefficients, *, with_curvature=False, curvature=None):
        """The objective and its derivatives, in one pass over the rows."""
        scores = np.empty((len(self.rows), len(coefficients)))
        slope, objective = self.ridge * coefficients, 0.5 * float(np.sum(self.ridge * coefficients**2))
        grams = Grams(self.rows, self.loss)
        for taken, block in self.rows.blocks():
            scores[taken] = self.rows.times(block, coefficients.T)
            responses, targets, weights = self.loss.responses(scores[taken]), self.targets[taken], self.total[taken]
            objective += float(weights @ self.loss.losses(scores[taken], targets))
            slope += self.rows.gather(block, self.loss.slopes(responses, targets) * weights[:, None])
            if with_curvature:
                grams.add(block, responses, weights)
        if with_curvature:
            curvature = self._with_ridge(self.loss.assembled(grams.totals))
        return _Stand(coefficients, scores, slope, objective, curvature)

    def curvature(self, stand):
        """Second derivative where the search stands, float64 (m p, m p)."""
        return self._with_ridge(data_curvature(self.rows, self.loss, self.loss.responses(stand.scores), self.total))

    def lower(self, stand, step):
        """Where the step leads, halved until the objective does not rise."""
        step = step.reshape(stand.coefficients.shape)
        for _ in range(_MOST_HALVINGS):
            there = self.at(stand.coefficients + step, curvature=stand.curvature)
            if there.objective <= stand.objective + _ROUNDING * abs(stand.objective):
                break
            step = step / 2
        return there

    def is_settled(self, stand, root, tolerance):
        """Is the optimum nearer than a small share of the coefficients' own error?"""
        distance = np.linalg.norm(root.root.T @ stand.slope.ravel())
        held = stand.coefficients.ravel()
        length = np.sqrt(held @ stand.curvature @ held)
        noise = np.sqrt(self.total.mean())
        if not self.loss.bends:
            noise *= np.sqrt(2 * stand.objective / self.total.sum())
        if distance > max(tolerance * noise, _ROUNDING * length):
            return False
        return self._is_held() or self._reach(root.solve(stand.slope.ravel())) <= _NEAR

    def check_optimum(self, stand, root):
        """Refuse where the objective falls for ever."""
        if self._is_held():
            return
        counted = self.total > 0
        if _margins(self.loss, stand.scores[counted], self.targets[counted]).min() > 0:
            raise DataError(_SEPARATED, "a penalty (a finite C)")
        idle = root.idle.T.reshape(-1, *stand.coefficients.shape)
        for taken, block in self.rows.blocks():
            for direction in idle:
                if np.abs(self.rows.times(block, direction.T))[self.total[taken] > 0].max(initial=0.0) > 1e-6 * np.abs(block).max(initial=1.0):
                    raise DataError(_SEPARATED, "a penalty (a finite C)")

    def _is_held(self):
        """Is there an optimum whatever the rows say?"""
        return not self.loss.bends or bool(self.ridge[: self.rows.features.shape[1]].any())

    def _reach(self, step):
        """By how much a step moves the score of a row at most: rows told apart are moved for ever."""
        lines = step.reshape(self.loss.n_directions, -1).T
        return max(float(np.abs(self.rows.times(block, lines)).max()) for _, block in self.rows.blocks())

    def _with_ridge(self, curvature):
        curvature[np.diag_indices(len(curvature))] += np.tile(self.ridge, self.loss.n_directions)
        return curvature


def _margins(loss, scores, targets):
    """By how much the given class leads before its best rival."""
    if loss.n_directions == 1:
        return np.where(targets == 1, scores[:, 0], -scores[:, 0])
    shown = loss.shown(scores)
    own = shown[np.arange(len(shown)), targets]
    shown[np.arange(len(shown)), targets] = -np.inf
    return own - shown.max(axis=1)

"""Changes of the holdout target when rows leave, change their label or move: one step from the optimum."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from dqops.kernels.influence import projections, step_changes

_LEVERAGE_ONE = 1e-9


class Steps:
    """The holdout target, seen from the optimum of a fit in coordinates where steps are plain.

    Parameters
    ----------
    fit : LinearFit
    target : HoldoutTarget
    is_newton : bool
        Does a step know how its own row changes the curvature, and how the holdout bends? Else first order.
    """

    def __init__(self, fit, target, is_newton):
        self.fit, self.is_newton = fit, is_newton
        self._m = fit.loss.n_directions
        root, self._bend = fit.whitening, np.zeros(fit.whitening.root.shape[1])
        if is_newton and target.curvature is not None:
            root, self._bend = root.along(target.curvature)
        self._root = root.root.reshape(self._m, fit.rows.width, -1)
        # The slope of the target in those coordinates, and what a row's gradient is multiplied by, float64 (m, p).
        self.slope = root.root.T @ target.slope.ravel()
        self.sensitivity = (root.root @ self.slope).reshape(self._m, -1)

    def removals(self):
        """Rise of the target when each row leaves, float64 (n,); NaN where it alone holds a direction."""
        fit = self.fit
        changes = np.empty(len(fit.rows))
        for taken, seen in self._seen(fit.rows):
            weights = fit.weights_of(fit.targets[taken], taken)
            slopes = fit.loss.slopes(fit.responses[taken], fit.targets[taken])
            bends = fit.loss.curvatures(fit.responses[taken])
            changes[taken] = self._changes(seen, -bends * weights[:, None, None], -slopes * weights[:, None])
        return changes

    def removals_of(self, positions):
        """The same for some rows."""
        changes = [self._changes(seen, -bends, slopes) for seen, slopes, bends in self._parts(positions)]
        return np.concatenate([np.empty(0), *changes])

    def sketch(self, rng, n_projections):
        """What rows of one direction are multiplied by to estimate their leverages, and how the holdout bends.

        Returns
        -------
        float64 (p, 1 + n_projections)
            A row's pull, then projections whose squares add up to about its leverage.
        float, float
            Mean and largest curvature of the holdout, as a share of that of the fit.
        """
        own = self._root[0] @ rng.normal(scale=n_projections**-0.5, size=(len(self._bend), n_projections))
        return np.column_stack([self.sensitivity[0], own]), float(self._bend.mean()), float(self._bend.max(initial=0.0))

    def relabels(self):
        """Rise of the target when each row is given each label, float64 (n, C)."""
        fit = self.fit
        changes = np.empty(fit.responses.shape)
        for taken, seen in self._seen(fit.rows):
            given, responses = fit.targets[taken], fit.responses[taken]
            bends, slopes = fit.loss.curvatures(responses), fit.loss.slopes(responses, given)
            weights = fit.weights_of(given, taken)
            for label in range(changes.shape[1]):
                other = np.full(len(given), label)
                heavier = fit.weights_of(other, taken)
                moved = fit.loss.slopes(responses, other) * heavier[:, None] - slopes * weights[:, None]
                moved[given == label] = 0.0
                changes[taken, label] = self._changes(seen, bends * (heavier - weights)[:, None, None], moved)
        return changes

    def replacements(self, positions, features, targets):
        """Rise of the target when each of these rows is replaced by another, float64 (count,).

        Parameters
        ----------
        positions : int64 (count,)
            A position may come again, for another candidate.
        features : array or scipy.sparse.csr_array (count, d)
        targets : int64 or float64 (count,)
        """
        fit, m = self.fit, self._m
        changes, there = np.empty(len(positions)), fit.rows.like(features)
        length = max(16, 2**21 // (16 * m * self._root.shape[2]))
        for start in range(0, len(positions), length):
            taken = slice(start, start + length)
            held, now = positions[taken], targets[taken]
            old, new = fit.rows.take(held), there.take(np.arange(len(positions))[taken])
            responses, before = fit.loss.responses(fit.scores(new)), fit.responses[held]
            lighter, heavier = fit.weights_of(fit.targets[held], held), fit.weights_of(now, held)
            bends = np.zeros((len(held), 2 * m, 2 * m))
            bends[:, :m, :m] = -fit.loss.curvatures(before) * lighter[:, None, None]
            bends[:, m:, m:] = fit.loss.curvatures(responses) * heavier[:, None, None]
            slopes = np.hstack([-fit.loss.slopes(before, fit.targets[held]) * lighter[:, None], fit.loss.slopes(responses, now) * heavier[:, None]])
            seen = np.concatenate([self._view(old), self._view(new)], axis=1)
            changes[taken] = self._changes(seen, bends, slopes)
        return changes

    def groups(self, codes, n_groups):
        """Rise of the target when all rows of a group leave together, float64 (n_groups,).

        Rows of a group act on one another through the curvature: their single steps do not add up.
        """
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(n_groups + 1))
        return np.array([self._together(order[bounds[one] : bounds[one + 1]]) for one in range(n_groups)])

    def score_changes(self, rows, positions):
        """How each score of other rows moves when each of these rows leaves, float64 (count, len(rows), m)."""
        fit = self.fit
        weights = fit.weights_of(fit.targets[positions], positions)
        pulls = fit.loss.slopes(fit.responses[positions], fit.targets[positions]) * weights[:, None]
        seen = self._full_view(fit.rows.take(positions))
        if self.is_newton:
            bends = fit.loss.curvatures(fit.responses[positions]) * weights[:, None, None]
            system = np.eye(self._m) - bends @ (seen @ seen.transpose(0, 2, 1))
            held = np.abs(np.linalg.det(system)) < _LEVERAGE_ONE
            system[held] = np.eye(self._m)
            pulls = np.linalg.solve(system, pulls[:, :, None])[:, :, 0]
            pulls[held] = np.nan
        steps = np.einsum("nm,nmr->nr", pulls, seen) @ self._root.reshape(-1, self._root.shape[2]).T
        steps = steps.reshape(len(positions), self._m, -1)
        return np.stack([np.concatenate([rows.times(block, steps[:, one].T) for _, block in rows.blocks()]).T for one in range(self._m)], axis=2)

    def _changes(self, seen, bends, slopes):
        if not self.is_newton:
            return -np.einsum("nm,nm->n", seen, slopes)
        return step_changes(*projections(seen, self.slope, self._bend), np.ascontiguousarray(bends), slopes)

    def _seen(self, rows):
        """(slice, what a step needs to know of the rows) by blocks."""
        for taken, block in rows.blocks(8 * self._m * self._root.shape[2] if self.is_newton else 0):
            yield taken, self._view(block)

    def _view(self, block):
        """Rows whitened, float64 (count, m, r); for a first-order step their pulls alone, float64 (count, m)."""
        return self._full_view(block) if self.is_newton else self.fit.rows.times(block, self.sensitivity.T)

    def _full_view(self, block):
        seen = np.empty((len(block), self._m, self._root.shape[2]))
        for one in range(self._m):
            seen[:, one] = self.fit.rows.times(block, self._root[one])
        return seen

    def _together(self, positions):
        """Rise of the target when all of these rows leave at once."""
        if not self.is_newton:
            return -sum(float(np.sum(seen * slopes)) for seen, slopes, _ in self._parts(positions))
        n_coordinates = self._root.shape[2]
        if len(positions) * self._m < n_coordinates:
            [(seen, slopes, bends)] = self._parts(positions, len(positions))
            pull, held = self._leaving(seen, slopes, bends)
            inner = _solved(np.eye(len(held)) - held @ held.T, held @ pull)
            step = None if inner is None else pull + held.T @ inner
        else:
            pull, left = np.zeros(n_coordinates), np.eye(n_coordinates)
            for seen, slopes, bends in self._parts(positions):
                own, held = self._leaving(seen, slopes, bends)
                pull, left = pull + own, left - held.T @ held
            step = _solved(left, pull)
        return np.nan if step is None else float(self.slope @ step + 0.5 * (self._bend @ step**2))

    def _parts(self, positions, length=None):
        """(rows seen, minus their gradients, their curvatures) of some rows, a few at a time."""
        fit, length = self.fit, length or max(16, 2**20 // (8 * self._m * self._root.shape[2]))
        for start in range(0, len(positions), length):
            held = positions[start : start + length]
            weights = fit.weights_of(fit.targets[held], held)
            slopes = fit.loss.slopes(fit.responses[held], fit.targets[held]) * -weights[:, None]
            yield self._view(fit.rows.take(held)), slopes, fit.loss.curvatures(fit.responses[held]) * weights[:, None, None]

    def _leaving(self, seen, slopes, bends):
        """Sum of the gradients, and a root of the curvature, of rows that leave: float64 (r,) and (count m, r)."""
        values, vectors = np.linalg.eigh(bends)
        half = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
        return -np.einsum("nm,nmr->r", slopes, seen), (half.transpose(0, 2, 1) @ seen).reshape(-1, seen.shape[2])


def _solved(system, right):
    """Solution of a positive system; None where it is singular: without these rows there is no optimum."""
    try:
        factor = cho_factor(system, lower=True)
    except LinAlgError:
        return None
    return None if np.diag(factor[0]).min() ** 2 < _LEVERAGE_ONE else cho_solve(factor, right)

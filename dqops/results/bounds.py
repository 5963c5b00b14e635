"""What ridge regression can predict at most and at least, however the doubtful cells are repaired."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class RidgeBounds:
    """Outer bounds that hold in every repair, and an inner range that some repairs reach.

    The truth lies between: inner ⊆ what repairs bring ⊆ outer.

    Parameters
    ----------
    certified : bool
        Whether there are outer bounds; without, they are infinite and only the inner range is told.
    contraction : float
        Spectral radius that decides it; below 1 there are bounds, far below 1 they are tight.
    low, high : float64 (n_holdout,)
        Outer bounds of the predictions.
    inner_low, inner_high : float64 (n_holdout,)
        Extremes over the repairs that were tried.
    coefficients, radius : float64 (d,)
        Slopes lie within `radius` of `coefficients` in every repair.
    spread : float64 (n_holdout,)
        Standard deviation of each prediction to first order, where the symbols are independent and uniform: an
        approximation, not a bound.
    error : tuple of float or None
        (low, high): the mean squared error on the holdout in every repair; None without its targets.
    inner_error : tuple of float or None
        The same over the repairs that were tried.
    parts : int
        Boxes that the ranges were cut into.

    Examples
    --------
    >>> bounds = RidgeBounds(True, 0.2, *(np.array([one]) for one in (1.0, 2.0, 1.2, 1.7, 0.5, 0.1, 0.2)), None, None, 1)
    >>> round(bounds.looseness, 2)
    2.0
    """

    certified: bool
    contraction: float
    low: np.ndarray
    high: np.ndarray
    inner_low: np.ndarray
    inner_high: np.ndarray
    coefficients: np.ndarray
    radius: np.ndarray
    spread: np.ndarray
    error: tuple[float, float] | None
    inner_error: tuple[float, float] | None
    parts: int

    @property
    def looseness(self):
        """Width of the outer bounds over that of the inner range, in the mean; 1 where nothing is doubtful."""
        outer, inner = (self.high - self.low).mean(), (self.inner_high - self.inner_low).mean()
        return float(outer / inner) if inner > 0 else 1.0 if self.contraction == 0 else float("inf")

    def certain_side(self, threshold=0.0):
        """Predictions that lie on one side of `threshold` in every repair, bool (n_holdout,)."""
        return (self.low > threshold) | (self.high < threshold)

    def __str__(self):
        if not self.certified:
            return f"no certificate (spectral radius {self.contraction:.3g}, needed below 1): raise alpha, narrow the ranges or allow more parts"
        return f"{len(self.low)} predictions bounded in every repair, {self.looseness:.2f} times as wide as the repairs tried (spectral radius {self.contraction:.3g})"

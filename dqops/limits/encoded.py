"""A training table with doubtful rows, as a learner sees it: one point a known row, several a doubtful one."""

from dataclasses import dataclass

import numpy as np

from dqops.limits.certain_models import Ranges

# A range narrower than this share of its column's spread is rounding, not doubt.
_ROUNDING = 1e-9
_WIDE = 10.0  # standard deviations of a column


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows of a training table in feature space.

    Parameters
    ----------
    rows : float64 (n, d)
        The likeliest world.
    choices : float64 (n_choices, d)
        What doubtful rows could be, row by row.
    positions : int64 (n_doubtful,)
        Doubtful rows, rising.
    start : int64 (n_doubtful + 1,)
        Where the choices of each begin.
    weights : float64 (n_choices,)
        Those of a row sum to 1.
    """

    rows: np.ndarray
    choices: np.ndarray
    positions: np.ndarray
    start: np.ndarray
    weights: np.ndarray

    def points(self):
        """Choices of all rows end to end, where each row's begin, and their weights.

        >>> both = Encoded(np.array([[1.0], [2.0]]), np.array([[2.0], [3.0]]), np.array([1]), np.array([0, 2]), np.array([0.5, 0.5]))
        >>> points, start, weights = both.points()
        >>> points.ravel().tolist(), start.tolist(), weights.tolist()
        ([1.0, 2.0, 3.0], [0, 1, 3], [1.0, 0.5, 0.5])
        """
        sizes = np.ones(len(self.rows), dtype=np.int64)
        sizes[self.positions] = np.diff(self.start)
        start = np.concatenate([[0], np.cumsum(sizes)])
        points, weights = np.repeat(self.rows, sizes, axis=0), np.ones(start[-1])
        held = np.zeros(len(self.rows), dtype=bool)
        held[self.positions] = True
        places = np.flatnonzero(np.repeat(held, sizes))
        points[places], weights[places] = self.choices, self.weights
        return points, start, weights

    def ranges(self):
        """The box that holds all choices of each row, as `Ranges`.

        It is centred in the middle; where that is absurdly wide for its column, on the weighted median, so that one wild
        value with a small weight leaves the centre alone.
        """
        middle, radius = self.rows.copy(), np.zeros(self.rows.shape)
        wide = _WIDE * (self.rows.std(axis=0) + _ROUNDING) if len(self.rows) else 0.0
        for place, row in enumerate(self.positions):
            some = slice(self.start[place], self.start[place + 1])
            low, high = self.choices[some].min(axis=0), self.choices[some].max(axis=0)
            centre = np.where((high - low) / 2 <= wide, (low + high) / 2, _weighted_median(self.choices[some], self.weights[some]))
            middle[row], radius[row] = centre, np.maximum(high - centre, centre - low)
        small = radius <= _ROUNDING * (np.abs(self.rows).max(axis=0, initial=0.0) + 1)
        return Ranges(np.where(small, self.rows, middle), np.where(small, 0.0, radius))


def _weighted_median(values, weights):
    """Of each column: the first value, in order, with half of the weight at or below it."""
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(weights[order], axis=0)
    place = (reached < 0.5 - _ROUNDING).sum(axis=0)
    return values[order[place, np.arange(values.shape[1])], np.arange(values.shape[1])]

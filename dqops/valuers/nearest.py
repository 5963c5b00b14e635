"""The few training rows that are nearest to holdout rows, found in single precision and settled in double."""

from dataclasses import dataclass

import numpy as np

from dqops.kernels.distances import COSINE, MANHATTAN, row_distances, shrunk_rows
from dqops.kernels.neighbours import keep_near, nearest_rows, tighten_limits
from dqops.valuers.neighbours import Neighbours, Scratch

_POINTS = 128
_BLOCK = 1024
# What single precision may take off a distance that was summed up in double; numbers below the other one are as nothing.
_ROUNDING = 1e-6
_LEAST = 1e-35
_LONGEST = np.float32(np.inf).view(np.int32)


@dataclass(frozen=True, eq=False)
class Nearest:
    """Rows and points in single precision, from which lower bounds of distances follow by one product.

    Parameters
    ----------
    neighbours : Neighbours
        The same in full precision.
    rows : float32 (n, d + 2)
        Rows less the centre, then a lower bound of their squared length, then one. Empty for MANHATTAN.
    points : float32 (m, d + 2)
        Points less the centre, times -2 (-1 for COSINE), then one, then a lower bound of their squared length.
    row_slack, point_slack : float32 (n,) and (m,)
        A distance is above its lower bound by their sum at most.
    scale : float
        Rows and points were multiplied by it.
    """

    neighbours: Neighbours
    rows: np.ndarray
    points: np.ndarray
    row_slack: np.ndarray
    point_slack: np.ndarray
    scale: float

    def find(self, start, stop, count, scratch=None):
        """The `count` nearest rows, nearest first, ties by row, of each of the points `start` to `stop`.

        Returns
        -------
        int32 (stop - start, count)
        """
        scratch = scratch or Scratch()
        near, found = self.neighbours, np.empty((stop - start, count), dtype=np.int32)
        lists, counts = self._candidates(start, stop, count, scratch)
        nearest_rows(near.X, near.points[start:stop], near.metric, lists, counts, found)
        crowded = np.flatnonzero(counts < count)  # too many rows are equally near
        for place, order in zip(crowded, near.orders(start + crowded, scratch), strict=True):
            found[place] = order[:count]
        return found

    def _candidates(self, start, stop, count, scratch):
        """Lists of rows among which the nearest are, and how long they are; 0 where a list would be too long."""
        n, n_points = len(self.row_slack), stop - start
        room = 4 * count
        lists = scratch.array("lists", (n_points, room + _BLOCK), np.int32)
        kept = scratch.array("kept", (n_points, room + _BLOCK), np.int32)
        counts, limits = np.zeros(n_points, np.int64), np.full(n_points, _LONGEST, np.int32)
        first, n_block, longest = 0, min(_BLOCK, 4 * count), count
        while first < n:
            last = min(first + n_block, n)
            longest = count if last == n else longest
            for low in range(0, n_points, _POINTS):
                some = slice(low, min(low + _POINTS, n_points))
                bits = self._lower_bounds(start + low, start + some.stop, slice(first, last), scratch).view(np.int32)
                state = limits[some], lists[some], kept[some], counts[some]
                keep_near(bits, first, *state)
                slack = self.point_slack[start + low : start + some.stop]
                tighten_limits(count, self.row_slack, slack, longest, room, *state)
            first, n_block, longest = last, _BLOCK, room // 2
        return lists, counts

    def _lower_bounds(self, start, stop, rows, scratch):
        """Lower bounds, in single precision, of the distances of some rows from some points."""
        bounds = scratch.array("bounds", (stop - start, rows.stop - rows.start), np.float32)
        if self.neighbours.metric != MANHATTAN:
            return np.matmul(self.points[start:stop], self.rows[rows].T, out=bounds)
        sums = scratch.array("sums of a block", bounds.shape, np.float64)
        row_distances(self.neighbours.X[rows], self.neighbours.points[start:stop], MANHATTAN, sums)
        np.multiply(sums, self.scale * (1 - _ROUNDING), out=bounds)
        return bounds


def nearest_of(neighbours):
    """Make rows and points of `neighbours` ready: see `Nearest`; one single-precision copy of the rows."""
    X, points, metric, centre = neighbours.X, neighbours.points, neighbours.metric, neighbours.centre
    scale = 1.0 if metric == COSINE else _scale(X, points)
    if metric == MANHATTAN:
        nothing = np.empty((0, 0), np.float32)
        slacks = []
        for one in (X, points):
            sizes = np.empty((1, len(one)))
            row_distances(one, centre[None], MANHATTAN, sizes)
            slacks.append(_slack(sizes[0], 2.5 * _ROUNDING * scale))
        return Nearest(neighbours, nothing, nothing, *slacks, scale)
    rounding = 1.05 * (X.shape[1] + 8) * 2.0**-24
    rows, sizes = _shrunk(X, centre, scale, metric, rounding)
    shrunk, point_sizes = _shrunk(points, centre, scale, metric, rounding)
    ends = shrunk[:, -2].copy()
    shrunk *= -1 if metric == COSINE else -2
    shrunk[:, -2], shrunk[:, -1] = 1, ends
    return Nearest(neighbours, rows, shrunk, _slack(sizes, 4.1 * rounding), _slack(point_sizes, 4.1 * rounding), scale)


def _shrunk(X, centre, scale, metric, rounding):
    """Rows less the centre, a lower bound of their squared lengths, and ones; and the squared lengths."""
    rows = np.empty((len(X), X.shape[1] + 2), np.float32)
    sizes = shrunk_rows(X, centre, scale, rows)
    if metric == COSINE:
        sizes[:] = 0.5
    rows[:, -2], rows[:, -1] = sizes * (1 - 2 * rounding) - _LEAST, 1
    return rows, sizes


def _scale(X, points):
    """A power of two that makes numbers so small that no square of a length is above one."""
    largest = max(float(max(-one.min(), one.max())) for one in (X, points)) if X.shape[1] else 0.0
    return 2.0 ** -np.ceil(np.log2(2 * largest * np.sqrt(X.shape[1]))) if largest > 0 else 1.0


def _slack(sizes, share):
    return (share * sizes + _LEAST).astype(np.float32)

"""Training rows in the order of their distance from holdout rows, exactly, in blocks.

The order is that of distances summed up column by column in double precision, ties by row. Products of matrices are
quicker than such sums but round in their own way; they are used to sort, and wherever rounding could have changed who
is nearer, the sums decide. `docs/methods/knn-shapley.md` has the bounds.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from dqops.errors import UnknownNameError
from dqops.kernels.distances import (
    COSINE,
    EUCLIDEAN,
    MANHATTAN,
    centred_rows,
    listed_distances,
    row_distances,
)
from dqops.kernels.neighbours import pack_distances, sort_runs, unpack_order

METRICS = {"euclidean": EUCLIDEAN, "manhattan": MANHATTAN, "cosine": COSINE}
# Bytes of sortable numbers that one call holds, whatever the number of rows and workers (but four points a worker).
TILE_BYTES = 40_000_000
# Up to this many columns plain sums are as quick as products.
_FEW_COLUMNS = 16
_BLOCK = 2048
# Points whose order is looked at first; where more than this share of neighbours are too close to tell, sums do it all.
_PROBES = 2
_MOST_DOUBTS = 0.1


@dataclass
class Scratch:
    """Arrays that one worker uses again and again; they do not travel between processes."""

    n_bytes: int = TILE_BYTES
    arrays: dict = field(default_factory=dict)

    def array(self, name, shape, dtype):
        """An array of that shape with whatever is in it."""
        size = int(np.prod(shape))
        if name not in self.arrays or self.arrays[name].size < size or self.arrays[name].dtype != dtype:
            self.arrays[name] = np.empty(size, dtype=dtype)
        return self.arrays[name][:size].reshape(shape)

    def __reduce__(self):
        return Scratch, (self.n_bytes,)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Rows and points, ready to tell who is near whom.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    points : float64 (m, d)
    metric : int
        Of `dqops.kernels.distances`.
    centre : float64 (d,)
    norms : float64 (n,)
        Squared distance of each row from the centre; 0 where products, or sums, are distances without it.
    by_sums : bool
        Distances are summed up, not taken from products.
    candidates : float64 (count, d), optional
        Other rows, made comparable with `X`.

    Examples
    --------
    >>> near = neighbours_of(np.array([[0.0], [3.0], [1.0]]), np.array([[1.0]]))
    >>> [order.tolist() for order in near.orders([0])]
    [[2, 0, 1]]
    """

    X: np.ndarray
    points: np.ndarray
    metric: int
    centre: np.ndarray
    norms: np.ndarray
    by_sums: bool
    candidates: np.ndarray | None = None

    def orders(self, places, scratch=None):
        """Rows, nearest first, ties by row, for each of the points at these places.

        Yields
        ------
        int32 (n,)
            The same array each time.
        """
        scratch = scratch or Scratch()
        n = len(self.X)
        most = max(4, min(256, scratch.n_bytes // (n * (16 if self.by_sums else 8))))
        n_tile = -(-len(places) // max(1, -(-len(places) // most)))  # tiles of one size, no larger than the most
        n_bits = max(1, (n - 1).bit_length())
        order, sums = scratch.array("order", (n,), np.int32), scratch.array("sums", (n,), np.float64)
        for first in range(0, len(places), max(1, n_tile)):
            points = self.points[places[first : first + n_tile]]
            packed = scratch.array("packed", (len(points), n), np.uint64)
            distances, gaps, share = self._fill(points, packed, n_bits, scratch)
            for place, point in enumerate(points):
                packed[place].sort()  # one at a time: what follows finds it in the cache
                runs = unpack_order(packed[place], n_bits, gaps[place], share, order)
                if len(runs):
                    sums = distances[place] if distances is not None else self._sums_in_runs(order, runs, point, sums)
                    sort_runs(order, runs, sums)
                yield order

    def doubtful_share(self):
        """Share of neighbours, of a few points, that products cannot tell apart."""
        n, doubtful = len(self.X), 0
        n_bits = max(1, (n - 1).bit_length())
        probes = self.points[np.linspace(0, len(self.points) - 1, _PROBES).astype(int)]
        packed, order = np.empty((len(probes), n), np.uint64), np.empty(n, np.int32)
        _, gaps, share = self._fill(probes, packed, n_bits, Scratch())
        packed.sort(axis=1)
        for place in range(len(probes)):
            runs = unpack_order(packed[place], n_bits, gaps[place], share, order)
            doubtful += int((runs[:, 1] - runs[:, 0]).sum())
        return doubtful / packed.size

    def _fill(self, points, packed, n_bits, scratch):
        """Pack distances of all rows; sums where they were taken, and how far products may be off: gaps and a share."""
        if self.by_sums:
            distances = scratch.array("distances", packed.shape, np.float64)
            row_distances(self.X, points, self.metric, distances)
            nothing = np.zeros(len(points))
            pack_distances(distances, self.norms, nothing, -1.0, 0, n_bits, packed)
            return distances, nothing, 0.0
        offsets = points - self.centre
        shifts, gaps, share = self._bounds(offsets)
        factor = 1.0 if self.metric == COSINE else 2.0
        rows = scratch.array("rows", (_BLOCK, self.X.shape[1]), np.float64)
        for first in range(0, len(self.X), _BLOCK):
            block = self.X[first : first + _BLOCK]
            centred_rows(block, self.centre, rows)
            products = scratch.array("products", (len(points), len(block)), np.float64)
            np.matmul(offsets, rows[: len(block)].T, out=products)
            pack_distances(products, self.norms, shifts, factor, first, n_bits, packed)
        return None, gaps, share

    def _bounds(self, offsets):
        """What is added to the products of each point, and how far the distances made of them may be off."""
        rounding = (2 * self.X.shape[1] + 16) * np.finfo(np.float64).eps / 2
        if self.metric == COSINE:
            return np.ones(len(offsets)), np.full(len(offsets), 4 * rounding), 0.0
        shifts = np.einsum("ij,ij->i", offsets, offsets)
        return shifts, 16 * rounding * shifts, 4 * rounding

    def _sums_in_runs(self, order, runs, point, sums):
        """Distances, summed up, of the rows that stand in runs; by row."""
        lengths = runs[:, 1] - runs[:, 0]
        ends = np.cumsum(lengths)
        rows = order[np.repeat(runs[:, 1] - ends, lengths) + np.arange(ends[-1])]
        sums[rows] = listed_distances(self.X, rows, point, self.metric)
        return sums


def neighbours_of(X, points, metric="euclidean", *, by_sums=None, candidates=None):
    """Rows and points made ready: see `Neighbours`.

    Parameters
    ----------
    X, points : float32 or float64 (n, d) and (m, d)
        Finite. Columns that are the same in all rows of `X` are left out, for they change no order (but not for
        cosine, whose lengths they change).
    metric : {"euclidean", "manhattan", "cosine"}
    by_sums : bool, optional
        Whether to sum distances up; where it is not given, whatever is quicker. It changes no order.
    candidates : float32 or float64 (count, d), optional
        Rows that may take the place of rows of `X`.
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    code = METRICS[metric]
    beside = X[:0] if candidates is None else candidates
    X, points, beside = (_of_length_one(one) for one in (X, points, beside)) if code == COSINE else _comparable(X, points, beside)
    points = np.ascontiguousarray(points, dtype=np.float64)
    d = X.shape[1]
    centre = np.zeros(d) if code == COSINE else np.median(X[:: max(1, len(X) // 1000)], axis=0).astype(np.float64)
    sums = Neighbours(X, points, code, centre, np.zeros(len(X)), True, np.ascontiguousarray(beside, dtype=np.float64))
    if by_sums or code == MANHATTAN or d <= _FEW_COLUMNS:
        return sums
    products = replace(sums, norms=sums.norms if code == COSINE else _squared_norms(X, centre), by_sums=False)
    return sums if by_sums is None and products.doubtful_share() > _MOST_DOUBTS else products


def _of_length_one(X):
    """Rows over their lengths, in double precision; a row of zeros stays."""
    largest = np.abs(X).max(axis=1, keepdims=True).astype(np.float64)
    scaled = X / np.where(largest > 0, largest, 1.0)
    length = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    return scaled / np.where(length > 0, length, 1.0)


def _comparable(X, points, beside):
    """Without columns that are constant, and with numbers whose squares do not leave double precision."""
    varies = _varying_columns(X) | (beside != X[0]).any(axis=0)
    if not varies.all():
        X, points, beside = (np.ascontiguousarray(one[:, varies]) for one in (X, points, beside))
    largest = max((float(max(-one.min(), one.max())) for one in (X, points, beside) if one.size), default=0.0)
    if largest == 0 or 1e-100 < largest < 1e150:
        return X, points, beside
    scale = -int(np.frexp(largest)[1])  # a power of two, which rounds nothing
    return tuple(np.ldexp(one.astype(np.float64), scale) for one in (X, points, beside))


def _varying_columns(X):
    """Which columns differ somewhere from the first row."""
    varies = np.zeros(X.shape[1], dtype=bool)
    for first in range(0, len(X), _BLOCK):
        varies |= (X[first : first + _BLOCK] != X[0]).any(axis=0)
        if varies.all():
            break
    return varies


def _squared_norms(X, centre):
    """Squared distance of each row from the centre, a block at a time."""
    norms = np.empty(len(X))
    for first in range(0, len(X), _BLOCK):
        rows = X[first : first + _BLOCK] - centre
        norms[first : first + _BLOCK] = np.einsum("ij,ij->i", rows, rows)
    return norms

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
    row_distances,
)
from dqops.kernels.neighbours import code_distances, pack_codes, settle_runs, sort_runs, unpack_order

METRICS = {"euclidean": EUCLIDEAN, "manhattan": MANHATTAN, "cosine": COSINE}
# Bytes of sortable numbers that one call holds, whatever the number of rows and workers (but four points a worker).
TILE_BYTES = 40_000_000
# Up to this many columns plain sums are as quick as products.
_FEW_COLUMNS = 16
_BLOCK = 2048
# Rows that tell how far distances reach, and the powers of two below the farthest that 32 bits tell apart.
_SAMPLED = 256
_DEEPEST = 100
# Points whose order is looked at first; where more than this share of neighbours are too close to tell, sums do it all,
# and where 32 bits leave more than this share in doubt, more bits are sorted. With few points it is not asked.
_PROBES = 2
_MOST_DOUBTS, _MOST_COARSE_DOUBTS = 0.1, 0.005
_MANY_POINTS, _MANY_ROWS = 64, 1 << 15


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
    is_fine : bool
        Distances are sorted by nearly all of their bits, not by 32, which tell enough of them apart and take half the room.
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
    is_fine: bool = True
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
        width = (8 if self.is_fine else 4) + (8 if self.by_sums else 0)
        most = max(4, min(256, scratch.n_bytes // (n * width)))
        n_tile = -(-len(places) // max(1, -(-len(places) // most)))  # tiles of one size, no larger than the most
        order = scratch.array("order", (n,), np.int32)
        for first in range(0, len(places), max(1, n_tile)):
            points = self.points[places[first : first + n_tile]]
            for point, (runs, distances) in zip(points, self._sorted(points, order, scratch), strict=True):
                if len(runs) and distances is not None:
                    sort_runs(order, runs, distances)
                elif len(runs):
                    settle_runs(order, runs, self.X, point, self.metric)
                yield order

    def doubtful_share(self):
        """Share of neighbours, of a few points, that what is sorted cannot tell apart."""
        probes = self.points[np.linspace(0, len(self.points) - 1, _PROBES).astype(int)]
        order = np.empty(len(self.X), np.int32)
        doubtful = sum(int((runs[:, 1] - runs[:, 0]).sum()) for runs, _ in self._sorted(probes, order, Scratch()))
        return doubtful / (_PROBES * len(self.X))

    def _sorted(self, points, order, scratch):
        """Fill in the order for one point after another; runs in doubt, and distances where they were summed up."""
        n = len(self.X)
        n_bits = max(1, (n - 1).bit_length())
        codes = scratch.array("codes", (len(points), n), np.uint64 if self.is_fine else np.uint32)
        packed = scratch.array("packed", (n,), np.uint64)
        distances, scales, gaps, share = self._fill(points, codes, n_bits, scratch)
        for place in range(len(points)):  # one at a time: what follows finds it in the cache
            pack_codes(codes[place], n_bits, packed)
            packed.sort()
            runs = unpack_order(packed, n_bits, scales[place], gaps[place], share, order)
            yield runs, None if distances is None else distances[place]

    def _fill(self, points, codes, n_bits, scratch):
        """Code distances of all rows; sums where they were taken, scales, and how far products may be off: gaps, a share."""
        if self.by_sums:
            distances, nothing = scratch.array("distances", codes.shape, np.float64), np.zeros(len(points))
            row_distances(self.X, points, self.metric, distances)
            scales = _fine_scales(len(points), n_bits) if self.is_fine else _coarse_scales(distances[:, :: self._stride()])
            code_distances(distances, self.norms, nothing, -1.0, 0, scales, codes)
            return distances, scales, nothing, 0.0
        offsets, factor = points - self.centre, 1.0 if self.metric == COSINE else 2.0
        shifts, gaps, share = self._bounds(offsets)
        if self.is_fine:
            scales = _fine_scales(len(points), n_bits)
        else:
            some = slice(None, None, self._stride())
            sample = self.norms[some] + shifts[:, None] - factor * (offsets @ (self.X[some] - self.centre).T)
            scales = _coarse_scales(np.maximum(sample, 0))
        rows = scratch.array("rows", (_BLOCK, self.X.shape[1]), np.float64)
        for first in range(0, len(self.X), _BLOCK):
            block = self.X[first : first + _BLOCK]
            centred_rows(block, self.centre, rows)
            products = scratch.array("products", (len(points), len(block)), np.float64)
            np.matmul(offsets, rows[: len(block)].T, out=products)
            code_distances(products, self.norms, shifts, factor, first, scales, codes)
        return None, scales, gaps, share

    def _stride(self):
        return max(1, len(self.X) // _SAMPLED)

    def _bounds(self, offsets):
        """What is added to the products of each point, and how far the distances made of them may be off."""
        rounding = (2 * self.X.shape[1] + 16) * np.finfo(np.float64).eps / 2
        if self.metric == COSINE:
            return np.ones(len(offsets)), np.full(len(offsets), 4 * rounding), 0.0
        shifts = np.einsum("ij,ij->i", offsets, offsets)
        return shifts, 16 * rounding * shifts, 4 * rounding


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
    sums = Neighbours(X, points, code, centre, np.zeros(len(X)), True, candidates=np.ascontiguousarray(beside, dtype=np.float64))
    if by_sums:
        return sums
    if code == MANHATTAN or d <= _FEW_COLUMNS:
        return _as_coarse_as_will_do(sums)
    products = replace(sums, norms=sums.norms if code == COSINE else _squared_norms(X, centre), by_sums=False)
    found = _as_coarse_as_will_do(products)
    return sums if by_sums is None and found.is_fine and found.doubtful_share() > _MOST_DOUBTS else found


def _fine_scales(n_points, n_bits):
    """Scales of `code_distances` that keep as many bits as leave room for the row."""
    return np.tile(np.array([0, n_bits - 1, 2**63 - 1]), (n_points, 1))


def _coarse_scales(sample):
    """Scales that keep 32 bits: sampled distances (m, any number) are in the middle of the codes."""
    bits = np.stack([sample.min(axis=1), sample.max(axis=1)]).view(np.int64)
    low, high = np.maximum(bits, bits[1] - (_DEEPEST << 52))
    reach = np.maximum(high - low, 1)
    low = np.maximum(low - reach // 4, 0)
    cuts = np.maximum(np.ceil(np.log2(high + reach // 4 - low + 1)).astype(np.int64) - 32, 0)
    return np.stack([low, cuts, np.full(len(low), 2**32 - 1)], axis=1)


def _as_coarse_as_will_do(near):
    """With 32 bits of each distance where these leave few neighbours in doubt."""
    coarse = replace(near, is_fine=False)
    pays = len(near.points) >= _MANY_POINTS and len(near.X) >= _MANY_ROWS
    return coarse if pays and coarse.doubtful_share() <= _MOST_COARSE_DOUBTS else near


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

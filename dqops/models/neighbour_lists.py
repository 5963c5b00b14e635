"""For each holdout row, the candidates that may be among its nearest neighbours in some world; kept while rows change."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError, OptionError
from dqops.kernels.neighbourhoods import neighbourhoods, reach, settle_row, settled_ends

METRICS = ("euclidean", "cosine")
_BLOCK_BYTES = 2**25  # of screened distances at a time
_BLOCK_ENTRIES = 2**22  # of lists that are as long as they can be


@dataclass(frozen=True, eq=False)
class Part:
    """Lists of some tests, end to end, as the kernels take them; `listed` is where their rows lie in the whole."""

    span: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    row_span: np.ndarray
    rows: np.ndarray
    kinds: np.ndarray
    distances: np.ndarray
    limits: np.ndarray
    listed: np.ndarray | None = None


class NeighbourLists:
    """Sorted lists of near candidates, one for each test.

    Parameters are those of `dqops.models.knn_worlds.KnnWorlds`.

    Attributes
    ----------
    span, row_span : int64 (n_tests, 2)
        Where the list of a test, and the rows that occur in it, begin and end.
    places : int32 (n_entries, 2)
        Candidate, and number of its row in the list, nearest first.
    rows, owners : int64 (n_listed,)
        Row and test of each row in a list.
    kinds : int64 (n_listed, 2)
        Its class and number of candidates.
    live : bool (n_listed,)
        False for lists that were made anew elsewhere.
    limits : float64 (n_tests,)
        Squared distance up to which a list holds every candidate.
    """

    def __init__(self, points, start, weights, labels, tests, *, k, metric="euclidean"):
        if metric not in METRICS:
            raise OptionError("metric", metric, "one of " + ", ".join(METRICS))
        self.k, self.metric = k, metric
        self.start = np.asarray(start, dtype=np.int64)
        self._kinds = np.stack([labels, np.diff(self.start)], axis=1)
        largest = max(np.abs(points).max(initial=0.0), np.abs(tests).max(initial=0.0))
        # A power of two: distances neither overflow nor underflow, and no digit changes.
        self._unit = 2.0 ** -int(np.clip(np.frexp(largest)[1], -1000, 1000)) if np.isfinite(largest) else 1.0
        self.points = self.placed(points)
        self.tests = self.placed(tests)
        self._candidate_weights = np.array(weights, dtype=np.float64)
        self._centre = self.points.mean(axis=0)
        self._scale = max(np.abs(self.points - self._centre).max(initial=0.0), np.abs(self.tests - self._centre).max(initial=0.0)) or 1.0
        self._screened = self._screening(self.points)
        held = (self.tests - self._centre) / self._scale
        self._asked = np.column_stack([held, np.ones(len(held))]).astype(np.float32)
        self._norms = np.sqrt((held**2).sum(axis=1))
        self._clear()

    def placed(self, features):
        """Features as they are compared: float64, of length 1 for the cosine; NaN and other columns are refused."""
        features = np.array(features, dtype=np.float64, order="C", ndmin=2)
        if not np.isfinite(features).all():
            raise DataError("features hold NaN or infinite numbers", "finite numbers; what is missing needs candidates")
        if hasattr(self, "points") and features.shape[1] != self.points.shape[1]:
            raise DataError(f"candidates have {self.points.shape[1]} columns and other rows {features.shape[1]}", "the same columns")
        features *= self._unit
        if self.metric == "cosine":
            lengths = np.sqrt((features**2).sum(axis=1, keepdims=True))
            if not lengths.all():
                raise DataError("a row holds zeros only", "a direction for the cosine metric")
            features /= lengths
        return features

    def build(self, tests, mass):
        """Make the lists of these tests, or make them anew."""
        self.live[np.isin(self.owners, tests)] = False
        parts = [(some, part) for some, part in self.made(tests, mass)]
        entry, listed = len(self.places), len(self.rows)
        for some, part in parts:
            self.span[some], self.row_span[some], self.limits[some] = part.span + entry, part.row_span + listed, part.limits
            entry, listed = entry + len(part.places), listed + len(part.rows)
        owners = [np.repeat(some, part.row_span[:, 1] - part.row_span[:, 0]) for some, part in parts]
        for name in ("places", "weights", "distances", "rows", "kinds"):
            setattr(self, name, np.concatenate([getattr(self, name), *(getattr(part, name) for _, part in parts)]))
        self.owners = np.concatenate([self.owners, *owners])
        self.live = np.concatenate([self.live, np.ones(len(self.owners) - len(self.live), dtype=bool)])

    def made(self, tests, mass):
        """(tests, `Part`) block by block, not kept here."""
        n_candidates = len(self.points)
        size = max(1, min(_BLOCK_BYTES // (4 * n_candidates), _BLOCK_ENTRIES // n_candidates if np.isinf(mass) else len(self.tests)))
        for first in range(0, len(tests), size):
            yield tests[first : first + size], self._made(tests[first : first + size], mass)

    def part(self, tests):
        """The kept lists of these tests, end to end."""
        entries, span = _gathered(self.span[tests])
        listed, row_span = _gathered(self.row_span[tests])
        return Part(
            span, self.places[entries], self.weights[entries], row_span, self.rows[listed], self.kinds[listed],
            self.distances[entries], self.limits[tests], listed,
        )  # fmt: skip

    def holding(self, row):
        """Where `row` lies among the rows of the lists."""
        return np.flatnonzero((self.rows == row) & self.live)

    def settle(self, row, value, distances):
        """Let `row` be `value` for certain, at these squared distances from the tests; returns the tests whose lists change by it."""
        first, last = self.start[row], self.start[row + 1]
        self.points[first:last] = value
        self._screened[first:last] = self._screening(value[None])
        self._candidate_weights[first:last] = np.arange(last - first) == 0
        listed = self.holding(row)
        tests = self.owners[listed]
        inside = np.where(distances[tests] <= self.limits[tests], distances[tests], np.inf)
        number = listed - self.row_span[tests, 0]
        before, enters = self.span[tests, 1], np.isfinite(inside)
        self.span[tests, 1] = settle_row(self.span[tests], number, first, inside, self.places, self.weights, self.distances)
        self.kinds[listed, 1] = 1
        return tests[enters | (self.span[tests, 1] < before)]

    def trim(self, tests):
        """End these lists where nothing beyond can be among the k nearest: as rows become known, they need not be as long."""
        ends = settled_ends(self.span[tests], self.places, self.row_span[tests], self.kinds[:, 1], self.k)
        shorter = np.flatnonzero(ends < self.span[tests, 1])
        self.span[tests[shorter], 1] = ends[shorter]
        self.limits[tests[shorter]] = self.distances[ends[shorter] - 1]

    def relabel(self, row, label):
        """Let `row` be of that class, in all lists."""
        self._kinds[row, 0] = label
        self.kinds[self.holding(row), 0] = label

    def _made(self, tests, mass):
        screen = self._asked[tests] @ self._screened.T
        rounding = (self.points.shape[1] + 8) * 2.0**-23
        limits, counts = reach(screen, self.start, self._candidate_weights, self._norms[tests], self.k, mass, rounding)
        limits[:, 0] = (limits[:, 0] + self._norms[tests] ** 2) * self._scale**2
        spans = np.zeros((len(tests) + 1, 2), dtype=np.int64)
        np.cumsum(counts, axis=0, out=spans[1:])
        stops, places, distances, rows = neighbourhoods(screen, limits, self.start, self.points, self.tests[tests], spans)
        entries, span = _gathered(np.stack([spans[:-1, 0], stops[:, 0]], axis=1))
        listed, row_span = _gathered(np.stack([spans[:-1, 1], stops[:, 1]], axis=1))
        places, rows = places[entries], rows[listed].astype(np.int64)
        return Part(span, places, self._candidate_weights[places[:, 0]], row_span, rows, self._kinds[rows], distances[entries], limits[:, 0])

    def _screening(self, points):
        """Columns that a product with a test turns into a squared distance less the squared norm of the test."""
        held = (points - self._centre) / self._scale
        return np.column_stack([-2 * held, (held**2).sum(axis=1)]).astype(np.float32)

    def _clear(self):
        n_tests, nothing = len(self.tests), np.empty(0, dtype=np.int64)
        self.span, self.row_span, self.limits = np.zeros((n_tests, 2), dtype=np.int64), np.zeros((n_tests, 2), dtype=np.int64), np.zeros(n_tests)
        self.places, self.weights, self.distances = np.empty((0, 2), dtype=np.int32), np.empty(0), np.empty(0)
        self.rows, self.owners, self.kinds, self.live = nothing, nothing, np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=bool)


def _gathered(span):
    """Positions of these spans end to end, and the spans as they lie there."""
    sizes = span[:, 1] - span[:, 0]
    ends = np.cumsum(sizes)
    starts = ends - sizes
    return np.repeat(span[:, 0] - starts, sizes) + np.arange(ends[-1] if len(ends) else 0), np.stack([starts, ends], axis=1)

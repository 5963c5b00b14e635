"""k-NN over all worlds: what it predicts when each training row is one of its candidates, and what cleaning a row adds."""

import math

import numpy as np

from dqops.errors import OptionError
from dqops.kernels import one_thread
from dqops.kernels.certain import count_predictions
from dqops.kernels.conditional import conditional_predictions
from dqops.kernels.neighbourhoods import squared_distances
from dqops.kernels.possible import possible_predictions
from dqops.models.neighbour_lists import NeighbourLists

# A list may miss the k nearest in worlds of this probability together: the last bits of a sum of probabilities.
_MISSED = 1e-17
_TOLERATED = 1e-14
# Lists where a prediction is still not settled are made this much longer, then as long as they can be.
_LONGER = 8


class KnnWorlds:
    """Exact predictions of k-NN over all worlds, kept up to date while rows are cleaned.

    Rows are independent; each is one of its candidates, with its weight. Neighbours are ordered by distance, then row,
    then candidate; vote ties go to the smallest class. Probabilities are exact up to rounding; whether a prediction is
    possible at all is decided by counting, not by a probability above 0.

    Parameters
    ----------
    points : float64 (n_candidates, n_columns)
        Candidates of all rows, row by row.
    start : int64 (n_rows + 1,)
        Candidates of row ``r`` are those from ``start[r]`` up to ``start[r + 1]``.
    weights : float64 (n_candidates,)
        Above 0; those of one row sum to 1.
    labels : int64 (n_rows,)
        Classes, coded from 0 in sorted order.
    tests : float64 (n_tests, n_columns)
        Holdout rows.
    k : int, default 3
        Neighbours that vote; all rows where there are fewer.
    n_classes : int, optional
    metric : {"euclidean", "cosine"}

    Attributes
    ----------
    probabilities : float64 (n_tests, n_classes)
    possible : bool (n_tests, n_classes)
        Whether some world brings the prediction.

    Notes
    -----
    The first pass costs one matrix product of tests and candidates in single precision and little more; an update
    costs what counting costs for the tests that have the row near.

    References
    ----------
    Karlaš et al. 2021, PVLDB 14(3), Nearest neighbor classifiers over incomplete information. arXiv 2005.05117

    Examples
    --------
    >>> points = np.array([[1.0], [2.0], [8.0], [3.0], [9.0], [4.0], [5.0], [7.0]])
    >>> start, weights = np.array([0, 1, 3, 5, 6, 8]), np.array([1, 0.5, 0.5, 0.5, 0.5, 1, 0.5, 0.5])
    >>> worlds = KnnWorlds(points, start, weights, np.array([1, 0, 0, 1, 0]), np.array([[0.0]]))
    >>> worlds.probabilities.tolist(), worlds.certain.tolist()
    ([[0.25, 0.75]], [False])
    >>> worlds.update(1, [8.0])
    1
    >>> worlds.certain.tolist()
    [True]
    """

    def __init__(self, points, start, weights, labels, tests, *, k=3, n_classes=None, metric="euclidean"):
        if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
            raise OptionError("k", k, "an integer of 1 or more")
        self.n_classes = int(labels.max()) + 1 if n_classes is None else n_classes
        self.k = min(int(k), len(labels))
        self._labels = np.array(labels, dtype=np.int64)
        self._lists = NeighbourLists(points, start, weights, self._labels, tests, k=self.k, metric=metric)
        self._mass = mass_for(self.k, _MISSED)
        self._among = np.bincount(self._labels, minlength=self.n_classes) > 0
        self.probabilities = np.zeros((len(tests), self.n_classes))
        self.possible = np.zeros((len(tests), self.n_classes), dtype=bool)
        self._wide = np.zeros(len(tests), dtype=bool)
        self._drops, self._stale = np.empty(0), np.ones(len(tests), dtype=bool)
        every = np.arange(len(tests))
        self._lists.build(every, self._mass)
        self._count(every, np.broadcast_to(self._among, self.possible.shape))

    @property
    def certain(self):
        """Tests whose prediction is the same in all worlds: bool (n_tests,)."""
        return self.possible.sum(axis=1) == 1

    def entropy(self):
        """Entropy of each prediction in nats: float64 (n_tests,)."""
        return entropies(self.probabilities)

    def expected_entropy(self):
        """Mean entropy of the predictions to expect after a row is cleaned: float64 (n_rows,).

        The row whose value is smallest is the one that CPClean asks for; a row that cannot matter has today's mean.
        Only tests that changed since the last call are worked out again.
        """
        self._renew_drops()
        lists = self._lists
        gain = np.bincount(lists.rows[lists.live], weights=self._drops[lists.live], minlength=len(self._labels))
        return self.entropy().mean() - gain / len(self.possible)

    def most_gain(self):
        """No row lowers the mean entropy by more than this: float64 (n_rows,); costs next to nothing."""
        lists = self._lists
        stake = self.entropy()[lists.owners[lists.live]]
        return np.bincount(lists.rows[lists.live], weights=stake, minlength=len(self._labels)) / len(self.possible)

    def conditional(self, row):
        """Probabilities if `row` were each of its candidates: float64 (n_candidates_of_row, n_tests, n_classes)."""
        lists = self._lists
        first, last = lists.start[row], lists.start[row + 1]
        told = np.repeat(self.probabilities[None], last - first, axis=0)
        listed = lists.holding(row)
        tests = lists.owners[listed]
        open_ones = ~self.certain[tests]
        listed, tests = listed[open_ones], tests[open_ones]
        if not len(tests):
            return told
        part = lists.part(tests)
        inside, beyond = conditional_predictions(part.span, part.places, part.weights, part.row_span, part.kinds, self.k, self.n_classes)
        number = listed - lists.row_span[tests, 0]
        for place, test in enumerate(tests):
            low, high = part.span[place]
            mine = part.places[low:high, 1] == number[place]
            told[:, test] = beyond[part.row_span[place, 0] + number[place]]
            told[part.places[low:high, 0][mine] - first, test] = inside[low:high][mine]
        return told / told.sum(axis=2, keepdims=True)

    def accuracy(self, labels):
        """Accuracy in the worst world's bound, in the mean world, and in the best world's bound.

        Parameters
        ----------
        labels : int64 (n_tests,)
            Classes of the tests; -1 for one that no row has.

        Returns
        -------
        low, expected, high : float
            Every world's accuracy lies between `low` and `high`; `expected` is the mean over worlds.
        """
        known = np.maximum(labels, 0)
        every = np.arange(len(known))
        can = self.possible[every, known] & (labels >= 0)
        right = np.where(labels >= 0, self.probabilities[every, known], 0.0)
        return float((can & self.certain).mean()), float(right.mean()), float(can.mean())

    def update(self, row, value, label=None):
        """Take in that the true features of `row` are `value`; returns how many tests were counted again.

        Parameters
        ----------
        row : int
        value : float64 (n_columns,)
            Need not be one of the candidates.
        label : int, optional
            Its true class, where that is another than was recorded.
        """
        lists = self._lists
        if not isinstance(row, (int, np.integer)) or not 0 <= row < len(self._labels):
            raise OptionError("row", row, f"a row from 0 to {len(self._labels) - 1}")
        value = lists.placed(np.asarray(value, dtype=np.float64).reshape(1, -1))[0]
        foreign = not (lists.points[lists.start[row] : lists.start[row + 1]] == value).all(axis=1).any()
        if label is not None and label != self._labels[row]:
            self._relabel(row, label)
            foreign = True
        with one_thread():
            again = self._follow(row, value, foreign)
            self._stale[again] = True
            self._count(again, np.broadcast_to(self._among, (len(again), self.n_classes)) if foreign else self.possible[again].copy())
        return len(again)

    def _follow(self, row, value, foreign):
        """Write a known row into the lists; tests that have to be counted again, rising."""
        lists = self._lists
        distances = squared_distances(lists.tests, value)
        holders = lists.settle(row, value, distances)
        entered = distances <= lists.limits
        entered[holders] = False
        if entered.any():
            lists.build(np.flatnonzero(entered), self._mass)
        entered[holders if foreign else holders[~self.certain[holders]]] = True
        entered |= self._wide
        return np.flatnonzero(entered)

    def _relabel(self, row, label):
        if not isinstance(label, (int, np.integer)) or not 0 <= label < self.n_classes:
            raise OptionError("label", label, f"a class from 0 to {self.n_classes - 1}")
        self._labels[row] = label
        self._lists.relabel(row, label)
        self._among = np.bincount(self._labels, minlength=self.n_classes) > 0

    def _count(self, tests, bound):
        """Work out predictions of these tests; no other predictions than those of `bound` are possible.

        A list settles what is possible where it reaches far enough, or where it shows all of `bound`. Where it does
        neither, and worlds that reach beyond it have hardly any probability, longer lists decide, and the test is
        counted again at every update; where they have some, the list is made anew.
        """
        if not len(tests):
            return
        lists = self._lists
        lists.trim(tests)
        possible, settled = possible_predictions(lists.span[tests], lists.places, lists.row_span[tests], lists.kinds, self.k, self.n_classes)
        self.possible[tests] = self.probabilities[tests] = possible
        unsure = np.flatnonzero(~settled | (possible.sum(axis=1) > 1))
        self.probabilities[tests[unsure]], left = self._counted(tests[unsure])
        short = np.zeros(len(tests), dtype=bool)
        short[unsure] = left > _TOLERATED
        wide = ~settled & (possible != bound).any(axis=1) & ~short
        self._wide[tests] = wide
        self._settle(tests[wide], self._mass * _LONGER)
        closed = tests[~short & self.certain[tests]]
        self.probabilities[closed] = self.possible[closed]
        if short.any():
            self._lists.build(tests[short], self._mass)
            self._count(tests[short], bound[short])

    def _counted(self, tests):
        """Probabilities of these tests, and the probability that their lists are too short."""
        lists = self._lists
        counted, left = count_predictions(lists.span[tests], lists.places, lists.weights, lists.row_span[tests], lists.kinds, self.k, self.n_classes)
        return counted / np.maximum(counted.sum(axis=1, keepdims=True), _TOLERATED), left

    def _settle(self, tests, mass):
        """Decide what is possible for tests whose lists are too short for that, on longer lists that are not kept."""
        if not len(tests):
            return
        undecided = []
        for some, part in self._lists.made(tests, mass):
            self.possible[some], settled = possible_predictions(part.span, part.places, part.row_span, part.kinds, self.k, self.n_classes)
            undecided.append(some[~settled & (self.possible[some] != self._among).any(axis=1)])
        if np.isfinite(mass):
            self._settle(np.concatenate(undecided), np.inf)

    def _renew_drops(self):
        """Expected fall of entropy for each listed row of the tests that changed."""
        lists = self._lists
        grown = len(lists.rows) - len(self._drops)
        self._drops = np.concatenate([self._drops, np.zeros(grown)])
        tests = np.flatnonzero(self._stale)
        self._stale[:] = False
        self._drops[lists.part(tests).listed] = 0.0
        tests = tests[~self.certain[tests]]
        if not len(tests):
            return
        part = lists.part(tests)
        inside, beyond = conditional_predictions(part.span, part.places, part.weights, part.row_span, part.kinds, self.k, self.n_classes)
        owner = np.repeat(part.row_span[:, 0], part.span[:, 1] - part.span[:, 0]) + part.places[:, 1]
        held = np.bincount(owner, weights=part.weights, minlength=len(part.rows))
        expected = np.bincount(owner, weights=part.weights * entropies(inside), minlength=len(part.rows))
        expected += np.maximum(1 - held, 0) * entropies(beyond)
        today = np.repeat(self.entropy()[tests], part.row_span[:, 1] - part.row_span[:, 0])
        self._drops[part.listed] = today - expected


def entropies(probabilities):
    """Entropy of each line in nats; lines are divided by their sums, a line of zeros has none.

    >>> entropies(np.array([[0.5, 0.5], [1.0, 0.0]])).round(4).tolist()
    [0.6931, 0.0]
    """
    shares = probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return -(shares * logs).sum(axis=1) + 0.0


def mass_for(k, chance):
    """Weight of candidates within a distance that leaves fewer than `k` rows there with at most this probability.

    Chernoff's bound for a sum of independent rows: with weight L, exp(k - 1 - L) (L / (k - 1)) ** (k - 1).

    >>> round(mass_for(1, 1e-17), 2)
    39.14
    """
    others = k - 1
    low, high = float(max(others, 1)), 40.0 * (others + 2) - math.log(chance)
    for _ in range(100):
        middle = (low + high) / 2
        bound = middle - others - (others * math.log(middle / others) if others else 0.0)
        low, high = (middle, high) if bound < -math.log(chance) else (low, middle)
    return high

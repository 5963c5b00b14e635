"""Mean losses of near neighbours over nested subsets, and what each row weighs in them, kept while labels change."""

from functools import cached_property

import numpy as np

CLASSES, SQUARES, DISTANCES = "classes", "squares", "distances"


def losses(measure, own, near):
    """What near rows miss a row by, float64 (...,).

    Parameters
    ----------
    measure : {"classes", "squares", "distances"}
        Whether most of the neighbours have another class; half the squared, or half the absolute difference from
        the nearest: its mean tends to the variance of the noise, or to a lower bound of the mean absolute noise.
    own : array (...,)
    near : array (..., k)

    Examples
    --------
    >>> losses("classes", np.array([0, 0]), np.array([[0, 1, 1], [0, 0, 2]])).tolist()
    [1.0, 0.0]
    >>> losses("squares", np.array([1.0]), np.array([[3.0]])).tolist()
    [2.0]
    """
    if measure == CLASSES:
        return (2 * (near != own[..., None]).sum(axis=-1) > near.shape[-1]).astype(np.float64)
    apart = own - near[..., 0]
    return apart**2 / 2 if measure == SQUARES else np.abs(apart) / 2


class Tally:
    """Sums over pairs of a judged row and a subset, by the level of the subset.

    A row weighs in a mean by its own loss and by what its neighbours' losses would be without it (the jackknife):
    the squares of these weights add up to the variance of the mean, rather too much than too little (Efron, Stein
    1981, Annals of Statistics 9(3), doi:10.1214/aos/1176345462).

    Parameters
    ----------
    rows : int32 (n_judged, n_subsets, k + 1)
        Neighbours; the last one stands in where another is left out.
    judged : int64 (n_judged,)
    widths : tuple of int
        Subsets of each level.
    labels : array (n,)
        Not copied: whoever changes them calls `take_out` before and `put_back` after.
    measure : str
    k : int
    """

    def __init__(self, rows, judged, widths, labels, measure, k):
        n_subsets = rows.shape[1]
        self.k, self.measure, self.labels, self.n_subsets = k, measure, labels, n_subsets
        self.rows, self.judged = rows.reshape(-1, rows.shape[2])[:, : k + 1], judged
        self.levels = np.repeat(np.arange(len(widths)), widths)
        self.shares = 1 / np.asarray(widths, dtype=np.float64)[self.levels]
        self.weights = np.zeros((len(labels), len(widths)))
        self.totals = np.zeros(len(widths))
        self._add(np.arange(len(self.rows)), 1.0)
        self.is_judged = np.zeros(len(labels), dtype=bool)
        self.is_judged[judged] = True
        self.products = self.weights.T @ self.weights
        self.sums = self.weights[judged].sum(axis=0)

    @property
    def means(self):
        """Mean loss by level, float64 (L,)."""
        return self.totals / len(self.judged)

    @property
    def covariance(self):
        """Of the mean losses, float64 (L, L)."""
        count, mean = len(self.judged), self.means
        cross = np.outer(mean, self.sums)
        return (self.products + cross + cross.T + count * np.outer(mean, mean)) / count**2

    def take_out(self, positions):
        """Take what hangs on the labels of these rows out of the sums; the pairs, for `put_back` once they changed."""
        pairs = np.unique(np.concatenate([self._listing(positions), self._own(positions)]))
        self._count(self._nodes(pairs), -1.0)
        self._add(pairs, -1.0)
        return pairs

    def put_back(self, pairs):
        """Put these pairs into the sums, with the labels that stand now."""
        self._add(pairs, 1.0)
        self._count(self._nodes(pairs), 1.0)

    def _nodes(self, pairs):
        return np.unique(np.concatenate([self._home(pairs), self.rows[pairs].ravel()]))

    def _add(self, pairs, sign):
        """Put the losses of these pairs into the sums, or take them out."""
        near, home = self.rows[pairs], self._home(pairs)
        own, others = self.labels[home], self.labels[near]
        level, share = self.levels[pairs % self.n_subsets], sign * self.shares[pairs % self.n_subsets]
        lost = losses(self.measure, own, others[:, : self.k])
        n_levels = len(self.totals)
        self.totals += np.bincount(level, lost * share, n_levels)
        _add_at(self.weights, home, level, -lost * share)
        for rank in range(self.k):
            without = losses(self.measure, own, np.delete(others, rank, axis=1))
            _add_at(self.weights, near[:, rank], level, (without - lost) * share)

    def _count(self, nodes, sign):
        held = self.weights[nodes]
        self.products += sign * held.T @ held
        self.sums += sign * held[self.is_judged[nodes]].sum(axis=0)

    def _home(self, pairs):
        return self.judged[pairs // self.n_subsets]

    def _listing(self, positions):
        """Pairs in which one of the rows is a neighbour."""
        order, starts = self._lists
        return np.concatenate([order[starts[one] : starts[one + 1]] for one in positions]) // self.rows.shape[1]

    def _own(self, positions):
        """Pairs of these rows as judged ones."""
        place = self._place[positions]
        return (place[place >= 0][:, None] * self.n_subsets + np.arange(self.n_subsets)).ravel()

    @cached_property
    def _lists(self):
        flat = self.rows.ravel()
        return np.argsort(flat, kind="stable"), np.searchsorted(np.sort(flat), np.arange(len(self.labels) + 1))

    @cached_property
    def _place(self):
        place = np.full(len(self.labels), -1, dtype=np.int64)
        place[self.judged] = np.arange(len(self.judged))
        return place


def _add_at(weights, rows, levels, values):
    """Add values at (row, level): all at once where they are many, one by one where few."""
    if len(values) > len(weights):
        flat = np.bincount(rows.astype(np.int64) * weights.shape[1] + levels, values, weights.size)
        weights += flat.reshape(weights.shape)
    else:
        np.add.at(weights, (rows, levels), values)

"""Sampling of semivalues: permutations and subsets, their weights, and running sums in two halves."""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy.special import betaln, gammaln

from dqops.parallel import map_blocks
from dqops.seeds import stream

# Positions of a permutation that have less than this share of all weight after them are not walked to.
_IGNORED = 1e-6
# Scores must have come close to that of all rows this many times in a row: once may be chance.
_PATIENCE = 3


def semivalue_weights(n_rows, kind, shape=(1.0, 1.0)):
    """Share of each subset size in a semivalue: float64 (n,), entry j for subsets of j other rows; sums to 1.

    Parameters
    ----------
    n_rows : int
    kind : {"shapley", "banzhaf", "beta", "loo"}
    shape : (float, float)
        Of "beta": (1, 1) is Shapley, a larger first number favours small subsets.

    References
    ----------
    Kwon, Zou 2022, AISTATS. arXiv:2110.14049

    Examples
    --------
    >>> semivalue_weights(3, "banzhaf").round(6).tolist()
    [0.25, 0.5, 0.25]
    """
    size = np.arange(n_rows, dtype=np.float64)
    choose = gammaln(n_rows) - gammaln(size + 1) - gammaln(n_rows - size)
    if kind == "shapley":
        return np.full(n_rows, 1 / n_rows)
    if kind == "loo":
        return (size == n_rows - 1).astype(np.float64)
    if kind == "banzhaf":
        weights = np.exp(choose - (n_rows - 1) * np.log(2))
    else:
        first, second = shape
        weights = np.exp(choose + betaln(size + second, n_rows - 1 - size + first) - betaln(first, second))
    return weights / weights.sum()


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums of what was observed of each row, in two halves: samples of even and of odd number.

    Parameters
    ----------
    count, total, squares : float64 (2, n)
    """

    count: np.ndarray
    total: np.ndarray
    squares: np.ndarray

    @classmethod
    def empty(cls, n_rows):
        return cls(*np.zeros((3, 2, n_rows)))

    def add(self, half, observed, seen):
        """Count what was observed in one sample: float64 (n,); rows that are not `seen` had no part in it."""
        self.count[half] += seen
        self.total[half] += np.where(seen, observed, 0.0)
        self.squares[half] += np.where(seen, observed, 0.0) ** 2

    def mean(self, half=None):
        count, total, _ = self._sums(half)
        with np.errstate(divide="ignore", invalid="ignore"):
            return total / count

    def variance_of_mean(self):
        """Squared standard error of each mean; infinite where there are fewer than two observations."""
        count, total, squares = self._sums(None)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.maximum(squares - total**2 / count, 0.0) / (count - 1)
            return np.where(count > 1, spread / count, np.inf)

    def _sums(self, half):
        sums = self.count, self.total, self.squares
        return [one.sum(axis=0) if half is None else one[half] for one in sums]


@dataclass(frozen=True, eq=False)
class Permutations:
    """Marginals along random arrivals of the rows; each arrival is walked in both directions.

    Parameters
    ----------
    utility : callable
        (utility, how it came about) of row positions, with an attribute `null`.
    n_rows : int
    weights : float64 (n,)
        See `semivalue_weights`.
    full : float
        Utility of all rows.
    truncation : float
        A walk ends once the utility was this close to `full` three times in a row; 0 for never.
    seed : int
    """

    utility: object
    n_rows: int
    weights: np.ndarray
    full: float
    truncation: float
    seed: int
    tally: Tally = field(init=False)
    ignored: np.ndarray = field(init=False)
    batch = 8

    def __post_init__(self):
        object.__setattr__(self, "tally", Tally.empty(self.n_rows))
        object.__setattr__(self, "ignored", np.zeros((2, self.n_rows)))

    @property
    def trainings(self):
        """Most trainings of a sample."""
        return 2 * max(self.n_rows - 1, 1)

    def take(self, samples, n_jobs):
        """Walk pairs of these numbers; how often a subset was trained, degenerate or failed, int64 (3,)."""
        counts = np.zeros(3, dtype=np.int64)
        work = partial(_walked_pair, replace(self))
        for sample, (marginals, ignored, how) in zip(samples, map_blocks(work, samples, n_jobs=n_jobs, prefer="processes"), strict=True):
            self.tally.add(sample % 2, marginals, np.ones(self.n_rows, dtype=bool))
            self.ignored[:] += ignored
            counts += how
        return counts

    def value(self, half=None):
        return self.tally.mean(half)

    def stderr(self):
        return np.sqrt(self.tally.variance_of_mean())

    def loose(self, n_samples):
        """Share of a row's weight that was taken for nothing, at most; share of all marginals."""
        walked = max(2 * n_samples, 1)
        return float(self.ignored[0].max() / walked), float(self.ignored[1].mean() / walked)


def _walked_pair(plan, pair):
    """Mean weighted marginal of each row over a permutation and its reverse, what was ignored, and counts."""
    order = stream(plan.seed, f"permutation:{pair}").permutation(plan.n_rows)
    marginals, ignored, counts = np.zeros(plan.n_rows), np.zeros((2, plan.n_rows)), np.zeros(3, dtype=np.int64)
    for arrival in (order, order[::-1]):
        _walk(plan, arrival, marginals, ignored, counts)
    return marginals / 2, ignored, counts


def _walk(plan, order, marginals, ignored, counts):
    scale = plan.n_rows * plan.weights
    last = plan.n_rows - np.searchsorted(np.cumsum(plan.weights[::-1]), _IGNORED)
    before, close = plan.utility.null, 0
    for place in range(last):
        after = plan.full
        if place < plan.n_rows - 1:
            after, how = plan.utility(np.sort(order[: place + 1]))
            counts[how] += 1
        marginals[order[place]] += scale[place] * (after - before)
        before = after
        close = close + 1 if abs(plan.full - after) < plan.truncation else 0
        if close >= _PATIENCE:
            rest = order[place + 1 : last]
            ignored[0, rest] += scale[place + 1 : last]
            ignored[1, rest] += 1
            return


@dataclass(frozen=True, eq=False)
class Subsets:
    """Utilities of random subsets, each of which serves every row: mean with the row less mean without it.

    Parameters
    ----------
    utility : callable
    n_rows : int
    seed : int

    References
    ----------
    Wang, Jia 2023, AISTATS (maximum sample reuse). arXiv:2205.15466
    """

    utility: object
    n_rows: int
    seed: int
    within: Tally = field(init=False)
    without: Tally = field(init=False)
    batch = 64
    trainings = 1

    def __post_init__(self):
        object.__setattr__(self, "within", Tally.empty(self.n_rows))
        object.__setattr__(self, "without", Tally.empty(self.n_rows))

    def take(self, samples, n_jobs):
        """Train on subsets of these numbers; how often one was trained, degenerate or failed, int64 (3,)."""
        counts = np.zeros(3, dtype=np.int64)
        blocks = [samples[start : start + 8] for start in range(0, len(samples), 8)]
        found = map_blocks(partial(_subset_utilities, self.utility, self.n_rows, self.seed), blocks, n_jobs=n_jobs, prefer="processes")
        for sample, (worth, how) in zip(samples, (one for block in found for one in block), strict=True):
            inside = _subset(self.n_rows, self.seed, sample)
            self.within.add(sample % 2, worth, inside)
            self.without.add(sample % 2, worth, ~inside)
            counts[how] += 1
        return counts

    def value(self, half=None):
        return self.within.mean(half) - self.without.mean(half)

    def stderr(self):
        return np.sqrt(self.within.variance_of_mean() + self.without.variance_of_mean())

    def loose(self, n_samples):
        """Nothing is ignored."""
        return 0.0, 0.0


def _subset(n_rows, seed, sample):
    return stream(seed, f"subset:{sample}").random(n_rows) < 0.5


def _subset_utilities(utility, n_rows, seed, samples):
    return [utility(np.flatnonzero(_subset(n_rows, seed, sample))) for sample in samples]


def left_out(utility, n_rows, full, n_jobs):
    """Utility of all rows less that without each row, float64 (n,), and counts as the samplers give them."""
    found = map_blocks(partial(_without, utility, n_rows), range(n_rows), n_jobs=n_jobs, prefer="processes")
    counts = np.bincount([how for _, how in found], minlength=3)
    return full - np.array([worth for worth, _ in found]), counts


def _without(utility, n_rows, row):
    return utility(np.delete(np.arange(n_rows), row))

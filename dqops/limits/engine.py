"""What near neighbours say of the least error, following each cleaned label without a new search."""

from dataclasses import dataclass

import numpy as np

from dqops.limits.asymptotics import cover_hart, vote_bound, vote_error
from dqops.limits.curve import POWERS, Curve, Nugget, nugget
from dqops.limits.tally import CLASSES, SQUARES, Tally


@dataclass(frozen=True, eq=False)
class LeastError:
    """The least error that near neighbours allow.

    Parameters
    ----------
    low : float
        Lower limit.
    expected : float
        The same bound without regard to chance.
    curve : Curve
        The one that gave the limit.
    nugget : Nugget
    """

    low: float
    expected: float
    curve: Curve
    nugget: Nugget


class Engine:
    """Near neighbours of each judged row; a cleaned label touches the rows beside it and no others.

    Which embedding a row is judged in is decided by the other half of the rows, so that the choice does not flatter
    itself.

    Parameters
    ----------
    candidates : list of Lists
        One an embedding, for the same judged rows; each holds one neighbour more than the most votes.
    labels : int64 or float64 (n,)
        Class codes, or numbers.
    known, judged : int64
        Rows that may be neighbours, and rows that are judged.
    half : bool (n_judged,)
    measure : {"classes", "squares", "distances"}
    votes : tuple of int
        Numbers of neighbours that vote.
    n_classes : int
        Classes among the rows that are judged.
    share : float
        Share of all rows that these are: on the others any model may be right.
    """

    def __init__(self, candidates, labels, known, judged, half, measure, votes, n_classes=2, share=1.0):
        self.candidates, self.known, self.judged, self.half = candidates, known, judged, half
        self.labels, self.measure, self.votes = labels.copy(), measure, votes
        self.n_classes, self.share = n_classes, share
        self.firsts = [self._halves(one.rows[:, :1, :2]) for one in candidates]
        self._compose()

    @property
    def chosen(self):
        """Names of the embeddings in use, one or two."""
        return tuple(dict.fromkeys(self.candidates[one].name for one in self.choice))

    def curves(self):
        """A `Curve` for each number of votes."""
        return [
            Curve(tally.k, self.candidates[0].sizes, tally.means, self._covariance(tally), near, self._chance(tally.k))
            for tally, near in zip(self.tallies, self.closeness, strict=True)
        ]

    def least(self, reach):
        """`LeastError`: the best bound that any number of votes gives.

        Parameters
        ----------
        reach : callable
            ``reach(share)``: standard errors for a one-sided interval that gets this share of the risk.
        """
        found = [(curve, nugget(curve, reach(1 / len(self.votes)))) for curve in self.curves()]
        bounds = [LeastError(self._bound(one.low, curve.k), self._bound(one.expected, curve.k), curve, one) for curve, one in found]
        return max(bounds, key=lambda bound: (bound.low, bound.expected))

    def relabel(self, positions, labels):
        """Write cleaned labels; the work grows with their number, not with the table.

        Parameters
        ----------
        positions : int64 (m,)
            Distinct.
        labels : array (m,)
        """
        tallies = [*(one for halves in self.firsts for one in halves), *self.tallies]
        touched = [tally.take_out(positions) for tally in tallies]
        self.labels[positions] = labels
        for tally, pairs in zip(tallies, touched, strict=True):
            tally.put_back(pairs)
        if self._choice() != self.choice:
            self._compose()

    def _halves(self, nearest):
        """The loss of single neighbours among the rows of each half."""
        return [Tally(nearest[part], self.judged[part], (1,), self.labels, self.measure, 1) for part in (self.half, ~self.half)]

    def _choice(self):
        """Which candidate serves the first half and which the other: the one that is best in the other."""
        means = np.array([[tally.means[0] for tally in halves] for halves in self.firsts])
        first, second = means.argmin(axis=0)
        return int(second), int(first)

    def _compose(self):
        """The lists of the chosen embeddings, half by half, and what they add up to."""
        self.choice = self._choice()
        in_first, in_second = (self.candidates[one] for one in self.choice)
        rows = np.where(self.half[:, None, None], in_first.rows, in_second.rows)
        near = np.where(self.half[:, None, None], in_first.closeness, in_second.closeness)
        widths = in_first.widths
        self.tallies = [Tally(rows, self.judged, widths, self.labels, self.measure, k) for k in self.votes]
        self.closeness = [_mean_closeness(near[:, :, :k], widths) for k in self.votes]

    def _chance(self, k):
        """Loss of `k` neighbours that know nothing."""
        if self.measure != CLASSES:
            return _random_loss(self.labels[self.known], self.measure)
        held = np.unique(self.labels[self.known], return_counts=True)[1]
        shares = held / held.sum()
        return float(1 - (shares**2).sum()) if k == 1 else float(vote_error(min(shares.min(), 1 - shares.max()), k))

    def _bound(self, loss, k):
        """Least error where neighbours, were there rows without end, lose so much."""
        if self.measure != CLASSES:
            return loss
        return self.share * (vote_bound(loss, k) if self.n_classes == 2 else float(cover_hart(loss, self.n_classes)))

    def _covariance(self, tally):
        """That of the tally; a share of few rows, or of none, is no surer than two more rows of each kind would make it."""
        found, count = tally.covariance, len(self.judged)
        if self.measure != CLASSES:
            return found
        share = (tally.totals[0] + 2) / (count + 4)
        return found + max(0.0, share * (1 - share) / count - found[0, 0])


def _mean_closeness(near, widths):
    """Mean closeness to each of `POWERS`, by level."""
    ends = np.cumsum(widths)
    levels = [near[:, end - width : end].astype(np.float64) for end, width in zip(ends, widths, strict=True)]
    return np.array([[float((level**power).mean()) for power in POWERS] for level in levels])


def _random_loss(numbers, measure):
    """Mean loss between two random rows."""
    if measure == SQUARES:
        return float(numbers.var(ddof=1))
    ordered, count = np.sort(numbers), len(numbers)
    return float(((2 * np.arange(count) - count + 1) * ordered).sum() / (count * (count - 1)))

"""When enough subsets were sampled: a stated error, halves that agree, a set that stands apart, or the budget."""

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy.stats import rankdata, t


@dataclass(frozen=True)
class Stopping:
    """Rules that end sampling; each is asked after every batch, in this order.

    Parameters
    ----------
    max_stderr : float or None
        Largest standard error that any value may have.
    agreement : float or None
        Spearman correlation that values from two independent halves must have.
    top : int or None
        How many rows of most value, or of least where negative, must be separated from the others.
    confidence : float
        Of the separation, for all rows at once.
    """

    max_stderr: float | None = None
    agreement: float | None = None
    top: int | None = None
    confidence: float = 0.95

    def reached(self, sampler, n_samples):
        """Name of the rule that is met, or nothing."""
        value, stderr = sampler.value(), sampler.stderr()
        if self.max_stderr is not None and stderr.max() <= self.max_stderr:
            return "max_stderr"
        if self.agreement is not None and agreement_of(sampler) >= self.agreement:
            return "agreement"
        if self.top is not None and is_separated(value, stderr, self.top, self.confidence, n_samples):
            return "top"
        return ""


def agreement_of(sampler):
    """Spearman correlation of values from the two halves of the samples; NaN where a half has no order."""
    ranks = [rankdata(sampler.value(half)) for half in (0, 1)]
    centred = [one - one.mean() for one in ranks]
    norms = [float(np.sqrt((one**2).sum())) for one in centred]
    return float(centred[0] @ centred[1] / (norms[0] * norms[1])) if min(norms) > 0 else nan


def is_separated(value, stderr, top, confidence, n_samples):
    """Is the lowest lower bound of the set above the highest upper bound of the others, for all rows at once?

    Parameters
    ----------
    value, stderr : float64 (n,)
    top : int
        Rows of most value, or of least where negative.
    confidence : float
    n_samples : int
        2 or more.

    Examples
    --------
    >>> is_separated(np.array([0.5, 0.1, 0.0]), np.full(3, 0.01), 1, 0.95, 50)
    True
    """
    sign = 1 if top > 0 else -1
    order = np.argsort(-sign * value, kind="stable")
    reach = t.ppf(1 - (1 - confidence) / len(value), n_samples - 1) * stderr
    inside, outside = order[: abs(top)], order[abs(top) :]
    return bool((sign * value - reach)[inside].min() > (sign * value + reach)[outside].max())

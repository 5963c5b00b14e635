"""Chances of two usual distributions, without the second that SciPy's special functions take to import."""

from math import erfc, exp, lgamma, log, sqrt
from statistics import NormalDist

import numpy as np

_NORMAL = NormalDist()


def chi_square_beyond(freedom, statistic):
    """Chance that chi square is as high or higher.

    The finite sums for whole degrees of freedom: Abramowitz and Stegun 1964, Handbook of Mathematical Functions,
    26.4.4 and 26.4.5.

    Parameters
    ----------
    freedom : int
    statistic : float

    Examples
    --------
    >>> round(chi_square_beyond(1, 3.841459), 4), round(chi_square_beyond(4, 9.487729), 4)
    (0.05, 0.05)
    """
    half = statistic / 2
    if not half > 0:
        return 1.0
    first = 0.5 if freedom % 2 else 0.0
    chance = erfc(sqrt(half)) if freedom % 2 else 0.0
    powers = first + np.arange((freedom + (0 if first else 1)) // 2)
    chance += sum(exp(power * log(half) - half - lgamma(power + 1)) for power in powers.tolist())
    return min(1.0, chance)


def normal_quantiles(shares):
    """Standard normal quantiles of shares between 0 and 1.

    >>> normal_quantiles([0.5, 0.975]).round(2).tolist()
    [0.0, 1.96]
    """
    return np.array([_NORMAL.inv_cdf(share) for share in np.asarray(shares).tolist()])

"""Intervals for score differences that share training rows, and many gains at once."""

import numpy as np
from scipy import stats

from dqops.results.gain import Estimate


def paired_interval(differences, test_share, *, level=0.9, floor=0.0):
    """Mean of paired score differences with the corrected resampled t interval.

    Parameters
    ----------
    differences : float64 (J,)
        Score after minus score before, on the same split and holdout rows; J >= 2.
    test_share : float
        Rows judged over rows trained on, such as 1/4 for five folds.
    level : float
        Coverage, in (0, 1).
    floor : float
        Least standard error, for differences that are all equal.

    Returns
    -------
    Estimate

    Notes
    -----
    Var(mean) = (1/J + test_share) S², t with J - 1 degrees of freedom; the second term pays for the overlap of
    training sets. Heuristic and mildly conservative.

    References
    ----------
    Nadeau, Bengio 2003, Machine Learning 52. doi:10.1023/A:1024068626366

    Examples
    --------
    >>> d = [.01, .03, .02, -.01, .04, .02, .00, .03, .01, .02]
    >>> print(paired_interval(d, 1 / 9))
    +0.017 [+0.004, +0.030]
    """
    differences = np.asarray(differences, dtype=np.float64)
    error = max(paired_error(differences, test_share), floor)
    reach = stats.t.ppf((1 + level) / 2, max(len(differences) - 1, 1)) * error
    mean = float(differences.mean())
    return Estimate(mean, mean - reach, mean + reach, level)


def paired_error(differences, test_share):
    """Corrected standard error of the mean difference; infinite for fewer than two differences."""
    differences = np.asarray(differences, dtype=np.float64)
    if len(differences) < 2:
        return float("inf")
    return float(np.sqrt((1 / len(differences) + test_share) * differences.var(ddof=1)))


def shrink(gains, errors):
    """Gains pulled towards zero by how much of their spread is noise, so that the best is not the luckiest.

    Parameters
    ----------
    gains, errors : float64 (G,)
        Estimates and their standard errors.

    Returns
    -------
    float64 (G,)

    Examples
    --------
    >>> shrink([0.10, 0.0, 0.01], [0.001, 0.05, 0.001]).round(3).tolist()
    [0.1, 0.0, 0.01]
    """
    gains, errors = np.asarray(gains, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    finite = np.isfinite(errors)
    if finite.sum() < 2:
        return gains
    # Around zero, not around their mean: most dirt costs nothing.
    spread = max(float(np.mean(gains[finite] ** 2) - np.mean(np.minimum(errors[finite] ** 2, gains[finite] ** 2))), 1e-12)
    return np.where(finite, gains * spread / (spread + np.where(finite, errors, 0) ** 2), 0.0)


def surely_positive(gains, errors, freedoms, *, share=0.1):
    """Which gains are above zero, with at most `share` of false ones among them in expectation.

    References
    ----------
    Benjamini, Hochberg 1995, JRSS B 57(1).

    Examples
    --------
    >>> surely_positive([0.1, 0.001], [0.01, 0.01], [9, 9]).tolist()
    [True, False]
    """
    gains, errors = np.asarray(gains, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if not len(gains):
        return np.zeros(0, dtype=bool)
    odds = np.divide(gains, errors, out=np.where(gains > 0, np.inf, 0.0), where=errors > 0)
    chances = stats.t.sf(odds, np.maximum(freedoms, 1))
    return stats.false_discovery_control(chances) <= share

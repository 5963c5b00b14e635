"""Intervals for score differences that share training rows, and many gains at once."""

import numpy as np
from scipy import special

from dqops.results.gain import Estimate

_PRIOR = (0.5, 6.0)  # fewest and most splits that the usual spread counts for


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
    reach = special.stdtrit(max(len(differences) - 1, 1), (1 + level) / 2) * error
    mean = float(differences.mean())
    return Estimate(mean, mean - reach, mean + reach, level)


def moderated_intervals(groups, test_share, *, level=0.9, floor=0.0):
    """Intervals for many findings at once: those heard on few splits borrow the spread of the others.

    Each variance is drawn towards a usual one, as if that had been seen on `prior` further splits; both are
    estimated from all groups together, so that findings that are unlike in spread borrow little.

    Parameters
    ----------
    groups : list of float64 (J_g,)
        Paired differences of each finding; J_g >= 1.
    test_share, level : float
        As in `paired_interval`.
    floor : float
        Effect of one flipped prediction on a split: splits that all agree are no surer than if one of them had had one.

    Returns
    -------
    list of Estimate

    References
    ----------
    Smyth 2004, Statistical Applications in Genetics and Molecular Biology 3(1), section 6.2.
    doi:10.2202/1544-6115.1027

    Examples
    --------
    >>> few, many = [0.01, 0.03], [0.02, 0.00, 0.01, 0.03, 0.02]
    >>> [str(one) for one in moderated_intervals([few, many], 0.25)]
    ['+0.020 [-0.007, +0.047]', '+0.016 [-0.002, +0.034]']
    """
    groups = [np.asarray(one, dtype=np.float64) for one in groups]
    usual, prior = usual_spread([one for one in groups if len(one) > 1 and one.any()])
    estimates = []
    for seen in groups:
        mean, count = float(seen.mean()), len(seen)
        own = seen.var(ddof=1) if count > 1 else 0.0
        spread = (prior * usual + (count - 1) * own) / (prior + count - 1)
        error = np.sqrt((1 / count + test_share) * max(spread, floor**2 / count))
        reach = float(special.stdtrit(prior + count - 1, (1 + level) / 2) * error)
        estimates.append(Estimate(mean, mean - reach, mean + reach, level))
    return estimates


def usual_spread(groups):
    """Usual variance of the groups, and how many splits it counts for: few where their variances differ much.

    Parameters
    ----------
    groups : list of float64 (J_g,)
        Two or more differences each, not all zero.

    Returns
    -------
    float, float
        Variance, and degrees of freedom in [0.5, 6].

    Examples
    --------
    >>> alike = [[0.0, 0.02], [0.01, 0.03], [0.05, 0.03]]
    >>> variance, prior = usual_spread(alike)
    >>> prior
    6.0
    """
    known = [(np.var(one, ddof=1), len(one) - 1) for one in groups]
    known = [(variance, freedom) for variance, freedom in known if variance > 0]
    if not known:
        return 0.0, _PRIOR[0]
    halves = np.array([freedom / 2 for _, freedom in known])
    logs = np.log([variance for variance, _ in known]) - special.digamma(halves) + np.log(halves)
    excess = logs.var(ddof=1) - special.polygamma(1, halves).mean() if len(logs) > 1 else np.inf
    prior = _PRIOR[1]
    if excess > 0:
        grid = np.geomspace(*_PRIOR, 200)
        prior = float(grid[np.argmin(np.abs(special.polygamma(1, grid / 2) - excess))])
    return float(np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2))), float(prior)


def paired_error(differences, test_share):
    """Corrected standard error of the mean difference; infinite for fewer than two differences."""
    differences = np.asarray(differences, dtype=np.float64)
    if len(differences) < 2:
        return float("inf")
    return float(np.sqrt((1 / len(differences) + test_share) * differences.var(ddof=1)))


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
    chances = special.stdtr(np.maximum(freedoms, 1), -odds)
    order = np.argsort(chances, kind="stable")
    passed = np.flatnonzero(chances[order] <= share * np.arange(1, len(order) + 1) / len(order))
    called = np.zeros(len(gains), dtype=bool)
    called[order[: passed[-1] + 1 if len(passed) else 0]] = True
    return called

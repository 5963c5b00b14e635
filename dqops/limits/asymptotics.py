"""From the error of near neighbours, were there rows without end, to the error that no model can pass."""

from functools import cache

import numpy as np
from scipy import special
from scipy.optimize import brentq


def cover_hart(error, n_classes):
    """Least Bayes error that is possible where one nearest neighbour errs that often.

    Parameters
    ----------
    error : float or float64 array
        Asymptotic error of the nearest neighbour, in [0, 1]; more than chance counts as chance.
    n_classes : int
        2 or more.

    Notes
    -----
    ``L(e, C) = e / (1 + sqrt(1 - C e / (C - 1)))``; it rises with e, and e itself is the largest possible.

    References
    ----------
    Cover, Hart 1967, IEEE Transactions on Information Theory 13(1). doi:10.1109/TIT.1967.1053964

    Examples
    --------
    >>> [round(float(cover_hart(e, c)), 4) for e, c in ((0.2, 2), (0.1007, 10), (0.4518, 5))]
    [0.1127, 0.0518, 0.2722]
    """
    chance = (n_classes - 1) / n_classes
    error = np.clip(error, 0.0, chance)
    return error / (1 + np.sqrt(np.maximum(0.0, 1 - error / chance)))


def vote_error(wrong, k):
    """Error of `k` neighbours' vote where each class but the likelier of two has probability `wrong`.

    Parameters
    ----------
    wrong : float or float64 array
        In [0, 1/2].
    k : int
        Odd.

    Examples
    --------
    >>> round(float(vote_error(0.2, 1)), 3), round(float(vote_error(0.2, 3)), 4)
    (0.32, 0.2624)
    """
    wrong = np.asarray(wrong, dtype=np.float64)
    most = (k + 1) // 2
    outvoted = special.betainc(most, k - most + 1, wrong)  # P(Binomial(k, wrong) >= most)
    return wrong + (1 - 2 * wrong) * outvoted


@cache
def tangent_point(k):
    """Where the line from the origin touches `vote_error`: (wrong, slope of the line).

    >>> [tuple(round(one, 4) for one in tangent_point(k)) for k in (3, 5)]
    [(0.2257, 1.3156), (0.2955, 1.2175)]
    """
    most = (k + 1) // 2

    def above(wrong):
        """How far the tangent at this point passes above the origin."""
        outvoted = special.betainc(most, k - most + 1, wrong)
        density = wrong ** (most - 1) * (1 - wrong) ** (k - most) / special.beta(most, k - most + 1)
        return float(vote_error(wrong, k) - wrong * (1 - 2 * outvoted + (1 - 2 * wrong) * density))

    point = float(brentq(above, 0.05, 0.499, xtol=1e-13))
    return point, float(vote_error(point, k) / point)


def vote_bound(error, k):
    """Least Bayes error of two classes where a vote of `k` neighbours errs that often.

    Parameters
    ----------
    error : float
        Asymptotic error of the vote; more than 1/2 counts as 1/2.
    k : int
        Odd.

    Notes
    -----
    The vote errs in expectation at most as the concave envelope of `vote_error` at the Bayes error (Jensen): a line
    up to the tangent point, then `vote_error` itself. The envelope is inverted.

    References
    ----------
    Devroye, Györfi, Lugosi 1996, A Probabilistic Theory of Pattern Recognition, chapter 5.

    Examples
    --------
    >>> round(vote_bound(0.2, 3), 4), round(vote_bound(0.2, 1), 4)
    (0.152, 0.1127)
    """
    if k == 1:
        return float(cover_hart(error, 2))
    point, slope = tangent_point(k)
    if error <= slope * point:
        return max(float(error), 0.0) / slope
    if error >= 0.5:
        return 0.5
    return float(brentq(lambda wrong: vote_error(wrong, k) - error, point, 0.5, xtol=1e-12))


def spanning_tree_bounds(share, n_classes):
    """Least and largest Bayes error by the minimum spanning tree: a second opinion.

    Parameters
    ----------
    share : float
        Share of the tree's edges that join different classes.
    n_classes : int

    Notes
    -----
    The share estimates what the error of the nearest neighbour does, from all rows at once, so this is no
    independent witness.

    References
    ----------
    Sekeh, Oselio, Hero 2020, IEEE Transactions on Signal Processing 68. arXiv:1811.06419

    Examples
    --------
    >>> tuple(round(one, 4) for one in spanning_tree_bounds(0.2, 2))
    (0.1127, 0.2)
    """
    chance = (n_classes - 1) / n_classes
    return float(chance * (1 - np.sqrt(max(0.0, 1 - share / chance)))), float(share)

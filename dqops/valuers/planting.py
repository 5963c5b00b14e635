"""Twins of a table with errors that are known since we planted them, and what is learned from them."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

_SUREST = 1e-5
_PENALTY = 1.0


def planted(posterior, noise, known, rng):
    """True labels drawn from what was found, and given ones drawn from the noise.

    Parameters
    ----------
    posterior : float64 (n, C)
        Probability of each true label.
    noise : float64 (C, C)
        ``P(given | true)``.
    known : bool (n,)
        Rows that keep their label.
    rng : numpy.random.Generator

    Returns
    -------
    true, given : int64 (n,)
    """
    true = _drawn(posterior, rng.random(len(posterior)))
    given = _drawn(noise[true], rng.random(len(posterior)))
    return true, np.where(known, true, given)


def log_odds(chances):
    """Log odds, finite for 0 and 1.

    >>> log_odds(np.array([0.5])).tolist()
    [0.0]
    """
    held = np.clip(chances, _SUREST, 1 - _SUREST)
    return np.log(held) - np.log1p(-held)


def fit_combination(odds, wrong):
    """Log odds by several rounds -> one probability, as found best where the truth is known.

    Parameters
    ----------
    odds : float64 (n, rounds)
    wrong : bool (n,)

    Returns
    -------
    callable
        float64 (m, rounds) -> float64 (m,), rising in each round's log odds.
    """
    n_rounds, signs = odds.shape[1], np.where(wrong, 1.0, -1.0)
    start = np.append(np.full(n_rounds, 1 / n_rounds), 0.0)

    def loss(point):
        margins = signs * (odds @ point[:-1] + point[-1])
        away = point - start
        pull = -signs * expit(-margins)
        slope = np.append(odds.T @ pull, pull.sum()) + 2 * _PENALTY * away
        return np.logaddexp(0, -margins).sum() + _PENALTY * (away**2).sum(), slope

    bounds = [(0.0, None)] * n_rounds + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return lambda others: expit(others @ found[:-1] + found[-1])


def _drawn(chances, uniform):
    """One class a line, by inverting the cumulated chances."""
    edges = np.cumsum(chances, axis=1)
    return np.minimum((uniform[:, None] * edges[:, -1:] >= edges).sum(axis=1), chances.shape[1] - 1).astype(np.int64)

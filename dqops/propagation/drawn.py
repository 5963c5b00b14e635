"""Totals over records of which only some were looked at: drawn with unequal shares, estimated without bias."""

import numpy as np

_NOTHING = 1e-12  # share of records that are left, where none are


def draw_keys(shares, rng):
    """A random key for each record: in falling order of the keys, records are drawn one after the other.

    At each place the next record is any of those left, with probability proportional to its share; nobody is drawn twice.

    Parameters
    ----------
    shares : float64 (n,)
        Above 0.
    rng : numpy.random.Generator

    Returns
    -------
    float64 (n,)
        Share over a number drawn from the exponential distribution.

    References
    ----------
    Efraimidis, Spirakis 2006, Information Processing Letters 97(5). doi:10.1016/j.ipl.2005.11.003

    Examples
    --------
    >>> keys = np.array([draw_keys(np.array([0.75, 0.25]), np.random.default_rng(seed)) for seed in range(2000)])
    >>> bool(0.7 < (keys[:, 0] > keys[:, 1]).mean() < 0.8)
    True
    """
    return shares / rng.exponential(size=len(shares))


def estimated_total(values, shares):
    """Total over all records from those that were drawn, and its covariance.

    The k-th draw says: what was drawn before it, plus its own value over the share that it had among those left. The mean of
    these is right on average, whatever the shares and the values, and they are uncorrelated, so that their spread tells the error.

    Parameters
    ----------
    values : float64 (n_drawn, d)
        Of the records, in the order in which they were drawn.
    shares : float64 (n_drawn,)
        Of all records in the draw they sum to 1.

    Returns
    -------
    total : float64 (d,)
    covariance : float64 (d, d)
        Of the total; infinite on the diagonal after a single draw, and 0 where all records were drawn.

    Notes
    -----
    O(n_drawn d²).

    References
    ----------
    Des Raj 1956, Journal of the American Statistical Association 51(274), doi:10.1080/01621459.1956.10501326

    Examples
    --------
    >>> total, covariance = estimated_total(np.array([[2.0], [1.0]]), np.array([0.5, 0.25]))
    >>> total.tolist(), covariance.tolist()
    ([4.0], [[0.0]])
    """
    before = np.cumsum(values, axis=0) - values
    left = 1.0 - (np.cumsum(shares) - shares)
    if left[-1] - shares[-1] < _NOTHING:
        return values.sum(axis=0), np.zeros((values.shape[1], values.shape[1]))
    said = before + values * (left / shares)[:, None]
    total = said.mean(axis=0)
    if len(said) < 2:
        return total, np.diag(np.full(len(total), np.inf))
    return total, np.cov(said, rowvar=False).reshape(len(total), len(total)) / len(said)


def mixed_shares(sizes, uniform=0.1):
    """Shares that follow some sizes, each at least `uniform` of an equal share, so that no weight runs away.

    >>> mixed_shares(np.array([3.0, 1.0]), uniform=0.2).round(3).tolist()
    [0.7, 0.3]
    >>> mixed_shares(np.zeros(2)).tolist()
    [0.5, 0.5]
    """
    total = sizes.sum()
    even = np.full(len(sizes), 1.0 / max(len(sizes), 1))
    return even if not total > 0 or not np.isfinite(total) else uniform * even + (1 - uniform) * sizes / total

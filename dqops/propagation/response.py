"""The fitted response of a score to noise, with bands."""

import numpy as np

from dqops.results.curve import Response, curve_at

_BENDS = np.geomspace(0.5, 200, 25)  # of the logarithmic form: how early it saturates
_POWERS = np.linspace(0.01, 4, 134)
_BETTER = 2.0  # units of AICc by which a bent form must beat the line
_LEAST = 1e-6  # of a variance


def fit_response(rates, scores, rng, *, test_share=0.25, n_draws=200, forms=("linear", "quadratic", "logarithmic")):
    """Fit score against rate; the line is taken unless a bent form is clearly better.

    Parameters
    ----------
    rates : float64 (n_rates,)
    scores : float64 (n_rates, n_splits)
        NaN where a rate was not measured on a split.
    rng : numpy.random.Generator
        Resamples the splits for the band.
    test_share : float
        Rows judged over rows trained on: splits share training rows, so that bands of resampled splits alone would
        be too narrow; they are stretched by ``sqrt(1 + n_splits * test_share)``.
    n_draws : int
    forms : tuple of str
        Forms that compete.

    Returns
    -------
    Response

    Notes
    -----
    Weighted least squares of the drops from rate 0, paired on splits; weights are inverse variances. The form is
    chosen by AICc.
    """
    known = np.isfinite(scores).any(axis=1)
    rates, scores = rates[known], scores[known]
    weights = _weights(scores)
    means = np.nanmean(scores, axis=1)
    fits = {form: _fit(form, rates, means, weights) for form in forms if len(rates) >= (3 if form != "linear" else 2)}
    form = _chosen(fits, rates, means, weights)
    own, n_splits = fits[form], scores.shape[1]
    stretch = np.sqrt(1 + n_splits * test_share)
    draws = np.empty((n_draws, len(own)))
    for draw in range(n_draws):
        again = scores[:, rng.integers(n_splits, size=n_splits)]
        held = np.isfinite(again).any(axis=1)
        if not held[0] or held.sum() < 2:
            draws[draw] = own
            continue
        drawn = np.nanmean(again[held], axis=1)
        draws[draw] = own + stretch * (_linear_part(form, own, rates[held], drawn, weights[held]) - own)
    return Response(form, own, draws)


def fit_drawn(rates, means, drawn):
    """The `Response` through predicted scores, as a power of the rate, and the same through each draw.

    Parameters
    ----------
    rates, means : float64 (n_rates,)
        Rates from 0.
    drawn : float64 (n_draws, n_rates)
        What the scores might be.

    Examples
    --------
    >>> rates = np.array([0.0, 0.1, 0.2, 0.4])
    >>> fit_drawn(rates, 0.9 - 2 * rates**2, np.zeros((1, 4))).coefficients.round(1).tolist()
    [0.9, 2.0, 2.0]
    """
    return Response("power", _power(rates, means), np.array([_power(rates, line) for line in drawn]))


def _power(rates, means):
    """(score without noise, drop at rate 1, power): the power that comes nearest, the first score kept."""
    drops, scaled = means[0] - means[1:], rates[1:] / rates[-1]
    shapes = scaled[None] ** _POWERS[:, None]
    heights = (shapes @ drops) / (shapes**2).sum(axis=1)
    best = int(np.argmin(((drops - heights[:, None] * shapes) ** 2).sum(axis=1)))
    return np.array([means[0], heights[best] / rates[-1] ** _POWERS[best], _POWERS[best]])


def _weights(scores):
    """Inverse variances of the mean drops; that at rate 0 holds as firmly as the best of them."""
    drops = scores - scores[0]
    seen = np.isfinite(drops).sum(axis=1)
    spread = np.array([np.nanvar(line, ddof=1) if count > 1 else np.nan for line, count in zip(drops, seen, strict=True)])
    usual = np.nanmean(spread[1:]) if np.isfinite(spread[1:]).any() else 1.0
    spread = np.where(np.isfinite(spread), spread, usual)
    variance = np.maximum((spread + usual) / 2 / np.maximum(seen, 1), _LEAST)
    variance[0] = variance[1:].min() if len(variance) > 1 else variance[0]
    return 1 / variance


def _basis(form, rates, bend=None):
    if form == "linear":
        return np.column_stack([np.ones_like(rates), -rates])
    if form == "quadratic":
        return np.column_stack([np.ones_like(rates), -rates, -(rates**2)])
    return np.column_stack([np.ones_like(rates), -np.log1p(bend * rates)])


def _solve(basis, means, weights):
    root = np.sqrt(weights)
    return np.linalg.lstsq(basis * root[:, None], means * root, rcond=None)[0]


def _fit(form, rates, means, weights):
    if form != "logarithmic":
        return _solve(_basis(form, rates), means, weights)
    found = [np.append(_solve(_basis(form, rates, bend), means, weights), bend) for bend in _BENDS]
    return min(found, key=lambda one: _misfit(form, one, rates, means, weights))


def _linear_part(form, own, rates, means, weights):
    """The coefficients fitted again; the bend of a logarithm is kept."""
    bend = own[2] if form == "logarithmic" else None
    if len(rates) < len(own) - (form == "logarithmic"):
        return own
    again = _solve(_basis(form, rates, bend), means, weights)
    return np.append(again, bend) if form == "logarithmic" else again


def _misfit(form, coefficients, rates, means, weights):
    return float((weights * (means - curve_at(form, coefficients, rates)) ** 2).sum())


def _chosen(fits, rates, means, weights):
    """The form of least AICc; bent ones must be better than the line by a margin."""
    told = {}
    for form, coefficients in fits.items():
        n_points, n_free = len(rates), len(coefficients)
        spare = n_points - n_free - 1
        penalty = 2 * n_free + (2 * n_free * (n_free + 1) / spare if spare > 0 else np.inf)
        told[form] = _misfit(form, coefficients, rates, means, weights) + (penalty if form != "linear" or spare > 0 else 2 * n_free)
    best = min(told, key=told.get)
    return best if told[best] + _BETTER < told["linear"] else "linear"

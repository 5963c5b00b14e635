"""How surely each number of a regression target is wrong, from what the model misses it by."""

import numpy as np
from scipy.stats import cauchy, t

# Honest noise may always have tails as heavy as these; thinner ones would make errors of them.
_DEGREES = np.array([2.0, 2.5, 3.0, 4.0])
_SCALES = np.geomspace(0.6, 1.8, 12)
_RATES = np.concatenate([[0.0], np.geomspace(1e-4, 0.3, 18)])
# Before looking: half of all targets hold no wrong number, the others seldom more than a few in a hundred.
_NO_ERRORS = 0.5
_USUAL_RATE = 0.03
_NEIGHBOURS = 60
_TO_SIGMA = 1.4826
_MOST_FITTED = 20000


def doubt_numbers(given, predicted):
    """Probability that each given number is wrong.

    Residuals are a mixture: Student's t around the prediction, as wide as the residuals of rows with similar
    predictions are, and wrong numbers, which have nothing to do with the prediction (Cauchy around the median of
    the target). Degrees of freedom, width and share are averaged over by their likelihood, so that heavy tails
    of honest noise are no errors.

    Parameters
    ----------
    given : float64 (n,)
        NaN where there is no number.
    predicted : float64 (n,)
        Out of fold.

    Returns
    -------
    wrong : float64 (n,)
        0 where there is no number.
    rate : float
        Share of wrong numbers.

    References
    ----------
    Lange, Little, Taylor 1989, JASA 84(408), doi:10.1080/01621459.1989.10478852, on t-distributed residuals.
    """
    known = np.isfinite(given) & np.isfinite(predicted)
    wrong = np.zeros(len(given))
    if known.sum() < 10:
        return wrong, 0.0
    number, guess = given[known], predicted[known]
    residual = number - guess
    width, mean_width = local_widths(residual, guess)
    spread = np.median(np.abs(number - np.median(number))) * _TO_SIGMA
    if spread <= 0 or not (width > 0).all() or not (mean_width > 0).all():
        return wrong, 0.0
    honest = residual / width
    log_width = np.log(mean_width)
    log_error = cauchy.logpdf(number, np.median(number), spread)
    wrong[known], rate = _averaged(honest, log_width, log_error)
    return wrong, rate


def local_widths(residual, guess):
    """Robust width of the residuals on the row's own side, around rows with similar predictions.

    Noise is often wider above the prediction than below it, and wider where the prediction is high.

    Returns
    -------
    own : float64 (n,)
        Width on the side that the residual is on.
    mean : float64 (n,)
        Mean of both sides: the two halves of a split density meet at the same height.

    References
    ----------
    Fernández, Steel 1998, JASA 93(441), doi:10.1080/01621459.1998.10474117

    Examples
    --------
    >>> own, mean = local_widths(np.array([2.0, -1.0] * 50), np.arange(100.0))
    >>> own[:2].round(3).tolist(), float(mean[0].round(3))
    ([2.965, 1.483], 2.224)
    """
    above = residual > 0
    sides = [_width_along(np.abs(residual[side]), guess[side], guess) for side in (above, ~above)]
    return np.where(above, *sides), (sides[0] + sides[1]) / 2


def _width_along(distance, guess, asked):
    """Median distance (as a standard deviation) in blocks of similar predictions, read off at `asked`."""
    if not len(distance):
        return np.full(len(asked), 0.0)
    overall = _TO_SIGMA * np.median(distance)
    n_blocks = max(1, min(len(distance) // _NEIGHBOURS, 200))
    blocks = np.array_split(np.argsort(guess, kind="stable"), n_blocks)
    # A block of few rows may be narrow by chance.
    widths = np.array([max(_TO_SIGMA * np.median(distance[rows]), overall / 4) for rows in blocks])
    middles = np.array([guess[rows].mean() for rows in blocks])
    return np.interp(asked, middles, widths)


def _averaged(honest, log_width, log_error):
    """Probability of error, averaged over degrees of freedom, widths and rates by their likelihood."""
    step = max(1, len(honest) // _MOST_FITTED)
    some = slice(None, None, step)
    prior = np.concatenate([[_NO_ERRORS], (1 - _NO_ERRORS) * _exponential()])
    settings, logs = [], []
    for degrees in _DEGREES:
        for scale in _SCALES:
            fit = t.logpdf(honest[some], degrees, scale=scale) - log_width[some]
            ratio = np.exp(np.clip(log_error[some] - fit, -700, 700))
            for rate, belief in zip(_RATES, prior, strict=True):
                settings.append((degrees, scale, rate))
                logs.append(step * (fit + np.log(1 - rate + rate * ratio)).sum() + np.log(belief))
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    wrong = np.zeros(len(honest))
    for (degrees, scale, rate), weight in zip(settings, weights, strict=True):
        if weight > 1e-3 and rate > 0:
            fit = t.logpdf(honest, degrees, scale=scale) - log_width
            odds = np.exp(np.clip(log_error - fit, -700, 700)) * rate / (1 - rate)
            wrong += weight * odds / (1 + odds)
    return np.clip(wrong, 0, 1), float(sum(weight * rate for (_, _, rate), weight in zip(settings, weights, strict=True)))


def _exponential():
    weights = np.gradient(_RATES[1:]) * np.exp(-_RATES[1:] / _USUAL_RATE)
    return weights / weights.sum()


def within_reach(numbers, times=3.0):
    """Which numbers are no gross outliers: at most `times` the width of the middle 90% away from it.

    >>> within_reach(np.array([1.0, 2.0, 3.0, 4.0, 5.0] * 20 + [500.0])).sum()
    np.int64(100)
    """
    low, high = np.nanquantile(numbers, [0.05, 0.95])
    reach = times * (high - low)
    return ~((numbers < low - reach) | (numbers > high + reach))

"""From what a model says (probabilities, decisions, bare votes) to calibrated class probabilities."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logit

_SMALLEST = 1e-6
_BINS = 20


def heard(fitted, table):
    """How a fitted classifier speaks, and what it says of the table.

    Returns
    -------
    ("probabilities" | "votes", float64 (n, C))
    """
    if fitted.gives("predict_proba") or fitted.gives("decision_function"):
        return "probabilities", fitted.probabilities(table)
    return "votes", fitted.probabilities(table)


def temperature(probabilities, codes):
    """The temperature that makes these probabilities fit the given labels best (log loss).

    Parameters
    ----------
    probabilities : float64 (n, C)
        Out of fold.
    codes : int64 (n,)
        Given labels, -1 where there is none.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger 2017, ICML. arXiv:1706.04599

    Examples
    --------
    >>> sure = np.tile([0.99, 0.01], (10, 1))
    >>> temperature(sure, np.array([0] * 8 + [1] * 2)) > 1
    True
    """
    known = codes >= 0
    if not known.any() or probabilities.shape[1] < 2:
        return 1.0
    logs, given = np.log(np.clip(probabilities[known], _SMALLEST, 1.0)), codes[known]

    def loss(log_temperature):
        scaled = logs / np.exp(log_temperature)
        return (np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(len(given)), given]).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def with_temperature(probabilities, degree):
    """Probabilities to the power ``1 / degree``, made to sum to 1.

    >>> with_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    powers = np.exp(np.log(np.clip(probabilities, _SMALLEST, 1.0, dtype=np.float64)) / degree)
    return powers / powers.sum(axis=1, keepdims=True)


def platt(chances, right):
    """Intercept and slope by which the logits of chances fit what came true best; few outcomes leave them near 0 and 1.

    Parameters
    ----------
    chances : float64 (n,)
    right : bool (n,)

    References
    ----------
    Platt 1999, Advances in Large Margin Classifiers, with a Gaussian prior instead of softened outcomes.

    Examples
    --------
    >>> intercept, slope = platt(np.full(50, 0.5), np.arange(50) < 45)
    >>> round(float(with_platt(0.5, (intercept, slope))), 2)
    0.86
    """
    logits = logit(np.clip(chances, _SMALLEST, 1 - _SMALLEST))

    def loss(line):
        moved = line[0] + line[1] * logits
        return np.logaddexp(0.0, np.where(right, -moved, moved)).sum() + 0.5 * (line[0] ** 2 + (line[1] - 1) ** 2)

    return tuple(minimize(loss, [0.0, 1.0], method="Nelder-Mead").x)


def with_platt(chances, line):
    """The chances moved by the intercept and slope that `platt` found."""
    return expit(line[0] + line[1] * logit(np.clip(chances, _SMALLEST, 1 - _SMALLEST)))


def calibration_error(probabilities, codes):
    """Mean distance of the largest probability from how often that class is the given one, in bins of 0.05.

    Parameters
    ----------
    probabilities : float64 (n, C)
    codes : int64 (n,)
        Given labels, -1 where there is none.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger 2017, ICML, section 2. arXiv:1706.04599

    Examples
    --------
    >>> round(calibration_error(np.tile([0.9, 0.1], (10, 1)), np.array([0] * 8 + [1] * 2)), 3)
    0.1
    """
    known = codes >= 0
    if not known.any():
        return 0.0
    top, sure = probabilities[known].argmax(axis=1), probabilities[known].max(axis=1).astype(np.float64)
    bins = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, sure - (top == codes[known]), minlength=_BINS)
    return float(np.abs(gaps).sum() / known.sum())


def calibrated_votes(votes, codes):
    """Probability of each given label by the predicted class, from the counts of both.

    Parameters
    ----------
    votes : float64 (n, C)
        One-hot, out of fold.
    codes : int64 (n,)
        Given labels, -1 where there is none.
    """
    known = codes >= 0
    n_classes = votes.shape[1]
    given = np.eye(n_classes)[codes[known]]
    prior = (given.sum(axis=0) + 1) / (len(given) + n_classes)
    counts = votes[known].T @ given
    table = (counts + prior) / (counts.sum(axis=1, keepdims=True) + 1)
    return votes @ table

"""Noise of labels as arrays: confident joint, noise matrix, posterior of the true label, corrected score.

Noise matrices are row-true, column-given: ``T[c, g] = P(given g | true c)``.
"""

import numpy as np
from scipy.stats import norm

from dqops.kernels import labels
from dqops.models.targets import codes_of
from dqops.results.gain import Estimate

_MOST_CONDITION = 50.0


def thresholds_of(sums, counts):
    """Mean probability of each class among rows where it is given, float64 (C,); infinite where it never is.

    >>> thresholds_of(np.array([1.5, 0.0]), np.array([2, 0])).tolist()
    [0.75, inf]
    """
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def confident_joint(probabilities, given):
    """Counts of rows by given label and label that the model is confident of.

    Parameters
    ----------
    probabilities : float32 or float64 (n, C)
        Out of fold.
    given : int64 (n,)
        Codes, -1 where there is no label.

    Returns
    -------
    int64 (C, C)
        ``[given, confident]``; see `dqops.kernels.labels.confident_rows`.

    Examples
    --------
    >>> p = np.array([0.9, 0.8, 0.25, 0.2, 0.6, 0.1])
    >>> confident_joint(np.column_stack([p, 1 - p]), np.array([0, 0, 0, 1, 1, 1])).tolist()
    [[2, 1], [0, 2]]
    """
    sums, counts, _ = labels.class_sums(probabilities, given)
    return labels.confident_rows(probabilities, given, thresholds_of(sums, counts), 0)[0]


def calibrated_joint(joint, counts):
    """Share of rows by given and true label: each line sums to the share of its given label.

    >>> calibrated_joint(np.array([[2, 1], [0, 2]]), np.array([3, 3])).round(3).tolist()
    [[0.333, 0.167], [0.0, 0.5]]
    """
    held = joint.sum(axis=1, keepdims=True)
    shares = np.where(held > 0, joint / np.maximum(held, 1), np.eye(len(joint)))
    return shares * counts[:, None] / max(counts.sum(), 1)


def noise_matrix(joint):
    """``T[c, g] = P(given g | true c)`` of a joint ``[given, true]``; a class without rows keeps its label.

    >>> noise_matrix(np.array([[1 / 3, 1 / 6], [0, 1 / 2]])).round(3).tolist()
    [[1.0, 0.0], [0.25, 0.75]]
    """
    prior = joint.sum(axis=0)
    return np.where(prior[:, None] > 0, joint.T / np.where(prior > 0, prior, 1.0)[:, None], np.eye(len(joint)))


def well_conditioned(noise):
    """The matrix moved towards the identity until it can be inverted safely, and how far: ``(T, share)``.

    >>> well_conditioned(np.eye(2))[1]
    0.0
    """
    identity = np.eye(len(noise))
    for share in np.arange(0, 11) / 10:
        moved = (1 - share) * noise + share * identity
        if np.linalg.cond(moved) <= _MOST_CONDITION:
            return moved, float(share)
    return identity, 1.0


def label_posterior(probabilities, given, noise):
    """Probability of each true label, given features and the given label.

    A model that learned given labels says ``p = T' eta``; `eta` is found by inverting T and projecting on the
    simplex, then weighed by how likely the true label brings forth the given one. A matrix that cannot be inverted
    safely is moved towards the identity first.

    Parameters
    ----------
    probabilities : float64 (n, C)
        Calibrated to given labels.
    given : int64 (n,)
        Codes; -1 for no label, where the posterior is `eta` itself.
    noise : float64 (C, C)

    Returns
    -------
    float64 (n, C)
        ``1 - posterior[i, given[i]]`` is the probability that the label is wrong.
    """
    usable, _ = well_conditioned(noise)
    return labels.label_posterior(probabilities, given, np.linalg.inv(usable), usable)


def on_simplex(rows):
    """The nearest point of the probability simplex to each row (Euclidean).

    >>> on_simplex(np.array([[1.2, -0.2], [0.5, 0.5]])).tolist()
    [[1.0, 0.0], [0.5, 0.5]]
    """
    ordered = -np.sort(-rows, axis=1)
    excess = (np.cumsum(ordered, axis=1) - 1) / np.arange(1, rows.shape[1] + 1)
    last = (ordered > excess).sum(axis=1) - 1
    return np.maximum(rows - excess[np.arange(len(rows)), last][:, None], 0.0)


def corrected_score(given, predicted, noise, level=0.9):
    """Accuracy that the predictions have against true labels, from wrong-label rates.

    Each row is worth ``inv(T)[given, predicted]``, whose mean is unbiased for clean accuracy where noise depends
    on the true class alone. The rate's own uncertainty enters by pooling its low, middle and high value (Rubin).

    Parameters
    ----------
    given, predicted : array (n,)
        Labels.
    noise : LabelNoise
    level : float, default 0.9

    Returns
    -------
    Estimate

    References
    ----------
    Natarajan, Dhillon, Ravikumar, Tewari 2013, NeurIPS, lemma 1.
    """
    classes = np.array(noise.classes, dtype=object)
    order = np.argsort(classes)
    given = order[codes_of(np.asarray(given).astype(str).astype(object), classes[order])]
    predicted = order[codes_of(np.asarray(predicted).astype(str).astype(object), classes[order])]
    joint = np.asarray(noise.joint)
    worth = [_worth(noise_at_rate(joint, rate), given, predicted) for rate in (noise.low, noise.rate, noise.high)]
    middle = [float(each.mean()) for each in worth]
    within = float(np.mean([each.var() / max(len(each), 1) for each in worth]))
    # Low and high are the ends of a 90% interval: their distance is 3.29 standard deviations of a normal.
    between = ((max(middle) - min(middle)) / (2 * norm.ppf(0.95))) ** 2
    half = norm.ppf((1 + level) / 2) * np.sqrt(within + between)
    expected = float(np.clip(middle[1], 0.0, 1.0))
    return Estimate(expected, float(max(expected - half, 0.0)), float(min(expected + half, 1.0)), level)


def _worth(noise, given, predicted):
    usable, _ = well_conditioned(noise)
    return np.linalg.inv(usable)[given, predicted]


def noise_at_rate(joint, rate):
    """The noise matrix of a joint ``[given, true]`` with its wrong shares scaled to sum to `rate`.

    >>> noise_at_rate(np.array([[0.4, 0.1], [0.1, 0.4]]), 0.1).round(2).tolist()
    [[0.9, 0.1], [0.1, 0.9]]
    """
    wrong = joint - np.diag(np.diag(joint))
    if wrong.sum() <= 0:
        return np.eye(len(joint))
    scaled = wrong * min(rate / wrong.sum(), 0.98 / max(wrong.sum(), 1e-12))
    right = np.maximum(joint.sum(axis=1) - scaled.sum(axis=1), 0.0)
    return noise_matrix(scaled + np.diag(right))

"""How surely each given label is wrong, without mistaking a hard problem for wrong labels.

Noise of labels and inherent chance look alike: both make a sure model disagree with a label. What tells them
apart is the floor. Sort the rows by how sure the model is; where only chance is at work disagreement sinks
towards nothing, wrong labels leave a floor that does not sink. So the floor's height is fitted first, and then
shared between wrong labels and luck: the more the problem is hard beyond its floor, and the more of a class the
floor would explain away, the less of it is charged to wrong labels.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from sklearn.isotonic import IsotonicRegression

from dqops.kernels import labels
from dqops.models.label_noise import label_posterior, thresholds_of

# Grid of floors and rates, and of the shapes in which disagreement rises above the floor.
_RATES = np.concatenate([[0.0], np.geomspace(0.002, 0.6, 40)])
_POWERS = np.geomspace(0.4, 8, 14)
_CEILINGS = np.linspace(0.05, 1, 12)
_BINS = 24
# What is believed before looking, chosen once on fourteen tables with and without planted errors.
_NO_NOISE = 0.1  # share of classes without any wrong label
_USUAL_RATE = 0.2  # scale of the rates of the others
_LUCK_SHAPE = 0.3  # luck that stays where the model is surest, as a share of all luck: Beta(0.3, 1)
_FLAT_LUCK = 0.1  # share of problems whose luck is the same everywhere
_FLAT_SPREAD = 0.2
_EXPLAINED_AWAY = 4  # doubt in a rate that would explain away a share of a class: (1 - share) to this power
_POOLED = 0.5  # weight of what all classes tell in what is believed of one
_DRAWS = 8


@dataclass(frozen=True, eq=False)
class LabelDoubt:
    """How surely each label is wrong, and what all of them tell of the noise.

    Parameters
    ----------
    wrong : float64 (n,)
        Probability that the given label is wrong; 0 where there is none.
    likeliest : int64 (n,)
        Code of the likeliest label other than the given one.
    joint : float64 (C, C)
        Share of rows by ``[given, true]``.
    rate, low, high : float
        Share of wrong labels, with a 90% interval.
    """

    wrong: np.ndarray
    likeliest: np.ndarray
    joint: np.ndarray
    rate: float
    low: float
    high: float


def doubt_labels(probabilities, given):
    """Probability that each given label is wrong.

    Parameters
    ----------
    probabilities : float64 (n, C)
        Out of fold, of a model that learned the given labels.
    given : int64 (n,)
        Codes, -1 where there is no label.

    Returns
    -------
    LabelDoubt
        In O(n C^2).

    References
    ----------
    Northcutt, Jiang, Chuang 2021, JAIR 70. arXiv:1911.00068
    Scott, Blanchard, Handy 2013, COLT, on what of a noise rate the data can tell.
    """
    n_rows, n_classes = probabilities.shape
    labelled = given >= 0
    if n_classes < 2 or labelled.sum() < 2:
        return LabelDoubt(np.zeros(n_rows), np.maximum(given, 0), np.eye(n_classes) / max(n_classes, 1), 0.0, 0.0, 0.0)
    calibrated = calibrated_to_given(probabilities, given)
    towards = wrong_towards(probabilities[labelled], given[labelled])
    beliefs = noise_beliefs(agreement_of(probabilities, given), np.bincount(given[labelled], minlength=n_classes), towards)
    posterior, joints = np.zeros(probabilities.shape), []
    for draw in range(_DRAWS):
        rates = rates_at(beliefs, (draw + 0.5) / _DRAWS)
        noise = np.diag(1 - rates) + towards * rates[:, None]
        drawn = label_posterior(calibrated, given, noise)
        posterior += drawn / _DRAWS
        joints.append(_joint(drawn[labelled], given[labelled], n_classes))
    rates = np.array([1 - np.trace(joint) for joint in joints])
    own = np.maximum(given, 0)
    wrong = np.where(labelled, 1 - posterior[np.arange(n_rows), own], 0.0)
    others = posterior.copy()
    others[np.flatnonzero(labelled), own[labelled]] = -1.0
    joint = np.mean(joints, axis=0)
    rate = float(np.clip(1 - np.trace(joint), 0, 1))
    return LabelDoubt(np.clip(wrong, 0, 1), others.argmax(axis=1), joint, rate, float(max(rates.min(), 0)), float(rates.max()))


def calibrated_to_given(probabilities, given):
    """Probabilities whose largest is as often right as it says; the others keep their proportions."""
    n_rows = len(given)
    top, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    labelled = given >= 0
    edge = 0.5 / max(labelled.sum(), 1)
    fitted = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip")
    often = fitted.fit(sure[labelled], (top == given)[labelled].astype(float)).predict(sure)
    others = probabilities * ((1 - often) / np.maximum(1 - sure, 1e-9))[:, None]
    others[np.arange(n_rows), top] = often
    others = np.maximum(others, 1e-9)
    return others / others.sum(axis=1, keepdims=True)


def wrong_towards(probabilities, given):
    """Where wrong labels of each true class go, float64 (C, C): lines sum to 1, the diagonal is 0.

    Counted in the surer half of the rows that the model puts into the class; two rows' worth of prior.
    """
    n_classes = probabilities.shape[1]
    top, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    counts = np.zeros((n_classes, n_classes))
    for true in range(n_classes):
        rows = np.flatnonzero(top == true)
        rows = rows[sure[rows] >= np.median(sure[rows])] if len(rows) else rows
        counts[true] = np.bincount(given[rows], minlength=n_classes)
    return directions(counts, np.bincount(given, minlength=n_classes) / len(given))


def directions(counts, shares):
    """Where wrong labels of each true class go, by counts and two rows' worth of what is usual: float64 (C, C).

    Parameters
    ----------
    counts : (C, C)
        Rows by ``[true, given]``; the diagonal does not count.
    shares : float64 (C,)
        Of given labels.

    Examples
    --------
    >>> directions(np.array([[9, 2, 0], [0, 9, 0], [0, 0, 9]]), np.full(3, 1 / 3)).round(2).tolist()
    [[0.0, 0.75, 0.25], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]]
    """
    alone = np.eye(len(counts), dtype=bool)
    usual = np.where(alone, 0.0, shares + 1e-6)
    towards = np.where(alone, 0.0, counts) + 2 * usual / usual.sum(axis=1, keepdims=True)
    return towards / towards.sum(axis=1, keepdims=True)


def agreement_of(probabilities, given):
    """Rows by likeliest class, by how sure the model is and by whether the label is another: int64 (C, levels, 2)."""
    sums, counts, _ = labels.class_sums(probabilities, given)
    return labels.confident_rows(probabilities, given, thresholds_of(sums, counts), fineness_for(len(counts)))[1]


def fineness_for(n_classes):
    """How fine sureness is told apart, so that its counts take about a megabyte: 7 for few classes, else less.

    >>> fineness_for(2), fineness_for(1000)
    (7, 1)
    """
    return int(np.clip(np.log2(2048 / max(n_classes, 1)), 0, 7))


def noise_beliefs(agreement, held, towards):
    """What is believed of each class's rate of wrong labels: float64 (C, rates), lines sum to 1.

    Parameters
    ----------
    agreement : int64 (C, levels, 2)
        See `dqops.kernels.labels.confident_rows`.
    held : int64 (C,)
        Rows by given label.
    towards : float64 (C, C)
        Where wrong labels of each true class go.
    """
    put, missed = agreement.sum(axis=(1, 2)), agreement[:, :, 1].sum(axis=1)
    usual = missed.sum() / max(put.sum(), 1)
    present = held > 0
    explained = put[:, None] * towards / np.maximum(held, 1)
    prior = _prior()
    pooled = _belief(agreement.sum(axis=0), usual, explained.sum(axis=0)[present].max(), prior)
    beliefs = []
    for true in range(len(held)):
        error = (missed[true] + 5 * usual) / (put[true] + 5)
        away = explained[true][present].max()
        beliefs.append(_belief(agreement[true], error, away, _POOLED * pooled + (1 - _POOLED) * prior))
    return np.array(beliefs)


def rates_at(beliefs, level):
    """The rate of each class at this level of its belief: float64 (C,)."""
    places = (np.cumsum(beliefs, axis=1) < level).sum(axis=1)
    return _RATES[np.minimum(places, len(_RATES) - 1)]


def _prior():
    weights = np.gradient(_RATES[1:]) * np.exp(-_RATES[1:] / _USUAL_RATE)
    return np.concatenate([[_NO_NOISE], (1 - _NO_NOISE) * weights / weights.sum()])


def _belief(agreement, error, explained, prior):
    """Posterior over the rate of wrong labels in one region.

    Parameters
    ----------
    agreement : int64 (levels, 2)
        Rows that agree and that disagree by how sure the model is, surest first.
    error : float
        Share of disagreement in the region.
    explained : float
        Share of the most affected given class that a rate of 1 would explain away.
    prior : float64 (rates,)
    """
    floors = _floor_likelihood(agreement)
    edges = np.concatenate([[0.0], (_RATES[1:] + _RATES[:-1]) / 2, _RATES[-1:]])
    luck = np.clip((error - _RATES) / (1 - _RATES), 1e-3, 1.0)[:, None]
    low = np.maximum(edges[None, :-1] - _RATES[:, None], 1e-9) / luck
    high = np.maximum(edges[None, 1:] - _RATES[:, None], 1e-9) / luck
    sinking = np.clip(high, 0, 1) ** _LUCK_SHAPE - np.clip(low, 0, 1) ** _LUCK_SHAPE
    flat = ndtr(np.log(high) / _FLAT_SPREAD) - ndtr(np.log(low) / _FLAT_SPREAD)
    likelihood = ((1 - _FLAT_LUCK) * sinking + _FLAT_LUCK * flat) @ floors
    plausible = (1 - np.clip(_RATES * explained, 0, 1)) ** _EXPLAINED_AWAY
    belief = prior * likelihood * plausible + 1e-300
    return belief / belief.sum()


def _floor_likelihood(agreement):
    """Likelihood of each floor, the largest being 1, averaged over how disagreement rises above it.

    Rows are put into bins of equal numbers by how sure the model is; a level that lies across bins is shared out.
    """
    before = np.concatenate([[0], agreement.sum(axis=1).cumsum()])
    if not before[-1]:
        return np.ones(len(_RATES))
    edges = np.linspace(0, before[-1], _BINS + 1)
    wrong = np.diff(np.interp(edges, before, np.concatenate([[0], agreement[:, 1].cumsum()])))
    logs = (_LOG_WRONG @ wrong + _LOG_RIGHT @ (np.diff(edges) - wrong)).reshape(len(_RATES), -1)
    likelihood = np.exp(logs - logs.max()).mean(axis=1)
    return likelihood / likelihood.max()


def _shapes():
    """Disagreement by floor, power, ceiling and bin."""
    middle = (np.arange(_BINS) + 0.5) / _BINS
    floors = _RATES[:, None, None, None]
    rising = _CEILINGS[None, None, :, None] * (1 - floors) * middle ** _POWERS[None, :, None, None]
    return np.clip(floors + rising, 1e-4, 1 - 1e-4)


_LOG_WRONG, _LOG_RIGHT = np.log(_shapes()), np.log1p(-_shapes())


def _joint(posterior, given, n_classes):
    joint = np.zeros((n_classes, n_classes))
    np.add.at(joint, given, posterior)
    return joint / len(given)

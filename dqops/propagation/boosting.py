"""Boosting over what models of several repairs predict: which repairs complete each other, and how much each weighs."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import OptionError


@dataclass(frozen=True, eq=False)
class Boosted:
    """Repairs that vote together.

    Parameters
    ----------
    chosen : tuple of int
        Columns of the predictions, in the order of the rounds; one may come again.
    weights : float64 (n_rounds,)
        Sum to 1.
    errors : float64 (n_rounds,)
        Weighted error of each on the rows that chose it.
    n_classes : int
    """

    chosen: tuple[int, ...]
    weights: np.ndarray
    errors: np.ndarray
    n_classes: int

    def vote(self, predictions, rounds=None):
        """Class with the largest weight in each row after so many rounds, int64 (n,); ties go to the smallest class.

        Parameters
        ----------
        predictions : int64 (n, n_repairs)
        rounds : int, optional
            All by default.
        """
        votes = np.zeros((len(predictions), self.n_classes))
        lines = np.arange(len(predictions))
        for one, weight in list(zip(self.chosen, self.weights, strict=True))[:rounds]:
            votes[lines, predictions[:, one]] += weight
        return votes.argmax(axis=1)


def boosted(predictions, truth, n_classes, rounds=10):
    """`Boosted` repairs, chosen round by round by their weighted error on these rows.

    Parameters
    ----------
    predictions : int64 (n, n_repairs)
        Class codes that a model of each repair predicts; of rows that it was not trained on.
    truth : int64 (n,)
    n_classes : int
        2 or more.
    rounds : int, default 10

    Returns
    -------
    Boosted
        One round at least: the best single repair. Equal predictions count once, the first of them; ties go to the first.

    Notes
    -----
    AdaBoost for two classes, ``weight = ½ ln((1 - e) / e)``; SAMME for more, ``ln((1 - e) / e) + ln(C - 1)``. Ends where the best
    weighted error is 1 - 1/C or more, or none: then that repair alone speaks. Errors are held above ``1 / 2n``.
    O(rounds · n · n_repairs).

    References
    ----------
    Freund, Schapire 1997, Journal of Computer and System Sciences 55(1). Zhu, Zou, Rosset, Hastie 2009, Statistics and Its
    Interface 2(3), doi:10.4310/SII.2009.v2.n3.a8. Krishnan, Franklin, Goldberg, Wu 2017, BoostClean, arXiv:1711.01299.

    Examples
    --------
    >>> said = np.array([[0, 0], [1, 1], [1, 0], [0, 1]])
    >>> boosted(said, np.array([0, 1, 1, 1]), 2).chosen[:2]
    (0, 1)
    """
    if n_classes < 2 or not len(truth) or not predictions.shape[1]:
        raise OptionError("predictions", predictions.shape, "rows and repairs, and two classes or more")
    distinct = _distinct(predictions)
    wrong = predictions[:, distinct] != truth[:, None]
    least, rows = 1 / (2 * len(truth)), np.full(len(truth), 1 / len(truth))
    chosen, weights, errors = [], [], []
    for _ in range(rounds):
        weighted = rows @ wrong
        best = int(np.argmin(np.round(weighted, 12)))
        error = float(weighted[best])
        if chosen and (error >= 1 - 1 / n_classes - 1e-12 or error <= 0):
            break
        chosen.append(int(distinct[best]))
        errors.append(error)
        if error <= 0 or error >= 1 - 1 / n_classes:
            weights.append(1.0)
            break
        weights.append(vote_weight(max(error, least), n_classes))
        rows = rows * np.exp(np.where(wrong[:, best], 1.0, -1.0 if n_classes == 2 else 0.0) * weights[-1])
        rows = rows / rows.sum()
    total = np.array(weights)
    return Boosted(tuple(chosen), total / total.sum(), np.array(errors), n_classes)


def vote_weight(error, n_classes):
    """What a repair of that weighted error weighs in the vote.

    >>> round(vote_weight(0.2, 2), 6), round(vote_weight(0.2, 3), 6)
    (0.693147, 2.079442)
    """
    odds = np.log((1 - error) / error)
    return float(0.5 * odds if n_classes == 2 else odds + np.log(n_classes - 1))


def _distinct(predictions):
    """The first of each set of equal columns, rising."""
    return np.sort(np.unique(predictions, axis=1, return_index=True)[1])


def nested_effects(predictions, truth, parts, n_classes, rounds=10):
    """What each repair adds to the vote on rows that it was not chosen on.

    The repairs are boosted on all parts but one; on that one each round's rise of the accuracy is booked to its repair, the first
    round's against the first column, which is no repair.

    Parameters
    ----------
    predictions : int64 (n, n_repairs)
        Column 0: no repair.
    truth : int64 (n,)
    parts : int64 (n,)
        Part of each row, 0 and up; two parts or more.
    n_classes : int
    rounds : int

    Returns
    -------
    effects : float64 (n_parts, n_repairs)
        NaN for a repair that was not chosen when that part judged.
    voted : int64 (n,)
        Votes of the repairs that other parts chose.
    best : int64 (n,)
        Predictions of the best single repair, chosen likewise.

    Examples
    --------
    >>> said = np.array([[0, 0], [0, 1], [1, 1], [0, 1], [0, 0], [0, 1]])
    >>> truth = np.array([0, 1, 1, 1, 0, 1])
    >>> effects, voted, best = nested_effects(said, truth, np.array([0, 0, 0, 1, 1, 1]), 2)
    >>> effects[:, 1].round(3).tolist(), (voted == truth).all()
    ([0.333, 0.667], np.True_)
    """
    effects = np.full((int(parts.max()) + 1, predictions.shape[1]), np.nan)
    voted, best = np.zeros(len(truth), dtype=np.int64), np.zeros(len(truth), dtype=np.int64)
    for part in range(len(effects)):
        here = parts == part
        if not here.any() or here.all():
            continue
        found = boosted(predictions[~here], truth[~here], n_classes, rounds)
        before = float((predictions[here, 0] == truth[here]).mean())
        for count, one in enumerate(found.chosen, 1):
            after = float((found.vote(predictions[here], count) == truth[here]).mean())
            effects[part, one] = np.nan_to_num(effects[part, one]) + after - before
            before = after
        voted[here], best[here] = found.vote(predictions[here]), predictions[here, found.chosen[0]]
    return effects, voted, best

"""Holdout rows judged in every repair of a training table, by k-NN and by linear models."""

from dataclasses import dataclass

import numpy as np

from dqops.limits.certain_models import certain_model
from dqops.models.knn_worlds import KnnWorlds


@dataclass(frozen=True, eq=False)
class Judgement:
    """What can be said of holdout rows, and of the training rows that decide it.

    Parameters
    ----------
    predicted : int64 (n_tests,) codes, or float64 numbers
    possible : bool (n_tests, n_classes) or None
        Predictions that a repair may bring; for a linear model some may not be ruled out though no repair brings them.
    probabilities : float64 (n_tests, n_classes) or None
        Of k-NN.
    low, high : float64 (n_tests,) or None
        Bounds of predicted numbers.
    need : float64 (n_rows,)
        What cleaning a training row takes off: of the mean entropy of k-NN's predictions, or of a linear model's excess.
    matters : bool (n_rows,)
        False where no repair of the row can change anything.
    models : tuple of CertainModel
        One for each class against the rest, or one alone; empty for k-NN.
    """

    predicted: np.ndarray
    possible: np.ndarray | None
    probabilities: np.ndarray | None
    low: np.ndarray | None
    high: np.ndarray | None
    need: np.ndarray
    matters: np.ndarray
    models: tuple = ()


def judge_knn(encoded, labels, tests, learner, n_classes):
    """`Judgement` of k-NN, exact.

    Parameters
    ----------
    encoded : Encoded
    labels : int64 (n_rows,)
    tests : float64 (n_tests, d)
    learner : Learner
    n_classes : int
    """
    told = KnnWorlds(*encoded.points(), labels, tests, k=learner.k, n_classes=n_classes, metric=learner.metric)
    need = told.entropy().mean() - told.expected_entropy()
    predicted = told.probabilities.argmax(axis=1)
    doubtful = np.zeros(len(labels), dtype=bool)
    doubtful[encoded.positions[np.diff(encoded.start) > 1]] = True
    # A known row has nothing to gain but rounding.
    need = np.where(doubtful, np.maximum(need, 0.0), 0.0)
    return Judgement(predicted, told.possible, told.probabilities, None, None, need, doubtful & (told.most_gain() > 0))


def judge_linear(encoded, values, tests, learner, n_classes, excess):
    """`Judgement` of a linear model; with classes one model for each of them against the rest, or one for two.

    Parameters
    ----------
    encoded : Encoded
    values : float64 (n_rows,) numbers, or int64 codes where `n_classes` is not 0
    tests : float64 (n_tests, d)
    learner : Learner
    n_classes : int
    excess : float
    """
    ranges = encoded.ranges()
    sides = [values] if not n_classes else [np.where(values == one, 1.0, -1.0) for one in (range(n_classes) if n_classes > 2 else (1,))]
    models = tuple(certain_model(ranges, side, loss=learner.loss, alpha=learner.alpha, excess=excess) for side in sides)
    margins = np.stack([tests @ one.coefficients + one.intercept for one in models], axis=1)
    reach = np.stack([_reach(one, tests) for one in models], axis=1)
    need = np.mean([one.row_need for one in models], axis=0)
    matters = ranges.doubtful.any(axis=1) & ~all(one.certain for one in models)
    if not n_classes:
        return Judgement(margins[:, 0], None, None, margins[:, 0] - reach[:, 0], margins[:, 0] + reach[:, 0], need, matters, models)
    if n_classes <= 2:
        margins, reach = np.column_stack([-margins, margins]), np.column_stack([reach, reach])
        # One margin moves: a class is possible while its own margin can be 0 or more.
        possible = margins + reach >= 0
    else:
        possible = margins + reach >= (margins - reach).max(axis=1, keepdims=True)
    predicted = margins.argmax(axis=1)
    possible[np.arange(len(tests)), predicted] = True
    return Judgement(predicted, possible, None, None, None, need, matters, models)


def _reach(model, tests):
    """How far each margin can move; infinite where nothing is proved."""
    if model.shift == 0 or model.root is None or not np.isfinite(model.shift):
        return np.full(len(tests), 0.0 if model.shift == 0 else np.inf)
    rows = np.column_stack([tests, np.ones(len(tests))])
    return model.shift * np.sqrt(((rows @ model.root.T) ** 2).sum(axis=1))

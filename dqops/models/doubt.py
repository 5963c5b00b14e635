"""Doubts in the target of a table, by the user's own model."""

from dataclasses import dataclass

import numpy as np

from dqops.models.evidence import heard
from dqops.models.label_doubt import doubt_labels
from dqops.models.label_noise import label_posterior, noise_matrix
from dqops.models.residual_noise import doubt_numbers
from dqops.models.targets import codes_of, target_values


@dataclass(frozen=True, eq=False)
class TargetDoubt:
    """How surely each target value is wrong, and what should rather stand there.

    Parameters
    ----------
    wrong : float64 (n,)
        Probability of being wrong; 0 where there is no value.
    instead : array (n,)
        The likeliest other label, or the predicted number.
    classes : array (C,) or None
    joint : float64 (C, C) or None
        Share of rows by ``[given, true]``.
    rate, low, high : float
        Share of wrong values, with a 90% interval where there are classes.
    """

    wrong: np.ndarray
    instead: np.ndarray
    classes: np.ndarray | None
    joint: np.ndarray | None
    rate: float
    low: float
    high: float


def doubt_classes(table, probabilities, classes):
    """`TargetDoubt` of a classification target from out-of-fold probabilities."""
    found = doubt_labels(probabilities, _codes(table, classes))
    instead = np.asarray(classes)[found.likeliest]
    return TargetDoubt(found.wrong, instead, classes, found.joint, found.rate, found.low, found.high)


def doubt_predictions(table, predicted):
    """`TargetDoubt` of a regression target from out-of-fold predictions."""
    given, known = target_values(table, "regression")
    wrong, rate = doubt_numbers(np.where(known, given, np.nan), predicted)
    return TargetDoubt(wrong, predicted, None, None, rate, 0.0, 1.0)


def doubt_elsewhere(design, trained_on, table):
    """`TargetDoubt` of rows that the model was not trained on.

    The model is fitted on all of `trained_on`; how much noise there is was learned there.
    """
    fitted = design.fitted(trained_on)
    if design.task == "regression":
        said = np.concatenate([design.out_of_fold(trained_on), fitted.predict(table)])
        past, there = target_values(trained_on, "regression")
        given, known = target_values(table, "regression")
        numbers = np.concatenate([np.where(there, past, np.nan), np.where(known, given, np.nan)])
        wrong, rate = doubt_numbers(numbers, said)
        n_past = len(past)
        return TargetDoubt(wrong[n_past:], said[n_past:], None, None, rate, 0.0, 1.0)
    learned = design.label_doubt(trained_on)
    codes = _codes(table, learned.classes)
    posterior = label_posterior(heard(fitted, table)[1], codes, noise_matrix(learned.joint))
    rows = np.arange(len(codes))
    wrong = np.where(codes >= 0, 1 - posterior[rows, np.maximum(codes, 0)], 0.0)
    posterior[rows[codes >= 0], codes[codes >= 0]] = -1.0
    instead = np.asarray(learned.classes)[posterior.argmax(axis=1)]
    return TargetDoubt(np.clip(wrong, 0, 1), instead, learned.classes, learned.joint, learned.rate, learned.low, learned.high)


def _codes(table, classes):
    labels, known = target_values(table, "classification")
    return np.where(known, codes_of(labels, classes), -1)

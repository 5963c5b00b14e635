"""What the vote of each training row is worth to each holdout row: labels, probabilities or numbers."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError
from dqops.valuers.arrays import check_rows, coded_labels, feature_array, number_targets, task_of_targets

_FEW = 1 << 8


@dataclass(frozen=True, eq=False)
class LabelVotes:
    """A vote is worth one where labels agree.

    Parameters
    ----------
    codes : uint8 or int64 (n,)
    holdout : the same (n_holdout,)
    """

    codes: np.ndarray
    holdout: np.ndarray
    unit = "accuracy"

    def utility(self, point):
        """bool (n,): what each vote is worth to one holdout row."""
        return self.codes == self.holdout[point]

    def listed_utility(self, start, rows):
        """bool (m, count): what the votes of listed rows are worth to holdout rows ``start``, ``start + 1``, ..."""
        return self.codes[rows] == self.holdout[start : start + len(rows), None]

    def totals(self):
        """float64 (n_holdout,): what all votes together are worth to each holdout row."""
        counts = np.bincount(self.codes, minlength=int(self.holdout.max()) + 1)
        return counts[self.holdout].astype(np.float64)


@dataclass(frozen=True, eq=False)
class SoftVotes:
    """A vote is worth the probability that labels agree.

    Parameters
    ----------
    chances : float64 (n, n_classes)
    holdout : float64 (n_holdout, n_classes)
    """

    chances: np.ndarray
    holdout: np.ndarray
    unit = "expected accuracy"

    def utility(self, point):
        """float64 (n,): what each vote is worth to one holdout row."""
        return self.chances @ self.holdout[point]

    def listed_utility(self, start, rows):
        """float64 (m, count): what the votes of listed rows are worth to holdout rows ``start``, ``start + 1``, ..."""
        return np.stack([self.chances[some] @ self.holdout[start + place] for place, some in enumerate(rows)])

    def totals(self):
        """float64 (n_holdout,): what all votes together are worth to each holdout row."""
        return self.holdout @ self.chances.sum(axis=0)


@dataclass(frozen=True, eq=False)
class NumberVotes:
    """Votes are numbers whose mean foretells; as deviations from the mean of all.

    Parameters
    ----------
    targets : float64 (n,)
    holdout : float64 (n_holdout,)
    """

    targets: np.ndarray
    holdout: np.ndarray
    unit = "squared error"


def votes_of(y, y_holdout, *, task=None, classes=None):
    """The votes that training and holdout targets make.

    Parameters
    ----------
    y : array-like (n,) or (n, n_classes)
        Labels, numbers, or the probabilities of each class.
    y_holdout : array-like (n_holdout,) or (n_holdout, n_classes)
        Of the same kind; labels beside probabilities are legal.
    task : {"classification", "regression"}, optional
        Read from `y` where it is not given.
    classes : array-like (n_classes,), optional
        Which label each column of probabilities is for; 0, 1, ... where it is not given.

    Returns
    -------
    LabelVotes, SoftVotes or NumberVotes
    """
    if _n_columns(y) > 1 or _n_columns(y_holdout) > 1:
        n_classes = max(_n_columns(y), _n_columns(y_holdout))
        classes = np.arange(n_classes) if classes is None else classes
        if len(classes) != n_classes:
            raise DataError(f"classes has {len(classes)} entries for {n_classes} columns of probabilities", "one a column")
        return SoftVotes(chances_of(y, classes, "y"), chances_of(y_holdout, classes, "y_holdout"))
    if task_of_targets(y, task) == "regression":
        targets, held = number_targets(y), number_targets(y_holdout, "y_holdout")
        return NumberVotes(targets - targets.mean(), held - targets.mean())
    labels = coded_labels(y, y_holdout)
    dtype = np.uint8 if len(labels.classes) <= _FEW else np.int64
    return LabelVotes(labels.codes.astype(dtype), labels.holdout.astype(dtype))


def chances_of(y, classes, name="y"):
    """Probabilities of classes, one column each; labels become zeros and a one.

    Returns
    -------
    float64 (n, n_classes)
        A label that `classes` lacks has a line of zeros.
    """
    if _n_columns(y) <= 1:
        labels = coded_labels(classes, y, name="classes")
        return (labels.holdout[:, None] == labels.codes[None, :]).astype(np.float64)
    chances = feature_array(y, name).astype(np.float64, copy=False)
    if chances.shape[1] != len(classes):
        raise DataError(f"{name} has {chances.shape[1]} columns of probabilities for {len(classes)} classes", "one a class")
    sums = chances.sum(axis=1)
    wrong = np.flatnonzero((chances < 0).any(axis=1) | (np.abs(sums - 1) > 1e-3))
    if len(wrong):
        raise DataError(f"row {wrong[0]} of {name} is {np.round(chances[wrong[0]], 4).tolist()}", "probabilities that add up to 1")
    return chances


def check_votes(votes, n_rows, n_holdout):
    """Refuse targets that are not one a row."""
    n_targets = len(votes.targets if isinstance(votes, NumberVotes) else votes.codes if isinstance(votes, LabelVotes) else votes.chances)
    check_rows(n_rows, n_targets)
    check_rows(n_holdout, len(votes.holdout), "X_holdout", "y_holdout")


def _n_columns(y):
    shape = np.shape(y) if not isinstance(y, (list, tuple)) else (len(y), len(y[0]) if y and isinstance(y[0], (list, tuple)) else 1)
    return shape[1] if len(shape) == 2 else 1

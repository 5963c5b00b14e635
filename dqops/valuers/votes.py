"""What the vote of each training row is worth to each holdout row: labels, probabilities or numbers."""

from dataclasses import dataclass

import numpy as np

from dqops.errors import DataError
from dqops.valuers.arrays import check_rows, coded_labels, feature_array, number_targets, task_of_targets
from dqops.valuers.label_codes import label_codes

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

    def __len__(self):
        return len(self.codes)

    def of_rows(self, rows):
        """Votes of some of the rows."""
        return LabelVotes(self.codes[rows], self.holdout)

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
    classes : array (n_classes,)
    """

    chances: np.ndarray
    holdout: np.ndarray
    classes: np.ndarray
    unit = "expected accuracy"

    def __len__(self):
        return len(self.chances)

    def of_rows(self, rows):
        """Votes of some of the rows."""
        return SoftVotes(self.chances[rows], self.holdout, self.classes)

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

    def __len__(self):
        return len(self.targets)


def votes_of(y, y_holdout, *, task=None, classes=None, n_classes=1):
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
        Which label each column of probabilities is for; see `column_labels` where it is not given.
    n_classes : int
        Where this is above 1, labels become probabilities of so many classes.

    Returns
    -------
    LabelVotes, SoftVotes or NumberVotes
    """
    n_classes = max(n_classes, n_columns(y), n_columns(y_holdout))
    if n_classes > 1:
        classes = column_labels(n_classes, classes, y=y, y_holdout=y_holdout)
        return SoftVotes(chances_of(y, classes, "y"), chances_of(y_holdout, classes, "y_holdout"), classes)
    if task_of_targets(y, task) == "regression":
        targets, held = number_targets(y), number_targets(y_holdout, "y_holdout")
        return NumberVotes(targets - targets.mean(), held - targets.mean())
    return _label_votes(coded_labels(y, y_holdout))


def voices_of(votes, labels, y_holdout):
    """The votes that other labels would make.

    Parameters
    ----------
    votes : LabelVotes or SoftVotes
        Whose holdout labels these are to agree with.
    labels : array-like (count,) or (count, n_classes)
    y_holdout : array-like (n_holdout,)
    """
    if isinstance(votes, SoftVotes):
        return SoftVotes(chances_of(labels, votes.classes, "labels"), votes.holdout, votes.classes)
    return _label_votes(coded_labels(labels, y_holdout, name="labels", holdout_name="y_holdout"))


def chances_of(y, classes, name="y"):
    """Probabilities of classes, one column each; labels become zeros and a one.

    Returns
    -------
    float64 (n, n_classes)
        A label that `classes` lacks has a line of zeros.
    """
    if n_columns(y) == 1:
        labels = coded_labels(classes, y, name="classes", holdout_name=name)
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
    check_rows(n_rows, len(votes))
    check_rows(n_holdout, len(votes.holdout), "X_holdout", "y_holdout")


def _label_votes(labels):
    """Votes of coded labels, as small numbers where they are few."""
    dtype = np.uint8 if len(labels.classes) <= _FEW else np.int64
    return LabelVotes(labels.codes.astype(dtype), labels.holdout.astype(dtype))


def column_labels(n_classes, classes, **targets):
    """Labels of columns of probabilities: those given, else the sorted labels, or 0, 1, ... where labels are such numbers.

    >>> column_labels(2, None, y=[[0.5, 0.5]], y_holdout=["no", "yes"]).tolist()
    ['no', 'yes']
    """
    if classes is not None:
        labels = np.asarray(classes)
        if labels.shape != (n_classes,):
            raise DataError(f"classes has {labels.size} entries for {n_classes} columns of probabilities", "one a column")
        return labels
    for name, target in targets.items():
        if n_columns(target) == 1:
            return label_codes(target, n_classes, name=name)[1]
    return np.arange(n_classes)


def n_columns(y):
    """Columns of targets: 1 where they are labels or numbers, more where they are probabilities."""
    shape = np.shape(y) if not isinstance(y, (list, tuple)) else np.shape(np.asarray(y, dtype=object))
    return shape[1] if len(shape) == 2 else 1

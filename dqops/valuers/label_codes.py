"""Labels as places of probability columns, some of them missing."""

import numpy as np

from dqops.errors import DataError
from dqops.models.targets import codes_of
from dqops.valuers.arrays import coded_labels, missing_labels, one_a_row


def label_codes(y, n_classes, classes=None, *, name="y"):
    """Column of each label, -1 where it is missing, and the labels of the columns.

    Whole numbers within ``0 .. n_classes - 1`` are columns already and are not copied.

    Parameters
    ----------
    y : array-like (n,)
    n_classes : int
        Columns.
    classes : array-like (n_classes,), optional
        Labels of the columns.
    name : str
        What messages call `y`.

    Returns
    -------
    codes : int (n,)
    classes : array (n_classes,)

    Raises
    ------
    DataError
        Where a label has no column, or there are more or fewer labels than columns.

    Examples
    --------
    >>> codes, classes = label_codes(["no", "yes", None], 2)
    >>> codes.tolist(), classes.tolist()
    ([0, 1, -1], ['no', 'yes'])
    """
    values = one_a_row(y, name)
    if classes is None and values.dtype.kind in "iu" and values.min() >= 0 and values.max() < n_classes:
        return (values if values.dtype.kind == "i" else values.astype(np.int64)), np.arange(n_classes)
    known = ~missing_labels(values)
    codes = np.full(len(values), -1, dtype=np.int64)
    if classes is None:
        if not known.any():
            return codes, np.arange(n_classes)
        coded = coded_labels(values[known])
        if _are_columns(coded.classes, n_classes):
            codes[known] = values[known].astype(np.int64)
            return codes, np.arange(n_classes)
        if len(coded.classes) != n_classes:
            held = f"{len(coded.classes)} labels" if len(coded.classes) > 1 else "one label"
            raise DataError(f"{name} holds {held} and probabilities have {n_classes} columns", "classes=, the label of each column")
        codes[known] = coded.codes
        return codes, coded.classes
    return _among(values, known, codes, classes, n_classes)


def _are_columns(labels, n_classes):
    """Are these whole numbers (of a float column with holes) places of columns?"""
    return labels.dtype.kind in "iuf" and bool((labels == np.round(labels)).all()) and labels[0] >= 0 and labels[-1] < n_classes


def _among(values, known, codes, classes, n_classes):
    names = coded_labels(classes, name="classes")
    if len(names.codes) != n_classes or len(names.classes) != n_classes:
        raise DataError(f"classes names {len(names.classes)} labels and probabilities have {n_classes} columns", "one label for each column")
    if known.any():
        held = coded_labels(values[known])
        place = codes_of(held.classes, names.classes)
        if (place < 0).any():
            raise DataError(f"label {str(held.classes[int(np.argmin(place))])!r} of y is not among classes", "every label of y")
        column = np.argsort(names.codes)
        codes[known] = column[place[held.codes]]
    return codes, names.classes[names.codes]

"""The door for array users: what they hand over is checked and made plain here, once."""

from numbers import Real
from typing import NamedTuple

import numpy as np
import polars as pl

from dqops.errors import DataError, OptionError
from dqops.valuers.cells import column_label, frame_cells, is_missing, object_floats, shown

# Largest dense copy that is made of a sparse matrix, in bytes.
DENSE_BUDGET = 1 << 30
TASKS = ("classification", "regression")
# More distinct whole numbers than this are a quantity, not names of classes.
_MOST_NUMBERED_CLASSES = 20
_BLOCK_CELLS = 1 << 18


class Labels(NamedTuple):
    """Labels as codes into sorted classes.

    Parameters
    ----------
    codes : int64 (n,)
        Training labels; `classes[codes]` gives them back.
    holdout : int64 (n_holdout,) or None
        Holdout labels, None where none were given.
    classes : array (n_classes,)
        The training classes, sorted, then those that only the holdout rows have, sorted.
    n_trained : int
        How many of `classes` training rows have.
    """

    codes: np.ndarray
    holdout: np.ndarray | None
    classes: np.ndarray
    n_trained: int


def feature_array(X, name="X", *, max_bytes=DENSE_BUDGET):
    """Features as numbers, C-contiguous, float32 where they were, else float64.

    Parameters
    ----------
    X : array-like (n, d)
        numpy, nested lists, a pandas or polars frame, or a scipy sparse matrix.
    name : str
        What messages call it.
    max_bytes : int
        Largest dense copy that is made of a sparse matrix.

    Returns
    -------
    float32 or float64 (n, d)
        All finite, n and d of 1 or more. Not a copy where `X` was already so; never write to it.

    Raises
    ------
    DataError
        Where cells are text, dates, missing or infinite (with the column named), the shape is not (n, d), it is empty,
        or a sparse matrix does not fit when dense.

    Examples
    --------
    >>> feature_array([[1, 2], [3, 4]]).dtype
    dtype('float64')
    >>> feature_array([[1, float("nan")], [3, 4]])
    Traceback (most recent call last):
    dqops.errors.DataError: X column 1 is missing in 1 row of 2 (first: row 0); need finite numbers
    """
    names = column_names(X)
    array = _dense(X, name, max_bytes) if names is None else frame_cells(X, name, names)
    _check_shape(array, name)
    array = _as_floats(array, name, names)
    _check_finite(array, name, names)
    return array


def feature_arrays(X, X_holdout, *, max_bytes=DENSE_BUDGET):
    """Training and holdout features as `feature_array` gives them, with the same columns and one dtype.

    >>> train, holdout = feature_arrays([[1.0, 2.0]], np.ones((3, 2), dtype=np.float32))
    >>> holdout.dtype, holdout.shape
    (dtype('float64'), (3, 2))
    """
    check_order(X, X_holdout, "X_holdout")
    train, holdout = feature_array(X, max_bytes=max_bytes), feature_array(X_holdout, "X_holdout", max_bytes=max_bytes)
    check_columns(train, holdout, "X_holdout")
    dtype = np.result_type(train, holdout)
    return train.astype(dtype, copy=False), holdout.astype(dtype, copy=False)


def coded_labels(y, y_holdout=None, *, name="y", holdout_name=None):
    """Labels of any kind as codes 0, 1, ... of their sorted classes.

    Parameters
    ----------
    y : array-like (n,)
        Text, booleans, numbers, pandas or polars categories.
    y_holdout : array-like (n_holdout,), optional
        A class that training rows lack is legal and coded after the others.
    name, holdout_name : str
        What messages call them; a holdout is ``<name>_holdout`` where nothing else is said.

    Returns
    -------
    Labels

    Raises
    ------
    DataError
        Where labels are missing, none are there, are not one a row, or are text in one place and numbers in another.

    Examples
    --------
    >>> labels = coded_labels(["no", "yes", "no"], ["yes", "maybe"])
    >>> labels.codes.tolist(), labels.holdout.tolist(), labels.classes.tolist()
    ([0, 1, 0], [1, 2], ['no', 'yes', 'maybe'])
    """
    values = _label_values(y, name)
    classes, codes = _distinct(values)
    if y_holdout is None:
        return Labels(codes, None, classes, len(classes))
    holdout_name = holdout_name or f"{name}_holdout"
    held = _label_values(y_holdout, holdout_name)
    if _is_text(values) != _is_text(held):
        raise DataError(f"{name} holds {_kind(values)} and {holdout_name} {_kind(held)}", "labels of one kind in both")
    held_classes, held_codes = _distinct(held)
    unseen = held_classes[~np.isin(held_classes, classes)]
    place = np.searchsorted(classes, held_classes)
    place[np.isin(held_classes, unseen)] = len(classes) + np.arange(len(unseen))
    return Labels(codes, place[held_codes].astype(np.int64), np.concatenate([classes, unseen]), len(classes))


def number_targets(y, name="y"):
    """Targets of a regression as finite numbers.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    DataError
        Where a target is text, missing or infinite, none is there, or they are not one a row.

    Examples
    --------
    >>> number_targets([1, 2.5]).tolist()
    [1.0, 2.5]
    """
    values = one_a_row(y, name)
    is_mixed = values.dtype.kind == "O"
    if values.dtype.kind not in "biufO" or (is_mixed and any(isinstance(one, (str, bytes)) for one in values)):
        raise DataError(f"{name} holds {'text' if is_mixed else _kind(values)}", "numbers")
    try:
        numbers = np.array([np.nan if is_missing(one) else one for one in values] if is_mixed else values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} holds {_kind(values)}", "numbers") from None
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        what = "missing" if np.isnan(numbers[wrong[0]]) else "infinite"
        raise DataError(f"{name} is {what} in {_where(wrong, len(numbers))}", "finite numbers")
    return numbers


def task_of_targets(y, task=None, name="y"):
    """What predicting `y` is: "classification" or "regression".

    Numbers with a fractional part, and many distinct whole numbers of a float dtype, are a quantity; all else names
    classes. `task` is taken as it is where it is given.

    >>> task_of_targets([0, 1, 2]), task_of_targets([0.5, 1.2, 2.0])
    ('classification', 'regression')
    """
    if task is not None:
        if task not in TASKS:
            raise OptionError("task", task, "'classification' or 'regression'")
        return task
    values = one_a_row(y, name)
    if values.dtype.kind != "f":
        return "classification"
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) <= 2:
        return "classification"
    few = len(distinct) <= _MOST_NUMBERED_CLASSES and len(distinct) ** 2 <= 2 * len(values)
    return "classification" if few and np.array_equal(distinct, np.round(distinct)) else "regression"


def check_rows(n_rows, n_targets, rows="X", targets="y"):
    """Refuse features and targets that are not one a row.

    >>> check_rows(3, 2)
    Traceback (most recent call last):
    dqops.errors.DataError: X has 3 rows and y 2; need one target a row
    """
    if n_rows != n_targets:
        raise DataError(f"{rows} has {_count(n_rows, 'row')} and {targets} {n_targets}", "one target a row")


def check_columns(X, other, name):
    """Refuse an array that has more or fewer columns than `X`."""
    if X.shape[1] != other.shape[1]:
        raise DataError(f"X has {_count(X.shape[1], 'column')} and {name} {other.shape[1]}", "the same columns in both")


def check_order(X, other, name):
    """Refuse a frame that has the columns of the frame `X` in another order."""
    names, others = column_names(X), column_names(other)
    if names is not None and others is not None and names != others and sorted(names) == sorted(others):
        raise DataError(f"{name} has the columns of X in another order", "the same order in both")


def check_memory(n_bytes, max_bytes, what):
    """Refuse work that would hold more than the budget, before anything is allocated.

    >>> check_memory(3 << 30, 1 << 30, "the n_holdout x n matrix")
    Traceback (most recent call last):
    dqops.errors.DataError: the n_holdout x n matrix takes 3.2 GB; need at most 1.1 GB, or a larger max_bytes
    """
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, Real) or not max_bytes > 0:
        raise OptionError("max_bytes", max_bytes, "a number of bytes above 0")
    if n_bytes > max_bytes:
        raise DataError(f"{what} takes {_size(n_bytes)}", f"at most {_size(max_bytes)}, or a larger max_bytes")


def column_names(X):
    """Names of the columns of a frame, or None where it is none."""
    is_frame = isinstance(X, pl.DataFrame) or (hasattr(X, "iloc") and hasattr(X, "columns"))
    return [str(one) for one in X.columns] if is_frame else None


def _dense(X, name, max_bytes):
    """Anything but a frame as an array of any dtype."""
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        n_bytes = int(np.prod(X.shape, dtype=object)) * max(np.dtype(X.dtype).itemsize, 4)
        check_memory(n_bytes, max_bytes, f"{name} as a dense array of {' x '.join(map(str, X.shape))}")
        return X.toarray()
    return _as_array(X, name)


def _as_array(values, name):
    """numpy's view of them; masked cells become NaN."""
    if isinstance(values, pl.LazyFrame):
        raise DataError(f"{name} is a lazy frame", "a collected one: call .collect() first")
    if np.ma.isMaskedArray(values):
        return np.ma.filled(values.astype(np.float64), np.nan)
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name} has rows of different lengths", "rows of one length") from None
    if array.ndim == 0:
        raise DataError(f"{name} is {shown(values)}", "an array with one entry a row")
    return array


def _check_shape(array, name):
    if array.ndim != 2:
        hint = f"; {name}.reshape(-1, 1) makes one column of it" if array.ndim == 1 else ""
        raise DataError(f"{name} has shape {array.shape}", f"rows and columns{hint}")
    if not array.shape[0]:
        raise DataError(f"{name} has no rows", "one row or more")
    if not array.shape[1]:
        raise DataError(f"{name} has no columns", "one column or more")


def _as_floats(array, name, names):
    """C-contiguous floats of these cells."""
    kind = array.dtype.kind
    if kind == "O":
        array = object_floats(array, name, names)
    elif kind not in "biuf":
        raise DataError(f"{name} holds {_kind(array)}", "numbers: encode it first")
    dtype = np.float32 if array.dtype == np.float32 else np.float64
    return np.ascontiguousarray(array, dtype=dtype)


def _check_finite(array, name, names):
    """Refuse missing and infinite cells, by column; a block at a time."""
    n_block = max(1, _BLOCK_CELLS // array.shape[1])
    if all(np.isfinite(array[start : start + n_block]).all() for start in range(0, len(array), n_block)):
        return
    wrong = [np.flatnonzero(~np.isfinite(array[:, column])) for column in range(array.shape[1])]
    places = [column for column, rows in enumerate(wrong) if len(rows)]
    first, rows = places[0], wrong[places[0]]
    missing = np.isnan(array[rows, first])
    what = "missing" if missing.all() else "infinite" if not missing.any() else "missing or infinite"
    others = f", and {_count(len(places) - 1, 'other column')} {'has' if len(places) == 2 else 'have'} such rows" if len(places) > 1 else ""
    where = _where(rows, len(array)) + others
    raise DataError(f"{name} column {column_label(first, names)} is {what} in {where}", "finite numbers")


def one_a_row(y, name):
    """Targets or labels as an array (n,), not empty."""
    array = _as_array(y, name)
    array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}", "one entry a row")
    if not len(array):
        raise DataError(f"{name} has no rows", "one row or more")
    return array


def _label_values(y, name):
    """Labels as an array that can be sorted: numbers, booleans or text."""
    values = one_a_row(y, name)
    missing = np.flatnonzero(missing_labels(values))
    if len(missing):
        raise DataError(f"{name} is missing in {_where(missing, len(values))}", "a label for every row")
    if values.dtype.kind == "V" or values.dtype.kind == "c":
        raise DataError(f"{name} holds {_kind(values)}", "labels: text, numbers or booleans")
    if values.dtype.kind not in "OT":
        return values
    texts = sum(isinstance(one, str) for one in values)
    if texts == len(values):
        return np.array([str(one) for one in values], dtype=object)
    if texts:
        raise DataError(f"{name} holds text in {_count(texts, 'row')} and other things in {len(values) - texts}", "labels of one kind")
    plain = np.array(values.tolist())
    if plain.dtype.kind not in "biuf" or plain.ndim != 1:
        raise DataError(f"{name} holds {shown(values[0])}", "labels: text, numbers or booleans")
    return plain


def missing_labels(values):
    """Which entries of an array are nothing: None, NaN, NA, NaT; bool (n,).

    >>> missing_labels(np.array(["a", None], dtype=object)).tolist()
    [False, True]
    """
    if values.dtype.kind == "O":
        return np.array([is_missing(one) for one in values], dtype=bool)
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.isnat(values) if values.dtype.kind in "mM" else np.zeros(len(values), dtype=bool)


def _distinct(values):
    """Distinct values, sorted, and the place of each value among them; small whole numbers need no sort."""
    if values.dtype.kind in "bu" or (values.dtype.kind == "i" and values.min() >= 0):
        top = int(values.max())
        if top <= len(values) + 255:
            there = np.zeros(top + 1, dtype=bool)
            there[values.astype(np.intp, copy=False)] = True
            places = np.cumsum(there) - 1
            return np.flatnonzero(there).astype(values.dtype), places[values.astype(np.intp, copy=False)]
    distinct, places = np.unique(values, return_inverse=True)
    return distinct, places.astype(np.int64, copy=False)


def _is_text(values):
    return values.dtype.kind in "OUST"


def _kind(values):
    """What an array holds, in a word."""
    if _is_text(values) and all(isinstance(one, str) for one in values.flat[:100]):
        return "text"
    names = {"O": "mixed things", "S": "bytes", "M": "dates", "m": "durations", "c": "complex numbers", "b": "booleans", "V": "records"}
    return names.get(values.dtype.kind, "numbers")


def _where(rows, n):
    return f"{_count(len(rows), 'row')} of {n} (first: row {rows[0]})"


def _count(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _size(n_bytes):
    """Bytes as a person says them."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{n_bytes} bytes"

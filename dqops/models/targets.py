"""The target as a model learns it: its task, its values, its classes."""

import numpy as np
import polars as pl

from dqops.errors import DataError, OptionError
from dqops.tables.cells import as_numbers

TASKS = ("classification", "regression")
# More distinct whole numbers than this are a quantity, not names of classes.
_MOST_NUMBERED_CLASSES = 20


def task_of(table, override=None):
    """What predicting the target is: "classification" or "regression".

    Text, booleans, two distinct numbers and few distinct whole numbers are classes. A text column that a person
    reads as numbers (``"12.0 oz"``) is judged by those numbers.

    Parameters
    ----------
    table : Table
    override : {"classification", "regression"}, optional
        Taken as it is.

    Examples
    --------
    >>> from dqops.tables.table import Table
    >>> frame = pl.DataFrame({"x": [1, 2, 3], "y": ["no", "yes", "no"]})
    >>> task_of(Table(frame, frame, pl.Series([0, 1, 2])).with_roles(target="y"))
    'classification'
    """
    if override is not None:
        if override not in TASKS:
            raise OptionError("task", override, "'classification' or 'regression'")
        return override
    recorded = table.target()
    if not recorded.dtype.is_numeric() and not _reads_as_number(table):
        return "classification"
    numbers = as_numbers(table, table.roles.target).fill_nan(None).drop_nulls()
    n_distinct = numbers.n_unique()
    if n_distinct <= 2:
        return "classification"
    whole = bool((numbers == numbers.round()).all())
    few = n_distinct <= _MOST_NUMBERED_CLASSES and n_distinct**2 <= 2 * len(numbers)
    return "classification" if whole and few else "regression"


def agreed_task(table, said, name):
    """The task that both the data and the model mean: the model decides where the target allows both.

    Parameters
    ----------
    table : Table
    said : {"classification", "regression"}
        What the model predicts.
    name : str
        The model, for messages.

    Raises
    ------
    DataError
        Where the target holds moments, or what the model cannot predict.

    Examples
    --------
    >>> from dqops.tables.table import Table
    >>> frame = pl.DataFrame({"x": [1, 2, 3], "y": [0, 1, 0]})
    >>> agreed_task(Table(frame, frame, pl.Series([0, 1, 2])).with_roles(target="y"), "regression", "Ridge()")
    'regression'
    """
    target = table.roles.target
    recorded = table.target()
    if recorded.dtype.is_temporal():
        raise DataError(f"target {target!r} holds dates", "numbers or classes, such as the days until then")
    seen = task_of(table)
    if said == seen:
        return seen
    if said == "regression":
        if recorded.dtype.is_numeric() or recorded.dtype == pl.Boolean or _reads_as_number(table):
            return said
        raise DataError(f"{name} predicts numbers and target {target!r} holds names", "a classifier, or a target of numbers")
    n_distinct, n_known = recorded.n_unique(), recorded.len() - recorded.null_count()
    if 2 * n_distinct <= n_known and (not recorded.dtype.is_float() or bool((recorded.drop_nulls() % 1 == 0).all())):
        return said
    raise DataError(f"{name} predicts classes and target {target!r} holds {n_distinct} distinct numbers", "a regressor, or a target of classes")


def doubts_of_target(table, task):
    """A sentence where there are so many classes that hardly any of them can be learned; else nothing."""
    if task == "regression":
        return ()
    n_classes, n_known = len(classes_of(table)), int(target_values(table, task)[1].sum())
    if n_classes < 3 or 2 * n_classes <= n_known:
        return ()
    return (f"target {table.roles.target!r} holds {n_classes} classes in {n_known} rows: hardly any of them can be learned",)


def target_values(table, task):
    """Target values and which of them are known.

    Parameters
    ----------
    table : Table
    task : {"classification", "regression"}

    Returns
    -------
    values : float64 (n,) for regression; int64, bool or object (n,) of str for classification
        Where a value is not known it is NaN, 0, False or "".
    known : bool (n,)
    """
    recorded = table.target()
    if task == "regression":
        numbers = as_numbers(table, table.roles.target).fill_null(float("nan")).to_numpy().astype(np.float64)
        return numbers, np.isfinite(numbers)
    if recorded.dtype.is_float():
        recorded = _whole_where_possible(recorded.fill_nan(None))
    known = recorded.is_not_null().to_numpy()
    if recorded.dtype == pl.Boolean:
        return recorded.fill_null(False).to_numpy().astype(bool), known
    if recorded.dtype.is_integer():
        return recorded.fill_null(0).cast(pl.Int64).to_numpy(), known
    if recorded.dtype.is_float():
        return recorded.fill_null(0.0).to_numpy(), known
    return np.array(recorded.cast(pl.String).fill_null("").to_list(), dtype=object), known


def classes_of(*tables):
    """Sorted distinct known labels of these tables.

    >>> from dqops.tables.table import Table
    >>> frame = pl.DataFrame({"x": [1, 2, 3], "y": ["no", "yes", None]})
    >>> classes_of(Table(frame, frame, pl.Series([0, 1, 2])).with_roles(target="y")).tolist()
    ['no', 'yes']
    """
    parts = []
    for table in tables:
        values, known = target_values(table, "classification")
        parts.append(values[known])
    if len({part.dtype.kind in "OUS" for part in parts if len(part)}) > 1:
        raise DataError("the target holds names in one table and numbers in another", "the same in both")
    return np.unique(np.concatenate(parts)) if parts else np.array([])


def codes_of(labels, classes):
    """Place of each label in the sorted `classes`, -1 for a label that is not there.

    >>> codes_of(np.array(["b", "z"], dtype=object), np.array(["a", "b"], dtype=object)).tolist()
    [1, -1]
    """
    if not len(classes) or not len(labels):
        return np.full(len(labels), -1, dtype=np.int64)
    if len(labels) and isinstance(labels[0], str) != isinstance(classes[0], str):
        labels, classes = np.asarray(labels).astype(str), np.asarray(classes).astype(str)
        order = np.argsort(classes)
    else:
        order = np.arange(len(classes))
    place = np.minimum(np.searchsorted(classes, labels, sorter=order), len(classes) - 1)
    codes = order[place]
    return np.where(np.asarray(classes)[codes] == labels, codes, -1).astype(np.int64)


def _reads_as_number(table):
    meaning = table.meanings.get(table.roles.target)
    return meaning is not None and meaning.kind == "number"


def _whole_where_possible(numbers):
    held = numbers.drop_nulls()
    whole = held.is_finite().all() and bool((held == held.round()).all()) and bool((held.abs() < 2.0**63).all())
    return numbers.cast(pl.Int64, strict=False) if whole else numbers

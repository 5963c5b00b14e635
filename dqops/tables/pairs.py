"""A table and the truth about it: the same rows twice, read alike, and what differs between them."""

from dataclasses import replace

import numpy as np
import polars as pl

from dqops.errors import DataError
from dqops.tables.cells import as_numbers, number_text
from dqops.tables.contents import listed


def paired(dirty, clean):
    """The clean table with the rows and columns of the dirty one, in the same order.

    Rows go by the key where one is named, else by position.

    Parameters
    ----------
    dirty, clean : Table

    Raises
    ------
    DataError
        Where one has rows or columns that the other lacks.

    Examples
    --------
    >>> import dqops
    >>> dirty, clean = (dqops.read(pl.DataFrame({"id": ids, "x": [1, 2]}), key="id") for ids in (["a", "b"], ["b", "a"]))
    >>> paired(dirty, clean).frame["x"].to_list()
    [2, 1]
    """
    for here, there, name in ((dirty, clean, "clean"), (clean, dirty, "dirty")):
        absent = [column for column in here.columns if column not in there.columns]
        if absent:
            raise DataError(f"the {name} table has no column {listed(absent)}", "the same columns in both")
    if dirty.n_rows != clean.n_rows:
        raise DataError(f"the dirty table has {dirty.n_rows} rows and the clean one {clean.n_rows}", "the same rows in both")
    clean = replace(clean, frame=clean.frame.select(dirty.columns), raw=clean.raw.select(dirty.columns), given=None)
    if dirty.roles.key is None:
        return replace(clean, row_ids=dirty.row_ids)
    places = pl.DataFrame({"row": clean.row_ids, "place": np.arange(clean.n_rows)})
    if clean.row_ids.dtype != dirty.row_ids.dtype or len(set(dirty.row_ids) - set(clean.row_ids)):
        raise DataError(f"the clean table lacks ids of the key {dirty.roles.key!r} that the dirty one has", "the same rows in both")
    order = pl.DataFrame({"row": dirty.row_ids}).join(places, on="row", how="left", maintain_order="left")["place"]
    return clean.take(order.to_numpy())


def read_alike(dirty, clean):
    """Both tables with each column in the type that a person reads in the clean one.

    A number column stays one: what cannot be read as a number becomes empty. Other columns of two types become text.

    Parameters
    ----------
    dirty, clean : Table
        With the same columns.

    Returns
    -------
    Table, Table

    Examples
    --------
    >>> import dqops
    >>> dirty, clean = (dqops.read(pl.DataFrame({"x": cells})) for cells in (["1", "2..5"], [1.0, 2.5]))
    >>> read_alike(dirty, clean)[0].frame["x"].to_list()
    [1.0, None]
    """
    sides = [[], []]
    for name in clean.columns:
        for side, cells in zip(sides, _column(dirty, clean, name), strict=True):
            side.append(cells.alias(name))
    frames = [pl.DataFrame(side) for side in sides]
    return tuple(replace(table, frame=frame, raw=frame, given=None) for table, frame in zip((dirty, clean), frames, strict=True))


def _column(dirty, clean, name):
    recorded, truth = dirty.frame[name], clean.frame[name]
    if truth.dtype.is_numeric():
        if recorded.dtype == truth.dtype and not truth.dtype.is_float():
            return recorded, truth
        return as_numbers(dirty, name).fill_nan(None), truth.cast(pl.Float64).fill_nan(None)
    return (recorded, truth) if recorded.dtype == truth.dtype else (_text(recorded), _text(truth))


def _text(cells):
    return number_text(cells.cast(pl.Float64)) if cells.dtype.is_numeric() else cells.cast(pl.String)


def wrong_cells(dirty, clean, columns):
    """Which cells differ, bool (n, len(columns)); two empty cells do not.

    Parameters
    ----------
    dirty, clean : Table
        With the same rows and types.
    columns : list of str
    """
    differs = [dirty.frame[name].ne_missing(clean.frame[name]).to_numpy() for name in columns]
    return np.column_stack(differs) if differs else np.zeros((dirty.n_rows, 0), dtype=bool)


def with_truth(dirty, clean, columns, known):
    """The dirty table with the true value in the cells that are known.

    Parameters
    ----------
    dirty, clean : Table
        With the same rows and types.
    columns : list of str
    known : bool (n, len(columns))
    """
    fresh = [clean.frame[name].zip_with(pl.Series(known[:, place]), dirty.frame[name]) for place, name in enumerate(columns) if known[:, place].any()]
    return dirty.with_columns(*fresh)

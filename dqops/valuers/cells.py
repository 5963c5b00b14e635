"""Cells of frames and of Python objects, as numbers."""

import numpy as np
import polars as pl

from dqops.errors import DataError


def frame_cells(X, name, names):
    """Cells of a pandas or polars frame as one array of numbers; text and dates are refused by column."""
    columns = X.get_columns() if isinstance(X, pl.DataFrame) else [X.iloc[:, place] for place in range(len(names))]
    kinds = [_column_kind(column) for column in columns]
    if None in kinds:
        place = kinds.index(None)
        dtype = str(columns[place].dtype)
        held = "text" if dtype.lower() in ("object", "str", "string", "category", "categorical") else dtype
        raise DataError(f"{name} column {names[place]!r} holds {held}", "numbers: encode it first")
    cells = np.empty((len(X), len(columns)), dtype=np.result_type(*kinds) if kinds else np.float64)
    for place, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        is_polars = isinstance(column, pl.Series)
        cells[:, place] = column.cast(pl.Float64).to_numpy() if is_polars else column.to_numpy(dtype=kind, na_value=np.nan)
    return cells


def _column_kind(column):
    """float32, float64, or None where cells are not numbers."""
    dtype = column.dtype
    if str(dtype).lower() == "float32":
        return np.float32
    if isinstance(column, pl.Series):
        return np.float64 if dtype.is_numeric() or dtype == pl.Boolean else None
    kind = getattr(getattr(dtype, "subtype", dtype), "kind", "O")  # pandas' sparse columns have a subtype
    if str(dtype) == "object":
        return None if any(isinstance(one, (str, bytes)) for one in column) else np.float64
    return np.float64 if kind in "biuf" else None


def object_floats(array, name, names):
    """Python objects as floats; None becomes NaN, text is refused by column."""
    numbers = np.empty(array.shape, dtype=np.float64)
    for column in range(array.shape[1]):
        for row, cell in enumerate(array[:, column]):
            if is_missing(cell):
                numbers[row, column] = np.nan
            elif isinstance(cell, (int, float, np.number, np.bool_)) and not np.iscomplexobj(cell):
                numbers[row, column] = cell
            else:
                raise DataError(f"{name} column {column_label(column, names)} holds {shown(cell)} in row {row}", "numbers: encode it first")
    return numbers


def is_missing(value):
    """None, NaN, pandas' NA and NaT: all that does not equal itself, or is nothing."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, (float, np.floating)) and value != value)


def column_label(column, names):
    """How messages call a column: by its name, or by its place where it has none."""
    return column if names is None else repr(names[column])


def shown(value):
    """A value as code, cut short."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."

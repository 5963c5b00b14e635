"""The pandas seam: pandas frames come in here and go out here."""

import pandas as pd
import polars as pl

from dqops.tables.contents import Contents, clean_names
from dqops.tables.plain import plain_cells, plain_frame, sentences


def from_pandas(frame):
    """Contents of a pandas frame; an index that says something becomes the row ids.

    Parameters
    ----------
    frame : pandas.DataFrame or pandas.Series

    Returns
    -------
    Contents

    Examples
    --------
    >>> contents = from_pandas(pd.DataFrame({"a": [1, 2]}, index=["x", "y"]))
    >>> contents.rows.to_list()
    ['x', 'y']
    """
    frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
    names, warnings = clean_names(frame.columns)
    columns, said = [], {}
    for place, name in enumerate(names):
        cells, loss = _column(name, frame.iloc[:, place])
        columns.append(cells)
        if loss:
            said.setdefault(loss, []).append(name)
    plain, more = plain_frame(pl.DataFrame(columns))
    rows, doubt = _row_ids(frame.index)
    return Contents.of_values(plain, rows=rows, warnings=(*warnings, *sentences(said), *more, *doubt))


def to_pandas(frame):
    """The frame as pandas users know it: text as ``str``, missing as NaN.

    >>> to_pandas(pl.DataFrame({"a": ["x", None], "b": [1, None]})).dtypes.astype(str).to_list()
    ['str', 'float64']
    """
    return frame.to_pandas()


def _column(name, column):
    """One pandas column as a polars Series, and what was lost or None."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _column(name, column.astype(dtype.categories.dtype if not column.hasnans else object))
    if isinstance(dtype, pd.SparseDtype):
        return _column(name, column.sparse.to_dense())
    if isinstance(dtype, pd.PeriodDtype):
        return _column(name, column.dt.to_timestamp())
    if dtype.kind == "O" or isinstance(dtype, pd.IntervalDtype) or dtype.kind == "c":
        values = column.astype(object)
        return plain_cells(name, values.where(values.notna(), None).to_list())
    return pl.Series(name, pl.from_pandas(column.rename(None))), None


def _row_ids(index):
    """Row ids that the index carries, or None; and a warning where it repeats itself."""
    if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
        return None, ()
    if isinstance(index, pd.MultiIndex) or not (index.dtype.kind in "iu" or index.inferred_type == "string"):
        held = f"{index.nlevels} levels" if isinstance(index, pd.MultiIndex) else f"{index.dtype} values"
        return None, (f"the index holds {held}, which are no row ids: rows are numbered from 0 instead (reset_index() makes columns of it)",)
    if index.hasnans or not index.is_unique:
        return None, ("the index repeats itself or has gaps: rows are numbered from 0 instead",)
    name = "row" if index.name is None else str(index.name)
    if index.dtype.kind in "iu":
        return pl.Series(name, index.to_numpy(), dtype=pl.Int64), ()
    return pl.Series(name, index.astype(object).to_list(), dtype=pl.String), ()

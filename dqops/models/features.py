"""The features as the user's model is given them: a frame with the source's column names."""

import numpy as np
import pandas as pd
import polars as pl

# Larger numbers overflow when a model squares them in single precision; no measurement is that large.
LARGEST = 1e15


def features_of(table, tame=False):
    """Feature columns as the kind of frame that the user gave.

    Parameters
    ----------
    table : Table
    tame : bool
        Infinities become missing and numbers beyond 1e15 are clipped: for pipelines that are ours.

    Returns
    -------
    pandas.DataFrame or polars.DataFrame
        By `table.flavour`; typed as `pandas.read_csv` types it, in the first case.
    """
    frame = table.frame.select(table.features)
    if tame:
        frame = frame.with_columns([_tamed(frame[name]) for name in frame.columns if frame[name].dtype.is_float()])
    if table.flavour == "polars":
        return frame
    return to_pandas(frame)


def to_pandas(frame):
    """A pandas frame with the types that `pandas.read_csv` gives.

    >>> to_pandas(pl.DataFrame({"a": [1, None], "b": [None, None], "c": ["x", None]})).dtypes.astype(str).tolist()
    ['float64', 'float64', 'str']
    """
    plain = frame.with_columns([_plain(frame[name]) for name in frame.columns])
    converted = plain.to_pandas() if plain.width else pd.DataFrame(index=range(plain.height))
    holes = [name for name in plain.columns if plain[name].dtype == pl.Boolean and plain[name].null_count()]
    for name in holes:
        converted[name] = converted[name].astype(object).where(converted[name].notna(), np.nan)
    return converted


def is_plain_numbers(table):
    """(all features are numbers or complete booleans, some of them is missing or infinite)."""
    frame = table.frame.select(table.features)
    numeric = all(dtype.is_numeric() or dtype == pl.Boolean for dtype in frame.dtypes)
    holes = False
    for name in frame.columns:
        cells = frame[name]
        missing = cells.null_count() > 0
        if missing and cells.dtype == pl.Boolean:
            numeric = False
        holes |= missing or (cells.dtype.is_float() and not bool(cells.is_finite().all()))
    return numeric, holes


def _plain(cells):
    if cells.null_count() == len(cells):
        return cells.cast(pl.Float64, strict=False) if cells.dtype in (pl.String, pl.Null) else cells
    if cells.dtype.is_decimal() or cells.dtype in (pl.Int128, pl.UInt128):
        return cells.cast(pl.Float64, strict=False)
    if cells.dtype == pl.Time or cells.dtype.is_nested():
        return cells.cast(pl.String, strict=False) if cells.dtype == pl.Time else _nested_text(cells)
    return cells


def _nested_text(cells):
    return pl.Series(cells.name, [None if cell is None else str(cell) for cell in cells.to_list()], dtype=pl.String)


def _tamed(cells):
    finite = pl.select(pl.when(pl.lit(cells).is_finite()).then(pl.lit(cells)).otherwise(None)).to_series()
    return finite.clip(-LARGEST, LARGEST).alias(cells.name)

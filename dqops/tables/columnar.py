"""Parquet and Arrow: files that carry their types."""

import json
from pathlib import Path

import polars as pl

from dqops.errors import SourceError
from dqops.tables.contents import Contents
from dqops.tables.plain import plain_frame

PARQUET_ENDINGS = (".parquet", ".pq", ".parq")


def read_parquet(source, name):
    """Contents of a Parquet file (path or open bytes), of a folder of them, or of a list of paths.

    A pandas index that was saved with a single file comes back as row ids.
    """
    try:
        frame = pl.read_parquet(source)
        index = _pandas_index(source) if not isinstance(source, list) else None
    except (pl.exceptions.PolarsError, OSError) as cause:
        came = "its files do not fit together" if isinstance(source, list) else "its Parquet data are cut short or damaged"
        raise SourceError(name, f"{came} ({_first_line(cause)})") from None
    return _with_index(frame, index)


def read_arrow(source, name, *, stream):
    """Contents of an Arrow file (also Feather), or of an Arrow stream."""
    try:
        frame = pl.read_ipc_stream(source) if stream else pl.read_ipc(source)
    except (pl.exceptions.PolarsError, OSError) as cause:
        raise SourceError(name, f"its Arrow data are cut short or damaged ({_first_line(cause)})") from None
    return _with_index(frame, None)


def parquet_files(folder):
    """Parquet files in a folder and the folders in it, by name.

    Raises
    ------
    SourceError
        When there is none.
    """
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in PARQUET_ENDINGS and path.is_file())
    if not files:
        raise SourceError(folder, "it is a folder without Parquet files", "a file, or a folder of Parquet files")
    return files


def _pandas_index(source):
    """How pandas saved its index: the name of a column, a range as a dict, or None."""
    saved = json.loads(pl.read_parquet_metadata(source).get("pandas") or "{}").get("index_columns") or []
    return saved[0] if len(saved) == 1 else None


def _with_index(frame, index):
    rows = None
    index = "__index_level_0__" if index is None and "__index_level_0__" in frame.columns else index
    if isinstance(index, str) and index in frame.columns:
        rows = frame[index]
        if not _identifies(rows):
            rows = None
        frame = frame.drop(index) if rows is not None or index.startswith("__index_level") else frame
    elif isinstance(index, dict) and (index.get("start"), index.get("step")) != (0, 1):
        numbers = range(index.get("start", 0), index.get("stop", 0), index.get("step", 1))
        rows = pl.Series(index.get("name") or "row", numbers, dtype=pl.Int64) if len(numbers) == frame.height else None
    plain, warnings = plain_frame(frame)
    if rows is not None:
        rows = rows.cast(pl.Int64 if rows.dtype.is_integer() else pl.String)
        rows = rows.alias("row") if rows.name.startswith("__index_level") else rows
    return Contents.of_values(plain, rows=rows, warnings=warnings)


def _identifies(cells):
    typed = cells.dtype.is_integer() or cells.dtype in (pl.String, pl.Categorical, pl.Enum)
    return typed and not cells.null_count() and cells.n_unique() == len(cells)


def _first_line(cause):
    return str(cause).strip().splitlines()[0][:200] if str(cause).strip() else type(cause).__name__

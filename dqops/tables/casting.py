"""Cells read as a stated dtype, and which of them cannot be."""

import polars as pl

_BLANKS = " \t\n\r\v\f"
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


def cast_cells(cells, raw, dtype):
    """The cells as `dtype`, and which of them are something else.

    Parameters
    ----------
    cells, raw : polars.Series (n,)
        As recorded, and as they stood in the source; null in `cells` is missing.
    dtype : polars.DataType

    Returns
    -------
    values : polars.Series (n,)
        Null where a cell is missing or something else.
    wrong : bool polars.Series (n,)

    Examples
    --------
    >>> text = pl.Series(["1", "2.5", "x", None])
    >>> values, wrong = cast_cells(text, text, pl.Int64())
    >>> values.to_list(), wrong.to_list()
    ([1, None, None, None], [False, True, True, False])
    """
    if cells.dtype == dtype:
        return cells, pl.repeat(False, len(cells), dtype=pl.Boolean, eager=True)
    values = _cast(cells, raw, dtype)
    if dtype.is_integer() and cells.dtype != pl.Boolean and not cells.dtype.is_integer():
        numbers = cells if cells.dtype.is_numeric() else _numbers(cells)
        values = values.set((numbers != numbers.round()).fill_null(False), None)
    return values, values.is_null() & cells.is_not_null()


def same_family(first, second):
    """Whether both dtypes hold the same sort of cells: numbers of any width, text, truths, moments."""
    return _family(first) == _family(second)


def _cast(cells, raw, dtype):
    if dtype == pl.String:
        text = raw if raw.dtype == pl.String else cells.cast(pl.String)
        return text.set(cells.is_null(), None)
    if cells.dtype == pl.String:
        if dtype.is_numeric():
            return _numbers(cells).cast(dtype, strict=False)
        if dtype == pl.Boolean:
            lower = cells.str.strip_chars(_BLANKS).str.to_lowercase()
            return lower.replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)
        if dtype.is_temporal():
            return _moments(cells, dtype)
    if dtype == pl.Boolean and cells.dtype.is_numeric():
        return (cells == 1).set((cells != 0) & (cells != 1), None)
    return cells.cast(dtype, strict=False)


def _numbers(text):
    """Whole numbers where all are whole, to keep the digits of large ones, else floats."""
    trimmed = text.str.strip_chars(_BLANKS)
    whole = trimmed.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == text.null_count() else trimmed.cast(pl.Float64, strict=False).fill_nan(None)


def _moments(text, dtype):
    """Dates and times in ISO 8601."""
    trimmed = text.str.strip_chars(_BLANKS)
    moments = None
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"):
        read = trimmed.str.to_datetime(form, strict=False, time_unit="us")
        moments = read if moments is None else moments.fill_null(read)
    return moments.cast(dtype, strict=False)


def _family(dtype):
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "moment"
    return "truth" if dtype == pl.Boolean else "text"

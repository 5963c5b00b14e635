"""Text cells typed the way the usual readers type them: what a model is given today."""

import polars as pl

# The words that pandas.read_csv takes for missing: the recorded view must agree with what users' models see.
READ_AS_MISSING = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]  # fmt: skip
_TRUTHS = {"true": True, "false": False}
# The readers forgive these around a number, but no other blank such as the no-break space.
_BLANKS = " \t\n\r\v\f"
# Cells that decide most text columns, so that they are not cast whole.
_GLIMPSE = 64
_LARGEST_INT = 2**63


def record(raw):
    """The frame that `pandas.read_csv` would give for these text cells.

    Parameters
    ----------
    raw : polars.DataFrame
        Text columns; columns of other dtypes stay as they are.

    Returns
    -------
    polars.DataFrame
        Int64, Float64, Boolean or String columns; words for missing are null. A column of whole numbers keeps
        Int64 where cells are missing (pandas makes it float). Whole numbers beyond 64 bits become Float64.

    Examples
    --------
    >>> record(pl.DataFrame({"a": ["1", "NA"], "b": ["1", "1x"]})).dtypes
    [Int64, String]
    """
    return pl.DataFrame([_record_column(cells) for cells in raw.get_columns()])


def _record_column(text):
    if text.dtype != pl.String:
        return text
    cells = text.set(text.is_in(READ_AS_MISSING), None)
    if cells.null_count() == len(cells):
        return cells.cast(pl.Float64)
    glimpse = cells.drop_nulls().head(_GLIMPSE) if cells.head(_GLIMPSE).null_count() else cells.head(_GLIMPSE)
    for read_as in (_as_truths, _as_whole, _as_numbers):
        if read_as(glimpse) is not None and (values := read_as(cells)) is not None:
            return values
    return cells


def _as_truths(cells):
    """Boolean cells, or None where one is neither true nor false."""
    values = cells.str.to_lowercase().replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)
    return values if values.null_count() == cells.null_count() else None


def _as_whole(cells):
    values = cells.str.strip_chars(_BLANKS).cast(pl.Int64, strict=False)
    return values if values.null_count() == cells.null_count() else None


def _as_numbers(cells):
    values = cells.str.strip_chars(_BLANKS).cast(pl.Float64, strict=False)
    # Spellings of NaN that the readers know are null by now; they take any other one for text.
    return values if values.null_count() == cells.null_count() and not values.is_nan().any() else None


def beyond_int64(raw, frame):
    """Columns of `frame` that lost digits: whole numbers in `raw` too large for 64 bits.

    >>> cells = pl.DataFrame({"a": ["1", "123456789012345678901"]})
    >>> beyond_int64(cells, record(cells))
    ['a']
    """
    names = []
    for name in frame.columns:
        if frame[name].dtype != pl.Float64 or raw[name].dtype != pl.String:
            continue
        large = frame[name].is_finite() & (frame[name].abs() >= _LARGEST_INT)
        if large.any() and raw[name].filter(large).str.contains(r"^\s*[+-]?\d+\s*$").any():
            names.append(name)
    return names

"""Text cells typed the way the usual readers type them: what a model is given today."""

import polars as pl

# The words that pandas.read_csv takes for missing: the recorded view must agree with what users' models see.
READ_AS_MISSING = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]  # fmt: skip
_TRUE, _FALSE = ["True", "TRUE", "true"], ["False", "FALSE", "false"]


def record(raw):
    """The frame that `pandas.read_csv` would give for these text cells.

    Parameters
    ----------
    raw : polars.DataFrame
        All columns String.

    Returns
    -------
    polars.DataFrame
        Int64, Float64, Boolean or String columns; words for missing are null.

    Examples
    --------
    >>> record(pl.DataFrame({"a": ["1", "NA"], "b": ["1", "1x"]})).dtypes
    [Int64, String]
    """
    return pl.DataFrame([_record_column(raw[name]) for name in raw.columns])


def _record_column(text):
    if text.dtype != pl.String:
        return text
    cells = text.set(text.is_in(READ_AS_MISSING), None)
    held = cells.drop_nulls()
    if held.is_empty():
        return cells
    if held.is_in(_TRUE + _FALSE).all():
        return cells.is_in(_TRUE)
    trimmed = cells.str.strip_chars()
    for dtype in (pl.Int64, pl.Float64):
        # A mere prefix decides most text columns without casting them whole.
        if trimmed.head(64).cast(dtype, strict=False).null_count() > cells.head(64).null_count():
            continue
        numbers = trimmed.cast(dtype, strict=False)
        if numbers.null_count() == cells.null_count():
            return numbers
    return cells

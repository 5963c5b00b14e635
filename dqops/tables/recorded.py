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
_DIGITS = r"^\s*[+-]?\d+\s*$"


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
    texts = [name for name, dtype in raw.schema.items() if dtype == pl.String]
    if not texts:
        return raw
    columns, pending = {}, texts
    glimpse = _emptied(raw.select(texts).head(_GLIMPSE), texts).select(pl.all().str.strip_chars(_BLANKS))
    for read_as in (_as_whole, _as_number, _as_truth):
        fitting = _fitting(glimpse.select(pending), read_as)
        columns |= _read(raw.select(fitting), read_as)
        pending = [name for name in pending if name not in columns]
    for name, cells in columns.items():
        if cells.null_count() == len(cells):  # the readers make floats of columns without cells
            columns[name] = pl.Series(name, [None], dtype=pl.Float64).new_from_index(0, len(cells))
    return _emptied(raw, pending).with_columns(columns.values())


def _as_whole(cells):
    return cells.cast(pl.Int64, strict=False)


def _as_number(cells):
    return cells.cast(pl.Float64, strict=False)


def _as_truth(cells):
    return cells.str.to_lowercase().replace_strict(_TRUTHS, default=None, return_dtype=pl.Boolean)


def _emptied(frame, names):
    """The frame with null for the words for missing in these columns."""
    cells = pl.col(names)
    return frame.with_columns(pl.when(~cells.is_in(READ_AS_MISSING)).then(cells)) if names else frame


def _fitting(glimpse, read_as):
    """Columns of which each cell can be read so."""
    before, after = glimpse.null_count(), _values(glimpse, read_as).null_count()
    return [name for name in glimpse.columns if before[name][0] == after[name][0]]


def _values(text, read_as):
    """The cells read so, null where one cannot be; and where it spells a NaN, which is no number."""
    values = text.select(read_as(pl.all()))
    floats = [name for name, dtype in values.schema.items() if dtype == pl.Float64]
    odd = values.select(pl.col(floats).is_nan().any())
    return values.with_columns([values[name].fill_nan(None) for name in floats if odd[name][0]])


def _read(raw, read_as):
    """The columns of which each cell can be read so, or is a word for missing."""
    values = _values(raw, read_as)
    before, after = raw.null_count(), values.null_count()
    columns = {}
    for name in raw.columns:
        mended = values[name] if before[name][0] == after[name][0] else _mended(raw[name], values[name], read_as)
        if mended is not None:
            columns[name] = mended
    return columns


def _mended(text, values, read_as):
    """The values with the odd cells read again: null for a word for missing, blanks around a number forgiven.

    None where one of them is something else. A spelling of NaN that is no such word is text to the readers.
    """
    odd = values.is_null() & text.is_not_null()
    cells = text.filter(odd)
    cells = cells.set(cells.is_in(READ_AS_MISSING), None)
    again = cells if read_as is _as_truth else cells.str.strip_chars(_BLANKS)
    again = _values(again.to_frame(), read_as).to_series()
    return values.scatter(odd.arg_true(), again) if again.null_count() == cells.null_count() else None


def beyond_int64(raw, frame):
    """Columns of `frame` that lost digits: whole numbers in `raw` too large for 64 bits.

    >>> cells = pl.DataFrame({"a": ["1", "123456789012345678901"]})
    >>> beyond_int64(cells, record(cells))
    ['a']
    """
    floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64 and raw[name].dtype == pl.String]
    largest = frame.select(pl.col(floats).abs().max())
    suspects = [name for name in floats if (largest[name][0] or 0) >= _LARGEST_INT]
    return [name for name in suspects if raw[name].filter(frame[name].abs() >= _LARGEST_INT).str.contains(_DIGITS).any()]

"""What holds for a column, as a person would write it down: dtype, range, levels, pattern, uniqueness."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from dqops.tables.casting import cast_cells
from dqops.tables.shapes import common_shape

_FEW_LEVELS = 30  # a column with more distinct texts has a pattern, or nothing, not a list
_FEW_CODES = 10  # a column with more distinct whole numbers has a range, not a list
_ROWS_A_LEVEL = 5  # with fewer rows a level, the next table will bring new ones
_MOSTLY = 0.5  # share of cells that read as numbers from which a text column is one of numbers
_DENSE = 0.5  # distinct whole numbers that fill this share of their range count rows; chance would repeat some


@dataclass(frozen=True)
class ColumnFacts:
    """What holds for a column, but for cells that are something else.

    Parameters
    ----------
    dtype : polars.DataType
    nullable, unique : bool
    levels : tuple or None
        All values there are.
    low, high : number, date or None
    pattern : str or None
    """

    dtype: pl.DataType
    nullable: bool
    unique: bool
    levels: tuple | None = None
    low: object = None
    high: object = None
    pattern: str | None = None


def column_facts(cells, meaning, *, is_key=False):
    """The `ColumnFacts` of recorded cells that mean `meaning`.

    Parameters
    ----------
    cells : polars.Series (n,)
    meaning : Meaning
        Codes that stand for missing are taken from it, and left out.
    is_key : bool
        The column identifies rows: nothing but uniqueness is noted.

    Examples
    --------
    >>> from dqops.tables.meaning import meaning_of
    >>> text = pl.Series(["1.5", "2.5", "x", "4"] * 9)
    >>> facts = column_facts(text, meaning_of("a", text, text))
    >>> facts.dtype, facts.low, facts.high
    (Float64, 1.5, 4.0)
    """
    values = cells.filter(cells.is_not_null() & pl.Series(~meaning.disguised, dtype=pl.Boolean))
    dtype, values = _read_as(cells.dtype, values, meaning)
    nullable = bool(cells.null_count())
    repeats = nullable or len(values) < max(2, len(cells)) or values.is_duplicated().any()
    unique = is_key or (not repeats and (meaning.kind == "identifier" or _counts_rows(values)))
    if is_key or values.is_empty():
        return ColumnFacts(dtype, nullable, unique)
    if dtype.is_numeric() or dtype.is_temporal():
        return ColumnFacts(dtype, nullable, unique, **({} if unique else _range(values)))
    if dtype != pl.String:
        return ColumnFacts(dtype, nullable, unique)
    if _is_list(values, _FEW_LEVELS):
        return ColumnFacts(dtype, nullable, unique, levels=tuple(values.unique().sort()))
    return ColumnFacts(dtype, nullable, unique, pattern=common_shape(values))


def _read_as(dtype, values, meaning):
    """The dtype that a person gives the column, and the values that are of it."""
    if dtype != pl.String or meaning.kind != "number":
        return dtype, values
    numbers, odd = cast_cells(values, values, pl.Float64())
    if odd.sum() > _MOSTLY * len(values):
        return dtype, values
    whole, _ = cast_cells(values, values, pl.Int64())
    return (pl.Int64(), whole.drop_nulls()) if whole.null_count() == numbers.null_count() else (pl.Float64(), numbers.drop_nulls())


def _counts_rows(values):
    """Whether distinct values are whole numbers that lie close, as those that count rows do."""
    return values.dtype.is_integer() and len(values) > _FEW_LEVELS and len(values) >= _DENSE * (values.max() - values.min() + 1)


def _range(values):
    if values.dtype.is_integer() and _is_list(values, _FEW_CODES):
        return {"levels": tuple(values.unique().sort())}
    if values.dtype == pl.Datetime:  # files of schemas keep whole seconds
        whole = values.dt.truncate("1s")
        return {"low": whole.min(), "high": whole.max() + timedelta(seconds=int(whole.max() < values.max()))}
    finite = values.filter(values.is_finite()) if values.dtype.is_float() else values
    return {"low": finite.min(), "high": finite.max()}


def _is_list(values, few):
    levels = values.n_unique()
    return levels <= few and len(values) >= _ROWS_A_LEVEL * levels

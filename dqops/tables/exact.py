"""Cells as text that gives each of them back exactly, with the name of their dtype beside it."""

import re

import polars as pl

from dqops.errors import OptionError

_SIMPLE = {
    str(dtype): dtype
    for dtype in (
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64,
        pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date,
    )
}  # fmt: skip
_MOMENT = r"Datetime\[(ms|us|ns)\]"
_WRITTEN = "%Y-%m-%dT%H:%M:%S%.9f"


def dtype_name(dtype):
    """The name under which a plan keeps a plain dtype.

    >>> dtype_name(pl.Int64()), dtype_name(pl.Datetime("us"))
    ('Int64', 'Datetime[us]')
    """
    return f"Datetime[{dtype.time_unit}]" if isinstance(dtype, pl.Datetime) else str(dtype)


def dtype_named(name):
    """The plain dtype of that name.

    >>> dtype_named("Datetime[ns]")
    Datetime(time_unit='ns', time_zone=None)
    """
    moment = re.fullmatch(_MOMENT, name)
    if moment:
        return pl.Datetime(moment.group(1))
    if name not in _SIMPLE:
        raise OptionError("dtype", name, "one of " + ", ".join([*_SIMPLE, "Datetime[us]"]))
    return _SIMPLE[name]


def texts_of(cells):
    """The cells as text from which `values_of` makes the same cells again; null where a cell is empty.

    Parameters
    ----------
    cells : polars.Series
        Of a plain dtype: numbers of any width, Boolean, String, Date, Datetime.

    Examples
    --------
    >>> texts_of(pl.Series([0.1, None, 3.0])).to_list()
    ['0.1', None, '3.0']
    """
    if cells.dtype == pl.String:
        return cells
    if cells.dtype == pl.Datetime:
        return cells.dt.strftime(_WRITTEN)
    return cells.cast(pl.String)


def values_of(texts, dtype):
    """The cells that these texts stand for; null where a text is null or is none of that dtype.

    >>> values_of(pl.Series(["1", "x", None]), pl.Int64()).to_list()
    [1, None, None]
    """
    if dtype == pl.String:
        return texts.cast(pl.String)
    if dtype == pl.Boolean:
        return texts.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if dtype == pl.Date:
        return texts.str.to_date("%Y-%m-%d", strict=False)
    if dtype == pl.Datetime:
        return texts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit=dtype.time_unit, strict=False)
    return texts.cast(dtype, strict=False)


def alike(first, second):
    """bool (n,): whether two texts say the same: word for word, both nothing (empty or null), or the same number.

    >>> alike(pl.Series(["1.0", None, "a"]), pl.Series(["1", None, "b"])).to_list()
    [True, True, False]
    """
    same = first.fill_null("") == second.fill_null("")
    if same.all():
        return same
    numbers = [one.str.strip_chars().cast(pl.Float64, strict=False) for one in (first, second)]
    return same | (numbers[0] == numbers[1]).fill_null(False)

"""Cells of any dtype brought down to the few that the house works with.

Whole and floating-point numbers, Boolean, String, Date and Datetime stay (without a copy); everything else is
read as the nearest of them.
"""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import compress

import polars as pl

from dqops.tables.contents import listed

_WIDE = tuple(dtype for name in ("Int128", "UInt128") if (dtype := getattr(pl, name, None)) is not None)
_HALF = getattr(pl, "Float16", None)
_PLAIN = (pl.Float64, pl.Float32, pl.Boolean, pl.String, pl.Date)
_INT64 = range(-(2**63), 2**63)


def plain_frame(frame):
    """The frame with plain dtypes, and a sentence for each kind of change that loses something.

    Parameters
    ----------
    frame : polars.DataFrame

    Returns
    -------
    frame : polars.DataFrame
    warnings : tuple of str

    Examples
    --------
    >>> plain_frame(pl.DataFrame({"a": [[1, 2], [3]], "b": [1.5, float("nan")]}))[0].rows()
    [('[1, 2]', 1.5), ('[3]', None)]
    """
    floats = [name for name, dtype in frame.schema.items() if dtype in (pl.Float64, pl.Float32)]
    odd = frame.select(pl.col(floats).is_nan().any())
    changed, said = [frame[name].fill_nan(None) for name in floats if odd[name][0]], {}
    for cells in frame.get_columns():
        fresh, loss = _plain(cells)
        if fresh is not cells:
            changed.append(fresh)
        if loss:
            said.setdefault(loss, []).append(cells.name)
    frame = frame.with_columns(changed) if changed else frame
    return frame, sentences(said)


def sentences(said):
    """One warning for each loss: ``{loss: [names]}`` to ``('a', 'b': loss, ...)``."""
    return tuple(f"{listed(names)}: {loss}" for loss, names in said.items())


def plain_cells(name, values):
    """A column of Python objects as a plain Series, and what was lost or None.

    Parameters
    ----------
    name : str
    values : list
        None where a cell is empty.

    Examples
    --------
    >>> plain_cells("a", [1, "x", 2.5, None])[0].to_list()
    ['1', 'x', '2.5', None]
    """
    kinds = {type(value) for value in values} - {type(None)}
    if any(hasattr(kind, "dtype") for kind in kinds):  # numpy scalars
        values = [value.item() if hasattr(value, "item") else value for value in values]
        kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean if kinds else pl.Float64), None
    if kinds == {int} and all(value is None or value in _INT64 for value in values):
        return pl.Series(name, values, dtype=pl.Int64), None
    if kinds <= {int, float, Decimal}:
        loss = None if int not in kinds or _all_in_range(values) else "whole numbers beyond 64 bits, read as floating point"
        return pl.Series(name, [None if value is None else _float(value) for value in values], dtype=pl.Float64), loss
    if all(issubclass(kind, str) for kind in kinds):
        return pl.Series(name, [None if value is None else _text(value) for value in values], dtype=pl.String), None
    if all(issubclass(kind, date) for kind in kinds):
        return _dates(name, values, kinds)
    if kinds <= {dict, list, tuple, set}:
        return _texts(name, values), "nested cells, read as JSON text"
    if kinds <= {bytes, bytearray}:
        return _plain(pl.Series(name, [None if value is None else bytes(value) for value in values], dtype=pl.Binary))
    if len(kinds) == 1 and kinds <= {timedelta, time}:
        return _plain(pl.Series(name, values))
    whose = "cells of mixed types" if len(kinds) > 1 else f"cells of the type {next(iter(kinds)).__name__}"
    return _texts(name, values), f"{whose}, read as text"


def _plain(cells):
    """The Series as a plain one (the same object where it is plain already), and what was lost or None."""
    dtype = cells.dtype
    if (dtype.is_integer() and dtype not in _WIDE) or dtype in _PLAIN:
        return cells, None
    if dtype in _WIDE:
        return cells.cast(pl.Float64), "whole numbers beyond 64 bits, read as floating point"
    if dtype == pl.Null or dtype.is_decimal():
        return cells.cast(pl.Float64), None
    if _HALF is not None and dtype == _HALF:
        return cells.cast(pl.Float32).fill_nan(None), None
    if dtype in (pl.Categorical, pl.Enum):
        return cells.cast(pl.String), None
    if dtype == pl.Datetime:
        if dtype.time_zone is None:
            return cells, None
        return cells.dt.convert_time_zone("UTC").dt.replace_time_zone(None), "times with a zone, read as UTC"
    return _plain_rarity(cells)


def _plain_rarity(cells):
    if cells.dtype == pl.Duration:
        return cells.dt.total_microseconds().cast(pl.Float64) / 1e6, "durations, read as seconds"
    if cells.dtype == pl.Time:
        return cells.cast(pl.String), "times of day, read as text"
    if cells.dtype == pl.Binary:
        return _read_bytes(cells)
    storage = getattr(cells, "ext", None)
    if storage is not None and type(cells.dtype).__name__ not in ("List", "Array", "Struct", "Object"):
        return _plain(storage.storage())[0], "cells of an extension type, read as what they are stored as"
    return plain_cells(cells.name, cells.to_list())


def _read_bytes(cells):
    try:
        text = [None if one is None else one.decode("utf-8") for one in cells.to_list()]
    except UnicodeDecodeError:
        return cells.bin.encode("hex"), "bytes, read as hexadecimal digits"
    return pl.Series(cells.name, text, dtype=pl.String), "bytes, read as text"


def _texts(name, values):
    return pl.Series(name, [None if value is None else _text(value) for value in values], dtype=pl.String)


def _text(value):
    """A cell as text: nested cells as JSON, bytes as UTF-8, the rest as Python prints it."""
    if isinstance(value, (dict, list, tuple, set)):
        value = sorted(value, key=str) if isinstance(value, set) else value
        return _encodable(json.dumps(value, ensure_ascii=False, default=str))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    return _encodable(str(value))


def _encodable(text):
    """The text with lone surrogates (which no file can hold) spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _dates(name, values, kinds):
    if kinds == {date}:
        return pl.Series(name, values, dtype=pl.Date), None
    if date in kinds or len({value.tzinfo is None for value in compress(values, values)}) > 1:
        return _texts(name, values), "cells of mixed types, read as text"
    moments = [None if value is None else datetime.fromisoformat(value.isoformat()) for value in values]
    return _plain(pl.Series(name, moments))


def _float(value):
    try:
        return None if value != value else float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _all_in_range(values):
    return all(value in _INT64 for value in values if isinstance(value, int))
